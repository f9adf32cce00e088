from collections import Counter

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pyarrow import parquet

from analytics.counting import answer_counters, answer_counts
from analytics.counting.answer_counts import AnswerCounts, count_answers, count_parquet
from tests.analytics.counting.batches import COMMUNITIES, QUESTIONS, as_batch, cut, cuts, responses


def count(*batches):
    return count_answers(batches, communities=COMMUNITIES, questions=QUESTIONS)


def same_counts(one, other):
    return np.array_equal(one.responses, other.responses) and all(
        np.array_equal(one.counts[question], other.counts[question]) for question in QUESTIONS
    )


@pytest.fixture(params=["numpy", "compiled"])
def both_ways(request, monkeypatch):
    if request.param == "compiled":
        monkeypatch.setattr(answer_counters, "COMPILED_ROWS", 1)


@pytest.mark.usefixtures("both_ways")
@pytest.mark.parametrize("kind", [pa.int8(), pa.int16(), pa.int64(), pa.uint8()])
def test_every_answer_is_counted_once(kind):
    random = np.random.default_rng(5)
    rows = [
        (int(random.choice(COMMUNITIES[:2])), *(random.choice([None, *codes]) for codes in QUESTIONS.values()))
        for _ in range(203)
    ]

    counted = count(as_batch(rows, kind))

    for position, (question, codes) in enumerate(QUESTIONS.items(), start=1):
        expected = Counter((row[0], row[position]) for row in rows)
        assert counted.table(question).to_dict("index") == {
            community: {code: expected[community, code] for code in codes} for community in COMMUNITIES
        }
    assert counted.responses.tolist() == [sum(row[0] == community for row in rows) for community in COMMUNITIES]


@pytest.mark.usefixtures("both_ways")
@given(
    st.lists(st.tuples(st.sampled_from(COMMUNITIES), st.integers(1, 700), st.sampled_from([1, 5, None])), max_size=8),
    cuts,
)
def test_no_answer_is_lost_however_many_of_one_community_follow_each_other(runs, positions):
    rows = [(community, code, 1, None) for community, times, code in runs for _ in range(times)]
    counted = count(*cut(as_batch(rows), positions))

    for community in COMMUNITIES:
        for code in (1, 5):
            expected = sum(row[:2] == (community, code) for row in rows)
            assert counted.table("q01").loc[community, code] == expected


@pytest.mark.parametrize("communities", [[3, 14, 159], [-(2**31), 5, 2**31 - 1], [0, 2**62]])
@pytest.mark.parametrize("strange", [[], [4], [-(2**31) + 1], [None]])
def test_communities_are_found_by_number_and_unknown_ones_named_however_far_apart(communities, strange):
    kind = pa.int64() if max(communities) > 2**31 else pa.int32()
    rows = [*communities * 2, *strange]
    batch = pa.RecordBatch.from_pydict({"community": pa.array(rows, kind), "q01": pa.array([5] * len(rows), pa.int8())})
    if not strange:
        counted = count_answers([batch], communities=communities, questions={"q01": [5]})
        assert counted.responses.tolist() == [2] * len(communities)
        return
    message = "of no community" if strange == [None] else f"community {strange[0]} is not listed"
    with pytest.raises(ValueError, match=message):
        count_answers([batch], communities=communities, questions={"q01": [5]})


def test_small_and_large_batches_add_up(monkeypatch):
    monkeypatch.setattr(answer_counters, "COMPILED_ROWS", 100)
    rows = [(14, 5, 1, None)] * 400
    sizes = [240, 99, 240, 1, 250, 400]
    counted = count(*(as_batch(rows[:size]) for size in sizes))

    assert counted.table("q01").loc[14, 5] == sum(sizes)
    assert counted.responses.sum() == sum(sizes)


@pytest.mark.usefixtures("both_ways")
@pytest.mark.parametrize("codes", [range(7), range(8), range(127)])
def test_questions_of_few_and_of_many_codes_are_counted_alike(codes):
    answers = [*codes, None] * 300
    batch = pa.RecordBatch.from_pydict({"community": [14] * len(answers), "q01": pa.array(answers, pa.int8())})
    counted = count_answers([batch], communities=COMMUNITIES, questions={"q01": codes})

    assert counted.table("q01").loc[14].tolist() == [300] * len(codes)
    assert counted.responses.sum() == len(answers)


@given(responses, cuts)
def test_neither_the_cut_into_batches_nor_the_order_of_responses_changes_a_count(rows, positions):
    batch, backwards = as_batch(rows), as_batch(rows[::-1])

    assert same_counts(count(batch), count(*cut(backwards, positions)))


@pytest.mark.usefixtures("both_ways")
def test_a_batch_that_begins_anywhere_keeps_its_gaps():
    rows = [(14, 5 if position % 3 else None, 1, None) for position in range(30)]
    batch = as_batch(rows)

    for start in range(30):
        counted = count(batch.slice(start, 11))

        part = rows[start : start + 11]
        assert counted.table("q01").loc[14, 5] == sum(row[1] == 5 for row in part)
        assert counted.responses.sum() == len(part)


@given(responses, responses)
def test_parts_add_up(one, other):
    assert same_counts(count(as_batch(one)) + count(as_batch(other)), count(as_batch(one + other)))


def test_parts_of_other_questions_do_not_add_up():
    other = count_answers([], communities=COMMUNITIES, questions={"q01": (1, 2)})

    with pytest.raises(ValueError, match="the same communities, questions and codes"):
        count() + other


@pytest.mark.parametrize(
    "labels",
    [
        pa.array(["乙", "甲", "乙"]),
        pa.array(["乙", "甲", "乙"], pa.large_string()),
        pa.array(["乙", "甲", "乙"]).dictionary_encode(),
    ],
)
def test_communities_may_be_text(labels):
    batch = pa.RecordBatch.from_arrays([labels, pa.array([1, 2, 1], pa.int8())], names=["community", "q02"])

    counted = count_answers([batch], communities=["甲", "乙"], questions={"q02": (1, 2)})

    assert counted.table("q02").to_dict("index") == {"甲": {1: 0, 2: 1}, "乙": {1: 2, 2: 0}}


def test_a_frame_is_counted_as_a_batch():
    frame = pd.DataFrame({"community": [14, 3], "q02": pd.array([9, None], dtype="Int64")})

    counted = count_answers(
        [pa.RecordBatch.from_pandas(frame)], communities=COMMUNITIES, questions={"q02": QUESTIONS["q02"]}
    )

    assert counted.table("q02")[9].tolist() == [0, 1, 0]
    assert counted.responses.tolist() == [1, 1, 0]


@pytest.mark.usefixtures("both_ways")
@pytest.mark.parametrize(
    ("columns", "message"),
    [
        ({"community": [3, 26, 27], "q02": [1, 1, 1]}, "community 26, 27 is not listed"),
        ({"community": [3, None], "q02": [1, 1]}, "1 responses are of no community"),
        ({"community": ["3"], "q02": [1]}, "communities are listed as int64, responses have string"),
        ({"community": [3, 3, 3], "q02": [7, 1, -1]}, "q02 has no code -1, 7"),
        ({"community": [3, 3], "q02": pa.array([-1, None], pa.int8())}, "q02 has no code -1"),
        ({"community": [3], "q02": [40_000]}, "q02 holds codes beyond 32767"),
        ({"community": [3], "q02": [1.0]}, "q02 holds double, codes are whole numbers"),
        ({"community": [3], "q05": [1]}, "there is no column q02, only community, q05"),
    ],
)
def test_what_cannot_be_counted_is_named(columns, message):
    batch = pa.RecordBatch.from_pydict(columns)

    with pytest.raises(ValueError, match=message):
        count_answers([batch], communities=COMMUNITIES, questions={"q02": QUESTIONS["q02"]})


@pytest.mark.parametrize(
    ("communities", "questions", "message"),
    [
        ([3, 3], {"q01": (1,)}, "community 3 is listed twice"),
        ([3], {}, "there must be a question"),
        ([3], {"q01": (1, 1)}, "q01 must have each of its codes once"),
        ([3], {"q01": (1, 40_000)}, "codes of q01 must lie between 0 and 32767"),
    ],
)
def test_what_to_count_must_be_said_without_repeats(communities, questions, message):
    with pytest.raises(ValueError, match=message):
        count_answers([], communities=communities, questions=questions)


@pytest.mark.parametrize("threads", [1, 2, 7])
def test_a_file_is_counted_like_its_rows(tmp_path, monkeypatch, threads):
    monkeypatch.setattr(answer_counts, "BATCH_ROWS", 13)
    random = np.random.default_rng(8)
    rows = [(int(random.choice(COMMUNITIES)), int(random.integers(1, 6)), None, 4) for _ in range(100)]
    path = tmp_path / "responses.parquet"
    parquet.write_table(pa.Table.from_batches([as_batch(rows)]), path, row_group_size=30)

    counted = count_parquet(path, communities=COMMUNITIES, questions=QUESTIONS, threads=threads)

    assert same_counts(counted, count(as_batch(rows)))


def test_a_file_without_responses_has_counts_of_zero(tmp_path):
    path = tmp_path / "responses.parquet"
    parquet.write_table(pa.Table.from_batches([as_batch([])]), path)

    counted = count_parquet(path, communities=COMMUNITIES, questions=QUESTIONS)

    assert isinstance(counted, AnswerCounts)
    assert counted.responses.tolist() == [0, 0, 0]


def test_a_column_that_a_file_lacks_is_named(tmp_path):
    path = tmp_path / "responses.parquet"
    parquet.write_table(pa.Table.from_batches([as_batch([])]), path)

    with pytest.raises(ValueError, match="has no column q07"):
        count_parquet(path, communities=COMMUNITIES, questions={"q07": (1,)})
