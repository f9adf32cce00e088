"""Overview of the rounds: what came in, and the evaluations of each."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy import Row, Select, func, select
from sqlalchemy.orm import Session, joinedload

from survey_app.accounts.scope import Scope
from survey_app.attachments.kinds import PHOTO
from survey_app.city_time import last_day, zone_of
from survey_app.collection.tallies import count_received
from survey_app.evaluations.evaluation_jobs import evaluations_under_way
from survey_app.evaluations.publications import published_evaluations
from survey_app.evaluations.standings import counts_a_closed_round
from survey_app.models import Attachment, Evaluation, Publication, Questionnaire, Response, Round, RuleFile
from survey_app.rounds.rounds import is_kept


@dataclass(frozen=True)
class RoundOverview:
    """Round as the home page shows it; times are the city's own."""

    id: int
    name: str
    english_name: str | None
    opens_at: datetime
    last_day: date
    state: str
    received: int
    closed_early_because: str | None
    has_photos: bool
    # Whether single responses may still be downloaded and evaluated, and whether their comments may.
    keeps_responses: bool
    keeps_comments: bool
    rules: RuleFile
    questionnaire: Questionnaire
    evaluations: Sequence["EvaluationOverview"]
    # The job that evaluates it just now.
    evaluation_job: int | None

    @property
    def has_result(self) -> bool:
        """Whether an evaluation was published."""
        return any(evaluation.is_result for evaluation in self.evaluations)

    @property
    def has_official_evaluation(self) -> bool:
        """Whether an official evaluation exists: evaluating again then only finds the stored result."""
        return any(not evaluation.provisional for evaluation in self.evaluations)


@dataclass(frozen=True)
class EvaluationOverview:
    """Stored evaluation as the home page lists it; `number` counts those of its round from 1."""

    id: int
    number: int
    provisional: bool
    evaluated_at: datetime
    cut_off: datetime
    standings_sha256: str
    evidence_method: int
    # The one that was published last is the result of its round; an earlier one was replaced by it.
    is_published: bool
    is_result: bool

    @property
    def may_become_result(self) -> bool:
        """Whether it can still be published."""
        return not self.provisional and not self.is_published


_Row = Row[int, int, bool, datetime, datetime, str, int]


def read_round_overviews(session: Session, *, scope: Scope, now: datetime) -> list[RoundOverview]:
    """Return all rounds, the latest first, with what came in from the communities in scope."""
    received = count_received(session, scope=scope)
    evaluations: dict[int, list[_Row]] = {}
    for row in session.execute(_select_evaluations()):
        evaluations.setdefault(row.round_id, []).append(row)
    of_photos = select(Response.round_id).join(Attachment).where(Attachment.kind == PHOTO.name)
    with_photos = set(session.scalars(of_photos.distinct()))
    under_way = evaluations_under_way(session)
    published = set(session.scalars(select(Publication.evaluation_id)))
    results = set(published_evaluations(session).values())
    overview = []
    for survey_round in session.scalars(
        select(Round)
        .options(joinedload(Round.rule_file), joinedload(Round.questionnaire))
        .order_by(Round.opens_at.desc())
    ):
        zone = zone_of(survey_round.rule_file.content)
        overview.append(
            RoundOverview(
                id=survey_round.id,
                name=survey_round.name,
                english_name=survey_round.english_name,
                opens_at=survey_round.opens_at.astimezone(zone),
                last_day=last_day(survey_round.closes_at, zone),
                state=_state(survey_round, now),
                received=received.get(survey_round.id, 0),
                closed_early_because=survey_round.closed_early_because,
                has_photos=survey_round.id in with_photos,
                keeps_responses=is_kept(survey_round, now=now),
                keeps_comments=is_kept(survey_round, now=now) and survey_round.comments_erased_at is None,
                rules=survey_round.rule_file,
                questionnaire=survey_round.questionnaire,
                evaluations=[
                    EvaluationOverview(
                        id=row.id,
                        number=number,
                        provisional=row.provisional,
                        evaluated_at=row.evaluated_at.astimezone(zone),
                        cut_off=row.cut_off.astimezone(zone),
                        standings_sha256=row.standings_sha256,
                        evidence_method=row.evidence_method,
                        is_published=row.id in published,
                        is_result=row.id in results,
                    )
                    for number, row in _numbered(evaluations.get(survey_round.id, ()))
                ],
                evaluation_job=under_way.get(survey_round.id),
            )
        )
    return overview


def number_in_round(session: Session, evaluation: Evaluation) -> int:
    """Return which evaluation of its round this is, counted from 1, as the overview numbers them."""
    earlier = select(func.count()).where(Evaluation.round_id == evaluation.round_id, Evaluation.id <= evaluation.id)
    return session.scalars(earlier).one()


def _numbered(newest_first: Sequence[_Row]) -> Iterator[tuple[int, _Row]]:
    return zip(range(len(newest_first), 0, -1), newest_first, strict=True)


def _select_evaluations() -> Select[int, int, bool, datetime, datetime, str, int]:
    # Not whole rows: the inputs of each are as long as the list of communities.
    columns = (
        Evaluation.id,
        Evaluation.round_id,
        Evaluation.provisional,
        Evaluation.evaluated_at,
        Evaluation.cut_off,
        Evaluation.standings_sha256,
        Evaluation.evidence_method,
    )
    return select(*columns).join(Round).where(counts_a_closed_round()).order_by(Evaluation.id.desc())


def _state(survey_round: Round, now: datetime) -> str:
    if now < survey_round.opens_at:
        return "planned"
    return "open" if now < survey_round.closes_at else "closed"
