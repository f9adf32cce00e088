"""Warnings beside single communities: each stands where its reason does, and nowhere else."""

from dataclasses import replace

import pytest

from analytics.reports.html_page import percent
from dashboards.address import View
from dashboards.frames.page_data import PageData
from dashboards.panels.row_warnings import row_warnings
from tests.dashboards.made_up import MadeUpCity
from tests.dashboards.panels.test_list_stability import with_stability


@pytest.fixture(scope="module")
def shown(city):
    return PageData.of(city, View("en"))


def warned(shown, words):
    """Return the communities of which a warning has these words."""
    everyone = shown.with_all_columns(shown.everywhere)
    return {number for number, said in row_warnings(shown, everyone).items() if any(words in each for each in said)}


def test_held_answers_are_told_where_some_wait(shown, city):
    assert warned(shown, "held for review") == set(city.waiting(2)) != set()


def test_few_answers_are_told_where_fewer_than_enough_for_anybody_were_given(shown):
    everyone, rules = shown.everywhere, shown.header.rules
    enough = int(everyone["responses"].median())
    minimum = replace(rules.satisfaction.minimum_responses, enough=enough)
    stricter = replace(rules, satisfaction=replace(rules.satisfaction, minimum_responses=minimum))
    few = everyone[everyone["satisfaction_rank"].notna() & (everyone["responses"] < enough)]

    assert warned(replace(shown, header=replace(shown.header, rules=stricter)), "Few answers") == set(few["number"])
    assert len(few) > 10


def test_a_community_that_nonresponse_could_unseat_is_told_from_where_on(shown):
    listed = shown.everywhere[shown.everywhere["satisfaction_status"] == "met"]
    region = listed["region"].iloc[0]
    first, second = listed.loc[listed["region"] == region, "number"].head(2)
    falling = [[first, 0.04], [second, float(shown.header.rules.evidence.nonresponse_spread)]]
    changed = with_stability(shown, region, nonresponse={"standing": [2] * 10, "at_every": 0, "falling": falling})
    elsewhere = set(listed.loc[listed["region"] != region, "number"])

    # One that the data leave open anyhow says so by its evidence.
    assert warned(changed, f"differ by {percent(0.04)} of the scale") - elsewhere == {first}
    assert second not in warned(changed, "Depends on those who did not answer")


def test_evaluations_of_earlier_versions_are_shown_without(shown):
    for region in shown.regions:
        shown = with_stability(shown, region)

    assert warned(shown, "Depends on those who did not answer") == set()


def test_nothing_is_warned_of_where_nothing_is_wrong():
    class NothingHeld(MadeUpCity):
        def waiting(self, evaluation_id):  # noqa: ARG002 (as the source says)
            return frozenset()

    shown = PageData.of(NothingHeld(), View("en"))
    rules = shown.header.rules
    satisfaction = replace(rules.satisfaction, minimum_responses=None)
    calm = replace(shown, header=replace(shown.header, rules=replace(rules, satisfaction=satisfaction)))
    for region in calm.regions:
        calm = with_stability(calm, region)
    everyone = calm.with_all_columns(calm.everywhere)

    assert {number for number, said in row_warnings(calm, everyone).items() if said} == set(calm.underreported)
