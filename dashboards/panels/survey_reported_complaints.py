"""Survey-reported complaints beside the cases on record: few cases may mean that few dare to complain."""

from collections.abc import Mapping
from typing import Any, Final

import numpy as np
import pandas as pd
from dash.development.base_component import Component

from analytics.disclosure.rules import DisclosureRules
from analytics.disclosure.suppression import can_be_shown, rounded_share
from analytics.evidence.share_intervals import share_interval
from analytics.reports.complaint_sentences import communities_with_discouraged_complaints
from analytics.rules import Rules
from analytics.statistics.complaint_rates import low_recorded_complaints
from analytics.statistics.repeat_complaints import repeat_dispersion
from dashboards.figures.community import reported_figure
from dashboards.frames.page_data import PageData
from dashboards.languages import translator
from dashboards.routes import ROUTES
from dashboards.source import Profile, ReportedComplaints
from dashboards.widgets.components import Numbers, NumbersColumn, chart, empty, notice, panel, records

RECALL_MONTHS: Final = 12
"""Months that residents are asked about: a shorter record would look like few complaints."""

_ROUTE: Final = ROUTES["complaints"]
_PER_1000: Final = 1000
_RATES: Final = ("rate", "lower", "upper", "region_rate")


def can_be_told(said: int, asked: int, answered: int, disclosure: DisclosureRules) -> bool:
    """Return whether it can be told how many say that they complained.

    Few must have said so or otherwise, neither of all `asked` nor of those who `answered` the very question: the others
    were not led to it.
    """
    parts = ((said, asked, disclosure.minimum_opinion_base), (said, answered, 0))
    return all(can_be_shown(some, whole, rules=disclosure, least=least) for some, whole, least in parts)


def likely_underreported(
    communities: pd.DataFrame, reported: pd.DataFrame, rules: Rules, *, disclosure: DisclosureRules
) -> pd.DataFrame:
    """Return the communities where significantly more households say that they complained than cases are on record.

    Parameters
    ----------
    communities : DataFrame
        Standings.
    reported : DataFrame
        Columns number, said, asked, answered; suppressed numbers are not judged either.
    """
    is_shown = [can_be_told(row["said"], row["asked"], row["answered"], disclosure) for row in records(reported)]
    known = reported[np.array(is_shown, dtype=bool)]
    names = {"said": "said_complained", "asked": "asked_about_complaints"}
    table = communities.merge(known.rename(columns=names), on="number")
    if rules.complaints.period_months < RECALL_MONTHS:
        return table[:0]
    return communities_with_discouraged_complaints(table, level=float(rules.evidence.level))


def reported_panel(shown: PageData, row: Mapping[str, Any], profile: Profile | None) -> list[Component]:
    """Return the share that says it complained beside the cases on record; empty where residents were not asked."""
    if profile is None or profile.reported is None:
        return []
    _ = translator(shown.language)
    name, reported = _("What residents report, and what is on record"), profile.reported
    fewest = shown.disclosure.minimum_opinion_base
    if reported.asked < fewest:
        said = _("Fewer than {count} residents said whether they complained.").format(count=fewest)
        return [panel(name, empty(said), anchor="reported")]
    rates = reported_and_recorded_rates(
        row, reported, shown.header.rules, disclosure=shown.disclosure, language=shown.language
    )
    return [
        panel(
            name,
            *_underreporting_notice(shown, row, reported, rates),
            chart(
                reported_figure(rates, shown.language),
                name=f"said-and-recorded-{row['number']}",
                summary=_sentence(shown, rates),
                language=shown.language,
                numbers=_numbers(shown, rates),
            ),
            anchor="reported",
            note=_(
                "Residents may also have complained to the company or elsewhere; only cases filed here are on record."
            ),
        )
    ]


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


def _underreporting_notice(
    shown: PageData, row: Mapping[str, Any], reported: ReportedComplaints, rates: pd.DataFrame
) -> list[Component]:
    """Return a warning where significantly fewer cases are on record than beside, though as many say so."""
    said, recorded = (part for _place, part in rates.iterrows())
    if pd.isna([said["rate"], recorded["rate"], recorded["region_rate"]]).any():
        return []
    is_quiet = low_recorded_complaints(
        recorded["count"],
        recorded["of"],
        said["count"],
        said["of"],
        rate=recorded["region_rate"],
        share=said["region_rate"],
        level=float(shown.header.rules.evidence.level),
        dispersion=repeat_dispersion(float(shown.header.rules.evidence.repeat_complaints)),
    )
    counted = {"said": reported.said, "asked": reported.asked, "answered": reported.answered}
    beside = pd.DataFrame([{"number": row["number"], **counted}])
    found = likely_underreported(pd.DataFrame([row]), beside, shown.header.rules, disclosure=shown.disclosure)
    if not is_quiet or found.empty:
        return []
    _ = translator(shown.language)
    words = _(
        "At least as many residents as elsewhere say that they complained: according to the survey, no fewer than "
        "{lower} households within a year. Cases on record: {recorded}, clearly fewer than in communities of its "
        "size. Complaints may have been discouraged, or made elsewhere. Look into this before you take the low "
        "number as a good sign."
    ).format(lower=f"{found['reported_lower'].iloc[0]:,.0f}", recorded=f"{int(row['complaints']):,}")
    return [notice(_("Few cases on record need not mean that all is well"), words)]


def _sentence(shown: PageData, rates: pd.DataFrame) -> str:
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


def _numbers(shown: PageData, rates: pd.DataFrame) -> Numbers:
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
