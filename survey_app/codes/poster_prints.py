"""Print runs of posters on record: of which area, when, and with which address of the site."""

import json
from collections.abc import Mapping
from datetime import datetime
from typing import Final

from sqlalchemy import select
from sqlalchemy.orm import Session

from analytics.canonical import sha256_hex
from survey_app.accounts.scope import Scope
from survey_app.audit import OPERATOR, Facts, place_fact, record
from survey_app.models import AuditEvent
from survey_app.models.vocabulary import Area, AuditAction

_READ_AT_ONCE: Final = 200

PrintedUpTo = Mapping[tuple[Area, int | None], datetime]
"""When posters were printed last: those of an area and a place of it, or of the city, which is no place."""


def record_posters(
    session: Session, *, scope: Scope, count: int, public_url: str, by: str = OPERATOR, now: datetime
) -> None:
    """Note that the posters in scope are taken away to be printed."""
    facts: Facts = {
        "area": scope.area,
        "place": place_fact(scope.ids),
        "count": count,
        "address": _digest_of(public_url),
    }
    record(session, by=by, action=AuditAction.POSTERS_PRINTED, subject="posters", after=facts, now=now)


def posters_printed(session: Session, *, public_url: str) -> PrintedUpTo:
    """Return when posters were printed last; those with another address lead nowhere and do not count.

    What was printed before the last posters of the whole city is left out: these hold every code of that time.
    """
    address = _digest_of(public_url)
    events = select(AuditEvent.happened_at, AuditEvent.after).filter_by(action=AuditAction.POSTERS_PRINTED)
    latest: dict[tuple[Area, int | None], datetime] = {}
    # The newest first, and no more than are needed: the staff home asks on every visit.
    with session.execute(
        events.order_by(AuditEvent.position.desc()).execution_options(yield_per=_READ_AT_ONCE)
    ) as rows:
        for happened_at, after in rows:
            facts = json.loads(after or "{}")
            if facts.get("address") != address:
                continue
            places = facts["place"] if isinstance(facts["place"], list) else [facts["place"]]
            latest = dict.fromkeys([(Area(facts["area"]), place) for place in places], happened_at) | latest
            if (Area.CITY, None) in latest:
                break
    return latest


def _digest_of(public_url: str) -> str:
    return sha256_hex(public_url)
