from fractions import Fraction

import pandas as pd
from hypothesis import given
from hypothesis import strategies as st

from analytics.casework.laggards import find_laggards

FOUR_FIFTHS = Fraction(4, 5)


def laggards(cases):
    return find_laggards(cases, least_cases=20, least_share=FOUR_FIFTHS)


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

    found = laggards(cases)

    assert found.index.tolist() == ["late"]
    assert found.loc["late", ["some", "of", "share"]].tolist() == [15, 20, 0.75]


def test_what_was_not_the_companys_to_answer_names_nobody():
    cases = companys_cases(late=[False] * 40)

    assert laggards(cases.assign(is_companys=False)).empty
    assert laggards(cases.assign(company=None)).empty


def test_laggards_stand_by_name_and_not_by_how_late_they_are():
    cases = companys_cases(worst=[False] * 30, bad=[True] * 10 + [False] * 20)

    assert laggards(cases).index.tolist() == ["bad", "worst"]


@given(some=st.integers(0, 300), late=st.integers(0, 300), bound=st.fractions(min_value=0, max_value=1))
def test_the_bound_is_compared_exactly(some, late, bound):
    cases = companys_cases(any=[True] * some + [False] * late)

    found = find_laggards(cases, least_cases=1, least_share=bound)

    assert (len(found) == 1) == (some + late > 0 and Fraction(some, some + late) < bound)
