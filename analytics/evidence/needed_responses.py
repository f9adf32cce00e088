"""Forecast of the further responses that would settle the evidence of each community; no decision uses it."""

from dataclasses import dataclass
from fractions import Fraction
from typing import Final

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy import special

from analytics.evidence.bands import LIKELY_FROM, with_nonresponse
from analytics.statistics.validation import BooleanArray, FloatArray, finite_numbers, refuse, whole_numbers

# Households rarely respond in a larger share than this.
REACHABLE_SHARE: Final = Fraction(3, 5)

SETTLED_DISTANCE: Final = float(special.ndtri(LIKELY_FROM))
"""Distance of the expected true score from the threshold, in deviations, from which the evidence is settled."""


@dataclass(frozen=True)
class ThresholdPosterior:
    """Posteriors of communities and the threshold they are compared with; arrays of one shape, or single values.

    Attributes
    ----------
    mean, variance : array_like
        Posterior mean m and variance V ≥ 0 of the true score, the nonresponse term ω included.
    threshold : array_like
        T, the true score that separates the best k, `TopProbability.threshold`.
    threshold_variance : array_like
        U ≥ 0, the variance of T, independent of the community's own answers, `TopProbability.threshold_variance`.
    """

    mean: npt.ArrayLike
    variance: npt.ArrayLike
    threshold: npt.ArrayLike
    threshold_variance: npt.ArrayLike = 0.0


def needed_responses(
    place: ThresholdPosterior,
    *,
    answer_variance: npt.ArrayLike,
    n: npt.ArrayLike,
    households: npt.ArrayLike,
    nonresponse_spread: npt.ArrayLike = 0.0,
    one_answer_per_household: bool = True,
    settled: npt.ArrayLike | None = None,
    reachable_share: Fraction = REACHABLE_SHARE,
) -> pd.DataFrame:
    """Forecast how many further responses would settle the evidence of each community.

    Parameters
    ----------
    place : ThresholdPosterior
        Posteriors of the communities beside their threshold.
    answer_variance : array_like
        s², variance of single answers, p(1 − p) for a rate, at least 0.
    n, households : array_like
        Valid answers now, at least 1, and households H, at least n; whole numbers.
    nonresponse_spread : array_like
        ω ≥ 0, in units of the score.
    one_answer_per_household : bool
        False if households without an answer do not limit the possible range: then f = 0.
    settled : array_like of bool, optional
        Known evidence: True needs no further answer, False at least one. If left out, the forecast decides where none
        is needed.
    reachable_share : Fraction
        ρ in (0, 1]: largest share of the households that can be expected to respond.

    Returns
    -------
    DataFrame
        One row per community, columns `needed_responses` (Int64: further answers, 0 if already settled, missing if not
        reachable), `predicted_top_probability` (with that number, or with the reachable one if that is not enough) and
        `assurance` (probability that the evidence is then settled, 1 if it is known to be).

    Raises
    ------
    ValueError
        If a value is missing, n > H, a variance negative, or ρ outside (0, 1].

    Notes
    -----
    Settled is P ≥ .80 or P ≤ .20, as in `analytics.evidence.bands`. The result is the smallest M ≤ ⌊ρH⌋ − n for which
    that holds if the score stays at its expectation: |m − T| ≥ Φ⁻¹(.80)√(V′ + U). V′ = 1/(1/V − 1/v + 1/v′), v = s²/n ·
    (1 − f) + ω²(1 − f)², f = n/H, and v′ the same for n + M answers: the information from other sources, 1/V − 1/v,
    stays. The posterior mean changes by a normal variable with variance V − V′, and the assurance is the probability
    that it ends far enough from T on either side: the limit of drawing more and more answers from their predictive
    distribution. If m = T no number settles the evidence.

    Examples
    --------
    >>> place = ThresholdPosterior(mean=[0.93, 0.90, 0.80], variance=0.0009, threshold=0.91)
    >>> needed_responses(place, answer_variance=0.09, n=[60] * 3, households=400)["needed_responses"].tolist()
    [39, <NA>, 0]
    """
    if not 0 < reachable_share <= 1:
        raise ValueError(f"reachable_share must lie in (0, 1], got {reachable_share}")
    single, answers, total, spread, _ = np.broadcast_arrays(
        finite_numbers("answer_variance", answer_variance, lowest=0),
        whole_numbers("n", n, lowest=1),
        whole_numbers("households", households, lowest=1),
        finite_numbers("nonresponse_spread", nonresponse_spread, lowest=0),
        np.asarray(place.mean, dtype=np.float64),
    )
    refuse(answers > total, "n exceeds households", n=answers, households=total)
    limit = total if one_answer_per_household else np.full(total.shape, np.inf)
    forecast = _forecast(place, _Answers(single, answers, limit, spread))
    reach = total * reachable_share.numerator // reachable_share.denominator
    most = np.maximum(reach - answers, 0)
    known = np.zeros(most.shape, dtype=bool) | np.asarray(False if settled is None else settled, dtype=bool)
    least = np.where(known, 0.0, 0.0 if settled is None else 1.0)
    reachable = known | ((most >= least) & forecast.settles(most))
    # Variances decrease with every answer, so bisection finds the smallest number that settles.
    low, high = least - 1, np.where(known, 0.0, most)
    while np.any(high - low > 1):
        middle = np.floor((low + high) / 2)
        enough = (middle >= least) & forecast.settles(np.maximum(middle, 0))
        low, high = np.where(enough, low, middle), np.where(enough, middle, high)
    return pd.DataFrame(
        {
            "needed_responses": pd.Series(high).astype("Int64").mask(~reachable),
            "predicted_top_probability": forecast.probability(high),
            "assurance": np.where(known, 1.0, forecast.assurance(high)),
        }
    )


@dataclass(frozen=True)
class _Answers:
    """Answers so far, the number of households H that limits them, infinite if it does not, and ω."""

    single_variance: FloatArray
    number: FloatArray
    households: FloatArray
    nonresponse_spread: FloatArray

    def variance(self, more: npt.ArrayLike) -> FloatArray:
        """Return the variance v of the score from these and `more` answers."""
        number = self.number + np.asarray(more)
        fraction = np.minimum(number / self.households, 1)
        sampling = self.single_variance / number * (1 - fraction)
        return with_nonresponse(sampling, sampling_fraction=fraction, nonresponse_spread=self.nonresponse_spread)


@dataclass(frozen=True)
class _Forecast:
    """Where the true scores will be seen after further answers; `distance` is that of the mean above the threshold."""

    distance: FloatArray
    variance: FloatArray
    threshold_variance: FloatArray
    answers: _Answers

    def settles(self, more: FloatArray) -> BooleanArray:
        """Return whether `more` answers are predicted to settle the evidence."""
        apart = np.abs(self.distance)
        return np.asarray((apart > 0) & (apart >= SETTLED_DISTANCE * self._deviation(more)))

    def probability(self, more: FloatArray) -> FloatArray:
        """Return the probability that the true score lies above the threshold, after `more` answers."""
        return _chance(self.distance, self._deviation(more))

    def assurance(self, more: FloatArray) -> FloatArray:
        """Return the probability that the mean, after `more` answers, is far enough from the threshold."""
        moving = np.sqrt(np.maximum(self.variance - self._later_variance(more), 0))
        margin = SETTLED_DISTANCE * self._deviation(more)
        return _chance(self.distance - margin, moving) + _chance(-self.distance - margin, moving)

    def _later_variance(self, more: FloatArray) -> FloatArray:
        """Return the posterior variance after `more` answers."""
        now, then = self.answers.variance(0), self.answers.variance(more)
        known = (self.variance == 0) | (then <= 0)
        gained = 1 / np.where(known, 1, then) - 1 / np.where(now > 0, now, 1)
        return np.where(known, 0.0, 1 / (1 / np.where(known, 1, self.variance) + np.maximum(gained, 0)))

    def _deviation(self, more: FloatArray) -> FloatArray:
        return np.sqrt(self._later_variance(more) + self.threshold_variance)


def _forecast(place: ThresholdPosterior, answers: _Answers) -> _Forecast:
    limit = np.asarray(place.threshold, dtype=np.float64)
    refuse(np.isnan(limit), "threshold is missing", threshold=limit)
    mean = finite_numbers("mean", place.mean)
    return _Forecast(
        distance=np.where(np.isfinite(limit), mean - np.where(np.isfinite(limit), limit, 0), -limit),
        variance=finite_numbers("variance", place.variance, lowest=0),
        threshold_variance=finite_numbers("threshold_variance", place.threshold_variance, lowest=0),
        answers=answers,
    )


def _chance(distance: FloatArray, deviation: FloatArray) -> FloatArray:
    known = np.where(distance == 0, 0.5, (distance > 0).astype(np.float64))
    return np.where(deviation > 0, special.ndtr(distance / np.where(deviation > 0, deviation, 1)), known)
