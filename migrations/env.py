"""Alembic's entry: runs the revisions on the engine it is handed, or on the configured database."""

from alembic import context
from sqlalchemy import Connection, Engine, inspect

import survey_app.models  # noqa: F401 (declares the tables that autogenerate compares with)
from survey_app.config import Config
from survey_app.storage.database import Base, Database


def _engine() -> Engine:
    handed: Engine | None = context.config.attributes.get("engine")
    return handed if handed is not None else Database(Config.from_env().database_url).engine


def _migrate(connection: Connection) -> None:
    # Alembic takes SQLite for an engine without transactional DDL and would commit after each revision: with our own
    # BEGIN it has it, and a revision that refuses leaves the database as it was.
    context.configure(
        connection=connection,
        target_metadata=Base.metadata,
        render_as_batch=True,
        transactional_ddl=True,
        transaction_per_migration=False,
    )
    with context.begin_transaction():
        _lock_tables(connection)
        context.run_migrations()
        if connection.dialect.name == "sqlite":
            broken = connection.exec_driver_sql("PRAGMA foreign_key_check").all()
            if broken:
                raise RuntimeError(f"the migration would break {len(broken)} references, the first in {broken[0]}")


def _lock_tables(connection: Connection) -> None:
    # What a revision has looked at must not change before it acts. SQLite's BEGIN IMMEDIATE keeps other writers out.
    if connection.dialect.name == "postgresql":
        quote = connection.dialect.identifier_preparer.quote
        if tables := ", ".join(map(quote, inspect(connection).get_table_names())):
            connection.exec_driver_sql(f"LOCK TABLE {tables} IN ACCESS EXCLUSIVE MODE")


def _enforce_foreign_keys(connection: Connection, *, on: bool) -> None:
    # On the driver's own connection, outside any transaction, where alone it has effect: a batch change drops and
    # renames tables, and with enforcement on, cascades would delete what refers to them.
    if connection.dialect.name == "sqlite":
        connection.connection.cursor().execute(f"PRAGMA foreign_keys = {'ON' if on else 'OFF'}")


with _engine().connect() as connection:
    _enforce_foreign_keys(connection, on=False)
    try:
        _migrate(connection)
        connection.commit()
    finally:
        connection.rollback()
        _enforce_foreign_keys(connection, on=True)
