"""Results of call-backs: what came of each call, stored once and corrected by another row, and their frame."""

import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Final, TypeVar

import pandas as pd
from sqlalchemy import select
from sqlalchemy.orm import Session

from analytics.casework.call_backs import CALL_BACK_COLUMNS
from survey_app import audit
from survey_app.accounts.scope import Scope
from survey_app.city_time import city_zone
from survey_app.errors import JiayuanError
from survey_app.models import CallBack, CallBackResult, Community, Complaint, District
from survey_app.models.vocabulary import AuditAction, CallCorrection, CallOutcome, Contacted, Resolved, Satisfied
from survey_app.storage.advisory_locks import AdvisoryLock, lock_until_commit
from survey_app.web.typed_numbers import read_whole_number

MOST_TRIES: Final = 3
"""Calls after which a resident counts as not reached."""

_Member = TypeVar("_Member", bound=StrEnum)


class CallMovedOn(JiayuanError):
    """Somebody recorded a result since the page was opened on which another one was typed."""

    status = 409

    def __init__(self, call_back_id: int) -> None:
        super().__init__(f"call-back {call_back_id} has moved on")
        self.call_back_id = call_back_id


class CallOver(JiayuanError):
    """A call has a result already, which only a correction with its reason changes; or there is none to correct."""

    status = 409

    def __init__(self, call_back_id: int) -> None:
        super().__init__(f"call-back {call_back_id} cannot take this result")
        self.call_back_id = call_back_id


@dataclass(frozen=True)
class Said:
    """What came of a call; the three answers are None unless the resident was reached."""

    outcome: CallOutcome
    contacted: Contacted | None = None
    resolved: Resolved | None = None
    satisfied: Satisfied | None = None


def read_said(given: Mapping[str, str]) -> Said | None:
    """Return what a form says, or None where something is missing; without an outcome the resident was reached.

    The three answers are typed as codes: the places of the words in their vocabularies, from 1.
    """
    outcome = _member(CallOutcome, given.get("outcome") or CallOutcome.REACHED)
    if outcome is None or outcome is not CallOutcome.REACHED:
        return None if outcome is None else Said(outcome)
    contacted = _coded(Contacted, given.get("contacted"))
    resolved = _coded(Resolved, given.get("resolved"))
    satisfied = _coded(Satisfied, given.get("satisfied"))
    if contacted is None or resolved is None or satisfied is None:
        return None
    return Said(outcome, contacted, resolved, satisfied)


def read_correction(typed: str | None) -> CallCorrection | None:
    """Return why a result is corrected, as a form says it."""
    return _member(CallCorrection, typed)


def is_over(results: Sequence[CallBackResult]) -> bool:
    """Return whether nobody has to call any more, given the results in their order."""
    if not results:
        return False
    return results[-1].outcome != CallOutcome.NOT_REACHED or count_tries(results) >= MOST_TRIES


def count_tries(results: Sequence[CallBackResult]) -> int:
    """Return how many calls were made: a correction is none."""
    return sum(result.correction is None for result in results)


def results_of(session: Session, call_backs: Sequence[int]) -> Mapping[int, Sequence[CallBackResult]]:
    """Return the results of each of these drawn cases, in their order."""
    statement = select(CallBackResult).where(CallBackResult.call_back_id.in_(call_backs))
    found: dict[int, list[CallBackResult]] = {number: [] for number in call_backs}
    for result in session.scalars(statement.order_by(CallBackResult.number)):
        found[result.call_back_id].append(result)
    return found


def record_result(
    session: Session,
    call_back: CallBack,
    said: Said,
    *,
    correction: CallCorrection | None = None,
    seen: int,
    account_id: int,
    now: datetime,
) -> CallBackResult:
    """Store what came of a call, or correct what was stored, for a reason.

    `seen` is how many results the page showed: `CallMovedOn` where there are others, `CallOver` where a result stands
    and this is no correction, or where there is nothing to correct. The same form sent again changes nothing.
    """
    lock_until_commit(session, AdvisoryLock.CALL_BACK, of=call_back.id)
    results = results_of(session, [call_back.id])[call_back.id]
    if len(results) == seen + 1 and _is_same(results[-1], said, correction, account_id):
        return results[-1]
    if len(results) != seen:
        raise CallMovedOn(call_back.id)
    if is_over(results) == (correction is None):
        raise CallOver(call_back.id)
    result = CallBackResult(
        call_back_id=call_back.id,
        number=seen + 1,
        outcome=said.outcome,
        contacted=said.contacted,
        resolved=said.resolved,
        satisfied=said.satisfied,
        correction=correction,
        account_id=account_id,
        at=now,
    )
    session.add(result)
    session.flush()
    # Not what the resident said: the chain is kept for ever and read by others.
    facts: audit.Facts = {"call_back": call_back.id, "outcome": said.outcome, "reason": correction}
    audit.record(
        session,
        by=audit.account_actor(account_id),
        action=AuditAction.CALL_BACK_RECORDED if correction is None else AuditAction.CALL_BACK_CORRECTED,
        subject=f"complaint:{call_back.complaint_id}",
        after=facts,
        now=now,
    )
    return result


def read_call_backs(session: Session, *, scope: Scope, since: datetime, cut_off: datetime) -> pd.DataFrame:
    """Return the call-backs in scope that came to a result from `since` to `cut_off`, as they stood before the latter.

    The columns are `analytics.casework.call_backs.CALL_BACK_COLUMNS`. A case counts when its resident was reached, or
    was tried last; a correction says what had been said then, and moves it to no other month.
    """
    zone = city_zone(session)
    statement = (
        select(CallBackResult, CallBack.complaint_id, CallBack.recorded, District.name)
        .join(CallBack, CallBack.id == CallBackResult.call_back_id)
        .join(Complaint, Complaint.id == CallBack.complaint_id)
        .join(Community, Community.id == Complaint.community_id)
        .join(District, District.id == Community.district_id)
        .where(CallBackResult.at < cut_off)
        .order_by(CallBackResult.call_back_id, CallBackResult.number)
    )
    last: dict[int, tuple[object, ...]] = {}
    called_at: dict[int, datetime] = {}
    for result, complaint_id, recorded, district in session.execute(scope.communities(statement)):
        if result.correction is None:
            called_at[result.call_back_id] = result.at
        at = called_at[result.call_back_id]
        said = (result.outcome, recorded, result.contacted, result.resolved, result.satisfied)
        last[result.call_back_id] = (complaint_id, district, at.astimezone(zone), *said)
    rows = [row for key, row in last.items() if called_at[key] >= since]
    frame = pd.DataFrame(rows, columns=list(CALL_BACK_COLUMNS), dtype="object")
    times = pd.Series(frame["called_at"].tolist(), dtype="datetime64[us, UTC]").dt.tz_convert(zone)
    return frame.astype({"case": "int64"}).assign(called_at=times)


def _member(vocabulary: type[_Member], typed: str | None) -> _Member | None:
    return vocabulary(typed) if typed in set(vocabulary) else None


def _coded(vocabulary: type[_Member], typed: str | None) -> _Member | None:
    # A Chinese keyboard may type full-width digits.
    code = read_whole_number(unicodedata.normalize("NFKC", typed or ""))
    return list(vocabulary)[code - 1] if code is not None and 0 < code <= len(vocabulary) else None


def _is_same(stored: CallBackResult, said: Said, correction: CallCorrection | None, account_id: int) -> bool:
    was = (stored.outcome, stored.contacted, stored.resolved, stored.satisfied, stored.correction, stored.account_id)
    return was == (said.outcome, said.contacted, said.resolved, said.satisfied, correction, account_id)
