import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from analytics.statistics.complaint_rates import (
    CHANNEL_COLUMNS,
    channel_rates,
    compare_recorded_with_reported,
    complaint_rates,
    count_cases,
    event_rates,
    excluded_shares,
    household_years,
    low_recorded_complaints,
)
from analytics.statistics.intervals import hypergeometric_households
from tests.analytics.reference import columns, published

EPITOOLS = published("epitools")
PHE = published("phe-indicator-methods")


def test_recorded_complaints_are_low_only_if_residents_report_no_fewer_than_elsewhere():
    quiet = low_recorded_complaints(
        [0, 0, 0, 12, 0],
        [500, 300, 500, 500, 0],
        [6, 6, 5, 6, 6],
        [50, 50, 50, 50, 50],
        rate=0.01,
        share=0.12,
        level=0.95,
    )

    # Exactly 3.69 of 500 are below five, of 300 above three.
    assert quiet.tolist() == [True, False, False, False, False]
    assert not low_recorded_complaints([0], [500], [0], [0], rate=0.01, share=0, level=0.95).any()


def test_half_a_year_is_half_the_exposure():
    assert household_years(900, months=6) == 450


def test_exact_rates_agree_with_epitools():
    events, lower, upper = columns(EPITOOLS["pois_exact"])
    rates = event_rates(events, 1000, multiplier=1, level=0.95, method="exact")
    # epitools searches its roots with R's uniroot, which stops within 1.2e-4 events.
    np.testing.assert_allclose(rates[["lower", "upper"]].T, (lower, upper), atol=1.2e-7)


def test_byar_rates_agree_with_the_english_public_health_indicators_from_ten_events_on():
    for events, level, lower, upper in PHE["byars"]:
        if events >= 10:
            rates = event_rates([events], [5000], multiplier=100_000, level=level, method="byar")
            np.testing.assert_allclose(rates[["lower", "upper"]].iloc[0], (lower * 20, upper * 20), rtol=1e-12)


def test_byar_rates_are_exact_below_ten_events():
    few = [0, 1, 9]
    byar, exact = (event_rates(few, 100, multiplier=1, level=0.998, method=method) for method in ("byar", "exact"))
    pd.testing.assert_frame_equal(byar, exact)


def test_no_complaint_still_has_an_upper_bound():
    rates = complaint_rates([0, 0], [500, 50], level=0.95, method="exact")
    assert rates["lower"].tolist() == [0, 0]
    np.testing.assert_allclose(rates["upper"], stats.chi2.ppf(0.975, 2) / 2 / np.array([0.5, 0.05]), rtol=1e-12)


def test_no_exposure_has_no_rate():
    rates = complaint_rates([0], [0], level=0.95, method="exact")
    assert rates[["rate_per_1000_households", "lower", "upper"]].isna().all(axis=None)


@given(events=st.lists(st.integers(0, 200), min_size=1, max_size=9), method=st.sampled_from(["exact", "byar"]))
def test_rates_lie_within_their_limits(events, method):
    rates = complaint_rates(events, np.arange(1, len(events) + 1), level=0.95, method=method)
    assert (rates["lower"] <= rates["rate_per_1000_households"]).all()
    assert (rates["rate_per_1000_households"] <= rates["upper"]).all()


@given(complaints=st.integers(0, 100), factor=st.integers(2, 50))
def test_more_exposure_narrows_the_limits_of_the_same_rate(complaints, factor):
    rates = complaint_rates([complaints, complaints * factor], [100, 100 * factor], level=0.95, method="exact")
    width = rates["upper"] - rates["lower"]
    assert width[1] < width[0]


def test_channels_add_up_to_the_rate_of_the_community():
    counts = pd.DataFrame({"hotline": [3, 2], "site": [4, 0]}, index=["b", "a"])
    years = pd.Series([100, 200, 300], index=["a", "b", "elsewhere"])
    by_channel = channel_rates(counts, years, level=0.95, method="exact")
    added = by_channel["rate_per_1000_households"].groupby(level="community", sort=False).sum()
    together = complaint_rates([7, 2], [200, 100], level=0.95, method="exact")["rate_per_1000_households"]
    assert added.index.tolist() == ["b", "a"]
    np.testing.assert_allclose(added, together)


def test_excluded_share_has_clopper_pearson_limits():
    events, n, lower, upper = columns(EPITOOLS["clopper_pearson"])
    shares = excluded_shares(events, np.subtract(n, events), level=0.95)
    np.testing.assert_allclose(shares[["lower", "upper"]].T, (lower, upper), rtol=1e-10)


def test_households_that_say_they_complained_beyond_the_record_are_a_signal():
    table = compare_recorded_with_reported(
        [9, 9, 0], [30, 30, 0], households=50, recorded_households=[1, 40, 5], level=0.95
    )
    assert table["signal"].tolist() == ["discouraged", "none", "no_answers"]
    exact = hypergeometric_households(9, 30, households=50, level=0.95)
    np.testing.assert_allclose(table.loc[0, ["missing_lower", "missing_upper"]], np.array(exact, dtype=float) - 1)


@given(said=st.integers(0, 60), recorded=st.integers(0, 60))
def test_a_census_signals_exactly_when_more_households_say_so_than_are_recorded(said, recorded):
    table = compare_recorded_with_reported([said], [60], households=60, recorded_households=recorded, level=0.95)
    assert (table.loc[0, "signal"] == "discouraged") == (said > recorded)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: event_rates([1], [0], multiplier=1, level=0.95, method="exact"), "events without exposure"),
        (lambda: event_rates([1], [1], multiplier=0, level=0.95, method="exact"), "multiplier must be above 0"),
        (lambda: event_rates([1], [1], multiplier=1, level=0.95, method="wald"), "method must be 'exact' or 'byar'"),
        (lambda: event_rates([np.nan], [1], multiplier=1, level=0.95, method="exact"), "events is missing"),
        (lambda: household_years([-1], months=12), "households is below 0"),
        (
            lambda: compare_recorded_with_reported([1], [2], households=3, recorded_households=4, level=0.95),
            "recorded_households exceed households",
        ),
    ],
)
def test_impossible_rows_are_named(call, message):
    with pytest.raises(ValueError, match=message):
        call()


def test_channels_of_a_community_without_exposure_are_refused():
    counts = pd.DataFrame({"site": [1, 1]}, index=["a", "b"])
    with pytest.raises(ValueError, match=r"without exposure entry: \['b'\]"):
        channel_rates(counts, pd.Series([1.0], index=["a"]), level=0.95, method="exact")
    with pytest.raises(ValueError, match=r"occur twice: \['a'\]"):
        channel_rates(counts.set_axis(["a", "a"]), pd.Series([1.0], index=["a"]), level=0.95, method="exact")


def cases(*rows):
    return pd.DataFrame(rows, columns=["community_id", "outcome", "channel", "household"])


def test_withdrawn_and_quickly_fixed_cases_count_and_others_are_left_out():
    found = count_cases(
        cases(
            ("a", "withdrawn", "hotline", "1"),
            ("a", "quickly_fixed", "code", "1"),
            ("a", None, "code", "2"),
            ("a", "duplicate", "code", "3"),
            ("a", "out_of_scope", "other", "3"),
            ("a", "invalid", "other", None),
            ("c", "closed", "visit", None),
            ("c", "closed", "visit", None),
        ),
        communities=["c", "b", "a"],
    )

    assert found.index.tolist() == ["c", "b", "a"]
    assert found["complaints"].tolist() == [2, 0, 3]
    assert found["complaints_excluded"].tolist() == [0, 0, 3]
    assert found["complaining_households"].tolist() == [2, 0, 2]
    assert (found[list(CHANNEL_COLUMNS)].sum(axis=1) == found["complaints"]).all()


@pytest.mark.parametrize(
    ("row", "said"),
    [(("x", None, "other", None), "community_id is not listed"), (("a", None, "fax", None), "channel is not listed")],
)
def test_a_case_that_belongs_nowhere_is_refused(row, said):
    with pytest.raises(ValueError, match=said):
        count_cases(cases(row), communities=["a"])
