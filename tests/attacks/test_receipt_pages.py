"""Every page of a receipt says what is so: status by time by holder by language, with no offer that is refused.

Nothing a page offers may be refused when it is taken, no page may be without a heading, and no day may stand on it that
is that of the look and not of what happened.
"""

import re
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import select, update

from survey_app import clock as clock_module
from survey_app.codes.codes import issue_slips, new_slips
from survey_app.evaluations.evaluate_round import evaluate_round
from survey_app.models import AuditEvent, Response, ResponseEvent, ResponseReview, Round
from survey_app.models.vocabulary import ResponseChangeReason
from survey_app.responses.receipts import RESIDENT, erase_response, sign_change, sign_receipt, withdraw_response
from survey_app.responses.retention import erase_expired
from survey_app.security.change_codes import change_code_of
from survey_app.security.check_digits import grouped
from tests.accounts import csrf_token, make_account, signed_in_client
from tests.factories import SECRET, make_community, make_poster_code, make_response, make_round
from tests.survey_app.responses.test_survey_views import ANSWERS, Page

DAY = timedelta(days=1)
# Far from the day of any other moment, so that it is found on a page where it does not belong.
LAUNCH = datetime(2031, 3, 3, 4, 0, tzinfo=UTC)
CLOSES = LAUNCH + 7 * DAY
FREEZES = CLOSES + 3 * DAY
KEPT_UNTIL = (CLOSES + 60 * DAY).date()
TIMES = {
    "open": LAUNCH + 5 * DAY,
    "closed": CLOSES + 2 * DAY,
    "frozen": FREEZES + 20 * DAY,
    "over": CLOSES + 90 * DAY,
    "over, work still due": datetime(KEPT_UNTIL.year, KEPT_UNTIL.month, KEPT_UNTIL.day, 16, 1, tzinfo=UTC),
}
COMMENT = "门禁坏了很久"


class Now:
    """Clock of the site, which a test sets."""

    moment = LAUNCH

    @classmethod
    def now(cls, zone=None):
        return cls.moment.astimezone(zone) if zone else cls.moment


@pytest.fixture
def survey(monkeypatch, sqlite_database):
    """A round of posters and slips at its launch, by the clock that the test sets."""
    Now.moment = LAUNCH
    monkeypatch.setattr(clock_module, "datetime", Now)
    with sqlite_database.writing() as session:
        survey_round = make_round(
            session,
            opens_at=LAUNCH - DAY,
            closes_at=CLOSES,
            accepts_households=True,
            responses_kept_until=KEPT_UNTIL,
        )
        community = make_community(session, name="滨河家园", english_name="Riverside Homes")
        token = make_poster_code(session, community).token
        slips = issue_slips(
            session, survey_round=survey_round, community=community, new=new_slips(1, secret_key=SECRET), now=LAUNCH
        ).slips
        return survey_round, community, token, slips[0]


def send(client, address, **answers):
    form = Page(client.get(address))
    sent = client.post(address, data=ANSWERS | {"q24": COMMENT} | answers | {"key": form.given["key"][0]})
    assert sent.status_code == 303
    return sent.location


def newest(database):
    with database.reading() as session:
        return session.scalars(select(Response).order_by(Response.id.desc()).limit(1)).one()


def review(database, state):
    with database.writing() as session:
        account = None if state == "held" else make_account(session, "city", now=LAUNCH).id
        reason = None if state == "held" else "核实"
        session.add(
            ResponseReview(
                response_id=1, state=state, families="burst", reason=reason, account_id=account, at=LAUNCH + DAY
            )
        )


# What may become of the first answers; each is given the client, the database, the survey and its own address.


def counted(*_nothing):
    pass


def superseded(client, _database, survey, _own):
    send(client, client.get(f"/h/{survey[3].token}").location, q01="1")


def corrected(client, _database, _survey, own):
    send(client, f"{own}/correction", q01="1")


def withdrawn(_client, database, _survey, _own):
    number = newest(database).receipt
    with database.writing() as session:
        withdraw_response(session, number=number, reason=ResponseChangeReason.OTHER, by=RESIDENT, now=LAUNCH + DAY)


def held(_client, database, _survey, _own):
    review(database, "held")


def released(_client, database, _survey, _own):
    review(database, "released")


def excluded(_client, database, _survey, _own):
    review(database, "excluded")


def erased_before_the_result(_client, database, _survey, _own):
    with database.writing() as session:
        erase_response(session, number=newest(database).receipt, by=RESIDENT, now=CLOSES + DAY)


def erased_after_the_result(_client, database, _survey, _own):
    with database.writing() as session:
        erase_response(session, number=newest(database).receipt, by=RESIDENT, now=FREEZES + DAY)


EARLY = (counted, superseded, corrected, withdrawn, held, released, excluded)
LATE = {erased_before_the_result: "closed", erased_after_the_result: "frozen"}
FATES = (*EARLY, *LATE)
HEADINGS = {
    (counted, "open"): ("答卷已提交", "Your answers are stored"),
    (withdrawn, "open"): ("这份答卷已撤回", "These answers were withdrawn"),
    (excluded, "open"): ("您的答卷正在核实", "Your answers are under review"),
    (excluded, "closed"): ("您的答卷未计入", "Your answers are not counted"),
    (excluded, "frozen"): ("您的答卷未计入", "Your answers are not counted"),
    (held, "open"): ("答卷已提交", "Your answers are stored"),
    (released, "frozen"): ("答卷已提交", "Your answers are stored"),
    (corrected, "closed"): ("答卷已提交", "Your answers are stored"),
    (superseded, "open"): ("已以更新的答卷为准", "Newer answers count instead"),
    (erased_before_the_result, "closed"): ("答卷已删除", "These answers were erased"),
    (erased_after_the_result, "frozen"): ("答卷已删除", "These answers were erased"),
}


def bring_to(database, time, fate=counted, act=lambda: None):
    """Let the days pass until a time, with what the office and the hourly work do on the way."""
    with database.reading() as session:
        round_id = session.scalar(select(Round.id))
    if fate in EARLY or (fate is erased_before_the_result and time != "open"):
        act()
    if time in {"frozen", "over", "over, work still due"}:
        evaluate_round(database, round_id=round_id, now=FREEZES)
        erase_expired(database, by="site", now=FREEZES + timedelta(hours=1))
        if fate is erased_after_the_result:
            act()
    if time == "over":
        erase_expired(database, by="site", now=TIMES["over"])
    Now.moment = TIMES[time]


def cases():
    order = list(TIMES)
    return [
        pytest.param(fate, time, id=f"{fate.__name__}-{time}")
        for fate in FATES
        for time in TIMES
        if fate not in LATE or order.index(time) >= order.index(LATE[fate])
    ]


@pytest.mark.parametrize(("fate", "time"), cases())
def test_a_receipt_says_what_is_so_and_offers_what_is_done(client, survey, sqlite_database, fate, time):
    own = send(client, client.get(f"/h/{survey[3].token}").location)
    number = newest(sqlite_database).receipt
    bring_to(sqlite_database, time, fate, lambda: fate(client, sqlite_database, survey, own))
    alone = f"/r/{sign_receipt(number, secret_key=SECRET)}"
    opened = f"/r/{sign_change(number, secret_key=SECRET, now=Now.moment)}"

    for language in ("zh-Hans", "en"):
        for address in (alone, opened):
            answer = client.get(f"{address}?lang={language}")
            heading = check_heading_and_days(answer)
            if time.startswith("over"):
                assert answer.status_code == 410
                assert grouped(number) not in answer.text
                assert {link.split("?")[0] for link in Page(answer).links if "/r/" in link} <= {address}
                continue
            assert answer.status_code == 200
            if address == alone:
                assert heading in {"您的答卷已收到", "Your answers were received"}
            elif (fate, time) in HEADINGS:
                assert HEADINGS[fate, time][language == "en"] == heading
            offers = check_offers(client, answer, address)
            if address == opened:
                has_answers = fate not in {withdrawn, *LATE}
                assert ("answers" in offers) == has_answers
                assert ("withdrawal" in offers) == (has_answers and time == "open")
                assert ("erasure" in offers) == (has_answers and time != "open")


def check_heading_and_days(answer):
    """Return the heading of a page, which has a title too, and does not name the day on which it is looked at."""
    [heading] = re.findall(r"<h1>(.*?)</h1>", answer.text, re.DOTALL)
    assert heading.strip()
    assert re.search(r"<title>(.*?)</title>", answer.text, re.DOTALL)[1].strip()
    today = Now.moment + timedelta(hours=8)
    for moment in (f"{today.year}年{today.month}月{today.day}日", f"{today:%B} {today.day}, "):
        assert moment not in answer.text
    return heading.strip()


def check_offers(client, answer, address):
    """Return what a page of a receipt offers; each offer leads to a page that goes on with it."""
    links = {link.split("?")[0] for link in Page(answer).links if link.startswith(f"{address}/")}
    for offered in links:
        taken = client.get(offered)
        assert taken.status_code == 200, offered
        assert "<form" in taken.text, offered
    return {link.removeprefix(f"{address}/") for link in links}


@pytest.mark.parametrize("fate", FATES)
def test_the_receipt_alone_is_the_same_page_whatever_happened_also_when_the_answers_were_erased_late(
    client, survey, sqlite_database, fate
):
    own = send(client, client.get(f"/h/{survey[3].token}").location)
    number = newest(sqlite_database).receipt
    address = f"/r/{sign_receipt(number, secret_key=SECRET)}"
    Now.moment = TIMES["frozen"]
    expected = client.get(address).text
    Now.moment = LAUNCH

    bring_to(sqlite_database, "frozen", fate, lambda: fate(client, sqlite_database, survey, own))

    assert client.get(address).text == expected


def code_of(database, receipt):
    with database.reading() as session:
        key = session.scalar(select(Response.submission_key).where(Response.receipt == receipt))
    return change_code_of(key, secret_key=SECRET)


def test_answers_are_shown_for_the_change_code_alone_and_stand_at_no_address(client, survey, sqlite_database):
    send(client, client.get(f"/h/{survey[3].token}").location)
    number = newest(sqlite_database).receipt
    code = code_of(sqlite_database, number)
    opened = f"/r/{sign_change(number, secret_key=SECRET, now=Now.moment)}"

    for address in (opened, f"/r/{sign_receipt(number, secret_key=SECRET)}"):
        assert COMMENT not in client.get(address).text
        assert COMMENT not in client.get(f"{address}/answers?code={code}").text
        for wrong in ("", "0" * 12, code[:-1], number):
            refused = client.post(f"{address}/answers", data={"code": wrong})
            assert (refused.status_code, COMMENT in refused.text) == (422, False)
        shown = client.post(f"{address}/answers", data={"code": code})
        assert shown.status_code == 200
        assert COMMENT in shown.text
        assert "满意" in shown.text
        assert code not in shown.text


@pytest.mark.parametrize("time", ["closed", "frozen"])
def test_late_access_shows_what_is_kept_and_late_erasure_erases_it(client, survey, sqlite_database, time):
    send(client, client.get(f"/h/{survey[3].token}").location)
    number = newest(sqlite_database).receipt
    bring_to(sqlite_database, time)
    opened = f"/r/{sign_change(number, secret_key=SECRET, now=Now.moment)}"
    code = {"code": code_of(sqlite_database, number)}

    shown = client.post(f"{opened}/answers", data=code).text
    assert (COMMENT in shown) == (time == "closed")
    assert "如曾填写，已在结果定稿后删除" in shown or time == "closed"
    assert client.post(f"{opened}/withdrawal").status_code == 409
    assert client.post(f"{opened}/correction", data=ANSWERS).status_code in {400, 409}
    assert client.post(f"{opened}/erasure").status_code == 303
    assert client.post(f"{opened}/erasure").status_code == 303

    row = newest(sqlite_database)
    assert (row.answers, row.tenure, row.nonce, row.openings) == (None, None, None, None)
    assert row.erased_at == Now.moment
    assert "没有保存答案" in client.post(f"{opened}/answers", data=code).text
    with sqlite_database.reading() as session:
        assert session.scalars(select(ResponseEvent.kind)).all() == ["erased"]
        events = session.scalars(select(AuditEvent.action).where(AuditEvent.actor == "resident")).all()
    assert events == ["response_erased"]


def test_while_the_round_is_open_nothing_is_erased_and_the_receipt_alone_erases_never(client, survey, sqlite_database):
    send(client, client.get(f"/h/{survey[3].token}").location)
    number = newest(sqlite_database).receipt
    opened = f"/r/{sign_change(number, secret_key=SECRET, now=Now.moment)}"
    assert client.post(f"{opened}/erasure").status_code == 409
    Now.moment = TIMES["closed"]
    alone = f"/r/{sign_receipt(number, secret_key=SECRET)}"

    for address in (alone, opened):  # what was opened a week ago is the receipt alone by now
        assert client.get(f"{address}/erasure").location.endswith("/change")
        assert client.post(f"{address}/erasure").status_code == 403
    assert newest(sqlite_database).answers is not None


def test_late_erasure_takes_along_all_that_the_answers_had_replaced(client, survey, sqlite_database):
    own = send(client, client.get(f"/h/{survey[3].token}").location)
    corrected(client, sqlite_database, survey, own)
    superseded(client, sqlite_database, survey, own)
    Now.moment = TIMES["closed"]
    number = newest(sqlite_database).receipt

    client.post(f"/r/{sign_change(number, secret_key=SECRET, now=Now.moment)}/erasure")

    with sqlite_database.reading() as session:
        assert session.scalars(select(Response.answers)).all() == [None, None, None]


def test_a_result_stands_when_answers_are_erased_and_a_later_one_gives_none_of_them_away(
    client, survey, sqlite_database
):
    for _ in range(2):
        send(client, f"/s/{survey[2]}")
    bring_to(sqlite_database, "frozen")
    first = evaluate_round(sqlite_database, round_id=survey[0].id, now=Now.moment)
    number = newest(sqlite_database).receipt

    client.post(f"/r/{sign_change(number, secret_key=SECRET, now=Now.moment)}/erasure")

    with sqlite_database.reading() as session:
        assert session.get(type(first), first.id).responses == 2
    assert evaluate_round(sqlite_database, round_id=survey[0].id, now=Now.moment).responses == 2


def test_receipts_of_before_the_change_code_are_told_so_and_asked_for_none(client, survey, sqlite_database):
    with sqlite_database.writing() as session:
        survey_round, community = session.merge(survey[0]), session.merge(survey[1])
        number = make_response(session, survey_round, community, submitted_at=LAUNCH, started_at=LAUNCH).receipt
    address = f"/r/{sign_receipt(number, secret_key=SECRET)}"

    for time in ("closed", "frozen"):
        Now.moment = TIMES[time]
        page = Page(client.get(address))
        assert f"{address}/change" not in page.links
        for path in ("change", "answers"):
            asked = client.get(f"{address}/{path}").text
            assert "还没有修改码" in asked
            assert 'name="code"' not in asked


def test_staff_show_and_erase_late_with_the_change_code_alone_and_it_is_on_record(app, client, sqlite_database):
    now = datetime.now(UTC)
    with sqlite_database.writing() as session:
        make_round(session, opens_at=now - 5 * DAY, closes_at=now + DAY)
        community = make_community(session)
        token = make_poster_code(session, community).token
        make_account(session, "clerk", community=community, now=now)
        make_account(session, "district", district=make_community(session).district, now=now)
    send(client, f"/s/{token}")
    with sqlite_database.writing() as session:
        session.execute(update(Round).values(closes_at=now + timedelta(seconds=1)))
        session.execute(update(Response).values(submitted_at=now, started_at=now))
    with sqlite_database.writing() as session:
        session.execute(update(Round).values(closes_at=now))
    number = newest(sqlite_database).receipt
    staff, stranger = signed_in_client(app, "clerk"), signed_in_client(app, "district")
    form = {"csrf_token": csrf_token(staff.get("/staff/receipts"))}
    alone = staff.post("/staff/receipts", data=form | {"number": number}).location

    for path in ("answers", "erasure"):
        assert staff.post(f"{alone}/{path}", data=form).status_code == 403
    opened = staff.post(f"{alone}/change", data=form | {"code": code_of(sqlite_database, number)}).location
    assert COMMENT not in staff.get(opened).text
    theirs = {"csrf_token": csrf_token(stranger.get("/staff/receipts"))}
    for path in ("answers", "erasure"):
        assert stranger.post(f"{opened}/{path}", data=theirs).status_code == 404
    assert COMMENT in staff.post(f"{opened}/answers", data=form).text
    assert staff.post(f"{opened}/erasure", data=form).status_code == 303

    assert newest(sqlite_database).answers is None
    with sqlite_database.reading() as session:
        recorded = session.execute(select(AuditEvent.actor, AuditEvent.action, AuditEvent.subject)).all()
    account = next(actor for actor, action, _subject in recorded if action == "response_shown")
    assert account.startswith("account:")
    assert [(actor, subject) for actor, action, subject in recorded if action.startswith("response_")] == [
        (account, "response:1"),
        (account, "response:1"),
    ]
    assert "截止后已删除" in staff.get(opened).text
