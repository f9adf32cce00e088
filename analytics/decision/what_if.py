"""What-if analysis: the same communities evaluated under other rules."""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, Final, Literal, get_args

import numpy as np
import pandas as pd
import yaml

from analytics.decision.evaluate import Evaluation, evaluate
from analytics.files.table_cells import TableError
from analytics.files.yaml_documents import Document, Fault
from analytics.rules import Population, Rules, parse_stored_rules

Choice = Literal["measure", "population", "region", "rounding", "ties", "zero_ties", "minimum_responses"]

# Keys of each choice in a rule file; a choice that both routes have is changed in both.
_KEYS: Final[Mapping[Choice, tuple[tuple[str, ...], ...]]] = MappingProxyType(
    {
        "measure": (("satisfaction", "measure"),),
        "population": (("satisfaction", "population"),),
        "region": (("region",),),
        "rounding": (("satisfaction", "rounding"), ("complaints", "rounding")),
        "ties": (("satisfaction", "ties"), ("complaints", "ties")),
        "zero_ties": (("complaints", "zero_ties"),),
        "minimum_responses": (("satisfaction", "minimum_responses"),),
    }
)


class OtherPopulationNotCounted(ValueError):
    """Raised when the other rules rank another population than the table counts."""

    def __init__(self, counted: Population, ranked: Population) -> None:
        super().__init__(f"the table counts {counted}, the other rules rank {ranked}: they need a table of their own")
        self.counted, self.ranked = counted, ranked


@dataclass(frozen=True)
class WhatIf:
    """Comparison of two evaluations: which communities would enter or leave the list under other rules.

    Attributes
    ----------
    before, after : Evaluation
        Evaluations of the same communities under the rules and under the other ones.
    communities : DataFrame
        One row per community in the order of the table: `community_id`, `region`, `before` and `after` (status of the
        criterion) and `change`, "enters" or "leaves" the list of those that meet it, missing if neither.
    regions : DataFrame
        Indexed by region in the order of names, columns `met_before`, `met_after`, `enters`, `leaves`: numbers of
        communities.
    """

    before: Evaluation
    after: Evaluation
    communities: pd.DataFrame
    regions: pd.DataFrame


def compare(evaluation: Evaluation, other_rules: Rules, *, communities: pd.DataFrame | None = None) -> WhatIf:
    """Compare an evaluation with one of the same communities under other rules.

    Parameters
    ----------
    evaluation : Evaluation
    other_rules : Rules
    communities : DataFrame, optional
        The same communities counted for the other rules, in any order, as
        `analytics.decision.community_table.check_communities` describes it. None: the table of the evaluation.

    Returns
    -------
    WhatIf

    Raises
    ------
    TableError
        If the table lacks a column that the other rules need, or does not have the same communities.
    OtherPopulationNotCounted
        If the other rules rank another population and no table counts it.

    Notes
    -----
    Both use the same function, so only the rules can differ. A table holds the counts of one population, so rules that
    rank owners and rules that rank all residents need one table each.

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
    >>> result = compare(evaluate(communities, rules), with_choices(rules, {"ties": "exclude"}))
    >>> result.communities.dropna()[["community_id", "before", "change"]]
      community_id before  change
    0          001    met  leaves
    1          002    met  leaves
    >>> result.regions.loc["乌达区"].to_dict()
    {'met_before': 2, 'met_after': 0, 'enters': 0, 'leaves': 2}
    """
    counted, ranked = evaluation.rules.satisfaction.population, other_rules.satisfaction.population
    if communities is None:
        if counted != ranked:
            raise OtherPopulationNotCounted(counted, ranked)
        communities = evaluation.communities
    after = evaluate(_aligned_with(evaluation.communities, communities), other_rules)
    changes = pd.DataFrame(
        {
            "community_id": evaluation.standings["community_id"],
            "region": evaluation.standings["region"],
            "before": evaluation.standings["criterion_status"],
            "after": after.standings["criterion_status"],
        }
    )
    was, is_now = changes["before"] == "met", changes["after"] == "met"
    change = pd.Series(np.where(is_now & ~was, "enters", np.where(was & ~is_now, "leaves", "")), dtype="str")
    changes["change"] = change.mask(change == "")
    numbers = pd.DataFrame(
        {"met_before": was, "met_after": is_now, "enters": change == "enters", "leaves": change == "leaves"}
    )
    regions = numbers.groupby(changes["region"]).sum().astype("int64")
    return WhatIf(evaluation, after, changes, regions)


def with_choices(rules: Rules, choices: Mapping[Choice, str | int]) -> Rules:
    """Return rules with some choices changed, as a rule file of their own.

    Parameters
    ----------
    rules : Rules
    choices : mapping of {"measure", "population", "region", "rounding", "ties", "zero_ties", "minimum_responses"}
        Each with its value as written in the rule file. `rounding` and `ties` are changed for both routes.
        `minimum_responses` is a number that is enough for any number of households, or "none". Domains are left out
        if another measure replaces a composite; a composite needs a rule file that weights them.

    Returns
    -------
    Rules
        Named "…-what-if" and with a hash of their own, so that nobody mistakes them for the rules in force.

    Raises
    ------
    ValueError
        If a choice is unknown.
    DocumentError
        If a choice cannot have its value, with every fault.

    Examples
    --------
    >>> from pathlib import Path
    >>> from analytics.rules import load_rules
    >>> rules = load_rules(Path("data/rules/wuhai/2021-08-23.yaml"))
    >>> other = with_choices(rules, {"rounding": "ceil"})
    >>> other.name, other.satisfaction.rounding, other.complaints.rounding, other.satisfaction.ties
    ('wuhai-2021-08-23-what-if', 'ceil', 'ceil', 'include')
    """
    # The rules were read already, by the reader of their format.
    content: Any = Document(rules.content, rules.name, strict=False).root
    for choice, value in choices.items():
        if choice not in _KEYS:
            raise ValueError(f"a choice must be one of {', '.join(get_args(Choice))}, got {choice!r}")
        for *path, last in _KEYS[choice]:
            place = content
            for key in path:
                place = place[key]
            place[last] = _enough(value) if choice == "minimum_responses" and isinstance(value, int) else value
    if choices.get("region") == "city":
        # No region is wider than the city: another value would be a fault of the file.
        content["when_k_is_zero"] = "not_applicable"
    if choices.get("measure", "composite") != "composite":
        content["satisfaction"].pop("domains", None)
    content["name"] = f"{rules.name}-what-if"
    # In quotes, a text that looks like a number stays text.
    text = yaml.safe_dump(content, allow_unicode=True, default_style='"')
    return parse_stored_rules(text.encode(), content["name"])


def _aligned_with(first: pd.DataFrame, second: pd.DataFrame) -> pd.DataFrame:
    """Return the second table in the order of the first; both must have the same communities."""
    rows = {name: row for row, name in enumerate(second["community_id"].astype("str").str.strip())}
    absent = [name for name in first["community_id"] if name not in rows]
    surplus = rows.keys() - set(first["community_id"])
    faults = [Fault("community {id} of the first table is missing", {"id": name}) for name in absent]
    faults += [
        Fault("community {id} is not in the first table", {"id": name}, "community_id", row + 1)
        for name, row in rows.items()
        if name in surplus
    ]
    if faults:
        raise TableError("communities", faults)
    # Repeated ids are reported by the check of the table.
    return second if len(rows) < len(second) else second.iloc[[rows[name] for name in first["community_id"]]]


def _enough(least: int) -> dict[str, int | str]:
    return {"least": least, "enough": least, "or_share_of_households": "100 %"}
