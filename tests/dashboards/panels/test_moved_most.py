"""Who moved most since the round before: percentiles and changes are those of the standings of both rounds."""

import json
from dataclasses import replace

import numpy as np
import pytest
from plotly.utils import PlotlyJSONEncoder
from scipy import stats

from analytics.decision.percentiles import percentile_in
from dashboards.address import View
from dashboards.frames.page_data import PageData
from dashboards.frames.standings import in_region
from dashboards.panels.moved_most import MOST_MOVED, measure_movements, moved_most_panel
from dashboards.widgets.components import records
from tests.dashboards.made_up import MadeUpCity
from tests.dashboards.test_app import said

REGION = "海勃湾区"


@pytest.fixture(scope="module")
def shown(city):
    return PageData.of(city, View("en"))


@pytest.fixture(scope="module")
def moved(city):
    return measure_movements(city, 2, 1, REGION).set_index("number")


def standing(city, evaluation, number):
    [row] = records(city.standings_of(evaluation, [number]))
    return row


def test_whoever_is_ranked_in_both_rounds_is_compared(city, moved):
    ranked = [
        in_region(city.standings(each), REGION).set_index("number")["satisfaction_rank"].dropna() for each in (1, 2)
    ]

    assert set(moved.index) == set(ranked[0].index) & set(ranked[1].index)


def test_percentiles_are_those_of_each_round(city, shown, moved):
    for number in moved.index[::7]:
        for evaluation, header, name in ((1, shown.earlier, "percentile_before"), (2, shown.header, "percentile")):
            place = percentile_in(standing(city, evaluation, number), header.summary["regions"], "satisfaction")
            assert moved.loc[number, name] == pytest.approx(float(place.percentile))


def test_a_change_is_clear_where_two_proportions_differ_by_more_than_chance_among_all(city, moved):
    p, change = [], []
    for number in moved.index:
        rows = [standing(city, each, number) for each in (1, 2)]
        rates = [row["satisfied"] / row["responses"] for row in rows]
        shares = [(row["satisfied"] + 1) / (row["responses"] + 2) for row in rows]
        error = np.sqrt(sum(share * (1 - share) / row["responses"] for share, row in zip(shares, rows, strict=True)))
        change.append(rates[1] - rates[0])
        p.append(2 * stats.norm.sf(abs(change[-1]) / error))
    order = np.argsort(p)
    passes = np.sort(p) <= 0.05 * np.arange(1, len(p) + 1) / len(p)
    clear = np.zeros(len(p), dtype=bool)
    clear[order[: passes.nonzero()[0].max(initial=-1) + 1]] = True

    assert moved["is_clear"].tolist() == clear.tolist()
    assert (moved["lower"] <= change).all()
    assert (moved["upper"] >= change).all()


@pytest.mark.parametrize("language", ["zh-Hans", "en"])
def test_those_drawn_are_those_that_moved_most(city, language):
    panel = moved_most_panel(PageData.of(city, View(language)))
    figure = next(part.figure for part in panel._traverse() if hasattr(part, "figure"))
    ends = sorted(value for trace in figure["data"][2:] for value in trace["x"])
    everyone = [measure_movements(city, 2, 1, region) for region in PageData.of(city, View(language)).regions]
    distances = sorted(
        (abs(row["percentile"] - row["percentile_before"]), row["percentile"] * 100)
        for frame in everyone
        for row in records(frame)
    )[-MOST_MOVED:]

    assert ends == pytest.approx(sorted(end for _distance, end in distances), rel=1e-4)


def test_of_a_first_round_and_of_another_measure_it_is_said_that_nothing_can_be_compared(city, shown):
    first = PageData.of(city, View("en", evaluation=1))
    satisfaction = replace(shown.header.rules.satisfaction, measure="satisfaction_index")
    rules = replace(shown.header.rules, satisfaction=satisfaction)

    assert first.earlier is None
    for alone in (first, replace(shown, header=replace(shown.header, rules=rules))):
        drawn = json.loads(json.dumps(moved_most_panel(alone), cls=PlotlyJSONEncoder))
        assert "No earlier round has shares of satisfied answers to compare with." in said(drawn)


def test_an_account_that_sees_a_part_compares_that_part(moved):
    clerk = MadeUpCity(district=REGION)
    seen = measure_movements(clerk, 2, 1, REGION).set_index("number")

    assert set(seen.index) <= set(moved.index)
    assert seen["percentile"].to_numpy() == pytest.approx(moved.loc[seen.index, "percentile"].to_numpy())
