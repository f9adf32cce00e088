import json
from datetime import UTC, datetime

import pytest
from sqlalchemy import select, update

from survey_app.accounts.staff_attempts import STAFF_NUMBER_TRIES
from survey_app.codes.codes import issue_slips, new_slips, revoke_slips
from survey_app.models import AuditEvent, Response, ResponseEvent, Round
from survey_app.models.vocabulary import Revocation
from survey_app.responses.receipts import sign_receipt
from survey_app.responses.staff_entry import read_typed, typed_form
from survey_app.rounds.questionnaires import questionnaire_from_canonical
from survey_app.security.change_codes import change_code_of
from survey_app.security.check_digits import RECEIPT_DIGITS, grouped, new_number
from tests.accounts import csrf_token, make_account, signed_in_client
from tests.factories import SECRET, make_community, make_district, make_response, make_round_around

TYPED = {"q01": "4", "q02": "５", "q16": "1", "q17": "1", "q18": "1", "q19": "14", "q24": "电梯"}


@pytest.fixture
def survey(sqlite_database, now):
    """A round of posters and slips, a community here and one elsewhere, and a clerk of this district."""
    with sqlite_database.writing() as session:
        survey_round = make_round_around(
            session,
            now,
            accepts_households=True,
        )
        here, elsewhere = make_district(session), make_district(session)
        communities = make_community(session, district=here), make_community(session, district=elsewhere)
        make_account(session, "clerk", district=here, now=now)
        make_account(session, "evaluator", now=now)
        return survey_round, *communities


@pytest.fixture
def clerk(app, survey):  # noqa: ARG001 (the clerk is of that survey's district)
    return signed_in_client(app, "clerk")


def print_slips(database, survey, community, count=1):
    with database.writing() as session:
        return issue_slips(
            session,
            survey_round=session.merge(survey[0]),
            community=session.merge(community),
            new=new_slips(count, secret_key=SECRET),
            now=datetime.now(UTC),
        ).slips


def key_of(page):
    return page.text.split('name="key" value="')[1].split('"')[0]


def type_in(clerk, community, mode="paper", **typed):
    address = f"/staff/entry/{community.id}/{mode}"
    page = clerk.get(address)
    return clerk.post(address, data={"csrf_token": csrf_token(page), "key": key_of(page)} | TYPED | typed)


def stored(database):
    with database.reading() as session:
        return list(session.execute(select(Response.__table__).order_by(Response.id)))


def test_codes_are_typed_as_digits_whatever_the_keyboard_and_come_back_as_typed(survey):
    questions = questionnaire_from_canonical(survey[0].questionnaire.text).questions
    given = {"q01": " 4 ", "q02": "５", "q19": "1，4", "q20": "1 2", "q24": "两次 1，4", "q03": "  ", "other": "5"}

    typed = read_typed(questions, given)

    assert typed == {"q01": ["4"], "q02": ["5"], "q19": ["1", "4"], "q20": ["1", "2"], "q24": ["两次 1，4"]}
    assert read_typed(questions, {"q19": "14"}) == {"q19": ["1", "4"]}
    assert read_typed(questions, {"q19": "x4"}) == {"q19": ["x4"]}
    assert typed_form(questions, {"q01": 4, "q19": [1, 4], "q24": "好"}) == {"q01": "4", "q19": "1 4", "q24": "好"}


@pytest.mark.parametrize("mode", ["paper", "telephone"])
def test_a_form_is_stored_with_its_mode_and_who_typed_it_and_the_next_one_opens(clerk, survey, sqlite_database, mode):
    saved = type_in(clerk, survey[1], mode)

    assert saved.status_code == 303
    [row] = stored(sqlite_database)
    assert (row.mode, row.code_id, row.household_key, row.tenure) == (mode, None, None, 1)
    assert row.entered_by_id is not None
    # The notice on paper therefore names no network address.
    assert (row.address_digest, row.prefix_digest) == (None, None)
    assert json.loads(row.answers) == {"q01": 4, "q02": 5, "q16": 1, "q17": 1, "q18": 1, "q19": [1, 4], "q24": "电梯"}
    following = clerk.get(saved.location)
    assert "今天已录入1份" in following.text
    assert grouped(row.receipt) in following.text
    # For the resident who waits, at the desk or on the telephone.
    code = change_code_of(row.submission_key, secret_key=SECRET)
    assert grouped(code) in following.text
    assert 'value="4"' not in following.text
    with sqlite_database.reading() as session:
        event = session.scalars(select(AuditEvent).order_by(AuditEvent.position.desc())).first()
        assert (event.action, event.subject) == ("response_entered", f"response:{row.id}")


def test_every_fault_is_named_at_once_and_all_that_was_typed_is_kept(clerk, survey, sqlite_database):
    refused = type_in(clerk, survey[1], q01="", q02="7", q16="x", slip="1234")

    assert refused.status_code == 422
    for named in ("#slip", "#q01-field", "#q02-field", "#q16-field"):
        assert f'href="{named}"' in refused.text
    assert 'value="7"' in refused.text
    assert "电梯" in refused.text
    assert stored(sqlite_database) == []


@pytest.mark.parametrize("has_slip", [False, True])
def test_the_same_form_saved_twice_is_one_response(clerk, survey, sqlite_database, has_slip):
    slip = print_slips(sqlite_database, survey, survey[1])[0].digits if has_slip else ""
    address = f"/staff/entry/{survey[1].id}/paper"
    page = clerk.get(address)
    form = TYPED | {"csrf_token": csrf_token(page), "key": key_of(page), "slip": slip}

    assert {clerk.post(address, data=form).status_code for _ in range(2)} == {303}
    changed = clerk.post(address, data=form | {"q01": "1"})

    assert "/staff/receipts/" in changed.location
    assert len(stored(sqlite_database)) == 1


def test_a_slips_digits_join_the_form_to_its_household_which_is_asked_about_before_it_is_replaced(
    clerk, survey, sqlite_database
):
    [slip] = print_slips(sqlite_database, survey, survey[1])
    assert type_in(clerk, survey[1], slip=grouped(slip.digits)).status_code == 303

    asked = type_in(clerk, survey[1], slip=slip.digits)
    assert (asked.status_code, "该户已填写过" in asked.text) == (422, True)
    assert len(stored(sqlite_database)) == 1
    assert type_in(clerk, survey[1], slip=slip.digits, replace="1").status_code == 303

    first, second = stored(sqlite_database)
    assert first.household_key == second.household_key is not None
    assert slip.digits not in str(first)


def test_a_slip_that_is_no_good_here_is_named_and_nothing_is_stored(clerk, survey, sqlite_database, now):
    spoiled, _ = print_slips(sqlite_database, survey, survey[1], count=2)
    [foreign] = print_slips(sqlite_database, survey, survey[2])
    with sqlite_database.writing() as session:
        revoke_slips(
            session,
            community=session.merge(survey[1]),
            typed=[spoiled.digits],
            because=Revocation.SPOILED,
            secret_key=SECRET,
            now=now,
        )

    for slip, words in ((spoiled.digits, "已停用"), (foreign.digits, "其他小区"), ("12", "没有这个户码")):
        assert words in type_in(clerk, survey[1], slip=slip).text
    assert stored(sqlite_database) == []


def test_where_each_household_answers_once_the_slip_is_needed(clerk, survey, sqlite_database):
    with sqlite_database.writing() as session:
        session.execute(update(Round).values(accepts_posters=False))

    assert "一户一份" in type_in(clerk, survey[1]).text
    assert stored(sqlite_database) == []


def test_wrong_digits_are_tried_so_often_and_no_more(clerk, survey):
    for _ in range(STAFF_NUMBER_TRIES.line.free):
        assert type_in(clerk, survey[1], slip="1234").status_code == 422

    assert type_in(clerk, survey[1], slip="1234").status_code == 429


def test_nothing_is_typed_in_for_another_district_without_a_round_or_without_the_role(
    app, clerk, survey, sqlite_database, now
):
    assert clerk.get(f"/staff/entry/{survey[2].id}/paper").status_code == 404
    assert clerk.get(f"/staff/entry/{survey[1].id}/web").status_code == 404
    listed = clerk.get("/staff/entry").text
    assert survey[1].name in listed
    assert survey[2].name not in listed
    assert survey[1].name not in clerk.get("/staff/entry?search=nothing").text
    assert signed_in_client(app, "evaluator").get("/staff/entry").status_code == 403
    with sqlite_database.writing() as session:
        session.execute(update(Round).values(closes_at=now))
    assert clerk.get(f"/staff/entry/{survey[1].id}/paper").status_code == 409


def receipt_address(clerk, database):
    page = clerk.get("/staff/receipts")
    number = stored(database)[-1].receipt
    return clerk.post("/staff/receipts", data={"csrf_token": csrf_token(page), "number": grouped(number)}).location


def post(clerk, address, **form):
    page = clerk.get(address)
    key = {"key": key_of(page)} if 'name="key"' in page.text else {}
    return clerk.post(address, data={"csrf_token": csrf_token(page)} | key | form)


def test_a_typing_error_is_put_right_with_a_reason_and_keeps_how_the_answers_came(clerk, survey, sqlite_database):
    type_in(clerk, survey[1])
    address = receipt_address(clerk, sqlite_database) + "/correction"
    assert 'name="q01" value="4"' in clerk.get(address).text

    assert post(clerk, address, **TYPED).status_code == 422
    corrected = post(clerk, address, **TYPED | {"q01": "2", "reason": "typing_error"})

    assert corrected.status_code == 303
    first, second = stored(sqlite_database)
    assert (second.corrects_id, second.mode, json.loads(second.answers)["q01"]) == (first.id, "paper", 2)
    with sqlite_database.reading() as session:
        event = session.scalars(select(ResponseEvent)).one()
        assert (event.kind, event.actor, event.reason) == ("corrected", "staff", "typing_error")
        audited = session.scalars(select(AuditEvent).order_by(AuditEvent.position.desc())).first()
        assert audited.action == "response_corrected"


def test_answers_from_a_phone_are_never_shown_to_staff_and_corrected_only_at_the_residents_wish(
    clerk, survey, sqlite_database
):
    with sqlite_database.writing() as session:
        survey_round, here = session.merge(survey[0]), session.merge(survey[1])
        answers = {"q01": 1, "q24": "只给住建局看"}
        make_response(session, survey_round, here, answers=answers, receipt=new_number(RECEIPT_DIGITS))
    address = receipt_address(clerk, sqlite_database)

    for page in (clerk.get(address).text, clerk.get(f"{address}/correction").text):
        assert "只给住建局看" not in page
        assert 'value="1"' not in page
    assert post(clerk, f"{address}/correction", **TYPED | {"reason": "typing_error"}).status_code == 422
    assert post(clerk, f"{address}/correction", **TYPED | {"reason": "changed_mind"}).status_code == 303
    assert stored(sqlite_database)[1].mode == "telephone"


def test_answers_are_withdrawn_on_the_telephone_and_the_event_names_the_account(clerk, survey, sqlite_database):
    type_in(clerk, survey[1])
    address = receipt_address(clerk, sqlite_database)
    page = clerk.get(address)

    form = {"csrf_token": csrf_token(page), "reason": "not_mine"}
    assert clerk.post(f"{address}/withdrawal", data=form).status_code == 303

    assert stored(sqlite_database)[0].answers is None
    assert "已撤回" in clerk.get(address).text
    with sqlite_database.reading() as session:
        event = session.scalars(select(ResponseEvent)).one()
        assert (event.actor, event.reason) == ("staff", "not_mine")
        assert event.account_id is not None


def test_a_receipt_of_another_district_is_unknown_to_a_clerk(clerk, survey, sqlite_database):
    with sqlite_database.writing() as session:
        survey_round, elsewhere = session.merge(survey[0]), session.merge(survey[2])
        number = make_response(session, survey_round, elsewhere, receipt=new_number(RECEIPT_DIGITS)).receipt
    page = clerk.get("/staff/receipts")

    refused = clerk.post("/staff/receipts", data={"csrf_token": csrf_token(page), "number": number})

    assert refused.status_code == 404
    foreign = f"/staff/receipts/{sign_receipt(number, secret_key=SECRET)}"
    for address in (foreign, f"{foreign}/correction"):
        assert clerk.get(address).status_code == 404
    assert clerk.post(f"{foreign}/withdrawal", data={"csrf_token": csrf_token(page)}).status_code == 404
    assert stored(sqlite_database)[0].answers is not None
