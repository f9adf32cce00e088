import pandas as pd
import pytest

from analytics.decision.recount import recount, select_counted_responses
from analytics.files.response_tables import ResponseTable
from tests.analytics.rule_files import rules_with


def rows(*given, questions=("q01",)):
    frame = pd.DataFrame(given)
    frame["submitted_at"] = pd.to_datetime(frame["day"], utc=True)
    answers = frame[list(questions)].astype("Int64")
    return ResponseTable(frame.drop(columns=["day", *questions]), answers, range(2, len(frame) + 2))


def test_a_tenants_later_answer_never_replaces_the_owners():
    table = rows(
        {"community_id": "1", "household": "a", "tenure": 1, "day": "2021-09-01", "q01": 5},
        {"community_id": "1", "household": "a", "tenure": 2, "day": "2021-09-02", "q01": 1},
        {"community_id": "1", "household": "b", "tenure": 1, "day": "2021-09-03", "q01": 4},
        {"community_id": "1", "household": "b", "tenure": 1, "day": "2021-09-02", "q01": 2},
        {"community_id": "2", "household": "b", "tenure": 1, "day": "2021-09-01", "q01": 3},
        {"community_id": "1", "household": None, "tenure": 1, "day": "2021-09-01", "q01": 2},
    )
    once = select_counted_responses(table, rules_with({"evidence.one_answer_per_household": True}))
    posters = select_counted_responses(table, rules_with({}))

    assert list(once.lines) == [2, 4, 6, 7]
    assert list(posters.lines) == [2, 4, 5, 6, 7]


def test_a_community_table_is_counted_anew_from_its_rows():
    communities = pd.DataFrame(
        {"community_id": ["1", "2"], "region": "r", "responses": 99, "satisfied": 98, "households": [50, 60]}
    )
    table = rows(*({"community_id": "1", "day": "2021-09-01", "q01": code} for code in (5, 4, 1, None)))
    counted = recount(communities, table, rules_with({}))

    assert counted["responses"].tolist() == [3, 0]
    assert counted["satisfied"].tolist() == [2, 0]
    assert counted["mean_index"].iloc[0] == pytest.approx(175 / 3, rel=1e-15)
    assert counted["households"].tolist() == [50, 60]


def test_composites_are_counted_anew_too():
    choices = {"satisfaction.measure": "composite", "satisfaction.domains": {"q02": "3/4", "q03": "1/4"}}
    table = rows(
        {"community_id": "1", "day": "2021-09-01", "q01": 5, "q02": 5, "q03": 1},
        {"community_id": "1", "day": "2021-09-01", "q01": None, "q02": None, "q03": 5},
        questions=("q01", "q02", "q03"),
    )
    counted = recount(pd.DataFrame({"community_id": ["1"], "region": "r"}), table, rules_with(choices))

    assert counted[["composite_responses", "mean_composite"]].iloc[0].tolist() == [1, 75]


def test_a_response_of_a_community_that_is_not_in_the_table_is_refused():
    table = rows({"community_id": "3", "day": "2021-09-01", "q01": 5})

    with pytest.raises(ValueError, match="community 3 is not listed"):
        recount(pd.DataFrame({"community_id": ["1"], "region": "r"}), table, rules_with({}))


def test_pairs_of_answers_of_one_household_are_counted_where_it_may_answer_several_times():
    given = {"a": (5, 4, 1), "b": (5, 5), "c": (2,), None: (5, 1, None)}
    table = rows(
        *(
            {"community_id": "1", "household": household, "day": "2021-09-01", "q01": code}
            for household, codes in given.items()
            for code in codes
        )
    )
    communities = pd.DataFrame({"community_id": ["1", "2"], "region": "r"})
    counted = recount(communities, table, rules_with({}))

    # Of three answers three pairs, two of them unlike; of two one pair; the others are of unknown households.
    assert counted["household_pairs"].tolist() == [4, 0]
    assert counted["unlike_household_pairs"].tolist() == [2, 0]
    assert "household_pairs" not in recount(communities, table, rules_with({"evidence.one_answer_per_household": True}))
