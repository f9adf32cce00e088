"""The resident's path on real server processes over loopback, beside hello-world and beside other ways to commit."""

import atexit
import secrets
import time
from collections.abc import Callable, Generator, Iterable, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import ExitStack
from datetime import UTC, datetime, timedelta
from functools import cache, partial
from multiprocessing import get_context
from pathlib import Path
from tempfile import TemporaryDirectory
from urllib.parse import urlencode

from alembic import command
from sqlalchemy import func, select

from survey_app.codes.codes import issue_poster_code
from survey_app.config import Config
from survey_app.models import Response
from survey_app.security.submission_keys import Form, SubmissionKey, sign_key
from survey_app.storage.database import Database
from tests.benchmarks.harness import Benchmark, Seconds
from tests.crowds import get, post, visit_together
from tests.factories import make_community, make_district, make_round
from tests.faults.test_locks import WRITERS, write_often
from tests.phones import ANSWERS, Phone, together
from tests.postgresql import PostgreSQLServer
from tests.servers import Server

SECRET_KEY = "only for benchmarks"
POSTERS = 440
PHONES = 16
CROWDS = (100, 300, 600, 1000)
CROWD = 64
VISITS_OF_ONE = 8
SCANS = 400
SUBMITS_PER_PHONE = 25


class City:
    """A database with a round that is open and a poster for each community."""

    def __init__(self, url: str, folder: Path) -> None:
        self.config = Config(folder, url, SECRET_KEY, "http://127.0.0.1")
        self.database = Database(url)
        command.upgrade(self.database.alembic_config(), "head")
        now = datetime.now(UTC)
        with self.database.writing() as session:
            opens_at, closes_at = now - timedelta(days=3), now + timedelta(days=3)
            self.round_id = make_round(session, opens_at=opens_at, closes_at=closes_at).id
            district = make_district(session)
            communities = [
                make_community(session, name=f"第{number}小区", district=district) for number in range(POSTERS)
            ]
            codes = [issue_poster_code(session, community=community, now=now) for community in communities]
            self.codes = [(code.id, code.token) for code in codes]

    def form(self, number: int) -> tuple[str, bytes]:
        """Return where a new form of one of the posters is sent, and what."""
        code_id, token = self.codes[number % POSTERS]
        key = SubmissionKey.new(form=Form.RESPONSE, code_id=code_id, round_id=self.round_id, now=datetime.now(UTC))
        answers = ANSWERS | {"q24": "希望增设充电桩", "key": sign_key(key, secret_key=SECRET_KEY)}
        return f"/s/{token}", urlencode(answers).encode("ascii")

    def count(self) -> int:
        """Return how many responses are stored."""
        with self.database.reading() as session:
            return session.scalar(select(func.count()).select_from(Response)) or 0


@cache
def open_servers() -> ExitStack:
    """Return what is closed, last opened first, when the process ends."""
    opened = ExitStack()
    atexit.register(opened.close)
    return opened


@cache
def folder() -> Path:
    """Return a folder that is gone when the process has ended."""
    return Path(open_servers().enter_context(TemporaryDirectory(prefix="jiayuan-benchmark-")))


@cache
def city(engine: str) -> City:
    """Return the city on SQLite, or on a PostgreSQL server of its own that waits for its disk."""
    return City(new_url(engine), folder())


def new_url(engine: str) -> str:
    """Return the address of another database without tables, on PostgreSQL of a server that waits for its disk."""
    # Not below the other folder: the server runs as another user.
    place = Path(open_servers().enter_context(TemporaryDirectory(prefix=f"jiayuan-{engine}-")))
    if engine == "sqlite":
        return f"sqlite:///{place / 'jiayuan.sqlite3'}"
    return open_servers().enter_context(PostgreSQLServer(place, durable=True)).create_database()


@cache
def phone(kind: str, engine: str) -> Phone:
    """Return a phone that is connected to a server of this kind."""
    return Phone(server(kind, engine).address)


@cache
def server(kind: str, engine: str) -> Server:
    """Return the running server of this kind."""
    return open_servers().enter_context(Server(kind, city(engine).config))


@cache
def sites(engine: str, processes: int) -> Sequence[Server]:
    """Return processes that serve the same site."""
    if processes == 1:
        return [server("site", engine)]
    return [*sites(engine, processes - 1), open_servers().enter_context(Server("site", city(engine).config))]


def scan(kind: str, engine: str, paths: Iterable[str]) -> None:
    """Open pages one after another."""
    for path in paths:
        answer = phone(kind, engine).get(path)
        if answer.status != 200:
            raise RuntimeError(f"{path} answered {answer.status}")


def scan_one_poster(engine: str = "sqlite") -> None:
    """Open the form of one poster again and again, as when it has just been put up."""
    scan("site", engine, [f"/s/{city(engine).codes[0][1]}"] * SCANS)


def scan_all_posters() -> None:
    """Open the form of another poster each time, so that nothing is remembered from the last scan."""
    tokens = [token for _, token in city("sqlite").codes]
    scan("site", "sqlite", [f"/s/{token}" for token in tokens[:SCANS]])


def say_hello() -> None:
    """Open the page of a bare Flask application on the same server."""
    scan("hello", "sqlite", ["/"] * SCANS)


def submit(kind: str, engine: str = "sqlite", *, phones: int = PHONES) -> list[float]:
    """Send forms from phones at once; return how long each waited for its receipt, in order."""
    where = city(engine)
    address = server(kind, engine).address
    forms = [[where.form(number) for number in range(SUBMITS_PER_PHONE)] for _ in range(phones)]

    def send(own: list[tuple[str, bytes]]) -> list[float]:
        waits = []
        with Phone(address) as sender:
            for path, body in own:
                start = time.perf_counter()
                answer = sender.post(path, body)
                waits.append(time.perf_counter() - start)
                if answer.status != 303:
                    raise RuntimeError(f"a submit was answered {answer.status}")
        return waits

    return sorted(wait for waits in together(lambda own=own: send(own) for own in forms) for wait in waits)


def slowest_percent(waits: list[float]) -> Seconds:
    """Return what 99 of 100 did not exceed."""
    return Seconds(waits[len(waits) * 99 // 100])


def ask_for_each(requests: Sequence[bytes]) -> Generator[bytes, object]:
    """Visit of one phone, whose requests are made before, so that the phones leave the machine to the server."""
    for request in requests:  # noqa: UP028 (a generator, which a list is not, takes the answers)
        yield request


def open_and_send(engine: str, *, phones: int, times: int = 1, processes: int = 1) -> list[float]:
    """Let phones open one form at one moment and send it, some times; return how long each answer took."""
    where = city(engine)
    page = get(f"/s/{where.codes[0][1]}")
    visits = [
        ask_for_each([request for _ in range(times) for request in (page, post(*where.form(0)))]) for _ in range(phones)
    ]
    answered = visit_together([each.address for each in sites(engine, processes)], visits)
    if {tuple(answer.status for answer, _ in answers) for answers in answered} != {(200, 303) * times}:
        raise RuntimeError("somebody was not thanked")
    return [wait for answers in answered for _, wait in answers]


def wait_in_a_crowd(phones: int) -> Seconds:
    """Let a crowd open a form at one moment and send it; return the wait that 95 of 100 answers did not exceed."""
    waits = sorted(open_and_send("sqlite", phones=phones))
    return Seconds(waits[len(waits) * 95 // 100])


def share_visits(processes: int) -> Seconds:
    """Let phones visit several processes on one PostgreSQL; return how long that took, without preparing it."""
    waits = open_and_send("postgresql", phones=CROWD, times=VISITS_OF_ONE, processes=processes)
    return Seconds(sum(waits) / CROWD)


def longest_wait() -> Seconds:
    """Let processes write at once; return the longest that one of their transactions waited for its turn."""
    path = folder() / "written-by-many.sqlite3"
    url = f"sqlite:///{path}"
    if not path.exists():
        with Database(url) as database:
            command.upgrade(database.alembic_config(), "head")
    with ProcessPoolExecutor(WRITERS, mp_context=get_context("spawn")) as pool:
        names = [f"{secrets.token_hex(4)}-{number}" for number in range(WRITERS)]
        return Seconds(max(pool.map(write_often, [url] * WRITERS, names)))


def scan_and_submit(engine: str) -> None:
    """Open a form and send it, from each phone in turn."""
    token, address = city(engine).codes[0][1], server("site", engine).address

    def visit() -> None:
        with Phone(address) as visitor:
            for _ in range(SUBMITS_PER_PHONE):
                form = visitor.get(f"/s/{token}")
                if visitor.post(f"/s/{token}", ANSWERS | {"key": form.key}).status != 303:
                    raise RuntimeError("a visit was not stored")

    together([visit] * PHONES)


def processor_note(
    kind: str,
    baseline: str,
    run_kind: Callable[[], object],
    run_baseline: Callable[[], object],
    *,
    engine: str = "sqlite",
) -> str:
    """Say the same ratio in processor time of the servers, which other programs of the machine move less."""
    costs = []
    for measured, run in ((server(kind, engine), run_kind), (server(baseline, "sqlite"), run_baseline)):
        before = measured.processor_seconds()
        run()
        costs.append(measured.processor_seconds() - before)
    return f"in processor time of the servers: ratio {costs[1] / costs[0]:.3g}"


def stored_note() -> str:
    """Say that what was thanked for is there."""
    return f"{city('sqlite').count():,} responses stored on SQLite, synchronous=FULL"


def benchmarks() -> list[Benchmark]:
    """Return what `./run bench` measures here."""
    return [
        Benchmark(
            name=f"survey: {SCANS} scans of one poster, beside hello-world on the same server",
            ours=scan_one_poster,
            baseline=say_hello,
            bar="≥ 0.5; reach 0.75",
            rounds=7,
            note=lambda: processor_note("site", "hello", scan_one_poster, say_hello),
        ),
        Benchmark(
            name=f"survey: {SCANS} scans of one poster on PostgreSQL, beside hello-world on the same server",
            ours=partial(scan_one_poster, "postgresql"),
            baseline=say_hello,
            bar="≥ 0.5; reach 0.75",
            rounds=7,
            note=lambda: processor_note(
                "site", "hello", partial(scan_one_poster, "postgresql"), say_hello, engine="postgresql"
            ),
        ),
        Benchmark(
            name=f"survey: {SCANS} scans of {SCANS} posters, beside hello-world on the same server",
            ours=scan_all_posters,
            baseline=say_hello,
            bar="none: what a scan costs when nothing is remembered",
            rounds=7,
            note=lambda: processor_note("site", "hello", scan_all_posters, say_hello),
        ),
        Benchmark(
            name=f"survey: {PHONES} phones submit to SQLite, beside the same checks without storing",
            ours=lambda: submit("site"),
            baseline=lambda: submit("validating"),
            bar="≥ 0.45; reach 0.65",
            rounds=7,
            note=lambda: (
                f"{processor_note('site', 'validating', lambda: submit('site'), lambda: submit('validating'))}; "
                f"{stored_note()}"
            ),
        ),
        Benchmark(
            name=f"survey: the slowest percent of {PHONES} phones, group commit beside a commit for each request",
            ours=lambda: slowest_percent(submit("site")),
            baseline=lambda: slowest_percent(submit("committing-each")),
            bar="≥ 10; reach 25",
        ),
        *(
            Benchmark(
                name=f"survey: what 95 of 100 answers to {crowd} phones at one moment did not exceed, beside 3 seconds",
                ours=partial(wait_in_a_crowd, crowd),
                baseline=lambda: Seconds(3),
                bar="≥ 1; reach 3",
            )
            for crowd in CROWDS
        ),
        Benchmark(
            name=f"survey: the longest wait of {WRITERS} processes that write without pause, beside one second",
            ours=longest_wait,
            baseline=lambda: Seconds(1),
            bar="≥ 1, none locked out; reach 4",
        ),
        Benchmark(
            name=f"survey: {PHONES * SUBMITS_PER_PHONE} visits, form and durable submit, SQLite beside PostgreSQL",
            ours=lambda: scan_and_submit("sqlite"),
            baseline=lambda: scan_and_submit("postgresql"),
            bar="none: what the embedded database gives up or gains",
        ),
        *(
            Benchmark(
                name=f"survey: visits of {CROWD} phones on one PostgreSQL, {processes} processes beside one",
                ours=partial(share_visits, processes),
                baseline=partial(share_visits, 1),
                bar="none: what processes bring where the cores are shared with the database and the phones",
            )
            for processes in (2, 3)
        ),
    ]
