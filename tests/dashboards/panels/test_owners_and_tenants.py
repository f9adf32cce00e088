"""Owners and tenants stand side by side, and no small number is shown."""

from dataclasses import replace

import pandas as pd
import pytest

from dashboards.address import View
from dashboards.frames.page_data import PageData
from dashboards.panels.owners_and_tenants import rates_by_tenure, tenures_panel
from dashboards.widgets.components import records
from tests.dashboards.conftest import serve_dashboards
from tests.dashboards.made_up import DISCLOSURE, RULES
from tests.dashboards.test_app import Browser, said


def tenures(*rows):
    return pd.DataFrame(rows, columns=["tenure", "responses", "satisfied"])


def test_each_tenure_has_its_own_rate_with_its_interval():
    rates = rates_by_tenure(tenures((1, 60, 45), (2, 20, 10)), RULES, disclosure=DISCLOSURE).set_index("tenure")

    assert rates["rate"].tolist() == [0.75, 0.5]
    assert (rates["lower"] < rates["rate"]).all()
    assert (rates["rate"] < rates["upper"]).all()


@pytest.mark.parametrize(("responses", "satisfied"), [(9, 5), (30, 4), (30, 27)])
def test_of_few_tenants_nothing_is_known(responses, satisfied):
    counted = tenures((1, 60, 45), (2, responses, satisfied))
    rates = rates_by_tenure(counted, RULES, disclosure=DISCLOSURE).set_index("tenure")

    assert rates.loc[2].isna().all()
    assert rates.loc[1].notna().all()


def test_the_page_says_whose_answers_rank_and_shows_the_others_beside(city):
    number = city.standings(2).query("responses > 40 and satisfied > 10")["number"].iloc[0]
    content = said(Browser(serve_dashboards(city)).content(f"?lang=en&community={number}", page="community/"))

    assert "Under the rules, owners' answers count. Here owners and tenants are shown separately." in content
    assert "Tenants" in content


def test_results_of_before_have_no_tenants(city):
    shown = PageData.of(city, View("en"))
    profile = city.profile(2, records(shown.everywhere)[0]["number"])

    assert tenures_panel(shown, replace(profile, tenures=tenures())) == []
