"""What a page shows before it is drawn and where it cannot be: grey shapes, and a sentence with the next step."""

from collections.abc import Mapping
from html import escape
from typing import Any, Final

from dash import html
from dash.development.base_component import Component

from dashboards.languages import translator
from dashboards.widgets.components import attributes, panel

_FIGURES: Final = 4
_ROWS: Final = 6


def skeleton(language: str) -> Component:
    """Return grey shapes of a title, key figures and a table, where a page is going to be."""
    return html.Div(
        [
            html.P(loading_words(language), className="unseen"),
            _long_wait(language),
            html.Div([html.Div(className="bone wide"), html.Div(className="bone")], className="panel"),
            html.Div([html.Div(className="panel bone") for _each in range(_FIGURES)], className="bone-figures"),
            html.Div([html.Div(className="bone row") for _each in range(_ROWS)], className="panel"),
        ],
        className="skeleton",
        role="status",
        **attributes(aria_busy="true"),
    )


def skeleton_html(language: str) -> str:
    """Return the same for the page as it is sent, before a script has drawn its frame."""
    return _written(skeleton(language))


def loading_words(language: str) -> str:
    """Return what is read out while a page is drawn."""
    _ = translator(language)
    return _("Loading…")


def long_wait_words(language: str) -> str:
    """Return what is said when a page is not drawn after a while."""
    _ = translator(language)
    return _("This takes longer than usual. You can wait, or load the page again.")


def failure_words(language: str) -> Mapping[str, tuple[str, str]]:
    """Return why a page could not be drawn and what the link beside that does, by the kinds that the script tells."""
    _ = translator(language)
    again = _("Load the page again")
    return {
        "unreachable": (_("The site cannot be reached. Please check the connection of this computer."), again),
        "signed_out": (_("You are signed out. After signing in you come back to this page."), _("Sign in")),
        "forbidden": (_("Your account may not see this page."), again),
        "gone": (_("What this page shows does not exist any more."), again),
        "outdated": (_("The site has been brought up to date since this page was opened."), again),
        "failed": (_("The site could not draw this page. If it happens again, tell the administrator."), again),
    }


def failure_html(language: str) -> str:
    """Return the panel that a script unfolds when a page cannot be drawn, hidden until then."""
    _ = translator(language)
    said = "".join(
        f'<p data-kind="{kind}" hidden>{escape(words)} <a class="quiet-link" href="">{escape(link)}</a></p>'
        for kind, (words, link) in failure_words(language).items()
    )
    title = escape(_("This page could not be shown"))
    return f'<div id="failure" class="panel" role="alert" hidden><h2 class="panel-title">{title}</h2>{said}</div>'


def failed_part(title: str | None, language: str, *, anchor: str | None) -> Component:
    """Return what stands in the place of a part of a page that could not be drawn; the title is that of its section."""
    _ = translator(language)
    words = _(
        "This part of the page could not be drawn; the others are complete. If it happens again, tell the "
        "administrator."
    )
    said = html.P([words, " ", _load_again(language)], className="empty", role="alert")
    return panel(title or _("Part of this page"), said, anchor=anchor)


def _long_wait(language: str) -> Component:
    return html.P([long_wait_words(language), " ", _load_again(language)], className="long-wait")


def _load_again(language: str) -> Component:
    _ = translator(language)
    return html.A(_("Load the page again"), href="", className="quiet-link")


def _written(component: Component | str) -> str:
    """Return a component of plain elements as HTML."""
    if isinstance(component, str):
        return escape(component)
    plain: Any = component  # Dash leaves the method without annotations
    described = plain.to_plotly_json()
    props = dict(described["props"])
    children = props.pop("children", None) or []
    props["class"] = props.pop("className", "")
    tag = described["type"].lower()
    named = "".join(f' {name}="{escape(str(value))}"' for name, value in props.items() if value is not None)
    inner = "".join(map(_written, children if isinstance(children, list) else [children]))
    return f"<{tag}{named}>{inner}</{tag}>"
