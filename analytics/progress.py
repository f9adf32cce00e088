"""Progress reporting for long computations."""

from collections.abc import Callable, Iterable, Iterator
from typing import Final, TypeVar

Item = TypeVar("Item")
ProgressCallback = Callable[[float], None]
"""Progress callback: called with the share of the work that is done, from 0 to 1."""

_MOST_REPORTS: Final = 200


def ignore_progress(share: float) -> None:
    """Progress callback that does nothing."""


def track_progress(items: Iterable[Item], tell: ProgressCallback, *, total: int) -> Iterator[Item]:
    """Yield items, and report progress after each has been processed.

    Parameters
    ----------
    items : iterable
    tell : callable
        Called about 200 times at most, so that many small items cost no time.
    total : int
        Number of items.

    Yields
    ------
    object
        The items.

    Examples
    --------
    >>> shares = []
    >>> "".join(track_progress("abcd", shares.append, total=4)), shares
    ('abcd', [0.25, 0.5, 0.75, 1.0])
    """
    stride = max(1, total // _MOST_REPORTS)
    for done, item in enumerate(items, start=1):
        yield item
        if done % stride == 0 or done == total:
            tell(done / total)


def progress_part(tell: ProgressCallback, *, part: int, parts: int) -> ProgressCallback:
    """Return a progress callback for one of several equal parts that reports the share of the whole.

    Parameters
    ----------
    tell : callable
        Called with the share of the whole.
    part, parts : int
        Index of the part, counted from 0, and number of parts.

    Examples
    --------
    >>> shares = []
    >>> progress_part(shares.append, part=1, parts=4)(0.5)
    >>> shares
    [0.375]
    """
    return lambda share: tell((part + share) / parts)
