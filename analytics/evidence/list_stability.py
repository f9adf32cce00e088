"""Stability of each region's list by satisfaction: in a repeated survey, as a whole, and against nonresponse."""

from collections.abc import Iterator
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pandas as pd

from analytics.decision.evaluate import Evaluation
from analytics.decision.table_columns import float_column
from analytics.evidence.bands import LIKELY_FROM
from analytics.evidence.observations import Observations, Ranking, rankings
from analytics.evidence.satisfaction_posteriors import (
    range_of_scores,
    responding_fraction,
    satisfaction_variances,
    shrink_satisfaction,
    variance_is_known,
)
from analytics.rules import Rules
from analytics.statistics.empirical_bayes import Shrinkage
from analytics.statistics.repeated_survey import RepeatedSurvey, repeat_survey
from analytics.statistics.top_probability import top_probability
from analytics.statistics.validation import BooleanArray, FloatArray, IntegerArray
from analytics.statistics.whole_list import whole_list_test

NONRESPONSE_SPREADS: Final = tuple(number / 100 for number in range(10))
"""Assumptions ω under which a list is looked at, as shares of the range of scores."""

MOST_NAMED: Final = 5
"""Number of communities that are named as likely to change places in a repeated survey."""

MOST_SIMULATED: Final = 5_000
"""Largest number of communities ranked together that are surveyed again, and looked at under each ω."""

# Who is listed or not in nineteen of twenty repeated surveys is not said to change places.
_SELDOM: Final = 0.05
_DECIMALS: Final = 6
_DECIMALS_OF_CHANCES: Final = 2

Facts = dict[str, Any]


def assess_list_stability(evaluation: Evaluation, observations: Observations) -> dict[str, Facts]:
    """Assess how stable the list by satisfaction of each region is.

    Parameters
    ----------
    evaluation : Evaluation
    observations : Observations
        Of the evaluation.

    Returns
    -------
    dict
        JSON values by region, which has none if nobody is listed or no sampling variance is known:

        - ``repeated``: if the same survey were taken again, with as many answers from those who answer: how many of
          those listed would be ``expected`` on the list again, from ``lower`` to ``upper`` at the level of the rules;
          ``may_leave`` and ``may_enter``, at most `MOST_NAMED` pairs of a community listed, or not listed, and how
          likely the repeated survey lists it. None where more than `MOST_SIMULATED` communities are ranked together.
          See `analytics.statistics.repeated_survey.repeat_survey`.
        - ``whole_list``: ``p_value`` of the test that the list is not that of the true best, and the pair that is told
          apart the least: communities ``inside`` and ``outside``, the ``difference`` of their scores and its ``error``,
          nonresponse included. See `analytics.statistics.whole_list.whole_list_test`. None if all that are ranked are
          listed, and for a region that is ranked with others.
        - ``nonresponse``: ``standing``, how many of those listed are at least likely to be among the best under each of
          `NONRESPONSE_SPREADS`, ``at_every``, how many are under all of them, and ``falling``, pairs of one of the
          others and the least spread under which it is not. None as for ``repeated``.

    Examples
    --------
    >>> from pathlib import Path
    >>> from analytics.decision.evaluate import evaluate
    >>> from analytics.evidence.observations import observations_of
    >>> from analytics.rules import load_rules
    >>> communities = pd.DataFrame({
    ...     "community_id": [f"{number:03}" for number in range(40)], "region": "海南区",
    ...     "responses": 200, "satisfied": [198, 170, 169, *[150] * 37],
    ... })
    >>> result = evaluate(communities, load_rules(Path("data/rules/wuhai/2021-08-23.yaml")))
    >>> facts = assess_list_stability(result, observations_of(result))["海南区"]
    >>> facts["repeated"]["expected"], facts["repeated"]["lower"], facts["repeated"]["may_leave"]
    (1.37, 1, [['001', 0.37]])
    >>> round(facts["whole_list"]["p_value"], 2), facts["nonresponse"]["at_every"]
    (0.93, 1)
    """
    standings, table, rules = observations.standings, observations.table, evaluation.rules
    facts: dict[str, Facts] = {}
    for ranking in rankings("satisfaction", standings, evaluation.summary["regions"]):
        usable = ranking.only(variance_is_known(table, rules, ranking))
        if usable.rows.size:
            facts |= dict(_assess(usable, standings, table, rules))
    return facts


def _assess(
    ranking: Ranking, standings: pd.DataFrame, table: pd.DataFrame, rules: Rules
) -> Iterator[tuple[str, Facts]]:
    ranked, labels = table.iloc[ranking.rows], standings["region"].to_numpy(dtype=np.str_)[ranking.rows]
    listed = (standings["satisfaction_status"] == "met").to_numpy()[ranking.rows]
    if not listed[ranking.shown].any():
        return
    ids = ranked["community_id"].to_numpy(dtype=np.str_)
    error_variance = satisfaction_variances(ranked, ranking.region, rules)
    simulation = None
    if ranking.rows.size <= MOST_SIMULATED:
        again = _repeat(ranking, ranked, rules, listed=listed, group=labels)
        simulation = again, _stand_under_each_spread(ranking, ranked, rules)
    for label in np.unique(labels[listed & ranking.shown]).tolist():
        own = np.flatnonzero(labels == label)
        facts: Facts = dict.fromkeys(("repeated", "whole_list", "nonresponse"))
        if ranking.shown.all():
            facts["whole_list"] = _test(ranked.iloc[own], error_variance[own], listed[own])
        if simulation is not None:
            again, standing = simulation
            facts["repeated"] = {
                **_count_relisted(again.relisted[label], float(rules.evidence.level)),
                **_name_changing(ids, again.chance, own, listed),
            }
            facts["nonresponse"] = _count_standing(ids, standing, own[listed[own]])
        yield label, facts


def _count_relisted(numbers: IntegerArray, level: float) -> Facts:
    tail = (1 - level) / 2
    lower, upper = np.quantile(numbers, [tail, 1 - tail], method="inverted_cdf").tolist()
    return {
        "expected": round(float(numbers.mean()), _DECIMALS_OF_CHANCES),
        "lower": int(lower),
        "upper": int(upper),
    }


def _name_changing(ids: npt.NDArray[np.str_], chance: FloatArray, own: IntegerArray, listed: BooleanArray) -> Facts:
    """Name the communities of a region that are the most likely to change places."""
    return {
        "may_leave": _name(ids, chance, own[listed[own]], descending=False),
        "may_enter": _name(ids, chance, own[~listed[own]], descending=True),
    }


def _count_standing(ids: npt.NDArray[np.str_], standing: BooleanArray, rows: IntegerArray) -> Facts:
    """Return which of the listed communities of a region stand under the assumptions about nonresponse."""
    own = standing[:, rows]
    falling = np.flatnonzero(~own.all(axis=0))
    first = np.argmin(own[:, falling], axis=0)
    return {
        "standing": own.sum(axis=1).tolist(),
        "at_every": len(rows) - len(falling),
        "falling": [
            [str(ids[row]), NONRESPONSE_SPREADS[place]]
            for row, place in zip(rows[falling].tolist(), first.tolist(), strict=True)
        ],
    }


def _shrink(ranking: Ranking, ranked: pd.DataFrame, rules: Rules, spread: float) -> Shrinkage:
    return shrink_satisfaction(ranked, ranking.region, rules, nonresponse_spread=spread)


def _repeat(
    ranking: Ranking, ranked: pd.DataFrame, rules: Rules, *, listed: BooleanArray, group: npt.NDArray[np.str_]
) -> RepeatedSurvey:
    """Repeat the survey: who does not answer once would not answer again."""
    answers = None
    if rules.satisfaction.measure == "satisfaction_rate":
        with np.errstate(divide="ignore"):
            answers = (
                float_column(ranked, "responses")
                / float_column(ranked, "design_effect")
                / (1 - responding_fraction(ranked, rules))
            )
    return repeat_survey(
        _shrink(ranking, ranked, rules, 0.0),
        listed=listed,
        region=ranking.region,
        size=ranking.size,
        ties=rules.satisfaction.ties,
        answers=answers,
        group=group,
    )


def _stand_under_each_spread(ranking: Ranking, ranked: pd.DataFrame, rules: Rules) -> BooleanArray:
    """Return who is at least likely to be among the best, shape (spreads, communities)."""
    lowest, highest = range_of_scores(rules)
    rows = []
    for share in NONRESPONSE_SPREADS:
        posteriors = _shrink(ranking, ranked, rules, share * (highest - lowest))
        top = top_probability(
            posteriors.mean,
            posteriors.variance,
            region=ranking.region,
            size=ranking.size,
            grids=posteriors.grids,
        )
        rows.append(top.probability >= LIKELY_FROM)
    return np.array(rows)


def _test(ranked: pd.DataFrame, variance: FloatArray, listed: BooleanArray) -> Facts | None:
    test = whole_list_test(float_column(ranked, "satisfaction_score"), variance, listed)
    if test is None:
        return None
    ids = ranked["community_id"]
    return {
        "p_value": round(test.p_value, _DECIMALS),
        "inside": str(ids.iloc[test.inside]),
        "outside": str(ids.iloc[test.outside]),
        "difference": round(test.difference, _DECIMALS),
        "error": round(test.error, _DECIMALS),
    }


def _name(ids: npt.NDArray[np.str_], chance: FloatArray, rows: IntegerArray, *, descending: bool) -> list[list[Any]]:
    """Return the communities most likely to change places, with how likely a repeated survey lists them."""
    open_ = rows[(chance[rows] > _SELDOM) if descending else (chance[rows] < 1 - _SELDOM)]
    first = open_[np.argsort(-chance[open_] if descending else chance[open_], kind="stable")][:MOST_NAMED]
    return [[str(ids[row]), round(float(chance[row]), _DECIMALS_OF_CHANCES)] for row in first]
