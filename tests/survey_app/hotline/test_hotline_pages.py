"""The pages of the hotline's files, from the upload to the file that goes back."""

import csv
import io
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import select

from analytics.files.spreadsheets import read_sheet
from survey_app.complaints.cases import take_step
from survey_app.hotline.ledger_jobs import ledger_jobs
from survey_app.jobs.worker import Worker
from survey_app.models import Complaint, HotlineCase, PropertyCompany
from survey_app.models.vocabulary import CaseAction, CaseActor, Role
from tests.accounts import SECRET_KEY, csrf_token, make_account, signed_in_client
from tests.factories import make_community, make_district, make_round
from tests.survey_app.hotline.ledgers import csv_of, row


@pytest.fixture
def city(app):
    now = datetime.now(UTC)
    with app.extensions["jiayuan"].database.writing() as session:
        make_round(session, opens_at=now - timedelta(days=1), closes_at=now + timedelta(days=1))
        make_community(session, name="阳光花园", number="HB-1", district=make_district(session, name="海勃湾区"))
        make_account(session, "city", now=now)
    return signed_in_client(app, "city")


@pytest.fixture
def database(app):
    return app.extensions["jiayuan"].database


def post(client, path, **values):
    return client.post(path, data={"csrf_token": csrf_token(client.get("/staff/hotline"))} | values)


def send(client, content, name="ledger.csv"):
    sent = post(client, "/staff/hotline", file=(io.BytesIO(content), name))
    assert sent.status_code == 303, sent.text
    return sent.location


def work(database):
    Worker(database, ledger_jobs(SECRET_KEY), lambda: datetime.now(UTC)).run_due_jobs()


def confirm(client, database, page):
    text = client.get(page).text
    comparison = text.split('name="comparison" value="')[1].split('"')[0]
    assert post(client, f"{page}/confirm", comparison=comparison).status_code == 303
    work(database)


def old(**values):
    return row(**{"submitted": "2026-01-10 09:00", "dispatched": "2026-01-10", "limit": "2026-01-24"} | values)


def test_a_file_is_followed_shown_confirmed_and_taken_back(city, database):
    page = send(city, csv_of([old(number="WH1"), old(community="不知道")]))
    assert 'id="following"' in city.get(page).text
    work(database)
    shown = city.get(f"{page}?lang=en").text
    assert "Nothing is stored yet" in shown
    assert "不知道: 1 row<" in shown

    confirm(city, database, page)

    assert "The file is imported." in city.get(f"{page}?lang=en").text
    assert "ledger.csv" in city.get("/staff/hotline").text
    assert post(city, f"{page}/take-back").status_code == 303
    with database.reading() as session:
        assert session.scalars(select(Complaint.status)).one() == "invalid"
    assert "was taken back" in city.get(f"{page}?lang=en").text


def test_every_fault_is_shown_with_its_row_and_nothing_can_be_confirmed(city, database):
    page = send(city, csv_of([old(category="天文"), old(submitted="昨天")]))
    work(database)

    shown = city.get(page).text
    assert "ledger.csv:2" in shown
    assert "ledger.csv:3" in shown
    assert 'name="comparison"' not in shown


def test_columns_are_asked_for_and_then_read(city, database):
    page = send(city, csv_of([old()]).replace("工单号".encode(), "流水".encode()))
    work(database)
    assert '<option value="流水">' in city.get(page).text

    fields = {"submitted": "时间", "category": "类型", "community": "小区", "text": "内容", "number": "流水"}
    chosen = {f"header-{field}": header for field, header in fields.items()}
    assert post(city, f"{page}/headers", **chosen).status_code == 303
    work(database)

    assert 'name="comparison"' in city.get(page).text
    twice = post(city, f"{page}/headers", **chosen | {"header-source": "流水"})
    assert twice.status_code == 400


def test_a_name_is_decided_and_forgotten_on_a_page(city, database):
    page = send(city, csv_of([old(community="老阳光")]))
    work(database)
    names = "/staff/hotline/communities"
    assert "老阳光" in city.get(names).text
    assert post(city, names, alias="老阳光", community="没有").status_code == 422
    assert post(city, names, alias="老阳光", community="HB-1").status_code == 303
    post(city, f"{page}/again")
    work(database)
    assert "老阳光: 1" not in city.get(f"{page}?lang=en").text

    assert post(city, f"{names}/1/forget").status_code == 303

    assert 'value="老阳光"' not in city.get(f"{names}?lang=en").text.split("Decided")[-1]


def test_what_was_done_here_goes_back_in_the_columns_of_the_hotline(city, database):
    page = send(
        city, csv_of([old(number="WH1", text="我是张三"), old(number="WH2"), old(number="WH3", ended="2026-01-20")])
    )
    work(database)
    confirm(city, database, page)
    with database.writing() as session:
        of_case = select(Complaint.reference).join(HotlineCase, HotlineCase.complaint_id == Complaint.id)
        reference = session.scalars(of_case.filter(HotlineCase.external_number == "WH1")).one()
        step = {"actor": CaseActor.BUREAU, "by": "city", "now": datetime(2026, 1, 15, 2, 0, tzinfo=UTC)}
        take_step(session, reference=reference, action=CaseAction.ACCEPT, **step)
        take_step(session, reference=reference, action=CaseAction.RESPOND, text="=已修好", **step)

    sent = city.get("/staff/hotline/reply.csv")
    workbook = city.get("/staff/hotline/reply.xlsx")

    header, *rows = csv.reader(io.StringIO(sent.get_data().decode("utf-8-sig")))
    assert len(rows) == 1
    told = dict(zip(header, rows[0], strict=True))
    assert (told["工单号"], told["签收"], told["答复"]) == ("WH1", "2026-01-15 10:00", "'=已修好")
    assert told["时限"] == "2026-01-25 00:00"
    assert "张三" not in sent.text
    (_, names), (_, cells) = read_sheet(workbook.get_data(), "a.xlsx").rows
    assert cells[names.index("答复")] == "=已修好"


def test_the_case_page_tells_the_number_and_that_the_caller_asks_for_confidentiality(city, database):
    page = send(city, csv_of([old(number="WH-77", confidential="是")]))
    work(database)
    confirm(city, database, page)
    with database.reading() as session:
        reference = session.scalars(select(Complaint.reference)).one()

    shown = city.get(f"/staff/cases/{reference}?lang=en").text

    assert "WH-77" in shown
    assert "The caller asks for confidentiality" in shown
    assert "No time of ours runs for this case" in shown
    assert "Extend the deadline" not in shown


@pytest.mark.parametrize("role", [role for role in Role if role is not Role.CITY])
def test_nobody_but_the_city_sees_files_of_the_hotline(app, role):
    bound = {}
    with app.extensions["jiayuan"].database.writing() as session:
        community = make_community(session)
        if role is Role.DISTRICT:
            bound = {"district": community.district}
        elif role is Role.COMPANY:
            community.company = PropertyCompany(name="物业", sort_key="wuye")
            session.flush()
            bound = {"company": community.company}
        elif role is Role.CLERK:
            bound = {"community": community}
        make_account(session, str(role), now=datetime.now(UTC), **bound)

    assert signed_in_client(app, str(role)).get("/staff/hotline").status_code == 403
