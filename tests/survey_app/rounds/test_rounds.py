from datetime import UTC, date, datetime
from threading import Barrier

import pytest
from sqlalchemy import event, func, select

from analytics.files.yaml_documents import DocumentError
from survey_app.config import DATA
from survey_app.models import Questionnaire, Round, RuleFile
from survey_app.models.vocabulary import CodeKind
from survey_app.rounds import rounds
from survey_app.rounds.questionnaires import parse_questionnaire
from survey_app.rounds.rounds import (
    GRACE_PERIOD,
    PublishedQuestionnaireDiffers,
    RoundRefused,
    StoredRuleFileDiffers,
    add_rule_file,
    create_round,
    find_open_round,
    find_round,
    has_settled,
    move_dates,
    publish_questionnaire,
    usual_last_day_of_keeping,
)
from survey_app.storage.advisory_locks import AdvisoryLock
from tests.factories import NOW
from tests.together import all_at_once

QUESTIONNAIRE = (DATA / "questionnaires" / "resident-satisfaction-1.yaml").read_bytes()
RULES = (DATA / "rules" / "wuhai" / "2021-08-23.yaml").read_bytes()


def definition(content=QUESTIONNAIRE):
    return parse_questionnaire(content, "questionnaire.yaml")


def plan(session, *, rules=RULES, questionnaire=QUESTIONNAIRE, **values):
    defaults = {
        "name": "2026年调查",
        "english_name": "Survey 2026",
        "opens_on": date(2026, 9, 20),
        "closes_on": date(2026, 10, 1),
        "now": NOW,
    }
    defaults["responses_kept_until"] = usual_last_day_of_keeping(values.get("closes_on", defaults["closes_on"]))
    return create_round(
        session,
        questionnaire=publish_questionnaire(session, definition=definition(questionnaire), now=NOW),
        rule_file=add_rule_file(session, content=rules, source="rules.yaml", now=NOW),
        **(defaults | values),
    )


def test_publishing_freezes_the_canonical_text_and_its_hash(database):
    with database.writing() as session:
        published = publish_questionnaire(session, definition=definition(), now=NOW)

    with database.reading() as session:
        stored = session.get_one(Questionnaire, published.id)
        assert (stored.text, stored.sha256) == (definition().canonical_text, definition().sha256)


def test_publishing_the_same_questionnaire_again_returns_the_stored_one(sqlite_database):
    with sqlite_database.writing() as session:
        first = publish_questionnaire(session, definition=definition(), now=NOW)
        second = publish_questionnaire(session, definition=definition(), now=NOW)

        assert second is first


def test_a_published_version_never_changes(sqlite_database):
    altered = definition(QUESTIONNAIRE.replace("居民满意度调查".encode(), "居民满意调查".encode()))
    with sqlite_database.writing() as session:
        publish_questionnaire(session, definition=definition(), now=NOW)

        with pytest.raises(PublishedQuestionnaireDiffers):
            publish_questionnaire(session, definition=altered, now=NOW)


def test_a_rule_file_is_stored_byte_for_byte(database):
    with database.writing() as session:
        stored = add_rule_file(session, content=RULES, source="rules.yaml", now=NOW)
        again = add_rule_file(session, content=RULES, source="copy.yaml", now=NOW)

    assert again is stored
    with database.reading() as session:
        assert session.get_one(RuleFile, stored.id).content == RULES


def test_a_corrected_rule_file_needs_a_name_of_its_own(sqlite_database):
    with sqlite_database.writing() as session:
        add_rule_file(session, content=RULES, source="rules.yaml", now=NOW)

        with pytest.raises(StoredRuleFileDiffers):
            add_rule_file(session, content=RULES + b"# corrected\n", source="rules.yaml", now=NOW)


def test_a_faulty_rule_file_is_not_stored(sqlite_database):
    with sqlite_database.writing() as session:
        with pytest.raises(DocumentError):
            add_rule_file(session, content=RULES.replace(b"floor", b"downwards"), source="rules.yaml", now=NOW)

        assert session.scalar(select(func.count()).select_from(RuleFile)) == 0


def test_a_round_opens_and_closes_at_midnights_of_the_city(database):
    with database.writing() as session:
        created = plan(session, opens_on=date(2026, 9, 20), closes_on=date(2026, 10, 1))

    with database.reading() as session:
        stored = session.get_one(Round, created.id)
        assert stored.opens_at == datetime(2026, 9, 19, 16, 0, tzinfo=UTC)
        assert stored.closes_at == datetime(2026, 9, 30, 16, 0, tzinfo=UTC)


def test_a_midnight_follows_the_clocks_of_a_zone_that_changes_them(sqlite_database):
    berlin = RULES.replace(b"Asia/Shanghai", b"Europe/Berlin")
    with sqlite_database.writing() as session:
        created = plan(session, rules=berlin, opens_on=date(2026, 10, 20), closes_on=date(2026, 11, 1))

    assert created.opens_at == datetime(2026, 10, 19, 22, 0, tzinfo=UTC)
    assert created.closes_at == datetime(2026, 10, 31, 23, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("values", "reason"),
    [
        ({"name": "2026年调查"}, "there is already a round 2026年调查"),
        ({"closes_on": date(2026, 11, 1)}, "cannot close before the end of that day"),
        ({"opens_on": date(2026, 8, 1), "closes_on": date(2026, 9, 1)}, "would be over already"),
        ({"opens_on": date(2026, 9, 30)}, "the dates overlap with the round 2026年调查"),
    ],
)
def test_a_round_that_cannot_be_is_refused(sqlite_database, values, reason):
    second = {"name": "第二轮", "opens_on": date(2026, 11, 1), "closes_on": date(2026, 12, 1)}
    with sqlite_database.writing() as session:
        plan(session)

        with pytest.raises(RoundRefused, match=reason):
            plan(session, **(second | values))


def plan_two_at_once(database):
    """Plan two rounds of the same dates at one moment, and return what became of each."""
    with database.writing() as session:
        publish_questionnaire(session, definition=definition(), now=NOW)
        add_rule_file(session, content=RULES, source="rules.yaml", now=NOW)

    def plan_one(name):
        try:
            with database.writing() as session:
                plan(session, name=name)
        except RoundRefused as refusal:
            return str(refusal)
        return "planned"

    return sorted(all_at_once(plan_one, ["东城", "西城"]))


def test_of_two_rounds_that_are_planned_at_one_moment_one_is_refused(database):
    planned, refused = plan_two_at_once(database)

    assert planned == "planned"
    assert refused in ("the dates overlap with the round 东城", "the dates overlap with the round 西城")


@pytest.mark.postgresql
def test_of_two_rounds_that_were_both_checked_before_either_was_stored_one_is_refused(postgresql_database, monkeypatch):
    keep_apart, checked = rounds._kept_apart, Barrier(2)

    def keep_apart_once_both_are_checked(*arguments, **named):
        checked.wait()
        return keep_apart(*arguments, **named)

    monkeypatch.setattr(rounds, "_kept_apart", keep_apart_once_both_are_checked)

    planned, refused = plan_two_at_once(postgresql_database)

    assert planned == "planned"
    assert refused in ("the dates overlap with the round 东城", "the dates overlap with the round 西城")
    with postgresql_database.reading() as session:
        assert session.scalar(select(func.count()).select_from(Round)) == 1


@pytest.mark.postgresql
def test_while_the_dates_of_a_round_are_stored_no_other_transaction_stores_any(postgresql_database):
    waiting = []

    def see_who_waits(_connection, _cursor, statement, *_rest):
        if statement.startswith("INSERT INTO round "):
            with postgresql_database.engine.connect() as other:
                waiting.append(
                    not other.scalar(select(func.pg_try_advisory_xact_lock(*AdvisoryLock.ROUND_DATES.value)))
                )

    event.listen(postgresql_database.engine, "before_cursor_execute", see_who_waits)

    with postgresql_database.writing() as session:
        plan(session)

    assert waiting == [True]


@pytest.mark.postgresql
def test_a_round_is_not_moved_into_the_days_of_one_that_was_stored_meanwhile(postgresql_database, monkeypatch):
    with postgresql_database.writing() as session:
        moved = plan(session, opens_on=date(2026, 12, 1), closes_on=date(2027, 1, 1)).id
    keep_apart = rounds._kept_apart

    def keep_apart_beside_another(*arguments, **named):
        monkeypatch.setattr(rounds, "_kept_apart", keep_apart)
        with postgresql_database.writing() as session:
            plan(session, name="第二轮")
        return keep_apart(*arguments, **named)

    monkeypatch.setattr(rounds, "_kept_apart", keep_apart_beside_another)
    days = {"opens_on": date(2026, 9, 25), "closes_on": date(2026, 10, 2), "responses_kept_until": date(2027, 9, 1)}

    with (
        pytest.raises(RoundRefused, match="the dates overlap with the round 第二轮"),
        postgresql_database.writing() as session,
    ):
        move_dates(session, find_round(session, moved), now=NOW, **days)

    with postgresql_database.reading() as session:
        assert find_round(session, moved).opens_at == datetime(2026, 11, 30, 16, 0, tzinfo=UTC)


def test_rounds_may_follow_each_other_without_a_gap(database):
    with database.writing() as session:
        first = plan(session)
        second = plan(session, name="第二轮", opens_on=date(2026, 10, 1), closes_on=date(2026, 11, 1))

    assert second.opens_at == first.closes_at


@pytest.mark.parametrize(
    ("old", "new", "reason"),
    [
        (b"question: q01", b"question: q99", "judge question q99, which the questionnaire does not ask"),
        (b"question: q01", b"question: q24", "judge question q24, which the questionnaire does not ask"),
        (
            b"measure: satisfaction_rate",
            b"measure: composite\n  domains: {q02: 1/4, q98: 1/4, q24: 1/4, q22: 1/4}",
            "judge question q98, q24, which the questionnaire does not ask",
        ),
        (
            b"measure: satisfaction_rate",
            b"measure: composite\n  domains: {q02: 1/2, q17: 1/2}",
            r"count codes that question q17 does not have: \[3, 4, 5\]",
        ),
        (b"question: q01", b"question: q17", r"count codes that question q17 does not have: \[3, 4, 5\]"),
    ],
)
def test_rules_must_judge_what_the_questionnaire_asks(sqlite_database, old, new, reason):
    with sqlite_database.writing() as session, pytest.raises(RoundRefused, match=reason):
        plan(session, rules=RULES.replace(old, new))


ONCE = RULES.replace(b"one_answer_per_household: false", b"one_answer_per_household: true")


def test_a_round_accepts_the_codes_it_was_told_to(sqlite_database):
    with sqlite_database.writing() as session:
        survey_round = plan(session, rules=ONCE, accepts=[CodeKind.HOUSEHOLD])

        assert (survey_round.accepts_posters, survey_round.accepts_households) == (False, True)


@pytest.mark.parametrize("accepts", [[CodeKind.POSTER], [CodeKind.POSTER, CodeKind.HOUSEHOLD]])
def test_rules_that_promise_one_answer_per_household_are_refused_where_posters_are_accepted(sqlite_database, accepts):
    with sqlite_database.writing() as session, pytest.raises(RoundRefused, match="posters cannot promise"):
        plan(session, rules=ONCE, accepts=accepts)


def test_a_round_without_any_code_is_refused(sqlite_database):
    with sqlite_database.writing() as session, pytest.raises(RoundRefused, match="posters, household slips or both"):
        plan(session, accepts=[])


def test_a_round_has_settled_once_no_answer_is_on_its_way(sqlite_database):
    with sqlite_database.writing() as session:
        planned = plan(session)

    assert not has_settled(planned, now=planned.closes_at)
    assert has_settled(planned, now=planned.closes_at + GRACE_PERIOD)


def test_a_round_is_open_from_its_opening_until_just_before_its_close(sqlite_database):
    with sqlite_database.writing() as session:
        planned = plan(session)
        moments = {"before": NOW, "first": planned.opens_at, "after": planned.closes_at}
        found = {name: find_open_round(session, now=moment) for name, moment in moments.items()}

    assert found == {"before": None, "first": planned, "after": None}


def test_a_round_that_does_not_exist_is_not_found(sqlite_database):
    with sqlite_database.reading() as session, pytest.raises(LookupError, match="there is no round 9"):
        find_round(session, 9)


@pytest.mark.parametrize(
    ("kept_until", "fault"),
    [
        (date(2026, 10, 1), "would be gone before they are evaluated"),
        (date(2026, 9, 1), "would be gone before they are evaluated"),
        (date(2029, 10, 1), "three years after the last day at most, until 2029-09-30"),
        (date(9999, 12, 31), "three years after the last day at most"),
    ],
)
def test_answers_are_kept_beyond_the_close_and_not_for_ever(sqlite_database, kept_until, fault):
    with pytest.raises(RoundRefused, match=fault), sqlite_database.writing() as session:
        plan(session, responses_kept_until=kept_until)

    with sqlite_database.writing() as session:
        assert plan(session, responses_kept_until=date(2029, 9, 30)).responses_kept_until == date(2029, 9, 30)
