"""A part of a page that cannot be drawn leaves the others standing, and says nothing of why."""

import sys

import pytest
from sqlalchemy.exc import OperationalError

from dashboards.app import PAGES
from dashboards.languages import translator
from survey_app.log_events import LOGGER, LogEvent
from tests.accounts import make_account, signed_in_client
from tests.conftest import site_on
from tests.dashboards.conftest import raise_again, serve_dashboards
from tests.dashboards.made_up import MadeUpCity
from tests.dashboards.test_app import Browser, components, said

SEARCH = "&community=150003&what_if=ties:exclude"
LANGUAGES = ("en", "zh-Hans")
ENDINGS = ("_panel", "_panels", "_head", "_key_figures", "_summary")


def break_down(*_arguments, **_values):
    raise RuntimeError("secret detail")


def drawing_functions(page):
    """Return the names by which the module of a page calls what draws its parts."""
    module = sys.modules[page.draw.__module__]
    return sorted(name for name in vars(module) if name.endswith(ENDINGS) and name != "paper_head")


PANELS = [(page, name) for page in PAGES for name in drawing_functions(page)]


def broken(monkeypatch, page, name, how=break_down):
    monkeypatch.setattr(sys.modules[page.draw.__module__], name, how)


def parts_of(content):
    """Return the parts of a page, folded ones too, but for the progress of the round, which follows the clock."""
    parts = []
    for part in content["children"]:
        is_folded = part["props"].get("className") == "folded-part"
        parts += part["props"]["children"][1]["props"]["children"] if is_folded else [part]
    return [part for part in parts if part["props"].get("id") != "collection"]


def is_failed(part):
    return any(props.get("role") == "alert" for props in components(part))


@pytest.fixture(scope="module")
def failures():
    """What parts of pages raised."""
    return []


@pytest.fixture(scope="module")
def browser(city, failures):
    return Browser(serve_dashboards(city, failed=failures.append))


def test_every_page_has_parts_that_are_drawn_one_by_one():
    assert {page.path for page, _name in PANELS} == {page.path for page in PAGES}


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize(("page", "name"), PANELS, ids=[f"{page.path}{name}" for page, name in PANELS])
def test_a_part_that_fails_leaves_all_others_standing(browser, failures, monkeypatch, *, page, name, language):
    search = f"?lang={language}{SEARCH}"
    whole = parts_of(browser.content(search, page=page.path))
    assert not any(map(is_failed, whole))
    failures.clear()

    broken(monkeypatch, page, name)
    answer = browser.ask(search, page=page.path)
    rest = parts_of(answer.get_json()["response"]["content"])

    assert [str(error) for error in failures] == ["secret detail"]
    assert "secret" not in answer.text
    assert "RuntimeError" not in answer.text
    [failed] = filter(is_failed, rest)
    assert translator(language)("Load the page again") in said(failed)
    kept = [part for part in rest if part is not failed]
    assert [part for part in whole if part in kept] == kept
    # A part may be several panels, or, in this city, none.
    assert len(kept) >= len(whole) - 2


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("page", [page for page in PAGES if page.sections("en")], ids=lambda page: page.path)
def test_each_section_is_where_it_is_looked_for_when_nothing_can_be_drawn(browser, monkeypatch, page, language):
    for name in drawing_functions(page):
        broken(monkeypatch, page, name)
    content = browser.content(f"?lang={language}{SEARCH}", page=page.path)

    titles = {
        props["id"]: said(props["children"][0])
        for props in components(content)
        if "id" in props and is_failed({"props": props})
    }
    for section in page.sections(language):
        if section.anchor != "basis":  # folds other parts up
            assert section.title in titles[section.anchor]


def test_what_concerns_the_whole_page_is_raised_again(city, monkeypatch):
    page = PAGES[0]
    broken(monkeypatch, page, "finding_panel")

    assert Browser(serve_dashboards(city, failed=raise_again)).ask("").status_code == 500


@pytest.fixture
def site(config, sqlite_database, now):
    """The whole site, which has no evaluation; the overview shows that, and the progress of the open round."""
    with sqlite_database.writing() as session:
        make_account(session, "city", now=now)
    with site_on(config, parts_may_fail=True) as app:
        yield Browser(app, client=signed_in_client(app, "city"))


def test_the_site_writes_down_once_where_a_part_failed(site, monkeypatch, caplog):
    broken(monkeypatch, PAGES[0], "collection_summary")

    answer = site.ask("?lang=en")

    [record] = [record for record in caplog.records if record.name == LOGGER.name]
    assert (record.msg, record.error) == (LogEvent.PART_FAILED, "RuntimeError")
    assert record.where[-1].startswith(__file__)
    assert "secret" not in caplog.text + answer.text
    assert "No evaluation yet" in answer.text
    assert "could not be drawn" in answer.text


def test_a_database_that_is_away_is_no_fault_of_a_part(site, monkeypatch):
    def be_away(*_arguments, **_values):
        raise OperationalError("SELECT", {}, Exception("secret detail"))

    broken(monkeypatch, PAGES[0], "collection_summary", be_away)

    answer = site.ask("?lang=en")

    assert answer.status_code == 503
    assert "Retry-After" in answer.headers
    assert "secret" not in answer.text


def test_without_an_evaluation_every_page_says_so_instead_of_failing(monkeypatch):
    """What concerns the whole page stays one sentence for it, whatever its parts would do."""
    for page, name in PANELS:
        broken(monkeypatch, page, name)
    browser = Browser(serve_dashboards(MadeUpCity(rounds=(), open_round=False), failed=lambda _error: None))

    for page in PAGES:
        if page.path not in {"casework/", "collection/"}:
            assert "No evaluation yet" in said(browser.content("?lang=en", page=page.path))
