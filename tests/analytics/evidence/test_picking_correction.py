"""Scores of the listed, corrected for having been picked: in whole evaluations, against the statistics beneath."""

from time import perf_counter

import numpy as np
import pandas as pd
import pytest

from analytics.decision.evaluate import evaluate
from analytics.evidence.picking_correction import correct_for_picking
from analytics.statistics.picked_intervals import picked_scores, picked_shares
from tests.analytics.rule_files import rules_2_with, rules_with

FREE = {"satisfaction.minimum_responses": "none"}


def city(random, regions=1, size=100, *, truth=None, households=None):
    number = regions * size
    truth = random.beta(16, 4, number) if truth is None else truth
    answers = random.integers(30, 200, number)
    table = pd.DataFrame(
        {
            "community_id": [f"{place:05}" for place in range(number)],
            "region": np.repeat([f"r{place}" for place in range(regions)], size),
            "responses": answers,
            "satisfied": random.binomial(answers, truth),
        }
    )
    return table if households is None else table.assign(households=households * answers)


def test_the_listed_of_each_region_are_corrected_for_those_of_their_own():
    table = city(np.random.default_rng(3), regions=2, size=60)
    table = table.drop(index=range(60, 80)).sample(frac=1, random_state=1)
    rules = rules_with({"evidence.nonresponse_spread": "3 %"})
    result = evaluate(table, rules)
    found = correct_for_picking(result)
    met = result.standings[result.standings["satisfaction_status"] == "met"].sort_values("community_id")

    assert found["community_id"].tolist() == met["community_id"].tolist()
    for region, ranked, k in (("r0", 60, 3), ("r1", 40, 2)):
        own = met[met["region"] == region]
        limits = picked_shares(
            own["satisfied"].to_numpy(dtype=float),
            own["responses"].to_numpy(dtype=float),
            picked=min(k, len(own)),
            ranked=ranked,
            level=0.95,
            nonresponse_spread=0.03,
        )
        mine = found[found["region"] == region]
        np.testing.assert_allclose(mine["lower"], limits.lower)
        np.testing.assert_allclose(mine["upper"], limits.upper)


def test_ties_at_the_end_of_the_list_do_not_make_the_correction_smaller():
    table = city(np.random.default_rng(1)).assign(responses=100, satisfied=[*[96] * 9, *[80] * 91])
    tied = correct_for_picking(evaluate(table, rules_with({"satisfaction.ties": "include"})))

    assert len(tied) == 9
    expected = picked_shares([96], [100], picked=5, ranked=100, level=0.95, nonresponse_spread=0.03)
    assert tied["lower"].to_numpy() == pytest.approx(expected.lower[0])
    assert correct_for_picking(evaluate(table, rules_with({"satisfaction.ties": "exclude"}))).empty


def test_means_are_corrected_with_their_standard_deviations():
    table = city(np.random.default_rng(2)).assign(sd_index=20.0)
    table = table.assign(mean_index=(100 * table["satisfied"] / table["responses"]).round(6))
    changes = {"satisfaction.measure": "satisfaction_index", "evidence.nonresponse_spread": "0 %"}
    found = correct_for_picking(evaluate(table, rules_with(changes)))
    answers = table.set_index("community_id").loc[found["community_id"], "responses"]
    limits = picked_scores(found["score"], 400 / answers, picked=5, ranked=100, level=0.95)

    np.testing.assert_allclose(found["lower"], limits.lower)
    np.testing.assert_allclose(found["upper"], np.minimum(limits.upper, 100))


def test_where_the_variance_is_unknown_or_nobody_is_listed_there_is_nothing_to_correct():
    table = city(np.random.default_rng(2))
    given = table[["community_id", "region"]].assign(score=np.arange(100.0), score_precision=1.0)

    assert correct_for_picking(evaluate(given, rules_with(FREE))).empty
    assert correct_for_picking(evaluate(table.head(5), rules_with({}))).empty
    assert list(correct_for_picking(evaluate(table.head(5), rules_with({}))).columns) == [
        "community_id",
        "region",
        "score",
        "lower",
        "upper",
    ]


def test_who_is_ranked_with_the_whole_city_is_corrected_for_all_of_it():
    random = np.random.default_rng(4)
    table = city(random, size=60)
    table.loc[:9, "region"] = "small"
    table.loc[0, ["responses", "satisfied"]] = [200, 200]
    found = correct_for_picking(evaluate(table, rules_with({"when_k_is_zero": "wider_region"})))
    best = found[found["community_id"] == "00000"].iloc[0]
    expected = picked_shares([200], [200], picked=1, ranked=60, level=0.95, nonresponse_spread=0.03)

    assert best["region"] == "small"
    assert best["lower"] == pytest.approx(expected.lower[0])


@pytest.mark.parametrize("omega", [0.0, 0.03])
def test_the_true_scores_of_the_listed_are_held_as_often_as_stated(omega):
    random = np.random.default_rng(20261202)
    rules = rules_2_with({"evidence.nonresponse_spread": f"{omega:.0%}", "evidence.one_answer_per_household": False})
    held, plain = [], []
    for _ in range(12):
        truth = random.beta(160, 32, 1000)
        table = city(random, size=1000, truth=np.clip(truth + random.normal(0, omega, 1000), 0, 1))
        found = correct_for_picking(evaluate(table, rules, look_alikes=False)).set_index("community_id")
        true = pd.Series(truth, index=table["community_id"])[found.index]
        held.append(((found["lower"] <= true) & (true <= found["upper"])).mean())
        own = table.set_index("community_id").loc[found.index, ["satisfied", "responses"]]
        limits = picked_shares(
            own["satisfied"], own["responses"], picked=1, ranked=1, level=0.95, nonresponse_spread=omega
        )
        plain.append(((limits.lower <= true) & (true <= limits.upper)).mean())

    assert np.mean(held) >= 0.95 - 2 * np.sqrt(0.95 * 0.05 / 600)
    assert np.mean(plain) < 0.88


def test_a_city_of_five_thousand_takes_no_second():
    result = evaluate(city(np.random.default_rng(5), regions=5, size=1000), rules_with({}), look_alikes=False)
    correct_for_picking(result)
    start = perf_counter()
    assert len(correct_for_picking(result)) >= 250

    assert perf_counter() - start < 1
