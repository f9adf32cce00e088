"""Files of the 12345 hotline at a city's desk: faults, a name to decide, a case that came twice, an update, a reply."""

import csv
import io
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from playwright.sync_api import expect
from sqlalchemy import func, select

from survey_app.complaints.categories import categories
from survey_app.complaints.counted_cases import is_valid_complaint
from survey_app.hotline.ledger_jobs import ledger_jobs
from survey_app.hotline.ledger_rows import COLUMNS
from survey_app.jobs.worker import Worker
from survey_app.models import Code, Community, Complaint, HotlineCase
from tests.accounts import SECRET_KEY, make_account
from tests.journeys.test_complaining import fill, numbers, press
from tests.journeys.test_working_a_case import take
from tests.journeys.whole_site import sign_in_browser
from tests.survey_app.hotline.ledgers import csv_of, row

pytestmark = pytest.mark.browser

TELEPHONE = "13900139000"
ZONE = ZoneInfo("Asia/Shanghai")
WITH_TELEPHONES = tuple(column for column in COLUMNS if column.field != "status")


@pytest.fixture
def desk(open_page, app, site_address, sqlite_database, token):
    """The desk of the city, which has had no file of the hotline yet."""
    with sqlite_database.writing() as session:
        community = session.scalars(select(Community).join(Code).where(Code.token == token)).one()
        community.number = "HB-1"
        make_account(session, "city", now=datetime.now(UTC))
    page = open_page(viewport={"width": 1440, "height": 900}, accept_downloads=True)
    sign_in_browser(page, app, site_address, "city")
    return page


def of_day(days_ago, **values):
    """A row about parking, filed so many days ago."""
    day = datetime.now(ZONE) - timedelta(days=days_ago)
    times = {"submitted": day, "dispatched": day + timedelta(minutes=5), "limit": day + timedelta(days=14)}
    written = {name: f"{at:%Y-%m-%d %H:%M}" for name, at in times.items()}
    return row(**{"community": "阳光家园", "category": "投诉-停车管理", "text": "消防通道被车堵住"} | written | values)


def send(page, address, database, rows):
    """Send a file, and show what it changes once it has been read."""
    page.goto(f"{address}/staff/hotline")
    content = csv_of(rows, columns=WITH_TELEPHONES)
    page.set_input_files("#file", {"name": "台账.csv", "mimeType": "text/csv", "buffer": content})
    page.get_by_role("button", name="读取并比对").click()
    page.wait_for_url("**/staff/hotline/imports/*")
    work(page, database)


def work(page, database):
    Worker(database, ledger_jobs(SECRET_KEY), lambda: datetime.now(UTC)).run_due_jobs()
    page.goto(page.url)


def confirm(page, database):
    page.get_by_role("button", name="按以上结果导入").click()
    work(page, database)
    expect(page.locator("[role=status]")).to_be_visible()


def figures(page):
    return [int(text.replace(",", "")) for text in page.locator(".facts .figure").all_inner_texts()]


def complaints(database):
    """Return how many complaints the rate counts, and how many cases there are."""
    with database.reading() as session:
        valid = select(func.count()).select_from(Complaint).where(is_valid_complaint(categories()))
        return session.scalar(valid), session.scalar(select(func.count()).select_from(Complaint))


def references(database):
    with database.reading() as session:
        of_case = select(HotlineCase.external_number, Complaint.reference).join(
            Complaint, Complaint.id == HotlineCase.complaint_id
        )
        return dict(session.execute(of_case).all())


def file_on_a_phone(page, address):
    page.goto(address)
    fill(page)
    page.locator("#contact").fill(TELEPHONE)
    page.locator("[name=consent]").check()
    press(page)
    expect(page.locator("blockquote")).to_be_visible()
    press(page)
    return numbers(page)


def test_a_file_of_the_hotline_is_imported_matched_updated_and_answered(
    phone, desk, site_address, token, sqlite_database
):
    reference, _secret = file_on_a_phone(phone(), f"{site_address}/c/{token}")
    double = of_day(1, number="WH1", telephone=TELEPHONE)
    other = of_day(3, number="WH2", community="老阳光", telephone="13700137000")
    past = of_day(30, number="WH3", answer="已处理", ended=of_day(20)["submitted"])
    assert complaints(sqlite_database) == (1, 1)

    faulty = [double | {"category": "天文"}, other | {"submitted": "昨天"}, double | {"text": "另一件事"}]
    send(desk, site_address, sqlite_database, faulty)
    for line in (2, 3, 4):
        expect(desk.locator(".faults").first).to_contain_text(f"台账.csv:{line}")
    assert complaints(sqlite_database) == (1, 1)

    send(desk, site_address, sqlite_database, [double, other, past])
    assert figures(desk) == [2, 0, 1, 0, 1]
    desk.get_by_role("link", name="确认对应的小区").click()
    desk.locator("#community-1").fill("HB-1")
    desk.get_by_role("button", name="确认对应", exact=True).click()
    desk.go_back()
    desk.go_back()
    desk.get_by_role("button", name="重新比对").click()
    work(desk, sqlite_database)
    assert figures(desk) == [3, 0, 1, 0, 0]
    confirm(desk, sqlite_database)
    assert complaints(sqlite_database) == (4, 4)

    desk.goto(f"{site_address}/staff/hotline/matches")
    expect(desk.locator(".beside blockquote")).to_have_count(2)
    desk.get_by_role("button", name="同一件诉求").click()
    expect(desk.locator(".beside")).to_have_count(0)
    assert complaints(sqlite_database) == (3, 4)
    desk.goto(f"{site_address}/staff/complaint-rate")
    assert figures(desk) == [3, 1]
    expect(desk.locator("table tbody tr")).to_have_count(1)
    expect(desk.locator("table tbody tr")).to_contain_text("city")
    assert reference in desk.locator("table tbody tr").inner_text().replace(" ", "")

    desk.goto(f"{site_address}/staff/cases/{references(sqlite_database)['WH2']}")
    take(desk, "respond", words="已清理消防通道")
    desk.goto(f"{site_address}/staff/hotline")
    with desk.expect_download() as download:
        desk.get_by_role("link", name="回传文件（CSV）").click()
    header, *rows = csv.reader(io.StringIO(download.value.path().read_text("utf-8-sig")))
    told = {cells[0]: dict(zip(header, cells, strict=True)) for cells in rows}
    assert told["WH2"]["答复"] == "已清理消防通道"
    assert "WH3" not in told

    ended = datetime.now(ZONE).strftime("%Y-%m-%d %H:%M")
    send(desk, site_address, sqlite_database, [double, other | {"answer": "已清理消防通道", "ended": ended}, past])
    assert figures(desk)[:4] == [0, 1, 1, 2]
    confirm(desk, sqlite_database)
    with sqlite_database.reading() as session:
        of_case = select(Complaint.status).join(HotlineCase, HotlineCase.complaint_id == Complaint.id)
        assert session.scalar(of_case.filter(HotlineCase.external_number == "WH2")) == "closed"
    assert complaints(sqlite_database) == (3, 4)
