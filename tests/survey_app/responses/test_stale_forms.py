"""What a phone may still see for a second after another process has changed it, and what it cannot store."""

from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import func, select, update

from survey_app.codes.codes import revoke_code
from survey_app.models import Code, Response, Round
from survey_app.responses.submission import still_take_answers
from survey_app.rounds.round_changes import close_round_early
from tests.conftest import site_on
from tests.factories import make_community, make_poster_code, make_round_around
from tests.survey_app.responses.test_form_cache import key_in


@pytest.fixture(autouse=True)
def clock(monkeypatch):
    """The clock of the cache, which a test moves."""

    class Clock:
        now = 1000.0

        def monotonic(self):
            return self.now

    clock = Clock()
    monkeypatch.setattr("survey_app.storage.commit_cache.time", clock)
    return clock


@pytest.fixture
def database(postgresql_database):
    """The database as another process sees it, since the site has a pool and a cache of its own."""
    return postgresql_database


@pytest.fixture
def client(database, config):
    url = database.url.render_as_string(hide_password=False)
    with site_on(config.__class__(config.instance, url, config.secret_key, config.public_url)) as app:
        yield app.test_client()


@pytest.fixture
def token(database):
    with database.writing() as session:
        make_round_around(session, datetime.now(UTC))
        return make_poster_code(session, make_community(session)).token


def revoke(session):
    revoke_code(session, code=session.query(Code).one(), now=datetime.now(UTC))


def close(session):
    close_round_early(session, round_id=session.scalar(select(Round.id)), reason="停电", now=datetime.now(UTC))


def send(client, token, key):
    return client.post(f"/s/{token}", data={"key": key, "q01": "5", "q16": "1"})


def stored(database):
    with database.reading() as session:
        return session.scalar(select(func.count()).select_from(Response))


@pytest.mark.postgresql
def test_the_second_scan_of_a_poster_reads_nothing(client, token, database):
    assert client.get(f"/s/{token}").status_code == 200
    with database.writing() as session:
        session.execute(update(Round).values(name="改名调查"))

    assert "改名调查" not in client.get(f"/s/{token}").text


@pytest.mark.postgresql
@pytest.mark.parametrize(("change", "status"), [(revoke, 410), (close, 409)])
def test_what_another_process_ends_is_over_within_a_second(client, token, database, *, clock, change, status):
    assert client.get(f"/s/{token}").status_code == 200
    with database.writing() as session:
        change(session)

    clock.now += 1

    assert client.get(f"/s/{token}").status_code == status


@pytest.mark.postgresql
@pytest.mark.parametrize(("change", "status"), [(revoke, 410), (close, 409)])
def test_nothing_is_stored_for_what_another_process_has_ended(client, token, database, change, status):
    for _ in range(2):  # the first makes the key of the day, which is a commit like others
        assert send(client, token, key_in(client.get(f"/s/{token}"))).status_code == 303
    key = key_in(client.get(f"/s/{token}"))
    with database.writing() as session:
        change(session)

    assert client.get(f"/s/{token}").status_code == 200, "the form is still shown"
    assert send(client, token, key).status_code == status
    assert stored(database) == 2


@pytest.mark.postgresql
def test_what_is_sent_again_after_the_close_still_leads_to_its_receipt(client, token, database):
    key = key_in(client.get(f"/s/{token}"))
    first = send(client, token, key)
    with database.writing() as session:
        close(session)

    again = send(client, token, key)

    assert again.status_code == 303
    assert (
        again.headers["Location"].split("?")[0].split(".")[0] == first.headers["Location"].split("?")[0].split(".")[0]
    )


@pytest.mark.parametrize("engine", ["sqlite", pytest.param("postgresql", marks=pytest.mark.postgresql)])
def test_a_row_is_checked_by_its_code_its_community_its_round_and_its_moment(request, engine):
    database = request.getfixturevalue(f"{engine}_database")
    now = datetime.now(UTC)
    with database.writing() as session:
        survey_round = make_round_around(session, now)
        community, elsewhere = make_community(session, name="甲"), make_community(session, name="乙")
        code, revoked = make_poster_code(session, community), make_poster_code(session, community)
        revoke_code(session, code=revoked, now=now)
        row = {"code_id": code.id, "community_id": community.id, "round_id": survey_round.id, "submitted_at": now}
        rows = [
            row,
            row | {"code_id": revoked.id},
            row | {"community_id": elsewhere.id},
            row | {"round_id": survey_round.id + 1},
            row | {"submitted_at": survey_round.closes_at},
            row | {"submitted_at": survey_round.opens_at - timedelta(seconds=1)},
            row,
        ]

        assert still_take_answers(session, rows) == [True, False, False, False, False, False, True]
