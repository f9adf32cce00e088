"""Progress of the open round: each community still short leads to its page, if it has one."""

from datetime import UTC, datetime

import pytest
from dash import html

from dashboards.address import View
from dashboards.panels.collection_progress import MOST_LISTED, collection_panel
from dashboards.widgets.links import address_of
from tests.dashboards.made_up import ROUNDS, MadeUpCity

NOW = datetime(2027, 9, 20, tzinfo=UTC)


def links_of(city):
    panel = collection_panel(city, View("en"), now=NOW)
    return {
        part.children: part.href
        for part in panel._traverse()
        if isinstance(part, html.A) and getattr(part, "className", None) == "name-link"
    }


@pytest.fixture(scope="module")
def short():
    communities = MadeUpCity(rounds=()).progress().communities
    return communities[communities["responses"] < communities["required"]]


def test_each_community_that_is_short_leads_to_its_page(short):
    addresses = {address_of(View("en"), number) for number in short["community_id"]}
    found = links_of(MadeUpCity())

    assert len(found) == min(len(short), MOST_LISTED)
    assert set(found.values()) <= addresses


def test_before_the_first_evaluation_no_community_has_a_page():
    assert links_of(MadeUpCity(rounds=())) == {}
    assert links_of(MadeUpCity(rounds=ROUNDS[:1])) != {}
