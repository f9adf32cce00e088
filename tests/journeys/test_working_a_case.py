"""A complaint from the phone to its end, and whether it was really fixed: clerk, company, resident, stage 2, calls."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from playwright.sync_api import expect
from sqlalchemy import select

from survey_app.city_time import Month
from survey_app.models import Code, Community, Complaint, PropertyCompany
from tests.accounts import make_account
from tests.factories import make_complaint
from tests.journeys.test_complaining import file_case, photo, press
from tests.survey_app.call_backs.conftest import City

pytestmark = pytest.mark.browser

CASES_OF_A_DAY = 30
CALLED, CONTRADICTED = 12, 6


@pytest.fixture
def desk(sqlite_database, token):
    """The community of the poster with its company, and accounts of all who deal with its cases."""
    now = datetime.now(UTC)
    with sqlite_database.writing() as session:
        community = session.scalars(select(Community).join(Code).where(Code.token == token)).one()
        community.company = PropertyCompany(name="安居物业", english_name="Anju", sort_key="anju")
        session.flush()
        make_account(session, "clerk", role="clerk", district=community.district, now=now)
        make_account(session, "district", role="district", district=community.district, now=now)
        make_account(session, "company", role="company", company=community.company, now=now)
        return community.id


def take(page, step, **typed):
    """Open a step of a case, fill in its form, and send it."""
    form = page.locator("details", has=page.locator(f"button[value={step}]"))
    if form.get_attribute("open") is None:
        form.locator("summary").click()
    for name, words in typed.items():
        form.locator(f"[name={name}]").fill(words)
    form.locator(f"button[value={step}]").click()
    expect(page.locator("[role=status], .flash, .staff-flash").first).to_be_visible()


def open_own(page, address, reference, secret):
    page.goto(f"{address}/complaint/{reference}")
    page.locator("#secret").fill(secret)
    press(page)


def reject(page, words):
    page.get_by_text("未解决", exact=True).click()
    page.locator("#text").fill(words)
    page.locator("button[value=rejected]").click()
    expect(page.locator(".done-note")).to_be_visible()


def status(database, reference):
    with database.reading() as session:
        return session.execute(select(Complaint.status, Complaint.stage).filter_by(reference=reference)).one()


@pytest.mark.usefixtures("desk")
def test_a_case_is_worked_rejected_twice_and_ended_by_somebody_else(
    phone, desk_of, site_address, token, sqlite_database
):
    resident = phone()
    reference, secret = file_case(resident, f"{site_address}/c/{token}")
    assert resident.faults == []

    clerk = desk_of("clerk", "/staff/cases?queue=to_accept")
    clerk.locator(".cases tbody th a").click()
    take(clerk, "accept", words="已受理")
    take(clerk, "dispatch")
    assert status(sqlite_database, reference) == ("dispatched", 1)

    company = desk_of("company", f"/staff/company-cases/{reference}")
    assert "13800138000" not in company.content()
    take(company, "start")
    company.set_input_files("#photo", [photo(800, 600)])
    take(company, "respond", words="已装隔离桩")

    open_own(resident, site_address, reference, secret)
    expect(resident.locator(".history")).to_contain_text("已装隔离桩")
    expect(resident.locator("#form .photos img")).to_have_count(1)
    reject(resident, "又停了一辆")

    clerk.reload()
    take(clerk, "dispatch")
    company.reload()
    take(company, "start")
    take(company, "respond", words="隔离桩已加固")
    open_own(resident, site_address, reference, secret)
    reject(resident, "还是能开进去")
    assert status(sqlite_database, reference) == ("stage2", 2)

    clerk.goto(f"{site_address}/staff/cases/{reference}")
    expect(clerk.locator("button[value=respond]")).to_have_count(0)
    company.reload()
    expect(company.locator("main")).not_to_contain_text("还是能开进去")
    reviewer = desk_of("district", f"/staff/cases/{reference}")
    take(reviewer, "dispatch")
    take(reviewer, "start")
    take(reviewer, "respond", words="区里已协调消防部门立柱封闭")
    open_own(resident, site_address, reference, secret)
    resident.locator("button[value=confirmed_fixed]").click()
    expect(resident.locator(".done-note")).to_be_visible()

    assert status(sqlite_database, reference) == ("closed", 2)
    reviewer.reload()
    expect(reviewer.locator(".history")).to_contain_text("区里已协调消防部门立柱封闭")


def test_thirty_new_cases_are_accepted_and_dispatched_in_eight_clicks(desk_of, sqlite_database, desk):
    with sqlite_database.writing() as session:
        community = session.get(Community, desk)
        for number in range(CASES_OF_A_DAY):
            make_complaint(
                session, community, category="CL01", submitted_at=datetime.now(UTC) - timedelta(minutes=number)
            )
    page, clicks = desk_of("clerk", "/staff/cases"), 0

    for queue, step in (("to_accept", "accept"), ("to_dispatch", "dispatch")):
        for target in (
            page.locator(f"nav a[href*='queue={queue}']"),
            page.locator("#pick-all"),
            page.locator(f"#several button[value={step}]"),
            page.locator(f"form button.primary[value={step}]"),
        ):
            target.click()
            clicks += 1
        page.wait_for_url("**/staff/cases")

    assert clicks == 8
    with sqlite_database.reading() as session:
        assert session.scalars(select(Complaint.status)).all() == ["dispatched"] * CASES_OF_A_DAY


def call(page, *, resolved):
    """Type what a resident says, from the telephone number to the last question."""
    page.get_by_role("button", name="显示电话（记录在案）").click()
    expect(page.get_by_text("13800138000")).to_be_visible()
    for question, code in {"contacted": 1, "resolved": resolved, "satisfied": 1 if resolved == 1 else 2}.items():
        page.locator(f"#{question}").fill(str(code))
    page.locator("form.typing button.primary").click()


def test_calls_that_contradict_a_closing_are_in_the_register_the_bulletin_and_the_dashboards(
    desk_of, site_address, sqlite_database, monkeypatch
):
    city, today = City(sqlite_database), datetime.now(UTC).date()
    last = Month.of(today).plus(-1)
    city.close(count=CALLED, filed=last.start(ZoneInfo("Asia/Shanghai")) + timedelta(days=3))
    page = desk_of("district0", f"/staff/call-backs/new?month={last}")
    page.get_by_role("button", name="抽取").click()
    page.get_by_role("link", name="下一件").click()
    for number in range(CALLED):
        call(page, resolved=3 if number < CONTRADICTED else 1)

    page.wait_for_url("**/staff/call-backs/*")
    expect(page.locator("main")).to_contain_text(f"{CALLED - CONTRADICTED}")
    page.goto(f"{site_address}/staff/closures")
    row = page.locator("tr", has_text="安居物业").first
    expect(row).to_contain_text(f"{CONTRADICTED}")
    expect(page.locator(".watch-list")).to_contain_text("安居物业")
    expect(page.locator(".cases tbody tr")).to_have_count(CONTRADICTED)
    page.goto(f"{site_address}/staff/bulletins/{Month.of(today)}")
    expect(page.locator("main")).to_contain_text("50.0%")
    # The dashboards count to the last full ten minutes.
    later = datetime.now(UTC) + timedelta(minutes=10)
    monkeypatch.setattr("survey_app.evaluations.dashboard_source.current_time", lambda: later)
    page.goto(f"{site_address}/dashboards/casework/")
    expect(page.locator("#three-rates")).to_contain_text("50.0%")
