"""A complaint on a phone: from the words to the secret, and from the answer to the resident's verdict."""

import io
import re
from datetime import UTC, datetime

import pytest
from PIL import Image
from playwright.sync_api import expect
from sqlalchemy import func, select

from survey_app.models import Attachment, Community, Complaint, ComplaintSupport
from tests.factories import make_complaint
from tests.journeys.test_reach import assert_within_reach, small_page  # noqa: F401 (a fixture)
from tests.survey_app.complaints.test_category_search import EVERYDAY_WORDS
from tests.survey_app.complaints.test_views import answer

pytestmark = pytest.mark.browser

NO_PHOTO = {"name": "x.jpg", "mimeType": "image/jpeg", "buffer": b"no photo"}
TEXT = "南门消防通道天天被蒙C12345堵住，找过王师傅多次没人管，电话13800138000"


@pytest.fixture
def form_address(site_address, token):
    return f"{site_address}/c/{token}"


def photo(width=2400, height=1800):
    stream = io.BytesIO()
    Image.effect_noise((width, height), 60).convert("RGB").save(stream, "JPEG", quality=90)
    return {"name": "photo.jpg", "mimeType": "image/jpeg", "buffer": stream.getvalue()}


def choose_subject(page, category):
    """Open the tile of the group, unless it is open, and tap the subject."""
    subject = page.locator(f".tiles input[value={category}]")
    if not subject.is_visible():
        page.locator(".tiles details", has=page.locator(f"[value={category}]")).locator("summary").click()
    subject.check()


def fill(page, *, text=TEXT, category="PK01"):
    choose_subject(page, category)
    page.locator("#text").fill(text)
    page.locator("#place").fill("南门")


def press(page):
    page.locator("#form button.primary:visible").click()


def file_case(page, address):
    """Go all the way and return reference and secret."""
    page.goto(address)
    fill(page)
    press(page)
    expect(page.locator("blockquote")).to_be_visible()
    press(page)
    return numbers(page)


def numbers(page):
    expect(page.locator(".tick")).to_be_visible()
    return [number.replace(" ", "") for number in page.locator(".number").all_inner_texts()]


def count(database, table=Complaint):
    with database.reading() as session:
        return session.scalar(select(func.count()).select_from(table))


@pytest.mark.parametrize("javascript", [True, False], ids=["with-javascript", "without-javascript"])
@pytest.mark.parametrize("language", ["zh-Hans", "en"])
def test_a_complaint_goes_from_words_to_verdict(phone, form_address, sqlite_database, language, javascript):
    page = phone(javascript=javascript)
    page.goto(f"{form_address}?lang={language}")
    fill(page)
    page.set_input_files("#photo", [photo(), NO_PHOTO])
    page.locator("#contact").fill("13900139000")
    page.locator("[name=consent]").check()
    press(page)

    shown = page.locator("blockquote")
    expect(shown).to_contain_text("南门消防通道")
    for hidden in ("12345", "王", "13800138000"):
        expect(shown).not_to_contain_text(hidden)
    expect(page.locator(".fault")).to_have_count(1)
    expect(page.locator(".photos img")).to_have_count(1)
    expect(page.locator("[name=kind]:checked")).to_have_value("complaint")
    assert count(sqlite_database) == 0
    press(page)
    reference, secret = numbers(page)
    assert count(sqlite_database, Attachment) == 1

    answer(sqlite_database, reference, text="已装隔离桩")
    page.goto(f"{form_address.rsplit('/c/')[0]}/complaint/{reference}?lang={language}")
    expect(page.locator("main")).not_to_contain_text("消防通道")
    page.locator("#secret").fill(f"{secret[:4]} {secret[4:]}")
    press(page)
    expect(page.locator(".history")).to_contain_text("已装隔离桩")
    page.get_by_text(re.compile("^(未解决|It is not fixed)$")).click()
    page.locator("#text").fill("又停了一辆")
    page.locator("button[value=rejected]").click()
    expect(page.locator(".done-note")).to_be_visible()
    expect(page.locator(".history")).to_contain_text("又停了一辆")
    with sqlite_database.reading() as session:
        assert session.scalar(select(Complaint.status)) == "reopened"
    assert page.faults == []
    assert page.context.cookies() == []


def test_subjects_are_found_by_the_words_of_residents(phone, form_address):
    page = phone()
    page.goto(form_address)
    for typed, code in EVERYDAY_WORDS:
        page.locator("#find").fill(typed)
        page.locator("#found button").first.click()
        expect(page.locator(f".tiles [value={code}]")).to_be_checked()
    page.locator("#find").fill("不存在的词")
    expect(page.locator("#found")).to_contain_text("没有找到")
    page.locator("#find").press("Enter")
    expect(page.locator("#find")).to_be_visible()


def test_a_large_photo_is_made_small_on_the_phone(phone, form_address, sqlite_database):
    page = phone()
    sizes = []
    page.on("request", lambda request: sizes.append(len(request.post_data_buffer or b"")))
    page.goto(form_address)
    fill(page)
    large = photo(3000, 2000)
    page.set_input_files("#photo", large)
    page.wait_for_function("() => document.querySelector('[data-photo]').getAttribute('data-small') === '1'")
    press(page)
    expect(page.locator(".photos img")).to_have_count(1)

    assert max(sizes) < len(large["buffer"]) / 2
    assert count(sqlite_database, Attachment) == 1


def test_the_link_to_keep_fills_in_the_secret_and_leaves_it_in_no_address(phone, form_address):
    page = phone()
    _reference, secret = file_case(page, form_address)
    link = page.locator(".card a[href*='#']").get_attribute("href")
    asked = []
    page.on("request", lambda request: asked.append(request.url))

    page.goto("about:blank")
    page.goto(f"{form_address.rsplit('/c/')[0]}{link}")
    expect(page.locator("#secret")).to_have_value(secret)
    expect(page.locator("[name=proof]")).to_have_value(re.compile(r"[0-9a-f]{32}"))
    assert secret not in page.url
    press(page)

    expect(page.locator(".history")).to_be_visible()
    assert link.split("#")[0] in page.url
    assert not any(re.search(rf"{secret}(?!.*#)", address.split("#")[0]) for address in asked)


def test_a_neighbour_says_me_too_once_from_one_phone(phone, form_address, sqlite_database):
    with sqlite_database.writing() as session:
        community = session.scalars(select(Community)).one()
        make_complaint(session, community, category="PK01", place="南门消防通道旁", submitted_at=datetime.now(UTC))
    page = phone()
    for _visit in range(2):
        page.goto(form_address)
        fill(page)
        press(page)
        page.locator(".similar button").click()
        expect(page.locator(".tick")).to_be_visible()
    page.get_by_role("button", name="我的也提交").click()
    expect(page.locator("blockquote")).to_contain_text("南门消防通道")

    assert (count(sqlite_database, ComplaintSupport), count(sqlite_database)) == (1, 1)


def test_what_was_typed_is_kept_on_the_phone_while_the_network_is_away_and_sent_once(
    phone, form_address, sqlite_database
):
    page = phone()
    page.goto(form_address)
    fill(page)
    press(page)
    expect(page.locator("blockquote")).to_be_visible()
    page.context.set_offline(True)
    press(page)
    expect(page.get_by_text("尚未提交，已暂存本机")).to_be_visible()
    assert count(sqlite_database) == 0

    page.context.set_offline(False)
    numbers(page)
    assert count(sqlite_database) == 1


def test_a_lost_reply_is_asked_for_again_and_shows_the_first_secret(phone, form_address, sqlite_database):
    page = phone()
    page.goto(form_address)
    fill(page)
    press(page)
    expect(page.locator("blockquote")).to_be_visible()
    lost = []

    def lose(route):
        if lost:
            route.continue_()
        else:
            lost.append(route.fetch().text())
            route.abort("connectionreset")

    page.route("**/c/*", lose)
    press(page)

    reference, secret = numbers(page)
    assert count(sqlite_database) == 1
    plain = lost[0].replace(" ", "")
    assert reference in plain
    assert secret in plain


@pytest.mark.parametrize("javascript", [True, False])
def test_a_double_tap_files_one_case(phone, form_address, sqlite_database, javascript):
    page = phone(javascript=javascript)
    page.goto(form_address)
    fill(page)
    press(page)
    expect(page.locator("blockquote")).to_be_visible()
    page.locator("#form button.primary:visible").dblclick()

    numbers(page)
    assert count(sqlite_database) == 1


def test_what_was_checked_can_be_changed_without_javascript(phone, form_address):
    page = phone(javascript=False)
    page.goto(form_address)
    fill(page)
    press(page)
    expect(page.locator("blockquote")).to_be_visible()
    page.get_by_role("button", name="返回修改").click()
    expect(page.locator("#text")).to_have_value(TEXT)
    expect(page.locator(".tiles [value=PK01]")).to_be_checked()


def test_the_back_button_of_the_phone_finds_the_words_again(phone, form_address):
    page = phone()
    page.goto(form_address)
    fill(page)
    press(page)
    expect(page.locator("blockquote")).to_be_visible()
    page.reload()
    expect(page.locator("#text")).to_have_value(TEXT)
    expect(page.locator("[data-restored]")).to_be_visible()


def test_the_language_can_be_changed_without_losing_a_word(phone, form_address):
    page = phone(javascript=False)
    page.goto(form_address)
    fill(page)
    page.locator(".switch-language").click()
    expect(page.locator("html")).to_have_attribute("lang", "en")
    expect(page.locator("#text")).to_have_value(TEXT)
    press(page)
    page.locator(".switch-language").click()
    expect(page.locator("html")).to_have_attribute("lang", "zh-Hans")
    expect(page.locator("blockquote")).to_contain_text("南门消防通道")


def test_every_page_of_a_complaint_is_within_reach(small_page, form_address, sqlite_database):  # noqa: F811
    page = small_page
    with sqlite_database.writing() as session:
        community = session.scalars(select(Community)).one()
        make_complaint(session, community, category="PK01", place="南门消防通道旁", submitted_at=datetime.now(UTC))
    page.goto(f"{form_address}{page.asked}")
    page.locator("#find").fill("lift" if "en" in page.asked else "电梯")
    assert_within_reach(page)
    press(page)
    expect(page.locator(".summary")).to_be_visible()
    assert_within_reach(page)
    fill(page)
    page.set_input_files("#photo", [photo(400, 300), NO_PHOTO])
    expect(page.locator(".previews img")).to_be_visible()
    assert_within_reach(page)
    press(page)
    expect(page.locator("blockquote")).to_be_visible()
    assert_within_reach(page)
    page.locator("form[action*=edit] button").click()
    expect(page.locator(".photo img")).to_be_visible()
    assert_within_reach(page)
    press(page)
    expect(page.locator("blockquote")).to_be_visible()
    press(page)
    reference, secret = numbers(page)
    assert_within_reach(page)
    answer(sqlite_database, reference, text="已装隔离桩")
    page.goto(f"{form_address.rsplit('/c/')[0]}/complaint/{reference}{page.asked}")
    assert_within_reach(page)
    page.locator("#secret").fill("1")
    press(page)
    expect(page.locator(".fault")).to_be_visible()
    assert_within_reach(page)
    page.locator("#secret").fill(secret)
    press(page)
    expect(page.locator(".history")).to_be_visible()
    assert_within_reach(page)
    page.locator("summary.button").click()
    assert_within_reach(page)
    page.locator("button[value=add]").click()
    expect(page.locator(".summary")).to_be_visible()
    assert_within_reach(page)
    page.locator("button[value=confirmed_fixed]").click()
    expect(page.locator(".done-note")).to_be_visible()
    assert_within_reach(page)
