"""Staff entry of answers: from paper, or while a resident is on the telephone."""

import re
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from zoneinfo import ZoneInfo

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from analytics.languages import DEFAULT_LANGUAGE, Wording
from survey_app.audit import Facts, account_actor, record
from survey_app.city_time import last_day, zone_of
from survey_app.codes.codes import find_valid_slip
from survey_app.errors import Bureau, JiayuanError, NoOpenRound
from survey_app.models import Community, Response
from survey_app.models.vocabulary import AuditAction, Mode
from survey_app.register.names import bureau_of
from survey_app.responses.submission import store_answers
from survey_app.rounds.questionnaires import (
    CheckedAnswers,
    Question,
    Questionnaire,
    QuestionType,
    questionnaire_from_canonical,
)
from survey_app.rounds.rounds import find_open_round
from survey_app.security.submission_keys import SubmissionKey

_BETWEEN_CODES = re.compile(r"[\s,，、;；|.]+")


class SlipNeeded(JiayuanError):
    """The round takes one response from each household, and this one has no slip's digits."""


class SlipOfAnotherCommunity(JiayuanError):
    """The digits belong to a slip of another community or another round."""


@dataclass(frozen=True)
class Desk:
    """Desk for typed-in answers: an open round, a community, and a household if there is a slip."""

    community_id: int
    community: Wording
    bureau: Bureau
    round_id: int
    round: Wording
    closes_at: datetime
    needs_slip: bool
    questionnaire_id: int
    questionnaire: Questionnaire
    zone: ZoneInfo
    code_id: int | None = None
    household_key: str | None = None
    # Whether that household has answered before: what is typed in now replaces it.
    replaces_earlier: bool = False


def open_desk(session: Session, *, community: Community, now: datetime) -> Desk:
    """Return the desk of a community, with what is asked now; `NoOpenRound` while no round is open."""
    survey_round = find_open_round(session, now=now)
    name = Wording.of(community.name, community.english_name)
    if survey_round is None:
        raise NoOpenRound(name, bureau_of(community.district), opens_on=None, closed_on=None)
    return Desk(
        community_id=community.id,
        community=name,
        bureau=bureau_of(community.district),
        round_id=survey_round.id,
        round=Wording.of(survey_round.name, survey_round.english_name),
        closes_at=survey_round.closes_at,
        needs_slip=not survey_round.accepts_posters,
        questionnaire_id=survey_round.questionnaire_id,
        questionnaire=questionnaire_from_canonical(survey_round.questionnaire.text),
        zone=zone_of(survey_round.rule_file.content),
    )


def with_slip(session: Session, *, desk: Desk, typed: str, secret_key: str, now: datetime) -> Desk:
    """Return the desk for the household whose slip's digits were typed, or for no household when there are none.

    Raises `SlipNeeded`, `SlipOfAnotherCommunity`, `UnknownCode`, `RevokedCode` or `ExpiredCode`.
    """
    if not typed.strip():
        if desk.needs_slip:
            raise SlipNeeded
        return desk
    code = find_valid_slip(session, typed=typed, secret_key=secret_key, now=now)
    if code.batch is None or (code.community_id, code.batch.round_id) != (desk.community_id, desk.round_id):
        raise SlipOfAnotherCommunity
    has_answered = select(Response.id).where(Response.household_key == code.household_key).limit(1)
    return replace(
        desk,
        code_id=code.id,
        household_key=code.household_key,
        replaces_earlier=session.scalar(has_answered) is not None,
    )


def enter_response(
    session: Session,
    *,
    desk: Desk,
    key: SubmissionKey,
    answers: CheckedAnswers,
    mode: Mode,
    by: int,
    secret_key: str,
    now: datetime,
) -> str:
    """Store typed-in answers and return their receipt; the same form sent again gets the first one."""
    if now >= desk.closes_at:
        raise NoOpenRound(desk.community, desk.bureau, opens_on=None, closed_on=last_day(desk.closes_at, desk.zone))
    place = {
        "round_id": desk.round_id,
        "community_id": desk.community_id,
        "questionnaire_id": desk.questionnaire_id,
        "code_id": desk.code_id,
        "household_key": desk.household_key,
        "mode": mode,
        "entered_by_id": by,
    }
    receipt = store_answers(
        session,
        place=place,
        key=key,
        answers=answers,
        definition=desk.questionnaire,
        language=DEFAULT_LANGUAGE,
        secret_key=secret_key,
        now=now,
    )
    response_id = session.scalar(select(Response.id).where(Response.receipt == receipt))
    facts: Facts = {"round": desk.round_id, "community": desk.community_id, "mode": str(mode)}
    subject, actor = f"response:{response_id}", account_actor(by)
    record(session, by=actor, action=AuditAction.RESPONSE_ENTERED, subject=subject, after=facts, now=now)
    return receipt


def count_entered(session: Session, *, by: int, since: datetime) -> int:
    """Return how many responses an account has typed in since a time."""
    statement = select(func.count()).where(Response.entered_by_id == by, Response.submitted_at >= since)
    return session.scalar(statement) or 0


def read_typed(questions: Sequence[Question], given: Mapping[str, str]) -> dict[str, list[str]]:
    """Parse the codes that were typed into one field each into the values of a form, as a phone would send them."""
    return {
        question.key: _codes(question, given.get(question.key, ""))
        for question in questions
        if given.get(question.key, "").strip()
    }


def typed_form(questions: Sequence[Question], answers: Mapping[str, object]) -> dict[str, str]:
    """Return stored answers as they would be typed."""
    typed = {}
    for question in questions:
        answer = answers.get(question.key)
        if answer is not None:
            typed[question.key] = " ".join(map(str, answer)) if isinstance(answer, list) else str(answer)
    return typed


def _codes(question: Question, typed: str) -> list[str]:
    if question.type is QuestionType.TEXT:
        return [typed]
    # A Chinese keyboard may type full-width digits.
    parts = [part for part in _BETWEEN_CODES.split(unicodedata.normalize("NFKC", typed)) if part]
    codes = set(map(str, question.codes))
    if question.type is QuestionType.MULTI and all(len(code) == 1 for code in codes):
        # “14” is “1 and 4” where no code has two digits.
        return [digit for part in parts for digit in part] if all(part.isdigit() for part in parts) else parts
    return parts
