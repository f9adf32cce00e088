"""Case records: what became of each case until a moment, as frames for `analytics.casework`, folded from its events."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from copy import deepcopy
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta, tzinfo
from itertools import groupby
from typing import Any, Final

import numpy as np
import pandas as pd
from sqlalchemy import ColumnElement, and_, func, or_, select
from sqlalchemy.orm import Session

from analytics.casework.case_frame import CASE_COLUMNS, SPELL_COLUMNS
from analytics.casework.closures import CLOSURE_COLUMNS
from survey_app.accounts.scope import Scope
from survey_app.city_time import city_zone
from survey_app.complaints.calendars import calendar
from survey_app.complaints.cases import event_of
from survey_app.complaints.casework_files import published_casework_files
from survey_app.complaints.casework_rules import CaseworkRules, casework_rules_of
from survey_app.complaints.categories import Category, category_of
from survey_app.complaints.deadlines import Clock, due_events, is_kept, judged_deadline, next_deadline
from survey_app.complaints.state_machine import (
    DEADLINE_STATUSES,
    ENDED,
    NOT_VALID,
    OPEN,
    CaseState,
    Event,
    advance,
    begun,
)
from survey_app.complaints.working_days import Calendar
from survey_app.models import Community, Complaint, ComplaintAssignment, ComplaintEvent, District, PropertyCompany
from survey_app.models.vocabulary import CaseAction, CaseActor, CaseEndReason, CaseStatus
from survey_app.register.contracts import recorded_contracts

# Rows of events that exist at once; a case has about eight.
_ROWS_AT_ONCE: Final = 5_000

_VERDICTS: Final[Mapping[CaseAction, str]] = {
    CaseAction.CONFIRM: "confirmed",
    CaseAction.PARTLY: "partly",
    CaseAction.REJECT: "rejected",
    CaseAction.AUTO_CLOSE: "silent",
    CaseAction.REOPEN: "rejected",
}
# What a file of the hotline notes is nothing that somebody did for the resident.
_NOT_OF_THE_DESK: Final = frozenset({CaseAction.FILE, CaseAction.LIMIT})
NAME_COLUMNS: Final = ("community_name", "community_english", "district_english", "company_english")
"""Columns of the cases beyond those of `analytics.casework.case_frame`: what places are called."""

_TIMES: Final = frozenset(name for name in (*CASE_COLUMNS, *SPELL_COLUMNS, *CLOSURE_COLUMNS) if name.endswith("_at"))
_TYPES: Final[Mapping[str, str]] = {
    **dict.fromkeys(("case", "reopened", "stage"), "int64"),
    **dict.fromkeys(("acknowledged_in_time", "answered_in_time"), "boolean"),
    **dict.fromkeys(("is_companys", "is_reopening"), "bool"),
    "working_days_waited": "float64",
}


@dataclass(frozen=True)
class CaseRecords:
    """Records of cases as they stood before `cut_off`, in the city's time.

    `cases` has the columns `analytics.casework.case_frame.CASE_COLUMNS` and `NAME_COLUMNS`, `spells` those of
    `analytics.casework.case_frame.SPELL_COLUMNS`, `closures` those of `analytics.casework.closures.CLOSURE_COLUMNS`.
    """

    cases: pd.DataFrame
    spells: pd.DataFrame
    closures: pd.DataFrame
    cut_off: datetime

    def __len__(self) -> int:
        return len(self.cases) + len(self.spells) + len(self.closures)


@dataclass
class _Closure:
    """An answer, and what the resident said of it last; `company_id` is None where the office answered itself."""

    answered_at: datetime
    is_companys: bool
    company_id: int | None
    verdict: str | None = None
    verdict_at: datetime | None = None


@dataclass
class _Record:
    """What the events of one case amount to, as far as they have been read."""

    spells: list[tuple[datetime, datetime | None]]
    closures: list[_Closure] = field(default_factory=list)
    acknowledged_at: datetime | None = None
    acknowledged_in_time: bool | None = None
    acknowledgement_judged_at: datetime | None = None
    answered_at: datetime | None = None
    answered_in_time: bool | None = None
    answer_judged_at: datetime | None = None
    is_dispatched: bool = False
    is_companys: bool = False
    verdict: str | None = None
    verdict_at: datetime | None = None
    reopened: int = 0
    reopened_at: datetime | None = None
    stage2_at: datetime | None = None
    exclusion: CaseEndReason | None = None
    before_file: "_Record | None" = None


@dataclass(frozen=True)
class _Judged:
    """An event, with the deadline of the period that it ended, as it stood then."""

    event: Event
    due_at: datetime | None


@dataclass(frozen=True)
class _Rules:
    """What the category of a case and its casework file say of who answers it, and by when."""

    clock: Clock
    bypasses_company: bool
    is_for_company: bool


def read_case_records(
    session: Session, *, scope: Scope, since: datetime, cut_off: datetime, given_to: int | None = None
) -> CaseRecords:
    """Return the records of the cases in scope that were filed, open or moved at some time from `since` to `cut_off`.

    With `given_to`, only of those that the company with this id has or had last.

    Each is what the events before the cut-off amount to, and what time alone had done by then, so that a past month
    reads the same whenever it is asked for. All events are read once, in the order of their cases.
    """
    zone, known = city_zone(session), calendar(session)
    published = {file.id: casework_rules_of(file.text) for file in published_casework_files(session)}
    conditions = _is_shown(since=since, cut_off=cut_off)
    if given_to is not None:
        conditions = and_(conditions, Complaint.company_id == given_to)
    contracts = recorded_contracts(session, scope)
    rules: dict[tuple[str, int], _Rules] = {}
    cases: list[tuple[Any, ...]] = []
    spells: list[tuple[Any, ...]] = []
    closures: list[tuple[Any, ...]] = []
    companies = _company_names(session)
    filed = scope.communities(_SELECT_CASES.where(conditions).order_by(Complaint.id))
    histories = _read_histories(session, scope=scope, conditions=conditions, cut_off=cut_off)
    for row, (_case, history) in zip(session.execute(filed).all(), histories, strict=True):
        *placed, casework_file_id, given_to = row
        if given_to is None and row.number in contracts:
            placed[_COMPANY] = contracts[row.number].names_on(row.submitted_at.astimezone(zone).date())
        key = row.category, casework_file_id
        if key not in rules:
            rules[key] = _rules_of(category_of(row.category), published[casework_file_id], known, zone)
        state, record = _fold(history, rules[key], cut_off=cut_off)
        cases.append((*placed, *_values(state, record)))
        spells += [(row.id, *spell, place > 0) for place, spell in enumerate(record.spells)]
        closures += [_closure_values(row, closure, companies) for closure in record.closures]
    frame = _frame(cases, _READ_COLUMNS, zone)
    waited = _working_days(frame["submitted_at"], _waited_until(frame, cut_off), known)
    return CaseRecords(
        frame.assign(working_days_waited=waited)[[*CASE_COLUMNS, *NAME_COLUMNS]],
        _frame(spells, SPELL_COLUMNS, zone),
        _frame(closures, CLOSURE_COLUMNS, zone),
        cut_off.astimezone(zone),
    )


def _kept_deadline(before: CaseState, judged: _Judged) -> bool | None:
    """Return whether an event ended the period for acknowledgement, or for an answer, in time.

    None where it ended neither, where the resident ended it, so that nothing is owed any more, and where a case ended
    without an answer after it had been acknowledged.
    """
    event = judged.event
    if judged.due_at is None or event.actor is CaseActor.RESIDENT:
        return None
    ends_answer = before.is_external or event.action in {CaseAction.RESPOND, CaseAction.ESCALATE}
    return is_kept(event.at, judged.due_at) if ends_answer or before.status is CaseStatus.SUBMITTED else None


# The first names are those of the columns that they become.
_SELECT_CASES = (
    select(
        Complaint.id,
        Community.number,
        Community.name,
        Community.english_name,
        District.name.label("district"),
        District.english_name.label("district_english"),
        PropertyCompany.name.label("company"),
        PropertyCompany.english_name.label("company_english"),
        Complaint.channel,
        Complaint.category,
        Complaint.kind,
        Complaint.submitted_at,
        Complaint.casework_file_id,
        Complaint.company_id.label("given_to"),
    )
    .join(Community, Complaint.community_id == Community.id)
    .join(District, Community.district_id == District.id)
    # The one that has the case or had it last; a case that was given to none stands beside the one in charge, which is
    # that of the day on which it was filed, where contracts are recorded.
    .outerjoin(PropertyCompany, func.coalesce(Complaint.company_id, Community.company_id) == PropertyCompany.id)
)
_SELECT_EVENTS = (
    select(ComplaintEvent, ComplaintAssignment)
    .outerjoin(ComplaintAssignment)
    .join(Complaint, ComplaintEvent.complaint_id == Complaint.id)
    .join(Community, Complaint.community_id == Community.id)
    .order_by(ComplaintEvent.complaint_id, ComplaintEvent.number)
)
_PLACE_COLUMNS: Final = (
    *("case", "community", "community_name", "community_english", "district", "district_english"),
    *("company", "company_english", "channel", "category", "kind", "submitted_at"),
)
_COMPANY: Final = slice(_PLACE_COLUMNS.index("company"), _PLACE_COLUMNS.index("company_english") + 1)
_FOLDED_COLUMNS: Final = (
    *("acknowledged_at", "acknowledged_in_time", "acknowledgement_judged_at"),
    *("answered_at", "answered_in_time", "answer_judged_at", "is_companys"),
    *("verdict", "verdict_at", "reopened", "reopened_at"),
    *("stage", "stage2_at", "status", "waits_for", "ended_at", "exclusion"),
)
_READ_COLUMNS: Final = (*_PLACE_COLUMNS, *_FOLDED_COLUMNS)


def _is_shown(*, since: datetime, cut_off: datetime) -> ColumnElement[bool]:
    # What ended before and was not opened again has no event since.
    is_alive = or_(Complaint.submitted_at >= since, Complaint.status_since >= since, Complaint.status.in_(sorted(OPEN)))
    return and_(Complaint.submitted_at < cut_off, is_alive)


def _read_histories(
    session: Session, *, scope: Scope, conditions: ColumnElement[bool], cut_off: datetime
) -> Iterator[tuple[int, list[_Judged]]]:
    """Yield the events of each case before the cut-off, by case; a few thousand rows exist at once."""
    statement = scope.communities(_SELECT_EVENTS.where(conditions, ComplaintEvent.at < cut_off))
    rows = session.execute(statement.execution_options(yield_per=_ROWS_AT_ONCE))
    for case, own in groupby(rows, key=lambda row: row[0].complaint_id):
        yield case, [_Judged(event_of(stored, assignment), stored.due_at) for stored, assignment in own]


def _rules_of(category: Category, rules: CaseworkRules, known: Calendar, zone: tzinfo) -> _Rules:
    return _Rules(
        clock=Clock(category.safety, rules, known, zone),
        bypasses_company=category.bypasses_company,
        is_for_company=category.attributable and not category.bypasses_company,
    )


def _fold(history: Sequence[_Judged], rules: _Rules, *, cut_off: datetime) -> tuple[CaseState, _Record]:
    """Return the state of a case before the cut-off, and its record."""
    first, *others = history
    state = begun(first.event, bypasses_company=rules.bypasses_company, rules=rules.clock.rules)
    record = _Record([(first.event.at, None)])
    for judged in others:
        state = _take(record, state, judged, rules)
    for event in _due_before(state, rules.clock, cut_off):
        state = _take(record, state, _Judged(event, judged_deadline(state, event, rules.clock)), rules)
    _note_overdue(record, state, rules, cut_off=cut_off)
    if record.exclusion is not None:
        # There was nothing to answer.
        record.answered_in_time = record.answer_judged_at = record.verdict = record.verdict_at = None
        record.is_companys = False
        record.closures.clear()
    return state, record


def _due_before(state: CaseState, clock: Clock, cut_off: datetime) -> Iterable[Event]:
    return (event for event in due_events(state, clock, now=cut_off) if event.at < cut_off)


def _take(record: _Record, before: CaseState, judged: _Judged, rules: _Rules) -> CaseState:
    """Return the state after an event, and note in the record what it ended, said or began."""
    event = judged.event
    if before.stage > 1:
        _note_overdue(record, before, rules, cut_off=event.at)
    after = advance(before, event)
    if event.action is CaseAction.RETRACT:
        # As if the file had never been: what it said is no part of the record.
        assert record.before_file is not None
        vars(record).update(vars(record.before_file))
        return after
    if event.action is CaseAction.FILE:
        record.before_file = deepcopy(replace(record, before_file=None))
    kept = _kept_deadline(before, judged)
    if kept is not None:
        _judge(record, before, rules, was_kept=kept, at=event.at)
    _note_first_times(record, event)
    if event.action is CaseAction.DISPATCH:
        record.is_dispatched = True
    _note_closure(record, before, event)
    if after.stage > before.stage:
        record.stage2_at = event.at
    if after.status is not before.status:
        record.exclusion = event.reason if after.status in NOT_VALID else None
    _note_opening(record, before, after, event.at)
    return after


def _note_closure(record: _Record, before: CaseState, event: Event) -> None:
    """Note an answer, and what the resident says of the last one."""
    if event.action is CaseAction.RESPOND:
        # Before cases were given to companies by name, the company's own step alone tells that it answered.
        is_companys = event.actor is CaseActor.COMPANY or (before.company_id is not None and before.stage == 1)
        record.closures.append(_Closure(event.at, is_companys, before.company_id))
    if (verdict := _verdict(before, event)) is not None:
        record.verdict, record.verdict_at = verdict, event.at
        # A file of the hotline closes cases of which no answer is on record here.
        if record.closures:
            record.closures[-1].verdict, record.closures[-1].verdict_at = verdict, event.at


def _note_first_times(record: _Record, event: Event) -> None:
    if event.actor is CaseActor.BUREAU and event.action not in _NOT_OF_THE_DESK and record.acknowledged_at is None:
        record.acknowledged_at = event.at
    if event.action is CaseAction.RESPOND and record.answered_at is None:
        record.answered_at = event.at


def _judge(record: _Record, before: CaseState, rules: _Rules, *, was_kept: bool, at: datetime) -> None:
    """Note whether a deadline was kept; of several answers the first one is judged."""
    if before.status is CaseStatus.SUBMITTED and not before.is_external:
        record.acknowledged_in_time, record.acknowledgement_judged_at = was_kept, at
    elif record.answer_judged_at is None:
        record.answered_in_time, record.answer_judged_at = was_kept, at
        record.is_companys = rules.is_for_company and record.is_dispatched and before.stage == 1


def _note_overdue(record: _Record, state: CaseState, rules: _Rules, *, cut_off: datetime) -> None:
    """Note a deadline that passed before the cut-off while nobody did anything: in stage 2 that is no event."""
    deadline = next_deadline(state, rules.clock)
    if deadline is not None and max(deadline, state.since) < cut_off:
        _judge(record, state, rules, was_kept=False, at=max(deadline, state.since))


def _verdict(before: CaseState, event: Event) -> str | None:
    """Return what an event says of an answer: who has a review made does not find it fixed."""
    is_answered = before.status in {CaseStatus.RESPONDED, CaseStatus.CLOSED}
    if event.action is CaseAction.ESCALATE and event.actor is CaseActor.RESIDENT and is_answered:
        return "rejected"
    return _VERDICTS.get(event.action)


def _note_opening(record: _Record, before: CaseState, after: CaseState, at: datetime) -> None:
    was_over, is_over = before.status in ENDED, after.status in ENDED
    if is_over and not was_over:
        record.spells[-1] = (record.spells[-1][0], at)
    if was_over and not is_over:
        record.spells.append((at, None))
    if (was_over and not is_over) or (after.status is CaseStatus.REOPENED and before.status is not after.status):
        record.reopened, record.reopened_at = record.reopened + 1, at


def _values(state: CaseState, record: _Record) -> tuple[Any, ...]:
    """Return the values of `_FOLDED_COLUMNS`."""
    waits_for = None if state.status in ENDED else "office" if state.status in DEADLINE_STATUSES else "resident"
    return (
        *(record.acknowledged_at, record.acknowledged_in_time, record.acknowledgement_judged_at),
        *(record.answered_at, record.answered_in_time, record.answer_judged_at, record.is_companys),
        *(record.verdict, record.verdict_at, record.reopened, record.reopened_at),
        *(state.stage, record.stage2_at, state.status, waits_for, record.spells[-1][1], record.exclusion),
    )


def _company_names(session: Session) -> Mapping[int, str]:
    return {company.id: company.name for company in session.scalars(select(PropertyCompany))}


def _closure_values(row: Any, closure: _Closure, companies: Mapping[int, str]) -> tuple[Any, ...]:
    """Return the values of `CLOSURE_COLUMNS` of an answer of the case in a row of `_SELECT_CASES`."""
    given = row.company if closure.company_id is None else companies[closure.company_id]
    company = given if closure.is_companys else None
    return (row.id, company, closure.answered_at, closure.verdict, closure.verdict_at)


def _frame(rows: Sequence[tuple[Any, ...]], names: Sequence[str], zone: tzinfo) -> pd.DataFrame:
    columns = zip(*rows, strict=True) if rows else [()] * len(names)
    return pd.DataFrame({name: _typed(name, values, zone) for name, values in zip(names, columns, strict=True)})


def _typed(name: str, values: Iterable[Any], zone: tzinfo) -> "pd.Series[Any]":
    if name in _TIMES:
        return pd.Series(list(values), dtype="datetime64[us, UTC]").dt.tz_convert(zone)
    return pd.Series(list(values), dtype=_TYPES.get(name, "object"))


def _waited_until(cases: pd.DataFrame, cut_off: datetime) -> "pd.Series[Any]":
    """Return until when each case waited for its first answer, or is known to have waited."""
    return cases["answered_at"].fillna(cases["ended_at"]).fillna(pd.Timestamp(cut_off))


def _working_days(starts: "pd.Series[Any]", ends: "pd.Series[Any]", known: Calendar) -> Any:
    """Return the working days after the day of each start, up to and including that of the end."""
    first_days, last_days = (moments.dt.date for moments in (starts, ends))
    if starts.empty:
        return np.zeros(0)
    origin = min(first_days)
    # Each day is looked up once, however many cases waited over it.
    days = (origin + timedelta(days=number) for number in range((max(last_days) - origin).days + 1))
    passed = np.cumsum([known.is_working_day(each) for each in days])
    positions = [np.array([(each - origin).days for each in local]) for local in (first_days, last_days)]
    return (passed[positions[1]] - passed[positions[0]]).astype("float64")
