"""Tables of codes, responses, their events and reviews."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import CheckConstraint, ForeignKey, Index, LargeBinary, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column, relationship

from survey_app.models.constraints import one_of, only_where
from survey_app.models.places import Community
from survey_app.models.rounds import Questionnaire, Round
from survey_app.models.vocabulary import (
    CodeKind,
    Mode,
    ResponseActor,
    ResponseEventKind,
    ReviewState,
    SupersededWithin,
    Tenure,
)
from survey_app.storage.database import Base


class SlipBatch(Base):
    """Batch of household slips printed together for one community and round; nobody notes which flat gets which."""

    __tablename__ = "slip_batch"

    id: Mapped[int] = mapped_column(primary_key=True)
    round_id: Mapped[int] = mapped_column(ForeignKey("round.id"), index=True)
    community_id: Mapped[int] = mapped_column(ForeignKey("community.id"), index=True)
    # For a flat whose slip was lost and is not known: each one may let a household answer once more.
    is_reprint: Mapped[bool]
    issued_at: Mapped[datetime]
    issued_by_id: Mapped[int | None] = mapped_column(ForeignKey("account.id"))
    # Earlier than the round closes, where slips are handed out in waves.
    expires_at: Mapped[datetime | None]
    # How many households whose first slip is in it have answered, noted when their links are removed.
    households_answered: Mapped[int | None]

    round: Mapped[Round] = relationship()
    community: Mapped[Community] = relationship()


_IS_OF_BUILDING = text("building IS NOT NULL")


class Code(Base):
    """Code that residents scan: a poster's stands for a community, a slip's for one of its households."""

    __tablename__ = "code"
    __table_args__ = (
        one_of("kind", CodeKind),
        only_where("kind", CodeKind.POSTER, "token IS NOT NULL", name="token"),
        only_where("kind", CodeKind.HOUSEHOLD, "token_digest IS NOT NULL", name="token_digest"),
        only_where("kind", CodeKind.HOUSEHOLD, "digits_digest IS NOT NULL", name="digits_digest"),
        only_where("kind", CodeKind.HOUSEHOLD, "household_key IS NOT NULL", name="household_key"),
        only_where("kind", CodeKind.HOUSEHOLD, "batch_id IS NOT NULL", name="batch"),
        CheckConstraint("revoked_because IS NULL OR revoked_at IS NOT NULL", name="revoked"),
        Index(
            "ix_code_building",
            "community_id",
            "building",
            sqlite_where=_IS_OF_BUILDING,
            postgresql_where=_IS_OF_BUILDING,
        ),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    kind: Mapped[str]
    # A poster hangs in public and is printed again: its token is no secret and is kept as it is.
    token: Mapped[str | None] = mapped_column(unique=True)
    # A slip's token and its digits are kept as keyed digests only: whoever reads the database can use none of them.
    token_digest: Mapped[str | None] = mapped_column(unique=True)
    digits_digest: Mapped[str | None] = mapped_column(unique=True)
    # Random, and the same on the slip that replaces a known one: common to the answers of one household.
    household_key: Mapped[str | None] = mapped_column(index=True)
    batch_id: Mapped[int | None] = mapped_column(ForeignKey("slip_batch.id"), index=True)
    community_id: Mapped[int] = mapped_column(ForeignKey("community.id"), index=True)
    # Where the poster hangs, if it is for one building.
    building: Mapped[str | None]
    issued_at: Mapped[datetime]
    revoked_at: Mapped[datetime | None]
    revoked_because: Mapped[str | None]

    community: Mapped[Community] = relationship()
    batch: Mapped[SlipBatch | None] = relationship()


class DeclaredHelp(Base):
    """Help with answering that staff declared in advance: a volunteer's telephone, a visit, the office's computer.

    The forms that are opened through its own code while it lasts, as many as were expected, may come over one line.
    """

    __tablename__ = "declared_help"
    __table_args__ = (
        CheckConstraint("declared_at <= begins_at AND begins_at < ends_at", name="times"),
        CheckConstraint("expected > 0", name="expected"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    round_id: Mapped[int] = mapped_column(ForeignKey("round.id"), index=True)
    # A code like a poster's, which no poster carries: it says in which community, and which forms are the helper's.
    code_id: Mapped[int] = mapped_column(ForeignKey("code.id"), unique=True)
    begins_at: Mapped[datetime]
    ends_at: Mapped[datetime]
    helper: Mapped[str]
    reason: Mapped[str]
    expected: Mapped[int]
    declared_at: Mapped[datetime]
    declared_by_id: Mapped[int] = mapped_column(ForeignKey("account.id"))

    code: Mapped[Code] = relationship()


_HAS_NETWORK = text("address_digest IS NOT NULL OR prefix_digest IS NOT NULL")
_HAS_HOUSEHOLD = text("household_key IS NOT NULL")

# What a response has until the retention of its round is over, and what it may have.
_ALWAYS_KEPT = ("submission_key", "commitment", "language", "mode", "started_at", "submitted_at")
_SOMETIMES_KEPT = ("answers", "handle", "handle_nonce", "change_digest", "entered_by_id", "corrects_id")


def _all(columns: Sequence[str], condition: str) -> str:
    return " AND ".join(f"{column} {condition}" for column in columns)


# When the time of a response is over, nothing of it stays but the round and the community that it counts in.
_REDUCED = (
    f"CASE WHEN receipt IS NULL THEN {_all((*_ALWAYS_KEPT, *_SOMETIMES_KEPT), 'IS NULL')} "
    f"AND superseded_within IS NULL AND erased_at IS NOT NULL ELSE {_all(_ALWAYS_KEPT, 'IS NOT NULL')} END"
)


class Response(Base):
    """Submitted questionnaire. `answers` is canonical text, to which the commitment binds; the handle, the receipt.

    A withdrawn response keeps its row, so that it is counted in and a repeat of its form finds it; the answers, and
    whatever links it to a household, are gone. When the retention of its round is over, so is everything that is typed
    as always there and yet may be missing: nobody finds such a row by a receipt, and nothing but its number is read.
    """

    __tablename__ = "response"
    __table_args__ = (
        one_of("tenure", Tenure),
        one_of("mode", Mode),
        only_where("mode", Mode.WEB, "entered_by_id IS NULL", name="entered_by"),
        CheckConstraint("(answers IS NULL) = (tenure IS NULL)", name="withdrawn_tenure"),
        CheckConstraint("answers IS NOT NULL OR nonce IS NULL AND openings IS NULL", name="withdrawn_nonce"),
        CheckConstraint("nonce IS NULL OR openings IS NULL", name="openings"),
        CheckConstraint("answers IS NOT NULL OR household_key IS NULL AND code_id IS NULL", name="withdrawn_household"),
        CheckConstraint(
            "answers IS NOT NULL OR address_digest IS NULL AND prefix_digest IS NULL", name="withdrawn_network"
        ),
        one_of("superseded_within", SupersededWithin),
        CheckConstraint("erased_at IS NULL OR answers IS NULL", name="erased"),
        # 1: responses stored before there were handles; see `survey_app.responses.commitments`.
        CheckConstraint("receipt IS NULL OR (commitment_algorithm = 1) = (handle IS NULL)", name="handle"),
        CheckConstraint(_REDUCED, name="reduced"),
        Index("ix_response_round_id_community_id", "round_id", "community_id"),
        # What is to be erased is found in them, and what has been erased no longer stands there.
        Index(
            "ix_response_network_submitted_at",
            "submitted_at",
            sqlite_where=_HAS_NETWORK,
            postgresql_where=_HAS_NETWORK,
        ),
        # Every answer that is counted asks for newer ones of its household: all that decides it stands in the index.
        Index(
            "ix_response_household_key",
            "household_key",
            "submitted_at",
            "tenure",
            sqlite_where=_HAS_HOUSEHOLD,
            postgresql_where=_HAS_HOUSEHOLD,
        ),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    submission_key: Mapped[str] = mapped_column(unique=True, nullable=True)
    receipt: Mapped[str] = mapped_column(unique=True, nullable=True)
    round_id: Mapped[int] = mapped_column(ForeignKey("round.id"))
    community_id: Mapped[int] = mapped_column(ForeignKey("community.id"))
    questionnaire_id: Mapped[int] = mapped_column(ForeignKey("questionnaire.id"))
    # None where staff entered answers that came without a slip.
    code_id: Mapped[int | None] = mapped_column(ForeignKey("code.id"))
    household_key: Mapped[str | None]
    # From which line and from which of its neighbours it was sent; see `survey_app.accounts.network_digests`.
    address_digest: Mapped[str | None]
    prefix_digest: Mapped[str | None]
    language: Mapped[str] = mapped_column(nullable=True)
    mode: Mapped[str] = mapped_column(nullable=True)
    entered_by_id: Mapped[int | None] = mapped_column(ForeignKey("account.id"))
    # The response that this one stands for; no response is corrected twice, its correction may be.
    corrects_id: Mapped[int | None] = mapped_column(ForeignKey("response.id"), unique=True)
    tenure: Mapped[int | None]
    started_at: Mapped[datetime] = mapped_column(nullable=True)
    submitted_at: Mapped[datetime] = mapped_column(nullable=True)
    answers: Mapped[str | None]
    # Random, so that a commitment can be published without the answers being found by trial.
    nonce: Mapped[bytes | None] = mapped_column(LargeBinary)
    # In place of the nonce where a text was erased: what opens the other questions; see `commitments.openings_without`.
    openings: Mapped[bytes | None] = mapped_column(LargeBinary)
    commitment: Mapped[str] = mapped_column(unique=True, nullable=True)
    commitment_algorithm: Mapped[int] = mapped_column(server_default="1")
    # Names the response to whoever holds its receipt, and to nobody else.
    handle: Mapped[str | None] = mapped_column(unique=True)
    handle_nonce: Mapped[bytes | None] = mapped_column(LargeBinary)
    # None for a response stored before there were change codes: its receipt alone corrects and withdraws it.
    change_digest: Mapped[str | None]
    # Stands for the link to the household when that is removed; see `survey_app.responses.retention`.
    superseded_within: Mapped[str | None]
    erased_at: Mapped[datetime | None]

    round: Mapped[Round] = relationship()
    community: Mapped[Community] = relationship()
    questionnaire: Mapped[Questionnaire] = relationship()


class ResponseEvent(Base):
    """Withdrawal, correction or later erasure of a stored response: by whom, when and why."""

    __tablename__ = "response_event"
    __table_args__ = (
        UniqueConstraint("response_id", "kind"),
        one_of("kind", ResponseEventKind),
        one_of("actor", ResponseActor),
        only_where("actor", ResponseActor.STAFF, "account_id IS NOT NULL", name="account"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    response_id: Mapped[int] = mapped_column(ForeignKey("response.id"))
    kind: Mapped[str]
    actor: Mapped[str]
    account_id: Mapped[int | None] = mapped_column(ForeignKey("account.id"))
    reason: Mapped[str]
    happened_at: Mapped[datetime]


_IS_HELD = text(f"state = '{ReviewState.HELD}'")


class ResponseReview(Base):
    """Step in the review of a response: held because of signals, then released or excluded. The last one holds."""

    __tablename__ = "response_review"
    __table_args__ = (
        one_of("state", ReviewState),
        only_where("state", ReviewState.HELD, "account_id IS NULL", name="account"),
        only_where("state", ReviewState.HELD, "reason IS NULL", name="reason"),
        # Held once, and then decided about: of two examinations at a time the later holds nothing again.
        Index(
            "ix_response_review_held",
            "response_id",
            unique=True,
            sqlite_where=_IS_HELD,
            postgresql_where=_IS_HELD,
        ),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    response_id: Mapped[int] = mapped_column(ForeignKey("response.id"), index=True)
    state: Mapped[str]
    # The families of signals that flag it, as `analytics.statistics.integrity_signals` names them.
    families: Mapped[str]
    reason: Mapped[str | None]
    account_id: Mapped[int | None] = mapped_column(ForeignKey("account.id"))
    at: Mapped[datetime]


class IntegrityExamination(Base):
    """Findings of an integrity examination of a round in each community, as JSON; the newest one is shown."""

    __tablename__ = "integrity_examination"

    id: Mapped[int] = mapped_column(primary_key=True)
    round_id: Mapped[int] = mapped_column(ForeignKey("round.id"), index=True)
    examined_at: Mapped[datetime]
    responses: Mapped[int]
    families: Mapped[str]
    counts: Mapped[str]
