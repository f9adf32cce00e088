"""State machine of a complaint: which step may follow which, and who may take it.

`advance` is the whole machine: a pure function from one state and one event to the next state. What no rule allows is
refused with `TransitionRefused`; nothing else changes a status anywhere.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum

from survey_app.errors import TransitionRefused

# Silence after an answer counts as consent once these are over.
SILENCE = timedelta(days=7)
# As long as contact details are kept, and no longer, an ended case can come back.
REOPENING_PERIOD = timedelta(days=90)


class Status(StrEnum):
    """Where a case stands."""

    SUBMITTED = "submitted"
    ACCEPTED = "accepted"
    DISPATCHED = "dispatched"
    IN_PROGRESS = "in_progress"
    AWAITING_RESIDENT = "awaiting_resident"
    RESPONDED = "responded"
    REOPENED = "reopened"
    STAGE2 = "stage2"
    CLOSED = "closed"
    WITHDRAWN = "withdrawn"
    DUPLICATE = "duplicate_of"
    INVALID = "invalid"
    OUT_OF_SCOPE = "out_of_scope"


class Actor(StrEnum):
    """Actor who takes a step; the system acts when a period is over."""

    RESIDENT = "resident"
    BUREAU = "bureau"
    COMPANY = "company"
    SYSTEM = "system"


class Action(StrEnum):
    """Kind of step in a case."""

    SUBMIT = "submit"
    ACCEPT = "accept"
    DISPATCH = "dispatch"
    START = "start"
    ASK_RESIDENT = "ask_resident"
    RESUME = "resume"
    RESPOND = "respond"
    ADD = "add"
    CONFIRM = "confirmed_fixed"
    PARTLY = "partly_fixed"
    REJECT = "rejected"
    AUTO_CLOSE = "auto_close"
    REOPEN = "reopen"
    ESCALATE = "escalate"
    WITHDRAW = "withdraw"
    PROPOSE = "propose"
    MERGE = "merge"
    INVALIDATE = "invalidate"
    REFUSE = "refuse"


class Reason(StrEnum):
    """Reason why the bureau ends a case, or the company proposes to."""

    SAME_CASE = "same_case"
    NOT_A_CASE = "not_a_case"
    OTHER_PLACE = "other_place"
    OTHER_AUTHORITY = "other_authority"
    PRIVATE_DISPUTE = "private_dispute"


# The bureau decides these, with a reason from among those that fit.
EXITS: Mapping[Action, tuple[Status, frozenset[Reason]]] = {
    Action.MERGE: (Status.DUPLICATE, frozenset({Reason.SAME_CASE})),
    Action.INVALIDATE: (Status.INVALID, frozenset({Reason.NOT_A_CASE, Reason.OTHER_PLACE})),
    Action.REFUSE: (Status.OUT_OF_SCOPE, frozenset({Reason.OTHER_AUTHORITY, Reason.PRIVATE_DISPUTE})),
}
# Not counted in the complaint rate; their share is shown beside it.
NOT_VALID = frozenset(status for status, _reasons in EXITS.values())
ENDED = NOT_VALID | {Status.CLOSED, Status.WITHDRAWN}
OPEN = frozenset(Status) - ENDED
# Statuses in which somebody owes the resident an acknowledgement or an answer, and a deadline can be missed.
ON_THE_CLOCK = OPEN - {Status.AWAITING_RESIDENT, Status.RESPONDED}


@dataclass(frozen=True)
class Event:
    """Event of a case, as it is stored; `until` ends a pause, `original_id` is the case that a duplicate repeats."""

    action: Action
    actor: Actor
    at: datetime
    reason: Reason | None = None
    original_id: int | None = None
    until: datetime | None = None


@dataclass(frozen=True)
class CaseState:
    """State of a case: what its events so far amount to.

    `since` is when the status was reached, `heard_at` when the resident last said something or was answered;
    `clock_started_at` is when the answer began to be owed: at the submission, and anew when the case was reopened or
    went to stage 2. A pause lies between `paused_at` and `resumed_at`.
    """

    status: Status
    since: datetime
    heard_at: datetime
    clock_started_at: datetime
    bypasses_company: bool
    stage: int = 1
    rejections: int = 0
    paused_at: datetime | None = None
    paused_until: datetime | None = None
    resumed_at: datetime | None = None


def submitted(at: datetime, *, bypasses_company: bool) -> CaseState:
    """Return the state in which every case begins."""
    return CaseState(Status.SUBMITTED, since=at, heard_at=at, clock_started_at=at, bypasses_company=bypasses_company)


def fold(events: Iterable[Event], *, bypasses_company: bool) -> CaseState:
    """Return the state that the events of a case amount to; the first one is its submission."""
    first, *others = events
    if (first.action, first.actor) != (Action.SUBMIT, Actor.RESIDENT):
        raise TransitionRefused("nothing", first.action, first.actor)
    state = submitted(first.at, bypasses_company=bypasses_company)
    for event in others:
        state = advance(state, event)
    return state


def advance(state: CaseState, event: Event) -> CaseState:
    """Return the state after the event, or raise `TransitionRefused` when no rule allows it."""
    if not _is_allowed(state, event):
        raise TransitionRefused(state.status, event.action, event.actor)
    status = _next_status(state, event)
    changed = replace(state, status=status, since=event.at if status != state.status else state.since)
    if event.action is Action.ASK_RESIDENT:
        return replace(changed, paused_at=event.at, paused_until=event.until)
    if event.action in {Action.RESPOND, Action.ADD}:
        changed = replace(changed, heard_at=event.at)
    if state.status is Status.AWAITING_RESIDENT and state.resumed_at is None:
        changed = replace(changed, resumed_at=event.at)
    if event.action is Action.REJECT:
        changed = replace(changed, rejections=state.rejections + 1)
    if status is Status.STAGE2:
        return replace(changed, stage=2, clock_started_at=event.at)
    return replace(changed, clock_started_at=event.at) if status is Status.REOPENED else changed


def possible_actions(state: CaseState, *, actor: Actor, now: datetime) -> tuple[Action, ...]:
    """Return the steps that this actor may take now, given a reason where one is needed."""
    details = [(None, None), *((reason, original) for reason in Reason for original in (None, 0))]
    return tuple(
        action
        for action in Action
        if any(_is_allowed(state, Event(action, actor, now, reason, original, now)) for reason, original in details)
    )


_WORK = frozenset({Actor.BUREAU, Actor.COMPANY})
_RESIDENT = frozenset({Actor.RESIDENT})
_BUREAU = frozenset({Actor.BUREAU})
_SYSTEM = frozenset({Actor.SYSTEM})
_ANSWERED = frozenset({Status.RESPONDED})

# Who may take a step, and from where.
_RULES: Mapping[Action, tuple[frozenset[Actor], frozenset[Status]]] = {
    Action.ACCEPT: (_BUREAU, frozenset({Status.SUBMITTED})),
    Action.DISPATCH: (_BUREAU, frozenset({Status.ACCEPTED, Status.REOPENED, Status.STAGE2})),
    Action.START: (_WORK, frozenset({Status.DISPATCHED})),
    Action.ASK_RESIDENT: (_WORK, frozenset({Status.IN_PROGRESS})),
    Action.RESUME: (_SYSTEM, frozenset({Status.AWAITING_RESIDENT})),
    Action.RESPOND: (_WORK, frozenset({Status.IN_PROGRESS})),
    Action.ADD: (_RESIDENT, OPEN),
    Action.CONFIRM: (_RESIDENT, _ANSWERED),
    Action.PARTLY: (_RESIDENT, _ANSWERED),
    Action.REJECT: (_RESIDENT, _ANSWERED),
    Action.AUTO_CLOSE: (_SYSTEM, _ANSWERED),
    Action.REOPEN: (_RESIDENT, frozenset({Status.CLOSED})),
    Action.ESCALATE: (_RESIDENT | _SYSTEM, frozenset(Status) - {Status.WITHDRAWN}),
    Action.WITHDRAW: (_RESIDENT, OPEN),
    Action.PROPOSE: (frozenset({Actor.COMPANY}), frozenset({Status.DISPATCHED, Status.IN_PROGRESS})),
    **dict.fromkeys(EXITS, (_BUREAU, OPEN)),
}
# What the bureau or the company may do at some time.
STAFF_STEPS = tuple(action for action, (actors, _statuses) in _RULES.items() if actors & _WORK)
_PLAIN_STEPS: Mapping[Action, Status] = {
    Action.ACCEPT: Status.ACCEPTED,
    Action.DISPATCH: Status.DISPATCHED,
    Action.START: Status.IN_PROGRESS,
    Action.ASK_RESIDENT: Status.AWAITING_RESIDENT,
    Action.RESUME: Status.IN_PROGRESS,
    Action.RESPOND: Status.RESPONDED,
    Action.CONFIRM: Status.CLOSED,
    Action.PARTLY: Status.REOPENED,
    Action.AUTO_CLOSE: Status.CLOSED,
    Action.REOPEN: Status.REOPENED,
    Action.ESCALATE: Status.STAGE2,
    Action.WITHDRAW: Status.WITHDRAWN,
    **{action: status for action, (status, _reasons) in EXITS.items()},
}


def _has_not_paused(state: CaseState, event: Event) -> bool:
    # The clock is paused once.
    return state.paused_at is None and event.until is not None and event.until >= event.at


def _pause_is_over(state: CaseState, event: Event) -> bool:
    return state.paused_until is not None and event.at >= state.paused_until


def _was_silent(state: CaseState, event: Event) -> bool:
    return event.at - state.heard_at >= SILENCE


def _ended_lately(state: CaseState, event: Event) -> bool:
    return event.at - state.since <= REOPENING_PERIOD


def _can_go_to_stage2(state: CaseState, event: Event) -> bool:
    if state.stage != 1:
        return False
    if event.actor is Actor.SYSTEM:
        return state.status in ON_THE_CLOCK
    return state.status in OPEN or _ended_lately(state, event)


def _has_reason(_state: CaseState, event: Event) -> bool:
    return event.reason is not None


def _has_reason_to_end(_state: CaseState, event: Event) -> bool:
    _status, reasons = EXITS[event.action]
    # A duplicate names the case that it repeats, and nothing else does.
    return event.reason in reasons and (event.original_id is not None) == (event.action is Action.MERGE)


# What a rule says beyond actor and status.
_CONDITIONS: Mapping[Action, Callable[[CaseState, Event], bool]] = {
    Action.ASK_RESIDENT: _has_not_paused,
    Action.RESUME: _pause_is_over,
    Action.AUTO_CLOSE: _was_silent,
    Action.REOPEN: _ended_lately,
    Action.ESCALATE: _can_go_to_stage2,
    Action.PROPOSE: _has_reason,
    **dict.fromkeys(EXITS, _has_reason_to_end),
}


def _is_allowed(state: CaseState, event: Event) -> bool:
    actors, statuses = _RULES.get(event.action, (frozenset(), frozenset()))
    if event.actor not in actors or state.status not in statuses or event.at < state.since:
        return False
    if event.actor is Actor.COMPANY and (state.bypasses_company or state.stage == 2):
        # Stage 2 is handled by someone else, and a complaint about retaliation never reaches the company.
        return False
    condition = _CONDITIONS.get(event.action)
    return condition is None or condition(state, event)


def _next_status(state: CaseState, event: Event) -> Status:
    if event.action is Action.REJECT:
        # The second rejection goes to someone else; there is nobody beyond stage 2.
        return Status.STAGE2 if state.rejections and state.stage == 1 else Status.REOPENED
    if event.action is Action.ADD and state.status is Status.AWAITING_RESIDENT:
        return Status.IN_PROGRESS
    return _PLAIN_STEPS.get(event.action, state.status)
