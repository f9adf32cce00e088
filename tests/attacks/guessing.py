"""Odds of guessing a secret and the cost of keeping somebody out, computed from the budgets alone."""

from dataclasses import dataclass
from datetime import timedelta
from math import ceil, floor

from survey_app.accounts.attempt_budgets import Budget, Limit

DAY = timedelta(days=1)


def most_tries(budget: Budget, span: timedelta) -> int:
    """Return how often one source can fail within a span at most, however it times its tries.

    Its failures never count as more than those after which it waits longest, since one is forgiven during such a wait;
    all others have been forgiven, one at a time.
    """
    return budget.most + 1 + floor(span / budget.forgiven_each)


def most_tries_of(limit: Limit, *, lines: int, prefixes: int, span: timedelta = DAY) -> int:
    """Return how often many lines can fail on one subject, or on numbers that are secrets themselves."""
    bounds = [lines * most_tries(limit.line, span)]
    if limit.ceiling is not None:
        bounds.append(most_tries(limit.ceiling, span))
    if limit.prefix is not None:
        bounds.append(_tries_under(limit.prefix, lines=lines, groups=prefixes, span=span))
    shared = limit.subject or limit.everywhere
    if shared is not None and not _slows_prefix(limit, ceil(lines / prefixes)):
        # Lines of a slowed prefix would not count here: they are bounded by their prefix alone.
        bounds.append(_tries_under(shared, lines=lines, groups=1, span=span))
    return min(bounds)


def _tries_under(shared: Budget, *, lines: int, groups: int, span: timedelta) -> int:
    """Return how often lines can fail that are slowed together, in so many groups.

    Until a group waits longest, its lines fail so often together. From then on each waits so long for each try, but
    for those that it was promised before.
    """
    return groups * most_tries(shared, span) + lines * (2 + floor(span / shared.longest))


def _slows_prefix(limit: Limit, lines: int) -> bool:
    """Return whether so many lines of one prefix can fail so often that it is slowed."""
    if limit.prefix is None:
        return False
    at_once = lines * (limit.line.most + 1)
    return at_once >= limit.prefix.free or lines * limit.prefix.forgiven_each >= limit.line.forgiven_each


@dataclass(frozen=True)
class Guess:
    """What is guessed: among how many possible values, and how many of them are right for the guesser."""

    name: str
    limit: Limit
    values: float
    right: float = 1.0

    def odds(self, *, lines: int, prefixes: int, span: timedelta = DAY) -> float:
        """Return the probability that so many lines guess one within a span, at most."""
        tries = most_tries_of(self.limit, lines=lines, prefixes=prefixes, span=span)
        return min(1.0, tries * self.right / self.values)


def lines_to_slow(budget: Budget, limit: Limit, *, wait: timedelta) -> int:
    """Return how many lines must fail at once until what they share makes others wait so long."""
    failures = budget.free + ceil(wait / budget.step) - 1
    return ceil(failures / limit.line.free)
