"""What everybody changes about their own account, and what that needs."""

import re
from datetime import UTC, datetime

import pytest
from sqlalchemy import select, update

from survey_app.models import Account, AuditEvent
from tests.accounts import PASSWORD, csrf_token, current_code, make_account, sign_in, signed_in_client

NEW_PASSWORD = "another horse battery"


@pytest.fixture
def clerk(app, sqlite_database):
    """A signed-in clerk whose next code is not used yet."""
    with sqlite_database.writing() as session:
        make_account(session, "bureau", role="city", now=datetime.now(UTC))
    return signed_in_again(app, sqlite_database)


def signed_in_again(app, database):
    client = signed_in_client(app, "bureau")
    with database.writing() as session:
        session.execute(update(Account).values(totp_last_step=None))
    return client


def post(client, path, **fields):
    return client.post(f"/staff/account{path}", data={"csrf_token": csrf_token(client.get("/staff/account")), **fields})


def done(database):
    with database.reading() as session:
        return session.scalars(select(AuditEvent.action).order_by(AuditEvent.position)).all()


def test_a_new_password_signs_out_every_other_browser_and_not_this_one(app, clerk, sqlite_database):
    elsewhere = signed_in_again(app, sqlite_database)

    answer = post(clerk, "/password", password=PASSWORD, code=current_code(), new_password=NEW_PASSWORD)

    assert answer.status_code == 303
    assert "已在其他各处退出" in clerk.get("/staff/account").text
    assert elsewhere.get("/staff/account").status_code == 302
    assert sign_in(app.test_client(), "bureau").status_code == 401
    assert sign_in(app.test_client(), "bureau", password=NEW_PASSWORD).status_code == 303
    assert "password_set" in done(sqlite_database)


@pytest.mark.parametrize(
    "changed", [{"password": "wrong horse battery"}, {"code": "000000"}, {"new_password": "short"}]
)
def test_a_password_is_not_changed_without_the_old_one_a_code_and_a_long_new_one(clerk, sqlite_database, changed):
    asked = {"password": PASSWORD, "code": current_code(), "new_password": NEW_PASSWORD}

    answer = post(clerk, "/password", **asked | changed)

    assert answer.status_code == 400
    assert 'role="alert"' in answer.text
    assert "password_set" not in done(sqlite_database)


def test_a_short_password_leaves_the_code_for_the_next_try(clerk):
    code = current_code()
    post(clerk, "/password", password=PASSWORD, code=code, new_password="short")

    assert post(clerk, "/password", password=PASSWORD, code=code, new_password=NEW_PASSWORD).status_code == 303


def test_guessing_codes_at_an_unlocked_screen_ends_after_five_tries(clerk):
    wrong = {"password": PASSWORD, "code": "000000"}

    assert [post(clerk, "/recovery-codes", **wrong).status_code for _ in range(6)] == [400] * 5 + [429]


def test_new_recovery_codes_replace_the_old_ones(app, clerk, sqlite_database):
    page = post(clerk, "/recovery-codes", password=PASSWORD, code=current_code())
    first = recovery_codes(page)
    with sqlite_database.writing() as session:
        session.execute(update(Account).values(totp_last_step=None))
    second = recovery_codes(post(clerk, "/recovery-codes", password=PASSWORD, code=current_code()))

    assert len(first) == len(second) == 10
    assert not set(first) & set(second)
    assert signs_in_with(app, first[0]) is False
    assert signs_in_with(app, second[0]) is True
    assert done(sqlite_database).count("recovery_codes_renewed") == 2


def recovery_codes(page):
    assert page.status_code == 200
    return re.findall(r"<li><code>([\d ]+)</code>", page.text)


def signs_in_with(app, code):
    client = app.test_client()
    given = client.post(
        "/sign-in",
        data={"csrf_token": csrf_token(client.get("/sign-in")), "username": "bureau", "password": PASSWORD},
    )
    assert given.status_code == 303
    answer = client.post("/sign-in/code", data={"csrf_token": csrf_token(client.get("/sign-in/code")), "code": code})
    return answer.status_code == 303


def test_one_other_session_is_ended_and_then_all_others(app, clerk, sqlite_database):
    others = [signed_in_again(app, sqlite_database) for _ in range(3)]
    digests = re.findall(r'name="session" value="(\w+)"', clerk.get("/staff/account").text)

    post(clerk, "/sessions", session=digests[0])
    left = [other.get("/staff/account").status_code for other in others]
    post(clerk, "/sessions")

    assert sorted(left) == [200, 200, 302]
    assert [other.get("/staff/account").status_code for other in others] == [302] * 3
    assert clerk.get("/staff/account").status_code == 200


def test_nobody_ends_the_session_of_somebody_else(app, clerk, sqlite_database):
    with sqlite_database.writing() as session:
        make_account(session, "administrator", now=datetime.now(UTC))
    other = signed_in_client(app, "administrator")
    signed_in_client(app, "administrator")
    [digest] = re.findall(r'name="session" value="(\w+)"', other.get("/staff/account").text)

    post(clerk, "/sessions", session=digest)

    assert digest in other.get("/staff/account").text
    assert "sessions_ended" not in done(sqlite_database)
