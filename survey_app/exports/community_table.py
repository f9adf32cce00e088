"""Export of an evaluation's community table as CSV, from which `python -m analytics evaluate` decides it again."""

import csv
import io
import json
from collections.abc import Iterator

from sqlalchemy import select

from analytics.decision.community_table import COLUMNS
from analytics.reports.evaluation_files import csv_safe
from survey_app.accounts.scope import Scope
from survey_app.evaluations.standings import require_evaluation
from survey_app.exports.responses import BYTE_ORDER_MARK
from survey_app.models import Community, Evaluation
from survey_app.storage.database import Database


def export_community_table(database: Database, *, evaluation_id: int, scope: Scope) -> Iterator[str]:
    """Yield a CSV file of the counts in scope as they were evaluated; its columns are those of `analytics.decision.community_table`.

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
    buffer = io.StringIO(newline="")
    buffer.write(BYTE_ORDER_MARK)
    writer = csv.writer(buffer)
    writer.writerow(columns)
    for number, *values in zip(columns["community_id"], *columns.values(), strict=True):
        if number in numbers:
            writer.writerow([csv_safe(value) if isinstance(value, str) else value for value in values])
    yield buffer.getvalue()
