"""Blocks of a document: headings, sentences, facts, tables and drawings, as its template takes them."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

from survey_app.errors import JiayuanError

MOST_ROWS: Final = 3000
"""Most rows of a table: a hundred pages, which nobody signs unread, and a few seconds to make."""

Block = dict[str, object]


class DocumentTooLong(JiayuanError):
    """A table of the document would have more rows than anybody reads on paper."""

    status = 422
    page = "errors/document_too_long.html"

    def __init__(self, rows: int) -> None:
        super().__init__(f"a table of {rows} rows, where {MOST_ROWS} are the most")
        self.rows, self.most = rows, MOST_ROWS


@dataclass(frozen=True)
class TableColumn:
    """Column of a table; `width` is its part of the line beside those of the others."""

    label: str
    width: float = 1
    numeric: bool = False


@dataclass(frozen=True)
class Spanning:
    """Cell that stands beside several rows; the rows below leave it out."""

    text: str
    rows: int


Cell = str | Spanning


def check_length(rows: int) -> None:
    """Raise `DocumentTooLong` for more rows than a table holds, before they are read."""
    if rows > MOST_ROWS:
        raise DocumentTooLong(rows)


def heading(text: str, *, level: int = 1) -> Block:
    """Return the heading of a section, or at level 2 of a part of one."""
    return {"kind": "heading", "text": text, "level": level}


def sentences(said: Iterable[str]) -> Block:
    """Return sentences as a list, one below the other."""
    return {"kind": "sentences", "said": list(said)}


def paragraph(text: str) -> Block:
    """Return one paragraph."""
    return {"kind": "paragraph", "text": text}


def facts(pairs: Iterable[tuple[str, str]]) -> Block:
    """Return names with their values."""
    return {"kind": "facts", "pairs": [list(pair) for pair in pairs]}


def table(columns: Sequence[TableColumn], rows: Sequence[Sequence[Cell]], *, caption: str) -> Block:
    """Return a table with all its rows, whose headings come again on each page; `DocumentTooLong` for too many."""
    check_length(len(rows))
    return {
        "kind": "table",
        "caption": caption,
        "columns": [vars(column) for column in columns],
        "rows": [[_cell(cell) for cell in row] for row in rows],
    }


def drawing(svg: str, *, description: str) -> Block:
    """Return a chart with what it shows: its caption, and its text for those who cannot see it."""
    return {"kind": "drawing", "svg": svg, "description": description}


def _cell(cell: Cell) -> dict[str, object]:
    return {"text": cell, "rows": 1} if isinstance(cell, str) else {"text": cell.text, "rows": cell.rows}
