import sqlite3
import subprocess
import sys
from contextlib import closing
from datetime import UTC, datetime
from threading import Barrier

import pytest
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import event, func, select, text
from sqlalchemy.exc import DBAPIError, StatementError

from survey_app.config import REPOSITORY
from survey_app.errors import DatabaseOutdated
from survey_app.models import Community, Complaint, ComplaintEvent, District, Questionnaire, Round
from survey_app.storage.database import KEPT_CONNECTIONS, Base, Database
from tests.factories import NOW, make_community, make_complaint, make_district, make_poster_code, make_round
from tests.together import all_at_once


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.postgresql)])
def unmigrated_database(request):
    if request.param == "sqlite":
        url = request.getfixturevalue("empty_sqlite_url")
    else:
        url = request.getfixturevalue("postgresql_server").create_database()
    with Database(url) as database:
        yield database


def test_migrations_build_exactly_the_declared_tables(database):
    with database.engine.connect() as connection:
        assert compare_metadata(MigrationContext.configure(connection), Base.metadata) == []


def test_migrations_go_down_and_up_again(unmigrated_database):
    config = unmigrated_database.alembic_config()
    command.upgrade(config, "head")
    command.downgrade(config, "base")
    command.upgrade(config, "head")
    unmigrated_database.require_current()


def test_an_unmigrated_database_is_refused(unmigrated_database):
    with pytest.raises(DatabaseOutdated, match="jiayuan migrate"):
        unmigrated_database.require_current()


def test_what_a_failing_block_wrote_is_gone(database):
    def write_and_fail():
        with database.writing() as session:
            make_district(session)
            raise RuntimeError("after the insert")

    with pytest.raises(RuntimeError, match="after the insert"):
        write_and_fail()

    with database.reading() as session:
        assert session.scalar(select(func.count()).select_from(District)) == 0


def test_a_reading_block_cannot_write(database):
    with database.reading() as session, pytest.raises(DBAPIError):
        make_district(session)


def test_writing_works_after_reading_on_the_same_connection(sqlite_database):
    with sqlite_database.reading() as session:
        session.scalar(select(func.count()).select_from(District))

    with sqlite_database.writing() as session:
        make_district(session)

    with sqlite_database.reading() as session:
        assert session.scalar(select(func.count()).select_from(District)) == 1


def test_a_reading_block_sees_one_snapshot(database):
    with database.reading() as session:
        before = session.scalar(select(func.count()).select_from(District))
        with database.writing() as other:
            make_district(other)
        assert session.scalar(select(func.count()).select_from(District)) == before


def test_a_writer_holds_the_lock_from_its_first_line(sqlite_database):
    with (
        closing(sqlite3.connect(sqlite_database.url.database, timeout=0)) as other,
        sqlite_database.writing(),
        pytest.raises(sqlite3.OperationalError, match="locked"),
    ):
        other.execute("BEGIN IMMEDIATE")


def test_sqlite_keeps_every_commit_through_a_power_cut(sqlite_database):
    with sqlite_database.engine.connect() as connection:
        assert connection.scalar(text("PRAGMA journal_mode")) == "wal"
        assert connection.scalar(text("PRAGMA synchronous")) == 2  # FULL
        assert connection.scalar(text("PRAGMA foreign_keys")) == 1


def test_times_come_back_in_utc_and_naive_ones_are_refused(database):
    with database.writing() as session:
        survey_round = make_round(session)
        identity = survey_round.id

    with database.reading() as session:
        assert session.get(Round, identity).opens_at.tzinfo is UTC

    with pytest.raises(StatementError, match="time zone"), database.writing() as session:
        make_round(session, opens_at=datetime(2026, 1, 1))  # noqa: DTZ001 (the point of the test)


@pytest.mark.parametrize("statement", ["UPDATE questionnaire SET text = ''", "DELETE FROM questionnaire"])
def test_a_published_questionnaire_cannot_be_changed(database, statement):
    with database.writing() as session:
        make_round(session)

    with pytest.raises(DBAPIError, match="frozen"), database.writing() as session:
        session.execute(text(statement))

    with database.reading() as session:
        assert session.scalars(select(Questionnaire)).one().text != ""


def test_cases_that_were_filed_before_they_had_events_begin_with_their_submission(database):
    config = database.alembic_config()
    with database.writing() as session:
        make_complaint(session, make_community(session))
    command.downgrade(config, "0013")
    command.upgrade(config, "head")

    with database.reading() as session:
        complaint = session.scalars(select(Complaint)).one()
        event = session.scalars(select(ComplaintEvent)).one()
    assert (complaint.status, complaint.status_since, complaint.place) == ("submitted", NOW, "")
    assert (event.complaint_id, event.number, event.action, event.at) == (complaint.id, 1, "submit", NOW)


@pytest.mark.parametrize("wrong", [{"status": "lost"}, {"kind": "wish"}])
def test_a_case_cannot_be_of_a_kind_or_in_a_status_that_does_not_exist(database, wrong):
    with pytest.raises(DBAPIError, match="ck_complaint"), database.writing() as session:
        make_complaint(session, make_community(session), **wrong)


def test_a_downgrade_keeps_what_other_tables_hold(database):
    with database.writing() as session:
        code = make_poster_code(session, make_community(session), issued_at=NOW)
        assert code.id

    command.downgrade(database.alembic_config(), "0004")
    command.upgrade(database.alembic_config(), "head")

    with database.reading() as session:
        assert session.scalar(select(func.count()).select_from(Community)) == 1


def test_the_driver_is_not_left_in_its_own_transaction_mode(sqlite_database):
    with sqlite_database.engine.connect() as connection:
        driver = connection.connection.driver_connection
        assert isinstance(driver, sqlite3.Connection)
        assert driver.isolation_level is None


@pytest.mark.postgresql
@pytest.mark.parametrize("style", ["SQL, DMY", "German, DMY", "Postgres, MDY"])
def test_times_are_read_whatever_the_database_would_write(postgresql_database, style):
    name = postgresql_database.url.database
    with postgresql_database.writing() as session:
        session.execute(text(f"ALTER DATABASE {name} SET datestyle = '{style}'"))
        session.execute(text(f"ALTER DATABASE {name} SET timezone = 'Asia/Shanghai'"))
        session.execute(text(f"ALTER DATABASE {name} SET client_encoding = 'GB18030'"))
        make_round(session, name="测试", opens_at=NOW)

    with Database(postgresql_database.url) as database:
        for opened in (database.reading, database.reading_autocommit, database.reading):
            with opened() as session:
                assert session.scalar(select(Round.opens_at)) == NOW
                assert session.scalar(select(Round.name)) == "测试"
                assert session.scalar(text("SHOW datestyle")) == "ISO, YMD"
                session.rollback()  # what a connection was told outlives its transactions
                assert session.scalar(text("SHOW timezone")) == "UTC"


def count_districts(url):
    """Count in a process of its own, which closes the database when it ends."""
    script = (
        "import sys; from sqlalchemy import func, select; from survey_app.models import District; "
        "from survey_app.storage.database import Database\n"
        "with Database(sys.argv[1]) as database, database.reading() as session: "
        "print(session.scalar(select(func.count()).select_from(District)))"
    )
    run = subprocess.run(
        [sys.executable, "-c", script, url], cwd=REPOSITORY, capture_output=True, text=True, check=True
    )
    return int(run.stdout)


def test_a_process_that_closes_the_database_takes_nothing_from_those_that_go_on(sqlite_database):
    url = sqlite_database.url.render_as_string()
    # A second connection beside the first, as each further thread of a server opens one.
    with sqlite_database.reading() as first, sqlite_database.reading() as second:
        for session in (first, second):
            session.scalar(select(func.count()).select_from(District))

    seen = []
    for _ in range(3):
        with sqlite_database.writing() as session:
            make_district(session)
        seen.append(count_districts(url))

    assert seen == [1, 2, 3]


@pytest.mark.postgresql
def test_all_threads_that_answer_use_connections_that_stay_open(postgresql_database):
    opened, together = [], Barrier(KEPT_CONNECTIONS)
    event.listen(postgresql_database.engine, "connect", lambda *_connection: opened.append(1))

    def read(_number):
        for _ in range(3):
            with postgresql_database.reading() as session:
                session.execute(text("SELECT 1"))
                together.wait(60)

    all_at_once(read, range(KEPT_CONNECTIONS))

    assert len(opened) <= KEPT_CONNECTIONS
