import math
from collections import Counter
from fractions import Fraction

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from analytics.casework.call_backs import (
    count_call_backs,
    draw_sample,
    match_rate,
    precise_size,
    shared_size,
    stratum_sizes,
)
from analytics.statistics.intervals import normal_quantile

FIVE, CERTAIN = Fraction(1, 20), Fraction(19, 20)
STRATA = st.lists(st.integers(0, 30), min_size=1, max_size=6)


def cases_of(numbers):
    return [(f"s{stratum}", f"{stratum}-{case}") for stratum, number in enumerate(numbers) for case in range(number)]


def test_sizes_are_those_of_the_tables():
    assert precise_size(1000, margin=FIVE, confidence=CERTAIN) == 278
    assert precise_size(10**9, margin=FIVE, confidence=CERTAIN) == 385
    assert precise_size(200, margin=Fraction(1, 10), confidence=Fraction(9, 10)) == 51


@given(st.integers(1, 5000), st.fractions(Fraction(1, 100), Fraction(1, 3)))
def test_a_sample_of_the_size_reaches_the_margin_and_one_case_fewer_does_not(number, margin):
    size = precise_size(number, margin=margin, confidence=CERTAIN)

    def reached(n):
        # Half the width for a share of one half, of n among number.
        correction = (number - n) / (number - 1) if number > 1 else 0
        return normal_quantile(0.95) * math.sqrt(0.25 / n * correction)

    assert reached(size) <= float(margin) + 1e-9
    assert size == 1 or reached(size - 1) > float(margin) - 1e-9


@given(st.integers(0, 5000), st.fractions(Fraction(1, 1000), 1))
def test_a_share_of_the_cases_is_rounded_up(number, share):
    size = shared_size(number, share=share)

    assert Fraction(size) >= share * number > size - 1 or number == size == 0


@pytest.mark.parametrize("wrong", [{"margin": Fraction(0)}, {"margin": Fraction(1)}, {"number": -1}])
def test_a_size_of_nothing_sensible_is_refused(wrong):
    asked = {"number": 10, "margin": FIVE, "confidence": CERTAIN} | wrong

    with pytest.raises(ValueError, match="must"):
        precise_size(asked.pop("number"), **asked)
    with pytest.raises(ValueError, match="must"):
        shared_size(-1, share=FIVE)


@given(STRATA, st.data())
def test_a_sample_has_its_size_and_each_stratum_its_share(numbers, data):
    listed = cases_of(numbers)
    size = data.draw(st.integers(0, len(listed)))
    seed = data.draw(st.text(max_size=8))

    drawn = draw_sample(listed, size=size, seed=seed)

    stratum_of = {reference: stratum for stratum, reference in listed}
    taken = Counter(stratum_of[reference] for reference in drawn)
    sizes = stratum_sizes(pd.Series(Counter(stratum_of.values()), dtype="int64"), size)
    assert len(set(drawn)) == len(drawn) == size
    assert all(row.fewest <= taken[row.Index] <= row.most for row in sizes.itertuples())


@given(STRATA, st.data())
def test_seed_and_list_draw_the_same_sample_in_whichever_order_they_are_listed(numbers, data):
    listed = cases_of(numbers)
    size, seed = data.draw(st.integers(0, len(listed))), data.draw(st.text(max_size=8))
    mixed = data.draw(st.permutations(listed))

    assert draw_sample(mixed, size=size, seed=seed) == draw_sample(listed, size=size, seed=seed)


def test_every_case_is_drawn_equally_often_also_that_of_a_tiny_stratum():
    listed = cases_of([40, 12, 1])
    draws = 4000

    drawn = Counter(
        reference for number in range(draws) for reference in draw_sample(listed, size=10, seed=f"seed {number}")
    )

    expected = draws * 10 / len(listed)
    # Five standard deviations of a count with this probability.
    room = 5 * math.sqrt(expected * (1 - 10 / len(listed)))
    assert all(abs(drawn[reference] - expected) < room for _stratum, reference in listed)


def test_a_case_that_is_listed_twice_or_a_size_beyond_the_list_is_refused():
    with pytest.raises(ValueError, match="listed twice"):
        draw_sample([("a", "1"), ("b", "1")], size=1, seed="")
    with pytest.raises(ValueError, match=r"size must lie in \[0, 1\], got 2"):
        draw_sample([("a", "1")], size=2, seed="")


def calls(*rows):
    return pd.DataFrame(rows, columns=["outcome", "contacted", "resolved", "satisfied"], dtype="object")


def test_who_was_not_reached_is_in_no_number():
    found = calls(
        ("reached", "yes", "yes", "yes"),
        ("reached", "no", "no", "unsaid"),
        ("not_reached", None, None, None),
        ("declined", None, None, None),
    )

    counted, match = count_call_backs(found), match_rate(found)

    assert (counted.reached, counted.contacted, counted.resolved, counted.satisfied) == (2, 1, 1, 1)
    assert (match.some, match.of) == (1, 2)


def test_what_is_resolved_in_part_does_not_agree_and_what_is_not_said_is_left_out():
    found = calls(("reached", "yes", "partly", "yes"), ("reached", "yes", "unsaid", "yes"))

    match = match_rate(found)

    assert (match.some, match.of) == (0, 1)
    assert match_rate(found.iloc[:0]).of == 0
