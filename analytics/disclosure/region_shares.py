"""Shares of a region beside one of its communities: whether they would give the hidden numbers of others away.

Whoever takes all communities whose numbers are shown from the region finds those of the rest together.
"""

from collections.abc import Sequence

import numpy as np
import pandas as pd

from analytics.disclosure.rules import DisclosureRules
from analytics.disclosure.suppression import rounded_share
from analytics.statistics.validation import BooleanArray, IntegerArray

STEP_PERCENT = 1
"""Steps in which the shares of a region are shown, see `analytics.disclosure.suppression.rounded_share`."""


def shares_tell(
    counts: IntegerArray,
    *,
    people: int,
    groups: Sequence[Sequence[int]],
    is_hidden: BooleanArray,
    is_grouped: BooleanArray,
    rules: DisclosureRules,
) -> bool:
    """Return whether the shares of a region in whole percents tell too much of what is hidden in its communities.

    Parameters
    ----------
    counts : array of int, shape (communities, answers)
        How many gave each valid answer, in every community of the region.
    people : int
        How many people the shares are of.
    groups : sequence of sequence of int
        The columns of the satisfied answers and those of the others; a single group where there is no such number.
    is_hidden : array of bool, shape (communities,)
        Where a community's own numbers are not shown. How many answered is known of all.
    is_grouped : array of bool, shape (communities,)
        Where the number of each group is shown nevertheless, as it is of ranked communities.
    rules : DisclosureRules

    Returns
    -------
    bool
        Whether some hidden number might be known more closely than within `minimum_range`, and than without the region.
        Shares of so few people that `rounded_share` gives none tell nothing.

    Notes
    -----
    A hidden number can be greater by d, and another answer of its community smaller by d, if the other hidden
    communities make up for it: they gave d or more of the first answer, and could have given the second instead. The
    share need not even stay the same, as long as it is rounded to the same percent. The range that is found so is
    reached, and no wider than that of the linear programme: where it is wide enough, that is.

    Examples
    --------
    >>> from datetime import date
    >>> from analytics.disclosure.rules import rules_in_force
    >>> rules = rules_in_force(date(2026, 9, 30))
    >>> counts = np.array([[346, 80], [47, 1], [20, 6]])  # 17.4 % of 500 are not satisfied, 17.5 % would be 18 %
    >>> each = {"people": 500, "groups": [[0, 1]], "is_grouped": np.zeros(3, dtype=bool), "rules": rules}
    >>> shares_tell(counts, is_hidden=np.array([False, True, False]), **each)
    True
    >>> shares_tell(counts, is_hidden=np.array([False, True, True]), **each)
    False
    """
    if np.isnan(rounded_share(0, people, rules=rules)):
        return False
    rows = counts[is_hidden]
    grouped = is_grouped[is_hidden]
    rise, fall = _slack(counts.sum(axis=0), people)
    for group in groups:
        columns = list(group)
        within = _widths(rows[:, columns], rise=rise[columns], fall=fall[columns])
        beside = np.zeros_like(within)
        if (~grouped).any():
            none = np.zeros(counts.shape[1], dtype=np.int64)
            beside[~grouped] = _widths(rows[~grouped], rise=none, fall=none)[:, columns]
        bases = np.where(grouped, rows[:, columns].sum(axis=1), rows.sum(axis=1))
        wanted = np.minimum(rules.minimum_range, bases)[:, np.newaxis]
        if (np.maximum(within, beside) < wanted).any():
            return True
    return False


def rounded_associations(associations: pd.DataFrame, *, people: int, rules: DisclosureRules) -> pd.DataFrame:
    """Return how the answers of a region go together in whole percents, so that nobody's can be found from them.

    Parameters
    ----------
    associations : DataFrame
        Shares such as parts of R², any columns.
    people : int
        How many people they are of.
    rules : DisclosureRules

    Returns
    -------
    DataFrame
        All missing where `rounded_share` gives no share of so few people.

    Notes
    -----
    Of a dozen people an association to six digits is the work of few tables: whoever tries all that fit the numbers
    shown finds the hidden ones. To a whole percent of many people countless tables lead.

    Examples
    --------
    >>> from datetime import date
    >>> from analytics.disclosure.rules import rules_in_force
    >>> rules = rules_in_force(date(2026, 9, 30))
    >>> weights = pd.DataFrame({"weight": [0.07659, 0.05397]})
    >>> rounded_associations(weights, people=500, rules=rules)["weight"].tolist()
    [0.08, 0.05]
    >>> rounded_associations(weights, people=499, rules=rules)["weight"].tolist()
    [nan, nan]
    """
    is_told = not np.isnan(rounded_share(0, people, rules=rules))
    return associations.astype("float64").round(2) if is_told else associations.mask(associations.notna())


def _slack(totals: IntegerArray, people: int) -> tuple[IntegerArray, IntegerArray]:
    """Return by how much each total can rise, and fall, with a share that is rounded to the same percent."""
    unit = people * STEP_PERCENT / 100
    steps = np.round(totals / unit)
    rise = np.maximum(np.ceil((steps + 0.5) * unit) - 1 - totals, 0)
    fall = np.maximum(totals - np.floor((steps - 0.5) * unit) - 1, 0)
    return rise.astype(np.int64), fall.astype(np.int64)


def _widths(rows: IntegerArray, *, rise: IntegerArray, fall: IntegerArray) -> IntegerArray:
    """Return how far apart the numbers are that each count could be, if every sum of a row is known."""
    bases, others = rows.sum(axis=1, keepdims=True), rows.sum(axis=0) - rows
    rest = rows.sum() - bases - others
    # To rise, an answer takes people from others of its community, whose totals may fall; and the other way round.
    taken = np.minimum(rows, fall)
    spared = np.minimum(rise, taken.sum(axis=1, keepdims=True) - taken)
    gained = np.minimum(fall, rise.sum() - rise)
    up = np.minimum(bases - rows, others + spared)
    down = np.minimum(rows, rest + gained)
    widths: IntegerArray = up + down
    return widths
