"""Real databases, a real server process and a real browser for the tests."""

import os
import shutil
import sqlite3
from contextlib import closing, contextmanager
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from threading import local

import pytest
from alembic import command
from alembic.script import ScriptDirectory
from argon2 import PasswordHasher
from flask import before_render_template, has_request_context
from hypothesis import settings
from jinja2 import BytecodeCache
from werkzeug.routing import Rule

from survey_app.accounts import accounts
from survey_app.config import MIGRATIONS, REPOSITORY, Config
from survey_app.storage import short_transactions
from survey_app.storage.database import Database
from survey_app.web import error_pages
from survey_app.web.context import SITE_EXTENSION
from tests.postgresql import PostgreSQLServer, find_binaries

# Speed is shown by benchmarks; a busy machine must not fail a property.
settings.register_profile("jiayuan", deadline=None)
settings.load_profile("jiayuan")

CHROMIUM = Path("/usr/bin/chromium")
CHROMIUM_ARGUMENTS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking"]
BROWSER_TIMEOUT_MS = 90_000
# A disk in memory, where waiting for a commit to be durable costs nothing; thousands of databases are written.
MEMORY = Path("/dev/shm")
MEMORY_NEEDED = 4 * 2**30


def folder_of_databases():
    """Return where databases of tests lie: in memory if it has room, or None for the usual place."""
    has_room = MEMORY.is_dir() and shutil.disk_usage(MEMORY).free >= MEMORY_NEEDED
    return MEMORY if has_room else None


def pytest_configure():
    if folder := folder_of_databases():
        # What pytest reads for the folder above those of `tmp_path`.
        os.environ.setdefault("PYTEST_DEBUG_TEMPROOT", str(folder))


def pytest_addoption(parser):
    parser.addoption("--long", action="store_true", help="also run the fault and calibration tests of minutes")
    parser.addoption("--chromium", type=Path, default=CHROMIUM, help="the browser of browser tests: an older one, say")


def pytest_collection_modifyitems(config, items):
    if not config.getoption("--long"):
        skip = pytest.mark.skip(reason="takes minutes: run with --long")
        for item in items:
            if item.get_closest_marker("long"):
                item.add_marker(skip)


@pytest.fixture(scope="session", autouse=True)
def full_hasher():
    """Hash passwords at no cost, since thousands are tried in this process; yields the hasher that the site has."""
    quick = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)
    with pytest.MonkeyPatch.context() as patch:
        full = accounts._hasher
        patch.setattr(accounts, "_hasher", quick)
        patch.setattr(accounts, "_DUMMY_HASH", quick.hash("nobody's"))
        yield full


@pytest.fixture(scope="session", autouse=True)
def _nothing_long_while_writing():
    """Let no request render a page or hash a password inside a write transaction: on SQLite all others wait for it."""
    real, held = Database.writing, local()

    @contextmanager
    def writing(database, **options):
        with real(database, **options) as session:
            held.transactions = getattr(held, "transactions", 0) + 1
            try:
                yield session
            finally:
                held.transactions -= 1

    def refuse_inside(what):
        if has_request_context() and getattr(held, "transactions", 0):
            raise AssertionError(f"{what} while a write transaction is open")

    def guarded(method):
        def hash_or_verify(*arguments, **named):
            refuse_inside("a password is hashed")
            return method(*arguments, **named)

        return hash_or_verify

    def before_rendering(_app, template, **_named):
        refuse_inside(f"{template.name} is rendered")

    with pytest.MonkeyPatch.context() as patch, before_render_template.connected_to(before_rendering):
        patch.setattr(Database, "writing", writing)
        for name in ("hash", "verify"):
            patch.setattr(PasswordHasher, name, guarded(getattr(PasswordHasher, name)))
        yield


@pytest.fixture(scope="session", autouse=True)
def _revisions_loaded_once():
    """Load the revisions of the code once in a process: each command of Alembic would load all of them again."""
    revisions = ScriptDirectory(str(MIGRATIONS))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(ScriptDirectory, "from_config", lambda _config: revisions)
        yield


@pytest.fixture(scope="session", autouse=True)
def _routes_compiled_once():
    """Compile what builds the addresses of a route once in a process: for each site it is half of what wiring costs."""
    compile_builder, compiled = Rule._compile_builder, {}

    def compile_once(rule, append_unknown=True):  # noqa: FBT002 (as Werkzeug calls it)
        if rule.defaults:
            return compile_builder(rule, append_unknown)
        key = (rule.rule, *rule._trace, append_unknown)
        if key not in compiled:
            compiled[key] = compile_builder(rule, append_unknown)
        return compiled[key]

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Rule, "_compile_builder", compile_once)
        yield


@pytest.fixture(scope="session")
def shared_data():
    """Outside data that lies beside the repository on some machines."""
    folder = REPOSITORY.parent / "shared" / "data"
    if not folder.is_dir():
        pytest.skip("the outside data are not on this machine")
    return folder


@pytest.fixture(scope="session")
def _sqlite_template(tmp_path_factory):
    path = tmp_path_factory.mktemp("sqlite") / "template.sqlite3"
    with Database(f"sqlite:///{path}") as database:
        command.upgrade(database.alembic_config(), "head")
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    return path


@pytest.fixture(scope="session")
def postgresql_server():
    """A throw-away server from the installed binaries, with one migrated database to copy."""
    if find_binaries() is None:
        pytest.skip("the PostgreSQL server is not installed (Debian: apt install postgresql)")
    # Not below pytest's own folder: another run makes that private again, and the server runs as another user.
    with (
        TemporaryDirectory(prefix="jiayuan-postgresql-", dir=folder_of_databases()) as folder,
        PostgreSQLServer(Path(folder)) as server,
    ):
        with Database(server.create_database("template_jiayuan")) as template:
            command.upgrade(template.alembic_config(), "head")
        yield server


@pytest.fixture
def empty_sqlite_url(tmp_path):
    return f"sqlite:///{tmp_path / 'empty.sqlite3'}"


@pytest.fixture
def sqlite_database(_sqlite_template, tmp_path):
    """A migrated, empty SQLite database."""
    path = tmp_path / "jiayuan.sqlite3"
    shutil.copy(_sqlite_template, path)
    with Database(f"sqlite:///{path}") as database:
        yield database


def copy_rows_of(path, database):
    """Put all that a closed SQLite file holds into a database, which may be open."""
    with closing(sqlite3.connect(path)) as filled, closing(sqlite3.connect(database.engine.url.database)) as target:
        filled.backup(target)


@pytest.fixture
def postgresql_database(postgresql_server):
    """A migrated, empty PostgreSQL database."""
    url = postgresql_server.create_database(template="template_jiayuan")
    with Database(url) as database:
        yield database
    postgresql_server.drop_database(url)


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.postgresql)])
def database(request):
    """A migrated, empty database: the test runs once on each engine."""
    return request.getfixturevalue(f"{request.param}_database")


@pytest.fixture
def two_rows_at_once(monkeypatch):
    """Let each short transaction take two rows, however fast it is."""
    monkeypatch.setattr(short_transactions, "FEWEST_ROWS", 2)
    monkeypatch.setattr(short_transactions, "next_size", lambda size, _seconds, *, most: size)  # noqa: ARG005 (as it is called)


@pytest.fixture
def config(sqlite_database, tmp_path):
    return config_of(tmp_path, sqlite_database.url.render_as_string(hide_password=False))


def config_of(instance, database_url):
    """Return the configuration of a site for tests."""
    return Config(
        instance=instance,
        database_url=database_url,
        secret_key="only for tests: 7f3c9a1e5b8d2046",
        public_url="http://127.0.0.1:8000",
        for_this_machine=True,
    )


@pytest.fixture(scope="session")
def empty_site(_sqlite_template, tmp_path_factory):
    """Make the configuration of a site with an empty database of its own, for fixtures that serve a whole module."""

    def make(name):
        instance = tmp_path_factory.mktemp(name)
        path = instance / "jiayuan.sqlite3"
        shutil.copy(_sqlite_template, path)
        return config_of(instance, f"sqlite:///{path}")

    return make


class CompiledTemplates(BytecodeCache):
    """What templates were compiled to, for all sites of this process: each would compile its own again."""

    def __init__(self):
        self._codes = {}

    def load_bytecode(self, bucket):
        if bucket.key in self._codes:
            bucket.bytecode_from_string(self._codes[bucket.key])

    def dump_bytecode(self, bucket):
        self._codes[bucket.key] = bucket.bytecode_to_string()


COMPILED_TEMPLATES = CompiledTemplates()


def raise_again(error):
    """Let no test pass over a part of a page that could not be drawn."""
    raise error


@contextmanager
def site_on(config, *, parts_may_fail=False):
    """Wire the whole site, and close its database when the block ends."""
    from survey_app.app.factory import create_app

    with pytest.MonkeyPatch.context() as patch:
        if not parts_may_fail:
            patch.setattr(error_pages, "part_failed", raise_again)
        app = create_app(config)
    app.testing = True
    app.jinja_env.bytecode_cache = COMPILED_TEMPLATES
    app.config["PROPAGATE_EXCEPTIONS"] = False
    with app.extensions[SITE_EXTENSION].database:
        yield app


@pytest.fixture
def now():
    """The present: pages read the clock themselves."""
    return datetime.now(UTC)


@pytest.fixture
def app(config):
    """The whole site on an empty SQLite database."""
    with site_on(config) as app:
        yield app


@pytest.fixture
def client(app):
    return app.test_client()


@pytest.fixture
def live_server(config):
    """The site in a process of its own on the test's database; yields its address."""
    from tests.servers import ForkedServer

    with ForkedServer(config) as server:
        yield server.address


@pytest.fixture(scope="session")
def browser(request):
    chromium = request.config.getoption("--chromium")
    if not chromium.exists():
        pytest.skip("Chromium is not installed (Debian: apt install chromium fonts-noto-cjk)")
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=str(chromium), args=CHROMIUM_ARGUMENTS)
        yield browser
        browser.close()


@pytest.fixture
def open_page(browser):
    """Open a fresh browser profile on a phone 390 px wide, unless the test says otherwise."""
    contexts = []

    def open_page(**options):
        context = browser.new_context(**({"viewport": {"width": 390, "height": 844}, "locale": "zh-CN"} | options))
        context.set_default_timeout(BROWSER_TIMEOUT_MS)
        contexts.append(context)
        return context.new_page()

    yield open_page
    for context in contexts:
        context.close()
