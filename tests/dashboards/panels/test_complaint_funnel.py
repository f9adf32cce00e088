"""Every community is in the funnel of its district, and those beyond the lines are told apart."""

import plotly.graph_objects as go
import pytest

from analytics.statistics.funnel import rate_funnel
from dashboards.address import View
from dashboards.figures.chart_parts import MOST_POINTS
from dashboards.figures.complaints import funnel_figure
from dashboards.frames.page_data import PageData
from dashboards.labels import funnel_positions
from dashboards.panels.complaint_funnel import MULTIPLIER, exposed_communities, funnel_numbers, funnel_of
from dashboards.routes import ROUTES
from dashboards.widgets.components import MOST_ROWS_BEHIND_CHART
from tests.dashboards.conftest import serve_dashboards
from tests.dashboards.made_up import MadeUpCity, places
from tests.dashboards.test_app import Browser, said

ROUTE = ROUTES["complaints"]


@pytest.fixture(scope="module")
def shown(city):
    return PageData.of(city, View("en", region="海勃湾区"))


def measured_in(shown):
    exposed = exposed_communities(shown.standings).reset_index(drop=True)
    funnel = funnel_of(exposed)
    return exposed.join(funnel.table.drop(columns=["events", "exposure"])), funnel.target


def dots(figure):
    return [trace for trace in figure["data"] if trace["mode"] == "markers"]


def test_the_funnel_draws_every_community_at_its_rate_or_at_the_roof(shown):
    measured, target = measured_in(shown)

    figure = funnel_figure(measured, target, shown.drawing(ROUTE))

    go.Figure(figure)
    drawn = sorted((x, y) for trace in dots(figure) for x, y in zip(trace["x"], trace["y"], strict=True))
    roof = figure["layout"]["yaxis"]["range"][1] / 1.1
    rates = (measured["complaints"] / measured["exposure_household_years"] * MULTIPLIER).clip(upper=roof)
    expected = sorted(zip(measured["exposure_household_years"].astype(float), rates.astype(float), strict=True))
    for (x, y), (exposure, rate) in zip(drawn, expected, strict=True):
        assert (x, y) == pytest.approx((exposure, rate), rel=1e-4)


def test_a_rate_far_above_all_others_stands_at_the_roof_and_is_written_there(shown):
    measured, target = measured_in(shown)
    far = measured.assign(rate=measured["rate"].where(measured.index > 0, 100 * measured["rate"].max()))

    figure = funnel_figure(far, target, shown.drawing(ROUTE))

    roof = figure["layout"]["yaxis"]["range"][1] / 1.1
    highest = max(y for trace in dots(figure) for y in trace["y"])
    written = [note["text"] for note in figure["layout"]["annotations"]]
    assert highest == pytest.approx(roof, rel=1e-4)
    assert roof < 3 * measured["rate"].max()
    assert written == [f"↑ beyond the chart: {shown.drawing(ROUTE).scale.write(far['rate'].max())}"]


def test_marks_beyond_the_lines_are_those_that_analytics_puts_there(shown):
    measured, target = measured_in(shown)

    figure = funnel_figure(measured, target, shown.drawing(ROUTE))

    counted = {trace["name"]: len(trace["x"]) for trace in dots(figure)}
    words = funnel_positions("en")
    assert counted == {
        words[position]: count for position, count in measured["adjusted_position"].value_counts().items()
    }


def test_of_many_communities_the_rare_are_all_drawn():
    city = MadeUpCity(scale=25)
    shown = PageData.of(city, View("en", region="海勃湾区"))
    measured, target = measured_in(shown)

    figure = funnel_figure(measured, target, shown.drawing(ROUTE))

    counted = {trace["name"]: len(trace["x"]) for trace in dots(figure)}
    words = funnel_positions("en")
    positions = measured["adjusted_position"].value_counts()
    assert sum(counted.values()) == MOST_POINTS
    assert positions["inside"] > counted[words["inside"]] > 0
    few = positions[positions <= MOST_POINTS // len(words)]
    assert len(few)
    assert all(counted[words[position]] == count for position, count in few.items())


def test_a_name_cannot_bring_tags_of_its_own(shown):
    measured, target = measured_in(shown)
    named = measured.assign(english_name="<img src=x>")

    texts = [text for trace in dots(funnel_figure(named, target, shown.drawing(ROUTE))) for text in trace["text"]]

    assert not [text for text in texts if "<img" in text]


def test_a_community_without_known_households_has_no_place_in_the_funnel(city):
    standings = city.standings(2).iloc[:5]

    unknown = standings.assign(exposure_household_years=[float("nan"), 0, 10, 20, 30])

    assert exposed_communities(unknown)["number"].tolist() == standings["number"].tolist()[2:]


def test_the_page_says_how_many_lie_beyond_the_lines(city, shown):
    measured, _target = measured_in(shown)
    above = measured["adjusted_position"].str.startswith("above").sum()
    below = measured["adjusted_position"].str.startswith("below").sum()

    content = said(Browser(serve_dashboards(city)).content("?lang=en&region=海勃湾区", page="complaints/"))

    assert f"Above the 95 percent lines: {above} of 220 communities; below them: {below}." in content


def test_the_lines_are_wider_than_chance_where_communities_differ(shown):
    exposed = exposed_communities(shown.standings)
    naive = rate_funnel(
        exposed["complaints"].to_numpy(float),
        exposed["exposure_household_years"].to_numpy(float),
        multiplier=MULTIPLIER,
        rule="exact_tail",
    )
    beyond = (naive.table["position"] != "inside").sum()

    assert (funnel_of(exposed).table["adjusted_position"] != "inside").sum() < beyond


def test_a_huge_city_is_drawn_and_listed_in_part_and_says_so():
    register = places(30)
    standings = MadeUpCity(register=register.assign(region="海勃湾区", region_english="Haibowan"))
    shown = PageData.of(standings, View("en"))
    measured, target = measured_in(shown)
    # Everybody beyond the lines, as in a city where communities differ in kind.
    measured = measured.assign(adjusted_position="above_95")

    figure = funnel_figure(measured, target, shown.drawing(ROUTE))
    numbers = funnel_numbers(shown, measured)

    assert [len(trace["x"]) for trace in dots(figure)] == [MOST_POINTS]
    assert len(numbers.rows) == MOST_ROWS_BEHIND_CHART
    assert numbers.caption.endswith(f"the first {MOST_ROWS_BEHIND_CHART} of {len(measured):,}")


def test_a_lone_community_is_compared_with_nobody():
    register = places()
    city = MadeUpCity(register=register.assign(region=["乌达区", *["海勃湾区"] * (len(register) - 1)]))

    page = Browser(serve_dashboards(city), "?lang=en").content("?lang=en", page="complaints/")

    assert "There is only one community here: no other tells what is usual." in said(page)
