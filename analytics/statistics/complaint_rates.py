"""Complaint rates per household and year with confidence limits, and counts of complaint cases.

Withdrawn and quickly fixed cases count; duplicate, out-of-scope and invalid ones do not.
"""

from typing import Any, Final, Literal

import numpy as np
import numpy.typing as npt
import pandas as pd

from analytics.statistics.intervals import (
    Interval,
    clopper_pearson,
    hypergeometric_households,
    poisson_byar,
)
from analytics.statistics.repeat_complaints import negative_binomial
from analytics.statistics.validation import BooleanArray, FloatArray, finite_numbers, refuse, whole_numbers

EXCLUDED_OUTCOMES: Final = ("duplicate", "out_of_scope", "invalid")
"""Outcomes that exclude a case from the count. A bureau decides them, with a reason; every other case counts."""

CHANNELS: Final = ("code", "web", "telephone", "visit", "hotline", "letter", "other")
"""Channels through which complaints arrive: the form behind a code, the web without one, a call or a visit that a clerk
wrote down, the city's 12345 hotline, a letter, any other."""

CHANNEL_COLUMNS: Final = tuple(f"complaints_{channel}" for channel in CHANNELS)
"""Columns of a community table with the valid complaints that came through each channel."""

# Below this many events the English public health indicators use exact limits instead of Byar's.
BYAR_FROM = 10


def household_years(households: npt.ArrayLike, *, months: npt.ArrayLike) -> FloatArray:
    """Return the exposure of communities to complaints, in household-years.

    Parameters
    ----------
    households : array_like
        Occupied households (where unknown, delivered ones), at least 0.
    months : array_like
        Months observed up to the cut-off date, at least 0.

    Returns
    -------
    ndarray of float
        households × months ÷ 12.

    Raises
    ------
    ValueError
        If a value is missing or negative.

    Examples
    --------
    >>> household_years([1200, 800], months=[12, 3])
    array([1200.,  200.])
    """
    homes = finite_numbers("households", households, lowest=0)
    return homes * finite_numbers("months", months, lowest=0) / 12


def event_rates(
    events: npt.ArrayLike,
    exposure: npt.ArrayLike,
    *,
    multiplier: float,
    level: float,
    method: Literal["exact", "byar"],
    dispersion: float = 1.0,
) -> pd.DataFrame:
    """Return event rates with exact or Byar's confidence limits.

    Parameters
    ----------
    events : array_like
        Events counted, whole numbers, at least 0; one dimension.
    exposure : array_like
        Population, household-years or another exposure of the events, at least 0; all in one unit.
    multiplier : float
        Units of exposure that the rate is quoted for, such as 1,000 or 100,000; above 0.
    level : float
        Two-sided confidence level in (0, 1).
    method : {'exact', 'byar'}
        Exact Poisson limits; or Byar's for 10 events or more and exact ones below, as in the English public health
        indicators.
    dispersion : float
        φ ≥ 1, variance ÷ mean of the counts. Above 1 the exact limits are negative binomial; there are no Byar ones.

    Returns
    -------
    DataFrame
        One row per input, in the order given: events, exposure, rate, lower, upper; all float64, the last three per
        `multiplier`. Without exposure these are NaN: nothing was observed.

    Raises
    ------
    ValueError
        If a value is missing, negative or fractional, there are events without exposure, or φ is not possible.

    Notes
    -----
    rate = y ÷ E × multiplier, limits those of y ÷ E × multiplier. Zero events have the lower limit 0 and, exactly at
    95 %, the upper limit 3.689 ÷ E × multiplier.

    Examples
    --------
    >>> event_rates([0, 12, 0], [300, 4000, 0], multiplier=1000, level=0.95, method="exact").round(3)
       events  exposure  rate  lower   upper
    0     0.0     300.0   0.0   0.00  12.296
    1    12.0    4000.0   3.0   1.55   5.240
    2     0.0       0.0   NaN    NaN     NaN
    """
    if not multiplier > 0:
        raise ValueError(f"multiplier must be above 0, got {multiplier}")
    count, size = np.broadcast_arrays(whole_numbers("events", events), finite_numbers("exposure", exposure, lowest=0))
    refuse((size == 0) & (count > 0), "events without exposure", events=count, exposure=size)
    unit = np.where(size > 0, size, np.nan) / multiplier
    limits = _count_limits(count, level=level, method=method, dispersion=dispersion)
    rates = {"rate": count / unit, "lower": limits.lower / unit, "upper": limits.upper / unit}
    return pd.DataFrame({"events": np.atleast_1d(count), "exposure": size} | rates)


def complaint_rates(
    complaints: npt.ArrayLike,
    exposure: npt.ArrayLike,
    *,
    level: float,
    method: Literal["exact", "byar"],
    dispersion: float = 1.0,
) -> pd.DataFrame:
    """Return complaints per 1,000 households per year with confidence limits.

    Parameters
    ----------
    complaints : array_like
        Valid cases (or distinct complaining households, the companion figure), whole numbers, at least 0.
    exposure : array_like
        Household-years, from `household_years`.
    level : float
        Two-sided confidence level in (0, 1).
    method : {'exact', 'byar'}
        As in `event_rates`.
    dispersion : float
        φ ≥ 1, from `analytics.statistics.repeat_complaints.repeat_dispersion`; 1 if no household complains again, and
        for complaining households.

    Returns
    -------
    DataFrame
        complaints, household_years, rate_per_1000_households, lower, upper; NaN rates without exposure.

    Raises
    ------
    ValueError
        As in `event_rates`.

    Notes
    -----
    Equal rates are not equal evidence: two communities without complaints can differ in their upper limits.

    Examples
    --------
    >>> complaint_rates([0, 0], [250, 2500], level=0.95, method="exact")["upper"].round(3).tolist()
    [14.756, 1.476]
    """
    rates = event_rates(complaints, exposure, multiplier=1000, level=level, method=method, dispersion=dispersion)
    names = {"events": "complaints", "exposure": "household_years", "rate": "rate_per_1000_households"}
    return rates.rename(columns=names)


def channel_rates(
    complaints: pd.DataFrame, exposure: pd.Series, *, level: float, method: Literal["exact", "byar"]
) -> pd.DataFrame:
    """Return the complaint rates of each community by channel.

    Parameters
    ----------
    complaints : DataFrame
        Counts: index community, unique; one column per channel, such as hotline, site, visit.
    exposure : Series
        Household-years, index community; must hold every community of `complaints`.
    level : float
        Two-sided confidence level in (0, 1).
    method : {'exact', 'byar'}
        As in `event_rates`.

    Returns
    -------
    DataFrame
        Index (community, channel) in the order given; columns as in `complaint_rates`. The rates of a community's
        channels add up to its total rate; their limits do not.

    Raises
    ------
    ValueError
        If a community occurs twice or has no exposure entry, or as in `event_rates`.

    Examples
    --------
    >>> counts = pd.DataFrame({"hotline": [3, 0], "site": [1, 0]}, index=pd.Index(["a", "b"], name="community"))
    >>> rates = channel_rates(counts, pd.Series([1000, 500], index=["a", "b"]), level=0.95, method="exact")
    >>> rates["rate_per_1000_households"].tolist()
    [3.0, 1.0, 0.0, 0.0]
    """
    repeated = complaints.index[complaints.index.duplicated()].unique().tolist()
    if repeated:
        raise ValueError(f"communities occur twice: {repeated[:5]}")
    absent = complaints.index.difference(exposure.index).tolist()
    if absent:
        raise ValueError(f"communities without exposure entry: {absent[:5]} ({len(absent)} in all)")
    years = exposure.reindex(complaints.index).to_numpy(dtype=np.float64)
    counts = complaints.to_numpy(dtype=np.float64)
    rates = complaint_rates(counts.ravel(), np.repeat(years, counts.shape[1]), level=level, method=method)
    names = [complaints.index.name or "community", "channel"]
    return rates.set_index(pd.MultiIndex.from_product([complaints.index, complaints.columns], names=names))


def count_cases(cases: pd.DataFrame, *, communities: npt.ArrayLike) -> pd.DataFrame:
    """Count the valid and the excluded complaints of each community from its cases.

    Parameters
    ----------
    cases : DataFrame
        One row per filed case: community_id; outcome, one of `EXCLUDED_OUTCOMES` or any other text (such as open,
        closed, withdrawn, quickly_fixed), missing while open; channel, one of `CHANNELS`; household, a key that may be
        missing.
    communities : array_like of str
        All communities, each once.

    Returns
    -------
    DataFrame
        Indexed by community_id in the order given, all int64: complaints (valid cases), complaints_excluded,
        complaining_households (distinct ones among the valid; a case without a household counts as a household of its
        own) and `CHANNEL_COLUMNS`. A community without cases has 0.

    Raises
    ------
    ValueError
        If a case belongs to a community that is not listed, or has an unknown channel.

    Examples
    --------
    >>> cases = pd.DataFrame({
    ...     "community_id": ["a", "a", "a", "a"], "channel": ["hotline", "code", "code", "code"],
    ...     "outcome": ["withdrawn", "duplicate", "quickly_fixed", None], "household": ["x", "x", "x", None],
    ... })
    >>> count_cases(cases, communities=["a", "b"]).iloc[:, :4].to_dict("index")["a"]
    {'complaints': 3, 'complaints_excluded': 1, 'complaining_households': 2, 'complaints_code': 2}
    """
    index = pd.Index(np.asarray(communities, dtype=object), name="community_id")
    for name, known in (("community_id", index), ("channel", CHANNELS)):
        strange = ~cases[name].isin(list(known))
        refuse(strange, f"{name} is not listed", **{name: cases[name]})
    valid = ~cases["outcome"].isin(EXCLUDED_OUTCOMES)
    alone = pd.Series([f"case {row}" for row in range(len(cases))], index=cases.index)
    household = cases["household"].astype("object").where(cases["household"].notna(), alone)
    place = cases["community_id"]
    counts: dict[str, pd.Series[Any]] = {
        "complaints": valid.groupby(place).sum(),
        "complaints_excluded": (~valid).groupby(place).sum(),
        "complaining_households": household[valid].groupby(place[valid]).nunique(),
    }
    counts |= {
        column: (valid & (cases["channel"] == channel)).groupby(place).sum()
        for channel, column in zip(CHANNELS, CHANNEL_COLUMNS, strict=True)
    }
    return pd.DataFrame({name: values.reindex(index, fill_value=0) for name, values in counts.items()}).astype("int64")


def excluded_shares(excluded: npt.ArrayLike, valid: npt.ArrayLike, *, level: float) -> pd.DataFrame:
    """Return the share of filed cases that is excluded from the rate, with Clopper–Pearson limits.

    Parameters
    ----------
    excluded : array_like
        Cases excluded as duplicate, out of scope or invalid; whole numbers, at least 0.
    valid : array_like
        Cases counted in the rate.
    level : float
        Two-sided confidence level in (0, 1).

    Returns
    -------
    DataFrame
        filed, excluded, excluded_share, lower, upper (Clopper–Pearson). Without a filed case the share is NaN and the
        limits are 0 and 1.

    Raises
    ------
    ValueError
        If a count is missing, negative or fractional.

    Examples
    --------
    >>> excluded_shares([2, 0], [6, 0], level=0.95).round(3)
       filed  excluded  excluded_share  lower  upper
    0    8.0       2.0            0.25  0.032  0.651
    1    0.0       0.0             NaN  0.000  1.000
    """
    aside, counted = np.broadcast_arrays(whole_numbers("excluded", excluded), whole_numbers("valid", valid))
    filed = aside + counted
    limits = clopper_pearson(aside, filed, level=level)
    share = np.where(filed > 0, aside / np.where(filed > 0, filed, 1), np.nan)
    table = {"filed": np.atleast_1d(filed), "excluded": aside, "excluded_share": share}
    return pd.DataFrame(table | {"lower": limits.lower, "upper": limits.upper})


def compare_recorded_with_reported(
    said_complained: npt.ArrayLike,
    n: npt.ArrayLike,
    *,
    households: npt.ArrayLike,
    recorded_households: npt.ArrayLike,
    level: float,
) -> pd.DataFrame:
    """Compare survey-reported complaints with recorded ones, in households.

    Parameters
    ----------
    said_complained : array_like
        Respondents who say that they complained within the period, whole numbers 0 to n.
    n : array_like
        Respondents with a valid answer to that question, one per household.
    households : array_like
        H, all households that could answer.
    recorded_households : array_like
        Distinct households with a recorded complaint in the same period, whole numbers 0 to H.
    level : float
        Two-sided confidence level in (0, 1).

    Returns
    -------
    DataFrame
        reported_share, reported_households, reported_lower, reported_upper (estimated households that would say so if
        all were asked), recorded_households, missing_lower, missing_upper (reported minus recorded), signal:
        ``discouraged`` where even the lower limit exceeds the record, ``none`` otherwise, ``no_answers`` where n = 0.

    Raises
    ------
    ValueError
        If a value is missing, fractional or negative, or if c ≤ n ≤ H or recorded ≤ H does not hold.

    Notes
    -----
    The record is a fact, so only the survey figure has an interval, the exact one of `hypergeometric_households`. It
    covers neither errors of respondents' memory nor who chose to answer: a signal to look into, not a finding. Few
    recorded complaints and many reported ones are what discouraged complaints look like.

    Examples
    --------
    >>> table = compare_recorded_with_reported([30, 2, 0], [100, 100, 0], households=1000, recorded_households=12,
    ...     level=0.95)
    >>> table[["reported_households", "reported_lower", "recorded_households", "signal"]].round(1)
       reported_households  reported_lower  recorded_households       signal
    0                300.0           217.0                 12.0  discouraged
    1                 20.0             3.0                 12.0         none
    2                  NaN             0.0                 12.0   no_answers
    """
    said, answers, homes, recorded = np.broadcast_arrays(
        whole_numbers("said_complained", said_complained),
        whole_numbers("n", n),
        whole_numbers("households", households, lowest=1),
        whole_numbers("recorded_households", recorded_households),
    )
    refuse(recorded > homes, "recorded_households exceed households", recorded_households=recorded, households=homes)
    lower, upper = hypergeometric_households(said, answers, households=homes, level=level)
    share = np.where(answers > 0, said / np.where(answers > 0, answers, 1), np.nan)
    table = {
        "reported_share": np.atleast_1d(share),
        "reported_households": share * homes,
        "reported_lower": lower,
        "reported_upper": upper,
        "recorded_households": recorded,
        "missing_lower": lower - recorded,
        "missing_upper": upper - recorded,
        "signal": np.select([answers == 0, lower > recorded], ["no_answers", "discouraged"], default="none"),
    }
    return pd.DataFrame(table)


def low_recorded_complaints(
    complaints: npt.ArrayLike,
    exposure: npt.ArrayLike,
    said_complained: npt.ArrayLike,
    n: npt.ArrayLike,
    *,
    rate: float,
    share: float,
    level: float,
    dispersion: float = 1.0,
) -> BooleanArray:
    """Return which communities record significantly fewer complaints than others although no fewer are reported.

    Parameters
    ----------
    complaints, exposure : array_like
        Valid cases and household-years, as in `complaint_rates`.
    said_complained, n : array_like
        As in `compare_recorded_with_reported`.
    rate : float
        Valid cases per household-year of all communities compared.
    share : float
        Share of their respondents who say that they complained.
    level : float
        Two-sided confidence level in (0, 1).
    dispersion : float
        φ ≥ 1, as in `complaint_rates`.

    Returns
    -------
    ndarray of bool
        False without exposure or answers.

    Raises
    ------
    ValueError
        If a value is missing or negative.

    Notes
    -----
    True where the exact upper limit of the rate lies below `rate` and said_complained ÷ n is at least `share`. Nearly
    everywhere more households say that they complained than one office has on record, since many turn to their
    company first: a record can only be called low in comparison with others.

    Examples
    --------
    >>> low_recorded_complaints(
    ...     [1, 1, 9], [1000, 100, 1000], [8, 8, 8], [40, 40, 40], rate=0.01, share=0.12, level=0.95
    ... )
    array([ True, False, False])
    """
    cases, years = whole_numbers("complaints", complaints), finite_numbers("exposure", exposure, lowest=0)
    said, answers = whole_numbers("said_complained", said_complained), whole_numbers("n", n)
    upper = negative_binomial(cases, dispersion=dispersion, level=level).upper
    return np.asarray((answers > 0) & (said >= share * answers) & (upper < rate * years))


def _count_limits(count: FloatArray, *, level: float, method: str, dispersion: float) -> Interval:
    exact = negative_binomial(count, dispersion=dispersion, level=level)
    if method == "exact":
        return exact
    if method == "byar" and dispersion > 1:
        raise ValueError("Byar's limits are of Poisson counts: with a dispersion above 1 the method must be 'exact'")
    if method == "byar":
        byar = poisson_byar(count, level=level)
        few = count < BYAR_FROM
        return Interval(np.where(few, exact.lower, byar.lower), np.where(few, exact.upper, byar.upper))
    raise ValueError(f"method must be 'exact' or 'byar', got {method!r}")
