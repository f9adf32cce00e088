"""A receipt that a company photographed in the doorway: it tells nothing that came later, and changes nothing."""

import hashlib
import re
import sqlite3
from contextlib import closing
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import select, update
from sqlalchemy.exc import IntegrityError

from survey_app.codes.codes import issue_slips, new_slips
from survey_app.models import Response, ResponseReview, Round
from survey_app.responses.commitments import commitment_to, digest_of_answer, digests_of_answers, handle_of, salt_of
from survey_app.responses.receipt_views import CHANGE_TRIES
from survey_app.responses.receipts import CHANGE_PAGE_LIFETIME, sign_change, sign_receipt
from survey_app.responses.retention import erase_expired
from survey_app.security.change_codes import CHANGE_CODE_DIGITS, change_code_of
from survey_app.security.check_digits import grouped, new_number
from survey_app.security.signatures import sign
from tests.accounts import csrf_token, make_account, signed_in_client
from tests.factories import SECRET, make_community, make_poster_code, make_response, make_round_around
from tests.survey_app.responses.test_survey_views import ANSWERS, Page

CODE = re.compile(r'class="change-code">([\d ]+)<')


@pytest.fixture
def now():
    return datetime.now(UTC)


@pytest.fixture
def survey(sqlite_database, now):
    """A round of posters and slips, a community with a poster, and one household's slip."""
    with sqlite_database.writing() as session:
        survey_round = make_round_around(
            session, now, accepts_households=True, responses_kept_until=(now + timedelta(days=60)).date()
        )
        community = make_community(session, name="滨河家园", english_name="Riverside Homes")
        make_poster_code(session, community)
        slips = issue_slips(
            session, survey_round=survey_round, community=community, new=new_slips(2, secret_key=SECRET), now=now
        ).slips
        make_account(session, "clerk", community=community, now=now)
        return survey_round, community, slips


def answer(client, slip, **answers):
    """Answer with a slip, and return the address that the phone is led to."""
    address = client.get(f"/h/{slip.token}").location
    sent = client.post(address, data=ANSWERS | answers | {"key": Page(client.get(address)).given["key"][0]})
    assert sent.status_code == 303
    return sent.location


def stored(database):
    with database.reading() as session:
        return list(session.execute(select(Response.__table__).order_by(Response.id)))


def photographed(client, database, place=0):
    """Return the address to which the number on a photo leads."""
    return client.post("/", data={"number": grouped(stored(database)[place].receipt)}).location


def pages(client, address):
    return [
        client.get(f"{address}{path}?lang={language}").text
        for path in ("", "/change")
        for language in ("zh-Hans", "en")
    ]


def code_on(client, own):
    return CODE.search(client.get(own).text)[1]


# What may happen to answers: each is given the phone's client, the database, the slip and the phone's own address.


def correct(client, _database, _slip, own):
    form = Page(client.get(f"{own}/correction"))
    assert client.post(f"{own}/correction", data=form.given | ANSWERS | {"q01": "1"}).status_code == 303


def withdraw(client, _database, _slip, own):
    assert client.post(f"{own}/withdrawal").status_code == 303


def answer_again(client, _database, slip, _own):
    answer(client, slip, q01="1")


def answer_again_and_withdraw(client, database, slip, _own):
    withdraw(client, database, slip, answer(client, slip, q01="1"))


def correct_twice_and_withdraw(client, database, slip, own):
    correct(client, database, slip, own)
    correct(client, database, slip, own)
    withdraw(client, database, slip, own)


def exclude(_client, database, _slip, _own):
    now = datetime.now(UTC)
    with database.writing() as session:
        account = make_account(session, "city", now=now)
        session.add(
            ResponseReview(
                response_id=1, state="excluded", families="burst", reason="核实", account_id=account.id, at=now
            )
        )


FATES = [correct, withdraw, answer_again, answer_again_and_withdraw, correct_twice_and_withdraw, exclude]


@pytest.mark.parametrize("fate", FATES)
def test_the_receipt_alone_shows_the_same_page_whatever_happened(client, survey, sqlite_database, fate):
    own = answer(client, survey[2][0])
    address = photographed(client, sqlite_database)
    before = pages(client, address)
    assert "您的答卷已收到" in before[0]

    fate(client, sqlite_database, survey[2][0], own)

    assert photographed(client, sqlite_database) == address
    assert pages(client, address) == before
    for row in stored(sqlite_database)[1:]:
        assert not any(grouped(row.receipt) in page or row.receipt in page for page in before)


@pytest.mark.parametrize("fate", FATES)
@pytest.mark.parametrize("days", [4, 90])
def test_after_the_close_and_after_the_erasure_it_is_the_same_page_too(client, survey, sqlite_database, fate, days):
    slips, shown = survey[2], []
    own = answer(client, slips[0])
    answer(client, slips[1])
    fate(client, sqlite_database, slips[0], own)
    later, rows = datetime.now(UTC) + timedelta(days=days), stored(sqlite_database)
    addresses = [photographed(client, sqlite_database, place) for place in (0, 1)]
    with sqlite_database.writing() as session:
        sent = later - timedelta(days=days)
        session.execute(update(Response).values(submitted_at=sent, mode="web"))
        session.execute(update(Round).values(closes_at=sent + timedelta(microseconds=1)))
        session.execute(update(Round).values(responses_kept_until=sent.date() + timedelta(days=60)))
    erase_expired(sqlite_database, by="site", now=later)

    for address, row in zip(addresses, rows, strict=False):
        page = client.get(address).text.replace(row.commitment, "")
        shown.append(
            page.replace(address.removeprefix("/r/"), "").replace(grouped(row.receipt), "").replace(row.receipt, "")
        )
    assert shown[0] == shown[1]
    assert all(word not in shown[0] for word in ("撤回", "替代", "已更正"))


@pytest.mark.parametrize("method", ["get", "post"])
@pytest.mark.parametrize("path", ["withdrawal", "correction"])
def test_the_receipt_alone_withdraws_and_corrects_nothing(client, survey, sqlite_database, path, method):
    own = answer(client, survey[2][0])
    form = ANSWERS | {"q01": "1", "key": Page(client.get(f"{own}/correction")).given["key"][0], "reason": "other"}
    address, before = photographed(client, sqlite_database), stored(sqlite_database)

    for asked in (f"{address}/{path}", f"{address}/{path}?code=000000000000", f"{address}/{path}?lang=en"):
        refused = getattr(client, method)(asked, **({"data": form | {"code": "1"}} if method == "post" else {}))
        assert refused.status_code in {303, 403}
        assert "/change" in refused.headers.get("Location", "/change")

    assert stored(sqlite_database) == before


def without_token(page):
    return re.sub(r'(name="csrf_token" value|content)="[^"]*"', "", page)


def test_staff_who_hear_the_receipt_alone_learn_and_change_nothing(app, client, survey, sqlite_database):
    own = answer(client, survey[2][0])
    clerk, number = signed_in_client(app, "clerk"), stored(sqlite_database)[0].receipt
    token = {"csrf_token": csrf_token(clerk.get("/staff/receipts"))}
    address = clerk.post("/staff/receipts", data=token | {"number": number}).location
    before = without_token(clerk.get(address).text)

    assert clerk.post(f"{address}/withdrawal", data=token).status_code == 403
    assert clerk.post(f"{address}/correction", data=token | ANSWERS).status_code == 403
    assert clerk.get(f"{address}/correction").status_code == 303
    assert clerk.post(f"{address}/change", data=token | {"code": new_number(CHANGE_CODE_DIGITS)}).status_code == 422
    opened = clerk.post(f"{address}/change", data=token | {"code": code_on(client, own)}).location
    assert clerk.post(f"{opened}/withdrawal", data=token).status_code == 303

    assert without_token(clerk.get(address).text) == before
    assert stored(sqlite_database)[0].answers is None


def wrong_codes(database):
    mine, other = stored(database)
    right = change_code_of(mine.submission_key, secret_key=SECRET)
    return [
        "",
        right[:-1],
        right + "0",
        right[:-1] + str((int(right[-1]) + 1) % 10),
        change_code_of(other.submission_key, secret_key=SECRET),
        change_code_of(mine.submission_key, secret_key="another"),
        change_code_of(mine.receipt, secret_key=SECRET),
        mine.receipt,
        mine.change_digest,
        "x' OR '1'='1",
        "\x00" * 12,
    ]


def test_no_other_number_is_taken_for_the_change_code(client, survey, sqlite_database):
    own, _other = answer(client, survey[2][0]), answer(client, survey[2][1])
    address = photographed(client, sqlite_database)

    for place, wrong in enumerate(wrong_codes(sqlite_database)):
        phone = {"REMOTE_ADDR": f"198.51.100.{place}"}
        refused = client.post(f"{address}/change", data={"code": wrong}, environ_overrides=phone)
        assert refused.status_code == 422, wrong

    typed = client.post(f"{address}/change", data={"code": code_on(client, own)})
    assert "查看修改码" in client.get(typed.location).text
    full_width = code_on(client, own).translate({ord(str(digit)): chr(0xFF10 + digit) for digit in range(10)})
    assert client.post(f"{address}/change", data={"code": full_width}).status_code == 303


def test_the_change_code_stands_in_no_row_no_address_and_not_on_the_picture(client, survey, sqlite_database):
    own = answer(client, survey[2][0])
    code = code_on(client, own)
    page = client.get(own).text

    shown = re.sub(r"<details.*?</details>", "", page, flags=re.DOTALL)
    with closing(sqlite3.connect(sqlite_database.url.database)) as connection:
        dump = "\n".join(connection.iterdump())
    for secret in (code, code.replace(" ", "")):
        assert secret not in shown
        assert secret not in dump
        assert secret not in own
        assert hashlib.sha256(secret.encode()).hexdigest() not in dump


def test_addresses_are_not_forged_from_those_of_a_receipt(client, survey, sqlite_database, now):
    answer(client, survey[2][0])
    number = stored(sqlite_database)[0].receipt
    forged = [
        sign([number, int(now.timestamp())], purpose="receipt", secret_key=SECRET),
        sign([number, int(now.timestamp())], purpose="receipt with its change code", secret_key="guessed"),
        sign(number, purpose="complaint", secret_key=SECRET),
        photographed(client, sqlite_database).removeprefix("/r/") + "x",
    ]

    for reference in forged:
        assert client.post(f"/r/{reference}/withdrawal").status_code in {403, 404}
    assert stored(sqlite_database)[0].answers is not None


def test_an_address_in_the_phones_history_shows_next_day_what_the_receipt_shows(client, survey, sqlite_database, now):
    answer(client, survey[2][0])
    number = stored(sqlite_database)[0].receipt
    earlier = sign_change(number, secret_key=SECRET, now=now - CHANGE_PAGE_LIFETIME)

    page = client.get(f"/r/{earlier}").text

    assert CODE.search(page) is None
    assert "您的答卷已收到" in page
    assert client.post(f"/r/{earlier}/withdrawal").status_code == 403
    assert client.get(f"/r/{earlier}/withdrawal").status_code == 303
    assert stored(sqlite_database)[0].answers is not None


def test_who_tries_codes_runs_out_of_tries_and_keeps_the_resident_out_of_nothing(client, survey, sqlite_database):
    own = answer(client, survey[2][0])
    code, address = code_on(client, own), photographed(client, sqlite_database)
    for place in range(3):
        for _ in range(CHANGE_TRIES.line.free):
            attacker = {"REMOTE_ADDR": f"2001:db8:0:{place}::{_ + 1:x}"}
            wrong = {"code": new_number(CHANGE_CODE_DIGITS)}
            assert client.post(f"{address}/change", data=wrong, environ_overrides=attacker).status_code == 422
        assert client.post(f"{address}/change", data={"code": code}, environ_overrides=attacker).status_code == 429

    resident = {"REMOTE_ADDR": "203.0.113.7"}
    assert client.post(f"{address}/change", data={"code": code}, environ_overrides=resident).status_code == 303
    assert client.get(own, environ_overrides=attacker).status_code == 200
    assert client.post(f"{own}/withdrawal", environ_overrides=attacker).status_code == 303


def test_a_form_that_is_sent_again_is_told_the_same_code(client, survey):
    address = client.get(f"/h/{survey[2][0].token}").location
    form = ANSWERS | {"key": Page(client.get(address)).given["key"][0]}

    codes = {code_on(client, client.post(address, data=form).location) for _ in range(3)}

    assert len(codes) == 1


def test_a_correction_has_a_code_of_its_own_and_both_work(client, survey, sqlite_database):
    own = answer(client, survey[2][0])
    first = code_on(client, own)
    correct(client, sqlite_database, None, own)
    second = code_on(client, own)

    assert first != second
    for place, code in enumerate((first, second)):
        address = photographed(client, sqlite_database, place)
        assert client.post(f"{address}/change", data={"code": code}).status_code == 303


def test_receipts_of_before_change_answers_until_their_round_closes(client, survey, sqlite_database, now):
    with sqlite_database.writing() as session:
        survey_round, community, _slips = survey
        number = make_response(session, session.merge(survey_round), session.merge(community)).receipt
    address = f"/r/{sign_receipt(number, secret_key=SECRET)}"
    assert {f"{address}/withdrawal", f"{address}/correction"} <= set(Page(client.get(address)).links)
    corrected = client.post(f"{address}/correction", data=Page(client.get(f"{address}/correction")).given | ANSWERS)
    assert corrected.status_code == 303
    with sqlite_database.writing() as session:
        session.execute(update(Round).values(closes_at=now - timedelta(seconds=1)))

    assert f"{address}/withdrawal" not in Page(client.get(address)).links
    assert client.post(f"{address}/withdrawal").status_code == 403
    assert client.get(f"{address}/withdrawal").status_code == 303


def test_one_question_is_opened_or_erased_and_the_commitment_still_fits(client, survey, sqlite_database):
    answer(client, survey[2][0], q24="电梯常坏")
    (row,) = stored(sqlite_database)
    questionnaire = survey[0].questionnaire
    keys = re.findall(r'"key":"(q\d+)"', questionnaire.text)
    answers = {"q01": 4, "q16": 1, "q24": "电梯常坏"}
    place = {
        "round_id": row.round_id,
        "community_id": row.community_id,
        "questionnaire_sha256": questionnaire.sha256,
    }
    digests = dict(zip(keys, digests_of_answers(row.nonce, keys, answers), strict=True))

    # What is published of a response whose text was erased: the salt of one question, the digests of the others.
    salt = salt_of(row.nonce, "q01")
    assert digest_of_answer(salt, "q01", 4) == digests["q01"]
    assert commitment_to(digests.values(), **place) == row.commitment
    for other in (3, None, "4", [4]):
        assert digest_of_answer(salt, "q01", other) != digests["q01"]
    assert all(digest_of_answer(salt, "q24", guess) != digests["q24"] for guess in ("电梯常坏", "", None))
    for moved in ({"round_id": 2}, {"community_id": 99}, {"questionnaire_sha256": "0" * 64}):
        assert commitment_to(digests.values(), **place | moved) != row.commitment
    assert commitment_to(reversed(digests.values()), **place) != row.commitment


def test_a_handle_is_not_found_by_trying_receipts_and_belongs_to_one_row(client, survey, sqlite_database):
    for slip in survey[2]:
        answer(client, slip)
    first, second = stored(sqlite_database)

    assert first.handle != handle_of(first.receipt, b"")
    assert first.handle != hashlib.sha256(first.receipt.encode()).hexdigest()
    assert first.handle == handle_of(first.receipt, first.handle_nonce)
    for column in ("handle", "commitment"):
        copied = update(Response).where(Response.id == second.id).values({column: getattr(first, column)})
        with pytest.raises(IntegrityError, match=column), sqlite_database.writing() as session:
            session.execute(copied)
