import pandas as pd
import pytest

from analytics.files.table_cells import TableError, cells_of, cells_of_rows
from analytics.files.typed_columns import CellReader, CellRefused, Column
from analytics.files.written_text import number_key
from analytics.files.yaml_documents import Fault

COLUMNS = {"number": ("编号", "number"), "district": ("区", "district"), "remark": ("备注", "remark")}


def reader_of(*rows, faults=()):
    return CellReader(cells_of_rows(list(enumerate(rows, start=1)), faults))


def faults_of(reader):
    with pytest.raises(TableError) as raised:
        reader.raise_faults("a.csv")
    return [(fault.line, fault.column, fault.key, fault.text()) for fault in raised.value.faults]


def read_whole(cell):
    if not cell.isdigit():
        raise CellRefused("“{text}” is no number", text=cell)
    return int(cell)


def test_columns_are_known_by_their_names_in_both_languages_in_any_order():
    reader = reader_of(["District ", "编号"], ["乌达区", "7"])

    reader.recognise(COLUMNS, optional=["remark"])

    assert reader.faults == []
    assert reader.cells.frame.to_dict("records") == [{"district": "乌达区", "number": "7"}]
    assert reader.cells.positions == {"district": 1, "number": 2}


def test_every_fault_of_a_header_is_noted_at_once():
    reader = reader_of(["number", "编号", "colour", "", "备注"], ["1", "2", "red", "x", ""])

    reader.recognise(COLUMNS)

    assert faults_of(reader) == [
        (1, None, "区 (district)", "this column is missing"),
        (1, 2, "编号", "this column stands here twice"),
        (1, 3, "colour", "this column is not known; there are 编号, 区, 备注"),
    ]


def test_columns_of_other_names_are_left_out_and_noted_with_the_faults_of_their_cells():
    reader = reader_of(
        ["编号", "colour", "", "区"],
        ["1", "red", "x", "乌达区"],
        faults=[Fault("this cell shows an error", {}, "", 2, 2), Fault("this cell shows an error", {}, "", 2, 3)],
    )

    reader.recognise(COLUMNS, optional=["remark"])

    assert reader.faults == []
    assert sorted((note.line, note.column, note.text()) for note in reader.notes) == [
        (1, 2, "this column is not known and was not read"),
        (1, 3, "this column has no header and was not read"),
    ]


@pytest.mark.parametrize(
    ("one", "other"),
    [("001", "1"), ("ＡＢ", "ab"), ("甲区", "甲\u200b区"), ("甲（东）", "甲(东)"), ("East 1", "east\xa01")],
)
def test_what_looks_like_an_earlier_text_names_both_rows_once(one, other):
    frame = pd.DataFrame({"name": [one, other, one, other]})
    reader = CellReader(cells_of(frame))

    reader.note_look_alikes(frame, "name", key=number_key)

    ((line, _, _, text),) = faults_of(reader)
    assert line == 2
    assert "looks like" in text
    assert "in row 1" in text


def test_look_alikes_in_different_regions_are_none():
    frame = pd.DataFrame({"name": ["A", "a", "a"], "region": ["r", "s", "s"]})
    reader = CellReader(cells_of(frame))

    reader.note_look_alikes(frame, "name", "region")

    reader.raise_faults("a.csv")


@pytest.mark.parametrize("numbers", [[1503.0, None], [1503, 1504]])
def test_ids_that_were_saved_as_whole_numbers_are_their_digits(numbers):
    reader = CellReader(cells_of(pd.DataFrame({"community_id": numbers})))

    assert reader.read({"community_id": Column("text")})["community_id"].iloc[0] == "1503"
    reader.raise_faults("a.parquet")


@pytest.mark.parametrize("numbers", [[1503.5], [1.5e18]])
def test_ids_whose_digits_are_lost_are_a_fault_of_their_column(numbers):
    reader = CellReader(cells_of(pd.DataFrame({"community_id": numbers})))

    reader.read({"community_id": Column("text")})

    assert [text for *_, text in faults_of(reader)] == ["this column must be text: as numbers its digits are lost"]


@pytest.mark.parametrize("text", ["1.50302E+18", "１.５E+1８", "甲\ufffd区", "\ue000"])
def test_damaged_ids_are_named_by_row(text):
    reader = CellReader(cells_of(pd.DataFrame({"community_id": ["1", text]})))

    reader.read({"community_id": Column("text")})

    assert [line for line, *_ in faults_of(reader)] == [2]


def test_a_name_of_ours_that_is_no_name_in_a_file_is_not_known():
    reader = reader_of(["编号", "district_id"], ["1", "2"])

    reader.recognise({"number": ("编号",), "district_id": ("区",)}, optional=["district_id"])

    assert [note.text() for note in reader.notes] == ["this column is not known and was not read"]


def test_a_refused_cell_is_one_fault_with_the_name_that_the_file_shows():
    reader = reader_of(["编号", "区"], ["x", "乌达区"], ["7", "乌达区"])
    reader.recognise(COLUMNS, optional=["remark"])

    numbers = reader.convert("number", read_whole)

    assert numbers.tolist() == [None, 7]
    assert faults_of(reader) == [(2, 1, "编号", "“x” is no number")]


def test_a_cell_that_was_unreadable_in_the_file_is_not_judged_again():
    reader = reader_of(["编号"], ["x"], ["8"], faults=[Fault("this cell shows an error", {}, "", 2, 1)])
    reader.recognise({"number": ("编号",)})

    table = pd.DataFrame({"number": reader.convert("number", read_whole)})
    reader.note_empty(table, ["number"])

    assert [text for *_, text in faults_of(reader)] == ["this cell shows an error"]


def test_repeats_of_several_columns_name_the_first_row_and_pass_over_empty_cells():
    frame = pd.DataFrame({"name": ["a", "a", "a", "", ""], "region": ["r", "s", "r", "r", "r"]})
    reader = CellReader(cells_of(frame))

    reader.note_repeats(frame, "name", "region")

    assert faults_of(reader) == [(3, None, "name", "a stands already in row 1")]


def test_what_contradicts_an_earlier_row_is_named_with_both_values():
    frame = pd.DataFrame({"name": ["甲", "乙", "甲", "甲"], "english": ["A", "B", "C", None]})
    reader = CellReader(cells_of(frame))

    reader.note_contradictions(frame, "name", "english")

    assert faults_of(reader) == [(3, None, "english", "“C” is “A” in row 1")]
