"""One scan becomes one decision: poster, phone, receipt, evaluation, dashboard, downloads."""

import csv
import io
import json
from datetime import UTC, datetime, timedelta

import pytest
import zxingcpp
from PIL import Image
from playwright.sync_api import expect
from sqlalchemy import select, update

from survey_app.codes.codes import issue_poster_code
from survey_app.models import Response, Round
from tests.accounts import PASSWORD, current_code, make_account
from tests.factories import make_community, make_district, make_response, make_round
from tests.journeys.form_steps import choose, go_on_to, send
from tests.servers import Server

OWNER_HOUSEHOLDS = 20
# One short of half the households: the answer from the phone decides whether the community is ranked at all.
ANSWERS_BEFORE = 9
ANSWERS = (
    ("q01", "非常满意"),
    ("q02", "满意"),
    ("q16", "业主或其家人"),
    ("q17", "有"),
    ("q18", "投诉过"),
    ("q19", "物业公司"),
    ("q19", "12345热线"),
)

pytestmark = pytest.mark.browser


@pytest.fixture
def city(sqlite_database):
    """Twenty communities, so that 5 % names one; all but one of them have their answers already."""
    now = datetime.now(UTC)
    yesterday = now - timedelta(days=1)
    with sqlite_database.writing() as session:
        district = make_district(session, name="海勃湾区", english_name="Haibowan")
        survey_round = make_round(
            session, name="本轮", opens_at=now - timedelta(days=10), closes_at=now + timedelta(days=10)
        )
        ours = make_community(session, district=district, name="阳光家园", households_owners=OWNER_HOUSEHOLDS)
        issue_poster_code(session, community=ours, now=now)
        for _ in range(ANSWERS_BEFORE):
            make_response(session, survey_round, ours, submitted_at=yesterday)
        for _ in range(19):
            other = make_community(session, district=district, households_owners=OWNER_HOUSEHOLDS)
            for score in (5, 4, 4, 5, 4, 5, 4, 4, 3, 2):
                make_response(session, survey_round, other, answers={"q01": score}, submitted_at=yesterday)
        make_account(session, "bureau", role="city", now=now)


@pytest.fixture
def delivered_site(config):
    """What `jiayuan serve` runs, with the process for recurring work beside it; yields its address."""
    with Server("serve", config) as server:
        yield server.address


def sign_in(page, address):
    page.goto(f"{address}/sign-in")
    page.get_by_label("用户名").fill("bureau")
    page.get_by_label("密码").fill(PASSWORD)
    page.get_by_role("button", name="继续").click()
    page.get_by_label("验证码").fill(current_code())
    page.get_by_role("button", name="登录").click()
    page.wait_for_url(f"{address}/staff/**")


def scan_poster(desk, address):
    """Decode the poster's image as a phone's camera would, with another program than the one that drew it."""
    desk.goto(f"{address}/staff/communities")
    link = desk.locator("a[href*='.png']").first.get_attribute("href")
    image = Image.open(io.BytesIO(desk.request.get(f"{address}{link}").body()))
    return zxingcpp.read_barcode(image).text


def download(desk, address, name):
    """Return the rows of the file behind a link, read as a spreadsheet reads it."""
    link = desk.get_by_role("link", name=name).get_attribute("href")
    text = desk.request.get(f"{address}{link}").body().decode("utf-8-sig")
    return list(csv.DictReader(io.StringIO(text, newline="")))


@pytest.mark.usefixtures("city")
def test_one_scan_on_a_phone_becomes_one_decision_on_the_dashboard(delivered_site, open_page, sqlite_database):
    desk = open_page(viewport={"width": 1440, "height": 900})
    sign_in(desk, delivered_site)
    poster_address = scan_poster(desk, delivered_site)
    assert poster_address.startswith(f"{delivered_site}/s/")

    phone = open_page(has_touch=True, is_mobile=True)
    phone.goto(poster_address)
    expect(phone.get_by_role("heading", level=1)).to_have_text("阳光家园")
    for question, label in ANSWERS:
        go_on_to(phone, question)
        choose(phone, question, label)
    go_on_to(phone, "q24")
    phone.locator("#q24 textarea").fill("希望增设充电桩")
    go_on_to(phone, "review")
    send(phone)
    phone.wait_for_url("**/r/*")
    assert phone.context.cookies() == []

    with sqlite_database.writing() as session:
        stored = session.scalars(select(Response).order_by(Response.id.desc())).first()
        assert json.loads(stored.answers) == {
            "q01": 5, "q02": 4, "q16": 1, "q17": 1, "q18": 1, "q19": [1, 4], "q24": "希望增设充电桩"
        }  # fmt: skip
        receipt = phone.locator(".number").inner_text()
        assert "".join(filter(str.isdigit, receipt)) == stored.receipt
        # Ten days pass: the round closed two minutes ago, and the answer came a minute before.
        closed = datetime.now(UTC) - timedelta(minutes=2)
        session.execute(update(Round).values(closes_at=closed))
        stored.submitted_at = closed - timedelta(minutes=1)

    desk.goto(f"{delivered_site}/staff/")
    desk.get_by_role("button", name="开始评价").click()
    expect(desk.get_by_role("status")).to_have_text("第1次评价已保存。", timeout=60_000)
    desk.get_by_role("link", name="打开看板").click()
    desk.wait_for_url("**/dashboards/**")
    expect(desk.locator("#qualified").get_by_text("阳光家园").first).to_be_visible()
    expect(desk.locator("body")).to_contain_text("满意率")

    desk.goto(f"{delivered_site}/staff/")
    tables = download(desk, delivered_site, "分题统计表（CSV）")
    standings = download(desk, delivered_site, "评价结果（CSV）")
    ours = next(row for row in standings if row["小区"] == "阳光家园")
    counted = sum(int(row["人数（空为不予公布）"]) for row in tables if row["答案代码"] == "counted")
    assert counted == ANSWERS_BEFORE + 1 + 19 * 10
    assert sum(int(row["业主有效问卷"]) for row in standings) == counted
    assert (ours["业主有效问卷"], ours["满意份数"], ours["评价结论"]) == ("10", "10", "met")
    assert [row["小区"] for row in standings if row["评价结论"] == "met"] == ["阳光家园"]
