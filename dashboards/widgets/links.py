"""Links from one page to another."""

from typing import Final, Literal
from urllib.parse import urlencode

from dash import html
from dash.development.base_component import Component

from dashboards.address import View
from dashboards.languages import pick, translator

ASPECTS_PATH: Final = "aspects/"
COLLECTION_PATH: Final = "collection/"
COMMUNITIES_PATH: Final = "communities/"
COMMUNITY_PATH: Final = "community/"
INTEGRITY_PATH: Final = "integrity/"

Document = Literal["overview", "criterion", "community", "complaints"]
"""Official documents that the site makes of a page."""


def address_of(view: View, number: str) -> str:
    """Return the address of a community's page."""
    return f"/dashboards/{COMMUNITY_PATH}{view.shared.with_changes(region=None).with_own(community=number).search}"


def document_address(view: View, kind: Document) -> str:
    """Return the address of the staff page that makes an official document of what a view shows."""
    asked = {"lang": view.language, "region": view.region, "community": view.own.get("community")}
    query = urlencode({name: value for name, value in asked.items() if value})
    return f"/staff/evaluations/{view.evaluation}/documents/{kind}.pdf?{query}"


def paper_links(view: View, kind: Document) -> list[Component]:
    """Return the button that prints a page, and the link to its official document as PDF."""
    _ = translator(view.language)
    return [
        html.Button(_("Print"), id="print", className="quiet-button", type="button"),
        html.A(_("PDF to sign"), href=document_address(view, kind), className="quiet-link"),
    ]


def page_link(view: View, path: str, words: str) -> Component:
    """Return a link to another page for the same evaluation, region and route."""
    return html.A(words, href=f"/dashboards/{path}{view.shared.search}", className="quiet-link")


def named_link(view: View, number: str, name: str, english_name: str | None) -> Component:
    """Return a community's name as a link to its page."""
    return html.A(pick(view.language, name, english_name), href=address_of(view, number), className="name-link")
