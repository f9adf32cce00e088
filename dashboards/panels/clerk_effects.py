"""Answers that staff typed in: whether they differ by who typed them. Nobody is named."""

from collections.abc import Iterator, Mapping
from typing import Any, Final

from dash import html
from dash.development.base_component import Component

from dashboards.frames.page_data import PageData
from dashboards.languages import translator
from dashboards.routes import ROUTES
from dashboards.widgets.components import empty, panel

BY_CHANCE: Final = 0.05
"""p-value below which answers are said to differ by who typed them in."""

_ROUTE: Final = ROUTES["satisfaction"]


def clerk_effects_panel(shown: PageData) -> Component:
    """Return what the answers that several people typed in say of each region, or that none can be compared."""
    _ = translator(shown.language)
    name, sentences = _("Answers typed in by staff"), list(_sentences(shown))
    if not sentences:
        none = _("No community here has enough answers typed in by two or more members of staff to compare them.")
        return panel(name, empty(none, None), anchor="clerks")
    return panel(
        name,
        html.Ul([html.Li(said) for said in sentences]),
        anchor="clerks",
        note=_("Staff meet other residents, at other hours: a difference is a reason to look, not a finding."),
    )


def _sentences(shown: PageData) -> Iterator[str]:
    _ = translator(shown.language)
    for region, facts in shown.list_facts(_ROUTE).items():
        clerks: Mapping[str, Any] | None = facts.get("clerks")
        if clerks is None:
            continue
        sentence = (
            _(
                "{region}: {answers} answers typed in by {clerks} members of staff differ by who typed them in, more "
                "than chance explains (p {p}). Within a community the share of satisfied answers differs from one to "
                "another by about {points} points (standard deviation)."
            )
            if clerks["p_value"] < BY_CHANCE
            else _(
                "{region}: {answers} answers typed in by {clerks} members of staff do not differ by who typed them in "
                "more than chance explains (p {p})."
            )
        )
        yield sentence.format(
            region=shown.region_label(region),
            answers=f"{clerks['answers']:,}",
            clerks=f"{clerks['clerks']:,}",
            p=f"= {clerks['p_value']:.2f}" if clerks["p_value"] >= 0.01 else "< 0.01",
            points=f"{clerks['deviation'] * 100:.0f}",
        )
