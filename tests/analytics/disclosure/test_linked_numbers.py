"""Numbers linked by sums: whoever calculates finds no hidden one, and nothing is hidden for nothing."""

from dataclasses import replace
from datetime import date

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from analytics.disclosure.linked_numbers import CircularSums, Number, Sum, hidden_numbers, possible_ranges
from analytics.disclosure.rules import rules_in_force
from tests.disclosure_solver import Reader

RULES = rules_in_force(date(2026, 9, 30))
CELL, RANGE = RULES.minimum_cell, RULES.minimum_range
few = st.one_of(st.integers(0, 6), st.integers(0, 40))


@st.composite
def linked(draw):
    """Return numbers in a tree of sums, whose every number may be public, in a block, or shown nowhere."""
    values, sums = {"all": None}, []
    ends = ["all"]
    for _ in range(draw(st.integers(1, 4))):
        total = draw(st.sampled_from(ends))
        parts = [f"{total}.{place}" for place in range(draw(st.integers(2, 4)))]
        sums.append(Sum(total, parts))
        values |= dict.fromkeys(parts)
        ends = [name for name in (*ends, *parts) if name != total]
    for name in reversed(values):
        parts = [each.parts for each in sums if each.total == name]
        values[name] = sum(values[part] for part in parts[0]) if parts else draw(few)
    numbers = {
        name: Number(
            value,
            block=draw(st.sampled_from(["", "", "together"])),
            is_public=draw(st.integers(0, 5)) == 0,
            is_offered=draw(st.integers(0, 5)) > 0,
        )
        for name, value in values.items()
    }
    public = {name: replace(number, block="", is_offered=True) for name, number in numbers.items() if number.is_public}
    return numbers | public, sums


def reader_of(known, sums):
    reader = Reader()
    for each in sums:
        reader.learn([each.total, *((part, -1) for part in each.parts)], 0)
    for name, value in known.items():
        reader.learn([name], value)
    return reader


@settings(max_examples=20, deadline=None)
@given(linked())
def test_no_hidden_number_is_known_more_closely_than_the_rules_say_or_the_public_ones_tell(case):
    numbers, sums = case
    hidden = hidden_numbers(numbers, sums, rules=RULES)
    shown = {name: each.value for name, each in numbers.items() if each.is_offered and name not in hidden}
    reader = reader_of(shown, sums)
    public = reader_of({name: each.value for name, each in numbers.items() if each.is_public}, sums)

    secret = [name for name, each in numbers.items() if not each.is_offered and 0 < each.value < CELL]
    for name in (*hidden, *secret):
        least, greatest = reader.range_of(name)
        assert least - 1e-6 <= numbers[name].value <= greatest + 1e-6
        if name in hidden:
            assert greatest - least > 1 - 1e-6
        if not numbers[name].is_public:
            assert greatest - least >= min(RANGE, public.width_of(name)) - 1e-6
    for name, value in shown.items():
        if 0 < value < CELL and not numbers[name].is_public:
            assert public.width_of(name) < 1e-6


@settings(max_examples=12, deadline=None)
@given(linked(), st.data())
def test_ranges_are_those_of_the_linear_programme(case, data):
    numbers, sums = case
    known = {name: numbers[name].value for name in data.draw(st.sets(st.sampled_from(sorted(numbers))))}

    ranges = possible_ranges(known, numbers, sums)

    reader = reader_of(known, sums)
    for name in numbers:
        least, greatest = reader.range_of(name)
        assert ranges[name][0] == pytest.approx(least)
        assert (ranges[name][1] > 10**9) if greatest == float("inf") else ranges[name][1] == pytest.approx(greatest)


@given(linked())
def test_without_small_numbers_everything_is_shown(case):
    numbers, sums = case
    large = {name: replace(each, value=each.value * CELL) for name, each in numbers.items()}

    assert hidden_numbers(large, sums, rules=RULES) == frozenset()


def test_forty_seven_satisfied_of_forty_eight_and_twenty_six_very_satisfied_give_the_rest_away():
    sums = [
        Sum("valid", ("satisfied", "others")),
        Sum("satisfied", ("very", "rather")),
        Sum("others", ("neither", "dissatisfied")),
    ]
    ratings = {"very": 26, "rather": 21, "neither": 1, "dissatisfied": 0}
    totals = {"valid": 48, "satisfied": 47, "others": 1}
    official = {
        name: Number(value, is_public=name != "others", is_offered=name != "others") for name, value in totals.items()
    }

    alone = hidden_numbers(official | {name: Number(value) for name, value in ratings.items()}, sums, rules=RULES)
    block = {name: Number(value, block="ratings") for name, value in ratings.items()}
    together = hidden_numbers(official | block, sums, rules=RULES)

    assert alone == {"neither", "dissatisfied"}
    assert together == set(ratings)
    assert possible_ranges(totals, [*totals, *ratings], sums)["neither"] == (0, 1)


def test_what_public_numbers_alone_say_is_not_hidden():
    numbers = {"all": Number(3, is_public=True), "one": Number(3), "other": Number(0, is_public=True)}

    assert hidden_numbers(numbers, [Sum("all", ("one", "other"))], rules=RULES) == frozenset()


def test_sums_that_form_a_circle_are_refused():
    numbers = {name: Number(2) for name in "abcd"} | {name: Number(4) for name in "wxyz"}
    table = [Sum("w", "ab"), Sum("x", "cd"), Sum("y", "ac"), Sum("z", "bd")]

    with pytest.raises(CircularSums, match="the parts of z"):
        hidden_numbers(numbers, table, rules=RULES)


@pytest.mark.parametrize(("value", "message"), [(-1, "below 0: part"), (7, "all is 8, and its parts add up to 14")])
def test_numbers_that_cannot_be_are_refused(value, message):
    numbers = {"all": Number(8), "part": Number(value), "rest": Number(7)}

    with pytest.raises(ValueError, match=message):
        hidden_numbers(numbers, [Sum("all", ("part", "rest"))], rules=RULES)
