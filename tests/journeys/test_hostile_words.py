"""Whatever people type anywhere, every page shows it as words: nothing in it runs."""

from urllib.parse import quote

import pytest

from tests.journeys.whole_site import (
    SECRET,
    WALKERS,
    addresses,
    dashboard_addresses,
    fill_city,
    public_addresses,
    sign_in_browser,
    visit,
)

pytestmark = pytest.mark.browser

WORDS = """=cmd|' /C calc'!A0"><script>window.ran=1</script><img src=x onerror=window.ran=1>{{7*7}}"""
REFLECTING = (
    "/staff/communities?search=",
    "/staff/audit?action=",
    "/dashboards/?lang=en&region=",
    "/dashboards/community/?community=",
    "/dashboards/criterion/?what_if=",
    "/?lang=",
)
FORMS = ("/staff/accounts", "/staff/rounds/new", "/staff/entry", "/staff/receipts", "/staff/complaints/secret", "/")
TEXT_FIELDS = "main input:is([type=text], [type=search], :not([type])), main textarea"


class Watched:
    """A page, and all that shows that something on it ran."""

    def __init__(self, page, address):
        self.page, self.address, self.alarms, self.seen = page, address, [], ""
        page.on("dialog", lambda dialog: self.alarms.append(dialog.message) or dialog.dismiss())
        page.on("pageerror", lambda error: self.alarms.append(str(error)))
        page.on("console", self._hear)
        page.on("request", self._notice)

    def _hear(self, said):
        # That a page says no is told by the console too.
        if said.type in ("error", "warning") and "Failed to load resource" not in said.text:
            self.alarms.append(said.text)

    def _notice(self, request):
        if not request.url.startswith((self.address, "data:", "blob:")) or request.url.endswith("/x"):
            self.alarms.append(request.url)

    def visit(self, path):
        visit(self.page, f"{self.address}{path}")
        self.check(path)

    def check(self, path):
        assert self.page.evaluate("window.ran") is None, path
        assert self.alarms == [], path
        text = self.page.locator("body").inner_text()
        assert "=cmd|' /C calc'!A0\">49" not in text
        self.seen += text


@pytest.fixture
def city(sqlite_database):
    return fill_city(sqlite_database, words=WORDS)


@pytest.fixture
def watched(open_page, site_address):
    return Watched(open_page(viewport={"width": 1440, "height": 900}), site_address)


def test_nothing_that_was_stored_runs_on_any_page(app, city, watched):
    for path in public_addresses(city):
        watched.visit(path)
    watched.visit(f"/complaint/{city['complaint']}")
    watched.page.locator("input[name=secret]").fill(SECRET)
    with watched.page.expect_navigation():
        watched.page.locator("input[name=secret]").press("Enter")
    watched.check("own case")
    for role in WALKERS:
        sign_in_browser(watched.page, app, watched.address, role)
        for path in addresses(app, city, role):
            watched.visit(path)
        if role == "city":
            for path in dashboard_addresses(city):
                watched.visit(path)

    # Every kind of word was shown, as it was typed.
    for name in ("滨河家园", "海勃湾区", "物业", "本轮", "评估", "电梯停了"):
        assert f"{name}{WORDS}" in watched.seen


def test_nothing_runs_that_stands_in_an_address_or_comes_back_with_a_form(app, city, watched):  # noqa: ARG001
    for path in (f"/sign-in?next={quote(WORDS)}", f"/s/{quote(WORDS)}", f"/complaint/{quote(WORDS)}"):
        watched.page.goto(f"{watched.address}{path}")
        watched.check(path)
    sign_in_browser(watched.page, app, watched.address, "city")
    for path in REFLECTING:
        watched.page.goto(f"{watched.address}{path}{quote(WORDS)}")
        watched.page.wait_for_load_state("networkidle")
        watched.check(path)
    for role in WALKERS:
        sign_in_browser(watched.page, app, watched.address, role)
        for path in FORMS:
            send_words(watched, path)


def send_words(watched, path):
    """Type the words into every field of a page's last form and send it."""
    answer = watched.page.goto(f"{watched.address}{path}")
    if not answer.ok:
        return
    form = watched.page.locator("main form:has(:is(button.primary, [type=search]))").last
    for field in form.locator(TEXT_FIELDS).all():
        field.fill(WORDS)
    for field in form.locator("[type=date]").all():
        field.fill("2099-09-01")
    with watched.page.expect_navigation():
        form.evaluate("form => { form.noValidate = true; form.requestSubmit(form.querySelector('.primary')); }")
    watched.check(path)
