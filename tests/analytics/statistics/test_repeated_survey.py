"""Repeated surveys that are simulated against repeated surveys that are taken."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from analytics.statistics.empirical_bayes import shrink_rates, shrink_scores
from analytics.statistics.repeated_survey import repeat_survey
from analytics.statistics.top_probability import top_probability


def listed_by(scores, places, ties):
    """Return who is listed, in the words of the rule: by the best, or by the worst, rank of a tie."""
    ranks = pd.Series(scores).rank(ascending=False, method="min" if ties == "include" else "max")
    return (ranks <= places).to_numpy()


def region_of(satisfied, answers, **more):
    return shrink_rates(satisfied, answers, region=np.zeros(len(answers), dtype=int), prior="nonparametric", **more)


@pytest.mark.parametrize(("truths", "ties"), [("normal", "include"), ("skewed", "exclude"), ("two kinds", "include")])
def test_as_many_are_listed_again_as_foretold(truths, ties):
    """Over many cities: the mean, and how often the interval of nine in ten holds the number."""
    random, places, cities = np.random.default_rng(3), 5, 24
    foretold, seen, held = [], [], 0
    for _ in range(cities):
        answers = random.integers(30, 300, 100)
        truth = {
            "normal": lambda: np.clip(random.normal(0.85, 0.06, 100), 0.02, 0.995),
            "skewed": lambda: random.beta(16, 4, 100),
            "two kinds": lambda: np.where(random.random(100) < 0.05, 0.95, 0.78),
        }[truths]()
        first, second = random.binomial(answers, truth), random.binomial(answers, truth)
        listed = listed_by(first / answers, places, ties)
        again = repeat_survey(
            region_of(first, answers), listed=listed, region=[0] * 100, size=places, ties=ties, answers=answers
        ).relisted[0]
        number = int((listed & listed_by(second / answers, places, ties)).sum())
        foretold.append(again.mean())
        seen.append(number)
        lower, upper = np.quantile(again, [0.05, 0.95], method="inverted_cdf")
        held += lower <= number <= upper

    error = np.std(np.subtract(seen, foretold)) / np.sqrt(cities)
    assert np.mean(foretold) == pytest.approx(np.mean(seen), abs=3 * error + 0.2)
    assert held / cities >= 0.8


def test_scores_without_ties_are_listed_as_often_as_the_distribution_says():
    random = np.random.default_rng(2)
    posteriors = shrink_scores(random.normal(0, 1, 60), random.uniform(0.05, 2, 60), region=[1] * 60, prior="normal")
    again = repeat_survey(posteriors, listed=np.zeros(60), region=[1] * 60, size=6, ties="include")
    exact = top_probability(
        posteriors.mean, posteriors.variance + posteriors.sampling_variance, region=[1] * 60, size=6
    )

    assert again.chance == pytest.approx(exact.probability, abs=0.05)
    assert again.chance.sum() == pytest.approx(6)


@settings(max_examples=25)
@given(
    st.lists(st.tuples(st.integers(0, 40), st.integers(40, 60)), min_size=1, max_size=12),
    st.integers(0, 12),
    st.sampled_from(["include", "exclude"]),
)
def test_chances_and_numbers_agree_whatever_the_region(communities, places, ties):
    satisfied, answers = map(np.array, zip(*communities, strict=True))
    places = min(places, len(answers))
    listed = listed_by(satisfied / answers, places, ties)
    again = repeat_survey(
        region_of(satisfied, answers), listed=listed, region=[0] * len(answers), size=places, ties=ties, answers=answers
    )

    assert again.relisted[0].mean() == pytest.approx(again.chance[listed].sum())
    assert again.chance.sum() >= places - 1e-9 if ties == "include" else again.chance.sum() <= places + 1e-9
    assert again.relisted[0].max() <= listed.sum()


def test_where_all_households_answered_the_same_list_comes_again():
    answers = np.full(5, 40)
    posteriors = region_of([40, 38, 30, 30, 20], answers, sampling_fraction=np.ones(5))
    again = repeat_survey(
        posteriors,
        listed=[True, True, False, False, False],
        region=[0] * 5,
        size=2,
        ties="include",
        answers=np.full(5, np.inf),
    )

    assert again.chance.tolist() == [1, 1, 0, 0, 0]
    assert set(again.relisted[0].tolist()) == {2}


def test_no_region_depends_on_another():
    answers, satisfied = np.full(20, 50), np.arange(30, 50)
    region = np.repeat([1, 2], 10)
    posteriors = shrink_rates(satisfied, answers, region=region, prior="normal")
    both = repeat_survey(posteriors, listed=satisfied % 10 == 9, region=region, size=1, ties="include", answers=answers)
    first = repeat_survey(
        shrink_rates(satisfied[:10], answers[:10], region=region[:10], prior="normal"),
        listed=satisfied[:10] % 10 == 9,
        region=region[:10],
        size=1,
        ties="include",
        answers=answers[:10],
    )

    assert both.chance[:10].tolist() == first.chance.tolist()
    assert both.relisted[1].tolist() == first.relisted[1].tolist()


@pytest.mark.parametrize("fault", [{"listed": [True]}, {"size": 0.5}, {"answers": [3.0]}])
def test_columns_that_do_not_fit_are_refused(fault):
    posteriors = region_of([3, 4], [5, 5])
    with pytest.raises(ValueError, match=r"columns of 2 rows|size"):
        repeat_survey(posteriors, **({"listed": [True, False], "region": [0, 0], "size": 1, "ties": "include"} | fault))
