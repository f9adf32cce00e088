"""Receipts of responses: seeing that answers were received, withdrawing, correcting and erasing them.

Whoever makes a resident show the receipt learns from its number that answers were received, and nothing that came
later. What became of them, and changing them, needs the change code as well; only responses stored before there were
change codes have none.

A correction is a response of its own that stands for the earlier one; both receipts then lead to it. A withdrawal
erases the answers and keeps when, by whom and why. Neither is possible once the round has closed. From then on until
the retention of the round is over the answers can be erased for good: a result that was evaluated before stands, and
evaluations that come later do without them. After that nothing is found by a receipt.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from enum import StrEnum
from typing import Any, cast

from itsdangerous import BadData
from sqlalchemy import select, tuple_, update
from sqlalchemy.orm import Session

from analytics.languages import Wording
from survey_app import audit
from survey_app.accounts.network_digests import NetworkDigests
from survey_app.attachments.attachments import erase_attachments, pass_on_attachments
from survey_app.city_time import last_day, zone_of
from survey_app.collection.changes import counted_departures
from survey_app.errors import JiayuanError, UnknownNumber
from survey_app.models import Code, Evaluation, Response, ResponseEvent, Round
from survey_app.models.vocabulary import (
    AuditAction,
    Mode,
    ResponseActor,
    ResponseChangeReason,
    ResponseEventKind,
    ResponseStatus,
    SupersededWithin,
)
from survey_app.responses.counting_status import ERASED_VALUES, replacement_within, status_of_response
from survey_app.responses.network_digests import network_values
from survey_app.responses.submission import earlier_receipt, store_answers
from survey_app.rounds.questionnaires import Answer, CheckedAnswers, questionnaire_from_canonical
from survey_app.rounds.questionnaires import Questionnaire as Definition
from survey_app.rounds.rounds import is_kept
from survey_app.security.change_codes import change_code_of, is_change_code
from survey_app.security.signatures import read_signed, sign
from survey_app.security.submission_keys import SubmissionKey
from survey_app.stored_rules import rules_of

_RECEIPT = "receipt"
_CHANGE = "receipt with its change code"
# How long an address says what became of the answers, from the hour on in which they were sent or the code was typed:
# two hours at least. A phone that is shown in a doorway next day shows no more than the receipt.
CHANGE_PAGE_LIFETIME = timedelta(hours=3)
# How long the form of a correction may be filled in.
CHANGE_FORM_LIFETIME = timedelta(hours=24)

WITHDRAWAL_REASONS = (
    ResponseChangeReason.WRONG_COMMUNITY,
    ResponseChangeReason.NOT_MINE,
    ResponseChangeReason.CHANGED_MIND,
    ResponseChangeReason.OTHER,
)


class ErasureProof(StrEnum):
    """By what a resident proved that the answers are theirs."""

    CHANGE_CODE = "change code"
    IDENTITY = "identity"


class ResponseFrozen(JiayuanError):
    """The round has closed: its answers can be neither withdrawn nor corrected any more."""

    status = 409
    page = "receipt/frozen.html"

    def __init__(self, closed_on: date) -> None:
        super().__init__(f"the round was frozen after {closed_on}")
        self.closed_on = closed_on


class ResponseStillOpen(JiayuanError):
    """The round takes answers: until it closes they are withdrawn or corrected, and not erased."""

    status = 409
    page = "receipt/still_open.html"


class ResultNotOfficial(JiayuanError):
    """The round has no official result yet: until then nothing is erased without the change code."""

    status = 409
    page = "receipt/not_official.html"


class AnswersErased(UnknownNumber):
    """No answers are kept under this receipt: the last day that its round states is over."""

    status = 410
    page = "receipt/erased.html"


class ChangeCodeNeeded(JiayuanError):
    """The receipt number alone opens no answers and changes none."""

    status = 403
    page = "receipt/change_code_needed.html"


class WrongChangeCode(JiayuanError):
    """The typed digits are not the change code of this receipt."""


class ResponseGone(JiayuanError):
    """The response to correct does not count any more: withdrawn, excluded, or the household answered again."""

    status = 409
    page = "receipt/gone.html"

    def __init__(self, status: ResponseStatus) -> None:
        super().__init__(f"the response is {status}")
        self.response_status = status


def withdrawal_reason(given: str) -> ResponseChangeReason:
    """Return the reason that a form gives for a withdrawal; without a known one it is another."""
    return ResponseChangeReason(given) if given in WITHDRAWAL_REASONS else ResponseChangeReason.OTHER


@dataclass(frozen=True)
class Actor:
    """Actor on a response: the resident who holds the change code, or a member of staff on the telephone."""

    account_id: int | None = None

    @property
    def kind(self) -> ResponseActor:
        """The kind of actor that is stored with the event."""
        return ResponseActor.RESIDENT if self.account_id is None else ResponseActor.STAFF

    @property
    def name(self) -> str:
        """The name of the actor in the audit chain."""
        return audit.RESIDENT if self.account_id is None else audit.account_actor(self.account_id)


RESIDENT = Actor()


@dataclass(frozen=True)
class Reference:
    """Reference in an address: a receipt number, and when its change code was shown or typed, if it was."""

    number: str
    opened_at: datetime | None = None

    def is_opened(self, now: datetime, *, lifetime: timedelta = CHANGE_PAGE_LIFETIME) -> bool:
        """Return whether the change code still counts as known."""
        return self.opened_at is not None and now < self.opened_at + lifetime


@dataclass(frozen=True)
class Received:
    """Facts of a response when it was received: the same whatever became of it afterwards."""

    number: str
    community_id: int
    community: Wording
    telephone: str | None
    round: Wording
    takes_slips: bool
    # Among which answers of one slip the newest count.
    replaced_within: SupersededWithin
    mode: str
    submitted_at: datetime
    commitment: str
    closes_at: datetime
    last_day: date
    kept_until: date
    # Of the round: only then the office erases without the change code.
    is_official: bool
    # None had those that were stored before there were change codes.
    has_change_code: bool


@dataclass(frozen=True)
class Receipt:
    """View of a response by its receipt and change code: what became of it, and not what it says."""

    number: str
    # Number of the newest correction, and its change code; the same as `number` where there is none.
    current_number: str
    change_code: str | None
    status: ResponseStatus
    community_id: int
    mode: str
    # Token of the poster while it is valid; a slip leaves no trace here.
    poster_token: str | None
    takes_posters: bool
    takes_slips: bool
    community: Wording
    district: Wording
    telephone: str | None
    round: Wording
    submitted_at: datetime
    withdrawn_at: datetime | None
    erased_at: datetime | None
    # Of what was erased: whether an official result had been computed by then, which stands.
    was_evaluated: bool
    commitment: str
    closes_at: datetime
    last_day: date
    kept_until: date

    @property
    def has_answers(self) -> bool:
        """Whether the answers are still kept."""
        return self.status not in {ResponseStatus.WITHDRAWN, ResponseStatus.ERASED}

    def is_open(self, now: datetime) -> bool:
        """Return whether the answers can still be withdrawn."""
        return self.has_answers and now < self.closes_at

    def may_be_erased(self, now: datetime) -> bool:
        """Return whether the answers are fixed and can be erased."""
        return self.has_answers and now >= self.closes_at

    def may_be_answered_again(self, now: datetime) -> bool:
        """Return whether somebody else can answer through the same poster."""
        return self.poster_token is not None and self.takes_posters and now < self.closes_at

    def may_be_corrected(self, now: datetime) -> bool:
        """Return whether a correction can still replace these answers."""
        return self.status is ResponseStatus.COUNTED and now < self.closes_at


@dataclass(frozen=True)
class Correction:
    """Facts that a correction needs of the response that it replaces."""

    response_id: int
    round_id: int
    community: Wording
    questionnaire: Definition
    mode: Mode
    community_id: int
    # What this member of staff typed in, to be put right; what others typed or residents sent is shown to nobody.
    typed_answers: Mapping[str, Answer]


def sign_receipt(number: str, *, secret_key: str) -> str:
    """Return the signed address part that leads to a receipt.

    A bare number in it could be tried by the million, unseen: a GET must not count tries. Whoever types one is counted.
    """
    return sign(number, purpose=_RECEIPT, secret_key=secret_key)


def sign_change(number: str, *, secret_key: str, holder: str | None = None, now: datetime) -> str:
    """Return the signed address part for whoever has just sent the answers or typed their change code.

    It names the hour, so that a form that is sent again at once leads to the same address. `holder` is the member of
    staff for whom the resident opened it, with the credentials of that account: it opens nothing for anybody else.
    """
    opened_at = now.replace(minute=0, second=0, microsecond=0)
    held_by = [] if holder is None else [holder]
    return sign([number, int(opened_at.timestamp()), *held_by], purpose=_CHANGE, secret_key=secret_key)


def read_reference(text: str, *, secret_key: str, holder: str | None = None) -> Reference:
    """Return what a signed address part says; `UnknownNumber` when it was altered.

    Where it was opened for another holder it is no more than the receipt number.
    """
    try:
        signed = read_signed(text, purpose=_RECEIPT, secret_key=secret_key)
    except BadData:
        pass
    else:
        if not isinstance(signed, str):
            raise UnknownNumber
        return Reference(signed)
    try:
        number, opened_at, *held_by = cast(list[Any], read_signed(text, purpose=_CHANGE, secret_key=secret_key))
    except BadData as error:
        raise UnknownNumber from error
    is_held = held_by == ([] if holder is None else [holder])
    return Reference(number, datetime.fromtimestamp(opened_at, UTC) if is_held else None)


def needs_change_code(session: Session, *, number: str, by: Actor, now: datetime) -> bool:
    """Return whether a receipt needs its change code: not what this member of staff typed in.

    Nor, until its round closes, what was stored before there were change codes.
    """
    response = _received(session, number, now)
    if by.account_id is not None and response.entered_by_id == by.account_id:
        return False
    return response.change_digest is not None or now >= response.round.closes_at


def check_change_code(session: Session, *, number: str, typed: str, secret_key: str, now: datetime) -> None:
    """Raise `WrongChangeCode` unless the typed digits are the change code of a receipt."""
    stored = _received(session, number, now).change_digest
    if stored is None or not is_change_code(typed, receipt=number, stored=stored, secret_key=secret_key):
        raise WrongChangeCode


def find_received(session: Session, *, number: str, now: datetime) -> Received:
    """Return what a receipt number alone tells; nothing in it depends on what happened after the answers were sent."""
    response = _received(session, number, now)
    survey_round, community = response.round, response.community
    zone = zone_of(survey_round.rule_file.content)
    return Received(
        number=number,
        community_id=response.community_id,
        community=Wording.of(community.name, community.english_name),
        telephone=community.district.telephone,
        round=Wording.of(survey_round.name, survey_round.english_name),
        takes_slips=survey_round.accepts_households,
        replaced_within=replacement_within(rules_of(survey_round.rule_file.content).satisfaction.population),
        mode=response.mode,
        submitted_at=response.submitted_at.astimezone(zone),
        commitment=response.commitment,
        closes_at=survey_round.closes_at,
        last_day=last_day(survey_round.closes_at, zone),
        kept_until=survey_round.responses_kept_until,
        is_official=_was_evaluated(session, response, now),
        has_change_code=response.change_digest is not None,
    )


def find_receipt(session: Session, *, number: str, secret_key: str, now: datetime) -> Receipt:
    """Return the receipt with this number, and what became of its response."""
    response = _find(session, number, now)
    survey_round, community = response.round, response.community
    rules = rules_of(survey_round.rule_file.content)
    zone = zone_of(rules.content)
    withdrawn_at = session.scalar(
        select(ResponseEvent.happened_at).filter_by(response_id=response.id, kind=ResponseEventKind.WITHDRAWN)
    )
    return Receipt(
        number=number,
        current_number=response.receipt,
        change_code=_change_code(response, secret_key),
        status=_status(session, response),
        community_id=response.community_id,
        mode=response.mode,
        poster_token=session.scalar(select(Code.token).where(Code.id == response.code_id, Code.revoked_at.is_(None))),
        takes_posters=survey_round.accepts_posters,
        takes_slips=survey_round.accepts_households,
        community=Wording.of(community.name, community.english_name),
        district=Wording.of(community.district.name, community.district.english_name),
        telephone=community.district.telephone,
        round=Wording.of(survey_round.name, survey_round.english_name),
        submitted_at=response.submitted_at.astimezone(zone),
        withdrawn_at=withdrawn_at.astimezone(zone) if withdrawn_at else None,
        erased_at=response.erased_at.astimezone(zone) if response.erased_at else None,
        was_evaluated=response.erased_at is not None and _was_evaluated(session, response, response.erased_at),
        commitment=response.commitment,
        closes_at=survey_round.closes_at,
        last_day=last_day(survey_round.closes_at, zone),
        kept_until=survey_round.responses_kept_until,
    )


def withdraw_response(session: Session, *, number: str, reason: ResponseChangeReason, by: Actor, now: datetime) -> None:
    """Erase the answers behind a receipt, and those that they had replaced: these must not count again.

    A second withdrawal changes nothing. Raises `ResponseFrozen` when the round has closed.
    """
    response = _find(session, number, now, for_update=True)
    if response.answers is None:
        return
    _refuse_if_frozen(response.round, now)
    erased = _replaced_by(session, response)
    for response_id in erased:
        session.add(_event(response_id, ResponseEventKind.WITHDRAWN, reason=reason, by=by, now=now))
    with counted_departures(session, erased):
        session.execute(update(Response).where(Response.id.in_(erased)).values(ERASED_VALUES))
    erase_attachments(session, response_ids=erased)
    audit.record(
        session,
        by=by.name,
        action=AuditAction.RESPONSE_WITHDRAWN,
        subject=f"response:{response.id}",
        after={"reason": reason, "responses": len(erased)},
        now=now,
    )
    session.flush()


def erase_response(
    session: Session, *, number: str, by: Actor, proof: ErasureProof = ErasureProof.CHANGE_CODE, now: datetime
) -> None:
    """Erase the answers behind a receipt after the close, and those that they had replaced.

    `proof` is by what the resident showed that they are theirs. What was evaluated stands, so that nobody moves a
    result by erasing what others answered. A second erasure changes nothing. Raises `ResponseStillOpen` while the
    round is open.
    """
    response = _find(session, number, now, for_update=True)
    if response.answers is None:
        return
    if now < response.round.closes_at:
        raise ResponseStillOpen
    kept = select(Response.id).where(Response.id.in_(_replaced_by(session, response)), Response.answers.is_not(None))
    erased = session.scalars(kept.order_by(Response.id)).all()
    for response_id in erased:
        session.add(
            _event(response_id, ResponseEventKind.ERASED, reason=ResponseChangeReason.CHANGED_MIND, by=by, now=now)
        )
    with counted_departures(session, erased):
        session.execute(update(Response).where(Response.id.in_(erased)).values(**ERASED_VALUES, erased_at=now))
    erase_attachments(session, response_ids=erased)
    audit.record(
        session,
        by=by.name,
        action=AuditAction.RESPONSE_ERASED,
        subject=f"response:{response.id}",
        after={"responses": len(erased), "because": proof},
        now=now,
    )
    session.flush()


def erase_at_office(session: Session, *, number: str, by: Actor, now: datetime) -> None:
    """Erase the answers behind a receipt for a resident who lost the change code and whose identity staff checked.

    Raises `ResultNotOfficial` before there is a result: until then staff who know a receipt number could move it.
    """
    if not _was_evaluated(session, _find(session, number, now), now):
        raise ResultNotOfficial
    erase_response(session, number=number, by=by, proof=ErasureProof.IDENTITY, now=now)


def find_current_response(session: Session, *, number: str, now: datetime) -> Response:
    """Return the response that counts for a receipt: the one that got it, or its newest correction."""
    return _find(session, number, now)


def prepare_correction(session: Session, *, number: str, by: Actor, now: datetime) -> Correction:
    """Return what the form of a correction shows, or raise why there can be none."""
    response = _find(session, number, now)
    _refuse_correction(session, response, now)
    is_theirs = by.account_id is not None and response.entered_by_id == by.account_id
    return Correction(
        response_id=response.id,
        round_id=response.round_id,
        community=Wording.of(response.community.name, response.community.english_name),
        questionnaire=_definition(response),
        mode=Mode(response.mode),
        community_id=response.community_id,
        typed_answers=json.loads(response.answers or "{}") if is_theirs else {},
    )


def correct_response(
    session: Session,
    *,
    number: str,
    key: SubmissionKey,
    answers: CheckedAnswers,
    mode: Mode,
    reason: ResponseChangeReason,
    by: Actor,
    language: str,
    network: NetworkDigests | None = None,
    secret_key: str,
    now: datetime,
) -> str:
    """Store a correction of the response behind a receipt, and return the receipt of the correction.

    The same form sent again gets the same receipt. Raises `ResponseFrozen`, or `ResponseGone` where the answers do not
    count any more.
    """
    if earlier := earlier_receipt(session, key, answers):
        return earlier
    response = _find(session, number, now, for_update=True)
    _refuse_correction(session, response, now)
    place = {
        "round_id": response.round_id,
        "community_id": response.community_id,
        "questionnaire_id": response.questionnaire_id,
        "code_id": response.code_id,
        "household_key": response.household_key,
        "mode": mode,
        "entered_by_id": by.account_id,
        "corrects_id": response.id,
        **network_values(network),
    }
    session.add(_event(response.id, ResponseEventKind.CORRECTED, reason=reason, by=by, now=now))
    audit.record(
        session,
        by=by.name,
        action=AuditAction.RESPONSE_CORRECTED,
        subject=f"response:{response.id}",
        after={"reason": reason, "mode": mode},
        now=now,
    )
    session.flush()
    receipt = store_answers(
        session,
        place=place,
        key=key,
        answers=answers,
        definition=_definition(response),
        language=language,
        secret_key=secret_key,
        now=now,
    )
    pass_on_attachments(session, response_id=response.id, key=key)
    return receipt


def _received(session: Session, number: str, now: datetime) -> Response:
    """Return the response that got a receipt, whatever stands for it now."""
    return _kept(session.scalar(select(Response).where(Response.receipt == number)), now)


def _kept(found: Response | None, now: datetime) -> Response:
    """Return a response that is kept; on the day after the last it is not, though the hourly job may still be due."""
    if found is None or not is_kept(found.round, now=now):
        raise AnswersErased
    return found


def _change_code(response: Response, secret_key: str) -> str | None:
    if response.change_digest is None:
        return None
    return change_code_of(response.submission_key, secret_key=secret_key)


def _find(session: Session, number: str, now: datetime, *, for_update: bool = False) -> Response:
    """Return the response behind a receipt, or else its newest correction."""
    statement = select(Response).where(Response.receipt == number)
    found = _kept(session.scalar(statement.with_for_update() if for_update else statement), now)
    while True:
        # Asked for after the lock is held: whoever held it before may have corrected the response.
        correction = select(Response).where(Response.corrects_id == found.id)
        newer = session.scalar(correction.with_for_update() if for_update else correction)
        if newer is None:
            return found
        found = newer


def _status(session: Session, response: Response) -> ResponseStatus:
    rules = rules_of(response.round.rule_file.content)
    status = status_of_response(rules.satisfaction.population, before=response.round.closes_at)
    return ResponseStatus(session.scalars(select(status).where(Response.id == response.id)).one())


def _was_evaluated(session: Session, response: Response, moment: datetime) -> bool:
    official = select(Evaluation.id).filter_by(round_id=response.round_id, provisional=False)
    return session.scalar(official.where(Evaluation.evaluated_at <= moment).limit(1)) is not None


def _refuse_if_frozen(survey_round: Round, now: datetime) -> None:
    if now >= survey_round.closes_at:
        raise ResponseFrozen(last_day(survey_round.closes_at, zone_of(survey_round.rule_file.content)))


def _refuse_correction(session: Session, response: Response, now: datetime) -> None:
    _refuse_if_frozen(response.round, now)
    status = _status(session, response)
    if status is not ResponseStatus.COUNTED:
        raise ResponseGone(status)


def _replaced_by(session: Session, response: Response) -> list[int]:
    """Return the response and all that it had replaced: these must not count or stay when it goes."""
    return sorted({*_corrected(session, response), *_earlier_of_household(session, response)})


def _corrected(session: Session, response: Response) -> Iterator[int]:
    """Yield the response and those that it corrects, the newest first."""
    found: Response | None = response
    while found is not None:
        yield found.id
        found = session.get(Response, found.corrects_id) if found.corrects_id else None


def _earlier_of_household(session: Session, response: Response) -> Sequence[int]:
    """Return the earlier responses of the same household under the same tenure: this response had replaced them."""
    if response.household_key is None:
        return []
    until_then = tuple_(Response.submitted_at, Response.id) < (response.submitted_at, response.id)
    return session.scalars(
        select(Response.id).where(
            Response.household_key == response.household_key, Response.tenure == response.tenure, until_then
        )
    ).all()


def _event(
    response_id: int, kind: ResponseEventKind, *, reason: ResponseChangeReason, by: Actor, now: datetime
) -> ResponseEvent:
    return ResponseEvent(
        response_id=response_id,
        kind=kind,
        actor=by.kind,
        account_id=by.account_id,
        reason=reason,
        happened_at=now,
    )


def _definition(response: Response) -> Definition:
    return questionnaire_from_canonical(response.questionnaire.text)
