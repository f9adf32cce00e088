"""Scheduled jobs, begun every hour or every night: settle complaints, erase what is due, examine answers, count them.

The jobs themselves tell when each was last begun: one that was missed while no worker ran is made up for once.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta, tzinfo
from functools import partial
from typing import Final

from sqlalchemy.orm import Session

from survey_app.accounts.attempt_limits import erase_expired_attempts
from survey_app.accounts.failed_sign_ins import record_failed_sign_ins
from survey_app.accounts.network_digests import destroy_old_network_keys
from survey_app.accounts.sign_in import erase_expired_sessions
from survey_app.alert_channels import AlertChannel
from survey_app.attachments.attachments import forget_unsent_attachments
from survey_app.audit import SITE
from survey_app.city_time import city_zone, local_today
from survey_app.collection.tallies import fold_changes
from survey_app.complaints.alerts import alert_job
from survey_app.complaints.cases import due_references, settle_case
from survey_app.complaints.contacts import erase_contacts
from survey_app.complaints.words import erase_words
from survey_app.evaluations.collection_recount import recount_open_round
from survey_app.evaluations.evaluation_jobs import EVALUATION_JOB
from survey_app.evaluations.given_up_results import delete_given_up
from survey_app.hotline.import_files import erase_expired_files
from survey_app.hotline.ledger_jobs import ledger_jobs
from survey_app.jobs.handlers import JobKind, RunningJob
from survey_app.jobs.history import LastRun, erase_finished_jobs, last_runs
from survey_app.jobs.leases import LeaseTerms
from survey_app.jobs.queue import enqueue
from survey_app.jobs.worker import Worker
from survey_app.register.contracts import follow_contracts, is_change_due
from survey_app.register.kept_lists import erase_expired_lists
from survey_app.register.list_jobs import LIST_JOBS
from survey_app.responses.network_digests import rounds_with_unseen_digests
from survey_app.responses.retention import ErasedCounts, erase_expired
from survey_app.responses.retention import report_to_nobody as report_erased_to_nobody
from survey_app.storage.advisory_locks import AdvisoryLock, lock_until_commit
from survey_app.storage.database import Database
from survey_app.storage.short_transactions import ShortTransactions

# Tried once: its next time comes anyway, and what ends its process must not do so again and again. Half an hour is
# longer than any step takes that reports no progress.
_TERMS: Final = LeaseTerms(lasts=timedelta(minutes=30), attempts=1)

_ATTEMPTS_AT_ONCE: Final = 500
# Each takes some statements.
_MOST_CASES: Final = 20

# While a job is open, no second one of its kind is enqueued.
_KEY: Final = "scheduled"


@dataclass(frozen=True)
class ScheduledJob:
    """One kind of recurring job: every so many minutes of each hour, or once a day at a local hour."""

    kind: JobKind
    hour: int | None = None
    minutes: int = 60

    @property
    def name(self) -> str:
        """The name of its kind."""
        return self.kind.name

    def last_time(self, now: datetime, zone: tzinfo) -> datetime:
        """Return the latest moment at which it was to be begun."""
        local = now.astimezone(zone)
        full_hour = local.replace(minute=0, second=0, microsecond=0)
        if self.hour is None:
            return full_hour.replace(minute=local.minute // self.minutes * self.minutes)
        today = full_hour.replace(hour=self.hour)
        return today if today <= full_hour else today - timedelta(days=1)


@dataclass(frozen=True)
class Settled:
    """How many cases time was asked about since it moves them, and what was erased with them."""

    cases: int
    contacts: int
    photos: int
    words: int


def is_due(scheduled: ScheduledJob, begun_at: datetime | None, *, now: datetime, zone: tzinfo) -> bool:
    """Return whether a job is to be begun; also after the clock was set back behind its last beginning."""
    return begun_at is None or not scheduled.last_time(now, zone) <= begun_at <= now


def report_to_nobody(_done: int, _total: int) -> None:
    """Take no notice of progress."""


def settle_complaints(
    database: Database, *, now: datetime, report: Callable[[int, int], None] = report_to_nobody
) -> Settled:
    """Let time do its part in complaints: close, end pauses, send on what is late, erase contacts, photos and words."""
    with database.reading() as session:
        references = due_references(session, now=now)
    done = 0
    transactions = ShortTransactions(database, most=_MOST_CASES)
    for part in transactions.parts(references):
        with transactions.writing() as session:
            for reference in part:
                settle_case(session, reference=reference, now=now)
        done += len(part)
        report(done, len(references))
    contacts = erase_contacts(database, by=SITE, now=now)
    photos = forget_unsent_attachments(database, now=now)
    words = erase_words(database, by=SITE, now=now)
    return Settled(len(references), contacts, photos, words)


def examine_and_erase(
    database: Database, *, now: datetime, report: Callable[[int], None] = report_erased_to_nobody
) -> ErasedCounts:
    """Examine what no examination has seen and is about to be erased, then erase what is past its retention period."""
    try:
        _examine_unseen(database, now=now)
    finally:
        # What was promised is erased also where the examination fails.
        erased = erase_expired(database, by=SITE, now=now, report=report)
    return erased


def _examine_unseen(database: Database, *, now: datetime) -> None:
    with database.reading() as session:
        round_ids = rounds_with_unseen_digests(session, now=now)
    if round_ids:
        # pandas takes a second and 150 MB: the process that settles and erases mostly does without.
        from survey_app.responses.integrity_reviews import examine_round  # noqa: PLC0415

        for round_id in round_ids:
            examine_round(database, round_id=round_id, now=now)


def _settle(database: Database, job: RunningJob, now: datetime) -> Mapping[str, int]:
    # A case that moves today moves to or from the company of today.
    _follow_contracts(database, now=now)
    return asdict(settle_complaints(database, now=now, report=job.report))


def _follow_contracts(database: Database, *, now: datetime) -> None:
    with database.reading() as session:
        today = local_today(session, now=now)
        is_due = is_change_due(session, today=today)
    if is_due:
        with database.writing() as session:
            follow_contracts(session, today=today, by=SITE, now=now)


def _erase(database: Database, job: RunningJob, now: datetime) -> Mapping[str, int]:
    with database.writing() as session:
        destroy_old_network_keys(session, now=now)
        erase_expired_sessions(session, now=now)
        erase_expired_lists(session, now=now)
        erase_expired_files(session, now=now)
        erase_finished_jobs(session, now=now)
    _erase_attempts(database, now=now)
    with database.writing() as session:
        record_failed_sign_ins(session, now=now)
    delete_given_up(database, now=now)
    return asdict(examine_and_erase(database, now=now, report=job.report))


def _erase_attempts(database: Database, *, now: datetime) -> None:
    erased = _ATTEMPTS_AT_ONCE
    while erased == _ATTEMPTS_AT_ONCE:
        # After an attack there are many, and residents' forms come in between.
        with database.writing() as session:
            erased = erase_expired_attempts(session, now=now, most=_ATTEMPTS_AT_ONCE)


def _examine(database: Database, job: RunningJob, now: datetime) -> None:
    from survey_app.responses.integrity_reviews import examine_round, rounds_to_examine  # noqa: PLC0415

    with database.reading() as session:
        round_ids = rounds_to_examine(session, now=now)
    for done, round_id in enumerate(round_ids, start=1):
        examine_round(database, round_id=round_id, now=now)
        job.report(done, len(round_ids))


def _fold(database: Database, job: RunningJob, _now: datetime) -> Mapping[str, int]:
    return {"changes": fold_changes(database, report=job.report)}


def _recount(database: Database, job: RunningJob, now: datetime) -> Mapping[str, int]:
    return {"mended": recount_open_round(database, now=now, report=job.report)}


# Network addresses are erased hourly, since no more than 48 hours are promised for them. The examination takes seconds
# of a processor in a large city: it comes while the phones sleep.
SCHEDULED_JOBS: Final = (
    ScheduledJob(JobKind("complaints", _settle, _TERMS)),
    ScheduledJob(JobKind("retention", _erase, _TERMS)),
    ScheduledJob(JobKind("examination", _examine, _TERMS), hour=3),
    # What was not added up yet is added up by each page that shows it.
    ScheduledJob(JobKind("tallies", _fold, _TERMS), minutes=15),
    ScheduledJob(JobKind("recount", _recount, _TERMS), hour=4),
)


def worker(
    database: Database,
    *,
    clock: Callable[[], datetime],
    secret_key: str,
    channel: AlertChannel | None = None,
    schedule: Sequence[ScheduledJob] = SCHEDULED_JOBS,
) -> Worker:
    """Return a worker that enqueues what recurs when its time has come, and runs it and what pages have asked for.

    `channel` is where an office is told of matters of safety.
    """
    recurring = [scheduled.kind for scheduled in schedule]
    kinds = [alert_job(channel), *recurring, *LIST_JOBS, EVALUATION_JOB, *ledger_jobs(secret_key)]
    return Worker(database, kinds, clock, plan=partial(enqueue_due_jobs, schedule=schedule))


def enqueue_due_jobs(database: Database, now: datetime, *, schedule: Sequence[ScheduledJob] = SCHEDULED_JOBS) -> None:
    """Enqueue the jobs whose time has come, each once however many processes do."""
    with database.reading() as session:
        if not _due(session, schedule, now=now):
            return
    with database.writing() as session:
        # Between another's look and its commit, a job could be enqueued, run and finished.
        lock_until_commit(session, AdvisoryLock.SCHEDULED_JOBS)
        for scheduled in _due(session, schedule, now=now):
            enqueue(session, kind=scheduled.name, arguments={}, by=SITE, now=now, key=_KEY)


def _due(session: Session, schedule: Sequence[ScheduledJob], *, now: datetime) -> list[ScheduledJob]:
    runs = last_runs(session, kinds=[scheduled.name for scheduled in schedule])
    zone = city_zone(session)
    never = LastRun(is_open=False, begun_at=None, done_at=None, failed_at=None)
    found = [(scheduled, runs.get(scheduled.name, never)) for scheduled in schedule]
    return [
        scheduled for scheduled, run in found if not run.is_open and is_due(scheduled, run.begun_at, now=now, zone=zone)
    ]
