import pytest

from dashboards.ledger import PAGE_ROWS, Asked, count_pages, ledger_table, orders, selected
from dashboards.results import ROUTES, scale_of


@pytest.fixture
def standings(city):
    return city.standings(city.evaluations()[0].id)


def body(city, chosen, asked, language="en"):
    scales = {key: scale_of(city.evaluations()[0], route, language) for key, route in ROUTES.items()}
    return ledger_table(chosen, asked, scales, language).data["body"]


def test_the_order_can_be_turned_round(standings):
    first = selected(standings, Asked("responses"))["responses"].tolist()
    last = selected(standings, Asked("-responses"))["responses"].tolist()

    assert first == sorted(first)
    assert last == sorted(first, reverse=True)


@pytest.mark.parametrize("order", ["satisfaction_rank", "-satisfaction_rank"])
def test_unranked_communities_come_last_in_either_order(standings, order):
    ranks = selected(standings, Asked(order))["satisfaction_rank"]

    unranked = int(ranks.isna().sum())
    assert unranked
    assert ranks.tail(unranked).isna().all()


def test_names_are_found_in_both_languages_and_never_read_as_a_pattern(standings):
    assert selected(standings, Asked(name="riverSIDE"))["name"].str.contains("滨河").all()
    assert len(selected(standings, Asked(name="滨河"))) == len(selected(standings, Asked(name="riverside")))
    assert selected(standings, Asked(name=".*")).empty


def test_only_the_result_asked_for_is_listed(standings):
    chosen = selected(standings, Asked(status="met"))

    assert len(chosen) == (standings["requirement_status"] == "met").sum()


def test_pages_together_show_every_community_once(city, standings):
    chosen = selected(standings, Asked())
    pages = [body(city, chosen, Asked(page=page)) for page in range(1, count_pages(len(chosen)) + 1)]

    assert [row[0] for page in pages for row in page] == chosen["english_name"].tolist()
    assert max(len(page) for page in pages) == PAGE_ROWS


def test_no_score_is_shown_of_a_community_that_is_not_ranked(city, standings):
    unranked = standings[standings["satisfaction_rank"].isna() & (standings["responses"] > 0)]

    for row in body(city, unranked, Asked()):
        assert row[2:4] == ["—", "—"]


def test_a_second_tap_on_a_heading_turns_the_order_round():
    assert Asked("name").reordered_by("responses") == "responses"
    assert Asked("responses").reordered_by("responses") == "-responses"


def test_every_order_a_heading_can_ask_for_has_a_name():
    values = {option["value"] for option in orders("zh-Hans")}

    assert {"name", "-name", "responses", "-responses", "satisfaction_rank", "-satisfaction_rank"} <= values
    assert len({option["label"] for option in orders("zh-Hans")}) == len(values)
