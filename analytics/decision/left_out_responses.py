"""Community table with some responses left out, such as those held for review, from counts of these responses alone."""

from math import lcm
from typing import Any, Final

import numpy as np
import pandas as pd

from analytics.decision.survey_channels import CHANNEL_COLUMNS
from analytics.decision.survey_modes import MODE_COLUMNS
from analytics.decision.table_columns import MEASURE_COLUMNS, float_column
from analytics.rules import Rules
from analytics.statistics.validation import FloatArray

# They count parts of the responses or describe all of them, no decision uses them, and they would not fit the rest.
_OF_ALL_RESPONSES: Final = (
    *MODE_COLUMNS,
    *CHANNEL_COLUMNS,
    "asked_about_complaints",
    "said_complained",
    *(measured.deviation for measured in MEASURE_COLUMNS.values() if measured.deviation is not None),
)
_COMPOSITE_DECIMALS: Final = 6


def leave_out_responses(communities: pd.DataFrame, left_out: pd.DataFrame, rules: Rules) -> pd.DataFrame:
    """Return a community table without some of the responses that it counts.

    Parameters
    ----------
    communities : DataFrame
        As `analytics.decision.community_table.check_communities` describes it.
    left_out : DataFrame
        Counts of the responses to leave out, of the population that the table counts: `community_id` and the columns
        of `MEASURE_COLUMNS` that the table has, from `analytics.decision.recount.count_measures`. A community without
        such responses may lack its row.
    rules : Rules

    Returns
    -------
    DataFrame
        The same communities in the same order. Their numbers of responses, satisfied ones and means are of the rest; a
        mean without responses is missing, and what is missing in the table stays missing. Numbers by mode and channel,
        standard deviations, and who said that they complained are left out. A community that loses no response keeps
        its values as they are, so that it can move only because others do.

    Raises
    ------
    ValueError
        If more responses are to be left out of a community than it has.

    Notes
    -----
    The rest of an index is exact: n·mean is a whole number of the common unit of the points. A composite is known to
    six decimals in the table, so that of the rest is known to 5·10⁻⁷ × n ÷ (responses left).
    It is kept within the points.

    Examples
    --------
    Ten of sixty answers in A are left out, all of them satisfied; B loses none:

    >>> from pathlib import Path
    >>> from analytics.rules import load_rules
    >>> rules = load_rules(Path("data/rules/wuhai/2021-08-23.yaml"))
    >>> table = pd.DataFrame({"community_id": ["A", "B"], "responses": [60, 40], "satisfied": [50, 39]})
    >>> held = pd.DataFrame({"community_id": ["A"], "responses": [10], "satisfied": [10]})
    >>> leave_out_responses(table, held, rules).values.tolist()
    [['A', 50, 40], ['B', 40, 39]]
    """
    own = left_out.set_index("community_id").reindex(communities["community_id"])
    rest = communities.drop(columns=[name for name in _OF_ALL_RESPONSES if name in communities])
    for measure, measured in MEASURE_COLUMNS.items():
        if not set(measured.columns) <= set(communities):
            continue
        before, gone = (float_column(table, measured.responses) for table in (communities, own))
        gone = np.nan_to_num(gone)
        if (gone > before).any():
            raise ValueError(f"more {measured.responses} are to be left out than the table has")
        rest[measured.responses] = _changed(communities[measured.responses], before - gone, gone)
        value, without = float_column(communities, measured.value), np.nan_to_num(float_column(own, measured.value))
        if measure == "satisfaction_rate":
            left = value - without
        else:
            left = _mean_of_rest(value * before - without * gone, before - gone, _parts(rules, measured.value))
            points = [float(each) for each in rules.satisfaction.index_points.values()]
            left = np.clip(left, min(points), max(points))
        rest[measured.value] = _changed(communities[measured.value], left, gone)
    return rest


def _parts(rules: Rules, value: str) -> int | None:
    """Return the inverse of the unit that sums of points are multiples of; None for composites, which have none."""
    if value != "mean_index":
        return None
    return lcm(*(point.denominator for point in rules.satisfaction.index_points.values()))


def _mean_of_rest(total: FloatArray, responses: FloatArray, parts: int | None) -> FloatArray:
    some = np.where(responses > 0, responses, np.nan)
    # As `count_measures` divides: equal means are equal floats.
    mean: FloatArray = (
        np.round(total / some, _COMPOSITE_DECIMALS) if parts is None else np.round(total * parts) / (some * parts)
    )
    return mean


def _changed(before: "pd.Series[Any]", after: FloatArray, gone: FloatArray) -> "pd.Series[Any]":
    """Return a column with the values of the communities that lose responses replaced."""
    loses = gone > 0
    if not loses.any():
        return before
    # A mean of nothing is missing, which no column of whole numbers can hold.
    changed = before.astype("float64").mask(loses, pd.Series(after, index=before.index))
    return changed if before.dtype.kind == "f" else changed.astype("Int64")
