"""Record of how often the evidence was right in simulated cities, as the calibration study last wrote it.

It lies beside this module, so that a method statement can quote it without simulating anything.
"""

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import date
from functools import cache
from math import sqrt
from pathlib import Path
from typing import Any, Final

from analytics.evidence.bands import LIKELY_FROM, Evidence

RECORD_FILE: Final = Path(__file__).with_name("calibration_record.json")

LEAST_RIGHT: Final = 0.95
"""Share of those called certain, or ruled out, of which it has to be true."""

LEAST_COVERAGE: Final = 0.93
"""Share of all communities, and of the observed best, whose true value an interval at the level 95 % has to hold."""

# Shares of so few are not judged.
_LEAST_JUDGED: Final = 30
_STANDARD_ERRORS: Final = 2


@dataclass(frozen=True)
class Cell:
    """How often the evidence was right in one scenario with regions of one size.

    `coverage` and `coverage_best` are the shares of all communities and of the observed best whose interval at the
    level 95 % held the true value. `certain` communities were called so, and the share `certain_right` of them was
    truly among the best; of those ruled out (`no`) the share `no_right` was truly not. `bands` has for each word that
    was used how many communities it was used of, the mean probability, and the share that was truly among the best.
    A share of none is None.
    """

    scenario: str
    communities: int
    regions: int
    coverage: float
    coverage_best: float
    certain: int
    certain_right: float | None
    no: int
    no_right: float | None
    bands: dict[str, list[float]]

    def share(self, name: str) -> float | None:
        """Return the share that was right, by "certain", "likely", "no", "coverage" or "coverage_best"."""
        return {
            "certain": self.certain_right,
            "likely": self.bands.get(Evidence.LIKELY, (0, 0.0, None))[2],
            "no": self.no_right,
            "coverage": self.coverage,
            "coverage_best": self.coverage_best,
        }[name]

    @property
    def shortcomings(self) -> tuple[str, ...]:
        """Which of these shares fall short by more than two standard errors."""
        bars = {
            "certain": (LEAST_RIGHT, self.certain),
            "likely": (LIKELY_FROM, self.bands.get(Evidence.LIKELY, (0,))[0]),
            "no": (LEAST_RIGHT, self.no),
            "coverage": (LEAST_COVERAGE, self.regions * self.communities),
            "coverage_best": (LEAST_COVERAGE, self.regions * max(1, self.communities // 20)),
        }
        return tuple(
            name
            for name, (least, judged) in bars.items()
            if (share := self.share(name)) is not None
            and judged >= _LEAST_JUDGED
            and share < least - _STANDARD_ERRORS * sqrt(least * (1 - least) / judged)
        )


@dataclass(frozen=True)
class CalibrationRecord:
    """Cells of a study, the day on which it was made, its seed and the method of the evidence that was tried."""

    made_on: date
    seed: int
    evidence_method: int
    cells: tuple[Cell, ...]


@cache
def read_calibration_record(path: Path = RECORD_FILE) -> CalibrationRecord:
    """Return the record of a file, by default that beside this module.

    Examples
    --------
    >>> record = read_calibration_record()
    >>> sorted({cell.communities for cell in record.cells})
    [20, 50, 200, 1000]
    """
    content = json.loads(path.read_text("utf-8"))
    return CalibrationRecord(
        made_on=date.fromisoformat(content["made_on"]),
        seed=content["seed"],
        evidence_method=content["evidence_method"],
        cells=tuple(Cell(**cell) for cell in content["cells"]),
    )


def record_text(cells: Sequence[Cell], *, made_on: date, seed: int, evidence_method: int) -> str:
    """Return a record as the text of its file.

    Examples
    --------
    >>> record_text([], made_on=date(2026, 12, 2), seed=11, evidence_method=4).splitlines()[1]
    ' "cells": [],'
    """
    content: dict[str, Any] = {
        "format": "jiayuan-calibration-record-1",
        "made_on": made_on.isoformat(),
        "seed": seed,
        "evidence_method": evidence_method,
        "cells": [asdict(cell) for cell in cells],
    }
    return json.dumps(content, ensure_ascii=False, allow_nan=False, sort_keys=True, indent=1) + "\n"
