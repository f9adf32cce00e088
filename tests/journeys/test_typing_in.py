"""A clerk types in a pile of paper with one hand, and puts a typing error right."""

import json
from datetime import UTC, datetime, timedelta

import pytest
from playwright.sync_api import expect
from sqlalchemy import select

from survey_app.codes.codes import issue_slips, new_slips
from survey_app.models import Response
from tests.accounts import PASSWORD, current_code, make_account
from tests.factories import SECRET, make_community, make_district, make_round

pytestmark = pytest.mark.browser


@pytest.fixture
def slips(sqlite_database):
    """Two slips of a round that takes nothing else, and the clerk of their district."""
    now = datetime.now(UTC)
    with sqlite_database.writing() as session:
        dates = {"opens_at": now - timedelta(days=10), "closes_at": now + timedelta(days=10)}
        survey_round = make_round(session, accepts_posters=False, accepts_households=True, **dates)
        district = make_district(session, name="海勃湾区", english_name="Haibowan")
        community = make_community(session, district=district, name="阳光家园")
        make_account(session, "clerk", district=district, now=now)
        sheet = issue_slips(
            session, survey_round=survey_round, community=community, new=new_slips(2, secret_key=SECRET), now=now
        )
        return sheet.slips


@pytest.fixture
def desk(live_server, open_page, slips):  # noqa: ARG001 (the clerk is added with them)
    page = open_page(viewport={"width": 1440, "height": 900})
    page.goto(f"{live_server}/sign-in")
    page.get_by_label("用户名").fill("clerk")
    page.get_by_label("密码").fill(PASSWORD)
    page.get_by_role("button", name="继续").click()
    page.get_by_label("验证码").fill(current_code())
    page.get_by_role("button", name="登录").click()
    page.wait_for_url("**/staff/**")
    return page


def stored(database):
    with database.reading() as session:
        return list(session.execute(select(Response.__table__).order_by(Response.id)))


def test_a_clerk_types_in_papers_by_keyboard_and_corrects_an_error(desk, slips, sqlite_database):
    desk.get_by_role("link", name="录入答卷").click()
    desk.get_by_role("link", name="阳光家园: 纸质答卷").click()
    expect(desk.get_by_label("户码数字")).to_be_focused()

    # Fifteen ratings and the tenure, one key each; Enter passes over what was left out.
    desk.keyboard.type(slips[0].digits)
    desk.keyboard.press("Enter")
    # A code that does not exist is refused where it is typed, and typed over.
    desk.keyboard.type("7")
    expect(desk.locator("#q01-field")).to_be_focused()
    expect(desk.locator("#q01").get_by_role("alert")).to_contain_text("没有这个编码")
    desk.keyboard.type("4")
    expect(desk.locator("#q01").get_by_role("alert")).to_have_count(0)
    expect(desk.locator("#q02-field")).to_be_focused()
    desk.keyboard.type("４" + "4" * 13 + "1" + "2")
    expect(desk.locator("#q18-field")).to_be_focused()
    desk.get_by_role("button", name="保存，录入下一份").click()
    expect(desk.get_by_role("status")).to_contain_text("今天已录入1份")
    expect(desk.get_by_label("户码数字")).to_be_focused()

    desk.keyboard.type(slips[1].digits)
    desk.keyboard.press("Enter")
    desk.keyboard.type("8")
    desk.get_by_role("button", name="保存，录入下一份").click()
    refused = desk.get_by_role("alert")
    expect(refused).to_contain_text("总体满意度")
    expect(refused).to_contain_text("业主或租户")
    desk.locator("#q01-field").fill("5")
    desk.locator("#q16-field").fill("2")
    desk.get_by_role("button", name="保存，录入下一份").click()
    expect(desk.get_by_role("status")).to_contain_text("今天已录入2份")

    desk.get_by_role("link", name="更正录入错误").click()
    desk.get_by_role("link", name="更正答卷").click()
    expect(desk.locator("#q01-field")).to_have_value("5")
    desk.get_by_label("录入有误").check()
    desk.locator("#q01-field").fill("3")
    desk.get_by_role("button", name="保存更正").click()
    expect(desk.locator("main")).to_contain_text("计入统计")

    rows = stored(sqlite_database)
    assert [row.mode for row in rows] == ["paper"] * 3
    assert [json.loads(row.answers)["q01"] for row in rows] == [4, 5, 3]
    assert (rows[2].corrects_id, rows[2].household_key) == (rows[1].id, rows[1].household_key)
