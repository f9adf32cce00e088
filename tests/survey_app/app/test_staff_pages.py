"""The pages on which a bureau plans rounds and an administrator looks after accounts."""

import io
import itertools
import re
from datetime import UTC, datetime, timedelta

import pandas as pd
import pytest
from sqlalchemy import func, select

from survey_app.accounts.accounts import NewPassword, set_password
from survey_app.accounts.second_factor import seal_secret
from survey_app.accounts.staff_pages import ROLE_NAMES
from survey_app.app.audit_labels import ATTEMPT_NAMES, FACT_NAMES, SUBJECT_NAMES, VALUE_NAMES
from survey_app.app.audit_views import ACTION_NAMES, FAULT_NAMES
from survey_app.audit import OPERATOR, SITE, ChainFault, record, verify_chain
from survey_app.config import DATA, REPOSITORY
from survey_app.evaluations.evaluate_round import evaluate_round
from survey_app.models import (
    Account,
    AttemptCount,
    AuditEvent,
    Code,
    Community,
    District,
    Publication,
    Questionnaire,
    Round,
    RuleFile,
)
from survey_app.models.vocabulary import (
    Area,
    AuditAction,
    CaseAction,
    CaseEndReason,
    CaseStatus,
    Mode,
    ResponseChangeReason,
    ReviewState,
    Revocation,
    Role,
)
from survey_app.operations.scheduled_jobs import SCHEDULED_JOBS
from survey_app.register.communities_file import COLUMNS
from survey_app.rounds.round_changes import close_round_early
from tests.accounts import (
    AUTHENTICATOR,
    PASSWORD,
    SECRET_KEY,
    csrf_token,
    give_password,
    make_account,
    signed_in_client,
)
from tests.attacks.guesses import GUESSES
from tests.factories import make_community, make_district, make_job, make_poster_code, make_response, make_round
from tests.survey_app.register.test_communities_file import HEADER, ROWS, csv_file

NOW = datetime.now(UTC).replace(microsecond=0)
RULES = (DATA / "rules" / "wuhai" / "2021-08-23.yaml").read_bytes()


@pytest.fixture
def city(sqlite_database):
    """Two districts with a community each, and accounts of those who plan and of who administrates."""
    with sqlite_database.writing() as session:
        here = make_community(session, district=make_district(session, name="海勃湾区", english_name="Haibowan"))
        there = make_community(session, district=make_district(session, name="乌达区", english_name="Wuda"))
        make_account(session, "city", now=NOW)
        make_account(session, "district", district=here.district, now=NOW)
        make_account(session, "administrator", now=NOW)
        return {"here": here, "there": there}


def post(client, path, *, page="/staff/", **fields):
    """Send a form as the page would, with the token of its page."""
    return client.post(path, data={"csrf_token": csrf_token(client.get(page)), **fields})


def file(content, name):
    return (io.BytesIO(content), name)


def count(database, table):
    with database.reading() as session:
        return session.scalar(select(func.count()).select_from(table))


def freeze_templates(client):
    for name in ("wuhai-2021-08-23.yaml", "resident-satisfaction-1.yaml", "resident-satisfaction-2.yaml"):
        assert post(client, "/staff/documents", template=name).status_code == 303


def plan(city, **changes):
    quotas = {f"quota-{city[place].district_id}": "5" for place in ("here", "there")}
    return {
        "questionnaire": "1",
        "rules": "1",
        **quotas,
        "response_rate": "30",
        "satisfaction_rate": "80",
        "spread": "7",
        "name": "2099年调查",
        "opens": "2099-09-01",
        "last_day": "2099-09-30",
        "keep_until": "2100-09-30",
        "accepts": "poster",
        "step": "create",
        **changes,
    }


def test_every_standing_step_and_reason_in_the_record_has_words():
    recorded = (Area, ResponseChangeReason, CaseEndReason, Mode, ReviewState, Revocation, CaseStatus, CaseAction)

    assert {str(value) for kind in recorded for value in kind} <= VALUE_NAMES.keys()


def test_every_subject_in_the_record_has_words():
    source = "".join(path.read_text("utf-8") for path in (REPOSITORY / "survey_app").rglob("*.py"))
    recorded = set(re.findall(r'subject(?:, \w+)? ?= ?f?"(\w+)[:"]', source)) - {"visit"}

    assert {"round", "terminals", "slip_batch"} <= recorded <= SUBJECT_NAMES.keys()


@pytest.mark.usefixtures("city")
def test_in_chinese_the_record_shows_no_word_of_the_program(app, sqlite_database):
    facts = dict.fromkeys(FACT_NAMES, 1) | {
        "opens_at": NOW.isoformat(),
        "closes_at": NOW.isoformat(),
        "hour": NOW.isoformat(),
        "begins_at": NOW.isoformat(),
        "ends_at": NOW.isoformat(),
        "in_force_from": NOW.date().isoformat(),
        "kept_until": NOW.date().isoformat(),
        "is_reprint": True,
    }
    subjects = [f"{kind}:77" for kind in SUBJECT_NAMES]
    with sqlite_database.writing() as session:
        for action, subject in zip(AuditAction, itertools.cycle(subjects)):
            record(session, by=SITE, action=action, subject=subject, before={"state": "held"}, after=facts, now=NOW)

    page = signed_in_client(app, "city").get("/staff/audit").text
    told = re.sub(r"<[^>]*>", " ", page[page.index("<tbody>") : page.index("</tbody>")])
    assert set(re.findall(r"[A-Za-z_]{2,}", told)) <= {"city", "district", "administrator"}  # names of accounts


@pytest.mark.usefixtures("city")
def test_the_record_says_when_unusually_many_tries_fail(app, sqlite_database):
    client, now = signed_in_client(app, "city"), datetime.now(UTC)
    assert "可能有人在猜测" not in client.get("/staff/audit").text
    with sqlite_database.writing() as session:
        for scope, action in (("everywhere", "typed_number"), ("prefix", "password")):
            failures, expires_at = 4000.0, now + timedelta(days=1)
            values = {"failures": failures, "counted_at": now, "expires_at": expires_at}
            session.add(AttemptCount(key=scope, action=action, scope=scope, **values))

    page = client.get("/staff/audit").text

    assert "可能有人在猜测" in page
    assert re.search("办件编号: 全市近期输错[34][0-9]{3}次", page)
    assert "账号密码: 1个网络已限速" in page


def test_every_kind_of_try_that_is_slowed_has_words():
    assert {guess.limit.action for guess in GUESSES if guess.limit.prefix is not None} == ATTEMPT_NAMES.keys()


@pytest.mark.usefixtures("city")
def test_the_record_tells_its_particulars_in_words(app, sqlite_database):
    with sqlite_database.writing() as session:
        opened = make_round(session, opens_at=NOW - timedelta(days=3), closes_at=NOW + timedelta(days=3))
        close_round_early(session, round_id=opened.id, reason="停电", now=NOW)
    client = signed_in_client(app, "city")

    chinese, english = client.get("/staff/audit").text, client.get("/staff/audit?lang=en").text

    assert "结束时间" in chinese
    assert "closes at" in english
    assert "第二步 <strong>验证器</strong>" in chinese
    assert "second step <strong>authenticator</strong>" in english
    assert "role <strong>Administrator</strong>" in english
    assert "role <strong>District bureau</strong>" in english
    assert "closes_at" not in chinese + english


@pytest.mark.usefixtures("city")
def test_the_city_closes_a_round_early_and_the_page_says_why(app, sqlite_database):
    with sqlite_database.writing() as session:
        opened = make_round(session, opens_at=NOW - timedelta(days=3), closes_at=NOW + timedelta(days=3))
    client = signed_in_client(app, "city")

    refused = post(client, f"/staff/rounds/{opened.id}/closing", reason=" ")
    closed = post(client, f"/staff/rounds/{opened.id}/closing", reason="疫情防控")

    assert (refused.status_code, closed.status_code) == (409, 303)
    page = client.get("/staff/").text
    assert "提前结束：疫情防控" in page
    assert "立即结束本次调查" not in page


@pytest.mark.usefixtures("city")
def test_the_city_drops_a_planned_round(app, sqlite_database):
    with sqlite_database.writing() as session:
        planned = make_round(session, opens_at=NOW + timedelta(days=3), closes_at=NOW + timedelta(days=9))
    client = signed_in_client(app, "city")

    assert post(client, f"/staff/rounds/{planned.id}/removal").status_code == 303
    assert count(sqlite_database, Round) == 0


@pytest.mark.usefixtures("city")
def test_the_city_moves_a_planned_round_and_is_told_every_fault_of_its_dates(app, sqlite_database):
    with sqlite_database.writing() as session:
        planned = make_round(session, opens_at=NOW + timedelta(days=3), closes_at=NOW + timedelta(days=9))
        opened = make_round(session, opens_at=NOW - timedelta(days=3), closes_at=NOW + timedelta(days=2))
    client = signed_in_client(app, "city")
    path = f"/staff/rounds/{planned.id}/dates"

    wrong = post(client, path, page=path, opens="2021-09-02", last_day="2021-08-30", keep_until="2021-08-01")
    assert wrong.status_code == 409
    assert wrong.text.count("<li>") == 4
    assert 'value="2021-09-02"' in wrong.text
    assert post(client, path, page=path, opens="2099-09-01").status_code == 400
    days = {"opens": "2099-09-01", "last_day": "2099-09-30"}
    assert post(client, path, page=path, **days).status_code == 400
    assert post(client, path, page=path, **days, keep_until="2100-09-30").status_code == 303
    assert "2099年9月30日" in client.get("/staff/").text
    assert client.get(f"/staff/rounds/{opened.id}/dates").status_code == 409


def test_every_action_fault_and_role_has_words():
    assert ACTION_NAMES.keys() == set(AuditAction)
    assert FAULT_NAMES.keys() == set(ChainFault)
    assert ROLE_NAMES.keys() == set(Role)


@pytest.mark.usefixtures("city")
def test_templates_are_frozen_once_and_their_check_code_is_shown(app, sqlite_database):
    client = signed_in_client(app, "city")
    freeze_templates(client)

    page = client.get("/staff/documents").text
    with sqlite_database.reading() as session:
        stored = session.scalars(select(RuleFile)).one()
        assert stored.content == RULES
        assert stored.sha256[:12] in page
    assert count(sqlite_database, Questionnaire) == 2
    assert re.findall(r'name="template" value="([^"]+)"', page) == ["wuhai-2026-11-30.yaml"]
    assert client.get("/staff/documents/rules/1.yaml").get_data() == RULES


@pytest.mark.usefixtures("city")
def test_a_faulty_rule_file_is_shown_with_every_fault_and_not_stored(app, sqlite_database):
    client = signed_in_client(app, "city")
    faulty = RULES.replace(b"rounding:", b"roundings:").replace(b"format:", b"formats:")

    answer = post(client, "/staff/documents", kind="rules", file=file(faulty, "2026.yaml"))

    assert answer.status_code == 400
    assert len(re.findall(r"<li>2026\.yaml:\d*", answer.text)) >= 2
    assert count(sqlite_database, RuleFile) == 0


@pytest.mark.usefixtures("city")
def test_other_content_under_a_frozen_name_is_refused(app, sqlite_database):
    client = signed_in_client(app, "city")
    freeze_templates(client)

    answer = post(client, "/staff/documents", kind="rules", file=file(RULES + b"# other\n", "2021.yaml"))

    assert answer.status_code == 409
    assert "请使用新名称" in answer.text
    assert count(sqlite_database, RuleFile) == 1


def test_a_template_comes_back_as_it_is(app, city):
    client = signed_in_client(app, "district")

    assert city["here"]
    assert client.get("/staff/documents/templates/wuhai-2021-08-23.yaml").get_data() == RULES
    assert client.get("/staff/documents/templates/..%2Fsetup.cfg").status_code == 404


def test_before_a_round_is_created_the_page_says_whether_the_quota_can_be_filled(app, city, sqlite_database):
    client = signed_in_client(app, "city")
    freeze_templates(client)

    answer = post(client, "/staff/rounds/new", **plan(city, step="check", name=""))

    assert answer.status_code == 200
    assert answer.text.count("无法用满") + answer.text.count("名额") >= 2
    assert "海勃湾区" in answer.text
    assert "乌达区" in answer.text
    assert count(sqlite_database, Round) == 0


def test_a_forecast_calls_districts_as_the_language_of_the_page_does(app, city):
    client = signed_in_client(app, "city")
    freeze_templates(client)

    told = post(client, "/staff/rounds/new?lang=en", **plan(city, step="check", name="")).text

    forecast = told[told.index('id="forecast"') : told.index("<form", told.index('id="forecast"'))]
    assert ("Haibowan: " in forecast, "Wuda: " in forecast, "海勃湾区" in forecast) == (True, True, False)


def test_a_round_is_created_and_shown_with_its_rules(app, city, sqlite_database):
    client = signed_in_client(app, "city")
    freeze_templates(client)

    answer = post(client, "/staff/rounds/new", **plan(city, evaluator="某评估公司"))

    assert (answer.status_code, answer.location) == (303, "/staff/")
    with sqlite_database.reading() as session:
        created = session.scalars(select(Round)).one()
        assert (created.name, created.evaluator) == ("2099年调查", "某评估公司")
        assert created.closes_at.isoformat() == "2099-09-30T16:00:00+00:00"
        assert created.rule_file.sha256[:12] in client.get("/staff/").text
        event = session.scalars(select(AuditEvent).filter_by(action="round_created")).one()
        account_id = session.scalar(select(Account.id).filter_by(username="city"))
        assert event.actor == f"account:{account_id}"


@pytest.mark.parametrize(
    ("changes", "status", "words"),
    [
        ({"name": " "}, 400, "请检查此项"),
        ({"opens": "soon"}, 400, "请检查此项"),
        ({"opens": ""}, 400, "请检查此项"),
        ({"keep_until": ""}, 400, 'value="2100-09-30"'),
        ({"keep_until": "2103-01-01"}, 409, "最多保存到最后一天之后三年，即2102-09-30"),
        ({"response_rate": "0"}, 400, "请检查此项"),
        ({"last_day": "2099-08-01"}, 409, "不能在当天结束之前截止"),
        ({"accepts": ""}, 409, "至少选择一种答卷来源"),
        ({"rules": "77"}, 400, ""),
    ],
)
def test_a_round_that_cannot_be_is_refused_in_plain_words(app, city, changes, status, words):
    client = signed_in_client(app, "city")
    freeze_templates(client)

    answer = post(client, "/staff/rounds/new", **plan(city, **changes))

    assert answer.status_code == status
    assert words in answer.text
    assert "2099" not in client.get("/staff/").text


@pytest.mark.usefixtures("city")
def test_the_planning_page_says_what_posters_cannot_exclude_and_on_how_few_answers_the_last_list_hung(app, monkeypatch):
    client = signed_in_client(app, "city")
    freeze_templates(client)
    assert "不能排除" in client.get("/staff/rounds/new").text
    margins = pd.DataFrame({"answers": pd.array([7], dtype="Int64")}, index=["海勃湾区"])
    monkeypatch.setattr("survey_app.rounds.planning_views.read_list_margins", lambda _session: margins)

    chinese, english = (client.get(f"/staff/rounds/new?lang={language}").text for language in ("zh-Hans", "en"))

    assert "海勃湾区：上次调查只要在一个小区多出7份答卷" in chinese
    assert "海勃湾区建议不用海报，改发入户通知单" in chinese
    assert "7 added answers in one community would have changed" in english


@pytest.mark.usefixtures("city")
def test_without_frozen_files_no_round_can_be_planned(app):
    assert "须有已定稿" in signed_in_client(app, "city").get("/staff/rounds/new").text


@pytest.mark.usefixtures("city")
def test_a_list_of_communities_is_imported(app, sqlite_database):
    client = signed_in_client(app, "city")

    answer = post(client, "/staff/communities/import", file=file(csv_file(*ROWS), "小区.csv"))

    assert (answer.status_code, answer.location) == (303, "/staff/communities")
    assert count(sqlite_database, Community) == 4
    assert "新增小区2个" in client.get("/staff/communities").text


@pytest.mark.usefixtures("city")
def test_a_faulty_list_is_shown_with_every_fault_and_not_stored(app, sqlite_database):
    client = signed_in_client(app, "city")
    faulty = csv_file(ROWS[0].replace("1200", "many"), ROWS[1].replace("学府花园", ""))

    answer = post(client, "/staff/communities/import", file=file(faulty, "小区.csv"))

    assert answer.status_code == 400
    assert "小区.csv:2:8" in answer.text
    assert "小区.csv:3:2" in answer.text
    assert "2处错误" in answer.text
    assert count(sqlite_database, Community) == 2


@pytest.mark.usefixtures("city")
@pytest.mark.parametrize(
    ("content", "words"),
    [
        (csv_file(*ROWS).decode().encode("utf-16"), "文件是UTF-16文本"),
        (csv_file(ROWS[0].replace("1200", "many")), "须为整数，现为“many”"),
        (csv_file(ROWS[0], ROWS[0]), "此编号已出现在第2行"),
        (csv_file(*ROWS, header=HEADER.replace("业主户数", "备注")), "名单中没有表头为“业主户数”的列"),
    ],
)
def test_the_faults_of_a_list_are_said_in_the_language_of_the_page(app, content, words):
    answer = post(signed_in_client(app, "city"), "/staff/communities/import", file=file(content, "小区.csv"))

    assert answer.status_code == 400
    assert words in answer.text


@pytest.mark.usefixtures("city")
def test_names_that_are_new_are_shown_and_made_only_when_they_are_confirmed(app, sqlite_database):
    client = signed_in_client(app, "city")
    rows = [ROWS[0].replace("海勃湾区,Haibowan", "海渤湾区,")]

    asked = post(client, "/staff/communities/import", file=file(csv_file(*rows), "小区.csv"))
    confirmed = post(client, "/staff/communities/import", file=file(csv_file(*rows), "小区.csv"), new_places="1")

    assert (asked.status_code, confirmed.status_code) == (400, 303)
    assert "海渤湾区" in asked.text
    assert 'name="new_places"' in asked.text
    assert 'name="new_places"' not in client.get("/staff/communities/import").text
    assert count(sqlite_database, Community) == 3


@pytest.mark.usefixtures("city")
def test_the_headers_of_a_list_are_asked_once_and_kept_for_its_source(app, sqlite_database):
    client = signed_in_client(app, "city")
    content = csv_file(*ROWS, header=HEADER.replace("小区名称", "项目名称"))
    address, source = "/staff/communities/import", "海勃湾区住建局"

    asked = post(client, address, file=file(content, "小区.csv"), source=source)
    chosen = {f"header-{name}": written for name, written in chosen_headers(asked.text).items()} | {
        "header-name": "项目名称"
    }
    first = post(client, address, file=file(content, "小区.csv"), source=source, **chosen)
    second = post(client, address, file=file(content, "小区.csv"), source=source)

    assert (asked.status_code, first.status_code, second.status_code) == (400, 303, 303)
    assert "例如：滨河家园" in asked.text
    assert f'value="{source}"' in client.get(address).text
    assert count(sqlite_database, Community) == 4


def chosen_headers(page):
    """Return by field which header of the list a page has chosen by itself."""
    selects = re.findall(r'<select id="header-([a-z_]+)".*?</select>', page, re.DOTALL)
    options = re.findall(r'<select id="header-([a-z_]+)"(?:(?!</select>).)*?value="([^"]+)" selected', page, re.DOTALL)
    assert len(selects) == len(COLUMNS)
    return dict(options)


@pytest.mark.usefixtures("city")
def test_what_was_left_out_of_a_list_is_said_on_the_page(app):
    client = signed_in_client(app, "city")
    total = "合计,,,,,,,1500,,"

    post(client, "/staff/communities/import", file=file(csv_file(*ROWS, total), "小区.csv"))

    assert "本行为合计（合计），未读取" in client.get("/staff/communities").text


@pytest.mark.usefixtures("city")
def test_a_list_larger_than_a_survey_form_is_taken_from_the_city_alone(app):
    large = csv_file(*ROWS) + b"\n" * 400_000
    city, stranger = signed_in_client(app, "city"), app.test_client()

    assert post(city, "/staff/communities/import", file=file(large, "小区.csv")).status_code != 413
    token = csrf_token(stranger.get("/sign-in"))
    data = {"csrf_token": token, "username": file(large, "小区.csv")}
    assert stranger.post("/sign-in", data=data).status_code == 413


def test_codes_are_issued_within_the_scope(app, city, sqlite_database):
    client = signed_in_client(app, "district")
    post(client, "/staff/codes")

    with sqlite_database.reading() as session:
        assert session.scalars(select(Code.community_id)).all() == [city["here"].id]


def test_a_code_is_revoked_within_the_scope(app, city, sqlite_database):
    with sqlite_database.writing() as session:
        tokens = [
            make_poster_code(session, community, token=f"2{community.id:019}").token
            for community in (session.get(Community, city[place].id) for place in ("here", "there"))
        ]
    client = signed_in_client(app, "district")

    own, foreign = (post(client, f"/staff/codes/{token}/revoke") for token in tokens)

    assert (own.status_code, foreign.status_code) == (303, 404)
    with sqlite_database.reading() as session:
        revoked = session.scalars(select(Code.token).where(Code.revoked_at.is_not(None))).all()
    assert revoked == [tokens[0]]


def test_an_evaluation_is_published_and_shown_as_the_result(app, city, sqlite_database):
    with sqlite_database.writing() as session:
        closed = make_round(session, opens_at=NOW - timedelta(days=40), closes_at=NOW - timedelta(days=10))
        make_response(session, closed, session.get(Community, city["here"].id), submitted_at=NOW - timedelta(days=20))
    evaluation = evaluate_round(sqlite_database, round_id=closed.id, now=NOW)
    client = signed_in_client(app, "city")
    assert "已公布" not in client.get("/staff/").text

    answer = post(client, f"/staff/evaluations/{evaluation.id}/publication")

    assert answer.status_code == 303
    page = client.get("/staff/").text
    assert "已公布" in page
    assert "/publication" not in page
    assert post(client, f"/staff/evaluations/{evaluation.id}/publication").status_code == 409
    assert post(client, "/staff/evaluations/99/publication").status_code == 404
    assert count(sqlite_database, Publication) == 1


@pytest.mark.usefixtures("city")
def test_an_added_account_is_invited_and_becomes_its_owners(app, sqlite_database):
    client = signed_in_client(app, "administrator")
    with sqlite_database.reading() as session:
        wuda = session.scalars(select(District.id).filter_by(name="乌达区")).one()
    fields = {"username": "wang", "role": "clerk", "place": f"district:{wuda}"}

    page = post(client, "/staff/accounts", page="/staff/accounts", **fields)

    link = re.search(r'value="http://127\.0\.0\.1:8000(/invitation/[^"]+)"', page.text)[1]
    owner = app.test_client()
    chosen = post(owner, link, page=link, password="a password of my own")
    assert chosen.location == "/sign-in/authenticator"
    assert give_password(app.test_client(), "wang", password="a password of my own").status_code == 303
    with sqlite_database.reading() as session:
        added = session.scalars(select(Account).filter_by(username="wang")).one()
        assert (added.role, added.district.name) == ("clerk", "乌达区")


@pytest.mark.parametrize(
    ("fields", "status", "words"),
    [
        ({"username": "city", "role": "city"}, 409, "已有同名账号"),
        ({"username": "wang", "role": "district"}, 400, "须选择所在区"),
        ({"username": "wang", "role": "clerk", "place": "subdistrict:99"}, 400, "没有找到"),
        ({"username": "wang", "role": "clerk", "place": "account:1"}, 400, "没有找到"),
        ({"username": "wang", "role": "clerk", "place": "district:" + "9" * 30}, 400, "没有找到"),
        ({"username": "wang", "role": "clerk", "communities": "T1 T99 T98"}, 400, "T99、T98"),
        (
            {"username": "wang", "role": "clerk", "communities": " ".join(map(str, range(201)))},
            400,
            "最多逐个负责200个",
        ),
        ({"username": "wang", "role": "company", "company": "没有的公司"}, 400, "没有找到"),
        ({"username": "wang", "role": "emperor"}, 400, ""),
    ],
)
@pytest.mark.usefixtures("city")
def test_an_account_that_cannot_be_is_refused(app, sqlite_database, fields, status, words):
    client = signed_in_client(app, "administrator")

    answer = post(client, "/staff/accounts", page="/staff/accounts", **fields)

    assert answer.status_code == status
    assert words in answer.text
    assert count(sqlite_database, Account) == 3


def test_a_clerk_gets_a_list_of_communities_and_later_another(app, city, sqlite_database):
    with sqlite_database.reading() as session:
        here, there = (session.get_one(Community, city[where].id).number for where in ("here", "there"))
    client = signed_in_client(app, "administrator")
    post(
        client, "/staff/accounts", page="/staff/accounts", username="wang", role="clerk", communities=f"{here} {there}"
    )
    with sqlite_database.writing() as session:
        clerk = session.scalars(select(Account).filter_by(username="wang")).one()
        clerk.totp_secret = seal_secret(AUTHENTICATOR, secret_key=SECRET_KEY)
        set_password(session, account=clerk, password=NewPassword.of(PASSWORD), by=OPERATOR, now=NOW)
        account_id = clerk.id
    wang = signed_in_client(app, "wang")
    listed = wang.get("/staff/communities").text
    assert (here in listed, there in listed) == (True, True)

    page = f"/staff/accounts/{account_id}/place"
    assert f"{here} {there}" in client.get(page).text
    both = post(client, page, page=page, communities=there, place=f"district:{city['here'].district_id}")
    assert (both.status_code, "只能选其中一项" in both.text) == (400, True)
    assert post(client, page, page=page, communities=there).status_code == 303

    assert wang.get("/staff/communities").status_code == 302, "the session of the earlier list is over"
    listed = signed_in_client(app, "wang").get("/staff/communities").text
    assert (here in listed, there in listed) == (False, True)
    assert "账号改为负责其他小区" in client.get("/staff/audit").text


@pytest.mark.parametrize("username", ["city", "administrator"])
def test_what_an_account_of_the_whole_city_looks_after_cannot_be_changed(app, city, sqlite_database, username):
    with sqlite_database.reading() as session:
        account_id = session.scalars(select(Account.id).filter_by(username=username)).one()
    client = signed_in_client(app, "administrator")
    page = f"/staff/accounts/{account_id}/place"

    assert client.get(page).status_code == 404
    assert post(client, page, page="/staff/accounts", place=f"district:{city['here'].district_id}").status_code == 404
    with sqlite_database.reading() as session:
        assert session.get_one(Account, account_id).place is None


@pytest.mark.usefixtures("city")
def test_a_disabled_account_is_out_at_once_until_it_is_enabled(app, sqlite_database):
    with sqlite_database.writing() as session:
        make_account(session, "evaluator", now=NOW)
        ids = {row.username: row.id for row in session.execute(select(Account.username, Account.id))}
    administrator, victim = signed_in_client(app, "administrator"), signed_in_client(app, "evaluator")

    post(administrator, f"/staff/accounts/{ids['evaluator']}/disable")
    assert victim.get("/staff/").status_code == 302
    assert give_password(app.test_client(), "evaluator").status_code == 401

    post(administrator, f"/staff/accounts/{ids['evaluator']}/enable")
    assert give_password(app.test_client(), "evaluator").status_code == 303
    assert post(administrator, f"/staff/accounts/{ids['administrator']}/disable").status_code == 409
    assert post(administrator, "/staff/accounts/99/disable").status_code == 404


@pytest.mark.usefixtures("city")
def test_a_reset_account_starts_anew_with_an_invitation(app, sqlite_database):
    with sqlite_database.writing() as session:
        account_id = make_account(session, "evaluator", now=NOW).id
    client = signed_in_client(app, "administrator")

    page = post(client, f"/staff/accounts/{account_id}/reset")

    assert "/invitation/" in page.text
    assert give_password(app.test_client(), "evaluator").status_code == 401


@pytest.mark.usefixtures("city")
def test_the_audit_page_tells_when_recurring_work_was_done_and_what_failed(app, sqlite_database):
    client = signed_in_client(app, "city")
    assert client.get("/staff/audit").text.count("尚未执行") == len(SCHEDULED_JOBS)

    with sqlite_database.writing() as session:
        make_job(session, kind="complaints", status="done", begun_at=NOW, ended_at=NOW)
        make_job(session, kind="retention", status="done", begun_at=NOW, ended_at=NOW)
        make_job(session, kind="retention", status="failed", begun_at=NOW, ended_at=NOW, failure="OperationalError")

    page = client.get("/staff/audit").text
    assert page.count("上次完成：") == 2
    assert page.count("执行失败") == 1
    assert "OperationalError" not in page


@pytest.mark.usefixtures("city")
def test_the_audit_page_tells_who_did_what_and_checks_the_record(app, sqlite_database):
    client = signed_in_client(app, "city")
    freeze_templates(client)

    page = client.get("/staff/audit").text
    assert "规则文件定稿" in page
    assert re.search(r'data-label="操作人">city<', page)
    only_rules = client.get("/staff/audit?action=rules_added").text
    assert "规则文件定稿</th>" in only_rules
    assert "登录</th>" not in only_rules
    assert "记录完整" in client.get("/staff/audit?check=1").text

    with sqlite_database.engine.begin() as connection:
        connection.exec_driver_sql("DROP TRIGGER audit_event_refuses_update")
        connection.exec_driver_sql("UPDATE audit_event SET actor = 'account:9' WHERE position = 1")
    assert "第1条：此条记录被更改过" in client.get("/staff/audit?check=1").text.replace(": ", "：")
    with sqlite_database.reading() as session:
        assert list(verify_chain(session)) == [(1, ChainFault.CHANGED)]


@pytest.mark.usefixtures("city")
def test_what_somebody_typed_is_shown_as_text(app):
    client = signed_in_client(app, "administrator")
    payload = "<script>alert(1)</script>"

    refused = post(client, "/staff/accounts", page="/staff/accounts", username=payload, role="district")
    post(client, "/staff/accounts", page="/staff/accounts", username=payload, role="city")

    for page in (refused.text, client.get("/staff/accounts").text, client.get(f"/staff/audit?action={payload}").text):
        assert payload not in page
