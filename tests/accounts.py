"""Accounts for tests, and browsers that are signed in."""

import re
from datetime import UTC, datetime, timedelta

import pyotp
from sqlalchemy import update

from survey_app.accounts.accounts import BoundTo, NewPassword, add_account
from survey_app.accounts.second_factor import seal_secret
from survey_app.audit import OPERATOR
from survey_app.models import Account
from survey_app.web.context import SITE_EXTENSION

PASSWORD = "correct horse battery"
# Every account of the tests has the same authenticator.
AUTHENTICATOR = "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP"
# Of the `config` fixture.
SECRET_KEY = "only for tests: 7f3c9a1e5b8d2046"


def make_account(session, username, *, now, in_force_for=timedelta(days=30), **values):
    """Add an account that `signed_in_client` can use; `role` is the user name unless the test says otherwise.

    `district`, `subdistrict`, `neighbourhood`, `company`, `community` or `communities` are what it is bound to.
    """
    bound = [values.pop(kind) for kind in ("district", "subdistrict", "neighbourhood", "company") if kind in values]
    communities = [values.pop("community")] if "community" in values else values.pop("communities", ())
    account = add_account(
        session,
        username=username,
        password=NewPassword.of(PASSWORD),
        now=now,
        bound_to=BoundTo(*bound, communities=communities),
        **({"role": username, "by": OPERATOR} | values),
    )
    account.totp_secret = seal_secret(AUTHENTICATOR, secret_key=SECRET_KEY)
    account.in_force_since = now - in_force_for
    session.flush()
    return account


def current_code():
    return pyotp.TOTP(AUTHENTICATOR).at(datetime.now(UTC))


def csrf_token(page):
    return re.search(r'name="csrf_token" value="([^"]+)"', page.text)[1]


def give_password(client, username, *, password=PASSWORD, **fields):
    """Take the first step of signing in and return its answer."""
    token = csrf_token(client.get("/sign-in"))
    return client.post("/sign-in", data={"csrf_token": token, "username": username, "password": password, **fields})


def give_code(client, code):
    """Take the second step and return its answer."""
    return client.post("/sign-in/code", data={"csrf_token": csrf_token(client.get("/sign-in/code")), "code": code})


def sign_in(client, username, **fields):
    """Go through both steps and return the last answer."""
    answer = give_password(client, username, **fields)
    if answer.status_code != 303:
        return answer
    with client.application.extensions[SITE_EXTENSION].database.writing() as session:
        # A test signs in more often than a person within half a minute.
        session.execute(update(Account).values(totp_last_step=None))
    return give_code(client, current_code())


def signed_in_client(app, username):
    """Return a client that speaks Chinese and is signed in."""
    client = app.test_client()
    client.environ_base["HTTP_ACCEPT_LANGUAGE"] = "zh-CN"
    assert sign_in(client, username).status_code == 303
    return client
