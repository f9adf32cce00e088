"""Compiled loops of the nonparametric prior: fit the mixture of a region and each community's posterior under it.

They release the GIL and start no threads, see `analytics.statistics.kernels.compilation`.
"""

from functools import partial

import numpy as np

from analytics.statistics.kernels.compilation import compiled
from analytics.statistics.validation import FloatArray, SingleArray

compiled_with_reordered_sums = partial(compiled, sums_in_any_order=True)

# Cells whose likelihood is less than this share of the largest are skipped.
_LEAST_LIKELY = np.float32(1e-9)
# Iterations that take a community's own share out of the totals; each reduces the rest by its weight in them.
_OWN_SHARE_ITERATIONS = 3


@compiled_with_reordered_sums
def fill_log_likelihoods(
    coefficients: FloatArray, features: FloatArray, lowest: float, logarithms: SingleArray
) -> None:
    """Fill `logarithms` with the log-likelihood of each row's answers in each cell, less the largest of the row.

    It is the row of `coefficients` times the column of `features`, bounded below by `lowest`.
    """
    values = np.empty(features.shape[1])
    for row in range(coefficients.shape[0]):
        first, second = coefficients[row, 0], coefficients[row, 1]
        best = -np.inf
        for cell in range(values.size):
            values[cell] = first * features[0, cell] + second * features[1, cell]
        for cell in range(values.size):
            best = max(best, values[cell])
        for cell in range(values.size):
            logarithms[row, cell] = max(values[cell] - best, lowest)


@compiled_with_reordered_sums
def fill_component_likelihoods(likelihood: SingleArray, components: SingleArray, fits: SingleArray) -> None:
    """Fill `fits` with each row's likelihood under each mixture component; `components` has a row for each cell."""
    fits[:] = np.float32(0.0)
    for row in range(likelihood.shape[0]):
        for cell in range(likelihood.shape[1]):
            likely = likelihood[row, cell]
            if likely > _LEAST_LIKELY:
                for component in range(fits.shape[1]):
                    fits[row, component] += likely * components[cell, component]


@compiled_with_reordered_sums
def fit_component_totals(
    fits: SingleArray, prior_counts: FloatArray, each: float, steps: int, totals: FloatArray
) -> None:
    """Fill `totals` with the expected number of communities of each mixture component, by variational iteration.

    `prior_counts` holds the Dirichlet prior counts; every row of `fits` stands for `each` communities. In each step a
    community is divided among the components by their likelihoods and by how many *others* they have.
    """
    shares, found = np.zeros(fits.shape), np.empty(prior_counts.size)
    totals[:] = prior_counts
    for _ in range(steps):
        found[:] = 0.0
        for row in range(fits.shape[0]):
            update_responsibilities(fits[row], totals, prior_counts, shares[row])
            for component in range(found.size):
                found[component] += shares[row, component]
        for component in range(found.size):
            totals[component] = prior_counts[component] + each * found[component]


@compiled_with_reordered_sums
def update_responsibilities(
    fits: SingleArray, totals: FloatArray, prior_counts: FloatArray, shares: FloatArray
) -> None:
    """Update a community's responsibilities from its likelihoods and the totals of the others.

    The prior counts are never reduced, whatever a community's own share: in a large region only some communities are
    in the totals, and taking out a community that is not would leave negative counts.
    """
    whole = 0.0
    for component in range(shares.size):
        shares[component] = fits[component] * max(totals[component] - shares[component], prior_counts[component])
    for component in range(shares.size):
        whole += shares[component]
    for component in range(shares.size):
        shares[component] /= whole


@compiled_with_reordered_sums
def fill_posteriors(  # noqa: PLR0917  compiled functions take no keywords
    likelihood: SingleArray,
    fits: SingleArray,
    totals: FloatArray,
    prior_counts: FloatArray,
    component_cells: SingleArray,
    offsets: FloatArray,
    squares: FloatArray,
    moments: FloatArray,
    cumulative: SingleArray,
) -> None:
    """Fill `cumulative` with P(true score ≤ edge) of each row, and `moments` with its mean and mean square.

    Each row's prior is the mixture given by the totals without it. `component_cells` has a row for each component;
    `offsets` and `squares` are the mean and the mean square of a true score within each cell.
    """
    cells = offsets.size
    shares, room = np.empty(totals.size), np.empty(cells, np.float32)
    for row in range(fits.shape[0]):
        shares[:] = 0.0
        for _ in range(_OWN_SHARE_ITERATIONS):
            update_responsibilities(fits[row], totals, prior_counts, shares)
        first, last = 0, cells
        while likelihood[row, first] <= _LEAST_LIKELY:
            first += 1
        while likelihood[row, last - 1] <= _LEAST_LIKELY:
            last -= 1
        # Slices, so that no index in the loops can be negative: testing for that is slow.
        chances, likely = room[first:last], likelihood[row, first:last]
        offset, square = offsets[first:last], squares[first:last]
        chances[:] = np.float32(0.0)
        for component in range(totals.size):
            others = np.float32(max(totals[component] - shares[component], prior_counts[component]))
            inside = component_cells[component, first:last]
            for cell in range(chances.size):
                chances[cell] += others * inside[cell]
        whole, mean, mean_square = 0.0, 0.0, 0.0
        for cell in range(chances.size):
            chances[cell] *= likely[cell]
            whole += chances[cell]
            mean += chances[cell] * offset[cell]
            mean_square += chances[cell] * square[cell]
        moments[row, 0], moments[row, 1] = mean / whole, mean_square / whole
        below, share, rising = 0.0, 1.0 / whole, cumulative[row, first + 1 : last + 1]
        cumulative[row, : first + 1] = 0.0
        for cell in range(chances.size):
            below += chances[cell] * share
            rising[cell] = min(below, 1.0)
        cumulative[row, last:] = 1.0
