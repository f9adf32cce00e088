"""Published calendars: the working days of the city, of each year the version that was published last."""

from collections.abc import Collection, Sequence
from datetime import date, datetime

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from survey_app.audit import record
from survey_app.complaints.working_days import Calendar, CalendarYear, calendar_of
from survey_app.models import WorkingCalendar
from survey_app.models.vocabulary import AuditAction
from survey_app.storage.advisory_locks import AdvisoryLock, lock_until_commit

_TOLD_FROM_MONTH = 9


def calendar(session: Session) -> Calendar:
    """Return the calendar of the years that are published."""
    return calendar_of(tuple(each.text for each in published_years(session)))


def is_missing(year: int, known: Collection[int], *, today: date) -> bool:
    """Return whether a year is to be published now: this one always, the next from September on.

    The State Council's office announces a year in autumn, and cases of its last weeks are due in the next.
    """
    begins = date(today.year, _TOLD_FROM_MONTH, 1)
    return year not in known and (year <= today.year or (year == today.year + 1 and today >= begins))


def published_years(session: Session) -> Sequence[WorkingCalendar]:
    """Return what holds of each published year, in the order of years."""
    newest = select(WorkingCalendar.year, func.max(WorkingCalendar.version).label("version"))
    in_force = newest.group_by(WorkingCalendar.year).subquery()
    is_in_force = (WorkingCalendar.year == in_force.c.year) & (WorkingCalendar.version == in_force.c.version)
    return session.scalars(select(WorkingCalendar).join(in_force, is_in_force).order_by(WorkingCalendar.year)).all()


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
