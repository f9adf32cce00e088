"""What another choice in the rules would change: the same communities under other rules."""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, Final, Literal, get_args

import numpy as np
import pandas as pd
import yaml

from analytics.documents import Document
from analytics.evaluate import Evaluation, evaluate
from analytics.rules import Rules, parse_rules

Choice = Literal["region", "rounding", "ties", "zero_ties", "minimum_responses"]

# Where a rule file states each choice; one that both routes make is changed in both.
_KEYS: Final[Mapping[Choice, tuple[tuple[str, ...], ...]]] = MappingProxyType(
    {
        "region": (("region",),),
        "rounding": (("satisfaction", "rounding"), ("complaints", "rounding")),
        "ties": (("satisfaction", "ties"), ("complaints", "ties")),
        "zero_ties": (("complaints", "zero_ties"),),
        "minimum_responses": (("satisfaction", "minimum_responses"),),
    }
)


@dataclass(frozen=True)
class WhatIf:
    """Who would enter and who would leave under other rules.

    Attributes
    ----------
    before, after : Evaluation
        Of the same communities under the rules and under the other ones.
    communities : DataFrame
        One row per community in the order of the table: `community_id`, `region`, `before` and `after` (status of the
        requirement) and `change`, "enters" or "leaves" those that meet it, missing where neither.
    regions : DataFrame
        Indexed by region in the order of names, columns `met_before`, `met_after`, `enters`, `leaves`: numbers of
        communities.
    """

    before: Evaluation
    after: Evaluation
    communities: pd.DataFrame
    regions: pd.DataFrame


def compare(evaluation: Evaluation, other_rules: Rules) -> WhatIf:
    """Return what other rules would make of the communities of an evaluation.

    Parameters
    ----------
    evaluation : Evaluation
    other_rules : Rules

    Returns
    -------
    WhatIf

    Raises
    ------
    TableError
        If the table does not have what the other rules need.

    Notes
    -----
    The same function decides, so that nothing but the rules can differ. The answers are the same too: rules that count
    another population need another table.

    Examples
    --------
    Two communities are tied for the one position of twenty:

    >>> from pathlib import Path
    >>> from analytics.rules import load_rules
    >>> rules = load_rules(Path("data/rules/wuhai/2021-08-23.yaml"))
    >>> communities = pd.DataFrame({
    ...     "community_id": [f"{number:03}" for number in range(1, 21)], "region": "乌达区",
    ...     "responses": 50, "satisfied": [48, 48, *[40] * 18],
    ... })
    >>> result = compare(evaluate(communities, rules), with_choice(rules, "ties", "exclude"))
    >>> result.communities.dropna()[["community_id", "before", "change"]]
      community_id before  change
    0          001    met  leaves
    1          002    met  leaves
    >>> result.regions.loc["乌达区"].to_dict()
    {'met_before': 2, 'met_after': 0, 'enters': 0, 'leaves': 2}
    """
    after = evaluate(evaluation.communities, other_rules)
    communities = pd.DataFrame(
        {
            "community_id": evaluation.standings["community_id"],
            "region": evaluation.standings["region"],
            "before": evaluation.standings["requirement_status"],
            "after": after.standings["requirement_status"],
        }
    )
    was, is_now = communities["before"] == "met", communities["after"] == "met"
    change = np.where(is_now & ~was, "enters", np.where(was & ~is_now, "leaves", ""))
    changes = pd.Series(change, dtype="str")
    communities["change"] = changes.mask(changes == "")
    counted = pd.DataFrame(
        {"met_before": was, "met_after": is_now, "enters": change == "enters", "leaves": change == "leaves"}
    )
    regions = counted.groupby(communities["region"]).sum().astype("int64")
    return WhatIf(evaluation, after, communities, regions)


def with_choice(rules: Rules, choice: Choice, value: str | int) -> Rules:
    """Return rules that differ in one choice, as a rule file of their own.

    Parameters
    ----------
    rules : Rules
    choice : {"region", "rounding", "ties", "zero_ties", "minimum_responses"}
        `rounding` and `ties` are changed on both routes.
    value : str or int
        As the rule file writes it. `minimum_responses` is a number that is enough however many households there are,
        or "none".

    Returns
    -------
    Rules
        Named "…-what-if" and with a hash of their own, so that nobody takes them for the rules in force.

    Raises
    ------
    ValueError
        If there is no such choice.
    DocumentError
        If the choice cannot have this value.

    Examples
    --------
    >>> from pathlib import Path
    >>> from analytics.rules import load_rules
    >>> rules = load_rules(Path("data/rules/wuhai/2021-08-23.yaml"))
    >>> other = with_choice(rules, "rounding", "ceil")
    >>> other.name, other.satisfaction.rounding, other.complaints.rounding, other.satisfaction.ties
    ('wuhai-2021-08-23-what-if', 'ceil', 'ceil', 'include')
    """
    if choice not in _KEYS:
        raise ValueError(f"choice must be one of {', '.join(get_args(Choice))}, got {choice!r}")
    content: Any = Document(rules.content, rules.name).root
    for *path, last in _KEYS[choice]:
        place = content
        for key in path:
            place = place[key]
        place[last] = _enough(value) if choice == "minimum_responses" and isinstance(value, int) else value
    if (choice, value) == ("region", "city"):
        # No region is wider than the city: a file that said otherwise would have a fault.
        content["when_k_is_zero"] = "not_applicable"
    content["name"] = f"{rules.name}-what-if"
    return parse_rules(yaml.safe_dump(content, allow_unicode=True).encode(), content["name"])


def _enough(least: int) -> dict[str, int | str]:
    return {"least": least, "enough": least, "or_share_of_households": "100 %"}
