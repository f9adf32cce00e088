"""Nonresponse of an evaluation: how much those who did not answer may differ, and what they could have changed."""

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any, Final, NamedTuple

import numpy as np
import pandas as pd

from analytics.decision.table_columns import LATE_ANSWERS_SPREAD, float_column
from analytics.evidence.household_clustering import answer_design_effects
from analytics.rules import Rules
from analytics.statistics.answer_waves import WaveComparison, compare_waves
from analytics.statistics.validation import FloatArray

Facts = dict[str, Any] | None

_WAVE_COLUMNS: Final = ["first_satisfied", "first", "last_satisfied", "last"]
_DECIMALS: Final = 6
# Further digits would tell more of single answers than of what is compared.
_DECIMALS_OF_WAVES: Final = 3


def nonresponse_spreads(communities: pd.DataFrame, rules: Rules) -> FloatArray:
    """Return ω of each community as a share of the range of scores: that of the rules, or more.

    Parameters
    ----------
    communities : DataFrame
        As `analytics.decision.community_table.check_communities` returns it.
    rules : Rules

    Returns
    -------
    ndarray of float
        In [0, 1]: `nonresponse_spread` of the rules, or ``late_answers_spread`` of the table where that is larger. What
        late answers suggest raises the assumption and never lowers it: that they differ by little does not show that
        those who never answered do.

    Examples
    --------
    >>> from pathlib import Path
    >>> from analytics.rules import load_rules
    >>> rules = load_rules(Path("data/rules/wuhai/2021-08-23.yaml"))
    >>> nonresponse_spreads(pd.DataFrame({"late_answers_spread": [0.01, 0.05, None]}), rules).tolist()
    [0.03, 0.05, 0.03]
    """
    suggested = np.nan_to_num(float_column(communities, LATE_ANSWERS_SPREAD))
    return np.maximum(suggested, float(rules.evidence.nonresponse_spread))


def raised_spreads(communities: pd.DataFrame, rules: Rules) -> dict[str, float]:
    """Return ω of the regions in which late answers raise it above that of the rules, by region.

    Parameters
    ----------
    communities : DataFrame
        As `analytics.decision.community_table.check_communities` returns it.
    rules : Rules

    Returns
    -------
    dict
        Shares of the range of scores with six decimals, in the order of the names of regions.

    Examples
    --------
    >>> from pathlib import Path
    >>> from analytics.rules import load_rules
    >>> table = pd.DataFrame({"region": ["b", "a", "a"], "late_answers_spread": [0.01, 0.05, 0.05]})
    >>> raised_spreads(table, load_rules(Path("data/rules/wuhai/2021-08-23.yaml")))
    {'a': 0.05}
    """
    used = nonresponse_spreads(communities, rules)
    raised = pd.Series(used, index=communities["region"])[used > float(rules.evidence.nonresponse_spread)]
    return {str(region): round(float(spread), _DECIMALS) for region, spread in raised.groupby(level=0).first().items()}


class WorstCases(NamedTuple):
    """Share of satisfied households in the worst cases.

    Attributes
    ----------
    communities : int
        Those that are counted: with known households, at least as many as answers, and known satisfied answers.
    households, responses, satisfied : int
        Their sums.
    lowest, highest : float
        Share of all their households that is satisfied if every household without an answer is dissatisfied, or
        satisfied.
    """

    communities: int
    households: int
    responses: int
    satisfied: int
    lowest: float
    highest: float


def worst_cases(communities: pd.DataFrame) -> WorstCases | None:
    """Return between which limits the share of satisfied households lies, whatever those without an answer think.

    Parameters
    ----------
    communities : DataFrame
        Communities that are taken together, with columns responses, satisfied and households. Missing values are
        unknown; a community with one is left out, and one with more answers than households.

    Returns
    -------
    WorstCases or None
        None if no community is counted.

    Notes
    -----
    Σ satisfied ÷ ΣH and Σ(satisfied + H − n) ÷ ΣH: nothing is assumed but that each answer is of another household, so
    that the limits lie 1 − Σn/ΣH apart. Without such an assumption nothing narrower can be said (Manski 1989).

    References
    ----------
    Manski CF (1989), Anatomy of the selection problem, J. Hum. Resour. 24, 343–360.

    Examples
    --------
    >>> table = pd.DataFrame({"responses": [60, 20, 9], "satisfied": [48, 18, None], "households": [120, 80, 50]})
    >>> worst_cases(table)
    WorstCases(communities=2, households=200, responses=80, satisfied=66, lowest=0.33, highest=0.93)
    """
    satisfied, responses, households = (
        float_column(communities, name) for name in ("satisfied", "responses", "households")
    )
    counted = ~np.isnan(satisfied) & (households >= responses) & (households > 0)
    if not counted.any():
        return None
    pleased, answered, all_of_them = (int(column[counted].sum()) for column in (satisfied, responses, households))
    return WorstCases(
        communities=int(counted.sum()),
        households=all_of_them,
        responses=answered,
        satisfied=pleased,
        lowest=pleased / all_of_them,
        highest=(pleased + all_of_them - answered) / all_of_them,
    )


def compare_waves_by_region(waves: pd.DataFrame, communities: pd.DataFrame, rules: Rules) -> dict[str, Facts]:
    """Compare the last third of the answers with the first in each region, as JSON values.

    Parameters
    ----------
    waves : DataFrame
        One row per community, indexed by its id: columns first, first_satisfied, last, last_satisfied, whole numbers of
        valid answers in the first and the last third of those that residents sent in, and of the satisfied among them.
    communities : DataFrame
        As `analytics.decision.community_table.check_communities` returns it, with the same communities. Only those of
        which the satisfied answers are known are compared, so that nothing follows about those where they are withheld.
    rules : Rules

    Returns
    -------
    dict
        By region: ``communities``, ``first``, ``last``, ``difference``, ``error``, ``differs``, ``deviation`` and
        ``spread`` of `analytics.statistics.answer_waves.WaveComparison`, shares with three decimals; None where too
        few communities or answers can be compared.

    Examples
    --------
    >>> from pathlib import Path
    >>> from analytics.rules import load_rules
    >>> rules = load_rules(Path("data/rules/wuhai/2021-08-23.yaml"))
    >>> ids = [f"{number:02}" for number in range(12)]
    >>> waves = pd.DataFrame({"first": 20, "first_satisfied": 18, "last": 20, "last_satisfied": 16}, index=ids)
    >>> table = pd.DataFrame({"community_id": ids, "region": "r", "responses": 60, "satisfied": 51})
    >>> facts = compare_waves_by_region(waves, table, rules)["r"]
    >>> facts["difference"], facts["differs"], facts["spread"]
    (-0.1, True, 0.075)
    """
    told = communities["satisfied"].notna().to_numpy(dtype=bool)
    numbers = waves[_WAVE_COLUMNS].reindex(communities["community_id"]).to_numpy()
    effects = answer_design_effects(communities, rules)
    found: dict[str, Facts] = {}
    labels = communities["region"].to_numpy(dtype=np.str_)
    for region in np.unique(labels).tolist():
        own = np.flatnonzero((labels == region) & told)
        comparison = compare_waves(*numbers[own].T, design_effect=effects[own]) if own.size else None
        found[region] = None if comparison is None else _rounded(comparison)
    return found


def with_late_answers_spread(communities: pd.DataFrame, waves: Mapping[str, Facts]) -> pd.DataFrame:
    """Return a community table with what late answers suggest about ω; unchanged where they suggest nothing anywhere.

    Parameters
    ----------
    communities : DataFrame
        As `analytics.decision.community_table.check_communities` returns it.
    waves : mapping
        Of `compare_waves_by_region`.

    Returns
    -------
    DataFrame

    Examples
    --------
    >>> table = pd.DataFrame({"community_id": ["a", "b"], "region": ["r", "s"]})
    >>> with_late_answers_spread(table, {"r": {"spread": 0.04}, "s": None})["late_answers_spread"].tolist()
    [0.04, nan]
    >>> with_late_answers_spread(table, {"r": None, "s": None}).columns.tolist()
    ['community_id', 'region']
    """
    spreads = {region: facts["spread"] for region, facts in waves.items() if facts is not None}
    if not spreads:
        return communities
    return communities.assign(**{LATE_ANSWERS_SPREAD: communities["region"].map(spreads).astype("float64")})


def _rounded(comparison: WaveComparison) -> dict[str, Any]:
    return {
        name: round(value, _DECIMALS_OF_WAVES) if isinstance(value, float) else value
        for name, value in asdict(comparison).items()
    }
