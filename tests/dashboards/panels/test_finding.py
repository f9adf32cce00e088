"""The finding in sentences: its numbers are those of the standings."""

import re
from dataclasses import replace

import pandas as pd
import pytest

from analytics.languages import LANGUAGES
from dashboards.address import View
from dashboards.frames.page_data import PageData
from dashboards.panels.finding import finding_panel, finding_sentences
from tests.dashboards.made_up import RULES


@pytest.fixture(scope="module", params=LANGUAGES)
def shown(request, city):
    return PageData.of(city, View(request.param))


def numbers_in(sentence):
    return [float(number.replace(",", "").replace("−", "-")) for number in re.findall(r"[+−]?\d[\d,.]*\d|\d", sentence)]


def test_it_counts_who_was_ranked_and_who_was_not(shown):
    standings = shown.standings
    by_satisfaction, by_complaints = standings["satisfaction_rank"].notna(), standings["complaint_rank"].notna()
    sentence = next(finding_sentences(shown))

    assert numbers_in(sentence) == [
        len(standings),
        by_satisfaction.sum(),
        by_complaints.sum(),
        (~by_satisfaction & ~by_complaints).sum(),
    ]


def test_it_says_how_many_are_satisfied_now_and_by_how_much_that_changed(shown, city):
    def rate(evaluation):
        ranked = city.standings(evaluation)
        ranked = ranked[ranked["satisfaction_rank"].notna()]
        return ranked["satisfied"].sum() / ranked["responses"].sum() * 100

    responses, share, change = numbers_in(list(finding_sentences(shown))[1])[:3]

    assert responses == shown.standings["responses"][shown.standings["satisfaction_rank"].notna()].sum()
    assert share == pytest.approx(rate(2), abs=0.051)
    assert change == pytest.approx(rate(2) - rate(1), abs=0.051)


def test_it_says_how_many_of_the_households_that_are_known_have_answered(shown):
    ranked = shown.standings[shown.standings["satisfaction_rank"].notna()]
    some = ranked.index[::2]
    partly = replace(shown)
    vars(partly)["standings"] = shown.standings.assign(
        households=shown.standings["households"].mask(shown.standings.index.isin(some))
    )
    none = replace(shown)
    vars(none)["standings"] = shown.standings.assign(households=pd.NA)
    for view, known in ((shown, ranked), (partly, ranked.drop(index=some))):
        coverage, households = sorted(numbers_in(list(finding_sentences(view))[1])[3:])
        assert households == known["households"].sum()
        assert coverage == pytest.approx(known["responses"].sum() / known["households"].sum() * 100, abs=0.051)

    assert len(numbers_in(list(finding_sentences(none))[1])) == 3


def test_it_counts_the_qualified_and_those_of_them_that_no_route_supports(shown):
    standings = shown.standings
    met = {route: standings[f"{route}_status"] == "met" for route in ("satisfaction", "complaint")}
    supported = [met[route] & standings[f"{route}_evidence"].isin(["certain", "likely"]) for route in met]
    qualified = met["satisfaction"] | met["complaint"]
    numbers = numbers_in(list(finding_sentences(shown))[3])

    assert numbers[-5:] == [
        qualified.sum(),
        met["satisfaction"].sum(),
        met["complaint"].sum(),
        (met["satisfaction"] & met["complaint"]).sum(),
        (qualified & ~supported[0] & ~supported[1]).sum(),
    ]


def test_satisfied_answers_are_not_told_beside_another_measure(shown):
    rules = replace(RULES, satisfaction=replace(RULES.satisfaction, measure="satisfaction_index"))
    other = replace(shown, header=replace(shown.header, rules=rules))

    assert len(list(finding_sentences(other))) == len(list(finding_sentences(shown))) - 1


def test_an_evaluation_older_than_the_evidence_has_its_finding_too(shown):
    older = replace(shown, header=replace(shown.header, summary={**shown.header.summary, "evidence": {"regions": {}}}))

    assert len(list(finding_sentences(older))) == 4


def test_the_title_names_city_round_and_status(shown):
    published = replace(shown, header=replace(shown.header, published=True))

    titles = {str(finding_panel(each).children[0].children[0].children) for each in (shown, published)}
    assert len(titles) == 2
    assert all(shown.header.round_label(shown.language) in title for title in titles)
