"""Recurring work is done when its time has come, once, whatever fails and however many look after it."""

from datetime import datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import select

from survey_app.models import ChoreRun, IntegrityExamination, Response
from survey_app.operations.scheduled_jobs import CHORES, Chore, do_due_chores, is_due, keep_doing_chores
from survey_app.responses.device_digests import KEPT_FOR
from tests.factories import NOW, make_community, make_response, make_round

HOUR, DAY = timedelta(hours=1), timedelta(days=1)
BEIJING = timezone(timedelta(hours=8))
MOMENTS = st.integers(0, 400 * 24 * 60).map(lambda minutes: NOW + timedelta(minutes=minutes))


def nothing(_database, _now):
    pass


HOURLY, NIGHTLY = Chore("hourly", nothing), Chore("nightly", nothing, hour=3)


def runs(database):
    with database.reading() as session:
        return {run.chore: run for run in session.scalars(select(ChoreRun))}


@pytest.mark.parametrize(
    ("chore", "begun", "now", "expected"),
    [
        (HOURLY, "10:59", "11:00", True),
        (HOURLY, "11:00", "11:59", False),
        (HOURLY, "07:13", "11:59", True),
        (NIGHTLY, "02:59", "03:00", True),
        (NIGHTLY, "03:00", "23:59", False),
        (HOURLY, "11:30", "11:10", True),  # the clock was set back
    ],
)
def test_a_chore_is_due_when_its_hour_has_struck_since_it_was_begun(chore, begun, now, expected):
    moments = [datetime.fromisoformat(f"2026-09-10T{clock}+08:00") for clock in (begun, now)]

    assert is_due(chore, moments[0], now=moments[1], zone=BEIJING) is expected


@given(begun_at=MOMENTS, chore=st.sampled_from([HOURLY, NIGHTLY]))
def test_a_chore_is_never_due_again_at_the_moment_it_is_begun_and_always_after_its_period(begun_at, chore):
    period = HOUR if chore is HOURLY else DAY

    assert is_due(chore, None, now=begun_at, zone=BEIJING)
    assert not is_due(chore, begun_at, now=begun_at, zone=BEIJING)
    assert is_due(chore, begun_at, now=begun_at + period, zone=BEIJING)


def test_what_is_due_is_done_once_and_noted(database):
    assert do_due_chores(database, now=NOW) == [chore.name for chore in CHORES]
    assert do_due_chores(database, now=NOW) == []
    assert {run.done_at for run in runs(database).values()} == {NOW}


def test_a_chore_that_fails_holds_up_no_other_and_is_tried_again_at_its_next_time(database):
    def fail(_database, now):
        if now == NOW:
            raise ZeroDivisionError("13812345678")

    chores = [Chore("broken", fail), HOURLY]

    assert do_due_chores(database, now=NOW, chores=chores) == ["broken", "hourly"]
    broken = runs(database)["broken"]
    assert (broken.begun_at, broken.done_at, broken.failure) == (NOW, None, "ZeroDivisionError")

    do_due_chores(database, now=NOW + HOUR, chores=chores)
    broken = runs(database)["broken"]
    assert (broken.done_at, broken.failure) == (NOW + HOUR, None)


def test_while_one_is_at_it_nobody_else_begins(database):
    begun_meanwhile = []

    def look_again(database, now):
        begun_meanwhile.extend(do_due_chores(database, now=now + DAY, chores=[HOURLY]))

    assert do_due_chores(database, now=NOW, chores=[Chore("long", look_again)]) == ["long"]
    assert begun_meanwhile == []
    assert do_due_chores(database, now=NOW, chores=[HOURLY]) == ["hourly"]


def test_chores_outlive_a_database_that_is_away_for_a_while(database):
    times = iter([None, NOW])  # the first look fails
    go_on = iter([True, False])

    keep_doing_chores(database, clock=lambda: next(times), wait=lambda _seconds: next(go_on))

    assert {run.done_at for run in runs(database).values()} == {NOW}


def test_answers_are_examined_and_addresses_erased_without_anybody_asking(database):
    with database.writing() as session:
        survey_round = make_round(session)
        make_response(
            session, survey_round, make_community(session), terminal_digest="1" * 64, submitted_at=NOW - KEPT_FOR,
            started_at=NOW - KEPT_FOR,
        )  # fmt: skip

    do_due_chores(database, now=NOW)

    with database.reading() as session:
        assert session.scalars(select(Response.terminal_digest)).all() == [None]
        assert session.scalars(select(IntegrityExamination.round_id)).all() == [survey_round.id]
