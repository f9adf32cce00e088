"""Whoever stands halfway through a door stands outside again once the account changes, on every machine.

Each state on the way to a session, and the session itself, meets each event that changes what proves or limits the
account. A state that is added to the product without standing in `STATES` or `OF_NO_ACCOUNT` fails the last tests.
"""

import ast
import re
import shutil
from datetime import UTC, datetime, timedelta
from itertools import count
from pathlib import Path

import pyotp
import pytest
from sqlalchemy import select, text, update

from survey_app.accounts.accounts import (
    NewPassword,
    add_account,
    disable_account,
    enable_account,
    reset_account,
    set_password,
)
from survey_app.accounts.credentials import credentials_of
from survey_app.accounts.invitations import accept_invitation, invite, open_first_run
from survey_app.accounts.second_factor import renew_recovery_codes
from survey_app.audit import OPERATOR
from survey_app.evaluations.evaluate_round import evaluate_round
from survey_app.jobs.worker import Worker
from survey_app.models import Account, AccountSession, CommunityList, ResetRequest, Response
from survey_app.models.vocabulary import ListStatus
from survey_app.register.kept_lists import LISTS, keep_list
from survey_app.register.list_jobs import LIST_JOBS
from survey_app.security.change_codes import digest_of_change_code
from survey_app.security.check_digits import RECEIPT_DIGITS, new_number
from survey_app.security.one_time_links import LinkExpired
from survey_app.storage.database import Database
from tests.accounts import (
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
from tests.conftest import copy_rows_of, site_on
from tests.factories import make_community, make_response, make_round, make_round_around
from tests.together import all_at_once

CHOSEN = "a password of my own"
CHANGE_CODE = "123456789015"
NUMBERS = count(1)
SOURCE = Path(__file__).parents[2] / "survey_app"


@pytest.fixture
def now():
    return datetime.now(UTC)


@pytest.fixture(scope="module")
def evaluated_city(_sqlite_template, tmp_path_factory):
    """A file with an answer of an open round, an evaluation and a bystander of the city, and what is known of them."""
    path, now = tmp_path_factory.mktemp("evaluated") / "jiayuan.sqlite3", datetime.now(UTC)
    shutil.copy(_sqlite_template, path)
    with Database(f"sqlite:///{path}") as database:
        with database.writing() as session:
            survey_round, community = make_round_around(session, now), make_community(session)
            number = new_number(RECEIPT_DIGITS)
            make_response(
                session,
                survey_round,
                community,
                receipt=number,
                submitted_at=now,
                change_digest=digest_of_change_code(CHANGE_CODE, receipt=number, secret_key=SECRET_KEY),
            )
            over = make_round(session, opens_at=now - timedelta(days=40), closes_at=now - timedelta(days=10))
            make_account(session, "bystander", role="city", now=now)
            known = {"district": community.district_id, "number": number}
        evaluation = evaluate_round(database, round_id=over.id, by=OPERATOR, now=now, provisional=False)
    return path, known | {"evaluation": evaluation.id}


@pytest.fixture
def place(evaluated_city, sqlite_database):
    """A community with one answer, and an account of the city beside the one that is attacked."""
    path, known = evaluated_city
    copy_rows_of(path, sqlite_database)
    return known


class Attack:
    """The account, the database and the site, as an attacker and an administrator have them."""

    def __init__(self, app, database, place, now):
        self.app, self.database, self.place, self.now = app, database, place, now
        self.username = f"li.na.{next(NUMBERS)}"
        self.account_id, self.recovery_codes = None, []

    def add(self, *, has_password=True, has_authenticator=True):
        with self.database.writing() as session:
            if has_password:
                account = make_account(session, self.username, role="city", now=self.now)
            else:
                account = add_account(
                    session, username=self.username, password=None, role="city", by=OPERATOR, now=self.now
                )
            if has_password and has_authenticator:
                self.recovery_codes = renew_recovery_codes(session, account=account, secret_key=SECRET_KEY)
            elif not has_authenticator:
                account.totp_secret = None
            session.flush()
            self.account_id = account.id
            return account

    def link_of(self, account):
        return f"/invitation/{invite(account, secret_key=SECRET_KEY, now=self.now)}"

    def client(self):
        client = self.app.test_client()
        client.environ_base["HTTP_ACCEPT_LANGUAGE"] = "zh-CN"
        return client

    def act(self, action, **values):
        with self.database.writing() as session:
            action(session, account=session.get(Account, self.account_id), by=OPERATOR, now=self.now, **values)

    def renew_steps(self):
        with self.database.writing() as session:
            session.execute(update(Account).values(totp_last_step=None))

    def run(self, statement):
        with self.database.engine.begin() as connection:
            connection.execute(text(statement), {"id": self.account_id, "district": self.place["district"]})


@pytest.fixture
def attack(app, sqlite_database, place, now):
    return Attack(app, sqlite_database, place, now)


def is_in(client):
    return client.get("/staff/").status_code == 200


def copy_of(attack, client):
    """Return another browser with all cookies of the first one."""
    other = attack.client()
    cookie = client.get_cookie("session")
    if cookie is not None:
        other.set_cookie("session", cookie.value)
    return other


# States. Each is begun before the event and returns what the attacker does after it, on any client: True if it helps.


def after_the_password(attack):
    attack.add()
    client = attack.client()
    assert give_password(client, attack.username).location == "/sign-in/code"

    def proceed(browser):
        page = browser.get("/sign-in/code")
        if page.status_code == 200:
            attack.renew_steps()
            give_code(browser, current_code())
        return is_in(browser)

    return client, proceed


def code_page_left_open(attack):
    client, _proceed = after_the_password(attack)
    token = csrf_token(client.get("/sign-in/code"))

    def proceed(browser):
        attack.renew_steps()
        browser.post("/sign-in/code", data={"csrf_token": token, "code": current_code()})
        return is_in(browser)

    return client, proceed


def code_page_with_a_recovery_code(attack):
    client, _proceed = after_the_password(attack)
    token = csrf_token(client.get("/sign-in/code"))

    def proceed(browser):
        browser.post("/sign-in/code", data={"csrf_token": token, "code": attack.recovery_codes[-1]})
        return is_in(browser)

    return client, proceed


def authenticator_page_left_open(attack):
    attack.add(has_authenticator=False)
    client = attack.client()
    assert give_password(client, attack.username).location == "/sign-in/authenticator"
    return client, linking(client)


def invitation_taken_to_the_authenticator_page(attack):
    link = attack.link_of(attack.add(has_password=False))
    client = attack.client()
    page = client.get(link)
    answer = client.post(link, data={"csrf_token": csrf_token(page), "password": CHOSEN})
    assert answer.location == "/sign-in/authenticator"
    return client, linking(client)


def linking(client):
    page = client.get("/sign-in/authenticator")
    secret = re.search(r'class="secret">([A-Z2-7 ]+)<', page.text)[1].replace(" ", "")
    token = csrf_token(page)

    def proceed(browser):
        code = pyotp.TOTP(secret).at(datetime.now(UTC))
        browser.post("/sign-in/authenticator", data={"csrf_token": token, "code": code})
        return is_in(browser)

    return proceed


def authenticator_page_reached_and_reloaded(attack):
    client, _proceed = invitation_taken_to_the_authenticator_page(attack)

    def proceed(browser):
        page = browser.get("/sign-in/authenticator")
        return page.status_code == 200 and linking(browser)(browser)

    return client, proceed


def invitation_that_nobody_has_opened(attack):
    link = attack.link_of(attack.add(has_password=False))
    return attack.client(), opening(link)


def invitation_of_an_account_with_a_password(attack):
    # As a reset leaves it for a moment, were the link made from what is known of the account.
    link = attack.link_of(attack.add())
    return attack.client(), opening(link)


def opening(link):
    def proceed(browser):
        page = browser.get(link)
        token = csrf_token(page if page.status_code == 200 else browser.get("/sign-in"))
        return browser.post(link, data={"csrf_token": token, "password": CHOSEN}).status_code == 303

    return proceed


def signed_in_with_a_page_open(attack):
    attack.add()
    client = attack.client()
    sign_in(client, attack.username)
    assert is_in(client)
    return client, is_in


def export_that_is_about_to_be_taken(attack):
    client, _is_in = signed_in_with_a_page_open(attack)
    address = f"/staff/evaluations/{attack.place['evaluation']}/standings.csv"
    return client, lambda browser: browser.get(address).status_code == 200


def own_account_page_left_open(attack):
    client, _is_in = signed_in_with_a_page_open(attack)
    token = csrf_token(client.get("/staff/account"))

    def proceed(browser):
        attack.renew_steps()
        fields = {"password": PASSWORD, "code": current_code(), "new_password": "a wholly different one"}
        answer = browser.post("/staff/account/password", data={"csrf_token": token, **fields})
        return answer.status_code == 303 and is_in(browser)

    return client, proceed


def dashboard_left_open(attack):
    client, _is_in = signed_in_with_a_page_open(attack)
    return client, lambda browser: browser.get("/dashboards/_dash-layout").status_code == 200


def list_that_was_confirmed(attack):
    header, number = "小区编号,小区名称,区,物业公司,交付户数,入住户数,业主户数", next(NUMBERS)
    content = f"{header}\nL{number},名单小区{number},名单区,物业,3,2,1".encode()
    account_id = attack.add().id

    def work():
        Worker(attack.database, LIST_JOBS, lambda: attack.now).run_due_jobs()
        with attack.database.reading() as session:
            return session.get(CommunityList, account_id)

    with attack.database.writing() as session:
        given = {"name": "a.csv", "source": "", "headers": {}, "content": content, "now": attack.now}
        keep_list(session, account_id=account_id, **given)
    shown = work().comparison_sha256
    with attack.database.writing() as session:
        credentials = credentials_of(session.get(Account, account_id))
        given = {"comparison_sha256": shown, "credentials": credentials, "now": attack.now}
        LISTS.confirm(session, account_id, **given)
    return attack.client(), lambda _browser: work().status == ListStatus.IMPORTED


STATES = [
    after_the_password,
    code_page_left_open,
    code_page_with_a_recovery_code,
    authenticator_page_left_open,
    authenticator_page_reached_and_reloaded,
    invitation_taken_to_the_authenticator_page,
    invitation_that_nobody_has_opened,
    invitation_of_an_account_with_a_password,
    signed_in_with_a_page_open,
    export_that_is_about_to_be_taken,
    own_account_page_left_open,
    dashboard_left_open,
    list_that_was_confirmed,
]


# Events. Each changes what proves or limits the account.


def another_password(attack):
    attack.act(set_password, password=NewPassword.of("another good password"))


def reset(attack):
    attack.act(reset_account)


def reset_and_a_new_password(attack):
    attack.act(reset_account)
    with attack.database.writing() as session:
        token = invite(session.get(Account, attack.account_id), secret_key=SECRET_KEY, now=attack.now)
        accept_invitation(
            session, token=token, password=NewPassword.of(PASSWORD), secret_key=SECRET_KEY, now=attack.now
        )


def disabled(attack):
    attack.act(disable_account)


def disabled_and_enabled(attack):
    attack.act(disable_account)
    attack.act(enable_account)


def another_role(attack):
    with attack.database.writing() as session:
        session.get(Account, attack.account_id).role = "evaluator"


def another_role_and_back(attack):
    for role in ("evaluator", "city"):
        with attack.database.writing() as session:
            session.get(Account, attack.account_id).role = role


def another_role_by_a_statement(attack):
    attack.run("UPDATE account SET role = 'evaluator' WHERE id = :id")


def another_place(attack):
    attack.run("UPDATE account SET role = 'district', district_id = :district WHERE id = :id")


def another_community_by_a_statement(attack):
    attack.run("INSERT INTO account_community (account_id, community_id) SELECT :id, min(id) FROM community")


def another_password_by_a_statement(attack):
    attack.run("UPDATE account SET password_hash = 'none:' || password_hash WHERE id = :id")


def disabled_by_a_statement(attack):
    attack.run("UPDATE account SET disabled_at = created_at WHERE id = :id")


def another_authenticator(attack):
    attack.run("UPDATE account SET totp_secret = 'another' WHERE id = :id")


def recovery_code_used_elsewhere(attack):
    client = attack.client()
    give_password(client, attack.username)
    give_code(client, attack.recovery_codes[0])
    assert is_in(client)


def recovery_codes_renewed_elsewhere(attack):
    client = attack.client()
    sign_in(client, attack.username)
    attack.renew_steps()
    fields = {"csrf_token": csrf_token(client.get("/staff/account")), "password": PASSWORD, "code": current_code()}
    page = client.post("/staff/account/recovery-codes", data=fields)
    assert page.status_code == 200
    attack.recovery_codes = re.findall(r"<li><code>([\d ]+)</code>", page.text)
    assert is_in(client), "whoever renewed them goes on"


EVENTS = [
    another_password,
    reset,
    reset_and_a_new_password,
    disabled,
    disabled_and_enabled,
    another_role,
    another_role_and_back,
    another_role_by_a_statement,
    another_place,
    another_community_by_a_statement,
    another_password_by_a_statement,
    disabled_by_a_statement,
    another_authenticator,
    recovery_code_used_elsewhere,
    recovery_codes_renewed_elsewhere,
]
NEEDS_AUTHENTICATOR = {recovery_code_used_elsewhere, recovery_codes_renewed_elsewhere}


def attacks_on(app, database, place, now):
    """Begin every state, each with an account of its own, and return what goes on from there."""
    for state in STATES:
        attack = Attack(app, database, place, now)
        client, proceed = state(attack)
        yield state, attack, client, proceed


def test_without_an_event_each_state_leads_on(app, sqlite_database, place, now):
    stuck = [
        state.__name__
        for state, _attack, client, proceed in attacks_on(app, sqlite_database, place, now)
        if not proceed(client)
    ]

    assert stuck == []


@pytest.mark.parametrize("event", EVENTS)
def test_each_event_ends_each_state_on_the_same_and_on_another_client(app, sqlite_database, place, now, event):
    survivors = []
    for state, attack, client, proceed in attacks_on(app, sqlite_database, place, now):
        if event in NEEDS_AUTHENTICATOR and not attack.recovery_codes:
            continue  # such an account has no authenticator yet
        copied = copy_of(attack, client)

        event(attack)

        went_on = {"same": proceed(client) or is_in(client), "other": proceed(copied) or is_in(copied)}
        survivors += [(state.__name__, machine) for machine, is_through in went_on.items() if is_through]

    assert survivors == []


def test_the_owner_goes_on_after_each_change_that_is_their_own(attack):
    attack.add()
    client, elsewhere = attack.client(), attack.client()
    for browser in (client, elsewhere):
        attack.renew_steps()
        sign_in(browser, attack.username)
    attack.renew_steps()
    fields = {"csrf_token": csrf_token(client.get("/staff/account")), "password": PASSWORD, "code": current_code()}

    assert client.post("/staff/account/password", data=fields | {"new_password": CHOSEN}).status_code == 303

    assert (is_in(client), is_in(elsewhere)) == (True, False)
    again = attack.client()
    assert sign_in(again, attack.username, password=CHOSEN).status_code == 303
    assert is_in(again)


def test_a_second_reset_ends_the_invitation_of_the_first(attack):
    attack.add()
    links = []
    for _ in range(2):
        attack.act(reset_account)
        with attack.database.reading() as session:
            links.append(attack.link_of(session.get(Account, attack.account_id)))

    assert attack.client().get(links[0]).status_code == 410
    assert opening(links[1])(attack.client())
    assert not opening(links[1])(attack.client()), "it works once"


def test_of_two_that_accept_one_invitation_at_once_one_gets_in(database, now):
    with database.writing() as session:
        account = add_account(session, username="li.na", password=None, role="city", by=OPERATOR, now=now)
    token = invite(account, secret_key=SECRET_KEY, now=now)

    def accept(password):
        try:
            with database.writing() as session:
                accept_invitation(
                    session, token=token, password=NewPassword.of(password), secret_key=SECRET_KEY, now=now
                )
        except LinkExpired:
            return False
        return True

    assert sorted(all_at_once(accept, [f"number {n} takes the door" for n in range(4)])) == [False] * 3 + [True]


def test_a_reset_between_the_code_and_the_change_of_a_password_stops_the_change(attack, monkeypatch):
    from survey_app.accounts import own_account_views

    attack.add()
    client = attack.client()
    sign_in(client, attack.username)
    attack.renew_steps()
    checked = own_account_views.check_owner

    def check_and_be_reset(*values, **named):
        checked(*values, **named)
        attack.act(reset_account)

    monkeypatch.setattr(own_account_views, "check_owner", check_and_be_reset)
    fields = {"csrf_token": csrf_token(client.get("/staff/account")), "password": PASSWORD, "code": current_code()}

    answer = client.post("/staff/account/password", data=fields | {"new_password": CHOSEN})

    assert answer.status_code == 403
    assert not is_in(client)
    assert give_password(attack.client(), attack.username, password=CHOSEN).status_code == 401


def test_a_session_from_a_backup_opens_nothing_once_the_account_changed(attack):
    attack.add()
    client = attack.client()
    sign_in(client, attack.username)
    with attack.database.reading() as session:
        kept = session.execute(select(AccountSession.__table__)).mappings().one()

    another_password(attack)
    with attack.database.writing() as session:
        session.execute(AccountSession.__table__.insert().values(**kept))

    assert not is_in(client)


@pytest.mark.parametrize("event", [None, reset, disabled, another_password])
def test_the_link_of_the_first_run_is_dead_once_there_was_an_account_whatever_becomes_of_it(config, now, event):
    with site_on(config) as app:
        database = app.extensions["jiayuan"].database
        with database.reading() as session:
            link = f"/first-run/{open_first_run(session, secret_key=SECRET_KEY, now=now)}"
        attack = Attack(app, database, {"district": None}, now)
        waiting = attack.client()
        token = csrf_token(waiting.get(link))
        attack.add()
        if event is not None:
            event(attack)

        answer = waiting.post(link, data={"csrf_token": token, "username": "thief", "password": CHOSEN})

        assert answer.status_code == 410
        assert attack.client().get(link).status_code == 410
        with database.reading() as session:
            assert session.scalars(select(Account.username)).all() == [attack.username]


# A receipt that staff opened with the change code of a resident on the telephone.


def opened_receipt(attack, client):
    token = csrf_token(client.get("/staff/receipts"))
    found = client.post("/staff/receipts", data={"csrf_token": token, "number": attack.place["number"]}).location
    answer = client.post(f"{found}/change", data={"csrf_token": token, "code": CHANGE_CODE})
    assert answer.status_code == 303
    return answer.location


def is_opened(client, address):
    return "withdrawal" in client.get(address).text


@pytest.fixture
def opened(attack, monkeypatch):
    """An address that a signed-in account opened with a change code."""
    monkeypatch.setattr("survey_app.responses.staff_receipt_views.check_change_code", lambda *_given, **_named: None)
    attack.add()
    client = attack.client()
    sign_in(client, attack.username)
    address = opened_receipt(attack, client)
    assert is_opened(client, address)
    return client, address


def test_an_opened_receipt_in_the_history_of_a_browser_opens_nothing_for_the_next_account(attack, opened):
    _client, address = opened
    other = signed_in_client(attack.app, "bystander")

    page = other.get(address)
    token = csrf_token(other.get("/staff/receipts"))
    answer = other.post(f"{address}/withdrawal", data={"csrf_token": token, "reason": "other"})

    assert page.status_code == 200
    assert not is_opened(other, address)
    assert answer.status_code == 403
    with attack.database.reading() as session:
        assert session.scalar(select(Response.answers)) is not None


def test_an_opened_receipt_is_no_resident_page(attack, opened):
    _client, address = opened

    page = attack.client().get(address.replace("/staff/receipts/", "/r/"))

    assert "/withdrawal" not in page.text or page.status_code == 404


@pytest.mark.parametrize("event", [another_password, another_role_and_back, disabled_and_enabled])
def test_an_opened_receipt_dies_with_the_credentials_of_who_opened_it(attack, opened, event):
    _client, address = opened
    event(attack)

    again = attack.client()
    attack.renew_steps()
    password = "another good password" if event is another_password else PASSWORD
    assert sign_in(again, attack.username, password=password).status_code == 303

    assert not is_opened(again, address)


# A request of a reset.


@pytest.fixture
def requested(attack, sqlite_database, now):
    """A reset of li.na that an administrator asked for and nobody has decided."""
    attack.add()
    with sqlite_database.writing() as session:
        administrator = make_account(session, "administrator", now=now)
    client = signed_in_client(attack.app, "administrator")
    token = csrf_token(client.get("/staff/accounts"))
    client.post(f"/staff/accounts/{attack.account_id}/reset", data={"csrf_token": token})
    return administrator


def confirm(attack):
    attack.renew_steps()
    client = signed_in_client(attack.app, "bystander")
    token = csrf_token(client.get("/staff/reset-requests"))
    attack.renew_steps()
    fields = {"csrf_token": token, "password": PASSWORD, "code": current_code()}
    return client.post(f"/staff/reset-requests/{attack.account_id}/confirm", data=fields)


@pytest.mark.usefixtures("requested")
def test_a_request_that_waits_is_confirmed(attack):
    assert "/invitation/" in confirm(attack).text


@pytest.mark.usefixtures("requested")
@pytest.mark.parametrize("event", [each for each in EVENTS if each not in NEEDS_AUTHENTICATOR])
def test_a_request_dies_with_the_account_that_it_is_about(attack, event):
    event(attack)

    answer = confirm(attack)

    assert answer.status_code == 410
    assert "/invitation/" not in answer.text


@pytest.mark.parametrize("event", [each for each in EVENTS if each not in NEEDS_AUTHENTICATOR | {another_place}])
def test_a_request_dies_with_the_account_that_made_it(attack, requested, event):
    target, attack.account_id = attack.account_id, requested.id
    event(attack)
    attack.account_id = target

    assert confirm(attack).status_code == 410


def test_a_request_is_too_old_after_its_days(attack, requested, sqlite_database):
    with sqlite_database.writing() as session:
        session.execute(update(ResetRequest).values(expires_at=datetime.now(UTC) - timedelta(seconds=1)))

    assert confirm(attack).status_code == 410
    assert requested.disabled_at is None


# Every state is known: whoever adds one adds its line.

# Functions that sign something or put it into the browser's session, and the states of accounts that they make.
MAKES_STATE = {
    ("accounts/invitations.py", "invite"),
    ("accounts/invitations.py", "open_first_run"),
    ("accounts/guard.py", "begin_sign_in"),
    ("accounts/guard.py", "offer_authenticator"),
    ("accounts/sign_in_views.py", "show_authenticator"),  # seals the authenticator that the state above holds
    ("accounts/sign_in.py", "link_authenticator"),  # seals it for the account
    ("accounts/second_factor.py", "seal_secret"),
    ("responses/receipts.py", "sign_change"),
}
# Of residents, each bound to what it opens: a code, a case's secret, a form that counts once; or no proof at all.
OF_NO_ACCOUNT = {
    ("accounts/guard.py", "_renew_browser_session"),  # the language
    ("web/languages.py", "remember_language"),
    ("codes/codes.py", "sign_reference"),
    ("complaints/case_secrets.py", "_serializer"),
    ("complaints/contacts.py", "store_contact"),
    ("responses/receipts.py", "sign_receipt"),
    ("complaints/case_addresses.py", "sign_case"),  # leads to the case, and opens nothing without its secret
    ("accounts/device_cookies.py", "remember_device"),  # has tries of its own, and opens nothing
    ("demo/demo.py", "_renew_accounts"),  # seals the authenticators of the demonstration
}
SIGNING = {"sign", "sign_link", "seal", "seal_secret", "Signer", "URLSafeSerializer", "URLSafeTimedSerializer"}
SIGNING |= {"TimestampSigner", "TimedSerializer", "Serializer", "JSONWebSignatureSerializer", "Fernet"}
SESSIONS = {"browser_session", "session", "flask_session"}


def functions_that_make_states():
    for path in sorted(SOURCE.rglob("*.py")):
        name = path.relative_to(SOURCE).as_posix()
        if name.startswith("security/"):
            continue
        tree = ast.parse(path.read_text("utf-8"))
        imports_session = any(
            isinstance(node, ast.ImportFrom) and node.module == "flask" and any(a.name == "session" for a in node.names)
            for node in ast.walk(tree)
        )
        for function in (node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)):
            calls = {
                node.func.id if isinstance(node.func, ast.Name) else getattr(node.func, "attr", "")
                for node in ast.walk(function)
                if isinstance(node, ast.Call)
            }
            keeps = imports_session and any(
                isinstance(node, ast.Assign)
                and isinstance(node.targets[0], ast.Subscript)
                and getattr(node.targets[0].value, "id", "") in SESSIONS
                for node in ast.walk(function)
            )
            if calls & SIGNING or keeps:
                yield name, function.name


def test_every_function_that_signs_or_keeps_a_state_is_known():
    found = set(functions_that_make_states())

    assert found - MAKES_STATE - OF_NO_ACCOUNT == set(), "bind it to the credentials, and let it meet every event"
    assert found >= MAKES_STATE | OF_NO_ACCOUNT, "a line for what is gone"


def test_the_browser_session_holds_known_states_only(attack):
    client, _proceed = invitation_taken_to_the_authenticator_page(attack)
    known = {"pending_sign_in", "language", "csrf_token", "_user_id", "_fresh", "_permanent", "_flashes"}
    with client.session_transaction() as held:
        assert set(held) <= known
        assert held["pending_sign_in"]["credentials"]
    client = attack.client()
    sign_in(client, "bystander")
    with client.session_transaction() as held:
        assert set(held) <= known


def test_no_column_of_a_proof_is_left_out_of_the_credentials():
    """A column that is added to accounts either changes the credentials or is said here to prove and limit nothing."""
    from survey_app.accounts.credentials import _BOUND

    proves_nothing = {"id", "username", "credential_version", "created_at", "totp_last_step", "in_force_since"}
    notices = {"failed_sign_ins", "last_failed_sign_in_at", "notices_read_to"}

    kept_elsewhere = {"communities"}  # in a table of their own

    columns = {column.name for column in Account.__table__.columns}
    assert columns | kept_elsewhere == set(_BOUND) | proves_nothing | notices
