"""Simulated call-backs: a sample of the closed cases of a month, and what the residents say on the telephone."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import TypeVar

import numpy as np
from sqlalchemy import select

from survey_app.accounts.scope import EVERYWHERE
from survey_app.call_backs.call_results import Said, record_result
from survey_app.call_backs.samples import draw, last_full_month, plan_sample
from survey_app.city_time import city_zone
from survey_app.models import CallBack
from survey_app.models.vocabulary import CallOutcome, Contacted, RecordedEnd, Resolved, Satisfied
from survey_app.storage.database import Database

_OUTCOMES = {CallOutcome.REACHED: 0.72, CallOutcome.NOT_REACHED: 0.2, CallOutcome.DECLINED: 0.08}
# Whether a matter is resolved: most say so who confirmed it, fewer of those who kept silent.
_RESOLVED = {
    RecordedEnd.CONFIRMED: {Resolved.YES: 0.93, Resolved.PARTLY: 0.05, Resolved.NO: 0.02},
    RecordedEnd.SILENT: {Resolved.YES: 0.66, Resolved.PARTLY: 0.14, Resolved.NO: 0.2},
}
_Item = TypeVar("_Item")
_CALLS_BEGIN = timedelta(days=2, hours=9)


def call_residents(
    database: Database, *, account_id: int, random: np.random.Generator, secret_key: str, now: datetime
) -> int:
    """Draw the sample of the month before the last and call everybody in it; the last month waits to be drawn."""
    with database.reading() as session:
        last = last_full_month(session, now=now)
        month, drawn_at = last.plus(-1), last.start(city_zone(session)) + _CALLS_BEGIN
        plan = plan_sample(session, month=month, scope=EVERYWHERE, secret_key=secret_key, now=drawn_at)
    if not plan.size:
        return 0
    with database.writing() as session:
        seed = random.bytes(16).hex()
        sample = draw(session, plan, district_id=None, seed=seed, account_id=account_id, now=drawn_at)
        drawn = session.scalars(select(CallBack).where(CallBack.sample_id == sample.id).order_by(CallBack.number)).all()
        for number, call_back in enumerate(drawn):
            called_at = drawn_at + timedelta(minutes=6 * number)
            said = draw_said(random, RecordedEnd(call_back.recorded))
            record_result(session, call_back, said, seen=0, account_id=account_id, now=called_at)
    return len(drawn)


def draw_said(random: np.random.Generator, recorded: RecordedEnd) -> Said:
    """Return what comes of one call about a case that is recorded to have ended so."""
    outcome = _pick(random, _OUTCOMES)
    if outcome is not CallOutcome.REACHED:
        return Said(outcome)
    resolved = _pick(random, _RESOLVED[recorded])
    is_content = random.random() < (0.9 if resolved is Resolved.YES else 0.15)
    contacted = Contacted.YES if random.random() < 0.9 else Contacted.NO
    return Said(outcome, contacted, resolved, Satisfied.YES if is_content else Satisfied.NO)


def _pick(random: np.random.Generator, shares: Mapping[_Item, float]) -> _Item:
    return list(shares)[random.choice(len(shares), p=list(shares.values()))]
