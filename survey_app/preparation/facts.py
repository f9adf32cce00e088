"""Facts of an installation that tell what is prepared, read in this one place."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy import ColumnElement, Row, Select, and_, false, func, select
from sqlalchemy.orm import Session

from analytics.disclosure.rules import rules_in_force
from analytics.files.yaml_documents import DocumentError
from analytics.languages import Wording
from survey_app.accounts.scope import Scope
from survey_app.city_time import local_today
from survey_app.codes.codes import has_poster_code, is_usable_poster_code
from survey_app.codes.poster_prints import PrintedUpTo, posters_printed
from survey_app.complaints.calendars import calendar
from survey_app.complaints.categories import categories
from survey_app.models import Account, Code, Community, District, Questionnaire, Round, RuleFile, SlipBatch
from survey_app.models.vocabulary import SECOND_PERSON_ROLES, Area, Role
from survey_app.printing.typefaces import ChineseTypefaceMissing, installed_typefaces
from survey_app.rounds.privacy_promises import promises


@dataclass(frozen=True)
class CommunityFacts:
    """Numbers of communities in scope, and of those that lack something."""

    total: int
    without_households: int
    without_code: int
    # With a code that was issued, or an address of the site that was changed, since their posters were printed; None
    # where no round that is open or comes next accepts posters.
    without_poster: int | None
    # Of those with households, in the round that is open or comes next.
    without_slips: int


@dataclass(frozen=True)
class DistrictFacts:
    """Names of the districts in scope that lack something."""

    without_telephone: tuple[Wording, ...]
    without_account: tuple[Wording, ...]
    without_clerk: tuple[Wording, ...]


@dataclass(frozen=True)
class RoundFacts:
    """The round that is open or comes next."""

    name: str
    accepts_posters: bool
    accepts_households: bool


@dataclass(frozen=True)
class Facts:
    """What is there of all that an installation needs before residents can answer."""

    today: date
    questionnaire: str | None
    has_rules: bool
    has_disclosure_rules: bool
    has_privacy_notice: bool
    has_categories: bool
    calendar_years: frozenset[int]
    communities: CommunityFacts
    districts: DistrictFacts
    has_city_account: bool
    # Accounts in force of the city and of administrators: two of them reset each other.
    second_persons: int
    public_url: str
    has_typeface: bool
    coming_round: RoundFacts | None
    # Whether residents could answer in any round before.
    has_opened: bool


def read_facts(session: Session, *, scope: Scope, public_url: str, now: datetime) -> Facts:
    """Return what is prepared in scope."""
    today = local_today(session, now=now)
    coming = session.scalar(select(Round).where(Round.closes_at > now).order_by(Round.opens_at).limit(1))
    newest = session.scalar(select(Questionnaire).order_by(Questionnaire.id.desc()).limit(1))
    deciding = _accounts_in_force(session, SECOND_PERSON_ROLES)
    return Facts(
        today=today,
        questionnaire=None if newest is None else f"{newest.key}:{newest.version}",
        has_rules=session.scalar(select(RuleFile.id).limit(1)) is not None,
        has_disclosure_rules=_can_be_read(lambda: rules_in_force(today)),
        has_privacy_notice=_can_be_read(promises),
        has_categories=_can_be_read(categories),
        calendar_years=calendar(session).years,
        communities=_read_communities(session, scope, coming, public_url),
        districts=_read_districts(session, scope),
        has_city_account=any(account.role == Role.CITY for account in deciding),
        second_persons=len(deciding),
        public_url=public_url,
        has_typeface=_has_typeface(),
        coming_round=None
        if coming is None
        else RoundFacts(coming.name, coming.accepts_posters, coming.accepts_households),
        has_opened=session.scalar(select(Round.id).where(Round.opens_at <= now).limit(1)) is not None,
    )


def _can_be_read(read: Callable[[], object]) -> bool:
    """Return whether a file that comes with the program is there and has no fault."""
    try:
        read()
    except (OSError, DocumentError, LookupError):
        return False
    return True


def _has_typeface() -> bool:
    try:
        installed_typefaces()
    except ChineseTypefaceMissing:
        return False
    return True


def _read_communities(session: Session, scope: Scope, coming: Round | None, public_url: str) -> CommunityFacts:
    households = func.coalesce(Community.households_occupied, Community.households_delivered)
    counted = select(
        func.count(),
        func.count().filter(households.is_(None)),
        func.count().filter(~has_poster_code()),
        func.count().filter(Community.households_delivered > 0, ~_has_slips(coming)),
    )
    total, unknown, without_code, without_slips = session.execute(
        scope.communities(counted.select_from(Community))
    ).one()
    needs_posters = coming is not None and coming.accepts_posters
    return CommunityFacts(
        total=total,
        without_households=unknown,
        without_code=without_code,
        without_poster=_count_without_poster(session, scope, public_url) if needs_posters else None,
        without_slips=without_slips,
    )


def _count_without_poster(session: Session, scope: Scope, public_url: str) -> int:
    printed = posters_printed(session, public_url=public_url)
    codes = session.execute(scope.communities(_codes_not_printed(printed)))
    return len({code.community_id for code in codes if not _is_printed(code, printed)})


def _has_slips(coming: Round | None) -> ColumnElement[bool]:
    """Return the condition that slips which can still be used were issued to a `Community` for a round."""
    if coming is None:
        return false()
    issued = select(Code.id).join(SlipBatch, Code.batch_id == SlipBatch.id)
    of_round = (SlipBatch.round_id == coming.id) & (SlipBatch.community_id == Community.id)
    return issued.where(of_round, Code.revoked_at.is_(None)).exists()


_PlacedCode = Row[int, datetime, int, int | None, int | None]


def _codes_not_printed(printed: PrintedUpTo) -> Select[int, datetime, int, int | None, int | None]:
    """Return a select of the poster codes that no print run of the whole city has had, and where they are."""
    statement = select(
        Code.community_id,
        Code.issued_at,
        Community.district_id,
        Community.subdistrict_id,
        Community.neighbourhood_id,
    ).join(Community, Code.community_id == Community.id)
    statement = statement.where(is_usable_poster_code())
    of_city = printed.get((Area.CITY, None))
    return statement if of_city is None else statement.where(Code.issued_at > of_city)


def _is_printed(code: _PlacedCode, printed: PrintedUpTo) -> bool:
    """Return whether a print run of a place had the code."""
    places = (
        (Area.DISTRICT, code.district_id),
        (Area.SUBDISTRICT, code.subdistrict_id),
        (Area.NEIGHBOURHOOD, code.neighbourhood_id),
        (Area.COMMUNITY, code.community_id),
    )
    return any(code.issued_at <= printed[place] for place in places if place in printed)


def _read_districts(session: Session, scope: Scope) -> DistrictFacts:
    statement = select(District).join(Community, Community.district_id == District.id).distinct()
    districts = session.scalars(scope.communities(statement).order_by(District.sort_key)).all()
    with_account = {account.district_id for account in _accounts_in_force(session, {Role.DISTRICT})}
    clerks = _accounts_in_force(session, {Role.CLERK})
    with_clerk = {district_id for clerk in clerks for district_id in _districts_of(clerk)}
    return DistrictFacts(
        without_telephone=_names(each for each in districts if each.telephone is None),
        without_account=_names(each for each in districts if each.id not in with_account),
        without_clerk=_names(each for each in districts if each.id not in with_clerk),
    )


def _districts_of(account: Account) -> set[int]:
    """Return the ids of the districts in which the places or communities of an account lie."""
    if account.subdistrict is not None:
        return {account.subdistrict.district_id}
    if account.neighbourhood is not None:
        return {account.neighbourhood.subdistrict.district_id}
    listed = {community.district_id for community in account.communities}
    return listed if account.district_id is None else listed | {account.district_id}


def _names(districts: Iterable[District]) -> tuple[Wording, ...]:
    return tuple(Wording.of(each.name, each.english_name) for each in districts)


def _accounts_in_force(session: Session, roles: Iterable[Role]) -> list[Account]:
    """Return the accounts of some roles that have linked an authenticator and are not disabled."""
    in_force = and_(Account.role.in_(roles), Account.in_force_since.is_not(None), Account.disabled_at.is_(None))
    return list(session.scalars(select(Account).where(in_force)))
