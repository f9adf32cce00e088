"""How often the evidence on complaint rates is right when the truth is known.

Communities are simulated with true rates from known distributions, 100 to 3,000 household-years each, and what
`shrinkage` and `evidence` say about them is compared with the truth. Measured with `calibrate_complaints`, share 5 %,
seed 11, 10,000 communities for each figure: coverage of 95 % credible intervals, overall | among the observed best 5 %.

============ ============================================ ============================================
true rates   gamma prior, regions of 40, 200, 2,000       nonparametric prior, the same regions
============ ============================================ ============================================
gamma        .939 | .922   .950 | .937   .954 | .951      .954 | .970   .955 | .977   .956 | .981
lognormal    .951 | .953   .963 | .963   .967 | .965      .953 | .969   .955 | .975   .956 | .977
two kinds    .703 | .526   .890 | .652   .950 | .697      .973 | .978   .990 | .994   .992 | .998
all alike    .426 | .454   .460 | .462   .400 | .411      .983 | .984   1.00 | 1.00   1.00 | 1.00
============ ============================================ ============================================

By household-years (under 300, under 1,000, more) the nonparametric prior holds .941 to 1.00. The gamma prior takes its
own two numbers for known: where it finds no excess variation all rates are one number without an interval, and two
kinds of communities are one wide kind. Intervals that hold more than .97 stand on one or two points, where none can
hold just 95 %.

Of what is said in regions of 200 under the nonparametric prior, so much came true (predicted | realised, communities):

============ ==================== ==================== ==================== ====================
true rates   certain              likely               unlikely             no
============ ==================== ==================== ==================== ====================
gamma        .952 | 1.00 (1)      .860 | .783 (23)     .115 | .203 (251)    .002 | .004 (3,829)
lognormal    none                 .850 | 1.00 (4)      .106 | .224 (134)    .002 | .009 (2,154)
two kinds    .985 | .912 (93)     .889 | .866 (73)     .120 | .083 (87)     .002 | .004 (1,188)
all alike    none                 .844 | .050 (4)      .162 | .050 (19)     .003 | .050 (158)
============ ==================== ==================== ==================== ====================

What falls short: complaints are so rare that nine in ten communities are undecided or ruled out. "Unlikely" is said too
boldly of a few lognormal rates (1 in 80 communities): their lowest rates lie closer together than 3,000
household-years tell apart. Where all rates are alike, somebody must still be called best: of 10,000 communities 4 were
called likely.
"""

from collections.abc import Callable, Mapping
from fractions import Fraction
from types import MappingProxyType
from typing import Final

import numpy as np

from analytics.calibration.evidence import CURVE_EDGES, LEVEL, Calibration, group_coverage, realised
from analytics.decision.criterion import count_positions
from analytics.evidence.bands import Evidence, complaint_evidence
from analytics.statistics.empirical_bayes import Prior, credible_rate_interval, shrink_complaint_rates
from analytics.statistics.intervals import poisson_exact
from analytics.statistics.top_probability import top_probability
from analytics.statistics.validation import FloatArray

LEAST_EXPOSURE: Final = 100
MOST_EXPOSURE: Final = 3_000


def _gamma(random: np.random.Generator, size: int) -> FloatArray:
    return random.gamma(2, 0.005, size)


def _lognormal(random: np.random.Generator, size: int) -> FloatArray:
    return np.exp(random.normal(np.log(0.008), 0.8, size))


def _two_kinds(random: np.random.Generator, size: int) -> FloatArray:
    return np.where(random.random(size) < 0.05, 0.001, 0.010)


def _equal(random: np.random.Generator, size: int) -> FloatArray:  # noqa: ARG001  the other truths draw
    return np.full(size, 0.010)


# Distributions of true complaints per household and year: gamma of shape 2 and mean .010; lognormal, with few very low
# ones and a long tail; 5 % at .001 and the rest at .010; all alike.
RATE_TRUTHS: Final[Mapping[str, Callable[[np.random.Generator, int], FloatArray]]] = MappingProxyType(
    {"gamma_rates": _gamma, "lognormal_rates": _lognormal, "two_rates": _two_kinds, "equal_rates": _equal}
)


def calibrate_complaints(
    truth: str, *, prior: Prior, communities: int, regions: int, seed: int, share: Fraction = Fraction(1, 20)
) -> Calibration:
    """Return how well the evidence on complaints is calibrated for one distribution of true rates.

    Parameters
    ----------
    truth : {"gamma_rates", "lognormal_rates", "two_rates", "equal_rates"}
        The distribution of true rates, a key of `RATE_TRUTHS`.
    prior : {"normal", "nonparametric"}
        The prior of `shrink_complaint_rates`; "normal" is the gamma.
    communities : int
        Of each region, each with 100 to 3,000 household-years, evenly distributed on a logarithmic scale.
    regions : int
        How many regions are simulated; each is shrunk and ranked by itself.
    seed : int
        Of the random numbers.
    share : Fraction
        Of the communities that are the best, those with the lowest rates; k is rounded down.

    Returns
    -------
    Calibration
        Groups of `coverage` are all, observed_top and, by household-years, fewer_than_300, from_300_to_999 and
        from_1000; its intervals credible and exact (Poisson). `bands` are of the evidence as it is said: undecided
        where even no complaint at all would tell nothing.

    Raises
    ------
    ValueError
        If the truth is unknown.

    Examples
    --------
    >>> result = calibrate_complaints("gamma_rates", prior="nonparametric", communities=200, regions=2, seed=1)
    >>> result.coverage.query("group == 'all'").set_index("interval")["coverage"].round(2).to_dict()
    {'credible': 0.98, 'exact': 0.98}
    """
    if truth not in RATE_TRUTHS:
        raise ValueError(f"truth must be one of {', '.join(RATE_TRUTHS)}, got {truth!r}")
    random = np.random.default_rng(seed)
    region = np.repeat(np.arange(regions), communities)
    rates = RATE_TRUTHS[truth](random, region.size)
    exposure = np.exp(random.uniform(np.log(LEAST_EXPOSURE), np.log(MOST_EXPOSURE), region.size))
    cases = random.poisson(rates * exposure)
    size = count_positions(share, communities, rounding="floor")
    shrinkage = shrink_complaint_rates(cases, exposure, region=region, prior=prior)
    said = complaint_evidence(shrinkage, exposure, region=region, size=size, share=float(share))
    probability = said["complaint_top_probability"].to_numpy(dtype=np.float64)
    # A known truth is a posterior without variance, so that one draw ranks it.
    nothing = np.zeros(rates.size)
    true = top_probability(-rates, nothing, region=region, size=size).probability
    observed = top_probability(-cases / exposure, nothing, region=region, size=size).probability
    counted = poisson_exact(cases, level=LEVEL)
    groups = {
        "all": np.ones(rates.size, dtype=bool),
        "observed_top": observed > 0,
        "fewer_than_300": exposure < 300,
        "from_300_to_999": (exposure >= 300) & (exposure < 1000),
        "from_1000": exposure >= 1000,
    }
    intervals = {
        "credible": credible_rate_interval(shrinkage, level=LEVEL),
        "exact": type(counted)(counted.lower / exposure, counted.upper / exposure),
    }
    bands = realised("evidence", said["complaint_evidence"].to_numpy(), probability, true).set_index("evidence")
    return Calibration(
        coverage=group_coverage(intervals, rates, groups),
        curve=realised(
            "from_probability", CURVE_EDGES[:-1][np.digitize(probability, CURVE_EDGES[1:-1])], probability, true
        ),
        bands=bands.reindex(list(Evidence)).dropna().reset_index(),
    )
