from datetime import timedelta

import pytest
from sqlalchemy import select

from survey_app.alert_channels import WebChannel
from survey_app.codes.codes import find_code
from survey_app.complaints.cases import take_step
from survey_app.complaints.filing import check_complaint, file_complaint
from survey_app.models import Job
from survey_app.models.vocabulary import CaseAction, CaseActor, Channel, JobStatus
from survey_app.operations.scheduled_jobs import worker
from survey_app.security.submission_keys import Form, SubmissionKey
from tests.factories import NOW, SECRET, make_poster_code

SAFETY, ORDINARY = "FS01", "EQ02"
CONSENT = {"consent": "1"}


class Mailbox:
    """A channel that keeps what it is sent, or is away so many times first."""

    def __init__(self, *, away=0):
        self.away, self.sent = away, []

    def send(self, **message):
        if self.away:
            self.away -= 1
            raise ConnectionRefusedError
        self.sent.append(message)


@pytest.fixture
def code(database):
    with database.writing() as session:
        return find_code(session, token=make_poster_code(session).token, secret_key=SECRET)


@pytest.fixture
def key(code):
    return SubmissionKey.new(form=Form.COMPLAINT, code_id=code.id, round_id=None, now=NOW)


def send(database, code, key, *, category=SAFETY):
    typed = {
        "category": category,
        "kind": "complaint",
        "text": "陈伟 13800001234",
        "contact": "13800001234",
        "consent": "1",
    }
    with database.writing() as session:
        return file_complaint(
            session,
            code=code,
            key=key,
            complaint=check_complaint(typed, today=NOW.date()),
            channel=Channel.CODE,
            language="zh-Hans",
            secret_key=SECRET,
            now=NOW,
        ).reference


def work(database, channel, *, now=NOW):
    worker(database, clock=lambda: now, secret_key=SECRET, channel=channel, schedule=()).run_due_jobs()


def jobs(database):
    with database.reading() as session:
        return session.execute(select(Job.status, Job.arguments, Job.attempts)).all()


def test_a_matter_of_safety_is_told_once_with_its_reference_alone(database, code, key):
    mailbox = Mailbox()
    reference = send(database, code, key)
    assert send(database, code, key) == reference

    work(database, mailbox)
    work(database, mailbox, now=NOW + timedelta(hours=1))

    [message] = mailbox.sent
    assert message["reference"] == reference
    written = message["subject"] + message["text"]
    assert "安全" in written
    assert "safety" in written
    assert "陈伟" not in str(message)
    assert "13800001234" not in str(message)


def test_other_complaints_are_told_to_nobody(database, code, key):
    mailbox = Mailbox()
    send(database, code, key, category=ORDINARY)

    work(database, mailbox)

    assert mailbox.sent == []
    assert jobs(database) == []


def test_what_is_accepted_meanwhile_is_told_to_nobody(database, code, key):
    mailbox = Mailbox()
    reference = send(database, code, key)
    with database.writing() as session:
        take_step(session, reference=reference, action=CaseAction.ACCEPT, actor=CaseActor.BUREAU, by="desk", now=NOW)

    work(database, mailbox)

    assert mailbox.sent == []


def test_without_a_channel_nobody_is_told_and_no_job_fails(database, code, key):
    send(database, code, key)

    work(database, None)

    assert [status for status, _arguments, _attempts in jobs(database)] == [JobStatus.DONE]


def test_who_is_away_is_told_later(database, code, key):
    mailbox = Mailbox(away=2)
    send(database, code, key)

    for minutes in (0, 1, 3):
        work(database, mailbox, now=NOW + timedelta(minutes=minutes))

    assert len(mailbox.sent) == 1
    assert [attempts for _status, _arguments, attempts in jobs(database)] == [3]


def test_a_channel_that_stays_away_is_given_up_and_seen_as_failed(database, code, key):
    send(database, code, key)

    for minutes in range(0, 200, 10):
        work(database, Mailbox(away=1), now=NOW + timedelta(minutes=minutes))

    assert [status for status, _arguments, _attempts in jobs(database)] == [JobStatus.FAILED]


def test_the_address_of_a_channel_is_in_no_job(database, code, key):
    send(database, code, key)
    work(database, WebChannel("http://127.0.0.1:9/secret"))

    with database.reading() as session:
        stored = str(session.execute(select(Job.__table__)).all())
    assert "secret" not in stored
