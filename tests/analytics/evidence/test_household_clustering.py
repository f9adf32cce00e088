import numpy as np
import pandas as pd
import pytest

from analytics.decision.community_table import check_communities
from analytics.decision.evaluate import evaluate
from analytics.evidence.household_clustering import answer_design_effects, describe_clustering, repeat_complaint_share
from analytics.evidence.weigh_evidence import weigh_evidence
from analytics.files.table_cells import TableError
from tests.analytics.rule_files import rules_2_with, rules_with

NO_MINIMUM = {"satisfaction.minimum_responses": "none"}


def table(**columns):
    base = {"community_id": ["a", "b"], "region": "r", "responses": [100, 40], "satisfied": [80, 30]}
    return pd.DataFrame(base | columns)


def test_slips_are_of_households_of_their_own():
    rules = rules_2_with({"evidence.design_effect": 2})

    assert answer_design_effects(table(slip_responses=[0, 30]), rules).tolist() == [2, 1.25]
    assert answer_design_effects(table(), rules).tolist() == [2, 2]


def test_where_a_household_answers_once_nothing_is_alike():
    rules = rules_2_with({"evidence.one_answer_per_household": True})

    assert answer_design_effects(table(household_pairs=200, unlike_household_pairs=0), rules).tolist() == [1, 1]


def test_what_the_table_shows_replaces_the_assumption():
    rules = rules_2_with({"evidence.design_effect": 2})
    pairs = table(household_pairs=[120, None], unlike_household_pairs=[0, None])

    # All of one mind: of 100 answers with 120 pairs. The other community has as many pairs an answer.
    assert answer_design_effects(pairs, rules).tolist() == [3.4, 3.4]
    assert describe_clustering(pairs, rules)["answers"]["source"] == "table"
    few = table(household_pairs=[20, 10], unlike_household_pairs=[0, 0])
    assert answer_design_effects(few, rules).tolist() == [2, 2]
    assert describe_clustering(few, rules)["answers"] == {"source": "rules", "design_effect": 2.0}


def test_complaining_households_of_the_table_replace_the_assumed_repeats():
    rules = rules_2_with({"evidence.repeat_complaints": "10 %"})

    assert repeat_complaint_share(table(complaints=[90, 30], complaining_households=[60, None]), rules) == 0.1
    assert repeat_complaint_share(table(complaints=[90, 30], complaining_households=[60, 30]), rules) == 0.25


@pytest.mark.parametrize(
    ("columns", "message"),
    [
        ({"household_pairs": [800, 0], "unlike_household_pairs": 0}, ""),
        ({"household_pairs": [5000, 0], "unlike_household_pairs": 0}, "5000 pairs of 100 responses"),
        ({"household_pairs": [5, 0], "unlike_household_pairs": [6, 0]}, "6 unlike pairs of 5 pairs"),
        ({"household_pairs": [5, 0]}, "unlike_household_pairs: this column is missing"),
    ],
)
def test_pairs_that_cannot_be_are_faults_of_the_table(columns, message):
    if not message:
        check_communities(table(**columns), rules_with({}))
        return
    with pytest.raises(TableError, match=message):
        check_communities(table(**columns), rules_with({}))


def poster_city(random, regions, size):
    """A city whose households answer twice alike through posters, and the true rates."""
    number = regions * size
    rates = random.beta(16, 4, number)
    homes = random.integers(15, 150, number)
    yes = random.binomial(homes, rates)
    names = [f"{place:05}" for place in range(number)]
    city = pd.DataFrame({"community_id": names, "region": np.repeat([f"r{own}" for own in range(regions)], size)})
    return city.assign(responses=2 * homes, satisfied=2 * yes), rates


def test_printed_intervals_of_the_best_hold_the_truth_where_households_answer_twice():
    city, rates = poster_city(np.random.default_rng(8), 8, 300)
    share, spread = {"satisfaction.share": "5 %"}, {"evidence.nonresponse_spread": "0 %"}

    def held(rules):
        result = evaluate(city, rules)
        evidence, best = weigh_evidence(result), (result.standings["satisfaction_status"] == "met").to_numpy()
        within = (evidence["satisfaction_lower"] <= rates) & (rates <= evidence["satisfaction_upper"])
        return result, within[best].mean()

    before, missed = held(rules_with(share | spread))
    after, kept = held(rules_2_with(share | spread | {"evidence.design_effect": 2}))

    assert missed < 0.88
    assert kept >= 0.93
    # No decision depends on it.
    assert after.standings_sha256 == before.standings_sha256


def test_printed_limits_of_complaint_rates_hold_the_truth_where_households_complain_again():
    random = np.random.default_rng(9)
    city, _ = poster_city(random, 1, 2000)
    exposure = random.integers(200, 2000, len(city)).astype("float64")
    rates = random.gamma(2, 0.01, len(city))
    homes = random.poisson(rates * exposure * 0.6)
    complaints = homes + random.poisson(random.standard_gamma(homes) * 0.4 / 0.6)
    city = city.assign(complaints=complaints, exposure_household_years=exposure)

    def held(frame, rules):
        evidence = weigh_evidence(evaluate(frame, rules))
        lower, upper = (evidence[f"complaint_rate_{side}"] / 1000 for side in ("lower", "upper"))
        return ((lower <= rates) & (rates <= upper)).mean()

    assert held(city, rules_with({})) < 0.87
    assert 0.94 <= held(city, rules_2_with({"evidence.repeat_complaints": "40 %"})) <= 0.98
    # Counted households need no assumption, whatever the format of the rules.
    assert 0.94 <= held(city.assign(complaining_households=homes), rules_with({})) <= 0.98


def test_a_tenth_of_the_pairs_unlike_widens_ranks_and_probabilities_too():
    city = pd.DataFrame({"community_id": [f"{place:02}" for place in range(40)], "region": "r", "responses": 120})
    city = city.assign(satisfied=[114, 112, *range(72, 110)])
    alone, pairs = city, city.assign(household_pairs=60, unlike_household_pairs=3)
    rules = rules_with(NO_MINIMUM)
    few, many = weigh_evidence(evaluate(alone, rules)), weigh_evidence(evaluate(pairs, rules))

    assert (many["satisfaction_upper"] - many["satisfaction_lower"]).mean() > (
        few["satisfaction_upper"] - few["satisfaction_lower"]
    ).mean()
    assert (many["satisfaction_rank_upper"] - many["satisfaction_rank_lower"]).sum() > (
        few["satisfaction_rank_upper"] - few["satisfaction_rank_lower"]
    ).sum()
    assert many["satisfaction_top_probability"].max() < few["satisfaction_top_probability"].max()
    assert many["satisfaction_top_probability"].sum() == pytest.approx(2, abs=1e-6)
