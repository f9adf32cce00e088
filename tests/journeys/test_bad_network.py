"""Whatever the network does, answers are kept on the phone until they are stored, and stored once."""

from datetime import UTC, datetime

import pytest
from playwright.sync_api import expect
from sqlalchemy import select, update
from sqlalchemy.exc import OperationalError

from survey_app.codes.codes import revoke_code
from survey_app.models import Code, Response, Round
from survey_app.storage.group_commit import Writer
from tests.factories import make_poster_code
from tests.journeys.form_steps import answer_the_least, choose, go_on, go_on_to, receipt_number, send
from tests.servers import ForkedServer

pytestmark = pytest.mark.browser

NO_STORAGE = "Object.defineProperty(window, 'localStorage', {get: function () { throw new Error('refused'); }})"
WAITING = "尚未提交，已暂存本机"


def receipts(database):
    with database.reading() as session:
        return session.scalars(select(Response.receipt).order_by(Response.id)).all()


def lose_replies(page, pattern, times=1):
    """Let the site answer, and lose what it said on the way to the phone."""
    lost = []

    def lose(route):
        if route.request.method != "POST" or len(lost) == times:
            route.continue_()
            return
        lost.append(route.fetch(max_redirects=0).headers["location"])
        route.abort("connectionreset")

    page.route(pattern, lose)
    return lost


def test_who_goes_offline_in_mid_form_sends_as_soon_as_the_network_is_back(phone, poster, sqlite_database):
    page = phone()
    page.goto(poster)
    choose(page, "q01", "满意")
    page.context.set_offline(True)
    go_on_to(page, "q16")
    choose(page, "q16", "租户")
    go_on_to(page, "review")
    send(page)
    expect(page.get_by_text(WAITING)).to_be_visible()
    assert receipts(sqlite_database) == []

    page.context.set_offline(False)
    assert receipt_number(page) in receipts(sqlite_database)


def test_a_lost_reply_leads_to_the_first_receipt(phone, poster, sqlite_database):
    page = phone()
    page.goto(poster)
    lost = lose_replies(page, f"{poster}*")
    answer_the_least(page)
    send(page)
    expect(page.get_by_text(WAITING)).to_be_visible()
    page.get_by_role("button", name="立即重试").click()

    number = receipt_number(page)
    assert receipts(sqlite_database) == [number]
    assert page.url.endswith(lost[0])


def test_a_correction_goes_in_steps_and_after_a_lost_reply_is_stored_once(phone, poster, sqlite_database):
    page = phone()
    page.goto(poster)
    answer_the_least(page)
    send(page)
    first = receipt_number(page)
    page.get_by_role("link", name="更正答卷").click()
    expect(page.locator("[data-sent-before]")).to_be_hidden()
    lost = lose_replies(page, "**/correction")
    answer_the_least(page, overall="不满意")
    page.reload()
    expect(page.locator("#review")).to_contain_text("不满意")
    send(page)
    expect(page.get_by_text(WAITING)).to_be_visible()
    page.get_by_role("button", name="立即重试").click()

    second = receipt_number(page)
    assert receipts(sqlite_database) == [first, second]
    assert page.url.endswith(lost[0])


def test_after_a_lost_reply_the_page_can_be_closed_and_sent_later_and_counts_once(phone, poster, sqlite_database):
    page = phone()
    page.goto(poster)
    lose_replies(page, f"{poster}*")
    answer_the_least(page)
    send(page)
    expect(page.get_by_text(WAITING)).to_be_visible()
    later = page.context.new_page()
    page.close()

    later.goto(poster)
    expect(later.get_by_text("已恢复您上次在本机填写的内容，这些内容尚未提交。")).to_be_visible()
    go_on_to(later, "review")
    send(later)
    assert [receipt_number(later)] == receipts(sqlite_database)


def test_who_changes_an_answer_after_a_lost_reply_is_asked_what_the_change_means(phone, poster, sqlite_database):
    page = phone()
    page.goto(poster)
    lose_replies(page, f"{poster}*")
    answer_the_least(page)
    send(page)
    expect(page.get_by_text(WAITING)).to_be_visible()
    page.locator("#review a[href='#q01']").click()
    choose(page, "q01", "不满意")
    page.locator("[data-to-review]").click()
    send(page)

    expect(page.get_by_role("heading", level=1)).to_have_text("这份表单已经提交过")
    assert len(receipts(sqlite_database)) == 1
    page.get_by_role("button", name="作为家里其他人的答卷提交").click()
    assert receipt_number(page) in receipts(sqlite_database)
    assert len(receipts(sqlite_database)) == 2
    assert "q01" not in page.evaluate("JSON.stringify(localStorage)")


def test_a_server_that_ends_before_its_reply_arrives_loses_and_doubles_nothing(phone, config, token, sqlite_database):
    page = phone()
    with ForkedServer(config) as server:
        page.goto(f"{server.address}/s/{token}")
        lose_replies(page, f"{server.address}/s/{token}*")
        answer_the_least(page)
        send(page)
        expect(page.get_by_text(WAITING)).to_be_visible()
        server.stop()
        assert len(receipts(sqlite_database)) == 1

        server.start()
        assert [receipt_number(page)] == receipts(sqlite_database)


def test_a_busy_site_is_asked_again_no_sooner_than_it_said(phone, poster, sqlite_database, monkeypatch):
    asked = []

    def fail(*_arguments, **_named):
        asked.append(1)
        raise OperationalError("INSERT", {}, Exception("disk full"))

    page = phone()
    page.clock.install()
    page.goto(poster)
    answer_the_least(page)
    with monkeypatch.context() as context:
        context.setattr(Writer, "insert_once", fail)
        send(page)
        expect(page.get_by_text(WAITING)).to_be_visible()
        page.clock.run_for(4900)
        assert asked == [1]
    page.clock.run_for(1600)

    assert [receipt_number(page)] == receipts(sqlite_database)


def test_what_is_not_the_receipt_of_the_site_is_no_acknowledgement(phone, poster, sqlite_database):
    page = phone()
    page.goto(poster)
    answer_the_least(page)
    portal = "<!doctype html><title>Wi-Fi</title><body>Please sign in"
    page.route(f"{poster}*", lambda route: route.fulfill(status=200, content_type="text/html", body=portal))
    send(page)

    expect(page.get_by_text(WAITING)).to_be_visible()
    page.unroute(f"{poster}*")
    page.get_by_role("button", name="立即重试").click()
    assert [receipt_number(page)] == receipts(sqlite_database)


def test_a_draft_is_restored_says_so_and_can_be_cleared(phone, poster):
    page = phone()
    page.goto(poster)
    expect(page.locator("[data-restored]")).to_be_hidden()
    choose(page, "q01", "满意")
    go_on(page)
    choose(page, "q02", "一般")
    page.reload()
    expect(page.locator("#q02 input[value='3']")).to_be_checked()
    page.goto("about:blank")
    page.goto(poster)
    expect(page.locator("[data-restored]")).to_be_visible()
    expect(page.locator("#q01 input[value='4']")).to_be_checked()

    page.once("dialog", lambda dialog: dialog.dismiss())
    page.get_by_role("button", name="清除并重新填写").click()
    expect(page.locator("#q01 input[value='4']")).to_be_checked()
    page.once("dialog", lambda dialog: dialog.accept())
    page.get_by_role("button", name="清除并重新填写").click()
    expect(page.locator("[data-restored]")).to_be_hidden()
    expect(page.locator("#q01 input:checked")).to_have_count(0)


def test_a_draft_is_for_one_poster_and_one_day(phone, poster, site_address, sqlite_database):
    with sqlite_database.writing() as session:
        other = make_poster_code(session).token
    page = phone()
    page.goto(poster)
    choose(page, "q01", "满意")
    page.goto(f"{site_address}/s/{other}")
    expect(page.locator("#q01 input:checked")).to_have_count(0)

    page.evaluate(
        """() => Object.keys(localStorage).forEach(key => {
            const draft = JSON.parse(localStorage[key]);
            localStorage[key] = JSON.stringify({...draft, at: draft.at - 24 * 60 * 60 * 1000});
        })"""
    )
    page.goto(poster)
    expect(page.locator("#q01 input:checked")).to_have_count(0)
    expect(page.locator("[data-restored]")).to_be_hidden()


def test_a_sent_form_leaves_no_draft_behind(phone, poster):
    page = phone()
    page.goto(poster)
    answer_the_least(page)
    send(page)
    number = receipt_number(page)

    kept = page.evaluate("JSON.stringify(localStorage)")
    assert "q01" not in kept
    assert number not in kept


def test_where_nothing_can_be_kept_on_the_phone_all_works_and_nothing_else_is_claimed(phone, poster, sqlite_database):
    page = phone()
    page.add_init_script(NO_STORAGE)
    page.goto(poster)
    page.get_by_role("button", name="大字版").click()
    expect(page.locator("html.large")).to_be_visible()
    choose(page, "q01", "满意")
    page.get_by_role("button", name="English").click()
    expect(page.locator("#q01 input[value='4']")).to_be_checked()
    page.get_by_role("button", name="中文").click()
    answer_the_least(page)
    page.context.set_offline(True)
    send(page)
    expect(page.get_by_text("尚未提交", exact=True)).to_be_visible()
    expect(page.get_by_text(WAITING)).to_be_hidden()
    page.context.set_offline(False)

    assert [receipt_number(page)] == receipts(sqlite_database)
    assert page.faults == []


@pytest.mark.parametrize("javascript", [True, False])
def test_who_sends_after_the_close_is_told_plainly(phone, poster, sqlite_database, javascript):
    page = phone(javascript=javascript)
    page.goto(poster)
    if javascript:
        answer_the_least(page)
    with sqlite_database.writing() as session:
        session.execute(update(Round).values(closes_at=datetime.now(UTC)))
    send(page)

    expect(page.get_by_role("heading", level=1)).to_have_text("调查已结束")
    expect(page.get_by_text("您的答卷没有保存")).to_be_visible()
    assert receipts(sqlite_database) == []


@pytest.mark.parametrize("javascript", [True, False])
def test_a_code_that_is_revoked_while_someone_answers_is_explained(phone, poster, sqlite_database, javascript):
    page = phone(javascript=javascript)
    page.goto(poster)
    if javascript:
        answer_the_least(page)
    with sqlite_database.writing() as session:
        code = session.scalars(select(Code)).one()
        revoke_code(session, code=code, now=code.issued_at)
    send(page)

    expect(page.get_by_role("heading", level=1)).to_have_text("这个二维码已停用")
    assert receipts(sqlite_database) == []


def test_on_a_slow_network_the_form_is_there_whole(phone, poster, sqlite_database):
    page = phone()
    devtools = page.context.new_cdp_session(page)
    devtools.send(
        "Network.emulateNetworkConditions",
        {"offline": False, "latency": 400, "downloadThroughput": 30_000, "uploadThroughput": 15_000},
    )
    page.goto(poster)
    answer_the_least(page)
    send(page)

    assert [receipt_number(page)] == receipts(sqlite_database)
