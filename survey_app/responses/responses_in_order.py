"""Responses of a round, read in the order of their ids, as their rows lie.

To look up each through an index takes SQLite about five times as long.
"""

from sqlalchemy import ColumnElement, and_, func, select
from sqlalchemy.orm import Session

from survey_app.models import Response


def responses_in_order(session: Session, round_id: int) -> ColumnElement[bool]:
    """Return the condition of the responses of a round, by which all are read in the order of their ids."""
    return and_(Response.id.between(*first_and_last(session, round_id)), of_round(round_id))


def first_and_last(session: Session, round_id: int) -> tuple[int, int]:
    """Return the lowest and the highest id of a round's responses; no id is between them where it has none."""
    statement = select(func.min(Response.id), func.max(Response.id)).where(Response.round_id == round_id)
    first, last = session.execute(statement).one()
    return (1, 0) if first is None else (first, last)


def of_round(round_id: int) -> ColumnElement[bool]:
    """Return the condition of the responses of a round among those that another condition finds."""
    # The sum keeps SQLite from the index of rounds.
    return Response.round_id + 0 == round_id
