from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import special

from analytics.evidence.bands import (
    Evidence,
    Reason,
    complaint_evidence,
    criterion_evidence,
    evidence_bands,
    expected_true_members,
    list_with_controlled_fdr,
    overall_reliability,
    satisfaction_evidence,
    tipping_point,
    with_nonresponse,
)
from analytics.statistics.empirical_bayes import Shrinkage, shrink_complaint_rates, shrink_rates
from analytics.statistics.top_probability import top_probability

ORDER = list(Evidence)


def known_posteriors(mean, variance, reliability=0.8):
    """Normal posteriors with stated numbers."""
    mean, variance = np.asarray(mean, dtype=float), np.asarray(variance, dtype=float)
    own = np.broadcast_to(np.asarray(reliability, dtype=float), mean.shape)
    column = np.zeros(mean.shape)
    return Shrinkage(mean, variance, own, column, column, column, column.astype(bool), ())


@pytest.mark.parametrize(
    ("probability", "band"),
    [
        (1.0, "certain"),
        (0.95, "certain"),
        (np.nextafter(0.95, 0), "likely"),
        (0.8, "likely"),
        (np.nextafter(0.8, 0), "undecided"),
        (np.nextafter(0.2, 1), "undecided"),
        (0.2, "unlikely"),
        (np.nextafter(0.05, 1), "unlikely"),
        (0.05, "no"),
        (0.0, "no"),
    ],
)
def test_bands_include_the_edge_that_is_farther_from_the_middle(probability, band):
    assert evidence_bands([probability]).tolist() == [band]


def test_positive_evidence_is_only_as_sure_as_with_nonresponse():
    # Two communities compete for one place; P follows from their difference.
    mean, size = np.repeat([[0.9, 0.7]], 130, axis=0).ravel(), 1
    region = np.repeat(np.arange(130), 2)
    plain = known_posteriors(mean, np.full(260, 0.002))
    wider = replace(plain, variance=np.full(260, 0.02))

    frame = satisfaction_evidence(plain, wider, region=region, size=size, sampling_fraction=0.3)

    assert set(frame["satisfaction_evidence"][::2]) == {Evidence.LIKELY}
    assert set(frame["satisfaction_evidence_reason"][::2]) == {Reason.NONRESPONSE}
    assert set(frame["satisfaction_evidence"][1::2]) == {Evidence.NO}


def test_negative_evidence_needs_reliability_or_a_rank_bound():
    posteriors = known_posteriors([0.95, 0.7, 0.7], [0.001] * 3, reliability=[0.9, 0.4, 0.4])

    frame = satisfaction_evidence(
        posteriors,
        posteriors,
        region=[1, 1, 1],
        size=1,
        sampling_fraction=0.3,
        rank_bound_exceeds_k=[False, False, True],
    )

    assert frame["satisfaction_evidence"].tolist() == ["certain", "undecided", "no"]
    assert frame["satisfaction_evidence_reason"].tolist() == ["", "too_little_information", ""]


def test_the_tipping_point_is_where_the_band_changes():
    random = np.random.default_rng(1)
    mean, variance, own = (
        random.normal(0.8, 0.06, 300),
        random.uniform(0.0005, 0.002, 300),
        random.uniform(0.3, 0.9, 300),
    )
    posteriors, fraction = known_posteriors(mean, variance, own), random.uniform(0.1, 0.9, 300)
    top = top_probability(mean, variance, region=np.zeros(300), size=15)

    gap = tipping_point(posteriors, probability=top.probability, threshold=top.threshold, sampling_fraction=fraction)

    def bands(delta):
        shift = own * delta * (1 - fraction)
        moved = [special.ndtr((mean + sign * shift - top.threshold) / np.sqrt(variance)) for sign in (-1, 1)]
        return [evidence_bands(chance) for chance in moved]

    now = evidence_bands(top.probability)
    usual = np.abs(special.ndtri(top.probability)) < 8
    before, after = bands(gap * 0.999), bands(gap * 1.001)
    assert ((before[0] == now) & (before[1] == now))[usual].all()
    assert ((after[0] != now) | (after[1] != now))[usual].all()


def test_a_known_score_tips_where_it_meets_the_threshold():
    posteriors = known_posteriors([0.9, 0.8], [0.0, 0.0], reliability=1.0)

    gap = tipping_point(posteriors, probability=[1, 0], threshold=[0.85, 0.85], sampling_fraction=[0.5, 1.0])

    np.testing.assert_allclose(gap, [0.1, np.inf])


def test_too_few_households_make_a_finding_that_is_not_robust_to_nonresponse():
    satisfied, n = np.array([190] + [150] * 20), np.full(21, 200)
    fraction = np.full(21, 0.1)
    posteriors = shrink_rates(satisfied, n, region=np.zeros(21), prior="normal", sampling_fraction=fraction)

    frame = satisfaction_evidence(posteriors, posteriors, region=np.zeros(21), size=1, sampling_fraction=fraction)

    robust = frame["satisfaction_robust"].to_numpy()
    np.testing.assert_array_equal(robust, frame["satisfaction_tipping_point"].to_numpy() >= 0.05)


def test_no_complaints_prove_nothing_where_luck_explains_them():
    cases, years = [0, 0, 30, 45, 60], [5, 2000, 1000, 1000, 1000]
    shrinkage = shrink_complaint_rates(cases, years, region=[1] * 5, prior="normal")

    frame = complaint_evidence(shrinkage, years, region=[1] * 5, size=1, share=0.05)

    assert frame["complaint_evidence"].iloc[0] == Evidence.UNDECIDED
    assert frame["complaint_evidence_reason"].iloc[0] == Reason.ZERO_BY_LUCK
    assert frame["complaint_evidence"].iloc[1] in (Evidence.CERTAIN, Evidence.LIKELY)
    shape, mean = shrinkage.prior_shape[0], shrinkage.prior_mean[0]
    assert frame["complaint_zero_probability"].iloc[1] == pytest.approx((shape / (shape + 2000 * mean)) ** shape)
    assert frame["complaint_top_probability"].sum() == pytest.approx(1, abs=1e-9)


def test_equal_complaint_rates_share_the_places():
    shrinkage = shrink_complaint_rates([5] * 4, [100] * 4, region=[1] * 4, prior="normal")

    frame = complaint_evidence(shrinkage, [100] * 4, region=[1] * 4, size=1, share=0.5)

    np.testing.assert_allclose(frame["complaint_top_probability"], 0.25)
    np.testing.assert_allclose(frame["complaint_zero_probability"], np.exp(-5))


def routes(satisfaction, complaints):
    """Two one-row routes; each is (probability, evidence) or None where not assessed."""
    frames = []
    for name, row in (("satisfaction", satisfaction), ("complaint", complaints)):
        probability, evidence = row or (None, None)
        frames.append(pd.DataFrame({f"{name}_top_probability": [probability], f"{name}_evidence": [evidence]}))
    return criterion_evidence(*frames).iloc[0]


@pytest.mark.parametrize(
    ("satisfaction", "complaints", "evidence", "reason"),
    [
        ((0.97, "certain"), (0.0, "no"), "certain", ""),
        ((0.97, "certain"), None, "certain", ""),
        ((0.97, "likely"), (0.1, "unlikely"), "likely", "nonresponse"),
        ((0.97, "undecided"), (0.1, "unlikely"), "undecided", "nonresponse"),
        ((0.85, "likely"), None, "undecided", "not_assessed"),
        ((0.01, "no"), None, "undecided", "not_assessed"),
        (None, None, "undecided", "not_assessed"),
        ((0.01, "no"), (0.02, "no"), "no", ""),
        ((0.01, "no"), (0.02, "undecided"), "undecided", "too_little_information"),
        ((0.04, "no"), (0.04, "no"), "undecided", "routes_disagree"),
        ((0.3, "undecided"), (0.4, "undecided"), "undecided", "probability"),
    ],
)
def test_either_route_is_judged_by_its_bounds(satisfaction, complaints, evidence, reason):
    row = routes(satisfaction, complaints)

    assert (row["criterion_evidence"], row["criterion_evidence_reason"]) == (evidence, reason)


@given(first=st.floats(0, 1), second=st.floats(0, 1))
def test_the_bounds_hold_whatever_the_dependence_of_the_routes(first, second):
    row = routes((first, "undecided"), (second, "undecided"))

    independent = first + second - first * second
    assert row["criterion_lower_probability"] <= independent + 1e-12
    assert row["criterion_upper_probability"] >= independent - 1e-12
    assert row["criterion_lower_probability"] == max(first, second)


def test_the_list_with_few_false_is_the_longest_within_its_false_discovery_rate():
    chance = np.random.default_rng(2).beta(0.5, 0.5, 200).round(2)
    region = np.repeat([1, 2], 100)

    listed = list_with_controlled_fdr(chance, region=region, false_discovery_rate=0.1)

    for label in (1, 2):
        mine, on_list = chance[region == label], listed[region == label]
        assert (1 - mine[on_list]).mean() <= 0.1
        next_best = mine[~on_list].max()
        longer = mine >= next_best
        assert (1 - mine[longer]).mean() > 0.1


def test_a_list_of_everybody_is_expected_to_hold_all_places():
    mean = np.random.default_rng(3).normal(0.8, 0.05, 220)
    top = top_probability(mean, np.full(220, 0.001), region=np.zeros(220), size=11)

    frame = expected_true_members(top.probability, np.ones(220, dtype=bool), region=np.zeros(220))

    assert frame["expected"].tolist() == pytest.approx([11])
    assert frame["listed"].tolist() == [220]


def test_reliability_is_missing_where_nothing_varies_and_one_where_all_is_known():
    result = overall_reliability([0.8, 0.8, 0.7, 0.9, 0.5], [0, 0, 0, 0, 0.1], region=[1, 1, 2, 2, 3])

    assert np.isnan(result[1])
    assert result[2] == 1
    assert np.isnan(result[3])


def test_nonresponse_adds_nothing_where_everybody_answered():
    np.testing.assert_allclose(
        with_nonresponse([0.001, 0.001], sampling_fraction=[0, 1], nonresponse_spread=0.03), [0.0019, 0.001]
    )


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: evidence_bands([0.5, np.nan]), "probability is missing or infinite in 1 of 2 rows: row 1"),
        (lambda: evidence_bands([1.5]), "probability exceeds 1"),
        (
            lambda: with_nonresponse([0.1], sampling_fraction=[np.nan], nonresponse_spread=0),
            "sampling_fraction is miss",
        ),
        (lambda: with_nonresponse([0.1], sampling_fraction=[0.1], nonresponse_spread=-1), "nonresponse_spread must be"),
        (
            lambda: list_with_controlled_fdr([0.5], region=[1], false_discovery_rate=1),
            r"false_discovery_rate must lie in \[0, 1\)",
        ),
        (lambda: expected_true_members([0.5], [True, False], region=[1]), "columns of one length"),
        (
            lambda: complaint_evidence(
                shrink_complaint_rates([1], [10], region=[1], prior="normal"), [0], region=[1], size=1, share=0.05
            ),
            "household_years is 0",
        ),
    ],
)
def test_what_cannot_be_judged_is_refused(call, message):
    with pytest.raises(ValueError, match=message):
        call()


def test_evidence_is_ordered_from_the_surest():
    assert [str(band) for band in ORDER] == ["certain", "likely", "undecided", "unlikely", "no"]
