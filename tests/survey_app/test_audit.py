from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import pytest
from sqlalchemy import event, func, insert, select, text
from sqlalchemy.exc import DBAPIError, IntegrityError
from sqlalchemy.orm import Session

from survey_app import audit
from survey_app.audit import OPERATOR, ChainFault, ChainHead, head, record, verify_chain
from survey_app.models import AuditEvent, District
from survey_app.models.vocabulary import AuditAction
from tests.factories import NOW, make_district


def note(session, *, subject="account:1", **facts):
    record(session, by=OPERATOR, action=AuditAction.SIGNED_IN, subject=subject, now=NOW, **facts)


def note_each(database, number):
    for position in range(1, number + 1):
        with database.writing() as session:
            note(session, subject=f"account:{position}", before={"role": "clerk"}, after={"role": "city"})


def faults(database, **arguments):
    with database.reading() as session:
        return list(verify_chain(session, **arguments))


def current_head(database):
    with database.reading() as session:
        return head(session)


def tamper(database, *statements):
    """Change rows as somebody would who owns the database: without the triggers that refuse it."""
    with database.engine.begin() as connection:
        if database.is_postgresql:
            connection.execute(text("ALTER TABLE audit_event DISABLE TRIGGER ALL"))
        else:
            connection.execute(text("DROP TRIGGER audit_event_refuses_update"))
            connection.execute(text("DROP TRIGGER audit_event_refuses_delete"))
        for statement in statements:
            connection.execute(text(statement))


def test_each_event_follows_from_the_one_before_it(database):
    note_each(database, 3)

    assert faults(database) == []
    assert current_head(database).position == 3
    with database.reading() as session:
        rows = session.scalars(select(AuditEvent).order_by(AuditEvent.position)).all()
        assert [row.previous_hash for row in rows] == ["0" * 64, rows[0].hash, rows[1].hash]
        assert (rows[0].actor, rows[0].action, rows[0].subject) == ("operator", "signed_in", "account:1")
        assert (rows[0].before, rows[0].after, rows[0].happened_at) == ('{"role":"clerk"}', '{"role":"city"}', NOW)


def test_events_of_one_transaction_keep_their_order(database):
    with database.writing() as session:
        for number in (3, 1, 2):
            note(session, subject=f"account:{number}")

    with database.reading() as session:
        subjects = session.scalars(select(AuditEvent.subject).order_by(AuditEvent.position)).all()
    assert subjects == ["account:3", "account:1", "account:2"]
    assert faults(database) == []


def test_an_action_that_is_rolled_back_leaves_no_event(database):
    def act_and_fail():
        with database.writing() as session:
            note(session)
            raise RuntimeError("after the action")

    with pytest.raises(RuntimeError):
        act_and_fail()

    assert current_head(database).position == 0


def test_a_session_that_was_rolled_back_and_goes_on_notes_only_what_follows(database):
    with Session(database.engine) as session:
        note(session, subject="account:1")
        session.connection()
        session.rollback()
        note(session, subject="account:2")
        session.commit()

    with database.reading() as session:
        assert session.scalars(select(AuditEvent.subject)).all() == ["account:2"]


def test_an_event_that_cannot_be_written_takes_its_action_back(database, monkeypatch):
    def break_down(*_arguments):
        raise OSError("no space left on device")

    monkeypatch.setattr(audit, "_hash", break_down)

    def act():
        with database.writing() as session:
            make_district(session)
            note(session)

    with pytest.raises(OSError, match="no space"):
        act()

    with database.reading() as session:
        assert session.scalar(select(func.count()).select_from(District)) == 0


def test_an_event_within_a_savepoint_is_refused(database):
    with database.writing() as session, session.begin_nested(), pytest.raises(RuntimeError, match="whole transaction"):
        note(session)


def test_a_savepoint_that_ends_does_not_yet_take_the_lock(postgresql_database):
    statements = []

    @event.listens_for(postgresql_database.engine, "before_cursor_execute")
    def listen(_connection, _cursor, statement, *_rest):
        statements.append(statement)

    with postgresql_database.writing() as session:
        note(session)
        with session.begin_nested():
            make_district(session)
        session.execute(select(func.count()).select_from(District))
        make_district(session)

    kinds = [statement.split()[0] for statement in statements]
    locked = next(place for place, statement in enumerate(statements) if "pg_advisory_xact_lock" in statement)
    assert "audit_event" in statements[-1]
    # After the lock nothing but reading the head and adding the event.
    assert kinds[locked:] == ["SELECT", "SELECT", "INSERT"]


def test_transactions_that_commit_together_make_one_chain(database):
    together = Barrier(6)

    def act(number):
        together.wait()
        with database.writing() as session:
            make_district(session, name=f"区{number}")
            note(session, subject=f"district:{number}")

    with ThreadPoolExecutor(6) as threads:
        list(threads.map(act, range(18)))

    assert current_head(database).position == 18
    assert faults(database) == []


def test_the_database_refuses_a_fork(database):
    note_each(database, 2)
    with database.reading() as session:
        first = session.get_one(AuditEvent, 1)
        values = {column.name: getattr(first, column.name) for column in AuditEvent.__table__.columns}

    fork = values | {"position": 3, "hash": "f" * 64}
    with pytest.raises(IntegrityError, match="previous_hash"), database.writing() as session:
        session.execute(insert(AuditEvent), fork)


@pytest.mark.parametrize("statement", ["UPDATE audit_event SET actor = 'nobody'", "DELETE FROM audit_event"])
def test_the_database_refuses_to_change_the_past(database, statement):
    note_each(database, 1)

    with pytest.raises(DBAPIError, match="frozen"), database.writing() as session:
        session.execute(text(statement))

    assert faults(database) == []


@pytest.mark.parametrize(
    "change",
    [
        "actor = 'account:9'",
        "action = 'signed_out'",
        "subject = 'account:9'",
        'after = \'{"role":"clerk"}\'',
        "before = NULL",
        "happened_at = '2020-01-01 00:00:00'",
    ],
)
def test_a_changed_event_is_found(database, change):
    note_each(database, 3)
    tamper(database, f"UPDATE audit_event SET {change} WHERE position = 2")

    assert faults(database) == [(2, ChainFault.CHANGED)]


def test_an_event_that_was_changed_with_its_hash_is_found_by_the_next_one(database):
    note_each(database, 3)
    with database.reading() as session:
        second = session.get_one(AuditEvent, 2)
        second.actor = "account:9"
        forged = audit._hash(2, second.previous_hash, second)
        session.expunge_all()
    tamper(database, f"UPDATE audit_event SET actor = 'account:9', hash = '{forged}' WHERE position = 2")

    assert faults(database) == [(3, ChainFault.UNLINKED)]


def test_a_deleted_event_is_found(database):
    note_each(database, 3)
    tamper(database, "DELETE FROM audit_event WHERE position = 2")

    assert faults(database) == [(3, ChainFault.MISSING)]


def test_events_that_changed_places_are_found(database):
    note_each(database, 3)
    tamper(
        database,
        "UPDATE audit_event SET position = 9 WHERE position = 2",
        "UPDATE audit_event SET position = 2 WHERE position = 3",
        "UPDATE audit_event SET position = 3 WHERE position = 9",
    )

    assert faults(database) == [
        (2, ChainFault.UNLINKED),
        (2, ChainFault.CHANGED),
        (3, ChainFault.UNLINKED),
        (3, ChainFault.CHANGED),
    ]


def test_an_end_that_was_cut_off_is_found_with_a_kept_head(database):
    note_each(database, 3)
    kept = current_head(database)
    tamper(database, "DELETE FROM audit_event WHERE position = 3")

    assert faults(database) == []
    assert faults(database, kept=kept) == [(3, ChainFault.CUT_OFF)]


def test_a_chain_that_was_made_anew_is_found_with_a_kept_head(database):
    note_each(database, 3)
    kept = current_head(database)
    tamper(database, "DELETE FROM audit_event WHERE position > 1")
    with database.writing() as session:
        note(session)
        note(session)

    assert faults(database) == []
    assert faults(database, kept=kept) == [(3, ChainFault.REWRITTEN)]


def test_a_chain_that_went_on_still_holds_the_kept_head(database):
    note_each(database, 2)
    kept = current_head(database)
    note_each(database, 2)

    assert faults(database, kept=kept) == []


@pytest.mark.parametrize("wrong", ["", "12", "12:abc", "x:" + "0" * 64])
def test_a_head_that_is_none_is_refused(wrong):
    with pytest.raises(ValueError, match="a head looks like"):
        ChainHead.parse(wrong)


def test_a_head_is_read_as_it_was_written():
    written = ChainHead(12, "a" * 64)

    assert ChainHead.parse(f"{written}\n") == written
