"""Columns as texts: what Arrow makes of a whole column is what Python writes of each value."""

import numpy as np
import pandas as pd
import pyarrow as pa
from hypothesis import example, given
from hypothesis import strategies as st

from analytics.files.column_texts import float_texts, hold_any, run_together, whole_texts, word_texts

WORDS = st.lists(st.one_of(st.none(), st.text(st.characters(codec="utf-8")), st.sampled_from(["a,", "甲", "\n"])))


@given(st.lists(st.one_of(st.floats(allow_nan=False), st.integers(-(10**17), 10**17).map(float))))
@example([1e-4, 9.999e-5, -0.0, 0.1, 1e10, 9999999999.0, 1e15, 1e16, 1e22, float("inf")])
def test_floats_are_written_as_python_writes_them(numbers):
    assert float_texts(np.array(numbers, dtype=float)).to_pylist() == list(map(repr, numbers))


@given(st.lists(st.one_of(st.none(), st.integers(-(2**53), 2**53))))
def test_whole_numbers_are_written_without_a_point_whether_floats_or_integers(numbers):
    expected = [None if number is None else str(number) for number in numbers]
    floats = np.array([np.nan if number is None else number for number in numbers], dtype=float)

    assert whole_texts(floats).to_pylist() == expected
    assert whole_texts(pd.Series(numbers, dtype="Int64")).to_pylist() == expected


@given(WORDS, st.integers(0, 5))
def test_signs_are_found_in_the_texts_that_hold_them_also_in_a_part_of_a_column(words, start):
    texts = word_texts(pd.Series(words, dtype="str").iloc[start:])

    expected = [word is not None and ("," in word or "\n" in word) for word in words[start:]]
    assert hold_any(texts, b",\n").tolist() == expected
    assert hold_any(pa.array(words, pa.large_string())[start:], b",\n").tolist() == expected


@given(st.lists(st.text(st.characters(codec="utf-8"))), st.integers(0, 5))
def test_texts_run_together_are_all_of_them(words, start):
    assert run_together(pa.array(words, pa.large_string())[start:]) == "".join(words[start:])
