"""Large selects as data frames, read by columns: a hundred thousand rows without an object for each."""

from collections.abc import Mapping
from typing import Any, Final

import numpy as np
import pandas as pd
from sqlalchemy import Select
from sqlalchemy.orm import Session

# Rows that exist at once beside the columns: more would keep the collector of unused objects busy.
_ROWS_AT_ONCE: Final = 10_000


def read_frame(
    session: Session, statement: Select[*tuple[Any, ...]], types: Mapping[str, str] | None = None
) -> pd.DataFrame:
    """Return the result of a select over columns, with `types` for some of them; pandas finds those of the others."""
    # Core: for every row the session would look whether it holds entities.
    result = session.connection().execute(statement)
    names, kinds = list(result.keys()), types or {}
    columns: list[list[Any]] = [[] for _name in names]
    for rows in result.partitions(_ROWS_AT_ONCE):
        for column, values in zip(columns, zip(*rows, strict=True), strict=True):
            column.extend(values)
    return pd.DataFrame({name: _typed(values, kinds.get(name)) for name, values in zip(names, columns, strict=True)})


def _typed(values: list[Any], kind: str | None) -> Any:
    """Return values as an array of a type, NULL as missing."""
    if kind == "float64":
        return np.array(values, dtype="float64")
    if kind == "Int64":
        # Whole numbers of a database may be as long as these, and longer than a float holds exactly.
        missing = np.array([value is None for value in values], dtype=bool)
        known = np.array(
            [0 if value is None else value for value in values] if missing.any() else values, dtype="int64"
        )
        return pd.arrays.IntegerArray(known, missing)
    if kind == "category":
        return pd.Categorical(values)
    return pd.Series(values, dtype=kind)
