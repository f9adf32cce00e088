"""Counting status of responses: one counts unless withdrawn, corrected, excluded or superseded by its household's next.

Only withdrawals and reviews are stored; a status is derived as of a time, and what came later is ignored. When the
links to households are removed, after the freeze, a mark says what had been replaced by the close of the round; from
then on every count is as of the close.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from sqlalchemy import ColumnElement, Select, SQLColumnExpression, and_, case, exists, func, or_, select, tuple_
from sqlalchemy.orm import aliased

from analytics.rules import Population
from survey_app.models import Response, ResponseReview
from survey_app.models.vocabulary import ResponseStatus, ReviewState, SupersededWithin

# Values that are cleared when answers are erased; the row stays.
ERASED_VALUES: Final = dict.fromkeys(
    (
        "answers",
        "tenure",
        "nonce",
        "openings",
        "handle_nonce",
        "household_key",
        "code_id",
        "address_digest",
        "prefix_digest",
    )
)


@dataclass(frozen=True)
class StatusFacts:
    """What the counting status of a response follows from, as SQL expressions or as columns that hold them.

    `is_replaced` says whether a later answer of the household stands for it, of the same tenure or of any.
    """

    is_erased: ColumnElement[bool]
    is_withdrawn: ColumnElement[bool]
    is_replaced: Mapping[SupersededWithin, ColumnElement[bool]]
    is_corrected: ColumnElement[bool]
    is_excluded: ColumnElement[bool]


def status_of_response(
    population: Population,
    *,
    before: datetime,
    reviewed_before: datetime | None = None,
    replaced: ColumnElement[str | None] | None = None,
) -> ColumnElement[str]:
    """Return the counting status of each `Response` of a select as of a time, among those submitted before it.

    Where owners are ranked, tenure is looked at first: the newest answers of a household's owners count, and those of
    its tenants stand beside them. Otherwise the newest answers of the household count, whoever gave them. Reviews count
    as of `reviewed_before`, or as they stand now. `replaced` is what `superseded_within` would say of each, where that
    is known already.
    """
    facts = status_facts(before=before, reviewed_before=reviewed_before, replaced=replaced)
    return status_by_facts(facts, population)


def status_facts(
    *, before: datetime, reviewed_before: datetime | None = None, replaced: ColumnElement[str | None] | None = None
) -> StatusFacts:
    """Return what the status of each `Response` of a select follows from, as `status_of_response` has it."""
    newer = aliased(Response)
    marked = replaced_by_mark(Response.superseded_within)
    if replaced is None:
        linked = {within: _is_replaced(within, before) for within in SupersededWithin}
    else:
        linked = replaced_by_mark(replaced)
    return StatusFacts(
        is_erased=Response.erased_at.is_not(None),
        is_withdrawn=Response.answers.is_(None),
        is_replaced={within: or_(linked[within], marked[within]) for within in SupersededWithin},
        is_corrected=exists().where(newer.corrects_id == Response.id, newer.submitted_at < before),
        is_excluded=_is_excluded(reviewed_before),
    )


def status_by_facts(facts: StatusFacts, population: Population) -> ColumnElement[str]:
    """Return the counting status that follows from facts, where a population is ranked."""
    return case(
        (facts.is_erased, ResponseStatus.ERASED),
        (facts.is_withdrawn, ResponseStatus.WITHDRAWN),
        (or_(facts.is_replaced[replacement_within(population)], facts.is_corrected), ResponseStatus.SUPERSEDED),
        (facts.is_excluded, ResponseStatus.EXCLUDED),
        else_=ResponseStatus.COUNTED,
    )


def replacement_within(population: Population) -> SupersededWithin:
    """Return among which answers of a household the newest counts: those of one tenure where owners are ranked."""
    return SupersededWithin.TENURE if population == "owners" else SupersededWithin.HOUSEHOLD


def superseded_within(*, before: datetime) -> ColumnElement[str | None]:
    """Return the mark that replaces the link of a `Response` to its household, as of a time."""
    newer = aliased(Response)
    # One look at the household finds both: of the two words that of tenure is the greater.
    within = func.max(
        case((newer.tenure == Response.tenure, SupersededWithin.TENURE), else_=SupersededWithin.HOUSEHOLD)
    )
    return select(within).where(*_is_later_in_household(newer, before)).scalar_subquery()


def replaced_by_mark(mark: SQLColumnExpression[str | None]) -> dict[SupersededWithin, ColumnElement[bool]]:
    """Return what a mark of `superseded_within` says: whether a later answer of the tenure, or of any, replaces it."""
    return {SupersededWithin.TENURE: mark == SupersededWithin.TENURE, SupersededWithin.HOUSEHOLD: mark.is_not(None)}


def replaced_responses(*, before: datetime) -> Select[int, str]:
    """Select the responses that a later one of their household stands for, with `superseded_within` of each.

    To ask that of every response costs a search each; here one pass over an index finds the few households that have
    several.
    """
    several = select(Response.household_key).where(Response.household_key.is_not(None))
    several = several.group_by(Response.household_key).having(func.count() > 1)
    mark = superseded_within(before=before).label("mark")
    of_them = select(Response.id, mark).where(Response.household_key.in_(several)).offset(0).subquery().c
    return select(of_them.id, of_them.mark).where(of_them.mark.is_not(None))


def _is_replaced(within: SupersededWithin, before: datetime) -> ColumnElement[bool]:
    newer = aliased(Response)
    same = [newer.tenure == Response.tenure] if within is SupersededWithin.TENURE else []
    later = exists().where(*_is_later_in_household(newer, before), *same)
    return and_(Response.household_key.is_not(None), later)


def _is_later_in_household(newer: type[Response], before: datetime) -> tuple[ColumnElement[bool], ...]:
    """Return the conditions under which another response is a later one of the household of a `Response`."""
    later = tuple_(newer.submitted_at, newer.id) > tuple_(Response.submitted_at, Response.id)
    return newer.household_key == Response.household_key, later, newer.submitted_at < before


def _is_excluded(reviewed_before: datetime | None) -> ColumnElement[bool]:
    review, later = aliased(ResponseReview), aliased(ResponseReview)
    in_time = [[] if reviewed_before is None else [each.at < reviewed_before] for each in (review, later)]
    is_last = ~exists().where(later.response_id == review.response_id, later.id > review.id, *in_time[1])
    excluded = review.state == ReviewState.EXCLUDED
    return exists().where(review.response_id == Response.id, excluded, is_last, *in_time[0])
