"""What a property company sees of its cases: what the office released, and its own steps; never who complained.

Nothing here reads the words, the place, the contact or the photos of a resident: all that a company is shown of them
stands in a release, which somebody at the office looked at. A case in which the company may take no step any more, such
as one in stage 2, one that went to another company, or one of a community that did, shows it the steps up to then and
nothing new.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta, tzinfo

from sqlalchemy import Select, and_, func, not_, select
from sqlalchemy.orm import Session, joinedload

from analytics.languages import Wording
from survey_app.attachments.attachments import KeptAttachment, attachments_by_step, attachments_of_complaint
from survey_app.attachments.kinds import PHOTO, REPLY_PHOTO
from survey_app.casework.appeals import find_appeal
from survey_app.casework.releases import Release, release_of_events
from survey_app.casework.remaining_time import OfficeTime, RemainingTime, office_time, remaining_time
from survey_app.complaints.cases import PastEvent, clock_of, present_history
from survey_app.complaints.categories import category_of
from survey_app.complaints.counted_cases import counts_in_rate
from survey_app.complaints.deadlines import Clock
from survey_app.complaints.redaction import redact
from survey_app.complaints.state_machine import ENDED, INTERNAL_ACTIONS, OPEN, possible_actions
from survey_app.errors import UnknownNumber
from survey_app.models import Community, Complaint, ComplaintAppeal, ComplaintAssignment, ComplaintEvent
from survey_app.models.vocabulary import CaseAction, CaseActor, CaseEndReason, CaseStatus
from survey_app.register.contracts import company_in_charge, is_in_charge, last_day_in_charge

# Steps of the resident whose words come unlooked at: that they happened is told, and nothing of what was said.
_WORDS_OF_RESIDENT = frozenset(
    {
        CaseAction.SUBMIT,
        CaseAction.ADD,
        CaseAction.REJECT,
        CaseAction.PARTLY,
        CaseAction.REOPEN,
        CaseAction.WITHDRAW,
        CaseAction.ESCALATE,
        CaseAction.CONFIRM,
    }
)


@dataclass(frozen=True)
class CompanyCase:
    """A case in the list of a company."""

    reference: str
    community: Wording
    category: Wording
    is_with_company: bool
    # None once the case has left the company, which is told nothing new.
    status: CaseStatus | None
    deadline: datetime | None
    remaining: RemainingTime | None


@dataclass(frozen=True)
class CaseList:
    """Some of the cases of one kind, and how many there are."""

    cases: Sequence[CompanyCase]
    total: int


@dataclass(frozen=True)
class CompanyCases:
    """The cases that were given to a company: those that it has, by their deadlines, and the newest that are over."""

    open: CaseList
    ended: CaseList
    left: CaseList


@dataclass(frozen=True)
class CompanyStep:
    """Step of a case as the company reads it; of a resident's step the day alone is told."""

    action: CaseAction
    actor: CaseActor
    at: datetime
    reason: CaseEndReason | None
    text: str
    until: datetime | None
    photos: Sequence[KeptAttachment]


@dataclass(frozen=True)
class CompanyCaseFile:
    """A case as the company sees it, and what it can do now.

    `counts` says whether it counts in the complaint rate, and `appeal` what the company said against that, at a local
    time `appealed_at`; they are None of a case that has left the company.
    """

    complaint_id: int
    case: CompanyCase
    release: Release
    photos: Sequence[KeptAttachment]
    steps: Sequence[CompanyStep]
    possible: Sequence[CaseAction]
    counts: bool | None
    appeal: ComplaintAppeal | None
    appealed_at: datetime | None


def list_company_cases(session: Session, company_id: int, *, limit: int, now: datetime) -> CompanyCases:
    """Return the cases that were given to a company, of each kind so many at most."""
    at = office_time(session, now)
    looked_after = select(Community.id).where(is_in_charge(at.day, company_id=company_id))
    # A case that no company has is compared as well.
    has_it = Complaint.company_id.is_not_distinct_from(company_id)
    is_with_it = and_(has_it, Complaint.stage == 1, Complaint.community_id.in_(looked_after))
    newest = (Complaint.status_since.desc(), Complaint.id.desc())
    first_due = (Complaint.deadline_at.is_(None), Complaint.deadline_at, *newest)
    with_it, left = _given_to(company_id).where(is_with_it), _given_to(company_id).where(not_(is_with_it))
    is_open, is_over = (Complaint.status.in_(sorted(statuses)) for statuses in (OPEN, ENDED))
    return CompanyCases(
        open=_listed(session, with_it.where(is_open).order_by(*first_due), at, limit=limit, is_with_company=True),
        ended=_listed(session, with_it.where(is_over).order_by(*newest), at, limit=limit, is_with_company=True),
        left=_listed(session, left.order_by(*newest), at, limit=limit, is_with_company=False),
    )


def _listed(
    session: Session, wanted: Select[Complaint], at: OfficeTime, *, limit: int, is_with_company: bool
) -> CaseList:
    found = wanted.options(joinedload(Complaint.community, innerjoin=True)).limit(limit)
    total = session.scalar(wanted.order_by(None).with_only_columns(func.count(Complaint.id)))
    cases = [_case(complaint, at, is_with_company=is_with_company) for complaint in session.scalars(found)]
    return CaseList(cases, total or 0)


def read_company_case(session: Session, reference: str, *, company_id: int, now: datetime) -> CompanyCaseFile:
    """Return what a company sees of a case that was given to it, or raise `UnknownNumber`."""
    complaint = find_company_case(session, reference, company_id=company_id)
    clock = clock_of(session, complaint)
    at = OfficeTime(clock.calendar, clock.zone, now)
    left_at = _left_at(session, complaint, company_id, clock.zone)
    history = _seen_by(present_history(session, complaint, clock, now=now), company_id, until=left_at)
    state = history[-1].after
    stored = [past.id for past in history if past.id is not None]
    # Nothing is left of it once the words of the case are erased.
    release = release_of_events(session, stored) or Release("", "", ())
    case = _case(complaint, at, is_with_company=is_with_company(session, complaint, company_id=company_id, day=at.day))
    photos = attachments_of_complaint(session, kind=PHOTO, complaint_id=complaint.id)
    sent = attachments_by_step(session, kind=REPLY_PHOTO, complaint_id=complaint.id)
    possible = possible_actions(state, actor=CaseActor.COMPANY, now=now) if case.is_with_company else ()
    appeal = find_appeal(session, complaint.id) if case.is_with_company else None
    return CompanyCaseFile(
        complaint_id=complaint.id,
        case=case,
        release=release,
        photos=[photo for photo in photos if photo.name in release.photos],
        steps=[
            _step(past, clock, sent[past.action_key]) for past in history if past.event.action not in INTERNAL_ACTIONS
        ],
        possible=possible,
        counts=counts_in_rate(session, complaint) if case.is_with_company else None,
        appeal=appeal,
        appealed_at=None if appeal is None else appeal.filed_at.astimezone(clock.zone),
    )


def find_company_case(session: Session, reference: str, *, company_id: int) -> Complaint:
    """Return the case with this reference if it was given to the company, or raise `UnknownNumber`."""
    found = session.scalar(_given_to(company_id).where(Complaint.reference == reference))
    if found is None:
        raise UnknownNumber
    return found


def is_with_company(session: Session, complaint: Complaint, *, company_id: int, day: date) -> bool:
    """Return whether the company has the case, and is in charge of its community on a day."""
    in_charge = company_in_charge(session, complaint.community, day)
    return _has(complaint, company_id) and in_charge is not None and in_charge.id == company_id


def _has(complaint: Complaint, company_id: int) -> bool:
    return complaint.company_id == company_id and complaint.stage == 1


def _left_at(session: Session, complaint: Complaint, company_id: int, zone: tzinfo) -> datetime | None:
    """Return the midnight with which the company's last contract with the community ends, None where it does not."""
    last = last_day_in_charge(session, community_id=complaint.community_id, company_id=company_id)
    return None if last is None else datetime.combine(last + timedelta(days=1), time(), zone)


def _given_to(company_id: int) -> Select[Complaint]:
    # From what the company was given, not from each case of the city.
    given = select(ComplaintEvent.complaint_id).join(ComplaintAssignment)
    return select(Complaint).where(Complaint.id.in_(given.where(ComplaintAssignment.company_id == company_id)))


def _seen_by(history: Sequence[PastEvent], company_id: int, *, until: datetime | None) -> Sequence[PastEvent]:
    """Return the events up to the one by which the case left the company for good, or its community did."""
    held = [number for number, past in enumerate(history) if _has_case(past, company_id)]
    # A change may be recorded for a day on which the company before was still at work: its own steps it sees always.
    own = [number for number in held if history[number].event.actor is CaseActor.COMPANY]
    known = own[-1] if own else 0
    seen = enumerate(history[: held[-1] + 2])
    return [past for number, past in seen if number <= known or until is None or past.event.at < until]


def _has_case(past: PastEvent, company_id: int) -> bool:
    return past.after.company_id == company_id and past.after.stage == 1


def _case(complaint: Complaint, at: OfficeTime, *, is_with_company: bool) -> CompanyCase:
    deadline, category = complaint.deadline_at if is_with_company else None, category_of(complaint.category)
    return CompanyCase(
        reference=complaint.reference,
        community=Wording.of(complaint.community.name, complaint.community.english_name),
        category=category.name,
        is_with_company=is_with_company,
        status=CaseStatus(complaint.status) if is_with_company else None,
        deadline=None if deadline is None else deadline.astimezone(at.zone),
        remaining=None if deadline is None else remaining_time(deadline, at, is_safety=category.safety),
    )


def _step(past: PastEvent, clock: Clock, photos: Sequence[KeptAttachment]) -> CompanyStep:
    event = past.event
    return CompanyStep(
        action=event.action,
        actor=event.actor,
        at=event.at.astimezone(clock.zone),
        reason=event.reason,
        # What the office wrote to the resident may hold their name; what the company wrote was held to that before.
        text="" if event.action in _WORDS_OF_RESIDENT else redact(past.text),
        until=None if event.until is None else event.until.astimezone(clock.zone),
        # One that the office sent may show where the resident lives.
        photos=photos if event.actor is CaseActor.COMPANY else (),
    )
