"""Links from one page to another."""

from collections.abc import Iterator, Sequence
from string import Formatter
from typing import Final, Literal, NamedTuple
from urllib.parse import urlencode

from dash import html
from dash.development.base_component import Component

from dashboards.address import View
from dashboards.languages import pick, translator

ASPECTS_PATH: Final = "aspects/"
COLLECTION_PATH: Final = "collection/"
COMMUNITIES_PATH: Final = "communities/"
COMMUNITY_PATH: Final = "community/"
COMPANIES_PATH: Final = "companies/"
INTEGRITY_PATH: Final = "integrity/"

Document = Literal["overview", "criterion", "community", "complaints"]
"""Official documents that the site makes of a page."""


def address_of(view: View, number: str) -> str:
    """Return the address of a community's page."""
    return f"/dashboards/{COMMUNITY_PATH}{view.shared.with_changes(region=None).with_own(community=number).search}"


def communities_address(view: View, **own: str) -> str:
    """Return the address of the table of all communities, narrowed by its own parameters."""
    return f"/dashboards/{COMMUNITIES_PATH}{view.shared.with_own(**own).search}"


class Linked(NamedTuple):
    """Words that lead to the rows that they count."""

    words: str
    address: str


Sentence = Sequence[str | Linked]
"""Sentence of which some words are links."""


def linked_sentence(template: str, **values: str | Linked) -> list[str | Linked]:
    """Return what `template.format(**values)` says, with links in it."""
    parts: list[str | Linked] = []
    for literal, name, _spec, _conversion in Formatter().parse(template):
        parts += [literal] if literal else []
        parts += [values[name]] if name is not None else []
    return parts


def words_of(sentence: Sentence) -> str:
    """Return a sentence without its links."""
    return "".join(part if isinstance(part, str) else part.words for part in sentence)


def with_links(sentence: Sentence) -> Iterator[str | Component]:
    """Yield the parts of a sentence as a page shows them."""
    for part in sentence:
        yield part if isinstance(part, str) else linked(part)


def linked(part: Linked) -> Component:
    """Return words that lead to the rows that they count, as a link."""
    return html.A(part.words, href=part.address, className="rows-link")


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


def page_address(view: View, path: str) -> str:
    """Return the address of another page for the same evaluation, region and route."""
    return f"/dashboards/{path}{view.shared.search}"


def page_link(view: View, path: str, words: str) -> Component:
    """Return a link to another page for the same evaluation, region and route."""
    return html.A(words, href=page_address(view, path), className="quiet-link")


def named_link(view: View, number: str, name: str, english_name: str | None) -> Component:
    """Return a community's name as a link to its page."""
    return html.A(pick(view.language, name, english_name), href=address_of(view, number), className="name-link")
