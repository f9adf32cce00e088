"""Calibration of the evidence on complaint rates on simulated communities with known true rates.

Communities are simulated with true rates from known distributions, 100 to 3,000 household-years each, and the results
of `analytics.statistics.empirical_bayes` and `analytics.evidence.bands` are compared with the truth. Figures of
`calibrate_complaints` with share 5 %, seed 11, 10,000 communities for each figure: coverage of 95 % credible intervals,
overall | among the observed best 5 %.

============ ============================================ ============================================
true rates   gamma prior, regions of 40, 200, 2,000       nonparametric prior, the same regions
============ ============================================ ============================================
gamma        .939 | .922   .950 | .937   .954 | .951      .954 | .970   .955 | .977   .956 | .981
lognormal    .951 | .953   .963 | .963   .967 | .965      .953 | .969   .955 | .975   .956 | .977
two kinds    .703 | .526   .890 | .652   .950 | .697      .973 | .978   .990 | .994   .992 | .998
all alike    .426 | .454   .460 | .462   .400 | .411      .983 | .984   1.00 | 1.00   1.00 | 1.00
repeats      .917 | .897   .948 | .945   .954 | .955      .956 | .983   .958 | .984   .957 | .984
============ ============================================ ============================================

By household-years (under 300, under 1,000, more) the nonparametric prior covers .941 to 1.00. The gamma prior treats
its own two parameters as known: if it finds no excess variation, all rates are one number without an interval, and it
models two kinds of communities as one wide distribution. Coverage above .97 occurs for distributions on one or two
points, for which no interval can hold exactly 95 %.

Evidence bands in regions of 200 under the nonparametric prior (predicted | realised, communities):

============ ==================== ==================== ==================== ====================
true rates   certain              likely               unlikely             no
============ ==================== ==================== ==================== ====================
gamma        none                 .864 | .783 (23)     .102 | .161 (558)    .005 | .008 (7,974)
lognormal    none                 .867 | 1.00 (5)      .098 | .150 (765)    .005 | .011 (7,786)
two kinds    .982 | .918 (87)     .887 | .860 (76)     .084 | .061 (614)    .009 | .010 (8,327)
all alike    none                 .843 | .050 (4)      .079 | .050 (2,547)  .024 | .050 (6,650)
============ ==================== ==================== ==================== ====================

Repeats: gamma rates of households of which, after each complaint, two in five complain again, 60,000 communities. The
negative binomial limits that are printed hold .972 of all, Poisson limits .883; where complaints are not rare, with 3
to 60 expected, .95 and .82.

Limitations: complaints are so rare that nine in ten communities are undecided or ruled out. "Unlikely" is a little
too confident of lognormal rates, because their lowest are closer together than 3,000 household-years can distinguish.
If all rates are equal, some communities must still rank best: of 10,000 communities 4 were called likely, and of those
ruled out one in twenty is among the best, as of all.
"""

from collections.abc import Callable, Mapping
from fractions import Fraction
from types import MappingProxyType
from typing import Final

import numpy as np

from analytics.calibration.evidence import LEVEL, Calibration, group_coverage, measure_calibration
from analytics.decision.criterion import count_positions
from analytics.evidence.bands import complaint_evidence
from analytics.rules import Prior
from analytics.statistics.empirical_bayes import credible_rate_interval, shrink_complaint_rates
from analytics.statistics.intervals import Interval, poisson_exact
from analytics.statistics.repeat_complaints import negative_binomial, repeat_dispersion
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


# Distributions of true complaints per household and year: gamma with shape 2 and mean .010; lognormal, with few very
# low ones and a long tail; 5 % at .001 and the rest at .010; all equal; the gamma again, of households that complain
# again.
COMPLAINT_RATE_DISTRIBUTIONS: Final[Mapping[str, Callable[[np.random.Generator, int], FloatArray]]] = MappingProxyType(
    {
        "gamma_rates": _gamma,
        "lognormal_rates": _lognormal,
        "two_rates": _two_kinds,
        "equal_rates": _equal,
        "gamma_repeats": _gamma,
    }
)

# Shares of complaints whose household had complained before; of the other distributions none.
REPEAT_SHARES: Final[Mapping[str, float]] = MappingProxyType({"gamma_repeats": 0.4})


def calibrate_complaints(
    truth: str, *, prior: Prior, communities: int, regions: int, seed: int, share: Fraction = Fraction(1, 20)
) -> Calibration:
    """Simulate complaints for one distribution of true rates and measure the calibration of the evidence.

    Parameters
    ----------
    truth : {"gamma_rates", "lognormal_rates", "two_rates", "equal_rates", "gamma_repeats"}
        The distribution of true rates, a key of `COMPLAINT_RATE_DISTRIBUTIONS`.
    prior : {"normal", "nonparametric"}
        The prior of `shrink_complaint_rates`; "normal" is the gamma.
    communities : int
        Communities per region, each with 100 to 3,000 household-years, uniformly distributed on a logarithmic scale.
    regions : int
        Number of simulated regions; each is shrunk and ranked separately.
    seed : int
        Seed of the random numbers.
    share : Fraction
        Share of the communities that are the best, those with the lowest rates; k is rounded down.

    Returns
    -------
    Calibration
        Groups of `coverage` are all, observed_top and, by household-years, fewer_than_300, from_300_to_999 and
        from_1000; its intervals credible, exact (negative binomial, Poisson without repeated complaints) and
        poisson. `bands` are of the evidence as reported: undecided if
        even zero complaints would not be informative.

    Raises
    ------
    ValueError
        If the truth is unknown.

    Examples
    --------
    >>> result = calibrate_complaints("gamma_rates", prior="nonparametric", communities=200, regions=2, seed=1)
    >>> result.coverage.query("group == 'all'").set_index("interval")["coverage"].round(2).to_dict()
    {'credible': 0.98, 'exact': 0.98, 'poisson': 0.98}
    """
    if truth not in COMPLAINT_RATE_DISTRIBUTIONS:
        raise ValueError(f"truth must be one of {', '.join(COMPLAINT_RATE_DISTRIBUTIONS)}, got {truth!r}")
    random = np.random.default_rng(seed)
    region = np.repeat(np.arange(regions), communities)
    rates = COMPLAINT_RATE_DISTRIBUTIONS[truth](random, region.size)
    exposure = np.exp(random.uniform(np.log(LEAST_EXPOSURE), np.log(MOST_EXPOSURE), region.size))
    repeats = REPEAT_SHARES.get(truth, 0.0)
    households = random.poisson(rates * exposure * (1 - repeats))
    # After each complaint anew a household complains again with this probability.
    cases = households + random.poisson(random.standard_gamma(households) * repeats / (1 - repeats))
    dispersion = repeat_dispersion(repeats)
    size = count_positions(share, communities, rounding="floor")
    shrinkage = shrink_complaint_rates(cases, exposure, region=region, prior=prior, dispersion=dispersion)
    evidence = complaint_evidence(
        shrinkage, cases, exposure, region=region, size=size, share=float(share), repeat_share=repeats
    )
    probability = evidence["complaint_top_probability"].to_numpy(dtype=np.float64)
    # A known truth is a posterior without variance.
    nothing = np.zeros(rates.size)
    true = top_probability(-rates, nothing, region=region, size=size).probability
    observed = top_probability(-cases / exposure, nothing, region=region, size=size).probability
    counted = negative_binomial(cases, dispersion=dispersion, level=LEVEL)
    unclustered = poisson_exact(cases, level=LEVEL)
    groups = {
        "all": np.ones(rates.size, dtype=bool),
        "observed_top": observed > 0,
        "fewer_than_300": exposure < 300,
        "from_300_to_999": (exposure >= 300) & (exposure < 1000),
        "from_1000": exposure >= 1000,
    }
    intervals = {
        "credible": credible_rate_interval(shrinkage, level=LEVEL),
        "exact": Interval(counted.lower / exposure, counted.upper / exposure),
        "poisson": Interval(unclustered.lower / exposure, unclustered.upper / exposure),
    }
    return measure_calibration(
        coverage=group_coverage(intervals, rates, groups),
        predicted=probability,
        bands=evidence["complaint_evidence"].to_numpy(),
        true=true,
    )
