"""Reader of typed columns: cells become columns of one type each, and every fault is noted with its line and column."""

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final, Literal

import numpy as np
import numpy.typing as npt
import pandas as pd

from analytics.files.table_cells import Cells, TableError
from analytics.files.written_text import comparison_key, damaged_sign, is_scientific, spelled_out
from analytics.files.yaml_documents import Fault
from analytics.languages import N_

_Flags = npt.NDArray[np.bool_]


@dataclass(frozen=True)
class Column:
    """What a column holds, and between which limits its numbers lie. A time has a zone and comes out in UTC."""

    kind: Literal["text", "count", "number", "time"]
    least: float = 0
    most: float = 2**31 - 1  # products of two counts stay below 2⁶³


class CellRefused(Exception):
    """A cell that cannot be read: the reason as a template that can be translated, and its facts."""

    def __init__(self, message: str, **facts: object) -> None:
        super().__init__(message)
        self.message, self.facts = message, facts


class CellReader:
    """Turns cells into typed columns and notes every fault; a faulty cell is not judged again.

    Parameters
    ----------
    cells : Cells
        Their faults are the first ones noted.

    Examples
    --------
    >>> from analytics.files.table_cells import cells_of
    >>> reader = CellReader(cells_of(pd.DataFrame({"community_id": ["001", "001"], "responses": ["30", "many"]})))
    >>> table = reader.read({"community_id": Column("text"), "responses": Column("count")})
    >>> reader.note_repeats(table, "community_id")
    >>> reader.raise_faults("communities.csv")
    Traceback (most recent call last):
        ...
    analytics.files.table_cells.TableError: communities.csv:2: responses: this must be a whole number, it is “many”
    communities.csv:2: community_id: 001 stands already in row 1
    """

    def __init__(self, cells: Cells) -> None:
        self.cells = cells
        self.names = set(cells.frame.columns)
        self.faults = list(cells.faults)
        self.notes = list(cells.notes)
        self._faulty: dict[str, _Flags] = {}
        self._shown: dict[str, str] = {}

    def rename(self, name: str, known: str) -> None:
        """Take the column `name` for the one that is known under another name here."""
        if name != known and name in self.names:
            positions = {known if key == name else key: place for key, place in self.cells.positions.items()}
            frame = self.cells.frame.drop(columns=known, errors="ignore").rename(columns={name: known})
            self.cells = replace(self.cells, frame=frame, positions=positions)
            self.names = set(frame.columns)

    def recognise(self, columns: Mapping[str, Sequence[str]], *, optional: Collection[str] = ()) -> None:
        """Rename the columns of a file whose header may be written in several languages; leave the others out, noted.

        Parameters
        ----------
        columns : mapping of str to sequence of str
            By the name that a column has here, how it may be written; capital letters make no difference. Faults show
            the first way.
        optional : collection of str
            Columns that may be missing. Any other that is missing is a fault, as is one that stands twice; one that is
            unknown is a fault only where another is missing, since it may be that one, misspelt.
        """
        name_by_written = {written.lower(): name for name, spellings in columns.items() for written in spellings}
        self._shown = {name: spellings[0] for name, spellings in columns.items()}
        found: dict[str, str] = {}
        unknown: list[str] = []
        for written in self.cells.frame.columns:
            name = name_by_written.get(written.lower())
            if name is None:
                unknown.append(written)
            elif name in found:
                position = self.cells.positions[written]
                fault = Fault("this column stands here twice", {}, written, self.cells.header_line, position)
                self.faults.append(fault)
            else:
                found[name] = written
        unread = {written: self.cells.positions.get(written) for written in unknown}
        frame = self.cells.frame[list(found.values())].set_axis(list(found), axis=1)
        positions = {name: self.cells.positions[written] for name, written in found.items()}
        self._keep_faults_of({*positions.values(), None})
        self.cells = replace(self.cells, frame=frame, positions=positions)
        self.names = set(found)
        missing = [spellings for name, spellings in columns.items() if name not in found and name not in optional]
        for written, *others in missing:
            self._note_missing(f"{written} ({', '.join(others)})" if others else written)
        for written in unknown:
            place = unread[written]
            if missing:
                self._note_unknown(written, self._shown.values(), place)
            else:
                message = N_("this column is not known and was not read")
                self.notes.append(Fault(message, {}, written, self.cells.header_line, place))

    def _keep_faults_of(self, positions: Collection[int | None]) -> None:
        """Forget the faults in cells of columns that are not read."""
        header = self.cells.header_line
        self.faults = [fault for fault in self.faults if fault.column in positions or fault.line == header]

    def expect_columns(self, needed: Iterable[str]) -> None:
        for name in needed:
            if name not in self.names:
                self._note_missing(name)

    def expect_rows(self) -> None:
        if self.cells.frame.empty and not self.cells.faults:
            self.faults.append(Fault("the table has no rows"))

    def refuse_unknown_columns(self, known: Collection[str]) -> None:
        for name in self.cells.frame.columns:
            if name not in known:
                self._note_unknown(name, known, self.cells.positions.get(str(name)))

    def read(self, columns: Mapping[str, Column]) -> pd.DataFrame:
        """Return those of the columns that there are."""
        frame = self.cells.frame
        found = {name: self._read(name, column) for name, column in columns.items() if name in frame}
        return pd.DataFrame(found, index=frame.index)

    def convert(self, name: str, read: Callable[[str], object]) -> "pd.Series[Any]":
        """Return a column of what a function makes of each cell.

        Parameters
        ----------
        name : str
            Of the column, which must be there and be text.
        read : callable
            Takes the text of a cell and raises `CellRefused` for a faulty one.

        Returns
        -------
        Series
            Objects; None where a cell is faulty.
        """
        position = self.cells.positions.get(name)
        unreadable = {fault.line for fault in self.cells.faults if fault.column == position}
        values: list[object] = []
        faulty = np.zeros(len(self.cells.frame), dtype=bool)
        for row, (line, cell) in enumerate(zip(self.cells.lines, self.cells.frame[name].tolist(), strict=True)):
            faulty[row] = line in unreadable
            value = None
            try:
                value = read(cell) if not faulty[row] else None
            except CellRefused as refused:
                faulty[row] = True
                self.fault(row, name, refused.message, refused.facts)
            values.append(value)
        self._faulty[name] = faulty
        return pd.Series(values, index=self.cells.frame.index, dtype=object)

    def fault(self, row: int, name: str, message: str, facts: Mapping[str, object]) -> None:
        line = int(self.cells.lines[row])
        self.faults.append(Fault(message, facts, self._shown.get(name, name), line, self.cells.positions.get(name)))

    def note(self, bad: _Flags, name: str, message: str, table: pd.DataFrame, *facts: str) -> None:
        """Note a fault at each bad row, with the values of some columns, unless one of them is faulty already."""
        for fact in {name, *facts}:
            if fact in self._faulty:
                bad = bad & ~self._faulty[fact]
        for row in np.flatnonzero(bad):
            self.fault(int(row), name, message, {fact: table[fact].iloc[row] for fact in facts})

    def note_empty(self, table: pd.DataFrame, names: Sequence[str]) -> None:
        for name in names:
            if name in table:
                self.note(_is_empty(table[name]), name, N_("this cell is empty"), table)

    def note_repeats(
        self, table: pd.DataFrame, *names: str, message: str = N_("{id} stands already in row {row}")
    ) -> None:
        """Note at the first of some columns where all of them hold what stands in an earlier row."""
        if not set(names) <= set(table.columns):
            return
        keys = table.loc[self._usable(table, *names), list(names)]
        repeated = keys.duplicated()
        if not repeated.any():
            return
        first_row = keys[~repeated].reset_index(names="_row").set_index(list(names))["_row"]
        for row in keys.index[repeated]:
            identity = tuple(keys.loc[row])
            line = self.cells.lines[first_row[identity if len(names) > 1 else identity[0]]]
            self.fault(int(row), names[0], message, {"id": identity[0], "row": line})

    def note_look_alikes(
        self, table: pd.DataFrame, name: str, *within: str, key: Callable[[str], str] = comparison_key
    ) -> None:
        """Note where a column first holds a text that only looks like another one in an earlier row.

        With `within` both rows must look alike in these columns too. What is the same text is none of it.
        """
        if not {name, *within} <= set(table.columns):
            return
        usable = self._usable(table, name, *within)
        spellings = table.loc[usable, [name, *within]].drop_duplicates()
        values, *others = (spellings[column].tolist() for column in spellings)
        if not others and len(set(map(key, values))) == len(values):
            return
        groups = zip(map(key, values), *(map(comparison_key, each) for each in others), strict=True)
        first: dict[tuple[str, ...], tuple[str, int]] = {}
        for row, value, group in zip(spellings.index.tolist(), values, groups, strict=True):
            known, earlier = first.setdefault(group, (value, row))
            if known != value:
                facts = {"value": spelled_out(value), "known": spelled_out(known), "row": self.cells.lines[earlier]}
                self.fault(int(row), name, LOOKS_ALIKE, facts)

    def note_contradictions(self, table: pd.DataFrame, name: str, dependent: str, *within: str) -> None:
        """Note where a column holds something else than beside the same value of `name` in an earlier row.

        With `within` both rows must hold the same in these columns too.
        """
        if not {name, dependent, *within} <= set(table.columns):
            return
        stated: dict[tuple[object, ...], tuple[object, int]] = {}
        rows = np.flatnonzero(self._usable(table, name, dependent, *within)).tolist()
        columns = (table[column].iloc[rows] for column in (dependent, name, *within))
        for row, value, *key in zip(rows, *columns, strict=True):
            known, line = stated.setdefault(tuple(key), (value, self.cells.lines[row]))
            if known != value:
                facts = {"value": value, "known": known, "row": line}
                self.fault(row, dependent, N_("“{value}” is “{known}” in row {row}"), facts)

    def raise_faults(self, source: str) -> None:
        if self.faults:
            raise TableError(source, self.faults)

    def _note_missing(self, name: str) -> None:
        self.faults.append(Fault("this column is missing", {}, name, self.cells.header_line))

    def _note_unknown(self, name: object, known: Iterable[str], position: int | None) -> None:
        facts = {"known": ", ".join(known)}
        message = N_("this column is not known; there are {known}")
        self.faults.append(Fault(message, facts, str(name), self.cells.header_line, position))

    def _usable(self, table: pd.DataFrame, *names: str) -> _Flags:
        """Return where all of some cells are neither empty nor faulty."""
        usable = np.ones(len(table), dtype=bool)
        for name in names:
            usable &= ~_is_empty(table[name])
            if name in self._faulty:
                usable &= ~self._faulty[name]
        return usable

    def _read(self, name: str, column: Column) -> "pd.Series[Any]":
        values = self.cells.frame[name]
        if column.kind == "text":
            return self._read_text(name, values)
        if column.kind == "time":
            return self._read_times(name, values)
        numbers, written = self._read_numbers(name, values, column)
        whole = column.kind == "count"
        self._refuse(whole & (numbers % 1 != 0) & ~np.isnan(numbers), name, _NOT_WHOLE, numbers, written)
        self._refuse(numbers < 0, name, N_("this cannot be negative, it is {value}"), numbers, written)
        message = N_("this must be at least {limit}, it is {value}")
        self._refuse(numbers < column.least, name, message, numbers, written, limit=column.least)
        message = N_("this must be at most {limit}, it is {value}")
        self._refuse(numbers > column.most, name, message, numbers, written, limit=column.most)
        series = pd.Series(numbers)
        return series.astype("Int64") if whole else series

    def _read_text(self, name: str, values: "pd.Series[Any]") -> "pd.Series[Any]":
        if pd.api.types.is_float_dtype(values):
            known = values.dropna()
            if not ((known % 1 == 0) & (known.abs() < _DIGITS_LOST_FROM)).all():
                self.faults.append(Fault("this column must be text: as numbers its digits are lost", {}, name, 1))
                return values.astype("str").where(values.notna(), "").astype("str")
            values = values.astype("Int64")
        texts = values.astype("str").where(values.notna(), "").str.strip().astype("str")
        self._refuse_damaged(name, texts)
        return texts

    def _refuse_damaged(self, name: str, texts: "pd.Series[Any]") -> None:
        damaged = texts.str.contains(_DAMAGED).to_numpy(dtype=bool, copy=True)
        for row in np.flatnonzero(damaged):
            self.fault(int(row), name, DAMAGED, {"sign": damaged_sign(texts.iloc[row])})
        if name.endswith("_id"):
            shortened = texts.str.contains(_POWER_OF_TEN).to_numpy(dtype=bool)
            for row in np.flatnonzero(shortened):
                if is_scientific(texts.iloc[row]):
                    damaged[row] = True
                    self.fault(int(row), name, ONLY_FIRST_DIGITS, {"value": texts.iloc[row]})
        self._faulty[name] = damaged

    def _read_times(self, name: str, values: "pd.Series[Any]") -> "pd.Series[Any]":
        if isinstance(values.dtype, pd.DatetimeTZDtype):
            converted: pd.Series[Any] = values.dt.tz_convert("UTC")
            return converted
        written = values.astype("str").where(values.notna(), "").str.strip()
        zoned = written.str.fullmatch(_TIME)
        times = pd.to_datetime(written.where(zoned), format="ISO8601", utc=True, errors="coerce")
        unreadable = ((written != "") & times.isna()).to_numpy(dtype=bool)
        message = N_("this must be a time with its zone, such as 2021-09-01T20:15:00+08:00; it is “{value}”")
        for row in np.flatnonzero(unreadable):
            self.fault(int(row), name, message, {"value": written.iloc[row]})
        self._faulty[name] = unreadable
        return times

    def _read_numbers(
        self, name: str, values: "pd.Series[Any]", column: Column
    ) -> tuple[npt.NDArray[np.float64], "pd.Series[Any]"]:
        if pd.api.types.is_numeric_dtype(values) and not pd.api.types.is_bool_dtype(values):
            numbers = values.to_numpy(dtype=np.float64, na_value=np.nan)
            written, readable = values, np.isfinite(numbers) | values.isna().to_numpy(dtype=bool)
        else:
            written = values.astype("str").where(values.notna(), "").str.strip()
            blank = (written == "").to_numpy(dtype=bool)
            readable = blank | written.str.fullmatch(_NUMBER).to_numpy(dtype=bool)
            numbers = written.where(readable & ~blank).astype("float64").to_numpy()
            readable &= ~np.isinf(numbers)
        message = _NOT_WHOLE if column.kind == "count" else N_("this must be a number, it is “{value}”")
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
        *,
        limit: float = np.nan,
    ) -> None:
        """Note a fault at each bad cell and blank it, so that nothing else is said about it."""
        for row in np.flatnonzero(bad):
            self.fault(int(row), name, message, {"value": written.iloc[row], "limit": f"{limit:.10g}"})
        self._faulty[name] |= bad
        numbers[bad] = np.nan


def _is_empty(values: "pd.Series[Any]") -> _Flags:
    return (values.isna() | (values.astype("str") == "")).to_numpy(dtype=bool)


LOOKS_ALIKE: Final = N_("“{value}” looks like “{known}” in row {row}: write both alike, or correct one of them")
DAMAGED: Final = N_("this text is damaged, it holds the sign {sign}: type it again")
ONLY_FIRST_DIGITS: Final = N_(
    "only the first digits of a long number are left ({value}): format the column as text and type it again"
)
_DAMAGED: Final = "[\ufffd\ufffe\uffff\ue000-\uf8ff\U000f0000-\U0010ffff]"
_POWER_OF_TEN: Final = "[eEＥｅ]"
_DIGITS_LOST_FROM: Final = 1e15
_NOT_WHOLE: Final = N_("this must be a whole number, it is “{value}”")
# A whole number may be written 41.0: that is how tables with gaps are saved.
_NUMBER: Final = r"[-+]?[0-9]+(\.[0-9]+)?([eE][-+]?[0-9]+)?"
_TIME: Final = r"[0-9]{4}-[0-9]{2}-[0-9]{2}[T ][0-9:.]+ ?(Z|[-+][0-9]{2}:?[0-9]{2})"
