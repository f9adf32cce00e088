import io
import json
import zipfile
from datetime import UTC, datetime

import pytest
from sqlalchemy import func, select

from survey_app.models import AuditEvent, Code
from survey_app.printing.typefaces import ChineseTypefaceMissing, installed_typefaces
from survey_app.responses.paper.sheets import FORMS_PER_VOLUME
from tests.accounts import csrf_token, make_account, signed_in_client
from tests.factories import make_community, make_district, make_round_around

pdfium = pytest.importorskip("pypdfium2")

PRINTING = "/staff/printing"


@pytest.fixture
def city(sqlite_database):
    """Two districts with a community each, and accounts; a test adds the round that it is about."""
    try:
        installed_typefaces()
    except ChineseTypefaceMissing as error:
        pytest.skip(str(error))
    now = datetime.now(UTC)
    with sqlite_database.writing() as session:
        here = make_district(session, name="海勃湾区", sort_key="a")
        there = make_district(session, name="乌达区", sort_key="b")
        garden = make_community(session, name="学府花园", number="1", district=here, households_delivered=3)
        home = make_community(session, name="滨河家园", number="2", district=there, households_delivered=2)
        for name, district in (("city", None), ("district", here), ("clerk", here)):
            make_account(session, name, now=now, **({"district": district} if district else {}))
        return {"here": here, "there": there, "garden": garden, "home": home}


def open_round(database, **values):
    with database.writing() as session:
        return make_round_around(session, datetime.now(UTC), **values)


def archive_of(answer):
    assert (answer.status_code, answer.mimetype) == (200, "application/zip")
    archive = zipfile.ZipFile(io.BytesIO(answer.data))
    assert answer.headers["X-Files"] == str(len(archive.namelist()))
    return {name: archive.read(name) for name in archive.namelist()}


def first_page(pdf):
    with pdfium.PdfDocument(pdf) as document:
        return document[0].get_textpage().get_text_bounded()


def issue(client, **fields):
    token = csrf_token(client.get(PRINTING))
    return client.post(f"{PRINTING}/questionnaires-with-codes.zip", data={"csrf_token": token, **fields})


def slips_in(database):
    with database.reading() as session:
        return session.scalars(select(Code).where(Code.kind == "household")).all()


def test_a_blank_questionnaire_is_printed_for_each_community_of_the_scope(app, city, sqlite_database):
    open_round(sqlite_database, accepts_households=True)
    address = f"{PRINTING}/questionnaires.zip"
    there = f"{address}?place=district:{city['there'].id}"

    of_the_city = archive_of(signed_in_client(app, "city").get(there))
    of_the_district = archive_of(signed_in_client(app, "district").get(address))

    assert signed_in_client(app, "district").get(there).status_code == 404

    assert list(of_the_city) == ["乌达区/滨河家园 2.pdf"]
    assert list(of_the_district) == ["海勃湾区/学府花园 1.pdf"]
    assert "滨河家园" in first_page(of_the_city["乌达区/滨河家园 2.pdf"])
    assert slips_in(sqlite_database) == []


def test_large_print_is_printed_where_it_is_chosen(app, city, sqlite_database):
    open_round(sqlite_database)
    client, address = signed_in_client(app, "clerk"), f"/staff/communities/{city['garden'].id}/questionnaire.pdf"

    ordinary, large = (client.get(address + query).data for query in ("", "?text=large"))

    with pdfium.PdfDocument(ordinary) as two, pdfium.PdfDocument(large) as more:
        assert len(two) == 2 < len(more)


def test_the_page_for_typing_in_from_paper_leads_to_the_blank_questionnaire_of_its_community(
    app, city, sqlite_database
):
    open_round(sqlite_database)
    client = signed_in_client(app, "clerk")
    addresses = [f"/staff/communities/{city['garden'].id}/questionnaire.pdf{size}" for size in ("", "?text=large")]

    on_paper, by_telephone = (
        client.get(f"/staff/entry/{city['garden'].id}/{mode}").text for mode in ("paper", "telephone")
    )

    for address in addresses:
        assert f'href="{address}"' in on_paper
        assert client.get(address).mimetype == "application/pdf"
    assert "questionnaire.pdf" not in by_telephone


@pytest.mark.usefixtures("city")
def test_each_questionnaire_with_a_code_has_a_slip_of_its_own_and_the_issue_is_on_record(app, sqlite_database):
    survey_round = open_round(sqlite_database, accepts_households=True, accepts_posters=False)

    files = archive_of(
        issue(signed_in_client(app, "city"), community="2", count=str(FORMS_PER_VOLUME + 1), reprint="1")
    )

    with (
        pdfium.PdfDocument(files["乌达区/滨河家园 2-1-1.pdf"]) as full,
        pdfium.PdfDocument(files["乌达区/滨河家园 2-1-2.pdf"]) as rest,
    ):
        assert (len(full), len(rest)) == (2 * FORMS_PER_VOLUME, 2)
    assert len(slips_in(sqlite_database)) == FORMS_PER_VOLUME + 1
    with sqlite_database.reading() as session:
        [event] = session.scalars(select(AuditEvent).where(AuditEvent.action == "slips_issued"))
    facts = json.loads(event.after)
    assert (facts["round"], facts["count"], facts["is_reprint"]) == (survey_round.id, FORMS_PER_VOLUME + 1, True)


@pytest.mark.usefixtures("city")
def test_a_download_that_is_given_up_leaves_no_usable_slip(app, sqlite_database):
    open_round(sqlite_database, accepts_households=True)

    issue(signed_in_client(app, "city")).close()

    with sqlite_database.reading() as session:
        usable = select(func.count()).where(Code.kind == "household", Code.revoked_at.is_(None))
        assert session.scalar(usable) == 0


@pytest.mark.usefixtures("city")
def test_a_round_of_posters_alone_has_blank_questionnaires_only(app, sqlite_database):
    open_round(sqlite_database)
    client = signed_in_client(app, "city")

    page = client.get(PRINTING).text

    assert "/staff/printing/questionnaires.zip" in page
    assert "questionnaires-with-codes.zip" not in page
    assert issue(client).status_code == 409
    assert slips_in(sqlite_database) == []


@pytest.mark.usefixtures("city")
def test_without_a_round_there_is_no_questionnaire(app):
    client = signed_in_client(app, "city")

    assert client.get(f"{PRINTING}/questionnaires.zip").status_code == 404
    assert "questionnaires.zip" not in client.get(PRINTING).text
