"""CSV files in the one form that spreadsheets open rightly: how they are written, and how their rows are parsed."""

import csv
import io
import re
import unicodedata
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import islice
from math import isnan
from numbers import Number
from typing import Any, Final, TypeVar

import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow as pa
from pyarrow import compute as pc

from analytics.files.column_texts import (
    filled,
    float_texts,
    hold_any,
    literal,
    replaced,
    run_together,
    side_by_side,
    whole_texts,
    word_texts,
)
from analytics.files.written_text import UNSEEN_LETTERS
from analytics.files.yaml_documents import DocumentError, Fault
from analytics.languages import N_

BYTE_ORDER_MARK: Final = "\ufeff"
"""Begins a CSV file: without it Excel takes the file for the local Windows encoding and garbles Chinese."""

FORMULA_SIGNS: Final = frozenset("=+-@\t\r\n＝＋－＠")
"""What a spreadsheet takes for the start of a formula, or skips before one."""

GUARD: Final = "'"
"""Stands before a text that would start a formula."""

_SIGNS: Final = frozenset("=+-@")
# Separators, control and format characters, marks that join what is before them, and what is reserved for more of them.
_UNSEEN_CATEGORIES: Final = frozenset({"Cc", "Cf", "Cn", "Co", "Cs", "Mc", "Me", "Mn", "Zl", "Zp", "Zs"})
# A program that reads a file more than once may take them for the quotation marks of a cell.
_QUOTATION_MARKS: Final = frozenset("\"'`´＂＇｀")
_QUOTATION_CATEGORIES: Final = frozenset({"Pf", "Pi"})

# Excel writes and reads this line above the header; it shows the table without it.
_STATED_MARK: Final = re.compile(r'"?sep=([,;|\t])"?[,;\t]*(\r\n|\r|\n|$)', re.IGNORECASE)
_MARKS: Final = (",", ";", "\t")
_QUOTED: Final = re.compile(r'"[^"]*"')
_LINES_LOOKED_AT: Final = 20
_LONGEST_LINE_LOOKED_AT: Final = 20_000

WORD_START: Final = r"^[0-9A-Za-z\x{4e00}-\x{9fff}]"
"""Pattern of a text that begins with a digit, a Latin letter or a Chinese character."""

# Texts that begin with one of these start no formula, and those without the marks need no quotation marks either.
_SAFE_START: Final = rf"{WORD_START}|^$"
_MARKED: Final = b',"\r\n'

ROWS_AT_ONCE: Final = 5_000

Row = TypeVar("Row")


def csv_safe(text: str) -> str:
    """Return text that a spreadsheet shows and never runs as a formula.

    Parameters
    ----------
    text : str
        What a person may have typed.

    Returns
    -------
    str
        With an apostrophe in front if `starts_formula`; `original_text` takes it away again.

    Examples
    --------
    >>> csv_safe("=HYPERLINK(1)"), csv_safe(" ＝1+1"), csv_safe("阳光小区")
    ("'=HYPERLINK(1)", "' ＝1+1", '阳光小区')
    """
    return f"{GUARD}{text}" if starts_formula(text) else text


def original_text(cell: str) -> str:
    """Return the text of which `csv_safe` made a cell.

    Parameters
    ----------
    cell : str
        Of a file that this package wrote, or that a person made, where an apostrophe before a formula means the same.

    Returns
    -------
    str

    Examples
    --------
    >>> original_text("'=HYPERLINK(1)"), original_text("'t Zand"), original_text("阳光小区")
    ('=HYPERLINK(1)', "'t Zand", '阳光小区')
    """
    return cell[1:] if cell.startswith(GUARD) and starts_formula(cell[1:]) else cell


def starts_formula(text: str) -> bool:
    r"""Return whether a spreadsheet could run a text as a formula.

    Parameters
    ----------
    text : str

    Returns
    -------
    bool
        Whether a sign that starts a formula, in any width, comes first, or comes after nothing but what is not seen
        and quotation marks; or whether a tab or a line break comes first.

    Examples
    --------
    >>> [starts_formula(text) for text in ("=1", "\u200b＋1", '"@x', "\tx", "a=1", "")]
    [True, True, True, True, False, False]
    """
    unguarded = text.lstrip(GUARD)
    if unguarded[:1] in FORMULA_SIGNS:
        return True
    seen = next((sign for sign in unguarded if not _is_skipped(sign)), "")
    return unicodedata.normalize("NFKC", seen)[:1] in _SIGNS


def _is_skipped(sign: str) -> bool:
    if "a" <= sign <= "z" or "\u4e00" <= sign <= "\u9fff":
        return False
    category = unicodedata.category(sign)
    return (
        category in _UNSEEN_CATEGORIES
        or category in _QUOTATION_CATEGORIES
        or sign in _QUOTATION_MARKS
        or sign in UNSEEN_LETTERS
    )


def is_missing(value: Any) -> bool:
    """Return whether a cell has no value: None, NaN, NaT or <NA>; an empty text and zero are values.

    Parameters
    ----------
    value : object
        One cell of a table.

    Returns
    -------
    bool

    Examples
    --------
    >>> [is_missing(value) for value in (None, float("nan"), pd.NA, "", 0)]
    [True, True, True, False, False]
    """
    if isinstance(value, float):
        return isnan(value)
    return value is None or (not isinstance(value, str | int) and bool(pd.isna(value)))


def csv_lines(rows: Iterable[Iterable[object]]) -> str:
    r"""Return rows as lines of CSV text: text is safe, missing values are empty, lines end with CR and LF.

    Parameters
    ----------
    rows : iterable of iterable
        Cells: text, numbers, or missing values as in `is_missing`.

    Returns
    -------
    str

    Examples
    --------
    >>> csv_lines([["=甲", 0.5, None], ["乙", 7, ""]])
    "'=甲,0.5,\r\n乙,7,\r\n"
    """
    stream = io.StringIO(newline="")
    csv.writer(stream).writerows([_written(cell) for cell in row] for row in rows)
    return stream.getvalue()


def _written(cell: object) -> object:
    """Return a cell as the CSV module is to write it: numbers as they are, whatever else has words as safe text."""
    if isinstance(cell, str):
        return csv_safe(cell)
    if is_missing(cell):
        return None
    return cell if isinstance(cell, Number | np.bool_) else csv_safe(str(cell))


def csv_heading(names: Iterable[object]) -> str:
    r"""Return the beginning of a CSV file: the byte order mark, and the names of the columns as its first line.

    Examples
    --------
    >>> csv_heading(["name", "score"])
    '\ufeffname,score\r\n'
    """
    return BYTE_ORDER_MARK + csv_lines([names])


def column_lines(columns: Sequence["pd.Series[Any] | pa.Array | Sequence[object]"]) -> str:
    r"""Return columns as lines of CSV text: what `csv_lines` makes of their rows, about ten times as fast.

    Parameters
    ----------
    columns : sequence of Series, Arrow arrays of large_string, or sequences
        Of one length. Series of numbers or text, Arrow arrays, and lists of text are written as a whole, others cell by
        cell.

    Returns
    -------
    str

    Examples
    --------
    >>> column_lines([pd.Series([0.5, None, 3.0]), ["甲", "=乙", "a, b"], pd.Series([7, None, 1], dtype="Int64")])
    '0.5,甲,7\r\n,\'=乙,\r\n3.0,"a, b",1\r\n'
    """
    if len(columns) == 1:
        # An empty cell that is alone in its line stands in quotation marks.
        return csv_lines([cell] for cell in columns[0])
    return run_together(_lines_of(columns))


def _lines_of(columns: Sequence["pd.Series[Any] | pa.Array | Sequence[object]"]) -> pa.Array:
    """Return what stands in each line for columns of which there are others beside."""
    *before, last = map(_column_texts, columns)
    return side_by_side(*before, side_by_side(last, literal("\r\n")), between=",")


def _column_texts(values: "pd.Series[Any] | Sequence[object] | pa.Array") -> pa.Array:
    """Return what stands in the lines for each cell of a column."""
    if isinstance(values, pa.Array):
        return _safe_texts(filled(values))
    if isinstance(values, pd.Series):
        if pd.api.types.is_integer_dtype(values):
            return filled(whole_texts(values))
        if values.dtype == np.float64:
            return filled(float_texts(values.to_numpy()))
        if isinstance(values.dtype, pd.StringDtype):
            return _safe_texts(filled(word_texts(values)))
    elif all(type(value) is str for value in values):
        return _safe_texts(pa.array(values, pa.large_string()))
    return pa.array(_texts(list(values)), pa.large_string())


def _safe_texts(texts: pa.Array) -> pa.Array:
    """Return texts as cells, with quotation marks and an apostrophe where they need them."""
    unsafe = pc.invert(pc.match_substring_regex(texts, _SAFE_START)).to_numpy(zero_copy_only=False)
    marked = unsafe | hold_any(texts, _MARKED)
    others = texts.filter(pa.array(marked))
    quoted = side_by_side(literal('"'), pc.replace_substring(others, '"', '""'), literal('"'))
    suspect = texts.filter(pa.array(unsafe)).dictionary_encode()
    guarded = pa.array(_texts(suspect.dictionary.to_pylist()), pa.large_string()).take(suspect.indices)
    return replaced(texts, marked, replaced(quoted, unsafe[marked], guarded))


def csv_file(heading: Iterable[object], parts: Iterable[Iterable[Iterable[object]]]) -> Iterator[str]:
    r"""Yield a CSV file piece by piece, so that a large one is never held whole.

    Parameters
    ----------
    heading : iterable
        Names of the columns.
    parts : iterable of iterable of rows
        Some rows at a time, as `csv_lines` takes them; `in_parts` divides rows that come one by one.

    Yields
    ------
    str
        The byte order mark with the heading, which needs no row yet, then the lines of each part.

    Examples
    --------
    >>> list(csv_file(["name", "score"], [[["甲", 1]], [["乙", 2], ["丙", 3]]]))
    ['\ufeffname,score\r\n', '甲,1\r\n', '乙,2\r\n丙,3\r\n']
    """
    yield csv_heading(heading)
    for rows in parts:
        yield csv_lines(rows)


def repeated_csv(
    columns: Mapping[str, Sequence[object]], order: npt.NDArray[np.integer[Any]], *, numbered: str
) -> Iterator[str]:
    r"""Yield a CSV file in which few rows stand again and again, a multiple faster than `csv_file`.

    Parameters
    ----------
    columns : mapping of str to sequence
        Cells of the rows that differ from one another, column by column.
    order : ndarray of int
        Which of these rows stands in each line.
    numbered : str
        Name of a first column that numbers the lines from 1.

    Yields
    ------
    str
        As `csv_file` does.

    Examples
    --------
    >>> list(repeated_csv({"name": ["甲", "=乙,"]}, np.array([1, 0, 1]), numbered="line"))
    ['\ufeffline,name\r\n', '1,"\'=乙,"\r\n2,甲\r\n3,"\'=乙,"\r\n']
    """
    yield csv_heading([numbered, *columns])
    lines = _lines_of(list(columns.values()))
    for start in range(0, len(order), ROWS_AT_ONCE):
        places = order[start : start + ROWS_AT_ONCE]
        numbers = whole_texts(pd.Series(np.arange(start + 1, start + 1 + len(places))))
        yield run_together(side_by_side(numbers, lines.take(pa.array(places)), between=","))


def _texts(cells: Sequence[object]) -> list[str]:
    """Return what stands in a line of several cells for each cell."""
    return [csv_lines([[cell, None]]).removesuffix(",\r\n") for cell in cells]


def in_parts(rows: Iterable[Row], *, rows_at_once: int = ROWS_AT_ONCE) -> Iterator[list[Row]]:
    """Yield rows some at a time.

    Parameters
    ----------
    rows : iterable
    rows_at_once : int
        How many make a part; the last one may have fewer.

    Yields
    ------
    list

    Examples
    --------
    >>> list(in_parts("abcde", rows_at_once=2))
    [['a', 'b'], ['c', 'd'], ['e']]
    """
    coming = iter(rows)
    while part := list(islice(coming, rows_at_once)):
        yield part


def frame_csv(frame: pd.DataFrame) -> bytes:
    """Return a frame as a CSV file that spreadsheets open rightly: text is safe, missing values are empty.

    Parameters
    ----------
    frame : DataFrame
        Its index is left out.

    Returns
    -------
    bytes

    Examples
    --------
    >>> frame_csv(pd.DataFrame({"name": ["=甲", "乙"], "score": [0.5, None]})).decode("utf-8-sig").splitlines()
    ['name,score', "'=甲,0.5", '乙,']
    """
    parts = (frame.iloc[start : start + ROWS_AT_ONCE] for start in range(0, len(frame), ROWS_AT_ONCE))
    return "".join(
        [csv_heading(frame.columns), *(column_lines([own for _, own in part.items()]) for part in parts)]
    ).encode()


def divide_table(text: str) -> tuple[str, str, int]:
    r"""Return a table's text, the mark between its cells, and how many lines stand before the text.

    Parameters
    ----------
    text : str
        Of a file that may begin with the line ``sep=;``, which names the mark.

    Returns
    -------
    text : str
        Without the line that names the mark.
    mark : str
        A comma, a semicolon or a tab: the one that the first line with any of them has most of, a comma among equals.
        Spreadsheets of some countries write semicolons, and what is copied from one has tabs.
    lines : int
        0 or 1.

    Examples
    --------
    >>> divide_table("sep=;\r\na;b\r\n"), divide_table("2026\na\tb\n"), divide_table("a,b\n")
    (('a;b\r\n', ';', 1), ('2026\na\tb\n', '\t', 0), ('a,b\n', ',', 0))
    """
    if stated := _STATED_MARK.match(text):
        return text[stated.end() :], stated[1], 1
    for line in islice(io.StringIO(text), _LINES_LOOKED_AT):
        bare = _QUOTED.sub("", line[:_LONGEST_LINE_LOOKED_AT])
        if any(mark in bare for mark in _MARKS):
            return text, max(_MARKS, key=bare.count), 0
    return text, ",", 0


def parse_csv(text: str, source: str, *, mark: str = ",") -> Iterator[tuple[int, list[str]]]:
    r"""Yield the rows of CSV text as they come, each with the line on which it begins, counted from 1.

    Cells keep the apostrophe that `csv_safe` gave them; `original_text` takes it away.

    Parameters
    ----------
    text : str
        What is between quotation marks may hold line breaks.
    source : str
        The file's name, for messages.
    mark : str
        What cells stand apart by, as `divide_table` finds it.

    Yields
    ------
    line : int
    cells : list of str
        Empty for an empty line.

    Raises
    ------
    DocumentError
        At the row that is not CSV, such as one with an open quotation mark.

    Examples
    --------
    >>> list(parse_csv('name,score\n"甲\n乙",1\n丙,2\n', "a.csv"))
    [(1, ['name', 'score']), (2, ['甲\n乙', '1']), (4, ['丙', '2'])]
    """
    reader = csv.reader(io.StringIO(text, newline=""), strict=True, delimiter=mark)
    line = 1
    try:
        for cells in reader:
            yield line, cells
            line = reader.line_num + 1
    except csv.Error as error:
        message = _NOT_CSV if str(error) == _OPEN_QUOTATION else N_("this row is not CSV: {problem}")
        raise DocumentError(source, [Fault(message, {"problem": error}, line=line)]) from error


_OPEN_QUOTATION: Final = "unexpected end of data"
_NOT_CSV: Final = N_('a quotation mark (") that begins in this row is never closed: close it, or write it twice')
