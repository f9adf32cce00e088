"""Published casework files: each case follows the one that was in force on the day of its submission."""

from collections.abc import Iterator, Sequence
from datetime import date, datetime, timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session

from analytics.files.yaml_documents import DocumentError, Fault
from survey_app.audit import OPERATOR, record
from survey_app.city_time import local_today
from survey_app.complaints.casework_rules import CaseworkRules, casework_rules_of, parse_casework_rules
from survey_app.models import CaseworkFile
from survey_app.models.vocabulary import AuditAction


class NoCaseworkFile(LookupError):
    """No casework file is in force on a day: it lies before the first of them."""

    def __init__(self, day: date) -> None:
        super().__init__(f"no casework file is in force on {day}")
        self.day = day


def publish_casework_file(
    session: Session, *, content: bytes, source: str, by: str = OPERATOR, now: datetime
) -> CaseworkFile:
    """Publish a casework file, which freezes it, or return the stored one if it says the same.

    `DocumentError` with every fault of the file, or if it would be in force on a day on which cases were filed already:
    those of the day of its publication have begun by the file before.
    """
    rules = parse_casework_rules(content, source)
    stored = session.scalar(select(CaseworkFile).filter_by(sha256=rules.sha256))
    if stored is None:
        if faults := list(_faults_of_day(session, rules, now=now)):
            raise DocumentError(source, faults)
        stored = CaseworkFile(
            text=rules.canonical_text, sha256=rules.sha256, in_force_from=rules.in_force_from, published_at=now
        )
        session.add(stored)
        session.flush()
        facts = {"sha256": stored.sha256, "in_force_from": rules.in_force_from.isoformat()}
        subject = f"casework:{stored.id}"
        record(session, by=by, action=AuditAction.CASEWORK_FILE_PUBLISHED, subject=subject, after=facts, now=now)
    return stored


def published_casework_files(session: Session) -> Sequence[CaseworkFile]:
    """Return the published casework files, the one that is in force last first."""
    return session.scalars(select(CaseworkFile).order_by(CaseworkFile.in_force_from.desc())).all()


def casework_file_at(session: Session, moment: datetime) -> CaseworkFile:
    """Return the casework file in force at a moment, by the city's day; `NoCaseworkFile` before the first."""
    day = local_today(session, now=moment)
    in_force = select(CaseworkFile).where(CaseworkFile.in_force_from <= day)
    found = session.scalar(in_force.order_by(CaseworkFile.in_force_from.desc()).limit(1))
    if found is None:
        raise NoCaseworkFile(day)
    return found


def rules_at(session: Session, moment: datetime) -> CaseworkRules:
    """Return the casework rules in force at a moment."""
    return casework_rules_of(casework_file_at(session, moment).text)


def _faults_of_day(session: Session, rules: CaseworkRules, *, now: datetime) -> Iterator[Fault]:
    tomorrow = local_today(session, now=now) + timedelta(days=1)
    if rules.in_force_from < tomorrow:
        yield Fault(
            "cases of today have begun by the file before: this one is in force from {day} at the earliest",
            {"day": tomorrow},
            "in_force_from",
        )
    elif session.scalar(select(CaseworkFile.id).filter_by(in_force_from=rules.in_force_from)) is not None:
        yield Fault("another file is in force from this day: state another day", {}, "in_force_from")
