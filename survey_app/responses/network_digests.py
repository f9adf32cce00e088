"""Network digests of responses, kept for less than 48 hours, to find many forms that came over one line."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Final

from sqlalchemy import ColumnElement, ScalarSelect, func, or_, select, update
from sqlalchemy.orm import InstrumentedAttribute, Session

from survey_app.accounts.network_digests import NetworkDigests
from survey_app.models import IntegrityExamination, Response
from survey_app.models.vocabulary import AuditAction
from survey_app.responses.erasure_counts import count_erased
from survey_app.storage.database import Database
from survey_app.storage.short_transactions import ShortTransactions, read_ids

# The privacy notice promises 48 hours, and what is erased hourly may be an hour older, or two where one run was missed.
RETENTION_TIME: Final = timedelta(hours=46)

_ERASED: Final[Mapping[str, None]] = {"address_digest": None, "prefix_digest": None}


def network_values(network: NetworkDigests | None) -> Mapping[str, str | None]:
    """Return the columns of a response that hold from where it was sent."""
    if network is None:
        return _ERASED
    return {"address_digest": network.address, "prefix_digest": network.prefix}


def erase_network_digests(database: Database, *, by: str, now: datetime) -> int:
    """Erase the network digests that were kept long enough, and return of how many responses.

    It is done in short transactions, which count what `record_erasures` puts on record.
    """
    due = read_ids(database, select(Response.id).where(*_is_due(now)).order_by(Response.submitted_at))
    transactions = ShortTransactions(database)
    for part in transactions.parts(due):
        with transactions.writing() as session:
            session.execute(update(Response).where(Response.id.in_(part)).values(_ERASED))
            count_erased(
                session,
                by=by,
                action=AuditAction.TERMINALS_ERASED,
                subject="terminals",
                fact="count",
                count=len(part),
            )
    return len(due)


def last_examination(round_id: InstrumentedAttribute[int]) -> ScalarSelect[datetime]:
    """Return the SQL expression for the time of the last examination of a round, NULL if there was none."""
    of_round = select(func.max(IntegrityExamination.examined_at)).where(IntegrityExamination.round_id == round_id)
    return of_round.scalar_subquery()


def rounds_with_unseen_digests(session: Session, *, now: datetime) -> Sequence[int]:
    """Return the rounds with network digests that are to be erased and that no examination has looked at.

    There are none where answers are examined every night. After days without a server, or nights on which the
    examination failed, they are looked at once before they go.
    """
    examined_at = last_examination(Response.round_id)
    is_unseen = or_(examined_at.is_(None), Response.submitted_at >= examined_at)
    # Not of the bare column: SQLite would read all answers by round to find each one once.
    round_id = (Response.round_id + 0).label("round_id")
    statement = select(round_id).where(*_is_due(now), is_unseen).distinct()
    return session.scalars(statement.order_by(round_id)).all()


def _is_due(now: datetime) -> tuple[ColumnElement[bool], ...]:
    is_known = or_(Response.address_digest.is_not(None), Response.prefix_digest.is_not(None))
    return is_known, Response.submitted_at <= now - RETENTION_TIME
