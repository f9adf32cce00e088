"""The criterion page: decision beside evidence, communities around the cut-off, results under other rules."""

import csv
import io
import json
from dataclasses import replace
from urllib.parse import quote, unquote

import pandas as pd
import plotly.graph_objects as go
import pytest
from plotly.utils import PlotlyJSONEncoder

from analytics.decision.evaluate import evaluate
from analytics.decision.what_if import compare, with_choices
from analytics.disclosure.hypothetical_tables import hypothetical_table
from analytics.reports.labels import needed_words
from analytics.rules import parse_rules
from dashboards.address import View
from dashboards.figures.evidence import around_cut_off_figure, change_figure, list_evidence_figure
from dashboards.frames.page_data import PageData
from dashboards.frames.standings import CutOff, in_rank_order
from dashboards.frames.underreported_complaints import disclosure_of
from dashboards.panels.around_cut_off import MOST_SHOWN, communities_around_cut_off
from dashboards.panels.entering_and_leaving import WHAT_IF_COLUMNS
from dashboards.panels.list_evidence import decision_by_evidence, list_evidence_sentence
from dashboards.panels.what_if import BY_LOWER_BOUND, choices, evaluate_otherwise, what_if_panel
from dashboards.routes import ROUTES
from dashboards.widgets.components import Numbers, NumbersColumn, records
from tests.dashboards.conftest import serve_dashboards
from tests.dashboards.made_up import ROUNDS, RULES, MadeUpCity
from tests.dashboards.test_app import Browser, said


@pytest.fixture(scope="module")
def shown(city):
    return PageData.of(city, View("en"))


@pytest.fixture(scope="module")
def browser_of(city):
    return Browser(serve_dashboards(city))


@pytest.mark.parametrize("route", ROUTES.values(), ids=list(ROUTES))
def test_every_ranked_community_is_counted_once_by_decision_and_evidence(shown, route):
    crossed = decision_by_evidence(shown.standings, route)

    ranked = shown.standings[shown.standings[route.rank].notna() & shown.standings[route.evidence].notna()]
    assert crossed.to_numpy().sum() == len(ranked)
    assert crossed.loc[True].sum() == (ranked[route.status] == "met").sum()


def test_the_figure_draws_the_counts_of_the_table(shown):
    crossed = decision_by_evidence(shown.standings, ROUTES["satisfaction"])

    figure = list_evidence_figure(crossed, "en")

    go.Figure(figure)
    drawn = {trace["name"]: trace["customdata"] for trace in figure["data"]}
    assert list(drawn.values()) == [crossed[band].tolist() for band in crossed.columns]
    assert [round(sum(shares)) for shares in zip(*(trace["x"] for trace in figure["data"]), strict=True)] == [100, 100]


def test_the_sentence_adds_up_what_is_expected_of_each_region(shown):
    supported = shown.header.summary["evidence"]["regions"].values()
    expected = sum(region["satisfaction"]["expected_rightful"] for region in supported)

    assert f"about {expected:.1f} of them" in list_evidence_sentence(shown, ROUTES["satisfaction"])


def made_up_order(scores, k):
    frame = pd.DataFrame({"satisfaction_score": scores})
    frame["satisfaction_rank"] = frame["satisfaction_score"].rank(ascending=False, method="min").astype("Int64")
    frame["satisfaction_last_rank"] = frame["satisfaction_score"].rank(ascending=False, method="max").astype("Int64")
    return in_rank_order(frame, ROUTES["satisfaction"]), CutOff("区", len(scores), k, None)


@pytest.mark.parametrize("k", [1, 3, 12, 30, 60])
def test_around_the_cut_off_stand_communities_of_both_sides(k):
    ordered, cut_off = made_up_order([100 - place for place in range(200)], k)

    near = communities_around_cut_off(ordered, cut_off)

    assert len(near) <= MOST_SHOWN
    assert near["position"].diff().dropna().eq(1).all()
    assert (near["position"] <= k).sum() >= min(k, 10)
    assert (near["position"] > k).sum() >= 10


def test_without_a_position_nobody_stands_around_the_cut_off():
    ordered, cut_off = made_up_order([90, 80], 0)

    assert communities_around_cut_off(ordered, cut_off).empty


def test_the_table_says_how_many_answers_would_settle_what_is_undecided(browser_of, shown):
    page = said(browser_of.content("?lang=en", page="criterion/"))

    assert page.split("\n").count("Answers needed to settle it") == 1
    ordered = in_rank_order(shown.standings[shown.standings["region"] == "海勃湾区"], ROUTES["satisfaction"])
    [cut_off] = [each for each in shown.cut_offs(ROUTES["satisfaction"]) if each.region == "海勃湾区"]
    near = communities_around_cut_off(ordered, cut_off)
    words = {needed_words(row, "en") for row in records(near)}
    assert {word.partition(":")[0] for word in words} == {
        "none (satisfaction",
        "further answers",
        "more than can be expected",
    }
    # What many rows have in common stands in the sentence above them instead.
    lines = set(page.split("\n"))
    above = {word for word in words if any(f"Answers needed to settle it: {word} (" in line for line in lines)}
    assert len(above) == 1
    assert words <= lines | above
    assert "Answers needed to settle it" not in said(browser_of.content("?lang=en&route=complaints", page="criterion/"))


def test_marks_tell_the_decision_and_colours_the_evidence(shown):
    route = ROUTES["satisfaction"]
    here = shown.standings[shown.standings["region"] == "乌达区"].assign(lower=0.5, upper=1.0, estimate=0.8)
    cut_off = next(cut_off for cut_off in shown.cut_offs(route) if cut_off.region == "乌达区")
    near = communities_around_cut_off(in_rank_order(here, route), cut_off)

    figure = around_cut_off_figure(near, cut_off, shown.drawing())

    go.Figure(figure)
    interval, *bands = figure["data"]
    assert interval["error_x"]["array"] == pytest.approx([20] * len(near))
    assert interval["error_x"]["arrayminus"] == pytest.approx([30] * len(near))
    symbols = [symbol for trace in bands for symbol in trace["marker"]["symbol"]]
    assert symbols.count("diamond") == (near[route.status] == "met").sum()
    assert len(symbols) == len(near)
    assert {trace["name"] for trace in bands} <= {
        "certain",
        "likely",
        "the data cannot tell",
        "unlikely",
        "ruled out",
    }


OTHER_RULES = choices(RULES, "en", whole_city=True, both_populations=False, has_districts=True).keys()


@pytest.mark.parametrize("asked", sorted(OTHER_RULES - {BY_LOWER_BOUND}))
def test_what_if_says_what_analytics_says(city, browser_of, asked):
    choice, _, value = asked.partition(":")
    evaluation = evaluate(city.inputs(2), RULES)
    result = compare(evaluation, with_choices(RULES, {choice: int(value) if value.isdigit() else value}))
    enters, leaves = ((result.communities["change"] == change).sum() for change in ("enters", "leaves"))

    content = said(browser_of.content(f"?lang=en&what_if={quote(asked)}", page="criterion/"))

    assert f"Entering: {enters}; leaving: {leaves}." in content
    assert "Not an official result" in content
    names = city.standings(2).set_index("community_id")["english_name"]
    for community in result.communities.loc[result.communities["change"].notna(), "community_id"]:
        assert names[community] in content


def test_what_if_tenants_counted_too_takes_the_answers_of_all_residents(city, browser_of):
    # Of few tenants the official numbers stand.
    others = hypothetical_table(
        city.inputs_of_other_population(2), city.inputs(2), withheld=(), disclosure=disclosure_of(city.evaluations()[0])
    )
    result = compare(
        evaluate(city.inputs(2), RULES), with_choices(RULES, {"population": "residents"}), communities=others
    )
    enters, leaves = ((result.communities["change"] == change).sum() for change in ("enters", "leaves"))

    content = said(browser_of.content("?lang=en&what_if=population:residents", page="criterion/"))

    assert f"Entering: {enters}; leaving: {leaves}." in content
    assert "Assumption: all residents' answers count." in content
    assert "Not an official result" in content


def test_a_preview_did_not_count_the_other_population(preview_city):
    content = said(
        Browser(serve_dashboards(preview_city)).content("?lang=en&what_if=population:residents", page="criterion/")
    )

    assert "all residents' answers count" not in content
    assert "Assumption" not in content


def test_an_unknown_choice_is_as_if_none_were_asked(browser_of):
    content = said(browser_of.content("?lang=en&what_if=region:moon", page="criterion/"))

    assert "Not an official result" not in content


def test_a_district_cannot_suppose_a_ranking_of_the_whole_city(browser_of):
    district = Browser(serve_dashboards(MadeUpCity(district="乌达区")))

    assert "ranked together" in said(browser_of.content("?lang=en", page="criterion/"))
    assert "ranked together" not in said(district.content("?lang=en", page="criterion/"))
    assert "Not an official" not in said(district.content("?lang=en&what_if=region:city", page="criterion/"))


def test_those_that_leave_are_drawn_to_the_left():
    regions = pd.DataFrame({"label": ["<b>"], "stays": [4], "enters": [2], "leaves": [3]})

    figure = change_figure(regions, "en")

    go.Figure(figure)
    assert {trace["name"]: trace["x"] for trace in figure["data"]} == {"Leave": [-3], "Stay": [4], "Enter": [2]}
    assert figure["data"][0]["y"] == ["&lt;b&gt;"]


def test_the_file_behind_a_chart_holds_the_numbers_of_its_table():
    numbers = Numbers(
        "Scores",
        [NumbersColumn("Community"), NumbersColumn("Score", numeric=True, write="{:.1%}".format)],
        [["=1+1", 0.5], ["阳光", None]],
    )

    assert numbers.table.data["body"] == [["=1+1", "50.0%"], ["阳光", "—"]]
    assert list(csv.reader(io.StringIO(numbers.csv.removeprefix("\ufeff")))) == [
        ["Community", "Score"],
        ["'=1+1", "0.5"],
        ["阳光", ""],
    ]


def test_every_chart_offers_its_numbers_as_a_file(browser_of):
    content = browser_of.content("?lang=en&what_if=ties:exclude", page="criterion/")
    addresses = [text for text in said(content).splitlines() if text.startswith("data:text/csv")]

    assert len(addresses) == 8
    assert all(unquote(address).startswith("data:text/csv;charset=utf-8,\ufeff") for address in addresses)


class CityThatWithholds(MadeUpCity):
    """A city where a large part of the communities answered too little to be ranked, with scores withheld as stored."""

    def inputs(self, evaluation_id):
        frame = super().inputs(evaluation_id)
        small = frame.index % 7 == 0
        return frame.assign(
            responses=frame["responses"].mask(small, 25), satisfied=frame["satisfied"].mask(small, 24 + frame.index % 2)
        )

    def standings(self, evaluation_id):
        frame = super().standings(evaluation_id)
        small = frame.index % 7 == 0
        names = ["satisfaction_rank", "satisfaction_last_rank", "satisfaction_score"]
        unranked = {name: frame[name].mask(small) for name in names}
        return frame.assign(**unranked, criterion_status=frame["criterion_status"].mask(small, "not_assessed"))


def test_a_community_whose_score_is_withheld_without_a_rank_is_left_out_under_rules_that_would_give_one():
    source = CityThatWithholds()
    standings = source.standings(2)
    withheld = standings.loc[standings["satisfaction_score"].isna(), "community_id"]

    after = evaluate_otherwise(source, 2, "minimum_responses", "30").set_index("community_id")
    content = said(what_if_of(source, "minimum_responses:30"))

    assert len(withheld) > 5
    assert after.loc[withheld, "satisfaction_rank"].isna().all()
    assert after["satisfaction_rank"].notna().sum() > 50
    assert "Communities whose scores are withheld are left out" in content


def test_no_minimum_is_offered_below_the_one_that_withholds_scores():
    asked = {"whole_city": True, "both_populations": False, "has_districts": True}
    none = replace(RULES, satisfaction=replace(RULES.satisfaction, minimum_responses=None))

    def offered(rules):
        return [key.partition(":")[2] for key in choices(rules, "en", **asked) if key.startswith("minimum_responses")]

    assert offered(RULES) == ["30", "50", "100"]
    assert offered(none) == ["10", "20", "30", "50", "100"]


def what_if_of(source, choice):
    panel = what_if_panel(PageData.of(source, View("en").with_own(what_if=choice)), source)
    return json.loads(json.dumps(panel, cls=PlotlyJSONEncoder))


def test_districts_that_a_table_does_not_tell_apart_are_not_asked_about():
    by_city = parse_rules(RULES.content.replace(b"region: district ", b"region: city "), "rules.yaml")
    asked = {"whole_city": True, "both_populations": False}

    assert "region:district" in choices(by_city, "en", **asked, has_districts=True)
    assert "region:district" not in choices(by_city, "en", **asked, has_districts=False)


@pytest.mark.parametrize("choice", ["region", "rounding", "ties", "zero_ties", "population", "measure"])
def test_the_same_rules_in_other_words_give_the_official_result(city, choice):
    """What-ifs move nothing by themselves: chosen as the rules have it, every standing is the official one."""
    satisfaction, complaints = RULES.satisfaction, RULES.complaints
    held = {
        "region": RULES.region,
        "rounding": satisfaction.rounding,
        "ties": satisfaction.ties,
        "zero_ties": complaints.zero_ties,
        "population": satisfaction.population,
        "measure": satisfaction.measure,
    }

    after = evaluate(city.inputs(2), with_choices(RULES, {choice: held[choice]})).standings

    official = city.standings(2)[list(WHAT_IF_COLUMNS)].astype(after[list(WHAT_IF_COLUMNS)].dtypes)
    pd.testing.assert_frame_equal(after[list(WHAT_IF_COLUMNS)], official)


def test_residents_instead_of_owners_are_the_official_result_where_only_owners_answered():
    class OwnersAlone(MadeUpCity):
        def inputs_of_other_population(self, evaluation_id):
            return self.inputs(evaluation_id)

    after = evaluate_otherwise(OwnersAlone(rounds=ROUNDS[:1]), 1, "population", "residents")
    official = MadeUpCity(rounds=ROUNDS[:1]).standings(1)[list(WHAT_IF_COLUMNS)]

    told = official["satisfaction_score"].notna()
    assert told.mean() > 0.9
    pd.testing.assert_frame_equal(after[told], official[told].astype(after.dtypes))
