import csv
import io

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from analytics.files import csv_files
from analytics.files.csv_files import (
    BYTE_ORDER_MARK,
    column_lines,
    csv_file,
    csv_lines,
    frame_csv,
    in_parts,
    parse_csv,
    repeated_csv,
)
from analytics.files.yaml_documents import DocumentError

# What would start a formula gets an apostrophe.
CELLS = st.text(st.characters(codec="utf-8")).filter(lambda text: not csv_files.starts_formula(text))


def cells_of(text):
    return [cells for _, cells in parse_csv(text, "a.csv")]


@pytest.mark.parametrize("sign", list("=+-@\t\r\n＝＋－＠"))
def test_no_text_starts_a_formula_not_even_a_heading(sign):
    text = "".join(csv_file([f"{sign}1"], [[[f"{sign}1"]]]))

    assert cells_of(text.removeprefix(BYTE_ORDER_MARK)) == [[f"'{sign}1"], [f"'{sign}1"]]


def test_numbers_keep_their_sign():
    assert csv_lines([[-1, -0.5, np.float64(-2.25), np.int64(-3)]]) == "-1,-0.5,-2.25,-3\r\n"


def test_missing_values_are_empty_and_zero_is_not():
    missing = [None, float("nan"), np.nan, pd.NA, pd.NaT]

    assert csv_lines([[*missing, 0, 0.0, False, ""]]) == ",,,,,0,0.0,False,\r\n"


def test_leading_zeros_long_digits_and_line_breaks_come_back_as_they_were():
    cells = ["007", "123456789012345678", "甲,\n乙", 'a "b"', " c ", ""]

    assert cells_of(csv_lines([cells])) == [cells]


@given(st.lists(st.lists(CELLS, min_size=2, max_size=2), max_size=5))
def test_any_text_comes_back_as_it_was(rows):
    assert cells_of(csv_lines(rows)) == rows


def test_rows_are_taken_only_when_their_part_is_asked_for():
    taken = []

    def rows():
        for number in range(5):
            taken.append(number)
            yield [number]

    pieces = csv_file(["number"], in_parts(rows(), rows_at_once=2))

    assert (next(pieces), taken) == (f"{BYTE_ORDER_MARK}number\r\n", [])
    assert (next(pieces), taken) == ("0\r\n1\r\n", [0, 1])
    assert list(pieces) == ["2\r\n3\r\n", "4\r\n"]


@given(
    rows=st.lists(
        st.tuples(*[st.one_of(st.text(st.characters(codec="utf-8")), st.none(), st.integers())] * 2), max_size=5
    ),
    data=st.data(),
)
def test_rows_that_stand_again_and_again_are_written_as_any_others_are(rows, data):
    order = data.draw(st.lists(st.integers(0, len(rows) - 1), max_size=20)) if rows else []
    first, second = ([row[place] for row in rows] for place in (0, 1))

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(csv_files, "ROWS_AT_ONCE", 7)
        written = list(repeated_csv({"=name": first, "other": second}, np.array(order, "int32"), numbered="line"))

    lines = [[number, *rows[place]] for number, place in enumerate(order, 1)]
    assert written == list(csv_file(["line", "=name", "other"], in_parts(lines, rows_at_once=7)))


TYPED_CELLS = [
    (
        st.one_of(st.none(), st.text(st.characters(codec="utf-8")), st.sampled_from(["=1", "甲", '"', "a\r\n", "a"])),
        "str",
    ),
    (st.one_of(st.none(), st.integers(-(2**63), 2**63 - 1)), "Int64"),
    (st.integers(-(2**63), 2**63 - 1), "int64"),
    (st.floats(), "float64"),
    (
        st.one_of(st.integers(-(10**17), 10**17).map(float), st.sampled_from([1e-4, 9.9e-5, -0.0, 1e15, 1e16])),
        "float64",
    ),
    (st.booleans(), "bool"),
    (st.one_of(st.none(), st.integers(), st.text(st.characters(codec="utf-8")), st.floats()), "object"),
]


@given(st.data(), st.integers(0, 4), st.lists(st.sampled_from(TYPED_CELLS), min_size=1, max_size=4))
def test_columns_of_any_type_are_written_as_their_rows_are(data, rows, typed):
    listed = [data.draw(st.lists(cells, min_size=rows, max_size=rows)) for cells, _ in typed]
    columns = [pd.Series(values, dtype=dtype) for values, (_, dtype) in zip(listed, typed, strict=True)]
    texts = data.draw(st.lists(st.text(st.characters(codec="utf-8")), min_size=rows, max_size=rows))

    assert column_lines([*columns, texts]) == csv_lines(zip(*(each.tolist() for each in columns), texts, strict=True))
    assert column_lines(columns[:1]) == csv_lines([cell] for cell in columns[0].tolist())


def test_a_part_of_a_column_is_written_alone():
    frame = pd.DataFrame({"name": ["甲", "乙, 丙", "丁"], "score": [0.5, None, 2]}).iloc[1:]

    assert column_lines([frame["name"], frame["score"]]) == '"乙, 丙",\r\n丁,2.0\r\n'


def test_a_frame_is_written_as_pandas_writes_it(monkeypatch):
    monkeypatch.setattr(csv_files, "ROWS_AT_ONCE", 7)
    random = np.random.default_rng(1)
    frame = pd.DataFrame(
        {
            "community_id": [f"{number:03}" for number in range(50)],
            "name": random.choice(["阳光小区", "a, b", 'the "old" town', "two\nlines", ""], 50),
            "score": random.normal(size=50) * 10.0 ** random.integers(-20, 20, 50),
            "rate": np.where(random.random(50) < 0.3, np.nan, random.random(50)),
            "tipping_point": np.where(random.random(50) < 0.3, np.inf, -0.0),
            "responses": pd.array([None, *range(49)], dtype="Int64"),
            "ranked": random.random(50) < 0.5,
            "region": pd.Categorical(random.choice(["乌达区", "海南区"], 50)),
        }
    )
    frame.loc[3, "name"] = None

    assert frame_csv(frame) == frame.to_csv(index=False, lineterminator="\r\n").encode("utf-8-sig")


def test_a_frame_without_rows_has_its_names():
    assert frame_csv(pd.DataFrame({"name": [], "score": []})) == f"{BYTE_ORDER_MARK}name,score\r\n".encode()


def test_rows_are_named_by_the_line_on_which_they_begin():
    assert [line for line, _ in parse_csv('a\r\n"b\r\nc"\r\n\r\nd\r\n', "a.csv")] == [1, 2, 4, 5]


def test_a_row_that_is_not_csv_is_named():
    with pytest.raises(DocumentError, match=r"^a.csv:3: a quotation mark .* is never closed"):
        cells_of('a\r\nb\r\n"c')


def test_what_is_written_opens_in_the_csv_module_as_excel_reads_it():
    text = frame_csv(pd.DataFrame({"name": ["=甲"], "score": [0.5]})).decode("utf-8-sig")

    assert list(csv.DictReader(io.StringIO(text, newline=""))) == [{"name": "'=甲", "score": "0.5"}]
