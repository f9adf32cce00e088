"""What is erased when, and that no count changes by it."""

from datetime import date, timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import Engine, delete, event, select
from sqlalchemy.pool import Pool

from survey_app.accounts.scope import EVERYWHERE
from survey_app.codes.codes import count_slips, find_slip, replace_slip
from survey_app.evaluations.evaluate_round import evaluate_round, verify_evaluation
from survey_app.exports.responses import export_responses
from survey_app.models import AuditEvent, Community, ErasureCount, Evaluation, Response
from survey_app.models.vocabulary import ResponseStatus
from survey_app.operations.scheduled_jobs import examine_and_erase
from survey_app.responses import retention
from survey_app.responses.counting_status import status_of_response
from survey_app.responses.receipts import find_receipt
from survey_app.responses.retention import ErasedCounts, erase_expired
from survey_app.rounds.rounds import RoundErased
from tests.factories import (
    NOW,
    SECRET,
    make_community,
    make_evaluation,
    make_poster_code,
    make_response,
    make_round,
    make_slip,
    move_rounds_aside,
)
from tests.survey_app.responses.test_counting_status import CUT_OFF, SENT, recount, store

CLOSED = CUT_OFF + timedelta(hours=1)
KEPT_UNTIL = date(2027, 3, 31)
OVER = CLOSED.replace(year=2027, month=4, day=2)
NOTHING = ErasedCounts()


def erase(database, now):
    return erase_expired(database, by="site", now=now)


def freeze(database, survey_round):
    return evaluate_round(database, round_id=survey_round.id, now=CLOSED)


@pytest.fixture
def answered(database):
    """A round with a household that answered twice, one that was given another slip, and somebody with a comment."""
    with database.writing() as session:
        survey_round = make_round(session, accepts_households=True, responses_kept_until=KEPT_UNTIL)
        community = make_community(session)
        slips = [make_slip(session, survey_round, community) for _ in range(3)]
        replaced = replace_slip(session, typed=slips[1].digits, secret_key=SECRET, now=NOW).slips[0]
        for minute, (slip, rating) in enumerate(((slips[0], 2), (slips[0], 5), (slips[1], 1), (replaced, 4))):
            code = find_slip(session, typed=slip.digits, secret_key=SECRET)
            sent = {"submitted_at": NOW + timedelta(minutes=minute), "answers": {"q01": rating, "q24": "电梯"}}
            make_response(session, survey_round, community, code_id=code.id, household_key=code.household_key, **sent)
        return survey_round, community


def responses(database):
    with database.reading() as session:
        return session.execute(select(Response.__table__).order_by(Response.id)).all()


def test_before_the_freeze_every_link_stays(database, answered):
    assert erase(database, CLOSED) == NOTHING
    evaluate_round(database, round_id=answered[0].id, now=CLOSED, provisional=True)

    assert erase(database, CLOSED) == NOTHING
    assert all(row.household_key and row.code_id for row in responses(database))


def test_after_the_freeze_links_and_comments_go_and_counts_stay(database, answered):
    survey_round, community = answered
    first = freeze(database, survey_round)
    with database.reading() as session:
        slips = count_slips(session, survey_round=survey_round)

    assert erase(database, CLOSED) == ErasedCounts(household_links=4, comments=4)

    rows = responses(database)
    assert {(row.household_key, row.code_id) for row in rows} == {(None, None)}
    assert [row.answers for row in rows] == [f'{{"q01":{rating},"q16":1}}' for rating in (2, 5, 1, 4)]
    assert [row.superseded_within for row in rows] == ["tenure", None, "tenure", None]
    assert freeze(database, survey_round).id == first.id
    with database.reading() as session:
        assert count_slips(session, survey_round=survey_round) == slips
        assert slips[community.id].answered == 2
        assert (
            find_receipt(session, number=rows[0].receipt, secret_key=SECRET, now=CLOSED).status
            is ResponseStatus.SUPERSEDED
        )


def test_the_file_of_responses_is_the_same_before_and_after_the_texts_are_erased(database, answered):
    survey_round, community = answered
    with database.writing() as session:
        code_id = make_poster_code(session, session.get(Community, community.id)).id
        for code in (5, 4, 3, 1) * 5:
            make_response(session, survey_round, community, answers={"q01": code}, code_id=code_id)
    evaluation = freeze(database, survey_round)

    def rows():
        return sorted(
            line.split(",", 1)[1]
            for piece in export_responses(database, evaluation_id=evaluation.id, scope=EVERYWHERE, now=CLOSED)
            for line in piece.splitlines()
        )

    before = rows()
    assert erase(database, CLOSED).comments > 0

    assert len(before) > 20
    assert rows() == before


def test_a_second_pass_erases_nothing_and_what_was_done_is_on_record(database, answered):
    freeze(database, answered[0])
    for now in (CLOSED, OVER):
        assert erase(database, now) != NOTHING
        assert erase(database, now) == NOTHING

    with database.reading() as session:
        done = session.scalars(select(AuditEvent.action).where(AuditEvent.actor == "site")).all()
    assert done == ["household_links_removed", "comments_erased", "responses_erased"]


@pytest.mark.usefixtures("two_rows_at_once")
def test_what_many_transactions_erase_is_on_record_once_with_its_sum(database, answered):
    freeze(database, answered[0])

    assert erase(database, CLOSED) == ErasedCounts(household_links=4, comments=4)

    with database.reading() as session:
        statement = select(AuditEvent.action, AuditEvent.after).where(AuditEvent.actor == "site")
        assert session.execute(statement).all() == [
            ("household_links_removed", '{"responses":4}'),
            ("comments_erased", '{"responses":4}'),
        ]
        assert session.scalars(select(ErasureCount)).all() == []


def test_what_a_pass_has_erased_before_it_died_is_on_record_after_the_next(database, answered, monkeypatch):
    freeze(database, answered[0])

    def die(*_arguments, **_named):
        raise RuntimeError("killed")

    with monkeypatch.context() as patch:
        patch.setattr(retention, "record_erasures", die)
        with pytest.raises(RuntimeError, match="killed"):
            erase(database, CLOSED)
    assert erase(database, CLOSED) == NOTHING

    with database.reading() as session:
        done = session.scalars(select(AuditEvent.action).where(AuditEvent.actor == "site")).all()
    assert done == ["household_links_removed", "comments_erased"]


def steps_of(work):
    """Return how many thousand steps SQLite takes for the work, whatever the machine does besides."""
    steps = []

    def count(connection, _record, _proxy):
        connection.set_progress_handler(lambda: steps.append(1) or 0, 1000)

    event.listen(Pool, "checkout", count)
    try:
        work()
    finally:
        event.remove(Pool, "checkout", count)
    return len(steps)


def test_an_hour_in_which_nothing_is_due_costs_the_same_however_many_answers_are_kept(sqlite_database):
    database, costs = sqlite_database, []
    with database.writing() as session:
        survey_round, communities = make_round(session), [make_community(session) for _ in range(3)]
        make_evaluation(session, survey_round)
        poster = make_poster_code(session, communities[0]).id
    examine_and_erase(database, now=CLOSED)

    for answers in (20, 2000):
        with database.writing() as session:
            for number in range(answers):
                make_response(session, survey_round, communities[number % 3], code_id=poster)
        costs.append(steps_of(lambda: examine_and_erase(database, now=CLOSED)))

    assert costs[1] <= costs[0] + 3


def test_what_is_erased_is_looked_for_as_rows_lie_and_not_row_by_row_through_an_index(sqlite_database):
    searches = []

    def note(_connection, _cursor, statement, parameters, *_rest):
        if statement.startswith("SELECT response.id \n") and "ORDER BY response.id" in statement:
            searches.append((statement, parameters))

    with sqlite_database.writing() as session:
        survey_round = make_round(session, responses_kept_until=KEPT_UNTIL)
        make_response(session, survey_round, make_community(session))
        make_evaluation(session, survey_round)
    event.listen(Engine, "before_cursor_execute", note)
    try:
        erase(sqlite_database, OVER)
    finally:
        event.remove(Engine, "before_cursor_execute", note)
    with sqlite_database.reading() as session:
        connection = session.connection()
        steps = [connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {search}", sent).all() for search, sent in searches]

    # Households, texts, and at last everything.
    assert len(steps) == 3
    assert all(len(found) == 1 and "INTEGER PRIMARY KEY" in found[0].detail for found in steps)


def test_on_the_last_day_answers_are_kept_and_after_it_they_are_gone_but_not_the_result(database, answered):
    survey_round, _community = answered
    evaluation = freeze(database, survey_round)
    erase(database, CLOSED)
    # Still the last day in the city, eight hours ahead.
    assert erase(database, OVER.replace(month=3, day=31, hour=15)) == NOTHING

    assert erase(database, OVER.replace(month=3, day=31, hour=17)).responses == 4

    assert {(row.answers, row.tenure, row.nonce) for row in responses(database)} == {(None, None, None)}
    with database.reading() as session:
        assert verify_evaluation(session, evaluation.id).is_same
    with pytest.raises(RoundErased):
        evaluate_round(database, round_id=survey_round.id, now=OVER)
    with database.reading() as session:
        assert session.scalars(select(Evaluation.id)).all() == [evaluation.id]


def test_answers_go_on_the_stated_day_even_if_nobody_evaluated_them(database, answered):
    assert erase(database, OVER) == ErasedCounts(responses=4)
    assert {(row.household_key, row.answers) for row in responses(database)} == {(None, None)}
    assert erase(database, OVER) == NOTHING
    assert answered[0].responses_kept_until == KEPT_UNTIL


@given(sent=st.lists(SENT, max_size=14))
@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_no_count_and_no_status_changes_when_the_links_are_removed_whoever_is_ranked(database, sent):
    with database.writing() as session:
        session.execute(delete(Response))
        move_rounds_aside(session)
        survey_round = make_round(session)
        communities = [make_community(session), make_community(session)]
        store(session, survey_round, communities, make_poster_code(session, communities[0]), sent)
        make_evaluation(session, survey_round)
        before = counts_and_statuses(session, survey_round)

    erase_expired(database, by="site", now=CLOSED)

    with database.writing() as session:
        assert counts_and_statuses(session, survey_round) == before
        assert session.scalars(select(Response.household_key).where(Response.household_key.is_not(None))).all() == []
        session.execute(delete(Response))


def counts_and_statuses(session, survey_round):
    found = {}
    for population in ("owners", "residents"):
        status = status_of_response(population, before=CUT_OFF)
        counts = recount(session, survey_round, population, CUT_OFF)
        found[population] = (dict(session.execute(select(Response.id, status)).all()), counts.fillna(-1).to_dict())
    return found
