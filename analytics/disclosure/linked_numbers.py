"""Complementary suppression of numbers that are linked by sums: which must be hidden so that no hidden one follows.

Whatever is about to be shown of the same people, on a page, in its files, beside it or in an earlier result, is one set
of numbers with the sums that hold between them.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from analytics.disclosure.rules import DisclosureRules

_UNBOUNDED: Final = 2**62

Range = tuple[int, int]
"""Least and greatest number that something could be."""


@dataclass(frozen=True)
class Number:
    """A number of people that may be shown, or that a reader could work out.

    Attributes
    ----------
    value : int
        At least 0.
    block : str
        Numbers of one block are shown together or not at all; by default it is a block of its own.
    is_public : bool
        Whether it is shown whatever follows from it, as official results are.
    is_offered : bool
        Whether it would be shown. One that nobody shows, such as the rest of a sum, must not follow where it is small.
    """

    value: int
    block: str = ""
    is_public: bool = False
    is_offered: bool = True


@dataclass(frozen=True)
class Sum:
    """A total that its parts add up to, each by the name of its number."""

    total: str
    parts: Sequence[str]


class CircularSums(ValueError):
    """Two numbers are linked in more than one way, so that the range of each cannot be found from sum to sum.

    Attributes
    ----------
    total : str
        The total of the sum that closes the circle.
    """

    def __init__(self, total: str) -> None:
        super().__init__(f"the parts of {total} are linked by other sums already")
        self.total = total


def hidden_numbers(numbers: Mapping[str, Number], sums: Sequence[Sum], *, rules: DisclosureRules) -> frozenset[str]:
    """Return which numbers must not be shown: the small ones, and those from which they would follow.

    Parameters
    ----------
    numbers : mapping of str to Number
        By name, in order of importance: of equal numbers the last is hidden first.
    sums : sequence of Sum
        What a reader knows to add up, however little of it is shown. No two numbers are linked in two ways.
    rules : DisclosureRules

    Returns
    -------
    frozenset of str
        Names of numbers that are offered. A reader who knows all the others, the sums, and that none is below 0, finds
        for each of them a least and a greatest number that are `minimum_range` apart or more. Where public numbers
        alone leave less, they leave as much as those do. A number that public ones alone determine is shown.

    Raises
    ------
    CircularSums
        If two numbers are linked in two ways.
    ValueError
        If a sum does not add up, or a number is below 0.

    Notes
    -----
    **Primary**: numbers from 1 to below `minimum_cell`, with their blocks. **Complementary**: while a small or hidden
    number is too narrow, the nearest block that is shown and not public is hidden with it: of those as near the one
    with the fewest people, zeros last, since a zero protects less. In the end only public numbers are left, so there is
    always an answer. Then what follows from what is left and is not small itself is shown again: to hide it would
    protect nobody.

    Bounds go from sum to sum until nothing changes. Where sums form no circle these are the bounds of the linear
    programme, and they are whole numbers: each is reached by people who could have answered so.

    References
    ----------
    Hundepool A et al. (2012), Statistical Disclosure Control, Wiley, chapter 4.
    Fischetti M, Salazar JJ (2001), Solving the cell suppression problem on tabular data with linear constraints,
    Management Science 47, on protection levels and ranges.

    Examples
    --------
    >>> from datetime import date
    >>> from analytics.disclosure.rules import rules_in_force
    >>> rules = rules_in_force(date(2026, 9, 30))
    >>> numbers = {"all": Number(74, is_public=True), "owners": Number(60), "tenants": Number(11), "others": Number(3)}
    >>> sorted(hidden_numbers(numbers, [Sum("all", ("owners", "tenants", "others"))], rules=rules))
    ['others', 'tenants']
    """
    _check(numbers, sums)
    if not any(_is_small(number, rules) and not number.is_public for number in numbers.values()):
        return frozenset()
    public = frozenset(name for name, number in numbers.items() if number.is_public)
    least_widths = {
        name: min(high - low, rules.minimum_range)
        for name, (low, high) in possible_ranges({name: numbers[name].value for name in public}, numbers, sums).items()
    }
    hidden = {name for name, number in numbers.items() if not number.is_offered and not number.is_public}
    hidden |= _with_blocks(
        {name for name in numbers if _is_small(numbers[name], rules) and name not in public}, numbers
    )
    while True:
        known = {name: number.value for name, number in numbers.items() if name not in hidden}
        ranges = possible_ranges(known, numbers, sums)
        following = {
            name
            for name in hidden
            if numbers[name].is_offered
            and ranges[name][0] == ranges[name][1]
            and (least_widths[name] == 0 or not _is_small(numbers[name], rules))
        }
        narrow = [
            name
            for name in numbers
            if name in hidden - following
            and (numbers[name].is_offered or _is_small(numbers[name], rules))
            and ranges[name][1] - ranges[name][0] < least_widths[name]
        ]
        if not narrow:
            return frozenset(name for name in hidden - following if numbers[name].is_offered)
        hidden |= _with_blocks({_nearest(narrow[0], numbers, sums, hidden | public)}, numbers)


def possible_ranges(known: Mapping[str, int], names: Collection[str], sums: Sequence[Sum]) -> dict[str, Range]:
    """Return for each number the least and the greatest that it could be, for who knows some numbers and all sums.

    Parameters
    ----------
    known : mapping of str to int
        The numbers that are shown, by name.
    names : collection of str
        All names.
    sums : sequence of Sum
        Without circles.

    Returns
    -------
    dict of str to tuple of int
        Both ends can be reached. The greatest is 2⁶² or more where nothing bounds a number.

    Examples
    --------
    >>> sums = [Sum("valid", ("satisfied", "others")), Sum("satisfied", ("very", "rather"))]
    >>> names = ("valid", "satisfied", "others", "very", "rather")
    >>> possible_ranges({"valid": 48, "satisfied": 47, "very": 26}, names, sums)
    {'valid': (48, 48), 'satisfied': (47, 47), 'others': (1, 1), 'very': (26, 26), 'rather': (21, 21)}
    """
    ranges = {name: (known[name], known[name]) if name in known else (0, _UNBOUNDED) for name in names}
    is_changed = True
    while is_changed:
        before = dict(ranges)
        for each in sums:
            least = sum(ranges[part][0] for part in each.parts)
            greatest = sum(ranges[part][1] for part in each.parts)
            low, high = ranges[each.total]
            ranges[each.total] = low, high = max(low, least), min(high, greatest)
            for part in each.parts:
                lowest, highest = ranges[part]
                ranges[part] = max(lowest, low - (greatest - highest)), min(highest, high - (least - lowest))
        is_changed = ranges != before
    return ranges


def _is_small(number: Number, rules: DisclosureRules) -> bool:
    return 0 < number.value < rules.minimum_cell


def _with_blocks(names: set[str], numbers: Mapping[str, Number]) -> set[str]:
    blocks = {numbers[name].block for name in names} - {""}
    return names | {name for name, number in numbers.items() if number.block in blocks and not number.is_public}


def _nearest(name: str, numbers: Mapping[str, Number], sums: Sequence[Sum], excluded: Collection[str]) -> str:
    """Return the number to hide with another: the nearest by sums, of several the lowest, zeros and the first last."""
    order = list(numbers)
    reached, found = {name}, set[str]()
    # There is one: public numbers alone leave enough, so another number that is shown must leave less.
    while not found:
        reached |= {other for each in sums for other in _names(each) if reached & _names(each)}
        found = reached - set(excluded)
    return min(found, key=lambda other: (numbers[other].value == 0, numbers[other].value, -order.index(other)))


def _names(each: Sum) -> set[str]:
    return {each.total, *each.parts}


def _check(numbers: Mapping[str, Number], sums: Sequence[Sum]) -> None:
    below = [name for name, number in numbers.items() if number.value < 0]
    if below:
        raise ValueError(f"numbers of people are below 0: {', '.join(below)}")
    group = {name: name for name in numbers}

    def root(name: str) -> str:
        while group[name] != name:
            name = group[name]
        return name

    for each in sums:
        added = sum(numbers[part].value for part in each.parts)
        if added != numbers[each.total].value:
            raise ValueError(f"{each.total} is {numbers[each.total].value}, and its parts add up to {added}")
        roots = {root(name) for name in _names(each)}
        if len(roots) <= len(each.parts):
            raise CircularSums(each.total)
        for name in roots:
            group[name] = root(each.total)
