import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from analytics.evidence.mode_adjustment import LEAST_COMMUNITIES, shrink_to_mode_regression
from analytics.statistics.empirical_bayes import paule_mandel, shrink_scores


def mix(paper, *, answers=100):
    paper = np.asarray(paper, dtype=float)
    return pd.DataFrame({"web": answers - paper, "paper": paper, "telephone": 0.0})


def simulate(communities, *, effect, seed):
    random = np.random.default_rng(seed)
    paper = np.round(100 * random.beta(0.6, 0.6, communities))
    true = 0.75 + effect * paper / 100 + random.normal(0, 0.04, communities)
    variance = 0.16 / random.integers(20, 200, communities)
    return true, true + random.normal(0, np.sqrt(variance)), variance, mix(paper)


def shrink(scores, variance, answers, region=None):
    region = ["wuda"] * len(scores) if region is None else region
    return shrink_to_mode_regression(scores, variance, answers, region=region)


def test_with_equal_variances_it_is_ordinary_least_squares():
    # All 24 scores have v = 0.001: the weights are equal, so β is that of least squares and τ² is s² − v.
    random = np.random.default_rng(5)
    paper = random.integers(0, 101, 24)
    scores = 0.7 + 0.2 * paper / 100 + random.normal(0, 0.1, 24)
    design = np.column_stack([np.ones(24), paper / 100])
    coefficients, rest, *_ = np.linalg.lstsq(design, scores)
    between = rest[0] / 22 - 0.001
    found = shrink(scores, np.full(24, 0.001), mix(paper))

    row = found.effects.iloc[0]
    # The most common mode is what the others are compared with.
    sign = 1 if row["mode"] == "paper" else -1
    assert row["difference"] == pytest.approx(sign * coefficients[1], abs=1e-10)
    assert row["between_variance"] == pytest.approx(between, rel=1e-8)
    own = between / (between + 0.001)
    assert found.mean == pytest.approx(own * scores + (1 - own) * (design @ coefficients), abs=1e-10)


def test_the_effect_of_the_mode_is_found_and_lies_in_its_interval():
    inside = []
    for seed in range(200):
        _, scores, variance, answers = simulate(80, effect=0.1, seed=seed)
        row = shrink(scores, variance, answers).effects.iloc[0]
        effect = 0.1 if row["mode"] == "paper" else -0.1
        inside.append(row["lower"] <= effect <= row["upper"])

    assert 0.91 <= np.mean(inside) <= 0.99


def test_where_modes_differ_scores_come_closer_to_the_truth_than_with_one_mean_for_all():
    true, scores, variance, answers = simulate(2000, effect=0.3, seed=1)
    plain = shrink_scores(scores, variance, region=["wuda"] * 2000, prior="normal").mean
    mixed = shrink(scores, variance, answers)

    error = np.mean((mixed.mean - true) ** 2)
    assert error < 0.8 * np.mean((plain - true) ** 2)
    assert error == pytest.approx(np.mean(mixed.variance), rel=0.1)


def test_where_modes_do_not_differ_little_is_lost():
    true, scores, variance, answers = simulate(2000, effect=0.0, seed=2)
    plain = shrink_scores(scores, variance, region=["wuda"] * 2000, prior="normal").mean
    mixed = shrink(scores, variance, answers)

    assert mixed.effects["between_variance"].iloc[0] == pytest.approx(paule_mandel(scores, variance), rel=0.05)
    assert np.mean((mixed.mean - true) ** 2) < 1.02 * np.mean((plain - true) ** 2)


def test_a_mode_in_fewer_than_ten_communities_is_not_compared():
    paper = np.zeros(40)
    paper[: LEAST_COMMUNITIES - 1] = 50
    scores = np.linspace(0.6, 0.9, 40)

    assert shrink(scores, np.full(40, 0.001), mix(paper)).effects.empty
    paper[LEAST_COMMUNITIES - 1] = 50
    assert len(shrink(scores, np.full(40, 0.001), mix(paper)).effects) == 1


def test_the_same_mix_everywhere_tells_nothing():
    found = shrink(np.linspace(0.6, 0.9, 20), np.full(20, 0.001), mix(np.full(20, 30)))

    assert found.effects.empty
    assert np.isnan(found.mean).all()


def test_three_common_modes_have_two_effects():
    random = np.random.default_rng(8)
    answers = pd.DataFrame(
        random.integers(1, 50, (60, 3)) + np.array([100, 0, 0]), columns=["web", "paper", "telephone"]
    )
    found = shrink(random.normal(0.8, 0.05, 60), np.full(60, 0.001), answers)

    assert found.effects["mode"].tolist() == ["paper", "telephone"]
    assert found.effects["baseline"].tolist() == ["web", "web"]


@given(st.randoms(use_true_random=False))
def test_regions_do_not_mix_and_the_order_of_rows_changes_nothing(random):
    _, scores, variance, answers = simulate(60, effect=0.2, seed=3)
    region = np.array(["wuda", "hainan"] * 30)
    order = list(range(60))
    random.shuffle(order)
    whole = shrink(scores, variance, answers, region)
    shuffled = shrink(scores[order], variance[order], answers.iloc[order], region[order])
    own = region == "wuda"
    alone = shrink(scores[own], variance[own], answers[own], region[own])

    assert shuffled.mean == pytest.approx(whole.mean[order], abs=1e-10)
    assert alone.mean == pytest.approx(whole.mean[own], abs=1e-10)


@pytest.mark.parametrize("variance", [0.0, 0.1])
def test_scores_without_sampling_variance_stay_and_scores_that_say_nothing_are_the_regression(variance):
    scores = np.linspace(0.7, 0.72, 20)
    found = shrink(scores, np.full(20, variance), mix(np.arange(20) % 4 * 20))

    own = found.mean == pytest.approx(scores, abs=1e-12)
    assert own == (variance == 0)
    assert (found.effects["between_variance"] > 0).all() == (variance == 0)


@pytest.mark.parametrize(
    ("scores", "variance", "answers"),
    [
        ([0.5], [0.1, 0.1], mix([1])),
        ([np.nan], [0.1], mix([1])),
        ([0.5], [-1], mix([1])),
        ([0.5], [0.1], mix([np.nan])),
    ],
)
def test_columns_that_cannot_be_are_refused(scores, variance, answers):
    with pytest.raises(ValueError, match=r"length|missing|below"):
        shrink(scores, variance, answers)


def test_without_a_ranked_community_there_is_nothing_to_adjust():
    answers = pd.DataFrame({"web": [], "paper": [], "telephone": []})
    found = shrink_to_mode_regression([], [], answers, region=[])

    assert found.mean.size == found.variance.size == len(found.effects) == 0
