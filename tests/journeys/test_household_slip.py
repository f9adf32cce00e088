"""A household's slip, from the scan to the withdrawal, without any script: what every phone can do."""

from datetime import timedelta

import pytest
from playwright.sync_api import expect
from sqlalchemy import select, update

from survey_app.codes.codes import issue_slips, new_slips, revoke_slips
from survey_app.models import Community, Response, Round
from survey_app.models.vocabulary import Revocation
from survey_app.security.check_digits import grouped
from tests.factories import SECRET, make_community, make_district, make_poster_code, make_round

pytestmark = pytest.mark.browser


@pytest.fixture
def slips(sqlite_database, now):
    """Two slips of a community whose open round takes nothing but slips."""
    with sqlite_database.writing() as session:
        survey_round = make_round(
            session,
            name="一户一份调查",
            english_name="One answer per household",
            accepts_posters=False,
            accepts_households=True,
            opens_at=now - timedelta(days=10),
            closes_at=now + timedelta(days=10),
        )
        district = make_district(session, name="海勃湾区", english_name="Haibowan", telephone="0473-0000000")
        community = make_community(session, district=district, name="阳光家园", english_name="Sunshine Homes")
        make_poster_code(session, community, token="poster000001")
        sheet = issue_slips(
            session, survey_round=survey_round, community=community, new=new_slips(2, secret_key=SECRET), now=now
        )
        return sheet.slips


@pytest.fixture
def phone(open_page):
    return open_page(has_touch=True, is_mobile=True, java_script_enabled=False)


def fill_in(phone, label):
    phone.locator("#q01").get_by_label(label, exact=True).check()
    phone.locator("#q16").get_by_label("业主或其家人", exact=True).check()
    phone.get_by_role("button", name="提交", exact=True).click()
    phone.wait_for_url("**/r/*")


def stored(database):
    with database.reading() as session:
        return list(session.execute(select(Response.__table__).order_by(Response.id)))


def test_a_household_answers_replaces_its_answers_and_withdraws_them(live_server, phone, slips, sqlite_database):
    phone.goto(f"{live_server}/h/{slips[0].token}")
    expect(phone.get_by_role("heading", level=1)).to_have_text("阳光家园")
    assert slips[0].token not in phone.url
    expect(phone.locator("main")).to_contain_text("以最后提交的为准")
    fill_in(phone, "满意")
    first = phone.url

    phone.goto(f"{live_server}/h/{slips[0].token}")
    expect(phone.locator("main")).to_contain_text("此通知单已填写过")
    fill_in(phone, "不满意")
    expect(phone.get_by_role("heading", level=1)).to_have_text("答卷已提交")
    newest = phone.url
    phone.goto(first)
    expect(phone.get_by_role("heading", level=1)).to_have_text("已以更新的答卷为准")

    phone.goto(newest)
    phone.get_by_role("link", name="撤回答卷").click()
    assert all(row.answers for row in stored(sqlite_database))
    phone.get_by_label("不想再参加调查").check()
    phone.get_by_role("button", name="撤回答卷").click()
    expect(phone.get_by_role("heading", level=1)).to_have_text("这份答卷已撤回")
    assert [row.answers for row in stored(sqlite_database)] == [None, None]
    assert phone.context.cookies() == []


def test_who_cannot_scan_types_the_digits(live_server, phone, slips):
    phone.goto(live_server)
    phone.get_by_label("号码").fill(grouped(slips[1].digits))
    phone.get_by_role("button", name="继续").click()

    expect(phone.get_by_role("heading", level=1)).to_have_text("阳光家园")
    assert slips[1].digits not in phone.url


def test_a_wrong_community_is_undone_and_a_correction_stands_for_the_first_answers(
    live_server, phone, slips, sqlite_database
):
    phone.goto(f"{live_server}/h/{slips[0].token}")
    fill_in(phone, "满意")
    phone.get_by_role("link", name="更正答卷").click()
    expect(phone.get_by_role("radio", checked=True)).to_have_count(0)
    phone.get_by_role("button", name="提交更正").click()
    expect(phone.get_by_role("alert")).to_contain_text("总体满意度")
    phone.locator("#q01").get_by_label("一般", exact=True).check()
    phone.locator("#q16").get_by_label("租户", exact=True).check()
    phone.get_by_role("button", name="提交更正").click()
    expect(phone.get_by_role("heading", level=1)).to_have_text("答卷已提交")
    assert stored(sqlite_database)[1].corrects_id == stored(sqlite_database)[0].id

    phone.get_by_role("link", name="不是您的小区？").click()
    expect(phone.get_by_label("扫错了小区的二维码")).to_be_checked()
    phone.get_by_role("button", name="撤回答卷").click()
    assert [row.answers for row in stored(sqlite_database)] == [None, None]


@pytest.fixture
def spoiled(sqlite_database, slips, now):
    """The first slip, after it came back to the office."""
    with sqlite_database.writing() as session:
        community = session.scalars(select(Community)).one()
        typed, because = [slips[0].digits], Revocation.SPOILED
        revoke_slips(session, community=community, typed=typed, because=because, secret_key=SECRET, now=now)
    return slips[0]


@pytest.mark.parametrize(
    "words",
    [("zh-Hans", "已停用", "另一种二维码"), ("en", "no longer valid", "another code")],
    ids=lambda words: words[0],
)
def test_a_revoked_code_and_one_of_the_wrong_kind_say_so(live_server, phone, spoiled, words):
    language, revoked, wrong_kind = words
    heading = phone.get_by_role("heading", level=1)

    phone.goto(f"{live_server}/h/{spoiled.token}?lang={language}")
    expect(heading).to_contain_text(revoked)
    phone.goto(f"{live_server}/s/poster000001?lang={language}")
    expect(heading).to_contain_text(wrong_kind)


def test_after_the_round_a_slip_says_that_the_survey_is_over(live_server, phone, slips, sqlite_database, now):
    with sqlite_database.writing() as session:
        session.execute(update(Round).values(closes_at=now))

    phone.goto(f"{live_server}/h/{slips[1].token}")

    expect(phone.get_by_role("heading", level=1)).to_contain_text("已结束")


def test_a_form_that_was_open_when_the_round_closed_is_told_that_it_was_not_stored(
    live_server, phone, slips, sqlite_database, now
):
    phone.goto(f"{live_server}/h/{slips[0].token}")
    with sqlite_database.writing() as session:
        session.execute(update(Round).values(closes_at=now))
    phone.locator("#q01").get_by_label("满意", exact=True).check()
    phone.locator("#q16").get_by_label("租户", exact=True).check()
    phone.get_by_role("button", name="提交", exact=True).click()

    expect(phone.locator("main")).to_contain_text("没有保存")
    assert stored(sqlite_database) == []
