"""Response tables read from files: one row per response, one column per question, validated as a whole."""

import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
import pandas as pd

from analytics.files.table_cells import read_cells
from analytics.files.typed_columns import CellReader, Column
from analytics.languages import N_

RESPONSE_COLUMNS: Final[Mapping[str, Column]] = {
    "response_id": Column("text"),
    "community_id": Column("text"),
    "submitted_at": Column("time"),
    "mode": Column("text"),
    "duration_seconds": Column("number", most=1e9),
    "device": Column("text"),
    "household": Column("text"),
    "address": Column("text"),
    "prefix": Column("text"),
    "poster": Column("text"),
    "helped": Column("count", most=1),
    "tenure": Column("count", least=1, most=3),
}
"""Columns of a response table that are not questions. `tenure` is 1 owner, 2 tenant, 3 other.

`poster` is that of the community through which a response came, if any; `helped` is 1 with help that was declared in
advance."""

_CODE: Final = Column("count", most=999)
_NOT_A_CODE: Final = N_("code {value} is neither a valid answer nor one that counts as missing")


@dataclass(frozen=True)
class ResponseTable:
    """Response rows of a file, with their answers.

    Attributes
    ----------
    responses : DataFrame
        Those of `RESPONSE_COLUMNS` that the file has, and further requested columns as text. Ids and texts are str,
        times in UTC, an unknown device, household, address, prefix or poster is missing.
    answers : DataFrame
        The same rows, one column per question: Int64 with <NA> where there is no valid answer.
    lines : sequence of int
        Line of each row in the file, or its row in a Parquet file.
    """

    responses: pd.DataFrame
    answers: pd.DataFrame
    lines: Sequence[int]


def read_responses(
    path: Path,
    *,
    questions: Sequence[str],
    valid_codes: Collection[int],
    missing_codes: Collection[int],
    needed: Sequence[str] = (),
    texts: Sequence[str] = (),
    community_column: str = "community_id",
) -> ResponseTable:
    """Read response rows from a CSV or Parquet file and check them.

    Parameters
    ----------
    path : Path
        A CSV or Parquet file, as in `analytics.decision.community_table.read_table`. Columns that are not requested are
        ignored, since exports hold many.
    questions : sequence of str
        Columns with codes, all required.
    valid_codes, missing_codes : collection of int
        Codes of valid answers, and codes that are none, such as “don't know”; any other code is a fault.
    needed : sequence of str
        Columns of `RESPONSE_COLUMNS` that are required besides `community_id`; no cell may be empty, except in
        `duration_seconds`.
    texts : sequence of str
        Further required columns, read as text; no cell may be empty.
    community_column : str
        Name of the `community_id` column in the file.

    Returns
    -------
    ResponseTable

    Raises
    ------
    TableError
        With every fault: its line, its column, the name of the column and the value.
    """
    cells = read_cells(path)
    reader = CellReader(cells)
    reader.rename(community_column, "community_id")
    required = list(dict.fromkeys(["community_id", *needed]))
    reader.expect_columns([*required, *texts, *questions])
    reader.expect_rows()
    responses = reader.read({**{name: Column("text") for name in texts}, **RESPONSE_COLUMNS})
    reader.note_empty(responses, [name for name in [*required, *texts] if name != "duration_seconds"])
    reader.note_repeats(responses, "response_id")
    codes = reader.read(dict.fromkeys(questions, _CODE))
    for question in codes:
        strange = codes[question].notna() & ~codes[question].isin([*valid_codes, *missing_codes])
        for row in np.flatnonzero(strange):
            reader.fault(int(row), str(question), _NOT_A_CODE, {"value": codes[question].iloc[row]})
    reader.raise_faults(str(path))
    for name in ("device", "household", "address", "prefix", "poster"):
        if name in responses:
            responses[name] = responses[name].mask(responses[name] == "")
    return ResponseTable(responses, codes.where(codes.isin(list(valid_codes))), cells.lines)


def list_questions(text: str) -> tuple[str, ...]:
    """Parse a list of questions with ranges, such as ``q02,q05-q07``.

    Parameters
    ----------
    text : str
        Such as ``q02,q05-q07``.

    Raises
    ------
    ValueError
        If a part is neither a question nor a range of questions.

    Examples
    --------
    >>> list_questions("q02, q05-q07")
    ('q02', 'q05', 'q06', 'q07')
    """
    questions: list[str] = []
    for part in text.split(","):
        found = re.fullmatch(r"q([0-9]{2,3})(?:-q([0-9]{2,3}))?", part.strip())
        if not found or int(found[2] or found[1]) < int(found[1]):
            raise ValueError(f"questions are listed as q02,q05-q07; {part.strip()!r} is none")
        first, last = int(found[1]), int(found[2] or found[1])
        questions += [f"q{number:0{len(found[1])}}" for number in range(first, last + 1)]
    return tuple(dict.fromkeys(questions))
