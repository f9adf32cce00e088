"""Community tables without deviations that would tell ratings: what evidence pools over a region, readers can find."""

from collections.abc import Collection

import numpy as np
import pandas as pd

from analytics.decision.table_columns import MEASURE_COLUMNS, float_column
from analytics.disclosure.rules import DisclosureRules
from analytics.rules import Rules
from analytics.statistics.validation import BooleanArray


def withhold_pooled_deviations(
    table: pd.DataFrame,
    rules: Rules,
    *,
    ranked: Collection[str],
    hidden: Collection[str],
    disclosure: DisclosureRules,
) -> pd.DataFrame:
    """Return a community table without the standard deviations of the regions where evidence would tell too much.

    Parameters
    ----------
    table : DataFrame
        As `analytics.decision.community_table.check_communities` describes it.
    rules : Rules
    ranked : collection of str
        Ids of the communities whose satisfaction is ranked: their scores are public, and evidence pools their
        deviations.
    hidden : collection of str
        Ids of the communities of which no page tells how many gave each rating that the measure rests on.

    Returns
    -------
    DataFrame
        The same rows and columns. The deviation of the measure is missing in a region where the pooled one would bound
        a hidden community: evidence then says that it is unknown. With a measure that needs no deviation the table as
        it is.

    Notes
    -----
    An interval of a mean is a function of its number of answers, of its score, and of the variance that is pooled over
    the region. Whoever has the first two finds the third, and with it Σs² of all communities together. Beside n and Σs
    that decides how many gave each rating where hardly anybody is dissatisfied: of 31 with 3 points less than all, one
    gave three less, or three gave one.

    The pooled one tells nothing of a community whose Σs² can vary enough while the others make up for it. Between two
    ways to give n answers with the same Σs lead exchanges, each of which changes Σs² by ¾(h − l)² at most on a scale of
    five ratings, h and l the highest and the lowest points; so many exchanges as `minimum_range` move any number of
    ratings as far as that. In no community can Σs² fall below M²/n, M = Σs, or rise above (h + l)M − nhl. Another
    community can give as much as its own lies above that of neighbouring ratings alone, and take as much as it lies
    below that of extreme ones, but for what whole people leave over, (h − l)²/2 at most. Which ratings of one person
    make a composite stands on no page; it is treated like an index.

    Examples
    --------
    >>> from dataclasses import replace
    >>> from datetime import date
    >>> from pathlib import Path
    >>> from analytics.disclosure.rules import rules_in_force
    >>> from analytics.rules import load_rules
    >>> rules = load_rules(Path("data/rules/wuhai/2021-08-23.yaml"))
    >>> rules = replace(rules, satisfaction=replace(rules.satisfaction, measure="satisfaction_index"))
    >>> disclosure = rules_in_force(date(2026, 9, 30))
    >>> table = pd.DataFrame({"community_id": ["A", "B", "C", "D"], "region": ["one", "two", "two", "two"],
    ...     "responses": [40, 80, 60, 70], "mean_index": [98.0, 80.0, 78.0, 82.0], "sd_index": [7.0, 25.0, 22.0, 24.0]})
    >>> for hidden in ("AB", "ABCD"):
    ...     kept = withhold_pooled_deviations(
    ...         table, rules, ranked=set("ABCD"), hidden=set(hidden), disclosure=disclosure
    ...     )
    ...     print(kept["sd_index"].tolist())
    [nan, nan, nan, nan]
    [nan, 25.0, 22.0, 24.0]
    """
    name = MEASURE_COLUMNS[rules.satisfaction.measure].deviation
    if name is None or name not in table:
        return table
    pooled = table[table["community_id"].isin(list(ranked)) & table[name].notna()]
    telling = {
        region
        for region, communities in pooled.groupby("region")
        if _tells(
            communities, rules, disclosure, is_hidden=communities["community_id"].isin(list(hidden)).to_numpy(bool)
        )
    }
    return table.assign(**{name: table[name].mask(table["region"].isin(sorted(telling)))})


def _tells(communities: pd.DataFrame, rules: Rules, disclosure: DisclosureRules, *, is_hidden: BooleanArray) -> bool:
    """Return whether Σs² of some communities together bounds that of a hidden one."""
    measured = MEASURE_COLUMNS[rules.satisfaction.measure]
    points = np.array(sorted(float(each) for each in rules.satisfaction.index_points.values()))
    n, mean, deviation = (
        float_column(communities, name)[is_hidden]
        for name in (measured.responses, measured.value, measured.deviation or "")
    )
    lowest, highest = points[0], points[-1]
    squares = (n - 1) * deviation**2 + n * mean**2
    above = squares - n * mean**2
    below = n * ((lowest + highest) * mean - lowest * highest) - squares
    left_over = (highest - lowest) ** 2 / 2
    given = np.maximum(squares - n * np.interp(mean, points, points**2) - left_over, 0)
    taken = np.maximum(below - left_over, 0)
    wanted = disclosure.minimum_range * (highest - lowest) ** 2 * 3 / 4
    rises = np.minimum(below, wanted) <= given.sum() - given
    falls = np.minimum(above, wanted) <= taken.sum() - taken
    return not bool((rises & falls).all())
