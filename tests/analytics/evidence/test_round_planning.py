from fractions import Fraction
from typing import get_args

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import special, stats

from analytics.decision.criterion import count_positions
from analytics.evidence.round_planning import (
    answers_for_reliability,
    eligibility_probability,
    forecast_precision,
    forecast_quota,
    minimum_eligible,
)
from analytics.rules import Rounding

FIVE_PERCENT = Fraction(1, 20)


@given(
    quota=st.integers(1, 40),
    share=st.fractions(Fraction(1, 100), 1),
    rounding=st.sampled_from(get_args(Rounding)),
)
def test_the_minimum_eligible_is_the_first_number_that_fills_the_quota(quota, share, rounding):
    needed = minimum_eligible(quota, share=share, rounding=rounding)

    assert count_positions(share, needed, rounding=rounding) >= quota
    assert count_positions(share, needed - 1, rounding=rounding) < quota


def test_a_quota_of_ten_at_five_percent_needs_200_with_floor_and_181_with_ceil():
    assert minimum_eligible(10, share=FIVE_PERCENT, rounding="floor") == 200
    assert minimum_eligible(10, share=FIVE_PERCENT, rounding="ceil") == 181


def test_eligibility_follows_the_rule_on_every_number_of_answers():
    households = np.array([12, 40, 100])
    rule = {"least": 10, "enough": 30, "or_share_of_households": Fraction(1, 2)}

    chance = eligibility_probability(households, 0.5, **rule)

    for total, value in zip(households, chance, strict=True):
        n = np.arange(total + 1)
        ranked = (n >= 10) & ((n >= 30) | (2 * n >= total))
        assert value == pytest.approx(stats.binom.pmf(n[ranked], total, 0.5).sum())


@pytest.mark.parametrize("effect", [1, 1.5, 3])
def test_the_expected_share_of_undecided_is_what_simulated_rounds_show(effect):
    random = np.random.default_rng(2)
    arguments = {"expected_rate": 0.8, "expected_spread": 0.07, "nonresponse_spread": 0.03, "design_effect": effect}
    forecast = forecast_precision([300], [0.3], share=FIVE_PERCENT, **arguments).iloc[0]

    truth = random.normal(0.8, 0.07, 400_000)
    sampling = effect * 0.16 / 90 * 0.7 + (0.03 * 0.7) ** 2
    own = 0.0049 / (0.0049 + sampling)
    mean = 0.8 + own * (random.normal(truth, np.sqrt(sampling)) - 0.8)
    chance = special.ndtr((mean - 0.8 - 0.07 * special.ndtri(0.95)) / np.sqrt(own * sampling))
    assert forecast["undecided_chance"] == pytest.approx(((chance > 0.2) & (chance < 0.8)).mean(), abs=0.002)
    assert forecast["half_width"] == pytest.approx(1.96 * np.sqrt(sampling), rel=1e-4)


def test_without_answers_or_without_differences_all_stay_undecided():
    nobody = forecast_precision(
        [300], [0], share=FIVE_PERCENT, expected_rate=0.8, expected_spread=0.07, nonresponse_spread=0
    )
    alike = forecast_precision(
        [300], [0.5], share=FIVE_PERCENT, expected_rate=0.8, expected_spread=0, nonresponse_spread=0
    )

    assert nobody["undecided_chance"].tolist() == alike["undecided_chance"].tolist() == [1]
    assert np.isnan(nobody["half_width"].iloc[0])


def quota_of(communities, *, exposed=True, chance=1.0, **changes):
    arguments = {"quota": 10, "share": FIVE_PERCENT, "rounding": "floor", "ties": "include", **changes}
    columns = [chance] * communities, [exposed] * communities
    return forecast_quota(*columns, region=["wuda"] * communities, **arguments).loc["wuda"]


def test_two_routes_can_fill_a_quota_with_half_the_communities():
    assert quota_of(100)["quota_fillable"]
    assert not quota_of(99)["quota_fillable"]
    assert not quota_of(199, exposed=False)["quota_fillable"]
    assert quota_of(200, exposed=False)["quota_fillable"]


def test_the_same_community_may_top_both_lists():
    row = quota_of(100)

    assert (row["surely_named"], row["possibly_named"]) == (5, 10)


def test_excluded_ties_leave_nothing_sure():
    assert quota_of(100, ties="exclude")["surely_named"] == 0


def test_the_chance_of_enough_eligible_communities_is_nearly_the_binomial_one():
    row = quota_of(230, chance=0.9)

    assert row["one_route_chance"] == pytest.approx(stats.binom.sf(199, 230, 0.9), abs=0.01)
    assert quota_of(200)["one_route_chance"] == 1


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: minimum_eligible(0, share=FIVE_PERCENT, rounding="floor"), "quota must be at least 1"),
        (lambda: minimum_eligible(1, share=Fraction(0), rounding="floor"), "share must lie"),
        (lambda: quota_of(20, quota=[5] * 19 + [4]), "quota differs within a region"),
        (lambda: quota_of(20, chance=1.5), "eligibility_probabilities exceeds 1"),
    ],
)
def test_what_cannot_be_planned_is_refused(call, message):
    with np.errstate(all="ignore"), pytest.raises(ValueError, match=message):
        call()


@given(st.floats(0.05, 0.95), st.floats(0.01, 0.3), st.floats(0.1, 0.95), st.floats(1, 3))
def test_the_answers_for_a_reliability_are_the_fewest_that_have_it(rate, spread, wanted, effect):
    def has(answers):
        single = effect * rate * (1 - rate)
        return spread**2 / (spread**2 + single / answers) >= wanted * (1 - 1e-9) if answers else False

    needed = answers_for_reliability(rate, spread, wanted=wanted, design_effect=effect)

    assert has(needed)
    assert not has((needed - 1) * (1 - 1e-6))


def test_eighty_three_answers_rank_communities_reliably_that_differ_as_they_usually_do():
    assert answers_for_reliability(0.85, 0.06) == 83
    assert answers_for_reliability(0.85, 0.0) == np.inf


@pytest.mark.parametrize(
    "fault", [{"expected_rate": 1}, {"expected_spread": -1}, {"wanted": 1}, {"design_effect": 0.5}]
)
def test_a_reliability_that_is_none_is_refused(fault):
    with pytest.raises(ValueError, match=next(iter(fault))):
        answers_for_reliability(**({"expected_rate": 0.8, "expected_spread": 0.05} | fault))
