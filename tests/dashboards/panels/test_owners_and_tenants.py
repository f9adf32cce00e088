"""Owners and tenants stand side by side, and no small number is shown."""

import json
from dataclasses import replace

import pandas as pd
import pytest
from plotly.utils import PlotlyJSONEncoder

from analytics.disclosure.answer_tables import Rated
from dashboards.address import View
from dashboards.frames.page_data import PageData
from dashboards.panels.owners_and_tenants import rates_by_tenure, tenures_panel
from dashboards.widgets.components import records
from tests.dashboards.conftest import serve_dashboards
from tests.dashboards.made_up import RULES
from tests.dashboards.test_app import Browser, said


def tenures(*rows):
    return pd.DataFrame(rows, columns=["tenure", "responses", "satisfied"])


def told(shown, ranked, *rows, population="owners"):
    """Return what the panel says of owners and of tenants, beside so many valid and satisfied ranked answers."""
    rules = replace(shown.header.rules, satisfaction=replace(RULES.satisfaction, population=population))
    header = replace(shown.header, rules=rules)
    profile = replace(shown.source.profile(2, records(shown.everywhere)[0]["number"]), tenures=tenures(*rows))
    panel = tenures_panel(replace(shown, header=header), profile, Rated({}, *ranked, is_whole=False))
    return said(json.loads(json.dumps(panel, cls=PlotlyJSONEncoder)))


@pytest.fixture(scope="module")
def shown(city):
    return PageData.of(city, View("en"))


def test_each_tenure_has_its_own_rate_with_its_interval():
    rates = rates_by_tenure(tenures((1, 60, 45), (2, 20, 10)), RULES, told={1, 2}).set_index("tenure")

    assert rates["rate"].tolist() == [0.75, 0.5]
    assert (rates["lower"] < rates["rate"]).all()
    assert (rates["rate"] < rates["upper"]).all()


def test_of_a_tenure_that_is_not_told_nothing_is_known():
    rates = rates_by_tenure(tenures((1, 60, 45), (2, 20, 10)), RULES, told={1}).set_index("tenure")

    assert rates.loc[2].isna().all()
    assert rates.loc[1].notna().all()


@pytest.mark.parametrize(
    ("population", "ranked", "rows", "shown_counts"),
    [
        # The header prints 47 of 48: the row of the owners does too.
        ("owners", (48, 47), [(1, 48, 47), (2, 20, 10)], {"48", "20"}),
        ("owners", (48, 47), [(1, 48, 47), (2, 9, 5)], {"48"}),
        ("owners", (48, None), [(1, 48, 47), (2, 20, 10)], {"20"}),
        # All but the owners would be the two tenants who are not satisfied.
        ("residents", (82, 65), [(1, 60, 45), (2, 22, 20)], set()),
        ("residents", (82, 57), [(1, 60, 45), (2, 22, 12)], {"60", "22"}),
    ],
)
def test_neither_row_gives_the_other_or_the_header_away(shown, population, ranked, rows, shown_counts):
    content = told(shown, ranked, *rows, population=population)

    assert {str(row[1]) for row in rows if f"{row[1]}\n{row[2]}\n" in content} == shown_counts


def test_the_page_says_whose_answers_rank_and_shows_the_others_beside(city):
    number = city.standings(2).query("responses > 40 and satisfied > 10")["number"].iloc[0]
    content = said(Browser(serve_dashboards(city)).content(f"?lang=en&community={number}", page="community/"))

    assert "Under the rules, owners' answers count. Here owners and tenants are shown separately." in content
    assert "Tenants" in content


def test_results_of_before_have_no_tenants(shown):
    assert "were not counted apart" in told(shown, (40, 30))
