"""The recurring work that nobody schedules: time takes its part in cases, what was kept long enough is erased, answers
are examined for signs of stuffing.

Each chore knows its hour and the database when it was last begun, so that one that a standstill has missed is made up
for, and none is done twice however many processes look after them.
"""

import fcntl
import logging
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta, tzinfo
from pathlib import Path
from typing import Final

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from survey_app.audit import SITE
from survey_app.city_time import city_zone
from survey_app.errors import facts_of
from survey_app.models import ChoreRun
from survey_app.storage.database import Database

_LOCK: Final = 0x4A5B  # our advisory lock for the one who does chores

SECONDS_BETWEEN_LOOKS: Final = 60.0

_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Chore:
    """One kind of recurring work: every full hour, or once a day at a local hour."""

    name: str
    do: Callable[[Database, datetime], object]
    hour: int | None = None

    def last_time(self, now: datetime, zone: tzinfo) -> datetime:
        """Return the latest moment at which it was to be begun."""
        full_hour = now.astimezone(zone).replace(minute=0, second=0, microsecond=0)
        if self.hour is None:
            return full_hour
        today = full_hour.replace(hour=self.hour)
        return today if today <= full_hour else today - timedelta(days=1)


@dataclass(frozen=True)
class Settled:
    """How many open cases time was asked about, and what was erased with them."""

    cases: int
    contacts: int
    photos: int


def is_due(chore: Chore, begun_at: datetime | None, *, now: datetime, zone: tzinfo) -> bool:
    """Return whether a chore is to be begun; also after the clock was set back behind its last beginning."""
    return begun_at is None or not chore.last_time(now, zone) <= begun_at <= now


def settle_complaints(database: Database, now: datetime) -> Settled:
    """Let time do its part in complaints: close, end pauses, send on what is late, erase contacts and unsent photos."""
    from survey_app.complaints.cases import open_references, settle_case  # noqa: PLC0415
    from survey_app.complaints.contacts import erase_contacts  # noqa: PLC0415
    from survey_app.photos.photos import forget_unsent_photos  # noqa: PLC0415

    with database.reading() as session:
        references = open_references(session)
    for reference in references:
        # Each in its own transaction, so that residents' forms come in between.
        with database.writing() as session:
            settle_case(session, reference=reference, now=now)
    with database.writing() as session:
        contacts = erase_contacts(session, by=SITE, now=now)
        photos = forget_unsent_photos(session, now=now)
    return Settled(len(references), contacts, photos)


def _erase(database: Database, now: datetime) -> None:
    from survey_app.responses.retention import keep_no_longer  # noqa: PLC0415

    with database.writing() as session:
        keep_no_longer(session, by=SITE, now=now)


def _examine(database: Database, now: datetime) -> None:
    from survey_app.responses.integrity_reviews import examine_round, rounds_to_examine  # noqa: PLC0415

    with database.reading() as session:
        round_ids = rounds_to_examine(session, now=now)
    for round_id in round_ids:
        examine_round(database, round_id=round_id, now=now)


# Network addresses are erased hourly, since no more than 48 hours are promised for them. The examination takes seconds
# of a processor in a large city: it comes while the phones sleep.
CHORES: Final = (
    Chore("complaints", settle_complaints),
    Chore("retention", _erase),
    Chore("examination", _examine, hour=3),
)


def keep_doing_chores(database: Database, *, clock: Callable[[], datetime], wait: Callable[[float], bool]) -> None:
    """Do what is due again and again, as long as `wait` says to go on."""
    while True:
        try:
            do_due_chores(database, now=clock())
        except Exception:  # noqa: BLE001 (whatever it is, the next look may succeed)
            # Such as a database that is just restarted.
            _log.exception("chores failed")
        if not wait(SECONDS_BETWEEN_LOOKS):
            return


def do_due_chores(database: Database, *, now: datetime, chores: Sequence[Chore] = CHORES) -> list[str]:
    """Do what is due unless somebody is at it already, and return the names of what was begun."""
    with _is_alone(database) as is_alone:
        if not is_alone:
            return []
        with database.reading() as session:
            due = _due(session, chores, now=now)
        for chore in due:
            _do(database, chore, now=now)
        return [chore.name for chore in due]


def _due(session: Session, chores: Sequence[Chore], *, now: datetime) -> list[Chore]:
    begun = {run.chore: run.begun_at for run in session.scalars(select(ChoreRun))}
    zone = city_zone(session)
    return [chore for chore in chores if is_due(chore, begun.get(chore.name), now=now, zone=zone)]


def _do(database: Database, chore: Chore, *, now: datetime) -> None:
    with database.writing() as session:
        # Before it is done: one that ends its process each time must not be begun again and again.
        run = session.merge(ChoreRun(chore=chore.name, begun_at=now))
    try:
        chore.do(database, now)
    except Exception as error:  # noqa: BLE001 (whatever it is, the other chores are still done)
        _log.error("chore failed", extra={"chore": chore.name, **facts_of(error)})
        run.failure = type(error).__name__
    else:
        run.done_at, run.failure = now, None
    with database.writing() as session:
        session.merge(run)


@contextmanager
def _is_alone(database: Database) -> Iterator[bool]:
    """Hold the only place of those who do chores until the block ends, if nobody else does."""
    if database.is_postgresql:
        with database.engine.connect() as connection:
            yield bool(connection.scalar(select(func.pg_try_advisory_xact_lock(_LOCK))))
        return
    path = Path(str(database.url.database))
    with path.with_name(f"{path.name}-chores").open("ab") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            yield False
        else:
            yield True
