"""Pages of call-backs: who draws, who calls, whose number is shown to whom, and what is recorded of it."""

import io
import re
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from openpyxl import load_workbook
from sqlalchemy import func, select

from survey_app.city_time import Month
from survey_app.models import (
    Account,
    AuditEvent,
    CallBack,
    CallBackResult,
    CallBackSample,
    Complaint,
    ComplaintAssignment,
    ComplaintContact,
    ComplaintEvent,
    PropertyCompany,
)
from tests.accounts import csrf_token, make_account, signed_in_client

NUMBER = "13800138000"
ZONE = ZoneInfo("Asia/Shanghai")
LAST_MONTH = Month.of(datetime.now(ZONE).date()).plus(-1)
FILED = LAST_MONTH.start(ZONE) + timedelta(hours=9)


def draw(site, name="city", month=LAST_MONTH):
    client = signed_in_client(site.app, name)
    page = client.get("/staff/call-backs/new")
    return client.post("/staff/call-backs/new", data={"csrf_token": csrf_token(page), "month": str(month)})


def sheet_of(answer):
    assert answer.status_code == 303
    return answer.headers["Location"]


def calls_on(client, sheet):
    return re.findall(rf'{sheet}/(\d{{14}})"', client.get(sheet).text)


def record(client, call, **given):
    page = client.get(call)
    seen = re.search(r'name="seen" value="(\d+)"', page.text)
    data = {"csrf_token": csrf_token(page), "seen": seen[1] if seen else "0", **given}
    return client.post(f"{call}/result", data=data)


def audited(site, action):
    with site.database.reading() as session:
        return session.scalars(select(AuditEvent).filter_by(action=action).order_by(AuditEvent.position)).all()


@pytest.fixture
def sheet(site):
    """A drawn sample of three cases: two of the first district, one of the second."""
    site.close(filed=FILED, count=2)
    site.close(filed=FILED, place=1)
    return sheet_of(draw(site))


def test_a_plan_shows_the_sizes_before_anything_is_drawn(site):
    site.close(filed=FILED, count=3)
    site.close(filed=FILED, contact=None)

    page = signed_in_client(site.app, "city").get("/staff/call-backs/new?lang=en").text

    assert "Company 0" in page
    assert "Draw 3 cases" in page
    assert re.search(r"No telephone number left with consent</dt><dd[^>]*>1<", page)
    with site.database.reading() as session:
        assert session.scalar(select(func.count()).select_from(CallBackSample)) == 0


def test_a_month_is_drawn_once(site):
    site.close(filed=FILED)

    assert draw(site).status_code == 303
    assert draw(site).status_code == 409
    assert draw(site, "district0").status_code == 409
    assert len(audited(site, "call_backs_drawn")) == 1


def test_a_month_that_runs_or_has_nobody_to_call_is_not_drawn(site):
    assert draw(site, month=LAST_MONTH.plus(1)).status_code == 422
    assert draw(site, month="2026-13").status_code == 422
    assert draw(site).status_code == 409
    assert audited(site, "call_backs_drawn") == []


def test_an_office_sees_the_drawn_cases_of_its_communities_alone(site, sheet):
    listed = {name: calls_on(signed_in_client(site.app, name), sheet) for name in ("city", "district0", "district1")}

    assert [len(set(found)) for found in listed.values()] == [3, 2, 1]
    other = signed_in_client(site.app, "district1")
    assert other.get(f"{sheet}/{listed['district0'][0]}").status_code == 404
    form = {"csrf_token": csrf_token(other.get(sheet))}
    assert other.post(f"{sheet}/{listed['district0'][0]}/contact", data=form).status_code == 404
    assert other.post(f"{sheet}/{listed['district0'][0]}/result", data=form | {"seen": "0"}).status_code == 404


def test_a_company_has_no_part_in_it(site, sheet):
    with site.database.writing() as session:
        company = session.get_one(PropertyCompany, site.companies[0])
        make_account(session, "company", company=company, now=datetime.now(UTC))
    client = signed_in_client(site.app, "company")

    for address in ("/staff/call-backs", "/staff/call-backs/new", sheet, "/staff/closures", f"{sheet}.csv"):
        assert client.get(address).status_code in (403, 404)


def test_a_number_is_shown_for_a_drawn_case_alone_and_each_showing_is_recorded(site, sheet):
    client = signed_in_client(site.app, "city")
    call = f"{sheet}/{calls_on(client, sheet)[0]}"

    before = client.get(call)
    assert NUMBER not in before.text
    assert NUMBER not in client.get(sheet).text
    for _time in range(2):
        shown = client.post(f"{call}/contact", data={"csrf_token": csrf_token(before)})
        assert NUMBER in shown.text

    events = audited(site, "contact_shown")
    assert len(events) == 2
    assert all(NUMBER not in event.after and "call-back" in event.after for event in events)
    assert NUMBER not in client.get(call).text


def test_a_number_is_not_shown_any_more_once_the_call_is_over(site, sheet):
    client = signed_in_client(site.app, "city")
    call = f"{sheet}/{calls_on(client, sheet)[0]}"
    record(client, call, outcome="declined")

    form = {"csrf_token": csrf_token(client.get(call))}
    assert client.post(f"{call}/contact", data=form).status_code == 404
    assert audited(site, "contact_shown") == []


@pytest.mark.parametrize("part", ["answered", "handler"])
def test_who_answered_a_case_or_had_it_does_not_check_it(site, sheet, part):
    client = signed_in_client(site.app, "city")
    reference = calls_on(client, sheet)[0]
    call = f"{sheet}/{reference}"
    with site.database.writing() as session:
        case = session.scalars(select(Complaint).filter_by(reference=reference)).one()
        account = session.scalars(select(Account.id).filter_by(username="city")).one()
        is_answer = part == "answered"
        event = ComplaintEvent(
            complaint_id=case.id,
            number=99,
            action="respond" if is_answer else "assign",
            actor="bureau",
            account_id=account if is_answer else None,
            at=FILED,
        )
        session.add(event)
        session.flush()
        if not is_answer:
            session.add(ComplaintAssignment(event_id=event.id, handler_id=account))

    page = client.get(f"{call}?lang=en")
    form = {"csrf_token": csrf_token(page), "seen": "0"}

    assert "somebody else asks the resident" in page.text
    assert client.post(f"{call}/contact", data=form).status_code == 404
    assert client.post(f"{call}/result", data=form | {"outcome": "declined"}).status_code == 404
    colleague = signed_in_client(site.app, "colleague")
    assert record(colleague, call, outcome="declined").status_code == 303


def test_a_result_leads_on_to_the_next_call_and_the_last_to_the_sheet(site, sheet):
    client = signed_in_client(site.app, "city")
    calls = list(dict.fromkeys(calls_on(client, sheet)))
    answers = {"contacted": "1", "resolved": "3", "satisfied": "2"}

    visited, here = [], calls[0]
    while here != sheet:
        visited.append(here.rpartition("/")[2])
        answer = record(client, f"{sheet}/{visited[-1]}", **answers)
        assert answer.status_code == 303
        here = answer.headers["Location"]

    assert sorted(visited) == sorted(calls)
    with site.database.reading() as session:
        assert {row.resolved for row in session.scalars(select(CallBackResult))} == {"no"}
    assert "0.0%" in client.get(f"{sheet}?lang=en").text


def test_who_was_not_reached_comes_again_after_the_others(site, sheet):
    client = signed_in_client(site.app, "city")
    first = calls_on(client, sheet)[0]

    following = record(client, f"{sheet}/{first}", outcome="not_reached").headers["Location"]
    third = record(client, following, outcome="declined").headers["Location"]
    last = record(client, third, outcome="declined").headers["Location"]

    assert first not in (following.rpartition("/")[2], third.rpartition("/")[2])
    assert last.endswith(first)


def test_what_is_missing_is_asked_for_and_what_was_typed_is_kept(site, sheet):
    client = signed_in_client(site.app, "city")
    call = f"{sheet}/{calls_on(client, sheet)[0]}"

    answer = record(client, call, contacted="2", resolved="9")

    assert answer.status_code == 422
    assert re.search(r'name="contacted" value="2"', answer.text)
    with site.database.reading() as session:
        assert session.scalars(select(CallBackResult)).all() == []


def test_a_correction_needs_its_reason_and_stays_on_record(site, sheet):
    client = signed_in_client(site.app, "city")
    call = f"{sheet}/{calls_on(client, sheet)[0]}"
    record(client, call, contacted="1", resolved="1", satisfied="1")
    again = {"contacted": "1", "resolved": "3", "satisfied": "2"}

    assert record(client, call, **again).status_code == 409
    assert record(client, call, correction="because", **again).status_code == 422
    assert record(client, call, correction="mistyped", **again).status_code == 303

    with site.database.reading() as session:
        assert [row.resolved for row in session.scalars(select(CallBackResult))] == ["yes", "no"]


def test_two_who_call_at_once_do_not_overwrite_each_other(site, sheet):
    client = signed_in_client(site.app, "city")
    call = f"{sheet}/{calls_on(client, sheet)[0]}"
    record(client, call, outcome="not_reached")

    form = {"csrf_token": csrf_token(client.get(call)), "seen": "0", "outcome": "declined"}

    assert client.post(f"{call}/result", data=form).status_code == 409


def test_a_contact_that_was_erased_is_told_and_cannot_be_called(site, sheet):
    client = signed_in_client(site.app, "city")
    reference = calls_on(client, sheet)[0]
    with site.database.writing() as session:
        case = session.scalars(select(Complaint.id).filter_by(reference=reference)).one()
        session.delete(session.get_one(ComplaintContact, case))

    page = client.get(f"{sheet}/{reference}?lang=en").text

    assert "Could not be called" in page
    assert "/contact" not in page


def test_the_sheet_leaves_as_csv_and_workbook_without_a_number_and_is_in_the_chain(site, sheet):
    client = signed_in_client(site.app, "city")
    record(client, f"{sheet}/{calls_on(client, sheet)[0]}", contacted="1", resolved="2", satisfied="3")

    table = client.get(f"{sheet}.csv?lang=en").data.decode("utf-8-sig")
    workbook = load_workbook(io.BytesIO(client.get(f"{sheet}.xlsx?lang=en").data))

    rows = table.strip().splitlines()
    assert len(rows) == workbook.active.max_row == 4
    assert "in part" in table
    assert NUMBER not in table
    assert [event.subject for event in audited(site, "exported")] == [f"call_backs:{sheet.rpartition('/')[2]}"] * 2


def test_the_list_of_samples_counts_what_the_account_sees(site, sheet):
    page = signed_in_client(site.app, "district1").get("/staff/call-backs?lang=en").text

    assert sheet in page
    assert re.search(r'data-label="Drawn cases">1<', page)
    assert "/staff/call-backs/new" in page


def test_the_register_names_companies_and_lists_what_is_to_be_looked_at_again(site):
    site.close(filed=FILED, end="confirmed_fixed", count=12)
    references = site.close(filed=FILED, end="rejected", count=6)
    client = signed_in_client(site.app, "city")

    page = client.get("/staff/closures?lang=en").text
    table = client.get("/staff/closures.csv?lang=en").data.decode("utf-8-sig")
    cases = client.get("/staff/closures/cases.csv?lang=en").data.decode("utf-8-sig")
    books = [load_workbook(io.BytesIO(client.get(f"/staff/closures{part}.xlsx").data)) for part in ("", "/cases")]

    assert "On the watch list" in page
    assert all(reference in cases for reference in references)
    assert (
        '"Company 0",18,6,33.3%' in table.replace('"18"', "18").replace('"6"', "6") or "Company 0,18,6,33.3%" in table
    )
    assert [book.active.max_row for book in books] == [2, 7]
    assert len(audited(site, "exported")) == 4


def test_a_district_reads_its_own_register_on_the_page(site):
    [reference] = site.close(filed=FILED, end="rejected")

    pages = [signed_in_client(site.app, f"district{number}").get("/staff/closures").text for number in range(2)]

    assert [reference in page for page in pages] == [True, False]


def test_draws_differ_by_their_seeds(site):
    site.close(filed=FILED, count=3)
    draw(site)

    with site.database.reading() as session:
        [sample] = session.scalars(select(CallBackSample))
        assert re.fullmatch(r"[0-9a-f]{32}", sample.seed)
        assert session.scalar(select(func.count()).select_from(CallBack)) == 3
