"""Community tables without what few people answered: of a community too small to be ranked only their number stays."""

import numpy as np
import pandas as pd

from analytics.decision.survey_channels import CHANNEL_COLUMNS, web_responses
from analytics.decision.table_columns import MEASURE_COLUMNS, float_column
from analytics.disclosure.rules import DisclosureRules
from analytics.disclosure.suppression import can_be_shown
from analytics.rules import Rules
from analytics.statistics.validation import BooleanArray, FloatArray

_SAID, _ASKED = "said_complained", "asked_about_complaints"


def withhold_small_communities(table: pd.DataFrame, rules: Rules, *, disclosure: DisclosureRules) -> pd.DataFrame:
    """Return a community table in which the answers of a few people are missing.

    Parameters
    ----------
    table : DataFrame
        As `analytics.decision.community_table.check_communities` describes it.
    rules : Rules
        A community that they may rank keeps its measures, whatever its size: they decide in public.
    disclosure : DisclosureRules

    Returns
    -------
    DataFrame
        The same rows and columns. Measures are missing below `minimum_base` answers, if the rules rank nobody with so
        few; who said that they complained is missing below `minimum_opinion_base`, and where few did or did not. How
        many answered through slips, or with declared help, is missing where they, or the other answers through the web,
        are fewer than `minimum_base`: who knows the sum could take one from it. The number of answers stays: it says of
        nobody what they answered.

    Notes
    -----
    No decision changes: a community below the rules' least number is not assessed, whatever was answered.

    Examples
    --------
    >>> from datetime import date
    >>> from pathlib import Path
    >>> from analytics.disclosure.rules import rules_in_force
    >>> from analytics.rules import load_rules
    >>> table = pd.DataFrame({"responses": [30, 2], "satisfied": [29, 1], "mean_index": [90.0, 50.0]})
    >>> rules = load_rules(Path("data/rules/wuhai/2021-08-23.yaml"))
    >>> withhold_small_communities(table, rules, disclosure=rules_in_force(date(2026, 9, 30))).values.tolist()
    [[30.0, 29.0, 90.0], [2.0, nan, nan]]
    """
    minimum = rules.satisfaction.minimum_responses
    least = 1 if minimum is None else min(minimum.least, disclosure.minimum_base)
    withheld = {}
    for measured in MEASURE_COLUMNS.values():
        few = float_column(table, measured.responses) < least
        for name in (measured.value, measured.deviation):
            if name in table:
                withheld[name] = table[name].mask(few)
    if _SAID in table:
        said, asked = (np.nan_to_num(float_column(table, name)).astype(int) for name in (_SAID, _ASKED))
        # A long table has few different pairs. As whole numbers they are sorted much faster than as columns.
        base = int(asked.max(initial=0)) + 1
        pairs, places = np.unique(said * base + asked, return_inverse=True)
        untold = np.array(
            [
                not can_be_shown(some, whole, rules=disclosure, least=disclosure.minimum_opinion_base)
                for some, whole in (divmod(pair, base) for pair in pairs.tolist())
            ],
            dtype=bool,
        )
        withheld |= {name: table[name].mask(untold[places]) for name in (_SAID, _ASKED)}
    for name in CHANNEL_COLUMNS:
        if name in table:
            some = float_column(table, name)
            others = web_responses(table) - some
            withheld[name] = table[name].mask(_are_few(some, disclosure) | _are_few(others, disclosure))
    return table.assign(**{str(name): values for name, values in withheld.items()})


def _are_few(people: FloatArray, disclosure: DisclosureRules) -> BooleanArray:
    few: BooleanArray = (people > 0) & (people < disclosure.minimum_base)
    return few
