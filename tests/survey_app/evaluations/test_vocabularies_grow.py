"""What was evaluated stays readable when vocabularies grow or shrink: evaluated before, read after."""

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from flask_login import login_user
from sqlalchemy import text

from analytics.decision.survey_channels import CHANNEL_COLUMNS as SURVEY_CHANNEL_COLUMNS
from analytics.statistics.complaint_rates import CHANNEL_COLUMNS
from survey_app.accounts.guard import SignedIn
from survey_app.accounts.scope import EVERYWHERE
from survey_app.complaints import categories as category_files
from survey_app.complaints.categories import categories, category_of, recorded_categories
from survey_app.evaluations.counts import MODE_COUNTS
from survey_app.evaluations.dashboard_source import StoredEvaluations
from survey_app.evaluations.evaluate_round import evaluate_round
from survey_app.exports.community_table import export_community_table
from survey_app.exports.standings import export_standings
from survey_app.responses.integrity_reviews import examine_round
from tests.accounts import make_account
from tests.counting import read_community_table
from tests.factories import make_community, make_complaint, make_response, make_round
from tests.survey_app.evaluations.test_counts import RULES

NOW = datetime.now(UTC).replace(microsecond=0)
HEATING = "EQ05"


@pytest.fixture
def evaluated(sqlite_database):
    """A community with answers and one complaint about heating, evaluated and examined."""
    with sqlite_database.writing() as session:
        survey_round = make_round(session, opens_at=NOW - timedelta(days=40), closes_at=NOW - timedelta(days=10))
        community = make_community(session)
        for number in range(15):
            moment = survey_round.opens_at + timedelta(hours=number)
            make_response(session, survey_round, community, submitted_at=moment, tenure=1 + number % 2)
        make_complaint(session, community, category=HEATING, submitted_at=NOW - timedelta(days=20))
        account = SignedIn.of(make_account(session, "city", now=NOW))
    examine_round(sqlite_database, round_id=survey_round.id, now=NOW)
    return account, community.number, evaluate_round(sqlite_database, round_id=survey_round.id, now=NOW).id


@pytest.fixture
def read_all(app, sqlite_database, evaluated):
    """Read everything that pages and files read of the evaluation."""
    account, number, evaluation = evaluated

    def read():
        source = StoredEvaluations(sqlite_database)
        with app.test_request_context():
            login_user(account)
            found = {
                "headers": [header.id for header in source.evaluations()],
                "standings": source.standings(evaluation).to_dict("records"),
                "inputs": source.inputs(evaluation).to_dict("records"),
                "others": source.inputs_of_other_population(evaluation).to_dict("records"),
                "cases": source.cases(evaluation)[["category", "label", "cases"]].to_dict("records"),
                "channels": source.channels(evaluation).to_dict("records"),
                "reported": source.reported(evaluation, [number]).to_dict("records"),
                "history": source.history(number).to_dict("records"),
                "complaints": source.profile(evaluation, number).complaints["label"].tolist(),
            }
            source.examination(evaluation)
        of_all = {"evaluation_id": evaluation, "scope": EVERYWHERE}
        assert number in "".join(export_community_table(sqlite_database, **of_all))
        assert number in "".join(export_standings(sqlite_database, **of_all, language="en"))
        # Written out, since what is missing is not equal to itself.
        return {
            name: value if name in {"inputs", "channels", "complaints"} else repr(value)
            for name, value in found.items()
        }

    return read


def rewrite(database, table, column, change):
    """Change stored JSON, as if it had been stored before something existed."""
    with database.writing() as session:
        session.execute(text(f"DROP TRIGGER {table}_refuses_update"))
        for row in session.execute(text(f"SELECT rowid AS number, {column} AS value FROM {table}")).all():
            value = json.dumps(change(json.loads(row.value)), ensure_ascii=False)
            session.execute(
                text(f"UPDATE {table} SET {column} = :value WHERE rowid = :number"),
                {"value": value, "number": row.number},
            )


@pytest.mark.parametrize("column", [*CHANNEL_COLUMNS, *SURVEY_CHANNEL_COLUMNS, *MODE_COUNTS])
def test_a_channel_or_mode_that_came_later_is_unknown_and_not_zero(sqlite_database, read_all, column):
    rewrite(sqlite_database, "evaluation", "inputs", lambda table: {k: v for k, v in table.items() if k != column})

    [row] = read_all()["inputs"]

    assert row.get(column) is None or row[column] != row[column]


@pytest.mark.parametrize("channel", ["hotline", "code"])
def test_a_channel_of_complaints_that_came_later_has_no_row(sqlite_database, read_all, channel):
    rewrite(sqlite_database, "region_profile", "channels", lambda told: {k: v for k, v in told.items() if k != channel})

    assert channel not in {row["channel"] for row in read_all()["channels"]}


@pytest.mark.parametrize("question", ["q20", "q23"])
def test_a_code_that_nobody_gave_reads_as_nobody(sqlite_database, read_all, question):
    before = read_all()
    rewrite(sqlite_database, "community_profile", "answers", lambda told: told | {question: {}})

    assert read_all()["standings"] == before["standings"]


@pytest.fixture
def offer_only(monkeypatch):
    """Let the site offer other categories than those on record."""

    def arrange(*versions):
        monkeypatch.setattr(category_files, "_numbers", lambda: range(len(versions)))
        monkeypatch.setattr(category_files, "_version", versions.__getitem__)
        for cached in (categories, recorded_categories):
            cached.cache_clear()

    yield arrange
    monkeypatch.undo()
    for cached in (categories, recorded_categories):
        cached.cache_clear()


def without(version, code):
    groups = tuple(
        replace(group, categories=tuple(each for each in group.categories if each.code != code))
        for group in version.groups
    )
    return replace(version, groups=groups)


def test_a_category_that_is_offered_no_more_keeps_its_name_and_counts(sqlite_database, read_all, offer_only):
    now_offered = categories()
    before = read_all()
    offer_only(now_offered, without(now_offered, HEATING))

    assert HEATING not in categories().by_code
    after = read_all()
    assert {name: repr(value) for name, value in after.items()} == {name: repr(value) for name, value in before.items()}
    assert category_of(HEATING).name.zh_hans == before["complaints"][0]
    with sqlite_database.writing() as session:
        survey_round = make_round(session, opens_at=NOW - timedelta(days=5), closes_at=NOW + timedelta(days=1))
        table = read_community_table(session, survey_round, rules=RULES, cut_off=NOW)
    assert table["complaints"].tolist() == [1]


def test_a_category_that_no_version_defines_is_named_by_its_code(read_all, offer_only):
    before, now_offered = read_all(), categories()
    offer_only(without(now_offered, HEATING))

    after = read_all()

    assert after["complaints"] == [HEATING]
    assert after["standings"] == before["standings"]


def test_every_earlier_version_of_the_categories_is_known():
    files = sorted((category_files.DATA / "complaint-categories").glob("*.yaml"))

    for path in files:
        for category in category_files.load_categories(path):
            assert category_of(category.code).name == recorded_categories()[category.code].name
