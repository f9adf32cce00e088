"""Submission keys: a form carries a signed key of its own, so that it counts once however often it arrives."""

import hashlib
import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from functools import lru_cache
from typing import Any, Self

from itsdangerous import BadData, Signer
from sqlalchemy import Table
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from survey_app.errors import InvalidSubmissionKey

_RANDOM_BYTES = 16


class Form(StrEnum):
    """Kind of form that a key was issued for; a key for one kind is worthless in another."""

    RESPONSE = "response"
    COMPLAINT = "complaint"
    CORRECTION = "correction"
    ENTRY = "entry"


@dataclass(frozen=True)
class SubmissionKey:
    """Submission key in the hidden field of a form: its code and round, when it was opened, its own random value.

    Forms that belong to no code, such as those that staff fill in, name none.
    """

    form: Form
    code_id: int | None
    round_id: int | None
    opened_at: datetime
    value: str

    @classmethod
    def new(cls, *, form: Form, code_id: int | None, round_id: int | None, now: datetime) -> Self:
        """Return a new key for a form that is opened now."""
        return cls(form, code_id, round_id, now.replace(microsecond=0), secrets.token_urlsafe(_RANDOM_BYTES))


def sign_key(key: SubmissionKey, *, secret_key: str) -> str:
    """Return the signed text of a key, for the hidden field of a form."""
    parts = (key.code_id, key.round_id, int(key.opened_at.timestamp()), key.value)
    payload = ".".join("" if part is None else str(part) for part in parts)
    return _signer(secret_key, key.form).sign(payload).decode("ascii")


def read_key(text: str, *, form: Form, secret_key: str) -> SubmissionKey:
    """Verify the key that came back with a form; it never grows too old, since a round ends by itself."""
    try:
        payload = _signer(secret_key, form).unsign(text)
    except BadData as error:
        raise InvalidSubmissionKey from error
    code_id, round_id, opened_at, value = payload.decode("ascii").split(".")
    return SubmissionKey(
        form,
        code_id=int(code_id) if code_id else None,
        round_id=int(round_id) if round_id else None,
        opened_at=datetime.fromtimestamp(int(opened_at), UTC),
        value=value,
    )


@lru_cache(maxsize=8)
def _signer(secret_key: str, form: Form) -> Signer:
    return Signer(secret_key, salt=f"jiayuan.key.{form}", key_derivation="hmac", digest_method=hashlib.sha256)


def insert_once(session: Session, table: Table, values: Mapping[str, Any]) -> bool:
    """Insert one row unless a unique value of it is taken; say whether it was inserted.

    Two taps can arrive at once. The database decides which was first: the second waits for the first's commit
    and then inserts nothing, where catching IntegrityError would need a savepoint for every response on PostgreSQL.
    """
    connection = session.connection()
    dialect = postgresql if connection.dialect.name == "postgresql" else sqlite
    statement = dialect.insert(table).on_conflict_do_nothing()
    # Asked for, since for an INSERT on PostgreSQL the number of rows is otherwise not kept.
    return connection.execute(statement, values, execution_options={"preserve_rowcount": True}).rowcount == 1


def insert_all_once(session: Session, table: Table, rows: Sequence[Mapping[str, Any]]) -> list[bool]:
    """Insert each row unless a unique value of it is taken, all in one statement; say of each whether it was inserted.

    Rows are told apart by their key and their receipt: of a form that was sent twice at once one row is inserted.
    """
    dialect = postgresql if session.connection().dialect.name == "postgresql" else sqlite
    columns = (table.c.submission_key, table.c.receipt)
    statement = dialect.insert(table).on_conflict_do_nothing().returning(*columns)
    inserted = {tuple(row) for row in session.connection().execute(statement, rows)}
    return [(row["submission_key"], row["receipt"]) in inserted for row in rows]
