"""Calibration of intervals, probabilities and evidence bands on simulated communities with known true rates.

Communities are simulated with true rates from known distributions and 30 to 300 answers each, and the results of
`analytics.statistics.empirical_bayes`, `analytics.statistics.top_probability` and `analytics.evidence.bands` are
compared with the truth. Figures of `calibrate` with share 5 %, seed 11, 60,000 communities for each figure: coverage of
95 % credible intervals, overall | among the observed best 5 %. The second figure is based on about 3,000 communities;
its standard error is .004.

Normal prior:

============ ============= ============= ============= =============
true rates   regions of 20 of 40         of 200        of 2,000
============ ============= ============= ============= =============
normal       .941 | .948   .946 | .948   .949 | .952   .949 | .949
skewed       .938 | .888   .940 | .877   .942 | .867   .942 | .868
two kinds    .973 | .824   .968 | .727   .955 | .500   .953 | .414
Beta(16, 4)  .941 | .930   .944 | .931   .946 | .924   .945 | .917
============ ============= ============= ============= =============

Nonparametric prior:

============ ============= ============= ============= =============
true rates   regions of 20 of 40         of 200        of 2,000
============ ============= ============= ============= =============
normal       .950 | .956   .952 | .951   .953 | .956   .953 | .955
skewed       .950 | .955   .952 | .960   .952 | .969   .953 | .974
two kinds    .979 | .945   .982 | .946   .987 | .968   .989 | .987
Beta(16, 4)  .950 | .944   .950 | .951   .952 | .958   .952 | .961
============ ============= ============= ============= =============

So the nonparametric prior should be used: it costs nothing if the truth is normal, and otherwise the normal prior's
intervals miss exactly those communities that the list is about. Two kinds of communities are covered by more than .97,
since an interval cannot hold 95 % of a distribution on two points; the skewed rates of the best have an edge at 1,
which the width of the mixture components smooths.

Evidence bands in regions of 200 under the nonparametric prior: share that is truly among the best 5 % (predicted:
certain ≥ .95, likely .80 to .95, unlikely .05 to .20, no ≤ .05):

============ ======= ====== ========= ======== ====
true rates   certain likely undecided unlikely no
============ ======= ====== ========= ======== ====
normal       .989    .870   .429      .102     .003
skewed       .971    .841   .446      .117     .003
two kinds    .948    .846   .579      .043     .006
Beta(16, 4)  .967    .844   .420      .120     .003
============ ======= ====== ========= ======== ====
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from fractions import Fraction
from types import MappingProxyType
from typing import Final

import numpy as np
import numpy.typing as npt
import pandas as pd

from analytics.decision.criterion import count_positions
from analytics.evidence.bands import Evidence, evidence_bands
from analytics.rules import Prior
from analytics.statistics.empirical_bayes import credible_interval, shrink_rates
from analytics.statistics.intervals import Interval, wilson
from analytics.statistics.top_probability import top_probability
from analytics.statistics.validation import BooleanArray, FloatArray

FEWEST_ANSWERS: Final = 30
MOST_ANSWERS: Final = 300
LEVEL: Final = 0.95
CURVE_EDGES: Final = np.array([0, 0.05, 0.2, 0.35, 0.5, 0.65, 0.8, 0.95, 1])


def _normal(random: np.random.Generator, size: int) -> FloatArray:
    return np.clip(random.normal(0.80, 0.07, size), 0.01, 0.99)


def _skewed(random: np.random.Generator, size: int) -> FloatArray:
    return 1 - np.clip(random.gamma(2, 0.08, size), 0.005, 0.9)


def _two_point(random: np.random.Generator, size: int) -> FloatArray:
    return np.where(random.random(size) < 0.05, 0.95, 0.78)


def _beta(random: np.random.Generator, size: int) -> FloatArray:
    return random.beta(16, 4, size)


# Distributions of true satisfaction rates: N(.80, .07²); 1 − gamma(2, .08) with a long tail of bad ones; 5 % at .95 and
# the rest at .78; Beta(16, 4).
SATISFACTION_DISTRIBUTIONS: Final[Mapping[str, Callable[[np.random.Generator, int], FloatArray]]] = MappingProxyType(
    {"normal": _normal, "skewed": _skewed, "two_point": _two_point, "beta": _beta}
)


@dataclass(frozen=True)
class Calibration:
    """Coverage of intervals and realised shares by predicted probability and evidence band.

    Attributes
    ----------
    coverage : DataFrame
        Columns `group` (all, observed_top, fewer_than_60, from_60_to_149, from_150), `interval` (credible, wilson),
        `communities` and `coverage`, the share whose interval contains the true rate.
    curve : DataFrame
        One row per bin of P(top k) that occurs: `from_probability`, `communities`, `predicted` (mean P) and `realised`
        (share that is truly among the best k).
    bands : DataFrame
        One row per evidence band that occurs: `evidence`, `communities`, `predicted` and `realised`.
    """

    coverage: pd.DataFrame
    curve: pd.DataFrame
    bands: pd.DataFrame


def calibrate(
    truth: str, *, prior: Prior, communities: int, regions: int, seed: int, share: Fraction = Fraction(1, 20)
) -> Calibration:
    """Simulate satisfaction for one distribution of true rates and measure the calibration of the evidence.

    Parameters
    ----------
    truth : {"normal", "skewed", "two_point", "beta"}
        The distribution of true rates, a key of `SATISFACTION_DISTRIBUTIONS`.
    prior : {"normal", "nonparametric"}
        The prior of `shrink_rates`.
    communities : int
        Communities per region, each with 30 to 300 answers, uniformly distributed.
    regions : int
        Number of simulated regions; each is shrunk and ranked separately.
    seed : int
        Seed of the random numbers.
    share : Fraction
        Share of the communities that are the best; k is rounded down.

    Returns
    -------
    Calibration

    Raises
    ------
    ValueError
        If the truth is unknown.

    Notes
    -----
    Communities tied at the k-th best true rate share the rest of k, as in `top_probability`. The answers are drawn with
    replacement, without a finite population.

    Examples
    --------
    >>> result = calibrate("normal", prior="normal", communities=200, regions=2, seed=1)
    >>> result.coverage.query("group == 'all'").set_index("interval")["coverage"].round(2).to_dict()
    {'credible': 0.94, 'wilson': 0.96}
    """
    if truth not in SATISFACTION_DISTRIBUTIONS:
        raise ValueError(f"truth must be one of {', '.join(SATISFACTION_DISTRIBUTIONS)}, got {truth!r}")
    random = np.random.default_rng(seed)
    region = np.repeat(np.arange(regions), communities)
    rates = SATISFACTION_DISTRIBUTIONS[truth](random, region.size)
    answers = random.integers(FEWEST_ANSWERS, MOST_ANSWERS + 1, region.size)
    satisfied = random.binomial(answers, rates)
    size = count_positions(share, communities, rounding="floor")
    shrinkage = shrink_rates(satisfied, answers, region=region, prior=prior)
    top = top_probability(shrinkage.mean, shrinkage.variance, region=region, size=size, grids=shrinkage.grids)
    # A known truth is a posterior without variance.
    true = top_probability(rates, np.zeros(rates.size), region=region, size=size).probability
    observed = top_probability(satisfied / answers, np.zeros(rates.size), region=region, size=size).probability
    intervals = {
        "credible": credible_interval(shrinkage, level=LEVEL),
        "wilson": wilson(satisfied, answers, level=LEVEL),
    }
    groups = {
        "all": np.ones(rates.size, dtype=bool),
        "observed_top": observed > 0,
        "fewer_than_60": answers < 60,
        "from_60_to_149": (answers >= 60) & (answers < 150),
        "from_150": answers >= 150,
    }
    return measure_calibration(
        coverage=group_coverage(intervals, rates, groups),
        predicted=top.probability,
        bands=evidence_bands(top.probability),
        true=true,
    )


def measure_calibration(
    *, coverage: pd.DataFrame, predicted: FloatArray, bands: npt.NDArray[np.generic], true: FloatArray
) -> Calibration:
    """Return the calibration of predicted probabilities and evidence bands beside the coverage of intervals.

    Parameters
    ----------
    coverage : DataFrame
        From `group_coverage`.
    predicted : ndarray of float
        P(top k) of each community.
    bands : ndarray of Evidence
        The evidence band of each community.
    true : ndarray of float
        1 where the community is truly among the best k, 0 where not; a share where true rates are tied.

    Returns
    -------
    Calibration
    """
    by_band = realised_shares("evidence", bands, predicted, true).set_index("evidence")
    return Calibration(
        coverage=coverage,
        curve=realised_shares(
            "from_probability", CURVE_EDGES[:-1][np.digitize(predicted, CURVE_EDGES[1:-1])], predicted, true
        ),
        bands=by_band.reindex(list(Evidence)).dropna().reset_index(),
    )


def group_coverage(
    intervals: Mapping[str, Interval], truth: FloatArray, groups: Mapping[str, BooleanArray]
) -> pd.DataFrame:
    """Return the coverage by group: the share of communities whose interval contains the truth.

    Examples
    --------
    >>> halves = {"first": np.array([True, False]), "second": np.array([False, True])}
    >>> group_coverage({"wide": Interval(np.zeros(2), np.ones(2))}, np.array([0.5, 2.0]), halves)
        group interval  communities  coverage
    0   first     wide            1       1.0
    1  second     wide            1       0.0
    """
    rows = [
        (group, name, int(members.sum()), float(((lower <= truth) & (truth <= upper))[members].mean()))
        for group, members in groups.items()
        for name, (lower, upper) in intervals.items()
    ]
    return pd.DataFrame(rows, columns=["group", "interval", "communities", "coverage"])


def realised_shares(
    name: str, labels: npt.NDArray[np.generic], predicted: FloatArray, true: FloatArray
) -> pd.DataFrame:
    """Return for each label the mean predicted probability of being among the best, and the share that is.

    Examples
    --------
    >>> realised_shares("word", np.array(["no", "no"]), np.array([0.0, 0.1]), np.array([0.0, 0.0]))
      word  predicted  realised  communities
    0   no       0.05       0.0            2
    """
    frame = pd.DataFrame({name: labels, "predicted": predicted, "realised": true})
    grouped = frame.groupby(name, sort=True)
    return grouped.mean().assign(communities=grouped.size()).reset_index()
