"""Standings worked by hand, in files that a clerk can read and challenge."""

import pandas as pd
import pyarrow as pa
import pytest
import yaml

from analytics.counting.composites import composite_sums
from analytics.decision.evaluate import evaluate
from analytics.evidence.weigh_evidence import weigh_evidence
from tests.analytics.rule_files import REPOSITORY, rules_with

FILES = sorted((REPOSITORY / "data" / "samples" / "standings").glob("*.yaml"))
CASES = [
    pytest.param(
        case | {"communities": case.get("communities") or content["communities"]}, id=f"{path.stem}: {case['title']}"
    )
    for path in FILES
    for content in [yaml.safe_load(path.read_text("utf-8"))]
    for case in content["cases"]
]
SETTINGS = {"copies", "each_fewer", "owners", "residents", "answers"}
ROUTES = {"satisfaction": "satisfaction", "complaints": "complaint"}


def composites_of(answers, rule):
    schema = pa.schema([(name, pa.int64()) for name in ("community", *rule.domains)])
    batch = pa.RecordBatch.from_pylist([{"community": 0, **given} for given in answers], schema)
    sums = composite_sums([batch], communities=[0], weights=rule.domains, points=rule.index_points, missing_codes=[9])
    return sums.table().rename(columns={"responses": "composite_responses"}).loc[0].to_dict()


def communities_of(case, rule):
    rows = []
    for label, stated in case["communities"].items():
        counts = {key: value for key, value in stated.items() if key not in SETTINGS} | stated.get(rule.population, {})
        if "answers" in stated:
            counts |= composites_of(stated["answers"], rule)
        for copy in range(stated.get("copies", 1)):
            row = {"region": "海勃湾区", "label": label, "community_id": f"{label} {copy}"} | counts
            if "each_fewer" in stated:
                row["satisfied"] -= copy * stated["each_fewer"]
            rows.append(row)
    frame = pd.DataFrame(rows)
    for column in ("responses", "satisfied"):
        if column not in frame:
            frame[column] = None
    if "complaints" in frame and "exposure_household_years" not in frame:
        frame["exposure_household_years"] = None
    return frame


def shown(standing, prefix, words):
    rank = "-" if pd.isna(standing[f"{prefix}_rank"]) else str(standing[f"{prefix}_rank"])
    return " ".join([rank, standing[f"{prefix}_status"], standing[f"{prefix}_reason"]][:words])


def test_there_are_hand_worked_standings():
    assert len(CASES) > 20


@pytest.mark.parametrize("case", CASES)
def test_evidence_is_weighed_of_all_that_was_worked_by_hand(case):
    rules = rules_with(case.get("rules", {}))
    result = evaluate(communities_of(case, rules.satisfaction), rules)

    evidence = weigh_evidence(result)

    for prefix in ROUTES.values():
        chances = evidence[f"{prefix}_top_probability"]
        assert (chances.notna() <= result.standings[f"{prefix}_rank"].notna()).all()
        assert chances.dropna().between(0, 1).all()


@pytest.mark.parametrize("case", CASES)
def test_hand_worked_standings_come_out(case):
    rules = rules_with(case.get("rules", {}))
    communities = communities_of(case, rules.satisfaction)
    result = evaluate(communities, rules)

    route = "complaints" if "complaints" in case else "satisfaction"
    facts = result.summary["regions"]["海勃湾区"][route]
    for key in ("N", "k", "met"):
        if key in case:
            assert (key, facts[key]) == (key, case[key])
    for route, prefix in ROUTES.items():
        for label, expected in case.get(route, {}).items():
            standings = result.standings[communities["label"] == label].to_dict("records")
            words = len(expected.split())
            assert standings
            assert {shown(standing, prefix, words) for standing in standings} == {expected}, label
    assert case["why"]
