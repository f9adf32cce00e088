"""Cases are worked, called back and appealed, files of the hotline imported and contracts changed by keyboard.

The focus is always in sight.
"""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from playwright.sync_api import expect
from sqlalchemy import func, select

from survey_app.city_time import Month
from survey_app.hotline.ledger_jobs import ledger_jobs
from survey_app.jobs.worker import Worker
from survey_app.models import (
    CallBackResult,
    Community,
    Complaint,
    ComplaintAppeal,
    HotlineCase,
    PropertyCompany,
    PropertyContract,
)
from tests.accounts import SECRET_KEY, make_account
from tests.factories import give_to_company, make_community, make_complaint, make_district
from tests.survey_app.call_backs.conftest import City
from tests.survey_app.hotline.ledgers import csv_of, row

pytestmark = pytest.mark.browser

# More than any page of the desk has: whoever presses longer walks in a circle.
MOST_PRESSES = 150
CASES = 3
FOCUS = """() => {
  const style = getComputedStyle(document.activeElement), box = document.activeElement.getBoundingClientRect();
  return {
    outlined: style.outlineStyle !== "none" && parseFloat(style.outlineWidth) >= 2,
    inSight: box.bottom > 0 && box.top < innerHeight && box.right > 0 && box.left < innerWidth,
  };
}"""


class Keyboard:
    """A page that is worked with keys alone."""

    def __init__(self, page):
        self.page = page

    def go_to(self, selector):
        """Press Tab until an element has the focus, which must be seen there."""
        for _press in range(MOST_PRESSES):
            if self.page.evaluate("selector => document.activeElement.matches(selector)", selector):
                assert self.page.evaluate(FOCUS) == {"outlined": True, "inSight": True}, selector
                return
            self.page.keyboard.press("Tab")
        raise AssertionError(f"no key leads to {selector} of {self.page.url}")

    def type_into(self, selector, words):
        self.go_to(selector)
        self.page.keyboard.press("Control+A")
        self.page.keyboard.type(words)

    def choose(self, selector, words):
        """Press the arrow in a list until the words are chosen."""
        self.go_to(selector)
        chosen = self.page.locator(f"{selector} option:checked")
        for _press in range(MOST_PRESSES):
            if chosen.inner_text() == words:
                return
            self.page.keyboard.press("ArrowDown")
        raise AssertionError(f"{words} is not in {selector}")

    def press(self, selector, key="Enter"):
        self.go_to(selector)
        self.page.keyboard.press(key)

    def follow(self, selector):
        """Press Enter on what leads to another page, and wait until it is there."""
        self.go_to(selector)
        with self.page.expect_navigation():
            self.page.keyboard.press("Enter")


@pytest.fixture
def keyboard_of(desk_of):
    """Open the desk of an account, to be worked with keys alone."""
    return lambda username, path: Keyboard(desk_of(username, path))


@pytest.fixture
def community_id(sqlite_database):
    now = datetime.now(UTC)
    with sqlite_database.writing() as session:
        community = make_community(session, district=make_district(session), name="阳光家园")
        community.company = PropertyCompany(name="安居物业", english_name="Anju", sort_key="anju")
        session.flush()
        make_account(session, "clerk", role="clerk", district=community.district, now=now)
        make_account(session, "company", role="company", company=community.company, now=now)
        return community.id


def statuses(database):
    with database.reading() as session:
        return session.scalars(select(Complaint.status)).all()


@pytest.mark.usefixtures("community_id")
def test_a_call_is_taken_in_dispatched_and_answered_by_keyboard(keyboard_of, sqlite_database):
    clerk = keyboard_of("clerk", "/staff/cases")
    clerk.follow("main a.primary")
    clerk.page.keyboard.press("Space")
    clerk.type_into("#community", "阳光家园")
    clerk.choose("#category", "电梯")
    clerk.press("[name=kind]", "Space")
    clerk.type_into("#text", "电梯停了两天")
    clerk.follow("main button.primary")
    expect(clerk.page.locator("main")).to_contain_text("阳光家园")

    clerk.follow("main .actions a.button:not(.primary)")
    clerk.type_into("#words-accept", "已受理")
    clerk.follow("button[value=accept]")
    if not clerk.page.locator("button[value=dispatch]").is_visible():
        clerk.press("details:has(button[value=dispatch]) summary")
    clerk.type_into("#released", "电梯停运")
    clerk.follow("button[value=dispatch]")
    assert statuses(sqlite_database) == ["dispatched"]

    company = keyboard_of("company", "/staff/company-cases")
    company.follow("main th a[href*='/company-cases/']")
    for step, words in (("start", None), ("respond", "电梯已修好")):
        if not company.page.locator(f"button[value={step}]").is_visible():
            company.press(f"details:has(button[value={step}]) summary")
        if words:
            company.type_into(f"#words-{step}", words)
        company.follow(f"button[value={step}]")
    assert statuses(sqlite_database) == ["responded"]


def test_cases_are_found_and_accepted_together_by_keyboard(keyboard_of, sqlite_database, community_id):
    now = datetime.now(UTC)
    with sqlite_database.writing() as session:
        community = session.get(Community, community_id)
        for number in range(CASES):
            make_complaint(session, community, category="CL01", submitted_at=now - timedelta(minutes=number))

    clerk = keyboard_of("clerk", "/staff/cases")
    clerk.type_into("#words", "没有这样的话")
    clerk.follow("form.search button.primary")
    expect(clerk.page.locator(".cases")).to_have_count(0)
    clerk.follow("form.search a.button")
    clerk.press(".search summary")
    clerk.choose("#category", "楼道保洁")
    clerk.follow("form.search button.primary")
    clerk.press("#pick-all", "Space")
    clerk.follow("#several button[value=accept]")
    clerk.follow("form button.primary[value=accept]")

    assert statuses(sqlite_database) == ["accepted"] * CASES


def test_residents_are_called_back_by_keyboard(keyboard_of, sqlite_database):
    city, today = City(sqlite_database), datetime.now(UTC).date()
    last = Month.of(today).plus(-1)
    city.close(count=1, filed=last.start(ZoneInfo("Asia/Shanghai")) + timedelta(days=3))

    clerk = keyboard_of("district0", f"/staff/call-backs/new?month={last}")
    clerk.follow("main form:not(.search) button.primary")
    clerk.follow("main a.button.primary")
    clerk.follow("[aria-labelledby=ask] form:not(.typing) button")
    # Each code leads on to the next question, and the last to the button.
    clerk.go_to("#contacted")
    clerk.page.keyboard.type("132")
    clerk.follow("form.typing button.primary")

    with sqlite_database.reading() as session:
        result = session.scalars(select(CallBackResult)).one()
    assert (result.contacted, result.resolved, result.satisfied) == ("yes", "no", "no")


def test_an_appeal_is_filed_and_decided_by_keyboard(keyboard_of, sqlite_database, community_id):
    now = datetime.now(UTC)
    with sqlite_database.writing() as session:
        case = make_complaint(session, session.get(Community, community_id), submitted_at=now - timedelta(hours=1))
        give_to_company(session, case, now=now)
        reference = case.reference
        make_account(session, "city", now=now)

    company = keyboard_of("company", f"/staff/company-cases/{reference}")
    company.press("details:has(#appeal-words) summary")
    company.press("[name=reason]", "Space")
    company.type_into("#appeal-words", "属于市政道路")
    company.follow("form:has(#appeal-words) button.primary")
    city = keyboard_of("city", "/staff/cases")
    city.follow("main .actions a[href*=appeals]")
    city.type_into("#answer-1", "经核实，属市政道路")
    city.follow("button[value=upheld]")

    with sqlite_database.reading() as session:
        assert session.scalars(select(ComplaintAppeal.decision)).all() == ["upheld"]


@pytest.mark.usefixtures("community_id")
def test_a_file_of_the_hotline_is_sent_decided_and_imported_by_keyboard(keyboard_of, sqlite_database, tmp_path):
    with sqlite_database.writing() as session:
        make_account(session, "city", now=datetime.now(UTC))
    ledger = tmp_path / "台账.csv"
    ledger.write_bytes(csv_of([row(community="阳光家园"), row(community="老阳光")]))

    def work():
        Worker(sqlite_database, ledger_jobs(SECRET_KEY), lambda: datetime.now(UTC)).run_due_jobs()
        city.page.reload()

    city = keyboard_of("city", "/staff/cases")
    city.follow("main .actions a[href*=hotline]")
    city.go_to("#file")
    with city.page.expect_file_chooser() as chooser:
        city.page.keyboard.press("Space")
    chooser.value.set_files(ledger)
    city.follow("form:has(#file) button.primary")
    work()
    city.follow("main a[href*='hotline/communities']")
    city.type_into("#community-1", "阳光家园")
    city.follow("form:has(#community-1) button")
    city.follow("main a[href*='staff/hotline']")
    city.follow("main th a[href*='hotline/imports']")
    city.follow("form[action*=again] button")
    work()
    city.follow("main form.fields button.primary")
    work()

    expect(city.page.locator("main [role=status]")).to_be_visible()
    with sqlite_database.reading() as session:
        assert session.scalar(select(func.count()).select_from(HotlineCase)) == 2


def test_a_change_of_the_company_is_recorded_and_withdrawn_by_keyboard(keyboard_of, sqlite_database, community_id):
    with sqlite_database.writing() as session:
        make_account(session, "city", now=datetime.now(UTC))

    def companies():
        with sqlite_database.reading() as session:
            contracts = select(PropertyContract).order_by(PropertyContract.starts_on.desc())
            return [contract.company.name for contract in session.scalars(contracts)]

    city = keyboard_of("city", "/staff/communities")
    city.follow(f"main a[href*='/communities/{community_id}/contracts']")
    city.type_into("#company", "和谐物业")
    city.go_to("#starts-on")
    # Its parts stand in the order of the browser's language.
    day = datetime.now(ZoneInfo("Asia/Shanghai")).date() + timedelta(days=40)
    city.page.keyboard.type(f"{day:%m%d%Y}")
    assert city.page.locator("#starts-on").input_value() == day.isoformat()
    city.press("[name=is_new]", "Space")
    city.follow("form:has(#company) button.primary")
    assert "和谐物业" in companies()

    city.follow("main form[action*=withdrawal] button")
    assert "和谐物业" not in companies()
