"""Callbacks of the dashboards at three sizes of city, beside reading every standing and sorting them in pandas."""

import atexit
import gzip
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import pandas as pd
from alembic import command
from sqlalchemy import insert
from werkzeug.test import TestResponse

from analytics.canonical import canonical_json
from analytics.evaluate import evaluate, frame_text
from analytics.list_support import summarise_evidence
from analytics.support import weigh_evidence
from dashboards.mounting import PAGES
from survey_app.access import EVERYWHERE
from survey_app.config import Config
from survey_app.database import Database
from survey_app.models import Community, District, Evaluation, Standing, StandingEvidence
from survey_app.standings import read_standings
from tests.accounts import SECRET_KEY, make_account, signed_in_client
from tests.benchmarks.harness import Benchmark, Seconds
from tests.conftest import site_on
from tests.dashboards.made_up import DISTRICTS, RULES, counts, places
from tests.dashboards.test_mounting import Browser
from tests.factories import make_round

SIZES = (200, 5_000, 100_000)
SEED = 21
LANGUAGE = "?lang=zh-Hans"
# What somebody does with the table: sorts it, pages far into it, searches, narrows it down.
SORTED = (
    "satisfaction_rank",
    "-satisfaction_score",
    "responses",
    "-complaint_rank",
    "name",
)
NARROWED = ("&name=jade", "&region=乌达区", "&status=met", "&evidence=undecided", "&least=60")


@dataclass(frozen=True)
class City:
    """A site with two evaluated rounds, and a browser that is signed in to it."""

    database: Database
    browser: Browser
    communities: int


@cache
def city_of(size: int) -> City:
    """Return a city of about `size` communities in an SQLite database, which goes when the process ends."""
    folder = TemporaryDirectory(prefix="jiayuan-benchmark-")
    atexit.register(folder.cleanup)
    config = Config(
        instance=Path(folder.name),
        database_url=f"sqlite:///{folder.name}/jiayuan.sqlite3",
        secret_key=SECRET_KEY,
        public_url="http://127.0.0.1:8000",
    )
    register = places(max(1, size // 440)).head(size)
    with Database(config.database_url) as database:
        command.upgrade(database.alembic_config(), "head")
        _store_register(database, register)
        _store_evaluations(database, register)
        with database.writing() as session:
            make_account(session, "city", now=datetime.now(UTC))
    site = site_on(config)
    app = site.__enter__()
    atexit.register(site.__exit__, None, None, None)
    browser = Browser(app, client=signed_in_client(app, "city"))
    return City(Database(config.database_url), browser, len(register))


def _store_register(database: Database, register: pd.DataFrame) -> None:
    districts = [
        {"id": key, "name": name, "english_name": english, "sort_key": english}
        for key, (name, english, _) in enumerate(DISTRICTS, start=1)
    ]
    ids = {district["name"]: district["id"] for district in districts}
    communities = register.assign(
        id=np.arange(1, len(register) + 1), district_id=register["region"].map(ids), sort_key=register["english_name"]
    )
    columns = ["id", "number", "name", "english_name", "district_id", "sort_key"]
    with database.writing() as session:
        session.execute(insert(District), districts)
        session.execute(insert(Community), communities[columns].to_dict("records"))


def _store_evaluations(database: Database, register: pd.DataFrame) -> None:
    """Store one result as that of two rounds."""
    result = evaluate(counts(register, SEED), RULES)
    evidence = weigh_evidence(result)
    summary = {**result.summary, "evidence": {"regions": summarise_evidence(result, evidence)}}
    ids = dict(zip(register["number"], range(1, len(register) + 1), strict=True))
    now = datetime.now(UTC).replace(microsecond=0)
    for age in (300, 100):
        with database.writing() as session:
            survey_round = make_round(
                session, opens_at=now - timedelta(days=age), closes_at=now - timedelta(days=age - 20)
            )
            evaluation = Evaluation(
                round_id=survey_round.id,
                rule_file_id=survey_round.rule_file_id,
                provisional=False,
                cut_off=survey_round.closes_at,
                inputs=frame_text(result.communities),
                inputs_sha256=result.inputs_sha256,
                standings_sha256=result.standings_sha256,
                summary=canonical_json(summary),
                responses=int(result.standings["responses"].sum()),
                code_version="benchmark",
                evaluated_at=now - timedelta(days=age - 21),
            )
            session.add(evaluation)
            session.flush()
            for table, frame in ((Standing, result.standings), (StandingEvidence, evidence)):
                placed = frame.assign(evaluation_id=evaluation.id, community_id=frame["community_id"].map(ids))
                rows = placed[[column.name for column in table.__table__.columns]].astype(object)
                session.execute(insert(table), rows.where(rows.notna(), None).to_dict("records"))


def read_and_sort(city: City) -> pd.DataFrame:
    """Read every standing and sort it in pandas, as a page without help would."""
    with city.database.reading() as session:
        standings = read_standings(session, evaluation_id=2, scope=EVERYWHERE)
    return standings.sort_values("satisfaction_rank", kind="stable", na_position="last").head(20)


def pages_of(city: City) -> Mapping[str, Callable[[], TestResponse]]:
    """Return what draws each page."""
    own = {"community/": "&community=150007"}
    return {
        page.path or "overview": lambda path=page.path: city.browser.ask(LANGUAGE + own.get(path, ""), page=path)
        for page in PAGES
    }


def grid_pages_of(city: City) -> Iterable[Callable[[], Any]]:
    """Return what fills pages of the table: first and far ones of every order, and narrowed ones."""
    for sort in SORTED:
        model = [{"colId": sort.removeprefix("-"), "sort": "desc" if sort.startswith("-") else "asc"}]
        for start in (0, 20, city.communities * 9 // 10):
            yield lambda start=start, model=model: city.browser.ledger(
                LANGUAGE, start=start, end=start + 20, sort=model
            )
    for narrowed in NARROWED:
        yield lambda narrowed=narrowed: city.browser.ledger(LANGUAGE + narrowed)


def slowest(runs: Iterable[Callable[[], Any]], *, times: int) -> Seconds:
    """Return the 95th percentile of how long the runs take, each as often as the others."""
    return Seconds(np.quantile([_seconds(run) for run in runs for _ in range(times)], 0.95))


def _seconds(run: Callable[[], Any]) -> float:
    start = time.perf_counter()
    run()
    return time.perf_counter() - start


def described(city: City) -> str:
    """Say how long each page takes in the middle, and what it weighs."""
    said = []
    for name, draw in pages_of(city).items():
        middle = np.median([_seconds(draw) for _ in range(5)])
        weight = len(gzip.compress(draw().get_data())) / 1000
        said.append(f"{name} {middle * 1000:.0f} ms, {weight:.0f} kB")
    return "in the middle, and compressed (bar ≤ 100 kB, reach 50): " + "; ".join(said)


def asked_first(city: City) -> str:
    """Say how long the table takes when nobody asked for it before."""
    fresh = [
        _seconds(lambda name=f"{letter}{number}": city.browser.ledger(f"{LANGUAGE}&name={name}"))
        for number in range(5)
        for letter in "aeo"
    ]
    return f"a search that nobody made before takes {np.median(fresh) * 1000:.0f} ms in the middle"


def benchmarks() -> Iterable[Benchmark]:
    """Return what `./run bench` measures here."""
    for size in SIZES:
        yield Benchmark(
            name=f"dashboards: p95 of drawing every page of {size:,} communities, beside reading and sorting all",
            ours=lambda size=size: slowest(pages_of(city_of(size)).values(), times=3),
            baseline=lambda size=size: read_and_sort(city_of(size)),
            bar="ours ≤ 0.3 s; reach 0.15",
            note=lambda size=size: described(city_of(size)),
        )
        yield Benchmark(
            name=f"dashboards: p95 of one page of the table of {size:,} communities, beside reading and sorting all",
            ours=lambda size=size: slowest(grid_pages_of(city_of(size)), times=2),
            baseline=lambda size=size: read_and_sort(city_of(size)),
            bar="ours ≤ 0.1 s; reach 0.05",
            note=lambda size=size: asked_first(city_of(size)),
        )
