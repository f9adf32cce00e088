"""Network digests of responses, kept for less than 48 hours, to find many forms that came over one line."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Final

from sqlalchemy import func, or_, select, update
from sqlalchemy.orm import Session

from survey_app.accounts.network_digests import NetworkDigests
from survey_app.audit import record
from survey_app.models import Response
from survey_app.models.vocabulary import AuditAction

# The privacy notice promises 48 hours, and what is erased hourly may be an hour older, or two where one run was missed.
RETENTION_TIME: Final = timedelta(hours=46)

_ERASED: Final[Mapping[str, None]] = {"address_digest": None, "prefix_digest": None}


def network_values(network: NetworkDigests | None) -> Mapping[str, str | None]:
    """Return the columns of a response that hold from where it was sent."""
    if network is None:
        return _ERASED
    return {"address_digest": network.address, "prefix_digest": network.prefix}


def erase_network_digests(session: Session, *, by: str, now: datetime) -> int:
    """Erase the network digests that were kept long enough, and return of how many responses."""
    is_known = or_(Response.address_digest.is_not(None), Response.prefix_digest.is_not(None))
    is_old = (is_known, Response.submitted_at <= now - RETENTION_TIME)
    erased = session.scalar(select(func.count()).select_from(Response).where(*is_old)) or 0
    if erased:
        session.execute(update(Response).where(*is_old).values(_ERASED))
        record(
            session, by=by, action=AuditAction.TERMINALS_ERASED, subject="terminals", after={"count": erased}, now=now
        )
    return erased
