"""Windows of sending times, beside those that whoever reads the definition finds one answer at a time."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from analytics.statistics.sending_times import (
    ALIKE_CHANCE,
    ALIKE_RATIO,
    ALIKE_SECONDS,
    ALIKE_WINDOWS,
    KEPT_CHANCE,
    KEPT_SECONDS,
    KEPT_WINDOWS,
    LEAST_COUNT,
    SENDING_CHANCE,
    SENDING_SECONDS,
    Sendings,
    alike_durations,
    habits_of,
    kept_open,
    opened_at_once,
    sent_together,
)


@st.composite
def sendings(draw):
    """Forms of two communities, opened and sent at whole seconds, many of them at the same ones."""
    count = draw(st.integers(0, 25))
    columns = st.lists(st.integers(0, 1), min_size=count, max_size=count)
    moments = st.lists(st.sampled_from([0, 4, 9, 10, 60, 61, 1300, 3600, 90_000]), min_size=count, max_size=count)
    durations = st.lists(st.sampled_from([7, 30, 31, 90, 600, 1201, np.nan]), min_size=count, max_size=count)
    sent = np.array(draw(moments), dtype=np.float64) + 5000
    return Sendings(
        np.array(draw(columns), dtype=np.int64),
        np.zeros(count, dtype=np.int64),
        sent - np.array(draw(durations), dtype=np.float64),
        sent,
        np.zeros(count, dtype=bool),
    )


def strongest(windows, community):
    return min((p for p, home in zip(windows.p, windows.community, strict=True) if home == community), default=1.0)


def tail(count, answers, chance, tests):
    if count < LEAST_COUNT or count <= answers * chance:
        return 1.0
    return min(1.0, tests * stats.binom.sf(count - 1, answers, chance))


def rows_of(rows, community, chosen=None):
    known = ~np.isnan(rows.opened) if chosen is None else chosen
    return np.flatnonzero((rows.community == community) & known)


def is_within(rows, others, start, width):
    return (rows.sent[others] >= rows.sent[start]) & (rows.sent[others] <= rows.sent[start] + width)


@settings(max_examples=200, deadline=None)
@given(rows=sendings(), community=st.integers(0, 1))
def test_forms_sent_together_are_counted_among_those_that_were_open(rows, community):
    own = rows_of(rows, community)
    expected = 1.0
    for start in own:
        first, last = rows.sent[start], rows.sent[start] + SENDING_SECONDS
        count = is_within(rows, own, start, SENDING_SECONDS).sum()
        are_open = ((rows.opened[own] <= last) & (rows.sent[own] >= first)).sum()
        expected = min(expected, tail(count, are_open, SENDING_CHANCE, own.size))

    [found] = sent_together(rows)

    assert strongest(found, community) == pytest.approx(expected, rel=1e-9)


@settings(max_examples=200, deadline=None)
@given(rows=sendings(), community=st.integers(0, 1))
def test_forms_kept_open_are_counted_in_windows_that_begin_with_one(rows, community):
    own = rows_of(rows, community)
    kept = rows.sent - rows.opened > KEPT_SECONDS
    expected = 1.0
    for start in own[kept[own]]:
        for width in KEPT_WINDOWS:
            inside = own[is_within(rows, own, start, width)]
            # Of answers at one moment, those in front of the first of the window do not count.
            inside = inside[(rows.sent[inside] > rows.sent[start]) | (inside >= start)]
            tests = own.size * len(KEPT_WINDOWS)
            expected = min(expected, tail(kept[inside].sum(), inside.size, KEPT_CHANCE, tests))

    found = kept_open(rows, habits_of([rows]))[0]

    assert strongest(found, community) == pytest.approx(expected, rel=1e-9)


@settings(max_examples=200, deadline=None)
@given(rows=sendings(), community=st.integers(0, 1))
def test_equal_durations_are_counted_among_all_that_were_sent_meanwhile(rows, community):
    own = rows_of(rows, community)
    lasted = np.maximum(np.nan_to_num(rows.sent - rows.opened), ALIKE_SECONDS)
    kind = np.floor(np.log(lasted) / np.log(ALIKE_RATIO))
    expected = 1.0
    for start in own:
        for width in ALIKE_WINDOWS:
            inside = own[is_within(rows, own, start, width)]
            alike = kind[inside] == kind[start]
            alike &= (rows.sent[inside] > rows.sent[start]) | (inside >= start)
            tests = own.size * len(ALIKE_WINDOWS)
            expected = min(expected, tail(alike.sum(), inside.size, ALIKE_CHANCE, tests))

    assert strongest(alike_durations(rows, habits_of([rows]))[0], community) == pytest.approx(expected, rel=1e-9)


@pytest.mark.parametrize(("forms", "is_found"), [(60, False), (61, False), (90, True)])
def test_a_meeting_may_scan_one_code_at_once(forms, is_found):
    zeros, opened = np.zeros(forms, dtype=np.int64), np.linspace(0, 9, forms)
    rows = Sendings(zeros, zeros - 1, opened, opened + 100, zeros > 0)

    [found] = opened_at_once(rows)

    assert bool((found.count > 60).all())
    assert (found.p.min(initial=1) < 1e-20) == is_found


def test_windows_of_one_community_do_not_reach_into_the_next():
    forms = 12
    community = np.arange(forms) % 3
    sent = 400.5 + np.arange(forms) / 6
    rows = Sendings(community, np.zeros(forms, dtype=np.int64) - 1, sent - 100, sent, community > 9)

    [found] = sent_together(rows)

    assert found.p.size == 0
