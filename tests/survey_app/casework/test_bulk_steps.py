"""Steps of several cases at once: what is shown is what is stored, and each case takes its own or stays as it was."""

import re
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import select

from survey_app.complaints.cases import take_step
from survey_app.models import Complaint, ComplaintRelease, PropertyCompany
from survey_app.models.vocabulary import CaseAction, CaseActor
from tests.accounts import csrf_token, make_account, signed_in_client
from tests.factories import make_community, make_complaint, make_district, make_round

NOW = datetime.now(UTC).replace(microsecond=0)
WORDS = "我是3号楼2单元501的张三，电话13800138000，楼道灯坏了"


@pytest.fixture
def place(app, sqlite_database):
    """Three cases of a community with a company, one of a community without, and one of another district."""
    with sqlite_database.writing() as session:
        make_round(session)
        company = PropertyCompany(name="安居物业", english_name="Anju", sort_key="anju")
        session.add(company)
        first, second = make_district(session), make_district(session)
        here, bare = make_community(session, district=first, company=company), make_community(session, district=first)
        there = make_community(session, district=second, company=company)
        make_account(session, "city", now=NOW)
        make_account(session, "district", district=first, now=NOW)
        filed = {"category": "CL01", "text": WORDS, "submitted_at": NOW - timedelta(hours=1)}
        return {
            "app": app,
            "cases": [make_complaint(session, here, **filed).reference for _case in range(3)],
            "bare": make_complaint(session, bare, **filed).reference,
            "elsewhere": make_complaint(session, there, **filed).reference,
        }


def preview(client, step, cases):
    token = csrf_token(client.get("/staff/cases"))
    return client.post("/staff/cases/several", data={"csrf_token": token, "step": step, "case": cases})


def fields_of(page):
    """Return the fields of the form as a browser would send them."""
    found = [
        (name, re.search(r'value="([^"]*)"', rest)[1])
        for name, rest in re.findall(r'<input(?=[^>]* name="([^"]+)")([^>]*)>', page.text)
    ]
    areas = re.findall(r'<textarea[^>]* name="([^"]+)"[^>]*>\n?(.*?)</textarea>', page.text, re.DOTALL)
    fields = {}
    for name, value in [*found, *areas]:
        fields.setdefault(name, []).append(value)
    return fields


def confirm(client, step, page, **given):
    return client.post("/staff/cases/several/steps", data={**fields_of(page), "step": step, **given})


def statuses(database, references):
    with database.reading() as session:
        rows = session.execute(select(Complaint.reference, Complaint.status)).all()
    return [dict(map(tuple, rows))[reference] for reference in references]


def accept(database, references):
    with database.writing() as session:
        for reference in references:
            asked = {"reference": reference, "actor": CaseActor.BUREAU, "by": "test", "now": datetime.now(UTC)}
            take_step(session, action=CaseAction.ACCEPT, **asked)


def test_the_chosen_cases_are_accepted_and_no_others(place, sqlite_database):
    client, (first, second, third) = signed_in_client(place["app"], "city"), place["cases"]

    page = preview(client, "accept", [first, second])
    assert statuses(sqlite_database, [first, second]) == ["submitted"] * 2, "shown is not stored"
    answer = confirm(client, "accept", page)

    assert answer.status_code == 303
    assert statuses(sqlite_database, [first, second, third]) == ["accepted", "accepted", "submitted"]


def test_each_case_is_dispatched_with_the_words_that_were_looked_at(place, sqlite_database):
    client, (first, second, _third) = signed_in_client(place["app"], "city"), place["cases"]
    accept(sqlite_database, [first, second])

    page = preview(client, "dispatch", [first, second])
    fields = fields_of(page)
    assert "张三" not in "".join(fields[f"released-{first}"])
    answer = confirm(client, "dispatch", page, **{f"released-{second}": "二单元的灯坏了"})

    assert answer.status_code == 303
    assert statuses(sqlite_database, [first, second]) == ["dispatched"] * 2
    with sqlite_database.reading() as session:
        assert "二单元的灯坏了" in session.scalars(select(ComplaintRelease.text)).all()


def test_nothing_at_all_is_stored_where_one_case_lacks_its_words(place, sqlite_database):
    client, (first, second, _third) = signed_in_client(place["app"], "city"), place["cases"]
    accept(sqlite_database, [first, second])
    page = preview(client, "dispatch", [first, second])

    answer = confirm(client, "dispatch", page, **{f"released-{first}": "灯坏了", f"released-{second}": " "})

    assert answer.status_code == 422
    assert "灯坏了</textarea>" in answer.text, "what was typed is kept"
    assert statuses(sqlite_database, [first, second]) == ["accepted"] * 2


def test_cases_that_cannot_take_the_step_are_told_and_left(place, sqlite_database):
    client, (first, second, _third) = signed_in_client(place["app"], "city"), place["cases"]
    accept(sqlite_database, [first, place["bare"]])

    page = preview(client, "dispatch", [first, second, place["bare"]])
    stopped = page.text[page.text.index('id="stopped"') :]
    confirm(client, "dispatch", page)

    assert second in stopped.replace(" ", "")
    assert place["bare"] in stopped.replace(" ", "")
    assert statuses(sqlite_database, [first, second, place["bare"]]) == ["dispatched", "submitted", "accepted"]


def test_a_case_that_moved_on_since_it_was_shown_is_left_and_the_others_are_done(place, sqlite_database):
    client, (first, second, _third) = signed_in_client(place["app"], "city"), place["cases"]
    page = preview(client, "accept", [first, second])
    accept(sqlite_database, [first])

    answer = confirm(client, "accept", page)

    assert answer.status_code == 409
    assert first in answer.text
    assert f'value="{second}"' not in answer.text
    assert statuses(sqlite_database, [second]) == ["accepted"]


def test_a_form_sent_twice_takes_each_step_once(place, sqlite_database):
    client, (first, _second, _third) = signed_in_client(place["app"], "city"), place["cases"]
    page = preview(client, "accept", [first])

    answers = [confirm(client, "accept", page) for _tap in range(2)]

    assert [answer.status_code for answer in answers] == [303, 303]
    with sqlite_database.reading() as session:
        complaint = session.scalars(select(Complaint).filter_by(reference=first)).one()
        assert complaint.status == "accepted"


def test_cases_are_assigned_to_somebody_who_sees_all_of_them(place, sqlite_database):
    client = signed_in_client(place["app"], "city")
    page = preview(client, "assign", [place["cases"][0], place["elsewhere"]])
    assert re.findall(r'<option value="\d+">(\w+)', page.text) == ["city"], "the district sees one of the two"
    both = preview(client, "assign", place["cases"][:2])
    handler = re.search(r'<option value="(\d+)">district', both.text)[1]

    assert confirm(client, "assign", both, handler="").status_code == 422
    assert confirm(client, "assign", both, handler=handler).status_code == 303

    with sqlite_database.reading() as session:
        found = select(Complaint.handler_id).where(Complaint.reference.in_(place["cases"][:2]))
        assert set(session.scalars(found)) == {int(handler)}


def test_a_case_of_another_district_stops_the_page(place):
    client = signed_in_client(place["app"], "district")

    assert preview(client, "accept", [place["cases"][0], place["elsewhere"]]).status_code == 404


@pytest.mark.parametrize("given", [{"step": "accept"}, {"step": "close", "case": "1"}, {}])
def test_who_chose_nothing_is_led_back_to_the_list(place, given):
    client = signed_in_client(place["app"], "city")
    token = csrf_token(client.get("/staff/cases"))

    for address in ("/staff/cases/several", "/staff/cases/several/steps"):
        answer = client.post(address, data={"csrf_token": token, **given})
        assert (answer.status_code, answer.location) == (303, "/staff/cases")
