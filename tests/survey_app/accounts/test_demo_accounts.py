"""Accounts of the demonstration on the sign-in page: offered on the machine itself, and to nobody else."""

import re

import pytest

from survey_app.accounts.demo_accounts import DEMO_ACCOUNTS, DemoAccount
from survey_app.accounts.installation import use_as_demo
from survey_app.accounts.second_factor import address_of
from survey_app.clock import current_time
from survey_app.models import Account
from survey_app.web.request_heads import is_loopback
from tests.accounts import AUTHENTICATOR, PASSWORD, csrf_token, make_account


@pytest.fixture
def demonstration(app, sqlite_database):
    """The site of a demonstration whose account of the city is offered."""
    with sqlite_database.writing() as session:
        use_as_demo(session, now=current_time())
        make_account(session, "bureau", role="city", now=current_time())
        make_account(session, "private", role="city", now=current_time())
    app.extensions[DEMO_ACCOUNTS] = {"bureau": DemoAccount(PASSWORD, address_of(AUTHENTICATOR, "bureau"))}
    return app


def visit(app, *, remote="127.0.0.1", host="localhost", **headers):
    return app.test_client().get("/sign-in", environ_base={"REMOTE_ADDR": remote}, headers={"Host": host} | headers)


def offered(answer):
    return re.findall(r'name="username" value="(\w+)"', answer.text)


def test_an_offered_account_signs_in_without_a_word_typed(demonstration):
    client = demonstration.test_client()
    page = client.get("/sign-in")
    fields = dict(re.findall(r'<input type="hidden" name="(\w+)" value="([^"]*)"', page.text))

    code_page = client.post("/sign-in", data=fields | {"csrf_token": csrf_token(page)}, follow_redirects=True)
    code = re.search(r'id="code"[^>]* value="(\d{6})"', code_page.text)[1]
    home = client.post("/sign-in/code", data={"csrf_token": csrf_token(code_page), "code": code})

    assert (home.status_code, home.location) == (303, "/staff/")
    assert page.headers["Cache-Control"] == code_page.headers["Cache-Control"] == "no-store"


@pytest.mark.parametrize("remote", ["127.0.0.1", "127.9.9.9", "::1"])
@pytest.mark.parametrize("host", ["localhost", "localhost:8000", "127.0.0.1:8000", "127.0.0.1", "[::1]:8000", "[::1]"])
def test_the_machine_itself_is_offered_the_accounts(demonstration, remote, host):
    assert offered(visit(demonstration, remote=remote, host=host)) == ["bureau"]


@pytest.mark.parametrize("remote", ["192.168.1.7", "10.0.0.1", "fe80::1", "::ffff:192.168.1.7", "203.0.113.9", ""])
def test_no_other_machine_is_offered_an_account(demonstration, remote):
    assert offered(visit(demonstration, remote=remote)) == []


@pytest.mark.parametrize(
    "host",
    [
        "evil.example",
        "localhost.evil.example",
        "192.168.1.2:8000",
        "127.0.0.1.nip.example",
        "0.0.0.0",
        "[::2",
        ":8000",
        "::",
        "127.0.0.1@evil.example",
        "localhost.",
        "2130706433",
    ],
)
def test_no_page_that_names_the_machine_by_another_name_is_offered_an_account(demonstration, host):
    answer = visit(demonstration, host=host)

    assert offered(answer) == []
    assert PASSWORD not in answer.text
    assert answer.status_code < 500


@pytest.mark.parametrize("header", ["X-Forwarded-For", "Forwarded", "Via", "X-Real-IP", "X-Forwarded-Host"])
def test_nobody_behind_a_proxy_of_the_machine_is_offered_an_account(demonstration, header):
    assert offered(visit(demonstration, **{header: "127.0.0.1"})) == []


def test_an_installation_that_is_no_demonstration_offers_none(app, sqlite_database):
    with sqlite_database.writing() as session:
        make_account(session, "bureau", role="city", now=current_time())
    app.extensions[DEMO_ACCOUNTS] = {"bureau": DemoAccount(PASSWORD, address_of(AUTHENTICATOR, "bureau"))}

    assert offered(visit(app)) == []


def test_a_demonstration_that_offers_none_shows_none(app, sqlite_database):
    with sqlite_database.writing() as session:
        use_as_demo(session, now=current_time())
        make_account(session, "bureau", role="city", now=current_time())

    assert offered(visit(app)) == []


def test_a_disabled_account_is_not_offered(demonstration, sqlite_database):
    with sqlite_database.writing() as session:
        session.query(Account).filter_by(username="bureau").one().disabled_at = current_time()

    assert offered(visit(demonstration)) == []


def test_the_code_of_an_account_that_is_not_offered_is_not_shown(demonstration):
    client = demonstration.test_client()
    fields = {"csrf_token": csrf_token(client.get("/sign-in")), "username": "private", "password": PASSWORD}

    page = client.post("/sign-in", data=fields, follow_redirects=True)

    assert re.search(r'id="code"[^>]* value="([^"]*)"', page.text)[1] == ""


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.168.1.2", "example.cn", ""])
def test_a_host_that_others_reach_is_no_loopback(host):
    assert not is_loopback(host)
