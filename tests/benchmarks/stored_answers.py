"""Answers of a round, as many as wanted, of which nothing is erased yet."""

import secrets
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from itertools import islice
from typing import Any, Final

import numpy as np
from sqlalchemy import Connection, insert

from analytics.canonical import canonical_json
from survey_app.collection.tallies import add_numbers
from survey_app.evaluations.collection_recount import find_differences
from survey_app.models import Code, Response, Round, SlipBatch
from survey_app.storage.database import Base, Database
from tests.factories import make_community, make_district, make_evaluation, make_round

ANSWERS_OF_A_COMMUNITY: Final = 500
DISTRICTS: Final = 3
_ROWS_AT_ONCE: Final = 20_000
_SEED: Final = 21
_KINDS_OF_PEOPLE: Final = 997


def store_frozen_round(database: Database, answers: int) -> int:
    """Add a closed round with its answers and an official evaluation, which says nothing, and return its id."""
    round_id = store_closed_round(database, answers)
    with database.writing() as session:
        make_evaluation(session, session.get_one(Round, round_id), responses=answers)
    return round_id


def store_closed_round(database: Database, answers: int, *, communities: int | None = None) -> int:
    """Add a round that closed ten days ago with its answers, which nobody has evaluated, and return its id.

    It was open for twenty days, and has five hundred answers for each community where their number is not given.
    All came with slips, a tenth of them the second of their household; one in four has a text. Unique values are
    random, as real ones are, so that each row has its place in another part of an index.
    """
    now = datetime.now(UTC).replace(microsecond=0)
    with database.writing() as session:
        survey_round = make_round(
            session,
            opens_at=now - timedelta(days=30),
            closes_at=now - timedelta(days=10),
            accepts_households=True,
        )
        districts = [make_district(session) for _ in range(DISTRICTS)]
        places = [
            make_community(session, district=districts[number % DISTRICTS]).id
            for number in range(communities or max(1, answers // ANSWERS_OF_A_COMMUNITY))
        ]
        batches = [
            SlipBatch(round_id=survey_round.id, community_id=place, is_reprint=False, issued_at=survey_round.opens_at)
            for place in places
        ]
        session.add_all(batches)
        session.flush()
    households = max(1, answers * 9 // 10)
    keys = [secrets.token_hex(16) for _ in range(households)]
    first_code = _insert(database, Code, _codes(batches, keys, survey_round))
    _insert(database, Response, _responses(survey_round, places, keys, first_code, answers))
    count_collected(database, survey_round.id)
    return survey_round.id


def count_collected(database: Database, round_id: int) -> None:
    """Let the tallies of a round hold the answers that were stored without being counted."""
    with database.reading() as session:
        missing = find_differences(session, session.get_one(Round, round_id))
    with database.writing() as session:
        add_numbers(session, missing)


def _codes(batches: list[SlipBatch], keys: list[str], survey_round: Round) -> Iterator[dict[str, Any]]:
    for number, key in enumerate(keys):
        batch = batches[number % len(batches)]
        yield {
            "kind": "household",
            "token_digest": secrets.token_hex(32),
            "digits_digest": secrets.token_hex(32),
            "household_key": key,
            "batch_id": batch.id,
            "community_id": batch.community_id,
            "issued_at": survey_round.opens_at,
        }


def _responses(
    survey_round: Round, places: list[int], keys: list[str], first_code: int, answers: int
) -> Iterator[dict[str, Any]]:
    random = np.random.default_rng(_SEED)
    sent = np.sort(random.integers(0, 20 * 86_400, answers)).tolist()
    given = random.integers(1, 6, answers).tolist()
    household = random.permutation(answers) % len(keys)
    rated = [
        {f"q{number:02}": code for number, code in enumerate(codes, start=2)}
        for codes in random.integers(1, 6, (_KINDS_OF_PEOPLE, 14)).tolist()
    ]
    for number in range(answers):
        own = int(household[number])
        text = {"q24": "希望增设充电桩，电梯也该修一修"} if number % 4 == 0 else {}
        opened = survey_round.opens_at + timedelta(seconds=sent[number])
        yield {
            "submission_key": secrets.token_urlsafe(16),
            "receipt": secrets.token_hex(8),
            "round_id": survey_round.id,
            "community_id": places[own % len(places)],
            "questionnaire_id": survey_round.questionnaire_id,
            "code_id": first_code + own,
            "household_key": keys[own],
            "language": "zh-Hans",
            "mode": "web",
            "tenure": 1,
            "started_at": opened,
            "submitted_at": opened,
            "answers": canonical_json({"q01": given[number], **rated[number % _KINDS_OF_PEOPLE], "q16": 1, **text}),
            "nonce": secrets.token_bytes(32),
            "commitment": secrets.token_hex(32),
            "commitment_algorithm": 2,
            "handle": secrets.token_hex(32),
            "handle_nonce": secrets.token_bytes(16),
            "change_digest": secrets.token_hex(32),
        }


def _insert(database: Database, table: type[Base], rows: Iterator[dict[str, Any]]) -> int:
    """Insert rows, which all have the same columns, and return the id of the first of them."""
    with database.reading() as session:
        last: int = session.query(table.id).order_by(table.id.desc()).limit(1).scalar() or 0  # type: ignore[attr-defined]
    while some := list(islice(rows, _ROWS_AT_ONCE)):
        with database.writing() as session:
            if database.is_postgresql:
                _copy(session.connection(), table, some)
            else:
                session.connection().execute(insert(table.__table__), some)
    return last + 1


def _copy(connection: Connection, table: type[Base], rows: list[dict[str, Any]]) -> None:
    """Write rows in the bulk format of PostgreSQL, ten times as fast as inserts: millions take minutes, not an hour."""
    columns = ", ".join(rows[0])
    driver = connection.connection.driver_connection
    with driver.cursor() as cursor, cursor.copy(f"COPY {table.__tablename__} ({columns}) FROM STDIN") as copy:
        for row in rows:
            copy.write_row(tuple(row.values()))
