"""Percentiles in words: where a community is among those that are ranked with it."""

from collections.abc import Iterator, Mapping
from fractions import Fraction
from typing import Any

import pandas as pd

from analytics.decision.percentiles import Percentile, percentile_alone_at, percentile_in
from analytics.decision.summary import COLUMN_PREFIXES, RouteName
from analytics.languages import translator
from analytics.reports.labels import route_words


def percentile_text(share: Fraction) -> str:
    """Return an exact share as a number of percent with one decimal.

    Parameters
    ----------
    share : Fraction
        In [0, 1].

    Returns
    -------
    str
        Rounded half up; "0.0" and "100.0" are only what is nothing and all.

    Examples
    --------
    >>> [percentile_text(Fraction(*share)) for share in ((1, 8), (19, 20), (1, 3000), (2999, 3000), (1, 1), (0, 1))]
    ['12.5', '95.0', '0.1', '99.9', '100.0', '0.0']
    """
    # In whole numbers: a report states a hundred thousand of them, and arithmetic of fractions would take most of it.
    part, whole = share.numerator, share.denominator
    tenths = (2000 * part + whole) // (2 * whole)
    if 0 < part < whole:
        tenths = min(max(tenths, 1), 999)
    return f"{tenths // 10}.{tenths % 10}"


def percentile_cell(standing: Mapping[str, Any], regions: Mapping[str, Any], route: RouteName) -> str | None:
    """Return the percentile of a community on a route as a table states it, None where it is not ranked.

    Parameters
    ----------
    standing, regions, route
        As in `analytics.decision.percentiles.percentile_in`.

    Returns
    -------
    str or None
        As `percentile_text`.

    Examples
    --------
    >>> standing = {"region": "海南区", "complaint_rank": 1, "complaint_last_rank": 2}
    >>> percentile_cell(standing, {"海南区": {"complaints": {"N": 10}}}, "complaints")
    '90.0'
    """
    place = percentile_in(standing, regions, route)
    return None if place is None else percentile_text(place.percentile)


def percentile_words(place: Percentile, language: str) -> str:
    """Return what a percentile means: who is behind, and who is level.

    Parameters
    ----------
    place : Percentile
    language : str

    Returns
    -------
    str
        Of a community that is level with nobody, who is behind alone.

    Examples
    --------
    >>> from analytics.decision.percentiles import percentile_of
    >>> percentile_words(percentile_of(10, 11, ranked=200), "en")
    'ahead of 94.5%, level with 1.0% of the 200 communities ranked with it'
    >>> percentile_words(percentile_of(10, 10, ranked=200), "en")
    'ahead of 95.0% of the 200 communities ranked with it'
    """
    _ = translator(language)
    said = (
        _("ahead of {ahead} of the {count} communities ranked with it")
        if place.is_alone
        else _("ahead of {ahead}, level with {level} of the {count} communities ranked with it")
    )
    ahead, level = (f"{percentile_text(share)}%" for share in (place.ahead, place.level))
    return said.format(ahead=ahead, level=level, count=f"{place.ranked:,}")


def percentile_interval_words(standing: Mapping[str, Any], place: Percentile, language: str) -> str:
    """Return between which percentiles by satisfaction a community may truly be.

    Parameters
    ----------
    standing : mapping
        With satisfaction_rank_lower and satisfaction_rank_upper of the evidence, None, NA or NaN where it says nothing.
    place : Percentile
        By satisfaction.
    language : str

    Returns
    -------
    str
        Empty where the evidence says nothing.

    Examples
    --------
    >>> from analytics.decision.percentiles import percentile_of
    >>> standing = {"satisfaction_rank_lower": 1, "satisfaction_rank_upper": 41}
    >>> percentile_interval_words(standing, percentile_of(10, 10, ranked=200), "en")
    'truly between 79.8 and 99.8'
    """
    _ = translator(language)
    best, worst = (standing[f"satisfaction_rank_{name}"] for name in ("lower", "upper"))
    if pd.isna(best) or pd.isna(worst):
        return ""
    lower, upper = (percentile_alone_at(float(rank), float(place.ranked)) for rank in (worst, best))
    return _("truly between {lower} and {upper}", lower=f"{lower * 100:.1f}", upper=f"{upper * 100:.1f}")


def percentile_lines(standing: Mapping[str, Any], regions: Mapping[str, Any], language: str) -> Iterator[str]:
    """Yield the percentile of a community on each route that ranks it, and what it means.

    Parameters
    ----------
    standing : mapping
        A row of the standings and of the evidence, None where missing.
    regions : mapping
        ``summary["regions"]`` of the evaluation.
    language : str

    Yields
    ------
    str

    Examples
    --------
    >>> standing = {"region": "海南区", "complaint_rank": None, "complaint_last_rank": None, "satisfaction_rank": 1,
    ...     "satisfaction_last_rank": 1, "satisfaction_rank_lower": 1, "satisfaction_rank_upper": 4}
    >>> [line] = percentile_lines(standing, {"海南区": {"satisfaction": {"N": 8}}}, "en")
    >>> line.partition(", ")[0], line.partition("; ")[2]
    ('Satisfaction route: percentile 93.8', 'truly between 56.2 and 93.8')
    """
    _ = translator(language)
    for route in COLUMN_PREFIXES:
        place = percentile_in(standing, regions, route)
        if place is None:
            continue
        line = _(
            "{route}: percentile {percentile}, {meaning}",
            route=route_words(language)[route],
            percentile=percentile_text(place.percentile),
            meaning=percentile_words(place, language),
        )
        interval = percentile_interval_words(standing, place, language) if route == "satisfaction" else ""
        yield _("; ").join(filter(None, (line, interval)))
