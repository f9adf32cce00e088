"""The process that erases dies again and again: the next one ends where one alone would have, and nothing shows."""

import json
from collections import Counter
from datetime import UTC, datetime
from multiprocessing import get_context

from sqlalchemy import func, select

from survey_app.codes.codes import count_slips
from survey_app.models import AuditEvent, ErasureCount, Response, Round
from survey_app.operations.scheduled_jobs import examine_and_erase
from survey_app.responses.counting_status import status_of_response
from survey_app.storage.database import Database
from tests.benchmarks.stored_answers import store_frozen_round

ANSWERS = 1500
KILLS = 3


def erase(url):
    """Erase what is due, in a process of its own."""
    with Database(url) as database:
        examine_and_erase(database, now=datetime.now(UTC))


def remaining(database):
    """Return how many links and texts are left."""
    with database.reading() as session:
        links = session.scalar(select(func.count(Response.household_key)))
        return links + session.scalar(select(func.count()).where(Response.answers.contains("q24")))


def seen(database, round_id):
    """Return what pages and results are made of, which erasing must not change."""
    with database.reading() as session:
        survey_round = session.get(Round, round_id)
        status = status_of_response("owners", before=survey_round.closes_at)
        statuses = session.execute(select(Response.id, status).order_by(Response.id)).all()
        return statuses, count_slips(session, survey_round=survey_round)


def test_an_erasure_that_is_killed_again_and_again_ends_as_if_it_never_was(database):
    round_id = store_frozen_round(database, ANSWERS)
    before, total = seen(database, round_id), remaining(database)
    url = database.url.render_as_string(hide_password=False)
    left = [total]
    for _ in range(KILLS):
        process = get_context("spawn").Process(target=erase, args=(url,))
        process.start()
        while process.is_alive() and remaining(database) == left[-1]:
            pass
        process.kill()
        process.join()
        left.append(remaining(database))
        assert seen(database, round_id) == before
    assert left == sorted(set(left), reverse=True)
    assert left[-1] > 0

    erase(url)

    assert remaining(database) == 0
    assert seen(database, round_id) == before
    recorded = Counter()
    with database.reading() as session:
        assert session.get(Round, round_id).comments_erased_at is not None
        assert session.scalars(select(ErasureCount)).all() == []
        for action, facts in session.execute(select(AuditEvent.action, AuditEvent.after)):
            recorded[action] += json.loads(facts)["responses"]
    assert recorded == {"household_links_removed": ANSWERS, "comments_erased": total - ANSWERS}
