from datetime import timedelta
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import func, select

from survey_app.accounts.attempt_limits import Source
from survey_app.complaints.similar_cases import similar_cases, support_case
from survey_app.errors import UnknownNumber
from survey_app.models import ComplaintSupport
from survey_app.security.submission_keys import Form, SubmissionKey
from tests.factories import NOW, SECRET, make_community, make_complaint

ZONE = ZoneInfo("Asia/Shanghai")


def new_key():
    return SubmissionKey.new(form=Form.COMPLAINT, code_id=1, round_id=None, now=NOW)


def similar(session, community, category="PK01"):
    return similar_cases(session, community_id=community.id, category=category, zone=ZONE, now=NOW)


def support(session, complaint, *, key=None, device="", line="a line"):
    return support_case(
        session,
        reference=complaint.reference,
        community_id=complaint.community_id,
        key=key or new_key(),
        device=device,
        source=Source(line),
        secret_key=SECRET,
        now=NOW,
    ).supporters


def test_open_cases_of_the_last_days_about_the_same_thing_are_found_without_their_words(database):
    with database.writing() as session:
        community = make_community(session)
        values = {"category": "PK01", "text": "蒙C12345 挡路"}
        shown = make_complaint(session, community, place="南门，3号楼2单元501旁", **values)
        make_complaint(session, community, submitted_at=NOW - timedelta(days=31), **values)
        make_complaint(session, community, status="closed", **values)
        make_complaint(session, community, category="PK02")
        make_complaint(session, make_community(session), **values)
        support(session, shown)

        (case,) = similar(session, community)

    assert (case.reference, case.supporters) == (shown.reference, 1)
    assert case.submitted_on.isoformat() == "2026-09-15"
    assert case.place.startswith("南门，3号楼2单元")
    assert "501" not in case.place
    assert "挡路" not in repr(case)


def test_a_neighbour_counts_once_for_a_device_and_for_a_form(database):
    with database.writing() as session:
        complaint = make_complaint(session, make_community(session))
        key = new_key()

        assert [support(session, complaint, device="phone 1") for _ in range(3)] == [1, 1, 1]
        assert support(session, complaint, device="phone 2") == 2
        assert [support(session, complaint, key=key) for _ in range(2)] == [3, 3]
        assert session.scalar(select(func.count()).select_from(ComplaintSupport)) == 3


def test_one_device_is_another_digest_in_every_case(database):
    with database.writing() as session:
        community = make_community(session)
        for _case in range(2):
            support(session, make_complaint(session, community), device="phone 1")
        digests = session.scalars(select(ComplaintSupport.supporter)).all()

    assert len(set(digests)) == 2
    assert not any("phone" in digest for digest in digests)


def test_who_complains_of_retaliation_is_not_to_be_found(database):
    with database.writing() as session:
        community = make_community(session)
        complaint = make_complaint(session, community, category="SV04")

        assert similar(session, community, "SV04") == []
        with pytest.raises(UnknownNumber):
            support(session, complaint)


def test_a_case_elsewhere_cannot_be_supported_and_an_unknown_category_has_none(database):
    with database.writing() as session:
        complaint = make_complaint(session, make_community(session))
        with pytest.raises(UnknownNumber):
            support_case(
                session,
                reference=complaint.reference,
                community_id=make_community(session).id,
                key=new_key(),
                device="",
                source=Source("a line"),
                secret_key=SECRET,
                now=NOW,
            )
        assert similar(session, complaint.community, "XX99") == []
