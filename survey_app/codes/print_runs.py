"""Print runs of a district: its posters and its household slips, one file after the other."""

from collections.abc import Callable, Generator, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from functools import partial

from sqlalchemy import func, select
from sqlalchemy.orm import Session, joinedload

from analytics.languages import Wording
from survey_app.accounts.scope import Scope
from survey_app.city_time import last_day, zone_of
from survey_app.codes.codes import (
    SlipSheet,
    has_poster_code,
    is_usable_poster_code,
    issue_slips,
    new_slips,
    spoil_batch,
)
from survey_app.codes.posters import Poster, poster_pdf, poster_words
from survey_app.codes.slip_sheets import SLIPS_PER_VOLUME, Slip, SlipSheetText, slip_volumes, slip_words
from survey_app.errors import JiayuanError
from survey_app.models import Code, Community, District, Round, SlipBatch
from survey_app.printing.typefaces import Typefaces, texts_in
from survey_app.printing.zip_stream import file_name
from survey_app.storage.database import Database


class NothingToPrint(JiayuanError):
    """No community that was asked for has what is needed to print."""

    status = 409
    page = "errors/nothing_to_print.html"


@dataclass(frozen=True)
class NamedPoster:
    """Poster and the name of its file."""

    path: str
    community_id: int
    poster: Poster


@dataclass(frozen=True)
class SlipOrder:
    """Order of slips: how many to issue for one community."""

    community_id: int
    path: str
    whose: SlipSheetText
    count: int

    @property
    def volumes(self) -> int:
        """Number of files in which the slips come."""
        return -(-self.count // SLIPS_PER_VOLUME)


FilesOfSheet = Callable[[SlipSheet, SlipOrder], Iterator[tuple[str, bytes]]]
"""Makes the files on which the slips of one community are printed, with their names."""


@dataclass(frozen=True)
class PrintableCounts:
    """Numbers of communities, of those with a poster code and with known households, and of these households."""

    communities: int
    with_code: int
    with_households: int
    households: int


def count_printable(session: Session, *, scope: Scope) -> PrintableCounts:
    """Count what posters and slips can be printed for in scope."""
    statement = select(
        func.count(),
        func.count().filter(has_poster_code()),
        func.count(Community.households_delivered),
        func.sum(Community.households_delivered),
    )
    counted = session.execute(scope.communities(statement.select_from(Community))).one()
    communities, with_code, with_households, households = counted
    return PrintableCounts(communities, with_code, with_households, households or 0)


def posters_to_print(session: Session, *, scope: Scope, public_url: str, now: datetime) -> list[NamedPoster]:
    """Return a poster for each usable poster code in scope, for the round that is open or comes next."""
    survey_round = current_round(session, now=now)
    of_round = _round_facts(survey_round) if survey_round and survey_round.accepts_posters else (None, None, None)
    statement = (
        select(Code, Community, District)
        .join(Code.community)
        .join(Community.district)
        .where(is_usable_poster_code())
        .order_by(District.sort_key, Community.sort_key, Code.id)
    )
    rows = session.execute(scope.communities(statement)).all()
    if not rows:
        raise NothingToPrint("no community here has a poster code yet: run `jiayuan codes issue`")
    return [_named_poster(*row, of_round, public_url) for row in rows]


def current_round(session: Session, *, now: datetime) -> Round | None:
    """Return the round that is open, or else the next one."""
    statement = select(Round).options(joinedload(Round.rule_file)).where(Round.closes_at > now)
    return session.scalar(statement.order_by(Round.opens_at).limit(1))


def print_posters(
    posters: Iterable[NamedPoster], *, language: str, typefaces: Typefaces, now: datetime
) -> Iterator[tuple[str, bytes]]:
    """Yield each poster's file as it is made."""
    for named in posters:
        yield named.path, poster_pdf(named.poster, language=language, typefaces=typefaces, now=now)


@dataclass(frozen=True)
class MissingCharacters:
    """Characters in the words for one community that no typeface of this machine holds."""

    community: str
    characters: tuple[str, ...]

    @property
    def named(self) -> str:
        """The characters with their numbers, since a screen may not show them either."""
        return ", ".join(f"{character} (U+{ord(character):04X})" for character in self.characters)


def missing_on_posters(
    posters: Iterable[NamedPoster], *, language: str, typefaces: Typefaces
) -> list[MissingCharacters]:
    """Return what will be substituted on which posters, to be told before somebody hangs them up."""
    words = ((named.poster.community, poster_words(named.poster, language)) for named in posters)
    return missing_characters(words, typefaces)


def missing_on_slips(
    orders: Iterable[SlipOrder], *, public_url: str, language: str, typefaces: Typefaces
) -> list[MissingCharacters]:
    """Return what will be substituted on the slips of which communities."""
    words = ((order.whose.community, slip_words(order.whose, public_url, 1, language)) for order in orders)
    return missing_characters(words, typefaces)


def missing_characters(
    words: Iterable[tuple[Wording, Mapping[str, object]]], typefaces: Typefaces
) -> list[MissingCharacters]:
    """Return what will be substituted in the words for which communities."""
    found = ((community.zh_hans, typefaces.missing(texts_in(each))) for community, each in words)
    return [MissingCharacters(community, characters) for community, characters in found if characters]


def slips_to_issue(
    session: Session, *, survey_round: Round, scope: Scope, counts: Mapping[int, int] | None = None
) -> list[SlipOrder]:
    """Return an order for each community in scope: `counts` by community, or one slip for every household delivered.

    A community whose households nobody has counted is left out where no count is given: none is made up.
    """
    orders = []
    for community in communities_in_order(session, scope=scope):
        count = community.households_delivered if counts is None else counts.get(community.id)
        if count:
            whose = sheet_text(community, survey_round)
            orders.append(SlipOrder(community.id, path_of_files(community), whose, count))
    if not orders:
        raise NothingToPrint("no community here has a known number of households")
    return orders


def communities_in_order(session: Session, *, scope: Scope) -> Iterable[Community]:
    """Return the communities in scope by district, as their files are printed."""
    statement = select(Community).join(Community.district).options(joinedload(Community.district))
    return session.scalars(scope.communities(statement).order_by(District.sort_key, Community.sort_key, Community.id))


def path_of_files(community: Community) -> str:
    """Return how the paths of the files of one community begin."""
    return f"{file_name(community.district.name)}/{file_name(community.name, community.number)}"


def sheet_text(community: Community, survey_round: Round) -> SlipSheetText:
    """Return what all slips of one community in a round say."""
    return SlipSheetText(
        community=Wording.of(community.name, community.english_name),
        building=None,
        district=Wording.of(community.district.name, community.district.english_name),
        telephone=community.district.telephone,
        last_day=last_day(survey_round.closes_at, zone_of(survey_round.rule_file.content)),
    )


def print_slips(
    database: Database,
    orders: Sequence[SlipOrder],
    *,
    round_id: int,
    files_of: FilesOfSheet,
    secret_key: str,
    now: datetime,
    by: int | None = None,
    is_reprint: bool = False,
) -> Generator[tuple[str, bytes]]:
    """Issue the slips of one community after the other and yield the files on which they are printed.

    The slips are stored before their file is made: a slip that was handed out must be known. Those whose files were
    not taken, since the printing failed or nobody waited for it, are spoiled.
    """
    for order in orders:
        new = new_slips(order.count, secret_key=secret_key)
        with database.writing() as session:
            sheet = issue_slips(
                session,
                survey_round=session.get_one(Round, round_id),
                community=session.get_one(Community, order.community_id),
                new=new,
                now=now,
                by=by,
                is_reprint=is_reprint,
            )
        is_taken = False
        try:
            yield from files_of(sheet, order)
            is_taken = True
        finally:
            if not is_taken:
                with database.writing() as session:
                    spoil_batch(session, batch=session.get_one(SlipBatch, sheet.batch_id), now=now, by=by)


def printed_slips(sheet: SlipSheet, *, public_url: str) -> list[Slip]:
    """Return what is printed of each slip."""
    return [Slip(f"{public_url}/h/{slip.token}", slip.digits) for slip in sheet.slips]


def files_of_sheets(*, public_url: str, language: str, typefaces: Typefaces, now: datetime) -> FilesOfSheet:
    """Return what prints slips on sheets to be cut apart."""
    return partial(_sheet_files, public_url=public_url, language=language, typefaces=typefaces, now=now)


def _sheet_files(
    sheet: SlipSheet, order: SlipOrder, *, public_url: str, language: str, typefaces: Typefaces, now: datetime
) -> Iterator[tuple[str, bytes]]:
    slips = printed_slips(sheet, public_url=public_url)
    volumes = slip_volumes(slips, order.whose, language=language, typefaces=typefaces, now=now)
    for number, volume in enumerate(volumes, 1):
        yield f"{order.path}-{sheet.batch_id}-{number}.pdf", volume


_RoundFacts = tuple[Round | None, date | None, date | None]


def _round_facts(survey_round: Round) -> _RoundFacts:
    zone = zone_of(survey_round.rule_file.content)
    return survey_round, survey_round.opens_at.astimezone(zone).date(), last_day(survey_round.closes_at, zone)


def _named_poster(
    code: Code, community: Community, district: District, of_round: _RoundFacts, public_url: str
) -> NamedPoster:
    survey_round, first_day, final_day = of_round
    assert code.token is not None  # poster codes have one
    poster = Poster(
        community=Wording.of(community.name, community.english_name),
        building=code.building,
        district=Wording.of(district.name, district.english_name),
        telephone=district.telephone,
        round=Wording.of(survey_round.name, survey_round.english_name) if survey_round else None,
        first_day=first_day,
        last_day=final_day,
        address=f"{public_url}/s/{code.token}",
        typed_code=code.token,
        second_language_line=community.second_language_line or district.second_language_line,
    )
    # A community may have several codes; four digits of them can be the same.
    name = file_name(community.name, community.number, code.building, code.token)
    return NamedPoster(f"{file_name(district.name)}/{name}.pdf", community.id, poster)
