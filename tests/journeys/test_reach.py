"""Every page and state of a resident's way suits a small phone, large print, a screen reader and a thumb."""

from datetime import UTC, datetime, timedelta
from importlib.resources import files

import pytest
from playwright.sync_api import expect
from sqlalchemy import update
from sqlalchemy.exc import OperationalError

from survey_app.models import Round
from survey_app.storage.group_commit import Writer
from tests.factories import make_poster_code
from tests.journeys.form_steps import answer_the_least, choose, go_on, receipt_number, send

pytestmark = pytest.mark.browser

AXE = (files("axe_playwright_python") / "axe.min.js").read_text("utf-8")
AXE_FINDINGS = """async () => (await axe.run(document)).violations.map(
    found => found.id + ": " + found.nodes.map(node => node.target.join(" ")).join(", "))"""
# What can be tapped, but for links within a sentence, which may be as high as its lines.
SMALL_TARGETS = """() => [...document.querySelectorAll("a, button, summary, input:not([type=hidden]), textarea")]
    .filter(element => element.offsetParent && !element.closest(".skip, .notice p, .prose"))
    .map(element => [element, element.getBoundingClientRect()])
    .filter(([, box]) => box.width < 44 || box.height < 44)
    .map(([element, box]) => element.outerHTML.slice(0, 80) + ` ${box.width} × ${box.height}`)"""
TWICE_THE_TEXT_SIZE = """document.addEventListener("DOMContentLoaded", () => {
    document.documentElement.style.fontSize = "225%"; })"""
OVERFLOW = "() => document.documentElement.scrollWidth - document.documentElement.clientWidth"


def assert_within_reach(page):
    page.evaluate(AXE)
    assert page.evaluate(AXE_FINDINGS) == []
    assert page.evaluate(SMALL_TARGETS) == []
    assert page.evaluate(OVERFLOW) <= 0


@pytest.fixture(params=["zh-Hans at 390 px", "en at 320 px", "en in large print", "zh-Hans at twice the text size"])
def small_page(phone, request):
    """A phone and what its addresses ask for."""
    language, _, manner = request.param.partition(" ")
    page = phone(viewport={"width": 320 if "320" in manner else 390, "height": 700})
    if "twice" in manner:
        page.add_init_script(TWICE_THE_TEXT_SIZE)
    page.asked = f"?lang={language}" + ("&text=large" if "large" in manner else "")
    return page


def test_the_way_from_poster_to_receipt_is_within_reach(small_page, poster):
    page = small_page
    page.goto(f"{poster}{page.asked}")
    assert_within_reach(page)
    page.locator("[data-next]").click()
    expect(page.locator(".fault").first).to_be_visible()
    assert_within_reach(page)
    page.locator("#q01 input").nth(1).check()
    go_on(page)
    assert_within_reach(page)
    page.reload()
    page.goto("about:blank")
    page.goto(f"{poster}{page.asked}")
    expect(page.locator("[data-restored]")).to_be_visible()
    assert_within_reach(page)
    page.goto(f"{poster}{page.asked}#q16")
    page.locator("#q16 input").first.check()
    page.goto(f"{poster}{page.asked}#q19")
    page.locator("#q17 input").first.check()
    page.locator("#q18 input").first.check()
    assert_within_reach(page)
    page.goto(f"{poster}{page.asked}#q24")
    page.locator("#q24 textarea").fill("字" * 500)
    assert_within_reach(page)
    go_on(page)
    assert_within_reach(page)
    page.context.set_offline(True)
    send(page)
    expect(page.locator("[data-when=kept]")).to_be_visible()
    assert_within_reach(page)
    page.context.set_offline(False)
    receipt_number(page)
    assert_within_reach(page)
    receipt = page.url.partition("?")[0]
    for offered in ("correction", "withdrawal"):
        page.goto(f"{receipt}/{offered}{page.asked}")
        assert_within_reach(page)
    page.goto(f"{poster}{page.asked}")
    expect(page.locator("[data-sent-before]")).to_be_visible()
    assert_within_reach(page)


def test_the_form_on_one_page_is_within_reach_with_faults_and_with_a_conflict(small_page, poster):
    page = small_page
    page.route("**/form.js*", lambda route: route.abort())
    page.goto(f"{poster}{page.asked}")
    assert_within_reach(page)
    key = page.locator("input[name=key]").input_value()
    send(page)
    expect(page.locator(".summary")).to_be_visible()
    assert_within_reach(page)
    page.locator("#q01 input").nth(1).check()
    page.locator("#q16 input").first.check()
    send(page)
    receipt_number(page)
    page.goto(f"{poster}{page.asked}")
    page.locator("#q01 input").nth(2).check()
    page.locator("#q16 input").first.check()
    page.locator("input[name=key]").evaluate("(element, key) => { element.value = key }", key)
    send(page)
    expect(page.locator("h1")).to_be_visible()
    assert_within_reach(page)
    page.locator("[data-when=ready] button").last.click()
    assert len(receipt_number(page)) == 14


def test_pages_beside_the_way_and_pages_that_say_no_are_within_reach(
    small_page, poster, site_address, sqlite_database, monkeypatch
):
    page = small_page
    with sqlite_database.writing() as session:
        revoked = make_poster_code(session, revoked_at=datetime.now(UTC)).token
    for address in ("/", "/privacy-of-nobody", f"/s/{revoked}", "/s/unknown", "/r/12345678901234"):
        page.goto(f"{site_address}{address}{page.asked}")
        assert_within_reach(page)
    page.goto(f"{site_address}/{page.asked}")
    page.locator("#number").fill("123")
    page.locator("main button.primary").click()
    expect(page.locator(".fault")).to_be_visible()
    assert_within_reach(page)
    for address in (f"{poster}/privacy", poster.replace("/s/", "/c/")):
        page.goto(f"{address}{page.asked}")
        assert_within_reach(page)

    page.route("**/form.js*", lambda route: route.abort())
    for error in (OperationalError("INSERT", {}, Exception("disk full")), RuntimeError("a fault")):
        page.goto(f"{poster}{page.asked}")
        page.locator("#q01 input").nth(1).check()
        page.locator("#q16 input").first.check()
        with monkeypatch.context() as context:

            def fail(*_arguments, error=error, **_named):
                raise error

            context.setattr(Writer, "insert_once", fail)
            send(page)
            expect(page.locator("button.primary")).to_be_visible()
            assert_within_reach(page)

    with sqlite_database.writing() as session:
        session.execute(update(Round).values(closes_at=datetime.now(UTC) - timedelta(seconds=1)))
    page.goto(f"{poster}{page.asked}")
    assert_within_reach(page)


def size_of_letters(page):
    """The size of the letters of the first question, in pixels."""
    size = page.locator("#q01 legend").evaluate("element => getComputedStyle(element).fontSize")
    return float(size.removesuffix("px"))


def test_large_print_is_remembered_by_the_phone_and_can_be_left_again(phone, poster):
    page = phone()
    page.goto(poster)
    small = size_of_letters(page)
    choose(page, "q01", "满意")
    page.get_by_role("button", name="大字版").click()
    assert size_of_letters(page) > small * 1.3
    expect(page.locator("#q01 input[value='4']")).to_be_checked()
    page.goto(poster)
    expect(page.locator("html.large")).to_be_visible()
    page.get_by_role("button", name="标准版").click()
    page.goto(poster)
    expect(page.locator("html.large")).to_have_count(0)
    assert page.context.cookies() == []


def test_without_javascript_links_carry_large_print(phone, poster):
    page = phone(javascript=False)
    page.goto(f"{poster}?text=large")
    page.locator(".notice summary").click()
    page.locator(".notice a").click()
    expect(page.locator("html.large")).to_be_visible()
    page.get_by_role("link", name="标准版").click()
    expect(page.locator("html.large")).to_have_count(0)


def test_what_is_chosen_stands_out_in_colours_of_the_readers_own(phone, poster):
    page = phone(forced_colors="active")
    page.goto(poster)
    choose(page, "q01", "满意")
    page.locator("#q01 input[value='4']").blur()

    outline = "element => getComputedStyle(element).outlineStyle"
    assert page.locator("#q01 input:checked + span").evaluate(outline) == "solid"
    assert page.locator("#q01 input[value='5'] + span").evaluate(outline) == "none"


def test_the_receipt_prints_what_is_needed_and_nothing_else(phone, poster):
    page = phone()
    page.goto(poster)
    answer_the_least(page)
    send(page)
    receipt_number(page)
    page.emulate_media(media="print")

    expect(page.locator(".number")).to_be_visible()
    expect(page.get_by_text("阳光家园")).to_be_visible()
    for hidden in ("header", ".button", ".aside"):
        expect(page.locator(hidden).first).to_be_hidden()
