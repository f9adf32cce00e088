"""Failed tries are counted by their source before the secret is looked at, and a success forgives its own alone."""

import logging
from datetime import timedelta
from functools import partial

import pytest
from sqlalchemy import func, select

from survey_app.accounts.attempt_budgets import EVERYWHERE, PREFIX, SUBJECT, Budget, Limit
from survey_app.accounts.attempt_limits import (
    LONGEST_KEPT,
    Source,
    TooManyAttempts,
    count_attempt,
    erase_expired_attempts,
    forgive_failures,
    pressures,
    take_turn,
)
from survey_app.accounts.policies import PUBLIC, policy
from survey_app.models import AttemptCount
from survey_app.models.vocabulary import AttemptScope
from tests.factories import NOW
from tests.together import all_at_once

KEY = "only for tests: 7f3c9a1e5b8d2046"
SECOND, MINUTE = timedelta(seconds=1), timedelta(minutes=1)
FEW = Budget(free=5, step=MINUTE, longest=5 * MINUTE, forgiven_each=5 * MINUTE)
LIMIT = Limit(action="case_secret", line=FEW, subject=SUBJECT, proven=FEW)
NUMBERS = Limit(action="number", line=FEW)
HERE, THERE = Source("line 1", "prefix 1"), Source("line 2", "prefix 2")


def try_once(database, *, limit=LIMIT, source=HERE, subject="case 1", proof=None, now=NOW):
    return count_attempt(database, limit=limit, source=source, subject=subject, proof=proof, secret_key=KEY, now=now)


def fail(database, times, **arguments):
    for _ in range(times):
        try_once(database, **arguments)


def succeed(database, *, now=NOW, **arguments):
    counted = try_once(database, now=now, **arguments)
    with database.writing() as session:
        forgive_failures(session, counted, now=now)


def is_allowed(database, **arguments):
    try:
        try_once(database, **arguments)
    except TooManyAttempts:
        return False
    return True


def stored(database):
    with database.reading() as session:
        return session.scalar(select(func.count()).select_from(AttemptCount))


def failures(database, scope):
    with database.reading() as session:
        return sum(session.scalars(select(AttemptCount.failures).filter_by(scope=scope)))


def test_after_its_free_failures_a_line_waits_as_long_as_it_is_told(database):
    fail(database, 5)

    with pytest.raises(TooManyAttempts) as refused:
        try_once(database)

    assert refused.value.retry_at == NOW + MINUTE
    assert refused.value.headers == {"Retry-After": "60"}
    assert not is_allowed(database, now=NOW + MINUTE - SECOND)
    assert is_allowed(database, now=NOW + MINUTE)


def test_a_refused_try_makes_nobody_wait_for_longer(database):
    fail(database, 5)

    for second in range(0, 60, 5):
        assert not is_allowed(database, now=NOW + timedelta(seconds=second))
    assert is_allowed(database, now=NOW + MINUTE)


def test_lines_and_actions_are_counted_apart_and_subjects_of_one_line_together(database):
    fail(database, 5)

    assert not is_allowed(database)
    assert not is_allowed(database, subject="case 2")
    assert is_allowed(database, source=THERE)
    assert is_allowed(database, source=Source("line 3", "prefix 1"))
    assert is_allowed(database, limit=NUMBERS)


def test_who_has_proved_it_before_has_tries_that_strangers_do_not_use_up(database):
    fail(database, 5)
    proven = partial(is_allowed, database, proof="device 1")

    assert [proven() for _ in range(6)] == [True] * 5 + [False]
    assert is_allowed(database, proof="device 2")
    assert proven(subject="case 2")
    assert is_allowed(database, source=THERE)


def test_a_success_forgives_what_its_source_failed_on_this_subject_and_nothing_else(database):
    fail(database, 2)
    fail(database, 2, subject="case 2")
    fail(database, 3, source=THERE)

    succeed(database)

    assert failures(database, AttemptScope.LINE) == 2 + 3
    assert failures(database, AttemptScope.SUBJECT) == 2 + 3
    assert failures(database, AttemptScope.PREFIX) == 2 + 3
    assert failures(database, AttemptScope.EVERYWHERE) == 2 + 2 + 3
    assert [is_allowed(database) for _ in range(4)] == [True] * 3 + [False]


def test_one_right_number_does_not_forgive_the_wrong_ones_before_it(database):
    fail(database, 4, limit=NUMBERS, subject=None)
    succeed(database, limit=NUMBERS, subject=None)

    assert failures(database, AttemptScope.LINE) == 4
    assert [is_allowed(database, limit=NUMBERS, subject=None) for _ in range(2)] == [True, False]


def test_a_success_on_a_crowded_line_does_not_lengthen_the_wait_of_the_others(database):
    fail(database, 7, limit=Limit(action="number", line=Budget(**vars(FEW) | {"free": 7})))
    wide = Limit(action="number", line=FEW)
    with pytest.raises(TooManyAttempts) as before:
        try_once(database, limit=wide)
    later = before.value.retry_at
    succeed(database, limit=wide, subject=None, now=later)

    assert is_allowed(database, limit=wide, subject=None, now=later + SECOND)


def test_a_try_stays_counted_when_what_followed_was_rolled_back(database):
    def fail_after(counted):
        with database.writing() as session:
            forgive_failures(session, counted, now=NOW)
            raise RuntimeError("the secret was wrong")

    for _ in range(5):
        counted = try_once(database)
        with pytest.raises(RuntimeError):
            fail_after(counted)

    assert not is_allowed(database)


@pytest.mark.parametrize("same", ["line", "subject"])
def test_tries_that_arrive_together_do_not_pass_the_budget(database, same):
    ceiling = Limit(action="code", ceiling=FEW)

    def try_from(number):
        source = HERE if same == "line" else Source(f"line {number}", f"prefix {number}")
        return is_allowed(database, limit=LIMIT if same == "line" else ceiling, source=source)

    assert sum(all_at_once(try_from, range(8))) == 5


def test_tries_on_different_subjects_pass_in_parallel(postgresql_database):
    database = postgresql_database
    fail(database, 1)
    with database.writing() as session:
        # Another try that has been counted and is not committed yet.
        session.scalars(select(AttemptCount).filter_by(scope=AttemptScope.EVERYWHERE).with_for_update()).one()

        assert is_allowed(database, source=THERE, subject="case 2")


def test_one_network_alone_makes_neither_a_subject_nor_the_city_wait(database):
    for number in range(PREFIX.free):
        try_once(database, source=Source(f"line {number}", "a rented network"), subject=f"case {number % 9}")
    before = failures(database, AttemptScope.SUBJECT), failures(database, AttemptScope.EVERYWHERE)

    for number in range(9):
        source, now = Source(f"other {number}", "a rented network"), NOW + timedelta(seconds=number)
        with pytest.raises(TooManyAttempts) as told:
            try_once(database, source=source, now=now)
        assert is_allowed(database, source=source, now=told.value.retry_at)

    assert failures(database, AttemptScope.PREFIX) > PREFIX.free + 7
    assert (failures(database, AttemptScope.SUBJECT), failures(database, AttemptScope.EVERYWHERE)) == before


def test_whatever_is_tried_and_refused_leaves_no_rows(database):
    fail(database, 5)
    before = stored(database)

    for _ in range(20):
        assert not is_allowed(database)

    assert stored(database) == before


def test_what_no_longer_counts_is_cleared_away(database):
    for number in range(20):
        try_once(database, source=Source(f"line {number}", f"prefix {number}"), subject=f"case {number}")
    assert stored(database) > 20

    try_once(database, now=NOW + LONGEST_KEPT)
    assert stored(database) == 5
    with database.writing() as session:
        assert erase_expired_attempts(session, now=NOW + 2 * LONGEST_KEPT) == 5
    assert stored(database) == 0


def test_nothing_made_of_an_address_is_kept_for_longer_than_a_day(database):
    slow = Budget(free=5, step=MINUTE, longest=timedelta(days=9), forgiven_each=timedelta(days=9))
    fail(database, 5, limit=Limit(action="code", line=slow))

    with database.reading() as session:
        assert session.scalar(select(func.max(AttemptCount.expires_at))) <= NOW + LONGEST_KEPT


def test_the_database_holds_no_readable_source_or_subject(database):
    try_once(database, source=Source("203.0.113.7", "203.0.113.0/24"), subject="13800138000")

    with database.reading() as session:
        keys = " ".join(session.scalars(select(AttemptCount.key)))
    assert not any(text in keys for text in ("13800138000", "203.0.113"))


def test_many_failures_in_the_city_slow_strangers_and_are_told_to_the_log_and_the_administrator(database, caplog):
    few = Limit(action="number", everywhere=Budget(**vars(EVERYWHERE) | {"free": 3}))
    with caplog.at_level(logging.WARNING), database.writing() as session:
        assert pressures(session, now=NOW) == []
    for number in range(3):
        try_once(database, limit=few, source=Source(f"line {number}", f"prefix {number}"))
    with pytest.raises(TooManyAttempts):
        try_once(database, limit=few, source=Source("line 9", "prefix 9"))
    with database.writing() as session:
        session.query(AttemptCount).filter_by(scope=AttemptScope.EVERYWHERE).update({"failures": EVERYWHERE.free + 9})
        session.query(AttemptCount).filter_by(scope=AttemptScope.PREFIX).update({"failures": PREFIX.free + 9})

    assert [(record.msg, record.action) for record in caplog.records] == [("many tries failed", "number")]
    with database.reading() as session:
        (pressure,) = pressures(session, now=NOW)
    assert (pressure.action, pressure.failures, pressure.slowed_prefixes) == ("number", EVERYWHERE.free + 9, 3)
    assert pressure.wait > timedelta(0)


def test_turns_are_taken_of_all_sources_or_of_none(database):
    def take(line, prefix, now=NOW):
        with database.writing() as session:
            budgets = {line: FEW, prefix: Budget(**vars(FEW) | {"free": 6})}
            return take_turn(session, action="support", budgets=budgets, secret_key=KEY, now=now)

    assert [take("line 1", "prefix") for _ in range(6)] == [True] * 5 + [False]
    assert [take("line 2", "prefix") for _ in range(2)] == [True, False]
    assert [take("line 2", "other") for _ in range(5)] == [True] * 4 + [False]
    assert take("line 1", "prefix", now=NOW + FEW.forgiven_each)


def test_the_refusal_is_a_page_that_says_when_to_come_back(app):
    view = policy(PUBLIC)(lambda: try_once(app.extensions["jiayuan"].database) and "ok")
    app.add_url_rule("/try", "try", view)
    client = app.test_client()
    for _ in range(5):
        assert client.get("/try").status_code == 200

    answer = client.get("/try?lang=en")

    assert answer.status_code == 429
    assert answer.headers["Retry-After"] == "60"
    assert "try again in 60 seconds" in answer.text
