import pytest

from analytics.decision.evaluate import evaluate
from analytics.evidence.list_reliability import summarise_evidence
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
