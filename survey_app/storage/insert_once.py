"""Rows that are inserted once however often they arrive, or added to what is there."""

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import Index, Table
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session


def insert_once(session: Session, table: Table, values: Mapping[str, Any]) -> bool:
    """Insert one row unless a unique value of it is taken; say whether it was inserted.

    Two taps can arrive at once. The database decides which was first: the second waits for the first's commit
    and then inserts nothing, where catching IntegrityError would need a savepoint for every response on PostgreSQL.
    """
    connection = session.connection()
    statement = _insert(session, table).on_conflict_do_nothing()
    # Asked for, since for an INSERT on PostgreSQL the number of rows is otherwise not kept.
    return connection.execute(statement, values, execution_options={"preserve_rowcount": True}).rowcount == 1


def insert_missing(session: Session, table: Table, rows: Sequence[Mapping[str, Any]]) -> int:
    """Insert each row unless a unique value of it is taken, all in one statement; return how many were inserted."""
    statement = _insert(session, table).on_conflict_do_nothing().returning(table.c.id)
    return len(session.connection().execute(statement, rows).all())


def insert_all_once(session: Session, table: Table, rows: Sequence[Mapping[str, Any]]) -> list[bool]:
    """Insert each row unless a unique value of it is taken, all in one statement; say of each whether it was inserted.

    Rows are told apart by their key and their receipt: of a form that was sent twice at once one row is inserted.
    """
    dialect = postgresql if session.connection().dialect.name == "postgresql" else sqlite
    columns = (table.c.submission_key, table.c.receipt)
    statement = dialect.insert(table).on_conflict_do_nothing().returning(*columns)
    inserted = {tuple(row) for row in session.connection().execute(statement, rows)}
    return [(row["submission_key"], row["receipt"]) in inserted for row in rows]


def add_to_rows(session: Session, table: Table, rows: Sequence[Mapping[str, Any]], *, unique: Index, to: str) -> None:
    """Insert each row, or add the number in its column `to` to the row that the unique index finds there."""
    if not rows:
        return
    insert = _insert(session, table)
    statement = insert.on_conflict_do_update(
        index_elements=list(unique.columns),
        index_where=unique.dialect_options[session.connection().dialect.name]["where"],
        set_={to: table.c[to] + insert.excluded[to]},
    )
    session.connection().execute(statement, rows)


def _insert(session: Session, table: Table) -> postgresql.Insert | sqlite.Insert:
    is_postgresql = session.connection().dialect.name == "postgresql"
    return postgresql.insert(table) if is_postgresql else sqlite.insert(table)
