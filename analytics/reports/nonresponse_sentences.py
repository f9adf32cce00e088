"""Sentences on those who did not answer: what late answers suggest of them, and what they could have changed."""

from collections.abc import Iterator, Mapping
from typing import Any, Final, NamedTuple

from analytics.evidence.nonresponse import WorstCases
from analytics.languages import N_, translator
from analytics.reports.html_page import percent


class _Words(NamedTuple):
    """Sentences on two groups of answers: how the second differs, and what it suggests of those who did not answer."""

    alike: str
    less: str
    more: str
    raises: str
    leaves: str


_OF_WAVES: Final = _Words(
    alike=N_(
        "Of the answers that residents sent in themselves, the last third is about as satisfied as the first: they"
        " are {points} points apart (standard error {error}; communities compared: {communities})."
    ),
    less=N_(
        "Of the answers that residents sent in themselves, the last third is {points} points less satisfied than"
        " the first (standard error {error}; communities compared: {communities})."
    ),
    more=N_(
        "Of the answers that residents sent in themselves, the last third is {points} points more satisfied than"
        " the first (standard error {error}; communities compared: {communities})."
    ),
    raises=N_(
        "If those who did not answer are like the last who did, they differ by about {suggested} of the scale; the"
        " rule file assumes {assumed}. The evidence is computed with no less than the larger one."
    ),
    leaves=N_(
        "The rule file assumes that those who did not answer differ by about {assumed} of the scale. The last"
        " answers suggest no more than that ({suggested}); they never lower the assumption."
    ),
)
_OF_SLIPS: Final = _Words(
    alike=N_(
        "Answers through household slips are about as satisfied as those through posters of the same communities:"
        " they are {points} points apart (standard error {error}; communities compared: {communities})."
    ),
    less=N_(
        "Answers through household slips are {points} points less satisfied than those through posters of the same"
        " communities (standard error {error}; communities compared: {communities})."
    ),
    more=N_(
        "Answers through household slips are {points} points more satisfied than those through posters of the same"
        " communities (standard error {error}; communities compared: {communities})."
    ),
    raises=N_(
        "If those who did not answer are like those who did on a slip, they differ by about {suggested} of the"
        " scale; the rule file assumes {assumed}. The evidence is computed with no less than the larger one."
    ),
    leaves=N_(
        "Answers through slips suggest no more than the rule file assumes ({suggested}); they never lower the"
        " assumption."
    ),
)


def wave_sentences(waves: Mapping[str, Any], *, assumed: float, language: str) -> Iterator[str]:
    """Return how the last answers differ from the first, and what the evidence makes of it.

    Parameters
    ----------
    waves : mapping
        Of a region, from `analytics.evidence.nonresponse.compare_waves_by_region`.
    assumed : float
        ω of the rule file as a share of the range of scores.
    language : str
        One of `analytics.languages.LANGUAGES`.

    Returns
    -------
    iterator of str

    Examples
    --------
    >>> waves = {"communities": 12, "first": 240, "last": 240, "difference": -0.1, "error": 0.02, "differs": True,
    ...     "deviation": 0.0, "spread": 0.075}
    >>> for sentence in wave_sentences(waves, assumed=0.03, language="en"):
    ...     print(sentence.partition(", ")[2].partition(". ")[0])
    the last third is 10.0 points less satisfied than the first (standard error 2.0; communities compared: 12).
    they differ by about 7.5% of the scale; the rule file assumes 3.0%
    """
    return _sentences(waves, _OF_WAVES, assumed=assumed, language=language)


def slip_sentences(channels: Mapping[str, Any], *, assumed: float, language: str) -> Iterator[str]:
    """Return how answers through slips differ from those through posters, and what the evidence makes of it.

    Parameters
    ----------
    channels : mapping
        Of a region, from `analytics.evidence.nonresponse.compare_channels_by_region`.
    assumed : float
        ω of the rule file as a share of the range of scores.
    language : str
        One of `analytics.languages.LANGUAGES`.

    Returns
    -------
    iterator of str

    Examples
    --------
    >>> channels = {"communities": 12, "poster": 360, "slip": 120, "difference": -0.2, "error": 0.04, "differs": True,
    ...     "deviation": 0.0, "spread": 0.15}
    >>> for sentence in slip_sentences(channels, assumed=0.03, language="en"):
    ...     print(sentence.partition(" (")[0].partition("; ")[0])
    Answers through household slips are 20.0 points less satisfied than those through posters of the same communities
    If those who did not answer are like those who did on a slip, they differ by about 15.0% of the scale
    """
    return _sentences(channels, _OF_SLIPS, assumed=assumed, language=language)


def _sentences(compared: Mapping[str, Any], words: _Words, *, assumed: float, language: str) -> Iterator[str]:
    _ = translator(language)
    said = words.alike
    if compared["differs"]:
        said = words.less if compared["difference"] < 0 else words.more
    yield _(
        said,
        points=f"{abs(compared['difference']) * 100:.1f}",
        error=f"{compared['error'] * 100:.1f}",
        communities=f"{compared['communities']:,}",
    )
    if compared["deviation"]:
        yield _(
            "In some communities this difference is larger than in others, by more than chance (standard deviation"
            " {deviation} points).",
            deviation=f"{compared['deviation'] * 100:.1f}",
        )
    yield _(
        words.raises if compared["spread"] > assumed else words.leaves,
        suggested=percent(compared["spread"], 1),
        assumed=percent(assumed, 1),
    )


def raised_sentence(region: str, spread: float, language: str) -> str:
    """Return that answers raise the assumption about those who did not answer in a region, for a method statement.

    Examples
    --------
    >>> raised_sentence("Wuda", 0.045, "en")
    'Wuda: the last answers, or those on slips, differ so much that the evidence is computed with 4.5% instead.'
    """
    _ = translator(language)
    return _(
        "{region}: the last answers, or those on slips, differ so much that the evidence is computed with {spread}"
        " instead.",
        region=region,
        spread=percent(spread, 1),
    )


def worst_case_sentence(cases: WorstCases, language: str) -> str:
    """Return between which limits the share of satisfied households lies without any assumption.

    Examples
    --------
    >>> said = worst_case_sentence(WorstCases(2, 200, 80, 66, 0.33, 0.93), "en")
    >>> said.partition(". ")[2]
    'If all the others were dissatisfied, 33.0% would be satisfied; if all were satisfied, 93.0%.'
    """
    _ = translator(language)
    return _(
        "Households: {households}, with an answer: {answers}. If all the others were dissatisfied, {lowest} would be"
        " satisfied; if all were satisfied, {highest}.",
        households=f"{cases.households:,}",
        answers=f"{cases.responses:,}",
        lowest=percent(cases.lowest, 1),
        highest=percent(cases.highest, 1),
    )
