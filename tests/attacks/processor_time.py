"""Time in units of a fixed piece of work that is done at the same place, so that a slow machine changes nothing."""

import time
from contextlib import contextmanager

# A unit took 0.06 seconds on the machines of 2026.
_NUMBERS = ",".join(map(str, range(300_000)))
# In seconds; no machine is so fast, so that what takes less of each unit is not measured against one.
_LEAST_UNIT = 0.01


def unit(clock=time.process_time):
    """Return how many seconds the fixed piece of work takes by a clock now."""
    began_at = clock()
    sum(int(number) % 7 for number in _NUMBERS.split(","))
    return clock() - began_at


def is_within(seconds, units, clock=time.process_time):
    """Return whether what took so many seconds just now is at most so many units."""
    return seconds <= units * _LEAST_UNIT or seconds <= units * max(unit(clock), unit(clock))


@contextmanager
def at_most(units):
    """Fail if the block costs this process more than so many units."""
    began_at = time.process_time()
    yield
    seconds = time.process_time() - began_at
    assert is_within(seconds, units), f"{seconds:.2f} seconds, where a unit takes {unit():.3f}"
