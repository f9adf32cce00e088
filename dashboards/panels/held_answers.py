"""Standings that would be if no answer that is held for review counted."""

from datetime import datetime
from typing import Final

import pandas as pd

from analytics.decision.evaluate import evaluate
from dashboards.frames.page_data import PageData
from dashboards.panels.entering_and_leaving import WHAT_IF_COLUMNS
from dashboards.source import EvaluationSource, Examination, examination_of, header_of

INTEGRITY_PATH: Final = "integrity/"
"""The page with all signs and held answers, below the address of the dashboards."""


def standings_without_held(shown: PageData, examination: Examination) -> pd.DataFrame:
    """Return `WHAT_IF_COLUMNS` of the standings that would be if no held answer counted."""
    return shown.source.compute_once(shown.header.id, evaluate_without_held, examination.examined_at)


def evaluate_without_held(source: EvaluationSource, evaluation_id: int, _examined_at: datetime) -> pd.DataFrame:
    """Return the same of an evaluation; the instant tells a newer examination from an older one."""
    left = without_held(source.inputs(evaluation_id), examination_of(source, evaluation_id).counts)
    return evaluate(left, header_of(source, evaluation_id).rules).standings[list(WHAT_IF_COLUMNS)]


def without_held(inputs: pd.DataFrame, counts: pd.DataFrame) -> pd.DataFrame:
    """Return a community table with the answers that are left when none that was held counts.

    Means of points are left out: nobody knows them without the held answers, and a rate does not need them.
    """
    own = counts.set_index("number")
    left = inputs.drop(columns=[name for name in ("mean_index", "sd_index") if name in inputs])
    for column, without in (("responses", "n_without"), ("satisfied", "satisfied_without")):
        known = left["community_id"].map(own[without])
        left = left.assign(**{column: known.fillna(left[column]).astype("int64")})
    return left
