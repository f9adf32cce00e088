"""A database that an earlier build filled is brought to this version: nothing is lost, every evaluation verifies.

`stored_databases/` holds simulated cities, named by their revision: 0007 is the first of version 0.1 that could verify
what it had evaluated, 0030 has photos and scheduled work done too.
"""

import lzma
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
from alembic import command
from sqlalchemy import Boolean, MetaData, inspect, select, text

from survey_app.audit import verify_chain
from survey_app.config import Config
from survey_app.evaluations.evaluate_round import verify_evaluation
from survey_app.models import Evaluation
from survey_app.storage.database import Database
from tests.conftest import site_on

STORED = Path(__file__).parent / "stored_databases"
FIRST, EARLIEST = "0007", "0030"
KEPT = ("response", "response_event", "complaint", "complaint_event", "community", "code", "standing", "audit_event")
EVALUATIONS = {FIRST: 2, EARLIEST: 3}


def unpack(folder, revision=EARLIEST):
    """Return the path of a stored database, in a folder of the test's own."""
    path = folder / f"{revision}.sqlite3"
    path.write_bytes(lzma.decompress((STORED / f"{path.name}.xz").read_bytes()))
    return path


def copy_rows(stored, target):
    """Fill a PostgreSQL database of the same revision with what an SQLite file holds."""
    tables = MetaData()
    tables.reflect(target.engine)
    with closing(sqlite3.connect(stored)) as source, target.engine.begin() as connection:
        # Rows come in the order of tables, not of their references; what triggers would do was done already.
        connection.execute(text("SET session_replication_role = replica"))
        for table in tables.tables.values():
            source.row_factory = sqlite3.Row
            connection.execute(table.delete())
            truths = {column.name for column in table.columns if isinstance(column.type, Boolean)}
            rows = [
                {
                    name: bool(value) if name in truths and value is not None else value
                    for name, value in dict(row).items()
                }
                for row in source.execute(f'SELECT * FROM "{table.name}"')
            ]
            if rows:
                names = list(rows[0])
                places = ", ".join(f"%({name})s" for name in names)
                columns = ", ".join(f'"{name}"' for name in names)
                connection.exec_driver_sql(f'INSERT INTO "{table.name}" ({columns}) VALUES ({places})', rows)
        for table in tables.tables.values():
            if "id" in table.columns:
                sequence = connection.scalar(text("SELECT pg_get_serial_sequence(:name, 'id')"), {"name": table.name})
                if sequence:
                    newest = f'SELECT setval(:sequence, greatest(1, (SELECT max(id) FROM "{table.name}")))'
                    connection.execute(text(newest), {"sequence": sequence})


def counts(database, tables=KEPT):
    with database.reading() as session:
        return {table: session.scalar(text(f"SELECT count(*) FROM {table}")) for table in tables}


def hashes(database):
    """What is stored of each evaluation that it must verify to."""
    columns = "id, inputs_sha256, standings_sha256, rule_file_id"
    with database.reading() as session:
        return session.execute(text(f"SELECT {columns} FROM evaluation ORDER BY id")).all()


@pytest.fixture
def revision():
    """The revision of the stored database; tests of another one say so."""
    return EARLIEST


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.postgresql)])
def stored_database(request, tmp_path, revision):
    """The stored database, at its own revision, on each engine."""
    path = unpack(tmp_path, revision)
    if request.param == "sqlite":
        with Database(f"sqlite:///{path}") as database:
            yield database
        return
    server = request.getfixturevalue("postgresql_server")
    with Database(server.create_database()) as database:
        command.upgrade(database.alembic_config(), revision)
        copy_rows(path, database)
        yield database


@pytest.mark.parametrize("revision", EVALUATIONS)
def test_a_stored_database_loses_nothing_and_every_evaluation_verifies(stored_database, revision):
    kept = [table for table in KEPT if table in inspect(stored_database.engine).get_table_names()]
    before, evaluated = counts(stored_database, kept), hashes(stored_database)

    command.upgrade(stored_database.alembic_config(), "head")

    assert counts(stored_database, kept) == before
    assert hashes(stored_database) == evaluated
    with stored_database.reading() as session:
        evaluations = session.scalars(select(Evaluation.id)).all()
        assert len(evaluations) == EVALUATIONS[revision]
        found = [verify_evaluation(session, evaluation) for evaluation in evaluations]
        assert all(verification.is_same for verification in found)
        # What was weighed before there was a second method is not compared with it.
        assert {(verification.evidence_method, verification.differing) for verification in found} == {(1, None)}
        assert not list(verify_chain(session))


def test_a_stored_database_keeps_its_photos_and_when_scheduled_work_was_done(stored_database):
    with stored_database.reading() as session:
        photos = {(row.name, row.content) for row in session.execute(text("SELECT name, content FROM photo"))}
        done = set(session.execute(text("SELECT chore FROM chore_run WHERE done_at IS NOT NULL")).scalars())

    command.upgrade(stored_database.alembic_config(), "head")

    with stored_database.reading() as session:
        kept = session.execute(text("SELECT name, content FROM attachment"))
        assert {(row.name, row.content) for row in kept} == photos
        assert set(session.execute(text("SELECT kind FROM job WHERE status = 'done'")).scalars()) == done
    assert "photo" not in inspect(stored_database.engine).get_table_names()


@pytest.mark.parametrize("revision", EVALUATIONS)
def test_a_stored_database_serves(tmp_path, revision):
    path = unpack(tmp_path, revision)
    with Database(f"sqlite:///{path}") as database:
        command.upgrade(database.alembic_config(), "head")
    config = Config(
        instance=tmp_path,
        database_url=f"sqlite:///{path}",
        secret_key="only for tests: 7f3c9a1e5b8d2046",
        public_url="http://127.0.0.1:8000",
        for_this_machine=True,
    )
    with site_on(config) as app:
        assert app.test_client().get("/").status_code == 200
