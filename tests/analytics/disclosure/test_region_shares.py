"""Shares of a region: who takes away the communities that are shown finds nothing of those that are not."""

from datetime import date

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from analytics.disclosure.region_shares import shares_tell
from analytics.disclosure.rules import rules_in_force
from analytics.disclosure.suppression import rounded_share
from tests.disclosure_solver import Reader

RULES = rules_in_force(date(2026, 9, 30))
UNDECIDED = 37  # who do not know, and of whom the shares are as well
GROUPS = [[0, 1], [2, 3, 4]]
communities = st.integers(2, 4).flatmap(
    lambda size: st.tuples(
        arrays(np.int64, (size, 5), elements=st.one_of(st.just(0), st.integers(0, 6), st.integers(0, 60))),
        arrays(np.bool_, size),
        arrays(np.bool_, size),
    )
)


def reader_of(counts, is_hidden, is_grouped, *, with_region):
    """Return who knows the large communities, and the sums of the others, and perhaps the shares of the region."""
    reader, parts = Reader(), [[], [], [], [], []]
    for place, row in enumerate(counts):
        names = [f"{place} {code}" for code in range(5)]
        for code, name in enumerate(names):
            parts[code].append(name)
            if not is_hidden[place]:
                reader.learn([name], row[code])
        reader.learn(names, row.sum())
        for group in GROUPS if is_grouped[place] else ():
            reader.learn([names[code] for code in group], row[group].sum())
    whole = counts.sum() + UNDECIDED
    # Beside each rating the page has the share of the satisfied, which is rounded by itself.
    parts.append([name for code in GROUPS[0] for name in parts[code]])
    totals = [*counts.sum(axis=0), counts[:, GROUPS[0]].sum()]
    wholes = [*[whole] * 5, counts.sum()]
    for names, total, people in zip(parts, totals, wholes, strict=True):
        share = rounded_share(total, people, rules=RULES)
        if with_region and not np.isnan(share):
            reader.learn(names, (share - 0.005) * people, (share + 0.005) * people)
    return reader


@settings(max_examples=15, deadline=None)
@given(communities)
def test_shares_that_are_shown_leave_every_hidden_number_wide_enough(case):
    counts, is_hidden, is_grouped = case
    # A large community makes the region one whose shares are shown at all.
    counts = np.vstack([counts, [300, 200, 60, 30, 20]])
    is_hidden, is_grouped = np.append(is_hidden, False), np.append(is_grouped, True)
    people = int(counts.sum()) + UNDECIDED
    if shares_tell(counts, people=people, groups=GROUPS, is_hidden=is_hidden, is_grouped=is_grouped, rules=RULES):
        return
    reader, before = (reader_of(counts, is_hidden, is_grouped, with_region=each) for each in (True, False))

    for place, code in np.argwhere(is_hidden[:, np.newaxis] & np.ones(5, dtype=bool)):
        name = f"{place} {code}"
        assert reader.width_of(name) >= min(RULES.minimum_range, before.width_of(name)) - 0.02


def test_one_hidden_community_near_the_edge_of_a_percent_is_told_and_two_are_not():
    counts = np.array([[346, 80], [47, 1], [20, 6]])
    alone, both = (np.array([False, True, second]) for second in (False, True))
    each = {"people": 500, "groups": [[0, 1]], "is_grouped": np.zeros(3, dtype=bool), "rules": RULES}

    assert shares_tell(counts, is_hidden=alone, **each)
    assert not shares_tell(counts, is_hidden=both, **each)


def test_where_nothing_is_hidden_nothing_is_told():
    counts = np.array([[346, 80], [64, 10]])

    assert not shares_tell(
        counts,
        people=500,
        groups=[[0, 1]],
        is_hidden=np.zeros(2, dtype=bool),
        is_grouped=np.zeros(2, dtype=bool),
        rules=RULES,
    )
