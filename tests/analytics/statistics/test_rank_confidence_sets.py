import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.special import ndtr

from analytics.statistics.empirical_bayes import shrink_scores
from analytics.statistics.rank_confidence_sets import LARGEST_STEPDOWN, rank_confidence_set, top_confidence_set
from tests.analytics.reference import columns, published

PISA = published("pisa-2018-mathematics")
METHODS = [
    {"method": "mrsw"},
    {"method": "mrsw", "stepdown": True},
    {"method": "mrsw", "side": "lower"},
    {"method": "mrsw", "side": "upper", "stepdown": True},
    {"method": "mrsw", "simultaneous": True},
    {"method": "mrsw", "simultaneous": True, "stepdown": True},
    {"method": "kww"},
    {"method": "eb"},
]


def quick_sets(scores, errors, **options):
    """The confidence sets with fewer simulated draws, enough for properties that hold for any draws."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("analytics.statistics.critical_values._MOST_DRAWS", 2_000)
        return rank_confidence_set(scores, errors, **options)


@st.composite
def communities(draw, least=1):
    """Scores and errors on a coarse scale, so that ties in score, in error and in both are common."""
    count = draw(st.integers(least, 25))
    scores = draw(st.lists(st.integers(50, 100), min_size=count, max_size=count))
    errors = draw(st.lists(st.integers(0, 8), min_size=count, max_size=count))
    return np.array(scores) / 100, np.array(errors) / 100


def bounds(frame):
    return frame[["lower", "upper"]].to_numpy().tolist()


def contains(outer, inner):
    return bool(((outer["lower"] <= inner["lower"]) & (inner["upper"] <= outer["upper"])).all())


def test_marginal_sets_of_pisa_2018_equal_csranks_on_every_country():
    countries, scores, errors, lower, rank, upper = columns(PISA["countries"])

    sets = rank_confidence_set(pd.Series(scores, index=countries), errors)

    assert len(countries) == 38
    assert sets["lower"].tolist() == lower
    assert sets["rank"].tolist() == rank
    assert sets["upper"].tolist() == upper
    assert sets.index.tolist() == countries


@pytest.mark.parametrize("case", PISA["first_five"], ids=lambda case: str(case["level"]))
def test_the_first_five_of_pisa_2018_equal_those_published_with_csranks(case):
    countries, scores, errors, *_ = columns(PISA["countries"])

    among = top_confidence_set(scores, errors, size=5, level=case["level"])

    assert [country for country, inside in zip(countries, among, strict=True) if inside] == case["members"]


def test_stepdown_of_the_united_kingdom_is_the_set_published_with_csranks():
    countries, scores, errors, *_ = columns(PISA["countries"])

    sets = rank_confidence_set(pd.Series(scores, index=countries), errors, stepdown=True)

    assert sets.loc["United Kingdom"].tolist() == [7, 13, 23]


def test_simultaneous_sets_of_pisa_2018_say_what_the_csranks_vignette_says():
    countries, scores, errors, *_ = columns(PISA["countries"])
    scores = pd.Series(scores, index=countries)

    sure = rank_confidence_set(scores, errors, simultaneous=True, stepdown=True)
    less_sure = rank_confidence_set(scores, errors, simultaneous=True, stepdown=True, level=0.75)

    # The vignette names three; Costa Rica, between Mexico and Colombia, joined its data later.
    last = ["Chile", "Mexico", "Costa Rica", "Colombia"]
    assert sure.drop(last)["upper"].max() < sure.loc[last, "lower"].min()
    assert sure.loc["Korea", "upper"] == sure.loc["Germany", "lower"] == 7
    assert less_sure.loc["Korea", "upper"] < less_sure.loc["Germany", "lower"]


def test_two_communities_are_told_apart_beyond_1_96_errors_of_the_difference():
    apart = rank_confidence_set([0.0, 1.97 * np.sqrt(2)], [1, 1])
    together = rank_confidence_set([0.0, 1.95 * np.sqrt(2)], [1, 1])

    assert bounds(apart) == [[2, 2], [1, 1]]
    assert bounds(together) == [[1, 2], [1, 2]]


def test_one_sided_sets_need_1_645_errors_of_the_difference():
    scores = [0.0, 1.65 * np.sqrt(2)]

    assert bounds(rank_confidence_set(scores, [1, 1], side="lower")) == [[2, 2], [1, 2]]
    assert bounds(rank_confidence_set(scores, [1, 1], side="upper")) == [[1, 2], [1, 1]]
    assert bounds(rank_confidence_set(scores, [1, 1])) == [[1, 2], [1, 2]]


def test_stepdown_drops_decided_pairs_in_one_direction_only():
    # Three equal errors: 2.212 in the first step. That the far one is above is decided at once; that it is below, and
    # both for the near one, stay in the family, with 2.106 together (1.960, were both directions dropped).
    far, near = 10.0, 2.15 * np.sqrt(2)

    single = rank_confidence_set([0.0, near, far], [1, 1, 1])
    stepped = rank_confidence_set([0.0, near, far], [1, 1, 1], stepdown=True)

    too_near = rank_confidence_set([0.0, 2.05 * np.sqrt(2), far], [1, 1, 1], stepdown=True)
    assert single.loc[0, "lower"] == 2
    assert stepped.loc[0, "lower"] == 3
    assert too_near.loc[0, "lower"] == 2


def test_joint_intervals_decide_only_when_they_are_apart():
    # Two communities at level .9025: individual level .95, intervals of ± 1.96.
    touching = rank_confidence_set([0.0, 3.91], [1, 1], level=0.9025, method="kww")
    apart = rank_confidence_set([0.0, 3.93], [1, 1], level=0.9025, method="kww")

    assert bounds(touching) == [[1, 2], [1, 2]]
    assert bounds(apart) == [[2, 2], [1, 1]]


def test_joint_intervals_that_touch_exactly_are_no_evidence():
    sets = rank_confidence_set([0.5, 0.5, 0.4], [0, 0, 0], method="kww")

    assert bounds(sets) == [[1, 2], [1, 2], [3, 3]]


@pytest.mark.parametrize("options", METHODS[:-1])
def test_without_any_error_the_sets_are_the_positions_themselves(options):
    sets = rank_confidence_set([0.9, 0.8, 0.8, 0.7], [0, 0, 0, 0], **options)

    side = options.get("side")
    assert sets["lower"].tolist() == ([1, 1, 1, 1] if side == "upper" else [1, 2, 2, 4])
    assert sets["upper"].tolist() == ([4, 4, 4, 4] if side == "lower" else [1, 3, 3, 4])


def test_credible_sets_without_any_error_are_the_ranks():
    sets = rank_confidence_set([0.9, 0.8, 0.7, 0.6], [0, 0, 0, 0], method="eb")

    assert bounds(sets) == [[1, 1], [2, 2], [3, 3], [4, 4]]


def credible_by_formula(scores, errors, level):
    """Sets of more than 200 communities from the formula of the docstring, every pair and every rank by itself."""
    posterior = shrink_scores(scores, errors**2, region=np.zeros(scores.size, dtype=np.int64), prior="normal")
    mean, deviation = posterior.mean, np.sqrt(posterior.variance)
    nodes, weights = np.polynomial.hermite_e.hermegauss(40)
    weights /= weights.sum()
    points = mean[:, None] + deviation[:, None] * nodes
    known = deviation == 0
    distance = mean - points[..., None]
    larger = np.where(known, distance > 0, ndtr(distance / np.where(known, 1, deviation)))
    larger[np.arange(scores.size), :, np.arange(scores.size)] = 0
    expected = larger.sum(axis=2)
    spread = np.sqrt(np.maximum((larger * (1 - larger)).sum(axis=2), 1e-12))
    ranks = np.arange(1, scores.size)
    at_most = np.stack([ndtr((rank - 0.5 - expected) / spread) @ weights for rank in ranks], axis=1)
    return [(1 + (at_most < share).sum(axis=1)).tolist() for share in ((1 - level) / 2, (1 + level) / 2)]


@pytest.mark.parametrize("errors_of", ["ties", "different", "some known"])
def test_credible_sets_of_more_than_200_communities_are_those_of_the_formula(errors_of):
    generator = np.random.default_rng(3)
    answers = generator.integers(30, 300, 260)
    scores = generator.binomial(answers, generator.beta(16, 4, 260)) / answers
    errors = np.sqrt(0.16 / np.where(errors_of == "ties", 100, answers))
    if errors_of == "some known":
        errors[::7] = 0

    sets = rank_confidence_set(scores, errors, method="eb", level=0.9)

    assert [sets["lower"].tolist(), sets["upper"].tolist()] == credible_by_formula(scores, errors, 0.9)


def test_a_region_of_thousands_has_the_credible_sets_that_all_its_pairs_have(monkeypatch):
    generator = np.random.default_rng(4)
    scores, errors = generator.normal(0.8, 0.08, 1_500).round(3), generator.uniform(0.01, 0.06, 1_500).round(3)

    on_a_grid = rank_confidence_set(scores, errors, method="eb")

    monkeypatch.setattr("analytics.statistics.rank_confidence_sets._LARGEST_DIRECT_SUM", 1_500)
    pair_by_pair = rank_confidence_set(scores, errors, method="eb")
    # A sum that is off by a millionth of a rank can round to the next one.
    assert (on_a_grid - pair_by_pair).abs().to_numpy().max() <= 1
    assert (on_a_grid != pair_by_pair).to_numpy().sum() <= 3


def test_no_credible_set_reaches_beyond_the_last_rank():
    scores = np.random.default_rng(6).normal(size=400)

    sets = rank_confidence_set(scores, np.full(400, 0.3), method="eb")

    assert sets["upper"].max() == 400


@pytest.mark.parametrize("options", METHODS)
def test_very_large_and_very_small_scores_have_the_sets_of_any_others(options):
    scores, errors = np.array([0.9, 0.8, 0.8, 0.5]), np.array([0.02, 0.03, 0.05, 0.2])
    expected = rank_confidence_set(scores, errors, **options)
    for factor in (2.0**-1000, 2.0**1000):
        pd.testing.assert_frame_equal(rank_confidence_set(scores * factor, errors * factor, **options), expected)


@pytest.mark.parametrize("options", METHODS)
def test_a_region_of_one_has_rank_one(options):
    sets = rank_confidence_set([0.9, 0.8, 0.7], [0.1, 0.1, 0.1], regions=["a", "b", "c"], **options)

    assert bounds(sets) == [[1, 1]] * 3


@pytest.mark.parametrize("options", METHODS)
def test_no_communities_make_an_empty_table(options):
    sets = rank_confidence_set([], [], **options)

    assert sets.columns.tolist() == ["lower", "rank", "upper"]
    assert sets.dtypes.unique().tolist() == [np.dtype("int64")]
    assert sets.empty


@pytest.mark.parametrize("options", METHODS)
@given(given_communities=communities(), seed=st.integers(0, 1000))
@settings(max_examples=12, deadline=None)
def test_the_order_of_communities_changes_nothing(options, given_communities, seed):
    scores, errors = given_communities
    order = np.random.default_rng(seed).permutation(scores.size)

    sets = quick_sets(scores, errors, **options)

    shuffled = quick_sets(scores[order], errors[order], **options)
    assert shuffled.to_numpy().tolist() == sets.to_numpy()[order].tolist()


@pytest.mark.parametrize("options", METHODS)
@given(given_communities=communities(), factor=st.sampled_from([0.25, 8.0]), shift=st.sampled_from([0.0, 64.0]))
@settings(max_examples=12, deadline=None)
def test_another_unit_of_the_scores_changes_nothing(options, given_communities, factor, shift):
    # 1/128 is exact in binary, so that ties stay ties.
    scores, errors = (np.rint(128 * values) / 128 for values in given_communities)

    sets = quick_sets(scores, errors, **options)

    rescaled = quick_sets(shift + factor * scores, factor * errors, **options)
    assert rescaled.to_numpy().tolist() == sets.to_numpy().tolist()


@pytest.mark.parametrize("options", METHODS[:-1])
@given(given_communities=communities())
@settings(max_examples=15, deadline=None)
def test_sets_contain_the_rank(options, given_communities):
    sets = quick_sets(*given_communities, **options)

    assert (sets["lower"] <= sets["rank"]).all()
    assert (sets["rank"] <= sets["upper"]).all()
    assert sets["upper"].max() <= len(sets)


@pytest.mark.parametrize("options", METHODS)
@given(given_communities=communities())
@settings(max_examples=12, deadline=None)
def test_more_confidence_never_narrows_a_set(options, given_communities):
    narrow = quick_sets(*given_communities, level=0.8, **options)
    wide = quick_sets(*given_communities, level=0.99, **options)

    assert contains(wide, narrow)


@given(given_communities=communities(), stepdown=st.booleans())
@settings(max_examples=25, deadline=None)
def test_simultaneous_sets_contain_marginal_ones_and_steps_only_narrow(given_communities, stepdown):
    marginal = quick_sets(*given_communities)
    simultaneous = quick_sets(*given_communities, simultaneous=True)
    stepped = quick_sets(*given_communities, simultaneous=stepdown, stepdown=True)

    assert contains(simultaneous, marginal)
    assert contains(simultaneous if stepdown else marginal, stepped)


@given(given_communities=communities())
@settings(max_examples=25, deadline=None)
def test_one_sided_bounds_are_no_looser_than_two_sided_ones(given_communities):
    both = rank_confidence_set(*given_communities)
    lower = rank_confidence_set(*given_communities, side="lower")
    upper = rank_confidence_set(*given_communities, side="upper")

    assert (lower["lower"] >= both["lower"]).all()
    assert (upper["upper"] <= both["upper"]).all()
    assert (lower["upper"] == len(both)).all()
    assert (upper["lower"] == 1).all()


@given(given_communities=communities())
@settings(max_examples=25, deadline=None)
def test_negated_scores_mirror_the_sets(given_communities):
    scores, errors = given_communities

    sets = rank_confidence_set(scores, errors, side="lower", stepdown=True)

    mirrored = rank_confidence_set(-scores, errors, side="upper", stepdown=True)
    assert (mirrored["upper"] == scores.size + 1 - sets["lower"]).all()


@pytest.mark.parametrize("options", METHODS)
def test_regions_are_ranked_apart(options):
    generator = np.random.default_rng(5)
    scores, errors = generator.uniform(0.5, 1, 30).round(2), generator.uniform(0.01, 0.05, 30).round(2)
    regions = generator.choice(["Haibowan", "Wuda"], 30)

    together = quick_sets(scores, errors, regions=regions, **options)

    for region in ("Haibowan", "Wuda"):
        inside = regions == region
        alone = quick_sets(scores[inside], errors[inside], **options)
        assert together[inside].to_numpy().tolist() == alone.to_numpy().tolist()


def test_a_simulated_value_is_reported_for_each_region():
    sets = rank_confidence_set(
        [0.9, 0.8, 0.7, 0.9], [0.01, 0.02, 0.03, 0.01], regions=["a", "a", "a", "b"], simultaneous=True
    )

    assert set(sets.attrs["critical_values"]) == {"a", "b"}
    assert sets.attrs["critical_values"]["a"]["draws"] == 100_000
    assert 0 < sets.attrs["critical_values"]["a"]["standard_error"] < 0.02
    assert sets.attrs["critical_values"]["b"] == {"value": 0.0, "standard_error": 0.0, "draws": 0}


def test_each_region_may_have_its_own_number_of_first_places():
    scores, errors = [0.9, 0.8, 0.7] * 2, [0.001] * 6
    regions = ["a"] * 3 + ["b"] * 3

    among = top_confidence_set(scores, errors, size={"a": 1, "b": 2}, regions=regions)

    assert among.tolist() == [True, False, False, True, True, False]


def test_no_first_place_leaves_nobody_and_too_many_take_everybody():
    assert not top_confidence_set([0.9, 0.8], [0.1, 0.1], size=0).any()
    assert top_confidence_set([0.9, 0.8], [0.001, 0.001], size=5).all()


def test_a_large_region_has_the_same_marginal_sets_as_its_pairs_compared_one_by_one():
    generator = np.random.default_rng(8)
    answers = generator.integers(30, 300, 3_000)
    scores = generator.binomial(answers, generator.beta(16, 4, 3_000)) / answers
    errors = np.sqrt(0.16 / answers)

    sets = rank_confidence_set(scores, errors)

    assert (sets["lower"] > 1).any()
    for row in (0, int(scores.argmax()), int(scores.argmin())):
        differences = (scores - scores[row]) / np.hypot(errors[row], errors)
        above, below = np.sort(differences[differences > 0])[::-1], np.sort(-differences[differences < 0])[::-1]
        # Nobody knows c here, but all that are counted must lie beyond all that are not.
        counted = [*above[: sets["lower"][row] - 1], *below[: len(scores) - sets["upper"][row]]]
        others = [*above[sets["lower"][row] - 1 :], *below[len(scores) - sets["upper"][row] :]]
        assert min(counted) > max(others)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"method": "wilson"}, "method must be one of"),
        ({"side": "left"}, "side must be one of"),
        ({"level": 95}, r"level must lie in \[0.5, 1\)"),
        ({"method": "kww", "stepdown": True}, 'stepdown goes with method "mrsw"'),
        ({"method": "eb", "simultaneous": True}, "simultaneous must be False"),
        ({"regions": ["a"]}, "regions must hold one label for each of 2 rows"),
        ({"regions": ["a", None]}, "regions is missing in 1 of 2 rows: row 1"),
    ],
)
def test_options_that_make_no_sense_are_refused(options, message):
    with pytest.raises(ValueError, match=message):
        rank_confidence_set([0.9, 0.8], [0.1, 0.1], **options)


@pytest.mark.parametrize(
    ("scores", "errors", "message"),
    [
        ([0.9, float("nan")], [0.1, 0.1], "estimates is missing or infinite in 1 of 2 rows: row 1"),
        ([0.9, 0.8], [0.1, float("inf")], "standard_errors is missing or infinite in 1 of 2 rows: row 1"),
        ([0.9, 0.8], [-0.1, 0.1], "standard_errors is below 0 in 1 of 2 rows: row 0"),
        ([0.9, 0.8], [0.1], "two lists of one length"),
        (pd.Series([0.9], ["Binhe"]), pd.Series([0.1], ["Xinhua"]), "different indexes"),
    ],
)
def test_scores_that_cannot_be_ranked_are_refused_with_their_rows(scores, errors, message):
    with pytest.raises(ValueError, match=message):
        rank_confidence_set(scores, errors)


@pytest.mark.parametrize(
    ("size", "message"),
    [(-1, "size is not a whole number"), (1.5, "size is not a whole number"), ({"b": 1}, "not stated for .*'a'")],
)
def test_a_number_of_places_that_is_none_is_refused(size, message):
    with pytest.raises(ValueError, match=message):
        top_confidence_set([0.9, 0.8], [0.1, 0.1], size=size, regions=["a", "a"])


def test_marginal_stepdown_of_a_very_large_region_is_refused():
    count = LARGEST_STEPDOWN + 1

    with pytest.raises(ValueError, match=f"up to {LARGEST_STEPDOWN} communities a region, got {count}"):
        rank_confidence_set(np.zeros(count), np.ones(count), stepdown=True)


@pytest.mark.parametrize("options", [each for each in METHODS[:-1] if not each.get("simultaneous")])
def test_marginal_and_joint_sets_cover_the_truth_as_often_as_they_say(options):
    coverage = simulated_coverage(options, repetitions=300, count=20)

    # Five binomial standard deviations below; conservatism above is what discrete ranks bring.
    assert coverage.mean() >= 0.90 - 5 * np.sqrt(0.09 / 300)


def test_simultaneous_sets_cover_the_whole_ranking_as_often_as_they_say():
    coverage = simulated_coverage({"simultaneous": True, "stepdown": True}, repetitions=150, count=20)

    assert coverage.all(axis=1).mean() >= 0.90 - 4 * np.sqrt(0.09 / 150)


def test_credible_sets_cover_true_ranks_under_their_prior():
    coverage = simulated_coverage({"method": "eb"}, repetitions=200, count=20)

    assert 0.85 <= coverage.mean() <= 0.98


@pytest.mark.long
@pytest.mark.parametrize("count", [20, 250])
@pytest.mark.parametrize("options", [each for each in METHODS if not each.get("simultaneous")])
def test_coverage_over_thousands_of_repetitions(options, count):
    coverage = simulated_coverage(options, repetitions=2_000 if count == 20 else 200, count=count)

    assert coverage.mean() >= (0.88 if options["method"] == "eb" else 0.895)


@pytest.mark.long
def test_sets_of_equal_true_scores_reject_as_rarely_as_they_say():
    generator = np.random.default_rng(21)
    errors = generator.uniform(0.01, 0.05, 20)

    wide = [bounds(rank_confidence_set(generator.normal(0.8, errors), errors, level=0.9)) for _ in range(3_000)]

    # All pairs equal: a set is [1, 20] with probability level, neither more nor less.
    assert np.mean(np.array(wide) == [1, 20], axis=0).min() >= 0.88
    assert np.mean((np.array(wide) == [1, 20]).all(axis=2)) == pytest.approx(0.9, abs=0.01)


def simulated_coverage(options, *, repetitions, count):
    """Which sets of each repetition contain the true rank; true scores are redrawn, errors differ threefold."""
    generator = np.random.default_rng(20)
    covered = np.empty((repetitions, count), dtype=bool)
    for repetition in range(repetitions):
        errors = generator.uniform(0.02, 0.06, count)
        truth = generator.normal(0.8, 0.06, count)
        sets = quick_sets(generator.normal(truth, errors), errors, level=0.9, **options)
        rank = (-truth).argsort().argsort() + 1
        covered[repetition] = (sets["lower"] <= rank) & (rank <= sets["upper"])
    return covered
