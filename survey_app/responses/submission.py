"""Submission of responses, from the scanned code to the stored row."""

import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any, cast
from zoneinfo import ZoneInfo

from sqlalchemy import ColumnElement, Row, Select, Table, and_, bindparam, exists, select
from sqlalchemy.orm import Session, joinedload

from analytics.languages import Wording
from survey_app.accounts.network_digests import NetworkDigests
from survey_app.attachments.attachments import attach_to_response
from survey_app.city_time import last_day, zone_of
from survey_app.codes.codes import VISIT_LIFETIME, is_reference, is_token, read_reference
from survey_app.collection.changes import prepare_arrivals
from survey_app.errors import (
    Bureau,
    InvalidSubmissionKey,
    NoOpenRound,
    OtherAnswersSubmitted,
    OtherCodeNeeded,
    RevokedCode,
    UnknownCode,
    VisitExpired,
)
from survey_app.models import Code, Community, District, Questionnaire, Response, Round, RuleFile, SlipBatch
from survey_app.models.vocabulary import CodeKind, Mode, SupersededWithin
from survey_app.responses.commitments import (
    BY_QUESTION,
    HANDLE_NONCE_BYTES,
    commitment_to,
    digests_of_answers,
    handle_of,
    new_nonce,
)
from survey_app.responses.counting_status import replacement_within
from survey_app.responses.network_digests import network_values
from survey_app.rounds.questionnaires import CheckedAnswers, questionnaire_from_canonical, show
from survey_app.rounds.questionnaires import Questionnaire as Definition
from survey_app.rounds.rounds import find_open_round
from survey_app.security.change_codes import change_code_of, digest_of_change_code
from survey_app.security.check_digits import RECEIPT_DIGITS, new_number
from survey_app.security.submission_keys import SubmissionKey
from survey_app.storage.group_commit import Insertion
from survey_app.storage.insert_once import insert_once
from survey_app.stored_rules import rules_of


@dataclass(frozen=True)
class Visit:
    """Visit through a code while a round is open: the community that is asked about, and what is asked.

    `token` is what addresses carry: that of the poster, or a reference to the slip that was scanned.
    """

    code_id: int | None
    kind: CodeKind
    token: str
    # Common to the answers of one household; None where nobody knows.
    household_key: str | None
    # Whether that household has answered before, and which of its earlier answers are replaced by what is sent now.
    has_earlier: bool
    replaced_within: SupersededWithin
    building: str | None
    community_id: int
    community: Wording
    district: Wording
    telephone: str | None
    round_id: int
    round: Wording
    opens_at: datetime
    closes_at: datetime
    # Whether the round uses household codes at all: then its privacy notice speaks of them to everybody.
    takes_slips: bool
    zone: ZoneInfo
    evaluator: Wording | None
    responses_kept_until: date
    questionnaire_id: int
    # Frozen when it was published: its id stands for it.
    questionnaire: Definition = field(compare=False)

    def is_open(self, now: datetime) -> bool:
        """Return whether the round takes answers; the moment of closing is already too late."""
        return self.opens_at <= now < self.closes_at

    @property
    def bureau(self) -> Bureau:
        """The housing bureau to call."""
        return Bureau(self.district, self.telephone)

    @property
    def last_day(self) -> date:
        """The last local day on which the round takes answers."""
        return last_day(self.closes_at, self.zone)

    def over(self) -> NoOpenRound:
        """Return the error that says that the round has closed."""
        return NoOpenRound(self.community, self.bureau, opens_on=None, closed_on=self.last_day, by=self.kind)


def open_visit(session: Session, *, token: str, secret_key: str, now: datetime) -> Visit:
    """Return the visit that a code leads to now, or raise what stands in the way."""
    if is_reference(token):
        return _open_slip(session, token, secret_key, now)
    row = _find(session, _IN_OPEN_ROUND, {"token": _poster_token(token), "now": now})
    if row.round_id is None:
        raise _no_open_round(session, row, now)
    if not row.accepts_posters:
        raise _other_code_needed(row)
    return _visit(row, token)


def resume_visit(session: Session, *, token: str, secret_key: str, key: SubmissionKey) -> Visit:
    """Return the visit in which a form was opened, whether or not its round is still open."""
    if is_reference(token):
        code_id = read_reference(token, secret_key=secret_key).code_id
        row = _find(session, _OF_SLIP, {"code_id": code_id})
    else:
        row = _find(session, _IN_ROUND_OF_KEY, {"token": _poster_token(token), "round_id": key.round_id})
    if (row.code_id, row.round_id) != (key.code_id, key.round_id) or row.round_id is None:
        raise InvalidSubmissionKey
    return _visit(row, token)


def record_response(
    session: Session,
    *,
    visit: Visit,
    key: SubmissionKey,
    answers: CheckedAnswers,
    language: str,
    network: NetworkDigests | None = None,
    secret_key: str,
    now: datetime,
) -> str:
    """Store the answers once and return their receipt number; the same form sent again gets the first receipt.

    One INSERT; `OtherAnswersSubmitted` when the form was sent before with other answers: the first ones stay.
    """
    place = _place(visit, key, network)
    if not visit.is_open(now):
        # A repeat of what arrived in time still gets its receipt.
        if earlier := earlier_receipt(session, key, answers):
            return earlier
        raise visit.over()
    return store_answers(
        session,
        place=place,
        key=key,
        answers=answers,
        definition=visit.questionnaire,
        language=language,
        secret_key=secret_key,
        now=now,
    )


def record_sent_form(
    session: Session,
    *,
    token: str,
    key: SubmissionKey,
    answers: CheckedAnswers,
    language: str,
    network: NetworkDigests | None = None,
    secret_key: str,
    now: datetime,
) -> str:
    """Store the answers like `record_response`, in the visit that this transaction finds."""
    return record_response(
        session,
        visit=resume_visit(session, token=token, secret_key=secret_key, key=key),
        key=key,
        answers=answers,
        language=language,
        network=network,
        secret_key=secret_key,
        now=now,
    )


def new_response(
    *,
    visit: Visit,
    key: SubmissionKey,
    answers: CheckedAnswers,
    language: str,
    network: NetworkDigests | None = None,
    secret_key: str,
    now: datetime,
) -> dict[str, Any]:
    """Return the row that `record_response` would insert for a first submission in an open round."""
    place = _place(visit, key, network)
    values = _response_values(place, key, answers, visit.questionnaire, language=language, now=now)
    return {**place, **values, **_receipt_values(key, secret_key)}


def still_take_answers(session: Session, rows: Sequence[Mapping[str, Any]]) -> list[bool]:
    """Say of each row of a new response whether its code and its round still take answers."""
    parameters = {name: list({row[name] for row in rows}) for name in ("code_id", "round_id")}
    found = {row[:3]: row[3:] for row in session.connection().execute(_CODES_IN_ROUNDS, parameters)}

    def takes_answers(row: Mapping[str, Any]) -> bool:
        opens_at, closes_at = found.get((row["code_id"], row["community_id"], row["round_id"]), (None, None))
        return opens_at is not None and opens_at <= row["submitted_at"] < closes_at

    return [takes_answers(row) for row in rows]


def _place(visit: Visit, key: SubmissionKey, network: NetworkDigests | None) -> dict[str, Any]:
    if (key.code_id, key.round_id) != (visit.code_id, visit.round_id):
        raise InvalidSubmissionKey
    return {
        "round_id": visit.round_id,
        "community_id": visit.community_id,
        "questionnaire_id": visit.questionnaire_id,
        "code_id": visit.code_id,
        "household_key": visit.household_key,
        **network_values(network),
        "mode": Mode.WEB,
    }


def store_answers(
    session: Session,
    *,
    place: Mapping[str, Any],
    key: SubmissionKey,
    answers: CheckedAnswers,
    definition: Definition,
    language: str,
    secret_key: str,
    now: datetime,
) -> str:
    """Insert one response unless its form was sent before, and return the receipt; `place` says where it belongs."""
    if answers.faults:
        raise ValueError(f"faulty answers are not recorded: {answers.faults}")
    values = {**place, **_response_values(place, key, answers, definition, language=language, now=now)}
    record_arrivals = prepare_arrivals(session, [values])
    while True:
        of_receipt = _receipt_values(key, secret_key)
        if insert_once(session, _RESPONSES, values | of_receipt):
            record_arrivals([values])
            if definition.photo_questions:
                asked = [question.key for question in definition.photo_questions if show(question, answers.answers)]
                attach_to_response(session, key=key, questions=asked)
            return str(of_receipt["receipt"])
        if earlier := earlier_receipt(session, key, answers):
            return earlier
        # Nobody sent this form before: it was the number that was taken, so draw another.


def earlier_receipt(session: Session, key: SubmissionKey, answers: CheckedAnswers) -> str | None:
    """Return the receipt of an earlier submission of the same form, None if there was none.

    Raises `OtherAnswersSubmitted` if it brought other answers. Those that were withdrawn are not compared, and not
    stored again by a phone that sends once more: the receipt says what became of them.
    """
    earlier = session.execute(
        select(Response.receipt, Response.answers).where(Response.submission_key == key.value)
    ).first()
    if earlier is None:
        return None
    receipt, stored = earlier
    if stored is not None and stored != answers.canonical_text:
        raise OtherAnswersSubmitted(receipt)
    return receipt


_RESPONSES = cast(Table, Response.__table__)
NEW_RESPONSES = Insertion(_RESPONSES, check=still_take_answers, prepare=prepare_arrivals)
"""How the rows of `new_response` are inserted."""


_HAS_ANSWERED = exists().where(Response.household_key == Code.household_key)
_FACTS = (
    Code.id.label("code_id"),
    Code.kind,
    Code.household_key,
    Code.building,
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
    Round.accepts_posters,
    Round.accepts_households,
    Round.evaluator,
    Round.evaluator_english_name,
    Round.responses_kept_until,
    RuleFile.content.label("rules"),
    Questionnaire.id.label("questionnaire_id"),
    Questionnaire.text.label("questionnaire_text"),
)


def _visits_by_poster(in_round: ColumnElement[bool]) -> Select[*tuple[Any, ...]]:
    return (
        select(*_FACTS)
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
_IN_OPEN_ROUND = _visits_by_poster(and_(Round.opens_at <= bindparam("now"), bindparam("now") < Round.closes_at))
_IN_ROUND_OF_KEY = _visits_by_poster(Round.id == bindparam("round_id"))
_CODES_IN_ROUNDS = (
    select(Code.id, Code.community_id, Round.id, Round.opens_at, Round.closes_at)
    .join(Round, Round.id.in_(bindparam("round_id", expanding=True)))
    .where(Code.id.in_(bindparam("code_id", expanding=True)), Code.revoked_at.is_(None))
)
# A slip belongs to the round that it was printed for.
_OF_SLIP = (
    select(*_FACTS, _HAS_ANSWERED.label("has_earlier"))
    .select_from(Code)
    .join(Code.community)
    .join(Community.district)
    .join(Code.batch)
    .join(SlipBatch.round)
    .join(Round.rule_file)
    .join(Round.questionnaire)
    .where(Code.id == bindparam("code_id"))
)


def _poster_token(token: str) -> str:
    if not is_token(token):
        raise UnknownCode
    return token


def _find(session: Session, statement: Select[*tuple[Any, ...]], parameters: dict[str, Any]) -> Row[*tuple[Any, ...]]:
    # By the connection: these are columns of no entity, and the way through the ORM takes twice as long.
    row = session.connection().execute(statement, parameters).first()
    if row is None:
        raise UnknownCode
    if row.revoked_at is not None:
        raise RevokedCode(_community_of(row), _bureau_of(row))
    return row


def _open_slip(session: Session, token: str, secret_key: str, now: datetime) -> Visit:
    reference = read_reference(token, secret_key=secret_key)
    if now - reference.scanned_at > VISIT_LIFETIME:
        raise VisitExpired
    row = _find(session, _OF_SLIP, {"code_id": reference.code_id})
    visit = _visit(row, token)
    if visit.is_open(now):
        return visit
    if now < visit.opens_at:
        opens_on = visit.opens_at.astimezone(visit.zone).date()
        raise NoOpenRound(visit.community, visit.bureau, opens_on=opens_on, closed_on=None, by=CodeKind.HOUSEHOLD)
    following = find_open_round(session, now=now)
    if following is None:
        raise visit.over()
    raise _other_code_needed(row, following)


def _visit(row: Row[*tuple[Any, ...]], token: str) -> Visit:
    return Visit(
        code_id=row.code_id,
        kind=CodeKind(row.kind),
        token=token,
        household_key=row.household_key,
        has_earlier=row.kind == CodeKind.HOUSEHOLD and row.has_earlier,
        replaced_within=replacement_within(rules_of(row.rules).satisfaction.population),
        building=row.building,
        community_id=row.community_id,
        community=_community_of(row),
        district=Wording.of(row.district_name, row.district_english_name),
        telephone=row.telephone,
        round_id=row.round_id,
        round=Wording.of(row.round_name, row.round_english_name),
        opens_at=row.opens_at,
        closes_at=row.closes_at,
        takes_slips=row.accepts_households,
        zone=zone_of(row.rules),
        evaluator=Wording.of(row.evaluator, row.evaluator_english_name) if row.evaluator else None,
        responses_kept_until=row.responses_kept_until,
        questionnaire_id=row.questionnaire_id,
        questionnaire=questionnaire_from_canonical(row.questionnaire_text),
    )


def _community_of(row: Row[*tuple[Any, ...]]) -> Wording:
    return Wording.of(row.community_name, row.community_english_name)


def _bureau_of(row: Row[*tuple[Any, ...]]) -> Bureau:
    return Bureau(Wording.of(row.district_name, row.district_english_name), row.telephone)


def _no_open_round(session: Session, row: Row[*tuple[Any, ...]], now: datetime) -> NoOpenRound:
    """Return the error that says when the next round opens, or else when the last one closed."""
    rounds = select(Round).options(joinedload(Round.rule_file, innerjoin=True)).limit(1)
    coming = session.scalar(rounds.where(Round.opens_at > now).order_by(Round.opens_at))
    past = session.scalar(rounds.where(Round.closes_at <= now).order_by(Round.closes_at.desc()))
    return NoOpenRound(
        _community_of(row),
        _bureau_of(row),
        opens_on=None if coming is None else coming.opens_at.astimezone(zone_of(coming.rule_file.content)).date(),
        closed_on=None if past is None else last_day(past.closes_at, zone_of(past.rule_file.content)),
        by=CodeKind.POSTER,
        needs_slip=coming is not None and not coming.accepts_posters,
    )


def _other_code_needed(row: Row[*tuple[Any, ...]], survey_round: Round | None = None) -> OtherCodeNeeded:
    """Say which codes the open round takes: that of the row unless another one is given."""
    asked = row if survey_round is None else survey_round
    return OtherCodeNeeded(
        _community_of(row), accepts_posters=asked.accepts_posters, accepts_households=asked.accepts_households
    )


def _receipt_values(key: SubmissionKey, secret_key: str) -> dict[str, Any]:
    receipt, handle_nonce = new_number(RECEIPT_DIGITS), secrets.token_bytes(HANDLE_NONCE_BYTES)
    code = change_code_of(key.value, secret_key=secret_key)
    return {
        "receipt": receipt,
        "handle": handle_of(receipt, handle_nonce),
        "handle_nonce": handle_nonce,
        "change_digest": digest_of_change_code(code, receipt=receipt, secret_key=secret_key),
    }


def _response_values(
    place: Mapping[str, Any],
    key: SubmissionKey,
    answers: CheckedAnswers,
    definition: Definition,
    *,
    language: str,
    now: datetime,
) -> dict[str, Any]:
    nonce = new_nonce()
    questions = [question.key for question in definition.questions]
    return {
        "submission_key": key.value,
        "language": language,
        "tenure": answers.answers[definition.tenure],
        # A server's clock that was set back must not make anyone finish before they began.
        "started_at": min(key.opened_at, now),
        "submitted_at": now,
        "answers": answers.canonical_text,
        "nonce": nonce,
        "commitment": commitment_to(
            digests_of_answers(nonce, questions, answers.answers),
            round_id=place["round_id"],
            community_id=place["community_id"],
            questionnaire_sha256=definition.sha256,
        ),
        "commitment_algorithm": BY_QUESTION,
    }
