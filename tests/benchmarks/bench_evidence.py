"""Evidence on 300,000 communities, beside drawing all true scores: a fiftieth of the 1,000 draws that are usual."""

from collections.abc import Iterable
from functools import cache

import numpy as np

from analytics.statistics.empirical_bayes import shrink_rates
from analytics.statistics.rank_confidence_sets import rank_confidence_set
from analytics.statistics.top_probability import top_probability
from tests.benchmarks.harness import Benchmark, peak_memory

ALL = 300_000
SHARE = 20
FEW_DRAWS = 20
USUAL_DRAWS = 1_000


@cache
def answers():
    """Satisfied answers and answers of communities with 30 to 300 of them."""
    random = np.random.default_rng(1)
    counts = random.integers(30, 301, ALL)
    return random.binomial(counts, random.beta(16, 4, ALL)), counts


def find_evidence(regions=1):
    """Shrink, find P(top 5 %) and joint rank sets."""
    satisfied, counts = answers()
    region = np.arange(ALL) % regions
    shrinkage = shrink_rates(satisfied, counts, region=region, prior="nonparametric")
    top = top_probability(
        shrinkage.mean, shrinkage.variance, region=region, size=ALL // regions // SHARE, grids=shrinkage.grids
    )
    errors = np.sqrt(shrinkage.sampling_variance)
    return top, rank_confidence_set(satisfied / counts, errors, regions=region, method="kww")


def shrink(regions):
    satisfied, counts = answers()
    return shrink_rates(satisfied, counts, region=np.arange(ALL) % regions, prior="nonparametric")


def draw_scores():
    """Rank FEW_DRAWS draws of all true scores."""
    satisfied, counts = answers()
    random, size = np.random.default_rng(2), ALL // SHARE
    often = np.zeros(ALL)
    for _ in range(FEW_DRAWS):
        scores = random.beta(satisfied + 16, counts - satisfied + 4)
        often[np.argpartition(scores, ALL - size)[ALL - size :]] += 1
    return often / FEW_DRAWS


def used(statement):
    """Say how much memory a statement takes, and what the ratio means."""
    peak = peak_memory(f"from tests.benchmarks.bench_evidence import *; {statement}")
    imports = peak_memory("from tests.benchmarks.bench_evidence import *; answers()")
    return (
        f"peak memory {peak}, with the imports and answers alone {imports} (bar 500, aim 300); "
        f"beside all {USUAL_DRAWS:,} draws the ratio is {USUAL_DRAWS // FEW_DRAWS} times as large"
    )


def benchmarks() -> Iterable[Benchmark]:
    """Return what `./run bench` measures here."""
    for regions, label in ((1, "one region"), (3_000, "3,000 regions")):
        yield Benchmark(
            name=f"shrinkage, P(top 5 %) and joint sets of {ALL:,} communities in {label} beside {FEW_DRAWS} draws",
            ours=lambda regions=regions: find_evidence(regions),
            baseline=draw_scores,
            bar="ours 2 s, aim 1 s, on a machine to itself",
            note=lambda regions=regions: used(f"find_evidence({regions})"),
        )
        yield Benchmark(
            name=f"shrinkage alone of {ALL:,} communities in {label} beside {FEW_DRAWS} draws",
            ours=lambda regions=regions: shrink(regions),
            baseline=draw_scores,
            bar="ours 1 s, on a machine to itself",
        )
