from concurrent.futures import ThreadPoolExecutor
from functools import partial
from threading import Event, Thread

import pytest
from sqlalchemy import delete, event, func, insert, select
from sqlalchemy.exc import IntegrityError, OperationalError

from survey_app.errors import WriterBusy
from survey_app.models import District, Response
from survey_app.storage.group_commit import Insertion, Writer
from tests.factories import make_community, make_district, make_response, make_round


@pytest.fixture
def writer(database):
    """A started writer; on PostgreSQL starting changes nothing."""
    writer = Writer(database)
    writer.start(max_pending=12)
    yield writer
    writer.close()


@pytest.fixture
def group_writer(sqlite_database):
    writer = Writer(sqlite_database)
    writer.start(max_pending=12)
    yield writer
    writer.close()


def add_district(name):
    def job(session):
        session.execute(insert(District).values(name=name, sort_key=name))
        return name

    return job


def names(database):
    with database.reading() as session:
        return sorted(session.scalars(select(District.name)))


class Gate:
    """A job that keeps the writer busy until the test opens it, so that others gather behind it."""

    def __init__(self):
        self.reached, self.opened = Event(), Event()

    def __call__(self, _session):
        self.reached.set()
        assert self.opened.wait(60)


@pytest.fixture
def run_behind(group_writer):
    """Run jobs that all wait while another group is being written; yields their futures."""
    gates = []

    def run_behind(*jobs, as_jobs=True):
        gate = Gate()
        gates.append(gate)
        pool = ThreadPoolExecutor(len(jobs) + 1)
        first = pool.submit(group_writer.run, gate)
        assert gate.reached.wait(60)
        futures = [pool.submit(group_writer.run, job) if as_jobs else pool.submit(job) for job in jobs]
        while len(group_writer._waiting) < len(jobs):
            pass
        gate.opened.set()
        first.result(60)
        pool.shutdown()
        return futures

    return run_behind


def commits(database):
    counted = []
    event.listen(database.engine, "commit", counted.append)
    return counted


def test_what_a_job_wrote_is_committed_when_its_outcome_comes_back(writer, database):
    assert writer.run(add_district("海南区")) == "海南区"

    assert names(database) == ["海南区"]


def test_a_job_that_fails_leaves_nothing_behind_and_says_why(writer, database):
    def write_and_fail(session):
        add_district("海南区")(session)
        raise LookupError("after the insert")

    with pytest.raises(LookupError, match="after the insert"):
        writer.run(write_and_fail)

    assert names(database) == []
    assert writer.run(add_district("乌达区")) == "乌达区"


def test_those_who_wait_share_one_commit(run_behind, sqlite_database):
    counted = commits(sqlite_database)

    futures = run_behind(*(add_district(f"{number}区") for number in range(8)))

    assert [future.result() for future in futures] == [f"{number}区" for number in range(8)]
    assert len(names(sqlite_database)) == 8
    assert len(counted) == 2


@pytest.mark.parametrize("flush", ["statement", "mapped object"])
def test_one_bad_row_never_fails_its_group(run_behind, sqlite_database, flush):
    def repeat(session):
        if flush == "statement":
            add_district("1区")(session)
        else:
            make_district(session, name="1区")

    good = [add_district(f"{number}区") for number in range(4)]
    futures = run_behind(*good[:2], repeat, *good[2:])

    assert [future.exception() for future in (*futures[:2], *futures[3:])] == [None] * 4
    assert isinstance(futures[2].exception(), IntegrityError)
    assert names(sqlite_database) == ["0区", "1区", "2区", "3区"]


def response_rows(database, count):
    """Return rows of so many responses of one community, none of them stored."""
    table = Response.__table__
    with database.writing() as session:
        survey_round, community = make_round(session), make_community(session)
        stored = [make_response(session, survey_round, community) for _ in range(count)]
        rows = [{column.name: getattr(each, column.name) for column in table.columns} for each in stored]
        session.execute(delete(Response))
    return table, [{name: value for name, value in row.items() if name != "id"} for row in rows]


def keys(database):
    with database.reading() as session:
        return sorted(session.scalars(select(Response.submission_key)))


def test_rows_that_wait_together_are_inserted_in_one_statement(run_behind, sqlite_database, group_writer):
    table, rows = response_rows(sqlite_database, 8)
    statements = []
    event.listen(sqlite_database.engine, "before_cursor_execute", lambda *execution: statements.append(execution[2]))

    futures = run_behind(*(partial(group_writer.insert_once, Insertion(table), row) for row in rows), as_jobs=False)

    assert [future.result() for future in futures] == [True] * 8
    assert keys(sqlite_database) == sorted(row["submission_key"] for row in rows)
    assert sum(statement.startswith("INSERT") for statement in statements) == 1


def test_of_a_form_that_is_sent_twice_at_one_moment_one_row_is_inserted(run_behind, sqlite_database, group_writer):
    table, [first, other] = response_rows(sqlite_database, 2)
    second = first | {"receipt": "999999999999"}

    futures = run_behind(
        *(partial(group_writer.insert_once, Insertion(table), row) for row in (first, second, other)), as_jobs=False
    )

    told = [future.result() for future in futures]
    assert sorted(told[:2]) == [False, True]
    assert told[2]
    assert keys(sqlite_database) == sorted([first["submission_key"], other["submission_key"]])


def test_a_row_that_belongs_nowhere_fails_alone(run_behind, sqlite_database, group_writer):
    table, [good, lost, also_good] = response_rows(sqlite_database, 3)
    lost["community_id"] = 999

    futures = run_behind(
        *(partial(group_writer.insert_once, Insertion(table), row) for row in (good, lost, also_good)), as_jobs=False
    )

    assert [type(future.exception()) for future in futures] == [type(None), IntegrityError, type(None)]
    assert keys(sqlite_database) == sorted([good["submission_key"], also_good["submission_key"]])


def test_a_row_is_inserted_once_by_a_writer_of_any_engine(writer, database):
    table, [row] = response_rows(database, 1)

    assert [writer.insert_once(Insertion(table), row) for _ in range(2)] == [True, False]


def test_nobody_of_a_group_is_thanked_when_its_commit_fails(run_behind, sqlite_database, group_writer):
    def fail(_connection):
        raise OperationalError("COMMIT", {}, Exception("disk I/O error"))

    def break_the_disk(_session):
        event.listen(sqlite_database.engine, "commit", fail)

    futures = run_behind(add_district("1区"), add_district("2区"), break_the_disk)

    assert all(isinstance(future.exception(), OperationalError) for future in futures)
    assert names(sqlite_database) == []
    event.remove(sqlite_database.engine, "commit", fail)
    assert group_writer.run(add_district("1区")) == "1区"


def test_a_row_too_large_for_what_is_left_of_the_disk_fails_alone_and_later_all_is_well(
    run_behind, sqlite_database, group_writer
):
    def add_long_name_without_room(session):
        pages = session.connection().exec_driver_sql("PRAGMA page_count").scalar()
        session.connection().exec_driver_sql(f"PRAGMA max_page_count = {pages}")
        # SQLite rolls the whole transaction back by itself, the rows of the others with it.
        add_district("长" * 100_000)(session)

    def make_room(session):
        session.connection().exec_driver_sql("PRAGMA max_page_count = 1000000")

    futures = run_behind(add_district("1区"), add_long_name_without_room, add_district("2区"))

    assert [type(future.exception()) for future in futures] == [type(None), OperationalError, type(None)]
    assert names(sqlite_database) == ["1区", "2区"]
    group_writer.run(make_room)
    assert group_writer.run(add_district("3区")) == "3区"
    with sqlite_database.reading() as session:
        assert session.connection().exec_driver_sql("PRAGMA integrity_check").scalar() == "ok"


def test_when_too_many_wait_for_a_commit_that_takes_long_the_next_is_turned_away(sqlite_database, monkeypatch):
    monkeypatch.setattr("survey_app.storage.group_commit.QUEUE_TIMEOUT_SECONDS", 0)
    writer, gate = Writer(sqlite_database), Gate()
    writer.start(max_pending=1)
    first = Thread(target=writer.run, args=[gate])
    first.start()
    assert gate.reached.wait(60)

    with pytest.raises(WriterBusy):
        writer.run(add_district("海南区"))

    gate.opened.set()
    first.join()
    assert writer.run(add_district("乌达区")) == "乌达区"
    writer.close()
    assert names(sqlite_database) == ["乌达区"]


def test_while_commits_are_quick_the_next_waits_for_a_place(sqlite_database, monkeypatch):
    monkeypatch.setattr("survey_app.storage.group_commit.QUEUE_TIMEOUT_SECONDS", 60)
    writer, gate = Writer(sqlite_database), Gate()
    writer.start(max_pending=1)
    with ThreadPoolExecutor(3) as pool:
        first = pool.submit(writer.run, gate)
        assert gate.reached.wait(60)
        others = [pool.submit(writer.run, add_district(f"{number}区")) for number in range(2)]
        while len(writer._room._waiters) < 2:
            pass
        gate.opened.set()
        for future in (first, *others):
            future.result(60)

    writer.close()
    assert names(sqlite_database) == ["0区", "1区"]


def test_closing_writes_what_waits_and_afterwards_everyone_writes_for_themselves(sqlite_database):
    writer, gate = Writer(sqlite_database), Gate()
    writer.start(max_pending=12)
    with ThreadPoolExecutor(4) as pool:
        futures = [pool.submit(writer.run, gate)]
        assert gate.reached.wait(60)
        futures += [pool.submit(writer.run, add_district(f"{number}区")) for number in range(2)]
        while len(writer._waiting) < 2:
            pass
        closing = pool.submit(writer.close)
        gate.opened.set()
        for future in (*futures, closing):
            future.result(60)

    assert writer.run(add_district("9区")) == "9区"
    assert names(sqlite_database) == ["0区", "1区", "9区"]


def test_a_closed_writer_can_be_started_again(sqlite_database):
    writer = Writer(sqlite_database)
    for name in ("1区", "2区"):
        writer.start(max_pending=2)
        writer.run(add_district(name))
        writer.close()

    assert names(sqlite_database) == ["1区", "2区"]


def test_a_hundred_jobs_of_many_threads_are_all_written_once(writer, database):
    with ThreadPoolExecutor(8) as pool:
        outcomes = list(pool.map(writer.run, [add_district(f"{number:03}区") for number in range(100)]))

    assert outcomes == [f"{number:03}区" for number in range(100)]
    with database.reading() as session:
        assert session.scalar(select(func.count()).select_from(District)) == 100


def test_a_row_whose_check_fails_is_not_inserted_and_others_of_its_group_are(run_behind, sqlite_database, group_writer):
    table, [good, refused, also_good] = response_rows(sqlite_database, 3)
    checked = []

    def check(_session, rows):
        checked.append(len(rows))
        return [row["submission_key"] != refused["submission_key"] for row in rows]

    futures = run_behind(
        *(partial(group_writer.insert_once, Insertion(table, check=check), row) for row in (good, refused, also_good)),
        as_jobs=False,
    )

    assert [future.result() for future in futures] == [True, False, True]
    assert checked == [3]
    assert keys(sqlite_database) == sorted([good["submission_key"], also_good["submission_key"]])


def test_a_row_is_checked_by_a_writer_of_any_engine(writer, database):
    table, [row] = response_rows(database, 1)

    assert not writer.insert_once(Insertion(table, check=lambda _session, rows: [False] * len(rows)), row)
    assert writer.insert_once(Insertion(table, check=lambda _session, rows: [True] * len(rows)), row)
