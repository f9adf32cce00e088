import pytest

from survey_app.accounts import request_limits
from survey_app.app.factory import create_app
from tests.accounts import give_password, make_account, sign_in, signed_in_client
from tests.factories import NOW


@pytest.fixture
def accounts(sqlite_database):
    with sqlite_database.writing() as session:
        make_account(session, "city", now=NOW)
        make_account(session, "evaluator", now=NOW)


@pytest.mark.usefixtures("accounts")
def test_an_account_that_asks_too_fast_waits_and_keeps_nobody_else_waiting(config, monkeypatch):
    monkeypatch.setattr(request_limits, "PAGES", "3 per day")
    app = create_app(config)
    hurried, other = signed_in_client(app, "city"), signed_in_client(app, "evaluator")

    answers = [hurried.get("/staff/") for _ in range(4)]

    assert [answer.status_code for answer in answers] == [200, 200, 200, 429]
    assert 0 < int(answers[-1].headers["Retry-After"]) <= 24 * 60 * 60
    assert "一分钟" in answers[-1].text
    assert other.get("/staff/").status_code == 200


@pytest.mark.usefixtures("accounts")
def test_files_have_a_pace_of_their_own(config, monkeypatch):
    monkeypatch.setattr(request_limits, "FILES", "1 per day")
    client = signed_in_client(create_app(config), "city")

    answers = [client.get("/staff/evaluations/1/tables.csv").status_code for _ in range(2)]

    assert answers == [404, 429]
    assert client.get("/staff/").status_code == 200


@pytest.mark.usefixtures("accounts")
def test_nobody_who_signs_in_waits_for_others_on_the_same_address(config, monkeypatch):
    for limit in ("PAGES", "FILES"):
        monkeypatch.setattr(request_limits, limit, "1 per day")
    client = create_app(config).test_client()

    tries = [give_password(client, name, password="wrong").status_code for name in ("city", "evaluator", "city")]

    assert tries == [401, 401, 401]
    assert sign_in(client, "city").status_code == 303


def test_residents_behind_one_address_are_never_slowed_down(config, monkeypatch):
    for limit in ("PAGES", "FILES"):
        monkeypatch.setattr(request_limits, limit, "1 per day")
    client = create_app(config).test_client()

    assert {client.get("/").status_code for _ in range(5)} == {200}
    assert {client.get("/static/site.css").status_code for _ in range(5)} == {200}
