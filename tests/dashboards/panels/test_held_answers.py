"""Standings without held answers keep all other answers."""

import json
from dataclasses import replace

import numpy as np
import pytest
from plotly.utils import PlotlyJSONEncoder

from dashboards.address import View
from dashboards.frames.page_data import PageData
from dashboards.panels.entering_and_leaving import WHAT_IF_COLUMNS, changes
from dashboards.panels.held_answers import held_by_few, without_held


@pytest.fixture(scope="module")
def examination(city):
    return city.examination(2)


def test_without_held_answers_a_community_keeps_the_others(city, examination):
    inputs = city.inputs(2)

    left = without_held(inputs, examination.counts)

    assert (inputs["responses"] - left["responses"]).tolist() == examination.counts["held"].tolist()
    assert left["community_id"].tolist() == inputs["community_id"].tolist()
    assert (left["satisfied"] <= left["responses"]).all()


@pytest.mark.parametrize(
    ("held", "satisfied", "is_told"),
    # Of twelve held answers eleven are satisfied: two scores would tell of the twelfth that it is not.
    [(1, 1, False), (9, 9, False), (10, 10, True), (30, 30, True), (12, 11, False), (12, 7, True), (12, 3, False)],
)
def test_a_score_without_the_answers_of_few_is_not_told(city, held, satisfied, is_told):
    shown = PageData.of(city, View.of("?lang=en&evaluation=2", lambda: "en"))
    examination = city.examination(2)
    winner = shown.standings.loc[shown.standings["criterion_status"] == "met", "community_id"].iloc[0]
    own = (shown.standings["community_id"] == winner).to_numpy()
    counts = examination.counts.assign(
        n_without=shown.standings["responses"].to_numpy("int64") - np.where(own, held, 0),
        satisfied_without=shown.standings["satisfied"].to_numpy("int64") - np.where(own, satisfied, 0),
    )

    untold = held_by_few(shown, replace(examination, counts=counts))
    after = shown.standings[list(WHAT_IF_COLUMNS)].assign(criterion_status="not_met")
    drawn = json.dumps(changes(shown, after, name="held", only_verdicts=untold), cls=PlotlyJSONEncoder)

    assert untold == (frozenset() if is_told else {winner})
    assert "would leave" in drawn
    assert ("not shown" in drawn) is not is_told
