"""Appeals against counting a case: who files, who decides, what the rate leaves out, and what the resident is told."""

import re
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import func, select

from survey_app.accounts.accounts import find_account
from survey_app.complaints.cases import find_own_case, take_step
from survey_app.complaints.categories import categories
from survey_app.complaints.counted_cases import is_valid_complaint
from survey_app.complaints.words import WORDS_RETENTION, erase_words
from survey_app.models import AuditEvent, Complaint, ComplaintAppeal, PropertyCompany
from survey_app.models.vocabulary import AuditAction, CaseAction, CaseActor, CaseStatus
from tests.accounts import csrf_token, make_account, signed_in_client
from tests.factories import give_to_company, make_appeal, make_community, make_complaint, make_district, make_round

NOW = datetime.now(UTC).replace(microsecond=0)
HOUR = timedelta(hours=1)
APPEAL = {"reason": "other_authority", "words": "该处属于市政道路，不归物业管理"}


@pytest.fixture
def place(app, sqlite_database):
    """A case with the company of its community, another of nobody, and accounts of all who have a part."""
    with sqlite_database.writing() as session:
        make_round(session)
        ours, theirs = (PropertyCompany(name=name, sort_key=name) for name in ("甲物业", "乙物业"))
        session.add_all([ours, theirs])
        first, second = make_district(session), make_district(session)
        community = make_community(session, district=first, company=ours)
        make_community(session, district=second, company=theirs)
        given, own = (
            make_complaint(session, community, category="CL01", submitted_at=NOW - number * HOUR) for number in (4, 5)
        )
        give_to_company(session, given, now=NOW - 3 * HOUR)
        for name, values in {
            "ours": {"role": "company", "company": ours},
            "theirs": {"role": "company", "company": theirs},
            "district": {"district": first},
            "colleague": {"role": "district", "district": first},
            "other": {"role": "district", "district": second},
            "clerk": {"district": first},
            "city": {},
        }.items():
            make_account(session, name, now=NOW, **values)
        return {"app": app, "given": given.reference, "own": own.reference}


def post(client, path, page, **data):
    return client.post(path, data={"csrf_token": csrf_token(client.get(page)), **data})


def appeal(place, name="ours", case="given", **given):
    page = f"/staff/company-cases/{place[case]}"
    client = signed_in_client(place["app"], name)
    token = csrf_token(client.get("/staff/company-cases"))
    return client.post(f"{page}/appeal", data={"csrf_token": token, **(APPEAL | given)})


def decide(place, name, decision, answer="经核实情况属实"):
    client = signed_in_client(place["app"], name)
    return post(client, "/staff/appeals/1", "/staff/", decision=decision, answer=answer)


def counted(database):
    with database.reading() as session:
        return session.scalar(select(func.count()).select_from(Complaint).where(is_valid_complaint(categories())))


def stored(database):
    with database.reading() as session:
        return session.scalars(select(ComplaintAppeal)).all()


def test_an_appeal_that_is_upheld_leaves_the_case_out_of_the_rate_and_changes_nothing_else(place, sqlite_database):
    assert counted(sqlite_database) == 2
    assert appeal(place).status_code == 303
    assert counted(sqlite_database) == 2, "nothing is left out before somebody has decided"
    listed = signed_in_client(place["app"], "district").get("/staff/appeals").text
    assert APPEAL["words"] in listed

    assert decide(place, "district", "upheld").status_code == 303

    assert counted(sqlite_database) == 1
    left_out = signed_in_client(place["app"], "city").get("/staff/complaint-rate?lang=en").text
    assert "left out on the appeal of the company" in left_out
    assert ">district</td>" in left_out
    assert place["given"] not in signed_in_client(place["app"], "other").get("/staff/complaint-rate").text
    company = signed_in_client(place["app"], "ours").get(f"/staff/company-cases/{place['given']}").text
    assert "经核实情况属实" in company
    assert "不计入" in company
    with sqlite_database.reading() as session:
        own = find_own_case(session, reference=place["given"], now=datetime.now(UTC))
        assert own.left_out_at is not None
        assert own.public.status is CaseStatus.DISPATCHED
        actions = session.scalars(select(AuditEvent.action).order_by(AuditEvent.position)).all()
    assert [each for each in actions if "appeal" in each] == [AuditAction.APPEAL_FILED, AuditAction.APPEAL_DECIDED]


def test_an_appeal_that_is_dismissed_leaves_the_case_in_the_rate_and_cannot_be_filed_again(place, sqlite_database):
    appeal(place)
    assert decide(place, "district", "dismissed").status_code == 303

    assert counted(sqlite_database) == 2
    assert appeal(place, words="再次申诉").status_code == 409
    assert decide(place, "district", "upheld").status_code == 404
    with sqlite_database.reading() as session:
        assert find_own_case(session, reference=place["given"], now=datetime.now(UTC)).left_out_at is None


def test_who_took_part_in_the_case_does_not_decide(place, sqlite_database):
    with sqlite_database.writing() as session:
        account = find_account(session, username="district")
        given = {"reference": place["given"], "action": CaseAction.NOTE, "actor": CaseActor.BUREAU, "by": "desk"}
        take_step(session, account_id=account.id, text="已查看", now=NOW - 2 * HOUR, **given)
    appeal(place)

    assert "/staff/appeals/1" not in signed_in_client(place["app"], "district").get("/staff/appeals").text
    assert decide(place, "district", "upheld").status_code == 409
    assert stored(sqlite_database)[0].decision is None
    assert decide(place, "colleague", "upheld").status_code == 303


@pytest.mark.parametrize("name", ["other", "clerk", "ours"])
def test_nobody_else_decides(place, sqlite_database, name):
    appeal(place)

    assert decide(place, name, "upheld").status_code in {403, 404}
    assert stored(sqlite_database)[0].decision is None


@pytest.mark.parametrize(("name", "case"), [("theirs", "given"), ("ours", "own")])
def test_a_company_appeals_against_cases_that_it_has_alone(place, sqlite_database, name, case):
    assert appeal(place, name, case).status_code == 404
    assert stored(sqlite_database) == []


def test_an_appeal_that_is_sent_twice_is_filed_once(place, sqlite_database):
    assert [appeal(place).status_code for _tap in range(2)] == [303, 303]
    assert len(stored(sqlite_database)) == 1


@pytest.mark.parametrize("given", [{"reason": ""}, {"reason": "lazy"}, {"words": ""}, {"words": "长" * 2001}])
def test_an_appeal_says_why(place, sqlite_database, given):
    assert appeal(place, **given).status_code == 422
    assert stored(sqlite_database) == []


def test_words_that_tell_who_complained_are_held_back_marked(place, sqlite_database):
    answer = appeal(place, words="是3号楼501张三的私事，电话13800138000")

    assert answer.status_code == 422
    assert re.search(r"<mark>[^<]*13800138000", answer.text)
    assert stored(sqlite_database) == []


def test_a_decision_gives_a_reason(place, sqlite_database):
    appeal(place)

    assert decide(place, "district", "upheld", answer="").status_code == 422
    assert stored(sqlite_database)[0].decision is None


def test_a_case_that_does_not_count_has_no_appeal(place, sqlite_database):
    with sqlite_database.writing() as session:
        session.scalars(select(Complaint).filter_by(reference=place["given"])).one().kind = "enquiry"

    assert appeal(place).status_code == 409
    page = signed_in_client(place["app"], "ours").get(f"/staff/company-cases/{place['given']}").text
    assert "不计入" in page
    assert "/appeal" not in page


def test_the_words_of_an_appeal_are_erased_with_those_of_the_case(sqlite_database):
    with sqlite_database.writing() as session:
        make_round(session)
        company = PropertyCompany(name="甲物业", sort_key="a")
        session.add(company)
        ended = make_complaint(session, make_community(session, company=company), submitted_at=NOW - WORDS_RETENTION)
        take_step(
            session,
            reference=ended.reference,
            action=CaseAction.WITHDRAW,
            actor=CaseActor.RESIDENT,
            by="resident",
            now=NOW - WORDS_RETENTION,
        )
        make_appeal(session, ended, now=NOW).answer = "已核实"

    erase_words(sqlite_database, by="site", now=NOW + HOUR)

    [kept] = stored(sqlite_database)
    assert (kept.text, kept.answer, kept.reason) == ("", "", "other_authority")
