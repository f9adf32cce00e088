from datetime import UTC, datetime

import pytest
from sqlalchemy import select

from survey_app.accounts.attempt_limits import Source
from survey_app.accounts.staff_attempts import STAFF_NUMBER_TRIES
from survey_app.complaints.case_addresses import sign_case
from survey_app.complaints.case_secrets import WrongSecret, check_secret, hash_secret
from survey_app.complaints.words import WORDS_RETENTION, erase_words
from survey_app.models import AuditEvent, Complaint
from survey_app.security.check_digits import grouped
from tests.accounts import csrf_token, make_account, signed_in_client
from tests.factories import SECRET, make_community, make_complaint, make_district

NOW = datetime.now(UTC)
OLD_SECRET = "100000000001"


@pytest.fixture
def cases(sqlite_database):
    """A case where the clerk looks after, and one elsewhere."""
    with sqlite_database.writing() as session:
        here = make_community(session, name="阳光家园", district=make_district(session))
        make_account(session, "clerk", community=here, now=NOW)
        made = [make_complaint(session, community) for community in (here, make_community(session))]
        for complaint in made:
            complaint.secret_hash = hash_secret(OLD_SECRET, reference=complaint.reference, secret_key=SECRET)
        return [complaint.reference for complaint in made]


@pytest.fixture
def clerk(app, cases):  # noqa: ARG001 (the account is made there)
    return signed_in_client(app, "clerk")


def ask(client, reference, **fields):
    token = csrf_token(client.get("/staff/complaints/secret"))
    form = {"csrf_token": token, "reference": reference, "checked": "yes"} | fields
    return client.post("/staff/complaints/secret", data={name: value for name, value in form.items() if value})


def test_the_office_gives_out_a_new_secret_that_opens_the_case(clerk, cases, sqlite_database):
    page = ask(clerk, grouped(cases[0])).text

    secret = page.split('<p class="number">')[2].split("</p>")[0].replace(" ", "")
    checking = {"reference": cases[0], "source": Source("a line"), "secret_key": SECRET, "now": NOW}
    assert check_secret(sqlite_database, typed=secret, **checking)
    with pytest.raises(WrongSecret):
        check_secret(sqlite_database, typed=OLD_SECRET, **checking)
    with sqlite_database.reading() as session:
        link = session.scalars(select(AuditEvent).filter_by(action="secret_reissued")).one()
    assert link.actor.startswith("account:")
    assert secret not in repr(vars(link))


def test_no_secret_without_a_check_nor_for_a_case_elsewhere(clerk, cases, sqlite_database):
    here, elsewhere = cases

    assert ask(clerk, here, checked=None).status_code == 422
    assert ask(clerk, elsewhere).status_code == 422
    assert ask(clerk, "12345678901234").status_code == 422
    with sqlite_database.reading() as session:
        kept = session.execute(select(Complaint.reference, Complaint.secret_hash)).all()
    assert kept == [(reference, hash_secret(OLD_SECRET, reference=reference, secret_key=SECRET)) for reference in cases]


def test_references_are_tried_so_often_and_no_more(clerk, cases):
    for _ in range(STAFF_NUMBER_TRIES.line.free):
        assert ask(clerk, "12345678901234").status_code == 422

    assert ask(clerk, cases[0]).status_code == 429


def test_there_is_no_secret_for_a_case_whose_words_are_erased_and_its_page_says_so(clerk, cases, sqlite_database):
    with sqlite_database.writing() as session:
        ended = session.scalars(select(Complaint).filter_by(reference=cases[0])).one()
        ended.status, ended.status_since = "withdrawn", NOW - WORDS_RETENTION
    assert erase_words(sqlite_database, by="site", now=NOW) == 1

    refused = ask(clerk, cases[0])

    assert refused.status_code == 410
    assert "文字已删除" in refused.text
    page = clerk.get(f"/complaint/{sign_case(cases[0], secret_key=SECRET)}").text
    assert "办结已满一年" in page
    assert 'name="secret"' not in page
