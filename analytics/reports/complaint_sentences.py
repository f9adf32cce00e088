"""Sentences about complaints: channels, excluded cases, complaining households and what residents report."""

from collections.abc import Iterator, Mapping
from typing import Any, Final

import numpy as np
import pandas as pd

from analytics.decision.table_columns import float_column
from analytics.languages import translator
from analytics.reports.html_page import between, percent
from analytics.reports.labels import channel_words
from analytics.statistics.complaint_rates import (
    CHANNEL_COLUMNS,
    CHANNELS,
    compare_recorded_with_reported,
    complaint_rates,
    excluded_shares,
    low_recorded_complaints,
)
from analytics.statistics.validation import BooleanArray

MOST_NAMED: Final = 20

_REPORTED: Final = ["said_complained", "asked_about_complaints", "households", "recorded_households"]


def community_sentences(cells: Mapping[str, Any], language: str) -> Iterator[str]:
    r"""Yield sentences about the complaints of one community.

    Parameters
    ----------
    cells : mapping
        Its row of the table: `complaints` and the available
        `analytics.decision.community_table.COMPLAINT_DETAIL_COLUMNS`, None where unknown.
    language : str
        One of `analytics.languages.LANGUAGES`.

    Yields
    ------
    str

    Examples
    --------
    >>> list(community_sentences({"complaints": 6, "complaints_excluded": 2, "complaining_households": 4}, "en"))
    ['Filed 8, left out as duplicate, out of scope or invalid 2 (25.0\xa0%).', 'Households that complained: 4.']
    """
    _ = translator(language)
    complaints, excluded = cells.get("complaints"), cells.get("complaints_excluded")
    if complaints is not None and excluded is not None and complaints + excluded:
        yield _(
            "Filed {filed}, left out as duplicate, out of scope or invalid {excluded} ({share}).",
            filed=complaints + excluded,
            excluded=excluded,
            share=percent(excluded / (complaints + excluded), 1),
        )
    if cells.get("complaining_households") is not None:
        yield _("Households that complained: {households}.", households=cells["complaining_households"])


def region_sentences(table: pd.DataFrame, *, level: float, language: str, dispersion: float = 1.0) -> Iterator[str]:
    """Yield sentences about the complaints of a region.

    Parameters
    ----------
    table : DataFrame
        The region's rows of a checked community table.
    level : float
        Confidence level of the intervals.
    language : str
        One of `analytics.languages.LANGUAGES`.
    dispersion : float
        φ ≥ 1 of counts of complaints, from `analytics.statistics.repeat_complaints.repeat_dispersion`.

    Yields
    ------
    str
        None if the table lacks the columns. A community with a missing value is left out of that sentence.
    """
    _ = translator(language)
    exposed = table[
        (float_column(table, "exposure_household_years") > 0) & ~np.isnan(float_column(table, "complaints"))
    ]
    if exposed.empty:
        return
    yield from _channels(exposed, level, dispersion, language)
    known, excluded = _totals(exposed, "complaints_excluded")
    if known.any():
        share = excluded_shares([excluded], [float_column(exposed, "complaints")[known].sum()], level=level).iloc[0]
        if share["filed"]:
            yield _(
                "Of {filed} filed cases {excluded} were left out as duplicate, out of scope or invalid: {share}"
                " ({interval}). Withdrawn and quickly fixed cases count.",
                filed=f"{share['filed']:,.0f}",
                excluded=f"{share['excluded']:,.0f}",
                share=percent(share["excluded_share"], 1),
                interval=between(share["lower"], share["upper"], decimals=1, unit=" %", scale=100),
            )
    known, households = _totals(exposed, "complaining_households")
    if known.any():
        rate = _rate(households, float_column(exposed, "exposure_household_years")[known].sum(), level)
        yield _(
            "Households that complained at least once: {households}, {rate} per 1,000 households a year ({interval}).",
            households=f"{households:,.0f}",
            rate=f"{rate['rate_per_1000_households']:.2f}",
            interval=between(rate["lower"], rate["upper"], decimals=2),
        )
    yield from _reported(exposed, level, dispersion, language)


def communities_with_discouraged_complaints(table: pd.DataFrame, *, level: float) -> pd.DataFrame:
    """Return the communities where significantly more households report a complaint than are on record.

    Parameters
    ----------
    table : DataFrame
        A checked community table.
    level : float
        Confidence level of the intervals.

    Returns
    -------
    DataFrame
        Those rows of the table, with `recorded_households`, and `reported_lower` and `reported_upper`, the estimated
        households that would say so if all were asked; the largest gap first. Empty if the table lacks the columns. If
        it is unknown which cases belong to the same household, each counts as a household of its own, which is the most
        that can be on record.

    Examples
    --------
    >>> table = pd.DataFrame({"community_id": ["a", "b"], "households": 400, "complaints": [3, 60],
    ...     "asked_about_complaints": 60, "said_complained": 12})
    >>> found = communities_with_discouraged_complaints(table, level=0.95)
    >>> found[["community_id", "reported_lower", "recorded_households"]].to_dict("records")
    [{'community_id': 'a', 'reported_lower': 46.0, 'recorded_households': 3.0}]
    """
    recorded = float_column(table, "complaining_households")
    table = table.assign(recorded_households=np.where(np.isnan(recorded), float_column(table, "complaints"), recorded))
    values = {name: float_column(table, name) for name in _REPORTED}
    usable = np.all([~np.isnan(value) for value in values.values()], axis=0)
    usable &= (values["households"] >= np.maximum(values["asked_about_complaints"], 1)) & (
        values["households"] >= values["recorded_households"]
    )
    rows = np.flatnonzero(usable)
    compared = compare_recorded_with_reported(
        values["said_complained"][rows],
        values["asked_about_complaints"][rows],
        households=values["households"][rows],
        recorded_households=values["recorded_households"][rows],
        level=level,
    )
    beside = compared[["reported_lower", "reported_upper", "missing_lower"]]
    found = table.iloc[rows].reset_index(drop=True).join(beside)
    found = found[(compared["signal"] == "discouraged").to_numpy(dtype=bool)]
    return found.sort_values(["missing_lower", "community_id"], ascending=[False, True], kind="stable")


def _channels(exposed: pd.DataFrame, level: float, dispersion: float, language: str) -> Iterator[str]:
    _, words = translator(language), channel_words(language)
    said = []
    for channel, name in zip(CHANNELS, CHANNEL_COLUMNS, strict=True):
        known, total = _totals(exposed, name)
        if known.any():
            exposure = float_column(exposed, "exposure_household_years")[known].sum()
            rate = _rate(total, exposure, level, dispersion)
            shown = between(rate["lower"], rate["upper"], decimals=2)
            said.append(f"{words[channel]} {rate['rate_per_1000_households']:.2f} ({shown})")
    if said:
        yield _("By channel, per 1,000 households a year: {channels}.", channels=_("; ").join(said))


def _reported(exposed: pd.DataFrame, level: float, dispersion: float, language: str) -> Iterator[str]:
    _ = translator(language)
    known, asked = _totals(exposed, "asked_about_complaints")
    said = np.nan_to_num(float_column(exposed, "said_complained")[known]).sum()
    if not asked or "said_complained" not in exposed:
        return
    yield _(
        "Of {asked} respondents {said} say that they complained ({share}). Few recorded complaints beside many such"
        " answers may mean that complaints were discouraged.",
        asked=f"{asked:,.0f}",
        said=f"{said:,.0f}",
        share=percent(said / asked, 1),
    )
    found = communities_with_discouraged_complaints(exposed, level=level)
    found = found[
        low_recorded_complaints(
            float_column(found, "complaints"),
            float_column(found, "exposure_household_years"),
            float_column(found, "said_complained"),
            float_column(found, "asked_about_complaints"),
            rate=float_column(exposed, "complaints").sum() / float_column(exposed, "exposure_household_years").sum(),
            share=said / asked,
            level=level,
            dispersion=dispersion,
        )
    ]
    if len(found):
        yield _(
            "By the survey more households complained than are on record, no fewer than elsewhere, and clearly fewer"
            " cases are on record than elsewhere: {communities}.",
            communities=_("; ").join(_named(found, language)),
        )


def _named(found: pd.DataFrame, language: str) -> list[str]:
    """Return the first communities with what they report and what is on record, and how many more there are."""
    _ = translator(language)
    named = [
        _(
            "{community} (at least {lower}, on record {recorded})",
            community=row.get("name") or row["community_id"],
            lower=f"{row['reported_lower']:.0f}",
            recorded=f"{row['recorded_households']:.0f}",
        )
        for row in found.head(MOST_NAMED).to_dict("records")
    ]
    if len(found) > MOST_NAMED:
        named.append(_("further communities: {count}", count=len(found) - MOST_NAMED))
    return named


def _totals(table: pd.DataFrame, name: str) -> tuple[BooleanArray, float]:
    """Return where a column is known, and the sum of the known values."""
    values = float_column(table, name)
    known = ~np.isnan(values)
    return known, float(values[known].sum())


def _rate(events: float, exposure: float, level: float, dispersion: float = 1.0) -> Mapping[str, float]:
    row = complaint_rates([events], [exposure], level=level, method="exact", dispersion=dispersion).iloc[0]
    return {str(name): float(value) for name, value in row.items()}
