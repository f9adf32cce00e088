import io
import re
import zipfile
from datetime import UTC, datetime, timedelta

import numpy as np
import openpyxl
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from analytics.files.csv_files import csv_file
from analytics.files.spreadsheets import Sheet, SheetColumn, WorkbookLimit, has_few_cells, read_sheet, write_workbook
from analytics.files.yaml_documents import DocumentError

NOW = datetime(2026, 9, 15, 4, 0, tzinfo=UTC)
COLUMNS = (SheetColumn("小区编号", 16, is_text=True), SheetColumn("名称", 28), SheetColumn("户数"))
# What a workbook cannot hold as text: nothing of it can be typed.
TEXTS = st.text(st.characters(codec="utf-8", exclude_characters="\0\ufffe\uffff"), max_size=20)


def workbook_file(*rows, columns=COLUMNS, now=NOW):
    stream = io.BytesIO()
    write_workbook(stream, title="小区", columns=columns, rows=rows, now=now)
    return stream.getvalue()


def csv_bytes(*rows):
    return "".join(csv_file([column.heading for column in COLUMNS], [rows])).encode()


def cells_of(content):
    sheet = read_sheet(content, "a")
    assert sheet.faults == ()
    return [list(cells) for _, cells in sheet.rows[1:]]


def progress_part(content, name):
    return zipfile.ZipFile(io.BytesIO(content)).read(name).decode()


@pytest.mark.parametrize("write", [csv_bytes, workbook_file])
@pytest.mark.parametrize(
    ("cell", "shown"),
    [
        ("007", "007"),
        ("123456789012345678", "123456789012345678"),
        (123456789012345678, "123456789012345678"),
        (-(10**15), "-1000000000000000"),
        (999_999_999_999_999, "999999999999999"),
        ("甲\n乙", "甲\n乙"),
        ("甲\r\n乙", "甲\r\n乙"),
        (" 甲 ", " 甲 "),
        ("_x0041_", "_x0041_"),
        ("<b>&", "<b>&"),
        ("https://a.b", "https://a.b"),
        ("", ""),
        (None, ""),
        (float("nan"), ""),
        (pd.NA, ""),
        (0, "0"),
        (1234, "1234"),
        (np.int64(7), "7"),
        (0.25, "0.25"),
        (-0.5, "-0.5"),
        (float("inf"), "inf"),
        (True, "True"),
    ],
)
def test_what_is_written_is_read_back(write, cell, shown):
    assert cells_of(write(["1", cell, 30])) == [["1", shown, "30"]]


@pytest.mark.parametrize("text", ["=1+1", "+1", "-1", "@SUM(A1)", "＝1+1", "{=1}"])
def test_text_of_a_workbook_is_never_a_formula_and_needs_no_apostrophe(text):
    content = workbook_file(["1", text, 30])

    assert cells_of(content) == [["1", text, "30"]]
    assert "<f>" not in progress_part(content, "xl/worksheets/sheet1.xml")


@given(st.lists(st.tuples(TEXTS, TEXTS), max_size=4))
@settings(deadline=None, max_examples=50)
def test_any_text_comes_back_from_a_workbook_as_it_was(texts):
    rows = [["1", *pair] for pair in texts]
    sheet = read_sheet(workbook_file(*rows), "a.xlsx")

    # A cell at the end of its row that is empty is not stored.
    assert [[*cells, "", ""][:3] for _, cells in sheet.rows[1:]] == rows


def test_the_header_is_bold_stays_in_sight_and_filters():
    content = workbook_file(["1", "甲", 30], ["2", "乙", 40])
    sheet = openpyxl.load_workbook(io.BytesIO(content)).worksheets[0]

    assert (sheet.title, sheet.freeze_panes, sheet.auto_filter.ref) == ("小区", "A2", "A1:C3")
    assert all(cell.font.bold for cell in sheet[1])
    assert not any(cell.font.bold for cell in sheet[2])


def test_columns_are_as_wide_as_asked_and_text_stays_text_when_people_edit_it():
    sheet = openpyxl.load_workbook(io.BytesIO(workbook_file(["007", "甲", 30]))).worksheets[0]

    assert [int(sheet.column_dimensions[name].width) for name in "ABC"] == [16, 28, 12]
    assert [sheet[place].number_format for place in ("A2", "B2", "C2")] == ["@", "General", "General"]
    assert [sheet[place].data_type for place in ("A2", "B2", "C2")] == ["s", "s", "n"]


def test_equal_tables_of_one_moment_are_equal_files_that_say_when_they_were_made():
    content = workbook_file(["1", "甲", 30], now=NOW)

    assert content == workbook_file(["1", "甲", 30], now=NOW.astimezone(tz=None))
    assert content != workbook_file(["1", "甲", 30], now=NOW + timedelta(seconds=1))
    assert "2026-09-15T04:00:00Z" in progress_part(content, "docProps/core.xml")


def test_a_table_that_no_workbook_can_hold_leaves_nothing():
    stream = io.BytesIO()

    with pytest.raises(WorkbookLimit) as refused:
        write_workbook(stream, title="a", columns=COLUMNS, rows=[["1", "甲", 3], ["2", "长" * 32_768, 3]], now=NOW)

    assert (refused.value.row, refused.value.column, stream.getvalue()) == (3, 2, b"")


def test_rows_are_numbered_as_a_spreadsheet_numbers_them():
    csv_rows = read_sheet(b'a,b\r\n\r\n,\r\n"two\r\nlines",1\r\nc,2\r\n', "a.csv").rows
    workbook_rows = read_sheet(workbook_file([], ["1", "甲", 30]), "a.xlsx").rows

    assert csv_rows == ((1, ("a", "b")), (4, ("two\r\nlines", "1")), (5, ("c", "2")))
    assert [number for number, _ in workbook_rows] == [1, 3]


def test_every_cell_that_cannot_be_read_is_a_fault_with_its_place():
    workbook = openpyxl.Workbook()
    for row in (["a", "b"], ["=1+1", 1], ["#N/A", True], [12.5, None]):
        workbook.active.append(row)
    stream = io.BytesIO()
    workbook.save(stream)

    sheet = read_sheet(stream.getvalue(), "a.xlsx")

    places = [(fault.line, fault.column, re.split(r"[:,]", fault.text())[0]) for fault in sheet.faults]
    assert places == [
        (2, 1, "this formula has no stored result"),
        (3, 1, "this cell shows an error"),
        (3, 2, "this must be text or a number"),
    ]
    assert sheet.rows[3] == (4, ("12.5",))


def test_a_cell_far_beyond_the_table_is_no_cell_that_is_left_out():
    book = openpyxl.Workbook()
    book.active.append(["编号", "名称"])
    book.active.append(["1", "甲"])
    book.active["XY2"] = "乙"
    stream = io.BytesIO()
    book.save(stream)

    with pytest.raises(DocumentError) as raised:
        read_sheet(stream.getvalue(), "a")

    assert [(fault.line, fault.text()[:36]) for fault in raised.value.faults] == [
        (2, "this row has cells beyond column 200")
    ]


@pytest.mark.parametrize("write", [csv_bytes, workbook_file])
def test_how_long_a_list_is_is_told_before_it_is_read(write):
    rows = [
        [f"{number:06}", f"幸福家园东区{number}期·海勃湾区新华街道新华社区·甲物业服务有限公司", 30]
        for number in range(3000)
    ]

    assert has_few_cells(write(*rows[:400]), rows=1000)
    assert not has_few_cells(write(*rows), rows=1000)


def test_what_is_damaged_or_too_large_to_be_read_needs_no_long_reading():
    bomb = io.BytesIO()
    with zipfile.ZipFile(bomb, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("xl/worksheets/sheet1.xml", b"<" * (65 * 2**20))

    assert has_few_cells(bomb.getvalue(), rows=1)
    assert has_few_cells(workbook_file(["1", "甲", 30])[:100], rows=1)


def test_a_file_without_content_is_a_sheet_without_rows():
    assert read_sheet(b"", "a.csv") == read_sheet(b" ,\r\n", "a.csv") == Sheet(())
