from datetime import timedelta

import pytest
from sqlalchemy import func, select, update

from survey_app.app.home_views import NUMBER_TRIES
from survey_app.codes.codes import issue_slips, new_slips, revoke_slips
from survey_app.models import AttemptCount, Community, Response, ResponseEvent, ResponseReview, Round
from survey_app.models.vocabulary import Revocation
from survey_app.security.check_digits import SLIP_DIGITS, grouped, new_number
from tests.accounts import make_account
from tests.factories import SECRET, make_community, make_poster_code, make_round_around
from tests.survey_app.responses.test_survey_views import ANSWERS, Page


@pytest.fixture
def survey(sqlite_database, now):
    """A round that takes posters and slips, and a community with a poster."""
    with sqlite_database.writing() as session:
        survey_round = make_round_around(
            session,
            now,
            accepts_households=True,
        )
        community = make_community(session, name="滨河家园", english_name="Riverside Homes")
        return survey_round, community, make_poster_code(session, community).token


@pytest.fixture
def slip(sqlite_database, survey, now):
    return print_slip(sqlite_database, survey, now)


def print_slip(database, survey, now, **values):
    with database.writing() as session:
        survey_round, community, _ = survey
        return issue_slips(
            session,
            survey_round=session.merge(survey_round),
            community=session.merge(community),
            new=new_slips(1, secret_key=SECRET),
            now=now,
            **values,
        ).slips[0]


def answer(client, address, **answers):
    """Fill in the form at an address and return the address of the receipt."""
    page = Page(client.get(address))
    sent = client.post(address, data=ANSWERS | answers | {"key": page.given["key"][0]})
    assert sent.status_code == 303
    return sent.location


def responses(database):
    with database.reading() as session:
        return list(session.execute(select(Response.__table__).order_by(Response.id)))


def close_round(database, now):
    with database.writing() as session:
        session.execute(update(Round).values(closes_at=now - timedelta(seconds=1)))


def test_a_scanned_slip_leads_to_an_address_without_its_token(client, slip):
    scanned = client.get(f"/h/{slip.token}")

    assert scanned.status_code == 303
    assert slip.token not in scanned.location
    page = Page(client.get(scanned.location))
    assert "<h1>滨河家园</h1>" in page.text
    assert slip.token not in page.text
    assert slip.digits not in page.text


def test_typed_digits_lead_to_the_form_by_post_and_stand_in_no_address(client, slip):
    typed = client.post("/", data={"number": grouped(slip.digits)})

    assert typed.status_code == 303
    assert slip.digits not in typed.location
    assert "滨河家园" in client.get(typed.location).text


def test_scanning_and_looking_store_nothing(client, slip, sqlite_database):
    client.get(client.get(f"/h/{slip.token}").location)

    with sqlite_database.reading() as session:
        assert session.scalar(select(func.count()).select_from(Response)) == 0
        assert session.scalar(select(func.count()).select_from(AttemptCount)) == 0


def test_the_form_says_that_the_newest_answers_of_a_household_count(client, slip, survey, sqlite_database):
    address = client.get(f"/h/{slip.token}").location
    assert "以最后提交的为准" in client.get(address).text
    assert "此通知单已填写过" not in client.get(address).text
    answer(client, address)

    assert "此通知单已填写过" in client.get(client.get(f"/h/{slip.token}").location).text
    assert "以最后提交的为准" not in client.get(f"/s/{survey[2]}").text
    first, second = answer(client, address), responses(sqlite_database)
    assert first
    assert second[0].household_key == second[1].household_key is not None


def test_another_member_is_offered_on_posters_and_replacing_on_slips(client, slip, survey):
    for address, offer, other in (
        (f"/s/{survey[2]}", "作为家里其他人的答卷提交", "替代之前的答卷"),
        (client.get(f"/h/{slip.token}").location, "替代之前的答卷", "作为家里其他人的答卷提交"),
    ):
        key = Page(client.get(address)).given["key"][0]
        client.post(address, data=ANSWERS | {"key": key})
        asked = client.post(address, data=ANSWERS | {"q01": "1", "key": key})
        assert asked.status_code == 409
        assert offer in asked.text
        assert other not in asked.text


def test_the_privacy_notice_speaks_of_household_codes_where_the_round_uses_them(client, survey, sqlite_database):
    assert "户码密文" in client.get(f"/s/{survey[2]}").text
    with sqlite_database.writing() as session:
        session.execute(update(Round).values(accepts_households=False))

    assert "户码密文" not in client.get(f"/s/{survey[2]}?lang=zh-Hans").text


@pytest.mark.parametrize("token", ["0" * 39, "1", "x" * 39, "%00"])
def test_an_unknown_slip_is_explained(client, survey, token):  # noqa: ARG001 (there is a round)
    assert client.get(f"/h/{token}").status_code == 404


def test_revoked_expired_and_wrong_codes_are_explained(client, survey, slip, sqlite_database, now):
    expired = print_slip(sqlite_database, survey, now, expires_at=now)
    with sqlite_database.writing() as session:
        community = session.scalars(select(Community)).one()
        revoke_slips(
            session,
            community=community,
            typed=[slip.digits],
            because=Revocation.SPOILED,
            secret_key=SECRET,
            now=now,
        )
        session.execute(update(Round).values(accepts_posters=False))

    for address, status, words in (
        (f"/h/{slip.token}", 410, "已停用"),
        (f"/h/{expired.token}", 410, "已过期"),
        (f"/s/{survey[2]}", 409, "一户一份"),
    ):
        page = client.get(address)
        assert (page.status_code, words in page.text) == (status, True)
    assert f"/c/{survey[2]}" in Page(client.get(f"/s/{survey[2]}")).links


@pytest.mark.usefixtures("survey")
def test_who_types_many_wrong_numbers_waits_and_nobody_on_another_line(client, slip):
    for _ in range(NUMBER_TRIES.line.free):
        assert client.post("/", data={"number": new_number(SLIP_DIGITS)}).status_code == 404

    assert client.post("/", data={"number": slip.digits}).status_code == 429
    elsewhere = {"REMOTE_ADDR": "203.0.113.7"}
    assert client.post("/", data={"number": slip.digits}, environ_overrides=elsewhere).status_code == 303
    assert client.get(f"/h/{slip.token}").status_code == 303, "what is scanned is never limited"


def test_who_types_their_own_number_right_is_never_kept_out(client, slip):
    for _ in range(NUMBER_TRIES.line.free + 1):
        assert client.post("/", data={"number": slip.digits}).status_code == 303


def test_a_mistyped_digit_costs_no_try(client, survey, slip, sqlite_database):  # noqa: ARG001 (there is a round)
    wrong = slip.digits[:-1] + str((int(slip.digits[-1]) + 1) % 10)

    assert client.post("/", data={"number": wrong}).status_code == 404
    with sqlite_database.reading() as session:
        assert session.scalar(select(func.count()).select_from(AttemptCount)) == 0


def test_a_receipt_is_found_by_its_number_and_never_by_an_address_that_was_made_up(client, survey, sqlite_database):
    address = answer(client, f"/s/{survey[2]}")
    number = responses(sqlite_database)[0].receipt

    assert number not in address
    found = client.post("/", data={"number": grouped(number)}).location
    assert (found == address, grouped(number) in client.get(found).text) == (False, True)
    for made_up in (number, "1", "1" * 900, address.removeprefix("/r/")[:-1]):
        page = client.get(f"/r/{made_up}")
        assert (page.status_code, "查不到这个号码" in page.text) == (404, True), made_up
    assert client.get("/r/%00").status_code == 404


def test_answers_are_withdrawn_by_post_and_the_receipt_says_so(client, survey, sqlite_database):
    address = answer(client, f"/s/{survey[2]}", q24="物业很好")
    asked = client.get(f"{address}/withdrawal?reason=wrong_community")
    assert asked.status_code == 200
    assert responses(sqlite_database)[0].answers is not None
    assert Page(asked).given["reason"] == ["wrong_community"]

    done = client.post(f"{address}/withdrawal", data={"reason": "wrong_community"})

    assert (done.status_code, done.location) == (303, address)
    assert responses(sqlite_database)[0].answers is None
    page = client.get(address).text
    assert "这份答卷已撤回" in page
    assert "已经提交" not in page
    with sqlite_database.reading() as session:
        assert session.scalars(select(ResponseEvent.reason)).all() == ["wrong_community"]


def test_a_phone_that_sends_once_more_after_the_withdrawal_brings_nothing_back(client, survey, sqlite_database):
    form = ANSWERS | {"key": Page(client.get(f"/s/{survey[2]}")).given["key"][0]}
    address = client.post(f"/s/{survey[2]}", data=form).location
    client.post(f"{address}/withdrawal")

    assert client.post(f"/s/{survey[2]}", data=form).location == address
    assert [row.answers for row in responses(sqlite_database)] == [None]


def test_a_correction_shows_no_earlier_answer_and_both_receipts_lead_to_it(client, survey, sqlite_database):
    first = answer(client, f"/s/{survey[2]}", q24="第一次")
    number = responses(sqlite_database)[0].receipt
    form = Page(client.get(f"{first}/correction"))
    assert "第一次" not in form.text
    assert "q01" not in form.given

    refused = Page(client.post(f"{first}/correction", data={"key": form.given["key"], "q02": "4"}))
    assert (refused.status, {"#q01", "#q16"} <= set(refused.links), refused.given["q02"]) == (422, True, ["4"])
    second = client.post(f"{first}/correction", data=refused.given | ANSWERS | {"q01": "2"}).location

    corrected = responses(sqlite_database)[1].receipt
    for address in (first, second):
        assert grouped(corrected) in client.get(address).text
    assert grouped(number) in client.get(first).text


def test_the_same_correction_sent_twice_is_one(client, survey, sqlite_database):
    address = answer(client, f"/s/{survey[2]}")
    form = ANSWERS | {"q01": "1", "key": Page(client.get(f"{address}/correction")).given["key"][0]}

    sent = {client.post(f"{address}/correction", data=form).location for _ in range(2)}

    assert len(sent) == 1
    assert len(responses(sqlite_database)) == 2


def test_the_answers_changed_on_a_sent_form_can_stand_for_the_first_ones(client, survey, sqlite_database):
    form = ANSWERS | {"key": Page(client.get(f"/s/{survey[2]}")).given["key"][0]}
    first = client.post(f"/s/{survey[2]}", data=form).location
    asked = Page(client.post(f"/s/{survey[2]}", data=form | {"q01": "1"}))

    # The page holds the same answers three times: for its switches, as a correction, and as another member's.
    client.post(f"{first}/correction", data=form | {"q01": "1", "key": asked.given["key"][1]})

    earlier, later = responses(sqlite_database)
    assert later.corrects_id == earlier.id


def test_a_correction_with_a_bad_key_keeps_the_answers(client, survey, sqlite_database):
    address = answer(client, f"/s/{survey[2]}")

    page = Page(client.post(f"{address}/correction", data=ANSWERS | {"q01": "1", "key": "forged"}))

    assert (page.status, page.given["q01"]) == (400, ["1"])
    assert len(responses(sqlite_database)) == 1
    assert client.post(f"{address}/correction", data=page.given).status_code == 303


def test_after_the_close_a_receipt_changes_nothing_and_says_why(client, survey, sqlite_database, now):
    address = answer(client, f"/s/{survey[2]}")
    close_round(sqlite_database, now)

    assert "答卷已定稿" in client.get(address).text
    assert f"{address}/withdrawal" not in Page(client.get(address)).links
    for path in ("withdrawal", "correction"):
        refused = client.post(f"{address}/{path}", data=ANSWERS)
        assert (refused.status_code, "不能再更改" in refused.text) == (409, True)
    assert client.get(f"{address}/correction").status_code == 409
    assert client.get(f"{address}/withdrawal").status_code == 200
    assert responses(sqlite_database)[0].answers is not None


def test_a_receipt_of_excluded_answers_says_that_they_are_under_review(client, survey, sqlite_database, now):
    address = answer(client, f"/s/{survey[2]}")
    with sqlite_database.writing() as session:
        account = make_account(session, "city", now=now)
        decided = {"families": "burst", "reason": "核实", "account_id": account.id, "at": now}
        session.add(ResponseReview(response_id=1, state="excluded", **decided))

    shown = client.get(f"{address}?lang=en")
    refused = client.get(f"{address}/correction?lang=en")

    assert (shown.status_code, "Your answers are under review" in shown.text) == (200, True)
    assert (refused.status_code, "While they are checked" in refused.text) == (409, True)


def test_receipts_speak_english_and_set_no_cookie(client, survey):
    address = answer(client, f"/s/{survey[2]}")

    for path in ("", "/withdrawal", "/correction"):
        page = client.get(f"{address}{path}?lang=en")
        assert "Set-Cookie" not in page.headers
        assert "Riverside Homes" in page.text
        Page(page)


def test_switching_language_in_a_correction_keeps_what_was_typed_and_sends_nothing(client, survey, sqlite_database):
    address = f"{answer(client, f'/s/{survey[2]}')}/correction"
    key = Page(client.get(address)).given["key"]

    page = Page(client.post(f"{address}?lang=en", data=ANSWERS | {"q01": "1", "key": key[0], "show": "again"}))

    assert (page.status, page.given["q01"], page.given["key"]) == (200, ["1"], key)
    assert "Send the correction" in page.text
    assert len(responses(sqlite_database)) == 1
