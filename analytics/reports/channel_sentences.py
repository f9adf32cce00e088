"""Sentences about the channels of a survey: what answers through posters cannot exclude, and which had help."""

from collections.abc import Iterator
from typing import Final

import pandas as pd

from analytics.decision.survey_channels import HELPED_RESPONSES, SurveyChannel, survey_channels
from analytics.languages import translator

FEW_ANSWERS: Final = 30
"""Up to so many added answers one phone sends in an evening, at human pace."""


def poster_limits(language: str) -> str:
    """Return the sentence that says what a survey through posters alone cannot exclude."""
    _ = translator(language)
    return _(
        "A poster lets whoever passes by answer, more than once and without living there. Answers that bear signs of"
        " stuffing are held; but false answers that are entered at the pace of people and by day cannot be told from"
        " true ones and cannot be excluded: neither those from changing connections, nor those from one phone, which"
        " look like a volunteer’s. Household slips, each of which takes one answer, can exclude them."
    )


def channel_sentences(communities: pd.DataFrame, language: str) -> Iterator[str]:
    """Yield sentences about the channels of a survey, for its method statement.

    Parameters
    ----------
    communities : DataFrame
        As `analytics.decision.community_table.check_communities` returns it.
    language : str
        One of `analytics.languages.LANGUAGES`.

    Yields
    ------
    str
        None where the table does not say through what the answers came.
    """
    _ = translator(language)
    channels = survey_channels(communities)
    if channels is not None:
        answered = channels.notna().sum()
        by_posters = int((channels == SurveyChannel.POSTERS).sum())
        if by_posters:
            yield _(
                "In {posters} of {answered} communities with answers, all that residents sent came through posters.",
                posters=f"{by_posters:,}",
                answered=f"{answered:,}",
            )
        if channels.isin([SurveyChannel.POSTERS, SurveyChannel.BOTH]).any():
            yield poster_limits(language)
    helped = communities.get(HELPED_RESPONSES, pd.Series(dtype="Int64"))
    if helped.sum():
        yield _(
            "Answers that came with help that staff declared in advance, such as a volunteer’s telephone: at least"
            " {helped}; communities: {communities}. Where they are few, they are not counted here. They are not held"
            " for coming over one line; answers too much alike are.",
            helped=f"{int(helped.sum()):,}",
            communities=f"{int((helped > 0).sum()):,}",
        )


def margin_sentences(margins: pd.DataFrame, language: str) -> Iterator[str]:
    """Yield sentences on how few added answers would have changed the list of the last round.

    Parameters
    ----------
    margins : DataFrame
        From `analytics.decision.list_margins.list_margins`.
    language : str
        One of `analytics.languages.LANGUAGES`.

    Yields
    ------
    str
        The regions in which it hung on fewest answers first, at the end the recommendation that follows.
    """
    _ = translator(language)
    few = []
    for region, answers in margins["answers"].dropna().sort_values(kind="stable").items():
        if answers <= FEW_ANSWERS:
            few.append(str(region))
        yield _(
            "{region}: {answers} added answers in one community would have changed who was on the list of the last"
            " round by satisfaction.",
            region=region,
            answers=f"{int(answers):,}",
        )
    if few:
        yield _(
            "So few answers are sent from one phone in an evening. For {regions} household slips are recommended"
            " instead of posters.",
            regions=_(", ").join(few),
        )
