"""Waves of answers in the order in which they reached the site, counted batch by batch.

Of answers that staff typed in the order says when they were typed, not when they were given: they are in no wave.
"""

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Final

import numpy as np
import pandas as pd
import pyarrow as pa
from pyarrow import compute
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from analytics.counting.answer_counts import AnswerCounts
from analytics.statistics.answer_waves import WAVES
from survey_app.models import Response, Round
from survey_app.models.vocabulary import Mode
from survey_app.responses.answer_batches import SINGLE_CODE, is_among
from survey_app.responses.responses_in_order import responses_in_order

WAVE: Final = "wave"
"""Column of a batch with the wave of each answer, from 0, null for answers that staff typed in."""

_FIRST, _LAST = 0, WAVES - 1
CODES_OF_WAVES: Final = tuple(range(2 * WAVES))
"""Codes that count answers: twice the wave, and one more where the answer is satisfied."""


def read_waves(session: Session, survey_round: Round, communities: Sequence[int], *, before: datetime) -> "Waves":
    """Return the waves of a round's answers that were submitted before a time."""
    in_order = responses_in_order(session, survey_round.id)
    statement = (
        select(Response.community_id, func.count().label("received"))
        .where(in_order, Response.mode == Mode.WEB, Response.submitted_at < before)
        .group_by(Response.community_id)
    )
    received = {row.community_id: row.received for row in session.execute(statement)}
    return Waves(pd.Series(received, dtype="int64").reindex(list(communities), fill_value=0))


class Waves:
    """Finds the wave of each answer by how many of its community came before, whatever became of them.

    `received` says how many residents of each community sent in.
    """

    def __init__(self, received: "pd.Series[int]") -> None:
        self._places = pd.Index(received.index)
        self._received = received.to_numpy(dtype=np.int64)
        self._seen = np.zeros(len(received), dtype=np.int64)

    def find(self, batch: pa.RecordBatch) -> pa.Array:
        """Return the wave of each response of the next batch: each is seen once, and batches follow the ids."""
        is_sent = compute.equal(batch.column("mode"), Mode.WEB).to_numpy(zero_copy_only=False)
        rows = np.flatnonzero(is_sent)
        places = self._places.get_indexer(batch.column("community").to_numpy()[rows])
        order = np.lexsort((batch.column("response_id").to_numpy()[rows], places))
        rows, places = rows[order], places[order]
        numbers = np.bincount(places, minlength=self._seen.size)
        before = np.arange(rows.size) - (np.cumsum(numbers) - numbers)[places] + self._seen[places]
        self._seen += numbers
        waves = np.full(len(is_sent), -1, dtype=np.int16)
        waves[rows] = before * WAVES // self._received[places]
        return pa.array(waves, SINGLE_CODE, mask=~is_sent)


def codes_of_waves(waves: pa.Array, given: pa.Array, *, valid: Collection[int], satisfied: Collection[int]) -> pa.Array:
    """Return the code of each answer among `CODES_OF_WAVES`, null of those without a wave or a valid code."""
    is_satisfied = is_among(given, satisfied).cast(SINGLE_CODE)
    code = compute.add(compute.multiply(waves, pa.scalar(2, SINGLE_CODE)), is_satisfied)
    return compute.if_else(is_among(given, valid), code, pa.scalar(None, SINGLE_CODE))


def outer_waves(counted: AnswerCounts) -> pd.DataFrame:
    """Return the counts of the outer waves, as `analytics.evidence.nonresponse.compare_waves_by_region` wants them."""
    table = counted.table(WAVE)
    counts: dict[str, pd.Series[int]] = {}
    for name, wave in (("first", _FIRST), ("last", _LAST)):
        satisfied = table[2 * wave + 1]
        counts |= {name: table[2 * wave] + satisfied, f"{name}_satisfied": satisfied}
    return pd.DataFrame(counts)
