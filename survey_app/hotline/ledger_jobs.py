"""Jobs that take a hotline's file further: read and compare it, and import it once it is confirmed."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from functools import partial
from typing import TYPE_CHECKING, Final

from analytics.files.yaml_documents import DocumentError, Fault
from analytics.languages import N_
from survey_app.accounts.credentials import CredentialsChanged, lock_account
from survey_app.audit import account_actor
from survey_app.city_time import city_zone
from survey_app.hotline.import_files import LEDGERS
from survey_app.jobs.handlers import JobKind, RunningJob
from survey_app.jobs.leases import LeaseTerms
from survey_app.kept_files import headers_of, note_step
from survey_app.models.vocabulary import ListStatus
from survey_app.storage.advisory_locks import AdvisoryLock, lock_until_commit
from survey_app.storage.database import Database

if TYPE_CHECKING:
    from survey_app.hotline.findings import LedgerFindings
    from survey_app.hotline.ledger_plan import LedgerPlan
    from survey_app.hotline.ledger_rows import Ledger

READING: Final = "reading"
COMPARING: Final = "comparing"
STORING: Final = "storing"

# The longest step without a report, storing ten thousand cases, takes some seconds.
_TERMS: Final = LeaseTerms(lasts=timedelta(minutes=2), attempts=3, first_delay=timedelta(seconds=10))
_READ: Final = 60
_COMPARED: Final = 80
_ALL: Final = 100

_ACCOUNT_CHANGED: Final = N_("your account was changed after you confirmed this file: send it again")


def ledger_jobs(secret_key: str) -> Sequence[JobKind]:
    """Return the kinds of these jobs; the key digests the telephones of a file, which nothing else is kept of."""
    return (
        JobKind(LEDGERS.check, partial(check_file, secret_key=secret_key), _TERMS),
        JobKind(LEDGERS.store, partial(import_file, secret_key=secret_key), _TERMS),
    )


def check_file(database: Database, job: RunningJob, now: datetime, *, secret_key: str) -> None:
    """Read a file, compare it with what is known and keep what was found; the file is erased once it is read."""
    # pandas takes a second and 150 MB: only the process that has a file to read loads it.
    from survey_app.hotline.findings import LedgerFindings  # noqa: PLC0415
    from survey_app.hotline.ledger_file import Reading, UnknownLedgerColumns, read_ledger  # noqa: PLC0415
    from survey_app.hotline.ledger_rows import parse_rows  # noqa: PLC0415
    from survey_app.hotline.ledger_words import ledger_words  # noqa: PLC0415
    from survey_app.hotline.matches import telephone_digest  # noqa: PLC0415

    with database.reading() as session:
        kept = LEDGERS.file_of(session, job, ListStatus.SENT)
        if kept is None or (kept.content is None and kept.rows is None):
            return
        zone = city_zone(session)
    job.report(0, _ALL, stage=READING)
    try:
        if kept.content is None:
            # Compared once more: it was read before.
            ledger = parse_rows(kept.rows or "", source=kept.name)
        else:
            by = Reading(ledger_words(), zone, now, partial(telephone_digest, secret_key=secret_key))
            ledger = read_ledger(
                kept.content,
                kept.name,
                by=by,
                headers=headers_of(kept),
                tell=lambda share: job.report(round(_READ * share), _ALL, stage=READING),
            )
        plan = _compare(database, job, ledger, now=now)
    except UnknownLedgerColumns as error:
        missing = tuple(column.field for column in error.missing)
        _settle(database, job, ListStatus.ASKED, LedgerFindings(headers=error.headers, missing=missing), now=now)
    except DocumentError as error:
        _settle(database, job, ListStatus.REFUSED, LedgerFindings.of_faults(error.faults), now=now)
    else:
        _settle(database, job, ListStatus.COMPARED, LedgerFindings.of_plan(plan), now=now, ledger=ledger, plan=plan)


def import_file(database: Database, job: RunningJob, now: datetime, *, secret_key: str) -> None:
    """Import a file exactly as it was confirmed, or show what it would change by now."""
    from survey_app.hotline.findings import LedgerFindings  # noqa: PLC0415
    from survey_app.hotline.ledger_rows import parse_rows  # noqa: PLC0415

    with database.reading() as session:
        kept = LEDGERS.file_of(session, job, ListStatus.CONFIRMED)
        if kept is None or kept.rows is None:
            return
    ledger = parse_rows(kept.rows, source=kept.name)
    try:
        plan = _compare(database, job, ledger, now=now)
        if plan.sha256 != kept.comparison_sha256:
            findings = LedgerFindings.of_plan(plan)
            _settle(database, job, ListStatus.COMPARED, findings, now=now, ledger=ledger, plan=plan)
            return
        job.report(_COMPARED, _ALL, stage=STORING)
        if not _store(database, job, ledger, plan, secret_key=secret_key, now=now):
            # Somebody took a step of one of these cases between the comparison and the lock.
            import_file(database, job, now, secret_key=secret_key)
    except CredentialsChanged:
        _settle(database, job, ListStatus.REFUSED, LedgerFindings.of_faults([Fault(_ACCOUNT_CHANGED)]), now=now)
    except DocumentError as error:
        _settle(database, job, ListStatus.REFUSED, LedgerFindings.of_faults(error.faults), now=now)


def _compare(database: Database, job: RunningJob, ledger: "Ledger", *, now: datetime) -> "LedgerPlan":
    from survey_app.hotline.ledger_plan import plan_ledger  # noqa: PLC0415
    from survey_app.hotline.ledger_store import read_register  # noqa: PLC0415

    job.report(_READ, _ALL, stage=COMPARING)
    with database.reading() as session:
        register = read_register(session, ledger)
    reported = _COMPARED - _READ
    return plan_ledger(
        ledger,
        register,
        now=now,
        tell=lambda share: job.report(_READ + round(reported * share), _ALL, stage=COMPARING),
    )


def _store(
    database: Database, job: RunningJob, ledger: "Ledger", plan: "LedgerPlan", *, secret_key: str, now: datetime
) -> bool:
    """Store a plan as a whole and say so, or return False where it is out of date."""
    from survey_app.hotline.findings import LedgerFindings  # noqa: PLC0415
    from survey_app.hotline.ledger_store import read_known, store_plan  # noqa: PLC0415
    from survey_app.hotline.matches import suggest_matches  # noqa: PLC0415

    with database.writing() as session:
        job.require_lease(session)
        lock_until_commit(session, AdvisoryLock.HOTLINE)
        kept = LEDGERS.file_of(session, job, ListStatus.CONFIRMED)
        if kept is None or kept.credentials is None:
            return True
        # What an account has confirmed is not done once it may do it no longer.
        lock_account(session, kept.account_id, credentials=kept.credentials)
        known = read_known(session, [row.number for row in ledger.rows])
        planned = {case.row.number: case.known for case in (*plan.new, *plan.changed)}
        if any(known.get(number) != case for number, case in planned.items()):
            return False
        actor = account_actor(kept.account_id)
        store_plan(session, plan=plan, import_id=kept.id, account_id=kept.account_id, by=actor, now=now)
        suggest_matches(session, secret_key=secret_key, now=now)
        note_step(kept, ListStatus.IMPORTED, findings=LedgerFindings.of_plan(plan).text(), now=now)
        kept.imported_at = now
    return True


def _settle(
    database: Database,
    job: RunningJob,
    status: ListStatus,
    findings: "LedgerFindings",
    *,
    now: datetime,
    ledger: "Ledger | None" = None,
    plan: "LedgerPlan | None" = None,
) -> None:
    """Keep what a step found, and with a comparison what it compared."""
    from survey_app.hotline.ledger_rows import written_rows  # noqa: PLC0415

    compared = {"rows": written_rows(ledger), "comparison_sha256": plan.sha256} if ledger and plan else {}
    LEDGERS.settle(database, job, status, findings=findings.text(), now=now, **compared)
