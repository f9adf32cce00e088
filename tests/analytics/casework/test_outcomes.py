from fractions import Fraction

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from analytics.casework.case_frame import VERDICTS
from analytics.casework.laggards import find_laggards
from analytics.casework.outcomes import (
    FORMULAS,
    confirmed_share,
    count_exclusions,
    count_verdicts,
    is_in_stage2,
    is_reopened,
    silent_share,
    three_rates,
)

BOUNDS = {"least_cases": 20, "least_share": Fraction(4, 5)}
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


def test_the_three_rates_are_those_of_the_formulas():
    cases = pd.DataFrame(
        {
            "acknowledged_in_time": pd.array([True, False, None, True], dtype="boolean"),
            "verdict": pd.Series(["confirmed", "partly", "silent", "confirmed"], dtype="object"),
        }
    )

    rates = three_rates(cases, called_back=8, satisfied=6)

    assert rates.keys() == FORMULAS.keys()
    assert {name: (rate.some, rate.of) for name, rate in rates.items()} == {
        "response": (2, 3),
        "resolution": (2, 3),
        "satisfaction": (6, 8),
    }
    assert three_rates(cases)["satisfaction"].of == 0, "nobody was called back: nobody is dissatisfied"
    with pytest.raises(ValueError, match="events exceed n"):
        three_rates(cases, called_back=1, satisfied=2)


def companys_cases(**kept):
    rows = [(company, value) for company, values in kept.items() for value in values]
    frame = pd.DataFrame(rows, columns=["company", "answered_in_time"]).astype({"answered_in_time": "boolean"})
    return frame.assign(is_companys=True)


def test_a_company_is_named_below_the_bound_and_from_the_minimum_on():
    cases = companys_cases(
        late=[True] * 15 + [False] * 5,
        at_the_bound=[True] * 16 + [False] * 4,
        few=[False] * 19,
        unjudged=[False] * 19 + [None],
    )

    found = find_laggards(cases, **BOUNDS)

    assert found.index.tolist() == ["late"]
    assert found.loc["late", ["some", "of", "share"]].tolist() == [15, 20, 0.75]


def test_what_was_not_the_companys_to_answer_names_nobody():
    cases = companys_cases(late=[False] * 40)

    assert find_laggards(cases.assign(is_companys=False), **BOUNDS).empty
    assert find_laggards(cases.assign(company=None), **BOUNDS).empty


def test_laggards_stand_by_name_and_not_by_how_late_they_are():
    cases = companys_cases(worst=[False] * 30, bad=[True] * 10 + [False] * 20)

    assert find_laggards(cases, **BOUNDS).index.tolist() == ["bad", "worst"]
