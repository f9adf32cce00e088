from datetime import timedelta

import pytest
from cryptography.fernet import InvalidToken
from sqlalchemy import func, select

from survey_app.complaints.contacts import erase_contacts, read_contact, store_contact
from survey_app.models import AuditEvent, ComplaintContact
from tests.factories import NOW, SECRET, make_community, make_complaint

CONTACT = "李娜 13800138000"
DAYS = timedelta(days=1)


def make_case(session, **values):
    complaint = make_complaint(session, make_community(session), **values)
    store_contact(session, complaint=complaint, contact=CONTACT, secret_key=SECRET, now=NOW)
    return complaint


def test_a_contact_is_read_again_with_the_key_alone(database):
    with database.writing() as session:
        complaint = make_case(session)
        without = make_complaint(session, make_community(session))

        assert read_contact(session, complaint=complaint, secret_key=SECRET) == CONTACT
        assert read_contact(session, complaint=without, secret_key=SECRET) is None
        stored = session.scalars(select(ComplaintContact)).one()
        assert CONTACT not in stored.sealed
        with pytest.raises(InvalidToken):
            read_contact(session, complaint=complaint, secret_key="another")


def test_a_contact_that_was_moved_to_another_case_cannot_be_read(database):
    with database.writing() as session:
        first, second = make_case(session), make_case(session)
        sealed = session.get(ComplaintContact, first.id).sealed
        session.get(ComplaintContact, second.id).sealed = sealed

        with pytest.raises(InvalidToken):
            read_contact(session, complaint=second, secret_key=SECRET)


@pytest.mark.parametrize("status", ["closed", "withdrawn", "duplicate_of", "invalid", "out_of_scope"])
def test_a_contact_is_erased_ninety_days_after_its_case_has_ended(database, status):
    with database.writing() as session:
        make_case(session, status=status, status_since=NOW)

    assert erase_contacts(database, by="site", now=NOW + 90 * DAYS - timedelta(seconds=1)) == 0
    assert erase_contacts(database, by="site", now=NOW + 90 * DAYS) == 1

    with database.reading() as session:
        assert session.scalar(select(func.count()).select_from(ComplaintContact)) == 0
        link = session.scalars(select(AuditEvent)).one()
        assert link.action == "contact_erased"
        assert "李娜" not in repr(vars(link))


@pytest.mark.parametrize("status", ["submitted", "responded", "stage2"])
def test_the_contact_of_an_open_case_stays(database, status):
    with database.writing() as session:
        make_case(session, status=status, status_since=NOW)

    assert erase_contacts(database, by="site", now=NOW + 900 * DAYS) == 0
