import pytest
from sqlalchemy import delete, func, select, text

from survey_app.models import District, Response
from survey_app.storage import commit_cache as module
from survey_app.storage.commit_cache import CommitCache
from survey_app.storage.database import Database
from survey_app.storage.group_commit import Insertion, Writer
from tests.factories import make_community, make_district, make_response, make_round
from tests.together import all_at_once


class Count:
    """Counts districts, and how often it was asked to."""

    def __init__(self):
        self.looks = 0

    def __call__(self, session):
        self.looks += 1
        return session.scalar(select(func.count()).select_from(District))


@pytest.fixture
def count():
    return Count()


@pytest.fixture(autouse=True)
def frozen_clock(monkeypatch):
    class Clock:
        now = 1000.0

        def monotonic(self):
            return self.now

    clock = Clock()
    monkeypatch.setattr(module, "time", clock)
    return clock


def test_what_nobody_changed_is_read_once_on_sqlite(sqlite_database, count):
    cache = CommitCache(sqlite_database)

    assert [cache.get_or_read("districts", count) for _ in range(3)] == [0, 0, 0]
    assert count.looks == 1
    assert cache.cached_value("districts") == 0
    assert cache.cached_value("other") is None


def commit_here(database):
    with database.writing() as session:
        make_district(session)


def commit_in_a_group(database):
    writer = Writer(database)
    writer.start(max_pending=2)
    writer.run(make_district)
    writer.close()


def commit_elsewhere(database):
    with Database(database.url) as other:
        commit_here(other)


@pytest.mark.parametrize("commit", [commit_here, commit_in_a_group])
def test_a_commit_of_this_process_is_seen_at_once(database, count, commit):
    cache = CommitCache(database)
    assert cache.get_or_read("districts", count) == 0

    commit(database)

    assert cache.cached_value("districts") is None
    assert cache.get_or_read("districts", count) == 1


def test_a_commit_of_another_process_is_seen_at_once_on_sqlite(sqlite_database, count):
    cache = CommitCache(sqlite_database)
    cache.get_or_read("districts", count)

    commit_elsewhere(sqlite_database)

    assert cache.get_or_read("districts", count) == 1


@pytest.mark.postgresql
def test_a_commit_of_another_process_is_seen_within_a_second_on_postgresql(postgresql_database, count, frozen_clock):
    cache = CommitCache(postgresql_database)
    frozen_clock.now += 0.999
    cache.get_or_read("districts", count)

    commit_elsewhere(postgresql_database)
    frozen_clock.now += 0.001

    assert cache.cached_value("districts") is None
    assert cache.get_or_read("districts", count) == 1


@pytest.mark.postgresql
def test_a_commit_whose_outcome_nobody_knows_is_taken_for_one(postgresql_database, count):
    cache = CommitCache(postgresql_database)
    cache.get_or_read("districts", count)

    with pytest.raises(LookupError), postgresql_database.writing():
        raise LookupError

    assert cache.cached_value("districts") is None


def response_row(database):
    """Return the table of responses and one of its rows, which is not stored."""
    with database.writing() as session:
        stored = make_response(session, make_round(session), make_community(session))
        row = dict(session.execute(select(Response.__table__).where(Response.id == stored.id)).mappings().one())
        session.execute(delete(Response))
    del row["id"]
    return Response.__table__, row


def test_rows_on_which_nothing_cached_depends_leave_it_in_the_cache(database, count):
    table, row = response_row(database)
    cache, writer = CommitCache(database), Writer(database)
    writer.start(max_pending=2)
    cache.get_or_read("districts", count)

    try:
        assert writer.insert_once(Insertion(table), row)
    finally:
        writer.close()

    assert cache.cached_value("districts") is not None
    with database.reading() as session:
        assert session.scalar(select(func.count()).select_from(Response)) == 1


def test_what_others_commit_is_seen_beside_such_rows(sqlite_database, count):
    """Before them, between them, and while they wait for their turn."""
    cache = CommitCache(sqlite_database)

    for number in range(3):
        assert cache.get_or_read("districts", count) == 2 * number
        commit_elsewhere(sqlite_database)
        with sqlite_database.writing(keeps_version=True):
            pass
        assert cache.get_or_read("districts", count) == 2 * number + 1
        with sqlite_database.writing(keeps_version=True):
            pass
        commit_elsewhere(sqlite_database)


def test_while_such_rows_are_committed_the_cache_answers(sqlite_database, count):
    cache = CommitCache(sqlite_database)
    cache.get_or_read("districts", count)

    with sqlite_database.writing(keeps_version=True) as session:
        session.execute(text("UPDATE round SET name = name"))
        assert cache.cached_value("districts") == 0

    assert cache.cached_value("districts") == 0


def test_a_crowd_that_asks_for_the_same_reads_it_once(database):
    cache, looks = CommitCache(database), []

    def look(session):
        looks.append(1)
        return session.scalar(select(func.count()).select_from(District))

    assert all_at_once(lambda _: cache.get_or_read("districts", look), range(8)) == [0] * 8
    assert len(looks) == 1


def test_whoever_waits_for_a_read_that_is_stuck_reads_by_itself(sqlite_database, count, monkeypatch):
    monkeypatch.setattr(module, "_SECONDS_FOR_A_TURN", 0.01)
    cache = CommitCache(sqlite_database)

    def read_and_be_stuck(session):
        return cache.get_or_read("districts", count) + count(session)

    assert cache.get_or_read("districts", read_and_be_stuck) == 0
    assert count.looks == 2


def test_what_is_committed_while_reading_is_never_missed(sqlite_database, count):
    cache = CommitCache(sqlite_database)

    def read_and_be_overtaken(session):
        found = count(session)
        commit_here(sqlite_database)
        return found

    assert cache.get_or_read("districts", read_and_be_overtaken) == 0
    assert cache.get_or_read("districts", count) == 1


def test_nothing_is_remembered_longer_than_a_second(sqlite_database, count, frozen_clock):
    cache = CommitCache(sqlite_database)
    cache.get_or_read("districts", count)

    frozen_clock.now += 1

    assert cache.cached_value("districts") is None
    cache.get_or_read("districts", count)
    assert count.looks == 2


def test_a_failure_is_not_remembered(sqlite_database, count):
    cache = CommitCache(sqlite_database)

    def fail(_session):
        raise LookupError

    with pytest.raises(LookupError):
        cache.get_or_read("districts", fail)
    assert cache.get_or_read("districts", count) == 0


def test_memory_does_not_grow_without_end(sqlite_database, count, monkeypatch):
    monkeypatch.setattr(module, "MOST_ENTRIES", 3)
    cache = CommitCache(sqlite_database)

    for number in range(10):
        cache.get_or_read(number, count)

    assert len(cache._found) <= 3
