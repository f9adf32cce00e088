import re
from fractions import Fraction
from typing import get_args

import pandas as pd
import pytest
import yaml
from hypothesis import example, given, settings
from hypothesis import strategies as st

from analytics.decision.evaluate import evaluate
from analytics.decision.reasons import Part, format_distinct, reason_sentence, reason_sentences
from analytics.languages import LANGUAGES
from analytics.reports.warnings import warning_sentence
from tests.analytics.decision.test_evaluate import community_rows, rule_choices
from tests.analytics.rule_files import REPOSITORY, rules_with

SENTENCES = yaml.safe_load((REPOSITORY / "data" / "samples" / "sentences.yaml").read_text("utf-8"))


def evaluated(rows, choices=()):
    frame = pd.DataFrame({"community_id": [str(number) for number in range(len(rows))], "region": "海勃湾区"}).assign(
        **pd.DataFrame(rows)
    )
    return evaluate(frame, rules_with(dict(choices)))


def sentence(result, row, part, language):
    standing = result.standings.iloc[row].to_dict()
    return reason_sentence(
        standing,
        result.summary["regions"][standing["region"]],
        part,
        population=result.rules.satisfaction.population,
        language=language,
    )


@pytest.mark.parametrize("case", SENTENCES)
def test_sentences_read_as_people_say_it(case):
    if "satisfied_of_responses" in case:
        rows = [{"responses": n, "satisfied": satisfied} for satisfied, n in case["satisfied_of_responses"]]
        rows += [{"responses": 50, "satisfied": 10}] * case["others"]
    else:
        exposed = [*case["complaints_in_household_years"], *[[9, 200]] * case["others"]]
        none = {"responses": 0, "satisfied": 0}
        rows = [none | {"complaints": count, "exposure_household_years": years} for count, years in exposed]
    result = evaluated(rows, case["rules"])

    for language in LANGUAGES:
        assert sentence(result, case["community"] - 1, case["part"], language) == case[language]


@pytest.mark.parametrize(
    ("population", "words"),
    [
        ("owners", ("业主有效问卷", "valid responses of owners")),
        ("residents", ("全体住户有效问卷", "of all residents")),
    ],
)
@pytest.mark.parametrize("responses", [0, 3, 40])
def test_every_number_of_answers_says_whose_they_are(population, words, responses):
    rows = [{"responses": responses, "satisfied": responses}, *[{"responses": 50, "satisfied": 10}] * 19]
    result = evaluated(rows, {"satisfaction.population": population})

    for language, word in zip(LANGUAGES, words, strict=True):
        assert word in sentence(result, 0, "satisfaction", language)


def test_an_index_is_never_called_a_rate():
    rows = [{"responses": 40, "mean_index": 87.5}, *[{"responses": 40, "mean_index": 50}] * 19]
    result = evaluated(rows, {"satisfaction.measure": "satisfaction_index"})

    assert sentence(result, 0, "satisfaction", "zh-Hans").startswith("满意度指数87.5（业主有效问卷40份），")
    assert "rate" not in sentence(result, 0, "satisfaction", "en")


def test_a_given_score_is_shown_as_given():
    rows = [{"score": 83, "score_precision": 1}, *[{"score": 80, "score_precision": 1}] * 18, {}]
    result = evaluated(rows, {"satisfaction.rounding": "ceil"})

    assert sentence(result, 0, "satisfaction", "en").startswith("Satisfaction rate 83.0%, rank 1 of 19")
    assert sentence(result, 19, "satisfaction", "en") == "No data on satisfaction: not ranked."


def test_a_small_region_says_that_it_is_ranked_with_the_city():
    result = evaluate(
        pd.DataFrame(
            {"community_id": range(21), "region": ["乌达区", *["海勃湾区"] * 20], "responses": 50, "satisfied": 40}
        ),
        rules_with({"when_k_is_zero": "wider_region"}),
    )

    assert "在全市（乌达区参评小区过少，按规则在全市范围内排名）21个参评小区中" in sentence(
        result, 0, "satisfaction", "zh-Hans"
    )
    assert "在海勃湾区20个参评小区中" in sentence(result, 1, "satisfaction", "zh-Hans")


@settings(max_examples=60, deadline=None)
@given(community_rows(), rule_choices())
def test_every_standing_and_warning_has_a_finished_sentence_in_every_language(rows, choices):
    result = evaluate(pd.DataFrame(rows), rules_with(choices))
    spoken = [
        sentence(result, row, part, language)
        for language in LANGUAGES
        for row in range(len(rows))
        for part in ("satisfaction", "complaints", "criterion")
    ]
    warnings = [warning for facts in result.summary["regions"].values() for warning in facts["warnings"]]
    spoken += [warning_sentence(warning, language) for language in LANGUAGES for warning in warnings]

    for text in spoken:
        assert re.fullmatch(r"[^{}]+[.。]", text)
        assert not re.search(r"\b(None|nan|NaN|<NA>)\b", text)


@settings(max_examples=60, deadline=None)
@given(community_rows(), rule_choices(), st.sampled_from(LANGUAGES), st.sampled_from(get_args(Part)))
def test_a_table_is_explained_as_each_of_its_rows_is(rows, choices, language, part):
    result = evaluate(pd.DataFrame(rows), rules_with(choices))
    population, regions = result.rules.satisfaction.population, result.summary["regions"]

    said = reason_sentences(result.standings, regions, part, population=population, language=language)

    assert said == [sentence(result, row, part, language) for row in range(len(rows))]
    assert reason_sentences(result.standings[:0], regions, part, population=population, language=language) == []


def test_a_rate_that_floats_round_up_is_shown_as_the_exact_one_is():
    # 0.145 in binary is a little less than 14.5 %; times 1,000 floats make it exactly 145.
    rows = [{"score": score, "score_precision": 0.001} for score in (14.45, 14.55, 14.65, *[1.0] * 17)]
    result = evaluated(rows, {"satisfaction.rounding": "ceil"})

    shown = [sentence(result, row, "satisfaction", "en").split("%")[0].split()[-1] for row in range(3)]

    cut_off = Fraction(14.65)
    exact = [format_distinct(Fraction(score), [Fraction(0), cut_off], decimals=1) for score in (14.45, 14.55, 14.65)]
    assert shown == exact


@settings(max_examples=200, deadline=None)
@given(st.integers(0, 400), st.integers(1, 400), st.integers(0, 400), st.integers(1, 400))
def test_different_rates_never_look_equal_and_equal_rates_never_look_different(first, more, second, others):
    own, other = 100 * Fraction(first, first + more), 100 * Fraction(second, second + others)
    shown = [format_distinct(own, [other], decimals=1), format_distinct(other, [own], decimals=1)]

    assert (shown[0] == shown[1]) == (own == other)
    assert (float(shown[0]) < float(shown[1])) == (own < other)


@given(st.fractions(min_value=0, max_value=2000), st.integers(0, 3))
@example(Fraction(5, 100), 1)
@example(Fraction(15, 100), 1)
@example(Fraction(5, 2), 0)
def test_numbers_are_rounded_half_to_even(value, decimals):
    assert format_distinct(value, [], decimals=decimals) == f"{float(round(value, decimals)):,.{decimals}f}"
