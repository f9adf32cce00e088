"""The panel on a repeated survey: whom it names, and when it is left out."""

import json
from dataclasses import replace

import pytest
from plotly.utils import PlotlyJSONEncoder

from analytics.languages import LANGUAGES
from dashboards.address import View
from dashboards.frames.page_data import PageData
from dashboards.panels.list_stability import list_stability_panel
from dashboards.routes import ROUTES
from dashboards.widgets.components import records
from tests.dashboards.test_app import said


@pytest.fixture(scope="module")
def shown(city):
    return PageData.of(city, View("en"))


def told(shown):
    return said(json.loads(json.dumps(list_stability_panel(shown), cls=PlotlyJSONEncoder)))


def with_stability(shown, region, **changed):
    """Return the page with other facts about the stability of a region's list."""
    supported = dict(shown.header.summary["evidence"]["regions"])
    satisfaction = dict(supported[region]["satisfaction"])
    satisfaction["stability"] = {**satisfaction["stability"], **changed} if changed else None
    supported[region] = {**supported[region], "satisfaction": satisfaction}
    return replace(
        shown, header=replace(shown.header, summary={**shown.header.summary, "evidence": {"regions": supported}})
    )


@pytest.mark.parametrize("language", LANGUAGES)
def test_each_region_tells_how_many_would_be_listed_again(city, language):
    shown = PageData.of(city, View(language))
    content = told(shown)

    for region in shown.regions:
        facts = shown.header.summary["evidence"]["regions"][region]["satisfaction"]
        assert shown.region_label(region) in content
        assert f"{facts['stability']['repeated']['expected']:.0f}" in content


def test_no_community_outside_the_scope_is_named(shown):
    region, known = shown.regions[0], records(shown.everywhere)[0]
    repeated = {
        "expected": 1.0,
        "lower": 0,
        "upper": 2,
        "may_leave": [["elsewhere", 0.4]],
        "may_enter": [[known["number"], 0.3]],
    }
    whole = {"p_value": 0.2, "inside": known["number"], "outside": "elsewhere", "difference": 0.01, "error": 0.02}
    content = told(with_stability(shown, region, repeated=repeated, whole_list=whole))

    assert known["english_name"] in content
    assert "elsewhere" not in content


def test_an_evaluation_older_than_the_forecast_and_the_complaint_route_say_why_there_is_none(city, shown):
    older = shown
    for region in shown.regions:
        older = with_stability(older, region)

    assert "This is not known here" in told(older)
    assert "the survey alone" in told(PageData.of(city, View("en", route=ROUTES["complaints"])))
