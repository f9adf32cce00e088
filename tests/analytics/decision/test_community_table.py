import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from analytics.decision.community_table import check_communities, read_table
from analytics.files.table_cells import TableError
from tests.analytics.rule_files import rules_with

RULES = rules_with({})
INDEX_RULES = rules_with({"satisfaction.measure": "satisfaction_index"})
COMPOSITE_RULES = rules_with(
    {"satisfaction.measure": "composite", "satisfaction.domains": {"q02": "60 %", "q03": "40 %"}}
)
HEADER = "community_id,region,name,responses,satisfied,households,complaints,exposure_household_years"
GOOD = f"{HEADER}\n001,海勃湾区,阳光小区,40,38,90,2,90.5\n002,海勃湾区,=甲,,,,,\n"


def read(tmp_path, content, rules=RULES):
    path = tmp_path / "table.csv"
    path.write_bytes(content if isinstance(content, bytes) else content.encode("utf-8"))
    return read_table(path, rules)


def faults_of(tmp_path, content, rules=RULES):
    with pytest.raises(TableError) as caught:
        read(tmp_path, content, rules)
    return [(fault.line, fault.column, fault.key, fault.text()) for fault in caught.value.faults]


def said(tmp_path, content, rules=RULES):
    return [text for *_, text in faults_of(tmp_path, content, rules)]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gb18030"])
@pytest.mark.parametrize("newline", ["\n", "\r\n"])
def test_a_table_is_read_in_the_encodings_of_offices(tmp_path, encoding, newline):
    table = read(tmp_path, GOOD.replace("\n", newline).encode(encoding))

    assert table["community_id"].tolist() == ["001", "002"]
    assert table["region"].tolist() == ["海勃湾区"] * 2
    assert table["responses"].tolist() == [40, pd.NA]
    assert table["exposure_household_years"].iloc[0] == 90.5
    assert np.isnan(table["exposure_household_years"].iloc[1])


def test_parquet_gives_the_table_that_csv_gives(tmp_path):
    table = read(tmp_path, GOOD)
    table.to_parquet(tmp_path / "table.parquet")

    pd.testing.assert_frame_equal(read_table(tmp_path / "table.parquet", RULES), table)


def test_all_faults_are_named_at_once_with_row_column_and_value(tmp_path):
    rows = [
        "001,海勃湾区,a,N/A,1,90,0,90",
        "001,海勃湾区,b,40,41,90,0,90",
        ",海勃湾区,c,40,-1,30,1.5,90",
        "004,,d,40.5,1,90,0,nan",
        "005,海勃湾区,e,40,1,90,0,inf",
        "006,海勃湾区,f,40,,90,0,90,",
        "007,海勃湾区,g,,3,90,0,99999999999",
    ]
    found = faults_of(tmp_path, "\n".join([HEADER, *rows]))

    assert found == [
        (2, 4, "responses", "this must be a whole number, it is “N/A”"),
        (3, 1, "community_id", "001 stands already in row 2"),
        (3, 5, "satisfied", "41 satisfied of 40 responses"),
        (4, 1, "community_id", "this cell is empty"),
        (4, 4, "responses", "40 responses of 30 households"),
        (4, 5, "satisfied", "this cannot be negative, it is -1"),
        (4, 7, "complaints", "this must be a whole number, it is “1.5”"),
        (5, 2, "region", "this cell is empty"),
        (5, 4, "responses", "this must be a whole number, it is “40.5”"),
        (5, 8, "exposure_household_years", "this must be a number, it is “nan”"),
        (6, 8, "exposure_household_years", "this must be a number, it is “inf”"),
        (7, None, "", "this row has 9 cells, the header has 8"),
        (8, 5, "satisfied", "this needs the number of responses"),
        (8, 8, "exposure_household_years", "this must be at most 1000000000, it is 99999999999"),
    ]


def test_the_error_has_one_line_per_fault(tmp_path):
    with pytest.raises(TableError) as caught:
        read(tmp_path, f"{HEADER}\n1,r,n,x,,,,\n2,r,n,y,,,,\n")

    assert str(caught.value).splitlines() == [
        f"{tmp_path}/table.csv:2:4: responses: this must be a whole number, it is “x”",
        f"{tmp_path}/table.csv:3:4: responses: this must be a whole number, it is “y”",
    ]


@pytest.mark.parametrize(
    ("header", "missing"),
    [
        ("region,responses,satisfied", ["community_id"]),
        ("community_id,region,satisfied", ["responses"]),
        ("community_id,region", ["responses", "satisfied"]),
        ("community_id,region,score", ["score_precision"]),
        ("community_id,region,responses,satisfied,complaints", ["exposure_household_years"]),
    ],
)
def test_missing_columns_are_named(tmp_path, header, missing):
    row = ",".join("1" for _ in header.split(","))
    found = faults_of(tmp_path, f"{header}\n{row}\n")

    assert [key for *_, key, text in found if text == "this column is missing"] == missing


@pytest.mark.parametrize(
    ("content", "text"),
    [
        (b"", "this column is missing"),
        (HEADER.encode(), "the table has no rows"),
        (GOOD.encode("utf-16"), "this is UTF-16 text"),
        (GOOD.encode()[:-1] + b"\xff\xff\xff", "the text is not"),
        (b"PK\x03\x04rest", "this is a workbook"),
        (b"PAR1 cut off", "this Parquet file is cut off or damaged"),
        (GOOD.encode() + b'003,"unfinished', "is never closed"),
        (GOOD.encode() + b"003,a\0b", "zero byte"),
        (GOOD.encode() + b"003,region", "this row has 2 cells, the header has 8"),
        ((GOOD.replace("name", "region")).encode(), "this column stands here twice"),
        ((GOOD.replace("name", "nmae")).encode(), "this column is not known"),
    ],
)
def test_a_file_that_is_no_whole_table_is_refused(tmp_path, content, text):
    assert any(text in fault for fault in said(tmp_path, content))


def test_a_parquet_file_is_refused_wherever_it_is_cut_off(tmp_path):
    read(tmp_path, GOOD).to_parquet(tmp_path / "whole.parquet")
    whole = (tmp_path / "whole.parquet").read_bytes()

    for size in range(4, len(whole), 97):
        assert "cut off or damaged" in said(tmp_path, whole[:size])[0]


def test_what_calls_itself_parquet_and_is_none_is_named_so(tmp_path):
    (tmp_path / "noise.parquet").write_bytes(bytes(range(256)))

    with pytest.raises(TableError, match="this Parquet file is cut off or damaged"):
        read_table(tmp_path / "noise.parquet", RULES)


def test_a_file_that_is_not_there_is_a_table_error(tmp_path):
    with pytest.raises(TableError, match="cannot be read"):
        read_table(tmp_path / "nowhere.csv", RULES)


def test_zero_households_are_no_fault(tmp_path):
    table = read(tmp_path, f"{HEADER}\n1,r,n,0,0,0,0,0\n")

    assert table["households"].tolist() == [0]


@pytest.mark.parametrize(
    ("row", "text"),
    [
        ("83,0.5,", "one precision holds for all scores: 0.5 is not the 1.0 of the first"),
        ("83.3,,", "this is missing for the score 83.3"),
        ("101,1,", "this must be at most 100, it is 101"),
        ("83.5,1,", "83.5 is no multiple of its precision 1.0"),
        ("83,0,", "this must be at least 1e-06, it is 0"),
    ],
)
def test_given_scores_need_one_precision_that_they_fit(tmp_path, row, text):
    assert text in said(tmp_path, f"community_id,region,score,score_precision,name\n1,r,90,1,\n2,r,{row}\n")


def test_a_score_and_the_counts_behind_it_are_one_too_many(tmp_path):
    content = "community_id,region,score,score_precision,responses,satisfied\n1,r,90,1,10,9\n"

    assert said(tmp_path, content) == ["give either this column or satisfied, not both"]


def test_a_mean_that_its_answers_cannot_have_is_a_fault(tmp_path):
    content = (
        "community_id,region,responses,mean_index\n1,r,3,83.33\n2,r,3,83.333333\n3,r,0,\n4,r,10,\n5,r,0,50\n6,r,9,\n"
    )

    assert faults_of(tmp_path, content, INDEX_RULES) == [
        (2, 4, "mean_index", "no points of 3 responses have the mean 83.33: give it with six decimals"),
        (5, 4, "mean_index", "this is missing for 10 responses"),
        (6, 4, "mean_index", "this needs the number of responses"),
    ]


def test_a_mean_beyond_every_point_is_a_fault(tmp_path):
    points = {"satisfaction.index_points": {5: 100, 4: 80, 3: 60, 2: 40, 1: 20}}
    rules = rules_with(points | {"satisfaction.measure": "satisfaction_index"})
    content = "community_id,region,responses,mean_index\n1,r,2,0\n2,r,2,20\n"

    assert faults_of(tmp_path, content, rules) == [
        (2, 4, "mean_index", "this lies beyond the points that an answer can have")
    ]


def test_every_fault_of_a_table_of_composites_is_named(tmp_path):
    rows = ["1,r,3,83.3333333,90", "2,r,30,,90", "3,r,0,50,90", "4,r,100,50,90", "5,r,40,83.333333,90"]
    content = "\n".join(["community_id,region,composite_responses,mean_composite,households", *rows])

    assert faults_of(tmp_path, content, COMPOSITE_RULES) == [
        (2, 4, "mean_composite", "83.3333333 is not rounded to six decimals"),
        (3, 4, "mean_composite", "this is missing for 30 responses"),
        (4, 4, "mean_composite", "this needs the number of responses"),
        (5, 3, "composite_responses", "100 responses of 90 households"),
    ]


def test_a_composite_needs_its_own_columns(tmp_path):
    content = "community_id,region,responses,satisfied\n1,r,3,2\n"

    assert [key for *_, key, _ in faults_of(tmp_path, content, COMPOSITE_RULES)] == [
        "composite_responses",
        "mean_composite",
    ]


def test_a_frame_may_have_more_responses_than_households_and_other_columns():
    frame = pd.DataFrame(
        {
            "community_id": ["1"],
            "region": ["r"],
            "responses": [40],
            "satisfied": [30],
            "households": [20],
            "city": ["c"],
        }
    )

    assert list(check_communities(frame, RULES)) == ["community_id", "region", "responses", "satisfied", "households"]


def test_look_alikes_are_taken_only_from_a_table_whose_ids_were_checked():
    frame = pd.DataFrame({"community_id": ["01", "1"], "region": "乌达区", "responses": 40, "satisfied": [30, 41]})

    with pytest.raises(TableError) as both:
        check_communities(frame, RULES)
    with pytest.raises(TableError) as one:
        check_communities(frame, RULES, look_alikes=False)

    assert {fault.key for fault in both.value.faults} == {"community_id", "satisfied"}
    assert {fault.key for fault in one.value.faults} == {"satisfied"}


def test_a_frame_is_not_changed():
    frame = pd.DataFrame({"community_id": [1], "region": ["r"], "responses": [40.0], "satisfied": [30]}, index=[7])
    before = frame.copy(deep=True)
    checked = check_communities(frame, RULES)

    pd.testing.assert_frame_equal(frame, before)
    assert checked["community_id"].tolist() == ["1"]


def test_an_unknown_denominator_is_a_fault():
    frame = pd.DataFrame(
        {
            "community_id": ["1", "2"],
            "region": "r",
            "responses": 40,
            "satisfied": 30,
            "denominator_source": ["flats", None],
        }
    )
    with pytest.raises(TableError, match=r"communities:1: denominator_source: .* “flats”"):
        check_communities(frame, RULES)


@settings(deadline=None)
@given(st.lists(st.text(alphabet='0019.,-"\n N/Aeé', max_size=8), min_size=8, max_size=8))
def test_whatever_stands_in_a_row_every_row_is_kept_or_refused(tmp_path_factory, cells):
    content = f"{HEADER}\n" + ",".join(cells)
    path = tmp_path_factory.mktemp("any") / "table.csv"
    path.write_text(content, "utf-8", newline="")
    try:
        table = read_table(path, RULES)
    except TableError:
        return
    assert len(table) == 1
