from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import select

from survey_app.accounts.second_factor import (
    RECOVERY_CODES,
    address_of,
    code_at,
    matching_step,
    new_secret,
    renew_recovery_codes,
    use_code,
    use_recovery_code,
)
from survey_app.models import RecoveryCode
from survey_app.security.check_digits import grouped
from tests.accounts import AUTHENTICATOR, SECRET_KEY, make_account
from tests.factories import NOW

# The secret of RFC 6238, appendix B; its eight digits end in the six that authenticators show.
RFC_SECRET = "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ"
RFC_CODES = [(59, "287082"), (1111111109, "081804"), (1111111111, "050471"), (1234567890, "005924")]


@pytest.fixture
def account(database):
    with database.writing() as session:
        return make_account(session, "li.na", role="city", now=NOW)


def accepts(database, account, typed, *, now=NOW):
    with database.writing() as session:
        session.add(account)
        return use_code(session, account=account, typed=typed, secret_key=SECRET_KEY, now=now)


def code(now):
    return code_at(address_of(AUTHENTICATOR, "li.na"), now)


@pytest.mark.parametrize(("seconds", "expected"), RFC_CODES)
def test_the_codes_are_those_of_the_standard(seconds, expected):
    now = datetime.fromtimestamp(seconds, UTC)

    assert code_at(address_of(RFC_SECRET, "li.na"), now) == expected
    assert matching_step(RFC_SECRET, expected, now=now) == seconds // 30


@given(st.integers(0, 2**33), st.integers(-5, 5))
def test_a_code_is_good_for_the_step_before_and_after_it(seconds, steps_off):
    now = datetime.fromtimestamp(1_000_000_000 + seconds, UTC)
    typed = code_at(address_of(RFC_SECRET, "a"), now + timedelta(seconds=30 * steps_off))

    step = matching_step(RFC_SECRET, typed, now=now)

    if abs(steps_off) <= 1:
        assert step is not None
    # Six digits meet by chance once in a million: what is accepted must be one of the three codes of the moment.
    if step is not None:
        assert typed in {code_at(address_of(RFC_SECRET, "a"), now + timedelta(seconds=30 * off)) for off in (-1, 0, 1)}


@pytest.mark.parametrize("typed", ["", "12345", "abcdef", "１２３", "0" * 100])
def test_what_is_no_code_is_refused(typed):
    assert matching_step(RFC_SECRET, typed, now=NOW) is None


def test_a_code_may_be_typed_in_groups_and_wide_digits():
    now = datetime.fromtimestamp(59, UTC)

    assert matching_step(RFC_SECRET, "287 082", now=now) == 1
    assert matching_step(RFC_SECRET, "２８７０８２", now=now) == 1


def test_a_code_works_once_and_none_before_it_works_afterwards(database, account):
    earlier = code(NOW - timedelta(seconds=30))

    assert accepts(database, account, code(NOW))
    assert not accepts(database, account, code(NOW))
    assert not accepts(database, account, earlier)
    later = NOW + timedelta(seconds=30)
    assert accepts(database, account, code(later), now=later)


def test_a_secret_differs_from_every_other_and_says_whose_it_is():
    assert new_secret() != new_secret()
    assert address_of(RFC_SECRET, "li.na") == f"otpauth://totp/Jiayuan:li.na?secret={RFC_SECRET}&issuer=Jiayuan"


def test_a_recovery_code_works_once_and_for_its_own_account_only(database, account):
    with database.writing() as session:
        session.add(account)
        other = make_account(session, "other", role="city", now=NOW)
        codes = renew_recovery_codes(session, account=account, secret_key=SECRET_KEY)

    def use(who, typed):
        with database.writing() as session:
            return use_recovery_code(session, account=who, typed=typed, secret_key=SECRET_KEY)

    assert len(set(codes)) == RECOVERY_CODES
    assert not use(other, codes[0])
    assert use(account, grouped(codes[0]))
    assert not use(account, codes[0])
    assert use(account, codes[1])


def test_new_recovery_codes_replace_the_old_ones_and_none_can_be_read(database, account):
    with database.writing() as session:
        old = renew_recovery_codes(session, account=account, secret_key=SECRET_KEY)
        new = renew_recovery_codes(session, account=account, secret_key=SECRET_KEY)

    with database.writing() as session:
        assert not use_recovery_code(session, account=account, typed=old[0], secret_key=SECRET_KEY)
        kept = session.scalars(select(RecoveryCode.digest)).all()
        assert len(kept) == RECOVERY_CODES
        assert not any(code in digest for code in new for digest in kept)
