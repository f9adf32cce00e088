"""Successive results of one survey: no two of them differ by the answers of a few, whom subtraction would give away."""

import numpy as np
import pandas as pd

from analytics.decision.survey_channels import CHANNEL_COLUMNS
from analytics.decision.survey_modes import MODE_COLUMNS
from analytics.decision.table_columns import MEASURE_COLUMNS, float_column
from analytics.disclosure.rules import DisclosureRules
from analytics.statistics.validation import BooleanArray

_SAID, _ASKED = "said_complained", "asked_about_complaints"


def keep_stated_counts(table: pd.DataFrame, stated: pd.DataFrame, *, disclosure: DisclosureRules) -> pd.DataFrame:
    """Return a community table that differs from an earlier one of the same survey by nobody or by enough people.

    Parameters
    ----------
    table : DataFrame
        As `analytics.decision.community_table.check_communities` describes it, counted after answers were taken away.
    stated : DataFrame
        The table of the last result, in which they counted.
    disclosure : DisclosureRules

    Returns
    -------
    DataFrame
        The rows and columns of `table`. Where the answers that a measure rests on are fewer by 1 to below
        `minimum_base` than those stated, the measure and its number of answers are the stated ones. How many answered
        in a mode or channel, and who said that they complained, is missing where it differs by so few.

    Notes
    -----
    Answers are only ever taken away after the close. By induction any two results differ by none or enough of them,
    not only one and its predecessor. A measure of the `minimum_base` or more people who were taken away can be found,
    as that of a community of so many may be known.

    Examples
    --------
    >>> from datetime import date
    >>> from analytics.disclosure.rules import rules_in_force
    >>> stated = pd.DataFrame({"community_id": ["A", "B"], "responses": [60, 40], "satisfied": [50, 39]})
    >>> table = pd.DataFrame({"community_id": ["A", "B"], "responses": [59, 30], "satisfied": [49, 30]})
    >>> keep_stated_counts(table, stated, disclosure=rules_in_force(date(2026, 9, 30))).values.tolist()
    [['A', 60, 50], ['B', 30, 30]]
    """
    before = stated.set_index("community_id").reindex(table["community_id"]).set_axis(table.index)
    kept: dict[str, pd.Series] = {}
    for measured in MEASURE_COLUMNS.values():
        if measured.responses not in table or measured.responses not in before:
            continue
        few = _differ_by_few(table, before, measured.responses, disclosure)
        for name in (measured.responses, measured.value, measured.deviation):
            if name is not None and name in table and name in before:
                own = table[name]
                if own.dtype == "int64":
                    # What is whole here may be missing there.
                    own = own.astype("Int64")
                kept[name] = own.where(~few, before[name].astype(own.dtype))
    result = table.assign(**kept)
    for names in (*((name,) for name in (*MODE_COLUMNS, *CHANNEL_COLUMNS)), (_SAID, _ASKED)):
        if set(names) <= set(table):
            parts = result.assign(rest=float_column(result, names[-1]) - float_column(result, names[0]))
            parts_before = before.assign(rest=float_column(before, names[-1]) - float_column(before, names[0]))
            few = np.any([_differ_by_few(parts, parts_before, name, disclosure) for name in (*names, "rest")], axis=0)
            result = result.assign(**{name: result[name].mask(few) for name in names})
    return result


def _differ_by_few(one: pd.DataFrame, other: pd.DataFrame, name: str, disclosure: DisclosureRules) -> BooleanArray:
    difference = np.abs(float_column(one, name) - float_column(other, name))
    few: BooleanArray = (difference > 0) & (difference < disclosure.minimum_base)
    return few
