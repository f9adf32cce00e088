import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from analytics.decision.community_table import check_communities
from analytics.decision.survey_modes import MIXED, MODES, answers_by_mode, main_modes, ranks_within_modes, rates_by_mode
from analytics.files.table_cells import TableError
from tests.analytics.rule_files import rules_with

RULES = rules_with({})


def table(**columns):
    return pd.DataFrame({"community_id": ["a"], "region": "乌达区", "responses": 50, "satisfied": 40} | columns)


@given(st.lists(st.tuples(*[st.integers(0, 300)] * 3), min_size=1, max_size=20))
def test_the_answers_of_all_modes_are_the_answers(rows):
    web, paper, telephone = np.array(rows).T
    counted = pd.DataFrame(
        {"responses": web + paper + telephone, "paper_responses": paper, "telephone_responses": telephone}
    )
    answers = answers_by_mode(counted)

    assert list(answers) == list(MODES)
    assert (answers.sum(axis=1) == counted["responses"]).all()
    assert (answers["web"] == web).all()


@given(st.lists(st.tuples(*[st.integers(0, 9)] * 3), min_size=1, max_size=20))
def test_a_main_mode_gave_more_than_half_of_the_answers(rows):
    answers = pd.DataFrame(rows, columns=list(MODES))
    for (_, counts), mode in zip(answers.iterrows(), main_modes(answers), strict=True):
        total = counts.sum()
        if total == 0:
            assert pd.isna(mode)
        elif mode == MIXED:
            assert counts.max() * 2 <= total
        else:
            assert counts[mode] * 2 > total


@given(
    st.lists(
        st.tuples(st.integers(0, 4), st.sampled_from([*MODES, MIXED, None]), st.integers(0, 2)), min_size=1, max_size=30
    )
)
def test_ranks_within_a_mode_are_counted_one_by_one(rows):
    scores, modes, groups = ([row[place] for row in rows] for place in range(3))
    rank, communities = ranks_within_modes(scores, pd.Series(modes, dtype="str"), group=groups)
    for place, (score, mode, group) in enumerate(rows):
        alike = [other for other in rows if other[1] == mode and other[2] == group]
        if mode is None:
            assert np.isnan([rank[place], communities[place]]).all()
        else:
            assert rank[place] == 1 + sum(other[0] > score for other in alike)
            assert communities[place] == len(alike)


def test_who_is_not_ranked_has_no_rank_within_a_mode_and_is_not_counted_there():
    rank, communities = ranks_within_modes([0.9, np.nan, 0.5], pd.Series(["web"] * 3), group=["wuda"] * 3)

    assert rank.tolist() == pytest.approx([1, np.nan, 2], nan_ok=True)
    assert communities.tolist() == pytest.approx([2, np.nan, 2], nan_ok=True)


def test_rates_of_the_modes_average_to_the_rate_of_all():
    counted = table(paper_responses=20, paper_satisfied=19, telephone_responses=10, telephone_satisfied=1)
    answers, rates = answers_by_mode(counted), rates_by_mode(counted)

    assert (answers * rates).sum(axis=1).tolist() == pytest.approx([40.0])
    assert rates["web"].tolist() == [1.0]


def test_without_the_satisfied_of_each_mode_no_rates_are_made_up():
    assert rates_by_mode(table(paper_responses=20, paper_satisfied=19, telephone_responses=10)) is None
    assert answers_by_mode(table()) is None


@pytest.mark.parametrize(
    ("columns", "faults"),
    [
        (
            {"paper_responses": 30, "telephone_responses": 21},
            ["paper_responses: the modes add up to more than 50 responses"],
        ),
        ({"paper_responses": 10, "paper_satisfied": 11}, ["paper_satisfied: 11 satisfied of 10 responses"]),
        (
            {"paper_responses": 45, "paper_satisfied": 34},
            ["satisfied: the modes leave more satisfied than responses to the web"],
        ),
        ({"paper_responses": 45, "paper_satisfied": None}, []),
        ({"paper_responses": None, "paper_satisfied": 4}, ["paper_satisfied: this needs the number of responses"]),
        ({"paper_satisfied": 4}, ["paper_responses: this column is missing"]),
        ({"telephone_responses": -1}, ["telephone_responses: this cannot be negative, it is -1"]),
        (
            {"responses": None, "satisfied": None, "telephone_responses": 3},
            ["telephone_responses: this needs the number of responses"],
        ),
    ],
)
def test_modes_that_cannot_be_are_named(columns, faults):
    if not faults:
        assert len(check_communities(table(**columns), RULES)) == 1
        return
    with pytest.raises(TableError) as error:
        check_communities(table(**columns), RULES)
    assert [line.split(":", 2)[2].strip() for line in str(error.value).splitlines()] == faults
