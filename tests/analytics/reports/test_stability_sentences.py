"""Sentences on the stability of a list."""

import pytest

from analytics.languages import LANGUAGES
from analytics.reports.stability_sentences import stability_sentences


def sentences(language="en", *, p_value=0.2, **changed):
    facts = {
        "repeated": {"expected": 6.5, "lower": 4, "upper": 8, "may_leave": [["7", 0.4]], "may_enter": [["8", 0.3]]},
        "whole_list": {"p_value": p_value, "inside": "7", "outside": "8", "difference": 0.0123, "error": 0.021},
        "nonresponse": {"standing": [9, *[4] * 9], "at_every": 4},
    }
    names = {"7": "Jade <b>", "8": "Spring"}
    return list(stability_sentences(facts | changed, listed=10, names=names, scale=100, language=language))


@pytest.mark.parametrize("language", LANGUAGES)
def test_each_finding_has_its_sentence_and_only_what_was_found(language):
    assert len(sentences(language)) == 5
    assert len(sentences(language, whole_list=None, nonresponse=None)) == 3
    quiet = {"expected": 10.0, "lower": 10, "upper": 10, "may_leave": [], "may_enter": []}
    assert len(sentences(language, repeated=quiet, whole_list=None, nonresponse=None)) == 1
    assert len(sentences(language, repeated=None, nonresponse=None)) == 1


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_list_is_supported_as_a_whole_below_the_level_alone(language):
    told = {p: sentences(language, p_value=p)[3] for p in (0.0004, 0.049, 0.05, 0.5)}

    supported = {p: words.split("(p")[0].split("（p")[0] for p, words in told.items()}
    assert supported[0.0004] == supported[0.049] != supported[0.05] == supported[0.5]
    assert "< 0.001" in told[0.0004]
    assert "1.2" in told[0.5]


def test_a_community_without_a_name_is_called_by_its_number():
    repeated = {"expected": 1.0, "lower": 0, "upper": 1, "may_leave": [["99", 0.4]], "may_enter": []}

    assert "99 (40" in sentences(repeated=repeated)[1]


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_list_of_which_nobody_stands_at_every_assumption_is_not_counted(language):
    *_others, told = sentences(language, nonresponse={"standing": [1, *[0] * 9], "at_every": 0})
    *_others, some = sentences(language, nonresponse={"standing": [1] * 10, "at_every": 1})

    assert "10" not in told.replace("10%", "")
    assert "10" in some
    assert all("9%" in said.replace(" ", "").replace(" ", "") for said in (told, some))
