"""Export of an evaluation's community table as CSV, from which `python -m analytics evaluate` decides it again."""

import json
from collections.abc import Iterator

from sqlalchemy import select

from analytics.decision.community_table import COLUMNS
from analytics.files.csv_files import csv_file, in_parts
from survey_app.accounts.scope import Scope
from survey_app.evaluations.standings import require_evaluation
from survey_app.models import Community, Evaluation
from survey_app.storage.database import Database


def export_community_table(database: Database, *, evaluation_id: int, scope: Scope) -> Iterator[str]:
    """Yield a CSV file of the counts in scope as they were evaluated, as `community_table.read_table` reads it.

    Raises `LookupError` if there is no such evaluation.
    """
    with database.reading() as session:
        require_evaluation(session, evaluation_id)
        inputs = session.scalars(select(Evaluation.inputs).filter_by(id=evaluation_id)).one()
        numbers = set(session.scalars(scope.communities(select(Community.number))))
    return _lines(json.loads(inputs), numbers)


def _lines(stored: dict[str, list[str | float | None]], numbers: set[str]) -> Iterator[str]:
    # Canonical text orders its keys by the alphabet; people look for the name first.
    columns = {name: stored[name] for name in COLUMNS if name in stored}
    rows = zip(columns["community_id"], *columns.values(), strict=True)
    return csv_file(columns, in_parts(values for number, *values in rows if number in numbers))
