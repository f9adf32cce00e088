"""From which cases of a month is drawn, how many, and that the draw can be made again and not tried twice."""

from fractions import Fraction

import pytest
from sqlalchemy import select, text
from sqlalchemy.exc import DBAPIError

from analytics.casework.call_backs import precise_size
from survey_app.accounts.scope import EVERYWHERE, Scope
from survey_app.call_backs.samples import (
    AlreadyDrawn,
    district_of,
    draw,
    drawn_again,
    last_full_month,
    plan_sample,
)
from survey_app.complaints.cases import take_step
from survey_app.complaints.casework_files import publish_casework_file
from survey_app.models import Account, AuditEvent, CallBack, Complaint
from survey_app.models.vocabulary import Area, CaseAction, CaseActor
from tests.accounts import SECRET_KEY
from tests.casework import CASEWORK_FILE
from tests.survey_app.call_backs.conftest import FILED, LATER, SEPTEMBER


def plan(city, *, scope=EVERYWHERE, month=SEPTEMBER, now=LATER):
    with city.database.reading() as session:
        return plan_sample(session, month=month, scope=scope, secret_key=SECRET_KEY, now=now)


def drawn(city, *, scope=EVERYWHERE, seed="seed"):
    planned = plan(city, scope=scope)
    with city.database.writing() as session:
        account = session.scalars(select(Account.id)).first()
        sample = draw(session, planned, district_id=district_of(scope), seed=seed, account_id=account, now=LATER)
        return sample.id


def of_district(city, number):
    return Scope(Area.DISTRICT, (city.districts[number],))


def test_only_what_closed_in_the_month_and_can_be_called_is_drawn_from(city):
    silent = city.close(count=2)
    confirmed = city.close(end="confirmed_fixed")
    city.close(contact=None)
    city.close(contact="li.na@example.cn")
    city.close(end="rejected")
    [reopened] = city.close()
    with city.database.writing() as session:
        asked = {"action": CaseAction.REOPEN, "actor": CaseActor.RESIDENT, "by": "resident", "now": LATER}
        take_step(session, reference=reopened, **asked)

    found = plan(city)

    assert sorted(reference for _stratum, reference in found.listed) == sorted([*silent, *confirmed])
    assert (found.closed, found.without_telephone) == (5, 2)
    assert [str(found.recorded[reference][1]) for reference in (*silent, *confirmed)] == [
        "silent",
        "silent",
        "confirmed",
    ]
    assert plan(city, month=SEPTEMBER.plus(-1)).closed == 0


@pytest.mark.parametrize("contact", ["李娜 138 0013 8000", "2025566", "0473-2025566", "+86 13800138000"])
def test_a_number_that_can_be_dialled_is_enough(city, contact):
    city.close(contact=contact)

    assert len(plan(city).listed) == 1


@pytest.mark.parametrize("contact", ["微信 lina", "li.na@example.cn", "3号楼"])
def test_what_cannot_be_dialled_is_told_and_not_drawn(city, contact):
    city.close(contact=contact)

    assert (plan(city).listed, plan(city).without_telephone) == ([], 1)


def test_the_size_is_that_of_the_file_in_force(city):
    city.close(count=30)
    city.close(place=1, count=10)
    by_precision = plan(city)
    written = CASEWORK_FILE.read_text("utf-8").replace("2021-08-23", "2026-09-20")
    written = written.replace("call_backs: {margin: 5 %, confidence: 95 %}", "call_backs: {share: 26 %}")
    with city.database.writing() as session:
        publish_casework_file(session, content=written.encode(), source="later.yaml", now=FILED)

    by_share = plan(city)

    assert by_precision.size == precise_size(40, margin=Fraction(1, 20), confidence=Fraction(19, 20))
    assert by_share.size == 11
    assert [(each.company.zh_hans, each.cases, each.fewest, each.most) for each in by_share.strata] == [
        ("安居物业", 30, 8, 9),
        ("滨河物业", 10, 2, 3),
    ]


def test_what_the_office_answered_itself_is_a_stratum_of_its_own(city):
    city.close(company=False)

    [stratum] = plan(city).strata

    assert stratum.company is None


def test_the_stored_seed_and_list_draw_the_same_cases_again(city):
    city.close(count=300)

    sample_id = drawn(city)

    with city.database.reading() as session:
        rows = session.scalars(select(CallBack).filter_by(sample_id=sample_id).order_by(CallBack.number)).all()
        sample = rows[0].sample
        assert tuple(row.complaint.reference for row in rows) == drawn_again(sample)
        assert len(rows) == sample.size < 300
        [event] = session.scalars(select(AuditEvent).filter_by(action="call_backs_drawn"))
        assert '"seed":"seed"' in event.after


def test_a_month_is_drawn_once_for_an_area_and_for_those_that_share_communities_with_it(city):
    city.close(count=3)
    city.close(place=1, count=3)
    drawn(city, scope=of_district(city, 0))

    with pytest.raises(AlreadyDrawn):
        drawn(city, scope=of_district(city, 0), seed="another")
    with pytest.raises(AlreadyDrawn):
        drawn(city)
    drawn(city, scope=of_district(city, 1))

    with city.database.reading() as session:
        called = session.scalars(select(CallBack.complaint_id)).all()
        assert len(set(called)) == len(called) == 6


def test_a_district_draws_of_its_own_cases(city):
    own = city.close(count=2)
    city.close(place=1)

    found = plan(city, scope=of_district(city, 0))

    assert sorted(reference for _stratum, reference in found.listed) == sorted(own)


def test_a_month_that_runs_is_not_drawn_yet(city):
    with city.database.reading() as session:
        assert last_full_month(session, now=LATER) == SEPTEMBER


@pytest.mark.parametrize("table", ["call_back_sample", "call_back"])
def test_what_was_drawn_stays_as_it_was(city, table):
    city.close()
    drawn(city)

    for change in (f"UPDATE {table} SET id = id + 1", f"DELETE FROM {table}"):
        with pytest.raises(DBAPIError, match="refuse"), city.database.writing() as session:
            session.execute(text(change))


def test_the_order_of_the_calls_is_not_that_of_the_cases(city):
    city.close(count=40)
    drawn(city)

    with city.database.reading() as session:
        called = session.scalars(select(CallBack.complaint_id).order_by(CallBack.number)).all()
        assert called != sorted(called)
        assert set(called) <= set(session.scalars(select(Complaint.id)))
