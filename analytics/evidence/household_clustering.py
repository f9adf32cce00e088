"""Household clustering of an evaluation: how alike answers and complaints of one household are, measured or assumed."""

from typing import Final

import numpy as np
import pandas as pd

from analytics.decision.survey_channels import HOUSEHOLD_PAIRS, PAIR_COLUMNS, SLIP_RESPONSES
from analytics.decision.table_columns import MEASURE_COLUMNS, float_column
from analytics.rules import FORMAT_1, Rules
from analytics.statistics.design_effects import design_effects, household_correlation
from analytics.statistics.repeat_complaints import repeat_share
from analytics.statistics.validation import FloatArray

_DECIMALS: Final = 6


def answer_design_effects(communities: pd.DataFrame, rules: Rules) -> FloatArray:
    """Return the design effect of each community's satisfaction score, in the order of the table.

    Parameters
    ----------
    communities : DataFrame
        As `analytics.decision.community_table.check_communities` returns it.
    rules : Rules

    Returns
    -------
    ndarray of float
        At least 1. It multiplies the sampling variance.

    Notes
    -----
    1 if the rules allow one answer per household. Otherwise it is estimated where the table tells which answers are of
    one household: 1 + ρ · 2 pairs ÷ n, with ρ of the whole table (`household_correlation`); a community of which the
    pairs are unknown has as many per answer as the others. Where fewer than `LEAST_PAIRS` pairs are known, it is the
    `design_effect` that the rules assume, for the answers that did not come through slips: each of them is of another
    household. The likeness of satisfied answers stands for that of an index or a composite.

    Examples
    --------
    >>> from pathlib import Path
    >>> from analytics.rules import load_rules
    >>> rules = load_rules(Path("data/rules/wuhai/2021-08-23.yaml"))
    >>> table = pd.DataFrame({"responses": [400, 100], "satisfied": [320, 80], "household_pairs": [120, 0],
    ...     "unlike_household_pairs": [12, 0]})
    >>> answer_design_effects(table, rules).round(2)
    array([1.41, 1.  ])
    """
    if rules.evidence.one_answer_per_household:
        return np.ones(len(communities))
    counted = np.nan_to_num(float_column(communities, MEASURE_COLUMNS[rules.satisfaction.measure].responses))
    correlation = _correlation(communities)
    if not np.isnan(correlation):
        pairs = float_column(communities, HOUSEHOLD_PAIRS)
        known = ~np.isnan(pairs) & (counted > 0)
        usual = pairs[known].sum() / counted[known].sum()
        return design_effects(counted, pairs=np.where(known, pairs, usual * counted), correlation=correlation)
    slips = np.nan_to_num(float_column(communities, SLIP_RESPONSES))
    shared = np.clip(1 - slips / np.maximum(counted, 1), 0, 1)
    return np.asarray(1 + (assumed_design_effect(rules) - 1) * shared)


def assumed_design_effect(rules: Rules) -> float:
    """Return the design effect that the rules assume of answers of which nothing but their number is known.

    Parameters
    ----------
    rules : Rules

    Returns
    -------
    float
        At least 1; 1 if a household answers once.

    Examples
    --------
    >>> from pathlib import Path
    >>> from analytics.rules import load_rules
    >>> assumed_design_effect(load_rules(Path("data/rules/wuhai/2021-08-23.yaml")))
    1.0
    """
    return 1.0 if rules.evidence.one_answer_per_household else float(rules.evidence.design_effect)


def repeat_complaint_share(communities: pd.DataFrame, rules: Rules) -> float:
    """Return the share of complaints whose household had complained before in the period.

    Parameters
    ----------
    communities : DataFrame
        As `analytics.decision.community_table.check_communities` returns it.
    rules : Rules

    Returns
    -------
    float
        In [0, 1): of the communities whose complaining households are counted, or with fewer than
        `analytics.statistics.repeat_complaints.LEAST_COMPLAINTS` such complaints what the rules assume.

    Examples
    --------
    >>> from pathlib import Path
    >>> from analytics.rules import load_rules
    >>> rules = load_rules(Path("data/rules/wuhai/2021-08-23.yaml"))
    >>> repeat_complaint_share(pd.DataFrame({"complaints": [90, 30], "complaining_households": [60, 30]}), rules)
    0.25
    """
    measured = _measured_repeats(communities)
    return float(rules.evidence.repeat_complaints) if np.isnan(measured) else measured


def describe_clustering(communities: pd.DataFrame, rules: Rules) -> dict[str, dict[str, str | float]]:
    """Return as JSON values how alike answers and complaints of one household are taken to be, and who says so.

    Parameters
    ----------
    communities : DataFrame
        As `analytics.decision.community_table.check_communities` returns it.
    rules : Rules

    Returns
    -------
    dict
        ``answers``: `source` and `design_effect`, the median over communities with answers; ``complaints``: `source`
        and `repeat_share`. A source is "one_answer" (a household answers once), "table" (measured), "rules" (assumed)
        or "not_stated" (a rule file of format 1: nothing is assumed). Numbers have six decimals.

    Examples
    --------
    >>> from pathlib import Path
    >>> from analytics.rules import load_rules
    >>> rules = load_rules(Path("data/rules/wuhai/2021-08-23.yaml"))
    >>> describe_clustering(pd.DataFrame({"responses": [40], "satisfied": [30]}), rules)["answers"]
    {'source': 'not_stated', 'design_effect': 1.0}
    """
    assumed = "not_stated" if rules.format == FORMAT_1 else "rules"
    answered = float_column(communities, MEASURE_COLUMNS[rules.satisfaction.measure].responses) > 0
    effects = answer_design_effects(communities, rules)[answered]
    complaints = repeat_complaint_share(communities, rules)
    of_answers = assumed if np.isnan(_correlation(communities)) else "table"
    if rules.evidence.one_answer_per_household:
        of_answers = "one_answer"
    return {
        "answers": {
            "source": of_answers,
            "design_effect": round(float(np.median(effects)), _DECIMALS) if effects.size else 1.0,
        },
        "complaints": {
            "source": assumed if np.isnan(_measured_repeats(communities)) else "table",
            "repeat_share": round(complaints, _DECIMALS),
        },
    }


def _measured_repeats(communities: pd.DataFrame) -> float:
    """Return the share of repeat complaints that a table shows, NaN where it knows too few households."""
    complaints = float_column(communities, "complaints")
    households = float_column(communities, "complaining_households")
    known = ~np.isnan(complaints) & ~np.isnan(households) & ~((households == 0) & (complaints > 0))
    return repeat_share(complaints[known], households[known])


def _correlation(communities: pd.DataFrame) -> float:
    """Return ρ of the answers of one household, NaN where too few pairs are known."""
    columns = [float_column(communities, name) for name in ("satisfied", "responses", *PAIR_COLUMNS)]
    known = ~np.isnan(columns).any(axis=0)
    satisfied, responses, pairs, unlike = (column[known] for column in columns)
    return household_correlation(satisfied, responses, pairs=pairs, unlike=unlike)
