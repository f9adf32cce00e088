"""Parts of a page drawn one by one, so that one that cannot be drawn leaves the others standing."""

from collections.abc import Callable, Iterator, Mapping

from dash.development.base_component import Component

from dashboards.pages.page import FoldedPart, Page, Part, Parts
from dashboards.widgets.components import folded_part
from dashboards.widgets.waiting import failed_part

Failed = Callable[[Exception], None]
"""Told what a part of a page raised; raises it again where it concerns the whole page."""


def draw_parts(page: Page, parts: Parts, language: str, *, failed: Failed) -> list[Component]:
    """Return the content of a page; in the place of each part that raises, a panel that says so."""
    titles = {section.anchor: section.title for section in page.sections(language)}
    return list(_drawn(parts, titles, language, failed))


def _drawn(parts: Parts, titles: Mapping[str, str], language: str, failed: Failed) -> Iterator[Component]:
    for part in parts:
        if isinstance(part, FoldedPart):
            yield folded_part(part.title, *_drawn(part.parts, titles, language, failed), anchor=part.anchor)
        elif isinstance(part, Part):
            yield from _drawn_part(part, titles, language, failed)
        else:
            yield part


def _drawn_part(part: Part, titles: Mapping[str, str], language: str, failed: Failed) -> list[Component]:
    try:
        drawn = part.draw()
        return [drawn] if isinstance(drawn, Component) else list(drawn)
    except Exception as error:  # noqa: BLE001 (whatever it is, the other parts are of use)
        failed(error)
        title = None if part.section is None else titles[part.section]
        return [failed_part(title, language, anchor=part.section)]
