"""Hypothetical tables: counts under another rule of which not even the verdict tells what few people answered."""

from collections.abc import Collection, Sequence
from typing import Final

import numpy as np
import pandas as pd

from analytics.decision.table_columns import MEASURE_COLUMNS, float_column
from analytics.disclosure.rules import DisclosureRules
from analytics.disclosure.successive_results import keep_stated_counts
from analytics.disclosure.suppression import can_be_shown
from analytics.statistics.validation import BooleanArray, FloatArray

_COUNTS: Final = ("satisfied", "responses")


def hypothetical_table(
    table: pd.DataFrame, official: pd.DataFrame, *, withheld: Collection[str], disclosure: DisclosureRules
) -> pd.DataFrame:
    """Return a community table from which a reader may learn who would be listed.

    Parameters
    ----------
    table : DataFrame
        As `analytics.decision.community_table.check_communities` describes it, of the answers that would count.
    official : DataFrame
        The same communities in the same order with the answers that do count.
    withheld : collection of str
        Ids of the communities whose official scores are not shown.
    disclosure : DisclosureRules

    Returns
    -------
    DataFrame
        The rows and columns of `table`. Where a breakdown of the answers that would come or go is hidden, or of all
        that would then count, the measures and their numbers of answers are the official ones. Those of `withheld`
        communities are missing.

    Notes
    -----
    Whoever is listed has no lower score than whoever is not. Beside the scores that are known, that bounds a hidden
    one: in a community of twenty it decides whether one or two are not satisfied, and where a single tenant would be
    counted, often what that tenant said.

    Examples
    --------
    >>> from datetime import date
    >>> from analytics.disclosure.rules import rules_in_force
    >>> official = pd.DataFrame({"community_id": ["A", "B", "C"], "responses": [60, 40, 24], "satisfied": [57, 30, 23]})
    >>> residents = official.assign(responses=[61, 60, 50], satisfied=[57, 40, 40])
    >>> rules = rules_in_force(date(2026, 9, 30))
    >>> hypothetical_table(residents, official, withheld={"C"}, disclosure=rules).values.tolist()
    [['A', 60.0, 57.0], ['B', 60.0, 40.0], ['C', nan, nan]]
    """
    kept = keep_stated_counts(table, official, disclosure=disclosure)
    would, do = (
        [np.nan_to_num(float_column(each, name)) if name in table else np.zeros(len(table)) for name in _COUNTS]
        for each in (table, official)
    )
    differing = [np.abs(some - others) for some, others in zip(would, do, strict=True)]
    is_few = (differing[1] > 0) & (_are_few(differing, disclosure) | _are_few(would, disclosure))
    is_withheld = table["community_id"].isin(list(withheld)).to_numpy()
    names = {
        name
        for measured in MEASURE_COLUMNS.values()
        for name in (measured.responses, measured.value, measured.deviation)
        if name is not None and name in kept and name in official
    }
    return kept.assign(
        **{
            name: kept[name].astype("float64").mask(is_few, official[name].astype("float64")).mask(is_withheld)
            for name in sorted(names)
        }
    )


def _are_few(counts: Sequence[FloatArray], disclosure: DisclosureRules) -> BooleanArray:
    satisfied, responses = (numbers.astype(int).tolist() for numbers in counts)
    told = [can_be_shown(some, whole, rules=disclosure) for some, whole in zip(satisfied, responses, strict=True)]
    return ~np.array(told, dtype=np.bool_)
