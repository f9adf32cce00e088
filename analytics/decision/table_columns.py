"""Columns of a community table: which of them hold each measure, and how they are read as numbers."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import pandas as pd

from analytics.rules import Measure
from analytics.statistics.validation import FloatArray


@dataclass(frozen=True)
class MeasureColumns:
    """Columns of a community table that hold a measure.

    `responses` counts the answers of the measure, `value` is ranked, `deviation` is the standard deviation of single
    answers; None if it follows from the counts.
    """

    responses: str
    value: str
    deviation: str | None

    @property
    def columns(self) -> tuple[str, str]:
        """Columns that a score requires: the responses and the value."""
        return self.responses, self.value


MEASURE_COLUMNS: Final[Mapping[Measure, MeasureColumns]] = {
    "satisfaction_rate": MeasureColumns("responses", "satisfied", None),
    "satisfaction_index": MeasureColumns("responses", "mean_index", "sd_index"),
    "composite": MeasureColumns("composite_responses", "mean_composite", "sd_composite"),
}
"""Columns of each measure. A composite is based on other responses than the overall question."""


LATE_ANSWERS_SPREAD: Final = "late_answers_spread"
"""Column with the ω that late answers suggest, as a share of the range of scores: one for each region."""

SLIP_ANSWERS_SPREAD: Final = "slip_answers_spread"
"""Column with the ω that answers through slips suggest beside those through posters, likewise."""

SPREAD_COLUMNS: Final = (LATE_ANSWERS_SPREAD, SLIP_ANSWERS_SPREAD)


def float_column(table: pd.DataFrame, name: str) -> FloatArray:
    """Return a column of a table as floats, NaN where a value or the whole column is missing.

    Examples
    --------
    >>> float_column(pd.DataFrame({"responses": pd.array([3, None], dtype="Int64")}), "responses").tolist()
    [3.0, nan]
    """
    if name not in table:
        return np.full(len(table), np.nan)
    return table[name].to_numpy(dtype=np.float64, na_value=np.nan)


def plain_values(values: "pd.Series[Any]") -> list[Any]:
    """Return the values of a column as Python objects, None where missing, for JSON and CSV.

    Examples
    --------
    >>> plain_values(pd.Series(["a", None], dtype="str")), plain_values(pd.Series([3, None], dtype="Int64"))
    (['a', None], [3, None])
    """
    return values.astype(object).where(values.notna().to_numpy(dtype=bool), None).tolist()
