"""How complaints arrived: rates that add up, and words for every channel."""

import plotly.graph_objects as go
import pytest

from dashboards.address import View
from dashboards.figures.complaints import channels_figure
from dashboards.frames.page_data import PageData
from dashboards.panels.complaint_channels import rates_by_channel
from dashboards.routes import ROUTES
from tests.dashboards.conftest import serve_dashboards
from tests.dashboards.made_up import RULES
from tests.dashboards.test_app import Browser, said


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


def test_one_district_has_no_rows_of_the_others(city):
    content = page(city, "?lang=en&region=乌达区")

    assert "of 280 valid complaints" in content
    assert "All districts" not in content


def test_a_preview_has_no_channels(preview_city):
    assert "Channels are kept with official results" in page(preview_city)
