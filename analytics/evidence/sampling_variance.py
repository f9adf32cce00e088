"""Sampling variance and sampling fraction of the satisfaction scores of an evaluation."""

import numpy as np

from analytics.decision.evaluate import Evaluation
from analytics.decision.table_columns import MEASURE_COLUMNS, float_column
from analytics.evidence.household_clustering import answer_design_effects
from analytics.rules import Rules
from analytics.statistics.mean_scores import pooled_variance, sample_variance, stabilised_variance, standard_error
from analytics.statistics.validation import FloatArray


def sampling_variance(evaluation: Evaluation, *, stabilised: bool = True) -> FloatArray:
    """Return the sampling variance v of each score, in the order of the table.

    Parameters
    ----------
    evaluation : Evaluation
    stabilised : bool
        True: from the community's own answers, stabilised by those of its region, for display and tests. False: from
        those of the region alone, for shrinkage, because a community's own variance makes the top over-confident.

    Returns
    -------
    ndarray of float
        v = D s²/n·(1 − f), f = responses ÷ households and D = 1 if a household answers once, else f = 0 and D the
        design effect of `analytics.evidence.household_clustering.answer_design_effects`; NaN where unknown: for given
        scores, and for means in a region without any standard deviation.

    Examples
    --------
    >>> from pathlib import Path
    >>> import pandas as pd
    >>> from analytics.decision.evaluate import evaluate
    >>> from analytics.rules import load_rules
    >>> rules = load_rules(Path("data/rules/wuhai/2021-08-23.yaml"))
    >>> table = pd.DataFrame({"community_id": ["a", "b"], "region": "乌达区", "responses": [50, 100], "satisfied": 40})
    >>> sampling_variance(evaluate(table, rules), stabilised=False).round(5)
    array([0.00432, 0.00216])
    """
    table, rule = evaluation.communities, evaluation.rules.satisfaction
    measured = MEASURE_COLUMNS[rule.measure]
    if "score" in table:
        return np.full(len(table), np.nan)
    n = np.nan_to_num(float_column(table, measured.responses))
    if measured.deviation is None:
        counted = float_column(table, measured.value)
        satisfied = np.nan_to_num(counted)
        own = np.where(np.isnan(counted), np.nan, sample_variance(n, satisfied, satisfied))
    else:
        own = float_column(table, measured.deviation) ** 2
    known = (n > 1) & ~np.isnan(own)
    pooled = pooled_variance(own, np.where(known, n, 0), region=table["region"].to_numpy(dtype=np.str_))
    spread = pooled
    if stabilised:
        spread = stabilised_variance(own, np.where(known, n, np.minimum(n, 1)), pooled_variance=pooled)
    fraction = sampling_fraction(n, float_column(table, "households"), evaluation.rules)
    single = standard_error(spread, n, sampling_fraction=fraction) ** 2
    return np.asarray(answer_design_effects(table, evaluation.rules) * single, dtype=np.float64)


def sampling_fraction(responses: FloatArray, households: FloatArray, rules: Rules) -> FloatArray:
    """Return the sampling fraction f = responses ÷ households of each community.

    Parameters
    ----------
    responses, households : ndarray of float
        Whole numbers; NaN is unknown.
    rules : Rules

    Returns
    -------
    ndarray of float
        In [0, 1]; 0 if households without an answer do not limit the possible range: they can answer more than once,
        or their number is unknown or less than the responses.
    """
    counted = (responses > 0) & (households >= responses) & rules.evidence.one_answer_per_household
    return np.where(counted, responses / np.where(counted, households, 1), 0.0)
