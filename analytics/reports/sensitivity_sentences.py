"""Sentences about the sensitivity of a decision, for a region and for a community."""

from collections.abc import Iterator, Mapping
from typing import Any, Final

import pandas as pd

from analytics.decision.survey_modes import MODES
from analytics.languages import translator
from analytics.reports.html_page import percent
from analytics.reports.labels import mode_words

# Few communities have a single mode, so the difference between all and none would be an extrapolation.
_STEP: Final = 0.1
_COLUMN_OF_RATE: Final = {mode: f"satisfaction_rate_{mode}" for mode in MODES}


def region_sentences(facts: Mapping[str, Any], *, scale: float, language: str) -> Iterator[str]:
    """Yield sentences about a region: the decision without communities with few answers, and mode effects.

    Parameters
    ----------
    facts : mapping
        Facts of one region, from `analytics.evidence.sensitivity.Sensitivity`.
    scale : float
        100 if scores are shares shown as percentages, else 1.
    language : str
        One of `analytics.languages.LANGUAGES`.

    Yields
    ------
    str
        None if no community has few answers and the modes are unknown.

    Examples
    --------
    >>> facts = {"least": 100, "left_out": 3, "N": 40, "k": 2, "met": 2, "enters": 1, "leaves": 1}
    >>> region = {"without_few": facts, "main_modes": None, "mode_effects": []}
    >>> next(region_sentences(region, scale=1, language="en")).split(": ")[1]
    'by satisfaction 1 would enter the list and 1 would leave it.'
    """
    _, modes = translator(language), mode_words(language)
    few = facts["without_few"]
    if few and few["left_out"] and few["N"]:
        yield _(
            "Without the {left_out} ranked communities with fewer than {least} answers, {N} would be ranked and k would"
            " be {k}: by satisfaction {enters} would enter the list and {leaves} would leave it.",
            **few,
        )
    elif few and few["left_out"]:
        yield _("All ranked communities have fewer than {least} answers.", least=few["least"])
    only = only_main_mode(facts["main_modes"] or {})
    if only:
        yield _(
            "In all ranked communities more than half of the answers came in {mode}: their ranks are those among their"
            " kind, too.",
            mode=modes[only],
        )
    elif facts["main_modes"] and sum(facts["main_modes"].values()):
        yield _(
            "Ranked communities where more than half of the answers came in on the web: {web}; on paper: {paper}; by"
            " telephone: {telephone}; by none of them: {mixed}. Each has its rank among those of its kind, too.",
            **facts["main_modes"],
        )
    for effect in facts["mode_effects"]:
        yield _(
            "For every {step} of the answers that came in {mode} instead of {baseline}, scores differ by {difference}"
            " points (from {lower} to {upper}). That goes together and proves no cause: other people answer.",
            step=percent(_STEP),
            mode=modes[effect["mode"]],
            baseline=modes[effect["baseline"]],
            **{name: f"{effect[name] * scale * _STEP:+.1f}" for name in ("difference", "lower", "upper")},
        )


def only_main_mode(main_modes: Mapping[str, int]) -> str | None:
    """Return the mode in which all ranked communities of a region were answered above all, or None if they differ.

    Parameters
    ----------
    main_modes : mapping
        Number of ranked communities with each main mode, and of those that have none.

    Returns
    -------
    str or None
        One of `analytics.decision.survey_modes.MODES`; None too where nobody is ranked.

    Examples
    --------
    >>> only_main_mode({"web": 5, "paper": 0, "telephone": 0, "mixed": 0})
    'web'
    >>> only_main_mode({"web": 5, "paper": 0, "telephone": 0, "mixed": 1}), only_main_mode({"mixed": 5})
    (None, None)
    """
    named = [mode for mode, communities in main_modes.items() if communities]
    return named[0] if len(named) == 1 and named[0] in MODES else None


def community_lines(standing: Mapping[str, Any], few: Mapping[str, Any] | None, language: str) -> Iterator[str]:
    """Yield lines about a community: its rank among those with many answers and among those of its main mode.

    Parameters
    ----------
    standing : mapping
        A row of the standings and of `analytics.evidence.sensitivity.Sensitivity.communities`, None where missing.
    few : mapping or None
        The region's ``without_few``.
    language : str
        One of `analytics.languages.LANGUAGES`.

    Yields
    ------
    str

    Examples
    --------
    >>> standing = {"satisfaction_rank": 2, "satisfaction_rank_without_few": 1, "satisfaction_main_mode": "paper",
    ...     "satisfaction_rank_within_mode": 3, "satisfaction_ranked_within_mode": 12, "satisfaction_rate_web": 0.75,
    ...     "satisfaction_rate_paper": 0.9, "satisfaction_rate_telephone": None}
    >>> for line in community_lines(standing, {"least": 100, "left_out": 1}, "en"):
    ...     print(line)
    among those with at least 100 answers: 1
    among the 12 that answered on paper: 3
    on the web 75.0%, on paper 90.0%
    """
    _, modes = translator(language), mode_words(language)
    if pd.isna(standing["satisfaction_rank"]):
        return
    if few and few["left_out"]:
        rank = standing["satisfaction_rank_without_few"]
        if pd.isna(rank):
            yield _("has fewer than {least} answers", least=few["least"])
        else:
            yield _("among those with at least {least} answers: {rank}", least=few["least"], rank=rank)
    if pd.notna(standing.get("satisfaction_rank_within_mode")):
        yield _(
            "among the {communities} that answered {mode}: {rank}",
            communities=standing["satisfaction_ranked_within_mode"],
            mode=modes[standing["satisfaction_main_mode"]],
            rank=standing["satisfaction_rank_within_mode"],
        )
    rates = {mode: standing.get(name) for mode, name in _COLUMN_OF_RATE.items() if pd.notna(standing.get(name))}
    if len(rates) > 1:
        yield _(", ").join(
            _("{mode} {rate}", mode=modes[mode], rate=percent(rate, 1))
            for mode, rate in rates.items()
            if rate is not None
        )
