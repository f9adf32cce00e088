"""The panel on those who did not answer: what it says of early and late answers, and its limits."""

import json
from dataclasses import replace

import pandas as pd
import pytest
from plotly.utils import PlotlyJSONEncoder

from analytics.languages import LANGUAGES
from dashboards.address import View
from dashboards.frames.page_data import PageData
from dashboards.panels.nonresponse import nonresponse_panel
from dashboards.routes import ROUTES
from tests.dashboards.test_app import said
from tests.published import Page, read_into

WAVES = {
    "communities": 12,
    "first": 240,
    "last": 240,
    "difference": -0.1,
    "error": 0.02,
    "differs": True,
    "deviation": 0.0,
    "spread": 0.075,
}


@pytest.fixture(scope="module")
def shown(city):
    return PageData.of(city, View("en"))


def drawn(shown):
    return json.loads(json.dumps(nonresponse_panel(shown), cls=PlotlyJSONEncoder))


def with_facts(shown, **facts):
    """Return the page with what was compared in its first region."""
    region = shown.regions[0]
    supported = dict(shown.header.summary["evidence"]["regions"])
    supported[region] = {**supported[region], "satisfaction": {**supported[region]["satisfaction"], **facts}}
    summary = {**shown.header.summary, "evidence": {"regions": supported}}
    return replace(shown, header=replace(shown.header, summary=summary))


def with_waves(shown, waves):
    return with_facts(shown, waves=waves)


def with_channels(shown, channels):
    return with_facts(shown, channels=channels)


CHANNELS = {
    "communities": 12,
    "poster": 360,
    "slip": 120,
    "difference": -0.2,
    "error": 0.04,
    "differs": True,
    "deviation": 0.0,
    "spread": 0.15,
}


@pytest.mark.parametrize("language", LANGUAGES)
def test_what_slips_suggest_is_said_with_both_numbers(city, language):
    content = said(drawn(with_channels(PageData.of(city, View(language)), CHANNELS)))

    for number in ("20.0", "4.0", "15.0%", "3.0%"):
        assert number in content


def test_slips_that_suggest_less_leave_the_assumption_as_it_is(shown):
    same = {**CHANNELS, "difference": 0.004, "differs": False, "spread": 0.0}
    content = said(drawn(with_channels(shown, same)))
    assert "about as satisfied as those through posters" in content
    assert "suggest no more than the rule file assumes (0.0%)" in content
    better = said(drawn(with_channels(shown, {**CHANNELS, "difference": 0.2})))
    assert "20.0 points more satisfied" in better
    few = said(drawn(with_channels(shown, None)))
    assert "through posters are not compared" in few
    assert "through posters" not in said(drawn(shown))


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_raised_assumption_is_said_with_both_numbers(city, language):
    content = said(drawn(with_waves(PageData.of(city, View(language)), WAVES)))

    for number in ("10.0", "2.0", "7.5%", "3.0%"):
        assert number in content


def test_waves_that_suggest_less_leave_the_assumption_as_it_is(shown):
    same = {**WAVES, "difference": -0.004, "differs": False, "spread": 0.0}
    content = said(drawn(with_waves(shown, same)))

    assert "about as satisfied as the first" in content
    assert "suggest no more than that (0.0%)" in content
    assert "the larger one" not in content


def test_communities_that_drift_apart_and_better_late_answers_are_said(shown):
    content = said(drawn(with_waves(shown, {**WAVES, "difference": 0.1, "deviation": 0.06})))

    assert "10.0 points more satisfied" in content
    assert "standard deviation 6.0 points" in content


def test_what_was_not_compared_and_what_was_not_counted_are_told_apart(shown):
    assert "not compared" in said(drawn(with_waves(shown, None)))
    assert "not compared" not in said(drawn(shown))


def test_the_limits_are_those_of_the_communities_that_show_their_answers(shown):
    page = Page()
    read_into(page, {"children": drawn(shown)})
    [rows] = page.tables.values()
    ranked = shown.standings[shown.standings["satisfaction_rank"].notna()]

    assert len(rows) == len(shown.regions)
    for row, region in zip(rows, shown.regions, strict=True):
        own = ranked[(ranked["region"] == region) & ranked["satisfied"].notna() & ranked["households"].notna()]
        own = own[own["households"] >= own["responses"]]
        households, responses, satisfied = (int(own[name].sum()) for name in ("households", "responses", "satisfied"))
        cells = list(row.values()) if isinstance(row, dict) else row
        assert cells[1:3] == [f"{len(own):,}", f"{households:,}"]
        assert cells[-2] == f"{satisfied / households:.1%}"
        assert cells[-1] == f"{(satisfied + households - responses) / households:.1%}"


def test_neither_the_complaint_route_nor_another_measure_shows_limits(city, shown):
    assert "the survey alone" in said(drawn(PageData.of(city, View("en", route=ROUTES["complaints"]))))
    satisfaction = replace(shown.header.rules.satisfaction, measure="satisfaction_index")
    index = replace(shown, header=replace(shown.header, rules=replace(shown.header.rules, satisfaction=satisfaction)))

    assert "Nothing is known here" in said(drawn(index))


def test_communities_without_known_households_are_left_out(shown, monkeypatch):
    unknown = shown.standings.assign(households=pd.array([None] * len(shown.standings), dtype="Int64"))
    monkeypatch.setitem(shown.__dict__, "standings", unknown)

    assert "Nothing is known here" in said(drawn(shown))
