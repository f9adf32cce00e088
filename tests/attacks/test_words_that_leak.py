"""Words of a request or a resident reach no log, no cache, no other visitor's page and no other host."""

import json
import logging
import re
import socket
import subprocess
import sys
from datetime import UTC, datetime
from itertools import cycle
from urllib.parse import quote, urlsplit

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DataError, IntegrityError, OperationalError

from survey_app.accounts.accounts import add_account
from survey_app.accounts.guard import safe_target
from survey_app.accounts.invitations import invite
from survey_app.accounts.policies import policy_of
from survey_app.config import REPOSITORY
from survey_app.log_events import UNCHECKED, checked_facts
from survey_app.models.vocabulary import Role
from survey_app.web import error_pages
from survey_app.web.context import SITE_EXTENSION
from survey_app.web.logs import Lines
from survey_app.web.query_names import known_query
from tests.accounts import make_account, signed_in_client
from tests.attacks.hostile_values import FOREIGN_NAMES
from tests.conftest import site_on
from tests.factories import make_community, make_poster_code, make_round_around
from tests.servers import HOST, ForkedServer
from tests.survey_app.app.test_policies import clients, site  # noqa: F401

CANARY = "JinSiQue13812345678"
EVIL = "evil.example"
PHOTO_KEY = re.compile(rb'value="[A-Za-z0-9_.~-]{40,}"')


@pytest.fixture
def token(sqlite_database):
    with sqlite_database.writing() as session:
        make_round_around(session, datetime.now(UTC))
        return make_poster_code(session, make_community(session, name="滨河家园")).token


@pytest.fixture
def invitation(sqlite_database, config):
    with sqlite_database.writing() as session:
        account = add_account(session, username="new", password=None, role="city", by="operator", now=datetime.now(UTC))
        return invite(account, secret_key=config.secret_key, now=datetime.now(UTC))


def without_keys(page):
    return PHOTO_KEY.sub(b"", page)


# ---- names of queries


@pytest.mark.parametrize("name", FOREIGN_NAMES)
def test_a_foreign_name_of_a_query_changes_nothing_and_comes_back_nowhere(client, token, invitation, name):
    for path in ("/", f"/s/{token}", f"/s/{token}/privacy", f"/c/{token}", "/sign-in", f"/invitation/{invitation}"):
        plain = client.get(f"{path}?lang=en")
        answer = client.get(f"{path}?{quote(name)}={CANARY}&lang=en&{quote(name)}={EVIL}")

        assert answer.status_code == plain.status_code == 200
        assert without_keys(answer.data) == without_keys(plain.data)
        assert CANARY not in str(answer.headers)


@pytest.mark.parametrize(
    "path", ["/nothing", "/s/123", "/staff/nothing", "/h/x", "/complaint/1", "/r/x", "/invitation/x"]
)
def test_pages_that_say_what_is_wrong_ignore_foreign_names_too(client, path):
    query = "&".join(f"{quote(name)}={CANARY}" for name in (*FOREIGN_NAMES, "search", "next", "action"))
    answer = client.get(f"{path}?{query}")

    assert answer.status_code in {302, 404, 410}
    if answer.status_code != 302:
        assert CANARY not in answer.text


def test_the_pages_of_long_lists_keep_what_was_searched_for_and_nothing_else():
    asked = known_query("/staff/communities", f"search=%E6%BB%A8&page=2&page=9&x={CANARY}&lang=en&lang=zh-Hans")

    assert asked == "lang=en&page=2&search=%E6%BB%A8"
    assert known_query("/s/1", f"search={CANARY}&text=huge&lang=xx&v=1") == ""


def test_an_unfinished_paging_link_keeps_the_address_of_its_page(site):  # noqa: F811
    app, city = site
    path = f"/staff/rounds/{city['round_id']}/photos"
    with app.test_request_context(f"{path}?community=7"):
        address = app.jinja_env.globals["address_with"](page=3)

    assert address == f"{path}?community=7&page=3"


# ---- hosts and caches

POISON = [
    {"Host": EVIL},
    {"Host": f"{EVIL}:80@127.0.0.1"},
    {"X-Forwarded-Host": EVIL},
    {"X-Forwarded-Server": EVIL},
    {"Forwarded": f"host={EVIL};proto=https"},
    {"X-Forwarded-Proto": f"https://{EVIL}/"},
    {"X-Forwarded-Prefix": f"//{EVIL}"},
    {"X-Forwarded-Port": EVIL},
    {"X-Original-URL": f"//{EVIL}/"},
    {"X-Rewrite-URL": f"//{EVIL}/"},
    {"X-Host": EVIL},
    {"X-HTTP-Method-Override": f"POST {EVIL}"},
    {"Origin": f"https://{EVIL}"},
    {"Referer": f"https://{EVIL}/"},
    {"User-Agent": EVIL},
    {"Accept-Language": f"en, {EVIL}"},
    {"Cookie": f"session={EVIL}; lang={EVIL}"},
    {"X-Script-Name": f"//{EVIL}"},
]


@pytest.mark.parametrize("headers", POISON, ids=str)
def test_no_header_of_one_phone_reaches_the_page_of_the_next(app, token, headers):
    for query in ("", "?lang=en", f"?_external=1&_scheme={EVIL}&_anchor={EVIL}&x=//{EVIL}", "?text=large"):
        for path in (f"/s/{token}", f"/c/{token}", "/", "/sign-in", "/static/site.css", "/nothing", "/staff/"):
            first = app.test_client(use_cookies=False).get(f"{path}{query}", headers=headers)
            second = app.test_client(use_cookies=False).get(f"{path}{query}")

            assert EVIL not in first.text + str(first.headers)
            assert EVIL not in second.text + str(second.headers)


@pytest.mark.parametrize("path", ["/staff", "//staff", "/s/", "/staff/", "//evil.example/..", "/s//x", "/dashboards"])
def test_redirects_name_no_host(app, path):
    answer = app.test_client().get(path, headers={"Host": EVIL})

    if answer.status_code in range(300, 400):
        assert answer.location.startswith("/")
        assert not answer.location.startswith("//")
    assert EVIL not in (answer.location or "").replace("/evil.example/..", "")


def test_complete_addresses_begin_with_the_public_address(config, sqlite_database):
    config = config.with_public_url("https://wj.example.cn")
    with sqlite_database.writing() as session:
        account = add_account(session, username="n", password=None, role="city", by="operator", now=datetime.now(UTC))
    with site_on(config) as app, app.test_request_context("/", headers={"Host": EVIL}):
        write = app.jinja_env.globals["public_address"]

        assert write("staff.show_invitation", token="x") == "https://wj.example.cn/invitation/x"
        assert account.id
    template = (REPOSITORY / "survey_app/templates/complaints/filed.html").read_text("utf-8")
    assert "_external" not in template


def test_nothing_asks_for_addresses_with_the_host_of_the_request():
    places = [*(REPOSITORY / "survey_app").rglob("*.py"), *(REPOSITORY / "survey_app").rglob("*.html")]
    texts = {path: path.read_text("utf-8") for path in [*places, *(REPOSITORY / "dashboards").rglob("*.py")]}
    asking = re.compile(r"\b_external=|request\.(?:host|url|base_url|url_root|host_url|root_url)\b")

    assert [path.name for path, words in texts.items() if asking.search(words)] == []


def test_what_a_phone_sends_makes_no_further_entry_in_the_cache(app, token):
    cache = app.extensions[SITE_EXTENSION].read_cache
    for place in range(50):
        headers = {"Accept-Language": f"zh-CN;q=0.{place + 10}", "User-Agent": str(place), "Host": f"{place}.example"}
        client = app.test_client(use_cookies=False)
        client.get(f"/s/{token}?from={place}&lang={place}", headers=headers)
        client.get(f"/s/{token}", headers=headers | {"Cookie": f"a={place}"})

    assert len(cache._found) == 1


def test_a_page_says_by_which_headers_it_varies(app, token):
    for path in ("/", f"/s/{token}", f"/s/{token}", "/sign-in", "/nothing"):
        answer = app.test_client(use_cookies=False).get(path)

        assert answer.headers["Cache-Control"] == "no-store"
        assert {"Accept-Language", "Accept-Encoding", "Cookie"} <= {
            name for line in answer.headers.get_all("Vary") for name in line.split(", ")
        }


def test_what_a_cache_may_keep_sets_no_cookie(app, sqlite_database):
    with sqlite_database.writing() as session:
        make_account(session, "city", now=datetime.now(UTC))
    client = signed_in_client(app, "city")
    page = client.get("/dashboards/").text
    paths = [
        "/static/site.css",
        *re.findall(r'(?:src|href)="([^"]+\.(?:js|css)[^"]*)"', client.get("/staff/").text + page),
    ]
    kept = 0
    for path in paths:
        with client.get(path) as answer:
            assert answer.status_code == 200
            if "no-store" not in answer.headers["Cache-Control"]:
                kept += 1
                assert "Set-Cookie" not in answer.headers, path
    assert kept > 5


# ---- where a sign-in leads

ELSEWHERE = [
    "///staff/x", "//staff/x", "////staff/", "/\\staff/", "\\/staff/", "\\\\staff\\", "/\t/staff/", "\t//staff/",
    "/staff/\nx", "\r\n//staff/", " //staff/", "/ /staff/", "//evil.example/staff/", "https:staff", "https:/staff/",
    "https:///staff/", "https://evil.example/staff/", "HTTPS://evil.example/staff/", "javascript:/staff/",
    "//user@evil.example/staff/", "/staff/..//evil.example", "/staff/../..//evil.example/",
    "/staff/%2e%2e//evil.example",
    "/staff/\\evil.example", "/staff/%0d%0aSet-Cookie:x", "/staff/x", "/staffx", "/sign-in", "/", "http://[", "//[",
    "/staff/\u2028", "／／staff/", "/staff/\0", "/staff//x", "//" * 5000, "/staff/" + "x" * 100_000, "?next=/staff/",
    "/dashboards/../sign-out", "/dashboards/%2e%2e/x", "/staff/sign-out", "/invitation/x", "", "\ud800",
]  # fmt: skip


@pytest.mark.parametrize("target", ELSEWHERE, ids=lambda target: ascii(target)[:40])
def test_signing_in_leads_to_no_other_place_than_a_page_of_ours(app, target):
    with app.test_request_context("/sign-in"):
        assert safe_target(target) == "/staff/"
    if "\ud800" not in target:
        answer = app.test_client().get(f"/sign-in?next={quote(target)}")
        if len(target) > 4_000:
            assert answer.status_code == 414
            return
        assert answer.status_code == 200
        assert re.search(r'name="next" value="([^"]*)"', answer.text)[1] == "/staff/"


@pytest.mark.parametrize(
    "target",
    ["/staff/", "/staff/audit?action=x&page=2", "/dashboards/criterion/?lang=en", "/staff/communities?search=%E6"],
)
@pytest.mark.parametrize("language", ["", "?lang=en"])
def test_signing_in_leads_to_the_page_that_was_asked_for(app, target, language):
    with app.test_request_context(f"/sign-in{language}"):
        assert urlsplit(safe_target(target)).path == urlsplit(target).path


# ---- error pages that depend on nothing


def fail(*_arguments, **_values):
    raise RuntimeError(CANARY)


@pytest.fixture
def records(caplog):
    """All that is logged from here on, whoever formats it."""
    caplog.set_level(logging.DEBUG)

    def written():
        formatters = [Lines(), logging.Formatter("%(message)s %(exc_text)s")]
        everything = [formatter.format(record) for record in caplog.records for formatter in formatters]
        return "\n".join([*everything, *(str(vars(record)) for record in caplog.records), caplog.text])

    return written


def break_templates(_app, monkeypatch):
    monkeypatch.setattr(error_pages, "render_template", fail)


def break_links(app, _monkeypatch):
    app.url_default_functions[None].append(fail)


def break_translations(_app, monkeypatch):
    monkeypatch.setattr("survey_app.web.languages.load_catalogue", fail)


def break_language(_app, monkeypatch):
    monkeypatch.setattr("survey_app.web.languages._asked_language", fail)


def break_sessions(app, monkeypatch):
    monkeypatch.setattr(app.session_interface, "open_session", fail)


def break_what_comes_before(app, _monkeypatch):
    app.before_request_funcs.setdefault(None, []).insert(0, fail)


def break_what_comes_after(app, _monkeypatch):
    app.after_request_funcs.setdefault(None, []).append(fail)


def break_saved_sessions(app, monkeypatch):
    monkeypatch.setattr(app.session_interface, "save_session", fail)


def break_handlers(app, monkeypatch):
    monkeypatch.setattr(error_pages, "_page", fail)
    for handlers in app.error_handler_spec[None].values():
        for kind in handlers:
            handlers[kind] = fail


def break_the_cache(app, monkeypatch):
    monkeypatch.setattr(app.extensions[SITE_EXTENSION].read_cache, "cached_value", fail)
    monkeypatch.setattr(app.extensions[SITE_EXTENSION].read_cache, "get_or_read", fail)


def take_the_database_away(app, monkeypatch):
    database = app.extensions[SITE_EXTENSION].database
    for name in ("reading", "writing", "reading_autocommit"):
        monkeypatch.setattr(database, name, fail_to_connect)


def fail_to_connect():
    raise OperationalError(f"SELECT {CANARY}", {"typed": CANARY}, Exception(CANARY))


BREAKS = [
    break_templates, break_links, break_translations, break_language, break_sessions, break_what_comes_before,
    break_what_comes_after, break_saved_sessions, break_handlers, break_the_cache, take_the_database_away,
]  # fmt: skip


@pytest.mark.parametrize("breakage", BREAKS, ids=lambda breakage: breakage.__name__)
def test_a_plain_page_comes_whatever_is_broken(*, app, token, sqlite_database, monkeypatch, records, capfd, breakage):
    with sqlite_database.writing() as session:
        make_account(session, "city", now=datetime.now(UTC))
    staff = signed_in_client(app, "city")
    breakage(app, monkeypatch)

    answers = [
        client.open(path, method=method, headers={"Accept-Language": "en"})
        for client in (app.test_client(), staff)
        for method, path in (
            ("GET", f"/s/{token}?x={CANARY}"),
            ("POST", f"/s/{token}"),
            ("GET", f"/{CANARY}"),
            ("DELETE", "/"),
            ("GET", "/staff/"),
            ("POST", f"/invitation/{CANARY}"),
            ("HEAD", f"/r/{CANARY}"),
            ("GET", f"/dashboards/?region={CANARY}"),
        )
    ]

    for answer in answers:
        assert answer.status_code in {200, 302, 303, 400, 401, 403, 404, 405, 409, 500, 503}
        assert "Traceback" not in answer.text
        assert "RuntimeError" not in answer.text
    failed = [answer for answer in answers if answer.status_code >= 400 and answer.text]
    assert failed
    for answer in failed:
        assert answer.mimetype == "text/html"
        assert "<h1>" in answer.text
        assert CANARY not in answer.text
        assert answer.headers["Cache-Control"] == "no-store"
    out, err = capfd.readouterr()
    assert CANARY not in records() + out + err


@pytest.mark.parametrize(
    ("accepted", "words"), [("en", "Something went wrong"), ("zh-CN", "系统出错了"), ("xx;q=é", "系统出错了")]
)
def test_the_plain_page_speaks_the_language_of_the_phone(app, monkeypatch, accepted, words):
    break_templates(app, monkeypatch)
    monkeypatch.setattr("survey_app.app.home_views.render_template", fail)

    answer = app.test_client().get("/", headers={"Accept-Language": accepted})

    assert answer.status_code == 500
    assert words in answer.text


def test_the_page_that_says_that_the_database_is_away_does_not_look_for_the_account(app, sqlite_database, monkeypatch):
    with sqlite_database.writing() as session:
        make_account(session, "city", now=datetime.now(UTC))
    client = signed_in_client(app, "city")
    take_the_database_away(app, monkeypatch)

    answer = client.get("/staff/?lang=en")

    assert answer.status_code == 503
    assert answer.headers["Retry-After"]
    assert "To the staff pages" in answer.text


# ---- logs, through every view's errors


def failures_of(words):
    return [
        ValueError(words),
        KeyError(words),
        OperationalError(f"INSERT {words}", {"typed": words}, Exception(words)),
        IntegrityError(f"INSERT {words}", {"typed": words}, Exception(f"DETAIL: Key (text)=({words})")),
        DataError(f"INSERT {words}", {"typed": words}, Exception(words)),
        UnicodeEncodeError("utf-8", words, 0, 1, words),
        RecursionError(words),
        type("Fault", (Exception,), {"__str__": lambda _self: words, "__repr__": lambda _self: words})(words),
    ]


def failing_view(failure):
    def broken(**_arguments):
        raise failure

    return broken


def test_no_word_of_a_request_is_logged_when_its_view_fails(site, clients, monkeypatch, caplog, capfd):  # noqa: F811
    app, _city = site
    for limiter in app.extensions["limiter"]:
        limiter.enabled = False
    caplog.set_level(logging.DEBUG)
    raised = cycle(failures_of(CANARY))
    views = dict(app.view_functions)
    asked = 0
    for endpoint, view in views.items():
        broken = failing_view(next(raised))
        broken.policy = getattr(view, "policy", None)
        monkeypatch.setitem(app.view_functions, endpoint, broken)
    for rule in app.url_map.iter_rules():
        roles = policy_of(app, rule).roles
        client = clients[next(role for role in Role if role in roles)] if roles else app.test_client()
        path = re.sub(r"<int:\w+>", "1", rule.rule)
        path = re.sub(r"<[^>]+>", CANARY, path)
        for method in rule.methods & {"GET", "POST"}:
            headers = {"User-Agent": CANARY, "Referer": f"http://x/{CANARY}", "X-Forwarded-For": CANARY}
            answer = client.open(
                f"{path}?lang=en&search={CANARY}&next={CANARY}&x={CANARY}",
                method=method,
                data={"text": CANARY, "password": CANARY, "secret": CANARY, "code": CANARY}
                if method == "POST"
                else None,
                # The client of the tests would look for the cookies of another host.
                headers=headers if roles else headers | {"Host": CANARY, "Cookie": f"session={CANARY}"},
            )
            asked += 1
            if method == "GET" or not path.startswith("/s/"):
                # Forms of residents come back with what was typed, to be sent again.
                assert CANARY not in answer.text, path

    out, err = capfd.readouterr()
    written = "\n".join([Lines().format(record) for record in caplog.records] + [str(vars(r)) for r in caplog.records])
    assert asked > 90
    assert CANARY not in written + caplog.text + out + err
    with app.extensions[SITE_EXTENSION].database.reading() as session:
        assert CANARY not in str(session.execute(text("SELECT * FROM audit_event")).all())


def test_a_statement_that_fails_says_nothing_of_what_was_stored(database):
    with database.writing() as session:
        make_account(session, "city", now=datetime.now(UTC))
    with pytest.raises(IntegrityError) as failed, database.writing() as session:
        session.execute(text("INSERT INTO audit_event (position, actor) VALUES (1, :typed)"), {"typed": CANARY})

    assert database.engine.hide_parameters
    assert f"'{CANARY}'" not in str(failed.value).split("DETAIL")[0]


@pytest.mark.parametrize("fact", ["error", "endpoint", "job", "status", "where"])
@pytest.mark.parametrize("value", ["王 138", f"/s/{CANARY}?x=1", "a\nb", "x" * 500, CANARY + " ", ["a b"], {"a": 1}])
def test_a_fact_that_has_not_the_form_of_its_kind_is_not_logged(fact, value):
    assert set(map(str, [checked_facts({fact: value})[fact]])) <= {
        UNCHECKED,
        "['?']",
        "['?', '?']",
        str([UNCHECKED] * len(value)),
    }


HOOKS = f"""
import logging, sys, threading, warnings
from survey_app.web.logs import configure_json_logging
configure_json_logging()
class Gone:
    def __del__(self):
        raise ValueError("{CANARY}")
def fail():
    raise ValueError("{CANARY}")
thread = threading.Thread(target=fail, name="{CANARY}")
thread.start(); thread.join()
Gone()
warnings.warn("{CANARY}", stacklevel=1)
logging.getLogger("PIL").error("%s %d", "{CANARY}", "no number")
logging.getLogger("survey_app").error("{CANARY}")
logging.getLogger("survey_app.log_events").error("{CANARY}", extra={{"where": ["{CANARY}"], "error": "a {CANARY}"}})
fail()
"""


def test_whatever_a_process_writes_about_its_failures_has_no_words():
    run = subprocess.run([sys.executable, "-c", HOOKS], capture_output=True, text=True, cwd=REPOSITORY, check=False)

    assert run.returncode == 1
    assert CANARY not in run.stdout + run.stderr
    lines = [json.loads(line) for line in run.stderr.splitlines()]
    assert len(lines) == 7
    assert sum(line["event"] == "failed" and line["error"] == "ValueError" for line in lines) == 3


def test_a_command_that_fails_prints_no_words(config, monkeypatch):
    from click.testing import CliRunner

    from survey_app.commands import main

    monkeypatch.setattr("survey_app.commands.rounds.installed_database", fail)
    for name in ("JIAYUAN_DATABASE_URL", "JIAYUAN_INSTANCE"):
        monkeypatch.setenv(name, config.to_env()[name])
    result = CliRunner().invoke(main, ["retention"])

    assert result.exit_code == 1
    assert "RuntimeError" in result.output
    assert CANARY not in result.output


GARBAGE = [
    f"{CANARY}\r\n\r\n",
    f"GET /s/{CANARY} HTTP/9.{CANARY}\r\n\r\n",
    f"GET http://{EVIL}/s/{CANARY} HTTP/1.1\r\nHost: {EVIL}\r\n\r\n",
    f"GET /s/{CANARY} HTTP/1.1\r\nHost: x\r\n{CANARY}\r\n\r\n",
    f"POST /s/{CANARY} HTTP/1.1\r\nHost: x\r\nContent-Length: {CANARY}\r\n\r\n",
    f"POST /s/{CANARY} HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: {CANARY}\r\n\r\n",
    f"GET /s/{CANARY}%00%ff?{CANARY}=%ff HTTP/1.0\r\n{CANARY}: x\r\n\r\n",
    f"GET /\u00e9{CANARY} HTTP/1.1\r\nHost: {CANARY}\r\nCookie: {CANARY}\r\nConnection: close\r\n\r\n",
    f"{CANARY} / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n",
    f"GET /sign-in?next=//{CANARY} HTTP/1.1\r\nHost: {EVIL}\r\nConnection: close\r\n\r\n",
]


def test_the_server_itself_logs_no_word_of_a_request(config, tmp_path):
    log = tmp_path / "log"
    with ForkedServer(config, errors=log) as server:
        port = urlsplit(server.address).port
        answers = []
        for garbage in GARBAGE:
            with socket.create_connection((HOST, port), timeout=30) as connection:
                connection.sendall(garbage.encode())
                connection.shutdown(socket.SHUT_WR)
                answers.append(b"".join(iter(lambda: connection.recv(65536), b"")))

    assert all(answer.startswith(b"HTTP/1") for answer in answers if answer)
    assert not any(answer.split()[1].startswith(b"50") and b"501" not in answer[:16] for answer in answers if answer)
    assert not any(EVIL.encode() in answer for answer in answers)
    assert CANARY not in log.read_text("utf-8")
