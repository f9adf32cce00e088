"""What has to be on record is, with who did it, and without a word about persons."""

import json
from datetime import date, timedelta

import pytest
from sqlalchemy import func, select

from survey_app import audit
from survey_app.accounts.accounts import NewPassword, add_account
from survey_app.audit import verify_chain
from survey_app.codes.codes import issue_poster_code, revoke_code
from survey_app.config import DATA
from survey_app.evaluations.evaluate_round import evaluate_round
from survey_app.evaluations.publications import publish_evaluation
from survey_app.models import Account, AuditEvent, Code, Evaluation, Publication, Questionnaire, Round, RuleFile
from survey_app.rounds.questionnaires import load_questionnaire
from survey_app.rounds.rounds import add_rule_file, create_round, publish_questionnaire
from tests.accounts import make_account, signed_in_client
from tests.factories import NOW, make_community, make_response, make_round

BY = "account:7"
QUESTIONNAIRE = load_questionnaire(DATA / "questionnaires" / "resident-satisfaction-1.yaml")
RULES = (DATA / "rules" / "wuhai" / "2021-08-23.yaml").read_bytes()


def plan_round(session):
    return create_round(
        session,
        name="2099年调查",
        english_name=None,
        opens_on=date(2099, 9, 1),
        closes_on=date(2099, 10, 1),
        responses_kept_until=date(2100, 9, 30),
        questionnaire=publish_questionnaire(session, definition=QUESTIONNAIRE, by=BY, now=NOW),
        rule_file=add_rule_file(session, content=RULES, source="rules.yaml", by=BY, now=NOW),
        by=BY,
        now=NOW,
    )


def issue_and_revoke(session):
    code = issue_poster_code(session, community=make_community(session), by=BY, now=NOW)
    revoke_code(session, code=code, by=BY, now=NOW)


def add_somebody(session):
    add_account(
        session, username="canary-name", password=NewPassword.of("a canary sings at dawn"), role="city", by=BY, now=NOW
    )


def events(database):
    with database.reading() as session:
        assert list(verify_chain(session)) == []
        return session.scalars(select(AuditEvent).order_by(AuditEvent.position)).all()


def test_planning_a_round_is_on_record_step_by_step(database):
    with database.writing() as session:
        plan_round(session)
        plan = [(event.actor, event.action) for event in session.new if isinstance(event, AuditEvent)]
        assert plan == [], "events join the chain at the commit"

    published, added, created = events(database)
    assert {event.actor for event in (published, added, created)} == {BY}
    assert (published.action, json.loads(published.after)) == (
        "questionnaire_published",
        {"sha256": QUESTIONNAIRE.sha256},
    )
    assert (added.action, added.subject) == ("rules_added", "rules:1")
    assert created.action == "round_created"
    assert json.loads(created.after)["closes_at"] == "2099-09-30T16:00:00+00:00"


def test_what_is_stored_already_is_not_recorded_again(database):
    for _ in range(2):
        with database.writing() as session:
            publish_questionnaire(session, definition=QUESTIONNAIRE, by=BY, now=NOW)
            add_rule_file(session, content=RULES, source="rules.yaml", by=BY, now=NOW)

    assert len(events(database)) == 2


def test_codes_are_on_record_without_their_tokens(database):
    with database.writing() as session:
        issue_and_revoke(session)
        token = session.scalar(select(Code.token))

    issued, revoked = events(database)
    assert (issued.action, revoked.action) == ("code_issued", "code_revoked")
    assert issued.subject == revoked.subject == "code:1"
    assert token not in str([vars(event) for event in (issued, revoked)])


def test_evaluating_and_publishing_are_on_record_once_each(database):
    with database.writing() as session:
        survey_round = make_round(session)
        make_response(session, survey_round, make_community(session))
    later = survey_round.closes_at + timedelta(hours=1)
    for _ in range(2):
        evaluation = evaluate_round(database, round_id=survey_round.id, now=later, by=BY)
    with database.writing() as session:
        publish_evaluation(session, evaluation_id=evaluation.id, reason=None, by=BY, now=later)

    evaluated, published = events(database)
    assert (evaluated.action, evaluated.subject) == ("evaluated", f"evaluation:{evaluation.id}")
    assert (published.action, published.subject, published.before) == (
        "evaluation_published",
        f"round:{survey_round.id}",
        None,
    )
    assert json.loads(published.after)["standings"] == evaluation.standings_sha256


def test_a_download_is_on_record_with_the_scope_it_was_cut_down_to(app, sqlite_database):
    with sqlite_database.writing() as session:
        dates = {"opens_at": NOW - timedelta(days=900), "closes_at": NOW - timedelta(days=800)}
        survey_round = make_round(session, responses_kept_until=date(2099, 1, 1), **dates)
        community = make_community(session)
        make_response(session, survey_round, community, submitted_at=NOW - timedelta(days=850))
        account = make_account(session, "district", district=community.district, now=NOW)
    evaluation = evaluate_round(sqlite_database, round_id=survey_round.id, now=NOW)
    client = signed_in_client(app, "district")

    client.get(f"/staff/evaluations/{evaluation.id}/tables.csv")
    client.get("/staff/evaluations/99/tables.csv")

    [exported] = [event for event in events(sqlite_database) if event.action == "exported"]
    assert (exported.actor, exported.subject) == (f"account:{account.id}", f"evaluation:{evaluation.id}")
    assert json.loads(exported.after) == {"kind": "tables", "area": "district", "place": community.district_id}


@pytest.mark.parametrize(
    ("action", "table"),
    [
        (plan_round, Round),
        (plan_round, RuleFile),
        (plan_round, Questionnaire),
        (issue_and_revoke, Code),
        (add_somebody, Account),
    ],
)
def test_nothing_happens_that_cannot_be_recorded(sqlite_database, monkeypatch, action, table):
    def break_down(*_arguments):
        raise OSError("no space left on device")

    monkeypatch.setattr(audit, "_hash", break_down)

    def act():
        with sqlite_database.writing() as session:
            action(session)

    with pytest.raises(OSError, match="no space"):
        act()
    with sqlite_database.reading() as session:
        assert session.scalar(select(func.count()).select_from(table)) == 0


def test_an_evaluation_that_cannot_be_recorded_is_neither_stored_nor_published(sqlite_database, monkeypatch):
    with sqlite_database.writing() as session:
        survey_round = make_round(session)
        make_response(session, survey_round, make_community(session))
    later = survey_round.closes_at + timedelta(hours=1)

    def break_down(*_arguments):
        raise OSError("no space left on device")

    with monkeypatch.context() as broken:
        broken.setattr(audit, "_hash", break_down)
        with pytest.raises(OSError, match="no space"):
            evaluate_round(sqlite_database, round_id=survey_round.id, now=later)
    with sqlite_database.reading() as session:
        assert session.scalar(select(func.count()).select_from(Evaluation)) == 0
        assert session.scalar(select(func.count()).select_from(Publication)) == 0


def test_the_chain_holds_no_word_about_persons(sqlite_database):
    with sqlite_database.writing() as session:
        add_somebody(session)

    assert "canary" not in str([vars(event) for event in events(sqlite_database)])
