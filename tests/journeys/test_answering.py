"""A resident answers on a phone: in steps with JavaScript, on one page without."""

import json

import pytest
from playwright.sync_api import expect
from sqlalchemy import func, select

from survey_app.models import Response
from tests.journeys.form_steps import answer_the_least, choose, go_back, go_on, go_on_to, receipt_number, send

pytestmark = pytest.mark.browser


def stored_answers(database):
    with database.reading() as session:
        return [json.loads(text) for text in session.scalars(select(Response.answers).order_by(Response.id))]


def count(database):
    with database.reading() as session:
        return session.scalar(select(func.count()).select_from(Response))


def test_the_first_screen_says_where_what_for_how_long_and_whom_to_call(phone, poster):
    page = phone()
    page.goto(poster)

    for text in ("海勃湾区", "阳光家园", "居民满意度调查", "约3分钟", "物业公司看不到您的个人答卷", "0473-2058000"):
        element = page.locator("main").get_by_text(text).first
        expect(element).to_be_in_viewport()
    expect(page.get_by_text("个人信息处理说明").first).to_be_in_viewport()
    heading = page.get_by_role("heading", level=1)
    assert float(heading.evaluate("element => getComputedStyle(element).fontSize").removesuffix("px")) >= 30


@pytest.mark.parametrize(
    ("language", "words"),
    [
        ("zh-Hans", ("满意", "有", "没有", "怕有麻烦", "租户", "不满意")),
        ("en", ("Satisfied", "Yes", "No", "Feared trouble", "Tenant", "Dissatisfied")),
    ],
)
def test_all_is_answered_in_steps_checked_changed_and_sent(phone, poster, sqlite_database, language, words):
    satisfied, has_problem, did_not_complain, feared, tenant, dissatisfied = words
    page = phone()
    page.goto(f"{poster}?lang={language}")
    choose(page, "q01", satisfied)
    go_on_to(page, "q16")
    choose(page, "q16", tenant)
    go_on_to(page, "q17")
    expect(page.locator("#q18")).to_be_hidden()
    choose(page, "q17", has_problem)
    choose(page, "q18", did_not_complain)
    expect(page.locator("#q19")).to_be_hidden()
    choose(page, "q21", feared)
    go_on_to(page, "q24")
    page.locator("#q24 textarea").fill("路灯不亮 <b>")
    go_on_to(page, "review")
    expect(page.locator("#review dl")).to_contain_text("路灯不亮 <b>")
    expect(page.locator("#review dl")).to_contain_text(feared)

    page.locator("#review a[href='#q01']").click()
    choose(page, "q01", dissatisfied)
    page.locator("[data-to-review]").click()
    expect(page.locator("#review dd").first).to_contain_text(dissatisfied)
    send(page)

    number = receipt_number(page)
    expect(page.locator("[data-acknowledged]")).to_be_visible()
    with sqlite_database.reading() as session:
        stored = session.scalars(select(Response)).one()
    assert (stored.receipt, stored.language) == (number, language)
    assert json.loads(stored.answers) == {
        "q01": 2, "q16": 2, "q17": 1, "q18": 2, "q21": 4, "q24": "路灯不亮 <b>"
    }  # fmt: skip
    assert page.context.cookies() == []
    assert page.faults == []


@pytest.mark.parametrize("language", ["zh-Hans", "en"])
def test_without_javascript_one_page_asks_all_and_keeps_all_when_one_is_missing(
    phone, poster, sqlite_database, language
):
    page = phone(javascript=False)
    page.goto(f"{poster}?lang={language}")
    expect(page.locator("#q24 textarea")).to_be_visible()
    page.locator("#q01 input[value='4']").check()
    page.locator("#q24 textarea").fill("路灯不亮")
    send(page)

    expect(page.locator(".summary")).to_be_visible()
    page.locator(".summary a[href='#q16']").click()
    page.locator("#q16 input[value='2']").check()
    send(page)

    assert len(receipt_number(page)) == 14
    assert stored_answers(sqlite_database) == [{"q01": 4, "q16": 2, "q24": "路灯不亮"}]


def test_without_javascript_language_and_print_change_and_nothing_typed_is_lost(phone, poster, sqlite_database):
    page = phone(javascript=False)
    page.goto(poster)
    page.locator("#q01 input[value='4']").check()
    page.locator("#q24 textarea").fill("路灯不亮")
    page.get_by_role("button", name="English").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Sunshine Homes")
    page.get_by_role("button", name="Large print").click()
    expect(page.locator("html.large")).to_be_visible()
    send(page)  # the tenure is missing
    expect(page.locator(".summary")).to_be_visible()
    page.get_by_role("button", name="中文").click()
    expect(page.locator("#q24 textarea")).to_have_value("路灯不亮")
    expect(page.locator("html.large")).to_be_visible()
    page.locator("#q16 input[value='1']").check()
    send(page)

    receipt_number(page)
    expect(page.locator("html.large")).to_be_visible()
    assert stored_answers(sqlite_database) == [{"q01": 4, "q16": 1, "q24": "路灯不亮"}]


def test_with_javascript_the_language_changes_at_the_same_step_and_nothing_typed_is_lost(
    phone, poster, sqlite_database
):
    page = phone()
    page.goto(poster)
    choose(page, "q01", "满意")
    go_on(page)
    choose(page, "q02", "一般")
    page.get_by_role("button", name="English").click()
    expect(page.locator("#part-surroundings h2")).to_have_text("Cleanliness and greenery")
    expect(page.locator("#q02 input[value='3']")).to_be_checked()
    go_on_to(page, "q16")
    choose(page, "q16", "Tenant")
    go_on_to(page, "review")
    send(page)

    receipt_number(page)
    assert stored_answers(sqlite_database) == [{"q01": 4, "q02": 3, "q16": 2}]


def test_a_required_question_is_asked_again_at_its_step(phone, poster):
    page = phone()
    page.goto(poster)
    page.locator("[data-next]").click()

    expect(page.locator("#q01-fault")).to_have_text("请选择一项。")
    expect(page.locator("#q01 input").first).to_be_focused()
    choose(page, "q01", "满意")
    expect(page.locator("#q01-fault")).to_have_count(0)
    go_on(page)
    expect(page.locator("#q02")).to_be_visible()


def test_a_fault_that_only_the_site_found_is_shown_at_its_step_with_all_answers(phone, poster, sqlite_database):
    page = phone()
    page.goto(poster)
    answer_the_least(page)
    page.locator("#review a[href='#q24']").click()
    page.locator("#q24 textarea").evaluate("element => element.removeAttribute('maxlength')")
    page.locator("#q24 textarea").fill("字" * 501)
    page.locator("[data-to-review]").click()
    send(page)

    expect(page.locator("#q24-fault")).to_be_visible()
    expect(page.locator(".summary")).to_be_focused()
    expect(page.locator("#q01")).to_be_hidden()
    page.locator("#q24 textarea").fill("字" * 500)
    go_on_to(page, "review")
    send(page)
    receipt_number(page)
    assert stored_answers(sqlite_database) == [{"q01": 4, "q16": 2, "q24": "字" * 500}]


def test_the_back_button_of_the_phone_goes_a_step_back_and_keeps_the_answers(phone, poster):
    page = phone()
    page.goto(poster)
    choose(page, "q01", "满意")
    go_on(page)
    choose(page, "q02", "一般")
    go_on(page)
    expect(page.locator("#part-upkeep h2")).to_be_focused()

    page.go_back()
    expect(page.locator("#q02")).to_be_visible()
    expect(page.locator("#q02 input[value='3']")).to_be_checked()
    go_back(page)
    expect(page.locator("#q01")).to_be_visible()
    page.go_forward()
    expect(page.locator("#q02")).to_be_visible()


def test_going_back_from_the_receipt_warns_against_sending_twice(phone, poster):
    page = phone()
    page.goto(poster)
    answer_the_least(page)
    send(page)
    receipt_number(page)

    page.go_back()
    expect(page.locator("[data-sent-before]")).to_be_attached()
    page.goto(poster)
    expect(page.locator("[data-sent-before]")).to_be_visible()
    expect(page.locator("#q01 input:checked")).to_have_count(0)


def test_tapping_twice_sends_once(phone, poster, sqlite_database):
    page = phone()
    page.goto(poster)
    answer_the_least(page)
    page.locator("[data-when=ready] button").dblclick()

    receipt_number(page)
    assert count(sqlite_database) == 1


def test_all_can_be_done_with_a_keyboard(phone, poster, sqlite_database):
    page = phone(has_touch=False, is_mobile=False)
    page.goto(poster)

    def tab_to(selector):
        for _ in range(60):
            page.keyboard.press("Tab")
            if page.evaluate("selector => document.activeElement.matches(selector)", selector):
                return
        raise AssertionError(f"no Tab leads to {selector}")

    tab_to("#q01 input")
    page.keyboard.press("ArrowRight")
    page.keyboard.press("Enter")
    expect(page.locator("#part-surroundings h2")).to_be_focused()
    while not page.locator("#q16").is_visible():
        tab_to("[data-next]")
        heading = page.locator("[data-step]:not([hidden]) h2").inner_text()
        page.keyboard.press("Space")
        expect(page.locator("[data-step]:not([hidden]) h2")).not_to_have_text(heading)
    tab_to("#q16 input")
    page.keyboard.press("Space")
    for _ in range(3):
        tab_to("[data-next]")
        heading = page.locator("[data-step]:not([hidden]) h2").inner_text()
        page.keyboard.press("Enter")
        expect(page.locator("[data-step]:not([hidden]) h2")).not_to_have_text(heading)
    tab_to("[data-when=ready] button")
    page.keyboard.press("Enter")

    receipt_number(page)
    assert stored_answers(sqlite_database) == [{"q01": 4, "q16": 1}]
