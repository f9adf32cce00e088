"""Accounts for tests, and browsers that are signed in."""

import re

from survey_app.accounts import add_account

PASSWORD = "correct horse battery"


def make_account(session, username, *, now, **values):
    """Add an account that `signed_in_client` can use; `role` is the user name unless the test says otherwise."""
    return add_account(session, username=username, password=PASSWORD, now=now, **({"role": username} | values))


def csrf_token(page):
    return re.search(r'name="csrf_token" value="([^"]+)"', page.text)[1]


def sign_in(client, username, *, password=PASSWORD, **fields):
    """Go through signing in and return the last answer."""
    token = csrf_token(client.get("/sign-in"))
    return client.post("/sign-in", data={"csrf_token": token, "username": username, "password": password, **fields})


def signed_in_client(app, username):
    """Return a client that speaks Chinese and is signed in."""
    client = app.test_client()
    client.environ_base["HTTP_ACCEPT_LANGUAGE"] = "zh-CN"
    assert sign_in(client, username).status_code == 303
    return client
