"""Device digests of responses, kept for 48 hours, to find many forms that one phone filled in."""

from datetime import datetime, timedelta
from typing import Final

from sqlalchemy import func, select, update
from sqlalchemy.orm import Session

from survey_app.audit import record
from survey_app.models import Response
from survey_app.models.vocabulary import AuditAction
from survey_app.security.digests import keyed_digest

# What the privacy notice promises.
RETENTION_TIME: Final = timedelta(hours=48)


def terminal_digest(*, address: str | None, user_agent: str, round_id: int, secret_key: str) -> str | None:
    """Return the keyed digest of a network address and browser in one round; None where no address is known.

    Each round has a key of its own: nobody is recognised from one round to the next.
    """
    if not address:
        return None
    return keyed_digest(f"{address}\n{user_agent}", purpose=f"terminal.{round_id}", secret_key=secret_key)


def erase_device_digests(session: Session, *, by: str, now: datetime) -> int:
    """Erase the device digests that were kept long enough, and return how many."""
    is_old = (Response.terminal_digest.is_not(None), Response.submitted_at <= now - RETENTION_TIME)
    erased = session.scalar(select(func.count()).select_from(Response).where(*is_old)) or 0
    if erased:
        session.execute(update(Response).where(*is_old).values(terminal_digest=None))
        record(
            session, by=by, action=AuditAction.TERMINALS_ERASED, subject="terminals", after={"count": erased}, now=now
        )
    return erased
