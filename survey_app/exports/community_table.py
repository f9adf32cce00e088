"""Export of an evaluation's community table as CSV, from which `python -m analytics evaluate` decides it again."""

from collections.abc import Iterator

import pandas as pd
from sqlalchemy import select

from analytics.decision.community_table import COLUMNS
from analytics.decision.table_columns import plain_values
from analytics.files.csv_files import csv_file, in_parts
from survey_app.accounts.scope import Scope
from survey_app.evaluations.standings import read_evaluated_table
from survey_app.models import Community
from survey_app.storage.database import Database


def export_community_table(database: Database, *, evaluation_id: int, scope: Scope) -> Iterator[str]:
    """Yield a CSV file of the counts in scope as they were evaluated, as `community_table.read_table` reads it.

    Of a community with too few answers to be ranked it holds how many there were, and not what they say.

    Raises `LookupError` if there is no such evaluation.
    """
    with database.reading() as session:
        table = read_evaluated_table(session, evaluation_id)
        numbers = session.scalars(scope.communities(select(Community.number))).all()
    return _lines(table[table["community_id"].isin(numbers)])


def _lines(table: pd.DataFrame) -> Iterator[str]:
    # Canonical text orders its keys by the alphabet; people look for the name first.
    columns = {name: _cells(table[name], kind=column.kind) for name, column in COLUMNS.items() if name in table}
    return csv_file(columns, in_parts(list(row) for row in zip(*columns.values(), strict=True)))


def _cells(values: pd.Series, *, kind: str) -> list[object]:
    return plain_values(values.astype("Int64") if kind == "count" else values)
