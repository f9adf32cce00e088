"""Stored integrity examinations as the dashboards read them; `survey_app.responses.integrity_reviews` makes them."""

import json
from dataclasses import dataclass
from datetime import datetime
from typing import Final

import pandas as pd
from sqlalchemy import select
from sqlalchemy.orm import Session

from dashboards.source import Examination
from survey_app.accounts.scope import Scope
from survey_app.models import District, Evaluation, IntegrityExamination
from survey_app.register.names import PLACE_COLUMNS
from survey_app.responses.integrity_reviews import count_reviews

_NAMES: Final = ("number", "name", "english_name", "region", "region_english")


@dataclass(frozen=True)
class Found:
    """Findings of an examination about communities in scope, which never change; `counts` has their `id` too."""

    families: pd.DataFrame
    counts: pd.DataFrame

    def __len__(self) -> int:
        return len(self.families) + len(self.counts)


def newest_examination(session: Session, evaluation_id: int) -> tuple[int, int, datetime] | None:
    """Return id, round and time of the newest examination of the round of an evaluation; None where there is none.

    Raises `LookupError` if there is no such evaluation.
    """
    round_id = session.scalar(select(Evaluation.round_id).filter_by(id=evaluation_id))
    if round_id is None:
        raise LookupError(f"there is no evaluation {evaluation_id}")
    newest = (
        select(IntegrityExamination.id, IntegrityExamination.examined_at)
        .filter_by(round_id=round_id)
        .order_by(IntegrityExamination.id.desc())
        .limit(1)
    )
    found = session.execute(newest).first()
    return None if found is None else (found.id, round_id, found.examined_at)


def read_found(session: Session, examination_id: int, scope: Scope) -> Found:
    """Return the findings of an examination about the communities in scope."""
    statement = select(IntegrityExamination.families, IntegrityExamination.counts).filter_by(id=examination_id)
    families, counts = (pd.DataFrame(json.loads(text)) for text in session.execute(statement).one())
    places = select(*PLACE_COLUMNS).join(District)
    result = session.execute(scope.communities(places))
    named = pd.DataFrame(result.all(), columns=list(result.keys()))
    if families.empty:
        return Found(families, counts)
    # Every name stands here once for each family of signals.
    repeated = named.astype(dict.fromkeys(_NAMES, "category"))
    beside = named[["id", "number"]].merge(counts, left_on="id", right_on="community_id")
    return Found(
        families=repeated.merge(families.astype({"family": "category"}), left_on="id", right_on="community_id").drop(
            columns=["id", "community_id"]
        ),
        counts=beside[["number", "id"]],
    )


def with_reviews(
    session: Session, found: Found, *, round_id: int, examined_at: datetime, held: pd.DataFrame
) -> Examination | None:
    """Return findings beside what has become of the held responses by now; None where nobody was examined."""
    if found.families.empty:
        return None
    reviews = count_reviews(session, round_id=round_id).reindex(found.counts["id"], fill_value=0)
    return Examination(
        round_id=round_id,
        examined_at=examined_at,
        families=found.families,
        counts=found.counts.join(reviews.reset_index(drop=True)).drop(columns="id"),
        held=held,
    )
