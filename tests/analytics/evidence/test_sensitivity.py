import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from analytics.decision.evaluate import evaluate
from analytics.evidence.sensitivity import BY_MODE_COLUMNS, LEAST_COMPLETES, WITHOUT_FEW_COLUMNS, analyse_sensitivity
from analytics.evidence.weigh_evidence import weigh_evidence
from analytics.reports.sensitivity_sentences import region_sentences
from tests.analytics.rule_files import rules_with


def city(responses, satisfied, region="乌达区", **columns):
    ids = [f"{number:03}" for number in range(len(responses))]
    return pd.DataFrame(
        {"community_id": ids, "region": region, "responses": responses, "satisfied": satisfied, **columns}
    )


def find(table, choices=None):
    return analyse_sensitivity(evaluate(table, rules_with(choices or {})))


def test_leaders_by_few_answers_make_room_for_others():
    # Forty communities, k = 2. Two of 40 answers lead; without them k is 1 of 38 and the third moves up.
    found = find(city([40, 40, *[200] * 38], [40, 39, 190, *[150] * 37]))

    assert found.regions["乌达区"]["without_few"] == {
        "least": LEAST_COMPLETES,
        "left_out": 2,
        "N": 38,
        "k": 1,
        "met": 1,
        "enters": 1,
        "leaves": 2,
    }
    assert found.communities["satisfaction_rank_without_few"].iloc[:4].tolist() == [pd.NA, pd.NA, 1, 2]


@settings(max_examples=30, deadline=None)
@given(st.lists(st.tuples(st.integers(0, 250), st.floats(0, 1)), min_size=1, max_size=60))
def test_it_is_the_decision_about_a_table_without_the_communities_of_few_answers(rows):
    responses = [n for n, _ in rows]
    table = city(responses, [round(n * share) for n, share in rows])
    found = find(table)
    many = table["responses"] >= LEAST_COMPLETES
    if many.any():
        alone = evaluate(table[many].reset_index(drop=True), rules_with({})).standings
        beside = found.communities[many].reset_index(drop=True)
        assert beside["satisfaction_rank_without_few"].equals(alone["satisfaction_rank"])
        assert beside["satisfaction_status_without_few"].tolist() == alone["satisfaction_status"].tolist()
    assert (found.communities["satisfaction_status_without_few"][~many] == "not_assessed").all()


def test_where_all_have_many_answers_nothing_changes():
    table = city([200] * 40, range(100, 140))
    result = evaluate(table, rules_with({}))
    found = analyse_sensitivity(result)
    few = found.regions["乌达区"]["without_few"]

    assert (few["left_out"], few["enters"], few["leaves"]) == (0, 0, 0)
    assert found.communities["satisfaction_rank_without_few"].equals(result.standings["satisfaction_rank"])
    assert list(region_sentences(found.regions["乌达区"], scale=100, language="en")) == []


def test_a_region_of_few_answers_alone_is_said_to_be_so():
    found = find(city([40] * 20, [30] * 20))
    facts = found.regions["乌达区"]

    assert facts["without_few"]["N"] == 0
    assert list(region_sentences(facts, scale=100, language="en")) == [
        "All ranked communities have fewer than 100 answers."
    ]


def test_a_table_of_given_scores_has_nothing_to_leave_out():
    table = pd.DataFrame(
        {"community_id": ["a", "b"], "region": "乌达区", "score": [90.0, 80.0], "score_precision": 0.1}
    )
    found = find(table)

    assert found.regions["乌达区"] == {"without_few": None, "main_modes": None, "mode_effects": []}
    assert found.communities.columns.empty


def with_modes(seed=4, communities=60):
    random = np.random.default_rng(seed)
    responses = random.integers(120, 300, communities)
    paper = np.where(random.random(communities) < 0.5, random.binomial(responses, 0.8), random.binomial(responses, 0.1))
    by_web, on_paper = random.binomial(responses - paper, 0.7), random.binomial(paper, 0.9)
    return city(
        responses,
        by_web + on_paper,
        region=np.where(np.arange(communities) < communities // 2, "乌达区", "海南区"),
        paper_responses=paper,
        paper_satisfied=on_paper,
    )


def test_rates_and_ranks_are_given_by_mode():
    table = with_modes()
    found = find(table)
    frame, facts = found.communities, found.regions["海南区"]

    assert list(frame) == [*WITHOUT_FEW_COLUMNS, *BY_MODE_COLUMNS]
    assert facts["main_modes"]["telephone"] == 0
    assert sum(facts["main_modes"].values()) == 30
    (effect,) = facts["mode_effects"]
    assert abs(effect["difference"]) == pytest.approx(0.2, abs=0.05)
    best = frame[frame["satisfaction_rank_within_mode"] == 1]
    assert len(best) >= 4
    rate = table["paper_satisfied"] / table["paper_responses"]
    assert frame["satisfaction_rate_paper"].to_numpy() == pytest.approx(rate.to_numpy(), nan_ok=True)
    assert frame["satisfaction_rate_telephone"].isna().all()


def test_the_order_of_rows_changes_nothing():
    table = with_modes()
    order = np.random.default_rng(1).permutation(len(table))
    found, shuffled = find(table), find(table.iloc[order].reset_index(drop=True))

    assert shuffled.regions == found.regions
    pd.testing.assert_frame_equal(shuffled.communities, found.communities.iloc[order].reset_index(drop=True))


def test_a_small_region_is_ranked_within_its_mode_among_the_whole_city():
    # The second region has 5 communities and k = 0: it is ranked with the 45 of the city.
    table = city(
        [200] * 45,
        [*range(100, 140), 198, 197, 99, 98, 97],
        region=["乌达区"] * 40 + ["海南区"] * 5,
        paper_responses=[150, 0] * 22 + [150],
    )
    found = find(table, {"when_k_is_zero": "wider_region", "satisfaction.rounding": "floor"}).communities

    own = found.iloc[40:]
    assert own["satisfaction_ranked_within_mode"].tolist() == [23, 22, 23, 22, 23]
    assert own["satisfaction_rank_within_mode"].tolist() == [1, 1, 22, 22, 23]
    assert found["satisfaction_ranked_within_mode"].iloc[:40].unique().tolist() == [20]


def test_a_composite_has_modes_without_rates():
    table = pd.DataFrame(
        {
            "community_id": [f"{number:03}" for number in range(20)],
            "region": "乌达区",
            "responses": 150,
            "composite_responses": [*range(90, 110)],
            "mean_composite": np.round(np.linspace(60, 80, 20), 6),
            "sd_composite": 12.5,
            "telephone_responses": [0, 150] * 10,
        }
    )
    domains = {"q02": "1/2", "q03": "1/2"}
    found = find(table, {"satisfaction.measure": "composite", "satisfaction.domains": domains})

    assert found.regions["乌达区"]["without_few"]["left_out"] == 10
    assert found.communities["satisfaction_rate_web"].isna().all()
    assert found.communities["satisfaction_shrunk_to_mode_mix"].notna().all()


@st.composite
def few_communities(draw):
    """One to four communities with few composites, some by staff, and questions that nobody answered."""
    rows = []
    for number in range(draw(st.integers(1, 4))):
        given, some = draw(st.integers(0, 14)), draw(st.booleans())
        paper = draw(st.integers(0, given))
        rows.append(
            {
                "community_id": f"{number}",
                "region": draw(st.sampled_from("ab")),
                "responses": given,
                "satisfied": draw(st.integers(0, given)),
                "paper_responses": paper,
                "telephone_responses": draw(st.integers(0, given - paper)),
                "composite_responses": given if some else 0,
                "mean_composite": draw(st.integers(0, 100)) if some and given else None,
                "sd_composite": draw(st.sampled_from([0.0, 12.5, None])) if some and given > 1 else None,
            }
        )
    return pd.DataFrame(rows)


@settings(max_examples=15, deadline=None)
@given(table=few_communities(), minimum=st.booleans())
def test_few_communities_with_few_composites_are_evaluated(table, minimum):
    choices = {"satisfaction.measure": "composite", "satisfaction.domains": {"q02": "50 %", "q03": "50 %"}}
    rules = rules_with(choices if minimum else choices | {"satisfaction.minimum_responses": "none"})
    evaluation = evaluate(table, rules)

    assert len(weigh_evidence(evaluation)) == len(analyse_sensitivity(evaluation).communities) == len(table)
