"""Panels on the scores of the listed and on the list with few false members."""

import json
from dataclasses import replace

import pytest
from plotly.utils import PlotlyJSONEncoder

from analytics.decision.evaluate import evaluate
from analytics.evidence.picking_correction import correct_for_picking
from analytics.languages import LANGUAGES
from dashboards.address import View
from dashboards.frames.page_data import PageData
from dashboards.panels.list_evidence import few_false_sentences
from dashboards.panels.picked_scores import picked_scores_panel
from dashboards.routes import ROUTES
from dashboards.widgets.components import records
from tests.dashboards.test_app import said
from tests.published import Page, read_into

SATISFACTION = ROUTES["satisfaction"]


@pytest.fixture(scope="module")
def shown(city):
    return PageData.of(city, View("en"))


def drawn(shown):
    return json.loads(json.dumps(picked_scores_panel(shown), cls=PlotlyJSONEncoder))


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_listed_community_has_its_corrected_interval(city, language):
    shown, page = PageData.of(city, View(language)), Page()
    read_into(page, {"children": drawn(shown)})
    [rows] = page.tables.values()
    corrected = correct_for_picking(evaluate(city.inputs(shown.header.id), shown.header.rules))

    assert len(rows) == len(corrected) > 0
    written = {tuple(row.values())[2] for row in rows}
    assert written == {f"{row['lower'] * 100:.1f} – {row['upper'] * 100:.1f}%" for row in records(corrected)}


def test_corrected_scores_are_of_the_survey_and_take_the_whole_region(city, shown, monkeypatch):
    assert picked_scores_panel(PageData.of(city, View("en", route=ROUTES["complaints"]))) == []
    monkeypatch.setitem(shown.__dict__, "sees_whole_regions", False)

    assert "An account that sees them all can show it." in said(drawn(shown))


def with_few_false(shown, **changed):
    """Return the page with other facts about the list of its first region."""
    region = shown.regions[0]
    supported = dict(shown.header.summary["evidence"]["regions"])
    satisfaction = {**supported[region]["satisfaction"], **changed}
    for name in [name for name, value in changed.items() if value == "left out"]:
        del satisfaction[name]
    supported[region] = {**supported[region], "satisfaction": satisfaction}
    summary = {**shown.header.summary, "evidence": {"regions": supported}}
    return replace(shown, header=replace(shown.header, summary=summary))


def first_sentence(shown, **changed):
    return next(few_false_sentences(with_few_false(shown, **changed), SATISFACTION)).replace("\xa0", " ")


def test_a_list_with_few_false_members_is_counted_and_named(shown):
    row = records(shown.everywhere)[0]
    number, name = row["number"], row["english_name"]

    assert first_sentence(shown, listed=4, few_false=1, few_false_named=[number]).endswith(
        f"communities listed: 4. A list of which at most 10% are expected to be wrong would name 1: {name}."
    )
    assert first_sentence(shown, listed=4, few_false=3, few_false_named=[number, "elsewhere"]).endswith(
        f"would name 3, among them {name}."
    )
    assert first_sentence(shown, listed=4, few_false=3, few_false_named="left out").endswith("would name 3.")
    assert "There is no list" in first_sentence(shown, listed=4, few_false=0, few_false_named=[])


def test_where_nobody_is_listed_or_nothing_is_known_there_is_no_sentence(shown):
    for facts in ({"few_false": None}, {"listed": 0, "few_false": 0, "few_false_named": []}):
        told = list(few_false_sentences(with_few_false(shown, **facts), SATISFACTION))
        assert len(told) == len(shown.regions) - 1


def test_the_panel_says_why_scores_are_corrected(city):
    assert "was often lucky" in said(drawn(PageData.of(city, View("en"))))
