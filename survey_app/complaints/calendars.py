"""Published calendars: the working days of the city, of each year the version that was published last."""

from collections.abc import Collection, Sequence
from datetime import date, datetime

from sqlalchemy import func, select, tuple_
from sqlalchemy.orm import Session

from survey_app.audit import record
from survey_app.complaints.working_days import Calendar, CalendarYear, calendar_of
from survey_app.models import WorkingCalendar
from survey_app.models.vocabulary import AuditAction
from survey_app.storage.advisory_locks import AdvisoryLock, lock_until_commit

_TOLD_FROM_MONTH = 9

_newest = select(WorkingCalendar.year, func.max(WorkingCalendar.version)).group_by(WorkingCalendar.year)
_is_in_force = tuple_(WorkingCalendar.year, WorkingCalendar.version).in_(_newest)
_IN_FORCE = select(WorkingCalendar).where(_is_in_force).order_by(WorkingCalendar.year)
_TEXTS_IN_FORCE = _IN_FORCE.with_only_columns(WorkingCalendar.text)


def calendar(session: Session) -> Calendar:
    """Return the calendar of the years that are published."""
    return calendar_of(tuple(session.scalars(_TEXTS_IN_FORCE)))


def is_missing(year: int, known: Collection[int], *, today: date) -> bool:
    """Return whether a year is to be published now: this one always, the next from September on.

    The State Council's office announces a year in autumn, and cases of its last weeks are due in the next.
    """
    begins = date(today.year, _TOLD_FROM_MONTH, 1)
    return year not in known and (year <= today.year or (year == today.year + 1 and today >= begins))


def published_years(session: Session) -> Sequence[WorkingCalendar]:
    """Return what holds of each published year, in the order of years."""
    return session.scalars(_IN_FORCE).all()


def publish_year(
    session: Session, announced: CalendarYear, *, by: str, account_id: int, now: datetime
) -> WorkingCalendar:
    """Publish a year, or the correction of one, and return it; what holds already is not published again.

    The deadlines of open cases follow it as soon as they are settled; what was judged is not judged again.
    """
    lock_until_commit(session, AdvisoryLock.CALENDAR, of=announced.year)
    of_year = select(WorkingCalendar).filter_by(year=announced.year).order_by(WorkingCalendar.version.desc())
    earlier = session.scalar(of_year.limit(1))
    if earlier is not None and earlier.sha256 == announced.sha256:
        return earlier
    published = WorkingCalendar(
        year=announced.year,
        version=1 if earlier is None else earlier.version + 1,
        text=announced.canonical_text,
        sha256=announced.sha256,
        published_at=now,
        account_id=account_id,
    )
    session.add(published)
    session.flush()
    before = {} if earlier is None else {"sha256": earlier.sha256}
    record(
        session,
        by=by,
        action=AuditAction.CALENDAR_PUBLISHED,
        subject=f"calendar:{announced.year}",
        before=before,
        after={"sha256": published.sha256},
        now=now,
    )
    return published
