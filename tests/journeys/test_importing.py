"""A list with headers of its own is imported: what the page asks is answered without choosing the file again."""

from datetime import UTC, datetime

import pytest
from playwright.sync_api import expect
from sqlalchemy import select

from survey_app.models import Community
from tests.accounts import make_account
from tests.factories import make_community, make_district
from tests.journeys.whole_site import sign_in_browser

pytestmark = pytest.mark.browser

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

    expect(page.get_by_text("1 communities added")).to_be_visible()
    with sqlite_database.reading() as session:
        stored = session.scalars(select(Community).filter_by(number="1")).one()
        assert (stored.name, stored.district.name, stored.subdistrict.name) == ("滨河家园", "乌达区", "新华街道")
