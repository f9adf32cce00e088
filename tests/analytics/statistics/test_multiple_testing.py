"""Adjusted p values, beside those of scipy."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from analytics.statistics.multiple_testing import adjusted_p_values

# Many are equal.
P_VALUES = st.lists(st.floats(0, 1) | st.sampled_from([0.0, 1e-300, 0.01, 0.2, 1.0]), min_size=1, max_size=40)


@given(p=P_VALUES)
def test_p_values_are_adjusted_to_the_last_digit_as_scipy_does(p):
    assert adjusted_p_values(np.array(p)).tolist() == stats.false_discovery_control(p).tolist()


@given(p=P_VALUES, untested=st.integers(0, 5))
def test_what_was_not_tested_changes_no_p_value(p, untested):
    adjusted = adjusted_p_values(np.array([np.nan] * untested + p))

    assert np.isnan(adjusted[:untested]).all()
    assert adjusted[untested:].tolist() == adjusted_p_values(np.array(p)).tolist()
