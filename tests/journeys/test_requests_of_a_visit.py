"""How many requests a phone makes that was never here before: each costs a weak network the most."""

from datetime import timedelta

import pytest
from flask import request
from playwright.sync_api import expect

from survey_app.codes.codes import issue_slips, new_slips
from tests.factories import SECRET, make_community, make_round
from tests.journeys.form_steps import answer_the_least, receipt_number, send

pytestmark = pytest.mark.browser


@pytest.fixture
def asked(app):
    """What the site was asked for, an icon included, in order."""
    requests = []
    app.before_request(lambda: requests.append(f"{request.method} {request.path}"))
    return requests


@pytest.fixture
def slip(site_address, sqlite_database, now):
    """The address in a slip's QR code."""
    with sqlite_database.writing() as session:
        survey_round = make_round(
            session,
            accepts_households=True,
            opens_at=now - timedelta(days=10),
            closes_at=now + timedelta(days=10),
        )
        sheet = issue_slips(
            session,
            survey_round=survey_round,
            community=make_community(session),
            new=new_slips(1, secret_key=SECRET),
            now=now,
        )
    return f"{site_address}/h/{sheet.slips[0].token}"


def visit(page, address):
    """Open a page and wait until all that belongs to it has come, and what a browser asks for after that."""
    page.goto(address, wait_until="networkidle")


def test_a_first_visit_by_a_poster_makes_three_requests_and_the_receipt_two_more(phone, poster, asked):
    page = phone()
    visit(page, poster)
    assert len(asked) == 3, asked
    answer_the_least(page)
    send(page)
    receipt_number(page)
    page.wait_for_load_state("networkidle")

    assert [each.partition(" /")[0] for each in asked[3:]] == ["POST", "GET"]
    assert page.faults == []


def test_a_first_visit_by_a_slip_makes_three_requests_and_looks_the_same(phone, slip, asked):
    page = phone()
    page.on("console", lambda said: page.faults.append(said.text))
    visit(page, slip)

    assert len(asked) == 3, asked
    assert page.faults == []
    expect(page.locator("#q01 legend")).to_be_visible()
    expect(page.locator(".assurance").first).to_have_css("font-weight", "600")


def test_a_complaint_makes_six_requests_and_none_for_an_icon(phone, poster, asked):
    page = phone()
    visit(page, poster.replace("/s/", "/c/"))

    assert len(asked) == 6, asked
    assert page.faults == []
