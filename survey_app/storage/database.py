"""Database connections and transactions: one way to read, one way to write, on SQLite and PostgreSQL alike."""

import os
import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, ExitStack, closing, contextmanager, nullcontext, suppress
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, LiteralString, Self

from alembic import command
from alembic.config import Config as AlembicConfig
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import URL, Connection, DateTime, Dialect, Engine, MetaData, create_engine, event, make_url
from sqlalchemy.orm import DeclarativeBase, Session
from sqlalchemy.pool import ConnectionPoolEntry
from sqlalchemy.types import TypeDecorator

from survey_app.config import DEFAULT_THREADS, MIGRATIONS
from survey_app.errors import DatabaseDriverMissing, DatabaseOutdated, DatabaseTooNew
from survey_app.private_files import keep_private, open_private
from survey_app.storage.commit_versions import CommitVersion, ProcessVersion, SQLiteVersion
from survey_app.storage.write_lock import LOCK_SUFFIXES, hold_write_lock

if TYPE_CHECKING:
    import psycopg

BUSY_TIMEOUT_SECONDS = 10.0
# In bytes, of the connections that write; erasing a round changes its indexes all over.
WRITER_CACHE_BYTES = 64 * 2**20
# Of each connection that reads, of which a server has as many as threads. Counting a city's answers with a quarter of
# the other takes an eighth more of the processor, and the kernel keeps what it read.
READER_CACHE_BYTES = 16 * 2**20
# Of one process to PostgreSQL, opened when they are first needed: one for each thread that answers requests, and a few
# for threads that hold two, which are closed after each use. Opening one takes as long as ten scans.
KEPT_CONNECTIONS = DEFAULT_THREADS
MORE_CONNECTIONS = 8


class UTCDateTime(TypeDecorator[datetime]):
    """Column type of aware UTC times; a naive one is refused, since nobody could say later what it meant."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """Store UTC; SQLite keeps it without its zone."""
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError(f"a stored time needs a time zone, got {value!r}")
        value = value.astimezone(UTC)
        return value.replace(tzinfo=None) if dialect.name == "sqlite" else value

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:  # noqa: ARG002 (interface)
        """Return an aware UTC time."""
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


class Base(DeclarativeBase):
    """Declarative base of all tables: constraint names that migrations can refer to, and column types."""

    metadata = MetaData(
        naming_convention={
            "ix": "ix_%(column_0_N_label)s",
            "uq": "uq_%(table_name)s_%(column_0_N_name)s",
            "ck": "ck_%(table_name)s_%(constraint_name)s",
            "fk": "fk_%(table_name)s_%(column_0_N_name)s_%(referred_table_name)s",
            "pk": "pk_%(table_name)s",
        }
    )
    type_annotation_map = {datetime: UTCDateTime}  # noqa: RUF012 (SQLAlchemy's declared name)


class Database:
    """The engine of one installation and its two kinds of transaction; a `with` block closes it at its end."""

    def __init__(self, url: str | URL) -> None:
        self.url = make_url(url)
        self.engine = _create_engine(self.url)
        self._writers_of_many = _create_writers_of_many(self.url, self.engine)
        self._readers = _create_readers(self.url, self.engine)
        self._autocommit_readers = _create_autocommit_readers(self.url, self.engine)
        self._version: CommitVersion = ProcessVersion() if self.is_postgresql else SQLiteVersion(str(self.url.database))

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_error: object) -> None:
        self.dispose()

    @property
    def is_postgresql(self) -> bool:
        """Whether the engine is PostgreSQL, the one for production."""
        return self.engine.dialect.name == "postgresql"

    @contextmanager
    def reading(self) -> Iterator[Session]:
        """Open a read-only transaction that sees one snapshot of the database."""
        with Session(self._readers, autoflush=False) as session:
            yield session

    @contextmanager
    def reading_autocommit(self) -> Iterator[Session]:
        """Open a session for a read or two without a transaction, each of which sees what was committed last.

        BEGIN and ROLLBACK cost as much as such a read.
        """
        with Session(self._autocommit_readers, autoflush=False) as session:
            yield session

    @contextmanager
    def writing(self, *, keeps_version: bool = False, is_one_of_many: bool = False) -> Iterator[Session]:
        """Open a transaction that commits when the block ends and leaves nothing behind when it raises.

        On SQLite it takes the write lock at once: a transaction that reads first and writes later fails with
        “database is locked” whatever the timeout, when another writer came between. `keeps_version` says that nothing
        that anybody caches depends on what is written. `is_one_of_many` says that many such transactions follow each
        other: each then also takes what it wrote from SQLite's log into the file, which one would otherwise do for all
        that came before it, and hold its lock for a tenth of a second.
        """
        with ExitStack() as stack:
            stack.enter_context(self._write_lock())
            until_committed = stack.enter_context(ExitStack())
            engine = self._writers_of_many if is_one_of_many else self.engine
            session = stack.enter_context(Session(engine, expire_on_commit=False))
            stack.enter_context(session.begin())
            session.connection()  # BEGIN now, not at the first statement
            until_committed.enter_context(self._version.kept() if keeps_version else self._version.changed())
            yield session

    def _write_lock(self) -> AbstractContextManager[None]:
        if self.is_postgresql or self.url.database is None:
            return nullcontext()
        return hold_write_lock(Path(self.url.database), timeout_seconds=BUSY_TIMEOUT_SECONDS)

    def truncate_log(self) -> bool:
        """Empty SQLite's write-ahead log, in which what was erased still stands, and return whether it is empty now.

        It waits for nobody: while somebody reads or writes, the log stays until the next time. PostgreSQL has a log
        of another kind, which it recycles by itself.
        """
        if self.is_postgresql:
            return True
        with closing(sqlite3.connect(str(self.url.database), timeout=0, isolation_level=None)) as connection:
            # Most of it first in the way that lets others write.
            connection.execute("PRAGMA wal_checkpoint(PASSIVE)").fetchone()
            (is_busy, *_pages) = connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
        return not is_busy

    def rewrite(self) -> None:
        """Write SQLite's file anew, without what was deleted before deleted rows were overwritten; for an upgrade."""
        if not self.is_postgresql:
            path = str(self.url.database)
            with closing(sqlite3.connect(path, timeout=BUSY_TIMEOUT_SECONDS, isolation_level=None)) as connection:
                connection.execute("VACUUM")
            self.truncate_log()

    def version(self) -> int | None:
        """Return a number that changes with commits: with those of anyone on SQLite, of this process on PostgreSQL.

        It cannot be compared with the number of another process. None while the database cannot be read: whatever is
        read next says why.
        """
        return self._version.current()

    def require_current(self) -> None:
        """Raise `DatabaseOutdated` or `DatabaseTooNew` unless the database has the revision of the code."""
        found = self._known_revision()
        expected = _revisions().get_current_head()
        if found != expected:
            raise DatabaseOutdated(found, expected)

    def upgrade(self) -> None:
        """Migrate the database to the revision of the code, or raise `DatabaseTooNew`."""
        self._known_revision()
        command.upgrade(self.alembic_config(), "head")

    def _known_revision(self) -> str | None:
        """Return the revision of the database, None before the first; `DatabaseTooNew` if the code does not know it."""
        with self.engine.connect() as connection:
            found = MigrationContext.configure(connection).get_current_heads()
        known = {each.revision for each in _revisions().walk_revisions()}
        if unknown := sorted(set(found) - known):
            raise DatabaseTooNew(", ".join(unknown))
        return found[0] if found else None

    def alembic_config(self) -> AlembicConfig:
        """Return Alembic's settings for this database."""
        config = AlembicConfig()
        config.set_main_option("script_location", str(MIGRATIONS))
        config.attributes["engine"] = self.engine
        return config

    def dispose(self) -> None:
        """Close every connection."""
        self._version.close()
        self._autocommit_readers.dispose()
        self._readers.dispose()
        self._writers_of_many.dispose()
        self.engine.dispose()


@cache
def _revisions() -> ScriptDirectory:
    # It loads every revision when it is first asked; those of the code that runs stay the same.
    return ScriptDirectory(str(MIGRATIONS))


def _create_engine(url: URL) -> Engine:
    if url.get_backend_name() == "sqlite":
        return _create_sqlite(url, begin="BEGIN IMMEDIATE", pragmas=_WRITING_PRAGMAS)
    try:
        engine = create_engine(
            url.set(drivername="postgresql+psycopg"),
            pool_size=KEPT_CONNECTIONS,
            max_overflow=MORE_CONNECTIONS,
            # The connection that was given back last is used next: those that a crowd has opened stay idle afterwards.
            pool_use_lifo=True,
            pool_pre_ping=True,
            hide_parameters=True,
        )
    except ModuleNotFoundError as error:
        raise DatabaseDriverMissing from error

    @event.listens_for(engine, "connect")
    def prepare(connection: "psycopg.Connection", _record: ConnectionPoolEntry) -> None:
        was_autocommit = connection.autocommit
        connection.autocommit = True  # what is set in a transaction ends with its rollback
        for setting in _SESSION_SETTINGS:
            connection.execute(f"SET {setting}")
        connection.autocommit = was_autocommit

    return engine


def _create_writers_of_many(url: URL, engine: Engine) -> Engine:
    if url.get_backend_name() == "sqlite":
        return _create_sqlite(url, begin="BEGIN IMMEDIATE", pragmas=(*_WRITING_PRAGMAS, "wal_autocheckpoint = 1"))
    return engine


def _create_readers(url: URL, engine: Engine) -> Engine:
    if url.get_backend_name() == "sqlite":
        # A pool of their own: switching a connection between reading and writing costs two statements a page.
        return _create_sqlite(url, begin="BEGIN", pragmas=_READING_PRAGMAS)
    return engine.execution_options(isolation_level="REPEATABLE READ", postgresql_readonly=True)


def _create_autocommit_readers(url: URL, engine: Engine) -> Engine:
    if url.get_backend_name() == "sqlite":
        return _create_sqlite(url, begin=None, pragmas=_READING_PRAGMAS)
    return engine.execution_options(isolation_level="AUTOCOMMIT", postgresql_readonly=True)


_PRAGMAS = (
    "journal_mode = WAL",
    # FULL: NORMAL may lose a response for which the resident already holds a receipt.
    "synchronous = FULL",
    "foreign_keys = ON",
    # What is deleted or overwritten is filled with zeros: otherwise erased answers stay in the file until a later row
    # takes their place.
    "secure_delete = ON",
)

# How times and texts are written on the wire, whatever the server, the database, its role or the environment (such as
# PGDATESTYLE) would have: the driver reads the ISO form alone.
_SESSION_SETTINGS: Sequence[LiteralString] = (
    "datestyle = 'ISO, YMD'",
    "intervalstyle = 'postgres'",
    "timezone = 'UTC'",
    "client_encoding = 'UTF8'",
    "standard_conforming_strings = on",
)

_SQLITE_SUFFIXES = ("-wal", "-shm", "-journal")

_WRITING_PRAGMAS = (*_PRAGMAS, f"cache_size = {-WRITER_CACHE_BYTES // 1024}")
_READING_PRAGMAS = (*_PRAGMAS, f"cache_size = {-READER_CACHE_BYTES // 1024}", "query_only = ON")


def _create_sqlite(url: URL, *, begin: str | None, pragmas: Sequence[str]) -> Engine:
    engine = create_engine(url, connect_args={"timeout": BUSY_TIMEOUT_SECONDS}, hide_parameters=True)

    # Not where the name is no path, such as that of a database in memory.
    if url.database and not url.database.startswith((":", "file:")):

        @event.listens_for(engine, "do_connect")
        def protect(*_connecting: object) -> None:
            _keep_database_private(Path(str(url.database)))

    @event.listens_for(engine, "connect")
    def prepare(connection: sqlite3.Connection, _record: ConnectionPoolEntry) -> None:
        connection.isolation_level = None  # we say BEGIN ourselves
        for pragma in pragmas:
            connection.execute(f"PRAGMA {pragma}")

    if begin is not None:

        @event.listens_for(engine, "begin")
        def start(connection: Connection) -> None:
            connection.exec_driver_sql(begin)

    return engine


def _keep_database_private(path: Path) -> None:
    """Let nobody else read the database and what SQLite and the write lock keep beside it."""
    with suppress(OSError):
        # Created here, since SQLite makes it, and with it the log, as wide as the umask lets it. Never opened where it
        # is there already: closing a file takes from the whole process the locks by which other processes know that
        # its log is in use. They would delete the log, and what is committed into it from then on would be lost.
        os.close(open_private(str(path), os.O_RDWR | os.O_CREAT | os.O_EXCL))
    keep_private(path.with_name(f"{path.name}{suffix}") for suffix in ("", *_SQLITE_SUFFIXES, *LOCK_SUFFIXES))
