"""Large selects as data frames, read by columns: a hundred thousand rows without an object for each."""

from collections.abc import Mapping
from typing import Any, Final

import numpy as np
import pandas as pd
import pyarrow as pa
from sqlalchemy import Select
from sqlalchemy.orm import Session

# Rows that exist at once beside the columns: more would leave the cache of the processor before they are taken apart.
_ROWS_AT_ONCE: Final = 1_000


def read_frame(
    session: Session, statement: Select[*tuple[Any, ...]], types: Mapping[str, str] | None = None
) -> pd.DataFrame:
    """Return the result of a select over columns, with `types` for some of them; pandas finds those of the others."""
    # Core: for every row the session would look whether it holds entities.
    with session.connection().execute(statement) as result:
        names, kinds = list(result.keys()), types or {}
        codes = [described[1] for described in result.cursor.description]
        columns: list[list[Any]] = [[] for _name in names]
        # As the driver gives them: to make rows of SQLAlchemy, and to take them apart again, takes as long as all else.
        while rows := result.cursor.fetchmany(_ROWS_AT_ONCE):
            for column, part in zip(columns, zip(*rows, strict=True), strict=True):
                column.extend(part)
    dialect, found = session.connection().dialect, {}
    for name, stored, code, values in zip(names, statement.selected_columns, codes, columns, strict=True):
        convert = stored.type.dialect_impl(dialect).result_processor(dialect, code)
        found[name] = _typed(values if convert is None else list(map(convert, values)), kinds.get(name))
    return pd.DataFrame(found)


def _typed(values: list[Any], kind: str | None) -> Any:
    """Return values as an array of a type, NULL as missing."""
    if kind == "float64":
        return np.array(values, dtype="float64")
    if kind == "Int64":
        # Whole numbers of a database may be as long as these, and longer than a float holds exactly.
        given = pa.array(values, pa.int64())
        known = given.fill_null(0).to_numpy()
        return pd.arrays.IntegerArray(known.copy(), given.is_null().to_numpy(zero_copy_only=False))
    if kind == "category":
        return _categories(values)
    return pd.Series(values, dtype=kind)


def _categories(values: list[str | None]) -> pd.Categorical:
    """Return texts as categories in their order; pandas would look at each text several times."""
    encoded = pa.array(values, pa.string()).dictionary_encode()
    words = encoded.dictionary.to_pylist()
    order = sorted(range(len(words)), key=words.__getitem__)
    # NULL takes the place after the last word, which is none.
    places = np.full(len(words) + 1, -1)
    places[order] = np.arange(len(words))
    codes = places[encoded.indices.fill_null(len(words)).to_numpy()]
    return pd.Categorical.from_codes(codes, pd.Index([words[place] for place in order], dtype="str"))
