"""How often intervals of the evidence miss the truth in simulated cities, with a method that was added and without it.

Not a speed: the figure is the share of communities of which the interval at the level 95 % does not hold the true
share of satisfied households. A twentieth of them may be missed.
"""

from collections.abc import Callable
from functools import cache, partial
from typing import Final

import numpy as np

from analytics.calibration.evidence import NONRESPONSE_SPREAD, draw_households
from analytics.calibration.scenarios import run_cells
from analytics.statistics.picked_intervals import picked_shares
from tests.benchmarks.harness import Benchmark, Figure

COMMUNITIES: Final = 200
REGIONS: Final = 200
LISTED: Final = 10
LEVEL: Final = 0.95


@cache
def missed(scenario: str) -> Figure:
    """Return the share of all communities that the evidence misses in a scenario."""
    [cell] = run_cells([(scenario, COMMUNITIES, REGIONS)])
    return Figure(1 - cell.coverage)


@cache
def missed_of_the_listed() -> tuple[Figure, Figure]:
    """Return the share of the listed that intervals corrected for having been picked miss, and those of the answers."""
    random = np.random.default_rng(1)
    kept: list[list[np.ndarray]] = [[], []]
    for _ in range(REGIONS):
        drawn = draw_households(random, random.beta(16, 4, COMMUNITIES))
        listed = np.argsort(-drawn.satisfied / drawn.answers, kind="stable")[:LISTED]
        corrected = picked_shares(
            drawn.satisfied[listed],
            drawn.answers[listed],
            picked=LISTED,
            ranked=COMMUNITIES,
            level=LEVEL,
            sampling_fraction=drawn.fraction[listed],
            nonresponse_spread=NONRESPONSE_SPREAD,
        )
        truths = drawn.truths[listed]
        for found, lower, upper in (
            (kept[0], corrected.lower, corrected.upper),
            (kept[1], drawn.limits.lower[listed], drawn.limits.upper[listed]),
        ):
            found.append((truths < lower) | (truths > upper))
    ours, plain = (Figure(np.concatenate(found).mean()) for found in kept)
    return ours, plain


def benchmarks() -> list[Benchmark]:
    """Return what `./run bench` measures here."""
    return [
        _of(
            "those who did not answer differ by .055: with what late answers say, beside the assumed .03",
            partial(missed, "far_nonresponse_raised"),
            partial(missed, "far_nonresponse"),
        ),
        _of(
            "like answers of a household on posters: with their design effect, beside without",
            partial(missed, "poster_pairs"),
            partial(missed, "poster_pairs_unknown"),
        ),
        _of(
            "the listed: corrected for having been picked, beside intervals of the answers",
            lambda: missed_of_the_listed()[0],
            lambda: missed_of_the_listed()[1],
        ),
    ]


def _of(name: str, ours: Callable[[], Figure], baseline: Callable[[], Figure]) -> Benchmark:
    return Benchmark(
        name=f"calibration: {name}",
        ours=ours,
        baseline=baseline,
        bar="ours ≤ 0.055 missed",
        rounds=1,
        unit="missed",
    )
