"""Every code of a case has words, so that no page of a case fails at a new one."""

import pytest

from analytics.languages import LANGUAGES
from survey_app.complaints.labels import case_kind_words, case_status_words, case_step_words, end_reason_words
from survey_app.complaints.state_machine import INTERNAL_ACTIONS
from survey_app.models.vocabulary import CaseAction, CaseActor, CaseEndReason, CaseKind, CaseStatus


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_code_of_a_case_has_words(language):
    assert set(case_kind_words(language)) == set(CaseKind)
    assert set(case_status_words(language)) == set(CaseStatus)
    assert set(end_reason_words(language)) == set(CaseEndReason)
    told = set(CaseAction) - INTERNAL_ACTIONS
    assert set(case_step_words(language)) == {(action, actor) for action in told for actor in CaseActor}


def test_a_review_that_nobody_asked_for_was_caused_by_a_missed_deadline():
    words = case_step_words("en")

    assert words[CaseAction.ESCALATE, CaseActor.RESIDENT] == "You asked for a review"
    assert words[CaseAction.ESCALATE, CaseActor.SYSTEM].startswith("A deadline was missed")
