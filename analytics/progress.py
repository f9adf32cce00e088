"""How far long work has come, told while it is done."""

from collections.abc import Callable, Iterable, Iterator
from typing import Final, TypeVar

Item = TypeVar("Item")
Tell = Callable[[float], None]
"""Is told what share of the work is done, from 0 to 1."""

_MOST_TOLD: Final = 200


def tell_nobody(share: float) -> None:
    """Take no notice of what share of the work is done."""


def telling(items: Iterable[Item], tell: Tell, *, total: int) -> Iterator[Item]:
    """Yield items and tell, when each has been worked on, what share of them is done.

    Parameters
    ----------
    items : iterable
    tell : callable
        Called after at most some 200 of the items, so that many small ones cost no time.
    total : int
        How many items there are.

    Yields
    ------
    object
        The items.

    Examples
    --------
    >>> shares = []
    >>> "".join(telling("abcd", shares.append, total=4)), shares
    ('abcd', [0.25, 0.5, 0.75, 1.0])
    """
    stride = max(1, total // _MOST_TOLD)
    for done, item in enumerate(items, start=1):
        yield item
        if done % stride == 0 or done == total:
            tell(done / total)


def part_of(tell: Tell, *, part: int, parts: int) -> Tell:
    """Return what is told the share of one of several equal parts and tells the share of the whole.

    Parameters
    ----------
    tell : callable
        Is told the share of the whole.
    part, parts : int
        Which part it is, counted from 0, of how many.

    Examples
    --------
    >>> shares = []
    >>> part_of(shares.append, part=1, parts=4)(0.5)
    >>> shares
    [0.375]
    """
    return lambda share: tell((part + share) / parts)
