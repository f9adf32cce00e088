"""Whoever says that a case is not fixed says why: by a reason to choose, by words, or by both."""

import pytest
from sqlalchemy import select

from survey_app.complaints.labels import unfixed_words
from survey_app.models import ComplaintNote
from tests.survey_app.complaints.test_views import (
    answer,
    file_case,
    open_case,
    statuses,
    step,
    token,  # noqa: F401 (a fixture)
)


def notes(database):
    with database.reading() as session:
        return session.scalars(select(ComplaintNote.text).order_by(ComplaintNote.event_id)).all()


@pytest.mark.parametrize("action", ["rejected", "partly_fixed"])
@pytest.mark.parametrize("text", ["", "半夜又停了"])
def test_a_chosen_reason_becomes_part_of_the_words(client, token, sqlite_database, action, text):  # noqa: F811
    reference, secret = file_case(client, token)
    answer(sqlite_database, reference)
    page = step(client, open_case(client, reference, secret), reference, step=action, because="came_back", text=text)

    reason = unfixed_words("zh-Hans")["came_back"]
    assert page.status == 200
    assert statuses(sqlite_database) == ["reopened"]
    assert notes(sqlite_database) == [f"{reason}\n{text}" if text else reason]
    assert reason in page.text


def test_without_a_reason_the_page_asks_for_one_and_nothing_moves(client, token, sqlite_database):  # noqa: F811
    reference, secret = file_case(client, token)
    answer(sqlite_database, reference)
    page = step(client, open_case(client, reference, secret), reference, step="rejected", because="a wish")

    assert page.status == 422
    assert "请说明为什么没有解决" in page.text
    assert "<details open>" in page.text
    assert statuses(sqlite_database) == ["responded"]


@pytest.mark.parametrize("is_answered", [False, True])
def test_one_button_of_an_own_case_stands_out(client, token, sqlite_database, is_answered):  # noqa: F811
    reference, secret = file_case(client, token)
    if is_answered:
        answer(sqlite_database, reference)
    page = open_case(client, reference, secret)

    assert page.text.count('class="primary"') == 1
    assert ('class="primary" name="step" value="confirmed_fixed"' in page.text) == is_answered
    assert 'class="plain danger" name="step" value="withdraw"' in page.text
