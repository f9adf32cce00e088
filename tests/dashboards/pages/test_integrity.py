"""The integrity page shows an account the signs in its own communities, and standings without held answers."""

import pytest

from analytics.decision.evaluate import evaluate
from analytics.decision.left_out_responses import leave_out_responses
from tests.dashboards.conftest import serve_dashboards
from tests.dashboards.made_up import RULES, MadeUpCity
from tests.dashboards.test_app import Browser, said
from tests.published import Page, read_into


@pytest.fixture(scope="module")
def examination(city):
    return city.examination(2)


def page(source, search="?lang=en"):
    return said(Browser(serve_dashboards(source)).content(search, page="integrity/"))


def test_the_page_says_who_would_enter_and_leave_without_held_answers(city, examination):
    held = examination.held.rename(columns={"number": "community_id"})
    after = evaluate(leave_out_responses(city.inputs(2), held, RULES), RULES).standings
    before = city.standings(2)
    was, then = (frame["criterion_status"].to_numpy() == "met" for frame in (before, after))

    content = page(city)

    assert f"Entering: {(then & ~was).sum()}; leaving: {(was & ~then).sum()}." in content
    assert "Not an official result" in content


def test_a_district_reads_of_its_own_communities_only():
    content = page(MadeUpCity(district="乌达区"))

    assert "Haibowan" not in content
    assert "/staff/rounds/1/reviews" in content


def test_a_round_that_was_not_examined_says_so(city):
    assert "have not been examined" in page(city, "?lang=en&evaluation=1")


def test_signs_in_what_was_answered_are_named_without_their_numbers(city):
    rows = Page()
    read_into(rows, Browser(serve_dashboards(city)).content("?lang=en", page="integrity/")["children"])
    [flagged] = [table for caption, table in rows.tables.items() if caption.startswith("Flagged communities")]
    numbers = {row["Kind of sign"]: (row["Found"], row["Usual"]) for row in flagged}

    assert numbers["Similar answers within minutes"] == ("—", "—")
    assert numbers["Answered too fast"] == ("12.0", "1.5")
