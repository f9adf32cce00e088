import json
from datetime import UTC, date, datetime, timedelta

import pytest
from sqlalchemy import select

from survey_app.models import AuditEvent, Round
from survey_app.rounds.round_changes import RoundChangeRefused, close_round_early, drop_round, move_round
from survey_app.rounds.rounds import RoundRefused
from tests.factories import NOW, make_community, make_round, make_slip


@pytest.fixture
def open_round(database):
    with database.writing() as session:
        return make_round(session)


@pytest.fixture
def planned_round(database):
    with database.writing() as session:
        return make_round(session, opens_at=NOW + timedelta(days=5), accepts_households=True)


def close(database, survey_round, *, reason="停电", now=NOW):
    with database.writing() as session:
        close_round_early(session, round_id=survey_round.id, reason=reason, by="account:7", now=now)


def drop(database, survey_round, *, now=NOW):
    with database.writing() as session:
        drop_round(session, round_id=survey_round.id, by="account:7", now=now)


def move(database, survey_round, opens_on, closes_on, *, kept_until=date(2027, 12, 31), now=NOW):
    dates = {"opens_on": opens_on, "closes_on": closes_on, "responses_kept_until": kept_until}
    with database.writing() as session:
        move_round(session, round_id=survey_round.id, **dates, by="account:7", now=now)


def stored(database, survey_round):
    with database.reading() as session:
        return session.get(Round, survey_round.id)


def events(database):
    with database.reading() as session:
        chosen = select(AuditEvent).where(AuditEvent.subject.startswith("round:"))
        return [(event.actor, event.action, event.before, event.after) for event in session.scalars(chosen)]


def test_a_round_that_is_closed_early_ends_now_and_keeps_the_reason(database, open_round):
    close(database, open_round, reason=" 停电 ")

    closed = stored(database, open_round)
    assert (closed.closes_at, closed.closed_early_because) == (NOW, "停电")
    [(actor, action, before, after)] = events(database)
    assert (actor, action) == ("account:7", "round_closed_early")
    assert open_round.closes_at.isoformat() in before
    assert NOW.isoformat() in after
    assert "停电" not in after


@pytest.mark.parametrize(
    ("changes", "because"),
    [
        ({"reason": "  "}, "no_reason"),
        ({"now": NOW - timedelta(days=11)}, "not_open"),
        ({"now": NOW + timedelta(days=10)}, "not_open"),
    ],
)
def test_only_an_open_round_is_closed_early_and_only_for_a_reason(database, open_round, changes, because):
    with pytest.raises(RoundChangeRefused, match=because):
        close(database, open_round, **changes)

    assert stored(database, open_round).closes_at == open_round.closes_at
    assert events(database) == []


def test_a_round_that_has_not_opened_is_dropped(database, planned_round):
    drop(database, planned_round)

    assert stored(database, planned_round) is None
    assert [event[:2] for event in events(database)] == [("account:7", "round_dropped")]


def test_an_opened_round_is_not_dropped_even_without_answers(database, open_round):
    with pytest.raises(RoundChangeRefused, match="opened"):
        drop(database, open_round)


def test_a_round_that_something_belongs_to_is_not_dropped(database, planned_round):
    with database.writing() as session:
        make_slip(session, session.merge(planned_round), make_community(session))

    with pytest.raises(RoundChangeRefused, match="in_use"):
        drop(database, planned_round)

    assert stored(database, planned_round) is not None


def test_a_planned_round_is_moved_and_its_old_and_new_dates_are_on_record(database, planned_round):
    move(database, planned_round, date(2026, 11, 1), date(2026, 12, 1), kept_until=date(2027, 6, 30))

    moved = stored(database, planned_round)
    assert moved.opens_at == datetime(2026, 10, 31, 16, tzinfo=UTC)
    assert moved.closes_at == datetime(2026, 11, 30, 16, tzinfo=UTC)
    assert moved.responses_kept_until == date(2027, 6, 30)
    [(actor, action, before, after)] = events(database)
    assert (actor, action) == ("account:7", "round_moved")
    assert planned_round.opens_at.isoformat() in before
    assert json.loads(after) == {
        "opens_at": "2026-10-31T16:00:00+00:00",
        "closes_at": "2026-11-30T16:00:00+00:00",
        "kept_until": "2027-06-30",
    }


def test_a_round_may_be_moved_within_its_own_old_dates_and_staying_where_it_is_is_no_event(database, planned_round):
    for _ in range(2):
        move(database, planned_round, date(2026, 9, 22), date(2026, 9, 24))

    assert len(events(database)) == 1


def test_every_fault_of_new_dates_is_told_at_once(database, planned_round):
    with database.writing() as session:
        other = make_round(
            session, name="别的调查", opens_at=NOW - timedelta(days=90), closes_at=NOW - timedelta(days=60)
        )

    with pytest.raises(RoundRefused) as refused:
        move(database, planned_round, date(2026, 7, 9), date(2026, 7, 8), kept_until=date(2026, 7, 1))

    assert len({fault.message for fault in refused.value.faults}) == 5
    with pytest.raises(RoundRefused, match=other.name):
        move(database, planned_round, date(2026, 7, 1), date(2026, 12, 1))
    assert stored(database, planned_round).opens_at == planned_round.opens_at
    assert events(database) == []


def test_a_round_that_has_opened_or_has_printed_slips_is_not_moved(database, planned_round):
    dates = (date(2026, 11, 1), date(2026, 12, 1))
    with pytest.raises(RoundChangeRefused, match="opened"):
        move(database, planned_round, *dates, now=planned_round.opens_at)
    with database.writing() as session:
        make_slip(session, session.merge(planned_round), make_community(session))

    with pytest.raises(RoundChangeRefused, match="in_use"):
        move(database, planned_round, *dates)


def test_a_round_that_is_not_there_is_a_lookup_error(database):
    with database.writing() as session, pytest.raises(LookupError, match="no round 77"):
        close_round_early(session, round_id=77, reason="停电", now=NOW)
