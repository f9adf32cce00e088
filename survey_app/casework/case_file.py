"""One case with all that the office knows of it: words, photos, each step with its words, the clock, similar cases."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta, tzinfo

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from analytics.languages import Wording
from survey_app.accounts.scope import Scope
from survey_app.attachments.attachments import KeptAttachment, attachments_by_step, attachments_of_complaint
from survey_app.attachments.kinds import DOCUMENT, PHOTO, REPLY_PHOTO
from survey_app.casework.clock_explanation import ClockExplanation, explain_clock
from survey_app.casework.office_accounts import office_accounts
from survey_app.casework.releases import Release, release_of_events, suggested_release
from survey_app.casework.remaining_time import OfficeTime, RemainingTime, remaining_time
from survey_app.casework.stage_two import may_deal_with
from survey_app.city_time import last_day
from survey_app.complaints.cases import PastEvent, clock_of, count_supporters, find_in_scope, present_history
from survey_app.complaints.categories import category_of
from survey_app.complaints.deadlines import Clock, extension_end
from survey_app.complaints.state_machine import INTERNAL_ACTIONS, OPEN, CaseState, possible_actions
from survey_app.models import Account, Complaint, ComplaintContact, HotlineCase, PropertyCompany
from survey_app.models.vocabulary import CaseAction, CaseActor, CaseEndReason, CaseOffice, CaseStatus, Role
from survey_app.register.contracts import company_in_charge

# Cases of a community about the same thing that were filed so near to each other may be one.
_NEAR = timedelta(days=30)
_MOST_SIMILAR = 5


@dataclass(frozen=True)
class FileStep:
    """Step of a case as the office reads it, in the city's time; `took` is how long the case had stood before."""

    action: CaseAction
    actor: CaseActor
    account: str | None
    at: datetime
    took: timedelta | None
    reason: CaseEndReason | None
    text: str
    until: datetime | None
    company: Wording | None
    handler: str | None
    office: CaseOffice | None
    original: str | None
    photos: Sequence[KeptAttachment]
    documents: Sequence[KeptAttachment]
    is_internal: bool


@dataclass(frozen=True)
class SimilarFile:
    """Another case that may be the same, to be read beside it."""

    reference: str
    status: CaseStatus
    submitted_at: datetime
    text: str
    place: str


@dataclass(frozen=True)
class CaseFile:
    """All that the office knows of a case, and what the account can do with it now.

    `seen` is how many events are stored: a step that is asked for on this page is refused where there are more.
    """

    complaint: Complaint
    reference: str
    community: Wording
    district: Wording
    category: Wording
    state: CaseState
    clock: Clock
    submitted_at: datetime
    supporters: int
    has_contact: bool
    photos: Sequence[KeptAttachment]
    steps: Sequence[FileStep]
    explanation: ClockExplanation | None
    remaining: RemainingTime | None
    latest_extension: date | None
    possible: Sequence[CaseAction]
    is_barred: bool
    similar: Sequence[SimilarFile]
    hotline: HotlineCase | None
    release: Release | None
    suggestion: Release
    company: Wording | None
    handler: str | None
    offered_company: tuple[int, Wording] | None
    former_company: Wording | None
    offered_handlers: Mapping[int, str]
    offered_offices: Sequence[CaseOffice]
    seen: int


def read_case_file(
    session: Session, reference: str, *, scope: Scope, account_id: int, role: Role, now: datetime
) -> CaseFile:
    """Return all that an account of an office sees of a case."""
    complaint = find_in_scope(session, reference=reference, scope=scope)
    clock = clock_of(session, complaint)
    history = present_history(session, complaint, clock, now=now)
    state = history[-1].after
    may_act = may_deal_with(session, complaint, state, account_id=account_id, role=role)
    community, accounts = complaint.community, office_accounts(session, complaint.community)
    explanation, at = explain_clock(state, clock), OfficeTime(clock.calendar, clock.zone, now)
    in_charge = company_in_charge(session, community, at.day)
    release = release_of_events(session, [past.id for past in history if past.id is not None])
    possible = possible_actions(state, actor=CaseActor.BUREAU, now=now)
    return CaseFile(
        complaint=complaint,
        reference=reference,
        community=Wording.of(community.name, community.english_name),
        district=Wording.of(community.district.name, community.district.english_name),
        category=category_of(complaint.category).name,
        state=state,
        clock=clock,
        submitted_at=complaint.submitted_at.astimezone(clock.zone),
        supporters=count_supporters(session, complaint_id=complaint.id),
        has_contact=session.get(ComplaintContact, complaint.id) is not None,
        photos=attachments_of_complaint(session, kind=PHOTO, complaint_id=complaint.id),
        steps=_steps(session, complaint, history, clock.zone),
        explanation=explanation,
        remaining=None if explanation is None else remaining_time(explanation.deadline, at, is_safety=clock.is_safety),
        latest_extension=last_day(extension_end(state, clock), clock.zone) if CaseAction.EXTEND in possible else None,
        possible=possible if may_act else (),
        is_barred=not may_act,
        similar=_similar(session, complaint, clock.zone),
        hotline=session.get(HotlineCase, complaint.id),
        release=release,
        suggestion=suggested_release(complaint, history, release),
        company=_company_name(session, state.company_id),
        handler=None if state.handler_id is None else _usernames(session, {state.handler_id}).get(state.handler_id),
        offered_company=_offered_company(in_charge, state),
        former_company=_former_company(session, in_charge, state),
        offered_handlers={account.id: account.username for account in accounts},
        offered_offices=[
            office for office in CaseOffice if office is not state.office and _has_office(complaint, office)
        ],
        seen=sum(past.id is not None for past in history),
    )


def _steps(session: Session, complaint: Complaint, history: Sequence[PastEvent], zone: tzinfo) -> list[FileStep]:
    photos = attachments_by_step(session, kind=REPLY_PHOTO, complaint_id=complaint.id)
    documents = attachments_by_step(session, kind=DOCUMENT, complaint_id=complaint.id)
    accounts = {past.account_id for past in history} | {past.event.handler_id for past in history}
    names = _usernames(session, {number for number in accounts if number is not None})
    originals = _references(session, {past.event.original_id for past in history if past.event.original_id is not None})
    return [
        FileStep(
            action=past.event.action,
            actor=past.event.actor,
            account=None if past.account_id is None else names.get(past.account_id),
            at=past.event.at.astimezone(zone),
            took=None if earlier is None else past.event.at - earlier.event.at,
            reason=past.event.reason,
            text=past.text,
            until=None if past.event.until is None else past.event.until.astimezone(zone),
            company=_company_name(session, past.event.company_id),
            handler=None if past.event.handler_id is None else names.get(past.event.handler_id),
            office=past.event.office,
            original=None if past.event.original_id is None else originals.get(past.event.original_id),
            photos=photos[past.action_key],
            documents=documents[past.action_key],
            is_internal=past.event.action in INTERNAL_ACTIONS,
        )
        for earlier, past in zip([None, *history], history, strict=False)
    ]


def _usernames(session: Session, numbers: set[int]) -> dict[int, str]:
    rows = session.execute(select(Account.id, Account.username).where(Account.id.in_(sorted(numbers))))
    return {row.id: row.username for row in rows}


def _references(session: Session, numbers: set[int]) -> dict[int, str]:
    rows = session.execute(select(Complaint.id, Complaint.reference).where(Complaint.id.in_(sorted(numbers))))
    return {row.id: row.reference for row in rows}


def _company_name(session: Session, company_id: int | None) -> Wording | None:
    company = None if company_id is None else session.get(PropertyCompany, company_id)
    return None if company is None else Wording.of(company.name, company.english_name)


def _offered_company(in_charge: PropertyCompany | None, state: CaseState) -> tuple[int, Wording] | None:
    """Return the company in charge of the community today, unless the case must not reach it."""
    if in_charge is None or state.bypasses_company or state.stage > 1:
        return None
    return in_charge.id, Wording.of(in_charge.name, in_charge.english_name)


def _former_company(session: Session, in_charge: PropertyCompany | None, state: CaseState) -> Wording | None:
    """Return the company that has an open case of a community that it looks after no longer, or None."""
    is_with_company = state.status in OPEN and state.company_id is not None and state.stage == 1
    if not is_with_company or (in_charge is not None and in_charge.id == state.company_id):
        return None
    return _company_name(session, state.company_id)


def _has_office(complaint: Complaint, office: CaseOffice) -> bool:
    community = complaint.community
    parts = {
        CaseOffice.SUBDISTRICT: community.subdistrict_id,
        CaseOffice.NEIGHBOURHOOD: community.neighbourhood_id,
    }
    return office not in parts or parts[office] is not None


def _similar(session: Session, complaint: Complaint, zone: tzinfo) -> list[SimilarFile]:
    near = complaint.submitted_at - _NEAR, complaint.submitted_at + _NEAR
    distance = func.abs(Complaint.id - complaint.id)
    statement = (
        select(Complaint)
        .where(
            Complaint.community_id == complaint.community_id,
            Complaint.category == complaint.category,
            Complaint.id != complaint.id,
            Complaint.submitted_at.between(*near),
            Complaint.words_erased_at.is_(None),
        )
        .order_by(distance)
        .limit(_MOST_SIMILAR)
    )
    return [
        SimilarFile(
            other.reference, CaseStatus(other.status), other.submitted_at.astimezone(zone), other.text, other.place
        )
        for other in session.scalars(statement)
    ]
