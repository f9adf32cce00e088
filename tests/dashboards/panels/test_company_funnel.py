"""Property companies are compared by the pooled counts of their ranked communities, by name and in words."""

from dataclasses import replace
from urllib.parse import urlsplit

import pandas as pd
import plotly.graph_objects as go
import pytest
from hypothesis import given
from hypothesis import strategies as st

from analytics.languages import LANGUAGES
from analytics.statistics.funnel import proportion_funnel
from dashboards.address import View
from dashboards.figures.companies import company_funnel_figure
from dashboards.frames.page_data import PageData
from dashboards.labels import satisfaction_positions
from dashboards.pages.communities import query_of
from dashboards.panels.company_funnel import company_panels, compared_companies, satisfied_share
from dashboards.routes import ROUTES
from tests.dashboards.conftest import serve_dashboards
from tests.dashboards.made_up import DISCLOSURE, RULES, MadeUpCity, places
from tests.dashboards.test_app import Browser, said

ROUTE = ROUTES["satisfaction"]
COLUMNS = ["company", "company_english", "communities", "responses", "satisfied"]

pooled = st.lists(st.tuples(st.integers(1, 5), st.integers(0, 400), st.floats(0, 1)), min_size=1, max_size=12).map(
    lambda rows: pd.DataFrame(
        [
            (f"公司{place}", f"Company {place}", many, n, round(n * share))
            for place, (many, n, share) in enumerate(rows)
        ],
        columns=COLUMNS,
    )
)


@pytest.fixture(scope="module", params=LANGUAGES)
def shown(request, city):
    return PageData.of(city, View(request.param))


def of_kind(content, kind):
    """Return the components of one kind, from their properties."""
    return [part["props"] for part in parts(content) if part.get("type") == kind]


def parts(content):
    if isinstance(content, dict):
        yield content
    for part in content.values() if isinstance(content, dict) else content if isinstance(content, list) else ():
        yield from parts(part)


def words_of(cell):
    inner = cell["children"]
    return words_of(inner["props"]) if isinstance(inner, dict) else inner


def page_of(shown):
    return Browser(serve_dashboards(shown.source)).content(f"?lang={shown.language}", page="companies/")


def table_of(shown):
    content = page_of(shown)
    heads = [words_of(head) for head in of_kind(content, "TableTh")]
    rows = [[words_of(cell) for cell in of_kind(row, "TableTd")] for row in of_kind(content, "TableTr")]
    return [dict(zip(heads, row, strict=True)) for row in rows if row]


def test_each_company_leads_to_the_communities_that_its_sums_are_of(shown):
    content = page_of(shown)
    counts = {next(iter(row.values())): int(list(row.values())[1]) for row in table_of(shown)}
    links = [link for cell in of_kind(content, "TableTd") for link in of_kind(cell, "A")]

    assert {words_of(link) for link in links} == set(counts)
    for link in links:
        query = query_of(shown.header, View.of(urlsplit(link["href"]).query, lambda: shown.language))
        assert shown.source.grid(shown.header.id, query).total == counts[words_of(link)]


def test_each_company_is_listed_with_the_sums_of_its_ranked_communities(shown):
    standings = shown.source.standings_of(2, shown.standings["number"].tolist())
    ranked = standings[standings["satisfaction_rank"].notna()]
    name = "company_english" if shown.language == "en" else "company"

    rows = {next(iter(row.values())): list(row.values())[1:5] for row in table_of(shown)}

    for company, own in ranked.groupby(name, observed=True):
        counts = [len(own), own["responses"].sum(), own["satisfied"].sum()]
        assert [int(number.replace(",", "")) for number in rows[company][:3]] == counts
        assert rows[company][3] == f"{own['satisfied'].sum() / own['responses'].sum():.1%}"


def test_companies_stand_in_the_order_of_their_names_and_not_of_their_rates(shown):
    rows = [list(row.values()) for row in table_of(shown)]
    names = [row[0] for row in rows]

    assert len(rows) > 10
    if shown.language == "en":
        assert names == sorted(names, key=str.casefold)
    assert [row[4] for row in rows] != sorted(row[4] for row in rows)
    assert not [head for head in table_of(shown)[0] if "rank" in head.lower() and head != "Ranked communities"]


def test_the_place_of_each_company_is_said_in_words(shown):
    words = satisfaction_positions(shown.language)

    for row in table_of(shown):
        rate, lower, upper = (float(text.rstrip("%")) for text in list(row.values())[4:7])
        place = list(row.values())[-1]
        assert place in words.values()
        if lower < rate < upper:
            assert place == words["inside"]


def test_the_lines_are_wider_than_chance_where_companies_differ(shown):
    compared = compared_companies(shown.source.company_counts(2, None), DISCLOSURE, "en")
    differing = compared.assign(satisfied=(compared["responses"] * (0.6 + 0.3 * (compared.index % 2))).astype("int64"))

    funnel = satisfied_share(shown).funnel(differing)

    naive = proportion_funnel(differing["satisfied"], differing["responses"], rule="exact_tail").table
    assert funnel.dispersion.phi > 1
    assert (funnel.table["adjusted_upper_95"] > naive["upper_95"]).all()
    assert (funnel.table["adjusted_lower_95"] < naive["lower_95"]).all()
    assert (naive["position"] != "inside").all()
    assert (funnel.table["adjusted_position"] == "inside").all()


def test_every_company_is_drawn_at_its_share(shown):
    compared = compared_companies(shown.source.company_counts(2, None), DISCLOSURE, "en")
    funnel = satisfied_share(shown).funnel(compared)
    measured = compared.join(funnel.table.drop(columns=["events", "n"])).assign(company_english="<img src=x>")

    figure = company_funnel_figure(measured, funnel.target, shown.drawing(ROUTE))

    go.Figure(figure)
    dots = [trace for trace in figure["data"] if trace["mode"] == "markers"]
    drawn = sorted((x, y) for trace in dots for x, y in zip(trace["x"], trace["y"], strict=True))
    expected = sorted(zip(compared["responses"], compared["satisfied"] / compared["responses"] * 100, strict=True))
    for (x, y), (responses, share) in zip(drawn, expected, strict=True):
        assert (x, y) == pytest.approx((responses, share), rel=1e-4)
    lowest, highest = figure["layout"]["yaxis"]["range"]
    assert all(lowest <= y <= highest for _x, y in drawn)
    assert not [text for trace in dots for text in trace["text"] if "<img" in text]


@given(counts=pooled)
def test_no_company_of_one_community_or_of_few_answers_is_compared(counts):
    for language in LANGUAGES:
        compared = compared_companies(counts, DISCLOSURE, language)
        assert (compared["communities"] > 1).all()
        assert (compared["responses"] >= DISCLOSURE.minimum_base).all()
        kept = (counts["communities"] > 1) & (counts["responses"] >= DISCLOSURE.minimum_base)
        assert sorted(compared["company"]) == sorted(counts.loc[kept, "company"])


def test_communities_without_a_company_are_counted_and_not_compared(city):
    content = said(Browser(serve_dashboards(city)).content("?lang=en", page="companies/"))
    counts = city.company_counts(2, None)
    unknown = int(counts.loc[counts["company"].isna(), "communities"].iloc[0])

    assert f"Ranked communities of which no company is known: {unknown}." in content
    assert "the one in charge on the last day of the round" in content


def test_a_single_company_is_compared_with_nobody():
    register = places().assign(company="某物业", company_english=None)

    content = said(Browser(serve_dashboards(MadeUpCity(register=register))).content("?lang=en", page="companies/"))

    assert "Fewer than two companies here can be compared" in content


def test_companies_are_not_compared_where_the_rules_rank_by_another_measure(shown):
    rules = replace(RULES, satisfaction=replace(RULES.satisfaction, measure="satisfaction_index"))
    other = replace(shown, header=replace(shown.header, rules=rules))

    [panel] = company_panels(other)

    assert len(panel.children) == 2
    assert panel.children[1].className == "empty"
