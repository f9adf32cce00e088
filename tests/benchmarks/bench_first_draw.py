"""First draws of the dashboards, of which nothing is remembered, beside reading the rows of an evaluation plainly.

`JIAYUAN_BENCH_COMMUNITIES=440,100000 ./run bench first_draw` sets the sizes of the cities. Every page is drawn as a
browser has it drawn: a signed-in POST to Dash through the whole site, in this process. What counts is the time of
processors.
"""

import gzip
import os
import sqlite3
import time
from collections.abc import Iterable
from contextlib import closing
from dataclasses import dataclass
from functools import partial
from typing import Final

from werkzeug.test import TestResponse

from dashboards.app import PAGES
from dashboards.pages.page import Page
from survey_app.web.context import SITE_EXTENSION, Site
from tests.accounts import signed_in_client
from tests.benchmarks.bench_dashboards import LANGUAGE, City, Timings, city_of
from tests.benchmarks.harness import Benchmark, Seconds
from tests.conftest import site_on
from tests.dashboards.test_app import Browser

SIZES: Final = tuple(int(size) for size in os.environ.get("JIAYUAN_BENCH_COMMUNITIES", "1000,20000").split(","))
_AGAIN: Final = 3
_ROUNDS: Final = 3


@dataclass
class Drawn:
    """What drawing a page took when nothing was remembered, and again, and what was sent."""

    first: float = 0.0
    again: float = 0.0
    packed: int = 0
    whole: int = 0

    def described(self) -> str:
        """Say it for people."""
        sent = f"{self.packed / 1000:.0f} kB sent, {self.whole / 1000:.0f} kB unpacked"
        return f"first {self.first * 1000:.0f} ms, again {self.again * 1000:.0f} ms; {sent}"


_DRAWN: Final[dict[tuple[int, str], Drawn]] = {}


def draw(size: int, page: Page) -> Seconds:
    """Draw a page on a site that has just started, and then some more times."""
    city, timings, drawn = city_of(size), Timings(), Drawn()
    search = LANGUAGE + (f"&community={city.first_number}" if page.path == "community/" else "")
    with site_on(_site_of(city).config) as app:
        browser = Browser(app, client=signed_in_client(app, "city"))
        browser.client.environ_base["HTTP_ACCEPT_ENCODING"] = "gzip"

        def ask() -> TestResponse:
            return browser.ask(search, page=page.path)

        drawn.first = timings.take(page.path, ask)
        drawn.again = min(timings.take(page.path, ask) for _ in range(_AGAIN))
        body = ask().get_data()
    drawn.packed, drawn.whole = len(body), len(gzip.decompress(body))
    _DRAWN[size, page.path] = drawn
    return Seconds(drawn.first)


def read_plainly(size: int) -> Seconds:
    """Read the standings of the newest evaluation and their evidence, every column, and do nothing with them."""
    with closing(sqlite3.connect(_site_of(city_of(size)).database.url.database)) as connection:
        start = time.process_time()
        for table in ("standing", "standing_evidence"):
            newest = f"SELECT * FROM {table} WHERE evaluation_id = (SELECT max(id) FROM evaluation)"
            connection.execute(newest).fetchall()
        return Seconds(time.process_time() - start)


def _site_of(city: City) -> Site:
    site: Site = city.browser.client.application.extensions[SITE_EXTENSION]
    return site


def benchmarks() -> Iterable[Benchmark]:
    """Return what `./run bench` measures here."""
    for size in SIZES:
        for page in PAGES:
            yield Benchmark(
                name=f"first_draw: {page.path or 'overview'} of {size:,} communities, beside reading the rows",
                ours=partial(draw, size, page),
                baseline=partial(read_plainly, size),
                bar="100,000: ours ≤ 2 s, one community ≤ 0.5 s; ≤ 2 MB sent",
                rounds=_ROUNDS,
                note=lambda size=size, page=page: _DRAWN[size, page.path].described(),
            )
