"""Stability of lists: of whom it speaks, and that it agrees with the evidence and with the decision."""

import json

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from analytics.decision.evaluate import evaluate
from analytics.evidence.list_stability import MOST_NAMED, NONRESPONSE_SPREADS, assess_list_stability
from analytics.evidence.observations import observations_of
from analytics.evidence.weigh_evidence import weigh_evidence
from analytics.statistics.whole_list import whole_list_test
from tests.analytics.evidence.test_weigh_evidence import close_race, twenty
from tests.analytics.rule_files import rules_with

MEANS = {"satisfaction.measure": "satisfaction_index"}


def assessed(frame, choices=()):
    result = evaluate(frame, rules_with(dict(choices)))
    return result, assess_list_stability(result, observations_of(result))


def listed_in(result):
    return result.standings["satisfaction_status"] == "met"


@pytest.mark.parametrize("spread", ["0 %", "3 %", "9 %"])
def test_under_the_spread_of_the_rules_as_many_stand_as_the_evidence_calls_likely(spread):
    frame = close_race(satisfied=[199, *range(180, 141, -1)])
    result, facts = assessed(frame, {"evidence.nonresponse_spread": spread, "satisfaction.share": "20 %"})
    likely = weigh_evidence(result)["satisfaction_evidence"].isin(["certain", "likely"])
    place = NONRESPONSE_SPREADS.index(float(spread.removesuffix(" %")) / 100)

    assert facts["r"]["nonresponse"]["standing"][place] == (likely & listed_in(result)).sum()


def test_who_stands_under_every_spread_is_among_those_who_stand_under_each():
    facts = assessed(close_race(satisfied=[200, *range(160, 121, -1)]), {"satisfaction.share": "20 %"})[1]["r"]

    assert 0 < facts["nonresponse"]["at_every"] <= min(facts["nonresponse"]["standing"])
    assert len(facts["nonresponse"]["standing"]) == len(NONRESPONSE_SPREADS)


def test_who_falls_is_named_with_the_first_spread_under_which_it_does():
    frame = close_race(satisfied=[200, *range(180, 141, -1)])
    result, facts = assessed(frame, {"satisfaction.share": "20 %"})
    nonresponse, listed = facts["r"]["nonresponse"], set(result.standings["community_id"][listed_in(result)])
    falling = dict(nonresponse["falling"])

    assert len(listed) == nonresponse["at_every"] + len(falling)
    assert falling.keys() <= listed
    for place, spread in enumerate(NONRESPONSE_SPREADS):
        result = evaluate(
            frame, rules_with({"evidence.nonresponse_spread": f"{spread:.0%}", "satisfaction.share": "20 %"})
        )
        likely = weigh_evidence(result).set_index("community_id")["satisfaction_evidence"].isin(["certain", "likely"])
        for community, first in falling.items():
            assert likely[community] if spread < first else not (spread == first and likely[community])
        assert likely[list(listed)].sum() == nonresponse["standing"][place]


def test_the_whole_list_is_tested_with_the_errors_of_the_evidence():
    frame = close_race(households=None)
    result, facts = assessed(frame, {"evidence.nonresponse_spread": "0 %"})
    rate = frame["satisfied"] / 200
    error = np.sqrt(rate * (1 - rate) / 200)
    whole, plain = facts["r"]["whole_list"], whole_list_test(rate, error**2, listed_in(result))

    assert (whole["inside"], whole["outside"]) == (f"{plain.inside:02}", f"{plain.outside:02}")
    assert whole["difference"] == pytest.approx(plain.difference, abs=1e-6)
    # Rates are shrunk before their variance is taken.
    assert whole["error"] == pytest.approx(plain.error, rel=0.2)


def test_a_repeated_survey_names_communities_of_either_side_the_likeliest_first():
    result, facts = assessed(close_race(), {"satisfaction.share": "20 %"})
    listed = set(result.standings["community_id"][listed_in(result)])
    leave, enter = facts["r"]["repeated"]["may_leave"], facts["r"]["repeated"]["may_enter"]

    assert {community for community, _ in leave} <= listed
    assert not {community for community, _ in enter} & listed
    assert [chance for _, chance in leave] == sorted(chance for _, chance in leave)
    assert [chance for _, chance in enter] == sorted((chance for _, chance in enter), reverse=True)
    assert len(leave) <= MOST_NAMED == len(enter)


def test_what_is_far_from_the_cut_off_is_not_named():
    repeated = assessed(twenty(satisfied=[198, *[120] * 19]))[1]["r"]["repeated"]

    assert repeated == {"expected": 1.0, "lower": 1, "upper": 1, "may_leave": [], "may_enter": []}


@pytest.mark.parametrize(
    ("frame", "choices"),
    [
        (twenty(responses=5, satisfied=5), {}),
        (twenty().assign(score=83, score_precision=1).drop(columns=["responses", "satisfied"]), {}),
        (twenty().head(3), {"satisfaction.rounding": "floor"}),
    ],
    ids=["nobody is ranked", "scores are given", "no place"],
)
def test_nothing_is_said_of_a_list_that_is_empty_or_has_no_known_errors(frame, choices):
    assert assessed(frame, choices)[1] == {}


def test_of_regions_that_are_ranked_together_each_speaks_of_its_own_communities():
    frame = pd.concat([close_race(), close_race().tail(8).assign(region="small", satisfied=[190, *range(120, 127)])])
    frame["community_id"] = [f"{number:02}" for number in range(len(frame))]
    choices = {"when_k_is_zero": "wider_region", "satisfaction.share": "10 %", "satisfaction.rounding": "floor"}
    result, facts = assessed(frame, choices)
    small = set(frame["community_id"].tail(8))

    assert result.summary["regions"]["small"]["satisfaction"]["ranked_with"] == "wider_region"
    assert facts["small"]["whole_list"] is None
    assert facts["small"]["repeated"]["upper"] == 1
    assert {name for name, _ in facts["small"]["repeated"]["may_enter"]} <= small
    assert facts["r"]["whole_list"] is not None


def test_very_many_communities_are_tested_as_a_whole_and_not_surveyed_again(monkeypatch):
    monkeypatch.setattr("analytics.evidence.list_stability.MOST_SIMULATED", 39)
    facts = assessed(close_race())[1]["r"]

    assert facts["repeated"] is facts["nonresponse"] is None
    assert facts["whole_list"]["p_value"] > 0


@settings(max_examples=4)
@given(st.randoms(use_true_random=False))
def test_neither_the_order_of_the_rows_nor_another_region_matters(random):
    both = pd.concat([close_race(), close_race(region="s", satisfied=range(100, 140))], ignore_index=True)
    both["community_id"] = [f"{number:02}" for number in range(80)]
    order = random.sample(range(80), 80)
    alone, shuffled = assessed(both.head(40))[1], assessed(both.iloc[order].reset_index(drop=True))[1]

    assert json.dumps(alone["r"]) == json.dumps(shuffled["r"])


def test_means_of_composites_are_repeated_with_their_own_errors():
    frame = twenty().assign(mean_index=[90.0, *np.linspace(88, 70, 19)], sd_index=20.0)
    facts = assessed(frame, MEANS)[1]["r"]

    assert 0 < facts["repeated"]["expected"] < 1
    assert facts["whole_list"]["difference"] == pytest.approx(2.0)
