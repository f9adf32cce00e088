"""Several processes write into one SQLite file."""

import time
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from threading import Event

import pytest
from sqlalchemy import func, insert, select

from survey_app.errors import DatabaseBusy
from survey_app.models import District
from survey_app.storage.database import Database

WRITERS = 4
TRANSACTIONS = 25


def write_often(url, number, transactions=TRANSACTIONS):
    """Write short transactions one after another, as imports and evaluations do; return the longest wait."""
    waits = []
    with Database(url) as database:
        for transaction in range(transactions):
            start = time.perf_counter()
            with database.writing() as session:
                waits.append(time.perf_counter() - start)
                name = f"{number}-{transaction}"
                session.execute(insert(District).values(name=name, sort_key=name))
    return max(waits)


def write_forever(url, started):
    """Take the write lock and keep it."""
    with Database(url) as database, database.writing():
        started.set()
        Event().wait()


def test_who_waits_for_a_process_that_hangs_gives_up_by_name(sqlite_database, monkeypatch):
    monkeypatch.setattr("survey_app.storage.database.BUSY_TIMEOUT_SECONDS", 0.05)
    context = get_context("spawn")
    started = context.Event()
    process = context.Process(target=write_forever, args=(sqlite_database.url.render_as_string(), started))
    process.start()
    assert started.wait(120)

    with pytest.raises(DatabaseBusy), sqlite_database.writing():
        pass

    process.kill()
    process.join()
    write_often(sqlite_database.url, number=0, transactions=1)


def test_four_processes_that_write_at_once_never_find_the_database_locked(sqlite_database):
    url = sqlite_database.url.render_as_string()

    with ProcessPoolExecutor(WRITERS, mp_context=get_context("spawn")) as pool:
        list(pool.map(write_often, [url] * WRITERS, range(WRITERS)))

    with sqlite_database.reading() as session:
        assert session.scalar(select(func.count()).select_from(District)) == WRITERS * TRANSACTIONS
