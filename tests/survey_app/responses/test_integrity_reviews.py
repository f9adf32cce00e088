import json
from datetime import timedelta

import pytest
from sqlalchemy import delete, func, select

from survey_app.accounts.scope import EVERYWHERE, Scope
from survey_app.evaluations.evaluate_round import evaluate_round
from survey_app.models import AuditEvent, IntegrityExamination, Response, ResponseReview, Standing
from survey_app.models.vocabulary import Area, ReviewState
from survey_app.responses import integrity_reviews
from survey_app.responses.integrity_reviews import (
    NothingToReview,
    ReasonMissing,
    decide_reviews,
    examine_round,
    held_by_community,
    rounds_to_examine,
)
from tests.accounts import make_account
from tests.factories import (
    CLOSED,
    NOW,
    SETTLED,
    make_community,
    make_district,
    make_poster_code,
    make_response,
    make_round,
)
from tests.together import all_at_once

STUFFED = 40


@pytest.fixture
def city(database):
    """24 communities answer by themselves over days, and in one of them somebody fills in 40 forms at once."""
    with database.writing() as session:
        survey_round, district = make_round(session), make_district(session)
        communities = [make_community(session, district=district) for _ in range(24)]
        for place, community in enumerate(communities):
            code_id = make_poster_code(session, community).id
            for resident in range(30):
                rating = 1 + (resident * 7 + place) % 5
                moment = NOW + timedelta(hours=resident * 5, minutes=place)
                aspects = {f"q{number:02}": 1 + (rating + number * resident) % 5 for number in range(2, 14)}
                answered = {"answers": {"q01": rating} | aspects, "code_id": code_id}
                send(session, survey_round, community, moment, seconds=100 + resident, **answered)
        stuffed_code = make_poster_code(session, communities[0]).id
        for form in range(STUFFED):
            moment = NOW + timedelta(days=3, seconds=12 * form)
            answered = {"answers": {f"q{number:02}": 5 for number in range(1, 14)}, "code_id": stuffed_code}
            send(session, survey_round, communities[0], moment, seconds=9, **answered)
        account = make_account(session, "city", district=None, now=NOW)
        return survey_round, communities, account


def send(session, survey_round, community, moment, *, seconds, **answered):
    times = {"started_at": moment - timedelta(seconds=seconds), "submitted_at": moment}
    make_response(session, survey_round, community, **times, **answered)


def examine(database, survey_round):
    return examine_round(database, round_id=survey_round.id, now=CLOSED)


def decide(database, city, decision, *, number=None, reason="同一时间大量提交", scope=EVERYWHERE):
    survey_round, communities, account = city
    with database.writing() as session:
        return decide_reviews(
            session,
            round_id=survey_round.id,
            number=number or communities[0].number,
            decision=decision,
            reason=reason,
            scope=scope,
            by=f"account:{account.id}",
            account_id=account.id,
            now=SETTLED,
        )


def responses_of(database, city):
    survey_round, communities, _account = city
    evaluation = evaluate_round(database, round_id=survey_round.id, now=SETTLED)
    with database.reading() as session:
        return session.scalar(
            select(Standing.responses).filter_by(evaluation_id=evaluation.id, community_id=communities[0].id)
        )


def test_forms_that_somebody_filled_in_at_once_are_held_and_those_of_others_are_not(database, city):
    survey_round, communities, _account = city

    assert examine(database, survey_round) == STUFFED

    with database.reading() as session:
        [held] = held_by_community(session, round_id=survey_round.id, scope=EVERYWHERE, now=SETTLED)
    assert (held.number, held.responses) == (communities[0].number, STUFFED)
    signs = {sign.family: sign for sign in held.signs}
    assert signs["burst"].responses == STUFFED
    assert signs["haste"].found == STUFFED > signs["haste"].usual
    assert signs["haste"].chance < 0.001


def test_an_examination_finds_the_same_however_many_answers_are_read_at_once(database, city, monkeypatch):
    survey_round, communities, _account = city
    with database.writing() as session:
        first = session.scalars(select(Response).filter_by(community_id=communities[0].id)).first()
        moment, code = NOW + timedelta(days=9), {"code_id": first.code_id}
        answers = {"q01": 3} | {f"q{number:02}": 2 for number in range(2, 14)}
        send(session, survey_round, communities[0], moment, seconds=90, answers=answers, corrects_id=first.id, **code)
    found = []
    for rows in (10_000, 7):
        monkeypatch.setattr(integrity_reviews, "_ROWS_AT_ONCE", rows)
        examine(database, survey_round)
        with database.writing() as session:
            found.append(
                (
                    session.scalars(select(IntegrityExamination.families)).one(),
                    session.scalars(select(IntegrityExamination.counts)).one(),
                    [(each.response_id, each.families) for each in session.scalars(select(ResponseReview))],
                )
            )
            session.execute(delete(IntegrityExamination))
            session.execute(delete(ResponseReview))

    assert len(found[0][2]) == STUFFED
    assert found[0] == found[1]


def test_a_sign_in_what_was_answered_tells_no_numbers(database, city):
    survey_round, _communities, _account = city
    examine(database, survey_round)

    with database.reading() as session:
        [held] = held_by_community(session, round_id=survey_round.id, scope=EVERYWHERE, now=SETTLED)

    signs = {sign.family: sign for sign in held.signs}
    for family in ("burst", "identical"):
        assert (signs[family].found, signs[family].usual, signs[family].chance) == (None, None, None)


def test_a_held_response_counts_until_somebody_excludes_it(database, city):
    survey_round, _communities, _account = city
    examine(database, survey_round)

    assert responses_of(database, city) == 30 + STUFFED
    assert decide(database, city, ReviewState.EXCLUDED) == STUFFED
    assert responses_of(database, city) == 30


def test_what_was_released_is_not_held_again(database, city):
    survey_round, _communities, _account = city
    examine(database, survey_round)
    decide(database, city, ReviewState.RELEASED)

    assert examine(database, survey_round) == 0
    assert responses_of(database, city) == 30 + STUFFED
    with database.reading() as session:
        assert held_by_community(session, round_id=survey_round.id, scope=EVERYWHERE, now=SETTLED) == []


def test_two_examinations_at_a_time_hold_each_response_once(database, city):
    survey_round, _communities, _account = city

    newly = all_at_once(lambda _examiner: examine(database, survey_round), range(2))

    assert sum(newly) == STUFFED
    with database.reading() as session:
        assert session.scalar(select(func.count()).select_from(ResponseReview)) == STUFFED


def test_an_examination_that_looked_before_a_decision_does_not_hold_again(database, city, monkeypatch):
    survey_round, _communities, _account = city
    find = integrity_reviews.find_signals

    def find_slowly(*arguments, **options):
        found = find(*arguments, **options)
        with monkeypatch.context() as others:
            others.setattr(integrity_reviews, "find_signals", find)
            assert examine(database, survey_round) == STUFFED
        decide(database, city, ReviewState.RELEASED)
        return found

    monkeypatch.setattr(integrity_reviews, "find_signals", find_slowly)
    # Whatever was reviewed meanwhile is not seen, as by a transaction that began before.
    monkeypatch.setattr(integrity_reviews, "_reviewed_among", lambda _session, _ids: set())

    assert examine(database, survey_round) == 0
    with database.reading() as session:
        assert held_by_community(session, round_id=survey_round.id, scope=EVERYWHERE, now=SETTLED) == []


def test_a_decision_is_on_record_with_its_reason(database, city):
    survey_round, communities, account = city
    examine(database, survey_round)
    decide(database, city, ReviewState.EXCLUDED, reason=" 核实为代填 ")

    with database.reading() as session:
        decided = session.scalars(select(ResponseReview).filter_by(state="excluded")).all()
        event = session.scalars(select(AuditEvent).filter_by(action="review_decided")).one()
    assert {(each.reason, each.account_id) for each in decided} == {("核实为代填", account.id)}
    assert event.subject == f"community:{communities[0].id}"
    assert json.loads(event.before)["responses"] == STUFFED


@pytest.mark.parametrize("reason", ["", "  ", "长" * 501])
def test_nothing_is_decided_without_a_reason(database, city, reason):
    survey_round, _communities, _account = city
    examine(database, survey_round)

    with pytest.raises(ReasonMissing):
        decide(database, city, ReviewState.EXCLUDED, reason=reason)

    with database.reading() as session:
        assert session.scalar(select(func.count()).select_from(ResponseReview).filter_by(state="excluded")) == 0


def test_nobody_decides_outside_the_scope_or_where_nothing_is_held(database, city):
    survey_round, communities, _account = city
    examine(database, survey_round)

    with pytest.raises(NothingToReview):
        decide(database, city, ReviewState.EXCLUDED, scope=Scope(Area.DISTRICT, (communities[0].district_id + 1,)))
    with pytest.raises(NothingToReview):
        decide(database, city, ReviewState.EXCLUDED, number=communities[1].number)


def test_an_examination_keeps_counts_with_and_without_what_is_held(database, city):
    survey_round, communities, _account = city
    examine(database, survey_round)

    with database.reading() as session:
        [examination] = session.scalars(select(IntegrityExamination))
    counts = {row["community_id"]: row for row in json.loads(examination.counts)}
    assert examination.responses == 24 * 30 + STUFFED
    assert counts[communities[0].id]["n"] - counts[communities[0].id]["n_without"] == STUFFED
    assert counts[communities[1].id]["held"] == 0


def test_a_round_without_answers_can_be_examined(database):
    with database.writing() as session:
        survey_round = make_round(session)

    assert examine_round(database, round_id=survey_round.id, now=NOW) == 0
    with pytest.raises(LookupError):
        examine_round(database, round_id=survey_round.id + 1, now=NOW)


def test_a_round_is_examined_while_it_is_open_and_once_after_it_has_closed(database):
    with database.writing() as session:
        survey_round = make_round(session)
        make_round(session, opens_at=CLOSED + timedelta(days=5), closes_at=CLOSED + timedelta(days=9))

    def to_examine(now):
        with database.reading() as session:
            return list(rounds_to_examine(session, now=now))

    assert to_examine(survey_round.opens_at - timedelta(seconds=1)) == []
    for moment in (NOW, CLOSED - timedelta(minutes=1), CLOSED, SETTLED):
        assert to_examine(moment) == [survey_round.id]
        examine_round(database, round_id=survey_round.id, now=moment)
    assert to_examine(CLOSED + timedelta(days=1)) == []


def test_an_examination_counts_the_answers_of_those_who_are_ranked(sqlite_database):
    with sqlite_database.writing() as session:
        survey_round, community = make_round(session), make_community(session)
        code_id = make_poster_code(session, community).id
        for resident in range(20):
            moment = NOW + timedelta(hours=resident)
            answered = {"answers": {"q01": 1 + resident % 5}, "tenure": 1 + resident % 2, "code_id": code_id}
            send(session, survey_round, community, moment, seconds=100, **answered)
    examine(sqlite_database, survey_round)
    evaluation = evaluate_round(sqlite_database, round_id=survey_round.id, now=SETTLED)

    with sqlite_database.reading() as session:
        [counts] = json.loads(session.scalars(select(IntegrityExamination.counts)).all()[-1])
    inputs = json.loads(evaluation.inputs)
    assert [counts["n_without"]] == inputs["responses"] == [10]
    assert [counts["satisfied_without"]] == inputs["satisfied"]
