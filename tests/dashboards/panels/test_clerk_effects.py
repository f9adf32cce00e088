"""The panel on answers typed in by staff."""

import json
from dataclasses import replace

import pytest
from plotly.utils import PlotlyJSONEncoder

from analytics.languages import LANGUAGES
from dashboards.address import View
from dashboards.frames.page_data import PageData
from dashboards.panels.clerk_effects import clerk_effects_panel
from tests.dashboards.test_app import said

CLERKS = {"clerks": 4, "communities": 9, "answers": 1234, "p_value": 0.0, "deviation": 0.08}


def told(shown):
    return said(json.loads(json.dumps(clerk_effects_panel(shown), cls=PlotlyJSONEncoder)))


def with_clerks(shown, clerks):
    """Return the page with a comparison of clerks in its first region."""
    region = shown.regions[0]
    supported = dict(shown.header.summary["evidence"]["regions"])
    supported[region] = {**supported[region], "satisfaction": {**supported[region]["satisfaction"], "clerks": clerks}}
    summary = {**shown.header.summary, "evidence": {"regions": supported}}
    return replace(shown, header=replace(shown.header, summary=summary))


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_difference_is_said_with_how_many_and_how_much(city, language):
    content = told(with_clerks(PageData.of(city, View(language)), CLERKS))

    for number in ("1,234", "4", "< 0.01", "8"):
        assert number in content


def test_what_chance_explains_is_said_to_be_explained(city):
    content = told(with_clerks(PageData.of(city, View("en")), {**CLERKS, "p_value": 0.05}))

    assert "do not differ by who typed them in more than chance explains (p = 0.05)" in content
    assert "standard deviation" not in content


def test_where_nothing_was_compared_it_is_said(city):
    shown = PageData.of(city, View("en"))

    for alone in (shown, with_clerks(shown, None)):
        assert "enough answers typed in by two or more members of staff" in told(alone)
