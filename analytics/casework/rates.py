"""Rates of response, resolution and satisfaction (响应率, 解决率, 满意率), by the formulas that a casework file states.

Cities publish rates of these names, and no text that says how they are computed was found: each formula here is one way
to read them, and which of them holds is the file's to say.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType
from typing import Any

import pandas as pd

from analytics.casework.outcomes import confirmed_share
from analytics.casework.shares import LEVEL, Share, share_of
from analytics.statistics.intervals import wilson
from analytics.statistics.validation import whole_numbers


class ResponseFormula(StrEnum):
    """Formulas of the response rate (响应率)."""

    ACKNOWLEDGED_IN_TIME = "acknowledged_in_time_of_judged"
    CONTACTED = "contacted_of_reached"


class ResolutionFormula(StrEnum):
    """Formulas of the resolution rate (解决率)."""

    CONFIRMED_OF_VERDICTS = "confirmed_of_verdicts"
    CONFIRMED_OF_ANSWERED = "confirmed_of_answered"
    RESOLVED = "resolved_of_reached"


class SatisfactionFormula(StrEnum):
    """Formulas of the satisfaction rate (满意率)."""

    SATISFIED = "satisfied_of_reached"
    NOT_REJECTED = "not_rejected_of_verdicts"


@dataclass(frozen=True)
class Formulas:
    """Formulas by which the three rates are computed."""

    response: ResponseFormula
    resolution: ResolutionFormula
    satisfaction: SatisfactionFormula


@dataclass(frozen=True)
class CallBackCounts:
    """Numbers of residents who were called back.

    Attributes
    ----------
    reached : int
        Who answered the questions. Who was not reached is not dissatisfied: no number here knows of them.
    contacted, resolved, satisfied : int
        Of these, who were contacted about the case, whose matter is resolved, and who are satisfied.
    """

    reached: int = 0
    contacted: int = 0
    resolved: int = 0
    satisfied: int = 0


def response_rate(
    cases: pd.DataFrame, call_backs: CallBackCounts, *, formula: ResponseFormula, level: float = LEVEL
) -> Share:
    """Return the response rate by one of its formulas.

    Parameters
    ----------
    cases : DataFrame
        Column acknowledged_in_time of `analytics.casework.case_frame.CASE_COLUMNS`, missing where nothing was decided
        in the period.
    call_backs : CallBackCounts
        Of the calls of the period.
    formula : ResponseFormula
    level : float
        Two-sided confidence level in (0, 1).

    Returns
    -------
    Share
        With Wilson's interval; of no case its share is NaN.

    Raises
    ------
    ValueError
        If a number is negative or no whole number, if more were contacted than reached, or if the level is out of
        range.

    Notes
    -----
    ``acknowledged_in_time_of_judged``: cases acknowledged in time ÷ cases of which that was decided; those whose
    resident ended the period are left out. ``contacted_of_reached``: residents who say that somebody contacted them ÷
    residents reached by a call-back; who would not say counts as not contacted, so that the denominator is that of the
    other rates.

    Examples
    --------
    >>> cases = pd.DataFrame({"acknowledged_in_time": pd.array([True, True, False, None], dtype="boolean")})
    >>> calls = CallBackCounts(reached=8, contacted=6)
    >>> for formula in ResponseFormula:
    ...     rate = response_rate(cases, calls, formula=formula)
    ...     print(formula, rate.some, rate.of)
    acknowledged_in_time_of_judged 2 3
    contacted_of_reached 6 8
    """
    match formula:
        case ResponseFormula.ACKNOWLEDGED_IN_TIME:
            return share_of(cases["acknowledged_in_time"], level=level)
        case ResponseFormula.CONTACTED:
            return _of_reached(call_backs.contacted, call_backs, level=level)


def resolution_rate(
    cases: pd.DataFrame, call_backs: CallBackCounts, *, formula: ResolutionFormula, level: float = LEVEL
) -> Share:
    """Return the resolution rate by one of its formulas.

    Parameters
    ----------
    cases : DataFrame
        Column verdict of `analytics.casework.case_frame.CASE_COLUMNS`, missing where nothing was said in the period.
    call_backs : CallBackCounts
        Of the calls of the period.
    formula : ResolutionFormula
    level : float
        Two-sided confidence level in (0, 1).

    Returns
    -------
    Share
        With Wilson's interval; of no case its share is NaN.

    Raises
    ------
    ValueError
        If a number is negative or no whole number, if more are resolved than reached, or if the level is out of range.

    Notes
    -----
    ``confirmed_of_verdicts``: confirmed ÷ (confirmed + partly + rejected). ``confirmed_of_answered``: confirmed ÷
    (confirmed + partly + rejected + silent). Every answer ends in one of these four, and counts in the period in which
    it is known which: by the period of the answer, one given late could not be confirmed yet. ``resolved_of_reached``:
    residents who say that the matter is resolved ÷ residents reached by a call-back; partly is not resolved, and
    neither is what a resident would not say.

    Examples
    --------
    >>> cases = pd.DataFrame({"verdict": ["confirmed", "partly", "silent", "silent", None]})
    >>> calls = CallBackCounts(reached=8, resolved=5)
    >>> for formula in ResolutionFormula:
    ...     rate = resolution_rate(cases, calls, formula=formula)
    ...     print(formula, rate.some, rate.of)
    confirmed_of_verdicts 1 2
    confirmed_of_answered 1 4
    resolved_of_reached 5 8
    """
    match formula:
        case ResolutionFormula.CONFIRMED_OF_VERDICTS:
            return confirmed_share(cases["verdict"], level=level)
        case ResolutionFormula.CONFIRMED_OF_ANSWERED:
            return share_of((cases["verdict"].dropna() == "confirmed").astype("boolean"), level=level)
        case ResolutionFormula.RESOLVED:
            return _of_reached(call_backs.resolved, call_backs, level=level)


def satisfaction_rate(
    cases: pd.DataFrame, call_backs: CallBackCounts, *, formula: SatisfactionFormula, level: float = LEVEL
) -> Share:
    """Return the satisfaction rate by one of its formulas.

    Parameters
    ----------
    cases : DataFrame
        Column verdict of `analytics.casework.case_frame.CASE_COLUMNS`, missing where nothing was said in the period.
    call_backs : CallBackCounts
        Of the calls of the period.
    formula : SatisfactionFormula
    level : float
        Two-sided confidence level in (0, 1).

    Returns
    -------
    Share
        With Wilson's interval; of no case its share is NaN.

    Raises
    ------
    ValueError
        If a number is negative or no whole number, if more are satisfied than reached, or if the level is out of range.

    Notes
    -----
    ``satisfied_of_reached``: satisfied ÷ residents reached by a call-back; who would not say counts among the latter
    alone. ``not_rejected_of_verdicts``: (confirmed + partly) ÷ (confirmed + partly + rejected): silence is left out.

    Examples
    --------
    >>> cases = pd.DataFrame({"verdict": ["confirmed", "partly", "rejected", "silent", None]})
    >>> calls = CallBackCounts(reached=8, satisfied=7)
    >>> for formula in SatisfactionFormula:
    ...     rate = satisfaction_rate(cases, calls, formula=formula)
    ...     print(formula, rate.some, rate.of)
    satisfied_of_reached 7 8
    not_rejected_of_verdicts 2 3
    """
    match formula:
        case SatisfactionFormula.SATISFIED:
            return _of_reached(call_backs.satisfied, call_backs, level=level)
        case SatisfactionFormula.NOT_REJECTED:
            return share_of(_is_not_rejected(cases["verdict"]), level=level)


def three_rates(
    cases: pd.DataFrame, call_backs: CallBackCounts, *, formulas: Formulas, level: float = LEVEL
) -> Mapping[str, Share]:
    """Return the rates of response, resolution and satisfaction, each by the formula that is stated for it.

    Parameters
    ----------
    cases : DataFrame
        Columns acknowledged_in_time and verdict of `analytics.casework.case_frame.CASE_COLUMNS`, missing where nothing
        was decided or said in the period.
    call_backs : CallBackCounts
        Of the calls of the period.
    formulas : Formulas
    level : float
        Two-sided confidence level in (0, 1).

    Returns
    -------
    mapping of str to Share
        ``response``, ``resolution``, ``satisfaction``.

    Raises
    ------
    ValueError
        As the three functions do.

    Examples
    --------
    >>> cases = pd.DataFrame({
    ...     "acknowledged_in_time": pd.array([True, True, False, None], dtype="boolean"),
    ...     "verdict": ["confirmed", "rejected", None, None],
    ... })
    >>> formulas = Formulas(
    ...     ResponseFormula.ACKNOWLEDGED_IN_TIME, ResolutionFormula.CONFIRMED_OF_VERDICTS, SatisfactionFormula.SATISFIED
    ... )
    >>> rates = three_rates(cases, CallBackCounts(), formulas=formulas)
    >>> {name: (rate.some, rate.of) for name, rate in rates.items()}
    {'response': (2, 3), 'resolution': (1, 2), 'satisfaction': (0, 0)}
    """
    return MappingProxyType(
        {
            "response": response_rate(cases, call_backs, formula=formulas.response, level=level),
            "resolution": resolution_rate(cases, call_backs, formula=formulas.resolution, level=level),
            "satisfaction": satisfaction_rate(cases, call_backs, formula=formulas.satisfaction, level=level),
        }
    )


def _is_not_rejected(verdicts: "pd.Series[Any]") -> "pd.Series[Any]":
    said = verdicts[verdicts.notna() & (verdicts != "silent")]
    return (said != "rejected").astype("boolean")


def _of_reached(some: int, call_backs: CallBackCounts, *, level: float) -> Share:
    part, reached = whole_numbers("some", some), whole_numbers("reached", call_backs.reached)
    limits = wilson(part, reached, level=level)
    return Share(int(part), int(reached), float(limits.lower), float(limits.upper))
