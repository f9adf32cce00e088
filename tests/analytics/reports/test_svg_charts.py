from xml.etree import ElementTree as ET

import numpy as np
import pytest

from analytics.reports.chart_words import Labels, with_words, wordless
from analytics.reports.svg_charts import (
    LISTED_COLOUR,
    MOST_DRAWN,
    OTHERS_COLOUR,
    ScoreIntervals,
    caterpillar_chart,
    coverage_chart,
    funnel_chart,
    histogram_chart,
    reliability_chart,
    rounds_chart,
    scores_chart,
    thinning_step,
)

LABELS = Labels("哪些小区符合要求", "满意率（%）", "小区", "- - 第 1 名")
SVG = "{http://www.w3.org/2000/svg}"


def ladder(names, name="ladder"):
    scores = np.linspace(95, 80, len(names))
    listed = np.arange(len(names)) == 0
    intervals = ScoreIntervals(scores, scores - 2, scores - 5, scores + 3, listed)
    return caterpillar_chart(names, intervals, cut_off=95.0, labels=LABELS, name=name)


def scores_of(count):
    scores = np.linspace(99, 50, count)
    intervals = ScoreIntervals(scores, scores - 0.5, scores - 1, scores + 1, np.arange(count) < count // 20)
    return scores_chart(np.arange(1.0, count + 1), intervals, cut_off=95.0, labels=LABELS, name="scores")


def funnel(between_variance=0.2):
    return funnel_chart(
        np.array([0.0, 12.0, 3.0]),
        np.array([300.0, 1000.0, 1000.0]),
        pooled=6.5,
        between_variance=between_variance,
        listed=np.array([True, False, False]),
        labels=LABELS,
        name="funnel",
    )


def rounds(fan):
    scores = np.array([80.0, 90.0, 85.0])
    intervals = ScoreIntervals(scores, scores, scores - 4, scores + 4, np.ones(3, dtype=bool))
    labels = Labels("按批次", "批次", "满意率（%）", "")
    return rounds_chart(["第一轮", "第二轮", "第三轮"], intervals, fan, labels=labels, name="rounds")


def words(drawing):
    return ["".join(text.itertext()) for text in ET.fromstring(drawing).iter(f"{SVG}text")]


@pytest.mark.parametrize(
    "draw",
    [
        lambda: ladder(["阳光小区", "滨河家园"]),
        lambda: scores_of(40),
        lambda: histogram_chart(np.array([80.0, 90.0]), cut_off=90.0, labels=LABELS, name="histogram"),
        funnel,
    ],
)
def test_equal_numbers_give_equal_bytes_of_well_formed_xml(draw):
    drawing = draw()

    assert drawing == draw()
    assert ET.fromstring(drawing).get("aria-label") == LABELS.description
    assert {LABELS.across, LABELS.upward, LABELS.cut_off} <= set(words(drawing))


def test_rounds_are_named_and_drawn_before_a_band_for_each_pair_of_deciles():
    without, drawn = rounds(np.full((3, 9), np.nan)), rounds(np.tile(np.linspace(60.0, 95.0, 9), (3, 1)))

    assert {"第一轮", "第二轮", "第三轮", "批次", "满意率（%）"} <= set(words(drawn))
    assert drawn == rounds(np.tile(np.linspace(60.0, 95.0, 9), (3, 1)))
    assert [drawing.count("fill-opacity: 0.12") for drawing in (without, drawn)] == [0, 4]


def test_the_lines_of_the_funnel_move_apart_with_how_much_communities_differ():
    # The axis ends above the highest line: the same dots are drawn closer together.
    assert funnel(0.0) != funnel(0.2) != funnel(0.4)


def test_a_name_is_shown_as_it_is_written_and_is_never_markup():
    names = ["<script>&'\"$x^2$", "</svg><b>", "\x01\ud800阳光"]

    assert [word for word in words(ladder(names)) if word in {*names, "  阳光"}] == [*names[:2], "  阳光"]


def test_a_long_name_is_cut_where_its_row_begins():
    assert "阳光花园阳光花园…" in words(ladder(["阳光花园" * 5]))


def test_two_drawings_on_one_page_share_no_id():
    one, other = (
        {element.get("id") for element in ET.fromstring(ladder(["小区"], name)).iter() if element.get("id")}
        for name in ("one", "other")
    )

    assert one
    assert not one & other


def test_what_a_drawing_refers_to_is_inside_it():
    root = ET.fromstring(ladder(["小区"]))
    ids = {element.get("id") for element in root.iter()}
    used = {element.get("href", "").removeprefix("#") for element in root.iter(f"{SVG}use")}
    clips = {element.get("clip-path", "")[5:-1] for element in root.iter() if element.get("clip-path")}

    assert used
    assert clips
    assert used | clips <= ids


def test_only_some_of_very_many_communities_are_drawn():
    few, many = scores_of(MOST_DRAWN), scores_of(MOST_DRAWN * 20)

    assert thinning_step(MOST_DRAWN * 20) == 20
    assert few.count("<use") == pytest.approx(many.count("<use"), abs=20)


def test_realised_shares_are_drawn_at_their_predicted_probability():
    agreed = np.array([0.25, 0.75])
    drawing = reliability_chart(agreed, agreed, marked=np.array([True, False]), labels=LABELS, name="reliability")
    marks = {
        mark.get("style", "").split(";")[0]: (float(mark.get("x")), float(mark.get("y")))
        for mark in ET.fromstring(drawing).iter(f"{SVG}use")
    }

    (first_across, first_upward), (other_across, other_upward) = (
        marks[f"fill: {LISTED_COLOUR}"],
        marks[f"fill: {OTHERS_COLOUR}"],
    )
    assert other_across > first_across
    assert other_upward < first_upward


def test_each_setting_has_a_row_with_both_of_its_shares():
    drawing = coverage_chart(
        ["正态", "偏态"], np.array([0.95, 0.94]), np.array([0.9, 0.85]), level=0.95, labels=LABELS, name="coverage"
    )
    marks = [mark.get("style", "").split(";")[0] for mark in ET.fromstring(drawing).iter(f"{SVG}use")]

    assert {"正态", "偏态"} <= set(words(drawing))
    assert (marks.count(f"fill: {OTHERS_COLOUR}"), marks.count(f"fill: {LISTED_COLOUR}")) == (2, 2)


def test_a_community_without_complaints_is_hollow_and_one_that_qualifies_green():
    marks = [element.get("style", "") for element in ET.fromstring(funnel()).iter(f"{SVG}use")]

    assert sum("fill: #ffffff" in mark and f"stroke: {LISTED_COLOUR}" in mark for mark in marks) == 1


@pytest.mark.parametrize("cut_off", [95.0, None])
def test_words_that_are_written_later_stand_where_those_of_a_drawing_do(cut_off):
    labels = Labels('A & "B"', "满意率 < 5", "小区", "- - 第 1 名" if cut_off else "")
    scores = np.linspace(99, 50, 40)

    drawn = histogram_chart(scores, cut_off=cut_off, labels=wordless(has_cut_off=bool(cut_off)), name="h")

    assert with_words(drawn, labels) == histogram_chart(scores, cut_off=cut_off, labels=labels, name="h")
