"""Secrets of cases (查询密码): twelve digits that only whoever filed the case knows.

A secret is derived from the key of the form by which the case was filed, so that a phone which sends the form again,
since the answer was lost on the way, gets the same page with the same secret. What is stored is a keyed digest.
"""

import hashlib
import hmac
import secrets as randomness
from dataclasses import dataclass
from datetime import datetime

from itsdangerous import BadData, URLSafeTimedSerializer
from sqlalchemy import select
from sqlalchemy.orm import Session

from survey_app import audit
from survey_app.accounts.attempt_budgets import LINE, SUBJECT, Limit
from survey_app.accounts.attempt_limits import Source, count_attempt, forgive_failures
from survey_app.complaints.cases import find_complaint
from survey_app.errors import JiayuanError
from survey_app.models import Complaint
from survey_app.models.vocabulary import AuditAction
from survey_app.security.check_digits import number_from, read_number
from survey_app.security.digests import keyed_digest
from survey_app.security.submission_keys import SubmissionKey
from survey_app.storage.database import Database

SECRET_DIGITS = 12
SECRET_TRIES = Limit(action="complaint_secret", subject=SUBJECT, proven=LINE)
# Long enough to write down what is still wrong; on a borrowed phone the page is of no use to the next person.
PASS_SECONDS = 30 * 60


class WrongSecret(JiayuanError):
    """The secret is not that of the case."""

    status = 403

    def __init__(self, reference: str) -> None:
        super().__init__("the secret is not that of the case")
        self.reference = reference


class WordsErased(JiayuanError):
    """The words of the case were erased a year after it ended: a secret would open nothing."""

    status = 410

    def __init__(self, reference: str) -> None:
        super().__init__("the words of the case are erased")
        self.reference = reference


class PassExpired(JiayuanError):
    """The pass is too old, was altered, or the secret was replaced since."""

    status = 403


@dataclass(frozen=True)
class Pass:
    """Pass: proof that the secret was given a short while ago, carried by the forms of the case's page."""

    reference: str
    secret_hash: str


def secret_of(key: SubmissionKey, *, secret_key: str) -> str:
    """Return the secret of the case that is filed with this key."""
    digest = keyed_digest(key.value, purpose="complaint secret", secret_key=secret_key)
    return number_from(int(digest, 16), SECRET_DIGITS)


def hash_secret(secret: str, *, reference: str, secret_key: str) -> str:
    """Return the keyed digest that is stored of a secret; the same digits give another one in another case."""
    return keyed_digest(f"{reference} {secret}", purpose="stored complaint secret", secret_key=secret_key)


def link_proof(secret: str, *, reference: str, secret_key: str) -> str:
    """Return what the link to keep carries beside the secret; it is void once the office has replaced the secret."""
    return _link_proof(hash_secret(secret, reference=reference, secret_key=secret_key), secret_key)


def check_secret(
    database: Database,
    *,
    reference: str,
    typed: str,
    proof: str = "",
    source: Source,
    secret_key: str,
    now: datetime,
) -> Pass:
    """Return a pass for the case, or raise `WrongSecret`; the try is counted before the secret is looked at.

    A reference that nobody has is refused like a wrong secret. Whoever brings the proof of the link that they kept
    has tries of their own.
    """
    secret = read_number(typed, SECRET_DIGITS)
    if secret is None:
        # A typing error that the check digit shows is no guess: it does not use up a try.
        raise WrongSecret(reference)
    with database.reading() as session:
        stored = session.scalar(select(Complaint.secret_hash).filter_by(reference=reference))
    is_kept_link = stored is not None and hmac.compare_digest(proof.encode(), _link_proof(stored, secret_key).encode())
    counted = count_attempt(
        database,
        limit=SECRET_TRIES,
        source=source,
        subject=reference,
        proof="link" if is_kept_link else None,
        secret_key=secret_key,
        now=now,
    )
    given = hash_secret(secret, reference=reference, secret_key=secret_key)
    if stored is None or not hmac.compare_digest(given, stored):
        raise WrongSecret(reference)
    with database.writing() as session:
        forgive_failures(session, counted, now=now)
    return Pass(reference, given)


def sign_pass(granted: Pass, *, secret_key: str) -> str:
    """Return the signed text of a pass, for the forms of the case's page."""
    signed = _serializer(secret_key).dumps([granted.reference, granted.secret_hash])
    return signed if isinstance(signed, str) else signed.decode("ascii")


def read_pass(session: Session, text: str, *, reference: str, secret_key: str) -> Pass:
    """Verify the pass that came back with a form, or raise `PassExpired`; a replaced secret ends it."""
    try:
        signed_reference, secret_hash = _serializer(secret_key).loads(text, max_age=PASS_SECONDS)
    except BadData as error:
        raise PassExpired from error
    stored = find_complaint(session, reference=reference).secret_hash
    if signed_reference != reference or secret_hash != stored:
        raise PassExpired
    return Pass(reference, secret_hash)


def reissue_secret(session: Session, *, reference: str, by: str, secret_key: str, now: datetime) -> str:
    """Replace the secret of a case and return the new one; the old one and its open pages are void from now on.

    For staff who have seen that the person before them filed the case. The caller has checked that the case lies in
    the scope of the account. Raises `WordsErased` where nothing is left that a secret would open.
    """
    complaint = find_complaint(session, reference=reference)
    if complaint.words_erased_at is not None:
        raise WordsErased(reference)
    secret = number_from(randomness.randbits(64), SECRET_DIGITS)
    complaint.secret_hash = hash_secret(secret, reference=reference, secret_key=secret_key)
    session.flush()
    audit.record(session, by=by, action=AuditAction.SECRET_REISSUED, subject=f"complaint:{complaint.id}", now=now)
    return secret


def _link_proof(secret_hash: str, secret_key: str) -> str:
    return keyed_digest(secret_hash, purpose="complaint link", secret_key=secret_key)[:32]


def _serializer(secret_key: str) -> URLSafeTimedSerializer:
    signer = {"key_derivation": "hmac", "digest_method": hashlib.sha256}
    return URLSafeTimedSerializer(secret_key, salt="jiayuan.complaint.pass", signer_kwargs=signer)
