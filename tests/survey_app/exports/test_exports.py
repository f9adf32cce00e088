import csv
import io
from datetime import UTC, datetime, timedelta

import pytest

from analytics.decision.community_table import read_table
from analytics.decision.evaluate import evaluate
from analytics.rules import parse_rules
from survey_app.accounts.scope import EVERYWHERE, Scope
from survey_app.config import DATA
from survey_app.evaluations.counts import count_responses
from survey_app.evaluations.evaluate_round import evaluate_round
from survey_app.exports import responses as responses_export
from survey_app.exports.community_table import export_community_table
from survey_app.exports.responses import export_responses
from survey_app.exports.standings import export_standings
from survey_app.models import Round
from survey_app.models.vocabulary import Area
from survey_app.rounds.questionnaires import parse_questionnaire, questionnaire_from_canonical
from survey_app.rounds.rounds import GRACE_PERIOD, RoundStillOpen, publish_questionnaire
from tests.factories import (
    CLOSED,
    NOW,
    SETTLED,
    make_community,
    make_complaint,
    make_district,
    make_poster_code,
    make_response,
    make_round,
)

RECOMMENDATION = """
      - key: q25
        type: zero_to_ten
        label: {zh-Hans: 您愿意推荐本小区吗, en: "Would you recommend your community?"}
        short: {zh-Hans: 推荐意愿, en: Recommendation}
        ends: {zero: {zh-Hans: 完全不愿意, en: Not at all}, ten: {zh-Hans: 非常愿意, en: Certainly}}
        dont_know: {zh-Hans: 不清楚, en: Don't know}
"""


def read_responses(database, survey_round, *, scope=EVERYWHERE, now=SETTLED, language="zh-Hans"):
    text = "".join(export_responses(database, round_id=survey_round.id, scope=scope, now=now, language=language))
    assert text.startswith("\ufeff")
    return list(csv.DictReader(io.StringIO(text.removeprefix("\ufeff"), newline="")))


@pytest.fixture
def survey(database):
    """An open round with two communities of different districts."""
    with database.writing() as session:
        here = make_community(session, district=make_district(session, name="海勃湾区", english_name="Haibowan"))
        elsewhere = make_community(session, district=make_district(session, name="乌达区", english_name="Wuda"))
        return make_round(session), here, elsewhere


def test_nothing_is_handed_out_while_the_round_is_open(database, survey):
    survey_round, here, _ = survey
    with database.writing() as session:
        make_response(session, survey_round, here)

    with pytest.raises(RoundStillOpen):
        read_responses(database, survey_round, now=SETTLED - timedelta(microseconds=1))


def test_as_many_are_exported_as_were_received_and_tallied(database, survey, monkeypatch):
    monkeypatch.setattr(responses_export, "BATCH_ROWS", 7)
    survey_round, here, elsewhere = survey
    with database.writing() as session:
        for number in range(30):
            community = here if number % 3 else elsewhere
            make_response(
                session, survey_round, community, tenure=number % 3 + 1, answers={"q01": (1, 2, 3, 4, 5, 9)[number % 6]}
            )
        make_response(session, survey_round, here, submitted_at=CLOSED)
        rules = parse_rules(survey_round.rule_file.content, "rules")
        tallied = count_responses(
            session,
            survey_round=survey_round,
            rules=rules,
            questionnaire=questionnaire_from_canonical(survey_round.questionnaire.text),
            before=CLOSED,
        )

    rows = read_responses(database, survey_round)

    assert len(rows) == tallied["received"].sum() == 30
    owners = [row for row in rows if row["业主或租户（代码）"] == "1"]
    valid = [row for row in owners if row["q01"] in {"1", "2", "3", "4", "5"}]
    assert len(owners) == tallied["owners"].sum()
    assert len(valid) == tallied["responses"].sum()
    assert sum(row["q01"] in {"4", "5"} for row in valid) == tallied["satisfied"].sum()
    assert [row["答卷序号"] for row in rows] == [str(number) for number in range(1, 31)]


def test_a_row_says_what_was_answered_in_codes_and_in_words(database, survey):
    survey_round, here, _ = survey
    with database.writing() as session:
        make_response(
            session,
            survey_round,
            here,
            tenure=2,
            answers={"q01": 4, "q17": 1, "q18": 1, "q19": [1, 4], "q24": "电梯，\n又坏了"},
            submitted_at=datetime(2026, 9, 14, 17, 30, tzinfo=UTC),
        )

    [row] = read_responses(database, survey_round)
    [english] = read_responses(database, survey_round, language="en")

    assert row["q01"] == "4"
    assert row["q01 总体满意度"] == "满意"
    assert (row["业主或租户（代码）"], row["业主或租户"]) == ("2", "租户")
    assert row["q19"] == "1|4"
    assert [cell for heading, cell in row.items() if heading.startswith("q19 ")] == ["物业公司|12345热线"]
    assert [cell for heading, cell in row.items() if heading.startswith("q24")] == ["电梯，\n又坏了"]
    assert row["q02"] == ""
    assert row["提交日期"] == "2026-09-15"  # already the next day in Wuhai
    assert (english["District"], english["Tenure"], english["q01 Overall satisfaction"]) == (
        "Haibowan",
        "Tenant",
        "Satisfied",
    )


def test_nothing_in_the_file_leads_to_a_resident(database, survey):
    survey_round, here, _ = survey
    with database.writing() as session:
        response = make_response(session, survey_round, here, submitted_at=datetime(2026, 9, 15, 3, 47, tzinfo=UTC))
        secrets = [response.receipt, response.submission_key, response.commitment, "03:47", "11:47"]

    text = "".join(
        export_responses(database, round_id=survey_round.id, scope=EVERYWHERE, now=SETTLED, language="zh-Hans")
    )

    assert not [secret for secret in secrets if secret in text]


def test_an_answer_from_zero_to_ten_is_a_number_with_its_label(database, survey):
    text = (DATA / "questionnaires" / "resident-satisfaction-1.yaml").read_text(encoding="utf-8") + RECOMMENDATION
    text = text.replace("key: resident-satisfaction", "key: recommendation")
    with database.writing() as session:
        questionnaire = publish_questionnaire(session, definition=parse_questionnaire(text.encode(), "q"), now=NOW)
        asked = make_round(session, questionnaire=questionnaire)
        for answer in ({"q25": 0}, {"q25": 10}, {"q25": 99}, {}):
            make_response(session, asked, survey[1], answers={"q01": 5} | answer)

    rows = read_responses(database, asked, language="en")

    assert [(row["q25"], row["q25 Recommendation"]) for row in rows] == [
        ("0", "0"),
        ("10", "10"),
        ("99", "Don't know"),
        ("", ""),
    ]


@pytest.mark.parametrize("sign", ["=", "+", "-", "@", "\t", "\r", "＝"])
def test_a_spreadsheet_runs_nothing_that_a_resident_typed(sqlite_database, sign):
    with sqlite_database.writing() as session:
        survey_round, community = make_round(session), make_community(session, name=f"{sign}cmd")
        make_response(session, survey_round, community, answers={"q01": 5, "q24": f"{sign}HYPERLINK(1)"})

    [row] = read_responses(sqlite_database, survey_round)

    dangerous = tuple("=+-@\t\r＝")
    assert [cell for cell in row.values() if cell.startswith(dangerous)] == []
    assert next(cell for heading, cell in row.items() if heading.startswith("q24")).endswith("HYPERLINK(1)")


def test_a_district_exports_its_own_responses_only(database, survey):
    survey_round, here, elsewhere = survey
    with database.writing() as session:
        make_response(session, survey_round, here)
        make_response(session, survey_round, elsewhere)

    [row] = read_responses(database, survey_round, scope=Scope(Area.DISTRICT, here.district_id))

    assert row["小区编号"] == here.number


def test_a_round_without_responses_gives_a_file_with_headings(database, survey):
    survey_round, _, _ = survey
    text = "".join(export_responses(database, round_id=survey_round.id, scope=EVERYWHERE, now=SETTLED, language="en"))

    assert text.startswith("\ufeffResponse number,Community number,Community,District,Round,Submitted on,")
    assert text.count("\r\n") == 1


def test_an_unknown_round_is_refused_before_the_first_line(sqlite_database):
    with pytest.raises(LookupError, match="no round 7"):
        export_responses(sqlite_database, round_id=7, scope=EVERYWHERE, now=SETTLED, language="en")


def test_the_file_is_written_piece_by_piece(sqlite_database, monkeypatch):
    monkeypatch.setattr(responses_export, "BATCH_ROWS", 5)
    with sqlite_database.writing() as session:
        survey_round, community = make_round(session), make_community(session)
        for _ in range(12):
            make_response(session, survey_round, community)

    pieces = list(
        export_responses(sqlite_database, round_id=survey_round.id, scope=EVERYWHERE, now=SETTLED, language="en")
    )

    assert [piece.count("\r\n") for piece in pieces] == [1, 5, 5, 2]


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
    assert rows[here.number]["Valid responses"] == "30"
    assert rows[elsewhere.number]["Satisfaction route"] == "not_assessed"
    assert rows[elsewhere.number]["Satisfaction rank"] == ""
    assert "sample too small, not ranked" in rows[elsewhere.number]["Satisfaction route in words"]
    assert {row["Result"] for row in rows.values()} == {"Official"}


def test_standings_speak_chinese(database, survey, evaluated):
    _, _, elsewhere = survey
    [row] = read_standings_file(
        database, evaluated, scope=Scope(Area.DISTRICT, elsewhere.district_id), language="zh-Hans"
    )

    assert (row["小区"], row["区"]) == (elsewhere.name, "乌达区")
    assert "样本不足，不参与排名" in row["满意度途径说明"]


def test_a_preview_says_so_in_every_row(database, survey):
    survey_round, _, _ = survey
    preview = evaluate_round(database, round_id=survey_round.id, now=NOW + timedelta(days=1), provisional=True)

    assert {row["Result"] for row in read_standings_file(database, preview)} == {"Preview, not an official result"}


def test_a_district_exports_its_own_standings_only(database, survey, evaluated):
    _, here, _ = survey
    rows = read_standings_file(database, evaluated, scope=Scope(Area.DISTRICT, here.district_id))

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
    district = Scope(Area.DISTRICT, here.district_id)

    text = "".join(export_community_table(database, evaluation_id=evaluation.id, scope=district))

    rows = list(csv.DictReader(io.StringIO(text.removeprefix("\ufeff"), newline="")))
    assert [row["community_id"] for row in rows] == [here.number]
    assert list(rows[0])[:4] == ["community_id", "region", "name", "responses"]
    with pytest.raises(LookupError):
        export_community_table(database, evaluation_id=99, scope=EVERYWHERE)
