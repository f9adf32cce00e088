"""Those who did not answer: what late answers suggest of them, and what they could have changed."""

from collections.abc import Iterator, Mapping
from typing import Any, Final

import pandas as pd
from dash.development.base_component import Component

from analytics.evidence.nonresponse import worst_cases
from analytics.reports.nonresponse_sentences import slip_sentences, wave_sentences
from dashboards.frames.page_data import PageData
from dashboards.frames.standings import in_region
from dashboards.languages import translator
from dashboards.routes import ROUTES
from dashboards.widgets.components import Column, data_table, empty, panel, scrolled, titled_sentences
from dashboards.widgets.next_steps import complete_register, none_ranked, survey_alone

_ROUTE: Final = ROUTES["satisfaction"]


def nonresponse_panel(shown: PageData) -> Component:
    """Return what is known of those who did not answer, or why nothing is."""
    _ = translator(shown.language)
    name = _("Those who did not answer")
    if shown.view.route != _ROUTE:
        return panel(name, survey_alone(shown.language), anchor="nonresponse")
    said = [
        (shown.region_label(region), sentences)
        for region, facts in shown.list_facts(_ROUTE).items()
        if (sentences := list(_sentences(shown, facts)))
    ]
    if shown.standings[_ROUTE.rank].isna().all():
        return panel(name, none_ranked(shown.language), anchor="nonresponse")
    content = [*([titled_sentences(said)] if said else []), *_bounds(shown)]
    if not content:
        unknown = _(
            "Nothing is known here: there is no ranked community of which both the households and the satisfied "
            "answers are known."
        )
        return panel(name, empty(unknown, complete_register(shown.language)), anchor="nonresponse")
    return panel(
        name,
        *content,
        anchor="nonresponse",
        note=_(
            "What late answers and those on slips suggest can raise the assumption of the evidence, not a decision."
        ),
    )


def _sentences(shown: PageData, facts: Mapping[str, Any]) -> Iterator[str]:
    """Yield what answers of a region suggest about those who gave none, as far as its evaluation compared them."""
    _ = translator(shown.language)
    assumed = float(shown.header.rules.evidence.nonresponse_spread)
    if facts.get("waves") is not None:
        yield from wave_sentences(facts["waves"], assumed=assumed, language=shown.language)
    elif "waves" in facts:
        yield _("Early and late answers are not compared: too few communities have enough of both.")
    if facts.get("channels") is not None:
        yield from slip_sentences(facts["channels"], assumed=assumed, language=shown.language)
    elif "channels" in facts:
        yield _("Answers through slips and through posters are not compared: too few communities have enough of both.")


def _bounds(shown: PageData) -> list[Component]:
    """Return a table of what those who did not answer could have changed, where shares of satisfied answers are told.

    It adds up communities whose answers stand beside their names, so that it says nothing of any other.
    """
    if shown.header.rules.satisfaction.measure != "satisfaction_rate":
        return []
    _ = translator(shown.language)
    ranked = shown.standings[shown.standings[_ROUTE.rank].notna()]
    rows = [row for region in shown.regions for row in _row_of_bounds(shown, region, ranked)]
    if not rows:
        return []
    headings = (
        _("District"),
        _("Ranked communities with known households"),
        _("Households"),
        _("With an answer"),
        _("Satisfied of the answers"),
        _("Satisfied households if all others are dissatisfied"),
        _("Satisfied households if all others are satisfied"),
    )
    columns = [Column(heading, heading, numeric=place > 0) for place, heading in enumerate(headings)]
    caption = _(
        "Whatever the others think, the true share lies between the last two columns if each answer is of another"
        " household. Nothing else is assumed."
    )
    return [scrolled(data_table(columns, rows, caption=caption), _("What those who did not answer could change"))]


def _row_of_bounds(shown: PageData, region: str, ranked: pd.DataFrame) -> Iterator[list[str | Component]]:
    cases = worst_cases(in_region(ranked, region))
    if cases is not None:
        yield [
            shown.region_label(region),
            f"{cases.communities:,}",
            f"{cases.households:,}",
            f"{cases.responses / cases.households:.1%}",
            f"{cases.satisfied / max(1, cases.responses):.1%}",
            f"{cases.lowest:.1%}",
            f"{cases.highest:.1%}",
        ]
