"""Nonparametric empirical Bayes prior: a mixture for the true scores of a region, estimated from its communities.

The true scores of a region are modelled as a mixture of components: one is the normal prior, the others are narrow,
equally spaced and cover the range of the scores. The mixture weights are estimated from all communities, and each
community is shrunk towards the mixture of the *others*: its own answers would otherwise count twice, and intervals
would be too narrow exactly where scores are extreme.
"""

from dataclasses import dataclass
from functools import cache
from typing import Final, NamedTuple, Protocol, Self

import numpy as np

from analytics.statistics.kernels.priors import (
    fill_component_likelihoods,
    fill_log_likelihoods,
    fill_posteriors,
    fit_component_totals,
)
from analytics.statistics.threads import run_in_threads
from analytics.statistics.validation import FloatArray, IntegerArray, SingleArray

# Cells of a posterior distribution on a grid, and the number of communities that suffices to estimate the prior.
CELLS: Final = 100
FITTED_COMMUNITIES: Final = 2_000
# Dirichlet prior counts of the normal component, and of all narrow components together.
NORMAL_PRIOR_COUNT: Final = 5.0
NARROW_PRIOR_COUNT: Final = 5.0
STEPS: Final = 5
# In a region of this size narrow components are as wide as the most precise communities measure; larger ones narrow.
REFERENCE_SIZE: Final = 200
# Standard errors by which the grid of true scores extends beyond the observed scores.
REACH: Final = 3.0
# This share of the normal component is uniform, so that no score is impossible under it.
UNIFORM_SHARE: Final = 1e-6
# Rates are kept this far from 0 and 1 when their variance m(1 − m)/n is computed.
LEAST_RATE: Final = 0.01
# A cell whose likelihood is e⁻⁴⁰ times the largest has no share of the posterior.
LEAST_LOGARITHM: Final = -40.0
ROWS_AT_ONCE: Final = 2_048


@dataclass(frozen=True)
class GridPosterior:
    """Posterior distributions of the communities of one region, on a grid of cells.

    Attributes
    ----------
    rows : ndarray of int
        The communities' positions in the caller's columns.
    edges : ndarray of float
        Edges of the cells of true scores, rising.
    cumulative : ndarray of float32, shape (rows, edges)
        P(θ ≤ edge) of each community, from 0 to 1; linear within a cell.
    """

    rows: IntegerArray
    edges: FloatArray
    cumulative: SingleArray


class NonparametricPosteriors(NamedTuple):
    """Posterior means and variances of the communities in `rows`, and their grid posteriors region by region."""

    rows: IntegerArray
    mean: FloatArray
    variance: FloatArray
    grids: list[GridPosterior]


class Likelihood(Protocol):
    """Likelihood of communities' answers; `places` are the scores on the scale of equally wide cells, with `errors`."""

    lowest: float
    highest: float
    places: FloatArray
    errors: FloatArray

    def only(self, rows: IntegerArray) -> Self:
        """Return the likelihood of some of the communities."""

    def truth(self, places: FloatArray) -> FloatArray:
        """Transform places on that scale to true scores."""

    def coefficients(self, rows: IntegerArray, origins: FloatArray) -> FloatArray:
        """Return two coefficients for each of `rows` whose product with a cell's features is its log-likelihood."""

    def features(self, truth: FloatArray, origins: FloatArray) -> FloatArray:
        """Return the features of cells, shape (regions, 2, cells), relative to the origin of each region."""


class NormalLikelihood:
    """Normal likelihood: scores with a known variance that does not depend on the true score."""

    lowest, highest = -np.inf, np.inf

    def __init__(self, scores: FloatArray, sampling: FloatArray) -> None:
        self.places, self.errors, self._sampling = scores, np.sqrt(sampling), sampling

    def only(self, rows: IntegerArray) -> Self:
        return type(self)(self.places[rows], self._sampling[rows])

    def truth(self, places: FloatArray) -> FloatArray:
        return places

    def coefficients(self, rows: IntegerArray, origins: FloatArray) -> FloatArray:
        own = np.column_stack([self.places[rows] - origins, np.full(rows.size, -0.5)])
        return np.asarray(own / self._sampling[rows, None])

    def features(self, truth: FloatArray, origins: FloatArray) -> FloatArray:
        offsets = truth - origins[:, None]
        return np.stack([offsets, offsets**2], axis=1)


class BinomialLikelihood:
    """Binomial likelihood of rates, n implied by their sampling variance; cells are equally wide in arcsin √θ."""

    lowest, highest = 0.0, np.pi / 2

    def __init__(self, rates: FloatArray, inverse_answers: FloatArray) -> None:
        self._rates, self._inverse_answers = rates, inverse_answers
        self.places, self.errors = np.arcsin(np.sqrt(rates)), np.sqrt(inverse_answers) / 2

    def only(self, rows: IntegerArray) -> Self:
        return type(self)(self._rates[rows], self._inverse_answers[rows])

    def truth(self, places: FloatArray) -> FloatArray:
        return np.asarray(np.sin(places) ** 2)

    def coefficients(self, rows: IntegerArray, origins: FloatArray) -> FloatArray:  # noqa: ARG002  rates have a zero
        own = np.column_stack([self._rates[rows], 1 - self._rates[rows]])
        return np.asarray(own / self._inverse_answers[rows, None])

    def features(self, truth: FloatArray, origins: FloatArray) -> FloatArray:  # noqa: ARG002  rates have a zero
        # Beyond the clip all rates are equally likely: otherwise communities without a dissatisfied answer, which any
        # rate near 1 explains, would pull the prior into a spike at 1.
        likely = np.clip(truth, LEAST_RATE, 1 - LEAST_RATE)
        return np.stack([np.log(likely), np.log1p(-likely)], axis=1)


class PoissonLikelihood:
    """Poisson likelihood of cases over an exposure; cells are equally wide in √λ, which stabilises the variance."""

    lowest, highest = 0.0, np.inf

    def __init__(self, cases: FloatArray, exposure: FloatArray) -> None:
        self._cases, self._exposure = cases, exposure
        self.places, self.errors = np.sqrt(cases / exposure), 1 / (2 * np.sqrt(exposure))

    def only(self, rows: IntegerArray) -> Self:
        return type(self)(self._cases[rows], self._exposure[rows])

    def truth(self, places: FloatArray) -> FloatArray:
        return np.asarray(places**2)

    def coefficients(self, rows: IntegerArray, origins: FloatArray) -> FloatArray:  # noqa: ARG002  rates have a zero
        return np.column_stack([self._cases[rows], self._exposure[rows]])

    def features(self, truth: FloatArray, origins: FloatArray) -> FloatArray:  # noqa: ARG002  rates have a zero
        return np.stack([np.log(np.maximum(truth, np.finfo(np.float64).tiny)), -truth], axis=1)


def fit_nonparametric_posteriors(
    likelihood: Likelihood,
    *,
    starts: IntegerArray,
    sizes: IntegerArray,
    prior_mean: FloatArray,
    prior_variance: FloatArray,
) -> NonparametricPosteriors:
    """Return the posteriors of communities under the nonparametric prior of each region.

    Parameters
    ----------
    likelihood : Likelihood
        Likelihood of the communities, sorted by region and within a region by score.
    starts, sizes : ndarray of int
        First row and number of rows of each region.
    prior_mean, prior_variance : ndarray of float
        μ and τ² of the normal component of each region.

    Returns
    -------
    NonparametricPosteriors
        Without the communities whose standard error is smaller than the width of a cell.
    """
    cells = _Cells.of(likelihood, starts)
    region = np.repeat(np.arange(sizes.size), sizes)
    rows = np.flatnonzero((likelihood.errors >= cells.widths[region]) & (likelihood.errors > 0))
    region = region[rows]
    ends = np.searchsorted(region, np.arange(sizes.size + 1))
    normal = cells.normal_component(prior_mean, prior_variance)
    coefficients = likelihood.coefficients(rows, cells.origins[region])
    features = likelihood.features(cells.middles, cells.origins)
    moments = np.empty((rows.size, 2))
    cumulative = [np.empty((number, CELLS + 1), np.float32) for number in np.diff(ends)]

    def work(first: int, last: int) -> None:
        for number in range(first, last):
            own = slice(ends[number], ends[number + 1])
            errors = likelihood.errors[starts[number] : starts[number] + sizes[number]]
            narrow = _narrow_components(_count_narrow_components(errors, float(cells.widths[number])))
            if own.stop > own.start:
                _fit_region(
                    coefficients[own],
                    features[number],
                    np.column_stack([narrow, normal[number]]),
                    within=cells.moments(number),
                    moments=moments[own],
                    cumulative=cumulative[number],
                )

    run_in_threads(work, sizes.size)
    mean, square = moments.T
    grids = [
        GridPosterior(rows[ends[number] : ends[number + 1]], cells.edges[number], own)
        for number, own in enumerate(cumulative)
        if own.size
    ]
    return NonparametricPosteriors(rows, mean + cells.origins[region], square - mean**2, grids)


@dataclass(frozen=True)
class _Cells:
    """Cells of each region's grid, one row of each array; equally wide on the scale of places, like `widths`."""

    widths: FloatArray
    edges: FloatArray
    middles: FloatArray

    @classmethod
    def of(cls, likelihood: Likelihood, starts: IntegerArray) -> "_Cells":
        none = np.zeros((0, 2 * CELLS + 1))
        reach = REACH * likelihood.errors
        lowest = np.minimum.reduceat(likelihood.places - reach, starts) if starts.size else none[:, 0]
        highest = np.maximum.reduceat(likelihood.places + reach, starts) if starts.size else none[:, 0]
        lowest, highest = np.maximum(lowest, likelihood.lowest), np.minimum(highest, likelihood.highest)
        marks = likelihood.truth(np.linspace(lowest, highest, 2 * CELLS + 1, axis=1))
        return cls((highest - lowest) / CELLS, marks[:, ::2].copy(), marks[:, 1::2].copy())

    @property
    def origins(self) -> FloatArray:
        return self.middles[:, CELLS // 2]

    def moments(self, number: int) -> FloatArray:
        """Return the mean and the mean square of a true score within each cell, relative to the origin: two rows."""
        offsets = self.middles[number] - self.origins[number]
        return np.array([offsets, offsets**2 + np.diff(self.edges[number]) ** 2 / 12])

    def normal_component(self, mean: FloatArray, variance: FloatArray) -> SingleArray:
        """Return the probability of each cell under the normal prior, one row per region."""
        lengths = np.diff(self.edges, axis=1)
        # A prior narrower than a cell would fall between the middles of cells.
        spread = np.maximum(variance, lengths[:, CELLS // 2] ** 2 / 4)
        shares = lengths * np.exp(-0.5 * (self.middles - mean[:, None]) ** 2 / spread[:, None])
        shares /= np.maximum(shares.sum(axis=1, keepdims=True), np.finfo(np.float64).tiny)
        return np.asarray((1 - UNIFORM_SHARE) * shares + UNIFORM_SHARE / CELLS, dtype=np.float32)


def _count_narrow_components(errors: FloatArray, width: float) -> int:
    """Return the number of narrow components for a region, from the standard errors of its communities."""
    sharpest = np.partition(errors, errors.size // 10)[errors.size // 10]
    kernel = (REFERENCE_SIZE / min(errors.size, FITTED_COMMUNITIES)) ** 0.2 * sharpest
    return int(np.ceil((CELLS - 1) * width / max(kernel, width))) + 1 if width > 0 else 1


@cache
def _narrow_components(number: int) -> SingleArray:
    """Return the probability of each cell (row) under each narrow normal component, as wide as their spacing."""
    places, apart = np.arange(CELLS)[:, None], (CELLS - 1) / max(number - 1, 1)
    shapes = np.exp(-0.5 * (places / apart - np.arange(number)) ** 2)
    return np.asarray(shapes / shapes.sum(axis=0), dtype=np.float32)


def _fit_region(
    coefficients: FloatArray,
    features: FloatArray,
    components: SingleArray,
    *,
    within: FloatArray,
    moments: FloatArray,
    cumulative: SingleArray,
) -> None:
    """Estimate the mixture of one region, and fill `moments` and `cumulative` of all its communities."""
    narrow = components.shape[1] - 1
    every = -(-len(coefficients) // FITTED_COMMUNITIES)
    likelihood, fits = _fit(np.ascontiguousarray(coefficients[every // 2 :: every]), features, components)
    prior_counts = np.append(np.full(narrow, NARROW_PRIOR_COUNT / narrow), NORMAL_PRIOR_COUNT)
    totals = np.empty(narrow + 1)
    fit_component_totals(fits, prior_counts, len(coefficients) / len(fits), STEPS, totals)
    component_cells = np.ascontiguousarray(components.T)
    if every == 1:
        fill_posteriors(likelihood, fits, totals, prior_counts, component_cells, *within, moments, cumulative)
        return

    def weigh(first: int, last: int) -> None:
        for block in range(first, last):
            rows = slice(block * ROWS_AT_ONCE, (block + 1) * ROWS_AT_ONCE)
            fitted = _fit(coefficients[rows], features, components)
            fill_posteriors(*fitted, totals, prior_counts, component_cells, *within, moments[rows], cumulative[rows])

    run_in_threads(weigh, -(-len(coefficients) // ROWS_AT_ONCE))


def _fit(coefficients: FloatArray, features: FloatArray, components: SingleArray) -> tuple[SingleArray, SingleArray]:
    """Return each row's likelihood in each cell, relative to the largest, and under each mixture component."""
    likelihood = np.empty((len(coefficients), CELLS), np.float32)
    fits = np.empty((len(coefficients), components.shape[1]), np.float32)
    fill_log_likelihoods(coefficients, features, LEAST_LOGARITHM, likelihood)
    np.exp(likelihood, out=likelihood)
    fill_component_likelihoods(likelihood, components, fits)
    return likelihood, fits
