from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import func, select

from survey_app.accounts.accounts import NewPassword, add_account, password_is_right, reset_account
from survey_app.accounts.installation import DemoDatabase, is_demo, use_as_demo
from survey_app.accounts.invitations import (
    FIRST_RUN_LIFETIME,
    INVITATION_LIFETIME,
    accept_invitation,
    add_first_account,
    find_invited,
    invite,
    open_first_run,
)
from survey_app.accounts.passwords import WeakPassword
from survey_app.audit import OPERATOR
from survey_app.models import Account
from survey_app.security.one_time_links import LinkExpired
from tests.accounts import SECRET_KEY, csrf_token, make_account
from tests.factories import NOW
from tests.together import all_at_once

CHOSEN = "a password of my own"


@pytest.fixture
def invited(database):
    with database.writing() as session:
        return add_account(session, username="li.na", password=None, role="city", by=OPERATOR, now=NOW)


def accept(database, token, *, password=CHOSEN, now=NOW):
    with database.writing() as session:
        return accept_invitation(
            session, token=token, password=NewPassword.of(password), secret_key=SECRET_KEY, now=now
        )


def first_run(database, *, now=NOW):
    with database.reading() as session:
        return open_first_run(session, secret_key=SECRET_KEY, now=now)


def make_first(database, token, *, username="root", now=NOW):
    with database.writing() as session:
        return add_first_account(
            session, token=token, username=username, password=NewPassword.of(CHOSEN), secret_key=SECRET_KEY, now=now
        )


def test_an_invitation_sets_the_password_once(database, invited):
    token = invite(invited, secret_key=SECRET_KEY, now=NOW)

    assert password_is_right(accept(database, token), CHOSEN)
    with pytest.raises(LinkExpired):
        accept(database, token, password="somebody else's password")


def test_looking_at_an_invitation_does_not_use_it_up(database, invited):
    token = invite(invited, secret_key=SECRET_KEY, now=NOW)
    for _ in range(2):
        with database.reading() as session:
            assert find_invited(session, token=token, secret_key=SECRET_KEY, now=NOW).username == "li.na"

    accept(database, token)


def test_a_password_that_is_too_short_leaves_the_invitation_good(database, invited):
    token = invite(invited, secret_key=SECRET_KEY, now=NOW)
    with pytest.raises(WeakPassword):
        accept(database, token, password="short")

    accept(database, token)


def test_an_invitation_ends_after_a_week(database, invited):
    token = invite(invited, secret_key=SECRET_KEY, now=NOW)

    with pytest.raises(LinkExpired):
        accept(database, token, now=NOW + INVITATION_LIFETIME)


def test_a_new_invitation_after_a_reset_ends_the_old_ones(database, invited):
    old = invite(invited, secret_key=SECRET_KEY, now=NOW)
    with database.writing() as session:
        account = session.get(Account, invited.id)
        reset_account(session, account=account, by=OPERATOR, now=NOW)
        new = invite(account, secret_key=SECRET_KEY, now=NOW)

    with pytest.raises(LinkExpired):
        accept(database, old)
    accept(database, new)


@pytest.mark.parametrize("key", ["another installation", SECRET_KEY])
def test_an_invitation_that_was_not_signed_here_is_refused(database, invited, key):
    token = invite(invited, secret_key=key, now=NOW)
    if key == SECRET_KEY:
        # Not the last character: some of its bits mean nothing.
        token = token[:-9] + ("A" if token[-9] != "A" else "B") + token[-8:]

    with pytest.raises(LinkExpired):
        accept(database, token)


def test_the_first_account_is_an_administrator_on_a_database_that_is_real_from_then_on(database):
    account = make_first(database, first_run(database))

    assert account.role == "administrator"
    with database.reading() as session:
        assert not is_demo(session)
    assert first_run(database) is None


def test_the_link_for_the_first_account_is_dead_once_there_is_one(database):
    token = first_run(database)
    with database.writing() as session:
        make_account(session, "somebody", role="city", now=NOW)

    with pytest.raises(LinkExpired):
        make_first(database, token)


def test_the_link_for_the_first_account_lasts_a_day(database):
    token = first_run(database)

    with pytest.raises(LinkExpired):
        make_first(database, token, now=NOW + FIRST_RUN_LIFETIME)


def test_an_invitation_makes_no_first_account(database):
    token = invite(Account(id=1, password_hash="none:"), secret_key=SECRET_KEY, now=NOW)

    with pytest.raises(LinkExpired):
        make_first(database, token)


def test_two_clicks_at_once_make_one_first_account(database):
    token = first_run(database)

    def click(number):
        try:
            make_first(database, token, username=f"root{number}")
        except LinkExpired:
            return False
        return True

    assert sum(all_at_once(click, range(4))) == 1
    with database.reading() as session:
        assert session.scalar(select(func.count()).select_from(Account)) == 1


def test_the_first_page_leads_to_an_account_and_on_to_its_authenticator(client, sqlite_database):
    now = datetime.now(UTC)
    address = f"/first-run/{first_run(sqlite_database, now=now)}"
    page = client.get(address)

    weak = client.post(address, data={"csrf_token": csrf_token(page), "username": "root", "password": "short"})
    made = client.post(address, data={"csrf_token": csrf_token(weak), "username": "root", "password": CHOSEN})

    assert weak.status_code == 400
    assert (made.status_code, made.location) == (303, "/sign-in/authenticator")
    assert client.get(address).status_code == 410


def test_an_invitation_page_leads_to_a_password_and_on_to_an_authenticator(client, sqlite_database):
    now = datetime.now(UTC)
    with sqlite_database.writing() as session:
        account = add_account(session, username="li.na", password=None, role="city", by=OPERATOR, now=now)
    address = f"/invitation/{invite(account, secret_key=SECRET_KEY, now=now - timedelta(days=1))}"
    page = client.get(address)
    assert "li.na" in page.text

    weak = client.post(address, data={"csrf_token": csrf_token(page), "password": "short"})
    chosen = client.post(address, data={"csrf_token": csrf_token(weak), "password": CHOSEN})

    assert weak.status_code == 400
    assert (chosen.status_code, chosen.location) == (303, "/sign-in/authenticator")
    assert client.get(address).status_code == 410


def test_a_demonstration_has_no_first_page(database):
    token = first_run(database)
    with database.writing() as session:
        use_as_demo(session, now=NOW)

    with pytest.raises(DemoDatabase):
        make_first(database, token)
