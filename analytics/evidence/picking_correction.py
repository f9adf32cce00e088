"""Scores of the communities on the list by satisfaction, corrected for having been picked because they are high."""

from typing import Final

import numpy as np
import pandas as pd

from analytics.decision.evaluate import Evaluation
from analytics.decision.table_columns import float_column
from analytics.evidence.observations import Ranking, observations_of, rankings
from analytics.evidence.satisfaction_posteriors import (
    nonresponse_spread_of,
    range_of_scores,
    responding_fraction,
    satisfaction_variances,
    variance_is_known,
)
from analytics.rules import Rules
from analytics.statistics.intervals import Interval
from analytics.statistics.picked_intervals import picked_scores, picked_shares
from analytics.statistics.validation import BooleanArray

_COLUMNS: Final = ["community_id", "region", "score", "lower", "upper"]


def correct_for_picking(evaluation: Evaluation) -> pd.DataFrame:
    """Return the scores of the listed communities with intervals that are corrected for having been picked.

    Parameters
    ----------
    evaluation : Evaluation

    Returns
    -------
    DataFrame
        One row per community that meets the route by satisfaction and of which the variance is known, in the order of
        ids: community_id, region, score, and the limits lower and upper, in the unit of the score and within its range.

    Notes
    -----
    By `analytics.statistics.picked_intervals` at the level of the rules. Nothing is assumed about how the true scores
    of the communities are distributed, unlike in the interval of `analytics.evidence.weigh_evidence`, which shrinks
    scores towards each other. Of the N communities ranked together in a region R are picked: those listed, at most k,
    since more of them are there by ties. ω of those who did not answer and the design effect of several answers of one
    household are included. On satisfaction rates limits are those of shares, on means those of scores.

    Examples
    --------
    >>> from pathlib import Path
    >>> from analytics.decision.evaluate import evaluate
    >>> from analytics.rules import load_rules
    >>> communities = pd.DataFrame({
    ...     "community_id": [f"{number:03}" for number in range(40)], "region": "海南区",
    ...     "responses": 200, "satisfied": [192, 188, 169, *[150] * 37],
    ... })
    >>> listed = correct_for_picking(evaluate(communities, load_rules(Path("data/rules/wuhai/2021-08-23.yaml"))))
    >>> listed.round(3).values.tolist()
    [['000', '海南区', 0.96, 0.851, 1.0], ['001', '海南区', 0.94, 0.826, 1.0]]
    """
    observations, rules = observations_of(evaluation), evaluation.rules
    standings, table = observations.standings, observations.table
    listed = (standings["satisfaction_status"] == "met").to_numpy()
    found = [pd.DataFrame(columns=_COLUMNS)]
    for ranking in rankings("satisfaction", standings, evaluation.summary["regions"]):
        usable = ranking.only(variance_is_known(table, rules, ranking))
        if (listed[usable.rows] & usable.shown).any():
            found.append(_correct(usable, table, rules, listed=listed[usable.rows]))
    corrected = pd.concat(found[1:] or found)
    return corrected.sort_values("community_id", kind="stable").reset_index(drop=True)


def _correct(ranking: Ranking, table: pd.DataFrame, rules: Rules, *, listed: BooleanArray) -> pd.DataFrame:
    ranked = table.iloc[ranking.rows]
    # Those that are ranked by themselves elsewhere are not picked here.
    is_picked = listed & ranking.shown
    number = np.bincount(ranking.region)[ranking.region]
    picked = np.minimum(np.bincount(ranking.region, is_picked).astype(np.int64)[ranking.region], ranking.size)
    rows = np.flatnonzero(is_picked)
    chosen = ranked.iloc[rows]
    level = float(rules.evidence.level)
    lowest, highest = range_of_scores(rules)
    if rules.satisfaction.measure == "satisfaction_rate":
        limits = picked_shares(
            float_column(chosen, "satisfied"),
            float_column(chosen, "responses"),
            sampling_fraction=responding_fraction(chosen, rules),
            nonresponse_spread=nonresponse_spread_of(chosen, rules),
            design_effect=float_column(chosen, "design_effect"),
            picked=picked[rows],
            ranked=number[rows],
            level=level,
        )
    else:
        variance = satisfaction_variances(ranked, ranking.region, rules)[rows]
        scores = float_column(chosen, "satisfaction_score")
        limits = picked_scores(scores, variance, picked=picked[rows], ranked=number[rows], level=level)
    limits = Interval(np.maximum(limits.lower, lowest), np.minimum(limits.upper, highest))
    return pd.DataFrame(
        {
            "community_id": chosen["community_id"].to_numpy(dtype=object),
            "region": chosen["region"].to_numpy(dtype=object),
            "score": float_column(chosen, "satisfaction_score"),
            "lower": limits.lower,
            "upper": limits.upper,
        }
    )
