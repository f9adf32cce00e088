"""An open round: whatever residents answer, no page, file, callback or refusal looks different.

Two sites are the same but for what was answered. Whoever could tell one from the other by anything that the site sends
could tell what a neighbour answered, by looking before and after, with as many accomplices as they like.
"""

import json
import re
import shutil
from datetime import UTC, datetime, timedelta
from http import HTTPStatus
from random import Random
from unittest.mock import patch

import pytest
from sqlalchemy import select, update

from dashboards.app import PAGES
from survey_app.accounts.policies import PUBLIC, policy_of
from survey_app.config import Config
from survey_app.evaluations.evaluate_round import evaluate_round
from survey_app.evaluations.evaluation_jobs import ask_for_evaluation
from survey_app.evaluations.publications import publish_evaluation
from survey_app.models import Response, Round
from survey_app.models.vocabulary import Role
from survey_app.responses.integrity_reviews import examine_round
from survey_app.responses.receipts import sign_receipt
from survey_app.security.check_digits import RECEIPT_DIGITS, new_number
from survey_app.storage.database import Database
from tests.accounts import SECRET_KEY, csrf_token, make_account, signed_in_client
from tests.conftest import site_on
from tests.dashboards.test_app import Browser
from tests.factories import make_community, make_district, make_poster_code, make_response, make_round

NOW = datetime.now(UTC).replace(microsecond=0)
OPEN_SINCE, OPEN_UNTIL = NOW - timedelta(days=5), NOW + timedelta(days=5)
# What differs from one moment to the next: signed keys, the time of day, and the check codes of the audit chain.
MOMENTARY = re.compile(r"(?<=value=\")[^\"]{20,}|[\w\-]{12,}(?:\.[\w\-]+){2,}|\b\d\d?:\d\d\b")
CHAIN = re.compile(r"\b[0-9a-f]{8,}\b")

# What is answered instead, of each answer: the opposite, no opinion, somebody else's tenure, what nobody else says.
CONTENTS = {
    "all are satisfied": lambda _random, _number: {"q01": 5, "q17": 2, "q16": 1},
    "all complain": lambda _random, _number: {"q01": 1, "q17": 1, "q18": 1, "q19": [1, 2, 5], "q20": 3, "q16": 1},
    "none is valid": lambda _random, _number: {"q01": 9, "q16": 1},
    "tenants answer": lambda _random, _number: {"q01": 4, "q16": 2},
    "one says otherwise": lambda _random, number: {"q01": 1 if number == 7 else 5, "q16": 1, "q24": f"电梯{number}"},
    "all say the same": lambda _random, _number: {f"q{key:02}": 5 for key in range(1, 16)} | {"q16": 1},
    "anything": lambda random, _number: {
        **{f"q{key:02}": random.choice([1, 2, 3, 4, 5, 9]) for key in range(1, 16)},
        "q16": random.choice([1, 2, 3]),
        "q23": random.choice([1, 2, 8]),
    },
}


@pytest.fixture(scope="module")
def stored(_sqlite_template, tmp_path_factory):
    """A database with a published round, an open one with a preview of an earlier version, and accounts."""
    folder = tmp_path_factory.mktemp("open-round")
    shutil.copy(_sqlite_template, folder / "jiayuan.sqlite3")
    with Database(f"sqlite:///{folder / 'jiayuan.sqlite3'}") as database:
        return folder / "jiayuan.sqlite3", _fill(database)


def _fill(database):
    with database.writing() as session:
        closed = make_round(session, opens_at=NOW - timedelta(days=90), closes_at=NOW - timedelta(days=60))
        opened = make_round(session, opens_at=OPEN_SINCE, closes_at=NOW - timedelta(days=1))
        district = make_district(session)
        communities = [make_community(session, district=district) for _ in range(3)]
        codes = [make_poster_code(session, community) for community in communities]
        receipt = new_number(RECEIPT_DIGITS)
        for survey_round, day, sizes in ((closed, 80, (40, 12, 1)), (opened, 3, (25, 9, 1))):
            for community, code, size in zip(communities, codes, sizes, strict=True):
                for number in range(size):
                    make_response(
                        session,
                        survey_round,
                        community,
                        code_id=code.id,
                        answers={"q01": 1 + number % 5},
                        submitted_at=NOW - timedelta(days=day, seconds=20 * number),
                        started_at=NOW - timedelta(days=day, seconds=20 * number + 9),
                    )
        make_response(session, opened, communities[0], code_id=codes[0].id, receipt=receipt, submitted_at=NOW)
        bound = {Role.DISTRICT: {"district": district}, Role.CLERK: {"district": district}}
        for role in Role:
            if role is not Role.COMPANY:
                make_account(session, str(role), now=NOW, **bound.get(role, {}))
        facts = {
            "round_id": opened.id,
            "month": f"{NOW:%Y-%m}",
            "community_id": communities[0].id,
            "mode": "paper",
            "token": codes[0].token,
            "name": "wuhai-2021-08-23.yaml",
            "reference": sign_receipt(receipt, secret_key=SECRET_KEY),
            "questionnaire_id": opened.questionnaire_id,
            "rule_file_id": opened.rule_file_id,
            "account_id": 1,
            "kind": "overview",
            # Of cases, which know no round.
            "sample_id": 1,
            "import_id": 1,
        }
    official = evaluate_round(database, round_id=closed.id, now=NOW)
    with database.writing() as session:
        publish_evaluation(session, evaluation_id=official.id, reason=None, now=NOW)
    # A preview as earlier versions made them of an open round: it counts less than the round.
    preview = evaluate_round(database, round_id=facts["round_id"], now=NOW, provisional=True)
    with database.writing() as session:
        session.execute(update(Round).where(Round.id == facts["round_id"]).values(closes_at=OPEN_UNTIL))
        # So long ago that its page says that it waits, however long all pages take.
        asked_at = NOW - timedelta(minutes=5)
        job = ask_for_evaluation(session, round_id=facts["round_id"], provisional=True, by="site", now=asked_at)
    return facts | {"evaluation_id": preview.id, "job_id": job}


@pytest.fixture
def site_where(stored, tmp_path):
    """Return the site as it sends everything when residents answered as one of `CONTENTS`."""
    path, facts = stored

    def look(answered):
        folder = tmp_path / answered.replace(" ", "-")
        folder.mkdir()
        shutil.copy(path, folder / "jiayuan.sqlite3")
        config = Config(
            instance=folder,
            database_url=f"sqlite:///{folder / 'jiayuan.sqlite3'}",
            secret_key=SECRET_KEY,
            public_url="http://127.0.0.1:8000",
            for_this_machine=True,
        )
        with Database(config.database_url) as database:
            _answer(database, facts["round_id"], CONTENTS[answered])
            # What the nightly job does.
            examine_round(database, round_id=facts["round_id"], now=NOW)
        # Figures of casework count to the last full ten minutes, whatever was answered.
        with site_on(config) as app, patch("survey_app.evaluations.dashboard_source.current_time", lambda: NOW):
            # Whatever can be asked for is asked for first, so that pages would show it.
            return {**_refusals(app, facts), **_pages(app, facts), **_callbacks(app)}

    return look


def _answer(database, round_id, content):
    random = Random(3)
    with database.writing() as session:
        ids = session.scalars(select(Response.id).filter_by(round_id=round_id).order_by(Response.id)).all()
        for number, response_id in enumerate(ids):
            answers = content(random, number)
            values = {"answers": json.dumps(answers, separators=(",", ":")), "tenure": answers["q16"]}
            session.execute(update(Response).where(Response.id == response_id).values(values))


def _clients(app):
    return {role: signed_in_client(app, str(role)) for role in Role if role is not Role.COMPANY}


def _pages(app, facts):
    """Return what each staff role gets from each address that it can open."""
    seen = {}
    rules = [rule for rule in app.url_map.iter_rules() if policy_of(app, rule) is not PUBLIC and "GET" in rule.methods]
    for role, client in _clients(app).items():
        for rule in rules:
            if not rule.rule.startswith("/staff/"):
                continue
            with app.test_request_context():
                values = {name: facts[name] for name in rule.arguments}
                address = app.url_map.bind("localhost").build(rule.endpoint, values)
            answer = client.get(f"{address}?lang=en")
            is_text = answer.mimetype.startswith("text/")
            text = MOMENTARY.sub("…", answer.text) if is_text else answer.mimetype
            seen[role, address] = (answer.status_code, CHAIN.sub("…", text) if rule.endpoint == "staff.audit" else text)
    return seen


def _callbacks(app):
    """Return what the dashboards draw, page by page, whatever evaluation is asked for."""
    seen = {}
    for role in (Role.CITY, Role.DISTRICT, Role.EVALUATOR):
        browser = Browser(app, client=signed_in_client(app, str(role)))
        for page in PAGES:
            for evaluation in ("", "&evaluation=2", "&evaluation=3", "&evaluation=99"):
                answer = browser.ask(f"?lang=zh-Hans{evaluation}", page=page.path)
                seen[role, page.path, evaluation] = (answer.status_code, answer.text)
        for search in ("?lang=en", "?lang=en&evaluation=2"):
            answer = browser.rows(search)
            seen[role, "rows", search] = (answer.status_code, answer.text)
    return seen


def _refusals(app, facts):
    """Return what the city and a district read when they ask for what is not to be had yet."""
    seen = {}
    for role in (Role.CITY, Role.DISTRICT):
        client = signed_in_client(app, str(role))
        for address, data in (
            (f"/staff/rounds/{facts['round_id']}/evaluations", {"kind": "official"}),
            (f"/staff/rounds/{facts['round_id']}/evaluations", {"kind": "provisional"}),
            (f"/staff/rounds/{facts['round_id']}/examinations", {}),
            (
                f"/staff/rounds/{facts['round_id']}/reviews",
                {"decision": "released", "reason": "核实"},
            ),
        ):
            sent = {"csrf_token": csrf_token(client.get("/staff/")), **data}
            answer = client.post(address, data=sent, follow_redirects=True)
            seen[role, address, str(data)] = (answer.status_code, MOMENTARY.sub("…", answer.text))
    return seen


@pytest.fixture(scope="module")
def remembered():
    """What was seen in the first of the sites."""
    return {}


@pytest.mark.parametrize("answered", list(CONTENTS))
def test_nothing_that_staff_see_of_an_open_round_depends_on_what_was_answered(site_where, remembered, answered):
    seen = site_where(answered)
    first = remembered.setdefault("first", seen)

    assert seen.keys() == first.keys()
    assert [_difference(what, seen[what], first[what]) for what in seen if seen[what] != first[what]] == []


def _difference(what, one, other):
    """Return where two answers begin to differ."""
    place = next((place for place, (a, b) in enumerate(zip(str(one), str(other), strict=False)) if a != b), 0)
    return what, str(one)[max(0, place - 80) : place + 80], str(other)[max(0, place - 80) : place + 80]


def test_what_is_compared_is_there_and_shows_the_collection(site_where):
    seen = site_where("anything")

    opened = {what: shown for what, shown in seen.items() if shown[0] == HTTPStatus.OK}
    assert len(opened) > 60
    assert "26" in opened[Role.CITY, "/staff/"][1]
    assert "收集" in json.loads(seen[Role.DISTRICT, "collection/", ""][1])["response"]["content"].__str__()
    assert all(shown[0] != HTTPStatus.INTERNAL_SERVER_ERROR for shown in seen.values())
    # The preview of an earlier version is nowhere to be found.
    assert seen[Role.CITY, "/staff/evaluations/2/standings.csv"][0] == HTTPStatus.NOT_FOUND
