"""Recurring work is done when its time has come, once, whatever fails and however many look after it."""

import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta, timezone
from functools import partial
from itertools import chain, repeat

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import func, select

from survey_app.app.audit_views import RECURRING_JOB_NAMES
from survey_app.config import REPOSITORY
from survey_app.jobs.handlers import JobKind
from survey_app.jobs.history import JOBS_KEPT_FOR, last_runs
from survey_app.jobs.leases import LeaseTerms
from survey_app.jobs.queue import list_jobs
from survey_app.jobs.worker import SECONDS_BETWEEN_LOOKS
from survey_app.models import AuditEvent, Community, IntegrityExamination, Job, PropertyCompany, Response
from survey_app.models.vocabulary import AuditAction
from survey_app.operations.scheduled_jobs import SCHEDULED_JOBS, ScheduledJob, is_due, worker
from survey_app.register.contracts import take_over
from survey_app.responses.network_digests import RETENTION_TIME
from tests.factories import NOW, SECRET, make_community, make_job, make_response, make_round

HOUR, DAY = timedelta(hours=1), timedelta(days=1)
BEIJING = timezone(timedelta(hours=8))
MOMENTS = st.integers(0, 400 * 24 * 60).map(lambda minutes: NOW + timedelta(minutes=minutes))


def scheduled(name, run=lambda _database, _job, _now: None, **period):
    return ScheduledJob(JobKind(name, run, LeaseTerms(lasts=timedelta(minutes=30), attempts=1)), **period)


HOURLY, NIGHTLY, QUARTERLY = scheduled("hourly"), scheduled("nightly", hour=3), scheduled("quarterly", minutes=15)
PERIODS = {HOURLY: HOUR, NIGHTLY: DAY, QUARTERLY: HOUR / 4}


def do_due_jobs(database, *, now, schedule=SCHEDULED_JOBS):
    return worker(database, clock=lambda: now, secret_key=SECRET, schedule=schedule).run_due_jobs()


def runs(database, schedule=SCHEDULED_JOBS):
    with database.reading() as session:
        return last_runs(session, kinds=[job.name for job in schedule])


@pytest.mark.parametrize(
    ("job", "begun", "now", "expected"),
    [
        (HOURLY, "10:59", "11:00", True),
        (HOURLY, "11:00", "11:59", False),
        (HOURLY, "07:13", "11:59", True),
        (NIGHTLY, "02:59", "03:00", True),
        (NIGHTLY, "03:00", "23:59", False),
        (HOURLY, "11:30", "11:10", True),  # the clock was set back
        (QUARTERLY, "11:14", "11:15", True),
        (QUARTERLY, "11:45", "11:59", False),
        (QUARTERLY, "11:45", "12:00", True),
    ],
)
def test_a_job_is_due_when_its_hour_has_struck_since_it_was_begun(job, begun, now, expected):
    moments = [datetime.fromisoformat(f"2026-09-10T{clock}+08:00") for clock in (begun, now)]

    assert is_due(job, moments[0], now=moments[1], zone=BEIJING) is expected


@given(begun_at=MOMENTS, job=st.sampled_from([*PERIODS]))
def test_a_job_is_never_due_again_at_the_moment_it_is_begun_and_always_after_its_period(begun_at, job):
    period = PERIODS[job]

    assert is_due(job, None, now=begun_at, zone=BEIJING)
    assert not is_due(job, begun_at, now=begun_at, zone=BEIJING)
    assert is_due(job, begun_at, now=begun_at + period, zone=BEIJING)


def test_what_is_due_is_done_once_and_noted(database):
    assert do_due_jobs(database, now=NOW) == [job.name for job in SCHEDULED_JOBS]
    assert do_due_jobs(database, now=NOW) == []
    assert {run.done_at for run in runs(database).values()} == {NOW}


def test_the_hourly_work_gives_a_community_to_the_company_that_takes_over_today(database):
    with database.writing() as session:
        first, second = (PropertyCompany(name=name, sort_key=name) for name in ("甲物业", "乙物业"))
        session.add_all([first, second])
        session.flush()
        community, today = make_community(session, company=first), NOW.date()
        take_over(session, community, second, starts_on=today + 2 * DAY, today=today, by="test", now=NOW)
    found = []
    for days in range(4):
        do_due_jobs(database, now=NOW + days * DAY)
        with database.reading() as session:
            found.append(session.scalars(select(Community)).one().company.name)

    assert found == ["甲物业", "甲物业", "乙物业", "乙物业"]
    with database.reading() as session:
        changes = select(func.count()).select_from(AuditEvent).filter_by(action=AuditAction.COMPANY_CHANGED)
        assert session.scalar(changes) == 1


def test_what_a_standstill_has_missed_is_made_up_for_once(database):
    do_due_jobs(database, now=NOW, schedule=[HOURLY])

    assert do_due_jobs(database, now=NOW + 3 * DAY, schedule=[HOURLY]) == ["hourly"]
    assert do_due_jobs(database, now=NOW + 3 * DAY, schedule=[HOURLY]) == []


def test_a_clock_that_was_set_back_begins_what_it_had_begun_again_and_once(database):
    do_due_jobs(database, now=NOW, schedule=[HOURLY])
    earlier = NOW - timedelta(minutes=20)

    assert do_due_jobs(database, now=earlier, schedule=[HOURLY]) == ["hourly"]
    assert do_due_jobs(database, now=earlier + timedelta(minutes=1), schedule=[HOURLY]) == []


def test_a_job_that_fails_holds_up_no_other_and_is_tried_again_at_its_next_time(database):
    def fail(_database, _job, now):
        if now == NOW:
            raise ZeroDivisionError("13812345678")

    schedule = [scheduled("broken", fail), HOURLY]

    assert do_due_jobs(database, now=NOW, schedule=schedule) == ["broken", "hourly"]
    broken = runs(database, schedule)["broken"]
    assert (broken.begun_at, broken.done_at, broken.failed_at) == (NOW, None, NOW)
    with database.reading() as session:
        assert session.scalar(select(Job.failure).filter_by(kind="broken")) == "ZeroDivisionError"

    do_due_jobs(database, now=NOW + HOUR, schedule=schedule)
    broken = runs(database, schedule)["broken"]
    assert (broken.done_at, broken.failed_at) == (NOW + HOUR, None)


def test_while_one_is_at_it_nobody_else_begins(database):
    begun_at, later = NOW - timedelta(minutes=5), NOW + timedelta(minutes=5)  # the hour strikes in between
    begun_meanwhile = []

    def look_again(database, _job, now):
        if now == begun_at:
            begun_meanwhile.extend(do_due_jobs(database, now=later, schedule=[long]))

    long = scheduled("long", look_again)

    assert do_due_jobs(database, now=begun_at, schedule=[long]) == ["long"]
    assert begun_meanwhile == []
    assert do_due_jobs(database, now=later, schedule=[long]) == ["long"]


def test_however_many_look_at_once_it_is_done_once(database):
    with ThreadPoolExecutor(4) as threads:
        begun = list(threads.map(lambda _: do_due_jobs(database, now=NOW, schedule=[HOURLY, NIGHTLY]), range(8)))

    assert sorted(name for names in begun for name in names) == ["hourly", "nightly"]
    with database.reading() as session:
        assert session.scalar(select(func.count()).select_from(Job)) == 2


def test_a_job_that_ends_its_process_each_time_is_not_begun_again_and_again(database):
    begun = []

    def die(_database, _job, now):
        begun.append(now)
        raise SystemExit

    schedule = [scheduled("deadly", die), HOURLY]

    def work_at(minutes):
        try:
            return do_due_jobs(database, now=NOW + timedelta(minutes=minutes), schedule=schedule)
        except SystemExit:
            return None

    assert [work_at(minutes) for minutes in (0, 1, 29, 31, 59)] == [None, ["hourly"], [], [], []]
    assert runs(database, schedule)["deadly"].failed_at == NOW
    assert work_at(60) is None
    assert begun == [NOW, NOW + HOUR]


def test_jobs_outlive_a_database_that_is_away_for_a_while(database):
    times = chain([None], repeat(NOW))  # the first look fails
    waited = []

    def wait(seconds):
        waited.append(seconds)
        return seconds != SECONDS_BETWEEN_LOOKS

    worker(database, clock=partial(next, times), secret_key=SECRET).keep_running(wait)

    assert waited == [60.0, *[0.0] * len(SCHEDULED_JOBS), SECONDS_BETWEEN_LOOKS]
    assert {run.done_at for run in runs(database).values()} == {NOW}


def test_the_command_for_cron_does_what_is_due_and_ends(config):
    environ = {"JIAYUAN_INSTANCE": str(config.instance), "JIAYUAN_DATABASE_URL": config.database_url}
    command = [sys.executable, "-m", "survey_app", "work", "--once"]
    done = subprocess.run(command, env=environ, cwd=REPOSITORY, capture_output=True, text=True, check=True)

    assert done.stdout == "done: complaints, retention, examination, tallies, recount\n"


def test_the_audit_page_has_a_name_for_all_that_recurs():
    assert list(RECURRING_JOB_NAMES) == [job.name for job in SCHEDULED_JOBS]


def test_answers_are_examined_and_addresses_erased_without_anybody_asking(database):
    with database.writing() as session:
        survey_round = make_round(session)
        make_response(
            session, survey_round, make_community(session), address_digest="1" * 64, submitted_at=NOW - RETENTION_TIME,
            started_at=NOW - RETENTION_TIME,
        )  # fmt: skip

    do_due_jobs(database, now=NOW)

    with database.reading() as session:
        assert session.scalars(select(Response.address_digest)).all() == [None]
        assert set(session.scalars(select(IntegrityExamination.round_id))) == {survey_round.id}


def test_jobs_that_ended_long_ago_are_erased_without_anybody_asking(database):
    with database.writing() as session:
        make_job(session, status="failed", ended_at=NOW - JOBS_KEPT_FOR)

    do_due_jobs(database, now=NOW)

    with database.reading() as session:
        assert list_jobs(session, kinds=["export"], limit=1) == []
