"""Standings without held answers keep all other answers."""

import pytest

from dashboards.panels.held_answers import without_held


@pytest.fixture(scope="module")
def examination(city):
    return city.examination(2)


def test_without_held_answers_a_community_keeps_the_others(city, examination):
    inputs = city.inputs(2)

    left = without_held(inputs, examination.counts)

    assert (inputs["responses"] - left["responses"]).tolist() == examination.counts["held"].tolist()
    assert left["community_id"].tolist() == inputs["community_id"].tolist()
    assert (left["satisfied"] <= left["responses"]).all()
