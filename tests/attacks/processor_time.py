"""Time in units of a fixed piece of work that is done at the same place, so that a slow machine changes nothing."""

import time

# A unit took 0.06 seconds on the machines of 2026.
_NUMBERS = ",".join(map(str, range(300_000)))
# In seconds; no machine is so fast, so that what takes less of each unit is not measured against one.
_LEAST_UNIT = 0.01
TRIES = 5


def unit(clock=time.process_time):
    """Return how many seconds the fixed piece of work takes by a clock now."""
    began_at = clock()
    sum(int(number) % 7 for number in _NUMBERS.split(","))
    return clock() - began_at


def is_within(seconds, units, clock=time.process_time):
    """Return whether what took so many seconds just now is at most so many units."""
    return seconds <= units * _LEAST_UNIT or seconds <= units * max(unit(clock), unit(clock))


def within(units, work):
    """Return what `work` returns, and fail unless one of a few runs costs this process at most so many units.

    What else the machine does makes a run cost more now and then, never less; what is too costly is so every time.
    """
    costs = []
    for _ in range(TRIES):
        began_at = time.process_time()
        result = work()
        costs.append(time.process_time() - began_at)
        if is_within(costs[-1], units):
            return result
    raise AssertionError(f"{min(costs):.2f} seconds at least, where a unit takes {unit():.3f}")
