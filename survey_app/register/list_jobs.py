"""Jobs that take a kept list of communities further: read and compare it, and import it once it is confirmed."""

import json
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Final

from analytics.canonical import canonical_json
from analytics.files.yaml_documents import DocumentError, Fault
from analytics.languages import N_
from survey_app.accounts.credentials import CredentialsChanged, lock_account
from survey_app.audit import account_actor
from survey_app.jobs.handlers import JobKind, RunningJob
from survey_app.jobs.leases import LeaseTerms
from survey_app.kept_files import headers_of as stated_headers
from survey_app.kept_files import note_step
from survey_app.models.vocabulary import ListStatus
from survey_app.register.kept_lists import LISTS
from survey_app.storage.database import Database

if TYPE_CHECKING:
    from survey_app.register.communities_file import CommunityTable
    from survey_app.register.community_imports import ImportPlan
    from survey_app.register.list_findings import ListFindings

READING: Final = "reading"
COMPARING: Final = "comparing"
STORING: Final = "storing"

# The longest step without a report, the comparison of a city's list, takes a second.
_TERMS: Final = LeaseTerms(lasts=timedelta(minutes=2), attempts=3, first_delay=timedelta(seconds=10))
# Shares of the whole that were done, in percent, when comparing and when storing begins.
_READ: Final = 70
_COMPARED: Final = 90
_ALL: Final = 100

_ACCOUNT_CHANGED: Final = N_("your account was changed after you confirmed this list: send it again")


def check_list(database: Database, job: RunningJob, now: datetime) -> None:
    """Read a list, compare it with the register and keep what was found; the file is erased once it is read."""
    # pandas takes a second and 150 MB: only the process that has a list to read loads it.
    from survey_app.register.column_headers import headers_of  # noqa: PLC0415
    from survey_app.register.communities_file import UnknownColumns, read_communities  # noqa: PLC0415
    from survey_app.register.list_findings import ListFindings  # noqa: PLC0415

    with database.reading() as session:
        kept = LISTS.file_of(session, job, ListStatus.SENT)
        if kept is None or kept.content is None:
            return
        name, content = kept.name, kept.content
        headers = stated_headers(kept) or headers_of(session, kept.source)
    job.report(0, _ALL, stage=READING)
    try:
        table = read_communities(
            content, name, headers=headers, tell=lambda share: job.report(round(_READ * share), _ALL, stage=READING)
        )
        plan = _compare(database, job, table)
    except UnknownColumns as error:
        missing = tuple(column.field for column in error.missing)
        _settle(database, job, ListStatus.ASKED, ListFindings(headers=error.headers, missing=missing), now=now)
    except DocumentError as error:
        _settle(database, job, ListStatus.REFUSED, ListFindings.of_faults(error.faults), now=now)
    else:
        _show(database, job, plan, now=now)


def import_list(database: Database, job: RunningJob, now: datetime) -> None:
    """Import a list exactly as it was confirmed, or show what it would change by now."""
    from survey_app.register.community_imports import RegisterChanged  # noqa: PLC0415
    from survey_app.register.list_findings import ListFindings  # noqa: PLC0415

    with database.reading() as session:
        kept = LISTS.file_of(session, job, ListStatus.CONFIRMED)
        if kept is None or kept.rows is None:
            return
        table, confirmed = _table(kept.rows, kept.name), kept.comparison_sha256
    try:
        plan = _compare(database, job, table)
        if plan.sha256 != confirmed:
            _show(database, job, plan, now=now)
            return
        job.report(_COMPARED, _ALL, stage=STORING)
        _store(database, job, plan, now=now)
    except RegisterChanged:
        # Between the comparison and the lock; those that are imported beside this one come to an end.
        import_list(database, job, now)
    except CredentialsChanged:
        _settle(database, job, ListStatus.REFUSED, ListFindings.of_faults([Fault(_ACCOUNT_CHANGED)]), now=now)
    except DocumentError as error:
        _settle(database, job, ListStatus.REFUSED, ListFindings.of_faults(error.faults), now=now)


LIST_JOBS: Final[Sequence[JobKind]] = (
    JobKind(LISTS.check, check_list, _TERMS),
    JobKind(LISTS.store, import_list, _TERMS),
)


def _compare(database: Database, job: RunningJob, table: "CommunityTable") -> "ImportPlan":
    from survey_app.register.community_imports import plan_import  # noqa: PLC0415

    job.report(_READ, _ALL, stage=COMPARING)
    with database.reading() as session:
        return plan_import(session, table=table, are_new_places_confirmed=True)


def _show(database: Database, job: RunningJob, plan: "ImportPlan", *, now: datetime) -> None:
    from survey_app.register.list_findings import ListFindings  # noqa: PLC0415

    findings = ListFindings.of_comparison(plan.result, new_places=plan.new_places, notes=plan.table.notes)
    _settle(database, job, ListStatus.COMPARED, findings, now=now, plan=plan)


def _store(database: Database, job: RunningJob, plan: "ImportPlan", *, now: datetime) -> None:
    from survey_app.register.column_headers import keep_headers  # noqa: PLC0415
    from survey_app.register.community_imports import record_import, store_import  # noqa: PLC0415
    from survey_app.register.list_findings import ListFindings  # noqa: PLC0415

    with database.writing() as session:
        job.require_lease(session)
        kept = LISTS.file_of(session, job, ListStatus.CONFIRMED)
        if kept is None or kept.credentials is None:
            return
        # What an account has confirmed is not done once it may do it no longer.
        lock_account(session, kept.account_id, credentials=kept.credentials)
        result = store_import(session, plan=plan, is_shown=True)
        record_import(session, result=result, by=account_actor(kept.account_id), now=now)
        if kept.source and (headers := stated_headers(kept)):
            keep_headers(session, source=kept.source, headers=headers)
        findings = ListFindings.of_comparison(result, new_places=(), notes=plan.table.notes)
        note_step(kept, ListStatus.IMPORTED, findings=findings.text(), now=now)


def _settle(
    database: Database,
    job: RunningJob,
    status: ListStatus,
    findings: "ListFindings",
    *,
    now: datetime,
    plan: "ImportPlan | None" = None,
) -> None:
    """Keep what a step found, and with a comparison what it compared."""
    compared = {"rows": _written(plan.table), "comparison_sha256": plan.sha256} if plan else {}
    LISTS.settle(database, job, status, findings=findings.text(), now=now, **compared)


def _written(table: "CommunityTable") -> str:
    """Return the communities of a list as text: to read them again takes a tenth of what the file took."""
    from survey_app.register.list_findings import written_faults  # noqa: PLC0415

    # Not `astuple`, which copies each value of each row.
    rows = [list(vars(row).values()) for row in table.rows]
    return canonical_json({"rows": rows, "lines": table.lines, "notes": written_faults(table.notes)})


def _table(text: str, source: str) -> "CommunityTable":
    from survey_app.register.communities_file import CommunityRow, CommunityTable  # noqa: PLC0415
    from survey_app.register.list_findings import parse_faults  # noqa: PLC0415

    stored = json.loads(text)
    return CommunityTable(
        rows=tuple(CommunityRow(*values) for values in stored["rows"]),
        lines=tuple(stored["lines"]),
        notes=parse_faults(stored["notes"]),
        source=source,
    )
