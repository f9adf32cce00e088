"""A round is evaluated while the page shows how far it is, and leads to the result without being touched."""

from datetime import UTC, datetime, timedelta

import pytest
from playwright.sync_api import expect

from survey_app.evaluations.evaluation_jobs import EVALUATION_JOB
from survey_app.jobs.worker import Worker
from tests.accounts import make_account
from tests.factories import make_community, make_response, make_round
from tests.journeys.whole_site import sign_in_browser

pytestmark = pytest.mark.browser

NOW = datetime.now(UTC).replace(microsecond=0)


@pytest.fixture
def waiting(open_page, app, site_address, sqlite_database):
    """A page that waits for the evaluation that its account has just asked for."""
    with sqlite_database.writing() as session:
        survey_round = make_round(
            session,
            name="2026年第三轮",
            english_name="Round 3, 2026",
            opens_at=NOW - timedelta(days=40),
            closes_at=NOW - timedelta(days=10),
        )
        community = make_community(session)
        for _ in range(12):
            make_response(session, survey_round, community, submitted_at=NOW - timedelta(days=20))
        make_account(session, "city", now=NOW)

    def ask(language="en", **options):
        page = open_page(**options)
        sign_in_browser(page, app, site_address, "city")
        page.goto(f"{site_address}/staff/?lang={language}")
        page.locator("button[name=kind][value=official]").click()
        expect(page.get_by_role("heading", level=1)).to_contain_text("2026")
        return page

    return ask


def work(database):
    Worker(database, [EVALUATION_JOB], lambda: datetime.now(UTC)).run_due_jobs()


def test_the_page_turns_to_the_result_by_itself(waiting, sqlite_database):
    page = waiting()
    expect(page.get_by_role("status")).to_have_text("Waiting for its turn")

    work(sqlite_database)

    expect(page.get_by_role("status")).to_have_text("Evaluation 1 is stored.")
    page.get_by_role("link", name="Back to the rounds").click()
    expect(page.get_by_text("Evaluation 1", exact=True)).to_be_visible()


def test_whoever_left_finds_the_way_back_from_the_list_of_rounds(waiting, sqlite_database):
    page = waiting()
    page.get_by_role("link", name="Back to the rounds").click()
    page.get_by_role("link", name="Being evaluated: see how far it is").click()
    expect(page.get_by_role("status")).to_have_text("Waiting for its turn")
    work(sqlite_database)
    expect(page.get_by_role("link", name="Open dashboard")).to_be_visible()


def test_without_scripts_the_page_loads_itself_again(waiting, sqlite_database):
    page = waiting(java_script_enabled=False)
    expect(page.get_by_role("status")).to_have_text("Waiting for its turn")

    work(sqlite_database)

    expect(page.get_by_role("status")).to_have_text("Evaluation 1 is stored.", timeout=10_000)
