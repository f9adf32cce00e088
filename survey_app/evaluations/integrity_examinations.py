"""Stored integrity examinations as the dashboards read them; `survey_app.responses.integrity_reviews` makes them."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

import numpy as np
import pandas as pd
import pyarrow as pa
from pyarrow import json as arrow_json
from sqlalchemy import select
from sqlalchemy.orm import Session

from analytics.statistics.validation import IntegerArray
from dashboards.source import Examination
from survey_app.accounts.scope import Scope
from survey_app.models import Community, District, Evaluation, IntegrityExamination
from survey_app.responses.integrity_reviews import count_reviews
from survey_app.storage.frames import read_frame

# In bytes: far more than a row is long.
_BLOCK: Final = 1 << 22
_NAMES: Final = ("number", "region", "region_english")
_FAMILIES: Final = pa.schema(
    {
        "adjusted_p": pa.float64(),
        "community_id": pa.int64(),
        "expected": pa.float64(),
        "family": pa.string(),
        "flagged": pa.bool_(),
        "statistic": pa.float64(),
    }
)
_COUNTS: Final = pa.schema({"community_id": pa.int64()})


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


def read_found(session: Session, examination_id: int, scope: Scope, *, number: str | None = None) -> Found:
    """Return the findings of an examination about the communities in scope, or about one of them."""
    regions = (District.name.label("region"), District.english_name.label("region_english"))
    places = select(Community.id, Community.number, *regions).join(District)
    if number is not None:
        places = places.where(Community.number == number)
    # Every name stands here once for each family of signals.
    named = read_frame(session, scope.communities(places), dict.fromkeys(_NAMES, "category"))
    statement = select(IntegrityExamination.families, IntegrityExamination.counts).filter_by(id=examination_id)
    texts = session.execute(statement).one()
    # Of a hundred thousand communities a second passes until all rows are read.
    about = texts if number is None else [_rows_about(named["id"].tolist(), text) for text in texts]
    families, counts = map(_read_rows, about, (_FAMILIES, _COUNTS))
    if not families.num_rows:
        return Found(pd.DataFrame(), pd.DataFrame())
    rows, communities = _rows_of(families["community_id"], named["id"])
    signs = families["family"].combine_chunks().dictionary_encode()
    found: dict[str, Any] = {name: named[name].array.take(communities) for name in _NAMES}
    for name in families.column_names:
        if name == "family":
            found[name] = _as_category(signs.indices.to_numpy()[rows], signs.dictionary.to_pylist())
        elif name != "community_id":
            found[name] = families[name].to_numpy()[rows]
    beside = named.iloc[_rows_of(counts["community_id"], named["id"])[1]].reset_index(drop=True)
    return Found(
        families=pd.DataFrame(found),
        counts=beside[["number", "id"]].astype({"number": "str"}),
    )


def _as_category(places: IntegerArray, words: Sequence[str]) -> pd.Categorical:
    """Return words by their places as categories in their order."""
    order = np.argsort(words)
    return pd.Categorical.from_codes(np.argsort(order)[places], pd.Index([words[place] for place in order]))


def _rows_of(keys: pa.ChunkedArray, ids: "pd.Series[int]") -> tuple[IntegerArray, IntegerArray]:
    """Return the places of the keys that are among unique ids, in the order of these, and the place of the id of each.

    That is the order of a merge, which copies all columns for it.
    """
    places = pd.Index(ids).get_indexer(pd.Index(keys.to_numpy()))
    rows = np.argsort(places, kind="stable")
    rows = rows[np.count_nonzero(places < 0) :]
    return rows, places[rows]


def _read_rows(text: str, columns: pa.Schema) -> pa.Table:
    """Return columns of a canonical JSON array of objects without nested ones; a million rows take a second."""
    if text == "[]":
        return columns.empty_table()
    lines = pa.BufferReader(text[1:-1].replace("},{", "}\n{").encode())
    options = arrow_json.ReadOptions(use_threads=False, block_size=_BLOCK)
    # Told what they are, it looks for nothing else, and need not find out.
    known = arrow_json.ParseOptions(explicit_schema=columns, unexpected_field_behavior="ignore")
    return arrow_json.read_json(lines, read_options=options, parse_options=known)


def _rows_about(communities: Sequence[int], text: str) -> str:
    """Return the rows about some communities, as a canonical JSON array like that of all."""
    found = []
    for community_id in communities:
        # No value of these rows is a text that somebody wrote: a brace begins or ends a row.
        about = f'"community_id":{community_id},'
        place = text.find(about)
        while place >= 0:
            end = text.index("}", place)
            found.append(text[text.rindex("{", 0, place) : end + 1])
            place = text.find(about, end)
    return f"[{','.join(found)}]"


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
