"""Choice of a district, a subdistrict or a neighbourhood: the options of a select, and what was chosen in it."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from operator import itemgetter
from types import MappingProxyType

from sqlalchemy import select
from sqlalchemy.orm import Session

from analytics.languages import Wording
from survey_app.accounts.scope import EVERYWHERE, Scope
from survey_app.models import District, Neighbourhood, Subdistrict
from survey_app.models.vocabulary import Area

Place = District | Subdistrict | Neighbourhood


_TABLES: Mapping[str, type[Place]] = MappingProxyType(
    {Area.DISTRICT: District, Area.SUBDISTRICT: Subdistrict, Area.NEIGHBOURHOOD: Neighbourhood}
)
_KINDS = {table: kind for kind, table in _TABLES.items()}
# A larger number is none that a database has given.
_LONGEST_ID = 9
# How deep the parts of a scope begin: of the city with its districts.
_FIRST_DEPTH = MappingProxyType({Area.CITY: 0, Area.DISTRICT: 1, Area.SUBDISTRICT: 2})


class UnknownPlace(LookupError):
    """A form names a place that does not exist, or that is not in the scope of the account."""


@dataclass(frozen=True)
class OfferedPlace:
    """Place that can be chosen: the value of its option, its name, and how deep it lies within its district."""

    value: str
    name: Wording
    depth: int


@dataclass(frozen=True)
class OfferedDistrict:
    """District with the places in it that can be chosen, each followed by those within it."""

    name: Wording
    places: Sequence[OfferedPlace]


def offered_places(session: Session, scope: Scope = EVERYWHERE) -> list[OfferedDistrict]:
    """Return the places that are parts of a scope, by district; communities named one by one have none."""
    return [
        OfferedDistrict(
            Wording.of(district.name, district.english_name),
            [
                OfferedPlace(option_value(place), Wording.of(place.name, place.english_name), depth)
                for _, place, depth in within
            ],
        )
        for district, within in groupby(_places_within(session, scope), key=itemgetter(0))
    ]


def option_value(place: Place) -> str:
    """Return the value of the option of a place."""
    return f"{_KINDS[type(place)]}:{place.id}"


def find_place(session: Session, chosen: str) -> Place | None:
    """Return the place whose option was chosen, None where none was; `UnknownPlace` for a value of no place."""
    if not chosen:
        return None
    kind, _colon, number = chosen.partition(":")
    if kind not in _TABLES or not (number.isascii() and number.isdigit() and len(number) <= _LONGEST_ID):
        raise UnknownPlace
    place: Place | None = session.get(_TABLES[kind], int(number))  # type: ignore[assignment]  # one of the tables
    if place is None:
        raise UnknownPlace
    return place


def chosen_scope(session: Session, chosen: str, scope: Scope) -> Scope:
    """Return a scope narrowed to the place that was chosen; the scope itself where none was; `UnknownPlace` else."""
    place = find_place(session, chosen)
    if place is None:
        return scope
    if place not in [within for _district, within, _depth in _places_within(session, scope)]:
        raise UnknownPlace
    return scope_of_place(place)


def scope_of_place(place: Place) -> Scope:
    """Return the scope of the communities of a place."""
    return Scope(Area(_KINDS[type(place)]), (place.id,))


def _places_within(session: Session, scope: Scope) -> Iterator[tuple[District, Place, int]]:
    """Yield the parts of a scope, each with its district and its depth, in the order in which lists name them."""
    if scope.area not in _FIRST_DEPTH:
        return
    statement = (
        select(District, Subdistrict, Neighbourhood)
        .outerjoin(Subdistrict, Subdistrict.district_id == District.id)
        .outerjoin(Neighbourhood, Neighbourhood.subdistrict_id == Subdistrict.id)
        .order_by(
            District.sort_key,
            District.id,
            Subdistrict.sort_key,
            Subdistrict.id,
            Neighbourhood.sort_key,
            Neighbourhood.id,
        )
    )
    if not scope.is_city:
        table = District if scope.area is Area.DISTRICT else Subdistrict
        statement = statement.where(table.id.in_(scope.ids))
    first = _FIRST_DEPTH[scope.area]
    seen: set[Place] = set()
    for row in session.execute(statement):
        for depth, place in enumerate(row[first:], first):
            if place is not None and place not in seen:
                seen.add(place)
                yield row[0], place, depth
