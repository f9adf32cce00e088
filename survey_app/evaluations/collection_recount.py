"""Full count of what came in, against which the tallies of the open round are verified and, if need be, mended."""

import logging
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from typing import Any, Final

from sqlalchemy import Select, case, extract, func, select
from sqlalchemy.orm import Session

from survey_app.collection.changes import QUARTER, Amounts, Change, Kind
from survey_app.collection.tallies import Numbers, add_numbers, lock_tallies, numbers_of, read_numbers, zones_of
from survey_app.log_events import LogEvent, log_event
from survey_app.models import Response, Round
from survey_app.models.vocabulary import ResponseStatus
from survey_app.responses.counting_status import status_of_response
from survey_app.rounds.rounds import find_open_round
from survey_app.storage.database import Database
from survey_app.storage.short_transactions import ShortTransactions

_ROWS_AT_ONCE: Final = 10_000


def recount_open_round(
    database: Database, *, now: datetime, report: Callable[[int], None] = lambda _counted: None
) -> int:
    """Count the open round in full, mend the tallies that differ, and return how many did."""
    with database.reading() as session:
        survey_round = find_open_round(session, now=now)
        if survey_round is None:
            return 0
        # In one snapshot, so that what comes in meanwhile is in both or in none of them.
        differences = find_differences(session, survey_round, report=report)
    if differences:
        log_event(LogEvent.TALLIES_MENDED, level=logging.WARNING, status=len(differences))
        transactions = ShortTransactions(database)
        for part in transactions.parts(list(differences.items())):
            with transactions.writing() as session:
                lock_tallies(session)
                # Added, not set: what came since was or will be added as well.
                add_numbers(session, dict(part))
    return len(differences)


def find_differences(
    session: Session, survey_round: Round, *, report: Callable[[int], None] = lambda _counted: None
) -> Numbers:
    """Return by how much a full count of the responses differs from the tallies of a round, where it does."""
    differences = numbers_of(_count_in_full(session, survey_round, report), zones_of(session, [survey_round.id]))
    differences.subtract(read_numbers(session, round_id=survey_round.id))
    for place in [place for place, number in differences.items() if number == 0]:
        del differences[place]
    return differences


def _count_in_full(session: Session, survey_round: Round, report: Callable[[int], None]) -> Iterator[Change]:
    rows = session.execute(_select_in_full(survey_round).execution_options(yield_per=_ROWS_AT_ONCE))
    counted = 0
    for part in rows.partitions():
        for community_id, code_id, second, mode, *amounts in part:
            quarter = datetime.fromtimestamp(int(second), UTC)
            yield Kind(survey_round.id, community_id, code_id, quarter, mode), Amounts(*amounts)
        counted += sum(row.received for row in part)
        report(counted)


def _select_in_full(survey_round: Round) -> Select[*tuple[Any, ...]]:
    """Select what all responses of a round add up to, by what changes have in common."""
    second = extract("epoch", Response.submitted_at)
    is_household = Response.household_key.is_not(None)
    each = (
        select(
            Response.community_id,
            case((is_household, None), else_=Response.code_id).label("code_id"),
            (second - second % int(QUARTER.total_seconds())).label("second"),
            Response.mode,
            (status_of_response("residents", before=survey_round.closes_at) == ResponseStatus.COUNTED).label("stands"),
            is_household.label("is_household"),
        )
        .where(Response.round_id == survey_round.id)
        # Otherwise its status would be looked up once for each number.
        .offset(0)
        .subquery()
        .c
    )
    kind = (each.community_id, each.code_id, each.second, each.mode)
    return select(
        *kind,
        func.count().label("received"),
        func.count().filter(each.stands),
        func.count().filter(each.stands, each.is_household),
        func.count(each.code_id),
    ).group_by(*kind)
