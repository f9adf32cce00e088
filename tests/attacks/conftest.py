"""What the attacks share."""

import pytest


@pytest.fixture
def some_of(request):
    """Return a function that leaves one of so many shares of some values to a turn; with `--long` each has all.

    A route after the other takes another share, so that every value meets a route of every kind.
    """

    def some_of(values, turn, *, shares=4):
        values = list(values)
        return values if request.config.getoption("--long") else values[turn % shares :: shares]

    return some_of
