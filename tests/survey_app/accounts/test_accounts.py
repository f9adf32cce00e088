import pytest
from argon2 import Type
from sqlalchemy import func, select

from survey_app.accounts.accounts import (
    NewPassword,
    OwnAccount,
    UsernameTaken,
    add_account,
    disable_account,
    enable_account,
    password_is_right,
    reset_account,
    set_password,
)
from survey_app.accounts.passwords import WeakPassword
from survey_app.accounts.second_factor import renew_recovery_codes
from survey_app.accounts.sign_in import find_session, start_session
from survey_app.audit import OPERATOR
from survey_app.models import Account, AccountSession, AuditEvent, RecoveryCode
from tests.accounts import PASSWORD, SECRET_KEY, make_account
from tests.factories import NOW


@pytest.fixture
def account(database):
    with database.writing() as session:
        return make_account(session, "li.na", role="city", now=NOW)


def change(database, account, action, *, by="account:99", **values):
    with database.writing() as session:
        action(session, account=session.get(Account, account.id), by=by, now=NOW, **values)


def stored(database, statement):
    with database.reading() as session:
        return session.scalar(statement)


def actions(database):
    with database.reading() as session:
        return session.scalars(select(AuditEvent.action).order_by(AuditEvent.position)).all()


def test_a_short_password_is_refused(database):
    with pytest.raises(WeakPassword, match="12 characters"), database.writing() as session:
        add_account(session, username="city", password=NewPassword.of("elevenchars"), role="city", by=OPERATOR, now=NOW)


def test_the_password_is_kept_as_an_argon2id_hash_only(database, account):
    assert stored(database, select(Account.password_hash)).startswith("$argon2id$")
    assert password_is_right(account, PASSWORD)


def test_the_hash_costs_what_rfc_9106_recommends(full_hasher):
    assert full_hasher.type is Type.ID
    assert (full_hasher.time_cost, full_hasher.memory_cost, full_hasher.parallelism) == (3, 64 * 1024, 4)


def test_a_name_is_given_once_however_it_is_typed(database, account):
    assert account.username == "li.na"
    with pytest.raises(UsernameTaken), database.writing() as session:
        make_account(session, " Ｌi.Na ", role="city", now=NOW)


def test_without_a_password_nothing_signs_in(database):
    with database.writing() as session:
        added = add_account(session, username="new", password=None, role="city", by=OPERATOR, now=NOW)

    assert not password_is_right(added, "")
    assert not password_is_right(added, added.password_hash)


def test_another_password_signs_out_everywhere(database, account):
    with database.writing() as session:
        token = start_session(session, account=account, proof="authenticator", now=NOW)

    change(database, account, set_password, password=NewPassword.of("another good password"))

    with database.reading() as session:
        assert find_session(session, token=token, now=NOW) is None
        assert password_is_right(session.get(Account, account.id), "another good password")


def test_a_reset_takes_password_authenticator_and_recovery_codes(database, account):
    with database.writing() as session:
        renew_recovery_codes(session, account=account, secret_key=SECRET_KEY)
        start_session(session, account=account, proof="authenticator", now=NOW)

    change(database, account, reset_account)

    assert stored(database, select(Account.totp_secret)) is None
    assert stored(database, select(func.count()).select_from(RecoveryCode)) == 0
    assert stored(database, select(func.count()).select_from(AccountSession)) == 0
    with database.reading() as session:
        assert not password_is_right(session.get(Account, account.id), PASSWORD)


def test_a_disabled_account_is_signed_out_until_it_is_enabled(database, account):
    with database.writing() as session:
        token = start_session(session, account=account, proof="authenticator", now=NOW)
    change(database, account, disable_account)

    with database.reading() as session:
        assert find_session(session, token=token, now=NOW) is None

    change(database, account, enable_account)

    assert stored(database, select(Account.disabled_at)) is None
    with database.reading() as session:
        assert find_session(session, token=token, now=NOW) is None, "an old cookie does not come alive again"


def test_nobody_disables_their_own_account(database, account):
    with pytest.raises(OwnAccount):
        change(database, account, disable_account, by=f"account:{account.id}")


def test_every_change_of_an_account_is_on_record(database, account):
    change(database, account, set_password, password=NewPassword.of("another good password"))
    change(database, account, disable_account)
    change(database, account, disable_account)
    change(database, account, enable_account)
    change(database, account, reset_account)

    assert actions(database) == [
        "account_added",
        "password_set",
        "account_disabled",
        "account_enabled",
        "account_reset",
    ]
    assert stored(database, select(AuditEvent.after).where(AuditEvent.position == 1)) == (
        '{"area":"city","place":null,"role":"city"}'
    )
    assert stored(database, select(AuditEvent.actor).where(AuditEvent.position == 3)) == "account:99"
