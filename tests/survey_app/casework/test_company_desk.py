"""The desk of a company: its cases alone, what was released alone, and steps that reveal nobody."""

import html
import io
import logging
import re
import zipfile
from base64 import b64decode
from datetime import UTC, datetime, timedelta
from itertools import product

import pytest
from PIL import Image
from sqlalchemy import select

from analytics.canonical import sha256_hex
from survey_app.accounts.policies import policy_of
from survey_app.casework.company_cases import list_company_cases, read_company_case
from survey_app.casework.company_record import read_company_record
from survey_app.complaints.cases import find_own_case, stored_state, take_step
from survey_app.complaints.contacts import store_contact
from survey_app.models import Attachment, CallBackSample, Code, Complaint, PropertyCompany
from survey_app.models.vocabulary import CaseAction, CaseActor, CaseStatus, Role
from survey_app.register.contracts import follow_contracts, take_over
from survey_app.web.logs import Lines
from tests.accounts import SECRET_KEY, csrf_token, make_account, signed_in_client
from tests.factories import give_to_company, make_call_back, make_community, make_complaint, make_photo, make_round

NOW = datetime.now(UTC).replace(microsecond=0)
NAME, TELEPHONE, PLATE, FLAT, EMAIL = "欧阳晓彤", "13912345678", "蒙C·A8B72", "2907", "canary@example.com"
CANARIES = (NAME, TELEPHONE, "蒙C", FLAT, EMAIL, "晓彤", "holiday-at-home")
WORDS = f"我是3号楼2单元{FLAT}的{NAME}，电话{TELEPHONE}，车牌{PLATE}，邮箱{EMAIL}，楼道灯坏了"


@pytest.fixture
def place(app, sqlite_database):
    """A community of one company, another company, and a case that was dispatched with released words."""
    with sqlite_database.writing() as session:
        make_round(session)
        companies = [PropertyCompany(name=f"{name}物业", english_name=None, sort_key=name) for name in ("甲", "乙")]
        session.add_all(companies)
        community = make_community(session, company=companies[0])
        make_account(session, "ours", role="company", company=companies[0], now=NOW)
        make_account(session, "theirs", role="company", company=companies[1], now=NOW)
        make_account(session, "city", now=NOW)
        make_account(session, "colleague", role="city", now=NOW)
        filed = {"category": "CL01", "text": WORDS, "place": f"{FLAT}门口", "submitted_at": NOW - timedelta(hours=3)}
        case = make_complaint(session, community, **filed)
        released, kept = (make_photo(session, case, name=name) for name in ("released", "holiday-at-home"))
        store_contact(session, complaint=case, contact=TELEPHONE, secret_key=SECRET_KEY, now=NOW)
        give_to_company(session, case, photos=[released.name], now=NOW - timedelta(hours=2))
        hidden = make_complaint(session, community, **filed)
        return {
            "app": app,
            "reference": case.reference,
            "hidden": hidden.reference,
            "second": companies[1].id,
            "released": released.name,
            "kept": kept.name,
        }


def step(client, reference, action, **given):
    page = client.get(f"/staff/company-cases/{reference}")
    data = {"csrf_token": csrf_token(page), "step": action, "step_key": f"{action} {datetime.now(UTC)}", **given}
    address = f"/staff/company-cases/{reference}/step"
    return client.post(address, data=data, content_type="multipart/form-data")


def office_step(client, reference, action, **given):
    page = client.get(f"/staff/cases/{reference}")
    data = {
        "csrf_token": csrf_token(page),
        "seen": re.search(r'name="seen" value="(\d+)"', page.text)[1],
        "step_key": f"{action} {datetime.now(UTC)}",
        "step": action,
        **given,
    }
    return client.post(f"/staff/cases/{reference}/step", data=data, content_type="multipart/form-data")


def resident(database, reference, action, **given):
    take(database, reference, action, CaseActor.RESIDENT, **given)


def take(database, reference, action, actor, **given):
    with database.writing() as session:
        asked = {"reference": reference, "action": action, "actor": actor, "by": "test", "now": datetime.now(UTC)}
        take_step(session, **asked, **given)


def hand_over(database, place):
    """Let the second company take over the community today."""
    with database.writing() as session:
        community = session.scalar(select(Complaint).filter_by(reference=place["reference"])).community
        second, today = session.get(PropertyCompany, place["second"]), datetime.now(UTC).date()
        take_over(session, community, second, starts_on=today, today=today, by="test", now=datetime.now(UTC))


def picture(colour="red"):
    """A photo as a phone takes it, that tells where it was."""
    image, stream = Image.new("RGB", (80, 60), colour), io.BytesIO()
    exif = image.getexif()
    exif[0x010E] = NAME
    exif.get_ifd(0x8825)[2] = (39.0, 40.0, 12.0)
    image.save(stream, "JPEG", exif=exif)
    return stream.getvalue()


# What is drawn anew for each page, or is a picture, may hold any row of signs by chance; pictures are searched apart.
RANDOM = re.compile(
    rb'name="(?:csrf_token|step_key)" value="[^"]*"|[?]v=[0-9a-f]+|data:image/jpeg;base64,[^"]*|Set-Cookie.*',
    re.IGNORECASE,
)
NOT_ASKED = {"static", "staff.sign_out"}


def addresses(app, *, session, is_for):
    """Return the addresses of all pages and files whose policy `is_for` takes, each with all that could be asked for.

    Arguments have values by their names; for one of a name that is not known, numbers and references are tried.
    """
    references = session.scalars(select(Complaint.reference)).all()
    known = {
        "name": session.scalars(select(Attachment.name)).all(),
        "token": session.scalars(select(Code.token)).all(),
        "sample_id": session.scalars(select(CallBackSample.id)).all(),
        "month": [f"{NOW:%Y-%m}"],
    }
    adapter = app.url_map.bind("localhost")
    for rule in app.url_map.iter_rules():
        if "GET" not in rule.methods or rule.endpoint in NOT_ASKED or not is_for(policy_of(app, rule)):
            continue
        kinds = {name: type(converter).__name__ for name, converter in rule._converters.items()}
        asked = [
            known.get(name, [1, 2] if kinds[name] == "IntegerConverter" else references) for name in rule.arguments
        ]
        for values in product(*asked):
            yield adapter.build(rule.endpoint, dict(zip(rule.arguments, values, strict=True)))


def is_open_to_companies(policy):
    return not policy.roles or Role.COMPANY in policy.roles


# Drawn before anything is logged: a library that writes a picture tells its notes to the log.
PICTURE, PICTURE_OF_OFFICE = picture(), picture("blue")


def everything(client, database, *, is_for=is_open_to_companies):
    """Return every byte that the company can fetch: pages, photos, headers, and what refuses, by their addresses."""
    with database.reading() as session:
        asked = sorted(addresses(client.application, session=session, is_for=is_for))
    seen = {}
    for address in asked:
        answer = client.get(address)
        seen[address] = RANDOM.sub(b"", unpacked(answer.data) + str(answer.headers).encode())
        pictures = re.findall(rb"data:image/jpeg;base64,([^\"]*)", answer.data)
        seen[f"pictures of {address}"] = b"".join(map(b64decode, pictures))
    return seen


def unpacked(content):
    """Return a page or file with its signs as they are read, and with what it holds packed."""
    assert not content.startswith(b"%PDF"), "what a PDF says is not found in its bytes"
    if zipfile.is_zipfile(io.BytesIO(content)):
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            return b"".join(unpacked(archive.read(name)) for name in archive.namelist())
    if content.startswith(b"\xff\xd8"):
        return content
    escaped = re.compile(r"\\u([0-9a-f]{4})", re.IGNORECASE)
    read = html.unescape(content.decode("utf-8", "replace"))
    return content + escaped.sub(lambda found: chr(int(found[1], 16)), read).encode("utf-8", "replace")


@pytest.mark.parametrize("written", ["&#27431;阳晓彤", "\\u6b27阳晓彤", NAME])
def test_the_search_reads_signs_however_they_are_written_and_packed(written):
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("xl/sharedStrings.xml", written)

    assert NAME.encode() not in stream.getvalue()
    assert NAME.encode() in unpacked(stream.getvalue())
    assert NAME.encode() in unpacked(written.encode())


@pytest.fixture
def logged(caplog):
    """Return all that was logged so far, as the site writes it and with the words that it holds besides."""
    caplog.set_level(logging.DEBUG)

    def logged():
        held = [
            [value for value in vars(record).values() if not isinstance(value, (int, float))]
            for record in caplog.records
        ]
        return "\n".join(
            f"{Lines().format(record)} {values}" for record, values in zip(caplog.records, held, strict=True)
        )

    return logged


def test_a_company_sees_the_cases_that_were_given_to_it_and_no_others(place):
    ours, theirs = (signed_in_client(place["app"], name) for name in ("ours", "theirs"))

    assert place["reference"] in ours.get("/staff/company-cases").text
    assert place["hidden"] not in ours.get("/staff/company-cases").text
    assert ours.get(f"/staff/company-cases/{place['hidden']}").status_code == 404
    assert place["reference"] not in theirs.get("/staff/company-cases").text
    assert theirs.get(f"/staff/company-cases/{place['reference']}").status_code == 404


def test_a_company_sees_the_photos_that_were_released_and_no_others(place):
    client = signed_in_client(place["app"], "ours")
    photos = f"/staff/company-cases/{place['reference']}/photos"

    assert client.get(f"{photos}/{place['released']}.jpg").status_code == 200
    assert client.get(f"{photos}/{place['kept']}.jpg").status_code == 404


def test_who_complained_stays_hidden_through_every_step(place, sqlite_database, logged):
    client, reference = signed_in_client(place["app"], "ours"), place["reference"]
    office, colleague = signed_in_client(place["app"], "city"), signed_in_client(place["app"], "colleague")
    for limiter in place["app"].extensions["limiter"]:
        limiter.enabled = False
    seen = [everything(client, sqlite_database)]

    def and_then(answer):
        assert answer.status_code == 303, answer.text
        seen.append(everything(client, sqlite_database))

    def pictured(content):
        return {"photo": (io.BytesIO(content), "holiday-at-home.jpg")}

    and_then(step(client, reference, "start"))
    and_then(
        office_step(office, reference, "note", words=f"{NAME}来过，住{FLAT}，{PLATE}", **pictured(PICTURE_OF_OFFICE))
    )
    and_then(step(client, reference, "ask_resident", words="灯在几层？"))
    resident(sqlite_database, reference, CaseAction.ADD, text=f"我家{FLAT}，{NAME}，{TELEPHONE}")
    seen.append(everything(client, sqlite_database))
    and_then(step(client, reference, "respond", words="灯已更换", **pictured(PICTURE)))
    resident(sqlite_database, reference, CaseAction.REJECT, text=f"没修好，{NAME}")
    seen.append(everything(client, sqlite_database))
    take(sqlite_database, reference, CaseAction.NOTE, CaseActor.BUREAU, text=f"{NAME}来过")
    take(sqlite_database, reference, CaseAction.DISPATCH, CaseActor.BUREAU, company_id=1)
    seen.append(everything(client, sqlite_database))
    and_then(step(client, reference, "start"))
    and_then(step(client, reference, "propose", words="不归我们管", reason="other_authority"))
    said = f"{NAME}女士，您好，电话{TELEPHONE}已记录"
    and_then(office_step(office, reference, "respond", words=said, **pictured(PICTURE_OF_OFFICE)))
    appeal = {"csrf_token": csrf_token(client.get("/staff/company-cases")), "reason": "other_authority"}
    and_then(client.post(f"/staff/company-cases/{reference}/appeal", data=appeal | {"words": "属于市政道路"}))
    # Whoever took part in the case is barred from deciding.
    decision = {"csrf_token": csrf_token(colleague.get("/staff/appeals")), "decision": "upheld"}
    answer = f"经核实，{NAME}女士（{TELEPHONE}，{EMAIL}，{PLATE}）家住3号楼2单元{FLAT}，属市政道路"
    and_then(colleague.post("/staff/appeals/1", data=decision | {"answer": answer}))
    resident(sqlite_database, reference, CaseAction.REJECT, text=f"还是没修好 {EMAIL}")
    seen.append(everything(client, sqlite_database))
    with sqlite_database.writing() as session:
        complaint = session.scalars(select(Complaint).filter_by(reference=reference)).one()
        make_call_back(session, complaint, at=datetime.now(UTC), resolved="no", satisfied="no")
    seen.append(everything(client, sqlite_database, is_for=lambda _policy: True))

    page = f"/staff/company-cases/{reference}"
    assert "灯已更换".encode() in seen[-1][page], "its own answer stays"
    assert any("，属市政道路".encode() in pages[page] for pages in seen), "the answer to its appeal is told"
    assert f"{page}/photos/{place['released']}.jpg" in seen[-1]
    assert {"/staff/company-record", "/staff/appeals", "/staff/complaint-rate", "/staff/cases"} <= seen[-1].keys()
    assert sum(b"JFIF" in content for content in seen[-1].values()) >= 2, "photos are searched"
    with sqlite_database.reading() as session:
        # What the office sends may show where the resident lives.
        of_office = select(Attachment.name).filter_by(upload_sha256=sha256_hex(PICTURE_OF_OFFICE))
        unseen = [place["kept"], *session.scalars(of_office)]
    assert len(unseen) == 3
    assert not any(b"JFIF" in pages.get(f"{page}/photos/{name}.jpg", b"") for pages in seen for name in unseen)
    for canary in (*CANARIES, *unseen):
        found = [
            (number, address)
            for number, pages in enumerate(seen)
            for address, content in pages.items()
            if canary.encode() in content
        ]
        assert found == [], canary
    written = logged()
    assert "staff.company_case" in written, "something was logged at all"
    assert [canary for canary in CANARIES if canary in written] == []


@pytest.mark.parametrize("words", [f"{NAME}家的灯", f"请拨打{TELEPHONE}", f"车主{PLATE}", f"2单元{FLAT}已上门"])
def test_an_answer_that_reveals_somebody_is_held_back_with_the_words_marked(place, sqlite_database, words):
    client, reference = signed_in_client(place["app"], "ours"), place["reference"]
    step(client, reference, "start")

    refused = step(client, reference, "respond", words=words)
    assert refused.status_code == 422
    assert "<mark>" in refused.text
    assert words in refused.text, "what was typed is kept"
    with sqlite_database.reading() as session:
        complaint = session.scalars(select(Complaint).filter_by(reference=reference)).one()
        assert stored_state(session, complaint).status is CaseStatus.IN_PROGRESS


def test_after_a_change_of_company_the_former_one_sees_its_own_steps_and_nothing_new(place, sqlite_database):
    ours, theirs = (signed_in_client(place["app"], name) for name in ("ours", "theirs"))
    reference = place["reference"]
    step(ours, reference, "start")
    step(ours, reference, "respond", words="灯已更换")
    resident(sqlite_database, reference, CaseAction.REJECT, text="没修好")
    hand_over(sqlite_database, place)
    take(sqlite_database, reference, CaseAction.DISPATCH, CaseActor.BUREAU, company_id=place["second"])
    step(theirs, reference, "start")
    step(theirs, reference, "respond", words="线路已重接")

    before = ours.get(f"/staff/company-cases/{reference}").text
    assert "灯已更换" in before
    assert "线路已重接" not in before
    assert "线路已重接" in theirs.get(f"/staff/company-cases/{reference}").text
    assert step(ours, reference, "respond", words="又修了").status_code == 409


def test_a_case_in_stage_2_takes_no_step_of_the_company(place, sqlite_database):
    client, reference = signed_in_client(place["app"], "ours"), place["reference"]
    resident(sqlite_database, reference, CaseAction.ESCALATE)

    assert step(client, reference, "start").status_code == 409
    assert "已不由本企业办理" in client.get(f"/staff/company-cases/{reference}").text


def test_an_answer_comes_with_photos_that_tell_no_place_and_the_office_sees_them(place):
    client, reference = signed_in_client(place["app"], "ours"), place["reference"]
    step(client, reference, "start")
    step(client, reference, "respond", words="灯已更换", photo=(io.BytesIO(PICTURE), "after.jpg"))

    office = signed_in_client(place["app"], "city")
    page = office.get(f"/staff/cases/{reference}").text
    names = set(re.findall(rf"/staff/cases/{reference}/photos/([^\"]+)\.jpg", page)) - {
        place["released"],
        place["kept"],
    }
    (name,) = names
    photo = Image.open(io.BytesIO(office.get(f"/staff/cases/{reference}/photos/{name}.jpg").data))
    assert not photo.getexif()


def test_the_same_answer_sent_twice_is_taken_once(place, sqlite_database):
    client, reference = signed_in_client(place["app"], "ours"), place["reference"]
    step(client, reference, "start")
    for _tap in range(2):
        photo = (io.BytesIO(PICTURE), "after.jpg")
        assert step(client, reference, "respond", words="灯已更换", photo=photo, step_key="one").status_code == 303
    with sqlite_database.reading() as session:
        complaint = session.scalars(select(Complaint).filter_by(reference=reference)).one()
        assert stored_state(session, complaint).status is CaseStatus.RESPONDED


def test_a_company_whose_contract_ended_keeps_its_replies_and_sees_nothing_new(place, sqlite_database):
    client, reference = signed_in_client(place["app"], "ours"), place["reference"]
    assert step(client, reference, "start").status_code == 303
    assert step(client, reference, "ask_resident", words="灯在几层？").status_code == 303
    with sqlite_database.writing() as session:
        community = session.scalar(select(Complaint).filter_by(reference=reference)).community
        second, today = session.get(PropertyCompany, place["second"]), datetime.now(UTC).date()
        # What was said so far was said while the contract ran.
        day = today + timedelta(days=1)
        take_over(session, community, second, starts_on=day, today=today, by="test", now=datetime.now(UTC))
    later = datetime.now(UTC) + timedelta(days=2)
    with sqlite_database.writing() as session:
        follow_contracts(session, today=later.date(), by="site", now=later)
        given = {"reference": reference, "by": "test", "now": later}
        take_step(session, action=CaseAction.ADD, actor=CaseActor.RESIDENT, text="三层", **given)
        take_step(session, action=CaseAction.RESPOND, actor=CaseActor.BUREAU, text="市里已处理", **given)
        ours = read_company_case(session, reference, company_id=community_company(session, place), now=later)
        listed = list_company_cases(session, community_company(session, place), limit=10, now=later)

    assert [each.action for each in ours.steps][-1] is CaseAction.ASK_RESIDENT
    assert ours.possible == ()
    assert ours.case.status is None
    assert [case.reference for case in listed.left.cases] == [reference]


def test_a_long_list_of_a_company_is_counted_whole_and_shown_by_what_is_due_first(place, sqlite_database):
    now = datetime.now(UTC)
    with sqlite_database.writing() as session:
        community = session.scalar(select(Complaint).filter_by(reference=place["reference"])).community
        due = {}
        for hours in (30, 40, 20):
            case = make_complaint(session, community, category="CL01", submitted_at=now - timedelta(hours=hours))
            give_to_company(session, case, now=now - timedelta(hours=hours))
            due[case.reference] = case.deadline_at
        listed = list_company_cases(session, community_company(session, place), limit=2, now=now)

    assert (len(listed.open.cases), listed.open.total) == (2, 4)
    # Two that were filed on one day of the city may be due at the same time.
    assert [due[case.reference] for case in listed.open.cases] == sorted(due.values())[:2]
    assert (listed.ended.total, listed.left.total) == (0, 0)


def community_company(session, place):
    return session.scalar(select(PropertyCompany.id).where(PropertyCompany.id != place["second"]))


def test_the_office_is_told_to_dispatch_a_case_again_once_another_company_is_in_charge(place, sqlite_database):
    hand_over(sqlite_database, place)
    client = signed_in_client(place["app"], "city")

    listing = client.get("/staff/cases?queue=to_dispatch").text
    page = client.get(f"/staff/cases/{place['reference']}").text

    assert place["reference"] in listing
    assert re.search(r"甲物业[^<]*不再", page)
    assert f'<option value="{place["second"]}">乙物业' in page
    assert signed_in_client(place["app"], "theirs").get(f"/staff/company-cases/{place['reference']}").status_code == 404


def test_the_resident_sees_the_photos_that_came_with_the_answer(place, sqlite_database):
    client, reference = signed_in_client(place["app"], "ours"), place["reference"]
    step(client, reference, "start")
    with sqlite_database.reading() as session:
        before = find_own_case(session, reference=reference, now=datetime.now(UTC))
    step(client, reference, "respond", words="灯已更换", photo=(io.BytesIO(PICTURE), "after.jpg"))

    with sqlite_database.reading() as session:
        after = find_own_case(session, reference=reference, now=datetime.now(UTC))

    assert [len(each.photos) for each in before.steps] == [0] * len(before.steps)
    assert len(after.steps[-1].photos) == 1
    assert after.steps[-1].photos[0].thumbnail.startswith("data:image/jpeg")


def test_a_company_reads_its_own_record_by_month(place, sqlite_database):
    client, reference = signed_in_client(place["app"], "ours"), place["reference"]
    step(client, reference, "start")
    step(client, reference, "respond", words="灯已更换")
    resident(sqlite_database, reference, CaseAction.REJECT, text="没修好")
    with sqlite_database.reading() as session:
        months = read_company_record(session, community_company(session, place), now=datetime.now(UTC))
        others = read_company_record(session, place["second"], now=datetime.now(UTC))

    assert len(months) == len(others) == 12
    assert (months[0].in_time.some, months[0].in_time.of) == (1, 1)
    assert (months[0].confirmed, months[0].contradicted) == (0, 1)
    assert all(month.in_time.of == month.contradicted == 0 for month in [*months[1:], *others])
    page = client.get("/staff/company-record").text
    assert months[0].first_day.strftime("%Y-%m") in page
    assert "100 %" in page
    assert TELEPHONE not in page
    assert signed_in_client(place["app"], "city").get("/staff/company-record").status_code == 403
