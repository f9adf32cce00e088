"""The map tells scores or percentiles of districts, in classes with a legend; where nobody is ranked it is hollow."""

import numpy as np
import pandas as pd
import plotly.graph_objects as go
import pytest
from hypothesis import given
from hypothesis import strategies as st

from analytics.decision.percentiles import percentile_of
from analytics.languages import LANGUAGES
from dashboards import theme
from dashboards.address import View
from dashboards.figures.maps import map_figure
from dashboards.frames.page_data import PageData
from dashboards.frames.standings import percentiles_together
from dashboards.panels.district_map import BEST_QUARTER, district_facts
from dashboards.routes import ROUTES
from tests.dashboards.conftest import serve_dashboards
from tests.dashboards.made_up import MadeUpCity
from tests.dashboards.test_app import Browser, components, said

scores = st.lists(st.one_of(st.none(), st.integers(0, 6)), min_size=1, max_size=25)


@given(values=scores, route=st.sampled_from(list(ROUTES.values())))
def test_a_percentile_across_districts_is_that_of_all_ranked_together(values, route):
    column = pd.Series(values, dtype="float64")
    standings = pd.DataFrame({route.score: column, route.rank: column})

    found = percentiles_together(standings, route)

    known = column.dropna().tolist()
    for value, percentile in zip(column, found, strict=True):
        if np.isnan(value):
            assert np.isnan(percentile)
            continue
        better = sum(other < value if route.fewest_first else other > value for other in known)
        place = percentile_of(better + 1, better + known.count(value), ranked=len(known))
        assert percentile == pytest.approx(float(place.percentile))


def test_the_score_of_a_community_that_is_not_ranked_has_no_part_in_it():
    route = ROUTES["satisfaction"]
    standings = pd.DataFrame({route.score: [0.9, 0.8, 0.99], route.rank: [1, 2, None]})

    assert percentiles_together(standings, route).tolist()[:2] == [0.75, 0.25]


@pytest.mark.parametrize("route", ROUTES.values(), ids=list(ROUTES))
def test_the_best_quarter_is_counted_in_each_district(city, route):
    facts = district_facts(PageData.of(city, View("en", route=route)))

    assert facts["best"].sum() == pytest.approx(facts["ranked"].sum() / 4, abs=facts["ranked"].sum() / 50)
    assert (facts["share"] == facts["best"] / facts["ranked"]).all()


def test_a_district_alone_is_compared_with_the_whole_city(city):
    everywhere = district_facts(PageData.of(city, View("en"))).set_index("region")
    alone = district_facts(PageData.of(city, View("en", region="乌达区"))).set_index("region")

    assert alone.loc["乌达区", "best"] == everywhere.loc["乌达区", "best"]


def test_each_class_has_its_colour_and_its_entry_in_the_legend(city):
    shown = PageData.of(city, View("en"))
    facts = district_facts(shown).assign(share=[0.05, 0.4, None])

    figure = map_figure(facts, city.boundaries(), shown.drawing(), is_by_percentile=True)

    go.Figure(figure)
    colors = {trace["text"].split("<br>")[0]: trace["fillcolor"] for trace in figure["data"] if "text" in trace}
    assert colors == {"Haibowan": theme.SHADES[0], "Wuda": theme.SHADES[4], "Hainan": theme.SURFACE}
    legend = {trace["name"]: trace["marker"]["color"] for trace in figure["data"] if trace["mode"] == "markers"}
    names = [
        "below 10%",
        "10% to below 20%",
        "20% to below 30%",
        "30% to below 40%",
        "40% and more",
        "nobody ranked",
    ]
    assert legend == dict(zip(names, [*theme.SHADES, theme.SURFACE], strict=True))
    assert figure["layout"]["showlegend"]


def test_hollow_has_no_entry_where_everybody_is_ranked(city):
    shown = PageData.of(city, View("en"))

    figure = map_figure(district_facts(shown), city.boundaries(), shown.drawing(), is_by_percentile=True)

    assert "nobody ranked" not in {trace.get("name") for trace in figure["data"]}


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_choice_stands_in_the_address_and_its_numbers_beside_the_map(city, language):
    browser = Browser(serve_dashboards(city))
    by_score, by_percentile = (browser.content(f"?lang={language}{asked}") for asked in ("", f"&shade={BEST_QUARTER}"))
    [link] = [props["href"] for props in components(by_score) if BEST_QUARTER in str(props.get("href", ""))]

    assert link.endswith("#map")
    facts = district_facts(PageData.of(city, View(language)))
    counts = [str(count) for count in facts["best"]]
    tables = [props["data"] for props in components(by_percentile) if isinstance(props.get("data"), dict)]
    [rows] = [table["body"] for table in tables if [row[0] for row in table["body"]] == facts["label"].tolist()]
    assert [row[3] for row in rows] == counts
    assert said(by_percentile) != said(by_score)


def test_an_account_of_one_district_is_not_offered_what_it_cannot_compare():
    browser = Browser(serve_dashboards(MadeUpCity(district="乌达区")))

    assert "Among the best quarter" not in said(browser.content(f"?lang=en&shade={BEST_QUARTER}"))


def luminance(color):
    parts = [int(color[start : start + 2], 16) / 255 for start in (1, 3, 5)]
    linear = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
    return sum(weight * part for weight, part in zip((0.2126, 0.7152, 0.0722), linear, strict=True))


@pytest.mark.parametrize("shade", [*theme.SHADES, theme.SURFACE])
def test_a_name_on_the_map_can_be_read_on_every_colour(city, shade):
    shown = PageData.of(city, View("en"))
    place = theme.SHADES.index(shade) if shade in theme.SHADES else None
    facts = district_facts(shown).assign(share=float("nan") if place is None else place / 10 + 0.05)

    figure = map_figure(facts, city.boundaries(), shown.drawing(), is_by_percentile=True)

    assert {trace["fillcolor"] for trace in figure["data"] if "fillcolor" in trace} == {shade}
    for note in figure["layout"]["annotations"]:
        low, high = sorted((luminance(note["font"]["color"]), luminance(shade)))
        assert (high + 0.05) / (low + 0.05) >= 4.5
