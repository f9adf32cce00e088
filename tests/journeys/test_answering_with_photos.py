"""A resident adds photos to the answers, with and without JavaScript."""

import io

import pytest
from PIL import Image
from playwright.sync_api import expect
from sqlalchemy import select

from survey_app.models import Attachment
from tests.journeys.form_steps import choose, go_on_to, receipt_number, send
from tests.journeys.test_complaining import photo
from tests.journeys.test_reach import assert_within_reach, small_page  # noqa: F401
from tests.survey_app.responses.test_photo_uploads import poster_that_asks_for_photos

pytestmark = pytest.mark.browser

NO_PHOTO = {"name": "x.jpg", "mimeType": "image/jpeg", "buffer": b"no photo"}


@pytest.fixture
def token(sqlite_database):
    """The code of a poster while a round asks for photos."""
    return poster_that_asks_for_photos(sqlite_database)


def stored_photos(database):
    with database.reading() as session:
        rows = session.scalars(select(Attachment).where(Attachment.response_id.is_not(None)).order_by(Attachment.id))
        return [(row.question, Image.open(io.BytesIO(row.content)).size) for row in rows]


def test_photos_are_made_small_on_the_phone_listed_in_the_overview_and_kept_in_no_draft(phone, poster, sqlite_database):
    page = phone()
    sizes = []
    page.on("request", lambda request: sizes.append(len(request.post_data_buffer or b"")))
    page.goto(poster)
    choose(page, "q01", "满意")
    go_on_to(page, "q16")
    choose(page, "q16", "租户")
    go_on_to(page, "q25")
    expect(page.locator("#q26")).to_be_hidden()
    large = [photo(3000, 2000), photo(2400, 1800)]
    for number, file in enumerate(large, 1):
        page.set_input_files("#q25-photo", file)
        page.wait_for_function(f"() => document.querySelector('#q25-photo').getAttribute('data-small') === '{number}'")
    go_on_to(page, "review")
    expect(page.locator("#review dl")).to_contain_text("× 2")
    kept = page.evaluate("() => JSON.stringify(localStorage)")
    send(page)

    receipt_number(page)
    assert "q01" in kept
    assert "q25" not in kept
    assert stored_photos(sqlite_database) == [("q25", (1280, 853)), ("q25", (1280, 960))]
    assert max(sizes) < sum(len(file["buffer"]) for file in large) / 2
    assert page.faults == []


@pytest.mark.parametrize("language", ["zh-Hans", "en"])
def test_without_javascript_photos_outlive_a_fault_and_a_failed_one_is_named(phone, poster, sqlite_database, language):
    page = phone(javascript=False)
    page.goto(f"{poster}?lang={language}")
    page.locator("#q01 input[value='4']").check()
    page.set_input_files("#q25-photo", photo(400, 300))
    send(page)
    expect(page.locator("#q25 .photo img")).to_have_count(1)
    page.locator("#q16 input[value='2']").check()
    page.set_input_files("#q25-photo", NO_PHOTO)
    send(page)

    receipt_number(page)
    expect(page.locator(".note")).to_contain_text("JPEG")
    assert stored_photos(sqlite_database) == [("q25", (400, 300))]


def test_photos_that_outlived_a_fault_are_within_reach_and_stand_in_the_overview(
    small_page,  # noqa: F811
    poster,
    sqlite_database,
):
    page = small_page
    page.goto(f"{poster}{page.asked}")
    page.locator("#q01 input[value='4']").check()
    go_on_to(page, "q16")
    page.locator("#q16 input[value='2']").check()
    go_on_to(page, "q25")
    assert_within_reach(page)
    page.set_input_files("#q25-photo", photo(400, 300))
    page.set_input_files("#q25-photo", NO_PHOTO)
    page.evaluate("() => document.querySelector('#q16 input:checked').value = '7'")
    go_on_to(page, "review")
    send(page)
    expect(page.locator(".summary")).to_be_visible()
    page.locator("#q16 input[value='2']").check()
    go_on_to(page, "q25")
    expect(page.locator("#q25 .fault")).to_contain_text("JPEG")
    assert_within_reach(page)
    go_on_to(page, "review")
    expect(page.locator("#review a[href='#q25']").locator("..")).to_contain_text("1")
    send(page)

    receipt_number(page)
    assert stored_photos(sqlite_database) == [("q25", (400, 300))]
