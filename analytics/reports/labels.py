"""Stored codes in words, in each language: statuses, evidence, routes, channels, survey modes, integrity signals.

Labels begin with a small letter where they also stand within sentences; `sentence_case` is for cells and axes.
"""

from collections.abc import Mapping
from functools import cache
from math import ceil, floor
from types import MappingProxyType
from typing import Any

import pandas as pd

from analytics.decision.survey_channels import SurveyChannel
from analytics.decision.survey_modes import MIXED
from analytics.evidence.bands import Evidence, Reason, evidence_band
from analytics.languages import translator
from analytics.rules import Measure, Population, Rounding


def sentence_case(label: str) -> str:
    """Return a label with a capital letter, as it begins a cell, an axis or a sentence.

    Examples
    --------
    >>> sentence_case("form behind a code"), sentence_case("扫码填报")
    ('Form behind a code', '扫码填报')
    """
    return label[:1].upper() + label[1:]


@cache
def status_words(language: str) -> Mapping[str, str]:
    """Return the label of each status, of a route or of the criterion.

    Parameters
    ----------
    language : str
        One of `analytics.languages.LANGUAGES`, here and in all functions of this module.

    Examples
    --------
    >>> status_words("en")["not_assessed"]
    'not assessed'
    """
    _ = translator(language)
    return MappingProxyType(
        {
            "met": _("met"),
            "not_met": _("not met"),
            "not_assessed": _("not assessed"),
            "not_applicable": _("not applicable"),
        }
    )


@cache
def route_words(language: str) -> Mapping[str, str]:
    """Return the label of each route to the criterion."""
    _ = translator(language)
    return MappingProxyType({"satisfaction": _("Satisfaction route"), "complaints": _("Complaint route")})


@cache
def measure_words(language: str) -> Mapping[Measure, str]:
    """Return the name of each measure of satisfaction."""
    _ = translator(language)
    return MappingProxyType(
        {
            "satisfaction_rate": _("satisfaction rate"),
            "satisfaction_index": _("satisfaction index"),
            "composite": _("composite score"),
        }
    )


@cache
def valid_answers_words(language: str) -> Mapping[Population, str]:
    """Return what the number of valid answers is called, by whose answers the rules count.

    Examples
    --------
    >>> valid_answers_words("en")["owners"], valid_answers_words("zh-Hans")["residents"]
    ('Valid answers of owners', '全体住户有效问卷')
    """
    _ = translator(language)
    return MappingProxyType({"owners": _("Valid answers of owners"), "residents": _("Valid answers of all residents")})


def measure_axis(measure: Measure, language: str) -> str:
    """Return the title of an axis along which a measure is drawn, with its unit if it has one.

    Examples
    --------
    >>> measure_axis("satisfaction_rate", "en"), measure_axis("composite", "en")
    ('Satisfaction rate (%)', 'Composite score')
    """
    _ = translator(language)
    return (
        _("Satisfaction rate (%)")
        if measure == "satisfaction_rate"
        else sentence_case(measure_words(language)[measure])
    )


@cache
def rounding_words(language: str) -> Mapping[Rounding, str]:
    """Return how a share of the communities becomes a whole number of positions."""
    _ = translator(language)
    return MappingProxyType(
        {
            "floor": _("rounded down to whole communities"),
            "ceil": _("rounded up to whole communities"),
            "at_least_one": _("rounded down to whole communities, but at least one"),
        }
    )


@cache
def evidence_words(language: str) -> Mapping[str, str]:
    """Return the label of each band of evidence.

    Examples
    --------
    >>> evidence_words("zh-Hans")["undecided"]
    '现有数据难以判定'
    """
    _ = translator(language)
    return MappingProxyType(
        {
            Evidence.CERTAIN: _("certain"),
            Evidence.LIKELY: _("likely"),
            Evidence.UNDECIDED: _("the data cannot tell"),
            Evidence.UNLIKELY: _("unlikely"),
            Evidence.NO: _("ruled out"),
        }
    )


def method_words(method: int, language: str) -> str:
    """Return what the method of the evidence estimates, by its number in `analytics.evidence.method`.

    Examples
    --------
    >>> method_words(2, "en").partition(":")[0]
    'Method 2'
    """
    _ = translator(language)
    said = {
        1: _(
            "Method 1: intervals and probabilities are of those who answered; the assumption about the others is only"
            " in the words."
        ),
        2: _(
            "Method 2: intervals, probabilities and words are of all households, with an assumption about those who did"
            " not answer."
        ),
        3: _(
            "Method 3: as method 2; several answers and several complaints of one household count for less than those"
            " of several households."
        ),
        4: _(
            "Method 4: as method 3; where the last answers differ by much from the first, those who did not answer are"
            " taken to differ by as much as that suggests."
        ),
        5: _(
            "Method 5: as method 4; answers on household slips are compared with those through posters in the same way."
        ),
    }
    return said[method]


@cache
def evidence_reasons(language: str) -> Mapping[str, str]:
    """Return sentences on why evidence is undecided or weaker than it seems, by `analytics.evidence.bands.Reason`.

    Examples
    --------
    >>> evidence_reasons("en")["nonresponse"]
    'Those who did not answer could change it.'
    """
    _ = translator(language)
    return MappingProxyType(
        {
            Reason.PROBABILITY: _("Too close to call."),
            Reason.NONRESPONSE: _("Those who did not answer could change it."),
            Reason.TOO_LITTLE_INFORMATION: _("Too little data to tell the communities apart."),
            Reason.ZERO_BY_LUCK: _("An average community of this size would often have no complaint."),
            Reason.ROUTES_DISAGREE: _("The two routes together leave it open."),
            Reason.VARIANCE_UNKNOWN: _("It is not stated how much single answers differ."),
            Reason.NOT_ASSESSED: _("At least one route could not be assessed."),
            Reason.NOT_APPLICABLE: _("No position qualifies."),
        }
    )


def chance_text(chance: float, *, decimals: int) -> str:
    """Return a probability in percent, rounded so that it does not leave the band that its word is taken from.

    Only probabilities of exactly 0 and 1 are shown as 0 and 100.

    Examples
    --------
    >>> [chance_text(chance, decimals=0) for chance in (0.9496, 0.95, 0.2004, 1.0, 0.9999)]
    ['94', '95', '21', '100', '99']
    """
    scale = 10**decimals
    units = chance * 100 * scale
    for shown in (round(units), floor(units), ceil(units)):
        share = shown / (100 * scale)
        if chance in {0, 1} or (0 < share < 1 and evidence_band(share) == evidence_band(chance)):
            return f"{share * 100:.{0 if chance in {0, 1} else decimals}f}"
    raise ValueError(f"chance must lie in [0, 1], got {chance}")


def chance_words(standing: Mapping[str, Any], prefix: str, language: str, *, decimals: int = 0) -> str:
    """Return the probability of being truly among the best on a route, beside the word for its evidence.

    Parameters
    ----------
    standing : mapping
        With the values of ``…_top_probability`` and ``…_evidence_reason``, None or NaN where missing.
    prefix : {"satisfaction", "complaint"}
    language : str
    decimals : int
        Of the percentage.

    Returns
    -------
    str
        Empty where nothing can be said: where nothing tells the communities apart, the probability is only their share.

    Examples
    --------
    >>> names = ["complaint_top_probability", "complaint_evidence_reason"]
    >>> standings = [dict(zip(names, facts)) for facts in ((0.97, None), (0.1, "zero_by_luck"), (None, "not_assessed"))]
    >>> [chance_words(standing, "complaint", "en") for standing in standings]
    ['97%', 'at most 10%', '']
    """
    _ = translator(language)
    chance, reason = standing[f"{prefix}_top_probability"], standing[f"{prefix}_evidence_reason"]
    if pd.isna(chance) or reason == Reason.TOO_LITTLE_INFORMATION:
        return ""
    said = f"{chance_text(chance, decimals=decimals)}%"
    return _("at most {chance}").format(chance=said) if reason == Reason.ZERO_BY_LUCK else said


def needed_words(standing: Mapping[str, Any], language: str) -> str:
    """Return how many further answers would settle the evidence of a community, as people read it.

    Parameters
    ----------
    standing : mapping
        With the values of ``satisfaction_evidence``, ``satisfaction_needed_responses`` and
        ``satisfaction_needed_assurance``, None or NaN where missing.
    language : str

    Returns
    -------
    str
        Empty where nothing can be said. What is settled is named, since the evidence on the criterion can still be
        undecided.

    Examples
    --------
    >>> names = ["satisfaction_evidence", "satisfaction_needed_responses", "satisfaction_needed_assurance"]
    >>> known = ("no", 0, 1.0), ("undecided", 40, 0.72), ("undecided", None, 0.3), ("undecided", None, None)
    >>> [needed_words(dict(zip(names, facts)), "en") for facts in known]
    ['none (satisfaction: ruled out)', 'further answers: 40 (chance 72%)', 'more than can be expected', '']
    """
    _ = translator(language)
    needed, assurance = standing["satisfaction_needed_responses"], standing["satisfaction_needed_assurance"]
    evidence = standing["satisfaction_evidence"]
    if pd.isna(assurance) or pd.isna(evidence):
        return ""
    if pd.isna(needed):
        return _("more than can be expected")
    if needed == 0:
        return _("none (satisfaction: {evidence})").format(evidence=evidence_words(language)[evidence])
    return _("further answers: {count} (chance {chance})").format(count=f"{needed:,.0f}", chance=f"{assurance:.0%}")


@cache
def channel_words(language: str) -> Mapping[str, str]:
    """Return the label of each channel of complaints, by `analytics.statistics.complaint_rates.CHANNELS`."""
    _ = translator(language)
    return MappingProxyType(
        {
            "code": _("form behind a code"),
            "web": _("web without a code"),
            "telephone": _("telephone"),
            "visit": _("visit"),
            "hotline": _("12345 hotline"),
            "letter": _("letter"),
            "other": _("other channels"),
        }
    )


@cache
def mode_words(language: str) -> Mapping[str, str]:
    """Return how answers came in, by `analytics.decision.survey_modes.MODES`, or by several modes.

    Examples
    --------
    >>> mode_words("zh-Hans")["paper"]
    '纸质答卷'
    """
    _ = translator(language)
    return MappingProxyType(
        {
            "web": _("on the web"),
            "paper": _("on paper"),
            "telephone": _("by telephone"),
            MIXED: _("by several modes"),
        }
    )


@cache
def survey_channel_words(language: str) -> Mapping[str, str]:
    """Return the words for each survey channel, by `analytics.decision.survey_channels.SurveyChannel`.

    Examples
    --------
    >>> survey_channel_words("en")["posters"]
    'posters alone'
    """
    _ = translator(language)
    return MappingProxyType(
        {
            SurveyChannel.POSTERS: _("posters alone"),
            SurveyChannel.SLIPS: _("household slips alone"),
            SurveyChannel.BOTH: _("posters and household slips"),
            SurveyChannel.STAFF: _("staff alone"),
        }
    )


def signal_words(language: str) -> Mapping[str, str]:
    """Return what each family of integrity signals looks for, by `analytics.statistics.integrity_signals.FAMILIES`.

    Examples
    --------
    >>> signal_words("en")["haste"]
    'Answered too fast'
    """
    _ = translator(language)
    return MappingProxyType(
        {
            "duplicate": _("One device or household, several answers"),
            "burst": _("Similar answers within minutes"),
            "identical": _("Too many answers exactly alike"),
            "variance": _("Answers differ too little"),
            "haste": _("Answered too fast"),
            "address": _("Many answers at one network address"),
            "opened_together": _("Opened or sent in batches"),
            "pace": _("Even durations or intervals"),
            "volume": _("Unusually many answers"),
            "poster": _("Unusually many answers at one poster"),
            "night": _("Sent while residents sleep"),
            # Named in reviews and examinations that were stored before there was the family of addresses.
            "terminal": _("Many devices at one network address"),
        }
    )
