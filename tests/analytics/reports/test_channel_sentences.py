import pandas as pd
import pytest

from analytics.languages import LANGUAGES
from analytics.reports.channel_sentences import FEW_ANSWERS, channel_sentences, margin_sentences, poster_limits


def communities(**columns):
    return pd.DataFrame({"responses": [40, 30, 0]} | columns).astype("Int64")


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_survey_through_posters_says_in_how_many_communities_and_what_it_cannot_exclude(language):
    said = list(channel_sentences(communities(slip_responses=[0, 12, 0]), language))

    assert len(said) == 2
    assert "1" in said[0]
    assert said[1] == poster_limits(language)


def test_a_survey_through_slips_alone_has_nothing_to_admit():
    assert list(channel_sentences(communities(slip_responses=[40, 30, 0]), "en")) == []


def test_a_table_that_does_not_say_through_what_answers_came_is_not_spoken_for():
    assert list(channel_sentences(communities(), "en")) == []


def test_answers_with_declared_help_are_counted():
    said = list(channel_sentences(communities(slip_responses=[40, 30, 0], helped_responses=[7, 0, 0]), "en"))

    assert len(said) == 1
    assert "such as a volunteer’s telephone: at least 7; communities: 1." in said[0]


def test_slips_are_recommended_where_the_list_hung_on_few_answers_and_nowhere_else():
    margins = pd.DataFrame(
        {"answers": pd.array([FEW_ANSWERS + 1, FEW_ANSWERS, None], dtype="Int64")}, index=list("ABC")
    )

    first, second, recommended = margin_sentences(margins, "en")

    assert first.startswith(f"B: {FEW_ANSWERS} added answers")
    assert second.startswith(f"A: {FEW_ANSWERS + 1} added answers")
    assert "For B household slips are recommended" in recommended
    assert list(margin_sentences(margins.loc[["C"]], "en")) == []
