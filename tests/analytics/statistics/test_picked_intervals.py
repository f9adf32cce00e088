"""Intervals of the picked: against exact probabilities of all outcomes, root finding, and simulated rankings."""

from itertools import product

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import optimize, stats

from analytics.statistics.picked_intervals import picked_scores, picked_shares


def top(scores, size):
    """Return who is picked if ties at the end of the list are included."""
    return scores >= np.sort(scores)[::-1][size - 1]


@pytest.mark.parametrize(
    "rates", [(0.9, 0.9, 0.9, 0.9), (0.95, 0.9, 0.7, 0.6), (0.5, 0.5, 0.5, 0.5), (0.99, 0.97, 0.98, 0.9)]
)
@pytest.mark.parametrize("size", [1, 2])
def test_of_all_outcomes_together_no_more_of_the_picked_are_missed_than_stated(rates, size):
    n, level = 7, 0.9
    rates, missed = np.array(rates), 0.0
    chances = stats.binom.pmf(np.arange(n + 1)[:, None], n, rates)
    for outcome in product(range(n + 1), repeat=len(rates)):
        counts = np.array(outcome)
        chosen = top(counts, size)
        limits = picked_shares(counts[chosen], n, picked=size, ranked=len(rates), level=level)
        held = (limits.lower <= rates[chosen]) & (rates[chosen] <= limits.upper)
        missed += float(np.prod(chances[counts, np.arange(len(rates))])) * (1 - held.mean())

    assert missed <= 1 - level


def by_roots(satisfied, n, below, above):
    """Return Clopper–Pearson limits from sums of binomial probabilities."""
    lower = optimize.brentq(lambda p: stats.binom.sf(satisfied - 1, n, p) - below, 0, 1) if satisfied else 0
    upper = optimize.brentq(lambda p: stats.binom.cdf(satisfied, n, p) - above, 0, 1) if satisfied < n else 1
    return lower, upper


@given(st.integers(1, 60), st.data(), st.integers(1, 20), st.integers(0, 400))
def test_limits_are_those_at_which_an_outcome_is_so_rare(n, data, picked, others):
    satisfied = data.draw(st.integers(0, n))
    limits = picked_shares([satisfied], [n], picked=picked, ranked=picked + others, level=0.95)
    lower, upper = by_roots(satisfied, n, 0.025 * picked / (picked + others), 0.025)

    assert limits.lower[0] == pytest.approx(lower, abs=1e-9)
    assert limits.upper[0] == pytest.approx(upper, abs=1e-9)


SURVEYS = st.fixed_dictionaries(
    {"sampling_fraction": st.floats(0, 1), "nonresponse_spread": st.floats(0, 0.2), "design_effect": st.floats(1, 3)}
)


@given(st.integers(1, 200), st.floats(0, 1), SURVEYS, st.integers(1, 30), st.integers(0, 300))
def test_intervals_hold_the_score_within_what_is_possible(n, part, survey, picked, others):
    satisfied = round(part * n)
    arguments = {"picked": picked, "ranked": picked + others, "level": 0.95}
    fraction = survey["sampling_fraction"]
    limits = picked_shares([satisfied], [n], **arguments, **survey)
    share = satisfied / n

    assert share * fraction - 1e-9 <= limits.lower[0] <= share + 1e-9
    assert share - 1e-9 <= limits.upper[0] <= 1 - (1 - share) * fraction + 1e-9
    # The more are passed over, the further down.
    further = picked_shares([satisfied], [n], **arguments | {"ranked": picked + others + 50}, **survey)
    assert further.lower[0] <= limits.lower[0] + 1e-12
    assert further.upper[0] == limits.upper[0]


def test_without_others_nothing_is_corrected():
    limits = picked_scores([0.9, 0.5], [0.0004, 0.0], picked=2, ranked=2, level=0.95)

    assert limits.lower == pytest.approx([0.9 - 1.959964 * 0.02, 0.5])
    assert limits.upper == pytest.approx([0.9 + 1.959964 * 0.02, 0.5])


def test_who_has_asked_every_household_has_no_interval():
    limits = picked_shares([30], [40], picked=1, ranked=50, level=0.95, sampling_fraction=1, nonresponse_spread=0.03)

    assert (limits.lower[0], limits.upper[0]) == (0.75, 0.75)


def covered(random, *, regions, number, spread, n, omega, naive):
    """Return which share of the picked 5 % the intervals hold, on average over regions."""
    held, size = [], max(1, number // 20)
    for _ in range(regions):
        truth = np.clip(random.normal(0.85, spread, number), 0.02, 0.99)
        answers = random.integers(*n, number)
        # What all households would answer differs from what the respondents do.
        heard = np.clip(truth + 0.75 * random.normal(0, omega, number), 0, 1)
        satisfied = random.binomial(answers, heard)
        chosen = top(satisfied / answers, size)
        limits = picked_shares(
            satisfied[chosen],
            answers[chosen],
            picked=1 if naive else size,
            ranked=1 if naive else number,
            level=0.95,
            nonresponse_spread=0.75 * omega,
        )
        held.append(np.mean((limits.lower <= truth[chosen]) & (truth[chosen] <= limits.upper)))
    return np.mean(held)


@pytest.mark.parametrize("spread", [0.0, 0.02, 0.06])
@pytest.mark.parametrize(("number", "n"), [(20, (30, 60)), (200, (30, 300)), (1000, (30, 120))])
@pytest.mark.parametrize("omega", [0.0, 0.03])
def test_the_picked_are_held_as_often_as_stated_where_plain_intervals_fall_short(spread, number, n, omega):
    regions = 10_000 // number
    stated = covered(
        np.random.default_rng(1), regions=regions, number=number, spread=spread, n=n, omega=omega, naive=False
    )
    plain = covered(
        np.random.default_rng(1), regions=regions, number=number, spread=spread, n=n, omega=omega, naive=True
    )

    # About 500 picked ones: twice the Monte Carlo error below.
    assert stated >= 0.95 - 2 * np.sqrt(0.95 * 0.05 / 500)
    # Where the communities differ by much, few of them are listed by luck.
    assert plain < (0.955 if spread > 0.05 else 0.85)


@pytest.mark.parametrize("size", [1, 5, 25])
def test_normal_scores_of_the_picked_are_held_as_often_as_stated(size):
    random = np.random.default_rng(7)
    number, held, plain = 100, [], []
    for _ in range(3_000):
        truth, error = random.normal(0, 0.5, number), random.uniform(0.5, 1.5, number)
        seen = random.normal(truth, error)
        chosen = top(seen, size)
        for found, passed_over in ((held, number), (plain, size)):
            limits = picked_scores(seen[chosen], error[chosen] ** 2, picked=size, ranked=passed_over, level=0.95)
            found.append(np.mean((limits.lower <= truth[chosen]) & (truth[chosen] <= limits.upper)))

    assert np.mean(held) > 0.95 - 2 * np.std(held) / np.sqrt(len(held))
    # Of a quarter that is picked fewer are picked by luck.
    assert np.mean(plain) < (0.945 if size == 25 else 0.9)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"picked": 3, "ranked": 2}, "more were picked"),
        ({"picked": 0, "ranked": 2}, "picked"),
        ({"picked": 1, "ranked": 2, "level": 1}, "level"),
        ({"picked": 1, "ranked": 2, "satisfied": [11]}, "exceeds n"),
        ({"picked": 1, "ranked": 2, "design_effect": 0.5}, "design_effect"),
    ],
)
def test_what_cannot_be_is_refused(arguments, message):
    with pytest.raises(ValueError, match=message):
        picked_shares(**{"satisfied": [9], "n": [10], "level": 0.95} | arguments)
