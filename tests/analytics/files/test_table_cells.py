"""Cells of table files: which line names the columns, and where each row stands."""

import csv

import pandas as pd
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from analytics.files import table_cells
from analytics.files.csv_files import divide_table
from analytics.files.table_cells import TableError, read_cells


@pytest.mark.parametrize("ends", ["\n", "\r\n"])
def test_empty_lines_are_no_rows_wherever_they_are(tmp_path, ends):
    path = tmp_path / "table.csv"
    path.write_text(ends.join(["", "", "name,score", "", "甲,1", "", "乙,2", "", ""]), "utf-8", newline="")

    cells = read_cells(path)

    assert cells.frame.to_dict("list") == {"name": ["甲", "乙"], "score": ["1", "2"]}
    assert (cells.header_line, list(cells.lines), cells.faults) == (3, [5, 7], ())


def test_a_file_of_empty_lines_has_neither_columns_nor_rows(tmp_path):
    path = tmp_path / "table.csv"
    path.write_bytes(b"\n" * 1000)

    assert read_cells(path).frame.shape == (0, 0)


def test_a_fault_of_the_header_names_its_line(tmp_path):
    path = tmp_path / "table.csv"
    path.write_text("\n\nname,name\n", "utf-8")

    assert [fault.line for fault in read_cells(path).faults] == [3]


@pytest.mark.parametrize(
    "text", ["name;score\n甲;1\n", "name\tscore\n甲\t1\n", "sep=;\nname;score\n甲;1\n", '"sep=|"\nname|score\n甲|1\n']
)
def test_cells_may_stand_apart_by_other_marks(tmp_path, text):
    path = tmp_path / "table.csv"
    path.write_text(text, "utf-8")

    cells = read_cells(path)

    assert cells.frame.to_dict("list") == {"name": ["甲"], "score": ["1"]}
    assert list(cells.lines) == [text.count("\n")]


def test_lines_of_mere_commas_below_a_table_are_no_rows(tmp_path):
    path = tmp_path / "table.csv"
    path.write_text("name,score\n甲,1\n,,,\n , \n,\n乙,2\n", "utf-8")

    cells = read_cells(path)

    assert (cells.faults, list(cells.lines)) == ((), [2, 6])


def test_columns_in_the_index_of_a_parquet_file_are_columns(tmp_path):
    path = tmp_path / "table.parquet"
    pd.DataFrame({"community_id": ["01", "02"], "score": [1, 2]}).set_index("community_id").to_parquet(path)

    assert read_cells(path).frame.to_dict("list") == {"community_id": ["01", "02"], "score": [1, 2]}


SIGNS = st.sampled_from(
    ["a", "1", "甲", "", " ", "\u3000", '"', "'", "'=", ",", ";", "\t", "\r", "\n", "\r\n", "b,2\n"]
)


@given(
    st.lists(SIGNS, max_size=12).map("".join),
    st.sampled_from(["a,b\n", "a\n", "a,b,c\r\n", "a,a\n", "a,\n", "sep=;\na;b\n", ""]),
)
@example("1,2\n\n3,4\n", "a,b\n")
@example("1,2\n,\n3,4", "a,b\n")
@example("1,2\n3\n", "a,b\n")
def test_a_plain_table_is_read_as_any_other_is(rest, header):
    table, mark, above = divide_table(header + rest)

    plain = table_cells._plain_cells(table, mark, above)

    if plain is not None:
        written = table_cells._written_cells(table, mark, above, "a.csv")
        assert plain.frame.equals(written.frame)
        assert (list(plain.lines), plain.positions) == (list(written.lines), written.positions)
        assert (plain.faults, plain.header_line) == (written.faults, written.header_line)


def test_a_table_of_words_and_numbers_is_read_plainly():
    plain = table_cells._plain_cells("id,name\r\n1,甲\r\n2,\r\n,丙", ",", 0)

    assert plain is not None
    assert plain.frame.to_dict("list") == {"id": ["1", "2", ""], "name": ["甲", "", "丙"]}


def test_a_cell_that_is_longer_than_any_is_refused_in_a_plain_table_too(tmp_path):
    path = tmp_path / "table.csv"
    path.write_text("name\n" + "a" * (csv.field_size_limit() + 1), "utf-8")

    with pytest.raises(TableError, match="this row is not CSV"):
        read_cells(path)
