"""Sentences about the stability of a region's list by satisfaction."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from analytics.evidence.list_stability import NONRESPONSE_SPREADS
from analytics.languages import translator
from analytics.reports.html_page import percent

LEVEL_OF_THE_WHOLE: Final = 0.05
"""p-value below which the data are said to support a list as a whole."""


def stability_sentences(
    stability: Mapping[str, Any], *, listed: int, names: Mapping[str, str], scale: float, language: str
) -> Iterator[str]:
    """Yield what a repeated survey, a test of the whole list and other assumptions say about a region's list.

    Parameters
    ----------
    stability : mapping
        Of a region, from `analytics.evidence.list_stability.assess_list_stability`.
    listed : int
        Number of communities that meet the route, at least 1.
    names : mapping of str to str
        Names of communities by their ids; the id stands for a missing one.
    scale : float
        100 if scores are shares shown as percentages, else 1.
    language : str
        One of `analytics.languages.LANGUAGES`.

    Yields
    ------
    str

    Examples
    --------
    >>> repeated = {"expected": 6.04, "lower": 4, "upper": 8, "may_leave": [["017", 0.41]], "may_enter": []}
    >>> facts = {"repeated": repeated, "whole_list": None, "nonresponse": {"standing": [5] * 10, "at_every": 4}}
    >>> for sentence in stability_sentences(facts, listed=10, names={"017": "Jade"}, scale=100, language="en"):
    ...     print(sentence)
    Communities on the list: 10. If the same survey were taken again, about 6 (4 to 8) would be on it again.
    Most likely to leave it: Jade (41% to stay).
    4 of 10 stand at every assumption about those who did not answer: that they differ by 0% to 9% of the scale.
    """
    _ = translator(language)
    repeated, whole, nonresponse = (stability[name] for name in ("repeated", "whole_list", "nonresponse"))
    if repeated:
        yield from _repeated_sentences(repeated, listed, names, language)
    if whole:
        yield _whole_list_sentence(whole, names, scale, language)
    if nonresponse:
        spreads = {"least": percent(NONRESPONSE_SPREADS[0]), "most": percent(NONRESPONSE_SPREADS[-1])}
        if nonresponse["at_every"]:
            yield _(
                "{standing} of {listed} stand at every assumption about those who did not answer: that they differ by"
                " {least} to {most} of the scale.",
                standing=nonresponse["at_every"],
                listed=listed,
                **spreads,
            )
        else:
            yield _(
                "None of the list stands at every assumption about those who did not answer: that they differ by"
                " {least} to {most} of the scale.",
                **spreads,
            )


def _repeated_sentences(
    repeated: Mapping[str, Any], listed: int, names: Mapping[str, str], language: str
) -> Iterator[str]:
    _ = translator(language)
    yield _(
        "Communities on the list: {listed}. If the same survey were taken again, about {expected} ({lower} to {upper})"
        " would be on it again.",
        expected=f"{repeated['expected']:.0f}",
        listed=listed,
        lower=repeated["lower"],
        upper=repeated["upper"],
    )
    if repeated["may_leave"]:
        staying = [_("{name} ({chance} to stay)", **facts) for facts in _chances(repeated["may_leave"], names)]
        yield _("Most likely to leave it: {names}.", names=_(", ").join(staying))
    if repeated["may_enter"]:
        entering = [_("{name} ({chance} to enter)", **facts) for facts in _chances(repeated["may_enter"], names)]
        yield _("Most likely to enter it: {names}.", names=_(", ").join(entering))


def _chances(named: Sequence[Sequence[Any]], names: Mapping[str, str]) -> Iterator[dict[str, str]]:
    for community, chance in named:
        yield {"name": names.get(community, community), "chance": percent(chance, 0)}


def _whole_list_sentence(whole: Mapping[str, Any], names: Mapping[str, str], scale: float, language: str) -> str:
    _ = translator(language)
    facts = {
        "p": f"{whole['p_value']:.3f}" if whole["p_value"] >= 0.001 else "< 0.001",
        "inside": names.get(whole["inside"], whole["inside"]),
        "outside": names.get(whole["outside"], whole["outside"]),
        "difference": f"{whole['difference'] * scale:.1f}",
        "error": f"{whole['error'] * scale:.1f}",
    }
    if whole["p_value"] < LEVEL_OF_THE_WHOLE:
        return _(
            "The data support the list as a whole (p = {p}, below {level}): even {inside}, which is on it, and"
            " {outside}, which is not, are clearly apart ({difference} points, standard error {error}).",
            level=LEVEL_OF_THE_WHOLE,
            **facts,
        )
    return _(
        "The data do not support the list as a whole (p = {p}; it would have to be below {level}): {inside}, which is"
        " on it, and {outside}, which is not, are too close to call ({difference} points, standard error {error}).",
        level=LEVEL_OF_THE_WHOLE,
        **facts,
    )
