"""Which communities an account may see, as a condition on a select."""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, TypeVar

from sqlalchemy import ColumnElement, Select, false
from sqlalchemy.orm import InstrumentedAttribute

from survey_app.models import Community
from survey_app.models.vocabulary import Area

_Statement = TypeVar("_Statement", bound=Select[*tuple[Any, ...]])

_COLUMN_OF_AREA: Mapping[Area, InstrumentedAttribute[Any]] = MappingProxyType(
    {
        Area.DISTRICT: Community.district_id,
        Area.SUBDISTRICT: Community.subdistrict_id,
        Area.NEIGHBOURHOOD: Community.neighbourhood_id,
        Area.COMPANY: Community.company_id,
        Area.COMMUNITY: Community.id,
    }
)


@dataclass(frozen=True)
class Scope:
    """The communities an account may see: those of a place, those that are named one by one, all, or none.

    `ids` are of the places or of the communities. They are part of what a scope is: what was kept for it is not shown
    to an account that is bound to others since.
    """

    area: Area
    ids: tuple[int, ...] = ()

    @property
    def is_city(self) -> bool:
        """Whether every community is in it."""
        return self.area is Area.CITY

    def communities(self, statement: _Statement) -> _Statement:
        """Narrow a select over communities, or over what is joined to them, to this scope.

        Every query of staff pages, exports and dashboards comes through here.
        """
        return statement if self.is_city else statement.where(self._condition())

    def _condition(self) -> ColumnElement[bool]:
        column = _COLUMN_OF_AREA.get(self.area)
        return false() if column is None else column.in_(self.ids)


EVERYWHERE = Scope(Area.CITY)
