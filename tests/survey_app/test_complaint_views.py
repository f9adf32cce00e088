from datetime import UTC, datetime

import pytest
from sqlalchemy import func, select

from survey_app.codes import issue_poster_code
from survey_app.models import Complaint
from survey_app.numbers import grouped
from tests.factories import make_community, make_poster_code
from tests.survey_app.test_survey_views import Page

WORDS = {"category": "EQ01", "kind": "complaint", "text": "电梯停了三天 <b>&"}


@pytest.fixture
def token(sqlite_database):
    with sqlite_database.writing() as session:
        community = make_community(session, name="滨河家园", english_name="Riverside Homes")
        return issue_poster_code(session, community=community, now=datetime.now(UTC)).token


def key_of(client, token):
    return Page(client.get(f"/c/{token}")).given["key"][0]


def count(database):
    with database.reading() as session:
        return session.scalar(select(func.count()).select_from(Complaint))


def test_the_form_offers_every_category_in_its_group_and_needs_no_round(client, token):
    page = Page(client.get(f"/c/{token}"))

    assert page.status == 200
    assert "<h1>滨河家园</h1>" in page.text
    assert page.text.count("<optgroup") == 10
    assert page.text.count("<option") == 41
    assert page.given["kind"] == ["complaint"]


def test_filing_leads_to_a_reference_in_groups_without_the_text(client, token, sqlite_database):
    response = client.post(f"/c/{token}", data=WORDS | {"key": key_of(client, token)})

    with sqlite_database.reading() as session:
        stored = session.execute(select(Complaint.__table__)).one()
    page = Page(client.get(response.location))
    assert response.status_code == 303
    assert stored.text == WORDS["text"]
    for expected in (grouped(stored.reference), "滨河家园", "电梯", "已提交"):
        assert expected in page.text
    assert "停了三天" not in page.text
    assert "Set-Cookie" not in response.headers


def test_the_case_is_found_under_its_typed_reference(client, token):
    address = client.post(f"/c/{token}", data=WORDS | {"key": key_of(client, token)}).location

    typed = grouped(address.removeprefix("/complaint/"))
    assert client.post("/", data={"number": typed}).location == address
    assert client.get("/complaint/12345678901234").status_code == 404


def test_a_double_tap_is_one_case(client, token, sqlite_database):
    form = WORDS | {"key": key_of(client, token)}

    assert client.post(f"/c/{token}", data=form).location == client.post(f"/c/{token}", data=form).location
    assert count(sqlite_database) == 1


def test_what_is_missing_is_named_with_every_word_kept(client, token, sqlite_database):
    page = Page(client.post(f"/c/{token}", data=WORDS | {"category": "", "key": key_of(client, token)}))

    assert page.status == 422
    assert "#category" in page.links
    assert "category" in page.ids
    assert page.given["text"] == [WORDS["text"]]
    assert count(sqlite_database) == 0


@pytest.mark.parametrize(
    ("wrong", "place"),
    [
        ({"category": "XX99"}, "#category"),
        ({"kind": "wish"}, "#kind"),
        ({"text": " "}, "#text"),
        ({"text": "字" * 1001}, "#text"),
    ],
)
def test_what_cannot_be_filed_is_named_and_linked(client, token, sqlite_database, wrong, place):
    page = Page(client.post(f"/c/{token}", data=WORDS | wrong | {"key": key_of(client, token)}))

    assert page.status == 422
    assert place in page.links
    assert place.removeprefix("#") in page.ids
    assert count(sqlite_database) == 0


def test_a_chosen_category_stays_chosen(client, token):
    page = client.post(f"/c/{token}", data=WORDS | {"text": "", "key": key_of(client, token)}).text

    assert '<option value="EQ01" selected>' in page
    assert page.count(" selected>") == 1


def test_other_words_on_a_sent_form_are_offered_as_another_complaint_and_then_stored(client, token, sqlite_database):
    form = WORDS | {"key": key_of(client, token)}
    first = client.post(f"/c/{token}", data=form).location.removeprefix("/complaint/")

    page = Page(client.post(f"/c/{token}", data=form | {"text": "水也停了"}))

    assert page.status == 409
    assert grouped(first) in page.text
    assert client.post(f"/c/{token}", data=page.given).status_code == 303
    with sqlite_database.reading() as session:
        assert session.scalars(select(Complaint.text).order_by(Complaint.id)).all() == [WORDS["text"], "水也停了"]


@pytest.mark.parametrize("key", ["", "forged"])
def test_a_complaint_with_a_bad_key_comes_back_with_a_good_one(client, token, sqlite_database, key):
    page = Page(client.post(f"/c/{token}", data=WORDS | {"key": key}))

    assert page.status == 400
    assert page.given["text"] == [WORDS["text"]]
    assert count(sqlite_database) == 0
    assert client.post(f"/c/{token}", data=WORDS | {"key": page.given["key"]}).status_code == 303


def test_a_key_of_another_poster_files_nothing(client, token, sqlite_database):
    with sqlite_database.writing() as session:
        other = make_poster_code(session).token

    assert client.post(f"/c/{token}", data=WORDS | {"key": key_of(client, other)}).status_code == 400
    assert count(sqlite_database) == 0


def test_unknown_and_revoked_codes_are_explained(client, sqlite_database):
    with sqlite_database.writing() as session:
        revoked = make_poster_code(session, revoked_at=datetime.now(UTC)).token

    assert client.get("/c/unknown").status_code == 404
    assert client.get(f"/c/{revoked}").status_code == 410
    assert client.post(f"/c/{revoked}", data=WORDS).status_code == 410


def test_ten_megabytes_are_refused(client, token, sqlite_database):
    response = client.post(f"/c/{token}", data={"key": key_of(client, token), "text": "x" * 10_000_000})

    assert response.status_code == 413
    assert count(sqlite_database) == 0


@pytest.mark.parametrize("language", ["zh-Hans", "en"])
@pytest.mark.parametrize("kind", ["complaint", "repair", "enquiry"])
def test_every_page_is_well_formed_in_its_language(client, token, language, kind):
    asked = f"?lang={language}"
    form = Page(client.get(f"/c/{token}{asked}"))
    words = WORDS | {"kind": kind, "text": "Lift out of order", "key": form.given["key"]}
    sent = client.post(f"/c/{token}{asked}", data=words)
    pages = [
        form,
        Page(client.get(sent.location)),
        Page(client.post(f"/c/{token}{asked}", data={"key": form.given["key"]})),
        Page(client.post(f"/c/{token}{asked}", data=words | {"text": "Still out of order"})),
        Page(client.post(f"/c/{token}{asked}", data=words | {"key": ""})),
    ]

    for page in pages:
        assert f'<html lang="{language}">' in page.text
        assert page.text.count("<h1>") == 1
