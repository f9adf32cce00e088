"""What residents say of complaining stands beside what is on record, and no small number is shown."""

import json
from dataclasses import replace

import plotly.graph_objects as go
import pytest
from plotly.utils import PlotlyJSONEncoder

from dashboards.address import View
from dashboards.figures.community import reported_figure
from dashboards.frames.page_data import PageData
from dashboards.panels.survey_reported_complaints import reported_and_recorded_rates, reported_panel
from dashboards.source import ReportedComplaints
from dashboards.widgets.components import records
from tests.dashboards.made_up import DISCLOSURE, RULES
from tests.dashboards.test_app import said


@pytest.fixture(scope="module")
def shown(city):
    return PageData.of(city, View("en"))


@pytest.fixture(scope="module")
def profile(city, shown):
    return city.profile(2, shown.everywhere["number"].iloc[0])


def row_of(shown, **values):
    return records(shown.everywhere)[0] | {"households": 1000, "exposure_household_years": 1000.0} | values


def panel_of(shown, row, profile, **reported):
    beside = ReportedComplaints(30, 100, 60, 900, 9_000, 4_000, 200_000.0)
    parts = reported_panel(shown, row, replace(profile, reported=replace(beside, **reported)))
    return said(json.loads(json.dumps(parts, cls=PlotlyJSONEncoder)))


def test_both_rates_stand_beside_those_of_the_region(shown):
    row = row_of(shown, complaints=12, complaints_per_1000_household_years=12.0)
    rates = reported_and_recorded_rates(
        row, ReportedComplaints(30, 100, 60, 900, 9_000, 4_000, 200_000.0), RULES, disclosure=DISCLOSURE, language="en"
    )

    assert rates[["count", "of", "rate", "region_rate"]].to_numpy().tolist() == [
        [30, 100, 0.3, 0.1],
        [12, 1000, 0.012, 0.02],
    ]
    assert rates["lower"][0] < 0.3 < rates["upper"][0]
    go.Figure(reported_figure(rates, "en"))


def test_what_must_not_be_shown_is_in_neither_table_nor_words(shown, profile):
    content = panel_of(shown, row_of(shown, complaints=0), profile, said=3)

    assert "their number is not shown" in content
    assert "of 100 respondents say" not in content


def test_what_the_table_of_answers_withholds_is_not_said_here(shown, profile):
    content = panel_of(shown, row_of(shown, complaints=12), profile, is_withheld=True)

    assert "their number is not shown" in content
    assert "of 100 respondents say" not in content


def test_below_thirty_answers_nothing_is_shown(shown, profile):
    content = panel_of(shown, row_of(shown, complaints=0), profile, said=5, asked=9)

    assert "Fewer than 30 residents said whether they complained." in content
    assert "Numbers as CSV" not in content


def test_the_numbers_are_said_in_one_sentence(shown, profile):
    row = row_of(shown, complaints=12, complaints_per_1000_household_years=12.0)
    content = panel_of(shown, row, profile)

    assert (
        "30 of 100 respondents say that they complained in the past year; among all residents it may be 22% to 40%."
        in content
    )
    assert "Valid cases on record: 12, which is 1.20 per 100 households a year." in content


def test_a_community_whose_complaints_may_be_underreported_is_warned_of_and_no_other(city, shown):
    warned = next(iter(shown.underreported))
    others = [number for number in shown.everywhere["number"] if number not in shown.underreported]

    for number, is_warned in ((warned, True), (others[0], False)):
        row = records(shown.everywhere[shown.everywhere["number"] == number])[0]
        content = panel_of(shown, row, city.profile(2, number))
        assert ("Complaints may be underreported" in content) == is_warned


def test_where_residents_were_not_asked_the_page_says_so(shown, profile):
    def content(kept):
        return said(json.loads(json.dumps(reported_panel(shown, row_of(shown), kept), cls=PlotlyJSONEncoder)))

    assert "kept with official results only" in content(None)
    assert "does not ask whether residents complained" in content(replace(profile, reported=None))
