"""A study of the evidence over every distribution of true rates and several sizes of region, written to files."""

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import pandas as pd

from analytics.calibration import TRUTHS, calibrate
from analytics.evaluate import versions
from analytics.shrinkage import Prior

SEED: Final = 11
COVERAGE_FILE: Final = "coverage.csv"
BANDS_FILE: Final = "bands.csv"
STUDY_FILE: Final = "calibration.json"

_DECIMALS: Final = 6


@dataclass(frozen=True)
class Setting:
    """One simulated case: a distribution of true rates, the prior that is supposed, and regions of one size."""

    truth: str
    prior: Prior
    communities: int
    regions: int


@dataclass(frozen=True)
class Found:
    """What came true in a setting: the tables of `analytics.calibration.Calibration`, each with the setting before."""

    setting: Setting
    coverage: pd.DataFrame
    bands: pd.DataFrame
    curve: pd.DataFrame


def list_settings(*, quick: bool) -> list[Setting]:
    """Return the settings of a study: all of them, or a few that take seconds.

    Parameters
    ----------
    quick : bool
        Only the nonparametric prior in two regions of 200.

    Examples
    --------
    >>> len(list_settings(quick=True)), len(list_settings(quick=False))
    (4, 24)
    """
    if quick:
        return [Setting(truth, "nonparametric", 200, 2) for truth in TRUTHS]
    priors: tuple[Prior, ...] = ("normal", "nonparametric")
    sizes = ((40, 60), (200, 50), (2000, 5))
    return [Setting(truth, prior, *size) for truth in TRUTHS for prior in priors for size in sizes]


def run_settings(settings: Iterable[Setting]) -> Iterator[Found]:
    """Yield what came true in each setting; the same settings give the same numbers.

    Parameters
    ----------
    settings : iterable of Setting

    Yields
    ------
    Found
    """
    for setting in settings:
        result = calibrate(**vars(setting), seed=SEED)
        coverage, bands, curve = (
            pd.DataFrame(vars(setting), index=frame.index).add_prefix("setting_").join(frame).round(_DECIMALS)
            for frame in (result.coverage, result.bands, result.curve)
        )
        yield Found(setting, coverage, bands, curve)


def write_study(found: list[Found], directory: Path) -> None:
    """Write `coverage.csv`, `bands.csv` and, with the curves and how it was done, `calibration.json`.

    Parameters
    ----------
    found : list of Found
        At least one.
    directory : Path
        Made if it is missing.

    Raises
    ------
    OSError
        If a file cannot be written.
    """
    directory.mkdir(parents=True, exist_ok=True)
    tables = {
        name: pd.concat([getattr(one, name) for one in found], ignore_index=True)
        for name in ("coverage", "bands", "curve")
    }
    tables["bands"]["evidence"] = tables["bands"]["evidence"].map(str)
    for file, name in ((COVERAGE_FILE, "coverage"), (BANDS_FILE, "bands")):
        (directory / file).write_bytes(tables[name].to_csv(index=False, lineterminator="\r\n").encode("utf-8-sig"))
    content = {
        "format": "jiayuan-calibration-1",
        "seed": SEED,
        "versions": versions(),
        **{name: table.to_dict("records") for name, table in tables.items()},
    }
    text = json.dumps(content, ensure_ascii=False, allow_nan=False, sort_keys=True, indent=1)
    (directory / STUDY_FILE).write_text(text + "\n", "utf-8")
