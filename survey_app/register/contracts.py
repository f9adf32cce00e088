"""Contracts by date: which property company is in charge of a community on which day.

A community whose contracts nobody has recorded has the company of the register, on every day.
"""

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Final

from sqlalchemy import ColumnElement, ScalarSelect, Select, and_, case, exists, func, insert, not_, or_, select
from sqlalchemy.orm import Session, aliased, joinedload

from survey_app import audit
from survey_app.accounts.scope import Scope
from survey_app.models import Community, PropertyCompany, PropertyContract
from survey_app.models.vocabulary import AuditAction
from survey_app.storage.advisory_locks import AdvisoryLock, lock_until_commit

_ONE_DAY: Final = timedelta(days=1)
# Of communities in one statement.
_AT_ONCE: Final = 500


class LaterContractRecorded(ValueError):
    """A company cannot take over a community on a day on which, or before which, another is to do so."""

    def __init__(self, starts_on: date, company: str) -> None:
        super().__init__(f"{company} takes over on {starts_on}")
        self.starts_on = starts_on
        self.company = company


class AlreadyInCharge(ValueError):
    """A company is in charge of the community already, on the day on which it would take over."""


def is_in_force(day: date, contract: type[PropertyContract] = PropertyContract) -> ColumnElement[bool]:
    """Return the condition of a contract in force on a day."""
    return and_(
        or_(contract.starts_on.is_(None), contract.starts_on <= day),
        or_(contract.ends_on.is_(None), contract.ends_on >= day),
    )


def contracts_of(session: Session, community_id: int) -> Sequence[PropertyContract]:
    """Return the recorded contracts of a community, the earliest first."""
    statement = (
        select(PropertyContract).filter_by(community_id=community_id).options(joinedload(PropertyContract.company))
    )
    return session.scalars(
        statement.order_by(PropertyContract.starts_on.is_not(None), PropertyContract.starts_on)
    ).all()


@dataclass(frozen=True)
class CommunityContracts:
    """All recorded contracts of one community."""

    contracts: Sequence[PropertyContract]

    def names_on(self, day: date) -> tuple[str | None, str | None]:
        """Return the name and the English name of the company in charge on a day, or twice None where none was."""
        held = next((each.company for each in self.contracts if _is_within(each, day)), None)
        return (None, None) if held is None else (held.name, held.english_name)


def recorded_contracts(session: Session, scope: Scope) -> Mapping[str, CommunityContracts]:
    """Return the contracts of the communities in scope that have any recorded, by the number of the community."""
    statement = select(Community.number, PropertyContract).join(
        PropertyContract, PropertyContract.community_id == Community.id
    )
    of_communities: defaultdict[str, list[PropertyContract]] = defaultdict(list)
    for number, contract in session.execute(scope.communities(statement).options(joinedload(PropertyContract.company))):
        of_communities[number].append(contract)
    return {number: CommunityContracts(contracts) for number, contracts in of_communities.items()}


def company_in_charge(session: Session, community: Community, day: date) -> PropertyCompany | None:
    """Return the company in charge of a community on a day, or None where none was."""
    contracts = contracts_of(session, community.id)
    if not contracts:
        return community.company
    return next((contract.company for contract in contracts if _is_within(contract, day)), None)


def is_in_charge(day: date, *, company_id: int) -> ColumnElement[bool]:
    """Return the condition of a community of which a company is in charge on a day."""
    own = PropertyContract.community_id == Community.id
    return or_(
        exists().where(own, PropertyContract.company_id == company_id, is_in_force(day)),
        and_(Community.company_id == company_id, not_(exists().where(own))),
    )


def company_id_on(day: date) -> ColumnElement[int | None]:
    """Return the expression of the company in charge of a community on a day, NULL where none was."""
    is_recorded = exists().where(PropertyContract.community_id == Community.id)
    return case((is_recorded, _company_in_force(day)), else_=Community.company_id)


def last_day_in_charge(session: Session, *, community_id: int, company_id: int) -> date | None:
    """Return the last day of a company's last contract with a community, None where no end is recorded."""
    ends = [each.ends_on for each in contracts_of(session, community_id) if each.company_id == company_id]
    return None if None in ends else max((day for day in ends if day is not None), default=None)


def take_over(
    session: Session,
    community: Community,
    company: PropertyCompany | None,
    *,
    starts_on: date,
    today: date,
    by: str,
    now: datetime,
) -> None:
    """Record that a company takes over a community on a day, or that none does; the contract before ends then.

    Raises `LaterContractRecorded` where another company takes over on that day or later, and `AlreadyInCharge` where
    nothing would change.
    """
    lock_until_commit(session, AdvisoryLock.REGISTER)
    session.refresh(community)
    keep_companies(session, [community.id])
    former = _former_company(session, community, company, starts_on=starts_on)
    for contract in contracts_of(session, community.id):
        if _is_within(contract, starts_on):
            contract.ends_on = starts_on - _ONE_DAY
    if company is not None:
        session.add(PropertyContract(community_id=community.id, company_id=company.id, starts_on=starts_on))
    audit.record(
        session,
        by=by,
        action=AuditAction.CONTRACT_RECORDED,
        subject=f"community:{community.number}",
        before={"company": _name_of(former)},
        after={"company": _name_of(company), "starts_on": starts_on.isoformat()},
        now=now,
    )
    session.flush()
    follow_contracts(session, today=today, by=by, now=now)


def withdraw_contract(
    session: Session, community: Community, contract_id: int | None, *, today: date, by: str, now: datetime
) -> bool:
    """Take back a contract that has not begun, so that the one before it goes on; return False where it has begun."""
    lock_until_commit(session, AdvisoryLock.REGISTER)
    recorded = contracts_of(session, community.id)
    withdrawn = next((each for each in recorded if each.id == contract_id), None)
    if withdrawn is None or withdrawn.starts_on is None or withdrawn.starts_on <= today:
        return False
    before = next((each for each in recorded if each.ends_on == withdrawn.starts_on - _ONE_DAY), None)
    if before is not None:
        before.ends_on = withdrawn.ends_on
    audit.record(
        session,
        by=by,
        action=AuditAction.CONTRACT_WITHDRAWN,
        subject=f"community:{community.number}",
        before={"company": withdrawn.company.name, "starts_on": withdrawn.starts_on.isoformat()},
        now=now,
    )
    session.delete(withdrawn)
    session.flush()
    return True


def is_change_due(session: Session, *, today: date) -> bool:
    """Return whether a community has another company than its contracts say for today."""
    return session.execute(_select_changes(today).limit(1)).first() is not None


def follow_contracts(session: Session, *, today: date, by: str, now: datetime) -> int:
    """Give each community with recorded contracts the company in charge today, and return how many changed."""
    changed = session.execute(_select_changes(today)).all()
    for community, company_id in changed:
        former, community.company_id = community.company, company_id
        session.flush()
        session.expire(community, ["company"])
        audit.record(
            session,
            by=by,
            action=AuditAction.COMPANY_CHANGED,
            subject=f"community:{community.number}",
            before={"company": _name_of(former)},
            after={"company": _name_of(community.company)},
            now=now,
        )
    return len(changed)


def _select_changes(today: date) -> Select[Community, int | None]:
    """Return a select over the communities whose company is not that of their contracts, with the one that is."""
    in_charge = _company_in_force(today)
    is_recorded = exists().where(PropertyContract.community_id == Community.id)
    return select(Community, in_charge).where(is_recorded, Community.company_id.is_distinct_from(in_charge))


def _company_in_force(day: date) -> ScalarSelect[int]:
    """Return the company of the recorded contract of a community that is in force on a day."""
    own = PropertyContract.community_id == Community.id
    return select(PropertyContract.company_id).where(own, is_in_force(day)).correlate(Community).scalar_subquery()


def keep_companies(session: Session, community_ids: Collection[int]) -> None:
    """Record the companies of the register as in charge so far, where no contract is recorded, before they change."""
    recorded, ids = exists().where(PropertyContract.community_id == Community.id), sorted(community_ids)
    for start in range(0, len(ids), _AT_ONCE):
        unrecorded = select(Community.id, Community.company_id).where(
            Community.id.in_(ids[start : start + _AT_ONCE]), Community.company_id.is_not(None), not_(recorded)
        )
        session.execute(insert(PropertyContract).from_select(["community_id", "company_id"], unrecorded))


def record_listed_companies(session: Session, *, today: date) -> None:
    """Record the companies that a list has just named as in charge from today on; what begins later stands."""
    own, current = PropertyContract.community_id == Community.id, aliased(PropertyContract)
    in_force = and_(current.community_id == Community.id, is_in_force(today, current))
    next_start = (
        select(func.min(PropertyContract.starts_on)).where(own, PropertyContract.starts_on > today).scalar_subquery()
    )
    changed = session.execute(
        select(Community.id, Community.company_id, current, next_start)
        .outerjoin(current, in_force)
        .where(exists().where(own), Community.company_id.is_distinct_from(current.company_id))
    ).all()
    for community_id, company_id, contract, later in changed:
        if contract is not None and contract.starts_on == today:
            # It was in force for no whole day: the list says who really began.
            session.delete(contract)
        elif contract is not None:
            contract.ends_on = today - _ONE_DAY
        if company_id is not None:
            ends_on = None if later is None else later - _ONE_DAY
            session.add(
                PropertyContract(community_id=community_id, company_id=company_id, starts_on=today, ends_on=ends_on)
            )
    session.flush()


def _former_company(
    session: Session, community: Community, company: PropertyCompany | None, *, starts_on: date
) -> PropertyCompany | None:
    """Return the company that another follows on a day, unless nothing would change or a later change is recorded."""
    for contract in contracts_of(session, community.id):
        if contract.starts_on is not None and contract.starts_on >= starts_on:
            raise LaterContractRecorded(contract.starts_on, contract.company.name)
    former = company_in_charge(session, community, starts_on)
    if former is company:
        raise AlreadyInCharge
    return former


def _name_of(company: PropertyCompany | None) -> str | None:
    return None if company is None else company.name


def _is_within(contract: PropertyContract, day: date) -> bool:
    return (contract.starts_on or date.min) <= day <= (contract.ends_on or date.max)
