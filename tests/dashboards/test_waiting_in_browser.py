"""What is seen before a page is there, while it is drawn anew, and when no answer comes: never an endless wait."""

from importlib.resources import files

import pytest
from playwright.sync_api import expect

from analytics.languages import LANGUAGES
from dashboards.widgets.waiting import failure_words, long_wait_words
from tests.dashboards.test_in_browser import CHARTS, visit

pytestmark = pytest.mark.browser

AXE = (files("axe_playwright_python") / "axe.min.js").read_text("utf-8")
AXE_FINDINGS = "async () => (await axe.run(document)).violations.map(each => `${each.id}: ${each.nodes[0].html}`)"
CALLBACKS = "**/_dash-update-component*"
# Times of a wait that nobody waits for here: what appears after it is let appear.
END_ANIMATIONS = """() => document.getAnimations().forEach(each => {
    if (each.effect.getComputedTiming().iterations !== Infinity) each.finish();
})"""


def draws_content(route):
    return "content.children" in route.request.post_data_json["output"]


class Held:
    """Answers that draw a page, kept back until they are let go."""

    def __init__(self, page):
        self.routes, self.are_kept = [], True
        page.route(CALLBACKS, self._keep)

    def _keep(self, route):
        if self.are_kept and draws_content(route):
            self.routes.append(route)
        else:
            route.continue_()

    def let_go(self):
        self.are_kept = False
        for route in self.routes:
            route.continue_()


@pytest.fixture(params=LANGUAGES)
def language(request):
    return request.param


@pytest.mark.parametrize("width", [390, 1440])
def test_grey_shapes_are_seen_from_the_first_byte_on(open_page, dashboards_address, language, width):
    page = open_page(viewport={"width": width, "height": 900})
    page.route("**/*.js*", lambda route: route.abort())

    page.goto(f"{dashboards_address}?lang={language}", wait_until="commit")

    expect(page.locator("#waiting .skeleton")).to_be_visible()
    expect(page.locator("#waiting [aria-busy=true]")).to_have_count(1)
    assert page.locator("#waiting .bone:visible").count() > 5
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    expect(page.locator("#waiting .long-wait")).to_be_hidden()
    page.evaluate(END_ANIMATIONS)
    expect(page.locator("#waiting .long-wait")).to_be_visible()
    assert long_wait_words(language) in page.locator("#waiting .long-wait").inner_text()
    expect(page.locator("#waiting .long-wait a")).to_have_attribute("href", "")


@pytest.mark.parametrize("width", [390, 1440])
def test_grey_shapes_stand_in_the_frame_until_the_page_is_drawn(open_page, dashboards_address, language, width):
    page = open_page(viewport={"width": width, "height": 900})
    held = Held(page)
    page.goto(f"{dashboards_address}?lang={language}")

    expect(page.locator("#content .skeleton")).to_be_visible()
    expect(page.locator("#waiting")).to_be_hidden()
    expect(page.locator("#content")).to_have_attribute("aria-busy", "true")
    page.evaluate(AXE)
    assert page.evaluate(AXE_FINDINGS) == []
    held.let_go()

    page.locator(CHARTS).first.wait_for()
    expect(page.locator(".skeleton:visible")).to_have_count(0)
    expect(page.locator("#content")).to_have_attribute("aria-busy", "false")


def test_a_page_that_is_drawn_anew_keeps_its_places_and_hides_what_it_said(open_page, dashboards_address):
    page = open_page(viewport={"width": 1440, "height": 900})
    visit(page, f"{dashboards_address}?lang=en")
    before = page.locator("#qualified").bounding_box()
    held = Held(page)

    page.locator("#route").get_by_text("Complaint route").click()

    expect(page.locator("#content")).to_have_attribute("aria-busy", "true")
    page.evaluate(END_ANIMATIONS)
    expect(page.locator("#finding li").first).to_be_hidden()
    assert page.locator("#qualified").bounding_box() == before
    expect(page.locator("#route")).to_be_visible()
    held.let_go()
    page.get_by_text("How reliable the list is: Complaint route").wait_for()
    expect(page.locator("#finding li").first).to_be_visible()
    expect(page.locator("#content")).to_have_attribute("aria-busy", "false")


def test_nothing_pulses_for_those_who_want_no_motion(open_page, dashboards_address):
    for motion, pulses in (("reduce", False), ("no-preference", True)):
        page = open_page(viewport={"width": 1440, "height": 900}, reduced_motion=motion)
        page.route("**/*.js*", lambda route: route.abort())
        page.goto(f"{dashboards_address}?lang=en", wait_until="commit")
        expect(page.locator("#waiting .skeleton")).to_be_visible()
        names = page.evaluate("document.getAnimations().map(each => each.animationName)")
        assert ("pulse" in names) == pulses


@pytest.mark.parametrize(
    ("language", "status", "kind"),
    [
        ("zh-Hans", 0, "unreachable"),
        ("en", 401, "signed_out"),
        ("zh-Hans", 403, "forbidden"),
        ("en", 409, "outdated"),
        ("zh-Hans", 500, "failed"),
        ("en", 400, "failed"),
    ],
)
def test_an_answer_that_fails_is_told_with_the_next_step(open_page, dashboards_address, language, status, kind):
    page = open_page()

    def fail(route):
        if not draws_content(route):
            route.continue_()
        elif status:
            route.fulfill(status=status, body="")
        else:
            route.abort()

    page.route(CALLBACKS, fail)
    page.goto(f"{dashboards_address}?lang={language}&route=complaints")

    failure = page.locator("#failure")
    expect(failure).to_be_visible()
    words, link = failure_words(language)[kind]
    expect(failure.locator("p:visible")).to_have_text(f"{words} {link}")
    expect(page.locator(".skeleton:visible")).to_have_count(0)
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    page.evaluate(AXE)
    assert page.evaluate(AXE_FINDINGS) == []

    page.unroute(CALLBACKS, fail)
    failure.locator("a:visible").click()
    page.locator(CHARTS).first.wait_for()
    expect(page.locator("#failure")).to_be_hidden()
    assert "route=complaints" in page.url


@pytest.mark.parametrize("address", ["**/_dash-layout", "**/_dash-dependencies", "**/dash_renderer*"])
def test_a_part_of_the_frame_that_does_not_come_is_told_too(open_page, dashboards_address, address):
    page = open_page(viewport={"width": 1440, "height": 900})
    page.route(address, lambda route: route.abort())

    page.goto(f"{dashboards_address}?lang=en")

    expect(page.locator("#failure")).to_be_visible()
    expect(page.locator(".skeleton:visible")).to_have_count(0)


def test_a_failure_while_a_page_is_drawn_anew_goes_away_with_the_next_answer(open_page, dashboards_address):
    page = open_page(viewport={"width": 1440, "height": 900})
    visit(page, f"{dashboards_address}?lang=en")
    page.route(CALLBACKS, lambda route: route.fulfill(status=500, body=""))
    page.locator("#route").get_by_text("Complaint route").click()
    expect(page.locator("#failure")).to_be_visible()

    page.unroute_all()
    page.locator("#route").get_by_text("Satisfaction route").click()

    expect(page.locator("#failure")).to_be_hidden()
    expect(page.locator("#finding li").first).to_be_visible()


def test_who_leaves_a_page_before_it_is_drawn_is_told_nothing(open_page, dashboards_address):
    page = open_page(viewport={"width": 1440, "height": 900})
    held = Held(page)
    page.goto(f"{dashboards_address}?lang=en")
    expect(page.locator("#content .skeleton")).to_be_visible()
    held.let_go()

    visit(page, f"{dashboards_address}complaints/?lang=en")

    expect(page.locator("#failure")).to_be_hidden()
