import pandas as pd
import pytest

from analytics.decision.evaluate import evaluate
from analytics.evidence.list_reliability import MOST_NAMED, summarise_evidence
from analytics.evidence.weigh_evidence import weigh_evidence
from tests.analytics.evidence.test_weigh_evidence import close_race, twenty
from tests.analytics.rule_files import rules_with


def test_a_list_of_tied_leaders_is_expected_to_hold_as_many_rightful_members_as_positions():
    result = evaluate(twenty(satisfied=[*[190] * 4, *[100] * 16]), rules_with({}))
    evidence = weigh_evidence(result)
    facts = summarise_evidence(result, evidence)["r"]["satisfaction"]

    assert evidence["satisfaction_top_probability"].head(4).tolist() == pytest.approx([0.25] * 4, abs=1e-3)
    assert (facts["listed"], facts["few_false"]) == (4, 0)
    assert facts["expected_rightful"] == pytest.approx(1, abs=1e-3)
    assert 0.9 < facts["reliability"] <= 1


def test_the_summary_counts_every_weighed_community_once():
    frame = close_race(households=[None, *[900] * 38, 200])
    result = evaluate(frame, rules_with({}))
    evidence = weigh_evidence(result)
    counts = summarise_evidence(result, evidence)["r"]["satisfaction"]["needed"]

    assert sum(counts.values()) == evidence["satisfaction_evidence"].notna().sum() == 40
    assert counts["unknown"] == 1
    assert counts["settled"] == (evidence["satisfaction_evidence"] != "undecided").sum()
    assert min(counts["reachable"], counts["settled"]) > 0


def test_a_list_with_few_false_members_names_the_most_probable_first():
    frame = close_race().assign(responses=400, satisfied=[398, 399, *[240] * 38]).sample(frac=1, random_state=3)
    result = evaluate(frame, rules_with({"satisfaction.share": "5 %"}))
    evidence = weigh_evidence(result)
    facts = summarise_evidence(result, evidence)["r"]["satisfaction"]
    ids = frame.sort_values("satisfied", ascending=False)["community_id"].tolist()

    assert facts["few_false"] == 2
    assert facts["few_false_named"] == ids[:2]


def test_of_a_long_list_only_the_first_are_named():
    frame = pd.DataFrame(
        {"community_id": [f"{place:03}" for place in range(100)], "region": "r", "responses": 400, "satisfied": 200}
    ).assign(satisfied=[*[398] * 40, *[200] * 60])
    result = evaluate(frame, rules_with({"satisfaction.share": "40 %"}))
    facts = summarise_evidence(result, weigh_evidence(result))["r"]["satisfaction"]

    assert (facts["few_false"], len(facts["few_false_named"])) == (40, MOST_NAMED)
    assert facts["few_false_named"] == [f"{place:03}" for place in range(MOST_NAMED)]
