"""Whatever goes wrong, a page in plain words says so and where to go next, in both languages."""

from datetime import UTC, datetime

import pytest
from sqlalchemy.exc import OperationalError

from survey_app.app import home_views
from survey_app.evaluations import round_views
from tests.accounts import csrf_token, make_account, signed_in_client

NOW = datetime.now(UTC)
STAFF, START = 'href="/staff/?lang', 'href="/?lang'


@pytest.fixture
def clients(app, sqlite_database):
    """A resident, and somebody of the city's bureau who is signed in."""
    with sqlite_database.writing() as session:
        make_account(session, "city", now=NOW)
    return {"resident": app.test_client(), "staff": signed_in_client(app, "city")}


def break_down(*_arguments, **_values):
    raise RuntimeError("secret detail")


def be_away(*_arguments, **_values):
    raise OperationalError("SELECT", {}, Exception("secret detail"))


def ask(client, method, path, **options):
    """Return the status and the pages in Chinese and English."""
    sign = "&" if "?" in path else "?"
    answers = [client.open(f"{path}{sign}lang={language}", method=method, **options) for language in ("zh-Hans", "en")]
    [status] = {answer.status_code for answer in answers}
    return status, *(answer.text for answer in answers)


@pytest.mark.parametrize(
    ("who", "asked", "expected", "words", "next_step"),
    [
        ("resident", "GET /nothing-here", 404, "没有这个页面", START),
        ("resident", "DELETE /", 405, "不能这样打开", START),
        ("resident", "POST /staff/rounds/new", 401, "无权查看", STAFF),
        ("staff", "GET /staff/nothing-here", 404, "没有这个页面", STAFF),
        ("staff", "GET /staff/rounds/1/closing", 405, "不能这样打开", STAFF),
        ("staff", "GET /staff/accounts", 403, "无权查看", STAFF),
        ("staff", "POST /staff/rounds/new", 400, "页面打开时间过长", STAFF),
    ],
)
def test_each_refusal_is_a_page_with_a_next_step(clients, *, who, asked, expected, words, next_step):
    status, chinese, english = ask(clients[who], *asked.split())

    assert status == expected
    assert words in chinese
    assert next_step in chinese[chinese.index("<main") :]
    assert not set("的请") & set(english[english.index("<main") :])
    assert "Werkzeug" not in chinese + english


@pytest.mark.parametrize(("failure", "status"), [(break_down, 500), (be_away, 503)])
def test_a_failure_is_a_page_with_a_next_step_and_no_detail(clients, monkeypatch, failure, status):
    monkeypatch.setattr(home_views, "render_template", failure)
    monkeypatch.setattr(round_views, "read_round_overviews", failure)

    for who, path, next_step in (("resident", "/", START), ("staff", "/staff/", STAFF)):
        found, chinese, english = ask(clients[who], "GET", path)
        assert found == status
        assert next_step in chinese[chinese.index("<main") :]
        assert "secret detail" not in chinese + english


def test_too_large_a_form_is_a_page_with_a_next_step(clients):
    token = csrf_token(clients["staff"].get("/staff/"))
    form = {"csrf_token": token, "name": "名" * 300_000}

    for who, path, next_step in (("resident", "/", START), ("staff", "/staff/rounds/new", STAFF)):
        status, chinese, _english = ask(clients[who], "POST", path, data=form)
        assert status == 413
        assert next_step in chinese[chinese.index("<main") :]
