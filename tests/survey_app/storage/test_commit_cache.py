import pytest
from sqlalchemy import func, select

from survey_app.models import District
from survey_app.storage import commit_cache as module
from survey_app.storage.commit_cache import CommitCache
from survey_app.storage.database import Database
from survey_app.storage.group_commit import Writer
from tests.factories import make_district


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


@pytest.mark.postgresql
def test_postgresql_is_always_asked(postgresql_database, count):
    cache = CommitCache(postgresql_database)

    assert [cache.get_or_read("districts", count) for _ in range(3)] == [0, 0, 0]
    assert count.looks == 3
    assert cache.cached_value("districts") is None


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


@pytest.mark.parametrize("commit", [commit_here, commit_in_a_group, commit_elsewhere])
def test_a_commit_of_anyone_is_seen_at_once(database, count, commit):
    cache = CommitCache(database)
    assert cache.get_or_read("districts", count) == 0

    commit(database)

    assert cache.cached_value("districts") is None
    assert cache.get_or_read("districts", count) == 1


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
