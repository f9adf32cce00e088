from fractions import Fraction

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from analytics.casework.closures import CLOSURE_COLUMNS, find_watched, judge_closures, judged_within

NO_CALLS = pd.DataFrame({"case": [], "called_at": [], "resolved": []})


def day(number):
    return pd.Timestamp(2026, 9, 1, tz="UTC") + pd.Timedelta(days=number)


def closures(*rows):
    """Return answers of (case, day, verdict), each with its verdict a day later."""
    made = [(case, "甲", day(at), said, day(at + 1) if said else pd.NaT) for case, at, said in rows]
    return pd.DataFrame(made, columns=list(CLOSURE_COLUMNS))


def calls(*rows):
    made = pd.DataFrame(rows, columns=["case", "called_at", "resolved"])
    return made.assign(called_at=[day(number) for number in made["called_at"]])


def judged(found):
    return [(row.case, row.is_contradicted, row.by) for row in found.itertuples()]


def test_silence_verifies_nothing_and_partly_contradicts_nothing():
    found = judge_closures(closures((1, 1, "silent"), (2, 1, None), (3, 1, "partly"), (4, 1, "rejected")), NO_CALLS)

    assert judged(found) == [(3, False, "resident"), (4, True, "resident")]


@pytest.mark.parametrize(
    ("verdict", "resolved", "expected"),
    [
        ("silent", "no", (1, True, "call_back")),
        ("silent", "yes", (1, False, "call_back")),
        ("silent", "partly", (1, False, "call_back")),
        ("confirmed", "no", (1, True, "call_back")),
        ("confirmed", "yes", (1, False, "resident")),
        ("rejected", "yes", (1, True, "resident")),
        ("rejected", "no", (1, True, "resident")),
    ],
)
def test_a_contradiction_outweighs_and_the_first_word_counts(verdict, resolved, expected):
    [found] = judged(judge_closures(closures((1, 1, verdict)), calls((1, 20, resolved))))

    assert found == expected


@pytest.mark.parametrize("resolved", ["unsaid", None])
def test_a_call_in_which_nothing_is_said_verifies_nothing(resolved):
    assert judge_closures(closures((1, 1, "silent")), calls((1, 20, resolved))).empty


def test_a_call_is_about_the_last_answer_before_it():
    answers = closures((1, 1, "rejected"), (1, 5, "silent"), (1, 30, None))

    found = judge_closures(answers, calls((1, 20, "no")))

    assert found.index.tolist() == [0, 1]
    assert judged(found) == [(1, True, "resident"), (1, True, "call_back")]
    assert judge_closures(answers, calls((1, 1, "no"))).index.tolist() == [0], "called before there was an answer"


def test_a_closure_counts_in_the_period_in_which_it_was_judged():
    found = judge_closures(closures((1, 1, "confirmed"), (2, 1, "silent")), calls((1, 20, "no"), (2, 40, "yes")))

    assert judged_within(found, day(0), day(10))["case"].tolist() == []
    assert judged_within(found, day(20), day(40))["case"].tolist() == [1]
    assert judged_within(found, day(40), day(41))["case"].tolist() == [2]


def test_of_nothing_there_is_an_empty_register():
    assert judge_closures(closures(), NO_CALLS).empty


@given(some=st.integers(0, 200), upheld=st.integers(0, 200), bound=st.fractions(Fraction(1, 1000), 1))
def test_the_watch_list_compares_exactly(some, upheld, bound):
    register = pd.DataFrame({"some": [some], "of": [some + upheld]}, index=["甲"])

    watched = len(find_watched(register[register["of"] > 0], contradicted_share=bound, least_verified=10))

    assert watched == (some + upheld >= 10 and Fraction(some, some + upheld) >= bound)
