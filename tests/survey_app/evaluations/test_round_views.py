import csv
import io
import re
from datetime import UTC, datetime, timedelta

import pytest
import zxingcpp
from PIL import Image
from sqlalchemy import select

from survey_app.evaluations.evaluate_round import evaluate_round
from survey_app.evaluations.evaluation_jobs import EVALUATION_JOB
from survey_app.jobs.worker import Worker
from survey_app.models import Round
from survey_app.models.vocabulary import Role
from survey_app.preparation.checklist import STEPS_OF_ROLE, StepKey
from tests.accounts import csrf_token, make_account, signed_in_client
from tests.factories import make_community, make_district, make_poster_code, make_response, make_round

# The views look at the clock, so these rounds lie around the present.
NOW = datetime.now(UTC).replace(microsecond=0)
CHINESE = {"Accept-Language": "zh-CN"}


@pytest.fixture
def city(sqlite_database):
    """Two districts with a community and a poster each, a closed round with answers, an open one, three accounts."""
    with sqlite_database.writing() as session:
        here = make_community(
            session, name="阳光家园", district=make_district(session, name="海勃湾区", english_name="Haibowan")
        )
        there = make_community(
            session, name="滨河花园", district=make_district(session, name="乌达区", english_name="Wuda")
        )
        codes = [make_poster_code(session, community, token=f"2{community.id:019}") for community in (here, there)]
        closed = make_round(
            session, name="上一轮", opens_at=NOW - timedelta(days=40), closes_at=NOW - timedelta(days=10)
        )
        opened = make_round(session, name="本轮", opens_at=NOW - timedelta(days=5), closes_at=NOW + timedelta(days=5))
        for survey_round in (closed, opened):
            for community, code, number in ((here, codes[0], 12), (there, codes[1], 11)):
                for _ in range(number):
                    moment = survey_round.opens_at + timedelta(days=1)
                    make_response(session, survey_round, community, code_id=code.id, submitted_at=moment)
        make_account(session, "city", now=NOW)
        make_account(session, "evaluator", now=NOW)
        make_account(session, "district", district=here.district, now=NOW)
        return {"here": here, "there": there, "codes": codes, "closed": closed, "open": opened}


def ask_for_evaluation(client, survey_round, kind):
    data = {"csrf_token": csrf_token(client.get("/staff/")), "kind": kind}
    return client.post(f"/staff/rounds/{survey_round.id}/evaluations", data=data)


def work(database):
    """Do the background work that is due."""
    Worker(database, [EVALUATION_JOB], lambda: datetime.now(UTC)).run_due_jobs()


def read_csv(answer):
    assert answer.status_code == 200
    return list(csv.DictReader(io.StringIO(answer.get_data().decode("utf-8-sig"), newline="")))


@pytest.mark.usefixtures("city")
def test_the_home_page_counts_what_came_in(app):
    page = signed_in_client(app, "city").get("/staff/").text

    assert page.count(">23<") == 2
    assert page.index("本轮") < page.index("上一轮")


def test_the_city_evaluates_a_closed_round(app, city, sqlite_database):
    client = signed_in_client(app, "city")
    answer = ask_for_evaluation(client, city["closed"], "official")

    assert (answer.status_code, answer.location) == (303, "/staff/evaluation-jobs/1")
    assert "/staff/evaluation-jobs/1" in client.get("/staff/").text
    work(sqlite_database)
    page = client.get("/staff/").text
    assert "/staff/evaluation-jobs/1" not in page
    assert re.search(r"/staff/evaluations/1/standings\.csv", page)


def test_an_official_evaluation_of_an_open_round_is_refused(app, city):
    client = signed_in_client(app, "city")

    assert ask_for_evaluation(client, city["open"], "official").status_code == 409
    assert "standings.csv" not in client.get("/staff/").text


def test_a_preview_of_an_open_round_is_refused_too(app, city):
    client = signed_in_client(app, "city")

    assert ask_for_evaluation(client, city["open"], "provisional").status_code == 409
    assert "standings.csv" not in client.get("/staff/").text


def test_a_preview_of_a_closed_round_says_that_it_is_none(app, city, sqlite_database):
    client = signed_in_client(app, "city")
    ask_for_evaluation(client, city["closed"], "provisional")
    work(sqlite_database)

    assert "预览，非正式结果" in client.get("/staff/").text


@pytest.mark.parametrize("username", ["evaluator", "district"])
@pytest.mark.parametrize("kind", ["official", "provisional"])
def test_only_the_city_evaluates(app, city, username, kind):
    client = signed_in_client(app, username)

    assert ask_for_evaluation(client, city["closed"], kind).status_code == 403
    assert '/evaluations"' not in client.get("/staff/").text


@pytest.mark.usefixtures("city")
def test_an_unknown_round_or_evaluation_is_not_found(app):
    client = signed_in_client(app, "city")

    assert client.get("/staff/evaluations/99/tables.csv").status_code == 404
    assert client.get("/staff/evaluations/99/standings.csv").status_code == 404
    data = {"csrf_token": csrf_token(client.get("/staff/"))}
    assert client.post("/staff/rounds/99/evaluations", data=data).status_code == 404


@pytest.mark.parametrize(("username", "expected"), [("city", 23), ("evaluator", 23), ("district", 12)])
def test_tables_are_downloaded_within_the_scope(app, sqlite_database, city, username, expected):
    evaluation = evaluate_round(sqlite_database, round_id=city["closed"].id, now=NOW)
    answer = signed_in_client(app, username).get(f"/staff/evaluations/{evaluation.id}/tables.csv?lang=en")

    assert answer.headers["Content-Disposition"].startswith("attachment")
    received = [row for row in read_csv(answer) if row["Answer code"] == "received"]
    assert sum(int(row["Number (empty: withheld)"]) for row in received) == expected


@pytest.mark.parametrize(("username", "expected"), [("city", 2), ("evaluator", 2), ("district", 1)])
def test_standings_are_downloaded_within_the_scope(app, sqlite_database, city, username, expected):
    evaluation = evaluate_round(sqlite_database, round_id=city["closed"].id, now=NOW)

    answer = signed_in_client(app, username).get(f"/staff/evaluations/{evaluation.id}/standings.csv")

    assert len(read_csv(answer)) == expected


@pytest.mark.parametrize(
    "path", ["/staff/", "/staff/communities", "/staff/communities?search=滨河", "/staff/communities?lang=en"]
)
def test_a_district_sees_no_community_of_another_district(app, city, path):
    page = signed_in_client(app, "district").get(path)

    assert page.status_code == 200
    for secret in (">滨河花园<", "Wuda", "乌达", city["codes"][1].token, ">11<", ">23<"):
        assert secret not in page.text


def test_a_district_gets_no_code_of_another_district(app, city):
    client = signed_in_client(app, "district")
    own, foreign = (code.token for code in city["codes"])

    assert client.get(f"/staff/codes/{own}.svg").status_code == 200
    assert client.get(f"/staff/codes/{foreign}.svg").status_code == 404
    assert client.get(f"/staff/codes/{foreign}.png").status_code == 404


def test_the_picture_of_a_code_leads_to_its_survey(app, city):
    token = city["codes"][0].token
    answer = signed_in_client(app, "city").get(f"/staff/codes/{token}.png")

    picture = Image.open(io.BytesIO(answer.get_data()))
    assert [found.text for found in zxingcpp.read_barcodes(picture)] == [f"http://127.0.0.1:8000/s/{token}"]


@pytest.mark.usefixtures("city")
def test_communities_are_found_by_name_pinyin_and_number(app, sqlite_database):
    with sqlite_database.writing() as session:
        make_community(session, name="海馨苑", number="WH-0042", sort_key="hai xin yuan", district_id=1)
    client = signed_in_client(app, "city")

    for wanted in ("海馨", "hai xin", "WH-0042"):
        page = client.get("/staff/communities", query_string={"search": wanted}).text
        assert "海馨苑" in page
        assert "阳光家园" not in page
    assert "阳光家园" not in client.get("/staff/communities", query_string={"search": "%"}).text


@pytest.mark.usefixtures("city")
def test_communities_come_fifty_to_a_page(app, sqlite_database):
    with sqlite_database.writing() as session:
        for number in range(60):
            make_community(session, name=f"小区{number:02}", sort_key=f"zz{number:02}", district_id=1)
    client = signed_in_client(app, "city")
    first, second = (client.get(f"/staff/communities?page={page}").text for page in (1, 2))

    assert first.count("<tr>") - 1 == 50
    assert second.count("<tr>") - 1 == 12
    assert "page=2" in first
    assert "page=3" not in second


@pytest.mark.usefixtures("city")
def test_a_name_is_shown_as_text(app, sqlite_database):
    with sqlite_database.writing() as session:
        make_community(session, name="<b>金都</b>", district_id=1)

    page = signed_in_client(app, "city").get("/staff/communities").text
    assert "&lt;b&gt;金都&lt;/b&gt;" in page


@pytest.mark.usefixtures("city")
def test_a_chosen_language_stays_with_the_session(app):
    client = signed_in_client(app, "city")
    client.get("/staff/?lang=en")

    assert "Responses received" in client.get("/staff/").text


def evaluate_in_chinese(client, survey_round, database):
    asked = ask_for_evaluation(client, survey_round, "official")
    work(database)
    return client.get(asked.location, headers=CHINESE).text


def test_evaluations_are_numbered_within_their_round_and_a_second_one_says_that_nothing_is_new(
    app, city, sqlite_database
):
    with sqlite_database.writing() as session:
        make_round(session, name="更早", opens_at=NOW - timedelta(days=90), closes_at=NOW - timedelta(days=60))
    with sqlite_database.reading() as session:
        earlier = session.scalars(select(Round).filter_by(name="更早")).one()
    evaluate_round(sqlite_database, round_id=earlier.id, now=NOW)
    client = signed_in_client(app, "city")

    first, second = (evaluate_in_chinese(client, city["closed"], sqlite_database) for _ in range(2))

    assert "第1次评价已保存。" in first
    assert "第2次评价" not in first
    assert "没有新增" in second
    assert "已保存" not in second
    assert "再次评价" in client.get("/staff/", headers=CHINESE).text


@pytest.mark.parametrize("number", ["999999", "0", "999999999"])
@pytest.mark.parametrize("page", ["", "aspects/", "communities/", "criterion/", "community/"])
@pytest.mark.usefixtures("city")
def test_an_evaluation_that_is_not_there_is_not_shown_as_another_one(app, number, page):
    answer = signed_in_client(app, "city").get(f"/dashboards/{page}?evaluation={number}")

    assert answer.status_code == 404
    assert "<h1>" in answer.text


def test_each_role_is_shown_what_it_prepares_and_no_other_steps(app, sqlite_database):
    with sqlite_database.writing() as session:
        here = make_community(session, district=make_district(session, name="乌达区"))
        make_account(session, "city", now=NOW)
        make_account(session, "administrator", now=NOW)
        make_account(session, "district", district=here.district, now=NOW)
        make_account(session, "clerk", communities=[here], now=NOW)
        make_account(session, "evaluator", now=NOW)

    pages = {role: signed_in_client(app, role).get("/staff/").text for role in Role if role is not Role.COMPANY}

    for role, page in pages.items():
        shown = {StepKey(key) for key in re.findall(r'id="step-(\w+)"', page)}
        assert shown == set(STEPS_OF_ROLE.get(role, ()))
    assert "jiayuan districts telephone " in pages[Role.CITY]
    assert "jiayuan" not in pages[Role.DISTRICT]
    assert 'href="/staff/accounts"' not in pages[Role.DISTRICT]


def test_the_checklist_folds_up_once_residents_could_answer(app, sqlite_database):
    with sqlite_database.writing() as session:
        make_account(session, "city", now=NOW)
    before = signed_in_client(app, "city").get("/staff/").text
    with sqlite_database.writing() as session:
        make_round(session, opens_at=NOW - timedelta(days=5), closes_at=NOW + timedelta(days=5))
    after = signed_in_client(app, "city").get("/staff/").text

    assert '<details><summary><h2 id="preparation">准备工作' not in before
    assert '<details><summary><h2 id="preparation">准备工作' in after
