"""Call sheets: the drawn cases that an account sees, who of them waits for a call, and what the calls came to."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

import pandas as pd
from sqlalchemy import Select, func, or_, select
from sqlalchemy.orm import Session, joinedload

from analytics.casework.call_backs import match_rate
from analytics.casework.shares import Share
from analytics.languages import Wording
from survey_app.accounts.scope import Scope
from survey_app.call_backs.call_results import count_tries, is_over, results_of
from survey_app.city_time import Month, city_zone
from survey_app.complaints.categories import category_of
from survey_app.errors import UnknownNumber
from survey_app.models import (
    CallBack,
    CallBackResult,
    CallBackSample,
    Community,
    Complaint,
    ComplaintAssignment,
    ComplaintContact,
    ComplaintEvent,
    PropertyCompany,
)
from survey_app.models.vocabulary import CaseAction, RecordedEnd


class CallState(StrEnum):
    """Where a drawn case stands."""

    TO_CALL = "to_call"
    REACHED = "reached"
    DECLINED = "declined"
    NOT_REACHED = "not_reached"
    # The contact was erased before anybody reached the resident.
    UNCALLABLE = "uncallable"


@dataclass(frozen=True)
class Call:
    """A drawn case on the sheet, its times in the city's; `is_barred` where the account answered the case itself."""

    call_back: CallBack
    number: int
    reference: str
    community: Wording
    category: Wording
    company: Wording | None
    closed_at: datetime
    recorded: RecordedEnd
    state: CallState
    results: Sequence[CallBackResult]
    tries: int
    is_barred: bool

    @property
    def last(self) -> CallBackResult | None:
        """The result that holds; None before the first."""
        return self.results[-1] if self.results else None


@dataclass(frozen=True)
class SampleOverview:
    """A sample and how far the calls of it are, as far as an account sees it."""

    sample: CallBackSample
    month: Month
    drawn: int
    states: Mapping[CallState, int]


@dataclass(frozen=True)
class Sheet:
    """The drawn cases of a sample that an account sees, in the order of the calls."""

    sample: CallBackSample
    month: Month
    calls: Sequence[Call]

    @property
    def match(self) -> Share:
        """How often the residents who were reached agree that the matter is resolved."""
        last = [call.last for call in self.calls if call.last is not None]
        return match_rate(pd.DataFrame({"resolved": [result.resolved for result in last]}, dtype="object"))

    def next_call(self, after: int = 0) -> Call | None:
        """Return the next case that the account may call, those behind a number first."""
        waiting = [call for call in self.calls if call.state is CallState.TO_CALL and not call.is_barred]
        # Whoever was tried already comes after those who were not.
        waiting.sort(key=lambda call: (call.tries, call.number <= after, call.number))
        return waiting[0] if waiting else None


def list_samples(session: Session, *, scope: Scope, account_id: int) -> Sequence[SampleOverview]:
    """Return the samples with a case in scope, the newest month first."""
    found = session.scalars(
        select(CallBackSample)
        .where(CallBackSample.id.in_(_drawn(scope).with_only_columns(CallBack.sample_id)))
        .options(joinedload(CallBackSample.district))
        .order_by(CallBackSample.month.desc(), CallBackSample.id)
    ).all()
    sheets = [read_sheet(session, sample.id, scope=scope, account_id=account_id) for sample in found]
    return [
        SampleOverview(
            sheet.sample,
            sheet.month,
            len(sheet.calls),
            {state: sum(call.state is state for call in sheet.calls) for state in CallState},
        )
        for sheet in sheets
    ]


def read_sheet(session: Session, sample_id: int, *, scope: Scope, account_id: int) -> Sheet:
    """Return the drawn cases of a sample in scope, or raise `UnknownNumber` where there is none."""
    calls = _calls(session, _drawn(scope).where(CallBack.sample_id == sample_id), account_id=account_id)
    if not calls:
        raise UnknownNumber
    sample = session.get_one(CallBackSample, sample_id)
    month = Month.read(sample.month)
    assert month is not None
    return Sheet(sample, month, calls)


def find_call(session: Session, sample_id: int, reference: str, *, scope: Scope, account_id: int) -> Call:
    """Return one drawn case in scope, or raise `UnknownNumber`."""
    asked = _drawn(scope).where(CallBack.sample_id == sample_id, Complaint.reference == reference)
    [*found] = _calls(session, asked, account_id=account_id)
    if not found:
        raise UnknownNumber
    return found[0]


def _drawn(scope: Scope) -> Select[CallBack]:
    statement = (
        select(CallBack)
        .join(Complaint, Complaint.id == CallBack.complaint_id)
        .join(Community, Community.id == Complaint.community_id)
    )
    return scope.communities(statement)


def _calls(session: Session, asked: Select[CallBack], *, account_id: int) -> list[Call]:
    zone = city_zone(session)
    loaded = joinedload(CallBack.complaint, innerjoin=True).joinedload(Complaint.community, innerjoin=True)
    drawn = session.scalars(asked.options(loaded).order_by(CallBack.number)).all()
    results = results_of(session, [call_back.id for call_back in drawn])
    cases = [call_back.complaint_id for call_back in drawn]
    kept = set(session.scalars(select(ComplaintContact.complaint_id).where(ComplaintContact.complaint_id.in_(cases))))
    barred, companies = _answered_by(session, account_id, cases), _companies(session, drawn)
    closed_at = _closed_at(session, drawn)
    return [
        Call(
            call_back=call_back,
            number=call_back.number,
            reference=call_back.complaint.reference,
            community=Wording.of(call_back.complaint.community.name, call_back.complaint.community.english_name),
            category=category_of(call_back.complaint.category).name,
            company=companies.get(call_back.complaint.company_id),
            closed_at=closed_at[call_back.complaint_id].astimezone(zone),
            recorded=RecordedEnd(call_back.recorded),
            state=_state(results[call_back.id], has_contact=call_back.complaint_id in kept),
            results=results[call_back.id],
            tries=count_tries(results[call_back.id]),
            is_barred=call_back.complaint_id in barred,
        )
        for call_back in drawn
    ]


def _state(results: Sequence[CallBackResult], *, has_contact: bool) -> CallState:
    if is_over(results):
        return CallState(results[-1].outcome)
    return CallState.TO_CALL if has_contact else CallState.UNCALLABLE


def _answered_by(session: Session, account_id: int, cases: Iterable[int]) -> frozenset[int]:
    """Return the cases that the account answered, or that were given to it: nobody checks their own work."""
    own = or_(
        (ComplaintEvent.account_id == account_id) & (ComplaintEvent.action == CaseAction.RESPOND),
        ComplaintAssignment.handler_id == account_id,
    )
    statement = select(ComplaintEvent.complaint_id).outerjoin(ComplaintAssignment)
    return frozenset(session.scalars(statement.where(ComplaintEvent.complaint_id.in_(list(cases)), own)))


def _companies(session: Session, drawn: Iterable[CallBack]) -> Mapping[int | None, Wording]:
    numbers = {call_back.complaint.company_id for call_back in drawn} - {None}
    found = session.scalars(select(PropertyCompany).where(PropertyCompany.id.in_(numbers)))
    return {company.id: Wording.of(company.name, company.english_name) for company in found}


def _closed_at(session: Session, drawn: Sequence[CallBack]) -> Mapping[int, datetime]:
    """Return when each case had closed when it was drawn: it may have been opened again since."""
    statement = (
        select(CallBack.complaint_id, func.max(ComplaintEvent.at).label("closed_at"))
        .join(CallBackSample, CallBackSample.id == CallBack.sample_id)
        .join(ComplaintEvent, ComplaintEvent.complaint_id == CallBack.complaint_id)
        .where(
            CallBack.id.in_([call_back.id for call_back in drawn]),
            ComplaintEvent.action.in_([CaseAction.CONFIRM, CaseAction.AUTO_CLOSE]),
            ComplaintEvent.at <= CallBackSample.drawn_at,
        )
        .group_by(CallBack.complaint_id)
    )
    return {row.complaint_id: row.closed_at for row in session.execute(statement)}
