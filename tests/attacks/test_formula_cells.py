"""No text of a table runs as a formula, whatever stands before its sign; and every reader of ours reads it back."""

import csv
import io
import unicodedata
from datetime import UTC, datetime
from zipfile import ZipFile

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from analytics.files.csv_files import csv_file, csv_lines, csv_safe, frame_csv, original_text
from analytics.files.spreadsheets import SheetColumn, read_sheet, write_workbook
from analytics.files.table_cells import read_cells
from dashboards.widgets.components import Numbers, NumbersColumn
from survey_app.register.communities_file import PlacesError, read_communities

NOW = datetime(2026, 9, 1, tzinfo=UTC)
SIGNS = "=+-@＝＋－＠﹦﹢﹣﹫⁼⁺"
# What a spreadsheet, an import or a reader's eye passes over.
UNSEEN = [
    "", " ", "   ", "\t", "\r", "\n", "\r\n", "\v", "\f", "\0", "\x01", "\x1b", "\x7f", "\x85", "\xa0", "\xad",
    "\u034f", "\u061c", "\u115f", "\u1160", "\u1680", "\u17b4", "\u180b", "\u180e", "\u2000", "\u2009", "\u200a",
    "\u200b", "\u200c", "\u200d", "\u200e", "\u200f", "\u2028", "\u2029", "\u202a", "\u202e", "\u202f", "\u205f",
    "\u2060", "\u2061", "\u2064", "\u2065", "\u2066", "\u2069", "\u206f", "\u2800", "\u3000", "\u3164", "\ufe00",
    "\ufe0f", "\ufeff", "\uffa0", "\ufff0", "\ufff9", "\U000e0001", "\U000e0020", "\U000e0100", "\U0001d173",
    '"', "'", '""', "''", "“", "”", "‘", "’", "«", "‹", "＂", "＇", "`", "'\"", "\u200b \ufeff\t", '\u3000"',
]  # fmt: skip


def first_seen(cell):
    """Return the first character of a cell that a person sees, quotation marks but the guard left out."""
    skipped = {"Cc", "Cf", "Cn", "Cs", "Mn", "Me", "Mc", "Zs", "Zl", "Zp", "Pi", "Pf"}
    return next(
        (c for c in cell if unicodedata.category(c) not in skipped and c not in '"`＂＇\u115f\u1160\u3164\uffa0\u2800'),
        "",
    )


def runs(cell):
    seen = unicodedata.normalize("NFKC", first_seen(cell))[:1]
    return seen in set("=+-@") and bool(seen)


@pytest.mark.parametrize("sign", SIGNS)
def test_a_sign_behind_what_is_not_seen_starts_no_formula(sign):
    texts = [f"{unseen}{text}" for unseen in UNSEEN for text in (f"{sign}1+1", f"{unseen}{sign}cmd|' /C calc'!A0")]
    for text in texts:
        cell = csv_safe(text)

        assert cell == f"'{text}"
        assert not runs(cell)
        assert original_text(cell) == text


@given(st.text(st.sampled_from([*"=+-@＝a1小\"'\t\r\n ", "\u200b", "\ufeff", "\u3000", "\u00ad"]), max_size=8))
def test_every_text_is_read_back_as_it_was_and_runs_as_nothing(text):
    cell = csv_safe(text)

    assert original_text(cell) == text
    assert not runs(cell)


@given(st.text(max_size=12))
def test_any_text_is_read_back_as_it_was(text):
    assert original_text(csv_safe(text)) == text


@pytest.mark.parametrize(
    "text", ["阳光小区", "a-b", "1=1", "'t Zand", "“欣园”-1号", "3 - 4", "'", '"x"', "　七号院", ""]
)
def test_names_without_a_leading_sign_are_written_as_they_are(text):
    assert csv_safe(text) == text


def test_numbers_that_are_negative_stay_numbers():
    assert csv_lines([[-1, -0.5, -(10**18), True]]) == "-1,-0.5,-1000000000000000000,True\r\n"


def test_what_is_neither_text_nor_a_number_is_written_as_safe_text():
    class Words:
        def __str__(self):
            return "\u200b=1+1"

    assert csv_lines([[Words(), pd.Timedelta(days=-1)]]) == "'\u200b=1+1,'-1 days +00:00:00\r\n"


TEXTS = [f"{unseen}{sign}x" for unseen in UNSEEN if "\0" not in unseen for sign in "=＠"]


def test_a_csv_file_is_read_back_by_the_readers_of_both_kinds(tmp_path):
    path = tmp_path / "table.csv"
    content = "".join(csv_file(["name", "n"], [[[text, -1] for text in TEXTS]])).encode()
    path.write_bytes(content)

    raw = list(csv.reader(io.StringIO(content.decode("utf-8-sig"), newline="")))[1:]
    assert [cell for cell, _ in raw if runs(cell)] == []
    assert [cells for _, cells in read_sheet(content, "table.csv").rows[1:]] == [(text, "-1") for text in TEXTS]
    assert list(read_cells(path).frame["name"]) == TEXTS


def test_a_frame_and_the_numbers_of_a_chart_run_nothing():
    frame = pd.DataFrame({"name": TEXTS, "\u200b=heading": range(len(TEXTS))})
    numbers = Numbers("x", [NumbersColumn("\ufeff=name"), NumbersColumn("n")], [[text, -1] for text in TEXTS])

    for text in (frame_csv(frame).decode("utf-8-sig"), numbers.csv.removeprefix("\ufeff")):
        cells = [cell for row in csv.reader(io.StringIO(text, newline="")) for cell in row if cell != "-1"]
        assert len(cells) > len(TEXTS)
        assert [cell for cell in cells if runs(cell)] == []


def test_a_workbook_holds_text_and_no_formula_and_is_read_back():
    stream = io.BytesIO()
    texts = [text for text in TEXTS if text.strip("\r\n\t\v\f\x01\x1b\x7f\x85 ")]
    columns = [SheetColumn("=name", is_text=True), SheetColumn("{=n}")]
    write_workbook(stream, title="小区", columns=columns, rows=[[text, -1] for text in texts], now=NOW)

    with ZipFile(stream) as archive:
        sheet = archive.read("xl/worksheets/sheet1.xml").decode()
    assert "<f>" not in sheet
    assert "hyperlink" not in sheet
    assert read_sheet(stream.getvalue(), "a.xlsx").rows[0][1] == ("=name", "{=n}")
    assert [cells for _, cells in read_sheet(stream.getvalue(), "a.xlsx").rows[1:]] == [(text, "-1") for text in texts]


@pytest.mark.parametrize("unseen", ["", "'", '"', "“", "\u2800", "''"])
@pytest.mark.parametrize("sign", "=＠")
def test_a_name_that_would_start_a_formula_is_refused_at_the_import(unseen, sign):
    header = "小区编号,小区名称,区,物业公司,交付户数,入住户数,业主户数\r\n"
    row = csv_lines([["1", f"{unseen}{sign}1", "海勃湾区", "甲", 3, 2, 1]])

    with pytest.raises(PlacesError) as refused:
        read_communities((header + row).encode(), "小区.csv")

    [fault] = refused.value.faults
    assert fault.facts == {"sign": sign}
