"""All signals on 100,000 responses, beside permuting the scores of each community for one of them."""

from collections.abc import Iterable
from functools import cache

import numpy as np

from analytics.calibration.simulated_city import TIME_ZONE, simulate_honest_city
from analytics.statistics.integrity_signals import find_signals
from tests.benchmarks.harness import Benchmark

COMMUNITIES = 1_000
PERMUTATIONS = 199


@cache
def city():
    """Responses and answers of a thousand communities."""
    return simulate_honest_city(1, COMMUNITIES)


def find_all_signals():
    """Judge every community by every family."""
    return find_signals(*city(), overall="q01", staff_modes={"paper"}, time_zone=TIME_ZONE)


def permute_scores():
    """Test the densest ten minutes of each community for satisfied answers, by permutation: p of 0.005 at the least."""
    responses, answers = city()
    random = np.random.default_rng(3)
    second = responses["submitted_at"].dt.as_unit("s").astype("int64").to_numpy()
    satisfied = (answers["q01"] >= 4).to_numpy(dtype=bool, na_value=False)
    p = []
    for rows in responses.groupby("community_id").indices.values():
        order = rows[np.argsort(second[rows])]
        after = np.searchsorted(second[order], second[order] + 600, side="right")
        size = int((after - np.arange(order.size)).max())
        start = int((after - np.arange(order.size)).argmax())
        scores = satisfied[order]
        permuted = random.permuted(np.tile(scores, (PERMUTATIONS, 1)), axis=1)[:, :size].sum(axis=1)
        p.append((1 + (permuted >= scores[start : start + size].sum()).sum()) / (1 + PERMUTATIONS))
    return np.array(p)


def benchmarks() -> Iterable[Benchmark]:
    """Return what `./run bench` measures here."""
    return [
        Benchmark(
            name=f"integrity: all signals of 100,000 responses in {COMMUNITIES:,} communities",
            ours=find_all_signals,
            baseline=permute_scores,
            bar="≥ 1: eleven families cost less than 199 permutations for one of them",
            note=lambda: f"{len(city()[0]):,} responses, {find_all_signals().responses['held'].sum()} of them held",
        )
    ]
