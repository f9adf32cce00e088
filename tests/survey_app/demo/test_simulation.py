import shutil
from collections import Counter
from datetime import UTC, datetime, timedelta
from functools import cache
from zoneinfo import ZoneInfo

import numpy as np
import pytest
from sqlalchemy import func, select

from survey_app.accounts.installation import RealDatabase, is_demo, use_as_real
from survey_app.call_backs.samples import drawn_again, last_full_month
from survey_app.codes.codes import count_slips
from survey_app.complaints.cases import inconsistent_references
from survey_app.complaints.categories import categories
from survey_app.complaints.deadlines import Clock
from survey_app.complaints.state_machine import ENDED, Event, fold
from survey_app.config import DATA
from survey_app.demo.simulation.calendar import plan_rounds
from survey_app.demo.simulation.call_results import draw_said
from survey_app.demo.simulation.case_histories import draw_case_history
from survey_app.demo.simulation.city import COMMUNITIES, MOST_COMMUNITIES, build_city, community_table
from survey_app.demo.simulation.plan import SLIPS_IN_ONE_OF, STUFFED_ROUND, plan_cases, plan_responses
from survey_app.demo.simulation.simulate import CityExists, simulate
from survey_app.evaluations.publications import published_evaluations
from survey_app.models import (
    CallBack,
    CallBackResult,
    CallBackSample,
    Code,
    Community,
    Complaint,
    ComplaintEvent,
    Evaluation,
    HotlineCase,
    HotlineImport,
    HotlineMatch,
    Response,
    Round,
)
from survey_app.models.vocabulary import CaseAction, CaseActor, CaseStatus, Channel, RecordedEnd, ResponseStatus
from survey_app.register.communities_file import read_communities, write_communities
from survey_app.responses.counting_status import status_of_response
from survey_app.rounds.questionnaires import load_questionnaire
from survey_app.storage.database import Database
from tests.casework import CALENDAR, RULES
from tests.factories import SECRET

NOW = datetime(2026, 9, 15, 4, 0, tzinfo=UTC)
SMALL = 12


def track(sequence, /, description):  # noqa: ARG001 (as the commands call it)
    return sequence


def rounds():
    return plan_rounds(NOW, "Asia/Shanghai")


@cache
def city_of(seed):
    return build_city(seed)


@cache
def last_closed_round_of(seed):
    return plan_responses(city_of(seed), rounds()[STUFFED_ROUND], now=NOW)


@pytest.fixture(scope="module")
def whole_city():
    return city_of(1)


@pytest.fixture(scope="module")
def last_closed_round():
    return last_closed_round_of(1)


def simulate_small(database):
    return simulate(database, secret_key=SECRET, seed=5, communities=SMALL, now=NOW, track=track)


@pytest.fixture(scope="module")
def sqlite_city(_sqlite_template, tmp_path_factory):
    """A small simulated city on SQLite, which no test changes, and what was sent."""
    path = shutil.copy(_sqlite_template, tmp_path_factory.mktemp("simulated"))
    with Database(f"sqlite:///{path}") as database:
        yield database, simulate_small(database)


@pytest.fixture(scope="module")
def postgresql_city(postgresql_server):
    """The same on PostgreSQL."""
    url = postgresql_server.create_database(template="template_jiayuan")
    with Database(url) as database:
        yield database, simulate_small(database)
    postgresql_server.drop_database(url)


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.postgresql)])
def simulated_city(request):
    return request.getfixturevalue(f"{request.param}_city")


def valid_owner_answers(planned):
    """The overall ratings of owners, by community."""
    answers = {}
    for response in planned:
        if response.form["q16"] == ["1"] and response.form["q01"] != ["9"]:
            answers.setdefault(response.community, []).append(int(response.form["q01"][0]))
    return answers


def test_the_same_seed_gives_the_same_city_and_the_same_answers():
    cities = [build_city(7, 30) for _ in range(2)]

    assert community_table(cities[0]) == community_table(cities[1])
    for dates in rounds():
        assert plan_responses(cities[0], dates, now=NOW) == plan_responses(cities[1], dates, now=NOW)
    cases = [plan_cases(city, rounds(), list(categories()), now=NOW) for city in cities]
    assert cases[0] == cases[1]


def test_another_seed_gives_another_city():
    assert community_table(build_city(7, 30)) != community_table(build_city(8, 30))


@pytest.mark.parametrize("communities", [3, 12, COMMUNITIES, MOST_COMMUNITIES])
def test_an_office_could_send_in_the_simulated_city(communities):
    table = community_table(build_city(3, communities))

    assert len(table.rows) == communities
    assert read_communities(write_communities(table), "小区.csv") == table


def test_more_communities_than_there_are_names_for_are_refused():
    with pytest.raises(ValueError, match=f"names for {MOST_COMMUNITIES} communities"):
        build_city(1, MOST_COMMUNITIES + MOST_COMMUNITIES // 5)


def test_the_three_districts_are_as_large_as_the_quotas_need(whole_city):
    districts = [community.row.district_english_name for community in whole_city]

    assert {name: districts.count(name) for name in districts} == {"Haibowan": 220, "Wuda": 110, "Hainan": 110}


@pytest.mark.parametrize("seed", [1, 20210823])
def test_enough_communities_can_be_assessed_for_ten_nominations(seed):
    city, answers = city_of(seed), valid_owner_answers(last_closed_round_of(seed))

    assessed = [
        position
        for position, values in answers.items()
        if len(values) >= 10 and (len(values) >= 30 or 2 * len(values) >= city[position].owners)
    ]
    largest = sum(city[position].row.district_english_name == "Haibowan" for position in assessed)
    assert 200 <= largest < 220, "five per cent of 200 communities are ten, and some are left without enough answers"


def test_every_planned_form_passes_the_checks_of_the_questionnaire_whole(last_closed_round):
    definition = load_questionnaire(DATA / "questionnaires" / "resident-satisfaction-1.yaml")

    for response in last_closed_round[::7]:
        checked = definition.check_answers(response.form)
        assert checked.faults == ()
        assert checked.answers.keys() == response.form.keys(), "nothing was answered that was not asked"


def test_answers_arrive_in_order_and_within_their_round():
    for dates in rounds():
        planned = plan_responses(build_city(2, 40), dates, now=NOW)
        times = [response.submitted_at for response in planned]

        assert times == sorted(times)
        assert dates.opens_at <= min(response.opened_at for response in planned)
        assert max(times) < min(dates.closes_at, NOW)


def test_better_communities_get_better_answers_and_fewer_complaints(whole_city, last_closed_round):
    quality = np.array([community.quality[STUFFED_ROUND].mean() for community in whole_city])
    answers = valid_owner_answers(last_closed_round)
    counts = np.zeros(len(whole_city))
    for case in plan_cases(whole_city, rounds(), list(categories()), now=NOW):
        counts[case.community] += 1
    large = np.array([position for position in answers if whole_city[position].households >= 200])

    satisfied = [np.mean(np.array(answers[position]) >= 4) for position in large]
    complaints = [counts[position] / whole_city[position].households for position in large]
    assert np.corrcoef(quality[large], satisfied)[0, 1] > 0.7
    assert -0.8 < np.corrcoef(quality[large], np.log(np.array(complaints) + 1e-3))[0, 1] < -0.3


def test_the_overall_answer_goes_with_the_domains(last_closed_round):
    pairs = [
        (int(response.form["q01"][0]), int(response.form["q02"][0]))
        for response in last_closed_round
        if "q02" in response.form and "9" not in (response.form["q01"][0], response.form["q02"][0])
    ]

    assert 0.5 < np.corrcoef(np.array(pairs).T)[0, 1] < 0.9


def test_two_communities_are_stuffed_with_identical_answers_within_minutes(whole_city, last_closed_round):
    stuffed = [position for position, community in enumerate(whole_city) if community.stuffed]

    assert len(stuffed) == 2
    for position in stuffed:
        all_fives = [
            response.submitted_at
            for response in last_closed_round
            if response.community == position
            and {response.form.get(f"q{number:02}", [""])[0] for number in range(1, 16)} == {"5"}
        ]
        busiest = max(sum(time <= other < time + timedelta(minutes=20) for other in all_fives) for time in all_fives)
        assert busiest >= 60


def test_the_last_round_is_open_and_the_others_are_closed():
    *closed, last = rounds()

    assert all(dates.closes_at <= NOW for dates in closed)
    assert last.opens_at <= NOW < last.closes_at


def test_rounds_are_dated_in_years_without_a_29th_of_february_too():
    leap = plan_rounds(datetime(2028, 3, 12, 4, 0, tzinfo=UTC), "Asia/Shanghai")

    assert [dates.opens_on.isoformat() for dates in leap] == ["2026-02-28", "2027-02-28", "2028-02-29"]


def test_all_that_is_sent_is_stored_and_the_closed_rounds_are_evaluated(simulated_city):
    database, sent = simulated_city

    with database.reading() as session:
        count = {
            table: session.scalar(select(func.count()).select_from(table)) for table in (Community, Response, Complaint)
        }
        assert count == {Community: SMALL, Response: sent.responses, Complaint: sent.complaints}
        assert sent.responses > 20 * SMALL
        evaluated = session.scalars(select(Evaluation).order_by(Evaluation.cut_off)).all()
        assert [(row.provisional, row.cut_off) for row in evaluated] == [
            (False, dates.closes_at) for dates in rounds()[:2]
        ]
        assert published_evaluations(session) == {row.round_id: row.id for row in evaluated}
        assert is_demo(session)
        assert list(inconsistent_references(session)) == []


def test_what_neighbours_file_again_is_merged_into_a_case_that_was_open_then(simulated_city):
    database, _sent = simulated_city

    with database.reading() as session:
        merged = session.scalars(select(ComplaintEvent).filter_by(action=CaseAction.MERGE)).all()
        assert merged
        for event in merged:
            numbers = event.complaint_id, event.original_id
            repeated, original = (session.get_one(Complaint, number) for number in numbers)
            assert (repeated.status, repeated.community_id) == (CaseStatus.DUPLICATE, original.community_id)
            assert original.submitted_at < event.at
            assert original.status not in ENDED or original.status_since > event.at


def test_the_hotline_has_its_own_numbers_and_some_of_its_cases_came_twice(simulated_city):
    database, _sent = simulated_city

    with database.reading() as session:
        channels = select(Complaint.channel).join(HotlineCase, HotlineCase.complaint_id == Complaint.id)
        assert set(session.scalars(channels)) == {Channel.HOTLINE}
        told = session.scalar(select(func.count()).select_from(HotlineCase))
        assert told == session.scalar(select(func.count()).where(Complaint.channel == Channel.HOTLINE)) > SMALL
        assert session.scalars(select(HotlineImport.status)).one() == "imported"
        assert {"confirmed"} <= set(session.scalars(select(HotlineMatch.status))) <= {"confirmed", "suggested"}


def test_residents_are_called_back_and_some_contradict_what_was_closed_in_silence():
    random, said = np.random.default_rng(5), Counter()
    for _call in range(400):
        recorded = RecordedEnd.SILENT if random.random() < 0.5 else RecordedEnd.CONFIRMED
        said[recorded, draw_said(random, recorded).resolved] += 1

    contradicted = {recorded: said[recorded, "no"] for recorded in RecordedEnd}
    assert contradicted[RecordedEnd.SILENT] > contradicted[RecordedEnd.CONFIRMED]
    assert all(said[recorded, None] for recorded in RecordedEnd), "some are not reached"


def test_the_month_before_the_last_is_called_back_and_the_last_waits_to_be_drawn(simulated_city):
    database, _sent = simulated_city

    with database.reading() as session:
        [sample] = session.scalars(select(CallBackSample)).all()
        results = session.execute(select(CallBack.sample_id, CallBackResult.number).join(CallBackResult)).all()
        assert sample.month == str(last_full_month(session, now=NOW).plus(-1))
        assert drawn_again(sample)
        assert results == [(sample.id, 1)] * sample.size


def test_answers_come_through_posters_slips_and_paper_and_some_do_not_count(sqlite_city):
    database, _sent = sqlite_city

    with database.reading() as session:
        ways = set(session.execute(select(Response.mode, Code.kind).outerjoin(Code, Response.code_id == Code.id)))
        assert {("web", "poster"), ("web", "household"), ("paper", None)} <= ways
        first = session.scalars(select(Round).order_by(Round.opens_at)).first()
        status = status_of_response("owners", before=first.closes_at).label("status")
        statement = select(status, func.count()).where(Response.round_id == first.id).group_by(status)
        counts = dict(session.execute(statement).all())
        assert counts.keys() == {ResponseStatus.COUNTED, ResponseStatus.SUPERSEDED, ResponseStatus.WITHDRAWN}
        assert counts[ResponseStatus.COUNTED] > 10 * (
            counts[ResponseStatus.SUPERSEDED] + counts[ResponseStatus.WITHDRAWN]
        )
        slips = count_slips(session, survey_round=first).values()
        assert len(slips) == -(-SMALL // SLIPS_IN_ONE_OF)
        assert {(count.reprints, count.spoiled, count.returned) for count in slips} == {(1, 1, 1)}


def test_answers_that_are_replaced_come_before_those_that_replace_them_and_all_in_time():
    dates = rounds()[0]
    planned = plan_responses(build_city(5, SMALL), dates, now=NOW)
    households = [(response.community, response.household) for response in planned if response.household is not None]

    assert len(households) > len(set(households))
    times = [response.submitted_at for response in planned]
    assert times == sorted(times)
    assert all(dates.opens_at <= response.opened_at <= response.submitted_at < dates.closes_at for response in planned)


def test_cases_live_by_the_rules_and_end_in_every_way():
    random, zone = np.random.default_rng(5), ZoneInfo("Asia/Shanghai")
    ends, shipped = Counter(), list(categories())
    for number in range(2000):
        category = shipped[number % len(shipped)]
        submitted_at = NOW - timedelta(days=number % 200, hours=number % 24)
        clock = Clock(category.safety, RULES, CALENDAR, zone)
        life = draw_case_history(
            random, submitted_at=submitted_at, category=category, company_id=7, clock=clock, now=NOW
        )
        submission = Event(CaseAction.SUBMIT, CaseActor.RESIDENT, submitted_at)
        state = fold([submission, *life], bypasses_company=category.bypasses_company, rules=RULES)
        assert all(event.at <= NOW for event in life)
        assert state.status != "submitted" or submitted_at > NOW - timedelta(days=9), "what is late goes to stage 2"
        ends[state.status] += 1

    assert {"submitted", "responded", "closed", "withdrawn", "out_of_scope", "invalid"} <= ends.keys()
    assert ends["closed"] > sum(ends.values()) / 2


@pytest.mark.postgresql
def test_the_same_seed_stores_the_same_answers_on_every_engine(sqlite_city, postgresql_city):
    stored = []
    for database, _sent in (sqlite_city, postgresql_city):
        with database.reading() as session:
            rows = select(Community.number, Response.submitted_at, Response.answers).join(
                Community, Community.id == Response.community_id
            )
            stored.append(session.execute(rows.order_by(Response.id)).all())

    assert stored[0] == stored[1]


def test_a_second_city_is_refused(sqlite_city):
    database, _sent = sqlite_city

    with pytest.raises(CityExists):
        simulate(database, secret_key=SECRET, seed=5, communities=3, now=NOW, track=track)


def test_a_real_database_refuses_a_simulated_city_and_keeps_nothing_of_it(sqlite_database):
    with sqlite_database.writing() as session:
        use_as_real(session, now=NOW)

    with pytest.raises(RealDatabase):
        simulate(sqlite_database, secret_key=SECRET, seed=5, communities=3, now=NOW, track=track)

    with sqlite_database.reading() as session:
        assert session.scalar(select(func.count()).select_from(Round)) == 0
        assert not is_demo(session)
