"""Underreported complaints: communities with few cases on record although residents report complaints in the survey."""

from typing import Final

import numpy as np
import pandas as pd

from analytics.decision.routes import rows_by_region
from analytics.decision.table_columns import float_column
from analytics.evidence.household_clustering import repeat_complaint_share
from analytics.rules import Rules
from analytics.statistics.complaint_rates import compare_recorded_with_reported, low_recorded_complaints
from analytics.statistics.repeat_complaints import repeat_dispersion

RECALL_MONTHS: Final = 12
"""Months that residents are asked about: a shorter record would look like few complaints."""

UNDERREPORTED_COLUMNS: Final = ("community_id", "reported_lower", "recorded_households")

_SAID, _ASKED = "said_complained", "asked_about_complaints"
_REPORTED: Final = (_SAID, _ASKED, "households", "recorded_households")


def underreported_complaints(communities: pd.DataFrame, rules: Rules) -> pd.DataFrame:
    """Return the communities whose complaints may be underreported, each compared with its region.

    Parameters
    ----------
    communities : DataFrame
        As `analytics.decision.community_table.check_communities` returns it.
    rules : Rules

    Returns
    -------
    DataFrame
        Columns `UNDERREPORTED_COLUMNS`, in the order of the table: the least number of households that complained by
        the survey, and how many are on record. Empty if the table does not say who complained, or if the period of the
        complaints is shorter than the 12 months that residents are asked about.

    Examples
    --------
    >>> from pathlib import Path
    >>> from analytics.rules import load_rules
    >>> rules = load_rules(Path("data/rules/wuhai/2021-08-23.yaml"))
    >>> table = pd.DataFrame({
    ...     "community_id": ["a", "b", "c"], "region": "乌达区", "households": 400, "exposure_household_years": 400.0,
    ...     "complaints": [0, 30, 30], "asked_about_complaints": 60, "said_complained": [12, 9, 9],
    ... })
    >>> underreported_complaints(table, rules).values.tolist()
    [['a', 46.0, 0.0]]
    """
    if rules.complaints.period_months < RECALL_MONTHS or not {_SAID, _ASKED} <= set(communities):
        return pd.DataFrame(columns=list(UNDERREPORTED_COLUMNS)).astype(dict.fromkeys(UNDERREPORTED_COLUMNS[1:], float))
    limits = {
        "level": float(rules.evidence.level),
        "dispersion": repeat_dispersion(repeat_complaint_share(communities, rules)),
    }
    regions = [communities.iloc[rows] for rows in rows_by_region(communities).values()]
    found = pd.concat([underreported_in_region(region, **limits) for region in regions])
    places = pd.Index(communities["community_id"]).get_indexer(pd.Index(found["community_id"]))
    return found.iloc[np.argsort(places, kind="stable")][list(UNDERREPORTED_COLUMNS)].reset_index(drop=True)


def underreported_in_region(region: pd.DataFrame, *, level: float, dispersion: float = 1.0) -> pd.DataFrame:
    """Return the communities of one region whose complaints may be underreported, the largest gap first.

    Parameters
    ----------
    region : DataFrame
        Rows of a checked community table that are compared with one another.
    level : float
        Two-sided confidence level of all limits, in (0, 1).
    dispersion : float
        φ ≥ 1 of the complaints, as `analytics.statistics.complaint_rates.complaint_rates` takes it.

    Returns
    -------
    DataFrame
        As `communities_with_discouraged_complaints` returns it.

    Notes
    -----
    Three things must hold: by the survey more households complained than are on record; the share that says so is not
    below that of the region; and clearly fewer cases are on record than the rate of the region makes one expect.
    Communities with a missing number are neither compared nor found.

    Examples
    --------
    >>> table = pd.DataFrame({"community_id": ["a", "b"], "households": 400, "exposure_household_years": 400.0,
    ...     "complaints": [0, 60], "asked_about_complaints": 60, "said_complained": 12})
    >>> underreported_in_region(table, level=0.95)["community_id"].tolist()
    ['a']
    """
    counted = region[
        (float_column(region, "exposure_household_years") > 0) & ~np.isnan(float_column(region, "complaints"))
    ]
    answered = counted[~np.isnan(float_column(counted, _SAID)) & (float_column(counted, _ASKED) > 0)]
    if answered.empty:
        return communities_with_discouraged_complaints(answered, level=level)
    years = float_column(counted, "exposure_household_years").sum()
    is_low = low_recorded_complaints(
        float_column(answered, "complaints"),
        float_column(answered, "exposure_household_years"),
        float_column(answered, _SAID),
        float_column(answered, _ASKED),
        rate=float_column(counted, "complaints").sum() / years,
        share=float_column(answered, _SAID).sum() / float_column(answered, _ASKED).sum(),
        level=level,
        dispersion=dispersion,
    )
    # The exact limits of the others would be worked out in vain.
    return communities_with_discouraged_complaints(answered[is_low], level=level)


def communities_with_discouraged_complaints(table: pd.DataFrame, *, level: float) -> pd.DataFrame:
    """Return the communities where significantly more households report a complaint than are on record.

    Parameters
    ----------
    table : DataFrame
        A checked community table.
    level : float
        Confidence level of the intervals.

    Returns
    -------
    DataFrame
        Those rows of the table, with `recorded_households`, and `reported_lower` and `reported_upper`, the estimated
        households that would say so if all were asked; the largest gap first. Empty if the table lacks the columns. If
        it is unknown which cases belong to the same household, each counts as a household of its own, which is the most
        that can be on record.

    Examples
    --------
    >>> table = pd.DataFrame({"community_id": ["a", "b"], "households": 400, "complaints": [3, 60],
    ...     "asked_about_complaints": 60, "said_complained": 12})
    >>> found = communities_with_discouraged_complaints(table, level=0.95)
    >>> found[["community_id", "reported_lower", "recorded_households"]].to_dict("records")
    [{'community_id': 'a', 'reported_lower': 46.0, 'recorded_households': 3.0}]
    """
    recorded = float_column(table, "complaining_households")
    table = table.assign(recorded_households=np.where(np.isnan(recorded), float_column(table, "complaints"), recorded))
    values = {name: float_column(table, name) for name in _REPORTED}
    usable = np.all([~np.isnan(value) for value in values.values()], axis=0)
    usable &= (values["households"] >= np.maximum(values["asked_about_complaints"], 1)) & (
        values["households"] >= values["recorded_households"]
    )
    rows = np.flatnonzero(usable)
    compared = compare_recorded_with_reported(
        values["said_complained"][rows],
        values["asked_about_complaints"][rows],
        households=values["households"][rows],
        recorded_households=values["recorded_households"][rows],
        level=level,
    )
    beside = compared[["reported_lower", "reported_upper", "missing_lower"]]
    found = table.iloc[rows].reset_index(drop=True).join(beside)
    found = found[(compared["signal"] == "discouraged").to_numpy(dtype=bool)]
    return found.sort_values(["missing_lower", "community_id"], ascending=[False, True], kind="stable")
