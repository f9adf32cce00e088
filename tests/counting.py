"""A round counted as an evaluation counts it, for tests of what it counts."""

from sqlalchemy import select

from survey_app.complaints.categories import recorded_categories
from survey_app.evaluations.counts import community_table, count_responses
from survey_app.evaluations.round_counts import count_round
from survey_app.models import Community
from survey_app.rounds.questionnaires import questionnaire_from_canonical


def count_whole_round(session, survey_round, *, rules, before, **options):
    """Count the answers of all communities."""
    return count_round(
        session,
        survey_round=survey_round,
        rules=rules,
        questionnaire=questionnaire_from_canonical(survey_round.questionnaire.text),
        communities=session.scalars(select(Community.id).order_by(Community.id)).all(),
        before=before,
        **options,
    )


def recount(session, survey_round, *, rules, before):
    """Return the counts of responses for the community table."""
    counts = count_whole_round(session, survey_round, rules=rules, before=before)
    questionnaire = questionnaire_from_canonical(survey_round.questionnaire.text)
    return count_responses(counts, rules=rules, questionnaire=questionnaire)


def read_community_table(session, survey_round, *, rules, cut_off):
    """Return the community table, by number."""
    return community_table(
        session,
        counts=count_whole_round(session, survey_round, rules=rules, before=cut_off),
        rules=rules,
        questionnaire=questionnaire_from_canonical(survey_round.questionnaire.text),
        categories=recorded_categories().values(),
        cut_off=cut_off,
    ).set_index("community_id")
