"""Percentiles in words: where a community is among those that are ranked with it."""

from fractions import Fraction

from analytics.decision.percentiles import Percentile
from analytics.languages import DEFAULT_LANGUAGE, translator


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
    tenths = (share * 1000 * 2 + 1) // 2
    if 0 < share < 1:
        tenths = min(max(tenths, 1), 999)
    return f"{tenths // 10}.{tenths % 10}"


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
    'ahead of 94.5 %, level with 1.0 % of the 200 communities ranked with it'
    >>> percentile_words(percentile_of(10, 10, ranked=200), "en")
    'ahead of 95.0 % of the 200 communities ranked with it'
    """
    _ = translator(language)
    said = (
        _("ahead of {ahead} of the {count} communities ranked with it")
        if place.is_alone
        else _("ahead of {ahead}, level with {level} of the {count} communities ranked with it")
    )
    space = "" if language == DEFAULT_LANGUAGE else " "
    ahead, level = (f"{percentile_text(share)}{space}%" for share in (place.ahead, place.level))
    return said.format(ahead=ahead, level=level, count=f"{place.ranked:,}")
