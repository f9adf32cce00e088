"""Similar cases: open ones of a community about the same thing, and neighbours who support one (“me too”)."""

from dataclasses import dataclass
from datetime import date, datetime, timedelta, tzinfo
from typing import cast

from sqlalchemy import Table, func, select
from sqlalchemy.orm import Session

from survey_app.accounts.attempt_budgets import Budget
from survey_app.accounts.attempt_limits import Source, take_turn
from survey_app.complaints.cases import count_supporters, find_complaint
from survey_app.complaints.categories import categories, category_of
from survey_app.complaints.redaction import redact
from survey_app.complaints.state_machine import OPEN
from survey_app.errors import UnknownNumber
from survey_app.models import Complaint, ComplaintSupport
from survey_app.security.digests import keyed_digest
from survey_app.security.submission_keys import SubmissionKey
from survey_app.storage.insert_once import insert_once

RECENT = timedelta(days=30)
MOST_SHOWN = 5
LONGEST_DEVICE = 64
# What a phone calls itself it may change. So of one case a line supports as many a day as a household has phones, and
# a carrier's gateway as many again from its other lines.
_LINE = Budget(free=4, step=timedelta(hours=6), longest=timedelta(hours=6), forgiven_each=timedelta(hours=6))
_PREFIX = Budget(free=40, step=timedelta(hours=1), longest=timedelta(hours=1), forgiven_each=timedelta(hours=1))


@dataclass(frozen=True)
class SimilarCase:
    """Summary of a similar case for a neighbour: what it is about, where and when, and never the words."""

    reference: str
    place: str
    submitted_on: date
    supporters: int


@dataclass(frozen=True)
class Support:
    """How many neighbours support a case, and whether the one who asks is among them."""

    supporters: int
    is_counted: bool


def similar_cases(
    session: Session, *, community_id: int, category: str, zone: tzinfo, now: datetime
) -> list[SimilarCase]:
    """Return the open cases of the last days about the same thing, newest first.

    Never those that bypass the company, such as about retaliation: whoever complains of that is not to be found.
    """
    found = categories().by_code.get(category)
    if found is None or found.bypasses_company:
        return []
    supporters = (
        select(func.count())
        .select_from(ComplaintSupport)
        .where(ComplaintSupport.complaint_id == Complaint.id)
        .scalar_subquery()
    )
    statement = (
        select(Complaint.reference, Complaint.place, Complaint.submitted_at, supporters)
        .where(
            Complaint.community_id == community_id,
            Complaint.category == category,
            Complaint.status.in_(sorted(OPEN)),
            Complaint.submitted_at > now - RECENT,
        )
        .order_by(Complaint.submitted_at.desc())
        .limit(MOST_SHOWN)
    )
    return [
        SimilarCase(reference, redact(place), submitted_at.astimezone(zone).date(), count)
        for reference, place, submitted_at, count in session.execute(statement)
    ]


def support_case(
    session: Session,
    *,
    reference: str,
    community_id: int,
    key: SubmissionKey,
    device: str,
    source: Source,
    secret_key: str,
    now: datetime,
) -> Support:
    """Record that a neighbour has the same trouble, once for a device or a form, and so many a day from one line.

    `device` is a random text that the page keeps on the phone; without JavaScript it is empty.
    """
    complaint = find_complaint(session, reference=reference)
    if complaint.community_id != community_id or category_of(complaint.category).bypasses_company:
        raise UnknownNumber
    # Another digest in every case: nobody can tell that one device supported two.
    who = device[:LONGEST_DEVICE] or key.value
    supporter = keyed_digest(f"{reference} {who}", purpose="supporter", secret_key=secret_key)
    known = select(ComplaintSupport.id).filter_by(complaint_id=complaint.id, supporter=supporter)
    is_counted = session.scalar(known) is not None
    if not is_counted and _take_turn(session, reference, source, secret_key, now):
        values = {"complaint_id": complaint.id, "supporter": supporter, "added_at": now}
        insert_once(session, cast(Table, ComplaintSupport.__table__), values)
        is_counted = True
    return Support(count_supporters(session, complaint_id=complaint.id), is_counted)


def _take_turn(session: Session, reference: str, source: Source, secret_key: str, now: datetime) -> bool:
    budgets = {f"line {reference} {source.line}": _LINE}
    if source.prefix is not None:
        budgets[f"prefix {reference} {source.prefix}"] = _PREFIX
    return take_turn(session, action="support", budgets=budgets, secret_key=secret_key, now=now)
