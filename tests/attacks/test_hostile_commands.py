"""Every command of both programs with hostile values of every option: a sentence and a status, never a traceback."""

import os
from datetime import timedelta

import click
import pytest
from click.testing import CliRunner

import survey_app.commands.operations as operation_commands
from analytics.__main__ import main as analytics
from analytics.commands import calibrate
from survey_app.codes.codes import issue_slips, new_slips
from survey_app.commands import main as jiayuan
from survey_app.config import DATA
from survey_app.demo import demo
from survey_app.demo.demo import Demo
from survey_app.operations import server
from tests.accounts import make_account
from tests.factories import make_community, make_complaint, make_district, make_response, make_round

RULES = DATA / "rules" / "wuhai" / "2021-08-23.yaml"
QUESTIONNAIRE = DATA / "questionnaires" / "resident-satisfaction-1.yaml"
KEY = "8a2f6b90c3d14e57a1b2c3d4e5f60718"
STATUSES = {0, 1, 2}
# What no output may hold: a traceback, the key, a hash of a password.
NEVER_SAID = ("Traceback", "fault of the program", KEY, "$argon2")

TEXTS = ["", " ", "\ufeff", "名" * 300, "x" * 5000, "'\"`$(x)\\", "%s{0}{x}", "a\nb", "\udcff", "\u202e1"]
NUMBERS = ["-1", "0", "9" * 30, "9" * 5000, "1e5", "nan", "inf", "²", "１２", "0x10"]
DAYS = ["9999-12-31", "0001-01-01", "1026-09-01", "2026-02-30", "２０２６-09-01"]
ADDRESSES = ["wj.example.cn", "https://wj.example.cn/?x=1#", "http://[::1", "bad host", "https://wj.example.cn:99999"]
FILES = ["missing/file.csv", "folder", "empty", "utf16.csv", "noise", "a.csv/below", "/dev/null", "名" * 300]


def commands_of(group, path=()):
    context = click.Context(group)
    for name in group.list_commands(context):
        command = group.get_command(context, name)
        if isinstance(command, click.Group):
            yield from commands_of(command, (*path, name))
        else:
            yield (*path, name), command


COMMANDS = [
    *((jiayuan, path, command) for path, command in commands_of(jiayuan)),
    *((analytics, path, command) for path, command in commands_of(analytics)),
]

# What a parameter holds while another one is attacked; without a line here it is what its type says.
USUAL = {
    "table": "a.csv",
    "responses": "a.csv",
    "responses_path": "a.csv",
    "rules_path": str(RULES),
    "rules_file": str(RULES),
    "questionnaire_name": "resident-satisfaction:1",
    "opens": "2099-09-01",
    "last_day": "2099-09-30",
    "keep_until": "2100-09-30",
    "public_url": "https://wj.example.cn",
    "number": "0473-2012345",
    "round_name": "测试",
    "password": "correct horse battery staple",
    "district_name": "海勃湾区",
    "community_number": "150302001",
    "rounds": ("2021-09-30=a.csv", "2022-09-30=a.csv"),
    "directory": "out",
    "kept": "0:" + "0" * 64,
    "seed": "1",
    "actor": "bureau",
}


def usual_values(parameter):
    """Return the words with which a parameter is given sensibly."""
    if parameter.name in USUAL:
        usual = USUAL[parameter.name]
        return (usual,) if isinstance(usual, str) else usual
    if isinstance(parameter.type, click.Choice):
        return (str(next(iter(parameter.type.choices))),)
    if isinstance(parameter.type, click.types.IntParamType | click.types.FloatParamType):
        return ("2",)
    if isinstance(parameter.type, click.Path | click.File):
        return (str(QUESTIONNAIRE) if "earlier" in parameter.name else "a.csv",)
    return ("x",)


def hostile_values(parameter):
    if getattr(parameter, "is_flag", False):
        return []
    if isinstance(parameter.type, click.Path | click.File):
        return [*FILES, *TEXTS]
    return [*TEXTS, *NUMBERS, *DAYS, *ADDRESSES, *FILES[:3]]


def words(parameter, values):
    if isinstance(parameter, click.Argument):
        return list(values)
    return [word for value in values for word in (parameter.opts[0], value)]


def invocations(path, command):
    """Yield the words of a command, with one parameter attacked at a time."""
    offered = [each for each in command.params if each.name != "help" and not getattr(each, "hidden", False)]
    for attacked in offered:
        for value in hostile_values(attacked):
            # Arguments that look like options follow the mark that ends these.
            options, arguments = [], []
            for each in offered:
                given = (value,) if each is attacked else usual_values(each) if each.required else ()
                (arguments if isinstance(each, click.Argument) else options).extend(words(each, given))
            yield [*path, *options, "--", *arguments]


@pytest.fixture
def installation(sqlite_database, tmp_path, monkeypatch, now):
    """A small city with one of everything, files of many kinds, and servers that end at once."""
    with sqlite_database.writing() as session:
        district = make_district(session, name="海勃湾区", english_name="Haibowan")
        community = make_community(session, number="150302001", district=district, households_delivered=3)
        survey_round = make_round(
            session,
            name="测试",
            english_name="Test",
            accepts_households=True,
            opens_at=now - timedelta(days=1),
            closes_at=now + timedelta(days=9),
        )
        make_response(session, survey_round, community)
        make_complaint(session, community)
        make_account(session, "root", role="administrator", now=now)
        issue_slips(session, survey_round=survey_round, community=community, new=new_slips(2, secret_key=KEY), now=now)
    monkeypatch.chdir(tmp_path)
    (tmp_path / "folder").mkdir()
    (tmp_path / "empty").touch()
    (tmp_path / "a.csv").write_text("community_id,region\n1,甲\n", "utf-8")
    (tmp_path / "utf16.csv").write_bytes("community_id,region\n".encode("utf-16"))
    (tmp_path / "noise").write_bytes(bytes(range(256)) * 8)
    for name, value in {
        "JIAYUAN_INSTANCE": str(tmp_path / "instance"),
        "JIAYUAN_DATABASE_URL": sqlite_database.url.render_as_string(hide_password=False),
        "JIAYUAN_SECRET_KEY": KEY,
        "JIAYUAN_PUBLIC_URL": "https://wj.example.cn",
    }.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr(server, "serve", lambda *_arguments, **_options: None)
    monkeypatch.setattr(demo, "prepare_demo", lambda *_arguments, **_options: Demo({}, "学府花园", "1", None))
    monkeypatch.setattr(operation_commands, "wait_unsupervised", lambda _seconds: False)
    # One city tells as much about options as the whole study, which takes minutes.
    for listing in ("list_settings", "list_cities", "list_cells"):
        all_of_it = getattr(calibrate, listing)
        monkeypatch.setattr(calibrate, listing, lambda all_of_it=all_of_it, **_quick: all_of_it(quick=True)[:1])
    monkeypatch.setattr(os, "nice", lambda _step: 0)


def complaint_about(result):
    """Return what is wrong with how a command ended, or None."""
    if result.exception is not None and not isinstance(result.exception, SystemExit):
        return f"raised {result.exception!r}"
    if result.exit_code not in STATUSES:
        return f"status {result.exit_code}"
    if result.exit_code and not result.stderr.strip():
        return "refused without a word"
    said = [word for word in NEVER_SAID if word in result.output]
    return f"said {said}: {result.output[-600:]}" if said else None


@pytest.mark.parametrize(("program", "path", "command"), COMMANDS, ids=[" ".join(path) for _, path, _ in COMMANDS])
@pytest.mark.usefixtures("installation")
def test_hostile_values_end_in_a_sentence(program, path, command):
    wrong = {}
    for arguments in [list(path), *invocations(path, command)]:
        result = CliRunner().invoke(program, arguments, input="y\n")
        if (complaint := complaint_about(result)) is not None:
            wrong[" ".join(word[:60] for word in arguments)] = complaint

    assert wrong == {}
