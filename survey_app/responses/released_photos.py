"""Photos of responses that staff may see: those of a closed round, with the community that they came from.

Whoever looked before the round is over, and again later, would know who answered in between. Photos of responses that
are held for review, excluded, withdrawn or replaced are not shown, and none from a community of which too few answered
for opinions to be told: neighbours would know whose they are. Neither the day nor whether two photos came with the same
answers can be told.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import Select, func, select
from sqlalchemy.orm import Session

from analytics.disclosure.rules import rules_in_force
from analytics.languages import Wording
from survey_app.accounts.scope import Scope
from survey_app.attachments.kinds import PHOTO
from survey_app.attachments.photos import data_address
from survey_app.models import Attachment, AttachmentThumbnail, Community, Response, ResponseReview, Round
from survey_app.models.vocabulary import ResponseStatus, ReviewState
from survey_app.responses.counting_status import status_of_response
from survey_app.responses.integrity_reviews import newest_review
from survey_app.rounds.questionnaires import questionnaire_from_canonical
from survey_app.stored_rules import rules_of


@dataclass(frozen=True)
class ReleasedPhoto:
    """Photo, what it was asked for, and where it was taken."""

    name: str
    thumbnail: str | None
    question: Wording
    community: Wording


@dataclass(frozen=True)
class PhotoPlace:
    """Community with the number of photos that came from it."""

    number: str
    community: Wording
    photos: int


def places_with_photos(session: Session, *, survey_round: Round, scope: Scope) -> Sequence[PhotoPlace]:
    """Return the communities in scope from which photos can be shown."""
    columns = (Community.number, Community.name, Community.english_name, func.count().label("photos"))
    statement = _released(columns, survey_round, scope).group_by(Community.id).order_by(Community.sort_key)
    return [
        PhotoPlace(row.number, Wording.of(row.name, row.english_name), row.photos) for row in session.execute(statement)
    ]


def released_photos(
    session: Session, *, survey_round: Round, scope: Scope, number: str, limit: int, offset: int
) -> Sequence[ReleasedPhoto]:
    """Return photos of a round in scope, or of the one community with this number, in an order that reveals nothing."""
    columns = (
        Attachment.name.label("photo"),
        Attachment.question,
        AttachmentThumbnail.content.label("small"),
        Community.name,
        Community.english_name,
    )
    statement = _released(columns, survey_round, scope).outerjoin(
        AttachmentThumbnail, AttachmentThumbnail.attachment_id == Attachment.id
    )
    if number:
        statement = statement.where(Community.number == number)
    # By their random names within a community: what came together does not stand together.
    statement = statement.order_by(Community.sort_key, Community.id, Attachment.name).limit(limit).offset(offset)
    questionnaire = questionnaire_from_canonical(survey_round.questionnaire.text)
    return [
        ReleasedPhoto(
            name=row.photo,
            thumbnail=None if row.small is None else data_address(row.small),
            question=questionnaire.question(row.question).short,
            community=Wording.of(row.name, row.english_name),
        )
        for row in session.execute(statement)
    ]


def find_released_photo(session: Session, *, survey_round: Round, scope: Scope, name: str) -> bytes:
    """Return one released photo, or raise `LookupError` where it is not among them."""
    content: bytes | None = session.scalar(
        _released((Attachment.content,), survey_round, scope).where(Attachment.name == name)
    )
    if content is None:
        raise LookupError(name)
    return content


def _released(columns: Sequence[Any], survey_round: Round, scope: Scope) -> Select[*tuple[Any, ...]]:
    rules = rules_of(survey_round.rule_file.content)
    closes_at = survey_round.closes_at
    counted = (
        Response.round_id == survey_round.id,
        Response.submitted_at < closes_at,
        status_of_response(rules.satisfaction.population, before=closes_at) == ResponseStatus.COUNTED,
    )
    disclosure = rules_in_force(closes_at.astimezone(ZoneInfo(rules.time_zone)).date())
    large = (
        select(Response.community_id)
        .where(*counted)
        .group_by(Response.community_id)
        .having(func.count() >= disclosure.minimum_opinion_base)
    )
    waiting = select(ResponseReview.response_id).where(ResponseReview.state == ReviewState.HELD, newest_review())
    statement = (
        select(*columns)
        .select_from(Attachment)
        .join(Response, Attachment.response_id == Response.id)
        .join(Community, Response.community_id == Community.id)
        .where(
            Attachment.kind == PHOTO.name,
            *counted,
            Response.id.not_in(waiting),
            Response.community_id.in_(large),
        )
    )
    return scope.communities(statement)
