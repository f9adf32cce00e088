"""What residents are told at the edges of a round can be done then: every offer of every page is taken.

The walk goes through origins (poster, slip, help) by fates of the answers by times, with one site and one database.
"""

import re
from datetime import timedelta

import pytest
from sqlalchemy import select, update

from survey_app.codes.codes import issue_slips, new_slips, revoke_code
from survey_app.models import Code, Response, ResponseReview, Round
from survey_app.models.vocabulary import ResponseChangeReason, ResponseStatus
from survey_app.responses.declared_help import declare_help
from survey_app.responses.receipts import RESIDENT, find_receipt, sign_change, sign_receipt, withdraw_response
from survey_app.security.change_codes import change_code_of
from tests.accounts import make_account
from tests.attacks.test_receipt_pages import (
    CLOSES,
    DAY,
    KEPT_UNTIL,
    LAUNCH,
    TIMES,
    Now,
    newest,
    send,
    survey,  # noqa: F401 (a fixture)
)
from tests.factories import SECRET, make_poster_code, make_round
from tests.survey_app.responses.test_survey_views import ANSWERS, Page

MOMENTS = {"open": TIMES["open"], "just closed": CLOSES, "closed": TIMES["closed"], "erased": TIMES["over"]}
FATES = {
    "slip": ("counted", "superseded", "corrected", "withdrawn", "held", "excluded"),
    "poster": ("counted", "withdrawn", "excluded"),
    "helped": ("counted",),
}
# Each can still be taken after those before it.
IN_TURN = ("change", "answers", "/c", "/s", "correction", "withdrawal", "erasure")
# A sentence, and what must be on the page with it.
SAID = {
    "前可以更正或撤回": {"correction", "withdrawal"},
    "前可以撤回": {"withdrawal"},
    "前您可以查阅": {"answers", "erasure"},
}


@pytest.fixture
def stories(client, survey, sqlite_database):  # noqa: F811
    """The receipt numbers of answers, by where they came from and what became of them."""
    survey_round, community, poster, _slip = survey
    with sqlite_database.writing() as session:
        clerk = make_account(session, "clerk", community=session.merge(community), now=LAUNCH).id
        declared = declare_help(
            session,
            survey_round=session.merge(survey_round),
            community=session.merge(community),
            begins_at=LAUNCH + timedelta(hours=1),
            ends_at=LAUNCH + timedelta(hours=9),
            helper="社区志愿者",
            reason="入户协助",
            expected=50,
            account_id=clerk,
            now=LAUNCH,
        )
        help_token = session.scalars(select(Code.token).where(Code.id == declared.code_id)).one()
    numbers = {}
    for origin, fates in FATES.items():
        for fate in fates:
            address = f"/s/{help_token if origin == 'helped' else poster}"
            if origin == "slip":
                address = client.get(f"/h/{new_slip(sqlite_database, survey)}").location
            own = send(client, address)
            answer = newest(sqlite_database)
            numbers[origin, fate] = answer.receipt
            if fate == "superseded":
                send(client, address, q01="1")
            elif fate == "corrected":
                send(client, f"{own}/correction", q01="1")
            elif fate in {"held", "excluded"}:
                review(sqlite_database, answer.id, fate, clerk)
            elif fate == "withdrawn":
                with sqlite_database.writing() as session:
                    because = ResponseChangeReason.OTHER
                    withdraw_response(session, number=answer.receipt, reason=because, by=RESIDENT, now=LAUNCH)
    return numbers


def new_slip(database, survey):  # noqa: F811
    with database.writing() as session:
        round_and_place = {"survey_round": session.merge(survey[0]), "community": session.merge(survey[1])}
        return issue_slips(session, **round_and_place, new=new_slips(1, secret_key=SECRET), now=LAUNCH).slips[0].token


def review(database, response_id, state, account_id):
    by = {} if state == "held" else {"account_id": account_id, "reason": "核实"}
    with database.writing() as session:
        session.add(ResponseReview(response_id=response_id, state=state, families="burst", at=LAUNCH, **by))


def code_of(database, number):
    with database.reading() as session:
        key = session.scalar(select(Response.submission_key).where(Response.receipt == number))
    return change_code_of(key, secret_key=SECRET)


def take(client, database, offered, number):
    """Take an offer to its end, and return the status of its last answer."""
    page = Page(client.get(offered))
    assert page.status == 200, offered
    path = offered.split("?")[0]
    if path.endswith(("/answers", "/change")):
        return client.post(path, data={"code": code_of(database, number)}).status_code
    if path.endswith("/correction") or path.startswith("/s/"):
        return client.post(path, data=ANSWERS | {"q01": "2", "key": page.given["key"][0]}).status_code
    if path.startswith("/c/"):
        complaint = {"category": "EQ01", "kind": "complaint", "text": "电梯坏了", "key": page.given["key"][0]}
        return client.post(path, data=complaint).status_code
    return client.post(path, data={"reason": "other"}).status_code


def offers_of(page, address):
    """Return the links of a page that do something, by what they do."""
    inside = [link for link in page.links if link.split("?")[0].startswith((f"{address}/", "/s/", "/c/"))]
    return {link.split("?")[0].rsplit("/", 1)[1] if "/r/" in link else link[:2]: link for link in inside}


@pytest.mark.parametrize("time", MOMENTS)
def test_every_offer_on_a_receipt_is_done_when_it_is_taken(client, stories, sqlite_database, time):
    Now.moment = MOMENTS[time]
    for (origin, fate), number in stories.items():
        for address in (
            f"/r/{sign_receipt(number, secret_key=SECRET)}",
            f"/r/{sign_change(number, secret_key=SECRET, now=Now.moment)}",
        ):
            page = Page(client.get(address))
            offers = offers_of(page, address)
            case = (origin, fate, time, sorted(offers))
            if time == "erased":
                assert (page.status, offers) == (410, {}), case
                continue
            for sentence, needed in SAID.items():
                assert sentence not in page.text or needed <= offers.keys(), (case, sentence)
            if time != "open":
                assert "/s" not in offers, case
                for invitation in ("家里其他人", "重新填写", "再填一次", "可以更正", "最后提交的为准"):
                    assert invitation not in page.text, (case, invitation)
                    assert "change" not in offers or invitation not in client.get(f"{address}/change").text, case
            for name in sorted(offers, key=IN_TURN.index):
                assert take(client, sqlite_database, offers[name], number) in {200, 303}, (case, name)


def test_a_receipt_offers_to_correct_only_what_counts_and_no_code_that_was_revoked(client, stories, sqlite_database):
    Now.moment = MOMENTS["open"]
    with sqlite_database.writing() as session:
        for code in session.scalars(select(Code).where(Code.kind == "poster")):
            revoke_code(session, code=code, now=LAUNCH)
    for (_origin, fate), number in stories.items():
        address = f"/r/{sign_change(number, secret_key=SECRET, now=Now.moment)}"
        page = Page(client.get(address))
        with sqlite_database.reading() as session:
            status = find_receipt(session, number=number, secret_key=SECRET, now=Now.moment).status
        offers = offers_of(page, address)
        assert ("correction" in offers) == (status is ResponseStatus.COUNTED), fate
        assert ("可以更正或撤回" in page.text) == ("correction" in offers), fate
        assert not {"/s", "/c"} & offers.keys(), fate


@pytest.mark.parametrize("takes_posters", [True, False], ids=["posters", "slips-alone"])
def test_a_poster_promises_the_next_round_only_where_it_takes_posters(
    client,
    survey,  # noqa: F811
    sqlite_database,
    takes_posters,
):
    poster, promise = f"/s/{survey[2]}", "海报上的二维码不变"
    for moment in (CLOSES, CLOSES + 40 * DAY):
        Now.moment = moment
        page = client.get(poster)
        assert (page.status_code, "调查已结束" in page.text, promise in page.text) == (409, True, False)
    opens_at = CLOSES + 50 * DAY
    with sqlite_database.writing() as session:
        make_round(
            session,
            opens_at=opens_at,
            closes_at=opens_at + DAY,
            accepts_posters=takes_posters,
            accepts_households=not takes_posters,
        )
    announced = client.get(poster).text
    assert (promise in announced) == takes_posters
    assert ("凭发给每户的通知单填写" in announced) == (not takes_posters)

    Now.moment = opens_at
    assert client.get(poster).status_code == (200 if takes_posters else 409)


def test_a_slip_is_told_when_to_come_back_and_after_the_close_that_it_was_for_one_survey(
    client,
    survey,  # noqa: F811
    sqlite_database,
):
    token = new_slip(sqlite_database, survey)
    with sqlite_database.writing() as session:
        session.execute(update(Round).values(opens_at=LAUNCH + DAY))
    waiting = client.get(client.get(f"/h/{token}").location)
    assert (waiting.status_code, "再扫描这张通知单" in waiting.text) == (409, True)
    Now.moment = LAUNCH + DAY
    assert client.get(client.get(f"/h/{token}").location).status_code == 200
    Now.moment = CLOSES
    over = client.get(client.get(f"/h/{token}").location)
    assert (over.status_code, "仅限本次调查" in over.text, "海报" in over.text) == (409, True, False)


def test_a_second_form_of_a_slip_says_which_earlier_answers_it_replaces(client, survey, sqlite_database):  # noqa: F811
    address = client.get(f"/h/{survey[3].token}").location
    send(client, address, q16="2")
    form = Page(client.get(address))
    assert "业主、租户分别以最后提交的为准" in form.text

    sent = client.post(address, data=ANSWERS | {"q16": "1", "key": form.given["key"][0]})
    asked = Page(client.post(address, data=ANSWERS | {"q16": "2", "key": form.given["key"][0]}))

    assert sent.status_code == 303
    with sqlite_database.reading() as session:
        receipts = session.scalars(select(Response.receipt)).all()
        found = [find_receipt(session, number=each, secret_key=SECRET, now=LAUNCH).status for each in receipts]
    assert found == [ResponseStatus.COUNTED, ResponseStatus.COUNTED]
    assert asked.status == 409
    assert "替代之前的答卷" not in asked.text


@pytest.mark.parametrize("fate", ["counted", "excluded"])
@pytest.mark.parametrize("time", ["open", "just closed"])
def test_a_form_sent_twice_offers_only_what_is_taken_and_keeps_its_words_in_the_other_language(
    client,
    survey,  # noqa: F811
    sqlite_database,
    time,
    fate,
):
    address = f"/s/{survey[2]}"
    form = ANSWERS | {"key": Page(client.get(address)).given["key"][0]}
    client.post(address, data=form)
    if fate == "excluded":
        with sqlite_database.writing() as session:
            clerk = make_account(session, "clerk", community=session.merge(survey[1]), now=LAUNCH).id
        review(sqlite_database, 1, "excluded", clerk)
    Now.moment = MOMENTS[time]

    asked = client.post(address, data=form | {"q01": "1"})

    forms = re.findall(r"<form(.*?)>(.*?)</form>", asked.text, re.DOTALL)
    offered = [(attributes, inside) for attributes, inside in forms if "<button" in inside]
    assert len(offered) == {("open", "counted"): 2, ("open", "excluded"): 1}.get((time, fate), 0)
    for attributes, inside in offered:
        target = re.search(r'action="([^"]+)"', attributes)
        data = dict(re.findall(r'name="([^"]+)" value="([^"]*)"', inside))
        assert client.post(target[1] if target else address, data=data).status_code == 303
    [switch] = [inside for attributes, inside in forms if 'id="form"' in attributes]
    shown = re.search(r'formaction="([^"]+lang=en[^"]*)" name="show" value="([^"]+)"', asked.text)
    data = dict(re.findall(r'name="([^"]+)" value="([^"]*)"', switch))
    again = client.post(shown[1], data=data | {"show": shown[2]})
    assert (again.status_code, "<h1>This form was sent already</h1>" in again.text) == (409, True)


def test_a_code_that_takes_no_answers_before_the_first_round_promises_none(client, sqlite_database):
    with sqlite_database.writing() as session:
        token = make_poster_code(session).token
    page = client.get(f"/s/{token}")
    assert page.status_code == 409
    assert "海报上的二维码不变" not in page.text
    assert "/c/" in page.text


def test_the_days_of_the_walk_lie_before_the_last_day_of_keeping():
    assert TIMES["closed"].date() < KEPT_UNTIL
