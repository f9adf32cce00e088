import pytest
from sqlalchemy import event, func, select

from survey_app.storage.advisory_locks import AdvisoryLock, lock_until_commit

# As many numbers as PostgreSQL takes for a lock: one of 64 bits, or two of 32.
WHOLE_KEYS = {
    AdvisoryLock.EVALUATION: (0x4A59, 1),
    AdvisoryLock.AUDIT_CHAIN: (0x4A59, 0),
    AdvisoryLock.FIRST_ACCOUNT: (0x4A59, -1),
    AdvisoryLock.PUBLICATION: (0x4A5A, 1),
    AdvisoryLock.SCHEDULED_JOBS: (0x4A5B,),
    AdvisoryLock.REGISTER: (0x4A5C,),
    AdvisoryLock.TALLIES: (0x4A5D,),
    AdvisoryLock.HOUSEHOLD: (0x4A5E, 2**31 - 1),
    AdvisoryLock.ROUND_DATES: (0x4A5F,),
    AdvisoryLock.CALENDAR: (0x4A60, 2027),
    AdvisoryLock.HOTLINE: (0x4A61,),
    AdvisoryLock.CALL_BACKS: (0x4A62,),
    AdvisoryLock.CALL_BACK: (0x4A63, 2**31 - 1),
    AdvisoryLock.ATTEMPT: (2**63 - 1,),
}


def of_lock(lock):
    rest = WHOLE_KEYS[lock][len(lock.value) :]
    return rest[0] if rest else None


def is_free(database, key):
    with database.engine.connect() as connection:
        return connection.scalar(select(func.pg_try_advisory_xact_lock(*key)))


def test_no_two_locks_have_the_same_numbers():
    assert set(WHOLE_KEYS) == set(AdvisoryLock)
    assert len(set(WHOLE_KEYS.values())) == len(AdvisoryLock)


@pytest.mark.postgresql
@pytest.mark.parametrize("lock", AdvisoryLock)
def test_a_lock_is_held_until_the_commit_and_holds_up_no_other(postgresql_database, lock):
    with postgresql_database.writing() as session:
        lock_until_commit(session, lock, of=of_lock(lock))

        held = {other for other, key in WHOLE_KEYS.items() if not is_free(postgresql_database, key)}

    assert held == {lock}
    assert is_free(postgresql_database, WHOLE_KEYS[lock])


def test_on_sqlite_nothing_is_asked_of_the_database(sqlite_database):
    statements = []
    with sqlite_database.writing() as session:
        session.connection()
        event.listen(sqlite_database.engine, "before_cursor_execute", lambda *call: statements.append(call[2]))

        lock_until_commit(session, AdvisoryLock.EVALUATION, of=1)

        assert statements == []
