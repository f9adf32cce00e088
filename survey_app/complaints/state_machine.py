"""State machine of a complaint: which step may follow which, and who may take it.

`advance` is the whole machine: a pure function from one state and one event to the next state. What no rule allows is
refused with `TransitionRefused`; nothing else changes a status anywhere.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from survey_app.complaints.casework_rules import CaseworkRules
from survey_app.errors import TransitionRefused
from survey_app.models.vocabulary import CaseAction, CaseActor, CaseEndReason, CaseOffice, CaseStatus

# The bureau decides these, with a reason from among those that fit.
ENDING_ACTIONS: Mapping[CaseAction, tuple[CaseStatus, frozenset[CaseEndReason]]] = {
    CaseAction.MERGE: (CaseStatus.DUPLICATE, frozenset({CaseEndReason.SAME_CASE})),
    CaseAction.INVALIDATE: (CaseStatus.INVALID, frozenset({CaseEndReason.NOT_A_CASE, CaseEndReason.OTHER_PLACE})),
    CaseAction.REFUSE: (
        CaseStatus.OUT_OF_SCOPE,
        frozenset({CaseEndReason.OTHER_AUTHORITY, CaseEndReason.PRIVATE_DISPUTE}),
    ),
}
# Not counted in the complaint rate; their share is shown beside it.
NOT_VALID = frozenset(status for status, _reasons in ENDING_ACTIONS.values())
ENDED = NOT_VALID | {CaseStatus.CLOSED, CaseStatus.WITHDRAWN}
OPEN = frozenset(CaseStatus) - ENDED
# Steps within the offices, of which neither residents nor companies are told.
INTERNAL_ACTIONS = frozenset(
    {
        *(CaseAction.NOTE, CaseAction.ASSIGN, CaseAction.TRANSFER, CaseAction.RETURN, CaseAction.SUPERVISE),
        *(CaseAction.FILE, CaseAction.LIMIT, CaseAction.RETRACT),
    }
)
# Steps that only a file of the system of record takes, and only of its own cases.
FILE_ACTIONS = frozenset({CaseAction.FILE, CaseAction.LIMIT, CaseAction.CLOSE, CaseAction.RETRACT})
# Statuses in which somebody owes the resident an acknowledgement or an answer, and a deadline can be missed.
DEADLINE_STATUSES = OPEN - {CaseStatus.AWAITING_RESIDENT, CaseStatus.RESPONDED}


@dataclass(frozen=True)
class Event:
    """Event of a case, as it is stored; `original_id` is the case that a duplicate repeats.

    `until` ends a pause, is the new deadline of an extension, or the time limit of another system of record. A dispatch
    without `company_id` leaves the case with the office.
    """

    action: CaseAction
    actor: CaseActor
    at: datetime
    reason: CaseEndReason | None = None
    original_id: int | None = None
    until: datetime | None = None
    company_id: int | None = None
    handler_id: int | None = None
    office: CaseOffice | None = None


@dataclass(frozen=True)
class CaseState:
    """State of a case: what its events so far amount to.

    `since` is when the status was reached, `last_contact_at` when the resident last said something or was answered;
    `clock_started_at` is when the answer began to be owed: at the submission, and anew when the case was reopened or
    went to stage 2. A pause lies between `paused_at` and `resumed_at`. `extended_until` is a later deadline that was
    told to the resident, `proposal` what the company proposes and nobody has decided yet, `returns_to` the office from
    which the case came, `merged_from` the status that a duplicate had before. `rules` are those that were in force at
    the submission, and stay those of the case.

    `is_external` is a case of another system of record, the hotline: `extended_until` is its time limit there, and
    time moves nothing here. `before_file` is where it stood before the last file of that system.
    """

    status: CaseStatus
    since: datetime
    last_contact_at: datetime
    clock_started_at: datetime
    bypasses_company: bool
    rules: CaseworkRules
    stage: int = 1
    rejections: int = 0
    paused_at: datetime | None = None
    paused_until: datetime | None = None
    resumed_at: datetime | None = None
    extended_until: datetime | None = None
    company_id: int | None = None
    handler_id: int | None = None
    office: CaseOffice = CaseOffice.DISTRICT
    returns_to: CaseOffice | None = None
    is_supervised: bool = False
    proposal: CaseEndReason | None = None
    merged_from: CaseStatus | None = None
    is_external: bool = False
    before_file: "CaseState | None" = None


def submitted(at: datetime, *, bypasses_company: bool, rules: CaseworkRules) -> CaseState:
    """Return the state in which every case begins."""
    return CaseState(
        CaseStatus.SUBMITTED,
        since=at,
        last_contact_at=at,
        clock_started_at=at,
        bypasses_company=bypasses_company,
        rules=rules,
    )


def begun(first: Event, *, bypasses_company: bool, rules: CaseworkRules) -> CaseState:
    """Return the state after the first event: a resident files a case, or an office brings one of the hotline in."""
    if first.action is not CaseAction.SUBMIT or first.actor not in {CaseActor.RESIDENT, CaseActor.BUREAU}:
        raise TransitionRefused("nothing", first.action, first.actor)
    state = submitted(first.at, bypasses_company=bypasses_company, rules=rules)
    is_external = first.actor is CaseActor.BUREAU
    return replace(state, is_external=True, extended_until=first.until) if is_external else state


def fold(events: Iterable[Event], *, bypasses_company: bool, rules: CaseworkRules) -> CaseState:
    """Return the state that the events of a case amount to; the first one is its submission."""
    first, *others = events
    state = begun(first, bypasses_company=bypasses_company, rules=rules)
    for event in others:
        state = advance(state, event)
    return state


def advance(state: CaseState, event: Event) -> CaseState:
    """Return the state after the event, or raise `TransitionRefused` when no rule allows it."""
    if not _is_allowed(state, event):
        raise TransitionRefused(state.status, event.action, event.actor)
    if event.action is CaseAction.RETRACT:
        assert state.before_file is not None
        return replace(state.before_file, since=event.at)
    status = _next_status(state, event)
    changed = replace(state, **_CHANGES.get(event.action, _change_nothing)(state, event))
    if status is not state.status:
        # What was proposed is decided, or somebody went on with the case.
        changed = replace(changed, status=status, since=event.at, proposal=None)
    if event.action is CaseAction.ASK_RESIDENT:
        return replace(changed, paused_at=event.at, paused_until=event.until)
    if event.action in {CaseAction.RESPOND, CaseAction.ADD}:
        changed = replace(changed, last_contact_at=event.at)
    if state.status is CaseStatus.AWAITING_RESIDENT != status and state.resumed_at is None:
        changed = replace(changed, resumed_at=event.at)
    if event.action is CaseAction.REJECT:
        changed = replace(changed, rejections=state.rejections + 1)
    # Words that the resident adds, or a note of the office: what is owed stays owed.
    if event.action is CaseAction.SPLIT or status is state.status or status not in _OWED_ANEW:
        return changed
    stage = 2 if status is CaseStatus.STAGE2 else state.stage
    # The time limit of another system of record stays until that system says otherwise.
    limit = state.extended_until if state.is_external else None
    return replace(changed, stage=stage, clock_started_at=event.at, extended_until=limit)


def possible_actions(state: CaseState, *, actor: CaseActor, now: datetime) -> tuple[CaseAction, ...]:
    """Return the steps that this actor may take now, given what they need: a reason, a person, an office, a time."""
    details = [(None, None), *((reason, original) for reason in CaseEndReason for original in (None, 0))]
    office = next(office for office in CaseOffice if office is not state.office)
    return tuple(
        action
        for action in CaseAction
        if any(
            _is_allowed(state, Event(action, actor, now, reason, original, now, None, 0, office))
            for reason, original in details
        )
    )


_WORK = frozenset({CaseActor.BUREAU, CaseActor.COMPANY})
_RESIDENT = frozenset({CaseActor.RESIDENT})
_BUREAU = frozenset({CaseActor.BUREAU})
_SYSTEM = frozenset({CaseActor.SYSTEM})
_ANSWERED = frozenset({CaseStatus.RESPONDED})
# In which an answer is owed from the moment on at which a case came to it.
_OWED_ANEW = frozenset({CaseStatus.REOPENED, CaseStatus.STAGE2})

# Who may take a step, and from where.
_RULES: Mapping[CaseAction, tuple[frozenset[CaseActor], frozenset[CaseStatus]]] = {
    CaseAction.ACCEPT: (_BUREAU, frozenset({CaseStatus.SUBMITTED})),
    # Once more, too: to another company, or back to the one that proposed to end the case without work.
    CaseAction.DISPATCH: (_BUREAU, DEADLINE_STATUSES - {CaseStatus.SUBMITTED}),
    CaseAction.START: (_WORK, frozenset({CaseStatus.DISPATCHED})),
    CaseAction.ASK_RESIDENT: (_WORK, frozenset({CaseStatus.IN_PROGRESS})),
    CaseAction.RESUME: (_SYSTEM, frozenset({CaseStatus.AWAITING_RESIDENT})),
    CaseAction.RESPOND: (_WORK, DEADLINE_STATUSES),
    CaseAction.ADD: (_RESIDENT, OPEN),
    CaseAction.CONFIRM: (_RESIDENT, _ANSWERED),
    CaseAction.PARTLY: (_RESIDENT, _ANSWERED),
    CaseAction.REJECT: (_RESIDENT, _ANSWERED),
    CaseAction.AUTO_CLOSE: (_SYSTEM, _ANSWERED),
    CaseAction.REOPEN: (_RESIDENT, frozenset({CaseStatus.CLOSED})),
    CaseAction.ESCALATE: (_RESIDENT | _SYSTEM, frozenset(CaseStatus) - {CaseStatus.WITHDRAWN}),
    CaseAction.WITHDRAW: (_RESIDENT, OPEN),
    CaseAction.PROPOSE: (frozenset({CaseActor.COMPANY}), frozenset({CaseStatus.DISPATCHED, CaseStatus.IN_PROGRESS})),
    **dict.fromkeys(ENDING_ACTIONS, (_BUREAU, OPEN)),
    CaseAction.SPLIT: (_BUREAU, frozenset({CaseStatus.DUPLICATE})),
    **dict.fromkeys((CaseAction.ASSIGN, CaseAction.TRANSFER, CaseAction.RETURN, CaseAction.SUPERVISE), (_BUREAU, OPEN)),
    CaseAction.EXTEND: (_BUREAU, DEADLINE_STATUSES - {CaseStatus.SUBMITTED}),
    CaseAction.REDO: (_BUREAU, _ANSWERED | {CaseStatus.CLOSED, CaseStatus.OUT_OF_SCOPE}),
    CaseAction.NOTE: (_BUREAU, frozenset(CaseStatus)),
    **dict.fromkeys((CaseAction.FILE, CaseAction.LIMIT, CaseAction.RETRACT), (_BUREAU, frozenset(CaseStatus))),
    CaseAction.CLOSE: (_BUREAU, OPEN),
}
# What the bureau or the company may do at some time.
STAFF_STEPS = tuple(
    action for action, (actors, _statuses) in _RULES.items() if actors & _WORK and action not in FILE_ACTIONS
)
# They are what our own clock measures, which never runs for a case of another system of record.
_OF_OUR_CLOCK = frozenset({CaseAction.ASK_RESIDENT, CaseAction.EXTEND})
_PLAIN_STEPS: Mapping[CaseAction, CaseStatus] = {
    CaseAction.ACCEPT: CaseStatus.ACCEPTED,
    CaseAction.DISPATCH: CaseStatus.DISPATCHED,
    CaseAction.START: CaseStatus.IN_PROGRESS,
    CaseAction.ASK_RESIDENT: CaseStatus.AWAITING_RESIDENT,
    CaseAction.RESUME: CaseStatus.IN_PROGRESS,
    CaseAction.RESPOND: CaseStatus.RESPONDED,
    CaseAction.CONFIRM: CaseStatus.CLOSED,
    CaseAction.PARTLY: CaseStatus.REOPENED,
    CaseAction.AUTO_CLOSE: CaseStatus.CLOSED,
    CaseAction.REOPEN: CaseStatus.REOPENED,
    CaseAction.ESCALATE: CaseStatus.STAGE2,
    CaseAction.WITHDRAW: CaseStatus.WITHDRAWN,
    CaseAction.REDO: CaseStatus.REOPENED,
    CaseAction.CLOSE: CaseStatus.CLOSED,
    **{action: status for action, (status, _reasons) in ENDING_ACTIONS.items()},
}


# What a step says besides the status: who has the case, what waits for a decision, what was promised.
_CHANGES: Mapping[CaseAction, Callable[[CaseState, Event], dict[str, Any]]] = {
    CaseAction.MERGE: lambda state, _event: {"merged_from": state.status},
    CaseAction.SPLIT: lambda _state, _event: {"merged_from": None},
    CaseAction.PROPOSE: lambda _state, event: {"proposal": event.reason},
    CaseAction.DISPATCH: lambda _state, event: {"company_id": event.company_id, "proposal": None},
    CaseAction.EXTEND: lambda _state, event: {"extended_until": event.until},
    CaseAction.LIMIT: lambda _state, event: {"extended_until": event.until},
    CaseAction.FILE: lambda state, _event: {"before_file": replace(state, before_file=None)},
    CaseAction.SUPERVISE: lambda _state, _event: {"is_supervised": True},
    CaseAction.ASSIGN: lambda _state, event: {"handler_id": event.handler_id},
    CaseAction.TRANSFER: lambda state, event: {
        "office": event.office,
        "returns_to": state.office,
        "handler_id": None,
    },
    CaseAction.RETURN: lambda state, _event: {"office": state.returns_to, "returns_to": None, "handler_id": None},
}


def _change_nothing(_state: CaseState, _event: Event) -> dict[str, Any]:
    return {}


def _has_not_paused(state: CaseState, event: Event) -> bool:
    # The clock is paused once.
    return state.paused_at is None and event.until is not None and event.until >= event.at


def _pause_is_over(state: CaseState, event: Event) -> bool:
    return state.paused_until is not None and event.at >= state.paused_until


def _was_silent(state: CaseState, event: Event) -> bool:
    return event.at - state.last_contact_at >= state.rules.silence


def _may_be_redone(state: CaseState, event: Event) -> bool:
    # What the hotline took back from us, or had dealt with, it may send once more at any time.
    if state.is_external:
        return True
    return state.status is CaseStatus.RESPONDED or (state.status is CaseStatus.CLOSED and _ended_lately(state, event))


def _is_in_work(state: CaseState, event: Event) -> bool:
    # The hotline tells what was answered, not what was done before.
    return state.status is CaseStatus.IN_PROGRESS or (state.is_external and event.actor is CaseActor.BUREAU)


def _follows_file(state: CaseState, _event: Event) -> bool:
    return state.before_file is not None


def _was_merged(state: CaseState, _event: Event) -> bool:
    # One that was merged before splitting was possible tells it by its events, too.
    return state.merged_from is not None


def _names_handler(_state: CaseState, event: Event) -> bool:
    return event.handler_id is not None


def _names_other_office(state: CaseState, event: Event) -> bool:
    return event.office not in {None, state.office}


def _came_from_office(state: CaseState, _event: Event) -> bool:
    return state.returns_to is not None


def _is_not_supervised(state: CaseState, _event: Event) -> bool:
    return not state.is_supervised


def _extends_once(state: CaseState, event: Event) -> bool:
    return state.extended_until is None and event.until is not None and event.until >= event.at


def _ended_lately(state: CaseState, event: Event) -> bool:
    return event.at - state.since <= state.rules.reopening


def _can_go_to_stage2(state: CaseState, event: Event) -> bool:
    if state.stage != 1:
        return False
    if event.actor is CaseActor.SYSTEM:
        return state.status in DEADLINE_STATUSES
    return state.status in OPEN or _ended_lately(state, event)


def _has_reason(_state: CaseState, event: Event) -> bool:
    return event.reason is not None


def _has_reason_to_end(_state: CaseState, event: Event) -> bool:
    _status, reasons = ENDING_ACTIONS[event.action]
    # A duplicate names the case that it repeats, and nothing else does.
    return event.reason in reasons and (event.original_id is not None) == (event.action is CaseAction.MERGE)


# What a rule says beyond actor and status.
_CONDITIONS: Mapping[CaseAction, Callable[[CaseState, Event], bool]] = {
    CaseAction.ASK_RESIDENT: _has_not_paused,
    CaseAction.RESUME: _pause_is_over,
    CaseAction.AUTO_CLOSE: _was_silent,
    CaseAction.REOPEN: _ended_lately,
    CaseAction.ESCALATE: _can_go_to_stage2,
    CaseAction.PROPOSE: _has_reason,
    CaseAction.SPLIT: _was_merged,
    CaseAction.ASSIGN: _names_handler,
    CaseAction.TRANSFER: _names_other_office,
    CaseAction.RETURN: _came_from_office,
    CaseAction.SUPERVISE: _is_not_supervised,
    CaseAction.EXTEND: _extends_once,
    CaseAction.REDO: _may_be_redone,
    CaseAction.RESPOND: _is_in_work,
    CaseAction.RETRACT: _follows_file,
    **dict.fromkeys(ENDING_ACTIONS, _has_reason_to_end),
}


def _is_allowed(state: CaseState, event: Event) -> bool:
    actors, statuses = _RULES.get(event.action, (frozenset(), frozenset()))
    if event.actor not in actors or state.status not in statuses or event.at < state.since:
        return False
    if CaseActor.COMPANY in {event.actor, _recipient(event)} and (state.bypasses_company or state.stage == 2):
        # Stage 2 is handled by someone else, and a complaint about retaliation never reaches the company.
        return False
    if event.action in FILE_ACTIONS and not state.is_external:
        return False
    if state.is_external and (event.actor is CaseActor.SYSTEM or event.action in _OF_OUR_CLOCK):
        return False
    condition = _CONDITIONS.get(event.action)
    return condition is None or condition(state, event)


def _recipient(event: Event) -> CaseActor | None:
    return CaseActor.COMPANY if event.company_id is not None else None


def _next_status(state: CaseState, event: Event) -> CaseStatus:
    if event.action is CaseAction.SPLIT:
        assert state.merged_from is not None
        return state.merged_from
    if event.action is CaseAction.REJECT:
        # The last rejection that the rules allow goes to someone else; there is nobody beyond stage 2.
        goes_on = state.rejections + 1 >= state.rules.stage_2_after and state.stage == 1
        return CaseStatus.STAGE2 if goes_on else CaseStatus.REOPENED
    if event.action is CaseAction.ADD and state.status is CaseStatus.AWAITING_RESIDENT:
        return CaseStatus.IN_PROGRESS
    return _PLAIN_STEPS.get(event.action, state.status)
