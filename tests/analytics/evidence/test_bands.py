from itertools import product

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


@given(st.lists(st.tuples(st.floats(0.6, 0.95), st.floats(1e-5, 0.01)), min_size=3, max_size=12), st.integers(1, 2))
def test_the_word_is_the_band_of_the_number_beside_it(communities, size):
    mean, variance = np.array(communities).T
    frame = satisfaction_evidence(
        known_posteriors(mean, variance, reliability=0.1),
        region=np.zeros(mean.size),
        size=size,
        sampling_fraction=0.3,
    )
    chance = frame["satisfaction_top_probability"].to_numpy()
    told_apart = np.ptp(chance) > 1e-9

    words = frame["satisfaction_evidence"]
    assert words.tolist() == (evidence_bands(chance).tolist() if told_apart else ["undecided"] * mean.size)
    why = {"undecided": "probability" if told_apart else "too_little_information"}
    assert frame["satisfaction_evidence_reason"].tolist() == [why.get(word, "") for word in words]


def test_forty_tied_communities_are_not_ruled_out_by_their_number():
    # P = 2/40 = .05 of each, where nothing tells them apart; the next region has one that stands out.
    mean, region = np.array([0.8] * 40 + [0.95] + [0.7] * 39), np.repeat([1, 2], 40)

    frame = satisfaction_evidence(
        known_posteriors(mean, np.full(80, 0.002)), region=region, size=2, sampling_fraction=0.3
    )

    np.testing.assert_allclose(frame["satisfaction_top_probability"][:40], 0.05, atol=1e-6)
    assert set(frame["satisfaction_evidence"][:40]) == {Evidence.UNDECIDED}
    assert set(frame["satisfaction_evidence_reason"][:40]) == {Reason.TOO_LITTLE_INFORMATION}
    assert set(frame["satisfaction_evidence"][40:]) == {Evidence.CERTAIN, Evidence.NO}


def test_where_all_or_none_can_qualify_everything_is_known():
    posteriors = known_posteriors([0.8, 0.8], [0.01, 0.01])
    words = [
        satisfaction_evidence(posteriors, region=[1, 1], size=size, sampling_fraction=0.3)["satisfaction_evidence"]
        for size in (0, 2)
    ]

    assert [word.tolist() for word in words] == [["no"] * 2, ["certain"] * 2]


def test_the_tipping_point_is_where_the_band_changes():
    random = np.random.default_rng(1)
    mean, variance, own = (
        random.normal(0.8, 0.06, 300),
        random.uniform(0.0005, 0.002, 300),
        random.uniform(0.3, 0.9, 300),
    )
    posteriors, fraction = known_posteriors(mean, variance, own), random.uniform(0.1, 0.9, 300)
    top = top_probability(mean, variance, region=np.zeros(300), size=15)

    gap = tipping_point(
        posteriors,
        probability=top.probability,
        threshold=top.threshold,
        threshold_variance=top.threshold_variance,
        sampling_fraction=fraction,
    )

    # Moving the score alone moves z = Φ⁻¹(P) by Bδ(1 − f) in deviations of the score and the threshold together.
    place = special.ndtri(top.probability)
    deviation = np.sqrt(variance + top.threshold_variance)

    def bands(delta):
        shift = own * delta * (1 - fraction)
        return [evidence_bands(special.ndtr(place + sign * shift / deviation)) for sign in (-1, 1)]

    now = evidence_bands(top.probability)
    usual = np.abs(special.ndtri(top.probability)) < 8
    before, after = bands(gap * 0.999), bands(gap * 1.001)
    assert ((before[0] == now) & (before[1] == now))[usual].all()
    assert ((after[0] != now) | (after[1] != now))[usual].all()


def test_a_known_score_tips_where_it_meets_the_threshold():
    posteriors = known_posteriors([0.9, 0.8], [0.0, 0.0], reliability=1.0)

    gap = tipping_point(posteriors, probability=[1, 0], threshold=[0.85, 0.85], sampling_fraction=[0.5, 1.0])

    np.testing.assert_allclose(gap, [0.1, np.inf])


def test_a_known_score_far_from_an_uncertain_threshold_tips_where_it_comes_near():
    posteriors = known_posteriors([0.9], [0.0], reliability=1.0)

    gap = tipping_point(
        posteriors, probability=[1.0], threshold=[0.8], threshold_variance=[1e-6], sampling_fraction=[0.0]
    )

    np.testing.assert_allclose(gap, 0.1 - special.ndtri(0.95) * 0.001)


def test_too_few_households_make_a_finding_that_is_not_robust_to_nonresponse():
    satisfied, n = np.array([190] + [150] * 20), np.full(21, 200)
    fraction = np.full(21, 0.1)
    posteriors = shrink_rates(satisfied, n, region=np.zeros(21), prior="normal", sampling_fraction=fraction)

    frame = satisfaction_evidence(posteriors, region=np.zeros(21), size=1, sampling_fraction=fraction)

    robust = frame["satisfaction_robust"].to_numpy()
    np.testing.assert_array_equal(robust, frame["satisfaction_tipping_point"].to_numpy() >= 0.05)


def test_no_complaints_prove_nothing_where_luck_explains_them():
    cases, years = [0, 0, 30, 45, 60], [5, 2000, 1000, 1000, 1000]
    shrinkage = shrink_complaint_rates(cases, years, region=[1] * 5, prior="normal")

    frame = complaint_evidence(shrinkage, cases, years, region=[1] * 5, size=1, share=0.05)

    assert frame["complaint_evidence"].iloc[0] == Evidence.UNDECIDED
    assert frame["complaint_evidence_reason"].iloc[0] == Reason.ZERO_BY_LUCK
    assert frame["complaint_evidence"].iloc[1] in (Evidence.CERTAIN, Evidence.LIKELY)
    shape, mean = shrinkage.prior_shape[0], shrinkage.prior_mean[0]
    assert frame["complaint_zero_probability"].iloc[1] == pytest.approx((shape / (shape + 2000 * mean)) ** shape)
    assert frame["complaint_top_probability"].sum() == pytest.approx(1, abs=1e-9)


@given(st.lists(st.tuples(st.integers(0, 15), st.integers(20, 3000)), min_size=4, max_size=12))
def test_only_a_zero_can_be_a_zero_by_luck(communities):
    cases, years = np.array(communities).T
    region = np.zeros(cases.size)
    shrinkage = shrink_complaint_rates(cases, years, region=region, prior="normal")

    frame = complaint_evidence(shrinkage, cases, years, region=region, size=1, share=0.05)

    lucky = (frame["complaint_evidence_reason"] == Reason.ZERO_BY_LUCK).to_numpy()
    assert (cases[lucky] == 0).all()
    chance = frame["complaint_top_probability"].to_numpy()
    if np.ptp(chance) > 1e-9:
        assert (lucky == ((cases == 0) & (frame["complaint_zero_probability"] > 0.05))).all()
        assert frame["complaint_evidence"][~lucky].tolist() == evidence_bands(chance[~lucky]).tolist()
    else:
        assert set(frame["complaint_evidence_reason"]) == {Reason.TOO_LITTLE_INFORMATION}


def test_a_community_with_many_complaints_is_not_excused_by_how_often_others_have_none():
    # 15 cases in 100 household-years; an average community of that size has none in e^(-.4), two thirds.
    cases, years = [15, *[4, 5, 3] * 13], [100, *[1000] * 39]
    shrinkage = shrink_complaint_rates(cases, years, region=[1] * 40, prior="nonparametric")

    frame = complaint_evidence(shrinkage, cases, years, region=[1] * 40, size=2, share=0.05)

    assert frame["complaint_zero_probability"].iloc[0] > 0.05
    assert frame["complaint_evidence"].iloc[0] == Evidence.NO


def test_equal_complaint_rates_share_the_places():
    shrinkage = shrink_complaint_rates([5] * 4, [100] * 4, region=[1] * 4, prior="normal")

    frame = complaint_evidence(shrinkage, [5] * 4, [100] * 4, region=[1] * 4, size=1, share=0.5)

    np.testing.assert_allclose(frame["complaint_top_probability"], 0.25)
    np.testing.assert_allclose(frame["complaint_zero_probability"], np.exp(-5))
    assert set(frame["complaint_evidence_reason"]) == {Reason.TOO_LITTLE_INFORMATION}


def routes(satisfaction, complaints):
    """Two one-row routes; each is a probability, a reason for which there is none, or both."""
    frames = []
    for name, row in (("satisfaction", satisfaction), ("complaint", complaints)):
        chance, reason = row if isinstance(row, tuple) else (None, row) if isinstance(row, str) else (row, "")
        frames.append(pd.DataFrame({f"{name}_top_probability": [chance], f"{name}_evidence_reason": [reason]}))
    return criterion_evidence(*frames).iloc[0]


@pytest.mark.parametrize(
    ("satisfaction", "complaints", "evidence", "reason"),
    [
        (0.97, 0.0, "certain", ""),
        (0.97, "not_assessed", "certain", ""),
        (0.93, 0.10, "likely", ""),
        (0.94, 0.94, "likely", ""),
        (0.85, "not_assessed", "likely", ""),
        (0.01, "not_assessed", "undecided", "not_assessed"),
        ("not_assessed", "not_assessed", "undecided", "not_assessed"),
        (0.01, 0.02, "no", ""),
        (0.04, 0.04, "unlikely", ""),
        (0.01, (0.02, "zero_by_luck"), "no", ""),
        (0.15, (0.15, "zero_by_luck"), "undecided", "zero_by_luck"),
        (0.01, (0.99, "zero_by_luck"), "undecided", "zero_by_luck"),
        (0.01, (0.05, "too_little_information"), "undecided", "too_little_information"),
        ("variance_unknown", 0.01, "undecided", "variance_unknown"),
        (0.15, 0.15, "undecided", "routes_disagree"),
        (0.75, 0.75, "undecided", "routes_disagree"),
        (0.3, 0.4, "undecided", "probability"),
        (0.5, (0.02, "zero_by_luck"), "undecided", "probability"),
    ],
)
def test_one_fulfilled_route_is_enough_and_both_are_needed_to_rule_out(satisfaction, complaints, evidence, reason):
    row = routes(satisfaction, complaints)

    assert (row["criterion_evidence"], row["criterion_evidence_reason"]) == (evidence, reason)


CHANCES = [0.0, 0.02, 0.05, 0.1, 0.2, 0.35, 0.5, 0.79, 0.8, 0.93, 0.95, 0.99, 1.0]
SILENT = ["not_assessed", "variance_unknown", "too_little_information", "zero_by_luck"]


def test_no_word_for_the_criterion_contradicts_a_route_or_a_number_beside_it():
    edges = {"certain": (0.95, 1), "likely": (0.8, 0.95), "unlikely": (0.05, 0.2), "no": (0, 0.05)}
    every = [*CHANCES, *((chance, reason) for chance in CHANCES for reason in SILENT), *SILENT]
    for first, second in product(every, every):
        row = routes(first, second)
        known = [route for route in (first, second) if isinstance(route, float)]
        # What each route may truly be: its probability, nothing above it, or anything.
        most = [
            route if isinstance(route, float) else route[0] if route[1:] == ("zero_by_luck",) else 1.0
            for route in (first, second)
        ]
        lower, upper = max(known, default=0.0), min(1.0, sum(most))
        assert row["criterion_lower_probability"] == lower
        assert row["criterion_upper_probability"] == pytest.approx(upper)
        word = row["criterion_evidence"]
        assert (row["criterion_evidence_reason"] == "") == (word != "undecided")
        assert (word in {"certain", "likely"}) == (lower >= 0.8)
        assert (word in {"unlikely", "no"}) == (row["criterion_upper_probability"] <= 0.2)
        if word != "undecided":
            shown = lower if word in {"certain", "likely"} else row["criterion_upper_probability"]
            assert edges[word][0] <= shown <= edges[word][1]


@given(first=st.floats(0, 1), second=st.floats(0, 1))
def test_the_bounds_hold_whatever_the_dependence_of_the_routes(first, second):
    row = routes(first, second)

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
        (
            lambda: with_nonresponse([0.1], sampling_fraction=[0.1], nonresponse_spread=-1),
            "nonresponse_spread is below 0",
        ),
        (
            lambda: list_with_controlled_fdr([0.5], region=[1], false_discovery_rate=1),
            r"false_discovery_rate must lie in \[0, 1\)",
        ),
        (lambda: expected_true_members([0.5], [True, False], region=[1]), "columns of one length"),
        (
            lambda: complaint_evidence(
                shrink_complaint_rates([1], [10], region=[1], prior="normal"), [1], [0], region=[1], size=1, share=0.05
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
