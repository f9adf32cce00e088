"""Nonresponse of an evaluation: how much those who did not answer may differ, and what they could have changed."""

from collections.abc import Callable, Mapping
from dataclasses import asdict
from typing import Any, Final, NamedTuple

import numpy as np
import pandas as pd

from analytics.decision.table_columns import LATE_ANSWERS_SPREAD, SLIP_ANSWERS_SPREAD, SPREAD_COLUMNS, float_column
from analytics.evidence.household_clustering import answer_design_effects
from analytics.rules import Rules
from analytics.statistics.answer_channels import ChannelComparison, compare_channels
from analytics.statistics.answer_waves import WaveComparison, compare_waves
from analytics.statistics.validation import FloatArray

Facts = dict[str, Any] | None

_WAVE_COLUMNS: Final = ["first_satisfied", "first", "last_satisfied", "last"]
_CHANNEL_COLUMNS: Final = ["poster_satisfied", "poster", "slip_satisfied", "slip"]
_DECIMALS: Final = 6
# Further digits would tell more of single answers than of what is compared.
_DECIMALS_OF_COMPARISONS: Final = 3


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
        In [0, 1]: `nonresponse_spread` of the rules, or the largest of ``late_answers_spread`` and
        ``slip_answers_spread`` of the table where that is larger. What answers suggest raises the assumption and never
        lowers it: that they differ by little does not show that those who never answered do.

    Examples
    --------
    >>> from pathlib import Path
    >>> from analytics.rules import load_rules
    >>> rules = load_rules(Path("data/rules/wuhai/2021-08-23.yaml"))
    >>> nonresponse_spreads(pd.DataFrame({"late_answers_spread": [0.01, 0.05, None]}), rules).tolist()
    [0.03, 0.05, 0.03]
    """
    suggested = [np.nan_to_num(float_column(communities, name)) for name in SPREAD_COLUMNS]
    used: FloatArray = np.maximum(np.maximum.reduce(suggested), float(rules.evidence.nonresponse_spread))
    return used


def raised_spreads(communities: pd.DataFrame, rules: Rules) -> dict[str, float]:
    """Return ω of the regions in which late answers, or those on slips, raise it above that of the rules, by region.

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
    return _by_region(compare_waves, waves[_WAVE_COLUMNS], communities, rules)


def compare_channels_by_region(channels: pd.DataFrame, communities: pd.DataFrame, rules: Rules) -> dict[str, Facts]:
    """Compare the answers through slips with those through posters in each region, as JSON values.

    Parameters
    ----------
    channels : DataFrame
        One row per community, indexed by its id: columns poster, poster_satisfied, slip, slip_satisfied, whole numbers
        of valid answers through posters and through household slips, and of the satisfied among them.
    communities, rules
        As in `compare_waves_by_region`.

    Returns
    -------
    dict
        By region: ``communities``, ``poster``, ``slip``, ``difference``, ``error``, ``differs``, ``deviation`` and
        ``spread`` of `analytics.statistics.answer_channels.ChannelComparison`, shares with three decimals; None where
        too few communities or answers can be compared.

    Examples
    --------
    >>> from pathlib import Path
    >>> from analytics.rules import load_rules
    >>> rules = load_rules(Path("data/rules/wuhai/2021-08-23.yaml"))
    >>> ids = [f"{number:02}" for number in range(12)]
    >>> channels = pd.DataFrame({"poster": 30, "poster_satisfied": 27, "slip": 10, "slip_satisfied": 7}, index=ids)
    >>> table = pd.DataFrame({"community_id": ids, "region": "r", "responses": 40, "satisfied": 34})
    >>> facts = compare_channels_by_region(channels, table, rules)["r"]
    >>> facts["difference"], facts["differs"], facts["spread"]
    (-0.2, True, 0.15)
    """
    return _by_region(compare_channels, channels[_CHANNEL_COLUMNS], communities, rules)


def _by_region(
    compare: Callable[..., WaveComparison | ChannelComparison | None],
    counts: pd.DataFrame,
    communities: pd.DataFrame,
    rules: Rules,
) -> dict[str, Facts]:
    told = communities["satisfied"].notna().to_numpy(dtype=bool)
    numbers = counts.reindex(communities["community_id"]).to_numpy()
    effects = answer_design_effects(communities, rules)
    found: dict[str, Facts] = {}
    labels = communities["region"].to_numpy(dtype=np.str_)
    for region in np.unique(labels).tolist():
        own = np.flatnonzero((labels == region) & told)
        comparison = compare(*numbers[own].T, design_effect=effects[own]) if own.size else None
        found[region] = None if comparison is None else _rounded(comparison)
    return found


def with_suggested_spreads(
    communities: pd.DataFrame, *, waves: Mapping[str, Facts], channels: Mapping[str, Facts]
) -> pd.DataFrame:
    """Return a community table with what answers suggest about ω; without a column of what suggests nothing anywhere.

    Parameters
    ----------
    communities : DataFrame
        As `analytics.decision.community_table.check_communities` returns it.
    waves, channels : mapping
        Of `compare_waves_by_region` and `compare_channels_by_region`.

    Returns
    -------
    DataFrame

    Examples
    --------
    >>> table = pd.DataFrame({"community_id": ["a", "b"], "region": ["r", "s"]})
    >>> none = {"r": None, "s": None}
    >>> with_suggested_spreads(table, waves={"r": {"spread": 0.04}, "s": None}, channels=none)
      community_id region  late_answers_spread
    0            a      r                 0.04
    1            b      s                  NaN
    >>> with_suggested_spreads(table, waves=none, channels=none).columns.tolist()
    ['community_id', 'region']
    """
    for name, compared in ((LATE_ANSWERS_SPREAD, waves), (SLIP_ANSWERS_SPREAD, channels)):
        spreads = {region: facts["spread"] for region, facts in compared.items() if facts is not None}
        if spreads:
            communities = communities.assign(**{name: communities["region"].map(spreads).astype("float64")})
    return communities


def _rounded(comparison: WaveComparison | ChannelComparison) -> dict[str, Any]:
    return {
        name: round(value, _DECIMALS_OF_COMPARISONS) if isinstance(value, float) else value
        for name, value in asdict(comparison).items()
    }
