"""Retention of responses: what is erased when, as the privacy notice promises, while every count stays what it was.

Network addresses go within 48 hours. A round is frozen once it has closed and has an official evaluation, from when on
nothing can change what counts: then the links to households go, the texts and the photos. Which answers were replaced
by their household's next is marked on them first. After the last day that the round states, nothing stays of a response
but the round and the community that it counts in.

What is to be erased is looked for while others write, and erased in short transactions, so that residents' forms come
in between. Each leaves the database right by itself: what a process that died has not erased, the next pass does. A
round of which everything is erased says so and is looked at no more.
"""

import json
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, fields, replace
from datetime import datetime
from typing import Any, Final

from sqlalchemy import ColumnElement, bindparam, delete, exists, func, or_, select, update
from sqlalchemy.orm import Session

from analytics.canonical import canonical_json
from survey_app.attachments.attachments import erase_attachments
from survey_app.models import (
    Attachment,
    Code,
    Evaluation,
    IntegrityExamination,
    Response,
    ResponseEvent,
    Round,
    SlipBatch,
)
from survey_app.models.vocabulary import AuditAction
from survey_app.responses.commitments import BY_QUESTION, openings_without
from survey_app.responses.counting_status import ERASED_VALUES, superseded_within
from survey_app.responses.erasure_counts import count_erased, record_erasures
from survey_app.responses.network_digests import erase_network_digests
from survey_app.responses.responses_in_order import responses_in_order
from survey_app.rounds.questionnaires import Questionnaire, QuestionType, questionnaire_from_canonical
from survey_app.rounds.rounds import is_kept
from survey_app.storage.database import Database
from survey_app.storage.short_transactions import ShortTransactions, read_ids

# Each is some hundred kilobytes.
_MOST_PHOTOS: Final = 20

# Values that are cleared when the retention of a round is over; what stays is the round and the community.
REDUCED_VALUES: Final[Mapping[str, None]] = ERASED_VALUES | dict.fromkeys(
    (
        "submission_key",
        "receipt",
        "commitment",
        "handle",
        "change_digest",
        "language",
        "mode",
        "entered_by_id",
        "corrects_id",
        "started_at",
        "submitted_at",
        "superseded_within",
    )
)

Report = Callable[[int], None]


@dataclass(frozen=True)
class ErasedCounts:
    """Numbers of what one pass erased."""

    terminals: int = 0
    household_links: int = 0
    comments: int = 0
    photos: int = 0
    responses: int = 0
    examinations: int = 0

    @property
    def total(self) -> int:
        """How much was erased altogether."""
        return sum(getattr(self, field.name) for field in fields(self))


@dataclass(frozen=True)
class _Pass:
    """One pass over the database: who asked for it, when, and whom to tell how much is erased."""

    database: Database
    by: str
    now: datetime
    report: Report


def report_to_nobody(_erased: int) -> None:
    """Take no notice of progress."""


def erase_expired(database: Database, *, by: str, now: datetime, report: Report = report_to_nobody) -> ErasedCounts:
    """Erase whatever is past its retention period; a second pass finds nothing.

    On SQLite what was erased is gone from the files too, if nobody reads just then; otherwise with the next pass.
    """
    this = _Pass(database, by, now, report)
    found = ErasedCounts(terminals=erase_network_digests(database, by=by, now=now))
    with database.reading() as session:
        frozen, over = _frozen_rounds(session, now), _rounds_that_are_over(session, now)
    for round_id in frozen:
        found = _sum(found, _erase_after_freeze(this, round_id))
    for round_id in over:
        found = _sum(found, ErasedCounts(responses=_reduce_responses(this, round_id)))
    found = replace(found, examinations=_erase_earlier_examinations(this))
    record_erasures(database, now=now)
    database.truncate_log()
    return found


def _frozen_rounds(session: Session, now: datetime) -> Sequence[int]:
    """Return the rounds that are frozen and have not lost their texts and links yet."""
    is_official = exists().where(Evaluation.round_id == Round.id, Evaluation.provisional.is_(False))
    waiting = select(Round.id).where(Round.closes_at <= now, Round.comments_erased_at.is_(None), is_official)
    return session.scalars(waiting.order_by(Round.id)).all()


def _rounds_that_are_over(session: Session, now: datetime) -> Sequence[int]:
    waiting = select(Round).where(Round.closes_at <= now, Round.responses_erased_at.is_(None)).order_by(Round.id)
    return [each.id for each in session.scalars(waiting) if not is_kept(each, now=now)]


def _sum(some: ErasedCounts, more: ErasedCounts) -> ErasedCounts:
    names = [field.name for field in fields(ErasedCounts)]
    return ErasedCounts(**{name: getattr(some, name) + getattr(more, name) for name in names})


def _erase_after_freeze(this: _Pass, round_id: int) -> ErasedCounts:
    """Remove the links to households, the texts and the photos of a round."""
    erased = ErasedCounts(
        household_links=_remove_household_links(this, round_id),
        comments=_erase_comments(this, round_id),
        photos=_erase_photos(this, round_id),
    )
    with this.database.writing() as session:
        session.get_one(Round, round_id).comments_erased_at = this.now
    return erased


def _remove_household_links(this: _Pass, round_id: int) -> int:
    """Remove the links to slip and household from the answers of a round; return of how many."""
    linked = _find(this, round_id, Response.household_key.is_not(None))
    if linked:
        _note_answered_households(this.database, round_id)
    with this.database.reading() as session:
        mark = superseded_within(before=session.get_one(Round, round_id).closes_at)
    removed = 0
    transactions = ShortTransactions(this.database)
    for part in transactions.parts(linked):
        with transactions.writing() as session:
            # Whole households: which of its answers is the newest is found as long as all of them have their link.
            households = select(Response.household_key).where(
                Response.id.in_(part), Response.household_key.is_not(None)
            )
            of_them = select(Response.id, mark).where(Response.household_key.in_(session.scalars(households).all()))
            by_mark: defaultdict[str | None, list[int]] = defaultdict(list)
            for number, replaced in session.execute(of_them):
                by_mark[replaced].append(number)
            for replaced, numbers in by_mark.items():
                cleared = {"superseded_within": replaced, "household_key": None, "code_id": None}
                _change(session, update(Response).where(Response.id.in_(numbers)).values(**cleared))
            # Some had lost their link with another answer of their household.
            count = sum(map(len, by_mark.values()))
            _count(session, this, AuditAction.HOUSEHOLD_LINKS_REMOVED, round_id, responses=count)
        removed += count
        this.report(removed)
    return removed


def _note_answered_households(database: Database, round_id: int) -> None:
    """Store how many households answered with slips, each with the batch of its first slip, before the first goes."""
    with database.reading() as session:
        is_waiting = (SlipBatch.round_id == round_id, SlipBatch.households_answered.is_(None))
        waiting = session.scalars(select(SlipBatch.id).where(*is_waiting)).all()
        if not waiting:
            return
        answered = select(Response.household_key).where(
            responses_in_order(session, round_id), Response.household_key.is_not(None)
        )
        first = select(func.min(Code.batch_id).label("batch_id")).where(Code.household_key.in_(answered))
        of_household = first.group_by(Code.household_key).subquery()
        counting = select(of_household.c.batch_id, func.count()).group_by(of_household.c.batch_id)
        counts: dict[int, int] = dict(session.execute(counting).all())
    transactions = ShortTransactions(database)
    noting = (
        update(SlipBatch.__table__)  # type: ignore[arg-type]  # a table it is
        .where(SlipBatch.id == bindparam("batch_id"), SlipBatch.households_answered.is_(None))
        .values(households_answered=bindparam("answered"))
    )
    for part in transactions.parts(waiting):
        with transactions.writing() as session:
            numbers = [{"batch_id": batch_id, "answered": counts.get(batch_id, 0)} for batch_id in part]
            session.connection().execute(noting, numbers)


def _erase_comments(this: _Pass, round_id: int) -> int:
    """Erase the texts in the answers of a round, and what would prove a guessed one; return in how many answers."""
    with this.database.reading() as session:
        questionnaire = questionnaire_from_canonical(session.get_one(Round, round_id).questionnaire.text)
    texts = [question.key for question in questionnaire.questions if question.type is QuestionType.TEXT]
    if not texts:
        return 0
    # Canonical text: within an answer each quotation mark would have a backslash before it.
    has_text = or_(*(Response.answers.contains(f'"{key}":', autoescape=True) for key in texts))
    columns = (Response.id, Response.answers, Response.nonce, Response.openings, Response.commitment_algorithm)
    # Whoever had the answers erased meanwhile has no text left to erase.
    erasing = (
        update(Response.__table__)  # type: ignore[arg-type]  # a table it is
        .where(Response.id == bindparam("response_id"), Response.answers.is_not(None))
        .values(answers=bindparam("kept"), nonce=None, openings=bindparam("opened"))
    )
    erased = 0
    transactions = ShortTransactions(this.database)
    for part in transactions.parts(_find(this, round_id, has_text)):
        with this.database.reading() as session:
            rows = session.execute(select(*columns).where(Response.id.in_(part), Response.answers.is_not(None))).all()
        changes = [_without_texts(row, questionnaire, texts) for row in rows]
        if not changes:
            continue
        with transactions.writing() as session:
            changed = session.connection().execute(erasing, changes).rowcount
            _count(session, this, AuditAction.COMMENTS_ERASED, round_id, responses=changed)
        erased += changed
        this.report(erased)
    return erased


def _without_texts(row: Any, questionnaire: Questionnaire, texts: Sequence[str]) -> dict[str, Any]:
    """Return what is kept of a response without its texts."""
    answers = json.loads(row.answers)
    kept = {key: answer for key, answer in answers.items() if key not in texts}
    openings = None
    # The commitment of the first algorithm binds the whole text: without it, nothing can be shown by it any more.
    if row.commitment_algorithm == BY_QUESTION:
        keys = [question.key for question in questionnaire.questions]
        openings = openings_without(texts, nonce=row.nonce, questions=keys, answers=answers)
    return {"response_id": row.id, "kept": canonical_json(kept), "opened": openings}


def _erase_photos(this: _Pass, round_id: int) -> int:
    of_round = (
        select(Attachment.id)
        .join(Response, Attachment.response_id == Response.id)
        .where(Response.round_id == round_id)
        .order_by(Attachment.id)
    )
    erased = 0
    transactions = ShortTransactions(this.database, most=_MOST_PHOTOS)
    for part in transactions.parts(read_ids(this.database, of_round)):
        with transactions.writing() as session:
            _change(session, delete(Attachment).where(Attachment.id.in_(part)))
            _count(session, this, AuditAction.COMMENTS_ERASED, round_id, photos=len(part))
        erased += len(part)
        this.report(erased)
    return erased


def _reduce_responses(this: _Pass, round_id: int) -> int:
    """Erase of the responses of a round all but the round and the community; return of how many."""
    reduced = 0
    transactions = ShortTransactions(this.database)
    for part in transactions.parts(_find(this, round_id, Response.receipt.is_not(None))):
        with transactions.writing() as session:
            erase_attachments(session, response_ids=part)
            _change(session, delete(ResponseEvent).where(ResponseEvent.response_id.in_(part)))
            # Of all the same moment: when somebody had asked for it earlier is nobody's business any more.
            _change(session, update(Response).where(Response.id.in_(part)).values(**REDUCED_VALUES, erased_at=this.now))
            _count(session, this, AuditAction.RESPONSES_ERASED, round_id, responses=len(part))
        reduced += len(part)
        this.report(reduced)
    with this.database.writing() as session:
        session.get_one(Round, round_id).responses_erased_at = this.now
    return reduced


def _find(this: _Pass, round_id: int, condition: ColumnElement[bool]) -> Sequence[int]:
    """Return the ids of the responses of a round that meet a condition, in their order."""
    with this.database.reading() as session:
        in_order = responses_in_order(session, round_id)
    return read_ids(this.database, select(Response.id).where(in_order, condition).order_by(Response.id))


def _erase_earlier_examinations(this: _Pass) -> int:
    """Erase all but the newest examination of each round: between two nights the counts tell single answers."""
    newest = select(func.max(IntegrityExamination.id)).group_by(IntegrityExamination.round_id)
    earlier = read_ids(this.database, select(IntegrityExamination.id).where(IntegrityExamination.id.not_in(newest)))
    transactions = ShortTransactions(this.database, most=_MOST_PHOTOS)
    for part in transactions.parts(earlier):
        with transactions.writing() as session:
            _change(session, delete(IntegrityExamination).where(IntegrityExamination.id.in_(part)))
            count_erased(
                session,
                by=this.by,
                action=AuditAction.EXAMINATIONS_ERASED,
                subject="examinations",
                fact="count",
                count=len(part),
            )
    return len(earlier)


def _change(session: Session, statement: Any) -> None:
    # Nobody holds these rows in a session.
    session.execute(statement, execution_options={"synchronize_session": False})


def _count(session: Session, this: _Pass, action: AuditAction, round_id: int, **counts: int) -> None:
    for fact, count in counts.items():
        count_erased(session, by=this.by, action=action, subject=f"round:{round_id}", fact=fact, count=count)
