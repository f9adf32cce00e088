"""Quota feasibility: forecast whether a planned round can fill its quota under the rules, and how much it settles."""

from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import numpy as np
import pandas as pd

from analytics.decision.table_columns import float_column
from analytics.evidence.household_clustering import assumed_design_effect
from analytics.evidence.round_planning import (
    answers_for_reliability,
    eligibility_probability,
    forecast_precision,
    forecast_quota,
)
from analytics.rules import MinimumResponses, Rules, share_text
from analytics.statistics.complaint_rates import household_years


@dataclass(frozen=True)
class Expectations:
    """Assumptions about a planned round.

    Attributes
    ----------
    response_rate : float
        Share of the households that respond, in [0, 1].
    satisfaction_rate, spread : float
        Mean and standard deviation of the communities' true satisfaction rates.
    """

    response_rate: float
    satisfaction_rate: float
    spread: float


def forecast_round(
    communities: pd.DataFrame, rules: Rules, *, quota: Mapping[str, int], expectations: Expectations
) -> pd.DataFrame:
    """Forecast for each region whether a round under the rules can fill its quota.

    Parameters
    ----------
    communities : DataFrame
        `region` and `households` of each community; `exposure_household_years` if known, otherwise the households over
        the period of the complaint route.
    rules : Rules
        If they rank the whole city together, it is one region, with its Chinese name from the rules.
    quota : mapping of str to int
        Number of nominations of each region, at least 1.
    expectations : Expectations

    Returns
    -------
    DataFrame
        Indexed by region: the columns of `analytics.evidence.round_planning.forecast_quota`; `half_width`, the median
        half width of a 95 % interval of the rate, missing if nobody is expected to answer; `undecided_share`, the share
        of the communities whose evidence would be undecided; `median_responses`, the answers expected in the median
        community, `reliability`, how reliably they tell such communities apart, in [0, 1]; `reliable_responses`, the
        number that makes it .7, see `analytics.evidence.round_planning.answers_for_reliability`, missing if all are
        expected to be alike.

    Raises
    ------
    ValueError
        If a region has no quota or an expectation is out of range.

    Notes
    -----
    The places of the complaint route are added only if its share and rounding are those of the satisfaction route;
    otherwise they are left out, which makes the forecast conservative. The precision is that of answers of which the
    rules assume their `design_effect`, unless each household answers once.

    Examples
    --------
    >>> from pathlib import Path
    >>> from analytics.rules import load_rules
    >>> rules = load_rules(Path("data/rules/wuhai/2021-08-23.yaml"))
    >>> communities = pd.DataFrame({"region": ["乌达区"] * 120, "households": 400})
    >>> expected = Expectations(response_rate=0.3, satisfaction_rate=0.8, spread=0.07)
    >>> frame = forecast_round(communities, rules, quota={"乌达区": 10}, expectations=expected)
    >>> [int(frame.loc["乌达区", name]) for name in ("minimum_eligible", "surely_named", "possibly_named")]
    [200, 6, 12]
    """
    rule, homes = rules.satisfaction, float_column(communities, "households")
    region = communities["region"].to_numpy(dtype=np.str_)
    if rules.region == "city":
        region = np.full(homes.size, rules.city.zh_hans)
    without = sorted(set(region.tolist()) - set(quota))
    if without:
        raise ValueError(f"no quota for {', '.join(without)}")
    minimum = rule.minimum_responses or MinimumResponses(least=1, enough=1, or_share_of_households=Fraction(1))
    chances = eligibility_probability(homes, expectations.response_rate, **vars(minimum))
    same = (rules.complaints.share, rules.complaints.rounding) == (rule.share, rule.rounding)
    frame = forecast_quota(
        chances,
        same & (_expected_exposure(communities, rules) >= float(rules.complaints.minimum_exposure)),
        region=region,
        quota=[quota[label] for label in region.tolist()],
        share=rule.share,
        rounding=rule.rounding,
        ties=rule.ties,
    )
    effect = assumed_design_effect(rules)
    precision = forecast_precision(
        homes,
        expectations.response_rate,
        share=rule.share,
        expected_rate=expectations.satisfaction_rate,
        expected_spread=expectations.spread,
        nonresponse_spread=float(rules.evidence.nonresponse_spread),
        design_effect=effect,
    ).groupby(region)
    enough = answers_for_reliability(expectations.satisfaction_rate, expectations.spread, design_effect=effect)
    return frame.assign(
        half_width=precision["half_width"].median(),
        undecided_share=precision["undecided_chance"].mean(),
        median_responses=precision["expected_responses"].median(),
        reliability=precision["reliability"].median(),
        reliable_responses=enough if np.isfinite(enough) else np.nan,
    )


def forecast_content(frame: pd.DataFrame, rules: Rules, expectations: Expectations) -> dict[str, Any]:
    """Return the forecast and its assumptions as JSON values; numbers have six decimals.

    Parameters
    ----------
    frame : DataFrame
        From `forecast_round`.
    rules : Rules
    expectations : Expectations
    """
    rounded = frame.round(6).astype(object)
    return {
        "format": "jiayuan-plan-1",
        "rules": {"name": rules.name, "sha256": rules.sha256},
        "expectations": {
            **vars(expectations),
            "nonresponse_spread": share_text(rules.evidence.nonresponse_spread),
            "design_effect": assumed_design_effect(rules),
        },
        "regions": rounded.where(rounded.notna(), None).to_dict("index"),
    }


def _expected_exposure(communities: pd.DataFrame, rules: Rules) -> "np.ndarray[Any, np.dtype[np.float64]]":
    known = float_column(communities, "exposure_household_years")
    expected = household_years(float_column(communities, "households"), months=rules.complaints.period_months)
    return np.where(np.isnan(known), expected, known)
