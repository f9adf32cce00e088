"""The file of counted answers, beside the csv module's writer of the same cells.

`JIAYUAN_BENCH_ANSWERS=1000000 ./run bench exports` measures a larger round.
"""

import csv
import io
import os
from collections.abc import Iterator
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import Final

import numpy as np
import pandas as pd
from alembic import command

from analytics.decision.recount import measure_questions
from analytics.files.csv_files import BYTE_ORDER_MARK, repeated_csv
from survey_app.accounts.scope import EVERYWHERE
from survey_app.evaluations.evaluate_round import evaluate_round
from survey_app.exports.responses import export_responses
from survey_app.models import Evaluation, Round
from survey_app.responses.answer_batches import counted_batches
from survey_app.storage.database import Database
from survey_app.stored_rules import rules_of
from tests.benchmarks.bench_survey import folder
from tests.benchmarks.harness import Benchmark, peak_memory
from tests.benchmarks.stored_answers import store_closed_round

ANSWERS: Final = int(os.environ.get("JIAYUAN_BENCH_ANSWERS", "100000"))


@cache
def evaluated() -> tuple[str, int, int]:
    """Return the address of a database with an evaluated round, and the ids of round and evaluation."""
    url = f"sqlite:///{folder() / 'exports.sqlite3'}"
    with Database(url) as database:
        command.upgrade(database.alembic_config(), "head")
        round_id = store_closed_round(database, ANSWERS)
        return url, round_id, evaluate_round(database, round_id=round_id, now=datetime.now(UTC)).id


def export(url: str, evaluation_id: int) -> Iterator[str]:
    """Yield the file."""
    with Database(url) as database:
        yield from export_responses(database, evaluation_id=evaluation_id, scope=EVERYWHERE, now=datetime.now(UTC))


def export_all() -> int:
    """Make the file, and return how many signs it has."""
    url, _, evaluation_id = evaluated()
    return sum(map(len, export(url, evaluation_id)))


@cache
def cells() -> list[list[str]]:
    """Return the cells of the file."""
    url, _, evaluation_id = evaluated()
    text = "".join(export(url, evaluation_id)).removeprefix(BYTE_ORDER_MARK)
    return list(csv.reader(io.StringIO(text, newline="")))


@cache
def rows() -> tuple[dict[str, list[object]], np.ndarray]:
    """Return the rows that differ, column by column without the first, and which of them stands in each line."""
    heading, *lines = cells()
    frame = pd.DataFrame(lines, columns=heading).drop(columns=heading[0])
    order = frame.groupby(list(frame), sort=False).ngroup().to_numpy("int32")
    distinct = frame.drop_duplicates()
    return {name: distinct[name].tolist() for name in distinct}, order


def write_rows() -> int:
    """Write the rows as the export does."""
    return sum(map(len, repeated_csv(*rows(), numbered="response_id")))


def write_cells() -> None:
    """Write the cells with the csv module."""
    csv.writer(io.StringIO(newline="")).writerows(cells())


def read_and_write_cells() -> None:
    """Read the counted answers from the database, and write the cells with the csv module."""
    url, round_id, evaluation_id = evaluated()
    with Database(url) as database, database.reading() as session:
        rules = rules_of(session.get_one(Evaluation, evaluation_id).rule_file.content)
        batches = counted_batches(
            session,
            survey_round=session.get_one(Round, round_id),
            rules=rules,
            questions=measure_questions(rules),
            before=session.get_one(Round, round_id).closes_at,
            reviewed_before=datetime.now(UTC),
        )
        if not sum(batch.num_rows for batch in batches):
            raise RuntimeError("no answer counts")
    write_cells()


def memory_note() -> str:
    """Say what a process needs that makes the file, and one that stops after the first row of a small one."""
    url, _, evaluation_id = evaluated()
    small = folder() / "small.sqlite3"
    if not small.exists():
        _store_small(small)
    make = "from tests.benchmarks.bench_exports import export\nfor piece in export({!r}, {}): pass"
    needed = [peak_memory(make.format(*each)) for each in ((url, evaluation_id), (f"sqlite:///{small}", 1))]
    return f"{len(cells()) - 1:,} rows; peak memory {needed[0]}, of a file of a hundred rows {needed[1]}"


def _store_small(path: Path) -> None:
    with Database(f"sqlite:///{path}") as database:
        command.upgrade(database.alembic_config(), "head")
        evaluate_round(database, round_id=store_closed_round(database, 120), now=datetime.now(UTC))


def benchmarks() -> list[Benchmark]:
    """Return what `./run bench` measures here."""
    return [
        Benchmark(
            name=f"exports: the cells of {ANSWERS:,} answers written, beside csv.writer",
            ours=write_rows,
            baseline=write_cells,
            bar="≥ 0.5",
        ),
        Benchmark(
            name=f"exports: the file of {ANSWERS:,} answers, beside reading them and csv.writer",
            ours=export_all,
            baseline=read_and_write_cells,
            bar="≥ 0.5",
            note=memory_note,
        ),
    ]
