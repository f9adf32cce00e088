import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from analytics.casework.case_frame import VERDICTS
from analytics.casework.outcomes import (
    confirmed_share,
    count_exclusions,
    count_verdicts,
    is_in_stage2,
    is_reopened,
    silent_share,
)

WORDS = st.lists(st.sampled_from([*VERDICTS, None]), max_size=40)


@given(WORDS)
def test_verdicts_add_up_and_silence_is_no_consent(words):
    verdicts = pd.Series(words, dtype="object")

    [counts] = count_verdicts(verdicts).to_dict("records")
    confirmed, silent = confirmed_share(verdicts), silent_share(verdicts)

    assert counts == {verdict: words.count(verdict) for verdict in VERDICTS}
    assert (confirmed.some, confirmed.of) == (
        words.count("confirmed"),
        sum(word not in ("silent", None) for word in words),
    )
    assert (silent.some, silent.of) == (words.count("silent"), sum(word is not None for word in words))


def test_verdicts_are_counted_by_group():
    table = count_verdicts(pd.Series(["confirmed", "silent", None]), pd.Series(["a", "b", "c"]))

    assert table.index.tolist() == ["a", "b"]
    assert table.loc["b"].tolist() == [0, 0, 0, 1]


def test_a_verdict_that_nobody_knows_is_refused():
    with pytest.raises(ValueError, match="verdict is not known"):
        count_verdicts(pd.Series(["perhaps"]))


def test_only_an_answered_case_can_be_opened_again_and_only_a_valid_one_reviewed():
    answered = pd.Series(pd.to_datetime(["2026-09-01", "2026-09-01", None]))
    cases = pd.DataFrame(
        {"reopened": [1, 0, 0], "answered_at": answered, "stage": [2, 1, 1], "exclusion": [None, None, "same_case"]}
    )

    assert is_reopened(cases).tolist() == [True, False, pd.NA]
    assert is_in_stage2(cases).tolist() == [True, False, pd.NA]


def test_exclusions_are_counted_the_most_frequent_first():
    counts = count_exclusions(pd.Series(["b", None, "a", "c", "c"], dtype="object"))

    assert list(counts.items()) == [("c", 2), ("a", 1), ("b", 1)]
