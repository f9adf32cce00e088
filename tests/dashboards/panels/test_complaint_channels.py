"""How complaints arrived: rates that add up, and words for every channel."""

import pandas as pd
import plotly.graph_objects as go
import pytest

from dashboards.address import View
from dashboards.figures.complaints import channels_figure
from dashboards.frames.page_data import PageData
from dashboards.panels.complaint_channels import rates_by_channel, without_few
from dashboards.routes import ROUTES
from tests.dashboards.conftest import serve_dashboards
from tests.dashboards.made_up import DISCLOSURE, RULES
from tests.dashboards.test_app import Browser, said

CASES = {
    "A": {"code": 40, "web": 20, "telephone": 8, "visit": 9, "hotline": 30, "letter": 2, "other": 0},
    "B": {"code": 50, "web": 20, "telephone": 18, "visit": 9, "hotline": 30, "letter": 12, "other": 0},
}


def page(source, search="?lang=en"):
    return said(Browser(serve_dashboards(source)).content(search, page="complaints/"))


def test_the_rates_of_the_channels_add_up_to_that_of_all_complaints(city):
    channels = city.channels(2)
    rates = rates_by_channel(channels, RULES)
    years = city.standings(2)["exposure_household_years"].sum()

    assert rates["rate_per_1000_households"].sum() == pytest.approx(channels["complaints"].sum() / years * 1000)
    figure = channels_figure(rates, PageData.of(city, View("en")).drawing(ROUTES["complaints"]))
    go.Figure(figure)
    assert figure["data"][0]["x"] == pytest.approx(rates["rate_per_1000_households"].tolist(), rel=1e-3)


def test_the_page_says_which_channel_most_complaints_used_and_how_many_came_without_the_web(city):
    content = page(city)

    # Of 280 in each of three districts 70 by code, and 50, 40, 30 and 20 by telephone, visit, hotline, letter.
    assert "The most frequent channel of 840 valid complaints: form behind a code (25%)." in content
    assert "hotline and letters together, without the web: 50%" in content
    assert "All districts" in content


def test_few_complaints_by_a_channel_follow_from_neither_their_region_nor_the_others():
    rows = [(region, channel, number) for region, numbers in CASES.items() for channel, number in numbers.items()]
    channels = pd.DataFrame(rows, columns=["region", "channel", "complaints"]).assign(household_years=1000.0)

    shown = without_few(channels, disclosure=DISCLOSURE).set_index(["region", "channel"])["complaints"]
    together = rates_by_channel(without_few(channels, disclosure=DISCLOSURE), RULES).set_index("channel")

    hidden = shown[shown.isna()].index.tolist()
    # Two of them came by letter: with them those by telephone are hidden, here and from the sum of both.
    assert hidden == [("A", "telephone"), ("A", "letter")]
    assert together.index[together["complaints"].isna()].tolist() == ["telephone", "letter"]
    assert together.loc["code", ["complaints", "rate_per_1000_households"]].tolist() == [90, 45]
    assert together.loc[["telephone", "letter"], ["rate_per_1000_households", "lower", "upper"]].isna().all(axis=None)


def test_one_district_has_no_rows_of_the_others(city):
    content = page(city, "?lang=en&region=乌达区")

    assert "of 280 valid complaints" in content
    assert "All districts" not in content


def test_a_preview_has_no_channels(preview_city):
    assert "Channels are kept with official results" in page(preview_city)


def test_a_channel_that_is_not_counted_is_unknown_and_not_zero(city):
    channels = city.channels(2)
    without = channels[channels["channel"] != "letter"]
    partly = channels[(channels["channel"] != "letter") | (channels["region"] == "乌达区")]

    rates = rates_by_channel(without, RULES).set_index("channel")
    beside = rates_by_channel(partly, RULES).set_index("channel")

    assert "letter" not in rates.index
    [years] = channels.loc[channels["region"] == "乌达区", "household_years"].unique()
    assert beside.loc["letter", "household_years"] == years
    assert rates.loc["code", "complaints"] == channels.loc[channels["channel"] == "code", "complaints"].sum()
