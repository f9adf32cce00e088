"""What kinds of staff there are, and over which part of the city each may look."""

from collections.abc import Mapping
from enum import StrEnum
from types import MappingProxyType


class Role(StrEnum):
    """What an account is for."""

    CITY = "city"
    DISTRICT = "district"
    EVALUATOR = "evaluator"
    COMPANY = "company"
    CLERK = "clerk"
    ADMINISTRATOR = "administrator"


class Area(StrEnum):
    """What part of the city an account is bound to."""

    CITY = "city"
    DISTRICT = "district"
    COMPANY = "company"
    COMMUNITY = "community"
    # An administrator looks after accounts and sees no community.
    NOWHERE = "nowhere"


AREAS_OF_ROLE: Mapping[Role, frozenset[Area]] = MappingProxyType(
    {
        Role.CITY: frozenset({Area.CITY}),
        Role.DISTRICT: frozenset({Area.DISTRICT}),
        Role.EVALUATOR: frozenset({Area.CITY}),
        Role.COMPANY: frozenset({Area.COMPANY}),
        # Of a subdistrict office or an association: the whole district, or the one community it looks after.
        Role.CLERK: frozenset({Area.DISTRICT, Area.COMMUNITY}),
        Role.ADMINISTRATOR: frozenset({Area.NOWHERE}),
    }
)
