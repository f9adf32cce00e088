"""Calibration of intervals, probabilities and evidence bands on simulated communities whose households are all known.

Communities are simulated with true rates from known distributions and 30 to 300 answers each, from a tenth to four
fifths of their households; those who answer differ from the others by N(0, .03²). The results of
`analytics.statistics.empirical_bayes`, `analytics.statistics.top_probability` and `analytics.evidence.bands` are
compared with what all households would answer. Figures of `calibrate` with share 5 %, seed 11, 60,000 communities for
each figure: coverage of the 95 % intervals that are printed, overall | among the observed best 5 %. The second figure
is based on about 3,000 communities; its standard error is .004.

Normal prior:

============ ============= ============= ============= =============
true rates   regions of 20 of 40         of 200        of 2,000
============ ============= ============= ============= =============
normal       .943 | .944   .948 | .943   .949 | .943   .950 | .949
skewed       .946 | .947   .947 | .941   .949 | .936   .949 | .938
two kinds    .937 | .785   .945 | .747   .949 | .686   .949 | .659
Beta(16, 4)  .943 | .940   .945 | .936   .947 | .936   .947 | .936
like answers .929 | .954   .938 | .954   .946 | .959   .946 | .961
============ ============= ============= ============= =============

Nonparametric prior:

============ ============= ============= ============= =============
true rates   regions of 20 of 40         of 200        of 2,000
============ ============= ============= ============= =============
normal       .950 | .944   .950 | .942   .951 | .944   .951 | .941
skewed       .947 | .944   .946 | .947   .946 | .948   .947 | .947
two kinds    .958 | .923   .962 | .908   .968 | .922   .969 | .950
Beta(16, 4)  .949 | .970   .949 | .971   .950 | .976   .950 | .974
like answers .950 | .984   .952 | .985   .952 | .990   .952 | .993
============ ============= ============= ============= =============

So the nonparametric prior should be used: it costs nothing if the truth is normal, and of two kinds of communities the
normal prior's intervals miss exactly those that the list is about. Exact intervals of the answers alone hold .88 to .91
of all and .69 to .83 of the observed best: they know neither the others nor nonresponse.

Like answers: true rates Beta(16, 4), and every household gives two like answers through posters, so that the design
effect is 2, and the truth is the rate itself. Wilson's intervals, which take every answer for one of another household,
hold .74 of all and .39 to .46 of the observed best.

Limitations: that the gap between those who answer and the others has nothing to do with the truth is assumed. If it has
nothing to do with what respondents answer instead, some of what shrinkage takes for luck at the top is true, and in
regions of 200 the intervals hold .92 (normal), .89 (skewed) and .93 (Beta) of the observed best. Where rules assume no
gap at all and there is none, skewed rates at the edge of 1 are held in .90.

Evidence bands in regions of 200 under the nonparametric prior: share that is truly among the best 5 % (predicted:
certain ≥ .95, likely .80 to .95, unlikely .05 to .20, no ≤ .05):

============ ======= ====== ========= ======== ====
true rates   certain likely undecided unlikely no
============ ======= ====== ========= ======== ====
normal       .982    .890   .440      .109     .002
skewed       1.00    .846   .404      .092     .003
two kinds    .977    .854   .527      .093     .002
Beta(16, 4)  .983    .897   .424      .109     .003
like answers none    .915   .365      .111     .008
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
from analytics.evidence.bands import Evidence, evidence_bands, score_interval
from analytics.rules import Prior
from analytics.statistics.empirical_bayes import shrink_rates
from analytics.statistics.intervals import Interval, satisfaction_interval, wilson
from analytics.statistics.top_probability import top_probability
from analytics.statistics.validation import BooleanArray, FloatArray, IntegerArray

FEWEST_ANSWERS: Final = 30
MOST_ANSWERS: Final = 300
# Share of the households that answer, and the standard deviation of their difference from the others.
LEAST_FRACTION: Final = 0.1
MOST_FRACTION: Final = 0.8
NONRESPONSE_SPREAD: Final = 0.03
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
# the rest at .78; Beta(16, 4); the same, of households that give two like answers each through posters.
SATISFACTION_DISTRIBUTIONS: Final[Mapping[str, Callable[[np.random.Generator, int], FloatArray]]] = MappingProxyType(
    {"normal": _normal, "skewed": _skewed, "two_point": _two_point, "beta": _beta, "poster_pairs": _beta}
)

# Like answers of each household through posters; of the other distributions every household answers once.
LIKE_ANSWERS: Final[Mapping[str, int]] = MappingProxyType({"poster_pairs": 2})


@dataclass(frozen=True)
class Calibration:
    """Coverage of intervals and realised shares by predicted probability and evidence band.

    Attributes
    ----------
    coverage : DataFrame
        Columns `group` (all, observed_top, fewer_than_60, from_60_to_149, from_150), `interval` (credible, answers),
        `communities` and `coverage`, the share whose interval contains the truth.
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
    truth : {"normal", "skewed", "two_point", "beta", "poster_pairs"}
        The distribution of true rates, a key of `SATISFACTION_DISTRIBUTIONS`.
    prior : {"normal", "nonparametric"}
        The prior of `shrink_rates`.
    communities : int
        Communities per region, each with 30 to 300 answers of a tenth to four fifths of its households, uniformly
        distributed.
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
    The truth is the share of all households that are satisfied, drawn at the community's true rate. Those who answer
    are drawn without replacement from households whose share differs by (1 − f)N(0, `NONRESPONSE_SPREAD`²), as if
    respondents differed by that gap from the others. Through posters the truth is the community's rate itself, from
    which those who answer differ by the whole gap. The interval of the answers alone is `satisfaction_interval`,
    through posters Wilson's, as if every answer were of another household. Communities tied at the k-th best truth
    share the rest of k, as in `top_probability`.

    Examples
    --------
    >>> result = calibrate("normal", prior="normal", communities=200, regions=2, seed=1)
    >>> result.coverage.query("group == 'all'").set_index("interval")["coverage"].round(2).to_dict()
    {'credible': 0.94, 'answers': 0.92}
    """
    if truth not in SATISFACTION_DISTRIBUTIONS:
        raise ValueError(f"truth must be one of {', '.join(SATISFACTION_DISTRIBUTIONS)}, got {truth!r}")
    random = np.random.default_rng(seed)
    region = np.repeat(np.arange(regions), communities)
    rates = SATISFACTION_DISTRIBUTIONS[truth](random, region.size)
    alike = LIKE_ANSWERS.get(truth, 1)
    drawn = draw_posters(random, rates, alike) if alike > 1 else draw_households(random, rates)
    size = count_positions(share, communities, rounding="floor")
    return calibrate_sample(drawn, region=region, size=size, prior=prior, design_effect=alike)


@dataclass(frozen=True)
class Sample:
    """Simulated answers, the share of households that gave them, what is true, and limits by the answers alone."""

    satisfied: IntegerArray
    answers: IntegerArray
    fraction: FloatArray
    truths: FloatArray
    limits: Interval


def calibrate_sample(
    drawn: Sample,
    *,
    region: IntegerArray,
    size: int,
    prior: Prior,
    design_effect: float,
    assumed_spread: float = NONRESPONSE_SPREAD,
) -> Calibration:
    """Measure the calibration of the evidence on simulated answers.

    Parameters
    ----------
    drawn : Sample
    region : ndarray of int
        Region of each community.
    size : int
        Positions k of each region.
    prior : {"normal", "nonparametric"}
    design_effect : float
        D ≥ 1 that the evidence takes several answers of one household to have.
    assumed_spread : float
        ω that the evidence is computed with, whatever those who did not answer are like.

    Returns
    -------
    Calibration
    """
    shrinkage = shrink_rates(
        drawn.satisfied,
        drawn.answers,
        region=region,
        prior=prior,
        sampling_fraction=drawn.fraction,
        nonresponse_spread=assumed_spread,
        design_effect=design_effect,
    )
    top = top_probability(shrinkage.mean, shrinkage.variance, region=region, size=size, grids=shrinkage.grids)
    # A known truth is a posterior without variance.
    nothing = np.zeros(region.size)
    true = top_probability(drawn.truths, nothing, region=region, size=size).probability
    observed = top_probability(drawn.satisfied / drawn.answers, nothing, region=region, size=size).probability
    intervals = {
        "credible": score_interval(shrinkage, level=LEVEL, lowest=0, highest=1),
        "answers": drawn.limits,
    }
    groups = {
        "all": np.ones(region.size, dtype=bool),
        "observed_top": observed > 0,
        "fewer_than_60": drawn.answers < 60,
        "from_60_to_149": (drawn.answers >= 60) & (drawn.answers < 150),
        "from_150": drawn.answers >= 150,
    }
    return measure_calibration(
        coverage=group_coverage(intervals, drawn.truths, groups),
        predicted=top.probability,
        bands=evidence_bands(top.probability),
        true=true,
    )


def draw_households(
    random: np.random.Generator, rates: FloatArray, *, spread: float = NONRESPONSE_SPREAD, reluctance: float = 0.0
) -> Sample:
    """Draw one answer of each of a share of the households.

    `spread` is the standard deviation of the difference of those who answer from the others; `reluctance`, from 0 to 1,
    how much communities with higher rates have fewer answers, of fewer of their households.
    """
    answers = random.integers(FEWEST_ANSWERS, MOST_ANSWERS + 1, rates.size)
    fraction = random.uniform(LEAST_FRACTION, MOST_FRACTION, rates.size)
    if reluctance:
        # How many communities have higher rates, as a share: the fewer, the less is answered.
        place = 1 - np.argsort(np.argsort(rates)) / rates.size
        few = FEWEST_ANSWERS + (MOST_ANSWERS - FEWEST_ANSWERS) * place
        answers = np.rint((1 - reluctance) * answers + reluctance * few).astype(np.int64)
        little = LEAST_FRACTION + (MOST_FRACTION - LEAST_FRACTION) * place
        fraction = (1 - reluctance) * fraction + reluctance * little
    households = np.ceil(answers / fraction).astype(np.int64)
    fraction = answers / households
    truths = random.binomial(households, rates) / households
    gap = random.normal(0, spread, rates.size)
    willing = np.rint(np.clip(truths + (1 - fraction) * gap, 0, 1) * households).astype(np.int64)
    satisfied = random.hypergeometric(willing, households - willing, answers)
    limits = satisfaction_interval(satisfied, answers, households=households, level=LEVEL)
    return Sample(satisfied, answers, fraction, truths, limits)


def draw_posters(random: np.random.Generator, rates: FloatArray, alike: int) -> Sample:
    """Draw like answers of each household that passes a poster; how many pass none is unknown."""
    homes = random.integers(FEWEST_ANSWERS // alike, MOST_ANSWERS // alike + 1, rates.size)
    gap = random.normal(0, NONRESPONSE_SPREAD, rates.size)
    satisfied = alike * random.binomial(homes, np.clip(rates + gap, 0, 1))
    answers = alike * homes
    return Sample(satisfied, answers, np.zeros(rates.size), rates, wilson(satisfied, answers, level=LEVEL))


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
