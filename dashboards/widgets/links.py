"""Links from one page to another."""

from typing import Final

from dash import html
from dash.development.base_component import Component

from dashboards.address import View
from dashboards.languages import pick

COLLECTION_PATH: Final = "collection/"
COMMUNITIES_PATH: Final = "communities/"
COMMUNITY_PATH: Final = "community/"
INTEGRITY_PATH: Final = "integrity/"


def address_of(view: View, number: str) -> str:
    """Return the address of a community's page."""
    return f"/dashboards/{COMMUNITY_PATH}{view.shared.with_changes(region=None).with_own(community=number).search}"


def page_link(view: View, path: str, words: str) -> Component:
    """Return a link to another page for the same evaluation, region and route."""
    return html.A(words, href=f"/dashboards/{path}{view.shared.search}", className="quiet-link")


def named_link(view: View, number: str, name: str, english_name: str | None) -> Component:
    """Return a community's name as a link to its page."""
    return html.A(pick(view.language, name, english_name), href=address_of(view, number), className="name-link")
