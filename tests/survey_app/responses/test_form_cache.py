import gzip
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import select, update

from survey_app.codes.codes import revoke_code
from survey_app.models import Code, Community, Round
from survey_app.rounds.round_changes import close_round_early
from survey_app.security.submission_keys import Form, read_key
from tests.factories import make_community, make_poster_code, make_round_around


@pytest.fixture
def token(sqlite_database):
    now = datetime.now(UTC)
    with sqlite_database.writing() as session:
        make_round_around(session, now)
        return make_poster_code(session, make_community(session, name="滨河家园")).token


@pytest.fixture
def inside(app):
    """How many requests came into the site, behind the door."""
    requests = []
    app.before_request(lambda: requests.append(1))
    return requests


@pytest.fixture(autouse=True)
def still_clock(monkeypatch):
    """No second passes while a test looks at what is remembered."""

    class Clock:
        def monotonic(self):
            return 1000.0

    monkeypatch.setattr("survey_app.storage.commit_cache.time", Clock())


def test_a_round_that_is_closed_early_is_over_for_the_next_phone(client, token, sqlite_database):
    assert client.get(f"/s/{token}").status_code == 200
    with sqlite_database.writing() as session:
        round_id = session.scalar(select(Round.id))
        close_round_early(session, round_id=round_id, reason="停电", now=datetime.now(UTC))

    answer = client.get(f"/s/{token}")

    assert answer.status_code != 200
    assert "调查已结束" in answer.text


def key_in(response):
    return response.text.split('name="key" value="')[1].split('"')[0]


def test_the_second_scan_of_a_poster_is_answered_at_the_door_with_a_key_of_its_own(client, token, inside, config):
    first, second = client.get(f"/s/{token}"), client.get(f"/s/{token}")

    assert len(inside) == 1
    keys = [key_in(first), key_in(second)]
    assert keys[0] != keys[1]
    assert first.text.replace(keys[0], "") == second.text.replace(keys[1], "")
    assert dict(first.headers) == dict(second.headers)
    for key in keys:
        assert read_key(key, form=Form.RESPONSE, secret_key=config.secret_key).opened_at <= datetime.now(UTC)


def test_what_is_handed_out_at_the_door_can_be_sent(client, token):
    client.get(f"/s/{token}")
    form = {"key": key_in(client.get(f"/s/{token}")), "q01": "5", "q16": "1"}

    assert client.post(f"/s/{token}", data=form).status_code == 303


def test_a_phone_that_understands_gzip_gets_the_same_page_compressed(client, token):
    plain = client.get(f"/s/{token}")
    for _ in range(2):
        packed = client.get(f"/s/{token}", headers={"Accept-Encoding": "gzip, deflate, br"})

        text = gzip.decompress(packed.data).decode()
        assert packed.headers["Content-Encoding"] == "gzip"
        assert int(packed.headers["Content-Length"]) == len(packed.data)
        assert text.partition('name="key"')[0] == plain.text.partition('name="key"')[0]


@pytest.mark.parametrize(
    "other",
    [{"query_string": "lang=en"}, {"headers": {"Accept-Language": "en"}}],
)
def test_another_language_is_another_page(client, token, inside, other):
    client.get(f"/s/{token}")

    assert '<html lang="en">' in client.get(f"/s/{token}", **other).text
    assert len(inside) == 2


def test_a_cookie_is_looked_at_inside_since_a_session_can_hold_a_language(client, token, inside):
    client.get(f"/s/{token}")
    client.set_cookie("session", "x")

    client.get(f"/s/{token}")

    assert len(inside) == 2


def test_the_door_is_shut_at_once_when_a_code_is_revoked(client, token, sqlite_database):
    assert client.get(f"/s/{token}").status_code == 200
    with sqlite_database.writing() as session:
        revoke_code(session, code=session.query(Code).one(), now=datetime.now(UTC))

    assert client.get(f"/s/{token}").status_code == 410


def test_the_door_is_shut_at_the_moment_the_round_closes(client, token, monkeypatch):
    assert client.get(f"/s/{token}").status_code == 200
    after = datetime.now(UTC) + timedelta(days=3, seconds=1)
    for module in ("survey_app.responses.form_cache", "survey_app.responses.survey_views"):
        monkeypatch.setattr(f"{module}.current_time", lambda: after)

    assert client.get(f"/s/{token}").status_code == 409


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        (update(Community).values(name="新名家园"), "新名家园"),
        (update(Round).values(name="改名调查"), "改名调查"),
    ],
)
def test_a_corrected_name_is_shown_at_once(client, token, sqlite_database, change, expected):
    client.get(f"/s/{token}")
    with sqlite_database.writing() as session:
        session.execute(change)

    assert expected in client.get(f"/s/{token}").text


def test_only_a_get_is_answered_at_the_door(client, token, inside):
    client.get(f"/s/{token}")

    assert client.head(f"/s/{token}").data == b""
    assert client.post(f"/s/{token}", data={}).status_code == 400
    assert len(inside) == 3
