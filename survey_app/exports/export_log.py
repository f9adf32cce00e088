"""Export log: who downloaded which file, in the audit chain before the first byte of it is sent."""

from datetime import datetime

from sqlalchemy.orm import Session

from survey_app.accounts.guard import SignedIn
from survey_app.audit import Action, record


def record_export(session: Session, *, account: SignedIn, kind: str, subject: str, now: datetime) -> None:
    """Record in the audit chain that an account exports a file, and of which area."""
    facts = {"kind": kind, "area": str(account.scope.area), "place": account.scope.id}
    record(session, by=account.actor, action=Action.EXPORTED, subject=subject, after=facts, now=now)
