"""What would settle the list: the numbers are those of the evidence, and of the list by lower bounds."""

import re
from dataclasses import replace

import pytest

from analytics.languages import LANGUAGES
from dashboards.address import View
from dashboards.frames.page_data import PageData
from dashboards.frames.standings import in_region
from dashboards.languages import translator
from dashboards.panels.settling import settling_panel, settling_sentences
from dashboards.panels.what_if import BY_LOWER_BOUND, order_by_lower_bound, what_if_panel
from dashboards.routes import ROUTES
from tests.dashboards.panels.test_list_stability import with_stability

REGION = "海勃湾区"


@pytest.fixture(scope="module", params=LANGUAGES)
def shown(request, city):
    return PageData.of(city, View(request.param))


def numbers_in(said):
    return [int(number.replace(",", "")) for number in re.findall(r"\d[\d,]*", said)]


def listed_by_lower_bound(city, region):
    """Return the k communities with the highest lower bounds, in a city without ties among them."""
    ranked = in_region(city.standings(2), region).dropna(subset=["satisfaction_rank"])
    k = city.evaluations()[0].summary["regions"][region]["satisfaction"]["k"]
    return set(ranked.sort_values("satisfaction_lower", ascending=False)["community_id"].head(k))


def test_each_number_is_that_of_the_evidence(shown):
    facts = shown.header.summary["evidence"]["regions"][REGION]["satisfaction"]
    told = [numbers_in(said) for said in settling_sentences(shown, REGION, facts, None)]

    needed = facts["needed"]
    others = [[needed[name]] for name in ("reachable", "not_reachable", "unknown") if needed[name]]
    assert [sorted(each) for each in told] == [[needed["settled"], sum(needed.values())], *others]


def test_by_lower_bounds_those_stay_whom_the_list_of_bounds_has_too(shown, city):
    facts = shown.header.summary["evidence"]["regions"][REGION]["satisfaction"]
    *_others, said = settling_sentences(shown, REGION, facts, order_by_lower_bound(city, 2))
    official = in_region(city.standings(2), REGION)
    official = set(official.loc[official["satisfaction_status"] == "met", "community_id"])

    assert sorted(numbers_in(said)) == sorted([len(official & listed_by_lower_bound(city, REGION)), len(official)])


def test_under_other_rules_the_same_list_enters_and_leaves(city):
    after = order_by_lower_bound(city, 2)
    met = set(after.loc[after["satisfaction_status"] == "met", "community_id"])
    regions = PageData.of(city, View("en")).regions

    assert met == set().union(*(listed_by_lower_bound(city, region) for region in regions))
    shown = PageData.of(city, View("en").with_own(what_if=BY_LOWER_BOUND))
    assert "ordered by the lower bound" in str(what_if_panel(shown, city))


def test_on_the_other_route_nothing_is_said_and_where_nobody_is_listed_that(city, shown):
    assert settling_panel(PageData.of(city, View("en", route=ROUTES["complaints"]))) == []
    supported = {
        region: {**facts, "satisfaction": {**facts["satisfaction"], "listed": 0}}
        for region, facts in shown.header.summary["evidence"]["regions"].items()
    }
    empty = with_stability(shown, REGION)
    empty.header.summary["evidence"]["regions"].update(supported)
    none = "Nobody is listed by satisfaction here, or the evaluation is older than the evidence."
    assert translator(shown.language)(none) in str(settling_panel(empty))


def test_an_account_that_sees_a_part_is_told_nothing_of_another_order(shown):
    summary = shown.header.summary
    more = {region: {**facts, "communities": facts["communities"] + 1} for region, facts in summary["regions"].items()}
    part = replace(shown, header=replace(shown.header, summary={**summary, "regions": more, "total": None}))

    assert "lower_bound" not in str(settling_panel(part))
    assert "lower_bound" in str(settling_panel(shown))
