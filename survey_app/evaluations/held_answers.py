"""Counts of the answers that are held for review, alone, as the rules of an evaluation count them."""

import pandas as pd
from sqlalchemy import Select, select
from sqlalchemy.orm import Session

from survey_app.accounts.scope import Scope
from survey_app.evaluations.counts import measure_answers
from survey_app.evaluations.round_counts import count_round
from survey_app.models import Community, Evaluation, Response
from survey_app.responses.integrity_reviews import held_responses
from survey_app.rounds.questionnaires import questionnaire_from_canonical
from survey_app.stored_rules import rules_of


def count_held_answers(session: Session, *, evaluation_id: int, scope: Scope) -> pd.DataFrame:
    """Return of each community in scope what the answers that wait for a decision add to its evaluated counts.

    Columns: number and those of a community table that count answers, of the population that the evaluation ranks; no
    rows where nothing waits. Raises `LookupError` if there is no such evaluation.
    """
    evaluation = _find_evaluation(session, evaluation_id)
    survey_round, rules = evaluation.round, rules_of(evaluation.rule_file.content)
    questionnaire = questionnaire_from_canonical(survey_round.questionnaire.text)
    held = held_responses(survey_round.id)
    of_held = select(Response.community_id).where(Response.id.in_(held)).distinct()
    counts = count_round(
        session,
        survey_round=survey_round,
        rules=rules,
        questionnaire=questionnaire,
        communities=session.scalars(of_held).all(),
        before=evaluation.cut_off,
        only=held,
    )
    counted = measure_answers(counts.ranked, rules)
    places = session.execute(
        scope.communities(select(Community.id, Community.number).where(Community.id.in_(of_held)))
    ).all()
    numbers = {row.id: row.number for row in places if row.id in counted.index}
    return counted.loc[list(numbers)].rename(index=numbers).reset_index(names="number")


def find_waiting(session: Session, *, evaluation_id: int, scope: Scope) -> frozenset[str]:
    """Return the numbers of the communities in scope of which answers of the round wait for a decision.

    Raises `LookupError` if there is no such evaluation.
    """
    waiting = communities_waiting(session, evaluation_id)
    return frozenset(session.scalars(scope.communities(select(Community.number).where(Community.id.in_(waiting)))))


def communities_waiting(session: Session, evaluation_id: int) -> Select[int]:
    """Return the query for the ids of the communities of which answers of the round wait for a decision.

    Raises `LookupError` if there is no such evaluation.
    """
    evaluation = _find_evaluation(session, evaluation_id)
    return select(Response.community_id).where(Response.id.in_(held_responses(evaluation.round_id)))


def _find_evaluation(session: Session, evaluation_id: int) -> Evaluation:
    evaluation = session.get(Evaluation, evaluation_id)
    if evaluation is None:
        raise LookupError(f"there is no evaluation {evaluation_id}")
    return evaluation
