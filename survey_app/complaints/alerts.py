"""Alerts that a matter of safety waits, sent outside of the site; a message carries the reference and nothing else."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Final

from sqlalchemy import select
from sqlalchemy.orm import Session

from analytics.languages import N_
from survey_app.alert_channels import AlertChannel
from survey_app.audit import SITE
from survey_app.catalogue import translator
from survey_app.complaints.categories import category_of
from survey_app.jobs.handlers import JobKind, RunningJob
from survey_app.jobs.leases import LeaseTerms
from survey_app.jobs.queue import enqueue
from survey_app.models import Complaint
from survey_app.models.vocabulary import CaseStatus
from survey_app.storage.database import Database

_KIND: Final = "alert"
# A mail server that is away for an hour is tried again: after 1, 2, 4, … 32 minutes.
_TERMS: Final = LeaseTerms(lasts=timedelta(minutes=2), attempts=7)


def enqueue_alert(session: Session, complaint: Complaint, *, now: datetime) -> None:
    """Have an office told of a case that was just filed, if it is a matter of safety."""
    if category_of(complaint.category).safety:
        enqueue(session, kind=_KIND, arguments={"reference": complaint.reference}, by=SITE, now=now)


def alert_job(channel: AlertChannel | None) -> JobKind:
    """Return the kind of job that tells an office; without a channel, or once the case is accepted, it tells nobody."""

    def run(database: Database, job: RunningJob, _now: datetime) -> Mapping[str, bool]:
        reference = job.arguments["reference"]
        with database.reading() as session:
            status = session.scalar(select(Complaint.status).filter_by(reference=reference))
        if channel is None or status != CaseStatus.SUBMITTED:
            return {"is_told": False}
        channel.send(reference=reference, subject=_in_both(_SUBJECT, " / "), text=_in_both(_TEXT, "\n"))
        return {"is_told": True}

    return JobKind(_KIND, run, _TERMS)


_SUBJECT: Final = N_("A matter of safety waits:")
_TEXT: Final = N_("A complaint about safety waits to be accepted. Please sign in and look at the case.")


def _in_both(sentence: str, between: str) -> str:
    """Return a sentence in both languages: who reads the mail has chosen none."""
    return between.join(translator(language)(sentence) for language in ("zh-Hans", "en"))
