"""Help with answering is declared in advance, by whom and where an account may, and everybody sees it."""

import re
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import func, select

from survey_app.evaluations.evaluate_round import evaluate_round
from survey_app.models import AuditEvent, DeclaredHelp, Evaluation, Round
from survey_app.responses.declared_help import MOST_EXPECTED, HelpRefused, declare_help
from survey_app.rounds.rounds import GRACE_PERIOD
from survey_app.web.context import SITE_EXTENSION
from tests.accounts import csrf_token, make_account, signed_in_client
from tests.factories import make_community, make_poster_code, make_response, make_round_around

HOUR = timedelta(hours=1)


@pytest.fixture
def now():
    return datetime.now(UTC).replace(microsecond=0)


@pytest.fixture
def places(sqlite_database, now):
    with sqlite_database.writing() as session:
        survey_round = make_round_around(session, now)
        own, other = (make_community(session, name=name) for name in ("滨河家园", "阳光小区"))
        make_poster_code(session, own)
        clerk = make_account(session, "clerk", community=own, now=now)
        make_account(session, "evaluator", now=now)
        return survey_round, own, other, clerk


def fields(community, now, **changed):
    def local(moment):
        return (moment + timedelta(hours=8)).strftime("%Y-%m-%dT%H:%M")

    return {
        "community": community.number,
        "begins": local(now + 2 * HOUR),
        "ends": local(now + 5 * HOUR),
        "helper": "居委会志愿者两名",
        "reason": "没有智能手机的老人",
        "expected": "25",
    } | changed


def declare(client, survey_round, **form):
    address = f"/staff/rounds/{survey_round.id}/help"
    return client.post(address, data=form | {"csrf_token": csrf_token(client.get(address))})


def test_a_clerk_declares_help_and_everybody_who_collects_sees_it(app, sqlite_database, places, now):
    survey_round, own, _other, clerk = places
    client = signed_in_client(app, "clerk")

    assert declare(client, survey_round, **fields(own, now)).status_code == 303

    page = client.get(f"/staff/rounds/{survey_round.id}/help").text
    assert all(said in page for said in ("滨河家园", "居委会志愿者两名", "没有智能手机的老人", "预计25份"))
    token = re.search(r"/s/([0-9a-f]{32})<", page)[1]
    assert "滨河家园" in app.test_client().get(f"/s/{token}").text
    seen = signed_in_client(app, "evaluator").get(f"/staff/rounds/{survey_round.id}/help").text
    assert "居委会志愿者两名" in seen
    assert token not in seen
    with sqlite_database.reading() as session:
        event = session.scalars(select(AuditEvent).filter_by(action="help_declared")).one()
    assert (event.actor, "居委会" in event.after) == (f"account:{clerk.id}", False)


def test_the_code_of_a_helper_is_printed_on_no_poster(app, places, now):
    survey_round, own, _other, _clerk = places
    client = signed_in_client(app, "clerk")
    declare(client, survey_round, **fields(own, now))
    token = re.search(r"/s/([0-9a-f]{32})<", client.get(f"/staff/rounds/{survey_round.id}/help").text)[1]

    assert token not in client.get("/staff/communities").text
    assert client.get(f"/staff/posters/{token}.pdf").status_code == 404


def test_nobody_declares_help_outside_the_own_scope(app, sqlite_database, places, now):
    survey_round, _own, other, _clerk = places

    assert declare(signed_in_client(app, "clerk"), survey_round, **fields(other, now)).status_code == 400
    evaluator = signed_in_client(app, "evaluator")
    token = csrf_token(evaluator.get("/staff/"))
    answer = evaluator.post(f"/staff/rounds/{survey_round.id}/help", data=fields(other, now) | {"csrf_token": token})
    assert answer.status_code == 403
    with sqlite_database.reading() as session:
        assert session.scalar(select(func.count()).select_from(DeclaredHelp)) == 0


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"begins": "昨天"}, "请检查"),
        ({"ends": ""}, "请检查"),
        ({"begins": "2020-01-01T08:00"}, "须在开始之前报备"),
        ({"expected": "0"}, f"须在1至{MOST_EXPECTED}之间"),
        ({"expected": str(MOST_EXPECTED + 1)}, f"须在1至{MOST_EXPECTED}之间"),
        ({"helper": "  "}, "协助人员和原因必填"),
        ({"reason": "长" * 201}, "协助人员和原因必填"),
    ],
)
def test_what_cannot_be_declared_is_said_and_kept_in_the_form(app, places, now, changed, said):
    survey_round, own, _other, _clerk = places

    answer = declare(signed_in_client(app, "clerk"), survey_round, **fields(own, now, **changed))

    assert answer.status_code in {400, 409}
    assert said in answer.text
    assert own.number in answer.text
    with app.extensions[SITE_EXTENSION].database.reading() as session:
        assert session.scalar(select(func.count()).select_from(DeclaredHelp)) == 0


def help_in(session, survey_round, community, clerk, *, begins_at, now, hours=3, expected=2):
    return declare_help(
        session,
        survey_round=session.get(Round, survey_round.id),
        community=session.merge(community, load=False),
        begins_at=begins_at,
        ends_at=begins_at + hours * HOUR,
        helper="志愿者",
        reason="老人",
        expected=expected,
        account_id=clerk.id,
        now=now,
    )


@pytest.mark.parametrize(("begins", "hours"), [(-1, 3), (1, 0), (1, 25), (72, 3), (70, 5)])
def test_help_is_declared_before_it_begins_for_a_day_within_the_round(sqlite_database, places, now, begins, hours):
    survey_round, own, _other, clerk = places
    with sqlite_database.writing() as session, pytest.raises(HelpRefused):
        help_in(session, survey_round, own, clerk, begins_at=now + begins * HOUR, hours=hours, now=now)


def test_a_round_of_slips_alone_takes_no_declared_help(sqlite_database, places, now):
    survey_round, own, _other, clerk = places
    with sqlite_database.writing() as session:
        session.get(Round, survey_round.id).accepts_posters = False
        session.get(Round, survey_round.id).accepts_households = True
        session.flush()
        with pytest.raises(HelpRefused, match="each household uses its own slip"):
            help_in(session, survey_round, own, clerk, begins_at=now + HOUR, now=now)


def test_an_evaluation_counts_what_came_with_help_as_far_as_it_was_declared(database, now):
    with database.writing() as session:
        survey_round = make_round_around(session, now)
        community, other = make_community(session), make_community(session)
        clerk = make_account(session, "clerk", community=community, now=now)
        declared = help_in(session, survey_round, community, clerk, begins_at=now + HOUR, now=now, expected=12)
        code_id = declared.code_id
        for minutes in (*range(20, 31), *range(70, 82), 100):
            moment = now + timedelta(minutes=minutes)
            times = {"started_at": moment - timedelta(minutes=2), "submitted_at": moment}
            make_response(session, survey_round, community, code_id=code_id, **times)
        make_response(session, survey_round, other, submitted_at=now, started_at=now)
    settled = survey_round.closes_at + GRACE_PERIOD
    evaluate_round(database, round_id=survey_round.id, now=settled)

    with database.reading() as session:
        inputs = session.scalars(select(Evaluation.inputs)).one()
    assert '"helped_responses":[12,null]' in inputs
    assert '"responses":[24,1]' in inputs
    assert '"slip_responses":[0,null]' in inputs
