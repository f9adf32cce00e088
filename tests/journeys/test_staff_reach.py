"""Every page for staff and every dashboard can be read by a screen reader and worked with a keyboard, at any width."""

from datetime import UTC, datetime

import pytest
from playwright.sync_api import expect
from pyotp import TOTP

from survey_app.accounts.accounts import add_account
from survey_app.accounts.invitations import invite
from survey_app.audit import OPERATOR
from tests.accounts import PASSWORD, SECRET_KEY
from tests.journeys.test_reach import AXE, OVERFLOW
from tests.journeys.whole_site import (
    WALKERS,
    addresses,
    dashboard_addresses,
    fill_city,
    sign_in_browser,
    visit,
)

pytestmark = pytest.mark.browser

FINDINGS = """async () => (await axe.run(document)).violations.map(
    found => `${found.impact} ${found.id}: ` + found.nodes.slice(0, 5).map(node => node.target.join(" ")).join(", "))"""


@pytest.fixture(params=[("zh-Hans", 390), ("en", 1440)], ids=["zh-Hans at 390 px", "en at 1440 px"])
def screen(request, open_page, app, site_address, sqlite_database):
    """A browser, and what checks an address in its language, on a site that says that it is a demonstration."""
    app.jinja_env.globals["is_demo"] = True
    language, width = request.param
    facts = fill_city(sqlite_database)
    page = open_page(viewport={"width": width, "height": 900})
    return Screen(page, app, site_address, facts, language)


class Screen:
    """A browser that notes all that stands in somebody's way."""

    def __init__(self, page, app, address, facts, language):
        self.page, self.app, self.address, self.facts, self.language = page, app, address, facts, language
        self.findings = {}

    def visit(self, path):
        sign = "&" if "?" in path else "?"
        visit(self.page, f"{self.address}{path}{sign}lang={self.language}")
        self.check(path)

    def check(self, name):
        self.page.evaluate(AXE)
        found = self.page.evaluate(FINDINGS)
        if (overflow := self.page.evaluate(OVERFLOW)) > 0:
            found.append(f"{overflow} px too wide")
        if found:
            self.findings[name] = found


def test_every_staff_page_is_within_reach(screen):
    for role in WALKERS:
        sign_in_browser(screen.page, screen.app, screen.address, role)
        for path in addresses(screen.app, screen.facts, role):
            screen.visit(path)
    refused = ("/staff/nothing-here", "/staff/accounts/1/reset", "/nothing-here")
    for path in (*refused, "/staff/communities?search=nothing-here", "/staff/audit?check=1"):
        screen.visit(path)

    assert screen.findings == {}


def test_coming_to_an_account_and_signing_in_are_within_reach(screen, sqlite_database):
    now = datetime.now(UTC)
    with sqlite_database.writing() as session:
        account = add_account(session, username="newcomer", password=None, role="evaluator", by=OPERATOR, now=now)
        token = invite(account, secret_key=SECRET_KEY, now=now)
    page = screen.page

    screen.visit(f"/invitation/{token}")
    page.locator("#password").fill(PASSWORD)
    page.locator("main button.primary").click()
    secret = page.locator("code.secret").inner_text().replace(" ", "")
    screen.check("authenticator")
    page.locator("#code").fill(TOTP(secret).now())
    page.locator("main button.primary").click()
    expect(page.locator(".recovery-codes")).to_be_visible()
    screen.check("recovery codes")
    page.context.clear_cookies()
    screen.visit("/sign-in")
    page.locator("#username").fill("newcomer")
    page.locator("#password").fill(PASSWORD)
    page.locator("main button.primary").click()
    expect(page.locator("#code")).to_be_visible()
    screen.check("second step")

    assert screen.findings == {}


def test_every_dashboard_is_within_reach(screen):
    sign_in_browser(screen.page, screen.app, screen.address, "city")
    for path in dashboard_addresses(screen.facts):
        screen.visit(path)

    assert screen.findings == {}
