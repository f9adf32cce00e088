"""Working days that residents wait for the first answer, with those who still wait taken into account."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pandas as pd

from analytics.casework.shares import LEVEL
from analytics.statistics.intervals import normal_quantile
from analytics.statistics.validation import BooleanArray, FloatArray, finite_numbers

QUANTILES: Final = (0.5, 0.9)
"""Shares of cases of which it is said by when they were answered: half of them, and nine tenths."""


@dataclass(frozen=True)
class WaitQuantile:
    """Working days within which a share of cases is answered, with an interval.

    Attributes
    ----------
    days, lower, upper : float
        NaN where the curve does not come so far: too many still wait.
    """

    days: float
    lower: float
    upper: float


@dataclass(frozen=True)
class WaitingTimes:
    """Distribution of the wait for the first answer.

    Attributes
    ----------
    cases, answered : int
        How many cases, and how many of them have an answer.
    curve : DataFrame
        One row per number of working days at which a case was answered or left out of sight, ascending: days,
        answered (share answered within so many days, estimated), lower and upper (its limits, in [0, 1]).
    quantiles : mapping of float to WaitQuantile
    """

    cases: int
    answered: int
    curve: pd.DataFrame
    quantiles: Mapping[float, WaitQuantile]


def waiting_times(
    days: npt.ArrayLike, is_answered: npt.ArrayLike, *, quantiles: tuple[float, ...] = QUANTILES, level: float = LEVEL
) -> WaitingTimes:
    """Return how long cases wait for their first answer, by the estimate of Kaplan and Meier.

    Parameters
    ----------
    days : array_like
        Working days from the submission to the answer; of a case without one, for how long it has waited so far. At
        least 0; one dimension.
    is_answered : array_like of bool
        Whether the case has an answer; without one its wait is longer than `days` by an unknown time.
    quantiles : tuple of float
        Shares in (0, 1).
    level : float
        Two-sided confidence level in (0, 1).

    Returns
    -------
    WaitingTimes
        Of no case, a curve without rows and quantiles that are NaN.

    Raises
    ------
    ValueError
        If a number is missing or negative, the two have different lengths, or an argument is out of range.

    Notes
    -----
    The share answered within t days is 1 − Π (1 − dᵢ/nᵢ) over the days i ≤ t at which dᵢ of the nᵢ cases that were
    still waiting were answered, as `scipy.stats.ecdf` computes it. Leaving out those who still wait would make the
    wait look shorter, the more so the longer it is. A case that the resident withdrew counts as waiting until then.

    Limits are those of Kalbfleisch and Prentice: S ** exp(± z se / (S log S)), with Greenwood's standard error se of S,
    the share still waiting. Where S is 0 or 1 there is no error to state, and the limits are S. A quantile is the first
    day at which the share answered reaches it, its limits are the days at which the limits of the share do.

    References
    ----------
    Kaplan EL, Meier P (1958), J Am Stat Assoc 53, 457–481. Kalbfleisch JD, Prentice RL (1980), The Statistical Analysis
    of Failure Time Data, Wiley. Brookmeyer R, Crowley J (1982), Biometrics 38, 29–41.

    Examples
    --------
    >>> found = waiting_times([1, 2, 2, 3, 5, 8], [True, True, False, True, False, True])
    >>> found.curve[["days", "answered"]].round(3).values.tolist()
    [[1.0, 0.167], [2.0, 0.333], [3.0, 0.556], [5.0, 0.556], [8.0, 1.0]]
    >>> found.quantiles[0.5].days, found.quantiles[0.9].days
    (3.0, 8.0)
    """
    waited = np.atleast_1d(finite_numbers("days", days, lowest=0))
    answered = np.atleast_1d(np.asarray(is_answered, dtype=bool))
    if waited.shape != answered.shape:
        raise ValueError(f"{waited.size} waits, and {answered.size} cases that are answered or not")
    if any(not 0 < share < 1 for share in quantiles):
        raise ValueError(f"quantiles must lie in (0, 1), got {quantiles}")
    curve = _curve(waited, answered, level=level)
    found = {
        share: WaitQuantile(*(_first_day(curve, name, share) for name in ("answered", "upper", "lower")))
        for share in quantiles
    }
    return WaitingTimes(len(waited), int(answered.sum()), curve, found)


def _curve(waited: FloatArray, answered: BooleanArray, *, level: float) -> pd.DataFrame:
    z = normal_quantile(level)
    if not waited.size:
        return pd.DataFrame({name: np.zeros(0) for name in ("days", "answered", "lower", "upper")})
    from scipy import stats  # noqa: PLC0415  it takes a second to load

    estimate: Any = stats.ecdf(stats.CensoredData(uncensored=waited[answered], right=waited[~answered])).sf
    days, waiting = np.asarray(estimate.quantiles, dtype=np.float64), np.asarray(estimate.probabilities)
    at_risk = len(waited) - np.searchsorted(np.sort(waited), days, side="left")
    ended = np.array([np.count_nonzero(answered & (waited == each)) for each in days])
    inner = (waiting > 0) & (waiting < 1)
    terms = np.divide(ended, at_risk * (at_risk - ended), out=np.zeros(len(days)), where=at_risk > ended)
    log = np.log(np.where(inner, waiting, 0.5))
    power = np.exp(z * np.sqrt(np.cumsum(terms)) / -log)
    base = np.where(inner, waiting, 0.5)
    most, least = (np.where(inner, base**each, waiting) for each in (1 / power, power))
    return pd.DataFrame({"days": days, "answered": 1 - waiting, "lower": 1 - most, "upper": 1 - least})


def _first_day(curve: pd.DataFrame, name: str, share: float) -> float:
    reached = np.flatnonzero(curve[name].to_numpy() >= share - 1e-12)
    return float(curve["days"].to_numpy()[reached[0]]) if reached.size else float("nan")
