"""The address of a document: who gets it, of which places, and what the audit chain says afterwards."""

import json

import pytest
from sqlalchemy import select

from survey_app.documents import blocks
from survey_app.documents.kinds import KINDS
from survey_app.models import AuditEvent
from survey_app.models.vocabulary import AuditAction, Role
from survey_app.web.context import SITE_EXTENSION
from tests.survey_app.app.test_policies import clients, site  # noqa: F401 (fixtures)
from tests.survey_app.documents.reading import about, compact, pages_of


@pytest.fixture
def documents(site):  # noqa: F811
    _app, city = site
    return f"/staff/evaluations/{city['evaluation_id']}/documents"


@pytest.fixture
def places(site):  # noqa: F811
    _app, city = site
    return city["own"], city["other"]


def text_of(answer):
    assert (answer.status_code, answer.mimetype) == (200, "application/pdf")
    return compact("".join(pages_of(answer.data)))


@pytest.mark.parametrize("kind", list(KINDS))
def test_an_account_of_the_city_gets_both_districts_and_one_of_a_district_its_own(clients, documents, places, kind):  # noqa: F811
    own, _other = places
    address = f"{documents}/{kind}.pdf?lang=zh-Hans&community={own['community'].number}"

    of_the_city, of_the_district = (text_of(clients[role].get(address)) for role in (Role.CITY, Role.DISTRICT))

    assert "own" in of_the_city
    assert "own" in of_the_district
    assert "other" not in of_the_district
    assert kind == "community" or "other" in of_the_city


def test_a_region_of_another_district_and_one_that_does_not_exist_are_not_found(clients, documents):  # noqa: F811
    address = f"{documents}/overview.pdf?region="

    assert "other" not in text_of(clients[Role.CITY].get(f"{address}own区"))
    assert clients[Role.CITY].get(f"{address}nowhere").status_code == 404
    assert clients[Role.DISTRICT].get(f"{address}own区").status_code == 200
    assert clients[Role.DISTRICT].get(f"{address}other区").status_code == 404


def test_a_community_of_another_district_is_not_found(clients, documents, places):  # noqa: F811
    own, other = (f"{documents}/community.pdf?community={place['community'].number}" for place in places)

    assert clients[Role.DISTRICT].get(own).status_code == 200
    assert clients[Role.DISTRICT].get(other).status_code == 404
    assert clients[Role.CITY].get(other).status_code == 200
    assert clients[Role.CITY].get(f"{documents}/community.pdf").status_code == 404


def test_a_kind_or_an_evaluation_that_does_not_exist_is_not_found(clients, documents):  # noqa: F811
    assert clients[Role.CITY].get(f"{documents}/everything.pdf").status_code == 404
    assert clients[Role.CITY].get("/staff/evaluations/99/documents/overview.pdf").status_code == 404


def test_who_is_not_signed_in_is_asked_to_and_comes_back(site, documents):  # noqa: F811
    app, _city = site
    answer = app.test_client().get(f"{documents}/overview.pdf?lang=en")

    assert answer.status_code == 302
    assert answer.location.startswith("/sign-in?next=")
    assert "documents%2Foverview.pdf" in answer.location.replace("/", "%2F")


def test_the_document_follows_the_language_of_the_page(clients, documents):  # noqa: F811
    address = f"{documents}/overview.pdf?lang="

    assert [about(clients[Role.CITY].get(address + language).data)[1] for language in ("zh-Hans", "en")] == [
        "zh-CN",
        "en",
    ]


def test_it_is_in_the_audit_chain_as_an_export_and_what_was_refused_is_not(site, clients, documents):  # noqa: F811
    app, city = site
    database = app.extensions[SITE_EXTENSION].database

    def exports():
        with database.reading() as session:
            events = session.scalars(select(AuditEvent).filter_by(action=AuditAction.EXPORTED))
            return [(event.subject, json.loads(event.after)["kind"]) for event in events]

    before = exports()
    clients[Role.DISTRICT].get(f"{documents}/overview.pdf")
    clients[Role.DISTRICT].get(f"{documents}/overview.pdf?region=other区")

    assert exports()[len(before) :] == [(f"evaluation:{city['evaluation_id']}", "document-overview")]


def test_of_a_list_that_is_too_long_the_page_says_what_else_to_do(clients, documents, monkeypatch):  # noqa: F811
    monkeypatch.setattr(blocks, "MOST_ROWS", 0)

    answer = clients[Role.CITY].get(f"{documents}/overview.pdf?lang=en")

    assert answer.status_code == 422
    assert "Choose a district" in answer.text
