"""Small cells: what leaves the house says of nobody what they answered, however the files are combined.

Whoever knows of a neighbour the community, the tenure, how and when they answered and some of their answers, and holds
every file that any role can download, learns no other answer of theirs.
"""

import csv
import io
import itertools
import json
import re
import shutil
from collections import Counter
from datetime import UTC, datetime, timedelta
from random import Random

import pandas as pd
import pytest
from click.testing import CliRunner
from sqlalchemy import func, select, update

from analytics.__main__ import main
from analytics.decision.community_table import check_communities
from analytics.decision.evaluate import canonical_frame_json, evaluate
from analytics.disclosure.answer_tables import AnswerTable
from analytics.disclosure.released_rows import WITHHELD, coarsen_rows
from analytics.disclosure.rules import rules_in_force
from analytics.disclosure.small_communities import withhold_small_communities
from analytics.rules import load_rules
from dashboards.panels.company_funnel import compared_companies
from survey_app.accounts.scope import EVERYWHERE
from survey_app.config import DATA
from survey_app.demo.simulation.simulate import simulate
from survey_app.evaluations.evaluate_round import evaluate_round, verify_evaluation
from survey_app.evaluations.standings import read_company_counts, read_standings
from survey_app.exports.community_table import export_community_table
from survey_app.exports.responses import export_responses
from survey_app.models import (
    Community,
    CommunityProfile,
    Evaluation,
    PropertyCompany,
    RegionProfile,
    Response,
    ResponseReview,
    Round,
)
from survey_app.models.vocabulary import ReviewState, Role
from survey_app.responses.counting_status import ERASED_VALUES
from survey_app.responses.integrity_reviews import TooFewToExclude, decide_reviews
from survey_app.storage.database import Database
from tests.accounts import csrf_token, make_account, signed_in_client
from tests.conftest import copy_rows_of
from tests.factories import (
    SECRET,
    make_community,
    make_district,
    make_evaluation,
    make_poster_code,
    make_response,
    make_round,
)

NOW = datetime.now(UTC).replace(microsecond=0)
RULES = DATA / "rules" / "wuhai" / "2021-08-23.yaml"
RULES_READ = load_rules(RULES)
DISCLOSURE = rules_in_force(NOW.date())
LEAST = DISCLOSURE.minimum_base
FILES = ("standings", "communities", "tables", "responses", "texts")
READER_FILES = {"standings", "tables"}
# What others may know of a neighbour who answered, by the beginning of a heading in either language.
KNOWN = re.compile(
    r"提交|日期|时间|语言|码|状态|更正|撤回|照片|submitted|date|day|hour|language|code|status|correct|withdr|photo"
)
NEIGHBOUR = "我是3号楼2单元501的张三先生，电话13800138000，电梯又坏了"


def fill(database):
    """Add a closed round in a district: one large community, others of which few answered, single paper answers."""
    random = Random(7)
    with database.writing() as session:
        survey_round = make_round(session, opens_at=NOW - timedelta(days=60), closes_at=NOW - timedelta(days=30))
        district = make_district(session)
        for role in Role:
            if role is not Role.COMPANY:
                bound = {"district": district} if role in {Role.DISTRICT, Role.CLERK} else {}
                make_account(session, str(role), now=NOW, **bound)
        clerk = make_account(session, "typist", role="clerk", district=district, now=NOW)
        communities = []
        for sizes in ((60, 14, 3), (31, 9, 0), (40, 0, 1), (9, 20, 0), (3, 0, 0), (1, 0, 0), (0, 1, 0), (12, 2, 11)):
            community = make_community(session, district=district)
            communities.append(community)
            code = make_poster_code(session, community)
            people = [tenure for tenure, size in zip((1, 2, 3), sizes, strict=True) for _ in range(size)]
            random.shuffle(people)
            for number, tenure in enumerate(people):
                mode = "paper" if number == 0 else "telephone" if number in {1, 2} else "web"
                make_response(
                    session,
                    survey_round,
                    community,
                    code_id=code.id if mode == "web" else None,
                    mode=mode,
                    entered_by_id=None if mode == "web" else clerk.id,
                    tenure=tenure,
                    language=random.choice(["zh-Hans", "en"]),
                    answers=_answers(random, number),
                    submitted_at=NOW - timedelta(days=59) + timedelta(hours=7 * number),
                    started_at=NOW - timedelta(days=59) + timedelta(hours=7 * number, minutes=-3),
                )
    return survey_round, communities


def _answers(random, number):
    return {
        **{f"q{key:02}": random.choice([5, 5, 5, 4, 4, 3, 2, 1, 9]) for key in range(1, 16)},
        "q17": random.choice([1, 2]),
        "q18": 1,
        "q19": random.sample([1, 2, 3, 4, 5], random.randint(1, 4)),
        "q20": random.choice([1, 2, 3]),
        "q22": random.choice([1, 2, 3, 4, 5, 6, 7]),
        "q23": random.choice([1, 2, 8]),
        "q24": f"{NEIGHBOUR}，第{number}次",
    }


@pytest.fixture(scope="module")
def filled(_sqlite_template, tmp_path_factory):
    """A file with the city, to copy, and its round and communities."""
    path = shutil.copy(_sqlite_template, tmp_path_factory.mktemp("filled"))
    with Database(f"sqlite:///{path}") as database:
        city = fill(database)
    return path, city


@pytest.fixture(scope="module")
def filled_and_evaluated(filled, _sqlite_template, tmp_path_factory):
    """A file with the same and the evaluation of its round, to copy, and that evaluation."""
    path = shutil.copy(_sqlite_template, tmp_path_factory.mktemp("evaluated"))
    with Database(f"sqlite:///{path}") as database:
        copy_rows_of(filled[0], database)
        evaluation = evaluate_round(database, round_id=filled[1][0].id, now=NOW)
    return path, evaluation


@pytest.fixture
def city(filled, sqlite_database):
    """The round and the communities."""
    path, city = filled
    copy_rows_of(path, sqlite_database)
    return city


@pytest.fixture
def evaluated(filled_and_evaluated, sqlite_database, city):  # noqa: ARG001 (takes the place of what it copied)
    path, evaluation = filled_and_evaluated
    copy_rows_of(path, sqlite_database)
    return evaluation


def files_of(client, *, language="en"):
    """Return every file that the pages of an account offer, by kind, as rows."""
    page = client.get(f"/staff/?lang={language}").text
    found = {}
    for address in set(re.findall(r'href="([^"?]+\.csv)[?"]', page)):
        answer = client.get(f"{address}?lang={language}")
        assert answer.status_code == 200, address
        text = answer.get_data().decode("utf-8-sig")
        found[address.rsplit("/", 1)[1].removesuffix(".csv")] = pd.DataFrame(
            csv.DictReader(io.StringIO(text, newline=""))
        )
    return found


@pytest.mark.usefixtures("evaluated")
@pytest.mark.parametrize("role", [role for role in Role if role is not Role.COMPANY])
def test_rows_texts_and_exact_counts_are_offered_to_the_evaluator_alone(app, role, city):
    client = signed_in_client(app, str(role))
    allowed = {Role.EVALUATOR: set(FILES), Role.CITY: READER_FILES, Role.DISTRICT: READER_FILES}.get(role, set())

    offered = files_of(client)

    assert set(offered) == allowed
    for kind in FILES:
        place = f"rounds/{city[0].id}" if kind == "texts" else "evaluations/1"
        answer = client.get(f"/staff/{place}/{kind}.csv")
        assert answer.status_code == (200 if kind in allowed else 403), (role, kind)
    assert client.get(f"/staff/rounds/{city[0].id}/responses.csv").status_code in {403, 404}


@pytest.mark.usefixtures("evaluated")
@pytest.mark.parametrize("language", ["zh-Hans", "en"])
def test_no_row_is_one_of_few_by_what_others_may_know(app, language):
    rows = files_of(signed_in_client(app, "evaluator"), language=language)["responses"]
    answers = [name for name in rows if name.startswith("q")]
    known = [name for name in rows if name not in {*answers, "response_id"}]

    assert answers == ["q01"]
    assert [name for name in known if KNOWN.search(name)] == []
    for count in range(1, len(known) + 1):
        for columns in itertools.combinations(known, count):
            assert rows.groupby(list(columns)).size().min() >= LEAST, columns
    # A single paper answer stands among the others of its community.
    assert str(WITHHELD) in set(rows["mode"])
    assert "paper" not in set(rows["mode"])


def test_rows_stand_in_no_order_of_arrival_and_in_another_in_each_file(sqlite_database, city):
    survey_round, communities = city
    with sqlite_database.writing() as session:
        ids = session.scalars(select(Response.id).filter_by(community_id=communities[0].id).order_by(Response.id)).all()
        for place, response_id in enumerate(ids):
            text = f'{{"q01":{5 if place < len(ids) / 2 else 1},"q16":1}}'
            values = {"answers": text, "tenure": 1}
            session.execute(update(Response).where(Response.id == response_id).values(values))
    evaluation = evaluate_round(sqlite_database, round_id=survey_round.id, now=NOW)

    files = [
        read_rows(export_responses(sqlite_database, evaluation_id=evaluation.id, scope=EVERYWHERE, now=NOW))
        for _ in "12"
    ]

    orders = [file["q01"][file["community_id"] == communities[0].number].tolist() for file in files]
    # By chance about half of the neighbours in the file differ; in order of arrival one pair does.
    assert all(sum(one != next_ for one, next_ in itertools.pairwise(order)) > 10 for order in orders)
    assert orders[0] != orders[1]
    assert Counter(orders[0]) == Counter(orders[1])
    assert all(file["response_id"].tolist() == [str(place) for place in range(1, len(file) + 1)] for file in files)
    places = [file["community_id"].tolist() for file in files]
    assert places[0] != sorted(places[0])
    assert places[0] != places[1]


def read_rows(pieces):
    return pd.DataFrame(csv.DictReader(io.StringIO("".join(pieces).removeprefix("\ufeff"), newline="")))


@pytest.mark.parametrize("seed", range(25))
def test_whatever_the_city_looks_like_no_combination_is_of_few(seed):
    random = Random(seed)
    rows = pd.DataFrame(
        [
            {"community": community, "tenure": random.choice([1, 1, 1, 2, 3]), "mode": random.choice(modes)}
            for community in range(12)
            for modes in [random.choices(["web", "paper", "telephone", "visit"], k=random.randint(1, 5))]
            for _ in range(random.choice([1, 4, 9, 10, 11, 25, 80]))
        ]
    )
    released = coarsen_rows(rows, within=["community", "tenure"], detail="mode", rules=DISCLOSURE)
    kinds = rows.value_counts(sort=False).rename("times").reset_index()
    counted = coarsen_rows(kinds, within=["community", "tenure"], detail="mode", rules=DISCLOSURE, times=kinds["times"])

    assert counted.groupby([*rows])["times"].sum().to_dict() == released.value_counts().to_dict()
    if len(released):
        assert released.groupby(["community", "tenure", "mode"]).size().min() >= LEAST
        assert released.groupby(["tenure", "mode"]).size().min() >= LEAST
    whole = rows.groupby(["community", "tenure"]).size()
    assert released.groupby(["community", "tenure"]).size().to_dict() == whole[whole >= LEAST].to_dict()


@pytest.mark.usefixtures("evaluated")
def test_what_few_answered_is_in_no_file_of_any_role(app, city):
    _survey_round, communities = city
    # Fewer than ten owners, or none: their score is nobody's business.
    small = {communities[place].number for place in (3, 4, 5, 6)}
    files = files_of(signed_in_client(app, "evaluator"))
    standings, counts, tables = files["standings"], files["communities"], files["tables"]

    few = standings[standings["Community number"].isin(small)]
    assert (few[["Satisfied", "Satisfaction rate", "Satisfaction index", "Satisfaction rank"]] == "").all(axis=None)
    few = counts[counts["community_id"].isin(small)]
    assert (few[["satisfied", "mean_index", "sd_index", "said_complained"]] == "").all(axis=None)
    few = tables[tables["Community number"].isin(small) & (tables["Question number"] != "")]
    assert (few[["Number (empty: withheld)", "Share"]] == "").all(axis=None)
    rows = files["responses"]
    assert small.isdisjoint(rows.loc[rows["tenure"] == "1", "community_id"])
    # Opinions and texts of communities with fewer than thirty are told neither.
    opinions = tables["Question number"].isin([f"q{key}" for key in range(17, 24)])
    told = set(tables.loc[opinions & (tables["Number (empty: withheld)"] != ""), "Community number"])
    assert communities[0].number in told
    assert told <= {communities[place].number for place in (0, 1, 2)}
    assert set(files["texts"]["Community number"]) <= {communities[place].number for place in (0, 1, 2)}


@pytest.mark.usefixtures("evaluated")
def test_no_table_shows_a_small_number_of_people(app):
    tables = files_of(signed_in_client(app, "district"))["tables"]
    numbers = tables.loc[(tables["Question number"] != "") & (tables["Number (empty: withheld)"] != "")]
    # “Don't know” is no rating: it follows from the numbers of answers and of valid ones.
    numbers = numbers[numbers["Answer"] != "Don't know"]
    shown = numbers["Number (empty: withheld)"].astype(int)

    assert len(shown) > 40
    assert not shown.between(1, DISCLOSURE.minimum_cell - 1).any()


@pytest.mark.usefixtures("evaluated")
@pytest.mark.parametrize("language", ["zh-Hans", "en"])
def test_comments_leave_redacted_and_beside_no_other_answer(app, language):
    texts = files_of(signed_in_client(app, "evaluator"), language=language)["texts"]

    assert len(texts) > 60
    for secret in ("张三", "13800138000", "501"):
        assert not texts.iloc[:, -1].str.contains(secret).any()
    assert texts.iloc[:, -1].str.contains("电梯又坏了").all()
    assert texts.shape[1] == 5
    numbers = texts.iloc[:, -1].str.extract(r"第(\d+)次")[0].astype(int).tolist()
    assert numbers != sorted(numbers)


def test_ratings_opinions_and_several_choices_stand_in_no_row(app, evaluated):
    assert evaluated.id
    files = files_of(signed_in_client(app, "evaluator"))

    # A rare combination, which somebody may have been told to leave as a mark, is in no file.
    assert not [name for name in files["responses"] if name.startswith("q") and name != "q01"]
    assert not files["tables"]["Answer code"].str.contains(r"[|,; ]").any()


# What is published of a question on the scale: how many gave a valid answer, and how many are satisfied.


@pytest.mark.parametrize("seed", range(40))
def test_withheld_ratings_follow_from_nothing_that_is_published(seed):
    random = Random(seed)
    counts = {code: random.choice([0, 1, 2, 3, 4, 5, 7, 12]) for code in (5, 4, 3, 2, 1, 9)}
    shown = AnswerTable(DISCLOSURE).rated("q01", counts, {5, 4}, {5, 4, 3, 2, 1})
    ratings = {code: number for code, number in shown.counts.items() if code != 9}
    told = {code: number for code, number in ratings.items() if number is not None}

    # Some are told beside others that are not only where nobody gave them: that all or none are satisfied says so.
    assert len(told) == 5 or set(told.values()) <= {0}
    assert all(not 0 < number < DISCLOSURE.minimum_cell for number in told.values())
    if shown.satisfied is not None:
        parts = (shown.satisfied, shown.valid - shown.satisfied)
        assert all(not 0 < part < DISCLOSURE.minimum_cell for part in parts)


@pytest.mark.parametrize("seed", range(40))
def test_withheld_opinions_can_be_otherwise_and_still_add_up(seed):
    random = Random(seed)
    counts = {code: random.choice([0, 1, 3, 5, 9, 20, 31]) for code in range(1, 8)}
    shown = AnswerTable(DISCLOSURE).opinion("q22", counts, {})
    hidden = [code for code, number in shown.items() if number is None]

    if sum(counts.values()) < DISCLOSURE.minimum_opinion_base:
        assert len(hidden) == 7
    assert len(hidden) != 1
    assert all(not 0 < number < DISCLOSURE.minimum_cell for number in shown.values() if number is not None)


def test_who_was_asked_does_not_tell_what_led_there():
    table = AnswerTable(DISCLOSURE)
    problems = table.opinion("q17", {1: 40, 2: 3, 9: 0}, {})
    complained = table.opinion("q18", {1: 33, 2: 7}, {"q17": [1]})
    whom = table.choices("q19", {1: 20, 2: 13}, 33, {"q18": [1]})

    assert problems[1] is None
    assert set(complained.values()) == set(whom.values()) == {None}


# How many answered through slips, or with help: counts of people as any other.

CHANNELS = ("slip_responses", "helped_responses")


@pytest.mark.parametrize("seed", range(40))
def test_few_who_answered_through_slips_or_with_help_follow_from_nothing_in_the_table(seed):
    random = Random(seed)
    sizes = [0, 1, 5, 9, 10, 11, 30]
    parts = [{name: random.choice(sizes) for name in ("slips", "posters", "paper", "telephone")} for _ in range(60)]
    table = pd.DataFrame(
        {
            "community_id": [f"{number:03}" for number in range(60)],
            "responses": [sum(each.values()) for each in parts],
            "satisfied": 0,
            "paper_responses": [each["paper"] for each in parts],
            "telephone_responses": [each["telephone"] for each in parts],
            "slip_responses": [each["slips"] for each in parts],
            "helped_responses": [random.randint(0, each["slips"] + each["posters"]) for each in parts],
        }
    )

    shown = withhold_small_communities(table, RULES_READ, disclosure=DISCLOSURE)

    for name in CHANNELS:
        web = table["responses"] - table["paper_responses"] - table["telephone_responses"]
        told = shown[name].notna()
        for people in (table[name], web - table[name]):
            assert not people[told].between(1, LEAST - 1).any(), name
        large = ~table[name].between(1, LEAST - 1) & ~(web - table[name]).between(1, LEAST - 1)
        pd.testing.assert_series_equal(told, large, check_names=False)
        assert told.any()
        assert not told.all()


@pytest.mark.parametrize("slips", [3, 50])
def test_the_table_of_an_evaluation_withholds_few_slips_and_the_evaluator_decides_the_same(
    sqlite_database, app, city, tmp_path, slips
):
    survey_round, communities = city
    with sqlite_database.writing() as session:
        of_web = select(Response.id).filter_by(community_id=communities[0].id, mode="web", tenure=1)
        # A response through the web whose code is gone came through a slip.
        ids = session.scalars(of_web.order_by(Response.id).limit(slips)).all()
        session.execute(update(Response).where(Response.id.in_(ids)).values(code_id=None))
    evaluation = evaluate_round(sqlite_database, round_id=survey_round.id, now=NOW)

    counts = files_of(signed_in_client(app, "evaluator"))["communities"].set_index("community_id")
    standings = files_of(signed_in_client(app, "city"))["standings"].set_index("Community number")
    result = counted_again(tmp_path, sqlite_database, evaluation)

    number = communities[0].number
    assert counts.loc[number, "slip_responses"] == ""
    assert standings.loc[number, "Answers came through"] == "posters and household slips"
    assert result.exit_code == 0, result.output
    decided = (tmp_path / "out" / "evaluation.json").read_text("utf-8")
    assert evaluation.standings_sha256 in decided
    assert evaluation.inputs_sha256 in decided


def test_an_older_evaluation_keeps_its_hashes_and_hands_out_no_few_slips(sqlite_database, evaluated, city):
    survey_round, communities = city
    with sqlite_database.reading() as session:
        stored = session.get_one(Evaluation, evaluated.id)
        table = pd.DataFrame(json.loads(stored.inputs))
        older = evaluate(
            check_communities(table.assign(slip_responses=3, helped_responses=2).query("responses > 2"), RULES_READ),
            RULES_READ,
        )
    with sqlite_database.writing() as session:
        make_evaluation(
            session,
            session.get_one(Round, survey_round.id),
            rule_file_id=stored.rule_file_id,
            inputs=canonical_frame_json(older.communities),
            inputs_sha256=older.inputs_sha256,
            standings_sha256=older.standings_sha256,
            summary=stored.summary,
            responses=stored.responses,
            code_version="0.1",
            evaluated_at=stored.evaluated_at,
        )
    with sqlite_database.reading() as session:
        number = session.scalars(select(func.max(Evaluation.id))).one()
        assert verify_evaluation(session, number)

    shown = read_rows(export_community_table(sqlite_database, evaluation_id=number, scope=EVERYWHERE))

    assert set(shown["slip_responses"]) == set(shown["helped_responses"]) == {""}
    assert communities[0].number in set(shown["community_id"])


# Two results of one round.


def hold(session, survey_round, community, number, *, tenure=1):
    statement = select(Response.id).filter_by(round_id=survey_round.id, community_id=community.id, tenure=tenure)
    for response_id in session.scalars(statement.order_by(Response.id).limit(number)).all():
        session.add(ResponseReview(response_id=response_id, state="held", families="burst, pace", at=NOW))


def exclude(database, survey_round, community):
    with database.writing() as session:
        account_id = session.scalars(select(Evaluation.id)).first() or 1
        return decide_reviews(
            session,
            round_id=survey_round.id,
            number=community.number,
            decision=ReviewState.EXCLUDED,
            reason="核实",
            scope=EVERYWHERE,
            by="account:1",
            account_id=account_id,
            now=NOW,
        )


@pytest.mark.parametrize("is_preview", [True, False])
@pytest.mark.parametrize("held", [[(1, 1)], [(9, 1)], [(10, 1), (1, 2)], [(3, 2)]])
def test_after_a_result_fewer_than_ten_of_a_tenure_are_not_taken_away(sqlite_database, city, held, is_preview):
    survey_round, communities = city
    with sqlite_database.writing() as session:
        for number, tenure in held:
            hold(session, survey_round, communities[0], number, tenure=tenure)
    first = evaluate_round(sqlite_database, round_id=survey_round.id, now=NOW, provisional=is_preview)

    with pytest.raises(TooFewToExclude):
        exclude(sqlite_database, survey_round, communities[0])

    again = evaluate_round(
        sqlite_database, round_id=survey_round.id, now=NOW + timedelta(hours=1), provisional=is_preview
    )
    assert again.id == first.id


@pytest.mark.parametrize("held", [1, 9])
def test_before_a_result_any_number_is_taken_away(sqlite_database, city, held):
    survey_round, communities = city
    with sqlite_database.writing() as session:
        hold(session, survey_round, communities[0], held)

    assert exclude(sqlite_database, survey_round, communities[0]) == held


def test_the_page_says_why_they_keep_counting(app, sqlite_database, city):
    survey_round, communities = city
    with sqlite_database.writing() as session:
        hold(session, survey_round, communities[0], 2)
    evaluate_round(sqlite_database, round_id=survey_round.id, now=NOW)
    client = signed_in_client(app, "city")
    sent = {"decision": "excluded", "reason": "核实", "community": communities[0].number, "seen": "yes"}

    answer = client.post(
        f"/staff/rounds/{survey_round.id}/reviews", data={"csrf_token": csrf_token(client.get("/staff/")), **sent}
    )

    assert answer.status_code == 409
    assert "不足10份" in answer.text


def test_the_file_of_an_earlier_result_stays_what_it_was(sqlite_database, city):
    survey_round, communities = city
    with sqlite_database.writing() as session:
        hold(session, survey_round, communities[0], 20)
    first = evaluate_round(sqlite_database, round_id=survey_round.id, now=NOW)

    def rows(evaluation):
        return sorted(
            read_rows(export_responses(sqlite_database, evaluation_id=evaluation.id, scope=EVERYWHERE, now=NOW))
            .drop(columns="response_id")
            .apply(tuple, axis="columns")
        )

    before = rows(first)
    with sqlite_database.writing() as session:
        session.execute(update(ResponseReview).values(at=NOW - timedelta(hours=1)))
    exclude_later(sqlite_database, survey_round, communities[0])
    second = evaluate_round(sqlite_database, round_id=survey_round.id, now=NOW + timedelta(hours=2))

    assert rows(first) == before
    assert len(rows(second)) == len(before) - 20


def exclude_later(database, survey_round, community):
    with database.writing() as session:
        decide_reviews(
            session,
            round_id=survey_round.id,
            number=community.number,
            decision=ReviewState.EXCLUDED,
            reason="核实",
            scope=EVERYWHERE,
            by="account:1",
            account_id=1,
            now=NOW + timedelta(hours=1),
        )


# A resident has answers erased after a result, or the city excludes enough of them, and another result is made.


def erase(database, survey_round, community, number, *, tenure=1):
    of_tenure = {"round_id": survey_round.id, "community_id": community.id, "tenure": tenure}
    with database.writing() as session:
        chosen = select(Response.id).filter_by(**of_tenure).where(Response.answers.is_not(None))
        ids = session.scalars(chosen.order_by(Response.id.desc()).limit(number)).all()
        session.execute(
            update(Response).where(Response.id.in_(ids)).values(**ERASED_VALUES, erased_at=NOW + timedelta(hours=1))
        )


def exclude_some(database, survey_round, community, number, *, tenure=1):
    with database.writing() as session:
        hold(session, survey_round, community, number, tenure=tenure)
        session.flush()
        session.execute(update(ResponseReview).values(at=NOW - timedelta(hours=1)))
    exclude_later(database, survey_round, community)


def take_away(database, city, what):
    """Take answers away from communities of the city, by what was done, place, tenure and number."""
    survey_round, communities = city
    for action, place, tenure, number in what:
        action(database, survey_round, communities[place], number, tenure=tenure)


TAKEN_AWAY = (
    [(erase, 0, 1, 1)],
    [(erase, 0, 1, 9)],
    [(erase, 0, 1, 10)],
    [(erase, 0, 2, 1)],
    [(erase, 7, 3, 2)],
    [(erase, 4, 1, 1)],
    [(exclude_some, 0, 1, 20)],
    [(exclude_some, 0, 1, 12), (erase, 0, 1, 1)],
    [(exclude_some, 2, 1, 10), (erase, 1, 1, 1), (erase, 5, 1, 1)],
)


def people_in(files):
    """Return every number of people in the files, by what it is of; what is withheld is left out."""
    found = {}
    for kind, names in (
        ("standings", ["Valid answers of owners", "Satisfied"]),
        (
            "communities",
            [
                *("responses", "satisfied", "paper_responses", "telephone_responses"),
                *("asked_about_complaints", "said_complained", "slip_responses", "helped_responses"),
            ],
        ),
    ):
        table = files[kind].set_index(files[kind].columns[1 if kind == "standings" else 0])
        found |= {(kind, name, number): table.loc[number, name] for name in names for number in table.index}
    tables = files["tables"][files["tables"]["Question number"] != ""]
    for row in tables.to_dict("records"):
        place = tuple(row[name] for name in ("Community number", "Question number", "Answer code"))
        found["tables", *place] = row["Number (empty: withheld)"]
    rows = files["responses"]
    for columns in (["tenure"], ["tenure", "mode"], ["tenure", "q01"], ["tenure", "mode", "q01"]):
        for place, number in rows.groupby(["community_id", *columns]).size().items():
            found["responses", *columns, *place] = str(number)
    return {place: int(number) for place, number in found.items() if number != ""}


def test_the_numbers_that_the_next_tests_compare_are_many(app, evaluated):
    assert evaluated.id
    assert len(people_in(files_of(signed_in_client(app, "evaluator")))) > 200


@pytest.mark.parametrize("what", TAKEN_AWAY)
@pytest.mark.parametrize("was_preview", [True, False])
def test_no_two_results_of_a_round_differ_by_the_answers_of_few(sqlite_database, app, city, what, was_preview):
    survey_round, _communities = city
    first = evaluate_round(sqlite_database, round_id=survey_round.id, now=NOW, provisional=was_preview)
    stated = pd.DataFrame(json.loads(first.inputs)).set_index("community_id")
    before = {} if was_preview else people_in(files_of(signed_in_client(app, "evaluator")))

    take_away(sqlite_database, city, what)
    second = evaluate_round(sqlite_database, round_id=survey_round.id, now=NOW + timedelta(hours=2))

    counted = pd.DataFrame(json.loads(second.inputs)).set_index("community_id")
    for name in ("responses", "asked_about_complaints", "said_complained", "paper_responses", "telephone_responses"):
        taken = (stated[name] - counted[name]).dropna()
        assert (taken.eq(0) | taken.ge(LEAST)).all(), name
    same = stated["responses"] == counted["responses"]
    pd.testing.assert_series_equal(stated.loc[same, "satisfied"], counted.loc[same, "satisfied"])
    pd.testing.assert_series_equal(stated.loc[same, "mean_index"], counted.loc[same, "mean_index"])
    after = people_in(files_of(signed_in_client(app, "evaluator")))
    # Of those who are fewer by enough the score is public, and who counts again may see how many gave each rating.
    public = {"Satisfied", "satisfied", "q01"}
    few = {
        place: (before[place], after[place])
        for place in before.keys() & after.keys()
        if 0 < abs(before[place] - after[place]) < LEAST and public.isdisjoint(place)
    }
    assert few == {}


@pytest.mark.parametrize("what", TAKEN_AWAY)
@pytest.mark.parametrize("was_preview", [True, False])
def test_no_breakdown_of_a_region_or_tenure_follows_from_two_results(sqlite_database, city, what, was_preview):
    survey_round, communities = city
    first = evaluate_round(sqlite_database, round_id=survey_round.id, now=NOW, provisional=was_preview)
    take_away(sqlite_database, city, what)
    second = evaluate_round(sqlite_database, round_id=survey_round.id, now=NOW + timedelta(hours=2), provisional=False)

    with sqlite_database.reading() as session:
        changed = {communities[place].id for _action, place, _tenure, _number in what}
        profiles = session.scalars(select(CommunityProfile).filter_by(evaluation_id=second.id)).all()
        regions = session.scalars(select(RegionProfile).order_by(RegionProfile.evaluation_id)).all()
    if second.id == first.id:
        return
    for profile in profiles:
        if profile.community_id in changed:
            assert not any(json.loads(profile.answers).values())
            assert not any(json.loads(profile.other_population).values())
    assert {profile.community_id for profile in profiles if any(json.loads(profile.answers).values())} >= {
        communities[place].id for place in (0, 1, 2)
    } - changed
    if was_preview:
        shown = [json.loads(profile.answers)["q01"] for profile in profiles if profile.community_id not in changed]
        # The region is the sum of the others, and of at least ten that are not broken down, if of any; or it is untold.
        of_region = sum(json.loads(regions[-1].answers)["q01"].values())
        rest = of_region - sum(sum(each.values()) for each in shown)
        assert of_region == 0 or rest == 0 or rest >= LEAST
    else:
        assert (regions[0].answers, regions[0].drivers) == (regions[-1].answers, regions[-1].drivers)


@pytest.mark.parametrize(("tenure", "number"), [(1, 1), (2, 1), (1, 9)])
def test_what_the_evaluator_downloads_before_and_after_an_erasure_differs_by_whole_communities(
    sqlite_database, city, evaluated, tenure, number
):
    def rows():
        pieces = export_responses(sqlite_database, evaluation_id=evaluated.id, scope=EVERYWHERE, now=NOW)
        return read_rows(pieces).drop(columns="response_id")

    before = rows()
    erase(sqlite_database, city[0], city[1][0], number, tenure=tenure)
    after = rows()

    others = before[before["community_id"] != city[1][0].number]
    assert Counter(after.apply(tuple, axis="columns")) == Counter(others.apply(tuple, axis="columns"))
    assert len(after) < len(before)


@pytest.mark.parametrize("what", TAKEN_AWAY)
def test_the_evaluator_decides_the_same_after_answers_were_taken_away(sqlite_database, city, evaluated, what, tmp_path):
    assert evaluated.id
    take_away(sqlite_database, city, what)
    second = evaluate_round(sqlite_database, round_id=city[0].id, now=NOW + timedelta(hours=2))

    result = counted_again(tmp_path, sqlite_database, second)

    assert result.exit_code == 0, result.output
    decided = (tmp_path / "out" / "evaluation.json").read_text("utf-8")
    assert second.standings_sha256 in decided
    assert second.inputs_sha256 in decided


def test_answers_erased_in_threes_are_taken_away_once_they_are_enough(sqlite_database, city, evaluated):
    survey_round, communities = city
    counts = [json.loads(evaluated.inputs)["responses"]]
    for hour in range(1, 7):
        erase(sqlite_database, survey_round, communities[0], 3)
        now = NOW + timedelta(hours=1 + hour)
        counts.append(
            json.loads(evaluate_round(sqlite_database, round_id=survey_round.id, now=now).inputs)["responses"]
        )

    place = counts[0].index(max(counts[0]))
    stated = [each[place] for each in counts]
    assert all(low == high or high - low >= LEAST for high, low in itertools.pairwise(stated))
    assert len(set(stated)) == 2


# What the evaluator can compute again.


def counted_again(directory, database, evaluation):
    """Return the result and the text of the command that counts the released rows again, and decides."""
    of_evaluation = {"evaluation_id": evaluation.id, "scope": EVERYWHERE}
    for name, pieces in (
        ("responses", export_responses(database, **of_evaluation, now=NOW)),
        ("communities", export_community_table(database, **of_evaluation)),
    ):
        (directory / f"{name}.csv").write_text("".join(pieces), "utf-8")
    arguments = [directory / "communities.csv", "--responses", directory / "responses.csv", "--rules", RULES]
    return CliRunner().invoke(
        main, ["evaluate", *map(str, arguments), "--out", str(directory / "out"), "--language", "en"]
    )


def untold(sequence, description):
    """Show no progress."""
    assert description
    return sequence


def test_the_evaluator_counts_the_rows_of_a_whole_city_again_and_decides_the_same(sqlite_database, tmp_path):
    simulate(
        sqlite_database,
        secret_key=SECRET,
        seed=5,
        communities=24,
        now=NOW,
        track=untold,
    )
    with sqlite_database.reading() as session:
        evaluation = session.scalars(select(Evaluation).order_by(Evaluation.id.desc())).first()
        assert session.get_one(Round, evaluation.round_id).closes_at <= NOW

    result = counted_again(tmp_path, sqlite_database, evaluation)

    assert result.exit_code == 0, result.output
    assert "were counted again and agree" in result.output
    decided = (tmp_path / "out" / "evaluation.json").read_text("utf-8")
    assert evaluation.standings_sha256 in decided
    assert evaluation.inputs_sha256 in decided
    ranked = read_rows([(tmp_path / "out" / "standings.csv").read_text("utf-8")])
    ranked = ranked.loc[ranked["satisfaction_rank"] != "", "community_id"]
    rows = read_rows([(tmp_path / "responses.csv").read_text("utf-8")])
    assert len(ranked) > 5
    # Every ranked community was counted from rows, none taken on trust.
    assert set(ranked) <= set(rows.loc[rows["tenure"] == "1", "community_id"])


def test_a_table_that_was_altered_does_not_agree_with_the_rows(sqlite_database, city, evaluated, tmp_path):
    assert counted_again(tmp_path, sqlite_database, evaluated).exit_code == 0
    rows = (tmp_path / "responses.csv").read_bytes().decode("utf-8")
    number = city[1][0].number
    altered = re.sub(rf"(,{number},[^\r]*,1,[^,\r]*),[45]\r", r"\1,1\r", rows, count=1)
    (tmp_path / "responses.csv").write_text(altered, "utf-8", newline="")

    arguments = [tmp_path / "communities.csv", "--responses", tmp_path / "responses.csv", "--rules", RULES]
    result = CliRunner().invoke(main, ["evaluate", *map(str, arguments), "--out", str(tmp_path / "other")])

    assert result.exit_code == 2
    assert number in result.stderr


@pytest.mark.parametrize(
    ("places", "communities", "compared"),
    [
        # Two communities are ranked, the first and the third: of one company, and of one each.
        ((0, 1, 0, 0, 1, 0, 1, 1), {"A物业": 2}, ["A物业"]),
        ((0, 0, 1, 0, 1, 0, 1, 1), {"A物业": 1, "B物业": 1}, []),
    ],
)
def test_of_companies_nothing_is_told_but_sums_of_official_numbers(
    filled_and_evaluated, sqlite_database, places, communities, compared
):
    path, evaluation = filled_and_evaluated
    copy_rows_of(path, sqlite_database)
    with sqlite_database.writing() as session:
        companies = [PropertyCompany(name=name, sort_key=name) for name in ("A物业", "B物业")]
        session.add_all(companies)
        stored = session.scalars(select(Community).order_by(Community.id)).all()
        for community, place in zip(stored, places, strict=True):
            community.company = companies[place]
    with sqlite_database.reading() as session:
        counts = read_company_counts(session, evaluation_id=evaluation.id, region=None, scope=EVERYWHERE)
        standings = read_standings(session, evaluation_id=evaluation.id, scope=EVERYWHERE)
    ranked = standings[standings["satisfaction_rank"].notna()]
    assert len(ranked) < len(standings[standings["responses"] > 0])

    official = ranked.groupby("company")[["responses", "satisfied"]].sum()
    told = counts.set_index("company")[["responses", "satisfied"]]
    assert told.astype("int64").to_dict("index") == official.astype("int64").to_dict("index")
    assert counts.set_index("company")["communities"].to_dict() == communities
    assert compared_companies(counts, DISCLOSURE, "zh-Hans")["company"].tolist() == compared
