"""Numbers of satisfied owners and tenants of one community, without small ones and what would give them away."""

from collections.abc import Mapping

from analytics.disclosure.linked_numbers import Number, Sum, hidden_numbers
from analytics.disclosure.rules import DisclosureRules

Counted = tuple[int, int]
"""How many gave a valid answer, and how many of them a satisfied one."""


def shown_tenures(
    tenures: Mapping[int, Counted], *, whole: Counted | None, ranked: Mapping[int, Counted], rules: DisclosureRules
) -> frozenset[int]:
    """Return the tenures whose numbers are shown, all of one or none.

    Parameters
    ----------
    tenures : mapping of int to tuple of int
        By the code of the tenure, valid and satisfied answers to the ranked question.
    whole : tuple of int, optional
        Public numbers of all residents that these are part of, where the rules rank them together.
    ranked : mapping of int to tuple of int
        Public numbers of the tenures that are ranked by themselves. Where they are others than those of `tenures`, an
        earlier result is stated again, and beside it the numbers of now would tell what was taken away.
    rules : DisclosureRules

    Returns
    -------
    frozenset of int
        Tenures of `minimum_base` valid answers or more, neither the satisfied nor the others of which are few nor
        follow from what is shown of the others; and those that are public.

    Examples
    --------
    >>> from datetime import date
    >>> from analytics.disclosure.rules import rules_in_force
    >>> rules = rules_in_force(date(2026, 9, 30))
    >>> sorted(shown_tenures({1: (48, 47), 2: (20, 12)}, whole=None, ranked={1: (48, 47)}, rules=rules))
    [1, 2]
    >>> sorted(shown_tenures({1: (60, 45), 2: (12, 2)}, whole=(72, 47), ranked={}, rules=rules))
    []
    """
    fitting = {tenure: counted for tenure, counted in tenures.items() if ranked.get(tenure, counted) == counted}
    numbers: dict[str, Number] = {}
    for tenure, (valid, satisfied) in fitting.items():
        for name, value in ((f"satisfied {tenure}", satisfied), (f"others {tenure}", valid - satisfied)):
            numbers[name] = Number(
                value, block=f"{tenure}", is_public=tenure in ranked, is_offered=valid >= rules.minimum_base
            )
    sums: list[Sum] = []
    if whole is not None:
        valid, satisfied = whole
        for name, value in (("satisfied", satisfied), ("others", valid - satisfied)):
            rest = value - sum(numbers[f"{name} {tenure}"].value for tenure in fitting)
            if rest < 0:
                return frozenset()
            numbers |= {name: Number(value, is_public=True), f"{name} of the rest": Number(rest, is_offered=False)}
            sums.append(Sum(name, [*(f"{name} {tenure}" for tenure in fitting), f"{name} of the rest"]))
    hidden = hidden_numbers(numbers, sums, rules=rules)
    return frozenset(
        tenure
        for tenure in fitting
        if all(
            numbers[name].is_public or (numbers[name].is_offered and name not in hidden)
            for name in (f"satisfied {tenure}", f"others {tenure}")
        )
    )
