"""Aspects of service: where a community is among those ranked with it, and what residents are least satisfied with."""

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


def shares_together(aspects: pd.DataFrame, answers: Mapping[str, int]) -> pd.DataFrame:
    """Return the aspects of one region or several with the share that is satisfied there, in whole percents.

    `aspects` are those of `EvaluationSource.aspects`, `answers` how many valid answers there are in each region.
    Columns: question, label, english_label, share, in the order of the questionnaire. Of several regions the share is
    the mean of those that are told, weighted by the valid answers: an exact one would tell more of each of them.
    """
    weights = aspects["region"].map(dict(answers)).astype("float64").where(aspects["share"].notna())
    sums = (
        aspects.assign(weight=weights, weighed=weights * aspects["share"])
        .groupby(["question", "label", "english_label"], sort=False)[["weight", "weighed"]]
        .sum()
    )
    share = sums["weighed"] / sums["weight"].where(sums["weight"] > 0)
    return share.round(2).rename("share").reset_index()


def percentiles_by_number(standings: pd.DataFrame, question: str) -> "pd.Series[float]":
    """Return the percentile of each community in one aspect by its number, missing where there is none."""
    chosen = standings[standings["question"] == question]
    return chosen["percentile"].set_axis(chosen["number"].astype("str"))


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
