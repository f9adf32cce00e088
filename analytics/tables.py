"""Community tables: what an evaluation starts from, read from a file and checked as a whole."""

import csv
import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Literal

import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow as pa
from pyarrow import parquet

from analytics.documents import DocumentError, Fault, decode_text
from analytics.languages import N_
from analytics.ratios import MEASURED, read_scores
from analytics.ratios import column as read_column
from analytics.rules import Rules

_PARQUET_BYTES = b"PAR1"
_WORKBOOK_BYTES = (b"PK\x03\x04", b"\xd0\xcf\x11\xe0")

_Flags = npt.NDArray[np.bool_]


@dataclass(frozen=True)
class _Column:
    kind: Literal["text", "count", "number"]
    least: float = 0
    most: float = 2**31 - 1  # products of two counts stay below 2⁶³


COLUMNS: Final[Mapping[str, _Column]] = {
    "community_id": _Column("text"),
    "region": _Column("text"),
    "name": _Column("text"),
    "responses": _Column("count"),
    "satisfied": _Column("count"),
    "mean_index": _Column("number", most=100),
    "sd_index": _Column("number", most=100),
    "composite_responses": _Column("count"),
    "mean_composite": _Column("number", most=100),
    "sd_composite": _Column("number", most=100),
    "score": _Column("number", most=100),
    "score_precision": _Column("number", least=1e-6, most=100),
    "households": _Column("count"),
    "complaints": _Column("count"),
    "exposure_household_years": _Column("number", most=1e9),  # in millionths it stays an exact float
    "denominator_source": _Column("text"),
}
"""Every column that a table may have."""

_DENOMINATORS = ("occupied_households", "delivered_households")


class TableError(DocumentError):
    """A community table that cannot be evaluated, with every fault found in it."""


def read_table(path: Path, rules: Rules) -> pd.DataFrame:
    """Return the communities in a file, after checking all of it.

    Parameters
    ----------
    path : Path
        A CSV file (UTF-8 with or without byte order mark, or GB18030; the first row names the columns) or a Parquet
        file. Columns as in `check_communities`; any other column is a fault, since it may be a misspelt one.
    rules : Rules
        Says which columns are needed.

    Returns
    -------
    DataFrame
        As `check_communities` returns it: one row per row of the file, in its order.

    Raises
    ------
    TableError
        With every fault: its line (its row in a Parquet file), its column, the name of the column and the value.

    Notes
    -----
    A file with more responses than households is refused: one of the two numbers is in the wrong column or of
    another population.
    """
    cells = _read_cells(path)
    faults = [*cells.faults, *_unknown_columns(cells)]
    checker = _Checker(cells, faults)
    table = checker.check(rules)
    checker.check_households(table)
    if faults:
        raise TableError(str(path), faults)
    return table


def read_plan(path: Path) -> pd.DataFrame:
    """Return the communities that a survey is planned for, after checking all of the file.

    Parameters
    ----------
    path : Path
        As in `read_table`. Needed are `community_id`, `region` and `households`, in every row and at least 1; the other
        columns may be there.

    Returns
    -------
    DataFrame
        As `check_communities` returns it.

    Raises
    ------
    TableError
        With every fault, as `read_table`.
    """
    cells = _read_cells(path)
    faults = [*cells.faults, *_unknown_columns(cells)]
    table = _Checker(cells, faults).check_plan()
    if faults:
        raise TableError(str(path), faults)
    return table


def check_communities(communities: pd.DataFrame, rules: Rules, *, source: str = "communities") -> pd.DataFrame:
    """Return a community table with the one type that each column has, after checking all of it.

    Parameters
    ----------
    communities : DataFrame
        One row per community. `community_id` and `region` are text, never empty, ids never twice. For the
        satisfaction route either what the rules measure (`responses` with `satisfied` for the satisfaction rate or
        with `mean_index` for the index, `composite_responses` with `mean_composite` for the composite), or a given
        `score` from 0 to 100 with its `score_precision`, one for all rows. For the complaint route `complaints` and
        `exposure_household_years`. Optional: `name`, `households`, `sd_index`, `sd_composite`, what other rules would
        measure, and `denominator_source` (``occupied_households`` or ``delivered_households``). Counts are of the
        ranked population: where the rules rank owners, of owners. Other columns are left out.
    rules : Rules
        Says which columns are needed.
    source : str
        Name of the table, for messages.

    Returns
    -------
    DataFrame
        The known columns in one order, as many rows in the same order, a new index. Text is str, counts are Int64
        with <NA>, numbers float64 with NaN.

    Raises
    ------
    TableError
        With every fault: its row, counted from 1, the name of the column and the value.

    Examples
    --------
    >>> from analytics.rules import load_rules
    >>> rules = load_rules(Path("data/rules/wuhai/2021-08-23.yaml"))
    >>> frame = pd.DataFrame({"community_id": ["001", "001"], "region": "乌达区", "responses": [30, 2], "satisfied": 5})
    >>> check_communities(frame, rules)
    Traceback (most recent call last):
        ...
    analytics.tables.TableError: communities:2: community_id: 001 stands already in row 1
    communities:2: satisfied: 5 satisfied of 2 responses
    """
    faults: list[Fault] = []
    table = _Checker(_Cells(communities.reset_index(drop=True), range(1, len(communities) + 1), {}), faults).check(
        rules
    )
    if faults:
        raise TableError(source, faults)
    return table


@dataclass(frozen=True)
class _Cells:
    """A table as it came, with the line of each row and the position of each column where the file has them."""

    frame: pd.DataFrame
    lines: Sequence[int]
    positions: Mapping[str, int]
    faults: tuple[Fault, ...] = ()


def _read_cells(path: Path) -> _Cells:
    source = str(path)
    try:
        content = path.read_bytes()
        is_parquet = path.suffix == ".parquet" or content.startswith(_PARQUET_BYTES)
        return _read_parquet(content, source) if is_parquet else _read_csv(content, source)
    except OSError as error:
        problem = error.strerror or error
        raise TableError(source, [Fault("the file cannot be read: {problem}", {"problem": problem})]) from error
    except TableError:
        raise
    except DocumentError as error:
        raise TableError(error.source, error.faults) from error


def _read_csv(content: bytes, source: str) -> _Cells:
    if content.startswith(_WORKBOOK_BYTES):
        raise TableError(source, [Fault("this is a workbook: save it as “CSV UTF-8”")])
    text = decode_text(content, source)
    if "\0" in text:
        line = text[: text.index("\0")].count("\n") + 1
        raise TableError(source, [Fault("the file is damaged: it holds a zero byte", line=line)])
    reader = csv.reader(io.StringIO(text, newline=""), strict=True)
    lines, rows, faults = [], [], []
    line = 1
    try:
        header = [name.strip() for name in next(reader, [])]
        line = reader.line_num + 1
        for cells in reader:
            if len(cells) == len(header):
                lines.append(line)
                rows.append(cells)
            elif cells:  # an empty line is no row
                facts = {"count": len(cells), "expected": len(header)}
                faults.append(Fault("this row has {count} cells, the header has {expected}", facts, line=line))
            line = reader.line_num + 1
    except csv.Error as error:
        raise TableError(source, [Fault("this row is not CSV: {problem}", {"problem": error}, line=line)]) from error
    repeated = [position for position, name in enumerate(header) if name in header[:position]]
    faults += [Fault("this column stands here twice", {}, header[position], 1, position + 1) for position in repeated]
    columns = list(zip(*rows, strict=True)) if rows else [()] * len(header)
    frame = pd.DataFrame({name: pd.Series(columns[header.index(name)], dtype="str") for name in header})
    return _Cells(frame, lines, {name: header.index(name) + 1 for name in header}, tuple(faults))


def _read_parquet(content: bytes, source: str) -> _Cells:
    try:
        frame = parquet.read_table(pa.BufferReader(content)).to_pandas()
    except (pa.ArrowException, OSError) as error:
        problem = str(error).splitlines()[0]
        fault = Fault("this Parquet file is cut off or damaged: {problem}", {"problem": problem})
        raise TableError(source, [fault]) from error
    return _Cells(frame.reset_index(drop=True), range(1, len(frame) + 1), {})


def _unknown_columns(cells: _Cells) -> list[Fault]:
    known = ", ".join(COLUMNS)
    return [
        Fault("this column is not known; there are {known}", {"known": known}, str(name), 1, cells.positions.get(name))
        for name in cells.frame.columns
        if name not in COLUMNS
    ]


class _Checker:
    """Turns cells into typed columns and notes every fault; a faulty cell is not judged again."""

    def __init__(self, cells: _Cells, faults: list[Fault]) -> None:
        self._cells, self._faults = cells, faults
        self._faulty: dict[str, _Flags] = {}

    def check(self, rules: Rules) -> pd.DataFrame:
        self._check_columns(rules)
        table = self._typed()
        self._check_names(table)
        self._check_answers(table, rules)
        self._check_scores(table, rules)
        return table

    def check_plan(self) -> pd.DataFrame:
        self._expect_columns(["community_id", "region", "households"])
        table = self._typed()
        self._check_names(table)
        if "households" in table:
            missing = ~(read_column(table, "households") >= 1)
            self._note(missing, "households", N_("the number of households is missing"), table)
        return table

    def _typed(self) -> pd.DataFrame:
        frame = self._cells.frame
        if frame.empty and not self._cells.faults:
            self._faults.append(Fault("the table has no rows"))
        return pd.DataFrame(
            {name: self._read(name, column) for name, column in COLUMNS.items() if name in frame}, index=frame.index
        )

    def check_households(self, table: pd.DataFrame) -> None:
        households = read_column(table, "households")
        for name, message in (
            ("responses", N_("{responses} responses of {households} households")),
            ("composite_responses", N_("{composite_responses} responses of {households} households")),
        ):
            self._note(read_column(table, name) > households, name, message, table, name, "households")

    def _check_columns(self, rules: Rules) -> None:
        names, measured = set(self._cells.frame.columns), MEASURED[rules.satisfaction.measure]
        needed = ["community_id", "region"]
        needed += ["score_precision"] if "score" in names else measured.columns
        if "complaints" in names or "exposure_household_years" in names:
            needed += ["complaints", "exposure_household_years"]
        self._expect_columns(needed)
        if {"score", measured.value} <= names:
            fault = Fault("give either this column or {other}, not both", {"other": measured.value}, "score", 1)
            self._faults.append(fault)

    def _expect_columns(self, needed: Sequence[str]) -> None:
        for name in needed:
            if name not in self._cells.frame:
                self._faults.append(Fault("this column is missing", {}, name, 1))

    def _read(self, name: str, column: _Column) -> "pd.Series[Any]":
        values = self._cells.frame[name]
        if column.kind == "text":
            return self._read_text(name, values)
        numbers, written = self._read_numbers(name, values)
        whole = column.kind == "count"
        self._refuse(whole & (numbers % 1 != 0) & ~np.isnan(numbers), name, _NOT_WHOLE, numbers, written)
        self._refuse(numbers < 0, name, N_("this cannot be negative, it is {value}"), numbers, written)
        self._refuse(numbers < column.least, name, N_("this must be at least {limit}, it is {value}"), numbers, written)
        self._refuse(numbers > column.most, name, N_("this must be at most {limit}, it is {value}"), numbers, written)
        series = pd.Series(numbers)
        return series.astype("Int64") if whole else series

    def _read_text(self, name: str, values: "pd.Series[Any]") -> "pd.Series[Any]":
        if pd.api.types.is_float_dtype(values) and values.notna().any():
            fault = Fault("this column must be text: as numbers its zeros are lost", {}, name, 1)
            self._faults.append(fault)
        return values.astype("str").where(values.notna(), "").str.strip().astype("str")

    def _read_numbers(self, name: str, values: "pd.Series[Any]") -> tuple[npt.NDArray[np.float64], "pd.Series[Any]"]:
        if pd.api.types.is_numeric_dtype(values) and not pd.api.types.is_bool_dtype(values):
            numbers = values.to_numpy(dtype=np.float64, na_value=np.nan)
            written, readable = values, np.isfinite(numbers) | values.isna().to_numpy(dtype=bool)
        else:
            written = values.astype("str").where(values.notna(), "").str.strip()
            blank = (written == "").to_numpy(dtype=bool)
            readable = blank | written.str.fullmatch(_NUMBER).to_numpy(dtype=bool)
            numbers = written.where(readable & ~blank).astype("float64").to_numpy()
            readable &= ~np.isinf(numbers)
        message = _NOT_WHOLE if COLUMNS[name].kind == "count" else N_("this must be a number, it is “{value}”")
        self._faulty[name] = np.zeros(len(values), dtype=bool)
        numbers = numbers.copy()
        self._refuse(~readable, name, message, numbers, written)
        return numbers, written

    def _refuse(
        self,
        bad: _Flags,
        name: str,
        message: str,
        numbers: npt.NDArray[np.float64],
        written: "pd.Series[Any]",
    ) -> None:
        """Note a fault at each bad cell and blank it, so that nothing else is said about it."""
        for row in np.flatnonzero(bad):
            limit = COLUMNS[name].least if numbers[row] < COLUMNS[name].least else COLUMNS[name].most
            self._fault(int(row), name, message, {"value": written.iloc[row], "limit": f"{limit:.10g}"})
        self._faulty[name] |= bad
        numbers[bad] = np.nan

    def _fault(self, row: int, name: str, message: str, facts: Mapping[str, object]) -> None:
        line = int(self._cells.lines[row])
        self._faults.append(Fault(message, facts, name, line, self._cells.positions.get(name)))

    def _note(self, bad: _Flags, name: str, message: str, table: pd.DataFrame, *facts: str) -> None:
        """Note a fault at each bad row, with the values of some columns, unless one of them is faulty already."""
        for fact in {name, *facts}:
            if fact in self._faulty:
                bad &= ~self._faulty[fact]
        for row in np.flatnonzero(bad):
            self._fault(int(row), name, message, {fact: table[fact].iloc[row] for fact in facts})

    def _check_names(self, table: pd.DataFrame) -> None:
        for name in ("community_id", "region"):
            if name in table:
                self._note((table[name] == "").to_numpy(dtype=bool), name, N_("this cell is empty"), table)
        if "community_id" in table:
            ids = table["community_id"]
            first_row = pd.Series(ids.index, index=ids).groupby(level=0).first()
            for row in np.flatnonzero(ids.duplicated() & (ids != "")):
                facts = {"id": ids.iloc[row], "row": self._cells.lines[first_row[ids.iloc[row]]]}
                self._fault(int(row), "community_id", N_("{id} stands already in row {row}"), facts)
        if "denominator_source" in table:
            unknown = ~table["denominator_source"].isin(["", *_DENOMINATORS]).to_numpy(dtype=bool)
            message = N_("this must be occupied_households or delivered_households, it is “{denominator_source}”")
            self._note(unknown, "denominator_source", message, table, "denominator_source")

    def _check_answers(self, table: pd.DataFrame, rules: Rules) -> None:
        for measure, measured in MEASURED.items():
            name, counted = measured.value, measured.responses
            if not set(measured.columns) <= set(table.columns):
                continue
            values, responses = read_column(table, name), read_column(table, counted)
            if name == "satisfied":
                message = N_("{satisfied} satisfied of {responses} responses")
                self._note(values > responses, name, message, table, "satisfied", "responses")
            unfounded = ~np.isnan(values) & (np.isnan(responses) if name == "satisfied" else ~(responses > 0))
            self._note(unfounded, name, N_("this needs the number of responses"), table, counted)
            if measure == rules.satisfaction.measure and "score" not in table:
                missing = np.isnan(values) & (responses > 0)
                self._note(missing, name, _MISSING[counted], table, counted)

    def _check_scores(self, table: pd.DataFrame, rules: Rules) -> None:
        if "score" in table:
            self._check_precision(table)
            if "score_precision" in table:
                misfits = read_scores(table, rules.satisfaction).misfits
                message = N_("{score} is no multiple of its precision {score_precision}")
                self._note(misfits, "score", message, table, "score", "score_precision")
            return
        measured = MEASURED[rules.satisfaction.measure]
        if measured.value in _MISFITS and set(measured.columns) <= set(table.columns):
            scores = read_scores(table, rules.satisfaction)
            self._note(scores.misfits, measured.value, _MISFITS[measured.value], table, *measured.columns)
            points = rules.satisfaction.index_points.values()
            beyond = (scores.shown < float(min(points))) | (scores.shown > float(max(points)))
            message = N_("this lies beyond the points that an answer can have")
            self._note(beyond & ~scores.misfits, measured.value, message, table, *measured.columns)

    def _check_precision(self, table: pd.DataFrame) -> None:
        scores, precisions = read_column(table, "score"), read_column(table, "score_precision")
        missing = ~np.isnan(scores) & np.isnan(precisions)
        if "score_precision" in table:
            self._note(missing, "score_precision", N_("this is missing for the score {score}"), table, "score")
        stated = precisions[~np.isnan(precisions)]
        if stated.size:
            message = N_("one precision holds for all scores: {score_precision} is not the {first} of the first")
            for row in np.flatnonzero(~np.isnan(precisions) & (precisions != stated[0])):
                facts = {"score_precision": precisions[row], "first": stated[0]}
                self._fault(int(row), "score_precision", message, facts)


_MISSING: Final = {
    "responses": N_("this is missing for {responses} responses"),
    "composite_responses": N_("this is missing for {composite_responses} responses"),
}
_MISFITS: Final = {
    "mean_index": N_("no points of {responses} responses have the mean {mean_index}: give it with six decimals"),
    "mean_composite": N_("{mean_composite} is not rounded to six decimals"),
}
_NOT_WHOLE = N_("this must be a whole number, it is “{value}”")
# A whole number may be written 41.0: that is how tables with gaps are saved.
_NUMBER = r"[-+]?[0-9]+(\.[0-9]+)?([eE][-+]?[0-9]+)?"
