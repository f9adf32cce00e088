"""Warnings of an evaluation: listed with their regions, and each as a sentence."""

from collections.abc import Iterator, Mapping
from functools import cache
from typing import Any

from analytics.decision.evaluate import Evaluation
from analytics.languages import translator
from analytics.reports.labels import route_words


def list_warnings(evaluation: Evaluation) -> Iterator[tuple[str | None, Mapping[str, Any]]]:
    """Yield every warning with its region, None for the whole table; the regions in the order of their names.

    Parameters
    ----------
    evaluation : Evaluation

    Yields
    ------
    region : str or None
    warning : mapping
    """
    for warning in evaluation.summary["warnings"]:
        yield None, warning
    for region, facts in sorted(evaluation.summary["regions"].items()):
        for warning in facts["warnings"]:
            yield region, warning


def warning_sentence(warning: Mapping[str, Any], language: str) -> str:
    """Return what a warning of a summary says.

    Parameters
    ----------
    warning : mapping
        With `code`, `route` and `facts`.
    language : str
        One of `analytics.languages.LANGUAGES`.

    Returns
    -------
    str

    Examples
    --------
    >>> warning = {"code": "tied_within_k", "route": "satisfaction", "facts": {"k": 1, "tied": 2, "met": 2}}
    >>> warning_sentence(warning, "en")
    'Satisfaction route: 2 communities are tied across position 1 and all of them qualify, so 2 meet the criterion.'
    """
    _ = translator(language)
    route = route_words(language)[warning["route"]]
    facts = warning["facts"]
    if "share" in facts:
        # Results state it with a blank, sentences do not.
        facts = {**facts, "share": facts["share"].replace(" ", "")}
    said = _templates(language)[warning["code"]].format(**facts)
    return _("{route}: {said}").format(route=route, said=said)


@cache
def _templates(language: str) -> dict[str, str]:
    _ = translator(language)
    return {
        "ranked_with_wider_region": _(
            "the region is too small for a position of its own and is ranked with the whole city: {k} of {N}."
        ),
        "k_is_zero": _("{share} of {N} ranked communities is less than one position: nobody can meet the criterion."),
        "nobody_eligible": _("no community takes part in the ranking."),
        "more_than_share": _("{k} positions of {N} ranked communities are more than {share}."),
        "tied_within_k": _(
            "{tied} communities are tied across position {k} and all of them qualify, so {met} meet the criterion."
        ),
        "tied_across_k": _(
            "{tied} communities are tied across position {k} and none of them qualifies, so {met} meet the criterion."
        ),
        "tied_within_k_by_decision": _(
            "{tied} communities are tied across position {k} and all of them qualify by written decision"
            " (“{decision}”), so {met} meet the criterion."
        ),
        "tied_across_k_by_decision": _(
            "{tied} communities are tied across position {k} and none of them qualifies by written decision"
            " (“{decision}”), so {met} meet the criterion."
        ),
        "boundary_block_too_large": _(
            "{tied} communities are tied across position {k}, more than twice as many; they are not assessed until a"
            " written decision stands in the rules."
        ),
        "zero_complaints_undecidable": _(
            "{tied} communities without complaints are tied across position {k}; the rules leave them undecided."
        ),
        "more_responses_than_households": _("communities with more responses than households: {communities}."),
        "denominator_fallback": _("Communities counted with the fallback number of households: {communities}."),
        "minimum_responses_not_tested": _(
            "the table gives scores without numbers of responses, so the minimum of responses was NOT tested; every"
            " community with a score is ranked."
        ),
        "no_complaint_columns": _("the table has no complaints, so nobody is assessed by the complaint rate."),
    }
