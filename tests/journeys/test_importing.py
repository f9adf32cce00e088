"""A list with headers of its own is imported: what the page asks is answered without choosing the file again."""

import re
from datetime import UTC, datetime

import pytest
from playwright.sync_api import expect
from sqlalchemy import select

from survey_app.jobs.worker import Worker
from survey_app.models import Community
from survey_app.register.list_jobs import LIST_JOBS
from tests.accounts import make_account
from tests.factories import make_community, make_district
from tests.journeys.whole_site import sign_in_browser

pytestmark = pytest.mark.browser

HEADER = "小区编号,小区名称,区,物业公司,交付户数,入住户数,业主户数"
LONG_LIST = "\n".join([HEADER, *(f"N{number},幸福家园{number},乌达区,甲物业,100,90,80" for number in range(4000))])
LIST = "编码,项目,区划,街道,物业公司,交付户数,入住户数,业主户数\n1,滨河家园,乌达区,新华街道,甲物业,100,90,80\n"


def test_the_file_stays_chosen_while_the_page_asks_about_it(open_page, app, site_address, sqlite_database):
    with sqlite_database.writing() as session:
        make_account(session, "city", now=datetime.now(UTC))
        make_community(session, number="99", district=make_district(session, name="海勃湾区"))
    page = open_page()
    sign_in_browser(page, app, site_address, "city")
    page.goto(f"{site_address}/staff/communities/import?lang=en")
    page.set_input_files("#file", {"name": "乌达区 名单.csv", "mimeType": "text/csv", "buffer": LIST.encode()})
    page.get_by_role("button", name="Check and import").click()

    expect(page.get_by_text("The file 乌达区 名单.csv is still chosen.")).to_be_visible()
    for field, header in (("name", "项目"), ("number", "编码"), ("district", "区划")):
        page.select_option(f"#header-{field}", header)
    page.get_by_role("button", name="Check and import").click()

    expect(page.get_by_text("the district 乌达区 would be new")).to_be_visible()
    expect(page.get_by_text("Choose the file again.")).to_be_hidden()
    page.get_by_label("All that is named above is new").check()
    page.get_by_role("button", name="Check and import").click()

    expect(page.get_by_text("Communities added: 1")).to_be_visible()
    with sqlite_database.reading() as session:
        stored = session.scalars(select(Community).filter_by(number="1")).one()
        assert (stored.name, stored.district.name, stored.subdistrict.name) == ("滨河家园", "乌达区", "新华街道")


def send_long_list(page, app, site_address, database):
    with database.writing() as session:
        make_account(session, "city", now=datetime.now(UTC))
        make_community(session, number="99", district=make_district(session, name="海勃湾区"))
    sign_in_browser(page, app, site_address, "city")
    page.goto(f"{site_address}/staff/communities/import?lang=en")
    page.set_input_files("#file", {"name": "名单.csv", "mimeType": "text/csv", "buffer": LONG_LIST.encode()})
    page.get_by_role("button", name="Check and import").click()
    expect(page.get_by_text("Waiting for its turn")).to_be_visible()


def work(database):
    assert Worker(database, LIST_JOBS, lambda: datetime.now(UTC)).run_due_jobs()


def import_as_shown(page, database):
    expect(page.get_by_text("the district 乌达区 would be new")).to_be_visible()
    page.get_by_label("All that is named above is new").check()
    page.get_by_role("button", name="Import as shown").click()
    expect(page.get_by_text("Waiting for its turn")).to_be_visible()
    work(database)
    expect(page.get_by_text("The list is imported.")).to_be_visible()
    with database.reading() as session:
        assert len(session.scalars(select(Community.id)).all()) == 4001


def test_a_long_list_is_followed_until_it_is_imported(open_page, app, site_address, sqlite_database):
    page = open_page()
    send_long_list(page, app, site_address, sqlite_database)

    page.evaluate("window.isTheSamePage = true")
    expect(page.get_by_role("progressbar")).to_have_attribute("value", "0")
    assert page.evaluate("window.isTheSamePage"), "followed without loading the page again"
    work(sqlite_database)

    import_as_shown(page, sqlite_database)


def test_a_long_list_is_followed_without_scripts(open_page, app, site_address, sqlite_database):
    page = open_page(java_script_enabled=False)
    send_long_list(page, app, site_address, sqlite_database)

    work(sqlite_database)

    import_as_shown(page, sqlite_database)
    expect(page).to_have_url(re.compile("/staff/communities/import/list"))
