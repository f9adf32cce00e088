"""Answers that staff typed in, counted by community and by who typed them; batch by batch."""

from collections.abc import Collection
from typing import Final

import pandas as pd
import pyarrow as pa
from pyarrow import compute

from survey_app.responses.answer_batches import is_among

TYPED_COLUMNS: Final = ("community", "clerk", "n", "satisfied")


class TypedAnswers:
    """Counts of the valid answers that each clerk typed in for each community; memory depends on these pairs."""

    def __init__(self, question: str, *, valid: Collection[int], satisfied: Collection[int]) -> None:
        self._question, self._valid, self._satisfied = question, valid, satisfied
        self._pairs = pd.DataFrame(columns=list(TYPED_COLUMNS), dtype="int64")

    def count(self, batch: pa.RecordBatch) -> None:
        """Count what was typed in among counted answers: `community`, `entered_by` and the ranked question."""
        given = batch.column(self._question)
        is_typed = compute.and_(compute.is_valid(batch.column("entered_by")), is_among(given, self._valid))
        typed = batch.filter(is_typed)
        if typed.num_rows:
            rows = pd.DataFrame(
                {
                    "community": typed.column("community").to_numpy(),
                    "clerk": typed.column("entered_by").to_numpy(),
                    "n": 1,
                    "satisfied": is_among(typed.column(self._question), self._satisfied)
                    .to_numpy(zero_copy_only=False)
                    .astype("int64"),
                }
            )
            both = pd.concat([self._pairs, rows])
            self._pairs = both.groupby(["community", "clerk"], as_index=False).sum()

    def counted(self) -> pd.DataFrame:
        """Return one row for each community and clerk, columns `TYPED_COLUMNS`."""
        return self._pairs
