import json
import re
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import partial

import pyotp
import pytest
from sqlalchemy import select

from survey_app.accounts import accounts
from survey_app.accounts.accounts import disable_account
from survey_app.accounts.attempt_limits import Source
from survey_app.accounts.credentials import credentials_of
from survey_app.accounts.failed_sign_ins import record_failed_sign_ins
from survey_app.accounts.sign_in import (
    CODE_TRIES,
    PASSWORD_TRIES,
    SignInRefused,
    check_code,
    check_password,
    find_session,
)
from survey_app.audit import OPERATOR
from survey_app.models import Account, AccountSession, AuditEvent
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
)
from tests.conftest import site_on
from tests.factories import NOW

SOURCE = Source("a line", "its prefix")


@pytest.fixture
def city(sqlite_database):
    with sqlite_database.writing() as session:
        return make_account(session, "city", now=NOW)


@pytest.fixture
def newcomer(sqlite_database):
    """An account with a password and no authenticator yet."""
    with sqlite_database.writing() as session:
        account = make_account(session, "newcomer", role="city", now=NOW)
        account.totp_secret = None
        return account


def session_cookie(client):
    cookie = client.get_cookie("session")
    return cookie.value if cookie else None


def events(database):
    with database.reading() as session:
        rows = session.scalars(select(AuditEvent).order_by(AuditEvent.position)).all()
        return [(row.actor, row.action, row.subject, row.after) for row in rows if row.action != "account_added"]


@pytest.mark.usefixtures("city")
def test_password_and_code_open_the_staff_pages(client):
    first = give_password(client, "city")
    assert (first.status_code, first.location) == (303, "/sign-in/code")

    second = give_code(client, current_code())
    assert (second.status_code, second.location) == (303, "/staff/")
    assert client.get("/staff/").status_code == 200


@pytest.mark.usefixtures("city")
def test_the_password_alone_opens_nothing(client):
    give_password(client, "city")

    assert client.get("/staff/").status_code == 302
    assert client.get("/dashboards/").status_code == 302


@pytest.mark.usefixtures("city")
def test_the_code_alone_opens_nothing(client):
    token = csrf_token(client.get("/sign-in"))
    answer = client.post("/sign-in/code", data={"csrf_token": token, "code": current_code()})

    assert (answer.status_code, answer.location) == (303, "/sign-in")
    assert client.get("/staff/").status_code == 302


@pytest.mark.usefixtures("city")
def test_an_authenticator_cannot_be_linked_over_one_that_is_there(client):
    give_password(client, "city")

    assert client.get("/sign-in/authenticator").location == "/sign-in"
    token = csrf_token(client.get("/sign-in/code"))
    answer = client.post("/sign-in/authenticator", data={"csrf_token": token, "code": current_code()})
    assert answer.location == "/sign-in"
    assert client.get("/staff/").status_code == 302


@pytest.mark.parametrize(("username", "password"), [("city", "correct horse batterx"), ("nobody", PASSWORD), ("", "")])
@pytest.mark.usefixtures("city")
def test_a_wrong_name_or_password_opens_nothing(client, username, password):
    answer = give_password(client, username, password=password)

    assert answer.status_code == 401
    assert client.get("/sign-in/code").location == "/sign-in"


@pytest.mark.usefixtures("city")
def test_a_wrong_code_opens_nothing(client):
    give_password(client, "city")
    answer = give_code(client, "000000" if current_code() != "000000" else "000001")

    assert answer.status_code == 401
    assert client.get("/staff/").status_code == 302


@pytest.mark.usefixtures("city")
def test_an_unknown_name_costs_as_much_hashing_as_a_wrong_password(sqlite_database, monkeypatch):
    verified = []
    real = accounts._hasher

    class CountingHasher:
        def verify(self, known_hash, password):
            verified.append(known_hash)
            return real.verify(known_hash, password)

    monkeypatch.setattr(accounts, "_hasher", CountingHasher())
    for username in ("city", "nobody"):
        with pytest.raises(SignInRefused):
            check_password(
                sqlite_database,
                username=username,
                password="not this one",
                source=SOURCE,
                proof=None,
                secret_key=SECRET_KEY,
                now=NOW,
            )

    assert len(verified) == 2
    assert all(known_hash.startswith("$argon2id$") for known_hash in verified)
    assert len({known_hash.rsplit("$", 2)[0] for known_hash in verified}) == 1


@pytest.mark.usefixtures("city")
def test_full_width_typing_and_capitals_in_the_name_are_forgiven(client):
    answer = sign_in(client, " Ｃｉｔｙ ", password="ｃｏｒｒｅｃｔ horse battery")

    assert answer.status_code == 303


@pytest.mark.usefixtures("city")
def test_after_many_wrong_passwords_from_one_line_even_the_right_one_waits(client):
    for _ in range(PASSWORD_TRIES.line.free):
        give_password(client, "city", password="not this one")

    answer = give_password(client, "city")

    assert answer.status_code == 429
    assert int(answer.headers["Retry-After"]) <= PASSWORD_TRIES.line.step.total_seconds()


@pytest.mark.usefixtures("city")
def test_in_a_browser_that_signed_in_before_strangers_on_its_line_are_not_waited_for(app, client):
    assert sign_in(client, "city").status_code == 303
    for _ in range(PASSWORD_TRIES.line.free + 1):
        strangers = give_password(app.test_client(), "city", password="not this one")
    assert strangers.status_code == 429

    assert sign_in(client, "city").status_code == 303


@pytest.mark.usefixtures("city")
def test_after_many_wrong_codes_even_the_right_one_waits(client):
    give_password(client, "city")
    for _ in range(CODE_TRIES.ceiling.free):
        assert give_code(client, "abc").status_code == 401

    assert give_code(client, current_code()).status_code == 429
    assert client.get("/staff/").status_code == 302


@pytest.mark.usefixtures("city")
def test_signing_in_forgives_the_tries_before_it(client):
    for _ in range(2):
        for _ in range(PASSWORD_TRIES.proven.free - 1):
            give_password(client, "city", password="not this one")
        assert sign_in(client, "city").status_code == 303


def test_the_time_between_password_and_code_is_limited(client, city):
    give_password(client, "city")
    with client.session_transaction() as session:
        session["pending_sign_in"] = session["pending_sign_in"] | {"since": session["pending_sign_in"]["since"] - 601}

    assert client.get("/sign-in/code").location == "/sign-in"
    assert city.totp_last_step is None


@pytest.mark.usefixtures("city")
def test_a_copied_cookie_is_dead_after_signing_out(app, client):
    sign_in(client, "city")
    thief = app.test_client()
    thief.set_cookie("session", session_cookie(client))
    assert thief.get("/staff/").status_code == 200

    client.post("/sign-out", data={"csrf_token": csrf_token(client.get("/staff/"))})

    assert thief.get("/staff/").status_code == 302
    assert client.get("/staff/").status_code == 302


@pytest.mark.usefixtures("city")
def test_signing_out_on_one_machine_leaves_the_other_signed_in(app, client):
    other = app.test_client()
    sign_in(client, "city")
    sign_in(other, "city")

    client.post("/sign-out", data={"csrf_token": csrf_token(client.get("/staff/"))})

    assert other.get("/staff/").status_code == 200


@pytest.mark.usefixtures("city")
def test_each_step_starts_a_new_session(client):
    for step in (lambda: give_password(client, "city"), lambda: give_code(client, current_code())):
        client.get("/sign-in")
        with client.session_transaction() as prepared:
            prepared["planted"] = "by someone else"
            token_before = prepared.get("csrf_token")
        step()
        with client.session_transaction() as found:
            assert "planted" not in found
            assert found.get("csrf_token") != token_before


@pytest.mark.usefixtures("city")
def test_the_cookie_tells_nothing_of_the_network(client):
    sign_in(client, "city")

    with client.session_transaction() as found:
        assert set(found) <= {"_user_id", "_fresh", "_permanent", "language"}


def test_the_cookie_holds_a_token_that_the_database_does_not(client, city, sqlite_database):
    sign_in(client, "city")

    with client.session_transaction() as found, sqlite_database.reading() as session:
        kept = session.scalars(select(AccountSession)).one()
        assert kept.account_id == city.id
        assert kept.digest != found["_user_id"]


def test_a_session_ends_after_half_a_day_however_busy(client, city, sqlite_database):
    sign_in(client, "city")
    with client.session_transaction() as found:
        token = found["_user_id"]

    with sqlite_database.reading() as session:
        soon, late = (datetime.now(UTC) + timedelta(hours=hours) for hours in (11.9, 12.1))
        assert find_session(session, token=token, now=soon).id == city.id
        assert find_session(session, token=token, now=late) is None


def test_a_disabled_account_is_refused_at_each_step(client, city, sqlite_database):
    give_password(client, "city")
    with sqlite_database.writing() as session:
        disable_account(session, account=session.get(Account, city.id), by=OPERATOR, now=NOW)

    assert client.get("/sign-in/code").location == "/sign-in"
    assert give_password(client, "city").status_code == 401


def test_over_https_the_cookie_belongs_to_this_host_alone(config, sqlite_database):
    with sqlite_database.writing() as session:
        make_account(session, "city", now=NOW)
    with site_on(replace(config, public_url="https://wj.example.cn")) as app:
        answer = app.test_client().get("/sign-in", base_url="https://wj.example.cn")

    [cookie] = answer.headers.getlist("Set-Cookie")
    assert cookie.startswith("__Host-session=")
    attributes = {part.strip() for part in cookie.split(";")[1:]}
    assert {"Secure", "HttpOnly", "Path=/", "SameSite=Lax"} <= attributes
    assert not any(part.startswith("Domain") for part in attributes)


def test_a_new_account_links_an_authenticator_and_gets_recovery_codes(app, client, newcomer, sqlite_database):
    assert give_password(client, "newcomer").location == "/sign-in/authenticator"
    page = client.get("/sign-in/authenticator")
    secret = re.search(r'class="secret">([A-Z2-7 ]+)<', page.text)[1].replace(" ", "")
    code = pyotp.TOTP(secret).at(datetime.now(UTC))

    wrong = client.post("/sign-in/authenticator", data={"csrf_token": csrf_token(page), "code": "abc"})
    right = client.post("/sign-in/authenticator", data={"csrf_token": csrf_token(wrong), "code": code})

    assert wrong.status_code == 401
    assert secret[:4] in wrong.text, "the same secret as before: the phone has it already"
    codes = re.findall(r"<li><code>([\d ]+)</code>", right.text)
    assert len(codes) == 10
    assert client.get("/staff/").status_code == 200
    with sqlite_database.reading() as session:
        assert secret not in session.get(Account, newcomer.id).totp_secret
    other = app.test_client()
    give_password(other, "newcomer")
    assert give_code(other, codes[3]).status_code == 303
    assert other.get("/staff/").status_code == 200
    give_password(other, "newcomer")
    assert give_code(other, codes[3]).status_code == 401


@pytest.mark.usefixtures("newcomer")
def test_without_an_authenticator_no_code_is_right(client):
    give_password(client, "newcomer")

    assert give_code(client, current_code()).status_code == 401


def test_signing_in_and_out_is_on_record(client, city, sqlite_database):
    give_password(client, "city", password="not this one")
    give_password(client, "nobody-knows-this")
    give_password(client, "city")
    give_code(client, "abc")
    give_code(client, current_code())
    client.post("/sign-out", data={"csrf_token": csrf_token(client.get("/staff/"))})

    with sqlite_database.writing() as session:
        record_failed_sign_ins(session, now=datetime.now(UTC) + timedelta(hours=1))

    account = f"account:{city.id}"
    found = events(sqlite_database)
    assert [event[:3] for event in found] == [
        (account, "signed_in", account),
        (account, "signed_out", account),
        ("visitor", "sign_in_failed", account),
        ("visitor", "sign_in_failed", account),
        ("visitor", "sign_in_failed", "usernames"),
    ]
    assert found[0][3] == '{"proof":"authenticator"}'
    assert {json.loads(after)["step"] for *_, after in found[2:4]} == {"password", "code"}
    assert [json.loads(after)["count"] for *_, after in found[2:]] == [1, 1, 1]
    assert "nobody-knows-this" not in str(found)


def test_two_requests_with_one_code_sign_in_once(database):
    with database.writing() as session:
        account = make_account(session, "city", now=NOW)
    code = pyotp.TOTP(AUTHENTICATOR).at(NOW)

    use = partial(
        check_code,
        database,
        account_id=account.id,
        credentials=credentials_of(account),
        typed=code,
        source=SOURCE,
        proof=None,
        secret_key=SECRET_KEY,
        now=NOW,
    )
    use()

    with pytest.raises(SignInRefused):
        use()


@pytest.mark.usefixtures("city")
def test_a_stolen_database_opens_no_session(client, sqlite_database):
    sign_in(client, "city")
    with sqlite_database.writing() as session:
        digest = session.scalar(select(AccountSession.digest))
        assert find_session(session, token=digest, now=NOW) is None
