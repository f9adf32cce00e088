"""Definition of a dashboard page; `dashboards.app` lists the pages."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from dash import Dash
from dash.development.base_component import Component

from dashboards.address import View
from dashboards.source import EvaluationSource
from dashboards.widgets.filter_bar import Filter

Register = Callable[[Dash, EvaluationSource, Callable[[], str]], None]


@dataclass(frozen=True)
class Section:
    """Section of a page that the navigation links to."""

    anchor: str
    title: str


Drawn = Component | Sequence[Component]
"""What a part of a page is drawn as: one panel, several, or none."""


@dataclass(frozen=True)
class Part:
    """Part of a page that is drawn by itself, so that the others stand where it cannot be.

    `section` is the anchor of the section that it is or begins: what stands in its place then has the title of that.
    """

    draw: Callable[[], Drawn]
    section: str | None = None


@dataclass(frozen=True)
class FoldedPart:
    """Parts of a page that unfold together, under a title and an anchor of their own."""

    title: str
    parts: Sequence[Part]
    anchor: str


Parts = Sequence[Component | Part | FoldedPart]
"""Parts of a page in their order; a component among them has been drawn, as a notice that cannot fail."""


def no_sections(_language: str) -> Sequence[Section]:
    """Return no sections, for a page that is read in one go."""
    return ()


def _nothing(_app: Dash, _source: EvaluationSource, _language: Callable[[], str]) -> None:
    """Register no callback: the page depends on its address alone."""


@dataclass(frozen=True)
class Page:
    """Dashboard page: its path under /dashboards/, title, the filters it uses, and its draw function.

    `draw` returns the parts for one view at one time; what it reads itself all of them need. `register` adds further
    callbacks to one Dash app; nothing is registered when a module is imported, since a second `create_app()` would then
    have none. A page that `updates_itself` keeps in step with its own part of the address by callbacks of its own, and
    is drawn anew for the rest of it only. Only a page that `has_grid` loads the library of tables, which weighs as much
    as a third of plotly.
    """

    path: str
    title: Callable[[str], str]
    draw: Callable[[EvaluationSource, View, datetime], Parts]
    filters: tuple[Filter, ...] = ("evaluation", "region", "route")
    sections: Callable[[str], Sequence[Section]] = field(default=no_sections)
    register: Register = field(default=_nothing)
    updates_itself: bool = False
    has_grid: bool = False
