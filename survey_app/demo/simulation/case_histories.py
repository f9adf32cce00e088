"""Simulated case histories: who takes which step, and when, by the rules of the life cycle."""

from datetime import datetime, timedelta, tzinfo

import numpy as np

from survey_app.complaints.categories import Category
from survey_app.complaints.deadlines import Clock, due_events, pause_end
from survey_app.complaints.state_machine import Action, Actor, CaseState, Event, Reason, Status, advance, submitted
from survey_app.complaints.working_days import calendar

# The middle of how long a step takes, in hours, for ordinary cases and for those of safety.
_HOURS: dict[Action, tuple[float, float]] = {
    Action.WITHDRAW: (30, 12),
    Action.INVALIDATE: (12, 1),
    Action.REFUSE: (14, 1),
    Action.ACCEPT: (8, 0.7),
    Action.DISPATCH: (5, 0.5),
    Action.START: (16, 1),
    Action.ASK_RESIDENT: (20, 3),
    Action.ADD: (40, 6),
    Action.RESPOND: (70, 9),
    Action.CONFIRM: (40, 30),
    Action.PARTLY: (40, 30),
    Action.REJECT: (30, 20),
}
_REASONS = {Action.INVALIDATE: Reason.NOT_A_CASE, Action.REFUSE: Reason.OTHER_AUTHORITY}
_BY_RESIDENT = frozenset({Action.WITHDRAW, Action.ADD, Action.CONFIRM, Action.PARTLY, Action.REJECT})
_BY_COMPANY = frozenset({Action.START, Action.ASK_RESIDENT, Action.RESPOND})
_SILENT = timedelta(days=8)

# What is done next, and how often.
_NEXT: dict[Status, tuple[tuple[Action, float], ...]] = {
    Status.SUBMITTED: (
        (Action.ACCEPT, 0.95),
        (Action.REFUSE, 0.02),
        (Action.WITHDRAW, 0.02),
        (Action.INVALIDATE, 0.01),
    ),
    Status.ACCEPTED: ((Action.DISPATCH, 1.0),),
    Status.REOPENED: ((Action.DISPATCH, 1.0),),
    Status.STAGE2: ((Action.DISPATCH, 1.0),),
    Status.DISPATCHED: ((Action.START, 1.0),),
    Status.IN_PROGRESS: ((Action.RESPOND, 0.94), (Action.ASK_RESIDENT, 0.06)),
    Status.AWAITING_RESIDENT: ((Action.ADD, 1.0),),
    # The rest says nothing.
    Status.RESPONDED: ((Action.CONFIRM, 0.42), (Action.REJECT, 0.1), (Action.PARTLY, 0.08), (Action.AUTO_CLOSE, 0.4)),
}


def draw_life(
    random: np.random.Generator, *, submitted_at: datetime, category: Category, zone: tzinfo, now: datetime
) -> tuple[Event, ...]:
    """Return the events of a case until `now`, after its submission."""
    clock = Clock(category.safety, calendar(), zone)
    state, at = submitted(submitted_at, bypasses_company=category.bypasses_company), submitted_at
    life: list[Event] = []
    while state.status in _NEXT and at < now:
        action = _draw_action(random, state)
        at += _draw_delay(random, action, clock)
        # A period may have ended before anybody acted.
        steps = list(due_events(state, clock, now=min(at, now)))
        if not steps and at < now:
            steps = [_step(state, action, at, clock)]
        for event in steps:
            state = advance(state, event)
        life += steps
    return tuple(life)


def _draw_action(random: np.random.Generator, state: CaseState) -> Action:
    actions, shares = zip(*_NEXT[state.status], strict=True)
    action: Action = actions[random.choice(len(actions), p=shares)]
    return Action.RESPOND if action is Action.ASK_RESIDENT and state.paused_at else action


def _draw_delay(random: np.random.Generator, action: Action, clock: Clock) -> timedelta:
    if action is Action.AUTO_CLOSE:
        return _SILENT
    return timedelta(hours=_HOURS[action][clock.is_safety] * float(random.lognormal(0, 0.55)))


def _step(state: CaseState, action: Action, at: datetime, clock: Clock) -> Event:
    is_with_company = state.stage == 1 and not state.bypasses_company
    if action in _BY_RESIDENT:
        actor = Actor.RESIDENT
    else:
        actor = Actor.COMPANY if action in _BY_COMPANY and is_with_company else Actor.BUREAU
    until = pause_end(at, clock) if action is Action.ASK_RESIDENT else None
    return Event(action, actor, at, reason=_REASONS.get(action), until=until)
