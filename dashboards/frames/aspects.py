"""Aspects of service: where a community is in each of them, among those ranked with it."""

from collections.abc import Mapping
from enum import StrEnum
from typing import Any, Final

import numpy as np
import pandas as pd

from analytics.decision.percentiles import percentile_of
from analytics.reports.percentile_words import percentile_text
from dashboards.source import EvaluationSource

_MIDDLE: Final = 0.5


class Beside(StrEnum):
    """Where the true percentile of a community lies beside the middle of all, as far as its interval tells."""

    ABOVE = "above"
    BELOW = "below"
    OPEN = "open"


def aspects_of_community(source: EvaluationSource, evaluation_id: int, *, region: str, number: str) -> pd.DataFrame:
    """Return how one community stands in each aspect of service, in the order of the questionnaire.

    Columns: question, label, english_label; satisfied, answered, percentile, lower and upper in [0, 100] as they are
    told, missing where the share is withheld, the percentiles also where too few can be compared; and beside, a
    `Beside` or None where there is no percentile.
    """
    aspects = source.aspects(evaluation_id)
    named = aspects.loc[aspects["region"] == region, ["question", "label", "english_label"]]
    standings = source.aspect_standings(evaluation_id, region)
    own = standings[standings["number"] == number].astype({"question": "str"})
    found = named.merge(own.drop(columns="number"), on="question", how="left")
    limits = {name: found[f"percentile_{name}"] for name in ("lower", "upper")}
    kept = found[["question", "label", "english_label", "satisfied", "answered"]]
    return kept.assign(
        percentile=[float(told_percentile(row) or "nan") for row in found.to_dict("records")],
        **{name: (values * 100).round(1) for name, values in limits.items()},
        beside=pd.Series(list(map(_beside, limits["lower"], limits["upper"])), dtype="object"),
    )


def told_percentile(standing: Mapping[Any, Any]) -> str | None:
    """Return a percentile of `EvaluationSource.aspect_standings` as it is told everywhere, None where there is none."""
    if pd.isna(standing["rank"]):
        return None
    place = percentile_of(int(standing["rank"]), int(standing["last_rank"]), ranked=int(standing["ranked"]))
    return percentile_text(place.percentile)


def _beside(lower: float, upper: float) -> Beside | None:
    if np.isnan(lower):
        return None
    return Beside.ABOVE if lower > _MIDDLE else Beside.BELOW if upper < _MIDDLE else Beside.OPEN
