"""What a hotline's file changes: new cases, steps of known ones, and what it takes back without saying so."""

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final, NamedTuple

from analytics.canonical import canonical_json, sha256_hex
from analytics.files.yaml_documents import DocumentError, Fault
from analytics.languages import N_
from analytics.progress import ProgressCallback, ignore_progress
from survey_app.complaints.casework_rules import CaseworkRules
from survey_app.complaints.state_machine import ENDED, CaseState, Event, advance, begun
from survey_app.errors import TransitionRefused
from survey_app.hotline.ledger_rows import HEADER_OF, Ledger, LedgerRow, Moment
from survey_app.models.vocabulary import CaseAction, CaseActor, CaseEndReason, CaseStatus

TIMES: Final[Mapping[str, str]] = {
    "dispatched": "dispatched_at",
    "signed": "signed_at",
    "limit": "limit_at",
    "extended": "extended_until",
    "returned": "returned_at",
    "answered": "answered_at",
    "ended": "ended_at",
    "redone": "redone_at",
}
"""The times of a row, by the column in which the table keeps what the last file said."""

_MOST_NOTES: Final = 200
_ROWS_BETWEEN_REPORTS: Final = 500


class LedgerContradicts(DocumentError):
    """A file that says less of a case than an earlier one, or something else, with every such cell."""


@dataclass(frozen=True)
class KnownCase:
    """A case that an earlier file has brought: what the last one said of it, and where it stands here."""

    complaint_id: int
    row_sha256: str
    times: Mapping[str, datetime | None]
    community_id: int
    category: str
    kind: str
    state: CaseState
    events: int


class Step(NamedTuple):
    """An event of a plan with its words, and the state before it."""

    event: Event
    text: str
    before: CaseState


@dataclass(frozen=True)
class PlannedCase:
    """A case that the file brings or changes: its row, its community, the steps, and where it stands after them.

    `answered_at` is when the answer counts as given, where the row has one.
    """

    row: LedgerRow
    community_id: int
    known: KnownCase | None
    steps: Sequence[Step]
    after: CaseState
    answered_at: datetime | None


@dataclass(frozen=True)
class LedgerPlan:
    """All that a file changes. `undecided` counts the rows of each name that means no one community."""

    new: Sequence[PlannedCase]
    changed: Sequence[PlannedCase]
    unchanged: int
    undecided: Mapping[str, int]
    notes: Sequence[Fault]

    @property
    def ended(self) -> int:
        """How many cases the file ends, those among them that it brings in ended."""
        return sum(
            case.after.status in ENDED and (case.known is None or case.known.state.status not in ENDED)
            for case in (*self.new, *self.changed)
        )

    @property
    def sha256(self) -> str:
        """Digest of what is shown and confirmed: the rows, their communities, and what is known of each case."""
        of_cases = [
            [
                case.row.sha256,
                case.community_id,
                case.known and [case.known.complaint_id, case.known.row_sha256, case.known.events],
            ]
            for case in (*self.new, *self.changed)
        ]
        return sha256_hex(canonical_json([of_cases, self.unchanged, dict(self.undecided)]))


@dataclass(frozen=True)
class Register:
    """What a file is compared with: known cases by the hotline's numbers, communities by names, rules by the day.

    `rules_at` returns None before the first casework file, and `bypasses_company` tells it of a category.
    """

    known: Mapping[str, KnownCase]
    find_community: Callable[[str], int | None]
    rules_at: Callable[[datetime], CaseworkRules | None]
    bypasses_company: Callable[[str], bool]


def plan_ledger(
    ledger: Ledger, register: Register, *, now: datetime, tell: ProgressCallback = ignore_progress
) -> LedgerPlan:
    """Return what a file changes, or raise `LedgerContradicts` with every cell in which it goes backwards."""
    new: list[PlannedCase] = []
    changed: list[PlannedCase] = []
    undecided: Counter[str] = Counter()
    faults: list[Fault] = []
    notes: list[Fault] = list(ledger.notes)
    unchanged = 0
    for place, (line, row) in enumerate(zip(ledger.lines, ledger.rows, strict=True)):
        if place % _ROWS_BETWEEN_REPORTS == 0:
            tell(place / len(ledger.rows))
        known, community_id = register.known.get(row.number), register.find_community(row.community)
        if known is not None:
            faults += _faults_of(row, known, line)
            notes += _notes_on(row, known, community_id, line)
            if known.row_sha256 == row.sha256:
                unchanged += 1
            else:
                changed.append(_planned(row, known.community_id, known, known.state, now=now))
            continue
        if community_id is None:
            undecided[row.community] += 1
            continue
        rules = register.rules_at(row.submitted.at)
        if rules is None:
            faults.append(Fault(_BEFORE_RULES, {}, HEADER_OF["submitted"], line))
            continue
        state = begun(first_event(row), bypasses_company=register.bypasses_company(row.category), rules=rules)
        new.append(_planned(row, community_id, None, state, now=now))
    if faults:
        raise LedgerContradicts(ledger.source, faults)
    ordered = dict(sorted(undecided.items(), key=lambda each: (-each[1], each[0])))
    return LedgerPlan(new, changed, unchanged, ordered, notes[:_MOST_NOTES])


def first_event(row: LedgerRow) -> Event:
    """Return the event with which a case of the hotline begins: its time there, and its own time limit."""
    limit = None if row.limit is None else row.limit.at
    return Event(CaseAction.SUBMIT, CaseActor.BUREAU, row.submitted.at, until=limit)


_BEFORE_RULES: Final = N_("no casework file was in force then: leave out cases of that time")
_BACKWARDS: Final = N_("an earlier file stated this, and here it is empty: the status would go backwards")
_OTHER_PLACE: Final = N_("{number}: the community stays as it came in; this row says “{written}”")
_OTHER_TYPE: Final = N_("{number}: the category stays as it came in; this row says “{written}”")


def _faults_of(row: LedgerRow, known: KnownCase, line: int) -> Iterator[Fault]:
    """Yield a fault for each step that an earlier file stated and this one does not, unless a later one explains it."""
    redone = None if row.redone is None else row.redone.at
    for field, column in TIMES.items():
        stored, stated = known.times[column], getattr(row, field)
        if stored is None or stated is not None or field in {"limit", "extended"}:
            continue
        is_answer = field == "answered"
        if is_answer and row.answer:
            continue
        is_begun_anew = redone is not None and redone > stored
        is_sent_again = field == "returned" and row.dispatched is not None and row.dispatched.at > stored
        if not (is_begun_anew or is_sent_again):
            yield Fault(_BACKWARDS, {}, HEADER_OF["answer" if is_answer else field], line)


def _notes_on(row: LedgerRow, known: KnownCase, community_id: int | None, line: int) -> Iterator[Fault]:
    # What a case is filed with never changes: whoever looks at it decides what follows from the difference.
    if known.row_sha256 == row.sha256:
        return
    if community_id is not None and community_id != known.community_id:
        yield Fault(_OTHER_PLACE, {"number": row.number, "written": row.community}, "", line)
    if (row.category, row.kind) != (known.category, known.kind):
        yield Fault(_OTHER_TYPE, {"number": row.number, "written": row.category_written}, "", line)


class _Wanted(NamedTuple):
    """A step that a row says happened; of one moment, those with the lower `order` come first."""

    at: datetime
    order: int
    action: CaseAction
    text: str = ""
    until: datetime | None = None
    reason: CaseEndReason | None = None


def _planned(
    row: LedgerRow, community_id: int, known: KnownCase | None, state: CaseState, *, now: datetime
) -> PlannedCase:
    stored = dict.fromkeys(TIMES.values()) if known is None else known.times
    wanted = sorted(_wanted(row, stored, state, now=now))
    steps: list[Step] = []
    latest = state.since
    for each in wanted:
        # What the desk or an earlier file has done since cannot come after.
        at = latest = max(each.at, latest)
        event = Event(each.action, CaseActor.BUREAU, at, each.reason, until=each.until)
        if not steps:
            marker = Event(CaseAction.FILE, CaseActor.BUREAU, at)
            marked = advance(state, marker)
        else:
            marked = state
        try:
            after = advance(marked, event)
        except TransitionRefused:
            # The desk was ahead of the file, such as one that ended the case as a duplicate.
            continue
        if not steps:
            steps.append(Step(marker, "", state))
        steps.append(Step(event, each.text, marked))
        state = after
    answered = next((step.event.at for step in steps if step.event.action is CaseAction.RESPOND), None)
    return PlannedCase(row, community_id, known, steps, state, answered or _answered_at(row, stored, now=now))


def _answered_at(row: LedgerRow, stored: Mapping[str, datetime | None], *, now: datetime) -> datetime | None:
    if row.answered is not None:
        return row.answered.at
    if not row.answer:
        return None
    return stored["answered_at"] or (now if row.ended is None else row.ended.at)


def _wanted(
    row: LedgerRow, stored: Mapping[str, datetime | None], state: CaseState, *, now: datetime
) -> Iterator[_Wanted]:
    """Yield what a row says that no earlier file has said."""
    if row.due_at is not None and row.due_at != state.extended_until:
        yield _Wanted(state.since, 0, CaseAction.LIMIT, until=row.due_at)
    if _is_news(row.signed, stored["signed_at"]):
        yield _Wanted(_at(row.signed), 1, CaseAction.ACCEPT)
    if state.status is CaseStatus.OUT_OF_SCOPE and _is_later(row.dispatched, stored["returned_at"]):
        yield _Wanted(_at(row.dispatched), 2, CaseAction.REDO)
    if _is_later(row.redone, stored["redone_at"]):
        yield _Wanted(_at(row.redone), 6, CaseAction.REDO)
    if _is_later(row.returned, stored["returned_at"]) and not _is_later(row.dispatched, _at(row.returned)):
        yield _Wanted(_at(row.returned), 4, CaseAction.REFUSE, reason=CaseEndReason.OTHER_AUTHORITY)
    if (answered := _new_answer(row, stored, now=now)) is not None:
        yield _Wanted(answered, 3, CaseAction.RESPOND, text=row.answer)
    if _is_later(row.ended, stored["ended_at"]):
        yield _Wanted(_at(row.ended), 5, CaseAction.CLOSE)


def _new_answer(row: LedgerRow, stored: Mapping[str, datetime | None], *, now: datetime) -> datetime | None:
    """Return when an answer was given of which no earlier file knows; after a 重办 the next closing brings one."""
    earlier = stored["answered_at"]
    if not row.answer and row.answered is None:
        return None
    if earlier is None:
        return _answered_at(row, stored, now=now)
    if row.answered is not None:
        return row.answered.at if row.answered.at > earlier else None
    is_closed_anew = _is_later(row.redone, earlier) and row.ended is not None and row.ended.at >= _at(row.redone)
    return _at(row.ended) if is_closed_anew else None


def _is_news(stated: Moment | None, stored: datetime | None) -> bool:
    return stated is not None and stored is None


def _is_later(stated: Moment | None, stored: datetime | None) -> bool:
    return stated is not None and (stored is None or stated.at > stored)


def _at(moment: Moment | None) -> datetime:
    assert moment is not None
    return moment.at
