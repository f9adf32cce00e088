from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given

from analytics.counting.composites import composite_sums
from tests.analytics.counting.batches import COMMUNITIES, as_batch, cut, cuts, responses

WEIGHTS = {"q01": Fraction(1, 3), "q02": Fraction(1, 2), "q03": Fraction(1, 6)}
POINTS = {5: Fraction(100), 4: Fraction(200, 3), 3: Fraction(50), 2: Fraction(25), 1: Fraction(0)}
MISSING = (0, 9)


def add_up(*batches, communities=COMMUNITIES, weights=WEIGHTS, points=POINTS):
    return composite_sums(batches, communities=communities, weights=weights, points=points, missing_codes=MISSING)


def composites(rows):
    """Yield each resident's community and composite, computed one by one."""
    for community, *codes in rows:
        answered = {q: POINTS[code] for q, code in zip(WEIGHTS, codes, strict=True) if code in POINTS}
        weight = sum((WEIGHTS[question] for question in answered), Fraction(0))
        if weight >= Fraction(1, 2):
            yield community, sum(WEIGHTS[q] * points for q, points in answered.items()) / weight


@given(responses, cuts)
def test_composites_add_up_exactly(rows, positions):
    sums = add_up(*cut(as_batch(rows), positions))

    expected = list(composites(rows))
    for community, (n, total, square) in zip(COMMUNITIES, sums.exact(), strict=True):
        own = [value for place, value in expected if place == community]
        assert (n, total, square) == (len(own), sum(own), sum(value**2 for value in own))


@given(responses, responses)
def test_parts_of_composites_add_up_in_any_order(one, other):
    together = add_up(as_batch(one + other)).exact()

    assert (add_up(as_batch(one)) + add_up(as_batch(other))).exact() == together
    assert (add_up(as_batch(other)) + add_up(as_batch(one))).exact() == together


def test_composites_of_other_weights_do_not_add_up():
    with pytest.raises(ValueError, match="the same communities, weights, points"):
        add_up() + add_up(weights=WEIGHTS | {"q01": Fraction(1, 4)})


def test_half_of_the_weight_is_enough_and_less_is_not():
    rows = [(3, None, 2, None), (3, 5, None, 5), (14, 5, None, 0), (14, 5, 9, None), (14, None, None, 5)]

    sums = add_up(as_batch(rows)).exact()

    assert [n for n, _, _ in sums] == [2, 0, 0]
    assert sums[0][1] == 25 + 100


def test_a_mean_composite_is_rounded_half_to_even_at_six_decimals():
    points = {5: Fraction(1, 10**6), 4: Fraction(2, 10**6), 3: Fraction(0)}
    rows = [(3, 5, None, None), (3, 3, None, None), (14, 5, None, None), (14, 4, None, None)]

    table = add_up(as_batch(rows), weights={"q01": Fraction(1)}, points=points).table()

    assert table.loc[[3, 14], "mean_composite"].tolist() == [0.0, 0.000002]
    assert np.isnan(table.loc[159, "mean_composite"])
    assert table["responses"].tolist() == [2, 2, 0]


def test_the_spread_of_composites_is_that_of_the_residents():
    rows = [(3, 5, 2, 5), (3, 1, 1, 4), (3, 4, 2, None), (14, 5, 2, 5)]

    table = add_up(as_batch(rows)).table()

    own = [float(value) for community, value in composites(rows) if community == 3]
    assert table.loc[3, "sd_composite"] == pytest.approx(np.std(own, ddof=1), rel=1e-14)
    assert np.isnan(table.loc[14, "sd_composite"])


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"weights": {}}, "there must be weights, all above 0"),
        ({"weights": {"q01": Fraction(0)}}, "there must be weights, all above 0"),
        ({"points": {}}, "there must be points, none below 0"),
        ({"points": {5: Fraction(-1)}}, "there must be points, none below 0"),
        ({"points": {9: Fraction(1)}}, "code 9 is missing and has points"),
    ],
)
def test_a_scheme_of_weights_and_points_must_make_sense(changes, message):
    with pytest.raises(ValueError, match=message):
        add_up(**changes)


def test_a_code_without_points_that_is_not_said_to_be_missing_is_named():
    with pytest.raises(ValueError, match="q01 has no code 3"):
        add_up(as_batch([(3, 3, 1, 4)]), points={5: Fraction(100), 4: Fraction(50), 1: Fraction(0), 2: Fraction(1)})


def test_weights_too_fine_for_64_bits_are_refused():
    with pytest.raises(OverflowError, match="too large denominators"):
        add_up(weights={"q01": Fraction(1, 10**9 + 7), "q02": Fraction(1, 2)})


def test_too_many_responses_for_fine_weights_are_refused():
    weights = {"q01": Fraction(1), "q02": Fraction(1, 6_000_000)}

    with pytest.raises(OverflowError, match="for so many responses"):
        add_up(as_batch([(3, 5, 2, None)] * 4), weights=weights)
