"""Evaluations as background jobs: a round of millions of answers takes longer than a page may."""

import json
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Final

from sqlalchemy import select
from sqlalchemy.orm import Session

from survey_app.jobs.handlers import JobKind, RunningJob
from survey_app.jobs.leases import LeaseTerms
from survey_app.jobs.queue import enqueue
from survey_app.models import Job
from survey_app.models.jobs import OPEN_STATUSES
from survey_app.storage.database import Database

if TYPE_CHECKING:
    from survey_app.evaluations.evaluate_round import Stage

EVALUATION: Final = "evaluation"
"""Name of the kind of job."""

# The longest step without a report is the examination for signs of stuffing.
_TERMS: Final = LeaseTerms(lasts=timedelta(minutes=30), attempts=2, first_delay=timedelta(seconds=10))
_ALL: Final = 100
# In percent of the whole: where each stage begins and how much of it is its own.
_STAGES: Final[Mapping[str, tuple[int, int]]] = {
    "examining": (0, 20),
    "counting": (20, 55),
    "judging": (75, 10),
    "storing": (85, 15),
}


def ask_for_evaluation(session: Session, *, round_id: int, provisional: bool, by: str, now: datetime) -> int:
    """Enqueue the evaluation of a round and return the id of its job; that of an open one if somebody asked before."""
    return enqueue(
        session,
        kind=EVALUATION,
        key=f"{round_id} {'provisional' if provisional else 'official'}",
        arguments={"round": round_id, "provisional": provisional},
        by=by,
        now=now,
    )


def find_evaluation_job(session: Session, *, job_id: int) -> Job:
    """Return the job of an evaluation, or raise `LookupError`: there is none, or it ended a month ago."""
    job = session.scalar(select(Job).filter_by(id=job_id, kind=EVALUATION))
    if job is None:
        raise LookupError(f"there is no evaluation with job {job_id}")
    return job


def evaluations_under_way(session: Session) -> Mapping[int, int]:
    """Return by round the id of the newest open job that evaluates it."""
    jobs = session.execute(
        select(Job.id, Job.arguments).where(Job.kind == EVALUATION, Job.status.in_(OPEN_STATUSES)).order_by(Job.id)
    )
    return {json.loads(job.arguments)["round"]: job.id for job in jobs}


def run_evaluation(database: Database, job: RunningJob, now: datetime) -> Mapping[str, object]:
    """Evaluate the round that a job names, and return the id of the evaluation and whether it is new."""
    # pandas takes a second and 150 MB: only a process that evaluates loads it.
    from survey_app.evaluations.evaluate_round import evaluate_round  # noqa: PLC0415

    def report(stage: "Stage", share: float) -> None:
        begins, lasts = _STAGES[stage]
        job.report(begins + int(lasts * share), _ALL, stage=stage)

    evaluation = evaluate_round(
        database,
        round_id=job.arguments["round"],
        provisional=job.arguments["provisional"],
        now=now,
        by=job.by,
        report=report,
    )
    return {"evaluation": evaluation.id, "is_new": evaluation.evaluated_at == now}


EVALUATION_JOB: Final = JobKind(EVALUATION, run_evaluation, _TERMS)
