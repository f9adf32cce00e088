"""Posteriors of the satisfaction of communities that are ranked together, by the prior and the measure of the rules."""

from dataclasses import replace

import numpy as np
import numpy.typing as npt
import pandas as pd

from analytics.decision.table_columns import float_column
from analytics.evidence.bands import with_nonresponse
from analytics.evidence.nonresponse import nonresponse_spreads
from analytics.evidence.observations import Ranking
from analytics.evidence.sampling_variance import sampling_fraction
from analytics.rules import Rules
from analytics.statistics.empirical_bayes import Shrinkage, shrink_rates, shrink_scores
from analytics.statistics.mean_scores import pooled_variance
from analytics.statistics.validation import BooleanArray, FloatArray


def shrink_satisfaction(
    ranked: pd.DataFrame, region: npt.NDArray[np.int64], rules: Rules, *, nonresponse_spread: npt.ArrayLike
) -> Shrinkage:
    """Return the posteriors of ranked communities.

    Parameters
    ----------
    ranked : DataFrame
        Their rows of `analytics.evidence.observations.Observations.table`, the variances of which are known.
    region : ndarray of int
        Their regions.
    rules : Rules
    nonresponse_spread : array_like
        ω ≥ 0 in units of the score: `nonresponse_spread_of` for what all households would answer, 0 for what those do
        who answer.

    Returns
    -------
    Shrinkage
    """
    prior, responses = rules.evidence.prior, float_column(ranked, "responses")
    fraction = responding_fraction(ranked, rules)
    if rules.satisfaction.measure == "satisfaction_rate":
        return shrink_rates(
            float_column(ranked, "satisfied"),
            responses,
            region=region,
            prior=prior,
            sampling_fraction=fraction,
            nonresponse_spread=nonresponse_spread,
            design_effect=ranked["design_effect"],
        )
    effect = float_column(ranked, "design_effect")
    sampling = with_nonresponse(
        _pooled_variance(ranked, region) * effect / responses * (1 - fraction),
        sampling_fraction=fraction,
        nonresponse_spread=nonresponse_spread,
    )
    return shrink_scores(float_column(ranked, "satisfaction_score"), sampling, region=region, prior=prior)


def satisfaction_variances(ranked: pd.DataFrame, region: npt.NDArray[np.int64], rules: Rules) -> FloatArray:
    """Return the sampling variances of ranked communities, nonresponse included; arguments as `shrink_satisfaction`."""
    # They are the same under every prior, and the normal one needs no distribution of each community.
    plain = replace(rules, evidence=replace(rules.evidence, prior="normal"))
    spread = nonresponse_spread_of(ranked, rules)
    return shrink_satisfaction(ranked, region, plain, nonresponse_spread=spread).sampling_variance


def variance_is_known(table: pd.DataFrame, rules: Rules, ranking: Ranking) -> BooleanArray:
    """Return of which communities of a ranking the sampling variance is known: of none whose score was given."""
    if "score" in table:
        return np.zeros(ranking.rows.size, dtype=bool)
    if rules.satisfaction.measure == "satisfaction_rate":
        return np.ones(ranking.rows.size, dtype=bool)
    return ~np.isnan(_pooled_variance(table.iloc[ranking.rows], ranking.region))


def responding_fraction(table: pd.DataFrame, rules: Rules) -> FloatArray:
    """Return f of each community, see `analytics.evidence.sampling_variance.sampling_fraction`."""
    return sampling_fraction(float_column(table, "responses"), float_column(table, "households"), rules)


def nonresponse_spread_of(table: pd.DataFrame, rules: Rules) -> FloatArray:
    """Return ω of each community in units of the score, see `analytics.evidence.nonresponse.nonresponse_spreads`."""
    lowest, highest = range_of_scores(rules)
    return (highest - lowest) * nonresponse_spreads(table, rules)


def range_of_scores(rules: Rules) -> tuple[float, float]:
    """Return the lowest and the highest possible score."""
    if rules.satisfaction.measure == "satisfaction_rate":
        return 0.0, 1.0
    points = rules.satisfaction.index_points.values()
    return float(min(points)), float(max(points))


def _pooled_variance(ranked: pd.DataFrame, region: npt.NDArray[np.int64]) -> FloatArray:
    deviation = float_column(ranked, "deviation")
    answers = np.where(np.isnan(deviation), 0, float_column(ranked, "responses"))
    return pooled_variance(deviation**2, answers, region=region)
