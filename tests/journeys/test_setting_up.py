"""An empty installation leads by the links of its checklist alone to the first answer of a resident."""

from datetime import UTC, datetime
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

import pytest
from playwright.sync_api import expect
from pyotp import TOTP
from sqlalchemy import select

from survey_app.accounts.invitations import open_first_run
from survey_app.models import Code
from tests.accounts import PASSWORD, SECRET_KEY
from tests.journeys.form_steps import answer_the_least, receipt_number, send
from tests.survey_app.register.test_communities_file import ROWS, csv_file

pytestmark = pytest.mark.browser

DESK = {"width": 1440, "height": 900}


def come_to_account(page, address, *, username=None):
    """Choose a password, link an authenticator, keep the recovery codes: until the staff home."""
    page.goto(address)
    if username is not None:
        page.locator("#username").fill(username)
    page.locator("#password").fill(PASSWORD)
    page.locator("main button.primary").click()
    secret = page.locator("code.secret").inner_text().replace(" ", "")
    page.locator("#code").fill(TOTP(secret).now())
    page.locator("main button.primary").click()
    page.locator("main a.primary").click()


def follow(page, home, key):
    """Follow the link of a step of the checklist on the staff home."""
    page.goto(home)
    page.locator(f"#step-{key} a").click()


def freeze(page, name):
    row = page.locator("li").filter(has=page.get_by_text(name, exact=True))
    row.get_by_role("button", name="直接定稿").click()


def follow_folded(page, home, key):
    """Follow a link of the checklist, which is folded up once residents can answer."""
    page.goto(home)
    page.locator(".preparation > details > summary").click()
    page.locator(f"#step-{key} a").click()


def import_list(page):
    page.locator("#file").set_input_files({"name": "小区.csv", "mimeType": "text/csv", "buffer": csv_file(*ROWS)})
    page.locator("main form .submit button").click()


def test_a_new_city_follows_its_checklist_until_a_resident_has_answered(
    site_address, open_page, sqlite_database, tmp_path
):
    home, now = f"{site_address}/staff/", datetime.now(UTC)
    with sqlite_database.reading() as session:
        first_run = open_first_run(session, secret_key=SECRET_KEY, now=now)
    administrator, desk = open_page(viewport=DESK), open_page(viewport=DESK)

    come_to_account(administrator, f"{site_address}/first-run/{first_run}", username="chen.jie")
    follow(administrator, home, "city_accounts")
    administrator.locator("#username").fill("li.na")
    administrator.locator("#role").select_option("city")
    administrator.locator("main form button.primary").click()
    invitation = urlsplit(administrator.locator("#link").input_value()).path
    come_to_account(desk, f"{site_address}{invitation}")
    expect(desk.locator("#step-city_accounts")).not_to_be_visible()

    follow(desk, home, "questionnaire")
    freeze(desk, "resident-satisfaction-2.yaml")
    follow(desk, home, "rules")
    freeze(desk, "wuhai-2021-08-23.yaml")
    follow(desk, home, "communities")
    import_list(desk)
    follow(desk, home, "poster_codes")
    desk.locator("form[action*=codes] button").first.click()
    follow(desk, home, "round")
    desk.locator("#name").fill("2026年调查")
    today = now.astimezone(ZoneInfo("Asia/Shanghai")).date().isoformat()
    desk.locator("#opens").fill(today)
    desk.locator("#last_day").fill(f"{now.year + 1}-12-01")
    desk.locator("#keep_until").fill(f"{now.year + 2}-12-01")
    desk.locator("button[value=create]").click()
    expect(desk.get_by_role("heading", name="2026年调查")).to_be_visible()
    follow_folded(desk, home, "posters")
    with desk.expect_download() as download:
        desk.locator("[aria-labelledby=posters] form button").click()
    download.value.save_as(tmp_path / "posters.zip")
    desk.goto(home)
    expect(desk.locator("#step-posters a")).not_to_be_visible()

    with sqlite_database.reading() as session:
        token = session.scalars(select(Code.token)).first()
    phone = open_page()
    phone.goto(f"{site_address}/s/{token}")
    answer_the_least(phone)
    send(phone)
    assert receipt_number(phone)
