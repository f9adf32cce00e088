"""Coarsening of response rows: nobody is one of few in what is said of the person beside the answer."""

from collections.abc import Sequence
from typing import Final

import numpy as np
import pandas as pd

from analytics.disclosure.rules import DisclosureRules

WITHHELD: Final = -4
"""Code of a value that is known and not told. A file holds it as a number: no text could be taken for it."""


def coarsen_rows(
    rows: pd.DataFrame,
    *,
    within: Sequence[str],
    detail: str,
    rules: DisclosureRules,
    times: "pd.Series[int] | None" = None,
    is_rated: "pd.Series[bool] | None" = None,
) -> pd.DataFrame:
    """Return the rows of groups that are large enough, with a detail withheld where it would make small ones.

    Parameters
    ----------
    rows : DataFrame
        One row per response, or per kind of response, any columns; those named are without missing values. The index is
        unique.
    within : sequence of str
        Columns whose values together make a group, such as the community and the tenure. They are never changed: a
        group of fewer rows than `minimum_base` is left out whole.
    detail : str
        A further column that others may know of a person, such as the mode, or the tenure where it is no group.
    rules : DisclosureRules
    times : Series of int, optional
        How many responses each row stands for, at least one; by default one each. Same index.
    is_rated : Series of bool, optional
        Which rows make a group large, by default all: tables withhold how few rated a question, however many more say
        that they don't know. Same index.

    Returns
    -------
    DataFrame
        The rows that are left in their order with their index. In `detail` stands `WITHHELD` where fewer than
        `minimum_base` such responses of the group have the value, and where these together are fewer, also for the next
        lowest number of them, until they are enough. So every combination of the named columns has at least
        `minimum_base` responses, and the number of those of a group, which others may know by value, does not say who
        stands behind which.

    Examples
    --------
    >>> from datetime import date
    >>> from analytics.disclosure.rules import rules_in_force
    >>> rows = pd.DataFrame({
    ...     "community": ["A"] * 42 + ["B"] * 9,
    ...     "mode": ["web"] * 26 + ["telephone"] * 15 + ["paper"] + ["web"] * 9,
    ... })
    >>> released = coarsen_rows(rows, within=["community"], detail="mode", rules=rules_in_force(date(2026, 9, 30)))
    >>> released.value_counts().to_dict()
    {('A', 'web'): 26, ('A', -4): 16}
    """
    least = rules.minimum_base
    responses = pd.Series(1, index=rows.index) if times is None else times
    sizing = responses if is_rated is None else responses.where(is_rated, 0)
    kept = rows[sizing.groupby([rows[name] for name in within]).transform("sum") >= least]
    if kept.empty:
        return kept
    group = kept.groupby(list(within), sort=False).ngroup().to_numpy()
    value, values = pd.factorize(kept[detail])
    sizes, present = np.zeros((2, group.max() + 1, len(values)), dtype=np.int64)
    np.add.at(sizes, (group, value), sizing[kept.index])
    np.add.at(present, (group, value), 1)
    # From the smallest on, as many values as are too small, and then as many as make them enough together.
    order = np.argsort(sizes, axis=1, kind="stable")
    ascending, is_present = (np.take_along_axis(counts, order, axis=1) for counts in (sizes, present > 0))
    too_small = is_present & (ascending < least)
    merged = too_small | (too_small.any(axis=1, keepdims=True) & (ascending.cumsum(axis=1) - ascending < least))
    is_merged = np.zeros(sizes.shape, dtype=np.bool_)
    np.put_along_axis(is_merged, order, merged, axis=1)
    return kept.assign(**{detail: kept[detail].astype(object).mask(is_merged[group, value], WITHHELD)})
