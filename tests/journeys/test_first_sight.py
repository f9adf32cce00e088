"""What a resident sees first on a small phone, in both languages and both prints, and what large print reaches."""

import pytest
from playwright.sync_api import expect
from sqlalchemy import select

from survey_app.models import Attachment
from tests.journeys.form_steps import answer_the_least, receipt_number, send
from tests.journeys.test_complaining import choose_subject, photo
from tests.survey_app.complaints.test_category_search import EVERYDAY_WORDS

pytestmark = pytest.mark.browser

BOTTOM = "(selector) => document.querySelector(selector).getBoundingClientRect().bottom"
SMALL_TEXT = """() => [...document.querySelectorAll("main *, header *")]
    .filter(element => element.offsetParent && !element.closest(".unseen, .skip")
        && [...element.childNodes].some(node => node.nodeType === 3 && node.data.trim()))
    .filter(element => parseFloat(getComputedStyle(element).fontSize) < 30)
    .map(element => element.outerHTML.slice(0, 80))"""
SMALL_TARGETS = """() => [...document.querySelectorAll("a, button, summary, input:not([type=hidden]), textarea")]
    .filter(element => element.offsetParent && !element.closest(".skip, .notice p, .prose"))
    .map(element => [element, element.getBoundingClientRect()])
    .filter(([, box]) => box.height < 59.5 || box.width < 44)
    .map(([element, box]) => element.outerHTML.slice(0, 80) + ` ${box.width} × ${box.height}`)"""
COLOUR = "element => getComputedStyle(element).color"
GO = "rgb(8, 107, 63)"


@pytest.mark.parametrize("javascript", [True, False], ids=["with-javascript", "without"])
def test_the_first_question_is_in_sight_in_both_languages_and_prints(phone, poster, javascript):
    page = phone(javascript=javascript)
    for width, height in ((390, 844), (320, 568)):
        page.set_viewport_size({"width": width, "height": height})
        for asked in (
            "lang=zh-Hans&text=standard",
            "lang=en&text=standard",
            "lang=zh-Hans&text=large",
            "lang=en&text=large",
        ):
            page.goto(f"{poster}?{asked}")
            top = page.locator("#q01 legend").bounding_box()["y"]
            first = page.locator("#q01 label").first.bounding_box()
            line = 30 if "large" in asked else 18
            assert top + line <= height, (width, asked)
            if width == 390 or (javascript and "large" not in asked):
                assert first["y"] + first["height"] <= height, (width, asked)
            folded = page.locator(".notice summary").bounding_box()["height"]
            assert folded <= 2 * 1.5 * line + 16, (width, asked)
            assert page.evaluate("() => document.querySelector('.notice').open") is False
            for told in (".assurance", ".tel", ".notice summary"):
                assert page.locator(told).first.bounding_box()["y"] < top, (width, asked)


def test_large_print_reaches_30_pixels_of_text_and_60_of_targets(phone, poster):
    page = phone()
    for address in (poster, poster.replace("/s/", "/c/"), poster.partition("/s/")[0]):
        page.goto(f"{address}?text=large&lang=en")
        assert page.evaluate(SMALL_TEXT) == []
        assert page.evaluate(SMALL_TARGETS) == []


def test_a_number_is_copied_by_a_tap_and_withdrawing_is_not_in_the_colour_of_going_on(phone, poster):
    page = phone(permissions=["clipboard-read", "clipboard-write"])
    page.goto(poster)
    answer_the_least(page)
    send(page)
    number = receipt_number(page)
    page.locator(".copy").first.click()

    expect(page.locator(".copy").first).to_have_text("已复制")
    assert page.evaluate("() => navigator.clipboard.readText()") == number
    withdraw = page.get_by_role("link", name="撤回答卷")
    assert withdraw.evaluate(COLOUR) != GO
    assert page.get_by_role("link", name="更正答卷").evaluate(COLOUR) == GO
    withdraw.click()
    assert page.locator("main button.danger").evaluate("e => getComputedStyle(e).backgroundColor") == "rgb(180, 35, 24)"


def test_without_javascript_no_button_is_shown_that_would_do_nothing(phone, poster):
    page = phone(javascript=False)
    page.goto(poster)
    page.locator("#q01 input[value='4']").check()
    page.locator("#q16 input[value='1']").check()
    page.locator("[data-when=ready] button").click()
    page.wait_for_url("**/r/*")
    expect(page.locator(".copy").first).to_be_hidden()


def test_subjects_are_found_without_javascript_as_with_it(phone, poster):
    page = phone(javascript=False)
    page.goto(poster.replace("/s/", "/c/"))
    page.locator("#text").fill("家里只有十五度")
    for typed, code in EVERYDAY_WORDS[6:9]:
        page.locator("#find").fill(typed)
        page.get_by_role("button", name="查找").click()
        expect(page.locator("#found input").first).to_have_value(code)
        expect(page.locator("#text")).to_have_value("家里只有十五度")
    page.locator("#found label").first.click()
    page.locator("#form button.primary:visible").first.click()
    expect(page.locator("blockquote")).to_be_visible()


def test_photos_are_chosen_one_by_one_seen_and_taken_away_again(phone, poster, sqlite_database):
    page = phone()
    page.goto(poster.replace("/s/", "/c/"))
    choose_subject(page, "OT01")
    page.locator("#text").fill("路灯杆歪了")
    for width in (400, 410):
        page.set_input_files("#photo", photo(width, 300))
    expect(page.locator(".previews img")).to_have_count(2)
    page.get_by_role("button", name="去掉照片1").click()
    expect(page.locator(".previews img")).to_have_count(1)
    page.set_input_files("#photo", [photo(420, 300), photo(430, 300), photo(440, 300)])
    expect(page.locator(".previews img")).to_have_count(3)
    expect(page.locator(".file")).to_be_hidden()
    # With photos chosen the language button sends them along.
    page.locator(".switch-language").click()
    expect(page.locator("html")).to_have_attribute("lang", "en")
    expect(page.locator(".photo img")).to_have_count(3)

    with sqlite_database.reading() as session:
        assert len(session.scalars(select(Attachment.id)).all()) == 3
    assert page.faults == []


def test_what_can_be_ticked_shows_a_box(phone, poster):
    page = phone()
    page.goto(poster.replace("/s/", "/c/"))
    box = "() => { const s = getComputedStyle(document.querySelector('[name=consent] + span'), '::before');"
    assert page.evaluate(f"{box} return [parseFloat(s.width) >= 20, s.borderStyle, s.content] }}") == [
        True,
        "solid",
        '""',
    ]
    page.locator("[name=consent]").check()
    assert page.evaluate(f"{box} return s.content }}") == '"✓"'
