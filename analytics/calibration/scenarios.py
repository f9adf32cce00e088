"""Scenarios that found faults in evidence: how often it is right where its assumptions do not hold.

Each is tried in regions of 20 to 1,000 communities under the learned prior, the best 5 % being sought. What comes out
is kept as `analytics.evidence.calibration_record`, which reports quote.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from fractions import Fraction
from types import MappingProxyType
from typing import Final

import numpy as np
import pandas as pd

from analytics.calibration.complaint_rates import calibrate_complaints
from analytics.calibration.evidence import (
    NONRESPONSE_SPREAD,
    Calibration,
    Sample,
    calibrate_sample,
    draw_households,
    draw_posters,
)
from analytics.calibration.study import SEED
from analytics.decision.criterion import count_positions
from analytics.evidence.bands import Evidence
from analytics.evidence.calibration_record import Cell
from analytics.statistics.validation import FloatArray

REGION_SIZES: Final = (20, 50, 200, 1000)
COMMUNITIES_OF_A_CELL: Final = 100_000
FAR_SPREAD: Final = 0.055
"""Standard deviation of the difference of those who answer where it is far larger than the rule files assume."""

RELUCTANCE: Final = 0.5
_SHARE: Final = Fraction(1, 20)
_DECIMALS: Final = 3


@dataclass(frozen=True)
class _Scenario:
    """How rates and answers are drawn, and which assumptions the evidence makes."""

    rates: Callable[[np.random.Generator, int], FloatArray]
    draw: Callable[[np.random.Generator, FloatArray], Sample]
    design_effect: float = 1.0
    assumed_spread: float = NONRESPONSE_SPREAD


def _beta(random: np.random.Generator, size: int) -> FloatArray:
    return random.beta(16, 4, size)


def _heavy_tailed(random: np.random.Generator, size: int) -> FloatArray:
    return np.clip(0.8 + 0.05 * random.standard_t(3, size), 0.01, 0.99)


def _far(random: np.random.Generator, rates: FloatArray) -> Sample:
    return draw_households(random, rates, spread=FAR_SPREAD)


_SCENARIOS: Final[Mapping[str, _Scenario]] = MappingProxyType(
    {
        "as_assumed": _Scenario(_beta, draw_households),
        "heavy_tail": _Scenario(_heavy_tailed, draw_households),
        "far_nonresponse": _Scenario(_beta, _far),
        "far_nonresponse_raised": _Scenario(_beta, _far, assumed_spread=FAR_SPREAD),
        "reluctant_best": _Scenario(_beta, lambda random, rates: draw_households(random, rates, reluctance=RELUCTANCE)),
        "poster_pairs": _Scenario(_beta, lambda random, rates: draw_posters(random, rates, 2), design_effect=2.0),
        "poster_pairs_unknown": _Scenario(_beta, lambda random, rates: draw_posters(random, rates, 2)),
    }
)
_COMPLAINTS: Final[Mapping[str, str]] = MappingProxyType({"repeat_complaints": "gamma_repeats"})

SCENARIOS: Final = (*_SCENARIOS, *_COMPLAINTS)
"""Names of the scenarios.

Rates and answers as the rules assume; rates with a heavy tail (.8 + .05 t₃); those who answer differ by .055 where .03
is assumed, and where late answers have raised that to .055; better communities answer less; two like answers of each
household on posters, known to the evidence and not known; households that complain again.
"""


def list_cells(*, quick: bool) -> list[tuple[str, int, int]]:
    """Return scenario, communities of a region and number of regions of every cell of the study.

    Parameters
    ----------
    quick : bool
        Only regions of 20, and few of them.

    Examples
    --------
    >>> len(list_cells(quick=True)), len(list_cells(quick=False))
    (8, 32)
    """
    if quick:
        return [(name, REGION_SIZES[0], 20) for name in SCENARIOS]
    return [(name, size, COMMUNITIES_OF_A_CELL // size) for name in SCENARIOS for size in REGION_SIZES]


def run_cells(cells: Iterable[tuple[str, int, int]]) -> Iterator[Cell]:
    """Simulate cells of the study and yield how often the evidence was right; the same cells give the same numbers.

    Parameters
    ----------
    cells : iterable of (str, int, int)
        As `list_cells` returns them.

    Yields
    ------
    Cell
        Shares with three decimals.

    Raises
    ------
    ValueError
        If there is no such scenario.

    Examples
    --------
    >>> [cell] = run_cells([("as_assumed", 20, 5)])
    >>> cell.communities, cell.regions, cell.coverage
    (20, 5, 0.97)
    """
    for name, communities, regions in cells:
        found = _calibrate(name, communities, regions)
        coverage = found.coverage[found.coverage["interval"] == "credible"].set_index("group")["coverage"]
        bands = found.bands.assign(evidence=found.bands["evidence"].map(str)).set_index("evidence")
        certain, certain_true = _band(bands, Evidence.CERTAIN)
        excluded, excluded_true = _band(bands, Evidence.NO)
        yield Cell(
            scenario=name,
            communities=communities,
            regions=regions,
            coverage=round(float(coverage["all"]), _DECIMALS),
            coverage_best=round(float(coverage["observed_top"]), _DECIMALS),
            certain=certain,
            certain_right=certain_true,
            no=excluded,
            no_right=None if excluded_true is None else round(1 - excluded_true, _DECIMALS),
            bands={
                str(word): [
                    int(row["communities"]),
                    *(round(float(row[n]), _DECIMALS) for n in ("predicted", "realised")),
                ]
                for word, row in bands.iterrows()
            },
        )


def _calibrate(name: str, communities: int, regions: int) -> Calibration:
    if name in _COMPLAINTS:
        return calibrate_complaints(
            _COMPLAINTS[name], prior="nonparametric", communities=communities, regions=regions, seed=SEED, share=_SHARE
        )
    if name not in _SCENARIOS:
        raise ValueError(f"there is no scenario {name!r}")
    scenario, random = _SCENARIOS[name], np.random.default_rng([SEED, communities])
    region = np.repeat(np.arange(regions), communities)
    return calibrate_sample(
        scenario.draw(random, scenario.rates(random, region.size)),
        region=region,
        size=count_positions(_SHARE, communities, rounding="floor"),
        prior="nonparametric",
        design_effect=scenario.design_effect,
        assumed_spread=scenario.assumed_spread,
    )


def _band(bands: pd.DataFrame, word: Evidence) -> tuple[int, float | None]:
    """Return how many communities a word was used of, and which share of them was truly among the best."""
    if word not in bands.index:
        return 0, None
    return int(bands["communities"].loc[word]), round(float(bands["realised"].loc[word]), _DECIMALS)
