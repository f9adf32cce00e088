"""The desk of an office: what is listed, what can be done, who may do it, and what nobody else reads."""

import io
import re
from datetime import UTC, datetime, timedelta
from itertools import product

import pytest
from openpyxl import load_workbook
from PIL import Image
from sqlalchemy import select
from werkzeug.datastructures import FileStorage
from werkzeug.test import encode_multipart

from survey_app.accounts.scope import EVERYWHERE
from survey_app.casework.inbox import CaseFilter, Queue, count_queues, list_cases
from survey_app.casework.remaining_time import office_time
from survey_app.complaints.cases import find_own_case, stored_state, take_step
from survey_app.complaints.contacts import store_contact
from survey_app.models import (
    AuditEvent,
    Community,
    Complaint,
    ComplaintEvent,
    ComplaintNote,
    ComplaintRelease,
    PropertyCompany,
)
from survey_app.models.vocabulary import AuditAction, CaseAction, CaseActor, CaseEndReason, CaseStatus, Role
from tests.accounts import SECRET_KEY, csrf_token, make_account, signed_in_client
from tests.factories import make_community, make_complaint, make_district, make_round

NOW = datetime.now(UTC).replace(microsecond=0)
WORDS = "我是3号楼2单元501的张三，电话13800138000，楼道灯坏了"


@pytest.fixture
def place(app, sqlite_database):
    """Two districts, each with a community; accounts of city, both districts and a clerk of the first."""
    with sqlite_database.writing() as session:
        make_round(session)
        company = PropertyCompany(name="安居物业", english_name="Anju", sort_key="anju")
        session.add(company)
        first, second = make_district(session), make_district(session)
        here = make_community(session, district=first, company=company)
        there = make_community(session, district=second)
        for name, values in {
            "city": {},
            "city2": {"role": "city"},
            "district": {"district": first},
            "other": {"role": "district", "district": second},
            "clerk": {"district": first},
        }.items():
            make_account(session, name, now=NOW, **values)
        case = make_complaint(session, here, category="CL01", text=WORDS, submitted_at=NOW - timedelta(hours=1))
        make_complaint(session, there, category="CL01", submitted_at=NOW - timedelta(hours=1))
        return {"app": app, "reference": case.reference, "company": company.id, "here": here.id, "there": there.id}


def step(client, reference, action, **given):
    page = client.get(f"/staff/cases/{reference}")
    seen = re.search(r'name="seen" value="(\d+)"', page.text)
    data = {
        "csrf_token": csrf_token(page),
        "seen": seen[1] if seen else "",
        "step_key": f"{action}-{datetime.now(UTC).timestamp()}",
        "step": action,
        **given,
    }
    # In memory: the client would leave a large form in a file that it does not close.
    boundary, body = encode_multipart(data)
    form = f"multipart/form-data; boundary={boundary}"
    return client.post(f"/staff/cases/{reference}/step", data=body, content_type=form)


def escalate(database, reference):
    asked = {"action": CaseAction.ESCALATE, "actor": CaseActor.RESIDENT, "by": "resident"}
    with database.writing() as session:
        take_step(session, reference=reference, now=datetime.now(UTC), **asked)


def state(database, reference):
    with database.reading() as session:
        return stored_state(session, session.scalars(select(Complaint).filter_by(reference=reference)).one())


def test_an_office_lists_the_cases_of_its_communities_alone(place):
    listed = {
        name: re.findall(r"/staff/cases/(\d{14})", signed_in_client(place["app"], name).get("/staff/cases").text)
        for name in ("city", "district", "other", "clerk")
    }

    assert len(listed["city"]) == 2
    assert listed["district"] == listed["clerk"] == [place["reference"]]
    assert place["reference"] not in listed["other"]


def test_a_case_of_another_district_is_not_there_whatever_is_asked_of_it(place):
    client, reference = signed_in_client(place["app"], "other"), place["reference"]
    form = {"csrf_token": csrf_token(client.get("/staff/cases")), "step": "accept", "reason": "x"}

    assert client.get(f"/staff/cases/{reference}").status_code == 404
    assert client.post(f"/staff/cases/{reference}/step", data=form).status_code == 404
    assert client.post(f"/staff/cases/{reference}/contact", data=form).status_code == 404


def test_a_clerk_accepts_and_dispatches_and_the_company_is_given_what_was_looked_at(place, sqlite_database):
    client, reference = signed_in_client(place["app"], "clerk"), place["reference"]

    assert step(client, reference, "accept").status_code == 303
    page = client.get(f"/staff/cases/{reference}").text
    offered = re.search(r'<textarea id="released"[^>]*>\s*([^<]*)<', page)[1]
    assert "张三" not in offered
    assert "13800138000" not in offered
    assert "楼道灯坏了" in offered
    assert step(client, reference, "dispatch", company=place["company"], released=offered).status_code == 303

    assert state(sqlite_database, reference).company_id == place["company"]
    with sqlite_database.reading() as session:
        assert session.scalars(select(ComplaintRelease)).one().text == offered.strip()


def test_a_form_that_is_sent_twice_takes_its_step_once(place, sqlite_database):
    client, reference = signed_in_client(place["app"], "clerk"), place["reference"]
    given = {"company": place["company"], "released": "楼道灯坏了"}
    for action, said in (("accept", {}), ("dispatch", given), ("extend", {"words": "配件未到"})):
        page = client.get(f"/staff/cases/{reference}").text
        seen = re.search(r'name="seen" value="(\d+)"', page)[1]
        if action == "extend":
            said["until"] = re.search(r"最晚(\d+年\d+月\d+日)", page)[1]
        for _tap in range(2):
            assert step(client, reference, action, step_key=action, seen=seen, **said).status_code == 303

    with sqlite_database.reading() as session:
        taken = session.scalars(select(ComplaintEvent.action).order_by(ComplaintEvent.id)).all()
        assert taken.count("accept") == taken.count("dispatch") == taken.count("extend") == 1
        assert session.scalars(select(ComplaintRelease)).one().text == "楼道灯坏了"


def test_a_company_that_was_not_offered_is_given_nothing(place, sqlite_database):
    client, reference = signed_in_client(place["app"], "clerk"), place["reference"]
    step(client, reference, "accept")

    assert step(client, reference, "dispatch", company=place["company"] + 1, released="x").status_code == 404
    assert state(sqlite_database, reference).status is CaseStatus.ACCEPTED


def test_a_case_without_released_words_goes_to_no_company(place):
    client, reference = signed_in_client(place["app"], "clerk"), place["reference"]
    step(client, reference, "accept")

    refused = step(client, reference, "dispatch", company=place["company"], released=" ")
    assert refused.status_code == 422
    assert "请写明企业可以看到的内容" in refused.text


def test_who_comes_second_sees_what_changed_and_keeps_what_was_typed(place, sqlite_database):
    first, second = (signed_in_client(place["app"], name) for name in ("district", "clerk"))
    reference = place["reference"]
    opened = second.get(f"/staff/cases/{reference}")
    form = {
        "csrf_token": csrf_token(opened),
        "seen": re.search(r'name="seen" value="(\d+)"', opened.text)[1],
        "step": "note",
        "words": "已电话核实",
    }
    step(first, reference, "accept")

    late = second.post(f"/staff/cases/{reference}/step", data=form)
    assert late.status_code == 409
    assert "已电话核实" in late.text
    assert "已受理" in late.text
    with sqlite_database.reading() as session:
        assert session.scalars(select(ComplaintNote)).all() == []


def test_stage_2_is_dealt_with_by_somebody_who_took_no_part_before(place, sqlite_database):
    reference = place["reference"]
    district = signed_in_client(place["app"], "district")
    step(district, reference, "accept")
    escalate(sqlite_database, reference)

    assert step(district, reference, "dispatch").status_code == 409
    assert "您此前参与过办理" in district.get(f"/staff/cases/{reference}").text
    assert step(signed_in_client(place["app"], "city"), reference, "dispatch").status_code == 303


def test_where_everybody_took_part_the_city_deals_with_stage_2(place, sqlite_database):
    reference = place["reference"]
    for name in ("district", "city", "city2"):
        step(signed_in_client(place["app"], name), reference, "note", words="看过")
    escalate(sqlite_database, reference)

    assert step(signed_in_client(place["app"], "district"), reference, "dispatch").status_code == 409
    assert step(signed_in_client(place["app"], "city2"), reference, "dispatch").status_code == 303


def test_contact_details_appear_on_request_alone_and_the_reason_is_recorded(place, sqlite_database):
    client, reference = signed_in_client(place["app"], "clerk"), place["reference"]
    with sqlite_database.writing() as session:
        complaint = session.scalars(select(Complaint).filter_by(reference=reference)).one()
        store_contact(session, complaint=complaint, contact="微信 lili", secret_key=SECRET_KEY, now=NOW)
    page = client.get(f"/staff/cases/{reference}")
    form = {"csrf_token": csrf_token(page), "reason": "约定上门时间"}

    assert "微信 lili" not in page.text
    assert client.post(f"/staff/cases/{reference}/contact", data=form | {"reason": ""}).status_code == 422
    assert "微信 lili" in client.post(f"/staff/cases/{reference}/contact", data=form).text
    with sqlite_database.reading() as session:
        event = session.scalars(select(AuditEvent).filter_by(action=AuditAction.CONTACT_SHOWN)).one()
    assert "约定上门时间" in event.after
    assert "lili" not in event.after


def test_an_extension_is_bounded_and_told_to_the_resident(place, sqlite_database):
    client, reference = signed_in_client(place["app"], "clerk"), place["reference"]
    step(client, reference, "accept")
    today = datetime.now(UTC).date()

    for day, said in ((today, "新的期限早于现有期限"), (today + timedelta(days=90), "新的期限太晚")):
        refused = step(client, reference, "extend", until=day, words="配件未到")
        assert refused.status_code == 422
        assert said in refused.text
    assert step(client, reference, "extend", until=today + timedelta(days=25), words="配件未到").status_code == 303
    assert state(sqlite_database, reference).extended_until is not None


def test_notes_and_assignments_stay_within_the_offices(place):
    client, reference = signed_in_client(place["app"], "clerk"), place["reference"]
    step(client, reference, "note", words="内部看法")
    handler = re.search(r'<option value="(\d+)">clerk<', client.get(f"/staff/cases/{reference}").text)[1]
    step(client, reference, "assign", handler=handler)

    assert "内部看法" in client.get(f"/staff/cases/{reference}").text
    assert reference in client.get("/staff/cases?mine=1").text
    assert reference not in signed_in_client(place["app"], "district").get("/staff/cases?mine=1").text


def test_a_merge_into_an_ended_case_is_refused_with_the_reason_and_an_open_one_can_be_taken_apart(
    place, sqlite_database
):
    client, reference = signed_in_client(place["app"], "clerk"), place["reference"]
    with sqlite_database.writing() as session:
        community = session.scalars(select(Complaint).filter_by(reference=reference)).one().community
        ended, opened = (
            make_complaint(session, community, submitted_at=NOW - timedelta(hours=2)).reference for _ in range(2)
        )
        take_step(
            session,
            reference=ended,
            action=CaseAction.INVALIDATE,
            actor=CaseActor.BUREAU,
            by="account:1",
            reason=CaseEndReason.NOT_A_CASE,
            now=NOW,
        )

    refused = step(client, reference, "merge", original=ended)
    assert refused.status_code == 409
    assert "已经办结" in refused.text
    assert step(client, reference, "merge", original=opened).status_code == 303
    assert state(sqlite_database, reference).status is CaseStatus.DUPLICATE
    assert step(client, reference, "split").status_code == 303
    assert state(sqlite_database, reference).status is CaseStatus.SUBMITTED


def test_each_case_is_in_one_queue_and_the_counts_are_of_what_is_listed(place, sqlite_database):
    with sqlite_database.writing() as session:
        here, former = session.get(Community, place["here"]), PropertyCompany(name="前物业", sort_key="qian")
        session.add(former)
        session.flush()
        for status, stage, proposal in product(CaseStatus, (1, 2), (None, CaseAction.INVALIDATE)):
            # Those that a company has are to be dispatched anew, since another one looks after the community.
            for company_id in {None, here.company_id, former.id}:
                case = make_complaint(session, here, submitted_at=NOW - timedelta(hours=1))
                case.status, case.stage, case.proposal, case.company_id = status, stage, proposal, company_id

    with sqlite_database.reading() as session:
        at = office_time(session, NOW)
        counts = count_queues(session, EVERYWHERE, CaseFilter(), at)
        listed = {queue: list_cases(session, EVERYWHERE, CaseFilter(queue=queue), at, limit=None) for queue in Queue}
        every = list_cases(session, EVERYWHERE, CaseFilter(), at, limit=None)

    assert counts == {queue: len(cases) for queue, cases in listed.items()}
    assert all(counts.values())
    assert sorted(case.reference for case in every) == sorted(
        case.reference for cases in listed.values() for case in cases
    )


def test_matters_of_safety_stay_on_top_whatever_is_looked_for(place, sqlite_database):
    with sqlite_database.writing() as session:
        here = session.get(Community, place["here"])
        make_complaint(session, here, category="FS01", submitted_at=NOW - timedelta(hours=1))
        other = session.get(Community, place["there"]).district_id
    client = signed_in_client(place["app"], "city")

    waiting = client.get("/staff/cases/urgent").json["waiting"]
    narrowed = client.get(f"/staff/cases?place=district:{other}&words=没有").text
    assert waiting == 1
    assert f'data-waiting="{waiting}"' in narrowed


def test_what_is_listed_can_be_taken_away_as_a_file_without_a_word_of_a_resident(place):
    client = signed_in_client(place["app"], "district")
    text = client.get("/staff/cases.csv").text
    sheet = load_workbook(io.BytesIO(client.get("/staff/cases.xlsx").data)).active

    assert place["reference"] in text
    assert "张三" not in text
    assert [row[0] for row in sheet.iter_rows(min_row=2, values_only=True)] == [place["reference"]]


@pytest.mark.parametrize("role", sorted(set(Role) - {Role.CITY, Role.DISTRICT, Role.CLERK}))
def test_no_other_role_comes_to_the_desk_of_the_offices(place, sqlite_database, role):
    with sqlite_database.writing() as session:
        bound = {"company": session.get(PropertyCompany, place["company"])} if role is Role.COMPANY else {}
        make_account(session, f"a-{role}", role=role, now=NOW, **bound)
    client = signed_in_client(place["app"], f"a-{role}")

    for address in ("/staff/cases", "/staff/cases.csv", "/staff/cases/urgent", f"/staff/cases/{place['reference']}"):
        assert client.get(address).status_code == 403


def photo(name="after.jpg", content=None):
    stream = io.BytesIO()
    Image.new("RGB", (80, 60), "red").save(stream, "JPEG")
    return FileStorage(io.BytesIO(content or stream.getvalue()), name)


def photos_on(page):
    return set(re.findall(r"/photos/([^\"]+)\.jpg", page))


def test_photos_of_an_answer_reach_the_resident_and_those_of_a_note_stay_with_the_offices(place, sqlite_database):
    client, reference = signed_in_client(place["app"], "clerk"), place["reference"]
    step(client, reference, "accept")
    step(client, reference, "note", words="现场查看", photo=photo())
    noted = photos_on(client.get(f"/staff/cases/{reference}").text)
    step(client, reference, "dispatch", company="")
    step(client, reference, "start")
    step(client, reference, "respond", words="已修好", photo=photo())

    assert len(noted) == 1
    assert len(photos_on(client.get(f"/staff/cases/{reference}").text)) == 2
    with sqlite_database.reading() as session:
        own = find_own_case(session, reference=reference, now=datetime.now(UTC))
        shown = [(each.action, len(each.photos)) for each in own.steps]
    assert shown[-1] == ("respond", 1)
    assert sum(count for _action, count in shown) == 1


def given_to_the_company(place, database):
    """Return the desks of the clerk and of the company that the case was dispatched to, and its reference."""
    with database.writing() as session:
        company = session.get(PropertyCompany, place["company"])
        make_account(session, "company", role="company", company=company, now=NOW)
    client, reference = signed_in_client(place["app"], "clerk"), place["reference"]
    step(client, reference, "accept")
    step(client, reference, "dispatch", company=place["company"], released="楼道灯坏了")
    return client, signed_in_client(place["app"], "company"), reference


def test_photos_are_taken_as_large_as_phones_make_them(place):
    client, reference = signed_in_client(place["app"], "clerk"), place["reference"]
    stream = io.BytesIO()
    Image.effect_noise((2400, 1800), 80).save(stream, "JPEG", quality=92)
    step(client, reference, "accept")

    sent = step(client, reference, "note", words="现场查看", photo=photo(content=stream.getvalue()))

    assert len(stream.getvalue()) > 2 * 2**20
    assert sent.status_code == 303
    assert len(photos_on(client.get(f"/staff/cases/{reference}").text)) == 1


def test_the_company_never_sees_a_photo_that_the_office_sent(place, sqlite_database):
    client, company, reference = given_to_the_company(place, sqlite_database)
    step(client, reference, "note", words="现场查看", photo=photo())
    step(client, reference, "start")
    step(client, reference, "respond", words="已修好", photo=photo())
    sent = photos_on(client.get(f"/staff/cases/{reference}").text)

    assert len(sent) == 2
    assert photos_on(company.get(f"/staff/company-cases/{reference}").text) == set()
    assert {company.get(f"/staff/company-cases/{reference}/photos/{name}.jpg").status_code for name in sent} == {404}


PDF = b"%PDF-1.7\n1 0 obj\n<<>>\nendobj\n%%EOF\n"


def documents_on(page):
    return re.findall(r"/documents/([^\"]+)\.pdf", page)


def test_documents_of_a_note_are_handed_to_offices_to_be_saved_and_shown_to_nobody_else(place, sqlite_database):
    client, company, reference = given_to_the_company(place, sqlite_database)
    files = [photo(), photo("王五的合同.pdf", PDF)]
    step(client, reference, "note", words="见合同", photo=files)
    page = client.get(f"/staff/cases/{reference}").text
    [name] = documents_on(page)
    sent = client.get(f"/staff/cases/{reference}/documents/{name}.pdf")

    assert len(photos_on(page)) == 1
    assert (sent.data, sent.mimetype) == (PDF, "application/pdf")
    assert sent.headers["Content-Disposition"].startswith(f"attachment; filename={reference}-")
    assert sent.headers["X-Content-Type-Options"] == "nosniff"
    assert "王五" not in page + str(sent.headers)
    # No page sends it as a photo, which a browser would open on the site.
    assert client.get(f"/staff/cases/{reference}/photos/{name}.jpg").status_code == 404
    assert documents_on(company.get(f"/staff/company-cases/{reference}").text) == []
    assert company.get(f"/staff/company-cases/{reference}/photos/{name}.jpg").status_code == 404
    assert company.get(f"/staff/cases/{reference}/documents/{name}.pdf").status_code == 403
    with sqlite_database.reading() as session:
        own = find_own_case(session, reference=reference, now=datetime.now(UTC))
        assert not [each for each in own.steps if each.photos or each.action == "note"]


@pytest.mark.parametrize(
    ("files", "said"),
    [
        ([photo("half.pdf", PDF[:-8])], "没有传完整"),
        ([photo("huge.pdf", PDF + b" " * 12 * 2**20)], "超过12 MB"),
        ([photo("letter.docx", b"PK\x03\x04")], "不能收"),
        ([photo(f"{number}.pdf", PDF + b"%d" % number) for number in range(7)], "最多发送6个文件"),
    ],
)
def test_documents_that_are_not_taken_stop_the_note_and_keep_its_words(place, files, said):
    client, reference = signed_in_client(place["app"], "clerk"), place["reference"]
    step(client, reference, "accept")

    refused = step(client, reference, "note", words="见合同", photo=files)

    assert refused.status_code == 422
    assert said in refused.text
    assert "见合同" in refused.text
    assert documents_on(client.get(f"/staff/cases/{reference}").text) == []


def test_a_file_that_is_no_photo_stops_the_step_and_keeps_the_words(place, sqlite_database):
    client, reference = signed_in_client(place["app"], "clerk"), place["reference"]
    step(client, reference, "accept")
    step(client, reference, "dispatch", company="")
    step(client, reference, "start")

    refused = step(client, reference, "respond", words="已修好", photo=photo(content=b"%PDF-1.7"))

    assert refused.status_code == 422
    assert "已修好" in refused.text
    assert state(sqlite_database, reference).status is CaseStatus.IN_PROGRESS
    assert step(client, reference, "respond", words="已修好").status_code == 303
