"""What the privacy notice says is what is stored: every column, file and line of the log, on a clock that runs.

A city in which everything happens goes from its launch past every period, the hourly work done or missed. At each time
whatever came from a resident is looked for in every column of every table and in the bytes of the database's files.
"""

import io
import json
import logging
import sqlite3
from contextlib import closing
from datetime import UTC, date, datetime, timedelta, timezone
from functools import partial
from pathlib import Path

import pandas as pd
import pytest
from sqlalchemy import select, text, update
from sqlalchemy.exc import IntegrityError

from survey_app.accounts.network_digests import NetworkKeys
from survey_app.accounts.sign_in import LONGEST_SESSION, start_session
from survey_app.attachments.attachments import keep_attachments, scan_uploads
from survey_app.attachments.kinds import PHOTO
from survey_app.attachments.scanning import Upload
from survey_app.codes.codes import find_code, issue_poster_code, issue_slips, new_slips
from survey_app.complaints.cases import take_step
from survey_app.complaints.filing import check_complaint, file_complaint
from survey_app.config import DATA
from survey_app.evaluations.evaluate_round import evaluate_round, verify_evaluation
from survey_app.evaluations.profiles import _few_answers
from survey_app.log_events import LOGGER, LogEvent
from survey_app.models import Account, CommunityProfile, RegionProfile, Response, Round
from survey_app.models.vocabulary import CaseAction, CaseActor, Channel, Mode, ResponseChangeReason
from survey_app.operations.scheduled_jobs import worker
from survey_app.responses import retention
from survey_app.responses.commitments import commitment_to, digests_of_openings
from survey_app.responses.counting_status import status_of_response
from survey_app.responses.receipts import (
    RESIDENT,
    Actor,
    ResultNotOfficial,
    correct_response,
    erase_at_office,
    sign_receipt,
    withdraw_response,
)
from survey_app.responses.retention import REDUCED_VALUES, erase_expired
from survey_app.responses.staff_entry import enter_response, open_desk, with_slip
from survey_app.responses.submission import open_visit, record_response
from survey_app.rounds.privacy_promises import Concerned, promises, statements_to
from survey_app.rounds.questionnaires import parse_questionnaire
from survey_app.rounds.rounds import publish_questionnaire
from survey_app.security.submission_keys import Form, SubmissionKey
from survey_app.storage.database import Base
from survey_app.web.logs import Lines
from tests.accounts import csrf_token, make_account, signed_in_client
from tests.factories import CLOSED, NOW, SECRET, SETTLED, make_community, make_poster_code, make_response, make_round
from tests.survey_app.complaints.test_views import WORDS, key_of
from tests.survey_app.responses.test_photo_uploads import ASKS_FOR_PHOTOS
from tests.survey_app.responses.test_survey_views import Page

HOUR, DAY = timedelta(hours=1), timedelta(days=1)
SHIPPED = DATA / "questionnaires" / "resident-satisfaction-2.yaml"
KEPT_UNTIL = (CLOSED + 200 * DAY).date()
# The day after the last is over: the city is eight hours ahead.
OVER = datetime.combine(KEPT_UNTIL + 2 * DAY, datetime.min.time(), tzinfo=UTC)

COMMENT, COMPLAINT, PLACE, NOTE = "意见暗号七七", "投诉暗号八八", "地点暗号九九", "补充暗号六六"
CONTACT, ADDRESS, FRAUD = "13900001234", "198.51.100.77", "核查暗号五五"
PIXELS = 40


def asked():
    definition = SHIPPED.read_text("utf-8").replace("key: resident-satisfaction", "key: with-photos")
    definition = definition.replace("comparable_with: [1]", "comparable_with: []").replace("version: 2", "version: 1")
    return parse_questionnaire((definition + ASKS_FOR_PHOTOS).encode("utf-8"), "with-photos.yaml")


def a_photo():
    import io

    from PIL import Image

    stream = io.BytesIO()
    Image.effect_noise((PIXELS, PIXELS), 90).convert("RGB").save(stream, "JPEG", quality=90)
    return stream.getvalue()


class City:
    """A city in which everything happens that stores something of residents."""

    def __init__(self, database):
        self.database = database
        self.moment = NOW.replace(microsecond=123457)
        self.keys = NetworkKeys(database)
        with database.writing() as session:
            definition = asked()
            questionnaire = publish_questionnaire(session, definition=definition, now=NOW - 20 * DAY)
            self.round = make_round(
                session, questionnaire=questionnaire, accepts_households=True, responses_kept_until=KEPT_UNTIL
            )
            self.community, self.lonely = make_community(session), make_community(session)
            self.lonely.district = self.community.district
            self.clerk = make_account(session, "clerk", community=self.community, now=NOW).id
            self.token = make_poster_code(session, self.community, building="3号楼").token
            self.lonely_token = make_poster_code(session, self.lonely).token
            self.slips = issue_slips(
                session, survey_round=self.round, community=self.community, new=new_slips(4, secret_key=SECRET), now=NOW
            ).slips
            self.definition = definition
        self.photo_names, self.receipts = [], []

    def tick(self):
        self.moment += timedelta(seconds=61, microseconds=11)
        return self.moment

    def answers(self, **given):
        return self.definition.check_answers(
            {"q01": ["4"], "q16": ["1"], "q17": ["1"], "q24": [COMMENT]}
            | {key: [value] for key, value in given.items()}
        )

    def answer(self, token, *, photo=False, **given):
        now = self.tick()
        network = self.keys.digests_of(ADDRESS, purpose="response.1", now=now)
        with self.database.writing() as session:
            visit = open_visit(session, token=token, secret_key=SECRET, now=now)
            key = SubmissionKey.new(form=Form.RESPONSE, code_id=visit.code_id, round_id=visit.round_id, now=now)
            if photo:
                files, _faults = scan_uploads([Upload(io.BytesIO(a_photo()))], kind=PHOTO)
                place = {"key": key, "community_id": visit.community_id, "question": "q25"}
                keep_attachments(
                    session, kind=PHOTO, network=network, files=files, secret_key=SECRET, now=now, **place
                )  # fmt: skip
            receipt = record_response(
                session, visit=visit, key=key, answers=self.answers(**given), language="en", network=network,
                secret_key=SECRET, now=now,
            )  # fmt: skip
        self.receipts.append(receipt)
        return receipt

    def answer_with_slip(self, number, **given):
        from survey_app.codes.codes import scan_slip

        with self.database.reading() as session:
            token = scan_slip(session, typed=self.slips[number].digits, secret_key=SECRET, now=self.moment)
        return self.answer(token, **given)

    def type_in(self, mode, slip=None, **given):
        now = self.tick()
        with self.database.writing() as session:
            desk = open_desk(session, community=session.merge(self.community), now=now)
            digits = self.slips[slip].digits if slip is not None else ""
            desk = with_slip(session, desk=desk, typed=digits, secret_key=SECRET, now=now)
            key = SubmissionKey.new(form=Form.ENTRY, code_id=None, round_id=desk.round_id, now=now)
            receipt = enter_response(
                session, desk=desk, key=key, answers=self.answers(**given), mode=mode, by=self.clerk,
                secret_key=SECRET, now=now,
            )  # fmt: skip
        self.receipts.append(receipt)
        return receipt

    def correct(self, receipt, **given):
        now = self.tick()
        with self.database.writing() as session:
            key = SubmissionKey.new(form=Form.CORRECTION, code_id=None, round_id=self.round.id, now=now)
            self.receipts.append(
                correct_response(
                    session,
                    number=receipt,
                    key=key,
                    answers=self.answers(**given),
                    mode=Mode.WEB,
                    reason=ResponseChangeReason.CHANGED_MIND,
                    by=RESIDENT,
                    language="zh-Hans",
                    secret_key=SECRET,
                    now=now,
                )
            )

    def withdraw(self, receipt):
        with self.database.writing() as session:
            withdraw_response(
                session, number=receipt, reason=ResponseChangeReason.NOT_MINE, by=RESIDENT, now=self.tick()
            )

    def complain(self, *, closes=True):
        now = self.tick()
        network = self.keys.digests_of(ADDRESS, purpose="photo", now=now)
        with self.database.writing() as session:
            code = find_code(session, token=self.token, secret_key=SECRET)
            key = SubmissionKey.new(form=Form.COMPLAINT, code_id=code.id, round_id=None, now=now)
            files, _faults = scan_uploads([Upload(io.BytesIO(a_photo()))], kind=PHOTO)
            keep_attachments(
                session, kind=PHOTO, key=key, community_id=code.community_id, network=network, files=files,
                secret_key=SECRET, now=now,
            )  # fmt: skip
            form = {"category": "EQ01", "kind": "complaint", "text": COMPLAINT, "place": PLACE}
            form |= {"occurred": "2026-09-14", "contact": CONTACT, "consent": "yes"}
            checked = check_complaint(form, today=date(2026, 9, 15))
            filed = file_complaint(
                session, code=code, key=key, complaint=checked, channel=Channel.CODE, language="en",
                secret_key=SECRET, now=now,
            )  # fmt: skip
        if closes:
            step = partial(take_step, reference=filed.reference, by="resident", now=self.tick())
            with self.database.writing() as session:
                step(session, action=CaseAction.ADD, actor=CaseActor.RESIDENT, text=NOTE)
                step(session, action=CaseAction.WITHDRAW, actor=CaseActor.RESIDENT)
        return filed.reference

    def leave_a_photo_unsent(self):
        now = self.tick()
        network = self.keys.digests_of(ADDRESS, purpose="photo", now=now)
        key = SubmissionKey.new(form=Form.RESPONSE, code_id=None, round_id=None, now=now)
        with self.database.writing() as session:
            files, _faults = scan_uploads([Upload(io.BytesIO(a_photo()))], kind=PHOTO)
            keep_attachments(
                session,
                kind=PHOTO,
                key=key,
                community_id=self.community.id,
                network=network,
                files=files,
                question="q25",
                secret_key=SECRET,
                now=now,
            )

    def live(self):
        """Let everything happen once."""
        for rating in ("5", "4", "2", *"45" * 6):
            self.answer(self.token, q01=rating)
        self.answer(self.token, photo=True, q24=COMMENT)
        self.answer(self.lonely_token, q01="1", q02="2")
        for rating in ("1", "5"):
            self.answer_with_slip(0, q01=rating)
        self.type_in(Mode.PAPER, slip=1, q01="3")
        self.type_in(Mode.TELEPHONE, q01="2")
        first = self.answer_with_slip(2)
        self.correct(first, q01="2", q24=COMMENT)
        self.withdraw(self.answer(self.token))
        self.complain()
        self.open_case = self.complain(closes=False)
        self.leave_a_photo_unsent()

    def work(self, now):
        worker(self.database, clock=lambda: now, secret_key=SECRET).run_due_jobs()


@pytest.fixture
def city(sqlite_database):
    city = City(sqlite_database)
    city.live()
    return city


def rows(database, table):
    with database.reading() as session:
        return session.execute(select(Base.metadata.tables[table])).all()


def holding(database, needle):
    """Return every table and column in which something is found, whatever its type."""
    forms = {needle, needle.hex() if isinstance(needle, bytes) else str(needle)}
    found = set()
    for name, table in Base.metadata.tables.items():
        for row in rows(database, name):
            for column, value in zip(table.columns, row, strict=True):
                texts = (value.hex(), value.decode("latin-1")) if isinstance(value, bytes) else (str(value),)
                if value is not None and any(str(form) in text for form in forms for text in texts):
                    found.add(f"{name}.{column.name}")
    return found


def bytes_on_disk(database):
    """Return the database's file and its log, as whoever copies them has them."""
    path = Path(database.url.database)
    return b"".join(file.read_bytes() for file in (path, Path(f"{path}-wal")) if file.exists())


def values_of_responses(database):
    """Return all that tells one response from another."""
    columns = ("submission_key", "receipt", "commitment", "handle", "change_digest", "nonce", "handle_nonce")
    with database.reading() as session:
        found = session.execute(select(*(getattr(Response, name) for name in columns))).all()
    return [value for row in found for value in row if value is not None]


def what_remains(database, promise):
    """Return which columns of a promise hold something of a resident."""
    found = set()
    for table, columns in promise.columns.items():
        for row in rows(database, table):
            found |= {f"{table}.{column}" for column in columns if getattr(row, column) not in (None, "")}
    return found


def by_key(key):
    return next(promise for promise in promises().promises if promise.key == key)


def test_every_column_of_every_table_is_classified_exactly_once():
    listed = [
        (table, column)
        for columns in (*(promise.columns for promise in promises().promises), *promises().not_personal)
        for table, names in columns.items()
        for column in names
    ]
    stored = {(table.name, column.name) for table in Base.metadata.sorted_tables for column in table.columns}

    assert sorted(listed) == sorted(set(listed))
    assert set(listed) == stored


def test_the_log_holds_the_fields_that_are_promised_and_no_other():
    record = logging.LogRecord(LOGGER.name, logging.WARNING, "x.py", 1, LogEvent.REFUSED, None, None)
    facts = {"error": "X", "endpoint": "x", "status": 1, "job": "x", "where": ["x.py:1"], "number": "1", "address": "x"}
    for name, value in facts.items():
        setattr(record, name, value)

    assert set(json.loads(Lines().format(record))) == set(promises().log_fields)


@pytest.mark.parametrize("language", ["zh-Hans", "en"])
@pytest.mark.parametrize("path", ["s", "c"])
def test_the_notice_says_every_promise_in_full(client, sqlite_database, now, path, language):
    with sqlite_database.writing() as session:
        survey_round = make_round(
            session,
            opens_at=now - DAY,
            closes_at=now + DAY,
            accepts_households=True,
            responses_kept_until=date(2030, 5, 6),
        )
        token = make_poster_code(session).token
        assert survey_round.responses_kept_until == date(2030, 5, 6)
    page = client.get(f"/{path}/{token}/privacy?lang={language}").text
    concerned = Concerned.SURVEY if path == "s" else Concerned.COMPLAINT

    stated = statements_to(
        concerned, language=language, kept_until="May 6, 2030" if language == "en" else "2030年5月6日"
    )

    assert len(stated) >= 5
    assert "{" not in page
    for statement in stated:
        assert all(part.replace("“", "“") in page for part in (statement.data, statement.purpose, statement.kept))


def test_a_round_of_posters_alone_speaks_of_no_household_code(client, sqlite_database, now):
    with sqlite_database.writing() as session:
        make_round(session, opens_at=now - DAY, closes_at=now + DAY)
        token = make_poster_code(session).token

    for address in (f"/s/{token}", f"/s/{token}/privacy"):
        assert "户码" not in client.get(address).text


def test_the_shipped_notice_names_the_change_code_and_each_end():
    for notice in (asked().notice.household, asked().notice.poster):
        assert all(word in notice.zh_hans for word in ("修改码", "48小时内删除", "结果定稿后删除意见", "{date}"))
        assert all(word in notice.en for word in ("change code", "48 hours", "when the result is official", "{date}"))
    assert "户码关联" in asked().notice.household.zh_hans
    assert "户码" not in asked().notice.poster.zh_hans


def test_a_round_without_a_last_day_cannot_be_stored(sqlite_database):
    with pytest.raises(IntegrityError), sqlite_database.writing() as session:
        make_round(session, responses_kept_until=None)


def test_what_is_typed_stands_in_one_place_each_and_what_is_sealed_in_none(city):
    one_place = {
        COMMENT: "response.answers",
        COMPLAINT: "complaint.text",
        PLACE: "complaint.place",
        NOTE: "complaint_note.text",
    }

    assert {canary: holding(city.database, canary) for canary in one_place} == {
        canary: {place} for canary, place in one_place.items()
    }
    for sealed in (CONTACT, ADDRESS):
        assert holding(city.database, sealed) == set()
        assert sealed.encode() not in bytes_on_disk(city.database)


# Hours after the launch at which work is done: each, every third as when runs are missed, or only near the end.
@pytest.mark.parametrize("worked", [range(48), (*range(2, 46, 3), 47), (1, 46, 47), (47,)])
def test_network_digests_and_unsent_photos_are_gone_in_time_whatever_runs_were_missed(city, worked):
    database, network = city.database, by_key("network")
    assert "response.address_digest" in what_remains(database, network)

    for hours in worked:
        city.work(city.moment + hours * HOUR)

    assert what_remains(database, network) <= {"network_key.day", "network_key.key"}
    today = (city.moment + 47 * HOUR).astimezone(timezone(8 * HOUR)).date()
    assert all(row.day >= today for row in rows(database, "network_key"))
    assert all(row.response_id or row.complaint_id for row in rows(database, "attachment"))


def test_texts_photos_and_links_stay_until_the_result_is_official_and_go_then(city):
    database = city.database
    city.work(SETTLED + HOUR)
    assert holding(database, COMMENT) == {"response.answers"}
    evaluate_round(database, round_id=city.round.id, now=SETTLED + 2 * HOUR, provisional=True)
    city.work(SETTLED + 3 * HOUR)
    assert holding(database, COMMENT) == {"response.answers"}

    evaluate_round(database, round_id=city.round.id, now=SETTLED + 4 * HOUR)
    city.work(SETTLED + 5 * HOUR)

    assert holding(database, COMMENT) == set()
    assert COMMENT.encode() not in bytes_on_disk(database)
    assert what_remains(database, by_key("household")) == set()
    assert what_remains(database, by_key("comments")) == set()
    kept = rows(database, "response")
    assert {row.receipt for row in kept} == set(city.receipts)
    assert sum(row.answers is not None for row in kept) == len(kept) - 1


def test_nothing_of_single_answers_outlives_the_last_day_and_the_count_stands(city):
    database, secrets = city.database, values_of_responses(city.database)
    city.work(SETTLED)
    evaluation = evaluate_round(database, round_id=city.round.id, now=SETTLED + HOUR)
    city.work(SETTLED + 2 * HOUR)
    stored = ("standing", "evaluation", "community_profile", "region_profile", "response_review")
    frozen = {table: rows(database, table) for table in stored}

    # Two o'clock in the night after the last day in UTC, and the last minutes of the last day in the city before.
    city.work(OVER - 33 * HOUR)
    assert what_remains(database, by_key("receipt"))
    city.work(OVER)

    for key in ("answers", "receipt", "circumstances", "poster", "changes", "household", "comments"):
        assert what_remains(database, by_key(key)) == set(), key
    on_disk = bytes_on_disk(database)
    for value in secrets:
        assert holding(database, value) == set()
        assert (value if isinstance(value, bytes) else value.encode()) not in on_disk
    with database.reading() as session:
        assert verify_evaluation(session, evaluation.id).is_same
    assert {table: rows(database, table) for table in stored} == frozen
    assert len(rows(database, "response")) == len(city.receipts)


def test_no_time_of_a_response_is_left_that_nobody_of_the_staff_made(sqlite_database):
    city = City(sqlite_database)
    sent = []
    for slip in range(2):
        city.answer_with_slip(slip)
        sent.append(city.moment)
    city.answer(city.token)
    sent.append(city.moment)
    assert all(holding(sqlite_database, f"{moment:%H:%M:%S.%f}") == {"response.submitted_at"} for moment in sent)

    erase_expired(sqlite_database, by="site", now=OVER)

    assert all(holding(sqlite_database, f"{moment:%H:%M}:") == set() for moment in sent)


def test_contacts_and_words_of_ended_cases_go_in_their_time_and_open_cases_keep_them(city):
    database = city.database
    for days, contacts, notes in ((90, 2, 1), (91, 1, 1), (365, 1, 1), (366, 1, 0)):
        city.work(city.moment + days * DAY - HOUR)
        assert (len(rows(database, "complaint_contact")), len(rows(database, "complaint_note"))) == (contacts, notes)

    assert holding(database, NOTE) == set()
    assert NOTE.encode() not in bytes_on_disk(database)
    [still] = [row for row in rows(database, "complaint") if row.text or row.place or row.submission_key]
    assert still.reference == city.open_case
    [ended] = [row for row in rows(database, "complaint") if row.reference != city.open_case]
    assert (ended.category, ended.status, ended.language, ended.secret_hash) == ("EQ01", "withdrawn", None, None)
    assert [row.complaint_id for row in rows(database, "attachment")] == [still.id]


def test_sessions_of_staff_go_within_an_hour_of_their_end_though_nobody_signs_in(city):
    database, now = city.database, city.moment
    with database.writing() as session:
        start_session(session, account=session.get(Account, city.clerk), proof="authenticator", now=now)

    city.work(now + LONGEST_SESSION - HOUR)
    assert len(rows(database, "account_session")) == 1
    city.work(now + LONGEST_SESSION + HOUR)

    assert rows(database, "account_session") == []


def test_a_contact_goes_when_the_resident_takes_the_consent_back(app, client, sqlite_database):
    now = datetime.now(UTC)
    with sqlite_database.writing() as session:
        token = issue_poster_code(session, community=make_community(session), now=now).token
    form = WORDS | {"contact": CONTACT, "consent": "yes", "key": key_of(client, token)}
    filed = Page(client.post(f"/c/{token}", data=form))
    link = next(link for link in filed.links if "#" in link and "/complaint/" in link)
    address, _mark, kept = link.partition("#")
    secret = kept.partition(".")[0]
    [sealed] = [row.sealed for row in rows(sqlite_database, "complaint_contact")]

    for wrong in ({"secret": "123456789012"}, {"pass": "forged"}, {}):
        assert app.test_client().post(f"{address}/contact-erasure", data=wrong).status_code in {400, 403, 404, 410, 422}
    assert len(rows(sqlite_database, "complaint_contact")) == 1
    own = Page(client.post(f"{address}/open", data={"secret": secret}))
    assert '/contact-erasure"' in own.text
    erased = client.post(f"{address}/contact-erasure", data={"pass": own.given["pass"]})

    assert erased.status_code == 200
    # The switches of language and print come back to this page; no form offers the erasure any more.
    assert '/contact-erasure"' not in erased.text
    assert rows(sqlite_database, "complaint_contact") == []
    worker(sqlite_database, clock=lambda: now + HOUR, secret_key=SECRET).run_due_jobs()
    assert sealed.encode() not in bytes_on_disk(sqlite_database)
    assert client.post(f"{address}/contact-erasure", data={"pass": own.given["pass"]}).status_code == 200
    actions = [row.action for row in rows(sqlite_database, "audit_event")]
    assert actions.count("contact_erased") == 1


def test_the_office_erases_without_the_change_code_once_the_result_stands_and_moves_nothing(city):
    database, number = city.database, city.receipts[0]
    kept = next(row for row in rows(database, "response") if row.receipt == number)
    erase = partial(erase_at_office, number=number, by=Actor(city.clerk))
    for stage in ("open", "closed"):
        with pytest.raises(ResultNotOfficial), database.writing() as session:
            erase(session, now=city.moment if stage == "open" else SETTLED)
    evaluation = evaluate_round(database, round_id=city.round.id, now=SETTLED + HOUR)

    with database.writing() as session:
        erase(session, now=SETTLED + 2 * HOUR)

    [row] = [row for row in rows(database, "response") if row.receipt == number]
    assert (row.answers, row.nonce, row.openings) == (None, None, None)
    assert kept.answers is not None
    with database.reading() as session:
        assert verify_evaluation(session, evaluation.id)
    [event] = [row for row in rows(database, "audit_event") if row.action == "response_erased"]
    assert (event.actor, json.loads(event.after)["because"]) == (f"account:{city.clerk}", "identity")


@pytest.mark.parametrize(("is_checked", "status"), [(True, 303), (False, 422)])
def test_staff_erase_at_the_office_after_having_seen_who_it_is(app, sqlite_database, is_checked, status):
    now = datetime.now(UTC)
    with sqlite_database.writing() as session:
        community = make_community(session)
        over = make_round(session, opens_at=now - 40 * DAY, closes_at=now - 10 * DAY)
        response = make_response(session, over, community, submitted_at=now - 20 * DAY)
        make_account(session, "clerk", community=community, now=now)
        make_account(session, "elsewhere", role="clerk", community=make_community(session), now=now)
    address = f"/staff/receipts/{sign_receipt(response.receipt, secret_key=SECRET)}"
    form = {"checked": "yes"} if is_checked else {}

    def erase(username):
        clerk = signed_in_client(app, username)
        token = csrf_token(clerk.get("/staff/receipts"))
        return clerk.get(address).text, clerk.post(f"{address}/office-erasure", data=form | {"csrf_token": token})

    page, answer = erase("clerk")
    assert ("office-erasure" in page, answer.status_code) == (False, 409 if is_checked else 422)
    evaluate_round(sqlite_database, round_id=over.id, now=now)
    assert erase("elsewhere")[1].status_code in {403, 404}
    page, answer = erase("clerk")

    assert ("office-erasure" in page, answer.status_code) == (True, status)
    with sqlite_database.reading() as session:
        assert (session.get(Response, response.id).answers is None) == is_checked


def test_the_audit_chain_and_the_jobs_hold_nothing_that_was_typed(city):
    city.work(SETTLED + HOUR)
    evaluate_round(city.database, round_id=city.round.id, now=SETTLED + 2 * HOUR)
    city.work(OVER + 400 * DAY)

    recorded = str(rows(city.database, "audit_event")) + str(rows(city.database, "job"))
    for canary in (COMMENT, COMPLAINT, PLACE, NOTE, CONTACT, ADDRESS, *city.receipts):
        assert canary not in recorded


def test_a_whole_text_is_gone_from_the_commitment_and_the_other_answers_still_fit(city):
    evaluate_round(city.database, round_id=city.round.id, now=SETTLED)
    before = {row.id: row for row in rows(city.database, "response")}
    erase_expired(city.database, by="site", now=SETTLED)
    keys = [question.key for question in city.definition.questions]

    fitting = 0
    for row in rows(city.database, "response"):
        if row.answers is None:
            continue
        assert row.nonce is None
        assert before[row.id].nonce not in row.openings
        digests = digests_of_openings(row.openings, erased=["q24"], questions=keys, answers=json.loads(row.answers))
        place = {"round_id": row.round_id, "community_id": row.community_id}
        assert commitment_to(digests, **place, questionnaire_sha256=city.definition.sha256) == row.commitment
        changed = json.loads(row.answers) | {"q01": 9}
        digests = digests_of_openings(row.openings, erased=["q24"], questions=keys, answers=changed)
        assert commitment_to(digests, **place, questionnaire_sha256=city.definition.sha256) != row.commitment
        fitting += 1
    assert fitting > 15


def test_answers_without_a_text_keep_their_nonce_and_texts_that_look_like_keys_go_as_well(sqlite_database):
    city = City(sqlite_database)
    for comment in ("", '"q24":"假的"', '{"q01":1}', "\\", "%_\U0001f600", "q24"):
        city.answer(city.token, q24=comment)
    evaluate_round(sqlite_database, round_id=city.round.id, now=SETTLED)

    erase_expired(sqlite_database, by="site", now=SETTLED)

    kept = rows(sqlite_database, "response")
    assert {row.answers for row in kept} == {'{"q01":4,"q16":1,"q17":1}'}
    assert [row.nonce is None for row in kept] == [False, True, True, True, True, True]


@pytest.mark.usefixtures("two_rows_at_once")
@pytest.mark.parametrize("crash_after", range(1, 9))
def test_a_pass_that_dies_anywhere_is_finished_by_the_next_and_no_status_changes(city, monkeypatch, crash_after):
    database = city.database
    evaluate_round(database, round_id=city.round.id, now=SETTLED)
    status = status_of_response("owners", before=CLOSED)

    def statuses():
        with database.reading() as session:
            return session.execute(select(Response.id, status).order_by(Response.id)).all()

    before, written, real = statuses(), [], retention.count_erased

    def count_erased(*arguments, **named):
        written.append(named)
        if len(written) == crash_after:
            raise RuntimeError("killed")
        real(*arguments, **named)

    monkeypatch.setattr(retention, "count_erased", count_erased)
    with pytest.raises(RuntimeError, match="killed"):
        erase_expired(database, by="site", now=SETTLED)
    assert statuses() == before
    monkeypatch.setattr(retention, "count_erased", real)
    erase_expired(database, by="site", now=SETTLED)

    assert statuses() == before
    assert holding(database, COMMENT) == set()
    assert what_remains(database, by_key("household")) == set()
    answered = [row.households_answered for row in rows(database, "slip_batch")]
    assert answered == [3]
    done = [(event.action, event.after) for event in rows(database, "audit_event") if event.actor == "site"]
    assert done[-2:] == [
        ("household_links_removed", '{"responses":5}'),
        ("comments_erased", f'{{"photos":1,"responses":{len(city.receipts) - 1}}}'),
    ]


def test_a_response_is_erased_as_a_whole_or_not_at_all(database):
    city = City(database)
    city.answer(city.token)

    for name in sorted(set(REDUCED_VALUES) - {"answers", "tenure", "nonce", "household_key", "code_id", "openings",
                                              "address_digest", "prefix_digest", "handle_nonce", "change_digest",
                                              "entered_by_id", "corrects_id", "superseded_within"}):  # fmt: skip
        with pytest.raises(IntegrityError), database.writing() as session:
            session.execute(update(Response).values({name: None}))


def test_each_engine_keeps_and_erases_the_same(database):
    city = City(database)
    city.live()
    evaluation = evaluate_round(database, round_id=city.round.id, now=SETTLED)

    frozen = erase_expired(database, by="site", now=SETTLED)
    over = erase_expired(database, by="site", now=OVER)

    assert frozen.household_links == 5
    assert frozen.comments == len(city.receipts) - 1
    assert frozen.photos == 1
    assert over.responses == len(city.receipts)
    assert erase_expired(database, by="site", now=OVER).total == 0
    with database.reading() as session:
        assert verify_evaluation(session, evaluation.id).is_same
        assert session.scalar(select(Round.responses_erased_at)) == OVER


def test_the_profile_of_a_lonely_community_keeps_no_code_and_its_region_does_not_give_it_away(city):
    evaluate_round(city.database, round_id=city.round.id, now=SETTLED)
    with city.database.reading() as session:
        profiles = {row.community_id: json.loads(row.answers) for row in session.scalars(select(CommunityProfile))}
        others = {
            row.community_id: json.loads(row.other_population) for row in session.scalars(select(CommunityProfile))
        }
        [region] = [json.loads(row.answers) for row in session.scalars(select(RegionProfile)) if row.answers != "{}"]

    assert all(not codes for codes in profiles[city.lonely.id].values())
    assert others[city.lonely.id]["tenures"] == []
    known = sum(sum(profile["q01"].values()) for profile in profiles.values())
    rest = sum(region["q01"].values()) - known
    assert rest == 0 or rest >= 10


@pytest.mark.parametrize(
    ("answers", "hidden"),
    [
        ([1, 50, 60], {0, 1}),
        ([0, 50, 60], {0}),
        ([9, 9, 60], {0, 1}),
        ([9, 12, 60], {0, 1}),
        ([3, 3, 3], {0, 1, 2}),
        ([10, 10], set()),
        ([60, 2, 11, 10], {1, 3}),
        ([1], {0}),
    ],
)
def test_what_is_left_out_of_a_region_is_nobodys_answer_alone(answers, hidden):
    bases, region = pd.Series(answers), pd.Series("区", index=range(len(answers)))

    assert _few_answers(bases, region, minimum_base=10) == hidden


def test_examinations_of_earlier_nights_do_not_stay_to_be_compared(city):
    for nights in range(3):
        city.work(NOW.replace(hour=20) + nights * DAY)
        city.work(NOW.replace(hour=21) + nights * DAY)

    assert len(rows(city.database, "integrity_examination")) == 1


def test_files_of_the_site_hold_nothing_of_a_resident(city, tmp_path):
    city.work(city.moment + HOUR)
    database = city.database.url.database

    for path in tmp_path.rglob("*"):
        if path.is_file() and not str(path).startswith(database):
            content = path.read_bytes()
            assert not any(canary.encode() in content for canary in (COMMENT, COMPLAINT, NOTE, CONTACT, *city.receipts))


def test_deleted_rows_are_overwritten_in_the_file_of_the_database(sqlite_database):
    mark = "擦除暗号" * 400
    with sqlite_database.writing() as session:
        session.execute(text("INSERT INTO property_company (id, name, sort_key) VALUES (1, :mark, '')"), {"mark": mark})
    sqlite_database.truncate_log()
    assert "擦除暗号".encode() in bytes_on_disk(sqlite_database)

    with sqlite_database.writing() as session:
        session.execute(text("UPDATE property_company SET name = 'x'"))
    assert sqlite_database.truncate_log()

    assert "擦除暗号".encode() not in bytes_on_disk(sqlite_database)


def test_the_log_is_not_waited_for_while_somebody_reads(sqlite_database):
    with closing(sqlite3.connect(sqlite_database.url.database)) as reader:
        reader.execute("BEGIN")
        reader.execute("SELECT count(*) FROM round").fetchone()
        with sqlite_database.writing() as session:
            session.execute(text("INSERT INTO property_company (id, name, sort_key) VALUES (1, 'x', '')"))

        assert not sqlite_database.truncate_log()
    assert sqlite_database.truncate_log()
