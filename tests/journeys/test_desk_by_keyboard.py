"""A case is taken in, dispatched, answered and called back by keyboard, with the focus always in sight."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from playwright.sync_api import expect
from sqlalchemy import select

from survey_app.city_time import Month
from survey_app.models import CallBackResult, Community, Complaint, PropertyCompany
from tests.accounts import make_account
from tests.factories import make_community, make_complaint, make_district
from tests.survey_app.call_backs.conftest import City

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
