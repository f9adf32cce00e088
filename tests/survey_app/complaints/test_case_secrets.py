import pytest
from sqlalchemy import select

from survey_app.accounts.attempt_budgets import LINE
from survey_app.accounts.attempt_limits import Source, TooManyAttempts
from survey_app.complaints.case_secrets import (
    PassExpired,
    WrongSecret,
    check_secret,
    hash_secret,
    link_proof,
    read_pass,
    reissue_secret,
    sign_pass,
)
from survey_app.models import AuditEvent, Complaint
from survey_app.security.check_digits import grouped, new_number
from tests.factories import NOW, make_community, make_complaint

SITE_SECRET = "only for tests: 7f3c9a1e5b8d2046"
SECRET = "100000000001"


@pytest.fixture
def case(database):
    with database.writing() as session:
        complaint = make_complaint(session, make_community(session))
        complaint.secret_hash = hash_secret(SECRET, reference=complaint.reference, secret_key=SITE_SECRET)
        return complaint.reference


def check(database, case, typed, now=NOW, *, line="a line", proof=""):
    return check_secret(
        database, reference=case, typed=typed, proof=proof, source=Source(line), secret_key=SITE_SECRET, now=now
    )


def wrong_secret():
    return next(number for number in iter(lambda: new_number(12), None) if number != SECRET)


@pytest.mark.parametrize("typed", [SECRET, grouped(SECRET), "１０００ ００００ ０００１", "1000-0000-0001"])
def test_the_secret_opens_the_case_however_it_is_typed(database, case, typed):
    assert check(database, case, typed).reference == case


def fail(database, case, *, times=LINE.free, **where):
    for _try in range(times):
        with pytest.raises(WrongSecret):
            check(database, case, wrong_secret(), **where)


def test_wrong_secrets_make_their_own_line_wait_and_nobody_else(database, case):
    fail(database, case)

    with pytest.raises(TooManyAttempts) as pause:
        check(database, case, SECRET)
    assert check(database, case, SECRET, line="another line")
    assert check(database, case, SECRET, now=pause.value.retry_at)


def test_the_link_to_keep_opens_the_case_where_strangers_use_up_the_tries_of_its_line(database, case):
    proof = link_proof(SECRET, reference=case, secret_key=SITE_SECRET)
    fail(database, case)

    for forged in ("", "0" * 32, proof[:-1], link_proof(SECRET, reference="another", secret_key=SITE_SECRET)):
        with pytest.raises(TooManyAttempts):
            check(database, case, SECRET, proof=forged)
    assert check(database, case, SECRET, proof=proof)


def test_a_slip_that_the_check_digit_shows_uses_up_no_try(database, case):
    for _try in range(9):
        with pytest.raises(WrongSecret):
            check(database, case, "100000000008")

    assert check(database, case, SECRET)


def test_the_right_secret_forgives_what_was_mistyped_before_it(database, case):
    for _visit in range(3):
        fail(database, case, times=LINE.free - 1)
        assert check(database, case, SECRET)


def test_a_case_without_a_secret_opens_to_nobody(database):
    with database.writing() as session:
        case = make_complaint(session, make_community(session)).reference

    with pytest.raises(WrongSecret):
        check(database, case, SECRET)


def test_an_unknown_reference_is_refused_like_a_wrong_secret_and_costs_a_try(database):
    fail(database, "12345678901234")

    with pytest.raises(TooManyAttempts):
        check(database, "12345678901234", SECRET)


def test_a_pass_is_good_for_its_case_until_the_secret_is_replaced(database, case):
    signed = sign_pass(check(database, case, SECRET), secret_key=SITE_SECRET)
    with database.reading() as session:
        assert read_pass(session, signed, reference=case, secret_key=SITE_SECRET).reference == case

    with database.writing() as session:
        new = reissue_secret(session, reference=case, by="account:7", secret_key=SITE_SECRET, now=NOW)
    with database.reading() as session, pytest.raises(PassExpired):
        read_pass(session, signed, reference=case, secret_key=SITE_SECRET)
    with pytest.raises(WrongSecret):
        check(database, case, SECRET)
    assert check(database, case, new)


def test_a_pass_is_worth_nothing_for_another_case_or_when_it_was_altered(database, case):
    signed = sign_pass(check(database, case, SECRET), secret_key=SITE_SECRET)
    with database.writing() as session:
        other = make_complaint(session, make_community(session)).reference

    with database.reading() as session:
        for text, reference in ((signed, other), (f"{signed}x", case), ("", case)):
            with pytest.raises(PassExpired):
                read_pass(session, text, reference=reference, secret_key=SITE_SECRET)


def test_a_pass_dies_after_half_an_hour(database, case, monkeypatch):
    signed = sign_pass(check(database, case, SECRET), secret_key=SITE_SECRET)
    monkeypatch.setattr("survey_app.complaints.case_secrets.PASS_SECONDS", -1)

    with database.reading() as session, pytest.raises(PassExpired):
        read_pass(session, signed, reference=case, secret_key=SITE_SECRET)


def test_a_new_secret_voids_the_old_link_and_is_a_link_of_the_audit_chain_without_it(database, case):
    proof = link_proof(SECRET, reference=case, secret_key=SITE_SECRET)
    fail(database, case)
    with database.writing() as session:
        new = reissue_secret(session, reference=case, by="account:7", secret_key=SITE_SECRET, now=NOW)

    with pytest.raises(TooManyAttempts):
        check(database, case, new, proof=proof)
    assert check(database, case, new, proof=link_proof(new, reference=case, secret_key=SITE_SECRET))
    with database.reading() as session:
        link = session.scalars(select(AuditEvent)).one()
        complaint = session.scalars(select(Complaint)).one()
    assert (link.actor, link.action, link.subject) == ("account:7", "secret_reissued", f"complaint:{complaint.id}")
    assert new not in repr(vars(link))
