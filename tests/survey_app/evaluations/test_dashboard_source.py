import json
import shutil
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import get_args

import pandas as pd
import pytest
from flask_login import login_user
from sqlalchemy import delete, select

from analytics.disclosure.rules import rules_in_force
from analytics.statistics.complaint_rates import CHANNELS
from dashboards.frames.standings import key_counts_of
from dashboards.source import DRAWN_COLUMNS, ExportKind, GridQuery
from survey_app.accounts.guard import SignedIn
from survey_app.city_time import last_day, zone_of
from survey_app.evaluations import dashboard_source, stored_profiles
from survey_app.evaluations import evaluate_round as evaluate_round_module
from survey_app.evaluations.dashboard_source import StoredEvaluations
from survey_app.evaluations.evaluate_round import evaluate_round
from survey_app.evaluations.publications import publish_evaluation
from survey_app.models import AuditEvent, Community, District, Evaluation, IntegrityExamination, PropertyCompany, Round
from survey_app.register.boundaries import boundary_text
from survey_app.register.communities_file import CommunityTable
from survey_app.register.community_imports import import_communities, record_import, stored_communities
from survey_app.register.contracts import take_over
from survey_app.responses.integrity_reviews import examine_round
from survey_app.rounds.rounds import GRACE_PERIOD
from survey_app.storage.database import Database
from tests.accounts import make_account
from tests.conftest import copy_rows_of
from tests.factories import make_community, make_complaint, make_district, make_poster_code, make_response, make_round

PLACE_COLUMNS = ("number", "name", "english_name", "region", "region_english")

# The source looks at the clock, so these rounds lie around the present.
NOW = datetime.now(UTC).replace(microsecond=0)


@pytest.fixture(scope="module", autouse=True)
def no_minimum():
    """Break down the answers of the smallest community too; what the minimum does has tests of its own."""
    rules = replace(rules_in_force(NOW.date()), minimum_base=0)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(evaluate_round_module, "disclosure_of", lambda _day, _rules: rules)
        yield


def fill(database):
    """Add a closed and evaluated round and an open one, in two districts; return the accounts by role."""
    with database.writing() as session:
        here = make_community(session, district=make_district(session, name="海勃湾区", english_name="Haibowan"))
        there = make_community(session, district=make_district(session, name="乌达区", english_name="Wuda"))
        closed = make_round(session, opens_at=NOW - timedelta(days=40), closes_at=NOW - timedelta(days=10))
        opened = make_round(session, opens_at=NOW - timedelta(days=2), closes_at=NOW + timedelta(days=5))
        for survey_round in (closed, opened):
            for community, number in ((here, 12), (there, 11)):
                for _ in range(number):
                    moment = survey_round.opens_at + timedelta(hours=1)
                    make_response(session, survey_round, community, submitted_at=moment)
        accounts = {
            role: SignedIn.of(make_account(session, role, district=district, now=NOW))
            for role, district in (("city", None), ("evaluator", None), ("district", here.district))
        }
        numbers = {"here": here.number, "there": there.number}
    evaluate_round(database, round_id=closed.id, now=NOW)
    return accounts, numbers


@pytest.fixture(scope="module")
def filled_sqlite(_sqlite_template, tmp_path_factory):
    path = shutil.copy(_sqlite_template, tmp_path_factory.mktemp("filled"))
    with Database(f"sqlite:///{path}") as database:
        city = fill(database)
    return path, city


@pytest.fixture(scope="module")
def filled_postgresql(postgresql_server):
    name = "template_of_dashboards"
    with Database(postgresql_server.create_database(name, template="template_jiayuan")) as database:
        city = fill(database)
    return name, city


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.postgresql)])
def filled(request):
    """A copy of the city that was filled and evaluated once on each engine, and what is known of it."""
    template, city = request.getfixturevalue(f"filled_{request.param}")
    if request.param == "sqlite":
        database = request.getfixturevalue("sqlite_database")
        copy_rows_of(template, database)
        yield database, city
        return
    server = request.getfixturevalue("postgresql_server")
    url = server.create_database(template=template)
    with Database(url) as database:
        yield database, city
    server.drop_database(url)


@pytest.fixture
def database(filled):
    return filled[0]


@pytest.fixture
def city(filled):
    """The accounts by role, and the numbers of the communities."""
    return filled[1]


@pytest.fixture
def signed_in(app):
    """Sign an account in for a `with` block."""

    class Request:
        def __init__(self, account):
            self._context, self._account = app.test_request_context("/dashboards/"), account

        def __enter__(self):
            self._context.push()
            login_user(self._account)

        def __exit__(self, *_):
            self._context.pop()

    return Request


@pytest.mark.parametrize(("role", "expected"), [("city", 2), ("evaluator", 2), ("district", 1)])
def test_standings_are_cut_down_to_the_account(database, city, signed_in, role, expected):
    accounts, numbers = city
    source = StoredEvaluations(database)
    with signed_in(accounts[role]):
        [header] = source.evaluations()
        standings = source.standings(header.id)

    assert len(standings) == expected
    assert standings["number"].tolist() == [numbers["here"], numbers["there"]][:expected]
    assert header.responses == standings["responses"].sum()


def test_a_district_reads_nothing_of_another_district_in_a_header(database, city, signed_in):
    accounts, _ = city
    with signed_in(accounts["city"]):
        [whole] = StoredEvaluations(database).evaluations()
    with signed_in(accounts["district"]):
        [header] = StoredEvaluations(database).evaluations()

    assert "乌达区" in str(whole.summary)
    assert "乌达区" not in str(header.summary)
    assert "海勃湾区" in str(header.summary)


def test_standings_carry_the_names_of_places_in_both_languages(database, city, signed_in):
    accounts, _ = city
    with signed_in(accounts["district"]):
        standings = StoredEvaluations(database).standings(1)

    assert standings[["region", "region_english"]].to_numpy().tolist() == [["海勃湾区", "Haibowan"]]
    assert standings["satisfaction_rank"].dtype == "Int64"
    assert standings["satisfaction_score"].dtype == "float64"
    assert standings["region"].dtype == "category"
    assert set(standings) == {"community_id", *PLACE_COLUMNS, *DRAWN_COLUMNS}


@pytest.mark.parametrize("role", ["city", "district"])
def test_what_is_asked_of_few_communities_agrees_with_the_standings_of_all(database, city, signed_in, role):
    accounts, numbers = city
    source = StoredEvaluations(database)
    with signed_in(accounts[role]):
        standings = source.standings(1)
        whole = source.standings_of(1, [numbers["there"], "unknown", numbers["here"]])
        places, counts = source.places(1), source.key_counts(1, None)
        of_region = source.key_counts(1, "海勃湾区")
        ranked = {region: source.ranked_counts(1, region) for region in ("海勃湾区", "乌达区")}
        scores = {region: source.ranked_scores(1, region) for region in ("海勃湾区", "乌达区")}

    seen = standings.iloc[::-1].reset_index(drop=True)
    pd.testing.assert_frame_equal(whole[list(standings)], seen, check_dtype=False, check_categorical=False)
    assert {"satisfaction_rate", "satisfaction_needed_responses", "company"} <= set(whole)
    assert places["region"].tolist() == standings["region"].tolist()
    assert places["region_english"].tolist() == ["Haibowan", "Wuda"][: len(standings)]
    assert places["subdistrict"].isna().all()
    assert counts == key_counts_of(standings)
    assert of_region == key_counts_of(standings[standings["region"] == "海勃湾区"])
    for region, counted in ranked.items():
        own = standings[(standings["region"] == region) & standings["satisfaction_rank"].notna()]
        assert counted.to_dict("list") == own[list(counted)].to_dict("list")
        assert scores[region].tolist() == own["satisfaction_score"].tolist()


def test_of_an_unknown_evaluation_nothing_is_told_of_few_communities_either(database, city, signed_in):
    accounts, numbers = city
    source = StoredEvaluations(database)
    with signed_in(accounts["city"]):
        for ask in (
            lambda: source.standings_of(77, [numbers["here"]]),
            lambda: source.places(77),
            lambda: source.key_counts(77, None),
            lambda: source.ranked_counts(77, "海勃湾区"),
            lambda: source.ranked_scores(77, "海勃湾区"),
        ):
            with pytest.raises(LookupError, match="no evaluation 77"):
                ask()


def test_a_header_says_whether_its_evaluation_is_published(database, city, signed_in):
    accounts, _ = city
    with signed_in(accounts["evaluator"]):
        [before] = StoredEvaluations(database).evaluations()
        with database.writing() as session:
            publish_evaluation(session, evaluation_id=before.id, reason=None, now=NOW)
        [after] = StoredEvaluations(database).evaluations()

    assert (before.published, after.published) == (False, True)


def test_an_unknown_evaluation_is_a_lookup_error(database, city, signed_in):
    accounts, _ = city
    with signed_in(accounts["city"]), pytest.raises(LookupError, match="no evaluation 77"):
        StoredEvaluations(database).standings(77)


@pytest.mark.parametrize(("role", "counts"), [("city", [12, 11]), ("district", [12])])
def test_progress_counts_the_open_round_within_the_scope(database, city, signed_in, role, counts):
    accounts, _ = city
    with signed_in(accounts[role]):
        progress = StoredEvaluations(database).progress()

    assert progress.communities["responses"].tolist() == counts
    assert progress.communities["required"].tolist() == [30] * len(counts)
    assert progress.daily["responses"].sum() == sum(counts)
    assert progress.daily["responses"].tolist().count(0) == len(progress.daily) - 1
    assert len(progress.daily) == 3


def test_progress_is_counted_once_a_minute_and_anew_for_every_account(database, city, signed_in, monkeypatch):
    accounts, numbers = city
    source = StoredEvaluations(database)
    first = NOW.replace(second=0) + timedelta(hours=1)

    def counted(role, now):
        monkeypatch.setattr(dashboard_source, "current_time", lambda: now)
        with signed_in(accounts[role]):
            progress = source.progress()
            return progress.communities["responses"].tolist(), int(progress.daily["responses"].sum())

    assert counted("city", first) == ([12, 11], 23)
    with database.writing() as session:
        community = session.scalar(select(Community).filter_by(number=numbers["here"]))
        opened = session.scalar(select(Round).where(Round.closes_at > NOW))
        make_response(session, opened, community, submitted_at=NOW)

    assert counted("city", first + timedelta(seconds=59)) == ([12, 11], 23)
    assert counted("district", first + timedelta(seconds=59)) == ([13], 13)
    assert counted("city", first + timedelta(seconds=60)) == ([13, 11], 24)


def test_casework_is_of_twelve_months_and_of_the_scope(database, city, signed_in, monkeypatch):
    accounts, numbers = city
    now = datetime(2026, 11, 20, 4, 37, 12, tzinfo=UTC)
    monkeypatch.setattr(dashboard_source, "current_time", lambda: now)
    with database.writing() as session:
        here, there = (session.scalar(select(Community).filter_by(number=numbers[at])) for at in ("here", "there"))
        make_complaint(session, here, submitted_at=now - timedelta(days=2), category="PK01")
        make_complaint(session, there, submitted_at=now - timedelta(days=3))

    source, found = StoredEvaluations(database), {}
    for role in ("city", "district", "evaluator"):
        with signed_in(accounts[role]):
            found[role] = source.casework()

    assert found["city"].start.isoformat() == "2025-12-01T00:00:00+08:00"
    assert found["city"].cut_off.isoformat() == "2026-11-20T12:30:00+08:00"
    assert [len(found[role].cases) for role in ("city", "evaluator")] == [2, 2]
    own = found["district"].cases
    assert (own["district"].tolist(), own["category_label"].tolist()) == (["海勃湾区"], ["乱停占道"])
    assert own["district"].cat.categories.tolist() == ["海勃湾区"], "no other is named"
    assert len(found["district"].spells) == 1


def test_casework_is_read_once_in_ten_minutes(database, city, signed_in, monkeypatch):
    accounts, numbers = city
    source, first = StoredEvaluations(database), datetime(2026, 11, 20, 4, 30, tzinfo=UTC)

    def count(now):
        monkeypatch.setattr(dashboard_source, "current_time", lambda: now)
        with signed_in(accounts["city"]):
            return len(source.casework().cases)

    assert count(first) == 0
    with database.writing() as session:
        community = session.scalar(select(Community).filter_by(number=numbers["here"]))
        make_complaint(session, community, submitted_at=first - timedelta(minutes=1))
    assert count(first + timedelta(minutes=9, seconds=59)) == 0
    assert count(first + timedelta(minutes=10)) == 1


def test_progress_shows_no_score(database, city, signed_in):
    accounts, _ = city
    with signed_in(accounts["city"]):
        progress = StoredEvaluations(database).progress()

    assert set(progress.communities) == {
        "community_id",
        "name",
        "english_name",
        "region",
        "region_english",
        "responses",
        "households",
        "required",
    }


@pytest.mark.parametrize(
    ("households_owners", "required"), [(300, 30), (41, 21), (40, 20), (12, 10), (0, 10), (None, 30)]
)
def test_a_small_community_needs_half_of_its_households(sqlite_database, signed_in, households_owners, required):
    with sqlite_database.writing() as session:
        make_round(session, opens_at=NOW - timedelta(days=2), closes_at=NOW + timedelta(days=5))
        make_community(
            session, households_owners=households_owners, households_occupied=None, households_delivered=None
        )
        account = SignedIn.of(make_account(session, "city", now=NOW))

    with signed_in(account):
        progress = StoredEvaluations(sqlite_database).progress()

    assert progress.communities["required"].tolist() == [required]


def test_without_an_open_round_there_is_no_progress(sqlite_database, signed_in):
    with sqlite_database.writing() as session:
        make_round(session, opens_at=NOW - timedelta(days=9), closes_at=NOW - timedelta(days=5))
        account = SignedIn.of(make_account(session, "city", now=NOW))

    with signed_in(account):
        assert StoredEvaluations(sqlite_database).progress() is None


def test_without_an_account_there_is_nothing(app, sqlite_database):
    from werkzeug.exceptions import Unauthorized

    source = StoredEvaluations(sqlite_database)
    with app.test_request_context("/dashboards/"):
        for ask in (source.evaluations, source.progress, lambda: source.standings(1)):
            with pytest.raises(Unauthorized):
                ask()


def test_inputs_of_others_count_tenants_too_and_profiles_show_them_apart(database, city, signed_in):
    accounts, numbers = city
    with database.writing() as session:
        survey_round = session.scalar(select(Round).order_by(Round.id))
        community = session.scalar(select(Community).filter_by(number=numbers["here"]))
        for _ in range(3):
            make_response(
                session, survey_round, community, answers={"q01": 2}, tenure=2, submitted_at=survey_round.opens_at
            )
        make_complaint(session, community, submitted_at=survey_round.opens_at)
        round_id = survey_round.id
    evaluation = evaluate_round(database, round_id=round_id, now=NOW).id
    source = StoredEvaluations(database)
    with signed_in(accounts["district"]):
        [own] = source.inputs(evaluation).to_dict("records")
        [others] = source.inputs_of_other_population(evaluation).to_dict("records")
        tenures = source.profile(evaluation, numbers["here"]).tenures

    assert (own["responses"], own["satisfied"]) == (12, 12)
    assert (others["responses"], others["satisfied"], others["complaints"]) == (15, 12, own["complaints"])
    assert {"said_complained", "paper_responses"} <= own.keys() - others.keys()
    assert tenures.to_numpy().tolist() == [[1, 12, 12], [2, 3, 0]]


def test_channels_are_those_of_the_regions_in_scope(database, city, said_so, signed_in):
    accounts, _numbers = city
    source = StoredEvaluations(database)
    seen = {}
    for role in ("city", "district"):
        with signed_in(accounts[role]):
            seen[role] = source.channels(said_so)

    assert set(seen["city"]["region"]) == {"海勃湾区", "乌达区"}
    assert set(seen["district"]["region"]) == {"海勃湾区"}
    counted = seen["district"].set_index("channel")
    assert (counted.loc["code", "complaints"], counted.loc["letter", "complaints"]) == (1, 0)
    assert counted.loc["code", "household_years"] == 400


def test_an_evaluation_from_before_a_channel_existed_shows_the_others(database, city, said_so, signed_in, monkeypatch):
    accounts, _numbers = city
    source = StoredEvaluations(database)
    with signed_in(accounts["city"]):
        before = source.channels(said_so)
        monkeypatch.setattr(stored_profiles, "CHANNELS", (*CHANNELS, "wechat"))

        assert source.channels(said_so).equals(before)


def test_a_profile_speaks_the_words_of_its_questionnaire(database, city, signed_in):
    accounts, numbers = city
    with signed_in(accounts["city"]):
        profile = StoredEvaluations(database).profile(1, numbers["here"])

    overall = profile.answers[profile.answers["question"] == "q01"].set_index("code")
    assert overall.loc[5, ["option", "english_option", "here", "region"]].tolist() == [
        "非常满意",
        "Very satisfied",
        12,
        12,
    ]
    assert overall["missing"].to_dict() == {5: False, 4: False, 3: False, 2: False, 1: False, 9: True}
    # Nobody rated an aspect of service beside the overall question.
    assert profile.respondents == 0
    assert set(profile.drivers["english_label"]) >= {"Security"}


@pytest.fixture
def said_so(database, city):
    """Evaluate the closed round again, with 35 who had a problem: 20 of them complained."""
    _accounts, numbers = city
    with database.writing() as session:
        survey_round = session.scalar(select(Round).order_by(Round.id))
        community = session.scalar(select(Community).filter_by(number=numbers["here"]))
        for code in [1] * 20 + [2] * 15:
            answers = {"q01": 4, "q17": 1, "q18": code}
            make_response(session, survey_round, community, answers=answers, submitted_at=survey_round.opens_at)
        make_complaint(session, community, submitted_at=survey_round.opens_at)
        round_id = survey_round.id
    return evaluate_round(database, round_id=round_id, now=NOW).id


def test_a_profile_says_how_many_complained_beside_those_it_was_ranked_with(database, city, said_so, signed_in):
    accounts, numbers = city
    source = StoredEvaluations(database)
    with signed_in(accounts["district"]):
        reported = source.profile(said_so, numbers["here"]).reported
        listed = source.reported(said_so, list(numbers.values()))

    assert (reported.said, reported.asked, reported.answered) == (20, 35, 35)
    assert (reported.region_said, reported.region_asked) == (20, 35)
    assert not reported.is_withheld
    assert (reported.region_complaints, reported.region_household_years) == (1, 400)
    assert listed.to_dict("records") == [{"number": numbers["here"], "said": 20, "asked": 35, "answered": 35}]


def test_companies_are_counted_in_scope_and_in_the_region_asked_for(database, city, said_so, signed_in):
    accounts, numbers = city
    with database.writing() as session:
        company = PropertyCompany(name="安居物业", english_name="Anju", sort_key="an ju wu ye")
        for community in session.scalars(select(Community)):
            community.company = company
    source = StoredEvaluations(database)
    with signed_in(accounts["city"]):
        standings = source.standings(said_so)
        everywhere, here, elsewhere = (
            source.company_counts(said_so, region).to_numpy().tolist() for region in (None, "海勃湾区", "乌达区")
        )
    with signed_in(accounts["district"]):
        own = source.company_counts(said_so, None).to_numpy().tolist()
        with pytest.raises(LookupError):
            source.company_counts(99, None)

    [ranked] = standings[standings["satisfaction_rank"].notna()].to_dict("records")
    assert ranked["number"] == numbers["here"]
    assert everywhere == [["安居物业", "Anju", 1, ranked["responses"], ranked["satisfied"]]]
    assert here == own == everywhere
    assert elsewhere == []


@pytest.mark.parametrize("days_after", [0, 1])
def test_answers_count_for_the_company_in_charge_on_the_last_day_of_the_round(
    database, city, said_so, signed_in, days_after
):
    accounts, numbers = city
    with database.writing() as session:
        survey_round = session.scalars(select(Round).join(Evaluation).where(Evaluation.id == said_so)).one()
        day = last_day(survey_round.closes_at, zone_of(survey_round.rule_file.content)) + timedelta(days=days_after)
        former, latter = (PropertyCompany(name=name, sort_key=name) for name in ("原物业", "后来物业"))
        session.add_all([former, latter])
        community = session.scalars(select(Community).filter_by(number=numbers["here"])).one()
        community.company = former
        session.flush()
        take_over(session, community, latter, starts_on=day, today=NOW.date(), by="test", now=NOW)
        in_charge_today = community.company.name
    with signed_in(accounts["city"]):
        source = StoredEvaluations(database)
        counts = source.company_counts(said_so, None)
        listed = {name: source.grid(said_so, GridQuery(company=name)).rows for name in ("原物业", "后来物业")}

    assert in_charge_today == "后来物业"
    [counted] = counts["company"].tolist()
    assert counted == ("原物业" if days_after else "后来物业")
    assert [listed[counted]["number"].tolist(), counts["communities"].tolist()] == [[numbers["here"]], [1]]
    assert sum(len(rows) for rows in listed.values()) == 1


def test_who_complained_is_told_nowhere_where_the_table_of_answers_withholds_it(database, city, signed_in):
    accounts, numbers = city
    with database.writing() as session:
        survey_round = session.scalar(select(Round).order_by(Round.id))
        community = session.scalar(select(Community).filter_by(number=numbers["here"]))
        # Fourteen of fifteen with trouble complained, all of whom said so: the one without memory would be left over.
        for answers in [{"q17": 1, "q18": 1}] * 14 + [{"q17": 2}] * 20 + [{"q17": 9}]:
            make_response(
                session, survey_round, community, answers={"q01": 4, **answers}, submitted_at=survey_round.opens_at
            )
        round_id = survey_round.id
    evaluation = evaluate_round(database, round_id=round_id, now=NOW)
    source = StoredEvaluations(database)
    with signed_in(accounts["city"]):
        reported = source.profile(evaluation.id, numbers["here"]).reported
        listed = source.reported(evaluation.id, list(numbers.values()))
        table = source.inputs(evaluation.id).set_index("community_id").loc[numbers["here"]]

    assert (reported.said, reported.asked, reported.answered) == (14, 35, 14)
    assert reported.is_withheld
    assert listed.empty
    assert table[["said_complained", "asked_about_complaints"]].isna().all()


def test_a_profile_outside_the_scope_is_not_there(database, city, signed_in):
    accounts, numbers = city
    source = StoredEvaluations(database)
    with signed_in(accounts["district"]):
        assert source.profile(1, numbers["here"]) is not None
        for evaluation, number in ((1, numbers["there"]), (1, "nobody"), (77, numbers["here"])):
            with pytest.raises(LookupError):
                source.profile(evaluation, number)
        assert source.history(numbers["there"]).empty


def test_the_history_holds_official_results_only(database, city, signed_in):
    accounts, numbers = city
    with database.reading() as session:
        opened = session.scalar(select(Round).where(Round.closes_at > NOW))
    evaluate_round(database, round_id=opened.id, now=opened.closes_at + GRACE_PERIOD, provisional=True)

    with signed_in(accounts["city"]):
        history = StoredEvaluations(database).history(numbers["here"])

    assert history["evaluation_id"].tolist() == [1]
    assert history["responses"].tolist() == [12]
    assert history["satisfaction_score"].dtype == "float64"


def test_outlines_are_read_as_they_were_stored(database, city, signed_in):
    accounts, _ = city
    square = [[[(106.0, 39.0), (107.0, 39.0), (107.0, 40.0), (106.0, 39.0)]]]
    with database.writing() as session:
        session.scalar(select(District).filter_by(name="乌达区")).boundary = boundary_text(square)

    with signed_in(accounts["district"]):
        boundaries = StoredEvaluations(database).boundaries()

    assert list(boundaries) == ["乌达区"]
    assert [tuple(point) for point in boundaries["乌达区"][0][0]] == square[0][0]


def test_inputs_are_cut_down_to_the_account(database, city, signed_in):
    accounts, numbers = city
    source = StoredEvaluations(database)
    with signed_in(accounts["city"]):
        assert set(source.inputs(1)["community_id"]) == set(numbers.values())
    with signed_in(accounts["district"]):
        assert source.inputs(1)["community_id"].tolist() == [numbers["here"]]
        with pytest.raises(LookupError):
            source.inputs(77)


def examined_source(database):
    """Examine the closed round, and return a source that has read nothing yet."""
    with database.reading() as session:
        closed = session.scalar(select(Round).where(Round.closes_at < NOW))
    examine_round(database, round_id=closed.id, now=NOW)
    return StoredEvaluations(database)


def test_an_examination_is_read_within_the_scope(database, city, signed_in):
    accounts, numbers = city
    source = examined_source(database)

    with signed_in(accounts["city"]):
        whole = source.examination(1)
        assert set(source.waiting(1)) == set(whole.held["number"]) >= {numbers["here"]}
    with signed_in(accounts["district"]):
        own = source.examination(1)
        assert set(source.waiting(1)) == {numbers["here"]}
        for ask in (source.examination, source.waiting):
            with pytest.raises(LookupError):
                ask(77)

    assert set(whole.counts["number"]) == set(numbers.values())
    # All were opened in one second and sent in one.
    assert own.counts[["number", "waiting"]].to_numpy().tolist() == [[numbers["here"], 12]]
    assert set(own.families["number"]) == {numbers["here"]}


def test_the_examination_of_one_community_is_that_part_of_the_whole(database, city, signed_in):
    accounts, numbers = city
    source = examined_source(database)

    with signed_in(accounts["city"]):
        whole = source.examination(1)
        parts = {number: source.examination(1, number=number) for number in numbers.values()}
        assert source.examination(1, number="unknown") is None
    with signed_in(accounts["district"]):
        assert source.examination(1, number=numbers["there"]) is None

    for number, part in parts.items():
        for name in ("families", "counts"):
            every = getattr(whole, name)
            own = every[every["number"] == number].reset_index(drop=True)
            pd.testing.assert_frame_equal(getattr(part, name), own, check_dtype=False, check_categorical=False)
        assert len(part.families) > 1
        pd.testing.assert_frame_equal(part.held, whole.held)


def test_a_round_that_was_never_examined_has_no_examination(database, city, signed_in):
    accounts, _ = city
    with database.writing() as session:
        # As it was evaluated by a version that examined only when asked.
        session.execute(delete(IntegrityExamination))
    with signed_in(accounts["city"]):
        assert StoredEvaluations(database).examination(1) is None


def test_cases_are_added_up_for_the_regions_in_scope(database, city, signed_in):
    accounts, numbers = city
    with database.writing() as session:
        for number in numbers.values():
            community = session.scalar(select(Community).filter_by(number=number))
            make_complaint(session, community, submitted_at=NOW - timedelta(days=20))
        closed = session.scalar(select(Round).where(Round.closes_at < NOW))
        closed.closes_at = NOW - timedelta(days=9)
    evaluate_round(database, round_id=closed.id, now=NOW)
    source = StoredEvaluations(database)

    with signed_in(accounts["city"]):
        assert sorted(source.cases(2)["region"]) == ["乌达区", "海勃湾区"]
    with signed_in(accounts["district"]):
        assert source.cases(2)[["region", "category", "valid", "cases"]].to_numpy().tolist() == [
            ["海勃湾区", "EQ01", True, 1]
        ]
        assert source.cases(77).empty


def test_progress_says_when_and_how_answers_came(database, city, signed_in):
    accounts, numbers = city
    with database.writing() as session:
        community = session.scalar(select(Community).filter_by(number=numbers["here"]))
        opened = session.scalar(select(Round).where(Round.closes_at > NOW))
        code = make_poster_code(session, community, building="3号楼")
        for _ in range(4):
            make_response(
                session, opened, community, code_id=code.id, submitted_at=opened.opens_at + timedelta(hours=2)
            )

    with signed_in(accounts["district"]):
        progress = StoredEvaluations(database).progress()

    assert progress.modes.to_numpy().tolist() == [["web", 16], ["paper", 0], ["telephone", 0]]
    assert sorted(progress.hourly["responses"], reverse=True)[:3] == [12, 4, 0]
    assert progress.buildings[["number", "building", "responses"]].to_numpy().tolist() == [
        [numbers["here"], "3号楼", 4]
    ]


def renamed(session, number, **changes):
    """Import the list of communities again with one of them changed, as an office does."""
    rows = [replace(row, **changes) if row.number == number else row for row in stored_communities(session).rows]
    result = import_communities(session, table=CommunityTable(tuple(rows)))
    record_import(session, result=result, by="account:1", now=NOW)


@pytest.mark.parametrize("first", ["city", "district"])
def test_nothing_that_another_account_asked_for_before_is_seen(database, city, signed_in, first):
    accounts, numbers = city
    source = StoredEvaluations(database)
    second = "district" if first == "city" else "city"
    seen = {"city": set(numbers.values()), "district": {numbers["here"]}}
    for role in (first, second, first):
        with signed_in(accounts[role]):
            assert set(source.standings(1)["number"]) == seen[role]
            assert set(source.inputs(1)["community_id"]) == seen[role]
            assert set(source.grid(1, GridQuery()).rows["number"]) == seen[role]
            assert source.grid(1, GridQuery()).total == len(seen[role])
            assert ("乌达区" in str(source.evaluations()[0].summary)) == (role == "city")


def test_what_was_worked_out_is_kept_for_its_scope_until_the_next_import(database, city, signed_in):
    accounts, numbers = city
    source = StoredEvaluations(database)
    times = []

    def read_inputs(read_from, evaluation_id, _question):
        inputs = read_from.inputs(evaluation_id)
        times.append(len(inputs))
        return inputs

    def answered(role, question="how many"):
        with signed_in(accounts[role]):
            return len(source.compute_once(1, read_inputs, question))

    assert [answered(role) for role in ("city", "district", "city", "evaluator", "district")] == [2, 1, 2, 2, 1]
    assert times == [2, 1]
    answered("city", "how many more")
    with database.writing() as session:
        renamed(session, numbers["here"], name="新名小区")
    answered("district")
    assert times == [2, 1, 2, 1]


def test_two_functions_of_the_same_arguments_are_remembered_apart(database, city, signed_in):
    accounts, _numbers = city
    source = StoredEvaluations(database)

    with signed_in(accounts["city"]):
        names = source.compute_once(1, lambda read_from, evaluation_id, _: list(read_from.standings(evaluation_id)), 7)
        inputs = source.compute_once(1, lambda read_from, evaluation_id, _: list(read_from.inputs(evaluation_id)), 7)

        assert names == list(source.standings(1))
        assert inputs == list(source.inputs(1)) != names


def test_an_import_of_communities_is_seen_at_once(database, city, signed_in):
    accounts, numbers = city
    source = StoredEvaluations(database)
    with signed_in(accounts["city"]):
        source.standings(1), source.grid(1, GridQuery())
    with database.writing() as session:
        renamed(session, numbers["here"], name="新名小区", english_name="Newly named")

    with signed_in(accounts["city"]):
        assert source.standings(1).set_index("number").loc[numbers["here"], "name"] == "新名小区"
        assert source.grid(1, GridQuery(text="newly")).rows["name"].tolist() == ["新名小区"]
    with signed_in(accounts["district"]):
        assert source.standings(1)["name"].tolist() == ["新名小区"]


def test_a_community_that_moved_to_another_district_leaves_the_account_and_keeps_its_region(database, city, signed_in):
    accounts, numbers = city
    source = StoredEvaluations(database)
    with signed_in(accounts["district"]):
        assert len(source.standings(1)) == 1
    with database.writing() as session:
        renamed(session, numbers["here"], district="乌达区", district_english_name="Wuda")

    with signed_in(accounts["district"]):
        assert source.standings(1).empty
        assert source.grid(1, GridQuery()).total == 0
    with signed_in(accounts["city"]):
        assert source.standings(1).set_index("number").loc[numbers["here"], "region"] == "海勃湾区"
        assert source.grid(1, GridQuery(region="海勃湾区")).rows["number"].tolist() == [numbers["here"]]


def test_a_new_evaluation_is_seen_at_once(database, city, signed_in):
    accounts, _ = city
    source = StoredEvaluations(database)
    with signed_in(accounts["city"]):
        before = len(source.evaluations())
        with database.reading() as session:
            opened = session.scalar(select(Round).where(Round.closes_at > NOW))
        evaluate_round(database, round_id=opened.id, now=opened.closes_at + GRACE_PERIOD, provisional=True)

        assert len(source.evaluations()) == before + 1


def test_what_a_page_writes_into_its_frame_stays_its_own(database, city, signed_in):
    accounts, _ = city
    source = StoredEvaluations(database)
    with signed_in(accounts["city"]):
        mine = source.standings(1)
        mine["name"] = "mine"
        mine.loc[:, "responses"] = 0

        assert set(source.standings(1)["name"]) != {"mine"}
        assert source.standings(1)["responses"].sum() == 23


def test_a_table_that_is_taken_away_slowly_keeps_no_connection_to_the_database(database, city, signed_in, monkeypatch):
    monkeypatch.setattr(dashboard_source, "_ROWS_AT_ONCE", 1)
    accounts, _ = city
    with signed_in(accounts["city"]):
        pieces = StoredEvaluations(database).export_rows(1, GridQuery())

        first = next(pieces)
        assert {pool.checkedout() for pool in (database.engine.pool, database._readers.pool)} == {0}
        assert len(first) == 1
        assert sum(map(len, pieces)) > 0


@pytest.mark.parametrize("kind", get_args(ExportKind))
def test_who_takes_the_table_away_is_in_the_audit_chain(database, city, signed_in, kind):
    accounts, numbers = city
    with signed_in(accounts["district"]):
        pieces = StoredEvaluations(database).export_rows(1, GridQuery(), kind=kind)
        with pytest.raises(LookupError):
            StoredEvaluations(database).export_rows(77, GridQuery())

    assert [row for piece in pieces for row in piece["number"]] == [numbers["here"]]
    with database.reading() as session:
        [taken] = session.scalars(select(AuditEvent).filter_by(action="exported"))
    assert (taken.actor, taken.subject) == (accounts["district"].actor, "evaluation:1")
    assert json.loads(taken.after)["kind"] == kind
