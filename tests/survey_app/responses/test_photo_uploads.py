"""Photos that a questionnaire asks for: kept beside the answers, never in their way."""

import io
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import func, select

from survey_app.attachments.attachments import forget_unsent_attachments
from survey_app.codes.codes import issue_poster_code
from survey_app.config import DATA
from survey_app.models import Attachment, Response
from survey_app.models.vocabulary import ResponseChangeReason
from survey_app.responses.receipts import RESIDENT, withdraw_response
from survey_app.rounds.questionnaires import parse_questionnaire
from survey_app.rounds.rounds import publish_questionnaire
from tests.factories import make_community, make_round
from tests.pictures import picture, saved
from tests.survey_app.responses.test_survey_views import Page

ASKS_FOR_PHOTOS = """
      - key: q25
        type: photo
        label: {zh-Hans: 想让我们看看哪里？, en: "What should we see?"}
        short: {zh-Hans: 照片, en: Photos}
        most_photos: 2
      - key: q26
        type: photo
        label: {zh-Hans: 问题的照片, en: A photo of the problem}
        short: {zh-Hans: 问题照片, en: Photo of the problem}
        most_photos: 1
        show_if: {q17: [1]}
"""
ANSWERS = {"q01": "4", "q16": "1"}


def questionnaire_with_photos():
    shipped = (DATA / "questionnaires" / "resident-satisfaction-1.yaml").read_text(encoding="utf-8")
    text = shipped.replace("key: resident-satisfaction", "key: with-photos") + ASKS_FOR_PHOTOS
    return parse_questionnaire(text.encode("utf-8"), "with-photos.yaml")


def poster_that_asks_for_photos(database):
    """Open a round with such a questionnaire and return the code of a poster."""
    now = datetime.now(UTC)
    with database.writing() as session:
        asked = publish_questionnaire(session, definition=questionnaire_with_photos(), now=now)
        make_round(session, questionnaire=asked, opens_at=now - timedelta(days=10), closes_at=now + timedelta(days=10))
        community = make_community(session, name="阳光家园", english_name="Sunshine Homes")
        return issue_poster_code(session, community=community, now=now).token


@pytest.fixture
def token(sqlite_database):
    return poster_that_asks_for_photos(sqlite_database)


def send(client, token, *, answers=ANSWERS, key=None, q25=(), q26=(), **options):
    key = key or Page(client.get(f"/s/{token}")).given["key"][0]
    files = {
        name: [(io.BytesIO(content), f"{number}.jpg") for number, content in enumerate(contents)]
        for name, contents in (("q25", q25), ("q26", q26))
        if contents
    }
    return client.post(
        f"/s/{token}", data=answers | {"key": key} | files, content_type="multipart/form-data", **options
    )


def stored(database):
    """Which question each photo answers, and whether it belongs to a response."""
    with database.reading() as session:
        rows = session.execute(select(Attachment.question, Attachment.response_id).order_by(Attachment.id))
        return [(question, response_id is not None) for question, response_id in rows]


def count(database):
    with database.reading() as session:
        return session.scalar(select(func.count()).select_from(Response))


def test_photos_come_with_the_answers_and_stay_out_of_their_text(client, token, sqlite_database):
    answer = send(client, token, q25=[saved(picture(100)), saved(picture(200))])

    assert answer.status_code == 303
    assert "photo=" not in answer.location
    assert stored(sqlite_database) == [("q25", True), ("q25", True)]
    with sqlite_database.reading() as session:
        assert session.scalar(select(Response.answers)) == '{"q01":4,"q16":1}'


def test_a_failed_photo_never_blocks_the_answers_and_the_receipt_says_so(client, token, sqlite_database):
    answer = send(client, token, q25=[b"no photo", saved(picture())])

    receipt = client.get(answer.location).text
    assert count(sqlite_database) == 1
    assert "有一个文件不是可识别的照片" in receipt
    assert "您的答卷已保存，不受影响。" in receipt
    assert stored(sqlite_database) == [("q25", True)]


def test_more_photos_than_are_asked_for_are_not_taken_and_the_receipt_says_so(client, token, sqlite_database):
    answer = send(client, token, q25=[saved(picture(100 + number)) for number in range(3)])

    assert answer.location.endswith("?photo=too_many")
    assert stored(sqlite_database) == [("q25", True)] * 2


def test_photos_survive_a_fault_in_the_answers_and_can_be_taken_back(client, token, sqlite_database):
    page = Page(send(client, token, answers={"q01": "4"}, q25=[saved(picture(100)), saved(picture(200))]))
    with sqlite_database.reading() as session:
        first = session.scalar(select(Attachment.name).order_by(Attachment.id))

    assert page.status == 422
    assert page.text.count("data:image/jpeg") == 2
    assert stored(sqlite_database) == [("q25", False)] * 2
    again = send(client, token, answers=ANSWERS | {"drop": first}, key=page.given["key"][0])
    assert again.status_code == 303
    assert stored(sqlite_database) == [("q25", True)]


@pytest.mark.parametrize(("answers", "belongs"), [({"q17": "1"}, True), ({"q17": "2"}, False), ({}, False)])
def test_a_photo_for_a_question_that_is_not_asked_belongs_to_no_response(
    client, token, sqlite_database, answers, belongs
):
    send(client, token, answers=ANSWERS | answers, q26=[saved(picture())])

    assert stored(sqlite_database) == [("q26", belongs)]
    assert forget_unsent_attachments(sqlite_database, now=datetime.now(UTC) + timedelta(days=1)) == int(not belongs)


def test_a_form_sent_twice_keeps_each_photo_once(client, token, sqlite_database):
    key = Page(client.get(f"/s/{token}")).given["key"][0]

    first, second = (send(client, token, key=key, q25=[saved(picture())]) for _ in range(2))

    assert first.location == second.location
    assert stored(sqlite_database) == [("q25", True)]


def test_other_answers_on_a_sent_form_say_that_photos_stay_with_the_first(client, token, sqlite_database):
    key = Page(client.get(f"/s/{token}")).given["key"][0]
    send(client, token, key=key, q25=[saved(picture(100))])

    asked = send(client, token, key=key, answers=ANSWERS | {"q01": "1"}, q25=[saved(picture(200))])

    assert asked.status_code == 409
    assert "照片仍属于最先提交的答卷" in asked.text
    assert stored(sqlite_database) == [("q25", True), ("q25", False)]


def test_a_form_with_a_bad_key_keeps_its_photos(client, token, sqlite_database):
    page = Page(send(client, token, key="altered", q25=[saved(picture())]))

    assert page.status == 400
    assert send(client, token, key=page.given["key"][0]).status_code == 303
    assert stored(sqlite_database) == [("q25", True)]


def test_a_withdrawal_erases_the_photos_and_a_late_repeat_brings_none_back(client, token, sqlite_database):
    key = Page(client.get(f"/s/{token}")).given["key"][0]
    send(client, token, key=key, q25=[saved(picture())])
    with sqlite_database.writing() as session:
        number = session.scalar(select(Response.receipt))
        withdraw_response(session, number=number, reason=ResponseChangeReason.OTHER, by=RESIDENT, now=datetime.now(UTC))

    assert stored(sqlite_database) == []
    send(client, token, key=key, q25=[saved(picture())])
    assert stored(sqlite_database) == [("q25", False)]


def test_a_correction_keeps_the_photos_and_asks_for_none(client, token, sqlite_database):
    receipt = send(client, token, q25=[saved(picture())]).location
    form = client.get(f"{receipt}/correction")

    assert 'type="file"' not in form.text
    assert "您之前提交的照片会随答卷一起保留" in form.text
    assert client.post(f"{receipt}/correction", data=Page(form).given | {"q01": "2", "q16": "1"}).status_code == 303
    with sqlite_database.reading() as session:
        corrections = session.scalars(select(Response.id).where(Response.corrects_id.is_not(None))).all()
        assert session.scalars(select(Attachment.response_id)).all() == corrections


def test_a_form_without_questions_for_photos_sends_none(client, sqlite_database):
    now = datetime.now(UTC)
    with sqlite_database.writing() as session:
        make_round(session, opens_at=now - timedelta(days=1), closes_at=now + timedelta(days=1))
        token = issue_poster_code(session, community=make_community(session), now=now).token
    page = client.get(f"/s/{token}").text

    assert "multipart" not in page
    assert "photos.js" not in page
    send(client, token, q25=[saved(picture())])
    assert stored(sqlite_database) == []
