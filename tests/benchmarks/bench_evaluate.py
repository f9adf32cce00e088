"""Standings of 300,000 communities, and percentiles beside the usual loop over scipy's percentileofscore."""

import subprocess
import sys
from collections.abc import Iterable
from functools import cache
from pathlib import Path

import numpy as np
import pandas as pd
from scipy.stats import percentileofscore

from analytics.evaluate import evaluate
from analytics.ranks import percentile
from analytics.rules import load_rules
from tests.benchmarks.harness import Benchmark

ALL = 300_000
SOME = 20_000
RULES = Path(__file__).parents[2] / "data" / "rules" / "wuhai" / "2021-08-23.yaml"


@cache
def communities(count, regions):
    """Counts of 5 to 300 answers and of complaints, many of them tied."""
    random = np.random.default_rng(1)
    answers = random.integers(5, 301, count)
    households = answers + random.integers(0, 800, count)
    return pd.DataFrame(
        {
            "community_id": [f"{number:06}" for number in range(count)],
            "region": [f"region {number % regions}" for number in range(count)],
            "responses": answers,
            "satisfied": random.binomial(answers, random.beta(16, 4, count)),
            "households": households,
            "complaints": random.poisson(households * random.gamma(2, 0.005, count)),
            "exposure_household_years": households.astype(float),
        }
    )


def evaluate_all(regions):
    return evaluate(communities(ALL, regions), load_rules(RULES))


def rates():
    table = communities(SOME, 1)
    return (table["satisfied"] / table["responses"]).to_numpy()


def percentiles_one_by_one():
    """Compare every rate with all, as (below + ½ equal) / N."""
    every = rates()
    return [percentileofscore(every, rate, kind="mean") / 100 for rate in every]


def peak_memory(regions):
    """Peak resident memory of a process that does this alone, and of one that only makes the table."""
    script = (
        "import sys; from pathlib import Path; from tests.benchmarks.bench_evaluate import *\n"
        "def peak(): return int(Path('/proc/self/status').read_text().split('VmHWM:')[1].split()[0]) // 1000\n"
        "regions = int(sys.argv[1]); communities(ALL, regions); table = peak(); evaluate_all(regions)\n"
        "print(f'peak memory {peak()} MB, with the table alone {table} MB')"
    )
    run = [sys.executable, "-c", script, str(regions)]
    return subprocess.run(run, check=True, capture_output=True, text=True).stdout.strip()


def benchmarks() -> Iterable[Benchmark]:
    yield Benchmark(
        f"percentiles of {SOME:,} communities beside percentileofscore for each",
        lambda: percentile(rates(), best="high"),
        percentiles_one_by_one,
        "above 100",
        rounds=2,
    )
    for regions, label in ((1, "one region"), (3_000, "3,000 regions")):
        yield Benchmark(
            f"standings of {ALL:,} communities in {label}, beside percentileofscore for each of {SOME:,}",
            lambda regions=regions: evaluate_all(regions),
            percentiles_one_by_one,
            "ours 3 s, on a machine to itself",
            rounds=2,
            note=lambda regions=regions: peak_memory(regions),
        )
