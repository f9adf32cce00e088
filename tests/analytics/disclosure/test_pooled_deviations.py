"""Pooled deviations: where they stay, whoever knows Σs² of a region finds no rating closer than the rules allow."""

import itertools
from dataclasses import replace
from datetime import date
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from analytics.disclosure.answer_tables import are_all_shown
from analytics.disclosure.pooled_deviations import withhold_pooled_deviations
from analytics.disclosure.rules import rules_in_force
from analytics.rules import load_rules

DISCLOSURE = rules_in_force(date(2026, 9, 30))
SHIPPED = load_rules(Path("data/rules/wuhai/2021-08-23.yaml"))
BY_INDEX = replace(SHIPPED, satisfaction=replace(SHIPPED.satisfaction, measure="satisfaction_index"))
POINTS = np.array([100, 75, 50, 25, 0])
STEP = 25


def region_of(random, size):
    """Return how often each rating was given in some communities, the content and the others."""
    ratings = ((0.85, 0.1, 0.03, 0.01, 0.01), (0.5, 0.3, 0.12, 0.05, 0.03))
    return [random.multinomial(random.integers(20, 30), ratings[random.integers(2)]) for _ in range(size)]


def table_of(counts, region="district"):
    rows = [np.repeat(POINTS, given) for given in counts]
    return pd.DataFrame(
        {
            "community_id": [str(number) for number in range(len(rows))],
            "region": region,
            "responses": [len(points) for points in rows],
            "mean_index": [points.mean() for points in rows],
            "sd_index": [points.std(ddof=1) for points in rows],
        }
    )


def ways_to_answer(given):
    """Return every way in which so many give the same sum of points."""
    people = given.sum()
    borders = np.array(list(itertools.combinations(range(people + 4), 4)))
    ways = np.diff(np.column_stack([np.full(len(borders), -1), borders, np.full(len(borders), people + 4)]), axis=1) - 1
    return ways[ways @ POINTS == given @ POINTS]


def squares(ways):
    return ways @ (POINTS // STEP) ** 2


def kept(counts, hidden):
    table = table_of(counts)
    found = withhold_pooled_deviations(
        table,
        BY_INDEX,
        ranked=set(table["community_id"]),
        hidden={str(number) for number in hidden},
        disclosure=DISCLOSURE,
    )
    return bool(found["sd_index"].notna().all())


@pytest.mark.parametrize("size", [1, 3, 5, 8])
def test_where_deviations_stay_no_rating_is_known_closer_than_the_rules_allow(size):
    random, stayed = np.random.default_rng(size), 0
    for _ in range(6):
        counts = region_of(random, size)
        hidden = [number for number, given in enumerate(counts) if not are_all_shown(given.tolist(), rules=DISCLOSURE)]
        if not kept(counts, hidden):
            continue
        stayed += 1
        ways = {number: ways_to_answer(counts[number]) for number in hidden}
        for number in hidden:
            others = {0}
            for other in set(hidden) - {number}:
                others = {sum(pair) for pair in itertools.product(others, np.unique(squares(ways[other])).tolist())}
            total = sum(int(squares(counts[each])) for each in hidden)
            possible = ways[number][np.isin(total - squares(ways[number]), list(others))]
            widths, public = (np.ptp(each, axis=0) for each in (possible, ways[number]))
            assert (widths >= np.minimum(public, DISCLOSURE.minimum_range)).all()

    assert stayed >= (size > 5)


def test_a_community_that_shows_its_ratings_makes_up_for_nobody():
    content, others = [28, 1, 0, 1, 0], [[40, 30, 10, 6, 5]] * 4
    counts = [np.array(given) for given in (content, *others)]

    assert not kept(counts, [0])
    assert kept(counts, [0, 1, 2, 3, 4])


def test_a_rate_needs_no_deviation_and_loses_none():
    table = table_of([np.array([28, 1, 0, 1, 0])]).assign(satisfied=29)

    found = withhold_pooled_deviations(table, SHIPPED, ranked={"0"}, hidden={"0"}, disclosure=DISCLOSURE)

    pd.testing.assert_frame_equal(found, table)


def test_only_the_region_that_would_tell_goes_without():
    lone = table_of([np.array([28, 1, 0, 1, 0])], region="small").assign(community_id="lone")
    many = table_of([np.array([40, 30, 10, 6, 4])] * 8, region="large")
    table = pd.concat([lone, many], ignore_index=True)

    found = withhold_pooled_deviations(
        table, BY_INDEX, ranked=set(table["community_id"]), hidden=set(table["community_id"]), disclosure=DISCLOSURE
    )

    assert found["sd_index"].isna().tolist() == [True, *[False] * 8]
