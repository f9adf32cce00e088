from datetime import timedelta

import pytest
from sqlalchemy import select

from survey_app.models import AuditEvent, Round
from survey_app.round_changes import RoundChangeRefused, close_round_early, drop_round
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


def test_a_round_that_is_not_there_is_a_lookup_error(database):
    with database.writing() as session, pytest.raises(LookupError, match="no round 77"):
        close_round_early(session, round_id=77, reason="停电", now=NOW)
