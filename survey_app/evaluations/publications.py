"""Publication of an evaluation as the result of its round."""

from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from survey_app.audit import OPERATOR, record
from survey_app.errors import JiayuanError
from survey_app.models import Evaluation, Publication
from survey_app.models.vocabulary import AuditAction
from survey_app.storage.advisory_locks import AdvisoryLock, lock_until_commit


class PublicationRefused(JiayuanError):
    """The evaluation cannot be published as asked; `because` is provisional, published or no_reason."""

    status = 409
    page = "staff/publication_refused.html"

    def __init__(self, evaluation_id: int, because: str) -> None:
        super().__init__(f"evaluation {evaluation_id} cannot be published: {because}")
        self.evaluation_id, self.because = evaluation_id, because


def publish_evaluation(
    session: Session, *, evaluation_id: int, reason: str | None, by: str = OPERATOR, now: datetime
) -> Publication:
    """Publish an official evaluation as the result of its round; one that replaces another needs a reason.

    Raises `LookupError` if there is no such evaluation.
    """
    evaluation = session.get(Evaluation, evaluation_id)
    if evaluation is None:
        raise LookupError(f"there is no evaluation {evaluation_id}")
    # Two clerks at once: the second waits here and then has to say why it replaces the first one's.
    lock_until_commit(session, AdvisoryLock.PUBLICATION, of=evaluation.round_id)
    before = published_evaluations(session).get(evaluation.round_id)
    if evaluation.provisional:
        raise PublicationRefused(evaluation_id, "provisional")
    if session.scalar(select(Publication.id).filter_by(evaluation_id=evaluation_id)) is not None:
        raise PublicationRefused(evaluation_id, "published")
    if before is not None and not (reason or "").strip():
        raise PublicationRefused(evaluation_id, "no_reason")
    publication = Publication(evaluation_id=evaluation_id, reason=(reason or "").strip() or None, published_at=now)
    session.add(publication)
    session.flush()
    record(
        session,
        by=by,
        action=AuditAction.EVALUATION_PUBLISHED,
        subject=f"round:{evaluation.round_id}",
        before=None if before is None else {"evaluation": before},
        after={"evaluation": evaluation_id, "standings": evaluation.standings_sha256},
        now=now,
    )
    return publication


def published_evaluations(session: Session) -> dict[int, int]:
    """Return, by round, the published evaluation that is its result: the one that was published last."""
    statement = (
        select(Evaluation.round_id, Evaluation.id)
        .join(Publication, Publication.evaluation_id == Evaluation.id)
        .order_by(Publication.id)
    )
    return {row.round_id: row.id for row in session.execute(statement)}
