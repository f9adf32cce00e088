"""The side of the staff on PostgreSQL: every page, dashboard and file says what it says on SQLite."""

import re
from dataclasses import replace
from datetime import UTC, datetime

import pytest

from dashboards.app import PAGES
from survey_app.accounts.scope import EVERYWHERE
from survey_app.exports.answer_tables import export_answer_tables
from survey_app.exports.community_table import export_community_table
from survey_app.exports.standings import export_standings
from survey_app.web.context import SITE_EXTENSION
from tests.accounts import signed_in_client
from tests.conftest import site_on
from tests.dashboards.test_app import Browser, said
from tests.journeys.whole_site import WALKERS, addresses, fill_city

pytestmark = pytest.mark.postgresql

# What is drawn by lot, counted over all that tests make, or read from the clock.
BY_LOT = re.compile(
    r"[A-Za-z0-9_.-]{24,}|[0-9a-f]{12,}|toke n[0-9]+ [0-9]+"
    r"|(?<![0-9])[0-9]{4}( [0-9]{2,4}){2,4}(?![0-9])|(?<![0-9])[0-9]{12,20}(?![0-9])"
    r"|[0-9]{1,2}[:时][0-9]{2}(:[0-9]{2})?|\baccount[0-9]+\b"
)


def everything_said(app, now):
    """Fill a city, and return every word of its pages, dashboards and files."""
    database = app.extensions[SITE_EXTENSION].database
    facts = fill_city(database, now=now)
    told = {}
    for role in WALKERS:
        client = signed_in_client(app, str(role))
        for path in addresses(app, facts, role):
            # Two cases have one address without their references: both are kept, in an order that no lot decides.
            place = str(role), BY_LOT.sub("…", path)
            told[place] = "\n".join(sorted([*told.get(place, "").splitlines(), words_of(client.get(path).text)]))
    browser = Browser(None, client=signed_in_client(app, "city"))
    for page in PAGES:
        search = f"?lang=zh&community={facts['number']}" if page.path == "community/" else "?lang=zh"
        told["dashboard", page.path] = BY_LOT.sub("…", said(browser.content(search, page=page.path)))
    whole = {"evaluation_id": 1, "scope": EVERYWHERE}
    told["file", "standings"] = "".join(export_standings(database, **whole, language="zh-Hans"))
    told["file", "answers"] = "".join(export_answer_tables(database, **whole, language="zh-Hans"))
    told["file", "communities"] = "".join(export_community_table(database, **whole))
    return told


def words_of(page):
    without = re.sub(r"<(script|style)\b.*?</\1>", "", page, flags=re.DOTALL)
    return BY_LOT.sub("…", " ".join(re.sub(r"<[^>]+>", " ", without).split()))


def test_every_page_dashboard_and_file_of_the_staff_says_the_same_on_both_engines(config, postgresql_database):
    url = postgresql_database.url.render_as_string(hide_password=False)
    # One moment for both: by the time of day at which all were sent, some answers are held for review or not.
    now = datetime.now(UTC).replace(microsecond=0)
    with site_on(config) as app:
        expected = everything_said(app, now)
    with site_on(replace(config, database_url=url)) as app:
        found = everything_said(app, now)

    assert len(expected) > 30
    assert all(len(words) > 50 for words in expected.values())
    assert found.keys() == expected.keys()
    for place, words in expected.items():
        assert found[place] == words, place
