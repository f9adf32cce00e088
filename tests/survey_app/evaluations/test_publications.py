from datetime import timedelta

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from survey_app.evaluations.evaluate_round import evaluate_round
from survey_app.evaluations.publications import PublicationRefused, publish_evaluation, published_evaluations
from tests.factories import CLOSED, NOW, make_community, make_complaint, make_response, make_round

LATER = CLOSED + timedelta(hours=1)


@pytest.fixture
def survey_round(database):
    with database.writing() as session:
        survey_round = make_round(session)
        community = make_community(session)
        for _ in range(3):
            make_response(session, survey_round, community)
        return survey_round


def evaluate(database, survey_round, *, now=LATER, **options):
    return evaluate_round(database, round_id=survey_round.id, now=now, **options)


def evaluate_corrected(database, survey_round):
    """Evaluate again after a complaint was added that had been forgotten: another result of the same round."""
    with database.writing() as session:
        make_complaint(session, make_community(session), submitted_at=NOW - timedelta(days=1))
    return evaluate(database, survey_round)


def publish(database, evaluation, *, reason=None):
    with database.writing() as session:
        return publish_evaluation(session, evaluation_id=evaluation.id, reason=reason, by="account:7", now=LATER)


def published(database):
    with database.reading() as session:
        return published_evaluations(session)


def test_an_official_evaluation_becomes_the_result_of_its_round(database, survey_round):
    evaluation = evaluate(database, survey_round)
    assert published(database) == {}

    publish(database, evaluation)

    assert published(database) == {survey_round.id: evaluation.id}


def test_a_preview_is_never_published(database, survey_round):
    preview = evaluate(database, survey_round, provisional=True)

    with pytest.raises(PublicationRefused) as refused:
        publish(database, preview)

    assert refused.value.because == "provisional"
    assert published(database) == {}


def test_a_result_is_replaced_only_with_a_reason(database, survey_round):
    first = evaluate(database, survey_round)
    publish(database, first)
    corrected = evaluate_corrected(database, survey_round)

    for reason in (None, "", "  "):
        with pytest.raises(PublicationRefused) as refused:
            publish(database, corrected, reason=reason)
        assert refused.value.because == "no_reason"
    publish(database, corrected, reason="一件投诉漏计")

    assert published(database) == {survey_round.id: corrected.id}


def test_one_evaluation_is_published_once(database, survey_round):
    evaluation = evaluate(database, survey_round)
    publish(database, evaluation)

    with pytest.raises(PublicationRefused) as refused:
        publish(database, evaluation, reason="again")

    assert refused.value.because == "published"


def test_an_unknown_evaluation_is_a_lookup_error(database):
    with pytest.raises(LookupError), database.writing() as session:
        publish_evaluation(session, evaluation_id=5, reason=None, now=LATER)


@pytest.mark.parametrize("statement", ["UPDATE publication SET reason = 'x'", "DELETE FROM publication"])
def test_a_publication_cannot_be_taken_back(database, survey_round, statement):
    publish(database, evaluate(database, survey_round))

    with pytest.raises(DBAPIError, match="frozen"), database.writing() as session:
        session.execute(text(statement))
