"""Refused tries of several databases in one process: each is written when its own are due."""

from datetime import timedelta

from sqlalchemy import event, select

from survey_app.accounts.refused_tries import MOST_ACCOUNTS, TIME_BETWEEN_WRITES, RefusedTries
from survey_app.models import Account
from survey_app.storage.database import Database
from tests.accounts import make_account
from tests.factories import NOW


def commits_of(database):
    found = []
    event.listen(database.engine, "commit", lambda _connection: found.append(1))
    return found


def test_what_is_kept_of_one_database_makes_nothing_due_in_another(sqlite_database, empty_sqlite_url):
    tries = RefusedTries()
    with Database(empty_sqlite_url) as other:
        for number in range(MOST_ACCOUNTS - 1):
            tries.add(other, account=f"nobody {number}", now=NOW)
        with sqlite_database.writing() as session:
            make_account(session, "city", now=NOW)
        commits = commits_of(sqlite_database)

        for _each in range(5):
            tries.add(sqlite_database, account="city", now=NOW)
        assert commits == []

        tries.add(sqlite_database, account="city", now=NOW + TIME_BETWEEN_WRITES)
    with sqlite_database.reading() as session:
        assert session.scalars(select(Account.failed_sign_ins)).all() == [6]


def test_as_many_names_as_are_kept_are_written_before_their_minute_is_over(sqlite_database):
    tries, commits = RefusedTries(), commits_of(sqlite_database)

    for number in range(MOST_ACCOUNTS):
        tries.add(sqlite_database, account=f"nobody {number}", now=NOW + timedelta(seconds=1))

    assert len(commits) == 1
