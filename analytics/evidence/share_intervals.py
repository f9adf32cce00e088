"""Intervals of a share of one community's answers, without what the other communities show."""

import numpy as np
import numpy.typing as npt

from analytics.evidence.household_clustering import assumed_design_effect
from analytics.rules import Rules
from analytics.statistics.intervals import Interval, satisfaction_interval, wilson
from analytics.statistics.validation import whole_numbers


def share_interval(
    events: npt.ArrayLike, n: npt.ArrayLike, rules: Rules, *, households: npt.ArrayLike = np.nan
) -> Interval:
    """Return the interval of a share of answers at the level of the rules.

    Parameters
    ----------
    events : array_like
        Answers that are counted, such as satisfied ones, whole numbers 0 to n.
    n : array_like
        Valid answers, whole numbers, at least 0.
    rules : Rules
    households : array_like
        Households that could answer; NaN where unknown.

    Returns
    -------
    Interval
        Limits in [0, 1]; n = 0 gives (0, 1).

    Raises
    ------
    ValueError
        If a count is missing, negative or fractional, or events exceed n.

    Notes
    -----
    Where a household answers once and the households are known and no fewer than the answers, the exact limits of
    `satisfaction_interval`. Elsewhere Wilson's on n ÷ D answers, D the design effect that the rules assume.

    Examples
    --------
    >>> from pathlib import Path
    >>> from analytics.rules import load_rules
    >>> rules = load_rules(Path("data/rules/wuhai/2021-08-23.yaml"))
    >>> share_interval([8, 0], [10, 0], rules).lower.round(3)
    array([0.49, 0.  ])
    """
    level = float(rules.evidence.level)
    counted, answers = np.broadcast_arrays(whole_numbers("events", events), whole_numbers("n", n))
    effect = assumed_design_effect(rules)
    lower, upper = (limit.copy() for limit in wilson(counted / effect, answers / effect, level=level))
    homes = np.broadcast_to(np.asarray(households, dtype=np.float64), counted.shape)
    known = (homes >= np.maximum(answers, 1)) & rules.evidence.one_answer_per_household
    if known.any():
        lower[known], upper[known] = satisfaction_interval(
            counted[known], answers[known], households=homes[known], level=level
        )
    return Interval(lower, upper)
