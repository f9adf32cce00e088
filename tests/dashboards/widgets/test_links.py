"""Links from a page to what the site makes of it."""

from urllib.parse import parse_qs, urlsplit

from dashboards.address import View
from dashboards.widgets.links import document_address
from survey_app.web.query_names import known_query


def test_the_address_of_a_document_says_what_the_page_shows_in_names_that_the_site_reads():
    view = View(language="en", evaluation=7, region="海南区").with_own(community="15 & 1")

    address = urlsplit(document_address(view, "community"))

    assert address.path == "/staff/evaluations/7/documents/community.pdf"
    assert parse_qs(address.query) == {"lang": ["en"], "region": ["海南区"], "community": ["15 & 1"]}
    assert parse_qs(known_query(address.path, address.query)) == parse_qs(address.query)


def test_what_a_page_does_not_say_is_not_in_the_address_of_its_document():
    view = View(language="zh-Hans", evaluation=7).with_own(what_if="x")

    assert document_address(view, "overview") == "/staff/evaluations/7/documents/overview.pdf?lang=zh-Hans"
