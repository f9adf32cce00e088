"""Counting status of responses: one counts unless withdrawn, corrected, excluded or superseded by its household's next.

Only withdrawals and reviews are stored; a status is derived as of a time, and what came later is ignored. When the
links to households are removed, after the freeze, a mark says what had been replaced by the close of the round; from
then on every count is as of the close.
"""

from datetime import datetime
from typing import Final, Literal

from sqlalchemy import ColumnElement, and_, case, exists, or_, tuple_
from sqlalchemy.orm import aliased

from survey_app.models import Code, Response, ResponseReview
from survey_app.models.vocabulary import CodeKind, Mode, ResponseStatus, ReviewState, SupersededWithin

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

# Through what a `Response` came, outer joined with its `Code`. One through the web came through a code: if it has none,
# it has lost its link to a slip.
KIND_OF_CODE: Final = case(
    (and_(Code.id.is_(None), Response.answers.is_not(None), Response.mode == Mode.WEB), CodeKind.HOUSEHOLD),
    else_=Code.kind,
)


def status_of_response(
    population: Literal["owners", "residents"], *, before: datetime, reviewed_before: datetime | None = None
) -> ColumnElement[str]:
    """Return the counting status of each `Response` of a select as of a time, among those submitted before it.

    Where owners are ranked, tenure is looked at first: the newest answers of a household's owners count, and those of
    its tenants stand beside them. Otherwise the newest answers of the household count, whoever gave them. Reviews count
    as of `reviewed_before`, or as they stand now.
    """
    newer = aliased(Response)
    is_corrected = exists().where(newer.corrects_id == Response.id, newer.submitted_at < before)
    if replacement_within(population) is SupersededWithin.TENURE:
        is_replaced = or_(
            _is_replaced(SupersededWithin.TENURE, before), Response.superseded_within == SupersededWithin.TENURE
        )
    else:
        is_replaced = or_(_is_replaced(SupersededWithin.HOUSEHOLD, before), Response.superseded_within.is_not(None))
    return case(
        (Response.erased_at.is_not(None), ResponseStatus.ERASED),
        (Response.answers.is_(None), ResponseStatus.WITHDRAWN),
        (or_(is_replaced, is_corrected), ResponseStatus.SUPERSEDED),
        (_is_excluded(reviewed_before), ResponseStatus.EXCLUDED),
        else_=ResponseStatus.COUNTED,
    )


def replacement_within(population: Literal["owners", "residents"]) -> SupersededWithin:
    """Return among which answers of a household the newest counts: those of one tenure where owners are ranked."""
    return SupersededWithin.TENURE if population == "owners" else SupersededWithin.HOUSEHOLD


def superseded_within(*, before: datetime) -> ColumnElement[str | None]:
    """Return the mark that replaces the link of a `Response` to its household, as of a time."""
    return case(
        (_is_replaced(SupersededWithin.TENURE, before), SupersededWithin.TENURE),
        (_is_replaced(SupersededWithin.HOUSEHOLD, before), SupersededWithin.HOUSEHOLD),
        else_=None,
    )


def _is_replaced(within: SupersededWithin, before: datetime) -> ColumnElement[bool]:
    newer = aliased(Response)
    of_household = [newer.household_key == Response.household_key]
    if within is SupersededWithin.TENURE:
        of_household.append(newer.tenure == Response.tenure)
    later = tuple_(newer.submitted_at, newer.id) > tuple_(Response.submitted_at, Response.id)
    return and_(Response.household_key.is_not(None), exists().where(*of_household, later, newer.submitted_at < before))


def _is_excluded(reviewed_before: datetime | None) -> ColumnElement[bool]:
    review, later = aliased(ResponseReview), aliased(ResponseReview)
    in_time = [[] if reviewed_before is None else [each.at < reviewed_before] for each in (review, later)]
    is_last = ~exists().where(later.response_id == review.response_id, later.id > review.id, *in_time[1])
    excluded = review.state == ReviewState.EXCLUDED
    return exists().where(review.response_id == Response.id, excluded, is_last, *in_time[0])
