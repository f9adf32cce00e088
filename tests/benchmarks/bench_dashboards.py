"""Callbacks of the dashboards in cities of several sizes, beside one of the same server that draws nothing.

`JIAYUAN_BENCH_COMMUNITIES=200,5000,100000 ./run bench dashboards` sets the sizes of the cities; a hundred thousand
communities take about a quarter of an hour. Every page is drawn as a browser has it drawn: a signed-in POST to Dash
through the whole site, in this process. What counts is the time of processors, since the clock shows mostly what else a
shared machine does; both are told, and the first time after the start apart from all others.
"""

import atexit
import os
import time
from collections import defaultdict
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

import numpy as np
from alembic import command
from werkzeug.test import TestResponse

from dashboards.app import PAGES
from survey_app.config import Config
from survey_app.storage.database import Database
from tests.accounts import SECRET_KEY, make_account, signed_in_client
from tests.benchmarks.harness import Benchmark, Seconds
from tests.benchmarks.stored_city import store_city
from tests.conftest import site_on
from tests.dashboards.test_app import Browser

SIZES: Final = tuple(int(size) for size in os.environ.get("JIAYUAN_BENCH_COMMUNITIES", "200,5000").split(","))
LANGUAGE = "?lang=zh-Hans"
NARROWED_VIEWS = ("", "&route=complaints", "&region=乌达区")
DEFAULT_ASSUMPTIONS = ("region:city", "minimum_responses:50", "ties:exclude")
# What somebody does with the table: sorts it, pages far into it, searches, narrows it down.
SORTED = (
    "satisfaction_rank",
    "-satisfaction_score",
    "responses",
    "-complaint_rank",
    "name",
)
NARROWED = ("&name=jade", "&region=乌达区", "&status=met", "&evidence=undecided", "&least=60")

Ask = Callable[[], TestResponse]


@dataclass
class Timings:
    """How long each answer took, on the clock and of processors, and what the last one weighed."""

    clock: dict[str, list[float]] = field(default_factory=lambda: defaultdict(list))
    processors: dict[str, list[float]] = field(default_factory=lambda: defaultdict(list))
    bytes: dict[str, int] = field(default_factory=dict)

    def take(self, name: str, ask: Ask) -> float:
        """Ask once and return the seconds of processors."""
        start, working = time.perf_counter(), time.process_time()
        answer = ask()
        worked = time.process_time() - working
        self.clock[name].append(time.perf_counter() - start)
        self.processors[name].append(worked)
        if answer.status_code != 200:
            raise ValueError(f"{name} was answered with {answer.status_code}")
        self.bytes[name] = len(answer.get_data())
        return worked

    def described(self) -> str:
        """Say of each kind of answer the first time, the 95th percentile of the others, and the largest weight."""
        lines = ["answer: p95 on the clock, of processors; first after the start; compressed"]
        for name, times in self.clock.items():
            p95, worked = (np.quantile(values[1:] or values, 0.95) * 1000 for values in (times, self.processors[name]))
            weight = self.bytes[name] / 1000
            lines.append(f"  {name}: {p95:.0f} ms, {worked:.0f} ms; {times[0] * 1000:.0f} ms; {weight:.1f} kB")
        return "\n  ".join(lines)


@dataclass(frozen=True)
class City:
    """A site with two evaluated rounds and an open one, a browser that is signed in to it, and what was measured."""

    browser: Browser
    size: int
    first_number: str
    pages: Timings
    table: Timings


@cache
def city_of(size: int) -> City:
    """Return a city in an SQLite database, which goes when the process ends."""
    folder = TemporaryDirectory(prefix="jiayuan-benchmark-")
    atexit.register(folder.cleanup)
    config = Config(
        instance=Path(folder.name),
        database_url=f"sqlite:///{folder.name}/jiayuan.sqlite3",
        secret_key=SECRET_KEY,
        public_url="http://127.0.0.1:8000",
    )
    with Database(config.database_url) as database:
        command.upgrade(database.alembic_config(), "head")
        register = store_city(database, size)
        with database.writing() as session:
            make_account(session, "city", now=datetime.now(UTC))
    site = site_on(config)
    app = site.__enter__()
    atexit.register(site.__exit__, None, None, None)
    for limiter in app.extensions["limiter"]:
        limiter.enabled = False  # nobody asks as fast as this
    browser = Browser(app, client=signed_in_client(app, "city"))
    browser.client.environ_base["HTTP_ACCEPT_ENCODING"] = "gzip"
    return City(browser, size, register["number"].iloc[0], Timings(), Timings())


def nothing_of(city: City) -> Seconds:
    """Ask for a page that does not exist: the same callback, with all that the site does around it."""
    timings = Timings()
    return Seconds(np.median([timings.take("", lambda: city.browser.ask(LANGUAGE, page="nowhere/")) for _ in range(5)]))


def pages_of(city: City) -> Iterable[tuple[str, Ask]]:
    """Return what draws every page: whole, on the other route, of one district, and under other rules."""
    own = {"community/": f"&community={city.first_number}"}
    asked = [(page.path, f"{own.get(page.path, '')}{view}") for page in PAGES for view in NARROWED_VIEWS]
    asked += [("criterion/", f"&what_if={rule}") for rule in DEFAULT_ASSUMPTIONS]
    for path, search in asked:
        yield (
            f"{path or 'overview'}{search}",
            lambda path=path, search=search: city.browser.ask(LANGUAGE + search, page=path),
        )


def table_of(city: City) -> Iterable[tuple[str, Ask]]:
    """Return what fills pages of the table: first and far ones of every order, and narrowed ones."""
    for sort in SORTED:
        model = [{"colId": sort.removeprefix("-"), "sort": "desc" if sort.startswith("-") else "asc"}]
        for start in (0, city.size * 9 // 10):
            yield (
                f"by {sort} from {start:,}",
                lambda start=start, model=model: city.browser.rows(LANGUAGE, start=start, end=start + 20, sort=model),
            )
    for narrowed in NARROWED:
        yield f"with {narrowed[1:]}", lambda narrowed=narrowed: city.browser.rows(LANGUAGE + narrowed)


def p95_of(timings: Timings, asked: Iterable[tuple[str, Ask]], *, times: int) -> Seconds:
    """Return the 95th percentile of how long the answers take, each asked for as often as the others."""
    return Seconds(np.quantile([timings.take(name, ask) for name, ask in asked for _ in range(times)], 0.95))


def benchmarks() -> Iterable[Benchmark]:
    """Return what `./run bench` measures here."""
    for size in SIZES:
        yield Benchmark(
            name=f"dashboards: p95 of drawing every page of {size:,} communities, beside a page that does not exist",
            ours=lambda size=size: p95_of(city_of(size).pages, pages_of(city_of(size)), times=2),
            baseline=lambda size=size: nothing_of(city_of(size)),
            bar="ours ≤ 0.3 s, reach 0.15; compressed ≤ 100 kB, reach 50",
            note=lambda size=size: city_of(size).pages.described(),
        )
        yield Benchmark(
            name=f"dashboards: p95 of a part of the table of {size:,} communities, beside a page that does not exist",
            ours=lambda size=size: p95_of(city_of(size).table, table_of(city_of(size)), times=2),
            baseline=lambda size=size: nothing_of(city_of(size)),
            bar="ours ≤ 0.1 s, reach 0.05",
            note=lambda size=size: city_of(size).table.described(),
        )
