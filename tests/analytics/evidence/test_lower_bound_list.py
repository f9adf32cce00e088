"""Lists by lower bounds agree with an independent reckoning, and differ from the official one only by the order."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from analytics.decision.evaluate import evaluate
from analytics.evidence.lower_bound_list import list_by_lower_bound
from tests.analytics.rule_files import rules_with


@st.composite
def cities(draw):
    rows = draw(st.lists(st.tuples(st.sampled_from("ab"), st.integers(0, 100), st.booleans()), min_size=1, max_size=30))
    frame = pd.DataFrame(rows, columns=["region", "satisfied", "is_small"])
    frame = frame.assign(
        community_id=[f"{number:02}" for number in range(len(frame))], responses=np.where(frame["is_small"], 2, 100)
    )
    return frame.assign(satisfied=np.minimum(frame["satisfied"], frame["responses"])).drop(columns="is_small")


def reckoned(standings, lower, k, ties):
    """Return who is listed, one community after the other."""
    listed = []
    for row, bound in zip(standings.to_dict("records"), lower, strict=True):
        beside = [
            other
            for each, other in zip(standings.to_dict("records"), lower, strict=True)
            if each["region"] == row["region"] and not pd.isna(each["satisfaction_rank"]) and not np.isnan(other)
        ]
        above, level = sum(other > bound for other in beside), sum(other == bound for other in beside)
        is_ranked = not pd.isna(row["satisfaction_rank"]) and not np.isnan(bound)
        last = above + level if ties == "exclude" else above + 1
        listed.append(is_ranked and last <= k[row["region"]])
    return listed


@given(cities(), st.sampled_from(["include", "exclude"]), st.data())
def test_as_many_are_listed_as_there_are_positions_the_highest_bounds_first(city, ties, data):
    choices = {"satisfaction.share": "20 %", "satisfaction.rounding": "ceil", "when_k_is_zero": "not_applicable"}
    result = evaluate(city, rules_with(choices))
    bounds = st.one_of(st.just(np.nan), st.sampled_from([0.5, 0.6, 0.7, 0.8]))
    lower = np.array(data.draw(st.lists(bounds, min_size=len(city), max_size=len(city))))
    regions = result.summary["regions"]
    found = list_by_lower_bound(result.standings, lower, regions, ties=ties)

    positions = {region: facts["satisfaction"]["k"] for region, facts in regions.items()}
    assert found["listed"].tolist() == reckoned(result.standings, lower, positions, ties)
    assert found.index.equals(result.standings.index)


@given(cities())
def test_by_the_scores_themselves_the_list_is_the_official_one(city):
    result = evaluate(city, rules_with({"satisfaction.share": "20 %", "when_k_is_zero": "wider_region"}))
    scores = result.standings["satisfaction_score"].to_numpy("float64", na_value=np.nan)
    ties = result.rules.satisfaction.ties
    found = list_by_lower_bound(result.standings, scores, result.summary["regions"], ties=ties)

    assert found["listed"].tolist() == (result.standings["satisfaction_status"] == "met").tolist()
    ranks = result.standings["satisfaction_rank"].to_numpy("float64", na_value=np.nan)
    assert found["rank"].to_numpy() == pytest.approx(ranks, nan_ok=True)
