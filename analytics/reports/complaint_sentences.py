"""Sentences about complaints: channels, excluded cases, complaining households and what residents report."""

from collections.abc import Iterator, Mapping
from typing import Any, Final

import numpy as np
import pandas as pd

from analytics.decision.table_columns import float_column
from analytics.evidence.underreported_complaints import underreported_in_region
from analytics.languages import translator
from analytics.reports.html_page import between, percent
from analytics.reports.labels import channel_words
from analytics.statistics.complaint_rates import (
    CHANNEL_COLUMNS,
    CHANNELS,
    complaint_rates,
    excluded_shares,
)
from analytics.statistics.validation import BooleanArray

MOST_NAMED: Final = 20


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
    ['Filed 8, left out as duplicate, out of scope or invalid 2 (25.0%).', 'Households that complained: 4.']
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


def underreported_sentence(reported: float, recorded: float, language: str) -> str:
    """Return the warning that stands wherever a community is ranked whose complaints may be underreported.

    Parameters
    ----------
    reported, recorded : float
        `reported_lower` and `recorded_households` of `analytics.evidence.underreported_complaints`.
    language : str
        One of `analytics.languages.LANGUAGES`.

    Returns
    -------
    str

    Examples
    --------
    >>> underreported_sentence(39.0, 0.0, "en")
    'Complaints may be underreported: 0 on record, at least 39 households by the survey. Please check.'
    """
    _ = translator(language)
    return _(
        "Complaints may be underreported: {recorded} on record, at least {reported} households by the survey."
        " Please check.",
        recorded=f"{recorded:,.0f}",
        reported=f"{reported:,.0f}",
    )


def underreported_sentences(found: pd.DataFrame, language: str) -> dict[str, str]:
    """Return the warning about each community found, by its id.

    Parameters
    ----------
    found : DataFrame
        From `analytics.evidence.underreported_complaints.underreported_complaints`.
    language : str
        One of `analytics.languages.LANGUAGES`.

    Returns
    -------
    dict of str to str

    Examples
    --------
    >>> found = pd.DataFrame({"community_id": ["a"], "reported_lower": 39.0, "recorded_households": 0.0})
    >>> underreported_sentences(found, "zh-Hans")
    {'a': '投诉可能少报：登记0件，按调查推算至少39户，请先核实。'}
    """
    return {
        row["community_id"]: underreported_sentence(row["reported_lower"], row["recorded_households"], language)
        for row in found.to_dict("records")
    }


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
                interval=between(share["lower"], share["upper"], decimals=1, unit="%", scale=100),
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
    both = exposed[~np.isnan(float_column(exposed, "said_complained"))]
    known, asked = _totals(both, "asked_about_complaints")
    if not asked:
        return
    said = float_column(both, "said_complained")[known].sum()
    yield _(
        "Of {asked} respondents {said} say that they complained ({share}). Few recorded complaints beside many such"
        " answers may mean that complaints were discouraged.",
        asked=f"{asked:,.0f}",
        said=f"{said:,.0f}",
        share=percent(said / asked, 1),
    )
    found = underreported_in_region(exposed, level=level, dispersion=dispersion)
    if len(found):
        yield _(
            "According to the survey more households complained than are on record, no fewer than elsewhere, while "
            "clearly fewer cases are on record than elsewhere: {communities}.",
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
