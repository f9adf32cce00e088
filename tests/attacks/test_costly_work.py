"""Every route with everything that costs: as a stranger and signed in, each request has a budget of time and memory.

A route that is added is crawled as soon as it is there.
"""

import gc
import io
import json
import time
from datetime import UTC, datetime, timedelta
from operator import attrgetter
from pathlib import Path

import pytest
from sqlalchemy import event, select, update
from werkzeug.routing import IntegerConverter

from survey_app.accounts.policies import policy_of
from survey_app.attachments import uploads
from survey_app.attachments.decoder_pool import DecoderPool
from survey_app.codes.codes import issue_poster_code, revoke_code
from survey_app.models import CommunityList, Round
from survey_app.models.vocabulary import Role
from survey_app.operations.scheduled_jobs import worker
from survey_app.register import community_imports
from survey_app.register.communities_file import read_communities
from survey_app.register.community_imports import import_communities
from survey_app.responses.receipts import sign_change
from survey_app.responses.survey_views import BLANK_PAGES
from survey_app.storage import commit_cache
from survey_app.storage.sized_cache import SizedCache
from survey_app.web.context import SITE_EXTENSION
from survey_app.web.request_sizes import LONGEST
from tests.accounts import SECRET_KEY, csrf_token, make_account, signed_in_client
from tests.attacks.costly_files import DOCUMENTS, WORKBOOKS
from tests.attacks.costly_photos import ODD_BUT_BOUNDED, TOO_COSTLY, multipart, of_many_scans
from tests.attacks.processor_time import is_within
from tests.factories import make_community, make_complaint
from tests.pictures import picture, saved
from tests.survey_app.app.test_policies import arguments_of, clients, site  # noqa: F401 (fixtures)
from tests.survey_app.responses.test_photo_uploads import poster_that_asks_for_photos
from tests.survey_app.responses.test_survey_views import Page

# Of processor time; a page takes a hundredth of it.
UNITS = 50
# That the process may keep after all of it; one way that kept each address took half of this in five hundred.
MOST_KEPT = 150 * 2**20
LONG = "9" * 200_000
HEADERS = {
    "of a long cookie": {"Cookie": "session=" + LONG},
    "of many cookies": {"Cookie": "; ".join(f"a{number}=1" for number in range(30_000))},
    "of many languages": {"Accept-Language": ",".join(f"zh-{number};q=0.5" for number in range(20_000))},
    "of many encodings": {"Accept-Encoding": ",".join(["gzip;q=0.5"] * 20_000)},
    "of many ranges": {"Range": "bytes=" + ",".join(f"{number}-{number}" for number in range(20_000))},
    "of many tags": {"If-None-Match": ",".join(f'"{number}"' for number in range(30_000))},
    "of a long name": {"User-Agent": LONG},
}
QUERIES = {
    "long": LONG,
    "of many parameters": "&".join(f"a{number}=1" for number in range(50_000)),
    "of one parameter again and again": "&".join(["lang=en"] * 30_000),
    "as long as it may be": "search=" + "9" * 4000,
    "of as many parameters as there may be": "&".join(f"a{number}" for number in range(700)),
    "of percent signs": "search=" + "%" * 4000,
    "of numbers": "page=" + "9" * 3000 + "&evaluation=" + "9" * 900,
}
FORM = "multipart/form-data; boundary=edge"
DEEP = "[" * 100_000 + "]" * 100_000
BODIES = {
    "fields": ("a&" * 120_000, "application/x-www-form-urlencoded"),
    "answers": ("q01=1&" * 40_000, "application/x-www-form-urlencoded"),
    "questions": ("&".join(f"q{number}=1" for number in range(999)), "application/x-www-form-urlencoded"),
    "one long value": ("text=" + "9" * 250_000, "application/x-www-form-urlencoded"),
    "long values": (
        "&".join(
            f"{name}={'9' * 20_000}" for name in ("number", "code", "key", "text", "contact", "slip", "q24", "file")
        ),
        "application/x-www-form-urlencoded",
    ),
    "words without spaces": ("text=" + "%E6%9D%8E" * 25_000, "application/x-www-form-urlencoded"),
    "percent signs": ("text=" + "%" * 250_000, "application/x-www-form-urlencoded"),
    "more than any form": ("text=" + "9" * 400_000, "application/x-www-form-urlencoded"),
    "parts": (
        "".join(f'--e\r\nContent-Disposition: form-data; name="a{n}"\r\n\r\n\r\n' for n in range(4000)) + "--e--\r\n",
        "multipart/form-data; boundary=e",
    ),
    "a part with many heads": (
        '--e\r\nContent-Disposition: form-data; name="a"\r\n' + "X-A: a\r\n" * 20_000 + "\r\n\r\n--e--\r\n",
        "multipart/form-data; boundary=e",
    ),
    "files of nothing": (
        "".join(f'--e\r\nContent-Disposition: form-data; name="file"; filename="{n}"\r\n\r\na\r\n' for n in range(900))
        + "--e--\r\n",
        "multipart/form-data; boundary=e",
    ),
    "edges": ("--e\r\n" * 40_000, "multipart/form-data; boundary=e"),
    "lists in lists": (DEEP, "application/json"),
    "objects in objects": ('{"a":' * 40_000 + "1" + "}" * 40_000, "application/json"),
    "a value of lists in lists": ('{"output": "frame.children", "inputs": ' + DEEP + "}", "application/json"),
    "a number of many digits": ('{"output": ' + "9" * 200_000 + "}", "application/json"),
    "an endless exponent": ('{"inputs": [1e999999999]}', "application/json"),
    "no object": ("[1, 2]", "application/json"),
    "nothing": ("", "application/json"),
    "a callback of nothing": ('{"output": "frame.children"}', "application/json"),
    "a callback of numbers": ('{"output": "frame.children", "inputs": [1, 2], "state": 3}', "application/json"),
}


def clear_limits(app):
    """The crawl asks more in a minute than a person does, which is another matter."""
    for limiter in app.extensions.get("limiter", ()):
        limiter.enabled = False


def resident_memory():
    gc.collect()
    return int(Path("/proc/self/statm").read_text().split()[1]) * 4096


class Crawl:
    """Requests whose costs are noted, to be shown all at once."""

    def __init__(self):
        self.found = []

    def ask(self, what, send, path, **options):
        began_at = time.process_time()
        answer = send(path, **options)
        seconds = time.process_time() - began_at
        if answer.status_code >= 500 or not is_within(seconds, UNITS):
            self.found.append((what, answer.status_code, round(seconds, 1)))
        answer.close()
        return answer


@pytest.fixture
def public(site):  # noqa: F811
    """Arguments of the routes for everybody, by the name that the route gives them."""
    app, city = site
    with app.extensions[SITE_EXTENSION].database.writing() as session:
        case = make_complaint(session, make_community(session))
        now = datetime.now(UTC)
        return {
            "token": city["own"]["token"],
            "reference": sign_change(city["own"]["receipt"], secret_key=SECRET_KEY, now=now),
            "number": case.reference,
        }


def path_of(app, rule, city, public, *, instead=None):
    """Return the address of a route, with something else in the place of what it says."""
    arguments = public | arguments_of(rule, city)
    for name in rule.arguments:
        is_number = isinstance(rule._converters[name], IntegerConverter)
        arguments.setdefault(name, 1 if is_number else "a")
        if instead is not None:
            arguments[name] = int(instead[:4000]) if is_number else instead
    with app.test_request_context():
        return app.url_map.bind("localhost").build(rule.endpoint, {name: arguments[name] for name in rule.arguments})


def client_for(app, rule, clients):  # noqa: F811
    """Return who may come: one of the roles of the route, or anybody."""
    roles = policy_of(app, rule).roles
    return clients[min(roles) if Role.CITY not in roles else Role.CITY] if roles else app.test_client()


def rules_of(app):
    # Leaving ends the session that the rest of the crawl needs.
    return [rule for rule in app.url_map.iter_rules() if rule.endpoint != "staff.sign_out"]


def token_of(client):
    page = client.get("/staff/")
    return csrf_token(page) if page.status_code == 200 else ""


def test_no_address_costs_much_on_any_route(site, clients, public, some_of):  # noqa: F811
    app, city = site
    clear_limits(app)
    # What draws and typesets is loaded with the first document, once for all.
    clients[Role.CITY].get(f"/staff/evaluations/{city['evaluation_id']}/documents/overview.pdf").close()
    crawl, before = Crawl(), resident_memory()
    for turn, rule in enumerate(rules_of(app)):
        if "GET" not in rule.methods:
            continue
        path = path_of(app, rule, city, public)
        for client in [app.test_client(), *([client_for(app, rule, clients)] if policy_of(app, rule).roles else [])]:
            for name, query in some_of(QUERIES.items(), turn):
                answer = crawl.ask((rule.rule, name), client.get, path, query_string=query)
                if len(query) > LONGEST["QUERY_STRING"][0]:
                    assert answer.status_code == 414, rule.rule
            for name, headers in some_of(HEADERS.items(), turn):
                crawl.ask((rule.rule, name), client.get, path, headers=headers)
            if rule.arguments:
                longer = path_of(app, rule, city, public, instead="9" * 900)
                crawl.ask((rule.rule, "argument"), client.get, longer)
                much_longer = path_of(app, rule, city, public, instead=LONG)
                assert crawl.ask((rule.rule, "arguments"), client.get, much_longer).status_code == 414

    assert not crawl.found, crawl.found
    assert resident_memory() - before < MOST_KEPT


def test_no_form_costs_much_on_any_route(site, clients, public, some_of):  # noqa: F811
    app, city = site
    clear_limits(app)
    crawl, before = Crawl(), resident_memory()
    for turn, rule in enumerate(rules_of(app)):
        if "POST" not in rule.methods:
            continue
        path = path_of(app, rule, city, public)
        client = client_for(app, rule, clients)
        headers = {"X-CSRFToken": token_of(client)} if policy_of(app, rule).roles else {}
        for name, (body, kind) in some_of(BODIES.items(), turn, shares=6):
            crawl.ask((rule.rule, name, "stranger"), app.test_client().post, path, data=body, content_type=kind)
            crawl.ask((rule.rule, name), client.post, path, data=body, content_type=kind, headers=headers)

    assert not crawl.found, crawl.found
    assert resident_memory() - before < MOST_KEPT


def files_to_send():
    """Yield the name and a maker of each file that costs, whatever it claims to be."""
    yield from ((f"photo: {name}", make) for name, make in TOO_COSTLY.items())
    yield from ((f"workbook: {name}", make) for name, make in WORKBOOKS.items())
    yield from ((f"document: {name}", lambda content=content: content) for name, content in DOCUMENTS.items())


@pytest.mark.long
def test_no_file_costs_much_on_any_route(site, clients, public):  # noqa: F811
    app, city = site
    clear_limits(app)
    crawl, before = Crawl(), resident_memory()
    for name, make in files_to_send():
        content = make()
        for rule in rules_of(app):
            takes_files = policy_of(app, rule).largest_body is not None or rule.endpoint == "staff.freeze"
            if "POST" not in rule.methods or not takes_files:
                continue
            path, client = path_of(app, rule, city, public), client_for(app, rule, clients)
            headers = {"X-CSRFToken": token_of(client)} if policy_of(app, rule).roles else {}
            for kind in ("rules", "questionnaire"):
                files = [(field, content) for field in ("photo", "q25", "file")]
                body = multipart({"kind": kind, "text": "电梯"}, files)
                crawl.ask((rule.rule, name), client.post, path, data=body, content_type=FORM, headers=headers)

    assert not crawl.found, crawl.found
    assert resident_memory() - before < 2 * MOST_KEPT


STRANGERS = ["0", "20000000000000000001", "9" * 900, "a.b.c", "z" * 40]


@pytest.mark.parametrize("route", ["/s/{}", "/c/{}", "/c/{}/check", "/c/{}/edit", "/c/{}/support"])
def test_a_form_of_somebody_without_a_code_is_not_even_read(client, sqlite_database, monkeypatch, route):
    now = datetime.now(UTC)
    poster_that_asks_for_photos(sqlite_database)
    with sqlite_database.writing() as session:
        revoked = issue_poster_code(session, community=make_community(session), now=now - timedelta(days=2))
        revoke_code(session, code=revoked, now=now)
        token = revoked.token
    monkeypatch.setattr(uploads, "BoundedFile", None)
    monkeypatch.setattr(DecoderPool, "decode", None)
    for stranger in [*STRANGERS, token]:
        data = {"key": "a", "text": "电梯", "photo": (io.BytesIO(saved(picture())), "a.jpg")}
        data["q25"] = (io.BytesIO(saved(picture())), "b.jpg")
        assert client.post(route.format(stranger), data=data).status_code in {404, 410, 414}


def test_a_form_after_the_round_decodes_nothing(client, sqlite_database, monkeypatch):
    token = poster_that_asks_for_photos(sqlite_database)
    key = Page(client.get(f"/s/{token}")).given["key"][0]
    with sqlite_database.writing() as session:
        session.execute(update(Round).values(closes_at=datetime.now(UTC) - timedelta(hours=1)))
    monkeypatch.setattr(DecoderPool, "decode", None)

    for sent in (key, "altered"):
        data = {"key": sent, "q01": "4", "q16": "1", "q25": (io.BytesIO(saved(picture())), "a.jpg")}
        assert client.post(f"/s/{token}", data=data).status_code == 409


@pytest.mark.parametrize("name", [*TOO_COSTLY, *ODD_BUT_BOUNDED])
def test_words_and_answers_survive_any_photo(client, sqlite_database, name):
    token = poster_that_asks_for_photos(sqlite_database)
    content = (TOO_COSTLY | ODD_BUT_BOUNDED)[name]()
    key = Page(client.get(f"/s/{token}")).given["key"][0]

    answers = multipart({"key": key, "q01": "4", "q16": "1"}, [("q25", content)])
    assert client.post(f"/s/{token}", data=answers, content_type=FORM).status_code == 303
    complaint = multipart({"text": "电梯停了三天"}, [("photo", content)])
    page = client.post(f"/c/{token}/check", data=complaint, content_type=FORM)
    assert page.status_code == 400
    assert "电梯停了三天" in page.text


def test_the_resident_is_told_why_a_photo_was_not_taken(client, sqlite_database):
    token = poster_that_asks_for_photos(sqlite_database)
    client.environ_base["HTTP_ACCEPT_LANGUAGE"] = "zh-CN"
    page = client.post(f"/c/{token}/check", data={"text": "电梯", "photo": (io.BytesIO(of_many_scans(200)), "a.jpg")})

    assert "有一张照片的存储格式特殊，打开耗时过长，没有收下。您写的内容都在。" in page.text


def test_addresses_that_differ_do_not_fill_the_memory(client, sqlite_database):
    token = poster_that_asks_for_photos(sqlite_database)
    before = resident_memory()
    for number in range(700):
        assert client.get(f"/s/{token}", query_string=f"a={number}{'b' * 4000}").status_code == 200

    assert resident_memory() - before < MOST_KEPT
    BLANK_PAGES.clear()


def list_of_communities(count, suffix=""):
    header = "小区编号,小区名称,区,物业公司,交付户数,入住户数,业主户数"
    rows = [f"XQ{number:05},幸福家园{number}{suffix},城区,物业{number % 50}" for number in range(count)]
    return "\n".join([header, *(f"{row},500,450,400" for row in rows)]).encode()


@pytest.mark.parametrize("suffix", ["", "改"])
def test_an_import_holds_up_residents_with_a_few_statements_alone(app, sqlite_database, monkeypatch, suffix):
    now, count = datetime.now(UTC), 3000
    with sqlite_database.writing() as session:
        make_account(session, "city", now=now)
        if suffix:
            import_communities(session, table=read_communities(list_of_communities(count), "a.csv"))
    client, database = signed_in_client(app, "city"), app.extensions["jiayuan"].database

    def post(path, **fields):
        token = csrf_token(client.get("/staff/communities/import"))
        assert client.post(path, data={"csrf_token": token, **fields}).status_code == 303

    def work():
        assert worker(database, clock=lambda: datetime.now(UTC), secret_key="key", schedule=()).run_due_jobs()

    post("/staff/communities/import", file=(io.BytesIO(list_of_communities(count, suffix)), "a.csv"))
    work()
    with database.reading() as session:
        shown = session.scalars(select(CommunityList.comparison_sha256)).one()
    post("/staff/communities/import/list/confirm", comparison=shown)
    is_writing, statements, computed = [], [], []
    event.listen(database.engine, "begin", lambda _connection: is_writing.append(True))
    event.listen(database.engine, "commit", lambda _connection: is_writing.clear())
    event.listen(database.engine, "before_cursor_execute", lambda *given: statements.append(given[2]))
    sort_key = community_imports.sort_key
    monkeypatch.setattr(community_imports, "sort_key", lambda name: computed.append(bool(is_writing)) or sort_key(name))

    work()

    assert len(computed) >= count
    assert not any(computed), "read, compared and put in order before the lock"
    assert len(statements) <= 45


def test_forms_that_were_rendered_are_kept_up_to_so_many_bytes():
    class Page:
        def __init__(self, size):
            self.size_in_bytes = size

    kept = SizedCache(most=10_000, size_of=attrgetter("size_in_bytes"), entries=50)
    for number in range(2000):
        page = kept.get_or_make(number, lambda size=number % 900: Page(size))
        assert page.size_in_bytes == number % 900
        assert kept.get_or_make(number, lambda: Page(0)) is page
        sizes = [value.size_in_bytes for value in kept._values.values()]
        assert (len(sizes) <= 50, sum(sizes) <= 10_000, sum(sizes)) == (True, True, kept._kept)
    others = dict(kept._values)
    kept.get_or_make("huge", lambda: Page(10_001))
    assert dict(kept._values) == others
    assert BLANK_PAGES._most <= 32 * 2**20


def test_the_cache_of_reads_keeps_so_many_bytes(sqlite_database, monkeypatch):
    class Large:
        size_in_bytes = 1000

    monkeypatch.setattr(commit_cache, "MOST_BYTES", 10_000)
    cache = commit_cache.CommitCache(sqlite_database)
    for number in range(100):
        cache.get_or_read(number, lambda _session: Large())
        cache.get_or_read("k" * 3000 + str(number), lambda _session: 1)
        assert (
            sum(len(str(key)) + getattr(found, "size_in_bytes", 0) for key, (_, found) in cache._found.items())
            <= 10_000
        )


def test_searches_that_find_nothing_do_not_fill_the_memory():
    kept = SizedCache(most=1000, size_of=len)
    for number in range(5000):
        kept.get_or_make((number, "a"), list)
        kept.get_or_make((number, "b" * 100_000), list)

    assert len(kept._values) <= 256
    assert len(json.dumps([str(key) for key in kept._values])) < 100_000
