"""From the scanned code to the stored response."""

import hashlib
import secrets
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any, cast
from zoneinfo import ZoneInfo

from sqlalchemy import ColumnElement, Row, Select, Table, and_, bindparam, select
from sqlalchemy.orm import Session, joinedload

from analytics.definitions import Wording
from survey_app.codes import is_token, wording_of
from survey_app.errors import (
    InvalidSubmissionKey,
    NoOpenRound,
    OtherAnswersSubmitted,
    RevokedCode,
    UnknownCode,
    UnknownNumber,
)
from survey_app.local_time import last_day, zone_of
from survey_app.models import Code, Community, District, Questionnaire, Response, Round, RuleFile
from survey_app.numbers import RECEIPT_DIGITS, new_number
from survey_app.questionnaires import CheckedAnswers, questionnaire_from_canonical
from survey_app.questionnaires import Questionnaire as Definition
from survey_app.submissions import SubmissionKey, insert_once

_NONCE_BYTES = 16


@dataclass(frozen=True)
class Visit:
    """Someone who scanned a poster while a round is open: what they are asked about, and what is asked."""

    code_id: int
    token: str
    community_id: int
    community: Wording
    district: Wording
    telephone: str | None
    round_id: int
    round: Wording
    opens_at: datetime
    closes_at: datetime
    zone: ZoneInfo
    evaluator: Wording | None
    responses_kept_until: date | None
    questionnaire_id: int
    # Frozen when it was published: its id stands for it.
    questionnaire: Definition = field(compare=False)

    def is_open(self, now: datetime) -> bool:
        """Return whether the round takes answers; the moment of closing is already too late."""
        return self.opens_at <= now < self.closes_at

    @property
    def last_day(self) -> date:
        """The last local day on which the round takes answers."""
        return last_day(self.closes_at, self.zone)


@dataclass(frozen=True)
class Receipt:
    """What the holder of a receipt number may see: that a response is stored, and not what it says."""

    number: str
    token: str
    community: Wording
    round: Wording
    submitted_at: datetime
    commitment: str


def open_visit(session: Session, *, token: str, now: datetime) -> Visit:
    """Return what a code leads to now, or raise what stands in the way."""
    row = _find(session, _IN_OPEN_ROUND, token, {"now": now})
    if row.round_id is None:
        raise _no_open_round(session, wording_of(row.community_name, row.community_english_name), now)
    return _visit(row)


def resume_visit(session: Session, *, token: str, key: SubmissionKey) -> Visit:
    """Return the visit in which a form was opened, whether or not its round is still open."""
    row = _find(session, _IN_ROUND_OF_KEY, token, {"round_id": key.round_id})
    if row.code_id != key.code_id or row.round_id is None:
        raise InvalidSubmissionKey
    return _visit(row)


def record_response(
    session: Session, *, visit: Visit, key: SubmissionKey, answers: CheckedAnswers, language: str, now: datetime
) -> str:
    """Store the answers once and return their receipt number; the same form sent again gets the first receipt.

    One INSERT; `OtherAnswersSubmitted` when the form was sent before with other answers: the first ones stay.
    """
    if answers.faults:
        raise ValueError(f"faulty answers are not recorded: {answers.faults}")
    if (key.code_id, key.round_id) != (visit.code_id, visit.round_id):
        raise InvalidSubmissionKey
    if not visit.is_open(now):
        # A repeat of what arrived in time still gets its receipt.
        if earlier := _earlier_receipt(session, key, answers):
            return earlier
        raise NoOpenRound(visit.community, opens_on=None, closed_on=visit.last_day)
    values = _response_values(visit, key, answers, language, now)
    while True:
        receipt = new_number(RECEIPT_DIGITS)
        if insert_once(session, _RESPONSE, values | {"receipt": receipt}):
            return receipt
        if earlier := _earlier_receipt(session, key, answers):
            return earlier
        # Nobody sent this form before: it was the number that was taken, so draw another.


def find_receipt(session: Session, *, number: str) -> Receipt:
    """Return what a receipt number stands for."""
    row = session.execute(
        select(
            Response.receipt,
            Response.submitted_at,
            Response.commitment,
            Code.token,
            Community.name,
            Community.english_name,
            Round.name.label("round_name"),
            Round.english_name.label("round_english_name"),
            RuleFile.content.label("rules"),
        )
        .join(Code, Code.id == Response.code_id)
        .join(Community, Community.id == Response.community_id)
        .join(Round, Round.id == Response.round_id)
        .join(Round.rule_file)
        .where(Response.receipt == number)
    ).first()
    if row is None:
        raise UnknownNumber
    return Receipt(
        number=row.receipt,
        token=row.token,
        community=wording_of(row.name, row.english_name),
        round=wording_of(row.round_name, row.round_english_name),
        submitted_at=row.submitted_at.astimezone(zone_of(row.rules)),
        commitment=row.commitment,
    )


def commitment_to(answers: str, nonce: bytes) -> str:
    """Return the SHA-256 that binds a receipt to its answers without giving them away.

    Thirteen five-point answers alone would be found by trying them all; the nonce is what makes that hopeless.
    """
    return hashlib.sha256(nonce + answers.encode("utf-8")).hexdigest()


_RESPONSE = cast(Table, Response.__table__)


def _visits(in_round: ColumnElement[bool]) -> Select[*tuple[Any, ...]]:
    return (
        select(
            Code.id.label("code_id"),
            Code.token,
            Code.revoked_at,
            Community.id.label("community_id"),
            Community.name.label("community_name"),
            Community.english_name.label("community_english_name"),
            District.name.label("district_name"),
            District.english_name.label("district_english_name"),
            District.telephone,
            Round.id.label("round_id"),
            Round.name.label("round_name"),
            Round.english_name.label("round_english_name"),
            Round.opens_at,
            Round.closes_at,
            Round.evaluator,
            Round.evaluator_english_name,
            Round.responses_kept_until,
            RuleFile.content.label("rules"),
            Questionnaire.id.label("questionnaire_id"),
            Questionnaire.text.label("questionnaire_text"),
        )
        .select_from(Code)
        .join(Code.community)
        .join(Community.district)
        .outerjoin(Round, in_round)
        .outerjoin(Round.rule_file)
        .outerjoin(Round.questionnaire)
        .where(Code.token == bindparam("token"))
        .order_by(Round.opens_at.desc())
        .limit(1)
    )


# Each is one statement, built once: this is the path of every scan.
_IN_OPEN_ROUND = _visits(and_(Round.opens_at <= bindparam("now"), bindparam("now") < Round.closes_at))
_IN_ROUND_OF_KEY = _visits(Round.id == bindparam("round_id"))


def _find(
    session: Session, statement: Select[*tuple[Any, ...]], token: str, parameters: dict[str, Any]
) -> Row[*tuple[Any, ...]]:
    if not is_token(token):
        raise UnknownCode
    # By the connection: these are columns of no entity, and the way through the ORM takes twice as long.
    row = session.connection().execute(statement, parameters | {"token": token}).first()
    if row is None:
        raise UnknownCode
    if row.revoked_at is not None:
        raise RevokedCode(wording_of(row.community_name, row.community_english_name))
    return row


def _visit(row: Row[*tuple[Any, ...]]) -> Visit:
    return Visit(
        code_id=row.code_id,
        token=row.token,
        community_id=row.community_id,
        community=wording_of(row.community_name, row.community_english_name),
        district=wording_of(row.district_name, row.district_english_name),
        telephone=row.telephone,
        round_id=row.round_id,
        round=wording_of(row.round_name, row.round_english_name),
        opens_at=row.opens_at,
        closes_at=row.closes_at,
        zone=zone_of(row.rules),
        evaluator=wording_of(row.evaluator, row.evaluator_english_name) if row.evaluator else None,
        responses_kept_until=row.responses_kept_until,
        questionnaire_id=row.questionnaire_id,
        questionnaire=questionnaire_from_canonical(row.questionnaire_text),
    )


def _no_open_round(session: Session, community: Wording, now: datetime) -> NoOpenRound:
    """Say when the next round opens, or else when the last one closed."""
    rounds = select(Round).options(joinedload(Round.rule_file, innerjoin=True)).limit(1)
    coming = session.scalar(rounds.where(Round.opens_at > now).order_by(Round.opens_at))
    past = session.scalar(rounds.where(Round.closes_at <= now).order_by(Round.closes_at.desc()))
    return NoOpenRound(
        community,
        opens_on=None if coming is None else coming.opens_at.astimezone(zone_of(coming.rule_file.content)).date(),
        closed_on=None if past is None else last_day(past.closes_at, zone_of(past.rule_file.content)),
    )


def _response_values(
    visit: Visit, key: SubmissionKey, answers: CheckedAnswers, language: str, now: datetime
) -> dict[str, Any]:
    nonce = secrets.token_bytes(_NONCE_BYTES)
    text = answers.canonical_text
    return {
        "submission_key": key.value,
        "round_id": visit.round_id,
        "community_id": visit.community_id,
        "questionnaire_id": visit.questionnaire_id,
        "code_id": visit.code_id,
        "language": language,
        "mode": "web",
        "tenure": answers.answers[visit.questionnaire.tenure],
        # A server's clock that was set back must not make anyone finish before they began.
        "started_at": min(key.opened_at, now),
        "submitted_at": now,
        "answers": text,
        "nonce": nonce,
        "commitment": commitment_to(text, nonce),
    }


def _earlier_receipt(session: Session, key: SubmissionKey, answers: CheckedAnswers) -> str | None:
    earlier = session.execute(
        select(Response.receipt, Response.answers).where(Response.submission_key == key.value)
    ).first()
    if earlier is None:
        return None
    receipt, stored = earlier
    if stored != answers.canonical_text:
        raise OtherAnswersSubmitted(receipt)
    return receipt
