from datetime import timedelta
from uuid import uuid4

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import func, select

from survey_app.accounts.attempt_limits import Limit, TooManyAttempts, count_attempt, reset_attempts
from survey_app.accounts.policies import PUBLIC, policy
from survey_app.models import Attempt
from tests.factories import NOW
from tests.together import all_at_once

KEY = "only for tests: 7f3c9a1e5b8d2046"
HOUR = timedelta(hours=1)
LIMIT = Limit("case_secret", tries=5, window=HOUR)


def try_once(database, *, limit=LIMIT, subject="case 1", now=NOW):
    count_attempt(database, limit=limit, subject=subject, secret_key=KEY, now=now)


def is_allowed(database, **arguments):
    try:
        try_once(database, **arguments)
    except TooManyAttempts:
        return False
    return True


def stored(database):
    with database.reading() as session:
        return session.scalar(select(func.count()).select_from(Attempt))


def test_the_sixth_try_in_an_hour_is_refused_until_the_first_is_an_hour_old(database):
    for minute in range(5):
        try_once(database, now=NOW + timedelta(minutes=minute))

    with pytest.raises(TooManyAttempts) as refused:
        try_once(database, now=NOW + timedelta(minutes=59, seconds=30))

    assert refused.value.retry_at == NOW + HOUR
    assert refused.value.headers == {"Retry-After": "30"}
    assert is_allowed(database, now=NOW + HOUR)
    assert not is_allowed(database, now=NOW + HOUR)


def test_subjects_and_actions_are_counted_apart(database):
    for _ in range(5):
        try_once(database)

    assert not is_allowed(database)
    assert is_allowed(database, subject="case 2")
    assert is_allowed(database, limit=Limit("sign_in", tries=5, window=HOUR))


def test_a_success_starts_from_zero(database):
    for _ in range(5):
        try_once(database)
    try_once(database, subject="case 2")

    with database.writing() as session:
        reset_attempts(session, limit=LIMIT, subject="case 1", secret_key=KEY)

    assert is_allowed(database)
    assert stored(database) == 2


def test_a_try_stays_counted_when_what_followed_was_rolled_back(database):
    def fail():
        with database.writing():
            raise RuntimeError("the secret was wrong")

    for _ in range(5):
        try_once(database)
        with pytest.raises(RuntimeError):
            fail()

    assert not is_allowed(database)


def test_tries_that_arrive_together_do_not_pass_the_limit(database):
    allowed = all_at_once(lambda _try: is_allowed(database), range(8))

    assert sum(allowed) == 5


def test_what_no_longer_counts_is_cleared_away(database):
    for number in range(20):
        try_once(database, subject=f"case {number}")

    try_once(database, now=NOW + HOUR)

    assert stored(database) == 1


def test_the_database_holds_no_readable_subject(database):
    try_once(database, subject="13800138000")

    with database.reading() as session:
        assert "13800138000" not in session.scalars(select(Attempt.subject)).one()


@given(
    minutes=st.lists(st.integers(0, 300), max_size=30).map(sorted),
    tries=st.integers(1, 4),
)
@settings(max_examples=30, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_no_hour_ever_holds_more_tries_than_the_limit(sqlite_database, minutes, tries):
    limit = Limit("case_secret", tries=tries, window=HOUR)
    subject = f"case {uuid4()}"  # each example is another case in the same database
    allowed = [
        minute
        for minute in minutes
        if is_allowed(sqlite_database, limit=limit, subject=subject, now=NOW + timedelta(minutes=minute))
    ]

    for minute in minutes:
        in_the_hour_before = [one for one in allowed if minute - 60 < one <= minute]
        assert len(in_the_hour_before) <= tries
        assert minute in allowed or len(in_the_hour_before) == tries, "refused although there was room"


def test_the_refusal_is_a_page_that_says_when_to_come_back(app):
    view = policy(PUBLIC)(lambda: try_once(app.extensions["jiayuan"].database) or "ok")
    app.add_url_rule("/try", "try", view)
    client = app.test_client()
    for _ in range(5):
        assert client.get("/try").status_code == 200

    answer = client.get("/try?lang=en")

    assert answer.status_code == 429
    assert answer.headers["Retry-After"] == "3600"
    assert "try again in 60 minutes" in answer.text
