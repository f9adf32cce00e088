"""Sentences that explain the standing of a community, in each language."""

from collections.abc import Iterable, Mapping
from fractions import Fraction
from functools import cache, lru_cache
from typing import Any, Final, Literal

import pandas as pd

from analytics.languages import translator
from analytics.rules import Population

Part = Literal["satisfaction", "complaints", "criterion"]

_MOST_DECIMALS = 9
_POWERS_OF_TEN: Final[list[int]] = [10**decimals for decimals in range(_MOST_DECIMALS + 1)]


def reason_sentence(
    standing: Mapping[str, Any], region: Mapping[str, Any], part: Part, *, population: Population, language: str
) -> str:
    """Return one sentence that explains a community's status.

    Parameters
    ----------
    standing : mapping
        One row of standings; missing values may be None, NaN or <NA>.
    region : mapping
        The entry of the community's region in the summary of the evaluation, ``summary["regions"][name]``.
    part : {"satisfaction", "complaints", "criterion"}
        The status to explain.
    population : {"owners", "residents"}
        Whose answers the rules count, ``rules.satisfaction.population``: every number of answers says whose they are.
    language : str
        One of `analytics.languages.LANGUAGES`.

    Returns
    -------
    str

    Notes
    -----
    Numbers never contradict the decision: a score that differs from the score at the last qualifying position is
    shown with enough decimals to see that, and only exactly 100 % is shown as 100 %.

    Examples
    --------
    >>> from pathlib import Path
    >>> from analytics.decision.evaluate import evaluate
    >>> from analytics.rules import load_rules
    >>> rules = load_rules(Path("data/rules/wuhai/2021-08-23.yaml"))
    >>> result = evaluate(pd.DataFrame({
    ...     "community_id": [str(number) for number in range(20)], "region": "海南区",
    ...     "responses": [50, 50, 40, *[9] * 17], "satisfied": [48, 48, 38, *[9] * 17],
    ... }), rules)
    >>> rows = result.standings.to_dict("records")
    >>> region = result.summary["regions"]["海南区"]
    >>> population = rules.satisfaction.population
    >>> reason_sentence(rows[3], region, "satisfaction", population=population, language="en")
    '9 valid responses of owners, fewer than the 10 that are needed: sample too small, not ranked.'
    >>> reason_sentence(rows[3], region, "satisfaction", population=population, language="zh-Hans")
    '业主有效问卷 9 份，少于 10 份，样本不足，不参与排名。'
    """
    if part == "criterion":
        return _criterion_sentence(standing, language)
    if part == "satisfaction":
        return _satisfaction_sentence(standing, region[part], population, language)
    return _complaint_sentence(standing, region[part], language)


def format_distinct(value: Fraction, others: Iterable[Fraction], *, decimals: int) -> str:
    """Format a number with enough decimals to distinguish it from others.

    Parameters
    ----------
    value : Fraction
    others : iterable of Fraction
        Numbers whose text must differ unless they are equal.
    decimals : int
        Least number of decimals.

    Returns
    -------
    str
        Rounded half to even.

    Examples
    --------
    >>> format_distinct(Fraction(9496, 100), [Fraction(95)], decimals=1)
    '94.96'
    >>> format_distinct(Fraction(95), [Fraction(95), Fraction(9496, 100)], decimals=1)
    '95.00'
    """
    shown = _round_half_even(value, decimals)
    for other in others:
        while decimals < _MOST_DECIMALS and _round_half_even(other, decimals) == shown and other != value:
            decimals += 1
            shown = _round_half_even(value, decimals)
    return f"{shown / _POWERS_OF_TEN[decimals]:,.{decimals}f}"


def _round_half_even(value: Fraction, decimals: int) -> int:
    """Return `round(value, decimals)` in units of the last decimal, five times as fast as a Fraction does it."""
    numerator, denominator = value.as_integer_ratio()
    # Half up; if the remainder is 0 it was a tie, and an odd result is reduced to the even one.
    half_up, left_over = divmod(2 * numerator * _POWERS_OF_TEN[decimals] + denominator, 2 * denominator)
    return half_up - 1 if left_over == 0 and half_up % 2 else half_up


def _value(standing: Mapping[str, Any], name: str) -> Any:
    value = standing[name]
    return None if value is pd.NA or value is None or value != value else value  # noqa: PLR0124  only NaN differs from itself


def _satisfaction_sentence(
    standing: Mapping[str, Any], route: Mapping[str, Any], population: Population, language: str
) -> str:
    reason = standing["satisfaction_reason"]
    responses, score = _value(standing, "responses"), _value(standing, "satisfaction_score")
    if reason == "no_responses" and responses is None:
        reason = "no_satisfaction_data"
    templates = _templates(language)
    answers = templates[f"answers_of_{population}"].format(responses=responses)
    if reason in _NOT_RANKED:
        minimum = route["minimum_responses"] or {}
        facts = {"answers": answers, "households": _value(standing, "households"), **minimum}
        return templates[reason].format(**facts)
    # A rate from counts lies between 0 and 1 and is shown as a percentage; given scores are percentages already.
    counted = _value(standing, "satisfaction_rate") == score
    scale = 100 if route["measure"] == "satisfaction_rate" and counted else 1
    cut_off = score if route["cut_off_score"] is None else route["cut_off_score"]
    unit = " %" if route["measure"] == "satisfaction_rate" else ""
    fact = templates[_satisfaction_fact(route["measure"], counted=counted, responses=responses)].format(
        score=_show(score, (0, 100 // scale, cut_off), scale=scale, decimals=1) + unit,
        satisfied=_value(standing, "satisfied"),
        answers=answers,
    )
    shown_cut_off = _show(cut_off, (0, 100 // scale, score), scale=scale, decimals=1) + unit
    return _ranked_sentence(standing, "satisfaction", route, language, fact=fact, reason=reason, cut_off=shown_cut_off)


def _satisfaction_fact(measure: str, *, counted: bool, responses: object) -> str:
    if measure == "satisfaction_rate":
        return "rate_of_counts" if counted else "rate"
    name = "composite" if measure == "composite" else "index"
    return name if responses is None else f"{name}_of_responses"


def _complaint_sentence(standing: Mapping[str, Any], route: Mapping[str, Any], language: str) -> str:
    reason, templates = standing["complaint_reason"], _templates(language)
    exposure = _value(standing, "exposure_household_years")
    minimum = route["minimum_exposure"]
    shown_exposure = "" if exposure is None else _show(exposure, (minimum,), decimals=0)
    if reason == "denominator_missing" and exposure == 0:
        # The code is part of what is hashed; that nobody lived there is no missing number.
        reason = "no_exposure"
    if reason in _NOT_RANKED:
        return templates[reason].format(exposure=shown_exposure, minimum=_show(minimum, (), decimals=0))
    own = standing["complaints_per_1000_household_years"]
    cut_off = own if route["cut_off_score"] is None else route["cut_off_score"]
    cut_exposure = route["cut_off_exposure_household_years"] or 0
    if reason == "outside_k" and _fraction(own) == _fraction(cut_off) == 0:
        # Neither had a complaint: they are ranked by exposure.
        reason = "outside_k_by_exposure"
        shown_exposure = _show(exposure, (cut_exposure,), decimals=0)
    fact = templates["complaint_rate"].format(
        score=_show(own, (0, cut_off), decimals=2),
        complaints=_value(standing, "complaints"),
        exposure=shown_exposure,
    )
    return _ranked_sentence(
        standing,
        "complaint",
        route,
        language,
        fact=fact,
        reason=reason,
        cut_off=_show(cut_off, (0, own), decimals=2),
        cut_off_exposure=_show(cut_exposure, (exposure,), decimals=0),
    )


def _ranked_sentence(
    standing: Mapping[str, Any],
    prefix: str,
    route: Mapping[str, Any],
    language: str,
    *,
    fact: str,
    reason: str,
    cut_off: str,
    cut_off_exposure: str = "",
) -> str:
    rank, last, ranked = int(standing[f"{prefix}_rank"]), int(standing[f"{prefix}_last_rank"]), route["N"]
    position = _templates(language)["alone" if rank == last else "tied"].format(
        rank=rank, last_rank=last, N=ranked, place=_place(language, route["ranked_with"], standing["region"])
    )
    block = route.get("large_boundary_block") or ""
    decision = _decision(
        language, reason, route["k"], ranked, route["share"], last - rank + 1, cut_off, cut_off_exposure, block
    )
    return _templates(language)["sentence"].format(fact=fact, position=position, decision=decision)


@lru_cache(maxsize=10_000)
def _place(language: str, ranked_with: str, region: str) -> str:
    return _templates(language)[f"in_{ranked_with}"].format(region=region)


@lru_cache(maxsize=10_000)
def _decision(  # noqa: PLR0917  a cache finds positions in half the time of names
    language: str,
    reason: str,
    k: int,
    ranked: int,
    share: str,
    tied: int,
    cut_off: str,
    cut_off_exposure: str,
    decision: str,
) -> str:
    """Return the words for the decision on a position; most communities of a region have the same."""
    return _templates(language)[reason].format(
        k=k,
        N=ranked,
        share=share,
        tied=tied,
        cut_off=cut_off,
        cut_off_exposure=cut_off_exposure,
        decision=decision,
    )


def _criterion_sentence(standing: Mapping[str, Any], language: str) -> str:
    status, route = standing["criterion_status"], _value(standing, "criterion_route")
    return _templates(language)[f"met_by_{route}" if status == "met" else f"criterion_{status}"]


_NOT_RANKED: Final = frozenset(
    {
        "no_satisfaction_data",
        "no_responses",
        "too_few_responses",
        "too_few_for_households",
        "households_unknown",
        "no_complaint_data",
        "denominator_missing",
        "no_exposure",
        "exposure_too_small",
    }
)


def _show(number: float | str, others: tuple[float | str, ...], *, scale: int = 1, decimals: int) -> str:
    """Return a scaled number as `format_distinct` formats it, usually from cached roundings."""
    units, text = _rounded(number, scale, decimals)
    for other in others:
        if other != number and _rounded(other, scale, decimals)[0] == units:
            exact = [_fraction(each) * scale for each in others]
            return format_distinct(_fraction(number) * scale, exact, decimals=decimals)
    return text


@lru_cache(maxsize=50_000)
def _rounded(number: float | str, scale: int, decimals: int) -> tuple[int, str]:
    """Round a scaled number: return it in units of the last decimal, and as text."""
    units = _round_half_even(Fraction(number) * scale, decimals)
    return units, f"{units / _POWERS_OF_TEN[decimals]:,.{decimals}f}"


@lru_cache(maxsize=10_000)
def _fraction(number: float | str) -> Fraction:
    """Return the exact number, cached because many communities have the same scores and limits."""
    return Fraction(number)


@cache
def _templates(language: str) -> dict[str, str]:
    _ = translator(language)
    return {
        "answers_of_owners": _("{responses} valid responses of owners"),
        "answers_of_residents": _("{responses} valid responses of all residents"),
        "sentence": _("{fact}, {position}; {decision}."),
        "rate_of_counts": _("Satisfaction rate {score} ({satisfied} of {answers})"),
        "rate": _("Satisfaction rate {score}"),
        "index_of_responses": _("Satisfaction index {score} ({answers})"),
        "index": _("Satisfaction index {score}"),
        "composite_of_responses": _("Composite score {score} ({answers})"),
        "composite": _("Composite score {score}"),
        "complaint_rate": _(
            "{score} complaints per 1,000 households a year ({complaints} valid complaints, {exposure} household-years)"
        ),
        "in_district": _("{region}"),
        "in_city": _("the whole city"),
        "in_wider_region": _("the whole city ({region} alone is too small and by the rules ranked with it)"),
        "alone": _("rank {rank} of {N} ranked communities in {place}"),
        "tied": _("tied for ranks {rank} to {last_rank} of {N} ranked communities in {place}"),
        "within_k": _("the first {k} qualify: met"),
        "outside_k": _("the first {k} qualify and position {k} has {cut_off}: not met"),
        "outside_k_by_exposure": _(
            "the first {k} qualify and position {k}, without complaints too, has {cut_off_exposure} household-years:"
            " not met"
        ),
        "tied_within_k": _("the tie reaches across position {k} and by the rules all of it qualifies: met"),
        "tied_across_k": _("the tie reaches across position {k} and by the rules none of it qualifies: not met"),
        "tied_within_k_by_decision": _(
            "{tied} communities are tied across position {k}, more than twice as many as qualify;"
            " by written decision all of them do (“{decision}”): met"
        ),
        "tied_across_k_by_decision": _(
            "{tied} communities are tied across position {k}, more than twice as many as qualify;"
            " by written decision none of them does (“{decision}”): not met"
        ),
        "boundary_block_too_large": _(
            "{tied} communities are tied across position {k}, more than twice as many as qualify, and no written"
            " decision says what holds: not assessed"
        ),
        "zero_complaints_undecidable": _(
            "{tied} communities without complaints are tied across position {k}, which the rules leave undecided:"
            " not assessed"
        ),
        "k_is_zero": _("{share} of {N} ranked communities is less than one position: not applicable"),
        "no_satisfaction_data": _("No data on satisfaction: not ranked."),
        "no_responses": _("{answers}: sample too small, not ranked."),
        "too_few_responses": _("{answers}, fewer than the {least} that are needed: sample too small, not ranked."),
        "too_few_for_households": _(
            "{answers}, fewer than {enough} and fewer than {or_share_of_households} of {households}"
            " households: sample too small, not ranked."
        ),
        "households_unknown": _(
            "{answers}, fewer than {enough}, and the number of households is unknown: sample too small, not ranked."
        ),
        "no_complaint_data": _("No data on complaints: not ranked."),
        "denominator_missing": _("The number of households is unknown, so there is no complaint rate: not ranked."),
        "no_exposure": _("0 household-years in the period, so there is no complaint rate: not ranked."),
        "exposure_too_small": _("{exposure} household-years, fewer than the {minimum} that are needed: not ranked."),
        "met_by_satisfaction": _("Met by satisfaction."),
        "met_by_complaints": _("Met by the complaint rate."),
        "met_by_both": _("Met by satisfaction and by the complaint rate."),
        "criterion_not_met": _("Not met: neither satisfaction nor the complaint rate is among those that qualify."),
        "criterion_not_assessed": _("Not assessed: neither route is met, and at least one could not be assessed."),
        "criterion_not_applicable": _("Not applicable: too few communities are ranked for the share to name one."),
    }
