"""Survey-reported complaints beside the cases on record: few cases may mean that few dare to complain."""

from collections.abc import Mapping
from typing import Any, Final

import numpy as np
import pandas as pd
from dash.development.base_component import Component

from analytics.disclosure.rules import DisclosureRules
from analytics.disclosure.suppression import rounded_share
from analytics.evidence.share_intervals import share_interval
from analytics.rules import Rules
from dashboards.figures.community import reported_figure
from dashboards.frames.page_data import PageData
from dashboards.frames.underreported_complaints import can_be_told
from dashboards.languages import translator
from dashboards.routes import ROUTES
from dashboards.source import Profile, ReportedComplaints
from dashboards.widgets.components import Numbers, NumbersColumn, chart, empty, notice, panel, records
from dashboards.widgets.next_steps import answers_not_kept, with_next_round

_ROUTE: Final = ROUTES["complaints"]
_PER_1000: Final = 1000
_RATES: Final = ("rate", "lower", "upper", "region_rate")


def reported_panel(shown: PageData, row: Mapping[str, Any], profile: Profile | None) -> Component:
    """Return the share that says it complained beside the cases on record, or why it is not known."""
    _ = translator(shown.language)
    name = _("What residents report, and what is on record")
    if profile is None:
        return panel(name, answers_not_kept(shown.language), anchor="reported")
    if (reported := profile.reported) is None:
        why = _("The questionnaire does not ask whether residents complained.")
        then = _("A questionnaire that asks it can be chosen for the next round.")
        return panel(name, empty(why, then), anchor="reported")
    if reported.asked < shown.disclosure.minimum_opinion_base:
        return panel(name, empty(too_few_said(shown), with_next_round(shown.language)), anchor="reported")
    rates = reported_and_recorded_rates(
        row, reported, shown.header.rules, disclosure=shown.disclosure, language=shown.language
    )
    return panel(
        name,
        *_underreporting_notice(shown, row),
        _rates_chart(shown, row, rates),
        anchor="reported",
        note=_("Residents may also have complained to the company or elsewhere; only cases filed here are on record."),
    )


def _rates_chart(shown: PageData, row: Mapping[str, Any], rates: pd.DataFrame) -> Component:
    if rates[["rate", "region_rate"]].isna().all(axis=None):
        return empty(reported_sentence(shown, rates), with_next_round(shown.language))
    return chart(
        reported_figure(rates, shown.language),
        name=f"said-and-recorded-{row['number']}",
        summary=reported_sentence(shown, rates),
        language=shown.language,
        numbers=reported_numbers(shown, rates),
    )


def too_few_said(shown: PageData) -> str:
    """Return what is said where too few residents told whether they complained."""
    _ = translator(shown.language)
    fewest = shown.disclosure.minimum_opinion_base
    return _("Fewer than {count} residents said whether they complained.").format(count=fewest)


def reported_and_recorded_rates(
    row: Mapping[str, Any], reported: ReportedComplaints, rules: Rules, *, disclosure: DisclosureRules, language: str
) -> pd.DataFrame:
    """Return the share that says it complained and the cases on record per household and year, beside the region's.

    Columns: label, english_label (none: the label is in the language), count, of, rate, lower, upper, region_rate;
    missing where a small number would be disclosed. The share of the region that says so is in whole percents.
    """
    _ = translator(language)
    households = np.nan if pd.isna(row["households"]) else float(row["households"])
    limits = share_interval([reported.said], [reported.asked], rules, households=households)
    said = [reported.said, reported.asked, reported.said / reported.asked, limits.lower[0], limits.upper[0]]
    is_told = can_be_told(reported.said, reported.asked, reported.answered, disclosure)
    if reported.is_withheld or not is_told:
        said = [None] * len(said)
    of_region = rounded_share(reported.region_said, reported.region_asked, rules=disclosure)
    recorded = [row["complaints"], row["exposure_household_years"]]
    recorded += [row[column] / _PER_1000 for column in (_ROUTE.score, _ROUTE.lower, _ROUTE.upper)]
    years = reported.region_household_years
    region_recorded = reported.region_complaints / years if years else None
    table = pd.DataFrame(
        [
            (_("Say that they complained"), *said, of_region),
            (_("Valid cases on record"), *recorded, region_recorded),
        ],
        columns=["label", "count", "of", *_RATES],
    ).assign(english_label=None)
    return table.astype(dict.fromkeys(("count", "of", *_RATES), "float64"))


def _underreporting_notice(shown: PageData, row: Mapping[str, Any]) -> list[Component]:
    """Return a warning where the complaints of a community may be underreported, as every list warns that ranks it."""
    if row["number"] not in shown.underreported:
        return []
    _ = translator(shown.language)
    words = _(
        "At least as many residents as elsewhere say that they complained, and clearly fewer cases are on record than"
        " in communities of its size. Complaints may have been discouraged, or made elsewhere."
    )
    return [notice(shown.underreported[row["number"]], words)]


def reported_sentence(shown: PageData, rates: pd.DataFrame) -> str:
    """Return what `reported_and_recorded_rates` says in one or two sentences."""
    _ = translator(shown.language)
    said, recorded = (part for _place, part in rates.iterrows())
    if pd.isna(said["count"]):
        words = _("So few residents gave one of the two answers that their number is not shown.")
    else:
        words = _(
            "{said} of {asked} respondents say that they complained in the past year; among all residents it may be "
            "{lower}% to {upper}%."
        ).format(
            said=f"{said['count']:,.0f}",
            asked=f"{said['of']:,.0f}",
            lower=f"{said['lower'] * 100:.0f}",
            upper=f"{said['upper'] * 100:.0f}",
        )
    if pd.isna(recorded["rate"]):
        return words
    return words + _(" Valid cases on record: {cases}, which is {rate} per 100 households a year.").format(
        cases=f"{recorded['count']:,.0f}", rate=f"{recorded['rate'] * 100:.2f}"
    )


def reported_numbers(shown: PageData, rates: pd.DataFrame) -> Numbers:
    """Return `reported_and_recorded_rates` as a table."""
    _ = translator(shown.language)
    per_100 = "{:.2f}".format
    columns = [
        NumbersColumn(_("What is counted")),
        NumbersColumn(_("Number"), numeric=True, write="{:,.0f}".format),
        NumbersColumn(_("Of respondents or household-years"), numeric=True, write="{:,.0f}".format),
        *(
            NumbersColumn(heading, numeric=True, write=per_100)
            for heading in (_("Per 100"), _("Lower bound"), _("Upper bound"), _("All communities ranked with it"))
        ),
    ]
    rows = [
        [
            row["label"],
            *(None if pd.isna(row[name]) else row[name] for name in ("count", "of")),
            *(None if pd.isna(row[name]) else row[name] * 100 for name in _RATES),
        ]
        for row in records(rates)
    ]
    return Numbers(_("What residents report, and what is on record"), columns, rows)
