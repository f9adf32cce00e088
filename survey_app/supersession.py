"""Which responses count: not withdrawn, not corrected, the newest of their household, not excluded after a review.

Nothing of this is stored but withdrawals and reviews: whoever asks, asks for a time, and what came later has not
happened.
"""

from datetime import datetime
from enum import StrEnum
from typing import Literal

from sqlalchemy import ColumnElement, and_, case, exists, or_, tuple_
from sqlalchemy.orm import aliased

from survey_app.models import Response, ResponseReview


class Status(StrEnum):
    """What became of a response; each is in exactly one of these."""

    COUNTED = "counted"
    SUPERSEDED = "superseded"
    WITHDRAWN = "withdrawn"
    EXCLUDED = "excluded"


class EventKind(StrEnum):
    """What can happen to a stored response."""

    WITHDRAWN = "withdrawn"
    CORRECTED = "corrected"


def status_of_response(population: Literal["owners", "residents"], *, before: datetime) -> ColumnElement[str]:
    """Return what each `Response` of a select is at a time, among those submitted before it.

    Where owners are ranked, tenure is looked at first: the newest answers of a household's owners count, and those of
    its tenants stand beside them. Otherwise the newest answers of the household count, whoever gave them.
    """
    newer = aliased(Response)
    of_household = [newer.household_key == Response.household_key]
    if population == "owners":
        of_household.append(newer.tenure == Response.tenure)
    later = tuple_(newer.submitted_at, newer.id) > tuple_(Response.submitted_at, Response.id)
    in_time = newer.submitted_at < before
    is_replaced = and_(Response.household_key.is_not(None), exists().where(*of_household, later, in_time))
    is_corrected = exists().where(newer.corrects_id == Response.id, in_time)
    return case(
        (Response.answers.is_(None), Status.WITHDRAWN),
        (or_(is_replaced, is_corrected), Status.SUPERSEDED),
        (_is_excluded(), Status.EXCLUDED),
        else_=Status.COUNTED,
    )


def _is_excluded() -> ColumnElement[bool]:
    review, later = aliased(ResponseReview), aliased(ResponseReview)
    is_last = ~exists().where(later.response_id == review.response_id, later.id > review.id)
    return exists().where(review.response_id == Response.id, review.state == "excluded", is_last)
