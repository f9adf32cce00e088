"""Batches of stored answers, decoded column by column."""

from array import array
from collections.abc import Callable, Collection, Generator, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa
from pyarrow import compute
from pyarrow import json as arrow_json
from sqlalchemy import ColumnElement, Select, Text, and_, bindparam, case, cast, func, select
from sqlalchemy.orm import Session

from analytics.rules import Rules
from survey_app.models import Response, Round
from survey_app.models.vocabulary import ResponseStatus, SupersededWithin
from survey_app.responses.counting_status import replaced_responses, status_of_response, superseded_within
from survey_app.responses.responses_in_order import first_and_last, of_round

BATCH_ROWS: Final = 20_000
"""Enough for the reader to work in bulk, few enough to stay within some megabytes."""

SINGLE_CODE: Final = pa.int16()
SEVERAL_CODES: Final = pa.list_(SINGLE_CODE)
TIME: Final = pa.timestamp("us", "UTC")

_SEPARATOR: Final = ","


@dataclass(frozen=True)
class Portions:
    """Responses a few thousand at a time: a condition with parameters, and the parameters of each portion.

    `replaced` is what `counting_status.superseded_within` says of each, with the same parameters.
    """

    condition: ColumnElement[bool]
    replaced: ColumnElement[str | None]
    parameters: Iterable[Mapping[str, Any]]


def counted_batches(
    session: Session,
    *,
    survey_round: Round,
    rules: Rules,
    questions: Sequence[str],
    before: datetime,
    reviewed_before: datetime,
) -> Generator[pa.RecordBatch]:
    """Yield community, tenure, mode and answers of every response that counts by the rules, whoever gave them.

    Reviews count as of `reviewed_before`.
    """
    portions = all_responses(session, survey_round, before=before)
    status = status_of_response(
        rules.satisfaction.population, before=before, reviewed_before=reviewed_before, replaced=portions.replaced
    )
    rows = select(
        Response.community_id.label("community"), Response.tenure, Response.mode, Response.answers.label("answers")
    ).where(portions.condition, Response.submitted_at < before, status == ResponseStatus.COUNTED)
    return read_batches(
        session,
        rows,
        portions.parameters,
        facts={"community": pa.int64(), "tenure": SINGLE_CODE, "mode": pa.string()},
        questions=dict.fromkeys(questions, SINGLE_CODE),
    )


def read_batches(
    session: Session,
    selected: Select[*tuple[Any, ...]],
    parameters: Iterable[Mapping[str, Any]],
    *,
    facts: Mapping[str, pa.DataType],
    questions: Mapping[str, pa.DataType],
) -> Generator[pa.RecordBatch]:
    """Yield facts about responses and their answers, as columns of the types named: one batch for each parameters.

    What is selected are whole numbers, times, digests and words of closed vocabularies as `facts`, under names that are
    no keys of questions, and `answers`, canonical texts or null. The database hands over each column of a batch as one
    text, in the order in which it comes upon the rows: to make a Python object of every value would cost more than to
    decode it. While one batch is decoded and used, another thread reads the next: the session is its own until the
    last one is yielded or the iterator is closed.
    """
    rows = selected.subquery()
    columns = [_joined(cast(rows.c[name], Text), "", _SEPARATOR) for name in facts]
    statement = select(*columns, _joined(rows.c.answers, "{}", "\n"))
    for *joined, texts in _one_ahead(lambda portion: session.execute(statement, portion).one(), parameters):
        if texts is None:
            continue
        answers = _decode(texts, questions)
        known = [_split(text, kind) for text, kind in zip(joined, facts.values(), strict=True)]
        yield pa.RecordBatch.from_arrays([*known, *answers.columns], names=[*facts, *questions])


def all_responses(session: Session, survey_round: Round, *, before: datetime, rows: int = BATCH_ROWS) -> Portions:
    """Return every response of a round, in portions of so many ids at most, one after the other.

    Which of them a later one replaces, among those submitted before a time, is looked up once for all portions.
    """
    first, last = first_and_last(session, survey_round.id)
    within = {mark: np.sort(ids) for mark, ids in _replaced(session, before).items()}

    def parameters(start: int) -> dict[str, Any]:
        end = start + rows - 1
        replaced = {mark.value: _between(ids, start, end) for mark, ids in within.items()}
        return {"first": start, "last": end} | replaced

    return Portions(
        condition=and_(Response.id.between(bindparam("first"), bindparam("last")), of_round(survey_round.id)),
        replaced=case(*((Response.id.in_(bindparam(mark, expanding=True)), mark) for mark in SupersededWithin)),
        parameters=map(parameters, range(first, last + 1, rows)),
    )


def selected_responses(session: Session, ids: Select[int], *, before: datetime) -> Portions:
    """Return the responses of which `ids` selects the ids, in portions; others replace them as `all_responses` says."""
    found = session.scalars(ids).all()
    return Portions(
        condition=Response.id.in_(bindparam("ids", expanding=True)),
        replaced=superseded_within(before=before),
        parameters=({"ids": found[start : start + BATCH_ROWS]} for start in range(0, len(found), BATCH_ROWS)),
    )


def _replaced(session: Session, before: datetime) -> dict[SupersededWithin, npt.NDArray[np.int64]]:
    """Return the ids of the responses that are replaced, by where; of millions the numbers alone are held."""
    found = {mark: array("q") for mark in SupersededWithin}
    for number, mark in session.execute(replaced_responses(before=before).execution_options(yield_per=BATCH_ROWS)):
        found[SupersededWithin(mark)].append(number)
    return {mark: np.frombuffer(ids, np.int64) for mark, ids in found.items()}


def _between(ids: npt.NDArray[np.int64], first: int, last: int) -> list[int]:
    start, end = np.searchsorted(ids, [first, last + 1])
    among: list[int] = ids[start:end].tolist()
    return among


def _one_ahead(
    read: Callable[[Mapping[str, Any]], Sequence[Any]], portions: Iterable[Mapping[str, Any]]
) -> Iterator[Sequence[Any]]:
    """Yield what is read of each portion, while another thread reads the next one."""
    with ThreadPoolExecutor(1) as reader:
        coming: Future[Sequence[Any]] | None = None
        for portion in portions:
            read_before, coming = coming, reader.submit(read, portion)
            if read_before is not None:
                yield read_before.result()
        if coming is not None:
            yield coming.result()


def is_among(given: pa.Array, codes: Collection[int]) -> pa.Array:
    """Return which answers of a column are one of some codes; no missing one is."""
    return compute.is_in(given, value_set=pa.array(sorted(codes), given.type))


def _joined(column: ColumnElement[str], missing: str, separator: str) -> ColumnElement[str]:
    return func.aggregate_strings(func.coalesce(column, missing), separator)


def _split(text: str, kind: pa.DataType) -> pa.Array:
    values = compute.list_flatten(compute.split_pattern(pa.array([text], pa.large_string()), _SEPARATOR))
    given = compute.if_else(compute.equal(values, ""), pa.scalar(None, values.type), values)
    if kind != TIME:
        return given.cast(kind)
    # SQLite stores no zone, PostgreSQL tells that of the session.
    without_zone = compute.replace_substring(given, "+00", "")
    return compute.assume_timezone(without_zone.cast(pa.timestamp("us")), "UTC")


def _decode(texts: str, questions: Mapping[str, pa.DataType]) -> pa.RecordBatch:
    # Canonical JSON holds no line feed of its own, so the texts make one file of JSON lines.
    table = arrow_json.read_json(
        pa.BufferReader(texts.encode("utf-8")),
        parse_options=arrow_json.ParseOptions(
            explicit_schema=pa.schema(list(questions.items())), unexpected_field_behavior="ignore"
        ),
    )
    [batch] = table.combine_chunks().to_batches()
    return batch
