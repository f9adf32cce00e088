"""A city in which a test chooses every word that people type, and every page that shows them."""

import json
from datetime import UTC, datetime, timedelta

import yaml
from playwright.sync_api import expect
from sqlalchemy import select

from dashboards.app import PAGES
from survey_app.accounts.credentials import credentials_of
from survey_app.accounts.policies import policy_of
from survey_app.complaints.case_addresses import sign_case
from survey_app.complaints.case_secrets import hash_secret
from survey_app.config import DATA
from survey_app.evaluations.evaluate_round import evaluate_round
from survey_app.hotline.import_files import LEDGERS
from survey_app.hotline.import_files import keep_file as keep_ledger
from survey_app.hotline.ledger_jobs import ledger_jobs
from survey_app.jobs.worker import Worker
from survey_app.models import Account, Community, CommunityList, HotlineImport, Publication, ResponseReview
from survey_app.models.vocabulary import ListStatus, Role
from survey_app.register.communities_file import read_communities
from survey_app.register.community_imports import import_communities
from survey_app.register.kept_lists import keep_list
from survey_app.register.list_jobs import LIST_JOBS
from survey_app.responses.integrity_reviews import examine_round
from survey_app.responses.receipts import sign_change, sign_receipt
from survey_app.rounds.questionnaires import parse_questionnaire
from survey_app.rounds.rounds import add_rule_file, publish_questionnaire
from survey_app.web.context import SITE_EXTENSION
from tests.accounts import SECRET_KEY, make_account, signed_in_client
from tests.factories import (
    give_to_company,
    make_appeal,
    make_call_back,
    make_closed_case,
    make_complaint,
    make_photo,
    make_poster_code,
    make_response,
    make_round,
)
from tests.survey_app.hotline.ledgers import csv_of
from tests.survey_app.hotline.ledgers import row as ledger_row
from tests.survey_app.register.test_communities_file import HEADER

SECRET = "100000000001"
WALKERS = (Role.CITY, Role.CLERK, Role.ADMINISTRATOR, Role.COMPANY)
ANSWERS_EACH = 31


def fill_city(database, *, words="", now=None):
    """Fill a city in which `words` stand in every name and every text; return what its addresses need."""
    now = now or datetime.now(UTC).replace(microsecond=0)
    with database.writing() as session:
        import_communities(session, table=read_communities(_communities(words), "communities.csv"))
        questionnaire = publish_questionnaire(session, definition=_questionnaire(words), now=now)
        rule_file = add_rule_file(session, content=_rules(words), source="rules.yaml", now=now)
        frozen = {"questionnaire": questionnaire, "rule_file": rule_file}
        closed, opened = (
            make_round(
                session,
                name=f"{name}{words}",
                english_name=f"{english}{words}",
                opens_at=now - timedelta(days=first),
                closes_at=now - timedelta(days=last),
                **frozen,
                evaluator=f"评估{words}",
            )
            for name, english, first, last in (("上一轮", "Last round", 40, 10), ("本轮", "This round", 5, -5))
        )
        communities = _stored_communities(session)
        codes = [make_poster_code(session, community) for community in communities]
        for number in range(ANSWERS_EACH * len(communities)):
            community, code = communities[number % len(communities)], codes[number % len(communities)]
            answers = {"q01": 3 + number % 3, "q16": 1, "q24": f"电梯{words}"}
            made = {"code_id": code.id, "answers": answers, "submitted_at": now - timedelta(days=20)}
            response = make_response(session, closed, community, **made)
        latest = make_response(session, opened, communities[0], code_id=codes[0].id, submitted_at=now)
        complaint = make_complaint(
            session,
            communities[0],
            text=f"电梯停了{words}",
            place=f"3号楼{words}"[:60],
            code_id=codes[0].id,
            submitted_at=now - timedelta(days=20),
        )
        given = make_complaint(
            session, communities[0], text=f"灯坏了{words}", code_id=codes[0].id, submitted_at=now - timedelta(hours=2)
        )
        photo = make_photo(session, given)
        give_to_company(session, given, photos=[photo.name], text=f"灯坏了{words}", now=now - timedelta(hours=1))
        called_case = make_closed_case(
            session,
            communities[0],
            text=f"水管漏水{words}",
            code_id=codes[0].id,
            secret_key=SECRET_KEY,
            submitted_at=now - timedelta(days=20),
        )
        bound = {Role.CLERK: {"community": communities[0]}, Role.COMPANY: {"company": communities[0].company}}
        accounts = {role: make_account(session, str(role), now=now, **bound.get(role, {})) for role in WALKERS}
        called = make_call_back(session, called_case, outcome="not_reached", at=now)
        make_appeal(session, given, text=f"不属于物业职责{words}", now=now)
        complaint.secret_hash = hash_secret(SECRET, reference=complaint.reference, secret_key=SECRET_KEY)
        facts = {
            "round": closed.id,
            "questionnaire": questionnaire.id,
            "community": communities[0].id,
            "clerk": accounts[Role.CLERK].id,
            "number": communities[0].number,
            "token": codes[0].token,
            "receipt": sign_receipt(latest.receipt, secret_key=SECRET_KEY),
            "own_receipt": sign_change(latest.receipt, secret_key=SECRET_KEY, now=datetime.now(UTC)),
            "receipt_number": latest.receipt,
            "complaint": complaint.reference,
            "given_complaint": given.reference,
            "called_complaint": called_case.reference,
            "sample": called.sample_id,
        }
    _compare_a_list(database, accounts[Role.CITY].id, words)
    facts["hotline_file"] = _import_a_ledger(database, accounts[Role.CITY].id, words)
    examine_round(database, round_id=closed.id, now=now)
    evaluation_id = evaluate_round(database, round_id=closed.id, now=now).id
    with database.writing() as session:
        session.add(Publication(evaluation_id=evaluation_id, reason=f"理由{words}", published_at=now))
        decided = {"reason": f"理由{words}", "account_id": accounts[Role.CITY].id, "at": now}
        session.add(ResponseReview(response_id=response.id, state="released", families="burst, haste", **decided))
    return facts


def _compare_a_list(database, account_id, words):
    """Let a list wait for its confirmation that has a new district and a row that is not read."""
    cells = ["1503020003", f"新苑{words}", "", f"新区{words}", "", f"物业{words}", "", "100", "80", "60"]
    quoted = ",".join('"{}"'.format(cell.replace('"', '""')) for cell in cells)
    content = f"{HEADER}\r\n{quoted}\r\n合计\r\n".encode()
    given = {"name": f"名单{words}.csv", "source": f"来源{words}", "headers": {}, "content": content}
    with database.writing() as session:
        keep_list(session, account_id=account_id, now=datetime.now(UTC), **given)
    Worker(database, LIST_JOBS, lambda: datetime.now(UTC)).run_due_jobs()
    with database.reading() as session:
        assert session.get(CommunityList, account_id).status == ListStatus.COMPARED


def _import_a_ledger(database, account_id, words):
    """Import a file of the hotline with a case that does not count, and a row whose community is undecided."""
    rows = [
        ledger_row(community="1503020001", category="咨询-电梯", text=f"电梯{words}", undertaker=f"承办{words}"[:200]),
        ledger_row(community=f"不知道{words}"[:200]),
    ]
    with database.writing() as session:
        import_id = keep_ledger(
            session, account_id=account_id, name=f"台账{words}.csv", content=csv_of(rows), now=datetime.now(UTC)
        )
    worker = Worker(database, ledger_jobs(SECRET_KEY), lambda: datetime.now(UTC))
    worker.run_due_jobs()
    with database.writing() as session:
        kept = session.get(HotlineImport, import_id)
        assert kept.status == ListStatus.COMPARED, kept.findings
        LEDGERS.confirm(
            session,
            import_id,
            comparison_sha256=kept.comparison_sha256,
            credentials=credentials_of(session.get(Account, account_id)),
            now=datetime.now(UTC),
        )
    worker.run_due_jobs()
    return import_id


def addresses(app, facts, role):
    """Return every address of a page that staff of this role can read."""
    with app.extensions[SITE_EXTENSION].database.reading() as session:
        holder = credentials_of(session.scalars(select(Account).filter_by(username=str(role))).one())
    opened = sign_change(facts["receipt_number"], secret_key=SECRET_KEY, holder=holder, now=datetime.now(UTC))
    placed = [
        f"/staff/rounds/{facts['round']}/reviews",
        f"/staff/questionnaires/{facts['questionnaire']}/preview",
        f"/staff/entry/{facts['community']}/paper",
        f"/staff/communities/{facts['community']}/contracts",
        f"/staff/accounts/{facts['clerk']}/place",
        f"/staff/receipts/{facts['receipt']}",
        f"/staff/receipts/{opened}",
        f"/staff/receipts/{opened}/correction",
        f"/staff/cases/{facts['complaint']}",
        f"/staff/cases/{facts['given_complaint']}",
        f"/staff/company-cases/{facts['given_complaint']}",
        f"/staff/hotline/imports/{facts['hotline_file']}",
        f"/staff/call-backs/{facts['sample']}",
        f"/staff/call-backs/{facts['sample']}/{facts['called_complaint']}",
    ]
    plain = [
        rule.rule
        for rule in app.url_map.iter_rules()
        if rule.endpoint.startswith(("staff.", "entry."))
        and "GET" in rule.methods
        and not rule.arguments
        and role in policy_of(app, rule).roles
    ]
    client = signed_in_client(app, str(role))
    answers = {path: client.get(path) for path in sorted([*plain, *placed])}
    return [path for path, answer in answers.items() if answer.status_code == 200 and answer.mimetype == "text/html"]


def dashboard_addresses(facts):
    """Return the address of every dashboard."""
    return [
        f"/dashboards/{page.path}" + (f"?community={facts['number']}" if page.path == "community/" else "")
        for page in PAGES
    ]


def public_addresses(facts):
    """Return the addresses of pages that residents and strangers read."""
    token, complaint = facts["token"], facts["complaint"]
    receipts = [f"/r/{facts['receipt']}", f"/r/{facts['receipt']}/change", f"/r/{facts['own_receipt']}"]
    cases = [f"/complaint/{part}" for part in (complaint, sign_case(complaint, secret_key=SECRET_KEY))]
    return ["/", f"/s/{token}", f"/s/{token}/privacy", f"/c/{token}", *cases, *receipts]


def sign_in_browser(page, app, address, role):
    """Give a browser the session of an account of this role."""
    cookie = signed_in_client(app, str(role)).get_cookie("session")
    # Whatever the page before still asks for would be answered with the session before.
    page.goto("about:blank")
    page.context.add_cookies([{"name": "session", "value": cookie.value, "url": address}])


def visit(page, address):
    """Open an address and wait until it is drawn."""
    page.goto(address)
    if "/dashboards/" in address:
        expect(page.locator("#content h2:visible").first).to_be_visible()


def _communities(words):
    def cell(text):
        return '"{}"'.format(text.replace('"', '""'))

    def named(number, name, english):
        texts = (f"{name}{words}", f"{english}{words}", f"海勃湾区{words}", f"Haibowan{words}", f"物业{words}")
        company, second = cell(f"Company{words}"), cell(f"ᠮᠣᠩᠭᠣᠯ{words}")
        parts = [cell(f"{part}{words}") for part in ("新华街道", "Xinhua", "新华社区", "Xinhua Neighbourhood")]
        return ",".join([number, *map(cell, texts), company, "100,80,60", second, *parts])

    rows = [named("1503020001", "滨河家园", "Binhe Homes"), named("1503020002", "学府花园", "Xuefu Garden")]
    return "\r\n".join([f"{HEADER},第二语言,街道,街道英文名,社区,社区英文名", *rows, ""]).encode()


def _stored_communities(session):
    return session.scalars(select(Community).order_by(Community.number)).all()


def _with_words(value, words):
    """Return a document with `words` behind every text that comes in two languages."""
    if isinstance(value, dict):
        is_text = value.keys() == {"zh-Hans", "en"}
        return {key: f"{part}{words}" if is_text else _with_words(part, words) for key, part in value.items()}
    return [_with_words(part, words) for part in value] if isinstance(value, list) else value


def _questionnaire(words):
    read = yaml.safe_load((DATA / "questionnaires" / "resident-satisfaction-1.yaml").read_text("utf-8"))
    # The notices stay: the names in their braces are checked.
    changed = _with_words({key: part for key, part in read.items() if key != "notice"}, words)
    changed["notice"] = read["notice"]
    return parse_questionnaire(json.dumps(changed, ensure_ascii=False).encode(), "questionnaire.yaml")


def _rules(words):
    read = yaml.safe_load((DATA / "rules" / "wuhai" / "2021-08-23.yaml").read_text("utf-8"))
    changed = _with_words(read, words)
    changed["source"] = {**read["source"], "issuer": f"{read['source']['issuer']}{words}"}
    return yaml.safe_dump(changed, allow_unicode=True, sort_keys=False).encode()
