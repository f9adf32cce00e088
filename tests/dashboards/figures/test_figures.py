"""Figures draw the numbers of their tables, plotly accepts each, and none grows with the city."""

import numpy as np
import pandas as pd
import plotly.graph_objects as go
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dashboards import theme
from dashboards.address import View
from dashboards.figures.chart_parts import FEWEST_POINTS, MOST_POINTS, allocate_points, count_bars, is_one_bar
from dashboards.figures.collection import daily_figure, hourly_figure, modes_figure, progress_figure
from dashboards.figures.community import months_figure
from dashboards.figures.maps import map_figure
from dashboards.figures.scores import distribution_figure, score_ranking_figure, thinned
from dashboards.frames.chart_context import ChartContext
from dashboards.frames.page_data import PageData
from dashboards.frames.standings import CutOff, cut_offs, in_rank_order, scale_of, with_intervals
from dashboards.languages import translator
from dashboards.panels.district_map import district_facts
from dashboards.routes import ROUTES

HAIBOWAN = "海勃湾区"


def drawing_of(header, route, *, language="en", provisional=False):
    return ChartContext(language, route, scale_of(header, route, language), provisional)


def ordered_in(city, route, region=HAIBOWAN):
    header = city.evaluations()[0]
    measured = with_intervals(city.standings(header.id), route, evidence_method=header.evidence_method)
    return in_rank_order(measured[measured["region"] == region], route)


def cut_off_in(city, route, region=HAIBOWAN):
    return next(cut_off for cut_off in cut_offs(city.evaluations()[0], route) if cut_off.region == region)


def trace(figure, name):
    return next(trace for trace in figure["data"] if trace["name"] == name)


@pytest.mark.parametrize("route", ROUTES.values(), ids=list(ROUTES))
def test_the_order_draws_every_ranked_community_at_its_score(city, route):
    ordered = ordered_in(city, route)

    figure = score_ranking_figure(ordered, cut_off_in(city, route), drawing_of(city.evaluations()[0], route))

    factor = drawing_of(city.evaluations()[0], route).scale.factor
    drawn = {
        position: score
        for name in ("Others", "Meets the criterion")
        for position, score in zip(trace(figure, name)["x"], trace(figure, name)["y"], strict=True)
    }
    expected = dict(zip(ordered["position"], ordered[route.score] * factor, strict=True))
    assert drawn == pytest.approx(expected, rel=1e-4)


@pytest.mark.parametrize("route", ROUTES.values(), ids=list(ROUTES))
def test_the_order_highlights_exactly_those_that_meet_the_criterion(city, route):
    ordered = ordered_in(city, route)

    figure = score_ranking_figure(ordered, cut_off_in(city, route), drawing_of(city.evaluations()[0], route))

    meeting = ordered.loc[ordered[route.status] == "met", "position"].tolist()
    assert trace(figure, "Meets the criterion")["x"] == meeting
    assert meeting
    assert trace(figure, "Meets the criterion")["marker"]["symbol"] != trace(figure, "Others")["marker"]["symbol"]


def test_the_cut_off_is_drawn_behind_the_last_position_and_at_its_score(city):
    route = ROUTES["satisfaction"]
    cut_off = cut_off_in(city, route)

    figure = score_ranking_figure(ordered_in(city, route), cut_off, drawing_of(city.evaluations()[0], route))

    upright, level = figure["layout"]["shapes"]
    at_last_position = ordered_in(city, route).query("position == @cut_off.k")[route.score].item()
    assert upright["x0"] == upright["x1"] == cut_off.k + 0.5
    assert level["y0"] == level["y1"] == pytest.approx(at_last_position * 100)


def test_no_cut_off_is_drawn_where_there_is_no_position(city):
    route = ROUTES["satisfaction"]

    figure = score_ranking_figure(
        ordered_in(city, route), CutOff(HAIBOWAN, 12, 0, None), drawing_of(city.evaluations()[0], route)
    )

    assert "shapes" not in figure["layout"]


def test_the_bars_of_the_distribution_add_up_to_the_ranked_communities(city):
    route = ROUTES["complaints"]
    standings = city.standings(city.evaluations()[0].id)
    ranked = standings[standings[route.rank].notna()]

    figure = distribution_figure(
        ranked, cut_offs(city.evaluations()[0], route), drawing_of(city.evaluations()[0], route)
    )

    meeting = sum(sum(bars["y"]) for bars in figure["data"] if bars["name"] == "Meets the criterion")
    assert sum(sum(bars["y"]) for bars in figure["data"]) == len(ranked)
    assert meeting == (ranked[route.status] == "met").sum()
    drawn_cut_offs = [shape["x0"] for shape in figure["layout"]["shapes"]]
    assert drawn_cut_offs == [cut_off.score for cut_off in cut_offs(city.evaluations()[0], route)]


def test_tags_in_names_stay_text(city):
    route = ROUTES["satisfaction"]
    attack = '<b onmouseover="alert(1)">小区</b><script>alert(1)</script>'
    ordered = ordered_in(city, route).assign(name=attack, english_name=attack, region_english=attack)

    order = score_ranking_figure(ordered, cut_off_in(city, route), drawing_of(city.evaluations()[0], route))
    spread = distribution_figure(ordered, [], drawing_of(city.evaluations()[0], route))
    progress = progress_figure(pd.DataFrame({"label": [attack], "enough": [1], "short": [1]}), "en")

    for figure in (order, spread, progress):
        assert "onmouseover" in str(figure)
        assert "<script" not in str(figure)
        assert "<b onmouseover" not in str(figure)


@pytest.mark.parametrize("language", ["zh-Hans", "en"])
def test_a_preview_says_so_inside_every_figure_of_results(city, language):
    route = ROUTES["satisfaction"]
    drawing = drawing_of(city.evaluations()[0], route, language=language, provisional=True)
    ordered = ordered_in(city, route)

    figures = [score_ranking_figure(ordered, None, drawing), distribution_figure(ordered, [], drawing)]

    said = translator(language)("Preview, not an official result")
    for figure in figures:
        assert said in [annotation["text"] for annotation in figure["layout"]["annotations"]]


def test_thinning_keeps_the_head_and_the_tail_whole():
    ordered = pd.DataFrame({"position": np.arange(1, 20_001)})

    drawn = thinned(ordered, keep_first=100)["position"].to_numpy()

    assert len(drawn) <= MOST_POINTS
    assert np.all(np.diff(drawn) > 0)
    assert drawn[:200].tolist() == list(range(1, 201))
    assert drawn[-50:].tolist() == list(range(19_951, 20_001))
    # No gap in the middle is much wider than the others.
    assert np.diff(drawn[200:-50]).max() <= 2 * np.median(np.diff(drawn[200:-50]))


NEAR = MOST_POINTS // 4


@pytest.mark.parametrize("keep_first", [0, 1, NEAR - 1, NEAR, NEAR + 1, 10 * NEAR, 19_990, 20_000])
def test_no_cut_off_makes_a_figure_longer_than_any_other(keep_first):
    ordered = pd.DataFrame({"position": np.arange(1, 20_001)})

    drawn = thinned(ordered, keep_first=keep_first)["position"].to_numpy()

    assert MOST_POINTS // 2 < len(drawn) <= MOST_POINTS
    assert np.all(np.diff(drawn) > 0)
    assert {1, 20_000} <= set(drawn)
    assert set(range(max(1, keep_first - NEAR + 1), keep_first + 1)) <= set(drawn)


@given(st.lists(st.integers(0, 5_000), min_size=1, max_size=30), st.integers(1, 2_000))
def test_like_charts_share_their_room_and_small_ones_are_whole(sizes, most):
    room = allocate_points(sizes, most)

    assert all(given <= size for given, size in zip(room, sizes, strict=True))
    assert sum(room) <= max(most, FEWEST_POINTS * len(sizes))
    assert room == sizes or sum(sizes) > most
    cut = [given for given, size in zip(room, sizes, strict=True) if given < size]
    assert not cut or min(cut) >= max(FEWEST_POINTS, max(room) - len(sizes))


def test_few_communities_are_not_thinned():
    ordered = pd.DataFrame({"position": np.arange(MOST_POINTS)})

    assert thinned(ordered, keep_first=5) is ordered


def test_plotly_accepts_every_figure(city):
    header = city.evaluations()[0]
    figures = [
        figure
        for route in ROUTES.values()
        for figure in (
            score_ranking_figure(
                ordered_in(city, route), cut_off_in(city, route), drawing_of(header, route, provisional=True)
            ),
            distribution_figure(ordered_in(city, route), cut_offs(header, route), drawing_of(header, route)),
        )
    ]
    figures.append(progress_figure(pd.DataFrame({"label": ["Wuda"], "enough": [3], "short": [0]}), "en"))
    figures.append(daily_figure(city.progress().daily, "en"))

    for figure in figures:
        go.Figure(figure)  # raises on any property that plotly does not know


def test_no_chart_can_be_sent_to_another_host():
    config = theme.chart_config("zh-Hans", "order")

    assert config["modeBarButtons"] == [["toImage"]]
    assert config["plotlyServerURL"] == ""
    assert config["showSendToCloud"] is False
    assert config["displaylogo"] is False


def test_the_map_draws_every_outline_and_names_those_shown(city):
    shown = PageData.of(city, View("en", region="乌达区"))
    regions = district_facts(shown)

    figure = map_figure(regions, city.boundaries(), shown.drawing())

    go.Figure(figure)
    outlines = [trace for trace in figure["data"] if trace["mode"] == "lines"]
    assert len(outlines) == len(city.boundaries())
    assert [note["text"].split("<br>")[0] for note in figure["layout"]["annotations"]] == ["<b>Wuda</b>"]
    assert [trace["fillcolor"] for trace in outlines].count(theme.SURFACE) == 2
    assert not [trace for trace in figure["data"] if trace["type"] != "scatter"]


def test_the_best_district_is_the_darkest_on_either_route(city):
    for route, best in (("satisfaction", max), ("complaints", min)):
        shown = PageData.of(city, View("en", route=ROUTES[route]))
        regions = district_facts(shown)

        figure = map_figure(regions, city.boundaries(), shown.drawing())

        darkest = next(trace["text"] for trace in figure["data"] if trace.get("fillcolor") == theme.SHADES[-1])
        assert best(regions["middle"]) == regions.set_index("label").loc[darkest.split("<br>")[0], "middle"]


@pytest.mark.parametrize(("route", "shade"), [("satisfaction", 1), ("complaints", 3)])
def test_a_score_at_the_end_of_a_class_belongs_to_the_next_alone(city, route, shade):
    shown = PageData.of(city, View("en", route=ROUTES[route]))
    # Five classes of three to eleven: the second ends at six and begins at four.
    regions = district_facts(shown).assign(middle=[3.0, 4.0, 11.0])

    figure = map_figure(regions, city.boundaries(), shown.drawing())

    colors = {trace["text"].split("<br>")[0]: trace["fillcolor"] for trace in figure["data"] if "fillcolor" in trace}
    assert colors[regions["label"].iloc[1]] == theme.SHADES[shade]


@pytest.mark.parametrize("route", ROUTES)
def test_the_legend_of_the_map_says_which_scores_each_colour_stands_for_the_best_first(city, route):
    shown = PageData.of(city, View("en", route=ROUTES[route]))
    figure = map_figure(district_facts(shown), city.boundaries(), shown.drawing())

    outlines = [trace for trace in figure["data"] if trace["mode"] == "lines"]
    classes = {trace["marker"]["color"]: trace["name"] for trace in figure["data"] if trace["mode"] == "markers"}
    assert list(classes) == list(theme.SHADES[::-1])
    bounds = {
        color: [float(edge.rstrip("%")) for edge in name.replace(" to below ", "–").split("–")]
        for color, name in classes.items()
    }
    for outline in outlines:
        lower, upper = bounds[outline["fillcolor"]]
        assert lower <= float(outline["text"].split("<br>")[1].rstrip("%")) <= upper
    edges = [edge for lower_upper in bounds.values() for edge in lower_upper]
    assert (edges[0] > edges[-1]) == (route == "satisfaction")


def test_hours_and_modes_are_drawn_as_counted(city):
    progress = city.progress()

    hourly = hourly_figure(progress.hourly, "en")
    modes = modes_figure(progress.modes.assign(label=["a", "<b>", "c"]), "en")

    go.Figure(hourly)
    go.Figure(modes)
    assert hourly["data"][0]["y"] == progress.hourly["responses"].tolist()
    assert modes["data"][0]["x"] == progress.modes["responses"].tolist()
    assert modes["data"][0]["y"][1] == "&lt;b&gt;"


@pytest.mark.parametrize(
    ("counts", "is_single"), [([3], True), ([0], False), ([3, 0], True), ([3, 4], False), ([], False)]
)
def test_a_bar_is_single_where_no_other_has_a_length(counts, is_single):
    labels = [f"row {place}" for place in range(len(counts))]

    assert is_one_bar(count_bars(labels, counts, title="Cases", color=theme.MET)) == is_single


@pytest.mark.parametrize(("enough", "short", "is_single"), [(5, 0, True), (0, 5, True), (3, 2, False)])
def test_a_row_of_one_part_is_single_and_one_of_several_parts_is_not(enough, short, is_single):
    regions = pd.DataFrame({"label": [HAIBOWAN], "enough": [enough], "short": [short]})

    assert is_one_bar(progress_figure(regions, "en")) == is_single


def test_points_are_no_single_bar(city):
    route = ROUTES["satisfaction"]
    ordered = ordered_in(city, route).head(1)
    drawing = drawing_of(city.evaluations()[0], route)

    assert not is_one_bar(score_ranking_figure(ordered, None, drawing))


@pytest.mark.parametrize(("counts", "is_single"), [([3], True), ([0], True), ([3, 0], False), ([3, 4], False)])
def test_an_upright_bar_is_single_where_there_is_no_other_place(counts, is_single):
    hours = pd.DataFrame({"hour": range(len(counts)), "responses": counts})
    months = pd.DataFrame({"month": [f"2026-{place + 1:02}" for place in hours["hour"]], "counted": counts, "other": 1})

    assert is_one_bar(hourly_figure(hours, "en")) == is_single
    assert is_one_bar(months_figure(months, "en")) == is_single
