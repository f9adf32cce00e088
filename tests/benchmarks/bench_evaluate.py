"""Standings of 300,000 communities, and percentiles beside the usual loop over scipy's percentileofscore."""

from collections.abc import Iterable
from functools import cache
from pathlib import Path

import numpy as np
import pandas as pd
from scipy.stats import percentileofscore

from analytics.decision.evaluate import evaluate
from analytics.decision.ranks import percentile_of_ranks, ranks_within
from analytics.evidence.sensitivity import analyse_sensitivity
from analytics.evidence.weigh_evidence import weigh_evidence
from analytics.reports.evaluation_files import standings_csv
from analytics.reports.evaluation_report import report_html
from analytics.rules import load_rules
from tests.benchmarks.harness import Benchmark, peak_memory

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


def percentiles():
    rank, last = ranks_within(rates(), np.zeros(SOME, dtype=np.int64), best="high")
    return percentile_of_ranks(rank, last, ranked=SOME)


def percentiles_one_by_one():
    """Compare every rate with all, as (below + ½ equal) / N."""
    every = rates()
    return [percentileofscore(every, rate, kind="mean") / 100 for rate in every]


@cache
def weighed():
    """Return an evaluation of some communities in thirty regions, its evidence and its sensitivity."""
    evaluation = evaluate(communities(SOME, 30), load_rules(RULES))
    return evaluation, weigh_evidence(evaluation), analyse_sensitivity(evaluation)


def write_standings():
    """Make the lines of standings.csv, sentences included."""
    return sum(map(len, standings_csv(*weighed(), "zh-Hans")))


def write_frames():
    """Make lines of the same numbers, without sentences, as pandas does."""
    evaluation, evidence, sensitivity = weighed()
    beside = [evidence.drop(columns="community_id").round(6), sensitivity.communities]
    return len(pd.concat([evaluation.standings, *beside], axis=1).to_csv())


@cache
def in_regions(regions):
    """Return an evaluation of sixty communities in regions of one size, with evidence and sensitivity."""
    evaluation = evaluate(communities(60, regions), load_rules(RULES))
    return evaluation, weigh_evidence(evaluation), analyse_sensitivity(evaluation)


def report_on(regions):
    return report_html(*in_regions(regions), "zh-Hans")


def benchmarks() -> Iterable[Benchmark]:
    yield Benchmark(
        f"percentiles of {SOME:,} communities beside percentileofscore for each",
        percentiles,
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
            note=lambda regions=regions: (
                "peak memory "
                + peak_memory(f"from tests.benchmarks.bench_evaluate import evaluate_all; evaluate_all({regions})")
            ),
        )
    yield Benchmark(
        f"standings.csv of {SOME:,} communities with three sentences each, beside pandas' to_csv without them",
        write_standings,
        write_frames,
        "≥ 0.3",
        note=lambda: f"{write_standings():,} characters, without sentences {write_frames():,}",
    )
    yield Benchmark(
        "report of 60 regions of one community, beside that of the same communities as one region",
        lambda: report_on(60),
        lambda: report_on(1),
        "ours 1.5 s",
        rounds=2,
    )
