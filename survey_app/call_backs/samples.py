"""Samples of closed cases: from which cases of a month is drawn, how many, and by which seed."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

import pandas as pd
from sqlalchemy import Select, func, select
from sqlalchemy.orm import Session

from analytics.canonical import canonical_json
from analytics.casework.call_backs import draw_sample, precise_size, shared_size, stratum_sizes
from analytics.languages import Wording
from survey_app import audit
from survey_app.accounts.scope import EVERYWHERE, Scope
from survey_app.city_time import Month, city_zone
from survey_app.complaints.cases import cases_in
from survey_app.complaints.casework_files import casework_file_at
from survey_app.complaints.casework_rules import CaseworkRules, SamplePrecision, casework_rules_of
from survey_app.complaints.contacts import cases_with_telephone
from survey_app.errors import JiayuanError
from survey_app.models import CallBack, CallBackSample, Complaint, ComplaintEvent, PropertyCompany
from survey_app.models.vocabulary import Area, AuditAction, CaseAction, CaseStatus, RecordedEnd
from survey_app.storage.advisory_locks import AdvisoryLock, lock_until_commit

# By what closes a case, how it is recorded to have ended.
_RECORDED: Mapping[str, RecordedEnd] = {
    CaseAction.CONFIRM: RecordedEnd.CONFIRMED,
    CaseAction.AUTO_CLOSE: RecordedEnd.SILENT,
}
# Stratum of the cases that the office dealt with itself; the others are those of companies, by their numbers.
_OWN = ""


class AlreadyDrawn(JiayuanError):
    """A sample of this month was drawn already, for this area or one that it shares communities with.

    A second draw would let an office draw until it likes what it gets, and have residents called twice.
    """

    status = 409

    def __init__(self, month: Month) -> None:
        super().__init__(f"a sample of {month} has been drawn")
        self.month = month


@dataclass(frozen=True)
class Stratum:
    """Cases of one company, or of the office itself where it has no name, and how many of them are drawn."""

    company: Wording | None
    cases: int
    fewest: int
    most: int


@dataclass(frozen=True)
class SamplePlan:
    """Plan of a sample: from which closed cases of a month is drawn, and how many.

    `closed` counts all of them; `listed` are those whose resident left a telephone number, each with its stratum and
    reference, and `recorded` says how each of them had ended. `casework_file_id` is the file by which the size follows.
    """

    month: Month
    casework_file_id: int
    rules: CaseworkRules
    closed: int
    listed: Sequence[tuple[str, str]]
    recorded: Mapping[str, tuple[int, RecordedEnd]]
    size: int
    strata: Sequence[Stratum]

    @property
    def without_telephone(self) -> int:
        """How many closed cases nobody can be called about."""
        return self.closed - len(self.listed)


def last_full_month(session: Session, *, now: datetime) -> Month:
    """Return the last month that is over: of one that runs, cases still close."""
    return Month.of(now.astimezone(city_zone(session)).date()).plus(-1)


def plan_sample(session: Session, *, month: Month, scope: Scope, secret_key: str, now: datetime) -> SamplePlan:
    """Return from which cases of a month, closed and not opened again since, a sample is drawn, and how many.

    The size follows the casework file that is in force now.
    """
    file = casework_file_at(session, now)
    rules = casework_rules_of(file.text)
    closed = _closed_cases(session, month, scope)
    rows = session.execute(closed.order_by(Complaint.reference)).all()
    can_be_called = cases_with_telephone(session, closed.with_only_columns(Complaint.id), secret_key=secret_key)
    ends = _ends(session, closed)
    called = [row for row in rows if row.id in can_be_called]
    listed = [(_OWN if row.company_id is None else str(row.company_id), row.reference) for row in called]
    size = _size(len(listed), rules)
    return SamplePlan(
        month=month,
        casework_file_id=file.id,
        rules=rules,
        closed=len(rows),
        listed=listed,
        recorded={row.reference: (row.id, ends[row.id]) for row in called},
        size=size,
        strata=_strata(session, listed, size),
    )


def draw(
    session: Session, plan: SamplePlan, *, district_id: int | None, seed: str, account_id: int, now: datetime
) -> CallBackSample:
    """Draw and store the sample that was planned, or raise `AlreadyDrawn`; no other seed can be tried afterwards."""
    lock_until_commit(session, AdvisoryLock.CALL_BACKS)
    if is_drawn(session, plan.month, district_id=district_id):
        raise AlreadyDrawn(plan.month)
    sample = CallBackSample(
        month=str(plan.month),
        district_id=district_id,
        casework_file_id=plan.casework_file_id,
        seed=seed,
        listed=canonical_json([list(case) for case in plan.listed]),
        size=plan.size,
        without_telephone=plan.without_telephone,
        account_id=account_id,
        drawn_at=now,
    )
    session.add(sample)
    session.flush()
    drawn = draw_sample(plan.listed, size=plan.size, seed=seed)
    session.add_all(
        CallBack(sample_id=sample.id, number=number, complaint_id=complaint_id, recorded=recorded)
        for number, (complaint_id, recorded) in enumerate((plan.recorded[reference] for reference in drawn), start=1)
    )
    session.flush()
    audit.record(
        session,
        by=audit.account_actor(account_id),
        action=AuditAction.CALL_BACKS_DRAWN,
        subject=f"call_backs:{sample.id}",
        after={"month": sample.month, "count": sample.size, "seed": seed},
        now=now,
    )
    return sample


def is_drawn(session: Session, month: Month, *, district_id: int | None) -> bool:
    """Return whether a sample of a month exists for a district or for the city; None asks for any."""
    drawn = select(func.count()).select_from(CallBackSample).where(CallBackSample.month == str(month))
    if district_id is not None:
        drawn = drawn.where(CallBackSample.district_id.is_(None) | (CallBackSample.district_id == district_id))
    return bool(session.scalar(drawn))


def listed_cases(sample: CallBackSample) -> Sequence[tuple[str, str]]:
    """Return stratum and reference of the cases from which a sample was drawn."""
    return [(stratum, reference) for stratum, reference in json.loads(sample.listed)]


def drawn_again(sample: CallBackSample) -> tuple[str, ...]:
    """Return the references that the stored seed draws from the stored list, in the order of the calls."""
    return draw_sample(listed_cases(sample), size=sample.size, seed=sample.seed)


def district_of(scope: Scope) -> int | None:
    """Return the district for which an account of a bureau draws; None for the city."""
    if scope == EVERYWHERE:
        return None
    assert scope.area is Area.DISTRICT
    [district_id] = scope.ids
    return district_id


def _closed_cases(session: Session, month: Month, scope: Scope) -> Select[int, str, int | None]:
    zone = city_zone(session)
    return (
        cases_in(scope)
        .where(
            Complaint.status == CaseStatus.CLOSED,
            Complaint.status_since >= month.start(zone),
            Complaint.status_since < month.plus(1).start(zone),
        )
        .with_only_columns(Complaint.id, Complaint.reference, Complaint.company_id)
    )


def _ends(session: Session, closed: Select[int, str, int | None]) -> Mapping[int, RecordedEnd]:
    """Return how each closed case is recorded to have ended: by its last event that closes a case."""
    of_closed = ComplaintEvent.complaint_id.in_(closed.with_only_columns(Complaint.id))
    statement = select(ComplaintEvent.complaint_id, ComplaintEvent.action).where(
        of_closed, ComplaintEvent.action.in_(sorted(_RECORDED))
    )
    rows = session.execute(statement.order_by(ComplaintEvent.number))
    return {complaint_id: _RECORDED[action] for complaint_id, action in rows}


def _size(number: int, rules: CaseworkRules) -> int:
    wanted = rules.call_backs
    if isinstance(wanted, SamplePrecision):
        return precise_size(number, margin=wanted.margin, confidence=wanted.confidence)
    return shared_size(number, share=wanted.share)


def _strata(session: Session, listed: Sequence[tuple[str, str]], size: int) -> list[Stratum]:
    """Return the strata by the names of the companies, the office's own cases last."""
    numbers = pd.Series([stratum for stratum, _reference in listed], dtype="object").value_counts()
    sizes = stratum_sizes(numbers, size)
    known = select(PropertyCompany).where(PropertyCompany.id.in_([int(key) for key in numbers.index if key != _OWN]))
    names = {
        str(company.id): Wording.of(company.name, company.english_name)
        for company in session.scalars(known.order_by(PropertyCompany.sort_key, PropertyCompany.id))
    }
    order = [*names, *(key for key in numbers.index if key == _OWN)]
    return [
        Stratum(names.get(key), int(numbers[key]), int(sizes.loc[key, "fewest"]), int(sizes.loc[key, "most"]))
        for key in order
    ]
