"""Codes that residents scan, on posters and on household slips: issuing, finding and revoking them.

A slip carries a token of 128 bits in its QR code, and digits to type instead. Only keyed digests of both are stored,
and no record says which flat got which slip: the site does not see who hands them out. A lost slip can therefore not
be told from the others. Its flat gets another one from a batch of reprints, and the number of reprints bounds how
many households can have answered twice.
"""

import secrets
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import cast

from itsdangerous import BadData
from sqlalchemy import ColumnElement, Select, Table, bindparam, exists, func, insert, select
from sqlalchemy.orm import Session

from analytics.languages import Wording
from survey_app.accounts.scope import Scope
from survey_app.audit import OPERATOR, account_actor, record
from survey_app.collection.tallies import count_households
from survey_app.errors import ExpiredCode, JiayuanError, RevokedCode, UnknownCode
from survey_app.models import Code, Community, DeclaredHelp, District, Round, SlipBatch
from survey_app.models.vocabulary import AuditAction, CodeKind, Revocation
from survey_app.register.names import bureau_of
from survey_app.security.check_digits import CODE_DIGITS, SLIP_DIGITS, new_number, read_number
from survey_app.security.digests import keyed_digest
from survey_app.security.signatures import read_signed, sign
from survey_app.security.text import without_unseen
from survey_app.storage.database import Database
from survey_app.storage.short_transactions import ShortTransactions, read_ids

MOST_SLIPS = 20_000
"""Most slips in one batch: more than any community has households."""

VISIT_LIFETIME = timedelta(hours=24)
"""Lifetime of the address of a scanned slip: it opens the form for as long as a phone keeps a draft."""

_LONGEST_TOKEN = 64
_TOKEN_BITS = 128
_TOKEN_DIGITS = 39  # the decimal digits of 128 bits: fewer modules of a QR code than letters
_KEY_BYTES = 12
_VISIT = "visit"
_REFERENCE_MARK = "."  # between what is signed and its signature
_OF_CODE = select(Code, Community, District).join(Code.community).join(Community.district)
_SCANNED = _OF_CODE.where(Code.token == bindparam("token"))
_REFERRED = _OF_CODE.where(Code.id == bindparam("code_id"))


class SlipsRefused(JiayuanError):
    """Slips cannot be issued as asked; the message says why."""

    status = 409


@dataclass(frozen=True)
class ScannedCode:
    """Valid code that was scanned, and its community; `token` is what addresses carry for it."""

    id: int
    token: str
    community_id: int
    community: Wording
    district: Wording


@dataclass(frozen=True)
class Slip:
    """Contents of one printed slip, which can be read from nowhere else."""

    token: str
    digits: str


@dataclass(frozen=True)
class NewSlips:
    """Slips that nobody has yet, with the digests of each that are stored."""

    slips: tuple[Slip, ...]
    digests: tuple[Mapping[str, str], ...]


@dataclass(frozen=True)
class SlipSheet:
    """Slips of one batch, with what is printed on all of them."""

    batch_id: int
    community: Wording
    district: Wording
    round: Wording
    telephone: str | None
    closes_at: datetime
    slips: tuple[Slip, ...]


@dataclass(frozen=True)
class SlipCounts:
    """Counts by status of the slips of one community in one round; `reprints` are among those issued.

    `answered` are the households that answered with one, however many they were given one after the other.
    `outstanding` slips are with residents, lost, or thrown away. A household answers once with each: at most `reprints`
    households can have answered twice.
    """

    issued: int = 0
    reprints: int = 0
    spoiled: int = 0
    returned: int = 0
    lost: int = 0
    answered: int = 0

    @property
    def waiting(self) -> int:
        """Slips that can still bring first answers, if no answered one was revoked."""
        return max(0, self.outstanding - self.answered)

    @property
    def outstanding(self) -> int:
        """Slips that can still be used, or could until they expired."""
        return self.issued - self.spoiled - self.returned - self.lost


@dataclass(frozen=True)
class VisitReference:
    """Reference in an address that has lost the slip's token: which slip was scanned, and when."""

    code_id: int
    scanned_at: datetime


def issue_poster_code(
    session: Session, *, community: Community, by: str = OPERATOR, now: datetime, building: str | None = None
) -> Code:
    """Issue a poster code for `community`; earlier ones stay valid."""
    token = new_number(CODE_DIGITS)
    code = Code(kind=CodeKind.POSTER, token=token, community=community, building=building, issued_at=now)
    session.add(code)
    session.flush()
    facts = {"community": community.id}
    record(session, by=by, action=AuditAction.CODE_ISSUED, subject=f"code:{code.id}", after=facts, now=now)
    return code


def issue_missing_poster_codes(database: Database, *, scope: Scope, by: str = OPERATOR, now: datetime) -> int:
    """Issue a poster code for each community in scope that has none, in short transactions, and return how many."""
    without = without_code(scope).order_by(Community.number)
    transactions = ShortTransactions(database)
    issued = 0
    for part in transactions.parts(read_ids(database, without.with_only_columns(Community.id))):
        with transactions.writing() as session:
            # Another may have issued some meanwhile.
            communities = session.scalars(without.where(Community.id.in_(part))).all()
            for community in communities:
                issue_poster_code(session, community=community, by=by, now=now)
        issued += len(communities)
    return issued


def new_slips(count: int, *, secret_key: str) -> NewSlips:
    """Draw so many slips before they are issued: the digests of a large batch take longer than others may wait.

    Raises `SlipsRefused` where no batch has so many.
    """
    if not 1 <= count <= MOST_SLIPS:
        raise SlipsRefused(f"a batch has 1 to {MOST_SLIPS} slips, got {count}")
    slips = tuple(_new_slip() for _ in range(count))
    return NewSlips(slips, tuple(_digests(slip, secret_key) for slip in slips))


def issue_slips(
    session: Session,
    *,
    survey_round: Round,
    community: Community,
    new: NewSlips,
    now: datetime,
    by: int | None = None,
    expires_at: datetime | None = None,
    is_reprint: bool = False,
) -> SlipSheet:
    """Issue a batch of household slips and return what to print: it can be read nowhere else.

    Slips that never reach paper are spoiled with their batch. Raises `SlipsRefused` where the round takes none.
    """
    _check_round(survey_round, now)
    batch = SlipBatch(
        round=survey_round,
        community=community,
        is_reprint=is_reprint,
        issued_at=now,
        issued_by_id=by,
        expires_at=expires_at,
    )
    return _store_slips(session, batch, new, [secrets.token_urlsafe(_KEY_BYTES) for _ in new.slips])


def replace_slip(session: Session, *, typed: str, secret_key: str, now: datetime, by: int | None = None) -> SlipSheet:
    """Revoke a slip whose digits are known, and return another one for the same household.

    What the household answered before is replaced by what it answers with the new slip. Raises `UnknownCode` or
    `RevokedCode`.
    """
    lost = find_slip(session, typed=typed, secret_key=secret_key)
    if lost.batch is None:
        raise UnknownCode
    if lost.revoked_at is not None:
        raise RevokedCode(
            Wording.of(lost.community.name, lost.community.english_name), bureau_of(lost.community.district)
        )
    _check_round(lost.batch.round, now)
    lost.revoked_at, lost.revoked_because = now, Revocation.LOST
    _record_revocation(session, f"code:{lost.id}", Revocation.LOST, by=by, now=now)
    batch = SlipBatch(
        round=lost.batch.round,
        community=lost.community,
        is_reprint=False,
        issued_at=now,
        issued_by_id=by,
        expires_at=lost.batch.expires_at,
    )
    return _store_slips(session, batch, new_slips(1, secret_key=secret_key), [lost.household_key])


def revoke_code(session: Session, *, code: Code, by: str = OPERATOR, now: datetime) -> None:
    """Revoke a code, such as that of a poster that was tampered with: it takes no more answers."""
    if code.revoked_at is None:
        code.revoked_at = now
        session.flush()
        record(session, by=by, action=AuditAction.CODE_REVOKED, subject=f"code:{code.id}", now=now)


def revoke_slips(
    session: Session,
    *,
    community: Community,
    typed: Sequence[str],
    because: Revocation,
    secret_key: str,
    now: datetime,
    by: int | None = None,
) -> list[str]:
    """Revoke slips of a community by their digits; return what was typed and is no slip of it in use."""
    refused = []
    for text in typed:
        code = _slip_in_use(session, community, text, secret_key)
        if code is None:
            refused.append(text)
            continue
        code.revoked_at, code.revoked_because = now, because
        _record_revocation(session, f"code:{code.id}", because, by=by, now=now)
    session.flush()
    return refused


def spoil_batch(session: Session, *, batch: SlipBatch, now: datetime, by: int | None = None) -> int:
    """Revoke every slip of a batch, such as one whose printing failed; return how many there are."""
    codes = session.scalars(select(Code).where(Code.batch_id == batch.id, Code.revoked_at.is_(None))).all()
    for code in codes:
        code.revoked_at, code.revoked_because = now, Revocation.SPOILED
    session.flush()
    _record_revocation(session, f"slip_batch:{batch.id}", Revocation.SPOILED, by=by, now=now)
    return len(codes)


def _slip_in_use(session: Session, community: Community, typed: str, secret_key: str) -> Code | None:
    try:
        code = find_slip(session, typed=typed, secret_key=secret_key)
    except UnknownCode:
        return None
    return code if code.revoked_at is None and code.community_id == community.id else None


def _store_slips(session: Session, batch: SlipBatch, new: NewSlips, household_keys: Sequence[str | None]) -> SlipSheet:
    """Store a batch with one new slip for each household, and return what to print."""
    session.add(batch)
    session.flush()
    common = {
        "kind": CodeKind.HOUSEHOLD,
        "batch_id": batch.id,
        "community_id": batch.community_id,
        "issued_at": batch.issued_at,
    }
    rows = [
        {**common, **digests, "household_key": household_key}
        for digests, household_key in zip(new.digests, household_keys, strict=True)
    ]
    session.execute(insert(cast(Table, Code.__table__)), rows)
    _record_issue(session, batch, count=len(rows))
    return _sheet(batch, new.slips)


def _record_issue(session: Session, batch: SlipBatch, *, count: int) -> None:
    facts = {
        "round": batch.round_id,
        "community": batch.community_id,
        "count": count,
        "is_reprint": batch.is_reprint,
    }
    by, now = _actor(batch.issued_by_id), batch.issued_at
    record(session, by=by, action=AuditAction.SLIPS_ISSUED, subject=f"slip_batch:{batch.id}", after=facts, now=now)


def _record_revocation(session: Session, subject: str, because: Revocation, *, by: int | None, now: datetime) -> None:
    facts = {"because": str(because)}
    record(session, by=_actor(by), action=AuditAction.CODE_REVOKED, subject=subject, after=facts, now=now)


def _actor(account_id: int | None) -> str:
    return OPERATOR if account_id is None else account_actor(account_id)


def count_slips(session: Session, *, survey_round: Round) -> dict[int, SlipCounts]:
    """Return counts by status of the slips of each community that got any in a round."""
    statement = (
        select(Code.community_id, SlipBatch.is_reprint, Code.revoked_because, func.count())
        .join(Code.batch)
        .where(SlipBatch.round_id == survey_round.id)
        .group_by(Code.community_id, SlipBatch.is_reprint, Code.revoked_because)
    )
    counts: defaultdict[int, Counter[str]] = defaultdict(Counter)
    for community_id, is_reprint, because, number in session.execute(statement):
        counts[community_id]["issued"] += number
        counts[community_id]["reprints"] += number if is_reprint else 0
        if because is not None:
            counts[community_id][because] += number
    for community_id, answered in _answered_households(session, survey_round):
        counts[community_id]["answered"] += answered
    return {community_id: SlipCounts(**count) for community_id, count in counts.items()}


def _answered_households(session: Session, survey_round: Round) -> Iterator[tuple[int, int]]:
    """Yield communities and how many households answered there, by their links or as noted before these are removed."""
    noted = select(SlipBatch.community_id, SlipBatch.households_answered).where(SlipBatch.round_id == survey_round.id)
    batches = session.execute(noted).all()
    answered = [(community_id, households) for community_id, households in batches if households is not None]
    if len(answered) == len(batches):
        # Links may be left still: they are removed after all is noted, some at a time.
        yield from answered
    else:
        yield from count_households(session, round_id=survey_round.id).items()


def find_slip(session: Session, *, typed: str, secret_key: str) -> Code:
    """Return the code of a slip by its digits or by its QR code, whether or not it is still valid."""
    token = without_unseen(typed).strip().rpartition("/")[2]
    if digits := read_number(typed, SLIP_DIGITS):
        is_it = Code.digits_digest == _digest(digits, secret_key)
    elif is_slip_token(token):
        is_it = Code.token_digest == _digest(token, secret_key)
    else:
        raise UnknownCode
    code = session.scalar(select(Code).where(is_it))
    if code is None:
        raise UnknownCode
    return code


def find_valid_slip(session: Session, *, typed: str, secret_key: str, now: datetime) -> Code:
    """Return the code of a valid slip; `UnknownCode`, `RevokedCode` or `ExpiredCode` says why it is not."""
    code = find_slip(session, typed=typed, secret_key=secret_key)
    community = Wording.of(code.community.name, code.community.english_name)
    if code.revoked_at is not None:
        raise RevokedCode(community, bureau_of(code.community.district))
    if code.batch is not None and code.batch.expires_at is not None and code.batch.expires_at <= now:
        raise ExpiredCode(community)
    return code


def scan_slip(session: Session, *, typed: str, secret_key: str, now: datetime) -> str:
    """Return the signed address part for a slip that was scanned or typed now: not a secret, and soon expired."""
    code = find_valid_slip(session, typed=typed, secret_key=secret_key, now=now)
    return sign_reference(VisitReference(code.id, now), secret_key=secret_key)


def sign_reference(reference: VisitReference, *, secret_key: str) -> str:
    """Return the signed text that stands in an address instead of a slip's token."""
    payload = [reference.code_id, int(reference.scanned_at.timestamp())]
    return sign(payload, purpose=_VISIT, secret_key=secret_key)


def read_reference(text: str, *, secret_key: str) -> VisitReference:
    """Verify the reference in an address; `UnknownCode` when it was altered."""
    try:
        code_id, scanned_at = cast(tuple[int, int], read_signed(text, purpose=_VISIT, secret_key=secret_key))
    except BadData as error:
        raise UnknownCode from error
    return VisitReference(code_id, datetime.fromtimestamp(scanned_at, UTC))


def is_reference(text: str) -> bool:
    """Return whether an address carries a reference; a poster's token has no such mark."""
    return _REFERENCE_MARK in text


def find_code(session: Session, *, token: str, secret_key: str) -> ScannedCode:
    """Return the code that a resident scanned, with its community and district."""
    if is_reference(token):
        code_id = read_reference(token, secret_key=secret_key).code_id
        row = session.execute(_REFERRED, {"code_id": code_id}).first()
    else:
        row = session.execute(_SCANNED, {"token": token}).first() if is_token(token) else None
    if row is None:
        raise UnknownCode
    code, community, district = row
    if code.revoked_at is not None:
        raise RevokedCode(Wording.of(community.name, community.english_name), bureau_of(district))
    return ScannedCode(
        id=code.id,
        token=token,
        community_id=community.id,
        community=Wording.of(community.name, community.english_name),
        district=Wording.of(district.name, district.english_name),
    )


def poster_ids(session: Session) -> Sequence[int]:
    """Return the ids of the codes of all posters, also of those that no answer came through: they are few."""
    return session.scalars(select(Code.id).where(Code.kind == CodeKind.POSTER)).all()


def is_usable_poster_code() -> ColumnElement[bool]:
    """Return the condition that a `Code` is of a poster, not of a declared helper, and not revoked."""
    is_of_helper = exists().where(DeclaredHelp.code_id == Code.id)
    return (Code.kind == CodeKind.POSTER) & Code.revoked_at.is_(None) & ~is_of_helper


def has_poster_code() -> ColumnElement[bool]:
    """Return the condition that a `Community` has a poster code in use."""
    return select(Code.id).where(Code.community_id == Community.id, is_usable_poster_code()).exists()


def without_code(scope: Scope) -> Select[Community]:
    """Return the communities in scope that have no poster code in use."""
    return scope.communities(select(Community).where(~has_poster_code()))


def is_token(text: str) -> bool:
    """Return whether `text` has the form of a token: a database need not be asked for arbitrary text."""
    return text.isascii() and text.isalnum() and len(text) <= _LONGEST_TOKEN


def is_slip_token(text: str) -> bool:
    """Return whether `text` has the form of a slip's token."""
    return text.isascii() and text.isdigit() and len(text) == _TOKEN_DIGITS


def _check_round(survey_round: Round, now: datetime) -> None:
    if not survey_round.accepts_households:
        raise SlipsRefused(f"the round {survey_round.name} takes no answers through household slips")
    if survey_round.closes_at <= now:
        raise SlipsRefused(f"the round {survey_round.name} is over")


def _new_slip() -> Slip:
    return Slip(token=str(secrets.randbits(_TOKEN_BITS)).zfill(_TOKEN_DIGITS), digits=new_number(SLIP_DIGITS))


def _digests(slip: Slip, secret_key: str) -> dict[str, str]:
    return {"token_digest": _digest(slip.token, secret_key), "digits_digest": _digest(slip.digits, secret_key)}


def _sheet(batch: SlipBatch, slips: tuple[Slip, ...]) -> SlipSheet:
    community, survey_round = batch.community, batch.round
    return SlipSheet(
        batch_id=batch.id,
        community=Wording.of(community.name, community.english_name),
        district=Wording.of(community.district.name, community.district.english_name),
        round=Wording.of(survey_round.name, survey_round.english_name),
        telephone=community.district.telephone,
        closes_at=survey_round.closes_at,
        slips=slips,
    )


def _digest(secret: str, secret_key: str) -> str:
    return keyed_digest(secret, purpose="household-code", secret_key=secret_key)
