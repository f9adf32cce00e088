import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from analytics.casework.waiting_times import waiting_times

WAITS = st.lists(st.tuples(st.integers(0, 30), st.booleans()), min_size=1, max_size=40)


def kaplan_meier(days, is_answered, at):
    """Return the share answered within `at` days, as the formula says it, with fractions multiplied one by one."""
    waiting = 1.0
    for day in sorted(set(days)):
        at_risk = sum(each >= day for each in days)
        ended = sum(each == day and done for each, done in zip(days, is_answered, strict=True))
        if day <= at:
            waiting *= 1 - ended / at_risk
    return 1 - waiting


def test_a_curve_worked_by_hand():
    # Ten cases. Day 1: 2 of 10 answered. Day 3: 3 of 8, one more gives up. Day 4: 1 of 4. Day 9: 2 still wait, one is
    # answered at day 6. 8/10 · 5/8 · 3/4 · 2/3 = 0.25.
    days = [1, 1, 3, 3, 3, 3, 4, 6, 9, 9]
    answered = [True, True, True, True, True, False, True, True, False, False]

    found = waiting_times(days, answered)

    assert found.curve["days"].tolist() == [1, 3, 4, 6, 9]
    assert found.curve["answered"].tolist() == pytest.approx([0.2, 0.5, 0.625, 0.75, 0.75])
    assert (found.cases, found.answered) == (10, 7)
    assert found.quantiles[0.5].days == 3
    assert np.isnan(found.quantiles[0.9].days), "a quarter still waits: nobody knows when nine tenths are answered"


def test_the_limits_of_a_curve_worked_by_hand():
    # Two of four answered on day 2: S = ½, Greenwood's variance of log S = 2/(4·2) = ¼, so that S^exp(±1.96·½/ln 2).
    found = waiting_times([2, 2, 5, 5], [True, True, False, False], level=0.95)

    power = np.exp(1.959963984540054 * 0.5 / np.log(2))
    first = found.curve.iloc[0]
    assert first["lower"] == pytest.approx(1 - 0.5 ** (1 / power))
    assert first["upper"] == pytest.approx(1 - 0.5**power)


def test_the_limits_are_those_of_scipy():
    from scipy import stats

    random = np.random.default_rng(3)
    days, answered = random.integers(1, 25, 200), random.random(200) < 0.7
    survival = stats.ecdf(stats.CensoredData(uncensored=days[answered], right=days[~answered])).sf
    theirs = survival.confidence_interval(0.95, method="log-log")

    found = waiting_times(days, answered).curve
    inner = (found["answered"] > 0) & (found["answered"] < 1)

    assert found["lower"][inner].to_numpy() == pytest.approx(1 - theirs.high.probabilities[inner])
    assert found["upper"][inner].to_numpy() == pytest.approx(1 - theirs.low.probabilities[inner])


@given(WAITS)
def test_the_curve_is_that_of_the_formula_and_its_limits_lie_around_it(waits):
    days, answered = map(list, zip(*waits, strict=True))

    found = waiting_times(days, answered).curve

    for row in found.itertuples():
        assert row.answered == pytest.approx(kaplan_meier(days, answered, row.days))
        assert 0 <= row.lower <= row.answered + 1e-9
        assert row.answered <= row.upper + 1e-9 <= 1 + 2e-9
    assert found["answered"].is_monotonic_increasing


@given(WAITS)
def test_where_everybody_is_answered_it_is_the_plain_distribution(waits):
    days = [day for day, _answered in waits]

    found = waiting_times(days, [True] * len(days))

    assert found.quantiles[0.5].days == sorted(days)[(len(days) + 1) // 2 - 1]
    assert found.quantiles[0.9].days == sorted(days)[-(-len(days) * 9 // 10) - 1]


@given(WAITS)
def test_a_case_that_still_waits_never_makes_the_wait_look_shorter(waits):
    days, answered = map(list, zip(*waits, strict=True))

    before = waiting_times(days, answered).curve
    after = waiting_times([*days, 31], [*answered, False]).curve

    assert (after["answered"].to_numpy()[: len(before)] <= before["answered"].to_numpy() + 1e-9).all()


def test_the_limits_of_a_quantile_lie_around_it_or_are_unknown():
    random = np.random.default_rng(8)
    quantile = waiting_times(random.integers(1, 20, 300), random.random(300) < 0.8).quantiles[0.5]

    assert quantile.lower <= quantile.days <= quantile.upper


def test_of_no_case_nothing_is_known():
    found = waiting_times([], [])

    assert found.curve.empty
    assert (found.cases, found.answered) == (0, 0)
    assert np.isnan(found.quantiles[0.5].days)


def test_while_nobody_has_an_answer_the_curve_stays_at_zero():
    found = waiting_times([3, 5], [False, False])

    assert found.curve["answered"].tolist() == [0, 0]
    assert np.isnan(found.quantiles[0.5].days)


@pytest.mark.parametrize(
    ("days", "answered", "quantiles"), [([-1], [True], (0.5,)), ([1, 2], [True], (0.5,)), ([1], [True], (1.0,))]
)
def test_what_cannot_be_is_refused(days, answered, quantiles):
    with pytest.raises(ValueError, match=r"below 0|waits|quantiles"):
        waiting_times(days, answered, quantiles=quantiles)
