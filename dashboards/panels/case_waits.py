"""Wait for the first answer: how many working days, with those who still wait taken into account."""

from math import isnan

from dash.development.base_component import Component

from analytics.casework.waiting_times import WaitQuantile
from dashboards.figures.casework import waiting_figure
from dashboards.frames.casework import CaseworkData
from dashboards.languages import translator
from dashboards.widgets.components import Numbers, NumbersColumn, chart, empty, panel, records
from dashboards.widgets.next_steps import as_cases_come


def waits_panel(shown: CaseworkData) -> Component:
    """Return the curve of the share answered within so many working days, and when half and nine tenths are."""
    _ = translator(shown.language)
    name, waits = _("How long residents wait for the first answer"), shown.waits
    if not waits.cases:
        none = _("No case to be answered was filed in this time.")
        return panel(name, empty(none, as_cases_come(shown.language)), anchor="waits")
    half, most = (_within(waits.quantiles[share], shown.language) for share in (0.5, 0.9))
    summary = _("Cases: {cases}, with an answer: {answered}. Half have one by {half}, nine tenths by {most}.").format(
        cases=f"{waits.cases:,}", answered=f"{waits.answered:,}", half=half, most=most
    )
    columns = [
        NumbersColumn(_("Working days"), numeric=True, write="{:.0f}".format),
        *(
            NumbersColumn(words, numeric=True, write="{:.1%}".format)
            for words in (_("Answered by then"), _("Lower bound"), _("Upper bound"))
        ),
    ]
    rows = [[row[key] for key in ("days", "answered", "lower", "upper")] for row in records(waits.curve)]
    drawn = chart(
        waiting_figure(waits.curve, shown.language),
        name="waits",
        summary=summary,
        language=shown.language,
        numbers=Numbers(_("Answered within so many working days"), columns, rows),
    )
    note = _(
        "Of cases filed in this time. Those that still wait are counted for as long as they have waited (Kaplan–Meier):"
        " without them the wait would look shorter. Time in which the resident was asked something is part of it."
    )
    return panel(name, drawn, anchor="waits", note=note)


def _within(quantile: WaitQuantile, language: str) -> str:
    _ = translator(language)
    if isnan(quantile.days):
        return _("a day that is not known yet")
    if isnan(quantile.lower) or isnan(quantile.upper):
        return _("working day {day}").format(day=f"{quantile.days:.0f}")
    return _("working day {day} (by chance alone {lower} to {upper})").format(
        day=f"{quantile.days:.0f}", lower=f"{quantile.lower:.0f}", upper=f"{quantile.upper:.0f}"
    )
