"""Whatever an address, a query, a form or a body holds, the answer is no failure of the server."""

import json
from urllib.parse import quote

import pytest
from sqlalchemy import select

from survey_app.accounts.policies import policy_of
from survey_app.config import Config
from survey_app.models import Response
from survey_app.models.vocabulary import Role
from survey_app.responses.receipts import sign_receipt
from survey_app.web.query_names import _BY_BEGINNING
from tests.accounts import SECRET_KEY, csrf_token, make_account, signed_in_client
from tests.attacks.hostile_values import FOREIGN_NAMES, HOSTILE, field_names, paths_with, written
from tests.conftest import site_on
from tests.factories import make_community, make_poster_code, make_round_around
from tests.survey_app.app.test_policies import CITYWIDE, LEAVING, PLACED, PLACED_BY_FORM, clients, site  # noqa: F401
from tests.survey_app.responses.test_survey_views import ANSWERS, Page

NAMES = sorted({"lang", "text"}.union(*_BY_BEGINNING.values()))
FIELDS = field_names()
URLENCODED = "application/x-www-form-urlencoded"


@pytest.fixture(autouse=True)
def no_pause(site):  # noqa: F811
    """More is asked here within a minute than a person can read."""
    app, _city = site
    for limiter in app.extensions["limiter"]:
        limiter.enabled = False


def example_arguments(rule, city):
    if rule.endpoint in PLACED:
        return PLACED[rule.endpoint](city["own"])
    if rule.endpoint in CITYWIDE:
        return CITYWIDE[rule.endpoint](city)
    reference = sign_receipt(city["own"]["receipt"], secret_key=SECRET_KEY)
    known = {
        "reference": reference,
        "number": city["own"]["receipt"],
        "token": city["own"]["token"],
        "filename": "site.css",
        "package_name": "dash",
        "fingerprinted_path": "dcc/dash_core_components.js",
        "path": "criterion/",
    }
    return {name: known[name] for name in rule.arguments}


def visitors(app, rule, clients, turn=0):  # noqa: F811
    """Return who comes to a route: of the accounts that its policy lets in one after another, or a stranger."""
    allowed = [role for role in Role if role in policy_of(app, rule).roles]
    if not allowed:
        return {"stranger": app.test_client()}
    role = allowed[turn % len(allowed)]
    return {role: clients[role]}


def failures(answers):
    return [(who, what, status) for who, what, status in answers if status >= 500]


def rules_of(app):
    return [rule for rule in app.url_map.iter_rules() if rule.endpoint not in LEAVING]


def test_hostile_arguments_of_addresses(site, clients, some_of):  # noqa: F811
    app, city = site
    answers = []
    for place, rule in enumerate(rules_of(app)):
        if rule.arguments:
            paths = list(paths_with(app, rule, example_arguments(rule, city)))
            for turn, path in enumerate(some_of(paths, place)):
                for who, client in visitors(app, rule, clients, turn).items():
                    method = "GET" if "GET" in rule.methods else "POST"
                    answers.append((who, (method, path[:200]), client.open(path, method=method).status_code))

    assert len(answers) > 250
    assert failures(answers) == []


def test_hostile_values_and_foreign_names_of_queries(site, clients, some_of):  # noqa: F811
    app, city = site
    answers = []
    for place, rule in enumerate(rules_of(app)):
        if "GET" not in rule.methods:
            continue
        path = next(paths_with(app, rule, example_arguments(rule, city)))
        queries = ["&".join(f"{name}={written(value)}" for name in NAMES) for value in some_of(HOSTILE, place)]
        queries += ["&".join(f"{quote(name)}={written(value)}" for name in FOREIGN_NAMES) for value in ("x", "/", "\0")]
        queries += ["&" * 50, "=", "a=b=c", "%", "lang=en;text=large", "lang=" + "x" * 3000]
        for turn, query in enumerate(queries):
            for who, client in visitors(app, rule, clients, turn).items():
                answers.append((who, (path, query[:200]), client.get(f"{path}?{query}").status_code))

    assert failures(answers) == []


def test_hostile_fields_of_forms(site, clients, some_of):  # noqa: F811
    app, city = site
    answers = []
    for place, rule in enumerate(rules_of(app)):
        if "POST" not in rule.methods or rule.rule.startswith("/dashboards/"):
            continue
        path = next(paths_with(app, rule, example_arguments(rule, city)))
        fields = PLACED_BY_FORM.get(rule.endpoint, lambda _place: {})(city["own"])
        tokens = {}
        for turn, value in enumerate(some_of(HOSTILE, place)):
            [(who, client)] = visitors(app, rule, clients, turn).items()
            # Each stranger comes with a browser of their own.
            if who == "stranger" or who not in tokens:
                tokens[who] = csrf_token(client.get("/sign-in" if who == "stranger" else "/staff/account"))
            everything = dict.fromkeys(FIELDS, value)
            forms = [everything, everything | fields, *(fields | {name: value} for name in fields)]
            for form in forms[: 1 if not fields else None]:
                body = "&".join(
                    f"{name}={written(text)}" for name, text in (form | {"csrf_token": tokens[who]}).items()
                )
                status = client.post(path, data=body, content_type=URLENCODED).status_code
                answers.append((who, (path, value), status))

    assert len(answers) > 125
    assert failures(answers) == []


def test_bodies_that_are_not_what_they_say(site, clients):  # noqa: F811
    app, city = site
    bodies = [
        (b"\xff\xfe\0", URLENCODED),
        (b"&=&==&%&%z=%", URLENCODED),
        (b"{}", "application/json"),
        (b"[" * 20_000, "application/json"),
        (b'--x\r\nContent-Disposition: form-data; name="a\0"\r\n\r\n\0\r\n--x--', "multipart/form-data; boundary=x"),
        (b"--x\r\nnonsense", "multipart/form-data; boundary=x"),
        (b"x", "multipart/form-data"),
        (b"x", 'multipart/form-data; boundary="\xff"'),
        (b"x", "multipart/form-data; boundary=" + "y" * 300),
        (b"x", "text/plain; charset=nonsense"),
        (b"a=%FF", URLENCODED + "; charset=utf-7"),
        (b"", ""),
    ]
    answers = []
    for rule in rules_of(app):
        if "POST" in rule.methods:
            path = next(paths_with(app, rule, example_arguments(rule, city)))
            for who, client in visitors(app, rule, clients).items():
                for body, kind in bodies:
                    answers.append((who, (path, kind), client.post(path, data=body, content_type=kind).status_code))

    assert failures(answers) == []


@pytest.mark.parametrize(
    "method", ["HEAD", "OPTIONS", "PUT", "DELETE", "PATCH", "TRACE", "CONNECT", "GE T", "get", "名"]
)
def test_methods_that_no_page_takes(site, clients, method):  # noqa: F811
    app, city = site
    answers = []
    for rule in rules_of(app):
        path = next(paths_with(app, rule, example_arguments(rule, city)))
        for who, client in visitors(app, rule, clients).items():
            answers.append((who, (path, method), client.open(path, method=method).status_code))

    assert failures(answers) == []


HEADERS = [
    {"Host": "evil.example"},
    {"Host": "a b\0"},
    {"Host": ""},
    {"Host": "[::1"},
    {"Accept-Language": "x" * 4000},
    {"Accept-Language": "en;q=nan, zh;q=-1, *;q=1e999, ;;;=,"},
    {"Accept-Encoding": "gzip;q=nan,,;"},
    {"Cookie": "session=" + "x" * 3000},
    {"Cookie": "session=\xff; ;=;session"},
    {"If-None-Match": '"\xff", W/"'},
    {"If-Modified-Since": "Thu, 99 Foo 99999"},
    {"Range": "bytes=-99999999999999999999999"},
    {"Range": "bytes=5-1,,x"},
    {"X-Forwarded-For": "unknown, \xff"},
    {"X-HTTP-Method-Override": "DELETE"},
    {"Content-Length": "x"},
    {"User-Agent": "\xff" * 2000},
]


@pytest.mark.parametrize("headers", HEADERS, ids=str)
def test_headers_that_are_not_what_they_say(site, headers):  # noqa: F811
    app, city = site
    answers = []
    for rule in rules_of(app):
        path = next(paths_with(app, rule, example_arguments(rule, city)))
        for method in rule.methods & {"GET", "POST"}:
            client = app.test_client(use_cookies="Cookie" not in headers)
            answers.append(("stranger", (path, method), client.open(path, method=method, headers=headers).status_code))

    assert failures(answers) == []


def callbacks(client):
    """Return the callbacks of the dashboards as its renderer sends them, with values of the right kind."""
    values = {"address.pathname": "/dashboards/", "address.search": "?lang=en", "drawn.data": ""}
    for each in client.get("/dashboards/_dash-dependencies").get_json():
        if each["clientside_function"] is None:
            described = [
                [{**part, "value": values.get(f"{part['id']}.{part['property']}")} for part in each[kind]]
                for kind in ("inputs", "state")
            ]
            names = each["output"].strip(".").split("...")
            outputs = [dict(zip(("id", "property"), name.rsplit(".", 1), strict=True)) for name in names if "." in name]
            yield {
                "output": each["output"],
                "outputs": outputs if each["output"].startswith("..") else (outputs or [None])[0],
                "inputs": described[0],
                "state": described[1],
                "changedPropIds": [],
            }


WRONG = (
    None, 0, -1, 2**63, 10**400, 1.5, float("nan"), float("inf"), True, "", "²", "\0", "\ud800", "../..", "x" * 5000,
    [], [[]], [None], {}, {"startRow": "x"}, {"startRow": 0, "endRow": 2**53, "sortModel": [{}]},
    {"startRow": -5, "endRow": None}, {"startRow": 0, "endRow": 5, "sortModel": "x"},
    {"startRow": 0, "endRow": 5, "sortModel": [{"sort": [], "colId": {}}]},
    {"startRow": 0, "endRow": 5, "sortModel": [{"sort": "desc", "colId": "id; --"}]},
    "?evaluation=" + "9" * 300, "?evaluation=²&region=\0", "?sort=-,-,name&least=９", "?what_if=minimum_responses:²",
)  # fmt: skip


def test_malformed_requests_of_the_dashboards(clients, some_of):  # noqa: F811
    client = clients[Role.CITY]
    client.get("/dashboards/")
    headers = {"X-CSRFToken": client.get_cookie("_csrf_token", path="/dashboards/").value}
    known = list(callbacks(client))
    right = [post_callback(client, headers, body) for body in known]
    answers = []
    for turn, body in enumerate(known):
        changed = [{**body, part: value} for part in body for value in WRONG[:12]]
        changed += [{name: value for name, value in body.items() if name != part} for part in body]
        for part in ("inputs", "state"):
            for place, described in enumerate(body[part]):
                for name in (*described, "other"):
                    for value in some_of(WRONG, turn + place, shares=3) if name == "value" else WRONG[:6]:
                        parts = list(body[part])
                        parts[place] = {**described, name: value}
                        changed.append({**body, part: parts})
                changed.append({**body, part: body[part][:place]})
                changed.append({**body, part: body[part] * 2})
        answers += [("city", str(each)[:300], post_callback(client, headers, each)) for each in changed]
    answers += [("city", str(each)[:300], post_callback(client, headers, each)) for each in WRONG]
    nested = "[" * 50_000 + "]" * 50_000
    for body in (b"", b"{", b"\xff", b"nul", b'{"output":1e999}', nested.encode(), b"9" * 9000):
        answers.append(("city", body[:20], post_callback(client, headers, body)))

    assert known
    assert set(right) <= {200, 204}
    assert len(answers) > 500
    assert failures(answers) == []


def post_callback(client, headers, body):
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    path = "/dashboards/_dash-update-component"
    return client.post(path, data=content, content_type="application/json", headers=headers).status_code


def test_a_page_of_another_version_of_the_dashboards_is_refused_and_not_failed(clients):  # noqa: F811
    client = clients[Role.CITY]
    client.get("/dashboards/")
    headers = {"X-CSRFToken": client.get_cookie("_csrf_token", path="/dashboards/").value}
    body = {"output": "gone.children", "outputs": {"id": "gone", "property": "children"}, "inputs": [], "state": []}

    assert post_callback(client, headers, body) == 409


@pytest.mark.parametrize(
    "path",
    [
        "dash/no.js",
        "nothing/no.js",
        "dash/../../etc/passwd",
        "dash/dcc/async-nothing.v1m1.js",
        "sys/x",
        "dash/.",
        "dash_ag_grid/%00",
        "plotly/package_data/plotly.min.js.map",
    ],
)
def test_a_file_that_no_component_has_is_not_found(clients, path):  # noqa: F811
    answer = clients[Role.CITY].get(f"/dashboards/_dash-component-suites/{path}")

    assert answer.status_code == 404
    assert f"/{path}" not in answer.text


def test_the_character_that_no_word_holds_is_stored_nowhere_and_fails_nothing(database, tmp_path, now):
    with database.writing() as session:
        make_round_around(session, now)
        token = make_poster_code(session, make_community(session, name="滨河家园")).token
        make_account(session, "city", now=now)
    config = Config(
        instance=tmp_path,
        database_url=database.url.render_as_string(hide_password=False),
        secret_key=SECRET_KEY,
        public_url="http://127.0.0.1:8000",
        for_this_machine=True,
    )
    with site_on(config) as app:
        client = app.test_client()
        key = Page(client.get(f"/s/{token}")).given["key"][0]
        sent = client.post(f"/s/{token}", data=ANSWERS | {"key": key, "q24": "电\0梯", "\0": "\0"})
        statuses = [
            client.get(f"/s/{token}%00").status_code,
            client.get("/complaint/%00?lang=%00").status_code,
            signed_in_client(app, "city").get("/staff/communities?search=%00%00").status_code,
            signed_in_client(app, "city").get("/staff/codes/%00.svg").status_code,
            signed_in_client(app, "city").get(f"/staff/audit?action=%00&page={2**64}").status_code,
        ]

    assert sent.status_code == 303
    assert statuses == [404, 404, 200, 404, 200]
    with database.reading() as session:
        assert "电梯" in session.scalar(select(Response.answers))
