import csv
import io
import json
from collections import Counter

import pandas as pd
import pytest
from click.testing import CliRunner

from analytics.__main__ import main
from analytics.decision.community_table import read_table
from analytics.decision.evaluate import evaluate
from analytics.rules import parse_rules
from survey_app.accounts.scope import EVERYWHERE, Scope
from survey_app.config import DATA
from survey_app.evaluations.evaluate_round import evaluate_round
from survey_app.exports.answer_tables import export_answer_tables
from survey_app.exports.community_table import export_community_table
from survey_app.exports.responses import export_responses
from survey_app.exports.standings import export_standings
from survey_app.exports.texts import export_texts
from survey_app.models import Round
from survey_app.models.vocabulary import Area
from survey_app.responses.retention import erase_expired
from survey_app.rounds.questionnaires import parse_questionnaire
from survey_app.rounds.rounds import (
    GRACE_PERIOD,
    CommentsErased,
    RoundStillOpen,
    add_rule_file,
    publish_questionnaire,
)
from tests.factories import (
    CLOSED,
    NOW,
    SETTLED,
    make_account,
    make_community,
    make_complaint,
    make_district,
    make_poster_code,
    make_response,
    make_round,
    move_rounds_aside,
)

RECOMMENDATION = """
      - key: q25
        type: zero_to_ten
        label: {zh-Hans: 您愿意推荐本小区吗, en: "Would you recommend your community?"}
        short: {zh-Hans: 推荐意愿, en: Recommendation}
        ends: {zero: {zh-Hans: 完全不愿意, en: Not at all}, ten: {zh-Hans: 非常愿意, en: Certainly}}
        dont_know: {zh-Hans: 不清楚, en: Don't know}
"""


def read(pieces):
    text = "".join(pieces)
    assert text.startswith("\ufeff")
    return list(csv.DictReader(io.StringIO(text.removeprefix("\ufeff"), newline="")))


def read_rows(database, evaluation, *, scope=EVERYWHERE):
    return read(export_responses(database, evaluation_id=evaluation.id, scope=scope, now=SETTLED))


def read_tables(database, evaluation, *, scope=EVERYWHERE, language="en"):
    return read(export_answer_tables(database, evaluation_id=evaluation.id, scope=scope, language=language))


def read_texts(database, evaluation, *, scope=EVERYWHERE, language="en"):
    texts = export_texts(database, round_id=evaluation.round_id, scope=scope, language=language, now=SETTLED)
    return read(texts)


@pytest.fixture
def survey(database):
    """An open round with two communities of different districts."""
    with database.writing() as session:
        here = make_community(session, district=make_district(session, name="海勃湾区", english_name="Haibowan"))
        elsewhere = make_community(session, district=make_district(session, name="乌达区", english_name="Wuda"))
        return make_round(session), here, elsewhere


def answer(session, survey_round, community, number, **answers):
    code_id = make_poster_code(session, community).id
    for _ in range(number):
        make_response(session, survey_round, community, answers={"q01": 5} | answers, code_id=code_id)


def test_as_many_rows_are_exported_as_were_counted(database, survey):
    survey_round, here, elsewhere = survey
    with database.writing() as session:
        for number in range(60):
            community = here if number % 3 else elsewhere
            code = (1, 2, 3, 4, 5, 9)[number % 6]
            make_response(session, survey_round, community, tenure=number % 2 + 1, answers={"q01": code})
        make_response(session, survey_round, here, submitted_at=CLOSED)
    evaluation = evaluate_round(database, round_id=survey_round.id, now=SETTLED)
    inputs = pd.DataFrame(json.loads(evaluation.inputs)).set_index("community_id")

    rows = read_rows(database, evaluation)

    assert len(rows) == 60
    for community in (here, elsewhere):
        owners = [row for row in rows if row["tenure"] == "1" and row["community_id"] == community.number]
        valid = [row for row in owners if row["q01"] in {"1", "2", "3", "4", "5"}]
        assert len(valid) == inputs.loc[community.number, "responses"]
        assert sum(row["q01"] in {"4", "5"} for row in valid) == inputs.loc[community.number, "satisfied"]
    assert [row["response_id"] for row in rows] == [str(number) for number in range(1, 61)]


def test_a_composite_takes_its_domains_along(database):
    content = (DATA / "rules" / "wuhai" / "2021-08-23.yaml").read_bytes()
    content = content.replace(b"measure: satisfaction_rate", b"measure: composite\n  domains: {q02: 3/4, q03: 1/4}")
    with database.writing() as session:
        rule_file = add_rule_file(session, content=content, source="rules.yaml", now=NOW)
        survey_round, community = make_round(session, rule_file=rule_file), make_community(session)
        answer(session, survey_round, community, 12, q02=4, q03=9, q04=1)
    evaluation = evaluate_round(database, round_id=survey_round.id, now=SETTLED)

    rows = read_rows(database, evaluation)

    assert {(row["q01"], row["q02"], row["q03"]) for row in rows} == {("5", "4", "9")}
    assert "q04" not in rows[0]


def rules_where(session, *replaced):
    content = (DATA / "rules" / "wuhai" / "2021-08-23.yaml").read_bytes()
    for old, new in replaced:
        assert old in content
        content = content.replace(old, new)
    return add_rule_file(session, content=content, source="rules.yaml", now=NOW)


def test_where_all_residents_are_ranked_the_rows_of_few_tenants_stay_and_do_not_say_whose_they_are(
    sqlite_database, tmp_path
):
    with sqlite_database.writing() as session:
        rule_file = rules_where(session, (b"population: owners", b"population: residents"))
        survey_round = make_round(session, rule_file=rule_file)
        few, enough = (make_community(session) for _ in range(2))
        for community, tenants in ((few, 9), (enough, 10)):
            answer(session, survey_round, community, 40)
            for _ in range(tenants):
                make_response(session, survey_round, community, tenure=2, answers={"q01": 2})
    evaluation = evaluate_round(sqlite_database, round_id=survey_round.id, now=SETTLED)

    rows = read_rows(sqlite_database, evaluation)

    tenures = {
        place.number: Counter(row["tenure"] for row in rows if row["community_id"] == place.number)
        for place in (few, enough)
    }
    assert tenures == {few.number: {"": 49}, enough.number: {"1": 40, "2": 10}}
    # The evaluator counts the same from them.
    asked = {"evaluation_id": evaluation.id, "scope": EVERYWHERE}
    (tmp_path / "table.csv").write_text("".join(export_community_table(sqlite_database, **asked)), "utf-8", newline="")
    exported = "".join(export_responses(sqlite_database, **asked, now=SETTLED))
    (tmp_path / "rows.csv").write_text(exported, "utf-8", newline="")
    with sqlite_database.reading() as session:
        (tmp_path / "rules.yaml").write_bytes(session.get(Round, survey_round.id).rule_file.content)
    files = [str(tmp_path / name) for name in ("table.csv", "rows.csv", "rules.yaml", "out")]
    options = zip(("--responses", "--rules", "--out"), files[1:], strict=True)
    result = CliRunner().invoke(main, ["evaluate", files[0], *(part for pair in options for part in pair)])
    assert result.exit_code == 0, result.output
    assert evaluation.inputs_sha256 in (tmp_path / "out" / "evaluation.json").read_text("utf-8")
    assert "differ" not in result.output


@pytest.mark.parametrize(("undecided", "released"), [(0, 10), (1, 0)])
def test_of_ten_owners_of_whom_nine_gave_a_rating_no_row_is_released(sqlite_database, undecided, released):
    with sqlite_database.writing() as session:
        survey_round, community = make_round(session), make_community(session)
        answer(session, survey_round, community, 10 - undecided)
        answer(session, survey_round, community, undecided, q01=9)
    evaluation = evaluate_round(sqlite_database, round_id=survey_round.id, now=SETTLED)

    assert len(read_rows(sqlite_database, evaluation)) == released


@pytest.mark.parametrize("dissatisfied", [2, 12])
def test_beside_a_composite_the_rate_is_told_only_where_all_ratings_are(sqlite_database, dissatisfied):
    with sqlite_database.writing() as session:
        composite = b"measure: composite\n  domains: {q02: 3/4, q03: 1/4}"
        rule_file = rules_where(session, (b"measure: satisfaction_rate", composite))
        survey_round, community = make_round(session, rule_file=rule_file), make_community(session)
        answer(session, survey_round, community, 40, q02=4, q03=4)
        answer(session, survey_round, community, dissatisfied, q01=2, q02=4, q03=4)
    evaluation = evaluate_round(sqlite_database, round_id=survey_round.id, now=SETTLED)

    [row] = read_standings_file(sqlite_database, evaluation)

    assert (row["Satisfaction rank"], row["Satisfaction: percentile"]) == ("1", "50.0")
    assert (row["Satisfaction rate"] != "") == (row["Satisfaction index"] != "") == (dissatisfied == 12)


def test_tables_say_each_answer_in_codes_and_in_words(database, survey):
    survey_round, here, _elsewhere = survey
    with database.writing() as session:
        answer(session, survey_round, here, 20, q17=1, q18=1, q19=[1, 4])
        answer(session, survey_round, here, 20, q17=1, q18=2)
        answer(session, survey_round, here, 10, q01=2, q17=2)
    evaluation = evaluate_round(database, round_id=survey_round.id, now=SETTLED)

    def number(question, code, language="en"):
        cells = [tuple(row.values()) for row in read_tables(database, evaluation, language=language)]
        [found] = [row[4:] for row in cells if (row[0], row[3], row[5]) == (here.number, question, code)]
        return found

    assert number("q01", "satisfied") == ("Overall satisfaction", "satisfied", "satisfied", "40", "0.8")
    assert number("q01", "2") == ("Overall satisfaction", "2", "Dissatisfied", "10", "0.2")
    assert number("q18", "1", "zh-Hans") == ("是否投诉", "1", "投诉过", "20", "0.5")
    assert number("q19", "4") == ("Complained to", "4", "Hotline", "", "")  # of twenty, fewer than opinions are told of


def test_an_answer_from_zero_to_ten_has_its_label(database, survey):
    text = (DATA / "questionnaires" / "resident-satisfaction-1.yaml").read_text(encoding="utf-8") + RECOMMENDATION
    text = text.replace("key: resident-satisfaction", "key: recommendation")
    with database.writing() as session:
        questionnaire = publish_questionnaire(session, definition=parse_questionnaire(text.encode(), "q"), now=NOW)
        move_rounds_aside(session)
        asked = make_round(session, questionnaire=questionnaire)
        for code, people in ((0, 12), (10, 30), (99, 9)):
            answer(session, asked, survey[1], people, q25=code)
    evaluation = evaluate_round(database, round_id=asked.id, now=SETTLED)

    rows = [row for row in read_tables(database, evaluation) if row["Question number"] == "q25"]

    told = {
        row["Answer"]: row["Number (empty: withheld)"] for row in rows if row["Community number"] == survey[1].number
    }
    assert {label: told[label] for label in ("0", "1", "10", "Don't know")} == {
        "0": "12", "1": "0", "10": "30", "Don't know": "9"
    }  # fmt: skip


@pytest.mark.parametrize("sign", ["=", "+", "-", "@", "\t", "\r", "＝"])
def test_a_spreadsheet_runs_nothing_that_a_resident_typed(sqlite_database, sign):
    with sqlite_database.writing() as session:
        survey_round, community = make_round(session), make_community(session, name=f"{sign}cmd")
        answer(session, survey_round, community, 30, q24=f"{sign}SUM(A1)")
    evaluation = evaluate_round(sqlite_database, round_id=survey_round.id, now=SETTLED)

    rows = [export(sqlite_database, evaluation)[0] for export in (read_rows, read_texts, read_tables)]

    dangerous = tuple("=+-@\t\r＝")
    assert [cell for row in rows for cell in row.values() if cell.startswith(dangerous)] == []
    assert list(rows[1].values())[-1].endswith("(A1)")


def test_every_file_is_cut_down_to_the_scope(database, survey):
    survey_round, here, elsewhere = survey
    with database.writing() as session:
        for community in (here, elsewhere):
            answer(session, survey_round, community, 30, q24="电梯又坏了")
    evaluation = evaluate_round(database, round_id=survey_round.id, now=SETTLED)
    district = Scope(Area.DISTRICT, (here.district_id,))

    for export in (read_rows, read_texts, read_tables):
        places = {
            next(cell for cell in row.values() if cell == here.number)
            for row in export(database, evaluation, scope=district)
        }
        assert places == {here.number}


@pytest.mark.parametrize(
    ("export", "asked"),
    [
        (export_responses, {"evaluation_id": 7, "now": SETTLED}),
        (export_texts, {"round_id": 7, "now": SETTLED, "language": "en"}),
        (export_answer_tables, {"evaluation_id": 7, "language": "en"}),
        (export_community_table, {"evaluation_id": 7}),
    ],
)
def test_what_is_unknown_is_refused_before_the_first_line(sqlite_database, export, asked):
    with pytest.raises(LookupError, match=r"no (evaluation|round) 7"):
        export(sqlite_database, scope=EVERYWHERE, **asked)


def test_no_file_that_is_being_sent_keeps_a_connection_to_the_database(database, survey):
    survey_round, here, _elsewhere = survey
    with database.writing() as session:
        answer(session, survey_round, here, 40, q24="电梯又坏了")
    texts = export_texts(database, round_id=survey_round.id, scope=EVERYWHERE, language="en", now=SETTLED)
    of_evaluation = {
        "evaluation_id": evaluate_round(database, round_id=survey_round.id, now=SETTLED).id,
        "scope": EVERYWHERE,
    }
    files = [
        texts,
        export_responses(database, **of_evaluation, now=SETTLED),
        export_answer_tables(database, **of_evaluation, language="en"),
        export_standings(database, **of_evaluation, language="en"),
        export_community_table(database, **of_evaluation),
    ]

    assert [next(file)[0] for file in files] == ["\ufeff"] * 5
    assert {pool.checkedout() for pool in (database.engine.pool, database._readers.pool)} == {0}
    assert all(next(file) for file in files)


@pytest.mark.parametrize("export", [read_rows, read_tables])
def test_rows_and_tables_come_with_an_official_evaluation_only(sqlite_database, export):
    with sqlite_database.writing() as session:
        survey_round = make_round(session)
        make_community(session)
    preview = evaluate_round(sqlite_database, round_id=survey_round.id, now=SETTLED, provisional=True)

    with pytest.raises(LookupError):
        export(sqlite_database, preview)


def test_texts_wait_for_the_close_and_are_gone_once_the_result_is_official(sqlite_database):
    with sqlite_database.writing() as session:
        survey_round, community = make_round(session), make_community(session)
        answer(session, survey_round, community, 30, q24="电梯又坏了")
        closes_at = survey_round.closes_at
    asked = {"round_id": survey_round.id, "scope": EVERYWHERE, "language": "en"}

    with pytest.raises(RoundStillOpen):
        export_texts(sqlite_database, **asked, now=closes_at)
    assert len(read(export_texts(sqlite_database, **asked, now=SETTLED))) == 30
    evaluate_round(sqlite_database, round_id=survey_round.id, now=SETTLED)
    erase_expired(sqlite_database, by="site", now=SETTLED)
    with pytest.raises(CommentsErased):
        export_texts(sqlite_database, **asked, now=SETTLED)


def test_a_round_without_responses_gives_files_with_headings(database, survey):
    survey_round, _, _ = survey
    evaluation = evaluate_round(database, round_id=survey_round.id, now=SETTLED)
    asked = {"scope": EVERYWHERE, "now": SETTLED}
    rows = "".join(export_responses(database, evaluation_id=evaluation.id, **asked))
    texts = "".join(export_texts(database, round_id=survey_round.id, language="en", **asked))

    assert rows == "\ufeffresponse_id,community_id,name,region,tenure,mode,q01\r\n"
    assert texts.count("\r\n") == 1


@pytest.fixture
def evaluated(database, survey):
    """The survey with 30 owners' answers here and 3 elsewhere, closed and evaluated."""
    survey_round, here, elsewhere = survey
    with database.writing() as session:
        for community, number in ((here, 30), (elsewhere, 3)):
            code_id = make_poster_code(session, community).id
            for _ in range(number):
                make_response(session, survey_round, community, code_id=code_id)
    return evaluate_round(database, round_id=survey_round.id, now=survey_round.closes_at + GRACE_PERIOD)


def read_standings_file(database, evaluation, *, scope=EVERYWHERE, language="en"):
    text = "".join(export_standings(database, evaluation_id=evaluation.id, scope=scope, language=language))
    assert text.startswith("\ufeff")
    return list(csv.DictReader(io.StringIO(text.removeprefix("\ufeff"), newline="")))


def test_standings_say_each_decision_with_its_reason(database, survey, evaluated):
    _, here, elsewhere = survey
    rows = {row["Community number"]: row for row in read_standings_file(database, evaluated)}

    assert rows[here.number]["Satisfaction rate"] == "1.0"
    assert rows[here.number]["Valid answers of owners"] == "30"
    assert rows[elsewhere.number]["Satisfaction route"] == "not_assessed"
    assert {rows[elsewhere.number][name] for name in ("Satisfaction rank", "Satisfaction: percentile")} == {""}
    assert "sample too small, not ranked" in rows[elsewhere.number]["Satisfaction route in words"]
    assert {row["Result"] for row in rows.values()} == {"Official"}


def test_standings_speak_chinese(database, survey, evaluated):
    _, _, elsewhere = survey
    [row] = read_standings_file(
        database, evaluated, scope=Scope(Area.DISTRICT, (elsewhere.district_id,)), language="zh-Hans"
    )

    assert (row["小区"], row["区"]) == (elsewhere.name, "乌达区")
    assert "样本不足，不参与排名" in row["满意度途径说明"]


def test_a_preview_says_so_in_every_row(database, survey):
    survey_round, _, _ = survey
    preview = evaluate_round(database, round_id=survey_round.id, now=SETTLED, provisional=True)

    assert {row["Result"] for row in read_standings_file(database, preview)} == {"Preview, not an official result"}


def test_a_district_exports_its_own_standings_only(database, survey, evaluated):
    _, here, _ = survey
    rows = read_standings_file(database, evaluated, scope=Scope(Area.DISTRICT, (here.district_id,)))

    assert [row["Community number"] for row in rows] == [here.number]


def test_an_unknown_evaluation_is_refused(sqlite_database):
    with pytest.raises(LookupError, match="no evaluation 7"):
        export_standings(sqlite_database, evaluation_id=7, scope=EVERYWHERE, language="en")


def test_the_evaluator_decides_the_same_from_the_counts_that_were_taken_away(database, survey, tmp_path):
    survey_round, here, _elsewhere = survey
    with database.writing() as session:
        for number in range(40):
            answers = {"q01": 5 if number % 3 else 2, "q17": 1, "q18": 1 + number % 2}
            make_response(session, survey_round, here, answers=answers)
        make_complaint(session, here)
    evaluation = evaluate_round(database, round_id=survey_round.id, now=SETTLED)
    with database.reading() as session:
        rules = parse_rules(session.get(Round, survey_round.id).rule_file.content, "rules.yaml")
    path = tmp_path / "communities.csv"

    path.write_text("".join(export_community_table(database, evaluation_id=evaluation.id, scope=EVERYWHERE)), "utf-8")
    again = evaluate(read_table(path, rules), rules)

    assert (again.inputs_sha256, again.standings_sha256) == (evaluation.inputs_sha256, evaluation.standings_sha256)
    row = again.communities.set_index("community_id").loc[here.number]
    assert (row["said_complained"], row["asked_about_complaints"]) == (20, 40)


def test_counts_of_other_districts_are_not_taken_away(database, survey):
    survey_round, here, _elsewhere = survey
    evaluation = evaluate_round(database, round_id=survey_round.id, now=SETTLED)
    district = Scope(Area.DISTRICT, (here.district_id,))

    text = "".join(export_community_table(database, evaluation_id=evaluation.id, scope=district))

    rows = list(csv.DictReader(io.StringIO(text.removeprefix("\ufeff"), newline="")))
    assert [row["community_id"] for row in rows] == [here.number]
    assert list(rows[0])[:4] == ["community_id", "region", "name", "responses"]
    with pytest.raises(LookupError):
        export_community_table(database, evaluation_id=99, scope=EVERYWHERE)


@pytest.mark.parametrize("language", ["zh-Hans", "en"])
@pytest.mark.parametrize(
    ("taken_away", "command"),
    [
        ("satisfaction_rate", ["evaluate", "{table}", "--responses", "{rows}"]),
        ("satisfaction_rate", ["integrity", "{rows}", "--rated", "q01", "--communities", "{table}"]),
        ("satisfaction_rate", ["integrity", "{rows}", "--rated", "q01"]),
        ("satisfaction_rate", ["rake", "{rows}", "--margins", "{margins}"]),
        # Only rules that rank domains release their answers.
        ("composite\n  domains: {q02: 3/4, q03: 1/4}", ["drivers", "{rows}", "--domains", "q02,q03"]),
        ("composite\n  domains: {q02: 3/4, q03: 1/4}", ["integrity", "{rows}", "--rated", "q02,q03"]),
    ],
    indirect=["taken_away"],
    ids=lambda value: value[0] if isinstance(value, list) else value.split()[0],
)
def test_every_command_of_the_evaluator_reads_the_files_of_the_product(taken_away, tmp_path, command, language):
    files = {name: str(taken_away / f"{name}.csv") for name in ("table", "rows", "margins")}
    arguments = [part.format(**files) for part in command]
    options = ["--rules", str(taken_away / "rules.yaml"), "--out", str(tmp_path), "--language", language]

    result = CliRunner().invoke(main, [*arguments, *options])

    assert result.exit_code == 0, result.output
    assert list(tmp_path.iterdir())


@pytest.fixture
def taken_away(request, sqlite_database, tmp_path_factory):
    """What an evaluator downloads under a measure: counts, coarsened rows and rules, and figures of the population."""
    content = (DATA / "rules" / "wuhai" / "2021-08-23.yaml").read_bytes()
    content = content.replace(b"measure: satisfaction_rate", f"measure: {request.param}".encode())
    with sqlite_database.writing() as session:
        place, clerk = make_district(session, name="海勃湾区", english_name="Haibowan"), make_account(session)
        rule_file = add_rule_file(session, content=content, source="rules.yaml", now=NOW)
        survey_round = make_round(session, rule_file=rule_file)
        for number in range(3):
            community = make_community(session, district=place, number=f"00{number}")
            for nth in range(30):
                answers = {"q01": 1 + nth % 5, "q02": (1 + nth % 4) if nth % 7 else 9, "q03": 1 + nth % 3}
                how = {"mode": "paper", "entered_by_id": clerk.id} if nth < 3 else {}
                make_response(session, survey_round, community, answers=answers, **how)
    evaluation = evaluate_round(sqlite_database, round_id=survey_round.id, now=SETTLED)
    directory = tmp_path_factory.mktemp("taken")
    asked = {"evaluation_id": evaluation.id, "scope": EVERYWHERE}
    rows = "".join(export_responses(sqlite_database, **asked, now=SETTLED))
    table = "".join(export_community_table(sqlite_database, **asked))
    for name, text in {
        "rows.csv": rows,
        "table.csv": table,
        "margins.csv": "margin,category,total\ntenure,1,900\n",
    }.items():
        (directory / name).write_text(text, "utf-8", newline="")
    (directory / "rules.yaml").write_bytes(content)
    return directory


@pytest.fixture(params=[False, True], ids=["official", "preview"])
def unevenly_known(request, sqlite_database):
    """A round with few answers in one community, unknown households in another, and a quiet one beside a loud one."""
    with sqlite_database.writing() as session:
        survey_round, district = make_round(session), make_district(session)
        quiet, loud = (make_community(session, district=district) for _ in range(2))
        # In the same district, the few would hide the answers of a second community with theirs.
        few = make_community(session)
        unknown = make_community(session, district=district, households_occupied=None, households_delivered=None)
        for community in (quiet, loud, unknown):
            answer(session, survey_round, community, 12, q17=1, q18=1)
            answer(session, survey_round, community, 28, q17=1, q18=2)
        answer(session, survey_round, few, 9)
        for _ in range(40):
            make_complaint(session, loud)
    evaluation = evaluate_round(sqlite_database, round_id=survey_round.id, now=SETTLED, provisional=request.param)
    rows = {row["Community number"]: row for row in read_standings_file(sqlite_database, evaluation)}
    counted = read(export_community_table(sqlite_database, evaluation_id=evaluation.id, scope=EVERYWHERE))
    table = {row["community_id"]: row for row in counted}
    return request.param, *((rows[each.number], table[each.number]) for each in (quiet, loud, few, unknown))


def test_files_leave_unknown_cells_empty_and_warn_where_residents_report_what_is_not_on_record(unevenly_known):
    is_preview, (quiet, _), (loud, _), (few, few_counted), (unknown, unknown_counted) = unevenly_known

    assert few["Valid answers of owners"] == few_counted["responses"] == "9"
    assert {few[name] for name in ("Satisfied", "Satisfaction rate", "Satisfaction index")} == {""}
    assert {few_counted[name] for name in ("satisfied", "mean_index", "said_complained")} == {""}
    assert {unknown[name] for name in ("Household-years", "Complaints per 1,000 household-years")} == {""}
    assert {unknown_counted[name] for name in ("exposure_household_years", "denominator_source")} == {""}
    assert unknown["Valid complaints"] == unknown_counted["complaints"] == "0"
    # A preview tells nothing of what residents answered beside the ranked measure.
    assert ("0 on record" in quiet["Please check"]) is not is_preview
    assert loud["Please check"] == ""
