"""Accounts of the offices that look after a community: those to whom its cases can be given."""

from collections.abc import Sequence

from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from survey_app.models import Account, AccountCommunity, Community
from survey_app.models.vocabulary import Role

# The bureaus of the city and of the district: to them a case goes in stage 2.
BUREAU_ROLES = frozenset({Role.CITY, Role.DISTRICT})


def office_accounts(session: Session, community: Community) -> Sequence[Account]:
    """Return the accounts of city, district and clerks that see a community and are in use, by their names."""
    is_named = select(AccountCommunity.account_id).where(AccountCommunity.community_id == community.id)
    places = {
        Account.district_id: community.district_id,
        Account.subdistrict_id: community.subdistrict_id,
        Account.neighbourhood_id: community.neighbourhood_id,
    }
    # A part that the list of its district does not say is nobody's.
    of_places = (column == place_id for column, place_id in places.items() if place_id is not None)
    covers = or_(Account.role == Role.CITY, Account.id.in_(is_named), *of_places)
    of_offices = Account.role.in_([Role.CITY, Role.DISTRICT, Role.CLERK])
    statement = select(Account).where(of_offices, covers, Account.disabled_at.is_(None))
    return session.scalars(statement.order_by(Account.username)).all()
