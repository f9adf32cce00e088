"""Small batches of responses, and strategies that draw and divide them."""

from itertools import pairwise

import pyarrow as pa
from hypothesis import strategies as st

COMMUNITIES = [3, 14, 159]
QUESTIONS = {"q01": (1, 2, 3, 4, 5, 9), "q02": (1, 2, 9), "q03": (0, 4, 5)}

responses = st.lists(
    st.tuples(st.sampled_from(COMMUNITIES), *(st.sampled_from([None, *codes]) for codes in QUESTIONS.values())),
    max_size=40,
)
cuts = st.lists(st.integers(0, 40), max_size=4)


def as_batch(rows, kind=None):
    kind = kind or pa.int8()
    columns = list(zip(*rows, strict=True)) or [()] * (1 + len(QUESTIONS))
    arrays = [pa.array(columns[0], pa.int32()), *(pa.array(column, kind) for column in columns[1:])]
    return pa.RecordBatch.from_arrays(arrays, names=["community", *QUESTIONS])


def cut(batch, positions):
    bounds = [0, *sorted(min(position, batch.num_rows) for position in positions), batch.num_rows]
    return [batch.slice(first, last - first) for first, last in pairwise(bounds)]
