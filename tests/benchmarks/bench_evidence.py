"""Evidence on 300,000 communities, beside drawing all true scores a few times."""

import subprocess
import sys
from collections.abc import Iterable
from functools import cache

import numpy as np

from analytics.rank_sets import rank_confidence_set
from analytics.shrinkage import shrink_rates
from analytics.top_probability import top_probability
from tests.benchmarks.harness import Benchmark

ALL = 300_000
SHARE = 20
FEW_DRAWS = 20


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


def peak_memory():
    """Peak resident memory of a process that does this alone."""
    script = (
        "from pathlib import Path; from tests.benchmarks.bench_evidence import find_evidence; find_evidence()\n"
        "print(int(Path('/proc/self/status').read_text().split('VmHWM:')[1].split()[0]) // 1000)"
    )
    megabytes = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True).stdout
    return f"peak memory {megabytes.strip()} MB (bar 500, aim 300)"


def benchmarks() -> Iterable[Benchmark]:
    yield Benchmark(
        name=f"shrinkage, P(top 5 %) and joint sets of {ALL:,} communities beside {FEW_DRAWS} draws",
        ours=find_evidence,
        baseline=draw_scores,
        bar="ours 2 s, aim 1 s, on a machine to itself",
        note=peak_memory,
    )
    yield Benchmark(
        name=f"shrinkage, P(top 5 %) and joint sets of {ALL:,} communities in 3,000 regions beside {FEW_DRAWS} draws",
        ours=lambda: find_evidence(3_000),
        baseline=draw_scores,
        bar="ours 2 s, on a machine to itself",
        rounds=2,
    )
    yield Benchmark(
        name=f"shrinkage alone of {ALL:,} communities in 3,000 regions beside {FEW_DRAWS} draws",
        ours=lambda: shrink(3_000),
        baseline=draw_scores,
        bar="ours 1 s, on a machine to itself",
        rounds=2,
    )
