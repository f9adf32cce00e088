"""Cases of the hotline in the database: what is known of them, and a plan stored as a whole in one transaction."""

from bisect import bisect_right
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from itertools import groupby
from typing import Any, Final, cast

from sqlalchemy import Table, bindparam, insert, select, update
from sqlalchemy.orm import Session

from analytics.canonical import canonical_json
from analytics.files.csv_files import in_parts
from analytics.languages import DEFAULT_LANGUAGE
from survey_app import audit
from survey_app.city_time import city_zone
from survey_app.complaints.calendars import calendar
from survey_app.complaints.cases import event_of, event_values, state_values
from survey_app.complaints.casework_files import published_casework_files
from survey_app.complaints.casework_rules import CaseworkRules, casework_rules_of
from survey_app.complaints.categories import category_of
from survey_app.complaints.deadlines import Clock, judged_deadline
from survey_app.complaints.state_machine import fold
from survey_app.hotline.community_names import read_community_names
from survey_app.hotline.ledger_plan import TIMES, KnownCase, LedgerPlan, PlannedCase, Register, first_event
from survey_app.hotline.ledger_rows import Ledger
from survey_app.models import (
    CaseworkFile,
    Complaint,
    ComplaintAssignment,
    ComplaintEvent,
    ComplaintNote,
    HotlineCase,
    HotlineChange,
)
from survey_app.models.vocabulary import AuditAction, Channel
from survey_app.security.check_digits import RECEIPT_DIGITS, new_number
from survey_app.storage.database import Base

AT_ONCE: Final = 500
"""Rows that one statement names."""

ERASED_COLUMNS: Final = frozenset({"telephone_digest", "call_back", "row_sha256"})
"""What is erased with the words of a case, and empty from then on whatever a file says."""

OWN_COLUMNS: Final = tuple(column.name for column in HotlineCase.__table__.columns)


class RulesByDay:
    """Casework files in force, by the day on which a case was submitted: read once for a whole file."""

    def __init__(self, session: Session) -> None:
        self._zone = city_zone(session)
        self._files = sorted(published_casework_files(session), key=lambda file: file.in_force_from)
        self._days = [file.in_force_from for file in self._files]
        self._rules = [casework_rules_of(file.text) for file in self._files]
        self._calendar = calendar(session)

    def rules_at(self, moment: datetime) -> CaseworkRules | None:
        """Return the rules in force at a moment, or None before the first file."""
        place = self._place(moment)
        return None if place is None else self._rules[place]

    def file_at(self, moment: datetime) -> CaseworkFile:
        """Return the file in force at a moment at which one is."""
        place = self._place(moment)
        assert place is not None
        return self._files[place]

    def clock(self, rules: CaseworkRules, category: str) -> Clock:
        """Return the clock of a case; for one of the hotline it says no more than which calendar is known."""
        return Clock(category_of(category).safety, rules, self._calendar, self._zone)

    def _place(self, moment: datetime) -> int | None:
        found = bisect_right(self._days, moment.astimezone(self._zone).date())
        return found - 1 if found else None


def read_register(session: Session, ledger: Ledger) -> Register:
    """Return what a file is compared with."""
    rules = RulesByDay(session)
    return Register(
        known=read_known(session, [row.number for row in ledger.rows]),
        find_community=read_community_names(session).find,
        rules_at=rules.rules_at,
        bypasses_company=lambda category: category_of(category).bypasses_company,
    )


def read_known(session: Session, numbers: Sequence[str]) -> Mapping[str, KnownCase]:
    """Return the cases that earlier files have brought, by the hotline's numbers."""
    known: dict[str, KnownCase] = {}
    for part in in_parts(sorted(set(numbers)), rows_at_once=AT_ONCE):
        rows = session.execute(
            select(HotlineCase, Complaint, CaseworkFile.text)
            .join(Complaint, Complaint.id == HotlineCase.complaint_id)
            .join(CaseworkFile, CaseworkFile.id == Complaint.casework_file_id)
            .where(HotlineCase.external_number.in_(part))
        ).all()
        histories = _histories(session, [complaint.id for _kept, complaint, _text in rows])
        for kept, complaint, text in rows:
            events = histories[complaint.id]
            known[kept.external_number] = KnownCase(
                complaint_id=complaint.id,
                row_sha256=kept.row_sha256,
                times={column: getattr(kept, column) for column in TIMES.values()},
                community_id=complaint.community_id,
                category=complaint.category,
                kind=complaint.kind,
                state=fold(
                    (event_of(*stored) for stored in events),
                    bypasses_company=category_of(complaint.category).bypasses_company,
                    rules=casework_rules_of(text),
                ),
                events=events[-1][0].number,
            )
    return known


def _histories(session: Session, complaint_ids: Sequence[int]) -> Mapping[int, list[Any]]:
    rows = session.execute(
        select(ComplaintEvent, ComplaintAssignment)
        .outerjoin(ComplaintAssignment)
        .where(ComplaintEvent.complaint_id.in_(complaint_ids))
        .order_by(ComplaintEvent.complaint_id, ComplaintEvent.number)
    )
    return {number: list(own) for number, own in groupby(rows, key=lambda row: row[0].complaint_id)}


def store_plan(session: Session, *, plan: LedgerPlan, import_id: int, account_id: int, by: str, now: datetime) -> None:
    """Store all that a plan changes, and record the import."""
    rules = RulesByDay(session)
    ids = _insert_cases(session, plan.new, rules, import_id=import_id)
    events: list[dict[str, Any]] = []
    for case in plan.new:
        complaint_id = ids[case.row.number]
        first = event_values(complaint_id, 1, first_event(case.row), due_at=None)
        events += [first | {"account_id": account_id}, *_events(case, complaint_id, 1, rules, account_id)]
    for case in plan.changed:
        assert case.known is not None
        events += _events(case, case.known.complaint_id, case.known.events, rules, account_id)
    insert_all(session, ComplaintEvent, events)
    _insert_notes(session, [*_numbered(plan.new, ids), *_numbered(plan.changed, ids)])
    _update_states(session, plan.changed, rules)
    before = _stored_rows(session, [case.known.complaint_id for case in plan.changed if case.known is not None])
    insert_all(session, HotlineCase, [_kept_values(case, ids[case.row.number], import_id) for case in plan.new])
    _update_rows(session, plan.changed, import_id)
    insert_all(session, HotlineChange, list(_changes(plan, ids, before, import_id)))
    facts = {"new": len(plan.new), "changed": len(plan.changed), "ended": plan.ended, "unchanged": plan.unchanged}
    subject = f"hotline:{import_id}"
    audit.record(session, by=by, action=AuditAction.HOTLINE_IMPORTED, subject=subject, after=facts, now=now)


def _insert_cases(
    session: Session, cases: Sequence[PlannedCase], rules: RulesByDay, *, import_id: int
) -> Mapping[str, int]:
    """Insert the new cases and return their numbers, by those of the hotline."""
    key_by_number = {case.row.number: f"hotline:{import_id}:{case.row.number}" for case in cases}
    references = _new_references(session, len(cases))
    values = [
        {
            "submission_key": key_by_number[case.row.number],
            "reference": reference,
            "community_id": case.community_id,
            "category": case.row.category,
            "kind": case.row.kind,
            "text": case.row.text,
            "place": "",
            "language": DEFAULT_LANGUAGE,
            "submitted_at": case.row.submitted.at,
            "casework_file_id": rules.file_at(case.row.submitted.at).id,
            "channel": Channel.HOTLINE,
            **state_values(case.after, rules.clock(case.after.rules, case.row.category)),
        }
        for case, reference in zip(cases, references, strict=True)
    ]
    insert_all(session, Complaint, values)
    id_by_key: dict[str | None, int] = {}
    for part in in_parts(key_by_number.values(), rows_at_once=AT_ONCE):
        found = select(Complaint.submission_key, Complaint.id).where(Complaint.submission_key.in_(part))
        id_by_key |= dict(session.execute(found).all())
    return {number: id_by_key[key] for number, key in key_by_number.items()}


def _new_references(session: Session, count: int) -> list[str]:
    """Return as many references as are wanted that no case has."""
    found: set[str] = set()
    while len(found) < count:
        drawn = [new_number(RECEIPT_DIGITS) for _ in range(count - len(found))]
        for part in in_parts(drawn, rows_at_once=AT_ONCE):
            taken = set(session.scalars(select(Complaint.reference).where(Complaint.reference.in_(part))))
            found |= set(part) - taken
    return sorted(found)


def _events(
    case: PlannedCase, complaint_id: int, earlier: int, rules: RulesByDay, account_id: int
) -> Iterator[dict[str, Any]]:
    clock = rules.clock(case.after.rules, case.row.category)
    for number, step in enumerate(case.steps, earlier + 1):
        due_at = judged_deadline(step.before, step.event, clock)
        yield event_values(complaint_id, number, step.event, due_at=due_at) | {"account_id": account_id}


def _numbered(cases: Iterable[PlannedCase], ids: Mapping[str, int]) -> Iterator[tuple[int, int, str]]:
    """Yield case, number and words of each step that has words."""
    for case in cases:
        complaint_id, earlier = (
            (ids[case.row.number], 1) if case.known is None else (case.known.complaint_id, case.known.events)
        )
        for number, step in enumerate(case.steps, earlier + 1):
            if step.text:
                yield complaint_id, number, step.text


def _insert_notes(session: Session, texts: Sequence[tuple[int, int, str]]) -> None:
    for part in in_parts(texts, rows_at_once=AT_ONCE):
        ids = {complaint_id for complaint_id, _number, _text in part}
        found = select(ComplaintEvent.complaint_id, ComplaintEvent.number, ComplaintEvent.id)
        event_ids = {
            (row.complaint_id, row.number): row.id
            for row in session.execute(found.where(ComplaintEvent.complaint_id.in_(ids)))
        }
        insert_all(
            session,
            ComplaintNote,
            [{"event_id": event_ids[complaint_id, number], "text": text} for complaint_id, number, text in part],
        )


def _update_states(session: Session, cases: Sequence[PlannedCase], rules: RulesByDay) -> None:
    values = [
        {"of_case": case.known.complaint_id}
        | state_values(case.after, rules.clock(case.after.rules, case.known.category))
        for case in cases
        if case.known is not None and case.steps
    ]
    update_each(session, Complaint, "id", values)


def _kept_values(case: PlannedCase, complaint_id: int, import_id: int) -> dict[str, Any]:
    row = case.row
    moments = {column: getattr(row, field) for field, column in TIMES.items()}
    return {
        "complaint_id": complaint_id,
        "external_number": row.number,
        "import_id": import_id,
        "source": row.source,
        "undertaker": row.undertaker,
        "is_confidential": row.is_confidential,
        "category_written": row.category_written,
        "community_written": row.community,
        **{column: None if moment is None else moment.at for column, moment in moments.items()},
        "answered_at": case.answered_at,
        "call_back": row.call_back,
        "telephone_digest": row.telephone_digest,
        "row_sha256": row.sha256,
    }


def _stored_rows(session: Session, complaint_ids: Sequence[int]) -> Mapping[int, str]:
    """Return what the last file said of cases, as text."""
    found: dict[int, str] = {}
    for part in in_parts(complaint_ids, rows_at_once=AT_ONCE):
        for kept in session.scalars(select(HotlineCase).where(HotlineCase.complaint_id.in_(part))):
            found[kept.complaint_id] = written_case(kept)
    return found


def written_case(kept: HotlineCase) -> str:
    """Return what the last file said of a case as canonical JSON, without what is erased with its words."""
    values = {name: getattr(kept, name) for name in OWN_COLUMNS if name not in ERASED_COLUMNS}
    return canonical_json({name: v.isoformat() if isinstance(v, datetime) else v for name, v in values.items()})


def _update_rows(session: Session, cases: Sequence[PlannedCase], import_id: int) -> None:
    values = [
        {"of_case": case.known.complaint_id, **_kept_values(case, case.known.complaint_id, import_id)}
        for case in cases
        if case.known is not None
    ]
    update_each(session, HotlineCase, "complaint_id", values)
    erased = select(Complaint.id).where(Complaint.words_erased_at.is_not(None), Complaint.channel == Channel.HOTLINE)
    emptied = update(HotlineCase).where(HotlineCase.import_id == import_id, HotlineCase.complaint_id.in_(erased))
    session.execute(emptied.values(telephone_digest=None, call_back="", row_sha256=""))


def _changes(
    plan: LedgerPlan, ids: Mapping[str, int], before: Mapping[int, str], import_id: int
) -> Iterator[dict[str, Any]]:
    for case in (*plan.new, *plan.changed):
        complaint_id = ids[case.row.number] if case.known is None else case.known.complaint_id
        earlier = 1 if case.known is None else case.known.events
        yield {
            "import_id": import_id,
            "complaint_id": complaint_id,
            "before": before.get(complaint_id),
            "events": earlier + len(case.steps),
            "has_steps": bool(case.steps),
        }


def insert_all(session: Session, table: type[Base], values: Sequence[Mapping[str, Any]]) -> None:
    """Insert rows by one statement; the ORM makes another one for each pattern of values that are None."""
    if values:
        session.connection().execute(insert(cast(Table, table.__table__)), values)


def update_each(session: Session, table: type[Base], key: str, values: Sequence[Mapping[str, Any]]) -> None:
    """Change each row whose key is `of_case`, by one statement for all."""
    if values:
        changed = cast(Table, table.__table__)
        session.connection().execute(update(changed).where(changed.c[key] == bindparam("of_case")), values)
        session.expire_all()
