"""Checklist of the steps from an empty installation to the first answer: which are done, to do, or not needed yet."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType
from typing import Final

from survey_app.complaints.calendars import is_missing
from survey_app.config import is_local_only
from survey_app.models.vocabulary import Role
from survey_app.preparation.facts import Facts

# One account cannot reset itself.
SECOND_PERSONS: Final = 2


class State(StrEnum):
    """Where a step stands."""

    DONE = "done"
    TO_DO = "to_do"
    NOT_YET = "not_yet"


class StepKey(StrEnum):
    """Steps, in the order in which they are taken."""

    CITY_ACCOUNTS = "city_accounts"
    PUBLIC_ADDRESS = "public_address"
    TYPEFACE = "typeface"
    DISCLOSURE_RULES = "disclosure_rules"
    PRIVACY_NOTICE = "privacy_notice"
    COMPLAINT_CATEGORIES = "complaint_categories"
    CALENDAR = "calendar"
    NEXT_CALENDAR = "next_calendar"
    QUESTIONNAIRE = "questionnaire"
    RULES = "rules"
    COMMUNITIES = "communities"
    HOUSEHOLDS = "households"
    TELEPHONES = "telephones"
    DISTRICT_ACCOUNTS = "district_accounts"
    CLERK_ACCOUNTS = "clerk_accounts"
    POSTER_CODES = "poster_codes"
    ROUND = "round"
    POSTERS = "posters"
    SLIPS = "slips"


@dataclass(frozen=True)
class Step:
    """Step of the checklist and where it stands."""

    key: StepKey
    state: State


STEPS_OF_ROLE: Mapping[Role, tuple[StepKey, ...]] = MappingProxyType(
    {
        Role.CITY: tuple(StepKey),
        Role.ADMINISTRATOR: (
            StepKey.CITY_ACCOUNTS,
            StepKey.PUBLIC_ADDRESS,
            StepKey.TYPEFACE,
            StepKey.CALENDAR,
            StepKey.NEXT_CALENDAR,
            StepKey.DISTRICT_ACCOUNTS,
            StepKey.CLERK_ACCOUNTS,
        ),
        Role.DISTRICT: (
            StepKey.COMMUNITIES,
            StepKey.HOUSEHOLDS,
            StepKey.TELEPHONES,
            StepKey.CLERK_ACCOUNTS,
            StepKey.POSTER_CODES,
            StepKey.POSTERS,
            StepKey.SLIPS,
        ),
        Role.CLERK: (StepKey.COMMUNITIES, StepKey.POSTERS, StepKey.SLIPS),
    }
)
"""Steps that concern a role; an evaluator and a property company prepare nothing."""


def list_steps(facts: Facts, keys: Iterable[StepKey] = tuple(StepKey)) -> list[Step]:
    """Return steps with their states, which follow from the facts alone."""
    return [Step(key, _STATES[key](facts)) for key in keys]


def is_ready(steps: Iterable[Step]) -> bool:
    """Return whether nothing is left to do now."""
    return all(step.state is not State.TO_DO for step in steps)


def _done_if(is_done: bool) -> State:  # noqa: FBT001 (the name of the function names it)
    return State.DONE if is_done else State.TO_DO


def _once_there_are_communities(facts: Facts, *, is_done: bool) -> State:
    return _done_if(is_done) if facts.communities.total else State.NOT_YET


def _state_of_city_accounts(facts: Facts) -> State:
    return _done_if(facts.has_city_account and facts.second_persons >= SECOND_PERSONS)


def _state_of_next_calendar(facts: Facts) -> State:
    if facts.today.year + 1 in facts.calendar_years:
        return State.DONE
    is_due = is_missing(facts.today.year + 1, facts.calendar_years, today=facts.today)
    return State.TO_DO if is_due else State.NOT_YET


def _state_of_round(facts: Facts) -> State:
    if facts.coming_round is not None:
        return State.DONE
    # After the first round the next one is planned when its year comes.
    is_due = facts.questionnaire and facts.has_rules and facts.communities.total and not facts.has_opened
    return State.TO_DO if is_due else State.NOT_YET


def _state_of_posters(facts: Facts) -> State:
    if facts.coming_round is None or not facts.coming_round.accepts_posters or not facts.communities.total:
        return State.NOT_YET
    return _done_if(not facts.communities.without_poster and not facts.communities.without_code)


def _state_of_slips(facts: Facts) -> State:
    if facts.coming_round is None or not facts.coming_round.accepts_households or not facts.communities.total:
        return State.NOT_YET
    return _done_if(not facts.communities.without_slips)


_STATES: Mapping[StepKey, Callable[[Facts], State]] = MappingProxyType(
    {
        StepKey.CITY_ACCOUNTS: _state_of_city_accounts,
        StepKey.PUBLIC_ADDRESS: lambda facts: _done_if(not is_local_only(facts.public_url)),
        StepKey.TYPEFACE: lambda facts: _done_if(facts.has_typeface),
        StepKey.DISCLOSURE_RULES: lambda facts: _done_if(facts.has_disclosure_rules),
        StepKey.PRIVACY_NOTICE: lambda facts: _done_if(facts.has_privacy_notice),
        StepKey.COMPLAINT_CATEGORIES: lambda facts: _done_if(facts.has_categories),
        StepKey.CALENDAR: lambda facts: _done_if(facts.today.year in facts.calendar_years),
        StepKey.NEXT_CALENDAR: _state_of_next_calendar,
        StepKey.QUESTIONNAIRE: lambda facts: _done_if(facts.questionnaire is not None),
        StepKey.RULES: lambda facts: _done_if(facts.has_rules),
        StepKey.COMMUNITIES: lambda facts: _done_if(facts.communities.total > 0),
        StepKey.HOUSEHOLDS: lambda facts: _once_there_are_communities(
            facts, is_done=not facts.communities.without_households
        ),
        StepKey.TELEPHONES: lambda facts: _once_there_are_communities(
            facts, is_done=not facts.districts.without_telephone
        ),
        StepKey.DISTRICT_ACCOUNTS: lambda facts: _once_there_are_communities(
            facts, is_done=not facts.districts.without_account
        ),
        StepKey.CLERK_ACCOUNTS: lambda facts: _once_there_are_communities(
            facts, is_done=not facts.districts.without_clerk
        ),
        StepKey.POSTER_CODES: lambda facts: _once_there_are_communities(
            facts, is_done=not facts.communities.without_code
        ),
        StepKey.ROUND: _state_of_round,
        StepKey.POSTERS: _state_of_posters,
        StepKey.SLIPS: _state_of_slips,
    }
)
