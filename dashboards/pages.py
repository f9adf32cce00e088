"""What a page of the dashboards is; `dashboards.mounting` lists them."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from dash import Dash
from dash.development.base_component import Component

from dashboards.source import EvaluationSource


@dataclass(frozen=True)
class Section:
    """A part of a page that the navigation leads to."""

    anchor: str
    title: str


@dataclass(frozen=True)
class Page:
    """One page: its place under /dashboards/, its words, and what it draws.

    `register` adds the callbacks to one Dash app; nothing is registered when a module is imported, since a second
    `create_app()` would then have none.
    """

    path: str
    title: Callable[[str], str]
    sections: Callable[[str], Sequence[Section]]
    layout: Callable[[str], Component]
    register: Callable[[Dash, EvaluationSource, Callable[[], str]], None]
