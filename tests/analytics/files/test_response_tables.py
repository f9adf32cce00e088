import pandas as pd
import pytest

from analytics.files.response_tables import list_questions, read_responses
from analytics.files.table_cells import TableError

HEADER = "response_id,community_id,submitted_at,mode,duration_seconds,tenure,q01,q02"
GOOD = "1,001,2021-09-01T20:15:00+08:00,web,90,1,5,9"
CODES = {"valid_codes": [1, 2, 3, 4, 5], "missing_codes": [9]}


def read(tmp_path, *rows, header=HEADER, **options):
    path = tmp_path / "responses.csv"
    path.write_text("\n".join([header, *rows]), "utf-8")
    options = {"questions": ["q01", "q02"], "needed": ["response_id", "submitted_at"]} | CODES | options
    return read_responses(path, **options)


def test_responses_are_read_with_their_types(tmp_path):
    table = read(tmp_path, GOOD, "2,001,2021-09-01 12:15:00Z,web,,2,,4")

    assert table.responses["community_id"].tolist() == ["001", "001"]
    assert (table.responses["submitted_at"] == pd.Timestamp("2021-09-01T12:15:00Z")).all()
    assert table.answers.fillna(0).to_dict("list") == {"q01": [5, 0], "q02": [0, 4]}
    assert list(table.lines) == [2, 3]


def test_every_fault_of_response_rows_is_named_at_once(tmp_path):
    rows = [
        GOOD,
        "1,,2021-09-01,web,-3,4,6,9",
        "3,002,yesterday,web,9,1,x,5",
    ]
    with pytest.raises(TableError) as caught:
        read(tmp_path, *rows)

    assert [(fault.line, fault.key, fault.text()) for fault in caught.value.faults] == [
        (3, "response_id", "1 stands already in row 2"),
        (3, "community_id", "this cell is empty"),
        (
            3,
            "submitted_at",
            "this must be a time with its zone, such as 2021-09-01T20:15:00+08:00; it is “2021-09-01”",
        ),
        (3, "duration_seconds", "this cannot be negative, it is -3"),
        (3, "tenure", "this must be at most 3, it is 4"),
        (3, "q01", "code 6 is neither a valid answer nor one that counts as missing"),
        (
            4,
            "submitted_at",
            "this must be a time with its zone, such as 2021-09-01T20:15:00+08:00; it is “yesterday”",
        ),
        (4, "q01", "this must be a whole number, it is “x”"),
    ]


def test_columns_that_are_needed_are_named(tmp_path):
    with pytest.raises(TableError) as caught:
        read(tmp_path, "1,5", header="response_id,q01", texts=["building"])

    assert [fault.key for fault in caught.value.faults] == ["community_id", "submitted_at", "building", "q02"]


def test_a_file_may_call_the_community_otherwise(tmp_path):
    table = read(tmp_path, GOOD, header=HEADER.replace("community_id", "小区编号"), community_column="小区编号")

    assert table.responses["community_id"].tolist() == ["001"]


def test_parquet_gives_the_rows_that_csv_gives(tmp_path):
    table = read(tmp_path, GOOD, "2,001,2021-09-01 12:15:00Z,web,,2,,4")
    table.responses.join(table.answers).to_parquet(tmp_path / "responses.parquet")
    again = read_responses(
        tmp_path / "responses.parquet", questions=["q01", "q02"], needed=["response_id", "submitted_at"], **CODES
    )

    pd.testing.assert_frame_equal(again.responses, table.responses)
    pd.testing.assert_frame_equal(again.answers, table.answers)


@pytest.mark.parametrize("text", ["", "q2", "q05-q02", "q02;q03", "tenure"])
def test_what_is_no_list_of_questions_is_refused(text):
    with pytest.raises(ValueError, match="questions are listed as q02,q05-q07"):
        list_questions(text)
