import numpy as np
import pytest
from scipy import stats

from analytics.evidence.share_intervals import share_interval
from tests.analytics.rule_files import rules_2_with, rules_with

ONCE = rules_with({"evidence.one_answer_per_household": True})


def test_where_a_household_answers_once_the_limits_cover_every_truth_of_known_households():
    counts, households, n = np.arange(51), 100, 50
    lower, upper = share_interval(counts, n, ONCE, households=households)

    for truth in range(households + 1):
        covered = (lower <= truth / households + 1e-12) & (truth / households - 1e-12 <= upper)
        assert stats.hypergeom.pmf(counts, households, truth, n)[covered].sum() >= 0.95 - 1e-9


@pytest.mark.parametrize("households", [np.nan, 30])
def test_unknown_or_too_few_households_limit_nothing(households):
    np.testing.assert_allclose(
        share_interval([40], [50], ONCE, households=households), share_interval([40], [50], rules_with({}))
    )


def test_like_answers_of_a_household_are_worth_fewer():
    rules = rules_2_with({"evidence.design_effect": 2})

    np.testing.assert_allclose(share_interval([80], [100], rules), share_interval([40], [50], rules_with({})))
    assert share_interval([0], [0], rules) == (0, 1)
