import json
import re
import zipfile
from datetime import UTC, datetime, timedelta
from html import unescape

import pytest
from click.testing import CliRunner
from sqlalchemy import create_engine, func, select, text

from analytics.evidence.method import EVIDENCE_METHOD
from survey_app.accounts.accounts import NewPassword
from survey_app.accounts.demo_accounts import DemoAccount
from survey_app.accounts.installation import is_demo, use_as_demo
from survey_app.accounts.invitations import accept_invitation, find_invited
from survey_app.accounts.second_factor import address_of
from survey_app.audit import OPERATOR, record
from survey_app.codes.codes import issue_slips, new_slips
from survey_app.commands import REFUSED, main
from survey_app.complaints.contacts import store_contact
from survey_app.config import DATA, Config, is_local_only
from survey_app.demo import demo
from survey_app.demo.demo import Demo
from survey_app.models import Account, AuditEvent, Code, Community, Complaint, District, Questionnaire, Round, RuleFile
from survey_app.models.vocabulary import AuditAction
from survey_app.operations import server
from survey_app.rounds.questionnaires import load_questionnaire
from survey_app.security.one_time_links import LinkExpired
from survey_app.storage.database import Database
from tests.accounts import AUTHENTICATOR, SECRET_KEY, make_account
from tests.casework import CASEWORK_FILE
from tests.factories import (
    NOW,
    make_community,
    make_complaint,
    make_district,
    make_neighbourhood,
    make_poster_code,
    make_response,
    make_round,
    make_subdistrict,
)
from tests.survey_app.register.test_communities_file import HEADER, ROWS, csv_file

QUESTIONNAIRE = DATA / "questionnaires" / "resident-satisfaction-1.yaml"
RULES = DATA / "rules" / "wuhai" / "2021-08-23.yaml"
CREATE_ROUND = [
    *("rounds", "create", "--name", "2099年调查", "--english-name", "Survey 2099", "--opens", "2099-09-01"),
    *("--last-day", "2099-09-30", "--questionnaire", "resident-satisfaction:1", "--rules", str(RULES)),
]
ADD_ACCOUNT = ["accounts", "add", "li.na", "--role", "district", "--district", "Haibowan"]
PASSWORD = "correct horse battery\n" * 2

LONG_AGO = datetime(2026, 1, 1, tzinfo=UTC)


@pytest.fixture
def run(sqlite_database, tmp_path, monkeypatch):
    """Run a command on the test's database."""
    monkeypatch.setenv("JIAYUAN_INSTANCE", str(tmp_path))
    monkeypatch.setenv("JIAYUAN_DATABASE_URL", sqlite_database.url.render_as_string(hide_password=False))
    monkeypatch.setenv("JIAYUAN_PUBLIC_URL", "https://wj.example.cn")
    monkeypatch.setenv("JIAYUAN_SECRET_KEY", SECRET_KEY)

    def run(*arguments, **options):
        return CliRunner().invoke(main, [str(argument) for argument in arguments], **options)

    return run


def count(database, table):
    with database.reading() as session:
        return session.scalar(select(func.count()).select_from(table))


@pytest.fixture
def communities_file(tmp_path):
    path = tmp_path / "小区.csv"
    path.write_bytes(csv_file(*ROWS))
    return path


def test_migrate_creates_a_database_and_tells_each_step(tmp_path, monkeypatch):
    url = f"sqlite:///{tmp_path / 'new.sqlite3'}"
    monkeypatch.setenv("JIAYUAN_INSTANCE", str(tmp_path))
    monkeypatch.setenv("JIAYUAN_DATABASE_URL", url)

    first = CliRunner().invoke(main, ["migrate"])
    second = CliRunner().invoke(main, ["migrate"])

    assert (first.exit_code, second.exit_code) == (0, 0)
    assert "0001" in first.stdout
    assert "0001" not in second.stdout
    with Database(url) as database:
        database.require_current()


def test_a_command_on_a_database_of_another_revision_says_what_to_do(run, sqlite_database, communities_file):
    engine = create_engine(sqlite_database.url)
    with engine.begin() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '0001'"))
    engine.dispose()

    result = run("import-communities", communities_file)

    assert result.exit_code == 2
    assert "run `jiayuan migrate`" in result.stderr


def test_a_database_that_cannot_be_reached_is_one_clear_line(run, monkeypatch, communities_file):
    monkeypatch.setenv("JIAYUAN_DATABASE_URL", "sqlite:////nowhere/at/all.sqlite3")

    result = run("import-communities", communities_file)

    assert result.exit_code == 2
    assert result.stderr == "the database cannot be used: unable to open database file\n"


def test_communities_are_imported_and_counted(run, sqlite_database, communities_file):
    first = run("import-communities", communities_file)
    second = run("import-communities", communities_file)

    assert first.stdout.startswith("2 added, 0 changed, 0 unchanged; 0 stored")
    assert second.stdout.startswith("0 added, 0 changed, 2 unchanged; 0 stored")
    assert count(sqlite_database, Community) == 2


def test_new_districts_are_named_and_made_only_when_they_are_confirmed(
    run, sqlite_database, communities_file, tmp_path
):
    run("import-communities", communities_file)
    path = tmp_path / "more.csv"
    path.write_bytes(csv_file(ROWS[0].replace("1503020001", "1503030001").replace("海勃湾区,Haibowan", "乌达区,Wuda")))

    asked = run("import-communities", path)
    confirmed = run("import-communities", path, "--new-districts")

    assert asked.exit_code == 2
    assert asked.stderr.splitlines() == [
        f"{path}:2: the district 乌达区 would be new",
        "nothing was stored: correct what is misspelt, or confirm all with --new-districts",
    ]
    assert confirmed.stdout.startswith("1 added")
    assert count(sqlite_database, Community) == 3


def test_what_was_left_out_of_a_list_is_said(run, tmp_path):
    path = tmp_path / "list.csv"
    path.write_bytes(csv_file(*ROWS, "合计,,,,,,,1500,,"))

    result = run("import-communities", path)

    assert result.stderr == f"{path}:4: this row was not read: it holds a total (合计)\n"
    assert result.stdout.startswith("2 added")


def test_a_list_with_other_headers_is_read_and_the_next_of_its_source_without_asking(run, tmp_path):
    path = tmp_path / "list.csv"
    path.write_bytes(csv_file(*ROWS, header=HEADER.replace("小区名称", "项目名称").replace("区,区英", "区划,区英")))
    columns = ("--column", "小区名称=项目名称", "--column", "district=区划")

    refused = run("import-communities", path, "--source", "海勃湾区")
    first = run("import-communities", path, "--source", "海勃湾区", *columns)
    second = run("import-communities", path, "--source", "海勃湾区")
    misspelt = run("import-communities", path, "--column", "小区=项目名称")

    assert (refused.exit_code, misspelt.exit_code) == (2, 2)
    assert "小区名称" in refused.stderr
    assert first.stdout.startswith("2 added"), first.stderr
    assert second.stdout.startswith("0 added, 0 changed, 2 unchanged")
    assert "小区编号, 小区名称" in misspelt.stderr


@pytest.mark.parametrize("name", ["out.csv", "out.xlsx"])
def test_exported_communities_can_be_imported_again_and_change_nothing(run, communities_file, tmp_path, name):
    run("import-communities", communities_file)

    exported = run("export-communities", tmp_path / name)
    again = run("import-communities", tmp_path / name)

    assert exported.exit_code == 0, exported.output
    assert again.stdout.startswith("0 added, 0 changed, 2 unchanged; 0 stored")


def test_a_file_that_is_named_as_a_workbook_is_one(run, communities_file, tmp_path):
    run("import-communities", communities_file)

    run("export-communities", tmp_path / "out.XLSX")

    assert zipfile.is_zipfile(tmp_path / "out.XLSX")


def test_an_export_never_replaces_a_file(run, communities_file):
    before = communities_file.read_bytes()

    result = run("export-communities", communities_file)

    assert result.exit_code == 2
    assert f"cannot write {communities_file}: File exists" in result.stderr.replace("\n", " ")
    assert communities_file.read_bytes() == before


def test_a_faulty_list_is_refused_with_a_line_for_each_fault_and_nothing_is_stored(run, sqlite_database, tmp_path):
    path = tmp_path / "faulty.csv"
    path.write_bytes(csv_file(ROWS[0].replace("1200", "many"), ROWS[1].replace("学府花园", "")))

    result = run("import-communities", path)

    assert result.exit_code == 2
    assert result.stderr.splitlines() == [
        f"{path}:2:8: 交付户数: this must be a whole number, it is “many”",
        f"{path}:3:2: 小区名称: this cell is empty",
    ]
    assert count(sqlite_database, Community) == 0


def test_a_questionnaire_is_checked_and_published_once(run, sqlite_database):
    checked = run("questionnaire", "check", QUESTIONNAIRE)
    first = run("questionnaire", "publish", QUESTIONNAIRE)
    second = run("questionnaire", "publish", QUESTIONNAIRE)

    assert "resident-satisfaction version 1: 24 questions, no faults" in checked.stdout
    assert first.stdout == second.stdout
    assert first.stdout.startswith("published resident-satisfaction:1, sha256 ")
    assert count(sqlite_database, Questionnaire) == 1


def test_a_questionnaire_file_is_shown_in_both_languages_before_it_is_published(run, sqlite_database, tmp_path):
    page = tmp_path / "page.html"

    shown = run("questionnaire", "preview", QUESTIONNAIRE, "--output", page)

    assert shown.exit_code == 0
    forms = [unescape(form) for form in re.findall(r'srcdoc="([^"]*)"', page.read_text(encoding="utf-8"))]
    assert [re.search('<html lang="([^"]*)"', form)[1] for form in forms] == ["zh-Hans", "en"]
    for form in forms:
        assert set(re.findall(r'<fieldset[^>]* id="(q\d+)"', form)) == {
            question.key for question in load_questionnaire(QUESTIONNAIRE).questions
        }
    assert "非常满意" in forms[0]
    assert "Very satisfied" in forms[1]
    assert count(sqlite_database, Questionnaire) == 0


@pytest.mark.parametrize(("command", "shipped"), [("questionnaire", QUESTIONNAIRE), ("rules", RULES)])
def test_every_fault_of_a_definition_file_is_reported(run, tmp_path, command, shipped):
    path = tmp_path / "faulty.yaml"
    path.write_text(
        shipped.read_text("utf-8").replace("format:", "form:").replace("zh-Hans: ", "zh-Hant: ", 1), "utf-8"
    )

    result = run(command, "check", path)

    assert result.exit_code == 2
    assert len(result.stderr.splitlines()) >= 3
    assert all(line.startswith(f"{path}:") for line in result.stderr.splitlines())


def test_the_shipped_rules_have_no_faults(run):
    assert run("rules", "check", RULES).stdout == "wuhai-2021-08-23: no faults\n"


def test_a_round_is_created_from_its_first_day_through_its_last(run, sqlite_database):
    run("questionnaire", "publish", QUESTIONNAIRE)

    result = run(*CREATE_ROUND)

    assert result.exit_code == 0, result.output
    with sqlite_database.reading() as session:
        created = session.scalars(select(Round)).one()
        assert created.opens_at.isoformat() == "2099-08-31T16:00:00+00:00"
        assert created.closes_at.isoformat() == "2099-09-30T16:00:00+00:00"


@pytest.mark.parametrize(
    ("option", "value", "message"),
    [
        ("--questionnaire", "resident-satisfaction:9", "resident-satisfaction:9 is not published"),
        ("--questionnaire", "resident-satisfaction", "resident-satisfaction is not published"),
        ("--last-day", "2099-08-01", "cannot close before"),
        ("--opens", "tomorrow", "'tomorrow' is no day: write it as 2026-09-30"),
    ],
)
def test_a_round_that_cannot_be_is_refused_and_nothing_is_stored(run, sqlite_database, option, value, message):
    run("questionnaire", "publish", QUESTIONNAIRE)

    result = run(*CREATE_ROUND, option, value)

    assert result.exit_code == 2
    assert message in result.stderr
    assert count(sqlite_database, Round) == 0
    assert count(sqlite_database, RuleFile) == 0


def test_codes_are_issued_where_there_is_none(run, sqlite_database):
    with sqlite_database.writing() as session:
        make_poster_code(session)
        make_poster_code(session, revoked_at=NOW)
        make_community(session)

    first, second = run("codes", "issue"), run("codes", "issue")

    assert (first.stdout, second.stdout) == ("issued 2 codes\n", "issued 0 codes\n")
    assert count(sqlite_database, Code) == 4


def test_an_account_is_added_with_a_password_that_is_asked_for(run, sqlite_database):
    with sqlite_database.writing() as session:
        make_district(session, english_name="Haibowan")

    result = run(*ADD_ACCOUNT, input=PASSWORD)

    assert result.exit_code == 0, result.output
    assert "correct horse" not in result.output
    with sqlite_database.reading() as session:
        account = session.scalars(select(Account)).one()
        assert (account.username, account.role, account.district.english_name) == ("li.na", "district", "Haibowan")


@pytest.mark.parametrize(
    ("arguments", "password", "message"),
    [
        (["--role", "district", "--district", "Nowhere"], PASSWORD, "there is no district Nowhere"),
        (["--role", "company", "--company", "Nobody"], PASSWORD, "there is no property company Nobody"),
        (["--role", "clerk", "--community", "99"], PASSWORD, "there is no community 99"),
        (["--role", "district"], PASSWORD, "the role district is bound to district, not to city"),
        (["--role", "city", "--district", "Haibowan"], PASSWORD, "the role city is bound to city, not to district"),
        (["--role", "clerk"], PASSWORD, "the role clerk is bound to community or district or "),
        (["--role", "city"], "short\nshort\n", "a password needs at least"),
    ],
)
def test_an_account_without_its_scope_or_with_a_weak_password_is_refused(
    run, sqlite_database, arguments, password, message
):
    with sqlite_database.writing() as session:
        make_district(session, english_name="Haibowan")

    result = run("accounts", "add", "li.na", *arguments, input=password)

    assert result.exit_code == 2
    assert message in result.stderr
    assert count(sqlite_database, Account) == 0


@pytest.fixture
def parts(sqlite_database):
    """Two districts that have a subdistrict of one name, each with a neighbourhood and a community."""
    with sqlite_database.writing() as session:
        for number, district in enumerate(("海勃湾区", "乌达区"), 1):
            within = make_district(session, name=district)
            subdistrict = make_subdistrict(session, district=within, name="新华街道")
            neighbourhood = make_neighbourhood(session, subdistrict=subdistrict, name="新华社区")
            make_community(
                session, number=str(number), district=within, subdistrict=subdistrict, neighbourhood=neighbourhood
            )


@pytest.mark.usefixtures("parts")
@pytest.mark.parametrize(
    ("arguments", "bound_to"),
    [
        (["--district", "乌达区", "--subdistrict", "新华街道"], "subdistrict"),
        (["--district", "乌达区", "--subdistrict", "新华街道", "--neighbourhood", "新华社区"], "neighbourhood"),
        (["--district", "乌达区", "--neighbourhood", "新华社区"], "neighbourhood"),
        (["--community", "2"], "communities"),
        (["--community", "2", "--community", "1", "--community", "2"], "communities"),
    ],
)
def test_a_clerk_is_bound_to_the_smallest_place_that_is_named(run, sqlite_database, arguments, bound_to):
    run("accounts", "add", "li.na", "--role", "clerk", "--district", "海勃湾区", input=PASSWORD)

    result = run("accounts", "place", "li.na", *arguments)

    assert result.exit_code == 0, result.output
    with sqlite_database.reading() as session:
        clerk = session.scalars(select(Account)).one()
        if bound_to == "communities":
            assert (clerk.place, [each.number for each in clerk.communities]) == (None, sorted(set(arguments[1::2])))
        else:
            assert (clerk.place, clerk.communities) == (getattr(clerk, bound_to), [])
            assert session.scalar(select(Community.number).filter_by(**{f"{bound_to}_id": clerk.place.id})) == "2"


@pytest.mark.usefixtures("parts")
@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--subdistrict", "新华街道"], "several have the name 新华街道: say of which district, with --district"),
        (
            ["--neighbourhood", "新华社区"],
            "several have the name 新华社区: say of which subdistrict, with --subdistrict",
        ),
        (["--district", "乌达区", "--subdistrict", "海北街道"], "there is no subdistrict 海北街道"),
        (["--district", "乌达区", "--community", "2"], "an account is bound to one place"),
        ([], "the role clerk is bound to community or district or"),
    ],
)
def test_a_clerk_is_not_bound_to_what_is_unclear(run, sqlite_database, arguments, message):
    run("accounts", "add", "li.na", "--role", "clerk", "--district", "海勃湾区", input=PASSWORD)

    result = run("accounts", "place", "li.na", *arguments)

    assert (result.exit_code, message in result.stderr) == (2, True), result.stderr
    with sqlite_database.reading() as session:
        assert session.scalars(select(Account)).one().district.name == "海勃湾区"


def test_a_username_is_given_once_however_it_is_typed(run, sqlite_database):
    run("accounts", "add", "li.na", "--role", "city", input=PASSWORD)

    result = run("accounts", "add", "Li.Na", "--role", "city", input=PASSWORD)

    assert result.exit_code == 2
    assert "there is already an account li.na" in result.stderr
    assert count(sqlite_database, Account) == 1


def test_a_locked_out_administrator_gets_a_link_that_works_once(run, sqlite_database):
    with sqlite_database.writing() as session:
        make_account(session, "root", role="administrator", now=NOW)

    result = run("accounts", "reset", "ROOT")

    link = re.fullmatch(r"https://wj\.example\.cn/invitation/(\S+)\n", result.stdout)
    with sqlite_database.writing() as session:
        asked = {"token": link[1], "secret_key": Config.from_env().secret_key, "now": datetime.now(UTC)}
        account = accept_invitation(session, password=NewPassword.of(PASSWORD), **asked)
        assert (account.username, account.totp_secret) == ("root", None)
        with pytest.raises(LinkExpired):
            find_invited(session, **asked)
        reset = select(AuditEvent.actor).filter_by(action="account_reset")
        assert session.scalars(reset).all() == ["operator"]


def test_an_account_that_is_not_there_is_not_reset(run):
    result = run("accounts", "reset", "nobody")

    assert result.exit_code == 2
    assert "there is no account nobody" in result.stderr


def test_a_demonstration_refuses_everything_that_belongs_to_a_real_city(run, sqlite_database, communities_file):
    with sqlite_database.writing() as session:
        use_as_demo(session, now=NOW)

    for arguments in (
        ["import-communities", communities_file],
        ["questionnaire", "publish", QUESTIONNAIRE],
        CREATE_ROUND,
        ["codes", "issue"],
    ):
        result = run(*arguments, input=PASSWORD)
        assert result.exit_code == 2, arguments
        assert "demonstration city and can never hold a real one" in result.stderr


def test_a_simulated_city_takes_further_accounts_and_stays_one(run, sqlite_database):
    with sqlite_database.writing() as session:
        use_as_demo(session, now=NOW)
        make_district(session, name="海勃湾区", english_name="Haibowan")

    for arguments in (["li.na", "--role", "city"], ["wang.wei", "--role", "clerk", "--district", "Haibowan"]):
        assert run("accounts", "add", *arguments, input=PASSWORD).exit_code == 0, arguments

    with sqlite_database.reading() as session:
        assert is_demo(session)
        assert sorted(session.scalars(select(Account.username))) == ["li.na", "wang.wei"]


def test_a_city_is_simulated_only_where_there_is_none(run, sqlite_database, communities_file):
    run("import-communities", communities_file)

    result = run("simulate", "--seed", 1, "--communities", 3)

    assert result.exit_code == 2
    assert "this database is not a demonstration" in result.stderr
    assert count(sqlite_database, Community) == 2


def test_simulate_says_how_much_it_stored(run, sqlite_database):
    result = run("simulate", "--seed", 1, "--communities", 3)

    assert result.exit_code == 0, result.output
    assert result.stdout.splitlines()[-1].startswith("3 communities, ")
    assert count(sqlite_database, Community) == 3


def test_more_communities_than_names_are_refused(run, sqlite_database):
    result = run("simulate", "--seed", 1, "--communities", 100_000)

    assert result.exit_code == 2
    assert "there are names for" in result.stderr
    assert count(sqlite_database, Community) == 0


def test_a_closed_round_is_evaluated_by_its_name(run, sqlite_database):
    run("simulate", "--seed", 1, "--communities", 3)
    with sqlite_database.reading() as session:
        first, _, last = session.scalars(select(Round.name).order_by(Round.opens_at))

    assert f"evaluation 1 of {first}" in run("evaluate", first).stdout, "the one that was stored by the simulation"
    assert "ask again a minute after that" in run("evaluate", last).stderr
    assert "ask again a minute after that" in run("evaluate", last, "--provisional").stderr
    assert f"evaluation 3 of {first}" in run("evaluate", first, "--provisional").stdout
    assert "there is no round 第九轮" in run("evaluate", "第九轮").stderr


@pytest.mark.parametrize(
    ("public_url", "unreachable"),
    [
        ("http://127.0.0.1:8000", True),
        ("http://127.9.9.9", True),
        ("http://[::1]:8000", True),
        ("http://0.0.0.0:8000", True),
        ("http://localhost:8000", True),
        ("http://jiayuan.localhost", True),
        ("http://192.168.1.20:8000", False),
        ("https://wuhai.example.cn", False),
    ],
)
def test_an_address_that_means_the_machine_itself_is_of_no_use_on_a_poster(public_url, unreachable):
    assert is_local_only(public_url) is unreachable


def test_what_operators_change_later_is_stored_and_what_is_unknown_is_refused(run, sqlite_database):
    with sqlite_database.writing() as session:
        code = make_poster_code(session, make_community(session, district=make_district(session, name="乌达区")))
        token = code.token

    assert run("districts", "telephone", "乌达区", "0473-1").exit_code == 0
    assert run("codes", "revoke", token).exit_code == 0
    assert "there is no code" in run("codes", "revoke", "1").stderr
    assert "there is no district" in run("districts", "telephone", "海南区", "0473-1").stderr
    with sqlite_database.reading() as session:
        assert session.scalar(select(District.telephone)) == "0473-1"
        assert session.scalar(select(Code.revoked_at)) is not None


def test_a_stored_evaluation_is_computed_again(run):
    run("simulate", "--seed", 1, "--communities", 3)

    said = run("verify", 1).stdout
    assert "evaluation 1 follows from its stored inputs" in said
    assert f"and so does its evidence, by method {EVIDENCE_METHOD}" in said
    assert "there is no evaluation 99" in run("verify", 99).stderr


def test_the_audit_chain_is_checked_against_a_kept_head(run, sqlite_database):
    with sqlite_database.writing() as session:
        record(session, by=OPERATOR, action=AuditAction.SIGNED_OUT, subject="account:1", now=NOW)

    kept = run("audit", "head").stdout.strip()

    assert kept.startswith("1:")
    assert run("audit", "verify", "--head", kept).stdout == "the audit chain is whole up to event 1\n"
    assert "a head looks like" in run("audit", "verify", "--head", "12").stderr


def test_a_chain_that_is_not_whole_is_reported_event_by_event(run, sqlite_database):
    for _ in range(2):
        with sqlite_database.writing() as session:
            record(session, by=OPERATOR, action=AuditAction.SIGNED_OUT, subject="account:1", now=NOW)
    with sqlite_database.engine.begin() as connection:
        connection.execute(text("DROP TRIGGER audit_event_refuses_update"))
        connection.execute(text("UPDATE audit_event SET actor = 'account:2' WHERE position = 1"))

    result = run("audit", "verify")

    assert result.exit_code == 1
    assert "event 1: this event was changed" in result.stderr


def file_case(database, **values):
    with database.writing() as session:
        return make_complaint(session, make_community(session), **values).reference


def test_a_case_is_moved_by_command_and_a_step_that_is_none_is_refused(run, sqlite_database):
    case = file_case(sqlite_database, submitted_at=datetime.now(UTC))

    assert run("complaints", "move", case, "respond").exit_code == REFUSED
    assert "accepted, stage 1" in run("complaints", "move", case, "accept").stdout
    assert "dispatched" in run("complaints", "move", case, "dispatch").stdout
    assert run("complaints", "move", case, "refuse", "--as", "company").exit_code == REFUSED
    assert "out_of_scope" in run("complaints", "move", case, "refuse", "--reason", "other_authority").stdout
    assert run("audit", "verify").exit_code == 0


def test_time_is_settled_by_command(run, sqlite_database):
    file_case(sqlite_database)  # long ago, and never acknowledged
    with sqlite_database.writing() as session:
        ended = make_complaint(session, make_community(session), status="closed", status_since=LONG_AGO)
        store_contact(session, complaint=ended, contact="李娜", secret_key="any", now=LONG_AGO)

    assert run("complaints", "settle").stdout == (
        "settled 1 due cases, erased 1 contacts, 0 unsent photos and the words of 0 cases\n"
    )
    with sqlite_database.reading() as session:
        assert session.scalars(select(Complaint.status).order_by(Complaint.id)).all() == ["stage2", "closed"]


def test_what_was_kept_long_enough_is_erased_by_command(run, sqlite_database):
    with sqlite_database.writing() as session:
        times = {"opens_at": LONG_AGO, "closes_at": LONG_AGO + timedelta(days=9)}
        survey_round = make_round(session, responses_kept_until=(LONG_AGO + timedelta(days=20)).date(), **times)
        make_response(
            session,
            survey_round,
            make_community(session),
            started_at=LONG_AGO,
            submitted_at=LONG_AGO,
            address_digest="0" * 64,
        )

    # The examination before it has erased the network addresses that it had looked at.
    said = (
        "erased 0 network addresses, 0 links to households, the texts of 0 responses, 0 photos and all but the "
        "counts of {0} responses\n"
    )
    assert [run("retention").stdout for _ in range(2)] == [said.format(1), said.format(0)]


def test_a_status_that_does_not_follow_from_its_events_fails_the_check(run, sqlite_database):
    case = file_case(sqlite_database)
    assert run("complaints", "check").exit_code == 0
    with sqlite_database.writing() as session:
        session.execute(text("UPDATE complaint SET status = 'closed'"))

    checked = run("complaints", "check")
    assert checked.exit_code == 1
    assert case in checked.stderr


def test_a_new_secret_is_printed_in_groups_and_stored_as_a_hash(run, sqlite_database):
    case = file_case(sqlite_database)

    printed = run("complaints", "reissue-secret", case).stdout.strip()
    with sqlite_database.reading() as session:
        stored = session.scalar(select(Complaint.secret_hash))
    assert len(printed.replace(" ", "")) == 12
    assert stored
    assert printed.replace(" ", "") not in stored


def test_the_outlines_of_districts_are_taken_whole_or_not_at_all(run, sqlite_database):
    schematic = DATA / "samples" / "boundaries" / "schematic.geojson"
    with sqlite_database.writing() as session:
        make_district(session, name="乌达区")

    assert "there is no district 海勃湾区" in run("districts", "boundaries", schematic).stderr
    with sqlite_database.writing() as session:
        assert session.scalar(select(District.boundary)) is None
        for name in ("海勃湾区", "海南区"):
            make_district(session, name=name)

    assert "boundaries of 3 districts" in run("districts", "boundaries", schematic).stdout
    with sqlite_database.reading() as session:
        assert all(session.scalars(select(District.boundary)))


def test_a_server_without_accounts_prints_the_link_that_makes_the_first_one(run, sqlite_database, monkeypatch):
    monkeypatch.setattr(server, "serve", lambda _config, _create_app, *, announce, **_options: announce())

    first = run("serve")
    with sqlite_database.writing() as session:
        make_account(session, "root", role="administrator", now=NOW)
    second = run("serve")

    assert re.search(r"make the first one at https://wj\.example\.cn/first-run/\S+\n", first.stdout)
    assert "first-run" not in second.stdout


def test_a_demonstration_prints_its_accounts_and_the_codes_of_the_moment(run, monkeypatch):
    monkeypatch.setattr(server, "serve", lambda _config, _create_app, *, announce, **_options: announce())
    accounts = {"bureau": DemoAccount("pass word", address_of(AUTHENTICATOR, "bureau"))}
    shown = Demo(accounts=accounts, community="阳光家园", token="123", open_round="本轮")
    monkeypatch.setattr(demo, "prepare_demo", lambda *_arguments, **_options: shown)
    monkeypatch.setattr(demo, "_read_accounts", lambda _instance: accounts)

    printed = run("demo").stdout
    codes = run("demo", "--codes").stdout

    assert "bureau         pass word   otpauth://totp/Jiayuan:bureau?secret=" in printed
    assert re.fullmatch(r"  bureau +\d{6}\n", codes)


def places_to_print(database):
    with database.writing() as session:
        here = make_district(session, name="海勃湾区", english_name="Haibowan", sort_key="a")
        garden = make_community(session, name="学府花园", number="1", district=here, households_delivered=3)
        make_poster_code(session, garden, token="11112222333344445555")
        home = make_community(
            session,
            name="滨河家园",
            number="2",
            district=make_district(session, name="乌达区", sort_key="0"),
            households_delivered=2,
        )
        make_poster_code(session, home)
        make_round(session, name="2099年调查", closes_at=NOW.replace(year=2099), accepts_households=True)


def printed(folder):
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*.pdf"))


def test_posters_of_a_district_are_written_and_never_over_others(run, sqlite_database, tmp_path):
    places_to_print(sqlite_database)

    result = run("posters", tmp_path / "out", "--district", "Haibowan")

    assert result.exit_code == 0, result.output
    assert "1 posters written to" in result.stdout
    assert printed(tmp_path / "out") == ["海勃湾区/学府花园 1 11112222333344445555.pdf"]
    assert "File exists" in run("posters", tmp_path / "out", "--language", "en").stderr
    assert "there is no district Nowhere" in run("posters", tmp_path, "--district", "Nowhere").stderr


def test_slips_of_a_round_are_issued_and_written(run, sqlite_database, tmp_path):
    places_to_print(sqlite_database)

    everywhere = run("slips", "2099年调查", tmp_path / "all")
    again = run("slips", "2099年调查", tmp_path / "again", "--community", "2", "--count", "4", "--reprint")

    assert "5 slips in 2 files written to" in everywhere.stdout, everywhere.output
    assert printed(tmp_path / "all") == ["乌达区/滨河家园 2-1-1.pdf", "海勃湾区/学府花园 1-2-1.pdf"]
    assert "4 slips in 1 files written to" in again.stdout, again.output
    with sqlite_database.reading() as session:
        assert session.scalar(select(func.count()).where(Code.kind == "household")) == 9


def test_slips_that_cannot_be_written_are_spoiled(run, sqlite_database, tmp_path):
    places_to_print(sqlite_database)
    (tmp_path / "海勃湾区").write_bytes(b"in the way")

    result = run("slips", "2099年调查", tmp_path, "--district", "海勃湾区")

    assert "cannot write" in result.stderr
    with sqlite_database.reading() as session:
        reasons = session.scalars(select(Code.revoked_because).where(Code.kind == "household")).all()
        assert reasons == ["spoiled"] * 3


def test_blank_questionnaires_of_a_round_are_written(run, sqlite_database, tmp_path):
    places_to_print(sqlite_database)

    everywhere = run("questionnaire", "print", "2099年调查", tmp_path / "all")
    large = run("questionnaire", "print", "2099年调查", tmp_path / "large", "--community", "2", "--large-print")

    assert "2 questionnaires written to" in everywhere.stdout, everywhere.output
    assert printed(tmp_path / "all") == ["乌达区/滨河家园 2.pdf", "海勃湾区/学府花园 1.pdf"]
    assert printed(tmp_path / "large") == ["乌达区/滨河家园 2.pdf"]
    ordinary, in_large = ((tmp_path / folder / "乌达区/滨河家园 2.pdf").read_bytes() for folder in ("all", "large"))
    assert in_large != ordinary
    assert "1 questionnaires written to" in large.stdout
    with sqlite_database.reading() as session:
        assert session.scalar(select(func.count()).where(Code.kind == "household")) == 0


def test_slips_are_printed_on_questionnaires(run, sqlite_database, tmp_path):
    places_to_print(sqlite_database)

    result = run("slips", "2099年调查", tmp_path, "--on-questionnaires", "--community", "2", "--language", "en")

    assert "2 slips in 1 files written to" in result.stdout, result.output
    [path] = tmp_path.rglob("*.pdf")
    with pytest.importorskip("pypdfium2").PdfDocument(path) as document:
        assert [len(document), "How satisfied" in document[0].get_textpage().get_text_bounded()] == [4, True]
    with sqlite_database.reading() as session:
        assert session.scalar(select(func.count()).where(Code.kind == "household")) == 2


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["questionnaire", "print", "2098年调查"], "there is no round 2098年调查"),
        (["questionnaire", "print", "2019年调查"], "the round 2019年调查 is over: nobody can answer it any more"),
        (["questionnaire", "print", "2099年调查", "--district", "Nowhere"], "there is no district Nowhere"),
        (["slips", "2099年调查", "--large-print"], "--large-print goes with --on-questionnaires"),
    ],
)
def test_questionnaires_that_are_asked_for_wrongly_are_not_printed(run, sqlite_database, tmp_path, arguments, message):
    places_to_print(sqlite_database)
    with sqlite_database.writing() as session:
        make_round(session, name="2019年调查", opens_at=NOW.replace(year=2018), closes_at=NOW.replace(year=2019))

    result = run(*arguments, tmp_path / "out")

    assert result.exit_code == REFUSED
    assert message in result.stderr
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["2099年调查", "--count", "4"], "--count goes with --community"),
        (["2098年调查"], "there is no round 2098年调查"),
        (["2099年调查", "--community", "9"], "there is no community 9"),
    ],
)
def test_slips_that_are_asked_for_wrongly_are_not_issued(run, sqlite_database, tmp_path, arguments, message):
    places_to_print(sqlite_database)

    result = run("slips", arguments[0], tmp_path / "out", *arguments[1:])

    assert result.exit_code == 2
    assert message in result.stderr
    with sqlite_database.reading() as session:
        assert session.scalar(select(func.count()).where(Code.kind == "household")) == 0


def test_a_districts_second_language_line_is_set_and_taken_off(run, sqlite_database):
    places_to_print(sqlite_database)

    run("districts", "second-language", "Haibowan", "Сэтгэл ханамж")
    with sqlite_database.reading() as session:
        stored = session.scalar(select(District.second_language_line).filter_by(name="海勃湾区"))
    run("districts", "second-language", "海勃湾区", "")

    assert stored == "Сэтгэл ханамж"
    with sqlite_database.reading() as session:
        assert session.scalar(select(District.second_language_line).filter_by(name="海勃湾区")) is None


def test_slips_are_counted_revoked_and_replaced_by_their_digits(run, sqlite_database):
    assert run("codes", "count-slips", "秋季调查").exit_code == REFUSED
    with sqlite_database.writing() as session:
        opens_at, closes_at = datetime(2020, 1, 1, tzinfo=UTC), datetime(2099, 1, 1, tzinfo=UTC)
        survey_round = make_round(
            session, name="秋季调查", accepts_households=True, opens_at=opens_at, closes_at=closes_at
        )
        community = make_community(session, number="150302001")
        secret_key = Config.from_env().secret_key
        first, second, third = issue_slips(
            session, survey_round=survey_round, community=community, new=new_slips(3, secret_key=secret_key), now=NOW
        ).slips

    revoked = run(
        *("codes", "revoke-slips", "150302001", "--because", "returned"), input=f"{first.digits}\n{second.token}\n12\n"
    )
    replaced = run("codes", "replace-slip", third.digits)
    counted = run("codes", "count-slips", "秋季调查")

    assert "revoked 2 slips" in revoked.output
    assert (revoked.exit_code, "12" in revoked.output) == (1, True)
    assert third.digits not in replaced.output.replace(" ", "")
    assert re.search(r"type instead: \d{4} \d{4} \d{4} \d{4}", replaced.output)
    assert counted.output == (
        "150302001: 4 issued (0 of them reprints), 0 spoiled, 2 returned, 1 replaced, 1 outstanding\n"
    )
    assert run("codes", "replace-slip", third.digits).exit_code == REFUSED


@pytest.mark.parametrize(
    ("accepts", "posters", "slips"),
    [
        ([], True, False),
        (["--accepts", "household"], False, True),
        (["--accepts", "poster", "--accepts", "household"], True, True),
    ],
)
def test_a_round_says_which_codes_it_accepts(run, sqlite_database, accepts, posters, slips):
    run("questionnaire", "publish", QUESTIONNAIRE)

    assert run(*CREATE_ROUND, *accepts).exit_code == 0

    with sqlite_database.reading() as session:
        survey_round = session.scalars(select(Round)).one()
        assert (survey_round.accepts_posters, survey_round.accepts_households) == (posters, slips)


def test_codes_that_no_phone_opens_are_printed_only_by_name(run, sqlite_database, tmp_path, monkeypatch):
    places_to_print(sqlite_database)
    monkeypatch.delenv("JIAYUAN_PUBLIC_URL")

    refused = [run("posters", tmp_path / "a"), run("slips", "2099年调查", tmp_path / "b")]

    for result in refused:
        assert (result.exit_code, "no phone can open http://127.0.0.1:8000" in result.stderr) == (REFUSED, True)
    assert not (tmp_path / "a").exists()
    with sqlite_database.reading() as session:
        assert session.scalar(select(func.count()).where(Code.kind == "household")) == 0
    assert run("posters", tmp_path / "a", "--for-this-machine").exit_code == 0
    assert run("slips", "2099年调查", tmp_path / "b", "--for-this-machine").exit_code == 0


@pytest.mark.parametrize("command", [["migrate"], ["codes", "issue"], ["audit", "head"], ["work", "--once"]])
def test_a_database_of_a_newer_version_is_told_apart_from_an_older_one(run, sqlite_database, command):
    engine = create_engine(sqlite_database.url)
    with engine.begin() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    engine.dispose()

    result = run(*command)

    assert result.exit_code == REFUSED
    assert "revision 9999, which is newer than this program" in result.stderr
    assert "run `jiayuan migrate`" not in result.stderr


@pytest.mark.parametrize("content", [b"not a database " * 500, b"\xff" * 4096, b"\0" * 4096])
@pytest.mark.parametrize("command", [["migrate"], ["codes", "issue"]])
def test_a_file_that_is_no_database_is_one_line(run, tmp_path, monkeypatch, content, command):
    (tmp_path / "other").write_bytes(content)
    monkeypatch.setenv("JIAYUAN_DATABASE_URL", f"sqlite:///{tmp_path / 'other'}")

    result = run(*command)

    assert (result.exit_code, result.stderr.count("\n")) == (REFUSED, 1)
    assert "the database cannot be used: file is not a database" in result.stderr
    assert (tmp_path / "other").read_bytes() == content


def test_a_command_that_is_interrupted_says_so(run, monkeypatch):
    def interrupt(_self):
        raise KeyboardInterrupt

    monkeypatch.setattr(Database, "require_current", interrupt)

    result = run("codes", "issue")

    assert (result.exit_code, result.stderr) == (1, "stopped before it was done\n")


def test_a_refusal_without_facts_says_what_kind_it_is(run):
    result = run("complaints", "move", "123", "accept")

    assert (result.exit_code, result.stderr) == (REFUSED, "No response and no complaint has this number.\n")


def test_an_account_is_bound_to_one_place_and_has_a_name_that_can_be_typed(run, sqlite_database):
    places_to_print(sqlite_database)
    clerk = ["accounts", "add", "li.na", "--role", "clerk", "--district", "海勃湾区", "--community", "1"]

    two_places = run(*clerk, input=PASSWORD)
    blank = [run("accounts", "add", name, "--role", "city", input=PASSWORD) for name in (" ", "a b", "…", "a" * 65)]

    assert (two_places.exit_code, "an account is bound to one place" in two_places.stderr) == (REFUSED, True)
    assert "argon2" not in two_places.output
    assert [(each.exit_code, "without blanks" in each.stderr) for each in blank] == [(REFUSED, True)] * 4
    assert count(sqlite_database, Account) == 0


@pytest.mark.parametrize("before", ["\ufeff", "\u200b", "\ufeff\u2060 "])
@pytest.mark.parametrize("encoding", ["utf-8", "gb18030"])
def test_marks_that_are_not_seen_keep_no_slip_valid(run, sqlite_database, tmp_path, before, encoding):
    places_to_print(sqlite_database)
    with sqlite_database.writing() as session:
        sheet = issue_slips(
            session,
            survey_round=session.scalars(select(Round)).one(),
            community=session.scalars(select(Community).filter_by(number="1")).one(),
            new=new_slips(2, secret_key=Config.from_env().secret_key),
            now=datetime.now(UTC),
        )
    listed = tmp_path / "slips.txt"
    listed.write_bytes(f"{before}{sheet.slips[0].digits}\r\n{before}{sheet.slips[1].token}\r\n".encode(encoding))

    result = run("codes", "revoke-slips", "1", "--because", "returned", listed)

    assert (result.exit_code, result.stdout) == (0, "revoked 2 slips of 1\n")


def test_a_list_in_utf_16_is_refused_with_what_to_do(run, tmp_path):
    (tmp_path / "slips.txt").write_bytes("1234\n".encode("utf-16"))

    result = run("codes", "revoke-slips", "1", "--because", "lost", tmp_path / "slips.txt")

    assert (result.exit_code, "UTF-16" in result.stderr) == (REFUSED, True)


def test_a_community_of_another_district_is_not_printed(run, sqlite_database, tmp_path):
    places_to_print(sqlite_database)

    result = run("slips", "2099年调查", tmp_path / "out", "--district", "海勃湾区", "--community", "2")

    assert (result.exit_code, "is in 乌达区 and not in 海勃湾区" in result.stderr) == (REFUSED, True)
    assert not (tmp_path / "out").exists()


def test_every_command_takes_a_round_by_its_english_name(run):
    run("questionnaire", "publish", QUESTIONNAIRE)
    run(*CREATE_ROUND, "--accepts", "household")

    said = [run("evaluate", " Survey 2099 "), run("examine", "Survey 2099"), run("codes", "count-slips", "Survey 2099")]

    assert not any("there is no round" in result.output for result in said)


@pytest.mark.parametrize(
    ("option", "value", "message"),
    [
        ("--name", "", "needs a name"),
        ("--name", " \u3000\ufeff", "needs a name"),
        ("--name", "名" * 300, "at most 100 characters"),
        ("--english-name", "x" * 300, "at most 100 characters"),
        ("--evaluator", "名" * 300, "at most 100 characters"),
        ("--opens", "1026-09-01", "not in a year from 2000 to 2199"),
        ("--opens", "2024-09-01", "which is over"),
        ("--last-day", "9999-12-31", "not in a year from 2000 to 2199"),
        ("--keep-until", "0001-01-01", "not in a year from 2000 to 2199"),
    ],
)
def test_a_round_has_a_name_and_days_that_can_be(run, sqlite_database, option, value, message):
    run("questionnaire", "publish", QUESTIONNAIRE)

    result = run(*CREATE_ROUND, option, value)

    assert (result.exit_code, message in result.stderr) == (REFUSED, True), result.output
    assert count(sqlite_database, Round) == 0


@pytest.mark.parametrize("number", ["not a phone", "", "12", "0473", "++86", "1" * 30, "转8001", "0473-2012345转"])
def test_residents_are_told_telephone_numbers_only(run, sqlite_database, number):
    places_to_print(sqlite_database)
    good = number == "0473"

    assert (run("districts", "telephone", "Haibowan", number).exit_code == 0) is good


@pytest.mark.parametrize("number", ["0473-2012345", "(0473) 2012345", "+86 473 2012345", "１２３２９", "2012345转8001"])
def test_telephone_numbers_are_taken_as_they_are_written(run, sqlite_database, number):
    places_to_print(sqlite_database)

    assert run("districts", "telephone", "--", "Haibowan", number).exit_code == 0


@pytest.mark.parametrize("name", ["学\U00030ede\ue000园", "很" * 200, "x" * 300 + "/.."])
def test_one_odd_name_stops_nobody_elses_print(run, sqlite_database, tmp_path, name):
    places_to_print(sqlite_database)
    with sqlite_database.writing() as session:
        session.scalars(select(Community).filter_by(number="1")).one().name = name

    posters = run("posters", tmp_path / "posters")
    slips = run("slips", "2099年调查", tmp_path / "slips")
    on_paper = run("questionnaire", "print", "2099年调查", tmp_path / "paper")

    codes = [each.exit_code for each in (posters, slips, on_paper)]
    assert codes == [0, 0, 0], posters.output + slips.output + on_paper.output
    for folder in ("posters", "slips", "paper"):
        assert len(printed(tmp_path / folder)) == 2
    for said in (posters.stderr, slips.stderr, on_paper.stderr):
        assert (f"{name}: no installed typeface holds" in said) is ("\ue000" in name)
        assert ("U+E000" in said) is ("\ue000" in name)


def test_the_setup_checklist_names_what_is_to_do_with_its_command(run):
    answer = run("setup-checklist")

    assert answer.exit_code == 1
    assert "[to do] Freeze the rule file\n" in answer.output
    assert "    $ jiayuan rules freeze FILE\n" in answer.output
    assert "[done] Public address of the site\n" in answer.output
    assert run("rules", "freeze", str(RULES)).exit_code == 0
    assert "[done] Freeze the rule file\n" in run("setup-checklist").output
    assert "[已完成] 规则文件定稿\n" in run("setup-checklist", "--language", "zh-Hans").output


def test_posters_that_a_command_writes_are_on_record(run, sqlite_database, tmp_path):
    with sqlite_database.writing() as session:
        make_poster_code(session)

    run("posters", str(tmp_path / "posters"))

    with sqlite_database.reading() as session:
        [event] = session.scalars(select(AuditEvent).filter_by(action="posters_printed"))
    assert json.loads(event.after)["count"] == 1


def test_a_casework_file_is_checked_published_once_and_listed(run, tmp_path):
    path = tmp_path / "casework.yaml"
    text = CASEWORK_FILE.read_text("utf-8").replace("in_force_from: 2021-08-23", "in_force_from: 2099-01-01")
    path.write_text(text, "utf-8")

    assert run("casework", "check", path).output.startswith("in force from 2099-01-01: no faults, sha256 ")
    first, again = run("casework", "publish", path), run("casework", "publish", path)
    assert first.output.startswith("published, in force from 2099-01-01, sha256 ")
    assert again.output == first.output
    assert [line[:10] for line in run("casework", "list").output.splitlines()] == ["2099-01-01", "2021-08-23"]
    path.write_text(text.replace("silence_days: 7", "silence_days: 0"), "utf-8")
    refused = run("casework", "publish", path)
    assert (refused.exit_code, "silence_days: this must lie between 1 and 90" in refused.output) == (2, True)
