"""Budgets of failed tries: how many cost nothing, how long each further one makes wait, and who waits for whom.

Each line of the network has a budget of its own, and so has whoever has proved before that the subject is theirs: no
stranger can use these up. What many lines fail together, from one network prefix, on one subject or in the whole
city, only slows: a line that waited as long as it was told is let in, whatever others do meanwhile.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from math import ceil
from typing import Final

from survey_app.models.vocabulary import AttemptScope

# How long a line that was told when to come back may take to come.
PROMISE_LIFETIME: Final = timedelta(minutes=30)
_NO_WAIT: Final = timedelta(0)


@dataclass(frozen=True, kw_only=True)
class Budget:
    """Budget of failures: `free` of them cost no wait, each further one adds `step` to it, up to `longest`.

    One failure is forgiven in each `forgiven_each`. That is no longer than `longest`, so that a patient source tries
    no more often than one that always waits as short as it may.
    """

    free: int
    step: timedelta
    longest: timedelta
    forgiven_each: timedelta

    @property
    def most(self) -> int:
        """The failures after which the wait is longest: no more are counted, so that an attack is forgiven in time."""
        return self.free + ceil(self.longest / self.step)

    def failures_left(self, failures: float, *, after: timedelta) -> float:
        """Return how many failures still count after a while."""
        return max(0.0, failures - max(after, _NO_WAIT) / self.forgiven_each)

    def wait_after(self, failures: float) -> timedelta:
        """Return how long to wait after so many failures before the next try."""
        excess = ceil(failures) - self.free + 1
        return _NO_WAIT if excess <= 0 else min(self.longest, excess * self.step)


# A household, an office or a carrier's gateway.
LINE: Final = Budget(
    free=10, step=timedelta(seconds=15), longest=timedelta(minutes=2), forgiven_each=timedelta(minutes=2)
)
# Wide: the few lines of a carrier from which somebody guesses do not use it up for their neighbours.
PREFIX: Final = Budget(
    free=200, step=timedelta(seconds=1), longest=timedelta(minutes=30), forgiven_each=timedelta(seconds=20)
)
# Of one case or receipt; its secret is so long that hundreds of tries tell nothing.
SUBJECT: Final = Budget(
    free=100, step=timedelta(seconds=5), longest=timedelta(minutes=10), forgiven_each=timedelta(minutes=1)
)
EVERYWHERE: Final = Budget(
    free=2000, step=timedelta(seconds=0.1), longest=timedelta(minutes=10), forgiven_each=timedelta(seconds=2)
)


@dataclass(frozen=True, kw_only=True)
class Limit:
    """Limit of one kind of try: its budgets, and None where nothing is counted.

    `pair` is of a line on one subject. `subject`, `prefix` and `everywhere` slow strangers. `ceiling` is of all
    strangers on a subject and makes all of them wait: for short codes, which many lines in turn would soon guess.
    """

    action: str
    line: Budget = LINE
    pair: Budget | None = None
    prefix: Budget | None = PREFIX
    subject: Budget | None = None
    ceiling: Budget | None = None
    everywhere: Budget | None = EVERYWHERE
    proven: Budget | None = None

    def budget_of(self, scope: AttemptScope) -> Budget | None:
        """Return the budget by which the failures of a scope are counted and forgiven."""
        return {
            AttemptScope.LINE: self.line,
            AttemptScope.PAIR: self.pair or self.line,
            AttemptScope.PREFIX: self.prefix,
            AttemptScope.SUBJECT: self.subject or self.ceiling,
            AttemptScope.EVERYWHERE: self.everywhere,
            AttemptScope.PROVEN: self.proven,
        }[scope]


@dataclass(frozen=True)
class Count:
    """Failures of one scope as they were counted last, and when its line was told to come back, if it was."""

    failures: float
    counted_at: datetime
    promised_at: datetime | None = None


Counts = Mapping[AttemptScope, Count]


@dataclass(frozen=True)
class Ruling:
    """Ruling on a try: it is let in, or refused until `retry_at`, which the line is promised now if it `is_new`."""

    retry_at: datetime | None = None
    is_new: bool = False


LET_IN: Final = Ruling()


def rule(limit: Limit, counts: Counts, *, now: datetime) -> Ruling:
    """Return whether a try is let in, given what failed before."""
    own_time = max(_own_time(limit, scope, counts, now) for scope in _OWN)
    slowdown = max(_wait(limit, scope, counts, now) for scope in _SHARED)
    promised_at = _kept_promise(counts, now)
    if slowdown > _NO_WAIT and promised_at is None:
        return Ruling(max(own_time, now + slowdown), is_new=True)
    retry_at = max(own_time, promised_at or now) if slowdown > _NO_WAIT else own_time
    return Ruling(retry_at) if retry_at > now else LET_IN


def is_slowed(limit: Limit, scope: AttemptScope, counts: Counts, *, now: datetime) -> bool:
    """Return whether what a scope has failed makes others wait."""
    return _wait(limit, scope, counts, now) > _NO_WAIT


def failures_now(limit: Limit, scope: AttemptScope, counts: Counts, *, now: datetime) -> float:
    """Return how many failures of a scope still count."""
    budget = limit.budget_of(scope)
    count = _count(counts, scope, budget, now)
    return budget.failures_left(count.failures, after=now - count.counted_at) if count and budget else 0.0


_OWN: Final = (AttemptScope.LINE, AttemptScope.PAIR, AttemptScope.SUBJECT, AttemptScope.PROVEN)
_SHARED: Final = (AttemptScope.PREFIX, AttemptScope.SUBJECT, AttemptScope.EVERYWHERE)


def _own_time(limit: Limit, scope: AttemptScope, counts: Counts, now: datetime) -> datetime:
    """Return from when on the failures of a scope alone allow a try."""
    restricting = {AttemptScope.PAIR: limit.pair, AttemptScope.SUBJECT: limit.ceiling}
    budget = restricting.get(scope, limit.budget_of(scope))
    count = _count(counts, scope, budget, now)
    return count.counted_at + budget.wait_after(count.failures) if count and budget else now


def _count(counts: Counts, scope: AttemptScope, budget: Budget | None, now: datetime) -> Count | None:
    """Return the count of a scope; none that lies ahead, from before the clock was set back: it would never end."""
    count = counts.get(scope)
    is_ahead = count is not None and budget is not None and count.counted_at > now + budget.longest
    return None if is_ahead else count


def _wait(limit: Limit, scope: AttemptScope, counts: Counts, now: datetime) -> timedelta:
    if scope is AttemptScope.SUBJECT and limit.subject is None:
        return _NO_WAIT
    budget = limit.budget_of(scope)
    return budget.wait_after(failures_now(limit, scope, counts, now=now)) if budget else _NO_WAIT


def _kept_promise(counts: Counts, now: datetime) -> datetime | None:
    line = counts.get(AttemptScope.LINE)
    promised_at = line.promised_at if line else None
    # One that lies further ahead than any wait was made before the clock was set back.
    is_kept = promised_at is not None and now - PROMISE_LIFETIME <= promised_at <= now + PREFIX.longest
    return promised_at if is_kept else None
