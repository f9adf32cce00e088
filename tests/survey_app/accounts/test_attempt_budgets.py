"""A budget of failures bounds how often anybody tries, however they time it, and nobody's wait is taken by others."""

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from survey_app.accounts.attempt_budgets import (
    EVERYWHERE,
    LET_IN,
    LINE,
    PREFIX,
    PROMISE_LIFETIME,
    SUBJECT,
    Budget,
    Count,
    Limit,
    rule,
)
from survey_app.models.vocabulary import AttemptScope
from tests.attacks.guessing import most_tries
from tests.factories import NOW

SECOND, MINUTE = timedelta(seconds=1), timedelta(minutes=1)
BUDGET = Budget(free=3, step=10 * SECOND, longest=MINUTE, forgiven_each=MINUTE)
LIMIT = Limit(action="secret", line=BUDGET, subject=SUBJECT, proven=BUDGET)


def failed(scope, failures, *, ago=timedelta(0), promised_at=None):
    return {scope: Count(failures, NOW - ago, promised_at)}


@pytest.mark.parametrize("budget", [LINE, PREFIX, SUBJECT, EVERYWHERE, BUDGET])
def test_a_wait_begins_after_the_free_failures_and_grows_to_the_longest(budget):
    waits = [budget.wait_after(failures) for failures in range(budget.free + 20_000)]

    assert waits[budget.free - 1] == timedelta(0)
    assert waits[budget.free] == budget.step
    assert waits == sorted(waits)
    assert waits[-1] == budget.longest
    assert budget.forgiven_each <= budget.longest


@given(pauses=st.lists(st.integers(0, 90), min_size=1, max_size=200))
def test_however_it_times_them_a_source_has_no_more_tries_than_its_budget(pauses):
    failures, counted_at, now, allowed = 0.0, NOW, NOW, 0
    for pause in pauses:
        now += timedelta(seconds=pause)
        if now >= counted_at + BUDGET.wait_after(failures):
            failures = BUDGET.failures_left(failures, after=now - counted_at) + 1
            counted_at, allowed = now, allowed + 1

    assert allowed <= most_tries(BUDGET, now - NOW)


def test_own_failures_make_wait_from_the_last_one_on():
    ruling = rule(LIMIT, failed(AttemptScope.LINE, 4, ago=5 * SECOND), now=NOW)

    assert ruling.retry_at == NOW + 15 * SECOND
    assert not ruling.is_new
    assert rule(LIMIT, failed(AttemptScope.LINE, 4, ago=20 * SECOND), now=NOW) == LET_IN


@pytest.mark.parametrize(
    ("scope", "failures"),
    [(AttemptScope.PREFIX, 260), (AttemptScope.SUBJECT, 160), (AttemptScope.EVERYWHERE, 3000)],
)
def test_what_others_failed_is_waited_for_once_and_then_the_line_is_let_in(scope, failures):
    others = failed(scope, failures)
    first = rule(LIMIT, others, now=NOW)
    assert first.is_new
    assert NOW < first.retry_at <= NOW + PREFIX.longest
    promised = failed(AttemptScope.LINE, 0, promised_at=first.retry_at)

    # However much others fail meanwhile.
    more = promised | failed(scope, failures * 100)
    assert rule(LIMIT, more, now=first.retry_at - SECOND).retry_at == first.retry_at
    assert not rule(LIMIT, more, now=first.retry_at - SECOND).is_new
    assert rule(LIMIT, more, now=first.retry_at) == LET_IN
    assert rule(LIMIT, more, now=first.retry_at + PROMISE_LIFETIME) == LET_IN
    assert rule(LIMIT, more, now=first.retry_at + PROMISE_LIFETIME + SECOND).is_new


def test_a_ceiling_makes_all_strangers_wait_and_nobody_with_a_proof():
    limit = Limit(action="code", ceiling=BUDGET, proven=BUDGET)

    assert rule(limit, failed(AttemptScope.SUBJECT, 9), now=NOW).retry_at == NOW + MINUTE
    assert rule(limit, failed(AttemptScope.PROVEN, 0), now=NOW) == LET_IN


@pytest.mark.parametrize("back", [timedelta(hours=2), timedelta(days=300)])
def test_a_clock_that_was_set_back_keeps_nobody_waiting_for_longer_than_it_ever_did(back):
    counts = failed(AttemptScope.LINE, 99, ago=-back, promised_at=NOW + back) | failed(AttemptScope.PREFIX, 300)

    assert rule(LIMIT, counts, now=NOW).retry_at <= NOW + PREFIX.longest
