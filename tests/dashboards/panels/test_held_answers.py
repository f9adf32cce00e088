"""Standings without held answers: nothing moves except through held answers, by every measure and in every choice."""

import json
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from plotly.utils import PlotlyJSONEncoder

from analytics.decision.evaluate import evaluate
from analytics.decision.left_out_responses import leave_out_responses
from analytics.rules import parse_rules
from dashboards.address import View
from dashboards.frames.page_data import PageData
from dashboards.panels.entering_and_leaving import WHAT_IF_COLUMNS, changes
from dashboards.panels.held_answers import (
    LeftOut,
    beside_held_by_few,
    evaluate_without,
    held_by_few,
    standings_without_held,
    without_held_panel,
)
from tests.dashboards.made_up import ROUNDS, RULES, MadeUpCity
from tests.published import Page, read_into

DOMAINS = "\n  domains: {q02: 50 %, q03: 50 %}"


def rules_with(measure, population, region="district"):
    """Return the rules of Wuhai with another measure, population and region."""
    text = RULES.content.decode()
    text = text.replace("measure: satisfaction_rate ", f"measure: {measure} ")
    text = text.replace("population: owners ", f"population: {population} ")
    text = text.replace("region: district ", f"region: {region} ")
    if measure == "composite":
        text = text.replace("\n  valid_codes:", f"{DOMAINS}\n  valid_codes:")
    return parse_rules(text.encode(), "rules.yaml")


def answers_of_a_city(seed, *, communities=60):
    """Return the codes that single residents of each community answered."""
    random = np.random.default_rng(seed)
    sizes = random.integers(0, 70, communities)
    return [random.choice([5, 4, 3, 2, 1], size, p=random.dirichlet([6, 5, 2, 1, 1])) for size in sizes]


def counted(codes):
    """Count answers as `count_measures` and `composite_sums` do, the composite of each being its points."""
    points = [25.0 * (own.astype("float64") - 1) for own in codes]
    mean = [own.mean() if own.size else np.nan for own in points]
    return pd.DataFrame(
        {
            "responses": [own.size for own in codes],
            "satisfied": [int((own >= 4).sum()) for own in codes],
            "mean_index": mean,
            "composite_responses": [own.size for own in codes],
            "mean_composite": np.round(mean, 6),
        }
    )


def placed(counts, seed=0):
    random = np.random.default_rng(seed)
    return counts.assign(
        community_id=[f"{number:03}" for number in range(len(counts))],
        region=np.where(np.arange(len(counts)) % 3 == 0, "海南区", "乌达区"),
        households=random.integers(70, 400, len(counts)),
        complaints=random.integers(0, 9, len(counts)),
        exposure_household_years=300.0,
    )


MEASURES = ("satisfaction_rate", "satisfaction_index", "composite")


@pytest.mark.parametrize("measure", MEASURES)
@pytest.mark.parametrize("region", ["district", "city"])
@given(seed=st.integers(0, 10_000), of=st.integers(0, 59), part=st.floats(0, 1))
@settings(max_examples=8, deadline=None)
def test_only_held_answers_move_a_standing(measure, region, seed, of, part):
    rules = rules_with(measure, "owners", region)
    if region == "city":
        rules = parse_rules(rules.content.replace(b"wider_region", b"not_applicable"), "rules.yaml")
    codes = answers_of_a_city(seed)
    table = placed(counted(codes))
    held = codes[of][: int(part * codes[of].size)]
    rest = [own[held.size :] if place == of else own for place, own in enumerate(codes)]
    alone = counted([held]).assign(community_id=table.loc[of, "community_id"])

    left = leave_out_responses(table, alone, rules)

    expected = evaluate(placed(counted(rest)), rules).standings
    after = evaluate(left, rules).standings
    # Composites are known to six decimals, so that communities alike in them may part.
    compared = ["responses", "satisfaction_score"] if measure == "composite" else list(WHAT_IF_COLUMNS)
    pd.testing.assert_frame_equal(after[compared], expected[compared], rtol=1e-5)
    others = [place for place in range(60) if place != of]
    rest_columns = list(left.columns)
    pd.testing.assert_frame_equal(left.loc[others, rest_columns], table.loc[others, rest_columns], check_dtype=False)


@pytest.mark.parametrize("measure", MEASURES)
@pytest.mark.parametrize("population", ["owners", "residents"])
def test_without_held_answers_the_official_result_stands(measure, population):
    rules = rules_with(measure, population)
    table = placed(counted(answers_of_a_city(7)))

    class Source(MadeUpCity):
        def evaluations(self):
            return [replace(header, rules=rules) for header in super().evaluations()]

        def inputs(self, _evaluation_id):
            return evaluate(table, rules).communities

    nothing = LeftOut.of(pd.DataFrame({name: [] for name in ("community_id", *counted([]))}))
    after = evaluate_without(Source(rounds=ROUNDS[:1]), 1, nothing)

    pd.testing.assert_frame_equal(after, evaluate(table, rules).standings[list(WHAT_IF_COLUMNS)])


def test_communities_whose_measure_is_withheld_are_left_as_they_are():
    table = placed(counted(answers_of_a_city(3))).convert_dtypes()
    few = table["responses"] < 10
    table = table.assign(**{name: table[name].mask(few) for name in ("satisfied", "mean_index", "mean_composite")})
    alone = pd.DataFrame({"community_id": ["999"], "responses": [0], "satisfied": [0]})

    left = leave_out_responses(table, alone, RULES)

    pd.testing.assert_frame_equal(left, table)


def test_more_answers_than_there_are_cannot_be_left_out():
    table = pd.DataFrame({"community_id": ["A"], "responses": [9], "satisfied": [9]})

    with pytest.raises(ValueError, match="more responses"):
        leave_out_responses(table, pd.DataFrame({"community_id": ["A"], "responses": [10], "satisfied": [2]}), RULES)


def test_the_standings_without_held_answers_are_computed_once_until_other_answers_are_held():
    city = MadeUpCity()
    shown = PageData.of(city, View.of("?lang=en&evaluation=2", lambda: "en"))
    examination = city.examination(2)
    decided = replace(examination, held=examination.held.iloc[1:])

    first, again, other = (standings_without_held(shown, each) for each in (examination, city.examination(2), decided))

    assert again is first
    assert (other["responses"] - first["responses"]).sum() == examination.held["responses"].iloc[0]
    assert max(len(repr(key)) for key in city.worked_out_for) < 1000


def test_where_nothing_is_held_any_more_the_official_result_stands_as_it_is():
    city = MadeUpCity()
    shown = PageData.of(city, View.of("?lang=en&evaluation=2", lambda: "en"))
    examination = city.examination(2)
    decided = replace(examination, held=examination.held.iloc[:0])

    drawn = without_held_panel(shown, decided, city.inputs(2))

    computed = changes(shown, standings_without_held(shown, decided), name="without-held")
    assert "Entering: 0; leaving: 0" in json.dumps(drawn, cls=PlotlyJSONEncoder)
    assert tables_of([drawn]) == tables_of(computed)


def test_communities_without_held_answers_keep_their_scores_on_the_page(city):
    shown = PageData.of(city, View.of("?lang=en&evaluation=2", lambda: "en"))
    examination = city.examination(2)

    after = standings_without_held(shown, examination)

    held = after["community_id"].isin(examination.held["number"])
    before = shown.standings.set_axis(after.index)
    assert held.any()
    assert after.loc[~held, "satisfied"].tolist() == before.loc[~held, "satisfied"].tolist()
    assert (before.loc[held, "responses"] - after.loc[held, "responses"]).tolist() == examination.held[
        "responses"
    ].tolist()


@pytest.mark.parametrize(
    ("held", "satisfied", "is_told"),
    # Of twelve held answers eleven are satisfied: two scores would tell of the twelfth that it is not.
    [(1, 1, False), (9, 9, False), (10, 10, True), (30, 30, True), (12, 11, False), (12, 7, True), (12, 3, False)],
)
def test_a_score_without_the_answers_of_few_is_not_told(city, held, satisfied, is_told):
    shown = PageData.of(city, View.of("?lang=en&evaluation=2", lambda: "en"))
    winner = shown.standings.loc[shown.standings["criterion_status"] == "met", "community_id"].iloc[0]
    alone = pd.DataFrame({"number": [winner], "responses": [held], "satisfied": [satisfied]})

    untold = held_by_few(shown, replace(city.examination(2), held=alone))
    after = shown.standings[list(WHAT_IF_COLUMNS)].assign(criterion_status="not_met")
    drawn = json.dumps(changes(shown, after, name="held", only_verdicts=untold), cls=PlotlyJSONEncoder)

    assert untold == (frozenset() if is_told else {winner})
    assert "would leave" in drawn
    assert ("not shown" in drawn) is not is_told


def test_ranks_beside_a_community_of_which_few_answers_are_held_are_not_told(city):
    shown = PageData.of(city, View.of("?lang=en&evaluation=2", lambda: "en"))
    here = shown.standings[shown.standings["region"] == "海勃湾区"].sort_values("satisfaction_rank")
    held = pd.DataFrame({"number": here["community_id"].head(3), "responses": [3, 20, 2], "satisfied": [3, 20, 2]})
    examination = replace(city.examination(2), held=held)

    beside = beside_held_by_few(shown, examination)
    after = standings_without_held(shown, examination).assign(criterion_status="not_met")
    drawn = changes(shown, after, name="held", only_verdicts=held_by_few(shown, examination), without_ranks=beside)

    assert beside == set(here["community_id"])
    told = [row["Satisfaction"] for row in tables_of(drawn)["Who would enter and leave"] if "Satisfaction" in row]
    by_region = dict(zip(shown.standings["english_name"], shown.standings["region"], strict=True))
    named = [row["Community"] for row in tables_of(drawn)["Who would enter and leave"] if "Satisfaction" in row]
    ranks = {(by_region[name] == "海勃湾区", said.startswith("rank")) for name, said in zip(named, told, strict=True)}
    assert ranks == {(True, False), (False, True)}


def tables_of(components):
    page = Page()
    read_into(page, json.loads(json.dumps(components, cls=PlotlyJSONEncoder)))
    return page.tables
