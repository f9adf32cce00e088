"""Simulated case histories: who takes which step, and when, by the rules of the life cycle."""

from datetime import datetime, timedelta

import numpy as np

from survey_app.complaints.categories import Category
from survey_app.complaints.deadlines import Clock, due_events, pause_end
from survey_app.complaints.state_machine import CaseState, Event, advance, submitted
from survey_app.models.vocabulary import CaseAction, CaseActor, CaseEndReason, CaseStatus

# The middle of how long a step takes, in hours, for ordinary cases and for those of safety.
_HOURS: dict[CaseAction, tuple[float, float]] = {
    CaseAction.WITHDRAW: (30, 12),
    CaseAction.INVALIDATE: (12, 1),
    CaseAction.REFUSE: (14, 1),
    CaseAction.ACCEPT: (8, 0.7),
    CaseAction.DISPATCH: (5, 0.5),
    CaseAction.START: (16, 1),
    CaseAction.ASK_RESIDENT: (20, 3),
    CaseAction.ADD: (40, 6),
    CaseAction.RESPOND: (70, 9),
    CaseAction.CONFIRM: (40, 30),
    CaseAction.PARTLY: (40, 30),
    CaseAction.REJECT: (30, 20),
}
_REASONS = {CaseAction.INVALIDATE: CaseEndReason.NOT_A_CASE, CaseAction.REFUSE: CaseEndReason.OTHER_AUTHORITY}
_BY_RESIDENT = frozenset(
    {CaseAction.WITHDRAW, CaseAction.ADD, CaseAction.CONFIRM, CaseAction.PARTLY, CaseAction.REJECT}
)
_BY_COMPANY = frozenset({CaseAction.START, CaseAction.ASK_RESIDENT, CaseAction.RESPOND})
_SILENT = timedelta(days=8)

MERGED_AFTER = timedelta(hours=1)
"""How long an office takes to see that a case repeats another one."""

# What is done next, and how often.
_NEXT: dict[CaseStatus, tuple[tuple[CaseAction, float], ...]] = {
    CaseStatus.SUBMITTED: (
        (CaseAction.ACCEPT, 0.95),
        (CaseAction.REFUSE, 0.02),
        (CaseAction.WITHDRAW, 0.02),
        (CaseAction.INVALIDATE, 0.01),
    ),
    CaseStatus.ACCEPTED: ((CaseAction.DISPATCH, 1.0),),
    CaseStatus.REOPENED: ((CaseAction.DISPATCH, 1.0),),
    CaseStatus.STAGE2: ((CaseAction.DISPATCH, 1.0),),
    CaseStatus.DISPATCHED: ((CaseAction.START, 1.0),),
    CaseStatus.IN_PROGRESS: ((CaseAction.RESPOND, 0.94), (CaseAction.ASK_RESIDENT, 0.06)),
    CaseStatus.AWAITING_RESIDENT: ((CaseAction.ADD, 1.0),),
    # The rest says nothing.
    CaseStatus.RESPONDED: (
        (CaseAction.CONFIRM, 0.42),
        (CaseAction.REJECT, 0.1),
        (CaseAction.PARTLY, 0.08),
        (CaseAction.AUTO_CLOSE, 0.4),
    ),
}


def draw_case_history(
    random: np.random.Generator,
    *,
    submitted_at: datetime,
    category: Category,
    company_id: int | None,
    clock: Clock,
    now: datetime,
) -> tuple[Event, ...]:
    """Return the events of a case until `now`, after its submission; `company_id` is of the company in charge."""
    state = submitted(submitted_at, bypasses_company=category.bypasses_company, rules=clock.rules)
    at = submitted_at
    life: list[Event] = []
    while state.status in _NEXT and at < now:
        action = _draw_action(random, state)
        at += _draw_delay(random, action, clock)
        # A period may have ended before anybody acted.
        steps = list(due_events(state, clock, now=min(at, now)))
        if not steps and at < now:
            steps = [_step(state, action, at, clock, company_id)]
        for event in steps:
            state = advance(state, event)
        life += steps
    return tuple(life)


def merged_history(original_id: int, *, submitted_at: datetime) -> tuple[Event, ...]:
    """Return the events of a case that an office finds to repeat another one."""
    accepted_at = submitted_at + MERGED_AFTER / 2
    return (
        Event(CaseAction.ACCEPT, CaseActor.BUREAU, accepted_at),
        Event(
            CaseAction.MERGE,
            CaseActor.BUREAU,
            submitted_at + MERGED_AFTER,
            CaseEndReason.SAME_CASE,
            original_id=original_id,
        ),
    )


def _draw_action(random: np.random.Generator, state: CaseState) -> CaseAction:
    actions, shares = zip(*_NEXT[state.status], strict=True)
    action: CaseAction = actions[random.choice(len(actions), p=shares)]
    return CaseAction.RESPOND if action is CaseAction.ASK_RESIDENT and state.paused_at else action


def _draw_delay(random: np.random.Generator, action: CaseAction, clock: Clock) -> timedelta:
    if action is CaseAction.AUTO_CLOSE:
        return _SILENT
    return timedelta(hours=_HOURS[action][clock.is_safety] * float(random.lognormal(0, 0.55)))


def _step(state: CaseState, action: CaseAction, at: datetime, clock: Clock, company_id: int | None) -> Event:
    is_with_company = state.stage == 1 and not state.bypasses_company
    if action in _BY_RESIDENT:
        actor = CaseActor.RESIDENT
    else:
        actor = CaseActor.COMPANY if action in _BY_COMPANY and is_with_company else CaseActor.BUREAU
    until = pause_end(at, clock) if action is CaseAction.ASK_RESIDENT else None
    given_to = company_id if action is CaseAction.DISPATCH and is_with_company else None
    return Event(action, actor, at, reason=_REASONS.get(action), until=until, company_id=given_to)
