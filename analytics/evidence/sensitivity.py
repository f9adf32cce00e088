"""Sensitivity analysis of the satisfaction route: without communities with few answers, and within survey modes."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import pandas as pd

from analytics.decision.evaluate import Evaluation
from analytics.decision.routes import Route, evaluate_satisfaction, rows_by_region
from analytics.decision.survey_modes import MIXED, MODES, answers_by_mode, main_modes, ranks_within_modes, rates_by_mode
from analytics.decision.table_columns import MEASURE_COLUMNS, float_column
from analytics.evidence.mode_adjustment import ModeAdjustment, shrink_to_mode_regression
from analytics.evidence.sampling_variance import sampling_variance
from analytics.statistics.validation import BooleanArray, FloatArray

LEAST_COMPLETES: Final = 100
"""Answers below which a community has few: the number that a hospital needs for an HCAHPS star rating."""

WITHOUT_FEW_COLUMNS: Final[Mapping[str, str]] = {
    "satisfaction_rank_without_few": "Int64",
    "satisfaction_status_without_few": "str",
}
"""Columns of the decision without communities with few answers, and their types; they need counts of answers."""

BY_MODE_COLUMNS: Final[Mapping[str, str]] = {
    "satisfaction_main_mode": "str",
    "satisfaction_rank_within_mode": "Int64",
    "satisfaction_ranked_within_mode": "Int64",
    **{f"satisfaction_rate_{mode}": "float64" for mode in MODES},
    "satisfaction_shrunk_to_mode_mix": "float64",
}
"""Columns about the modes of the answers, and their types; they need counts by mode."""

_ANALYSED_COLUMNS: Final = ("region", "satisfaction_score", "satisfaction_rank", "satisfaction_status")
_DECIMALS: Final = 6


@dataclass(frozen=True)
class Sensitivity:
    """Results of the sensitivity analysis, by community and by region.

    Attributes
    ----------
    communities : DataFrame
        One row per community in the order of the table: `WITHOUT_FEW_COLUMNS` if the table counts answers,
        `BY_MODE_COLUMNS` if it counts them by mode.

        - ``satisfaction_rank_without_few``, ``satisfaction_status_without_few``: as in the standings, if communities
          with fewer than `LEAST_COMPLETES` answers were not ranked.
        - ``satisfaction_main_mode``: mode of more than half of the answers, or "mixed".
        - ``satisfaction_rank_within_mode``, ``satisfaction_ranked_within_mode``: the rank among the communities with
          the same main mode that are ranked together, and their number.
        - ``satisfaction_rate_web``, ``…_paper``, ``…_telephone``: the satisfaction rate by mode.
        - ``satisfaction_shrunk_to_mode_mix``: see `analytics.evidence.mode_adjustment.shrink_to_mode_regression`;
          missing in regions where no two modes are common.
    regions : dict
        JSON values by region:

        - ``without_few``: ``least`` answers, how many ranked communities have fewer (``left_out``), and without these
          ``N``, ``k``, ``met``, and how many communities enter and leave the satisfaction list (``enters``,
          ``leaves``); None if answers are not counted.
        - ``main_modes``: number of ranked communities with each main mode; None if the modes are unknown.
        - ``mode_effects``: rows of `analytics.evidence.mode_adjustment.ModeAdjustment.effects`, with six decimals.
    """

    communities: pd.DataFrame
    regions: dict[str, dict[str, Any]]


def analyse_sensitivity(evaluation: Evaluation) -> Sensitivity:
    """Analyse how sensitive the satisfaction decision is to communities with few answers and to survey modes.

    Parameters
    ----------
    evaluation : Evaluation

    Returns
    -------
    Sensitivity

    Notes
    -----
    The same function decides again, so only the communities with few answers can make a difference. Communities left
    out are not assessed; the region's N and k are those of the others.

    References
    ----------
    Centers for Medicare & Medicaid Services, Technical Notes for HCAHPS Star Ratings: at least 100 completed surveys
    over four quarters.

    Examples
    --------
    Twenty communities with many answers, and one with few answers that leads:

    >>> from pathlib import Path
    >>> from analytics.decision.evaluate import evaluate
    >>> from analytics.rules import load_rules
    >>> rules = load_rules(Path("data/rules/wuhai/2021-08-23.yaml"))
    >>> table = pd.DataFrame({
    ...     "community_id": [f"{number:03}" for number in range(21)], "region": "乌达区",
    ...     "responses": [30, *[200] * 20], "satisfied": [30, 190, *[150] * 19],
    ... })
    >>> found = analyse_sensitivity(evaluate(table, rules))
    >>> found.regions["乌达区"]["without_few"]
    {'least': 100, 'left_out': 1, 'N': 20, 'k': 1, 'met': 1, 'enters': 1, 'leaves': 1}
    >>> found.communities["satisfaction_status_without_few"].head(3).tolist()
    ['not_assessed', 'met', 'not_met']
    """
    # In the order of ids sums are equal to the last digit, whatever the order of the rows of the table.
    order = np.argsort(evaluation.communities["community_id"].to_numpy(dtype=np.str_), kind="stable")
    table = evaluation.communities.iloc[order].reset_index(drop=True)
    standings = evaluation.standings[list(_ANALYSED_COLUMNS)].iloc[order].reset_index(drop=True)
    variances = sampling_variance(evaluation, stabilised=False)[order]
    regions: dict[str, dict[str, Any]] = {
        region: {"without_few": None, "main_modes": None, "mode_effects": []}
        for region in sorted(evaluation.summary["regions"])
    }
    columns: dict[str, Any] = {}
    counted = MEASURE_COLUMNS[evaluation.rules.satisfaction.measure].responses
    if counted in table and "score" not in table:
        few = float_column(table, counted) < LEAST_COMPLETES
        route = _without(table, few, evaluation)
        columns |= {
            "satisfaction_rank_without_few": route.rank,
            "satisfaction_status_without_few": route.status,
        }
        for region, facts in _compare_routes(standings, route, few).items():
            regions[region]["without_few"] = facts
    answers = answers_by_mode(table)
    if answers is not None:
        columns |= _mode_columns(table, standings, answers, evaluation.summary["regions"])
        mix = _adjust_for_modes(standings, answers, variances)
        columns["satisfaction_shrunk_to_mode_mix"] = mix.mean
        for region, facts in _count_modes(standings, columns["satisfaction_main_mode"]).items():
            regions[region]["main_modes"] = facts
        for effect in mix.effects.round(_DECIMALS).to_dict("records"):
            regions[effect.pop("region")]["mode_effects"].append(effect)
    dtypes = {name: dtype for name, dtype in {**WITHOUT_FEW_COLUMNS, **BY_MODE_COLUMNS}.items() if name in columns}
    frame = pd.DataFrame(columns, index=standings.index).iloc[np.argsort(order)].reset_index(drop=True)
    return Sensitivity(frame[list(dtypes)].astype(dtypes), regions)


def _without(table: pd.DataFrame, few: BooleanArray, evaluation: Evaluation) -> Route:
    """Decide the satisfaction route as if nobody had answered in some communities."""
    value = MEASURE_COLUMNS[evaluation.rules.satisfaction.measure].value
    return evaluate_satisfaction(
        table.assign(**{value: table[value].mask(few)}), evaluation.rules, rows_by_region(table)
    )


def _compare_routes(standings: pd.DataFrame, route: Route, few: BooleanArray) -> dict[str, dict[str, int]]:
    was, is_now = (standings["satisfaction_status"] == "met").to_numpy(), route.status == "met"
    numbers = pd.DataFrame(
        {
            "left_out": few & standings["satisfaction_rank"].notna().to_numpy(dtype=bool),
            "met": is_now,
            "enters": is_now & ~was,
            "leaves": was & ~is_now,
        }
    )
    counts = numbers.groupby(standings["region"]).sum()
    return {
        region: {
            "least": LEAST_COMPLETES,
            "left_out": int(counts["left_out"][region]),
            "N": ranked.decision.eligible,
            "k": ranked.decision.positions,
            **{name: int(counts[name][region]) for name in ("met", "enters", "leaves")},
        }
        for region, ranked in route.ranked.items()
    }


def _mode_columns(
    table: pd.DataFrame, standings: pd.DataFrame, answers: pd.DataFrame, regions: Mapping[str, Any]
) -> dict[str, Any]:
    modes = main_modes(answers)
    scores = np.where(standings["satisfaction_rank"].notna(), float_column(standings, "satisfaction_score"), np.nan)
    alone = [name for name, facts in regions.items() if facts["satisfaction"]["ranked_with"] == "district"]
    own = standings["region"].isin(alone).to_numpy(dtype=bool)
    within, number = ranks_within_modes(scores, modes, group=pd.factorize(standings["region"], sort=True)[0])
    if not own.all():
        of_city = ranks_within_modes(scores, modes, group=np.zeros(len(scores), dtype=np.int64))
        within, number = np.where(own, within, of_city[0]), np.where(own, number, of_city[1])
    rates = rates_by_mode(table)
    return {
        "satisfaction_main_mode": modes,
        "satisfaction_rank_within_mode": within,
        "satisfaction_ranked_within_mode": number,
        **{f"satisfaction_rate_{mode}": np.nan if rates is None else rates[mode] for mode in MODES},
    }


def _adjust_for_modes(standings: pd.DataFrame, answers: pd.DataFrame, variances: FloatArray) -> ModeAdjustment:
    """Fit the mode regression to each region's ranked communities with known modes and sampling variance."""
    usable = (
        standings["satisfaction_rank"].notna() & (answers.sum(axis=1, skipna=False) > 0) & ~np.isnan(variances)
    ).to_numpy(dtype=bool)
    rows = np.flatnonzero(usable)
    found = shrink_to_mode_regression(
        float_column(standings, "satisfaction_score")[rows],
        variances[rows],
        answers.iloc[rows],
        region=standings["region"].iloc[rows].to_numpy(dtype=np.str_),
    )
    mean, variance = np.full((2, len(standings)), np.nan)
    mean[rows], variance[rows] = found.mean, found.variance
    return ModeAdjustment(mean, variance, found.effects)


def _count_modes(standings: pd.DataFrame, modes: "pd.Series[str]") -> dict[str, dict[str, int]]:
    ranked = standings["satisfaction_rank"].notna()
    counts = pd.crosstab(standings["region"][ranked], modes[ranked]).reindex(columns=[*MODES, MIXED], fill_value=0)
    every = counts.reindex(standings["region"].unique(), fill_value=0)
    return {
        str(region): {str(mode): int(count) for mode, count in row.items()}
        for region, row in every.to_dict("index").items()
    }
