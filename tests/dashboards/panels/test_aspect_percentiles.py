"""Percentiles by aspect on the page of a community: the chart draws what its table says, and tells the middle apart."""

import csv
import io
from urllib.parse import unquote

import numpy as np
import pandas as pd
import plotly.graph_objects as go
import pytest

from analytics.languages import LANGUAGES
from dashboards.address import View
from dashboards.figures.aspects import beside_words, spine_figure
from dashboards.frames.aspects import Beside, aspects_of_community
from dashboards.frames.page_data import PageData
from dashboards.panels.aspect_percentiles import aspect_percentiles_panel
from tests.dashboards.made_up import DISCLOSURE, MadeUpCity, made_up_profile

REGION = "海勃湾区"


class FewCompared(MadeUpCity):
    """A city in which the shares of few communities may be shown."""

    def aspect_standings(self, evaluation_id, region):
        found = super().aspect_standings(evaluation_id, region)
        return found.assign(**{name: np.nan for name in found if "rank" in name or "percentile" in name})


@pytest.fixture(scope="module", params=LANGUAGES)
def shown(request, city):
    return PageData.of(city, View(request.param))


def number_where(shown, chosen):
    """Return a community of the region of which `chosen` holds, given how many answered and how many are satisfied."""
    standings = shown.everywhere
    return next(
        row["number"]
        for row in standings[standings["region"] == REGION].to_dict("records")
        if chosen(row["responses"], row["satisfied"])
    )


def aspects_of(shown, number):
    return aspects_of_community(shown.source, shown.header.id, region=REGION, number=number)


def drawn(shown, number, source=None):
    page = shown if source is None else PageData.of(source, shown.view)
    return aspect_percentiles_panel(page, {"number": number, "region": REGION}).to_plotly_json()


def file_in(panel):
    chart = panel["props"]["children"][1].to_plotly_json()["props"]["children"]
    address = chart[2].children[2].href
    return list(csv.DictReader(io.StringIO(unquote(address.partition(",")[2]).removeprefix("\ufeff"))))


def test_shares_are_those_of_the_profile_of_the_community(shown):
    number = number_where(shown, lambda answered, _satisfied: answered > 60)
    [row] = shown.source.standings_of(2, [number]).to_dict("records")
    answers = made_up_profile(row, seed=2).answers

    for aspect in aspects_of(shown, number).to_dict("records"):
        here = answers[answers["question"] == aspect["question"]].set_index("code")["here"]
        satisfied, answered = here[[5, 4]].sum(), here[[5, 4, 3, 2, 1]].sum()
        if min(satisfied, answered - satisfied) >= DISCLOSURE.minimum_cell:
            assert (aspect["satisfied"], aspect["answered"]) == (satisfied, answered)
            assert 0 < aspect["lower"] <= aspect["percentile"] <= aspect["upper"] < 100
        else:
            assert pd.isna([aspect[name] for name in ("answered", "percentile", "lower", "upper")]).all()


def test_of_few_answers_nothing_is_drawn(shown):
    number = number_where(shown, lambda answered, _satisfied: answered < DISCLOSURE.minimum_base)
    aspects = aspects_of(shown, number)

    assert aspects[["satisfied", "answered", "percentile", "lower", "upper"]].isna().all(axis=None)
    assert [*aspects["beside"]] == [None] * len(aspects)
    assert "dcc" not in str(drawn(shown, number))


def test_among_few_no_percentile_is_drawn(shown):
    number = number_where(shown, lambda answered, satisfied: answered > 60 and answered - satisfied > 20)

    assert "Graph" in str(drawn(shown, number))
    assert "Graph" not in str(drawn(shown, number, FewCompared()))


class ManyAnswers(MadeUpCity):
    """A city of whose communities so many answered that ranks are certain."""

    def aspect_standings(self, evaluation_id, region):
        found = super().aspect_standings(evaluation_id, region)
        return found.assign(percentile_lower=found["percentile"] - 1e-3, percentile_upper=found["percentile"] + 1e-3)


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_mark_tells_by_form_colour_and_word_on_which_side_of_the_middle_the_interval_lies(city, language):
    found = [
        aspects_of(PageData.of(source, View(language)), number)
        for source in (city, ManyAnswers())
        for number in city.standings(2)["number"].head(20)
    ]
    known = pd.concat(found, ignore_index=True).dropna(subset=["percentile"]).reset_index(drop=True)
    figure = spine_figure(known, language)
    go.Figure(figure)

    names = beside_words(language)
    traces = {trace["name"]: trace for trace in figure["data"]}
    assert set(traces) == set(names.values())
    assert {trace["marker"]["symbol"] for trace in traces.values()} == {"triangle-up", "triangle-down", "circle-open"}
    assert len({trace["marker"]["color"] for trace in traces.values()}) == len(Beside)
    for beside, is_so in (
        (Beside.ABOVE, known["lower"] > 50),
        (Beside.BELOW, known["upper"] < 50),
        (Beside.OPEN, (known["lower"] <= 50) & (known["upper"] >= 50)),
    ):
        trace = traces[names[beside]]
        assert [-place for place in trace["y"]] == known.index[is_so].tolist()
        assert trace["x"] == pytest.approx(known["percentile"][is_so].tolist())
        assert trace["error_x"]["array"] == pytest.approx((known["upper"] - known["percentile"])[is_so], abs=1e-3)


def test_the_file_says_what_the_chart_draws(shown):
    number = number_where(shown, lambda answered, satisfied: answered > 60 and answered - satisfied > 20)
    aspects = aspects_of(shown, number)
    rows = [list(row.values()) for row in file_in(drawn(shown, number))]

    assert len(rows) == len(aspects) == 6
    words = beside_words(shown.language)
    for row, aspect in zip(rows, aspects.to_dict("records"), strict=True):
        said = ["" if pd.isna(aspect[name]) else f"{aspect[name]:g}" for name in ("percentile", "lower", "upper")]
        assert [value and f"{float(value):g}" for value in row[3:6]] == said
        assert row[6] == words.get(aspect["beside"], "")
