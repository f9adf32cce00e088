"""Open cases by age, and cases in and out month by month."""

import pandas as pd
from dash.development.base_component import Component

from analytics.casework.flow import monthly_flow, open_by_age
from dashboards.figures.casework import ages_figure, flow_figure
from dashboards.frames.casework import CaseworkData
from dashboards.languages import translator
from dashboards.widgets.components import Numbers, NumbersColumn, chart, empty, panel, records
from dashboards.widgets.next_steps import as_cases_come


def ages_panel(shown: CaseworkData) -> Component:
    """Return the open cases by the days since they were filed, and by who is to act."""
    _ = translator(shown.language)
    name, ages = _("Open cases by age"), open_by_age(shown.cases, cut_off=shown.cut_off)
    office, resident = int(ages["office"].sum()), int(ages["resident"].sum())
    if not office + resident:
        return panel(name, empty(_("No case is open."), None), anchor="open-cases")
    labels = _age_labels(ages, shown.language)
    summary = _(
        "Open cases: {count}. To act is the office or the company in {office} of them, the resident in {resident}."
    ).format(count=f"{office + resident:,}", office=f"{office:,}", resident=f"{resident:,}")
    columns = [
        NumbersColumn(_("Age")),
        NumbersColumn(_("The office or the company"), numeric=True, write="{:,}".format),
        NumbersColumn(_("The resident"), numeric=True, write="{:,}".format),
    ]
    rows = [[label, row["office"], row["resident"]] for label, row in zip(labels, records(ages), strict=True)]
    drawn = chart(
        ages_figure(ages, labels, shown.language),
        name="open-cases",
        summary=summary,
        language=shown.language,
        numbers=Numbers(_("Who is to act, by age"), columns, rows),
    )
    return panel(name, drawn, anchor="open-cases")


def flow_panel(shown: CaseworkData) -> Component:
    """Return how many cases came in and ended each month, and how many were open at its end."""
    _ = translator(shown.language)
    flow = monthly_flow(shown.spells, start=shown.start, cut_off=shown.cut_off).rename(index=shown.month_name)
    came_in = int((flow["filed"] + flow["reopened"]).sum())
    before = int(flow["open"].iloc[0] - flow["filed"].iloc[0] - flow["reopened"].iloc[0] + flow["ended"].iloc[0])
    summary = _("Open at the beginning: {before}; came in: {came_in}; ended: {ended}; open now: {now}.").format(
        before=f"{before:,}",
        came_in=f"{came_in:,}",
        ended=f"{int(flow['ended'].sum()):,}",
        now=f"{int(flow['open'].iloc[-1]):,}",
    )
    name = _("Cases in and out")
    if not came_in + before:
        none = _("No case was filed, open or ended in this time.")
        return panel(name, empty(none, as_cases_come(shown.language)), anchor="flow")
    drawn = chart(
        flow_figure(flow, shown.language),
        name="flow",
        summary=summary,
        language=shown.language,
        numbers=_flow_numbers(flow, shown.language),
    )
    return panel(name, drawn, anchor="flow")


def _age_labels(ages: pd.DataFrame, language: str) -> list[str]:
    _ = translator(language)
    return [
        _("over {days} days").format(days=first - 1)
        if last < 0
        else _("{first}–{last} days").format(first=first, last=last)
        for first, last in zip(ages.index.tolist(), ages["to"].tolist(), strict=True)
    ]


def _flow_numbers(flow: pd.DataFrame, language: str) -> Numbers:
    _ = translator(language)
    headings = (_("Filed"), _("Opened again after their end"), _("Ended"), _("Open at the end"))
    columns = [
        NumbersColumn(_("Month")),
        *(NumbersColumn(heading, numeric=True, write="{:,}".format) for heading in headings),
    ]
    names = ("filed", "reopened", "ended", "open")
    rows = [[month, *(row[name] for name in names)] for month, row in zip(flow.index, records(flow), strict=True)]
    return Numbers(_("Cases in and out by month"), columns, rows)
