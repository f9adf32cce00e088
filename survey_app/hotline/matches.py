"""Matches across channels: a case of the hotline and one of ours that may be the same, until a person has decided."""

import re
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from sqlalchemy import func, insert, select
from sqlalchemy.orm import Session, aliased

from analytics.languages import Wording
from survey_app import audit
from survey_app.city_time import city_zone
from survey_app.complaints.cases import take_step
from survey_app.complaints.categories import category_of
from survey_app.complaints.contacts import read_contact
from survey_app.complaints.state_machine import OPEN
from survey_app.errors import JiayuanError
from survey_app.hotline.ledger_file import telephone_in
from survey_app.models import Community, Complaint, ComplaintContact, HotlineCase, HotlineMatch
from survey_app.models.vocabulary import (
    AuditAction,
    CaseAction,
    CaseActor,
    CaseEndReason,
    CaseStatus,
    Channel,
    MatchStatus,
)
from survey_app.security.digests import keyed_digest

NEAR: Final = timedelta(days=3)
"""How far apart two cases may have come in that are taken for one."""

# Contacts are erased 90 days after a case has ended: of what came in before that hardly any is left to compare.
_LOOKED_AT: Final = timedelta(days=120)
_FEWEST_DIGITS: Final = 7


class NoSuchMatch(JiayuanError):
    """The match is decided already, or there is none of this number."""

    status = 409


@dataclass(frozen=True)
class MatchedCase:
    """One of the two cases of a match, in the city's time."""

    reference: str
    external_number: str | None
    channel: str
    status: CaseStatus
    submitted_at: datetime
    text: str


@dataclass(frozen=True)
class Match:
    """Two cases of a community and a category that came from one telephone within three days."""

    id: int
    community: Wording
    category: Wording
    of_hotline: MatchedCase
    other: MatchedCase
    status: MatchStatus
    is_merged: bool


def telephone_digest(digits: str, *, secret_key: str) -> str:
    """Return what is kept of a telephone: it can be recognised again, and not read."""
    return keyed_digest(digits, purpose="hotline telephone", secret_key=secret_key)


def suggest_matches(session: Session, *, secret_key: str, now: datetime) -> int:
    """Suggest each pair that agrees in telephone, community and category and came in near to each other, once.

    Of a pair that a person has decided nothing is asked again.
    """
    since = now - _LOOKED_AT
    ours = _contacts(session, since=since - NEAR, secret_key=secret_key)
    pairs = session.execute(select(HotlineMatch.complaint_id, HotlineMatch.other_id))
    decided = {(complaint_id, other_id) for complaint_id, other_id in pairs}
    rows = session.execute(
        select(
            Complaint.id,
            Complaint.community_id,
            Complaint.category,
            Complaint.submitted_at,
            HotlineCase.telephone_digest,
        )
        .join(HotlineCase, HotlineCase.complaint_id == Complaint.id)
        .where(HotlineCase.telephone_digest.is_not(None), Complaint.submitted_at >= since)
        .order_by(Complaint.id)
    )
    found = [
        {"complaint_id": row.id, "other_id": other, "suggested_at": now}
        for row in rows
        for other, submitted_at in ours.get((row.community_id, row.category, row.telephone_digest), ())
        if abs(submitted_at - row.submitted_at) <= NEAR and (row.id, other) not in decided
    ]
    if found:
        session.execute(insert(HotlineMatch), found)
    return len(found)


_Contacts = Mapping[tuple[int, str, str | None], Sequence[tuple[int, datetime]]]


def _contacts(session: Session, *, since: datetime, secret_key: str) -> _Contacts:
    """Return cases of other channels with their times, by community, category and the digest of the telephone."""
    found: defaultdict[tuple[int, str, str | None], list[tuple[int, datetime]]] = defaultdict(list)
    statement = (
        select(Complaint)
        .join(ComplaintContact, ComplaintContact.complaint_id == Complaint.id)
        .where(Complaint.channel != Channel.HOTLINE, Complaint.submitted_at >= since)
        .order_by(Complaint.id)
    )
    for complaint in session.scalars(statement):
        contact = read_contact(session, complaint=complaint, secret_key=secret_key) or ""
        digits = telephone_in(contact) or re.sub("[^0-9]", "", contact)
        if len(digits) >= _FEWEST_DIGITS:
            key = complaint.community_id, complaint.category, telephone_digest(digits, secret_key=secret_key)
            found[key].append((complaint.id, complaint.submitted_at))
    return found


def count_suggestions(session: Session) -> int:
    """Return how many pairs wait for a decision."""
    counting = select(func.count()).select_from(HotlineMatch).where(HotlineMatch.status == MatchStatus.SUGGESTED)
    return session.scalar(counting) or 0


def list_matches(session: Session, *, limit: int) -> Sequence[Match]:
    """Return the pairs that wait for a decision, the oldest first, with what residents wrote beside each other."""
    return list(_read_matches(session, limit=limit))


def _read_matches(session: Session, *, limit: int) -> Iterator[Match]:
    other = aliased(Complaint)
    rows = session.execute(
        select(HotlineMatch, Complaint, other, Community, HotlineCase.external_number)
        .join(Complaint, Complaint.id == HotlineMatch.complaint_id)
        .join(other, other.id == HotlineMatch.other_id)
        .join(Community, Community.id == Complaint.community_id)
        .join(HotlineCase, HotlineCase.complaint_id == Complaint.id)
        .where(HotlineMatch.status == MatchStatus.SUGGESTED)
        .order_by(HotlineMatch.id)
        .limit(limit)
    )
    zone = city_zone(session)
    for match, of_hotline, ours, community, number in rows:
        first, second = (
            MatchedCase(
                reference=case.reference,
                external_number=external,
                channel=case.channel,
                status=CaseStatus(case.status),
                submitted_at=case.submitted_at.astimezone(zone),
                text=case.text,
            )
            for case, external in ((of_hotline, number), (ours, None))
        )
        yield Match(
            id=match.id,
            community=Wording.of(community.name, community.english_name),
            category=category_of(of_hotline.category).name,
            of_hotline=first,
            other=second,
            status=MatchStatus(match.status),
            is_merged=match.is_merged,
        )


def decide_match(
    session: Session, *, match_id: int, is_same: bool, account_id: int, by: str, now: datetime
) -> HotlineMatch:
    """Note what a person decided of a pair; `NoSuchMatch` where it is decided already.

    Where both cases are open ours becomes a duplicate of the hotline's, which has a number and a time limit elsewhere;
    where one has ended both stay as they are, and the complaint rate counts them once.
    """
    match = session.get(HotlineMatch, match_id, with_for_update=True)
    if match is None or match.status != MatchStatus.SUGGESTED:
        raise NoSuchMatch
    of_hotline, ours = session.get_one(Complaint, match.complaint_id), session.get_one(Complaint, match.other_id)
    if is_same and of_hotline.status in OPEN and ours.status in OPEN:
        take_step(
            session,
            reference=ours.reference,
            action=CaseAction.MERGE,
            actor=CaseActor.BUREAU,
            by=by,
            account_id=account_id,
            reason=CaseEndReason.SAME_CASE,
            original=of_hotline.reference,
            now=now,
        )
        match.is_merged = True
    match.status = MatchStatus.CONFIRMED if is_same else MatchStatus.REJECTED
    match.account_id, match.decided_at = account_id, now
    session.flush()
    audit.record(
        session,
        by=by,
        action=AuditAction.HOTLINE_MATCH_DECIDED,
        subject=f"complaint:{ours.id}",
        after={"status": match.status, "of": of_hotline.id, "is_merged": match.is_merged},
        now=now,
    )
    return match
