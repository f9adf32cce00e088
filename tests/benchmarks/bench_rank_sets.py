"""Rank confidence sets of 300,000 communities, and of what they are made, beside the plain way."""

from collections.abc import Iterable
from functools import cache, partial

import numpy as np

from analytics.statistics.pair_counts import count_significant_differences
from analytics.statistics.rank_confidence_sets import rank_confidence_set
from tests.benchmarks.harness import Benchmark, peak_memory

ALL = 300_000
DRAWS = 1_000


@cache
def communities(count):
    """Rates of 30 to 300 answers and their standard errors, many of them tied."""
    generator = np.random.default_rng(1)
    answers = generator.integers(30, 300, count)
    rates = generator.binomial(answers, generator.beta(16, 4, count)) / answers
    pooled = (rates * answers).sum() / answers.sum()
    return rates, np.sqrt(pooled * (1 - pooled) / answers)


def count_all_pairs(estimates, standard_errors, critical_value):
    """Compare every pair, a hundred communities at a time."""
    above, below = [], []
    for start in range(0, estimates.size, 100):
        rows = slice(start, start + 100)
        allowed = critical_value * np.sqrt(standard_errors[rows, None] ** 2 + standard_errors**2)
        difference = estimates - estimates[rows, None]
        above.append((difference > allowed).sum(axis=1))
        below.append((-difference > allowed).sum(axis=1))
    return np.concatenate(above), np.concatenate(below)


def simulate_marginal_sets(estimates, standard_errors):
    """Marginal 95 % sets as published: for each community the bootstrap of its largest studentised difference."""
    normals = np.random.default_rng(2).standard_normal((DRAWS, estimates.size)) * standard_errors
    critical = np.empty(estimates.size)
    for community in range(estimates.size):
        spread = np.hypot(standard_errors[community], standard_errors)
        differences = np.abs(normals - normals[:, [community]]) / spread
        critical[community] = np.quantile(differences.max(axis=1), 0.95)
    return count_significant_differences(estimates, standard_errors, critical)


def rank_all(regions):
    rates, errors = communities(ALL)
    return rank_confidence_set(rates, errors, regions=np.arange(ALL) % regions)


def rank_by(method):
    return rank_confidence_set(*communities(ALL), method=method)


def benchmarks() -> Iterable[Benchmark]:
    rates, errors = communities(20_000)
    yield Benchmark(
        "count significant pairs of 20,000 communities: tree beside every pair",
        lambda: count_significant_differences(rates, errors, 4.0),
        lambda: count_all_pairs(rates, errors, 4.0),
        "above 10",
    )
    some, their_errors = communities(2_000)
    yield Benchmark(
        f"marginal rank sets of 2,000 communities: quadrature beside {DRAWS} draws for each",
        lambda: rank_confidence_set(some, their_errors),
        lambda: simulate_marginal_sets(some, their_errors),
        "above 100",
        rounds=2,
    )
    for regions, label in ((1, "one region"), (3_000, "3,000 regions")):
        yield Benchmark(
            f"marginal rank sets of 300,000 communities in {label}, beside all pairs of 20,000",
            lambda regions=regions: rank_all(regions),
            lambda: count_all_pairs(rates, errors, 4.0),
            "ours under 8 s (reach for 4 s), peak memory under 500 MB",
            note=lambda regions=regions: (
                "peak memory "
                + peak_memory(f"from tests.benchmarks.bench_rank_sets import rank_all; rank_all({regions})")
            ),
        )
    for method in ("kww", "mrsw"):
        yield Benchmark(
            f"credible rank sets (eb) of {ALL:,} communities, beside those of {method}",
            partial(rank_by, "eb"),
            partial(rank_by, method),
            "ours 2 s, peak memory 500 MB, on a machine to itself",
            rounds=3,
            note=lambda: "peak memory " + peak_memory("from tests.benchmarks.bench_rank_sets import *; rank_by('eb')"),
        )
