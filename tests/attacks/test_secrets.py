"""Secrets: keys, files, passwords, and what owners are told; each attacked in several ways."""

import os
import re
import sqlite3
import stat
import subprocess
import sys
from contextlib import closing
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import alembic.command
import pytest
from click.testing import CliRunner
from sqlalchemy import delete, select, update

from survey_app import private_files
from survey_app.accounts import own_account_views
from survey_app.accounts.accounts import (
    NewPassword,
    add_account,
    disable_account,
    enable_account,
    reset_account,
    set_password,
)
from survey_app.accounts.credentials import CredentialsChanged, credentials_of
from survey_app.accounts.invitations import invite, open_first_run
from survey_app.accounts.notices import unread_notices
from survey_app.accounts.passwords import WeakPassword, check_strength
from survey_app.accounts.second_factor import seal_secret
from survey_app.accounts.second_persons import TIME_IN_FORCE, LastSecondPerson, check_disabling
from survey_app.accounts.sign_in import CODE_TRIES, link_authenticator
from survey_app.app.factory import create_app
from survey_app.audit import OPERATOR, verify_chain
from survey_app.commands import REFUSED, main
from survey_app.complaints.contacts import store_contact
from survey_app.config import REPOSITORY, Config
from survey_app.models import Account, AuditEvent, ComplaintContact, KeyCheck
from survey_app.models.vocabulary import Role
from survey_app.operations import server
from survey_app.secret_keys import LostSecretKey, fault_of_key
from survey_app.storage.database import Database
from survey_app.web import security_headers
from tests.accounts import (
    AUTHENTICATOR,
    PASSWORD,
    SECRET_KEY,
    csrf_token,
    current_code,
    give_code,
    give_password,
    make_account,
    sign_in,
    signed_in_client,
)
from tests.conftest import site_on
from tests.factories import make_community, make_complaint
from tests.together import all_at_once

GOOD_KEY = "9b1f4c7d02e85a6630fd1ce97ab48d25"
WEAK_KEYS = {
    "short": "a-short-key",
    "one character short": GOOD_KEY[:-1],
    "spaces": " " * 40,
    "short between spaces": f"{'':20}tiny-key{'':20}",
    "one character": "a" * 64,
    "two characters": "ab" * 32,
    "a piece over and over": "Kd7_x-02" * 8,
    "a cut piece over and over": "Kd7_x-02pQ" * 4 + "Kd7_x",
    "almost one character": "0" * 62 + "1f",
    "an alphabet": "abcdefghijklmnopqrstuvwxyz0123456789",
    "backwards": "zyxwvutsrqponmlkjihgfedcba987654",
    "an example": "change-me-to-a-long-random-string-please",
    "a framework's example": "django-insecure-#8v!k2m0q9w7e5r3t1y",
}


def instance_of(tmp_path):
    return tmp_path / "srv" / "jiayuan" / "instance"


def migrating_at_once(template):
    """Return Alembic's upgrade for an empty SQLite database: a copy of a migrated one, not each step for seconds."""
    step_by_step = alembic.command.upgrade

    def upgrade(config, revision):
        connection = config.attributes["engine"].raw_connection()
        try:
            if connection.driver_connection.execute("SELECT count(*) FROM sqlite_master").fetchone() == (0,):
                with closing(sqlite3.connect(template)) as migrated:
                    migrated.backup(connection.driver_connection)
        finally:
            connection.close()
        step_by_step(config, revision)

    return upgrade


@pytest.fixture
def environ(tmp_path, monkeypatch, _sqlite_template):
    """The environment of an installation that nobody has started yet."""
    monkeypatch.setattr(alembic.command, "upgrade", migrating_at_once(_sqlite_template))
    monkeypatch.setenv("JIAYUAN_INSTANCE", str(instance_of(tmp_path)))
    for variable in ("JIAYUAN_SECRET_KEY", "JIAYUAN_DATABASE_URL", "JIAYUAN_PUBLIC_URL"):
        monkeypatch.delenv(variable, raising=False)
    monkeypatch.setattr(server, "serve", lambda _config, _create_app, *, announce, **_options: announce())
    return monkeypatch


def run(*arguments, **options):
    return CliRunner().invoke(main, list(arguments), **options)


def write_key(tmp_path, content, *, mode=0o600):
    path = instance_of(tmp_path) / "secret_key"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
    path.chmod(mode)
    return path


# Keys


@pytest.mark.parametrize("key", WEAK_KEYS.values(), ids=WEAK_KEYS)
def test_a_new_installation_does_not_begin_with_a_key_that_can_be_guessed(environ, tmp_path, key):
    environ.setenv("JIAYUAN_SECRET_KEY", key)

    refused = run("migrate")

    assert refused.exit_code == REFUSED
    assert "the secret key" in refused.stderr
    assert "openssl rand -hex 32" in refused.stderr, "the next step"
    assert key.strip() not in refused.output + refused.stderr or not key.strip()
    assert not (instance_of(tmp_path) / "secret_key").exists()


@pytest.mark.parametrize("key", ["", *WEAK_KEYS.values()])
def test_nor_after_it_was_migrated_with_a_good_one(environ, sqlite_database, key):
    environ.setenv("JIAYUAN_DATABASE_URL", sqlite_database.url.render_as_string(hide_password=False))
    environ.setenv("JIAYUAN_SECRET_KEY", key)

    for command in (["serve"], ["work", "--once"], ["audit", "head"]):
        refused = run(*command)
        assert refused.exit_code == REFUSED
        assert "the secret key" in refused.stderr


@pytest.mark.parametrize(
    "content", [b"", b"\n", b" \n\t ", b"tiny", b"0" * 64, b"\xff\xfe\x00" * 20, "密".encode() * 30]
)
@pytest.mark.usefixtures("environ")
def test_a_file_that_a_crash_or_an_editor_left_is_refused_with_its_name(tmp_path, content):
    path = write_key(tmp_path, content)

    refused = run("migrate")

    assert refused.exit_code == REFUSED
    assert "secret_key" in refused.stderr
    assert "Traceback" not in refused.output
    path.unlink()
    assert run("migrate").exit_code == 0
    assert fault_of_key(path.read_text()) is None


@pytest.mark.parametrize("key", [GOOD_KEY, "a" * 64, "a-short-key", " "])
def test_an_installation_in_use_goes_on_and_its_operator_is_warned_until_the_key_is_another(environ, key):
    environ.setenv("JIAYUAN_SECRET_KEY", GOOD_KEY)
    run("migrate")
    run("accounts", "add", "root", "--role", "administrator", input=f"{PASSWORD}\n{PASSWORD}\n")
    environ.setenv("JIAYUAN_SECRET_KEY", key)
    with Database(Config.from_env().database_url) as database, database.writing() as session:
        # As one of an earlier version that knew no check values.
        session.execute(delete(KeyCheck))

    for command in (["serve"], ["migrate"]):
        found = run(*command)
        assert found.exit_code == 0
        assert ("WARNING: the secret key" in found.stderr) is (key != GOOD_KEY)
        assert "sign in as anybody" in found.stderr or key == GOOD_KEY, "what is at stake"


@pytest.mark.parametrize(("key", "is_warned"), [("a-short-key", True), ("a" * 64, True), (SECRET_KEY, False)])
def test_the_administrator_is_warned_on_every_page_and_nobody_else(config, sqlite_database, key, is_warned):
    with sqlite_database.writing() as session:
        for role in ("administrator", "city"):
            account = make_account(session, role, now=datetime.now(UTC))
            account.totp_secret = seal_secret(AUTHENTICATOR, secret_key=key)
    told = {}
    with site_on(replace(config, secret_key=key)) as app:
        for role in ("administrator", "city"):
            client = signed_in_client(app, role)
            told[role] = {"密钥过于简单" in client.get(path).text for path in ("/staff/", "/staff/account")}

    assert told == {"administrator": {is_warned}, "city": {False}}


def test_processes_that_start_together_have_one_key(tmp_path):
    environ = os.environ | {"JIAYUAN_INSTANCE": str(instance_of(tmp_path))}
    environ.pop("JIAYUAN_SECRET_KEY", None)
    program = "from survey_app.config import Config; print(Config.from_env().secret_key)"
    started = [
        subprocess.Popen(
            [sys.executable, "-c", program], env=environ, cwd=REPOSITORY, stdout=subprocess.PIPE, text=True
        )
        for _ in range(5)
    ]

    keys = {process.communicate()[0] for process in started}

    assert len(keys) == 1
    assert fault_of_key(keys.pop()) is None
    assert [path.name for path in instance_of(tmp_path).iterdir()] == ["secret_key"]


@pytest.mark.parametrize("failing", ["fsync", "link"])
@pytest.mark.usefixtures("environ")
def test_a_crash_at_the_first_start_leaves_no_key_and_the_next_start_makes_one(tmp_path, monkeypatch, failing):
    def fail(*_given):
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patched:
        patched.setattr(private_files.os, failing, fail)
        refused = run("migrate")
    assert refused.exit_code == REFUSED
    assert "No space left on device" in refused.stderr
    assert list(instance_of(tmp_path).iterdir()) == []

    assert fault_of_key(Config.from_env().secret_key) is None


def test_what_is_made_is_never_refused():
    assert [fault_of_key(os.urandom(size).hex()) for size in (16, 24, 32) for _ in range(300)] == [None] * 900


def begun_installation():
    """Begin an installation with an account, its authenticator and the telephone number of a complainant."""
    assert run("migrate").exit_code == 0
    assert run("accounts", "add", "root", "--role", "administrator", input=f"{PASSWORD}\n{PASSWORD}\n").exit_code == 0
    config, now = Config.from_env(), datetime.now(UTC)
    with Database(config.database_url) as database, database.writing() as session:
        session.execute(update(Account).values(totp_secret=seal_secret(AUTHENTICATOR, secret_key=config.secret_key)))
        complaint = make_complaint(session, make_community(session))
        store_contact(session, complaint=complaint, contact="13800138000", secret_key=config.secret_key, now=now)
    return config


def lose_key(environ, config, how):
    if how == "another in the environment":
        environ.setenv("JIAYUAN_SECRET_KEY", GOOD_KEY)
    elif how == "another in the file":
        (config.instance / "secret_key").write_text(GOOD_KEY)
    else:
        (config.instance / "secret_key").unlink()
    if how == "of an earlier version":
        with Database(config.database_url) as database, database.writing() as session:
            session.execute(delete(KeyCheck))


LOST_KEYS = ["another in the environment", "another in the file", "no file", "of an earlier version"]


@pytest.mark.parametrize("how", LOST_KEYS)
def test_without_its_key_an_installation_does_not_start_and_the_key_that_comes_back_starts_it(environ, how):
    config = begun_installation()
    lose_key(environ, config, how)

    for command in (["serve"], ["work", "--once"], ["migrate"], ["audit", "head"]):
        refused = run(*command)
        assert refused.exit_code == REFUSED
        assert "from the backup" in refused.stderr, "the next step"
        assert config.secret_key not in refused.output + refused.stderr
    with pytest.raises(LostSecretKey):
        create_app()
    assert (config.instance / "secret_key").exists() == (how not in {"no file", "of an earlier version"})

    environ.delenv("JIAYUAN_SECRET_KEY", raising=False)
    (config.instance / "secret_key").write_text(config.secret_key)
    assert run("serve").exit_code == 0


@pytest.mark.parametrize("how", LOST_KEYS)
def test_the_loss_of_a_key_is_accepted_by_a_command_that_says_what_ends(environ, how):
    config = begun_installation()
    lose_key(environ, config, how)

    asked = run("replace-key", input="n\n")
    assert asked.exit_code == 1
    for what in ("slips", "change codes", "telephone numbers", "authenticators"):
        assert what in asked.output
    accepted = run("replace-key", input="y\n")

    assert accepted.exit_code == 0, accepted.output
    assert "jiayuan accounts reset root" in accepted.output
    assert run("serve").exit_code == 0
    assert run("audit", "verify").exit_code == 0
    with Database(config.database_url) as database, database.reading() as session:
        assert session.scalars(select(Account.totp_secret)).all() == [None]
        assert session.scalar(select(ComplaintContact.complaint_id)) is None
        assert "key_replaced" in session.scalars(select(AuditEvent.action)).all()


@pytest.mark.usefixtures("environ")
def test_the_right_key_is_not_replaced():
    begun_installation()

    refused = run("replace-key", "--yes")

    assert refused.exit_code == 1
    assert "nothing is lost" in refused.stderr
    assert run("serve").exit_code == 0


def test_until_something_is_stored_the_key_can_still_be_another(environ):
    assert run("migrate").exit_code == 0
    environ.setenv("JIAYUAN_SECRET_KEY", GOOD_KEY)

    assert run("serve").exit_code == 0
    environ.setenv("JIAYUAN_SECRET_KEY", GOOD_KEY[::-1])
    assert run("serve").exit_code == 0


# Files


def modes_below(folder):
    return {
        path.relative_to(folder).as_posix(): stat.S_IMODE(path.lstat().st_mode)
        for path in [folder, *folder.rglob("*")]
        if not path.is_symlink()
    }


def is_private(mode):
    return not mode & 0o077


@pytest.fixture
def open_umask():
    """The widest umask there is, for this process and those that it starts."""
    earlier = os.umask(0)
    yield
    os.umask(earlier)


@pytest.mark.usefixtures("open_umask", "environ")
def test_with_the_widest_umask_nothing_is_made_that_others_may_read(tmp_path):
    commands = [
        ["migrate"],
        ["accounts", "add", "root", "--role", "administrator", "--password", PASSWORD],
        ["import-communities", str(REPOSITORY / "tests" / "nowhere.csv")],
        ["export-communities", str(tmp_path / "list.csv")],
        ["posters", str(tmp_path / "posters" / "new")],
    ]

    for command in commands:
        run(*command)
    # One more as it is started at a prompt.
    subprocess.run([sys.executable, "-m", "survey_app", "work", "--once"], cwd=REPOSITORY, check=True)

    below = modes_below(tmp_path / "srv")
    assert {"jiayuan/instance/jiayuan.sqlite3", "jiayuan/instance/secret_key"} <= below.keys()
    assert any(name.endswith("write-lock") for name in below)
    assert [name for name, mode in below.items() if not is_private(mode)] == []
    assert is_private(stat.S_IMODE((tmp_path / "list.csv").stat().st_mode))


@pytest.mark.usefixtures("open_umask")
def test_a_database_that_is_open_has_a_private_log_too(tmp_path):
    path = tmp_path / "elsewhere.sqlite3"
    with Database(f"sqlite:///{path}") as database, database.writing() as session:
        session.connection().exec_driver_sql("CREATE TABLE one (id INTEGER)")
        session.flush()
        found = {each.name: stat.S_IMODE(each.stat().st_mode) for each in tmp_path.glob("elsewhere*")}

    assert {path.name, f"{path.name}-wal", f"{path.name}-shm", f"{path.name}-write-lock"} <= found.keys()
    assert set(found.values()) == {0o600}


@pytest.mark.parametrize("mode", [0o777, 0o755, 0o750, 0o701])
@pytest.mark.usefixtures("environ")
def test_what_was_there_and_wider_is_narrowed_at_the_next_start(tmp_path, mode):
    run("migrate")
    instance = instance_of(tmp_path)
    (instance / "backup.sqlite3").write_bytes(b"copy")
    (instance / "exports").mkdir()
    with closing(sqlite3.connect(instance / "jiayuan.sqlite3")) as connection:
        connection.execute("SELECT * FROM account").fetchall()
        for path in [instance, *instance.iterdir()]:
            path.chmod(mode if path.is_dir() else mode & 0o666)

        assert run("audit", "head").exit_code == 0

        assert [name for name, found in modes_below(instance).items() if not is_private(found)] == []


@pytest.mark.usefixtures("environ")
def test_a_shared_folder_and_what_belongs_to_others_is_reported_and_left(tmp_path):
    run("migrate")
    instance = instance_of(tmp_path)
    instance.chmod(0o1777)

    told = run("serve").stderr

    assert f"other users of this machine may read {instance}" in told
    assert stat.S_IMODE(instance.stat().st_mode) == 0o1777


@pytest.mark.usefixtures("environ")
def test_a_link_in_the_folder_leads_nowhere_that_is_changed(tmp_path):
    outside = tmp_path / "outside"
    outside.write_text("of somebody else")
    outside.chmod(0o644)
    instance_of(tmp_path).mkdir(parents=True)
    (instance_of(tmp_path) / "link").symlink_to(outside)

    run("migrate")

    assert stat.S_IMODE(outside.stat().st_mode) == 0o644


# Passwords

COMMON = [
    "password1234",
    "Password2026!",
    "P@ssw0rd2026",
    "drowssap1234",
    "Admin@123456",
    "administrator1",
    "iloveyou1314",
    "woaini1314520",
    "5201314520131",
    "1314520woaini",
    "woaiwojia2026",
    "wodemima1234",
    "zhangwei1990",
    "qq123456789a",
    "qwer1234qwer",
    "Qwer1234!@#$",
    "qwertyuiop12",
    "1qaz2wsx3edc",
    "asdf1234asdf",
    "zxcvbnm,./12",
    "147258369147",
    "88888888888888",
    "668866886688",
    "111122223333",
    "aaaaaaaaaaaa",
    "abcabcabcabc",
    "passwordpassword",
    "!!!!!!!!!!!!!",
    "123456789012",
    "987654321098",
    "abcdefghijkl",
    "1234567890ab",
    "20260101202601",
    "19900101abcd",
    "ｐａｓｓｗｏｒｄ１２３４",
    "correcthorsebatterystaple",
    "Jiayuan2026!!",
    "家园家园家园家园家园家园",
    "            ",
    "\u200b" * 14,
    "Survey@2026!!",
]
GOOD = [
    PASSWORD,
    "another good password",
    "楼下的猫今天又胖了两斤半",
    "tall-green-window-77",
    "vK3x-9QmP2zz",
    "sunny river walks 41",
    "፩፪፫፬፭፮፯፰፱፪፬፮",
]
OWN = [
    "li.na.li.na.li",
    "li.na-2026-li",
    "LiNaLiNa20261",
    "anil.anil.anil",
    "haibowan-haibowan",
    "Haibowan@2026",
    "海勃湾海勃湾海勃湾海勃湾",
]
OWN += ["haibowanqu123", "riverside homes", "RiversideHomes1"]


@pytest.mark.parametrize("password", COMMON)
def test_a_password_that_is_tried_first_is_refused(password):
    with pytest.raises(WeakPassword, match=r"tried first|this site"):
        check_strength(password)


@pytest.mark.parametrize("password", GOOD)
def test_a_password_of_words_that_do_not_belong_together_is_taken(password):
    check_strength(password, names=["li.na", "海勃湾区", "Haibowan"])


@pytest.mark.parametrize("password", OWN)
def test_a_password_of_the_account_or_its_office_is_refused_for_this_account(password):
    names = ["li.na", "海勃湾区", "Haibowan", "Riverside Homes"]

    with pytest.raises(WeakPassword, match=r"name of the account|tried first"):
        check_strength(password, names=names)


@pytest.fixture
def city(sqlite_database):
    with sqlite_database.writing() as session:
        return make_account(session, "li.na", role="city", now=datetime.now(UTC))


@pytest.mark.parametrize("password", ["woaini1314520", "li.na.li.na.li"])
@pytest.mark.parametrize("language", ["zh-Hans", "en"])
def test_every_page_that_takes_a_new_password_refuses_it_with_a_sentence(app, sqlite_database, password, language):
    now = datetime.now(UTC)
    with sqlite_database.reading() as session:
        first_run = f"/first-run/{open_first_run(session, secret_key=SECRET_KEY, now=now)}"
    client = app.test_client()
    fields = {"csrf_token": csrf_token(client.get(f"{first_run}?lang={language}")), "username": "li.na"}
    answers = [client.post(f"{first_run}?lang={language}", data=fields | {"password": password})]
    with sqlite_database.writing() as session:
        invited = add_account(session, username="li.na", password=None, role="city", by=OPERATOR, now=now)
        own = make_account(session, "li.na2", role="city", now=now)
        link = f"/invitation/{invite(invited, secret_key=SECRET_KEY, now=now)}"
    fields = {"csrf_token": csrf_token(client.get(link)), "password": password}
    answers.append(client.post(f"{link}?lang={language}", data=fields))
    signed_in = signed_in_client(app, "li.na2")
    with sqlite_database.writing() as session:
        session.execute(update(Account).values(totp_last_step=None))
    token = csrf_token(signed_in.get("/staff/account"))
    fields = {"csrf_token": token, "password": PASSWORD, "code": current_code(), "new_password": password}
    answers.append(signed_in.post(f"/staff/account/password?lang={language}", data=fields))

    sentence = {"zh-Hans": "容易被猜中", "en": "others try first"}[language]
    assert [answer.status_code for answer in answers] == [400] * 3
    assert all(sentence in answer.text for answer in answers)
    with sqlite_database.reading() as session:
        assert session.get(Account, own.id).password_hash == own.password_hash


@pytest.mark.usefixtures("environ")
def test_the_command_line_refuses_it_too():
    run("migrate")

    refused = run("accounts", "add", "root", "--role", "administrator", input="woaini1314520\n" * 2)

    assert refused.exit_code == REFUSED
    assert "tried first" in refused.stderr


def test_each_line_of_the_shipped_lists_is_refused_however_it_is_written():
    from survey_app.accounts.passwords import _COMMON, _HABITS

    lines = [line for path in (_COMMON, _HABITS) for line in path.read_text("utf-8").splitlines()]
    words = [line for line in lines if not line.startswith("#")]
    assert len(words) > 10_000
    for word in [word for word in words if len(word) >= 10][::25]:
        for written in (f"{word}{word}", f"{word.upper()}1!", f"{word}2026", f"1{word}1", word.ljust(12, "1")):
            with pytest.raises(WeakPassword, match=r"tried first|this site"):
                check_strength(written)


# Notices


def notices_of(client):
    return client.get("/staff/notices").text


def confirm(client):
    page = client.get("/staff/notices")
    fields = {name: re.search(rf'name="{name}" value="(\d+)"', page.text)[1] for name in ("read_to", "failed_sign_ins")}
    return client.post("/staff/notices", data={"csrf_token": csrf_token(page), "next": "/staff/account", **fields})


@pytest.mark.usefixtures("city")
def test_failed_tries_are_told_once_at_the_next_sign_in_and_lead_on(app):
    stranger = app.test_client()
    for _ in range(2):
        assert give_password(stranger, "li.na", password="not this one").status_code == 401
    give_password(stranger, "LI.NA")
    give_code(stranger, "000000")

    client = app.test_client()
    assert sign_in(client, "li.na", next="/staff/audit").location == "/staff/notices?next=/staff/audit"
    page = client.get("/staff/notices?next=/staff/audit").text
    assert "有3次登录失败" in page
    assert confirm(client).location == "/staff/account"

    again = app.test_client()
    assert sign_in(again, "li.na").location == "/staff/"
    assert "没有未读提醒" in notices_of(again)


@pytest.mark.usefixtures("city")
def test_a_page_that_was_lost_is_told_again_and_what_came_meanwhile_too(app):
    stranger, client = app.test_client(), app.test_client()
    give_password(stranger, "li.na", password="not this one")
    sign_in(client, "li.na")
    page = client.get("/staff/notices")
    give_password(stranger, "li.na", password="nor this one")
    fields = {"csrf_token": csrf_token(page), "read_to": "0", "failed_sign_ins": "1"}
    client.post("/staff/notices", data=fields)

    again = app.test_client()
    assert sign_in(again, "li.na").location.startswith("/staff/notices")
    assert "有1次登录失败" in notices_of(again)
    third = app.test_client()
    assert sign_in(third, "li.na").location.startswith("/staff/notices"), "nobody confirmed that they read it"


def by_operator(session, account, now):
    set_password(session, account=account, password=NewPassword.of("another good password"), by=OPERATOR, now=now)


def by_a_colleague(session, account, now):
    colleague = make_account(session, "wang.wei", role="administrator", now=now)
    set_password(
        session,
        account=account,
        password=NewPassword.of("another good password"),
        by=f"account:{colleague.id}",
        now=now,
    )


def by_the_account(session, account, now):
    set_password(
        session, account=account, password=NewPassword.of("another good password"), by=f"account:{account.id}", now=now
    )


@pytest.mark.parametrize(
    ("change", "who"), [(by_operator, "服务器命令"), (by_a_colleague, "wang.wei"), (by_the_account, "本账号")]
)
def test_a_password_that_was_changed_is_told_with_who_did_it(app, sqlite_database, city, change, who):
    with sqlite_database.writing() as session:
        change(session, session.get(Account, city.id), datetime.now(UTC))

    client = app.test_client()
    assert sign_in(client, "li.na", password="another good password").location.startswith("/staff/notices")

    told = notices_of(client)
    assert "设置了新密码" in told
    assert f"操作人：{who}" in told


def test_whoever_may_confirm_resets_is_told_of_each_new_account_that_may(app, sqlite_database, city):
    now = datetime.now(UTC)
    with sqlite_database.writing() as session:
        make_account(session, "clerk", community=make_community(session), now=now)
        asker = make_account(session, "asker", role="administrator", now=now)
        by = f"account:{asker.id}"
        add_account(session, username="puppet", password=None, role="administrator", by=by, now=now)
    told = {}
    for username in ("li.na", "clerk", "asker"):
        client = app.test_client()
        sign_in(client, username)
        told[username] = "puppet" in notices_of(client)

    assert told == {"li.na": True, "clerk": False, "asker": False}
    assert city.notices_read_to == 0


@pytest.mark.parametrize("password", ["not this one", "", "woaini1314520"])
def test_a_stranger_learns_from_no_page_whether_there_is_an_account(app, city, password):
    pages = {}
    for username in ("li.na", "li.mo"):
        client = app.test_client()
        for _ in range(2):
            answer = give_password(client, username, password=password)
        pages[username] = (answer.status_code, re.sub(r'value="[^"]*"', "", answer.text), sorted(answer.headers.keys()))
        assert client.get("/staff/notices").status_code == 302

    assert pages["li.na"] == pages["li.mo"]
    assert city.failed_sign_ins == 0


@pytest.mark.usefixtures("city")
def test_nobody_confirms_more_than_was_shown_nor_for_another(app, sqlite_database):
    with sqlite_database.writing() as session:
        make_account(session, "other", role="city", now=datetime.now(UTC))
    give_password(app.test_client(), "other", password="not this one")
    client = signed_in_client(app, "li.na")
    token = csrf_token(client.get("/staff/account"))
    for fields in ({"read_to": "999999", "failed_sign_ins": "999"}, {"read_to": "x", "failed_sign_ins": "-5"}):
        assert client.post("/staff/notices", data={"csrf_token": token, "account_id": "2", **fields}).status_code == 303

    give_password(app.test_client(), "li.na", password="not this one")
    for username in ("li.na", "other"):
        again = app.test_client()
        sign_in(again, username)
        assert "有1次登录失败" in notices_of(again)


# A second person

PRIVILEGED = ["city", "administrator"]


NEW = TIME_IN_FORCE - timedelta(minutes=1)


@pytest.fixture
def bureau(sqlite_database):
    """One account of each privileged role beside the administrator who asks, and the ids of all."""
    now = datetime.now(UTC)
    with sqlite_database.writing() as session:
        names = {
            "asker": "administrator",
            "second": "administrator",
            "third": "city",
            "owner": "city",
            "old": "evaluator",
        }
        return {name: make_account(session, name, role=role, now=now).id for name, role in names.items()}


def add_puppet(database, bureau, **values):
    """Add an account that the asker made and signs in with."""
    with database.writing() as session:
        by = f"account:{bureau['asker']}"
        values = {"role": "administrator", "in_force_for": NEW} | values
        bureau["puppet"] = make_account(session, "puppet", now=datetime.now(UTC), by=by, **values).id


def post(client, path, **fields):
    return client.post(path, data={"csrf_token": csrf_token(client.get("/staff/account")), **fields})


def ask(app, bureau, target="owner", by="asker"):
    return post(signed_in_client(app, by), f"/staff/accounts/{bureau[target]}/reset")


def renew_steps(app):
    with app.extensions["jiayuan"].database.writing() as session:
        session.execute(update(Account).values(totp_last_step=None))


def decide(app, bureau, by, what="confirm", target="owner", **fields):
    client = signed_in_client(app, by)
    renew_steps(app)
    fields = {"password": PASSWORD, "code": current_code()} | fields
    return post(client, f"/staff/reset-requests/{bureau[target]}/{what}", **fields)


@pytest.mark.parametrize("target", ["owner", "second", "asker"])
def test_one_person_alone_gets_no_link_and_takes_nothing_away(app, sqlite_database, bureau, target):
    answer = ask(app, bureau, target)
    again = ask(app, bureau, target)

    assert "/invitation/" not in answer.text + again.text
    assert (answer.status_code, answer.location) == (303, "/staff/reset-requests")
    assert give_password(app.test_client(), target).status_code == 303
    assert decide(app, bureau, "asker", target=target).status_code == 409
    with sqlite_database.reading() as session:
        assert session.get(Account, bureau[target]).totp_secret is not None


@pytest.mark.parametrize("second", ["second", "third"])
def test_a_second_person_confirms_and_sees_the_link_once(app, sqlite_database, bureau, second):
    ask(app, bureau)
    assert give_password(app.test_client(), "owner").status_code == 303, "until then the account stays as it is"

    confirmed = decide(app, bureau, second)

    link = re.search(r'value="http://[^/]+(/invitation/[^"]+)"', confirmed.text)[1]
    assert app.test_client().get(link).status_code == 200
    assert give_password(app.test_client(), "owner").status_code == 401
    assert decide(app, bureau, "third" if second == "second" else "second").status_code == 410
    with sqlite_database.reading() as session:
        events = [
            (row.actor, row.action, row.subject, row.after)
            for row in session.scalars(
                select(AuditEvent).where(AuditEvent.action.contains("reset")).order_by(AuditEvent.position)
            )
        ]
        assert not list(verify_chain(session))
    owner, asker = f"account:{bureau['owner']}", f"account:{bureau['asker']}"
    assert events == [
        (asker, "reset_requested", owner, None),
        (f"account:{bureau[second]}", "account_reset", owner, f'{{"requested_by":"{asker}"}}'),
    ]


@pytest.mark.parametrize(("by", "status"), [("asker", 409), ("owner", 409), ("old", 403)])
def test_neither_who_asked_nor_the_owner_nor_another_role_confirms(app, bureau, by, status):
    ask(app, bureau)

    answer = decide(app, bureau, by)

    assert answer.status_code == status
    assert "/invitation/" not in answer.text
    assert decide(app, bureau, "second").status_code == 200, "the request stands"


@pytest.mark.parametrize("by", ["asker", "second", "third", "owner"])
def test_a_request_that_was_declined_is_over(app, sqlite_database, bureau, by):
    ask(app, bureau)

    assert decide(app, bureau, by, "decline").status_code == 303

    assert decide(app, bureau, "second").status_code == 410
    with sqlite_database.reading() as session:
        actions = session.scalars(
            select(AuditEvent.action).where(AuditEvent.action.contains("reset")).order_by(AuditEvent.position)
        ).all()
    assert actions == ["reset_requested", "reset_declined"]


@pytest.mark.parametrize("others", ["none", "disabled", "without authenticator", "of other roles", "new"])
def test_a_sole_administrator_is_sent_to_the_command_line(app, sqlite_database, others):
    now = datetime.now(UTC)
    with sqlite_database.writing() as session:
        make_account(session, "asker", role="administrator", now=now)
        owner = make_account(session, "owner", role="city", now=now)
        if others == "disabled":
            disable_account(session, account=make_account(session, "b", role="city", now=now), by=OPERATOR, now=now)
        elif others == "without authenticator":
            b = make_account(session, "b", role="city", now=now)
            b.totp_secret = b.in_force_since = None
        elif others == "new":
            make_account(session, "b", role="city", now=now, in_force_for=NEW)
        elif others == "of other roles":
            make_account(session, "b", role="evaluator", now=now)

    answer = ask(app, {"owner": owner.id})

    assert answer.status_code == 409
    assert "jiayuan accounts reset owner" in answer.text
    assert "/invitation/" not in answer.text


@pytest.mark.parametrize("role", [role for role in Role if role not in PRIVILEGED])
def test_other_accounts_are_reset_by_one_person(app, sqlite_database, bureau, role):
    with sqlite_database.writing() as session:
        community = make_community(session)
        bound = {"district": {"district": community.district}, "clerk": {"community": community}}
        if role == "company":
            from survey_app.models import PropertyCompany

            bound["company"] = {"company": PropertyCompany(name="物业", english_name=None, sort_key="a")}
        bureau["staff"] = make_account(session, "staff", role=role, now=datetime.now(UTC), **bound.get(role, {})).id

    assert "/invitation/" in ask(app, bureau, "staff").text


@pytest.mark.parametrize("how", ["asked by the old account", "asked by the new one", "waited for"])
@pytest.mark.parametrize("role", PRIVILEGED)
def test_an_administrator_is_no_second_person_under_a_second_name(app, sqlite_database, bureau, how, role):
    add_puppet(sqlite_database, bureau, role=role)
    asker, second = (
        ("puppet", "asker")
        if how == "asked by the new one" and role == "administrator"
        else (
            "asker",
            "puppet",
        )
    )
    asked = ask(app, bureau, by=asker)
    if how == "waited for":
        with sqlite_database.writing() as session:
            since = datetime.now(UTC) - TIME_IN_FORCE
            session.execute(update(Account).where(Account.username == "puppet").values(in_force_since=since))

    answer = decide(app, bureau, second)

    assert "/invitation/" not in asked.text + answer.text
    assert answer.status_code in {409, 410}
    assert give_password(app.test_client(), "owner").status_code == 303
    page = signed_in_client(app, second).get("/staff/reset-requests").text
    assert f"/staff/reset-requests/{bureau['owner']}/confirm" not in page


def invited_again(session, puppet, now):
    """A puppet of another role is reset by one person; its time begins with the authenticator that is linked then."""
    reset_account(session, account=puppet, by=OPERATOR, now=now)
    set_password(session, account=puppet, password=NewPassword.of(PASSWORD), by=OPERATOR, now=now)
    link_authenticator(
        session,
        account_id=puppet.id,
        credentials=credentials_of(puppet),
        secret=AUTHENTICATOR,
        typed=current_code(),
        secret_key=SECRET_KEY,
        now=now,
    )


def enabled_again(session, puppet, now):
    disable_account(session, account=puppet, by=OPERATOR, now=now)
    enable_account(session, account=puppet, by=OPERATOR, now=now)


@pytest.mark.parametrize("revive", [invited_again, enabled_again])
def test_an_old_account_that_is_brought_back_to_life_is_as_new(app, sqlite_database, bureau, revive):
    add_puppet(sqlite_database, bureau, in_force_for=timedelta(days=900))
    with sqlite_database.writing() as session:
        revive(session, session.get(Account, bureau["puppet"]), datetime.now(UTC))
    ask(app, bureau)

    assert decide(app, bureau, "puppet").status_code == 409
    assert decide(app, bureau, "second").status_code == 200


@pytest.mark.parametrize(
    ("fields", "status"),
    [
        ({"password": ""}, 400),
        ({"password": "not the password"}, 400),
        ({"code": ""}, 400),
        ({"code": "000000"}, 400),
        ({}, 200),
    ],
)
def test_a_browser_left_open_confirms_nothing(app, bureau, fields, status):
    ask(app, bureau)

    answer = decide(app, bureau, "second", **fields)

    assert answer.status_code == status
    assert ("/invitation/" in answer.text) == (status == 200)


def test_a_code_confirms_once_and_guesses_are_few(app, sqlite_database, bureau):
    ask(app, bureau)
    client = signed_in_client(app, "second")
    path = f"/staff/reset-requests/{bureau['owner']}/confirm"
    # With the step that has just signed in.
    replayed = post(client, path, password=PASSWORD, code=current_code())
    assert replayed.status_code == 400

    statuses = [post(client, path, password=PASSWORD, code=f"{number:06}").status_code for number in range(20)]

    assert statuses[-1] == 429
    assert statuses.count(400) <= CODE_TRIES.proven.free
    with sqlite_database.reading() as session:
        told = unread_notices(session, account_id=bureau["second"])
    assert told.failed_sign_ins >= statuses.count(400)


def test_a_reset_between_the_code_and_the_confirmation_stops_it(app, sqlite_database, bureau, monkeypatch):
    ask(app, bureau)
    checked = own_account_views.check_owner

    def check_and_be_reset(*values, **named):
        checked(*values, **named)
        with sqlite_database.writing() as session:
            reset_account(session, account=session.get(Account, bureau["second"]), by=OPERATOR, now=datetime.now(UTC))

    monkeypatch.setattr(own_account_views, "check_owner", check_and_be_reset)

    assert decide(app, bureau, "second").status_code == 403
    assert give_password(app.test_client(), "owner").status_code == 303


def disable(app, bureau, target, by="asker"):
    return post(signed_in_client(app, by), f"/staff/accounts/{bureau[target]}/disable")


def test_nobody_disables_all_who_would_be_told_of_a_second_account(app, sqlite_database, bureau):
    add_puppet(sqlite_database, bureau)
    statuses = {
        (target, by): disable(app, bureau, target, by).status_code
        for by in ("puppet", "asker")
        for target in ("owner", "second", "third")
    }

    assert {status for (_target, by), status in statuses.items() if by == "puppet"} == {409}
    assert sorted(status for (_target, by), status in statuses.items() if by == "asker") == [303, 303, 409]
    with sqlite_database.reading() as session:
        disabled = session.scalars(select(Account.username).where(Account.disabled_at.is_not(None))).all()
        [left] = {"owner", "second", "third"} - set(disabled)
        told = unread_notices(session, account_id=bureau[left])
    happened = [(notice.action, notice.account) for notice in told.events]
    assert ("account_added", "puppet") in happened
    assert {account for action, account in happened if action == "account_disabled"} == set(disabled)
    page = disable(app, bureau, left).text
    assert f"jiayuan accounts disable {left}" in page


def test_of_two_that_disable_each_other_at_once_one_is_left(database):
    now = datetime.now(UTC)
    with database.writing() as session:
        ids = [make_account(session, f"name{number}", role="administrator", now=now).id for number in range(3)]
        versions = {number: credentials_of(session.get(Account, number)) for number in ids}

    def disable_next(position):
        by, target = ids[position], ids[(position + 1) % 3]
        try:
            with database.writing() as session:
                account = session.get(Account, target)
                check_disabling(session, account=account, by_id=by, credentials=versions[by], now=now)
                disable_account(session, account=account, by=f"account:{by}", now=now)
        except (LastSecondPerson, CredentialsChanged):
            return False
        return True

    assert sum(all_at_once(disable_next, range(3))) == 1


@pytest.mark.parametrize("target", ["puppet", "old"])
def test_a_new_account_and_those_of_other_roles_are_disabled_by_one_person(app, sqlite_database, bureau, target):
    add_puppet(sqlite_database, bureau)
    for name in ("second", "third"):
        with sqlite_database.writing() as session:
            disable_account(session, account=session.get(Account, bureau[name]), by=OPERATOR, now=datetime.now(UTC))

    assert disable(app, bureau, target).status_code == 303


def test_no_request_confirms_a_reset_that_the_command_line_made_meanwhile(app, sqlite_database, bureau):
    ask(app, bureau)
    with sqlite_database.writing() as session:
        reset_account(session, account=session.get(Account, bureau["owner"]), by=OPERATOR, now=datetime.now(UTC))

    assert decide(app, bureau, "second").status_code == 410


# Headers

PATHS = [
    "/",
    "/sign-in",
    "/robots.txt",
    "/healthz",
    "/static/site.css",
    "/nothing-here",
    "/staff/",
    "/dashboards/",
    "/s/1",
]
ALWAYS = {
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "X-Content-Type-Options": "nosniff",
}


@pytest.mark.parametrize("public_url", ["https://wj.example.cn", "http://127.0.0.1:8000"])
def test_every_answer_carries_the_headers_and_hsts_only_behind_tls(config, public_url):
    with site_on(replace(config, public_url=public_url)) as app:
        client = app.test_client()
        answers = [*(client.get(path) for path in PATHS), client.post("/sign-in"), client.delete("/")]

    assert {answer.status_code for answer in answers} >= {200, 302, 400, 404, 405}
    for answer in answers:
        assert ALWAYS.items() <= dict(answer.headers).items()
        is_document = answer.mimetype == "text/html" and "Location" not in answer.headers
        assert ("camera=()" in answer.headers.get("Permissions-Policy", "")) == is_document
        assert answer.headers.get("Strict-Transport-Security", "") == (
            "max-age=31536000" if public_url.startswith("https") else ""
        )


def test_no_feature_is_denied_twice_or_by_an_unknown_spelling():
    features = security_headers._UNUSED_FEATURES

    assert len(set(features)) == len(features)
    assert all(re.fullmatch("[a-z-]+", feature) for feature in features)


@pytest.mark.usefixtures("city")
def test_signing_out_clears_the_cache_and_leaves_the_drafts_of_residents_and_other_sites_alone(app):
    client = signed_in_client(app, "li.na")
    kept = client.get_cookie("session").value

    answer = post(client, "/sign-out")

    assert answer.headers["Clear-Site-Data"] == '"cache"'
    assert any(cookie.startswith("session=;") for cookie in answer.headers.getlist("Set-Cookie"))
    thief = app.test_client()
    thief.set_cookie("session", kept)
    assert thief.get("/staff/").status_code == 302
    assert "Clear-Site-Data" not in client.get("/").headers


def test_the_time_that_a_request_waits_spans_a_weekend():
    from survey_app.accounts.reset_requests import RESET_REQUEST_LIFETIME

    assert timedelta(days=2) < RESET_REQUEST_LIFETIME <= timedelta(days=7)
