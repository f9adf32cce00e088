"""Status of a community in words that fit the ranks beside it, on one route and on the criterion."""

from collections.abc import Mapping
from typing import Any

from analytics.decision.criterion import RANKED_NOT_ASSESSED
from analytics.decision.summary import COLUMN_PREFIXES
from analytics.languages import translator
from analytics.reports.labels import status_words


def route_status_words(standing: Mapping[str, Any], prefix: str, language: str) -> str:
    """Return the status of a community on one route in words that fit the rank beside it.

    Parameters
    ----------
    standing : mapping
        With the values of ``…_status`` and ``…_reason``.
    prefix : {"satisfaction", "complaint"}
    language : str

    Returns
    -------
    str
        As `status_words`, but a community that is ranked and whose tie is not decided is never called not assessed.

    Examples
    --------
    >>> names = ["complaint_status", "complaint_reason"]
    >>> known = ("not_assessed", "zero_complaints_undecidable"), ("not_assessed", "no_complaint_data")
    >>> [route_status_words(dict(zip(names, facts)), "complaint", "en") for facts in known]
    ['tie not decided', 'not assessed']
    """
    _ = translator(language)
    if standing[f"{prefix}_reason"] in RANKED_NOT_ASSESSED:
        return _("tie not decided")
    return status_words(language)[standing[f"{prefix}_status"]]


def criterion_status_words(standing: Mapping[str, Any], language: str) -> str:
    """Return the status of a community on the criterion in words that fit the ranks of both routes beside it.

    Parameters
    ----------
    standing : mapping
        With the values of ``criterion_status`` and the status and reason of both routes.
    language : str

    Returns
    -------
    str
        As `status_words`. Where the criterion is not assessed though one route was, or a tie is not decided, both
        routes are named with their own words.

    Examples
    --------
    >>> standing = {
    ...     "criterion_status": "not_assessed",
    ...     "satisfaction_status": "not_met", "satisfaction_reason": "outside_k",
    ...     "complaint_status": "not_assessed", "complaint_reason": "denominator_missing",
    ... }
    >>> criterion_status_words(standing, "en")
    'satisfaction: not met; complaints: not assessed'
    >>> criterion_status_words(standing | {"satisfaction_status": "not_assessed", "satisfaction_reason": ""}, "en")
    'not assessed'
    """
    _ = translator(language)
    word = status_words(language)[standing["criterion_status"]]
    if standing["criterion_status"] != "not_assessed":
        return word
    satisfaction, complaints = (route_status_words(standing, prefix, language) for prefix in COLUMN_PREFIXES.values())
    if satisfaction == complaints == word:
        return word
    return _("satisfaction: {satisfaction}; complaints: {complaints}").format(
        satisfaction=satisfaction, complaints=complaints
    )
