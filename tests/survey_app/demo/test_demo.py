import json
import shutil
import stat
from datetime import UTC, datetime

import pytest
from sqlalchemy import func, select

from survey_app.accounts.installation import RealDatabase, is_demo
from survey_app.config import Config
from survey_app.demo import demo
from survey_app.demo.demo import current_codes, demo_config, prepare_demo
from survey_app.models import Account, Community, Response, Round
from survey_app.storage.database import Database
from tests.accounts import give_code, give_password
from tests.conftest import site_on

NOW = datetime(2026, 9, 15, 4, 0, tzinfo=UTC)
ROLES = ["administrator", "bureau", "clerk", "company", "evaluator", "haibowan"]
MUCH_LATER = datetime(2027, 3, 1, 4, 0, tzinfo=UTC)


class PowerCut(Exception):
    pass


def track(sequence, /, description):  # noqa: ARG001 (as the commands call it)
    return sequence


def track_until_complaints(sequence, /, description):
    if description == "complaints":
        raise PowerCut
    return sequence


@pytest.fixture
def config(tmp_path):
    return demo_config(Config.from_env({"JIAYUAN_INSTANCE": str(tmp_path)}))


@pytest.fixture(scope="module")
def built(tmp_path_factory):
    """A small demonstration, built once, to copy, and what its first start showed."""
    config = demo_config(Config.from_env({"JIAYUAN_INSTANCE": str(tmp_path_factory.mktemp("demo"))}))
    return config, start(config)


@pytest.fixture
def prepared(built, config, tmp_path):
    shutil.copytree(built[0].instance, config.instance, dirs_exist_ok=True)
    return demo_config(Config.from_env({"JIAYUAN_INSTANCE": str(tmp_path)}))


def start(config, *, now=NOW, track=track):
    return prepare_demo(config, now=now, track=track, communities=3)


def read(config, statement):
    with Database(config.database_url) as database, database.reading() as session:
        return session.execute(statement).all()


def test_the_demonstration_lies_in_an_instance_of_its_own(config, tmp_path):
    assert config.instance == tmp_path / "demo"
    assert str(tmp_path / "demo") in config.database_url


def test_the_first_start_builds_a_city_marked_as_a_demonstration(built):
    config, shown = built

    with Database(config.database_url) as database, database.reading() as session:
        assert is_demo(session)
        assert session.scalar(select(func.count()).select_from(Community)) == 3
        assert session.scalar(select(Round.name).where(Round.closes_at > NOW)) == shown.open_round
        accounts = session.scalars(select(Account).where(Account.username.in_(ROLES)).order_by(Account.username)).all()
        assert [(row.username, row.role, row.place and row.place.english_name) for row in accounts] == [
            ("administrator", "administrator", None),
            ("bureau", "city", None),
            ("clerk", "clerk", "Fenghuangling"),
            ("company", "company", "Qianli Property Management"),
            ("evaluator", "evaluator", None),
            ("haibowan", "district", "Haibowan"),
        ]


def test_only_the_owner_can_read_the_passwords(prepared):
    path = prepared.instance / "demo-accounts.json"

    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert json.loads(path.read_text()).keys() == set(ROLES)


def test_a_later_start_shows_the_same_city_and_passwords(prepared):
    first, second = start(prepared), start(prepared, track=track_until_complaints)

    assert second == first


def test_an_interrupted_first_start_leaves_no_half_city(config):
    with pytest.raises(PowerCut):
        start(config, track=track_until_complaints)
    assert not (config.instance / "demo.sqlite3").exists()
    for leftovers in ("", "-wal", "-shm"):
        (config.instance / f"demo-unfinished.sqlite3{leftovers}").write_bytes(b"cut off")

    start(config)

    assert read(config, select(func.count()).select_from(Community)) == [(3,)]
    assert read(config, select(func.count()).select_from(Response))[0][0] > 50
    assert not list(config.instance.glob("*unfinished*"))


def test_lost_passwords_are_replaced_by_new_ones(prepared):
    before = start(prepared)
    (prepared.instance / "demo-accounts.json").unlink()

    after = start(prepared)

    assert after.accounts.keys() == before.accounts.keys()
    assert all(after.accounts[name].password != before.accounts[name].password for name in ROLES)
    assert all(after.accounts[name].authenticator != before.accounts[name].authenticator for name in ROLES)
    assert len(read(prepared, select(Account.id).where(Account.username.in_(ROLES)))) == len(ROLES)


def test_accounts_of_an_earlier_version_are_made_anew(prepared):
    path = prepared.instance / "demo-accounts.json"
    path.write_text(json.dumps({"bureau": "only a password"}))

    assert start(prepared).accounts.keys() == set(ROLES)


def test_the_accounts_that_are_shown_open_the_staff_pages(prepared):
    shown = start(prepared)

    with site_on(prepared) as app:
        for username, account in shown.accounts.items():
            client = app.test_client()
            give_password(client, username, password=account.password)
            give_code(client, current_codes(prepared, now=datetime.now(UTC))[username])
            assert client.get("/staff/").status_code == 200, username


def test_the_poster_that_is_shown_opens_the_survey(prepared):
    shown = start(prepared, now=datetime.now(UTC))

    with site_on(prepared) as app:
        response = app.test_client().get(f"/s/{shown.token}")

    assert shown.community in response.text


def test_a_demonstration_whose_last_round_is_over_says_so(prepared):
    assert start(prepared, now=MUCH_LATER).open_round is None


def test_a_database_that_is_no_demonstration_is_not_served_as_one(config, sqlite_database):
    sqlite_database.dispose()
    shutil.copy(sqlite_database.url.database, config.instance / demo.DATABASE)

    with pytest.raises(RealDatabase):
        start(config)

    assert read(config, select(Account.id)) == []
