"""Work on many rows goes on in short transactions, and whoever dies between two of them leaves the rest to be found."""

from itertools import count, pairwise
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import insert, select

from survey_app.models import District
from survey_app.storage import short_transactions
from survey_app.storage.short_transactions import (
    FEWEST_ROWS,
    MOST_ROWS,
    WANTED_SECONDS,
    ShortTransactions,
    next_size,
    read_ids,
)

SIZES, SECONDS = st.integers(FEWEST_ROWS, MOST_ROWS), st.floats(0, 3600)


def store(session, names):
    session.execute(insert(District), [{"name": name, "sort_key": name} for name in names])


def stored(database):
    with database.reading() as session:
        return session.scalars(select(District.name).order_by(District.id)).all()


def test_every_row_has_its_transaction_in_order(database):
    names = [f"{number:03}" for number in range(130)]
    transactions, sizes = ShortTransactions(database), []
    for part in transactions.parts(names):
        with transactions.writing() as session:
            store(session, part)
        sizes.append(len(part))

    assert stored(database) == names
    assert len(sizes) > 1


def test_what_each_transaction_wrote_goes_from_the_log_into_the_file_with_it(sqlite_database):
    file, transactions, sizes = Path(sqlite_database.url.database), ShortTransactions(sqlite_database, most=1), []
    sqlite_database.truncate_log()
    for part in transactions.parts(["区" * 50_000, "县" * 50_000, "旗" * 50_000]):
        sizes.append(file.stat().st_size)
        with transactions.writing() as session:
            store(session, part)

    # A few dozen pages each: a log of a thousand is what SQLite leaves to the commit that comes then.
    assert [after - before >= 150_000 for before, after in pairwise([*sizes, file.stat().st_size])] == [True] * 3


@pytest.mark.usefixtures("two_rows_at_once")
def test_who_dies_in_a_transaction_loses_that_one_alone(database):
    transactions = ShortTransactions(database)

    def store_until_killed():
        for part in transactions.parts(["a", "b", "c", "d", "e"]):
            with transactions.writing() as session:
                store(session, part)
                if "d" in part:
                    raise RuntimeError("killed")

    with pytest.raises(RuntimeError, match="killed"):
        store_until_killed()

    assert stored(database) == ["a", "b"]


def test_after_a_slow_transaction_the_next_is_smaller_and_after_quick_ones_larger(sqlite_database, monkeypatch):
    transactions = ShortTransactions(sqlite_database)

    def sizes(seconds):
        clock, found = count(step=seconds), []
        monkeypatch.setattr(short_transactions.time, "perf_counter", lambda: next(clock))
        for part in transactions.parts(range(2000)):
            with transactions.writing():
                found.append(len(part))
        return found[:6]

    assert sizes(0) == [25, 50, 100, 200, 400, 500]
    assert sizes(2 * WANTED_SECONDS) == [500, 250, 125, 62, 31, 25]


@given(size=SIZES, seconds=SECONDS, most=st.integers(1, MOST_ROWS))
def test_a_size_is_neither_too_few_nor_too_many_and_hardly_longer_than_wanted(size, seconds, most):
    following = next_size(size, seconds, most=most)

    assert min(FEWEST_ROWS, most) <= following <= most
    assert following <= max(FEWEST_ROWS, 2 * size)
    assert following <= FEWEST_ROWS or following * seconds / size <= WANTED_SECONDS * 1.001


def test_ids_come_in_the_order_that_was_asked_for(database):
    with database.writing() as session:
        store(session, ["b", "a", "c"])

    found = read_ids(database, select(District.id).order_by(District.name))

    assert [stored(database)[number - min(found)] for number in found] == ["a", "b", "c"]
