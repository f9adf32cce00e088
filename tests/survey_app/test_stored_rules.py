from datetime import UTC, datetime

import pytest

from analytics.files.yaml_documents import Document
from survey_app.config import DATA
from survey_app.stored_rules import rules_of
from tests.factories import make_community, make_poster_code, make_round_around
from tests.survey_app.responses.test_receipt_views import answer

CONTENT = (DATA / "rules" / "wuhai" / "2021-08-23.yaml").read_bytes()


@pytest.fixture
def parsed(monkeypatch):
    """The YAML files and the canonical texts that are parsed from now on."""
    sources, begin = [], Document.__init__

    def note(self, content, source, **options):
        sources.append(source)
        begin(self, content, source, **options)

    monkeypatch.setattr(Document, "__init__", note)
    return sources


def test_a_receipt_page_parses_nothing_once_it_was_shown(client, sqlite_database, parsed):
    now = datetime.now(UTC)
    with sqlite_database.writing() as session:
        make_round_around(session, now)
        code = make_poster_code(session, make_community(session))
    receipt = answer(client, f"/s/{code.token}")
    client.get(receipt)
    parsed.clear()

    assert client.get(receipt).status_code == 200
    assert parsed == []


def test_equal_files_are_parsed_once_and_an_altered_one_anew(parsed):
    rules_of.cache_clear()

    rules = rules_of(CONTENT)
    again = rules_of(bytes(bytearray(CONTENT)))
    altered = rules_of(CONTENT.replace(b"population: owners", b"population: residents"))

    assert again is rules
    assert altered.satisfaction.population != rules.satisfaction.population
    assert len(parsed) == 2
