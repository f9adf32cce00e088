"""The process that adds up what came in dies again and again: pages count the same, and the next one ends the work."""

from datetime import UTC, datetime, timedelta
from multiprocessing import get_context

import pytest
from sqlalchemy import delete, func, select

from survey_app.accounts.scope import EVERYWHERE
from survey_app.collection.tallies import count_collected, fold_changes
from survey_app.evaluations.collection_recount import find_differences, recount_open_round
from survey_app.models import CollectionChange, CollectionTally, Round
from survey_app.storage.database import Database
from tests.factories import make_community, make_response, make_round_around

ANSWERS = 600
KILLS = 3


def fold(url):
    """Add up what came in, in a process of its own."""
    with Database(url) as database:
        fold_changes(database)


def recount(url):
    """Count in full what came in, in a process of its own."""
    with Database(url) as database:
        recount_open_round(database, now=datetime.now(UTC))


@pytest.fixture
def round_id(database):
    now = datetime.now(UTC)
    with database.writing() as session:
        survey_round, community = make_round_around(session, now), make_community(session)
        for number in range(ANSWERS):
            sent = now - timedelta(minutes=number % 240)
            make_response(
                session, survey_round, community, household_key=f"household {number % 500}", submitted_at=sent
            )
        return survey_round.id


def waiting(database):
    with database.reading() as session:
        return session.scalar(select(func.count()).select_from(CollectionChange))


def shown(database, round_id):
    with database.reading() as session:
        return count_collected(session, round_id=round_id, scope=EVERYWHERE)


def differences(database, round_id):
    with database.reading() as session:
        return find_differences(session, session.get_one(Round, round_id))


def test_adding_up_that_is_killed_again_and_again_ends_as_if_it_never_was(database, round_id):
    before, url = shown(database, round_id), database.url.render_as_string(hide_password=False)
    left = [waiting(database)]
    for _ in range(KILLS):
        process = get_context("spawn").Process(target=fold, args=(url,))
        process.start()
        while process.is_alive() and waiting(database) == left[-1]:
            pass
        process.kill()
        process.join()
        left.append(waiting(database))
        assert shown(database, round_id) == before
    assert left == sorted(set(left), reverse=True)

    fold(url)

    assert waiting(database) == 0
    assert shown(database, round_id) == before
    assert differences(database, round_id) == {}


def test_what_a_full_count_that_is_killed_has_mended_is_mended_once(database, round_id):
    url = database.url.render_as_string(hide_password=False)
    fold(url)
    with database.writing() as session:
        session.execute(delete(CollectionTally))
    wrong = differences(database, round_id)
    assert sum(wrong.values()) > ANSWERS
    process = get_context("spawn").Process(target=recount, args=(url,))
    process.start()
    while process.is_alive() and differences(database, round_id) == wrong:
        pass
    process.kill()
    process.join()

    recount(url)

    assert differences(database, round_id) == {}
