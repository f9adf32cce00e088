"""Stored values in the words that every page uses for them."""

from collections.abc import Mapping
from typing import Final

from analytics.evidence.bands import Reason
from analytics.rules import Population, Rounding, Ties, ZeroTies
from dashboards.frames.standings import ROUTES
from dashboards.languages import translator
from dashboards.source import EvaluationHeader

STATUSES: Final = ("met", "not_met", "not_assessed", "not_applicable")


def status_words(language: str) -> Mapping[str, str]:
    """Return what each status of a requirement is called."""
    _ = translator(language)
    return {
        "met": _("Meets the requirement"),
        "not_met": _("Does not meet it"),
        "not_assessed": _("Too few answers or households, not ranked"),
        "not_applicable": _("Not applicable"),
    }


def state_words(header: EvaluationHeader, language: str) -> str:
    """Return how far an evaluation has come: a preview, decided, or declared the result of its round."""
    _ = translator(language)
    if header.provisional:
        return _("preview")
    return _("published") if header.published else _("official, not yet published")


def route_words(language: str) -> Mapping[str, str]:
    """Return what each route to the requirement is called."""
    return {key: route.name(language) for key, route in ROUTES.items()}


def evidence_reasons(language: str) -> Mapping[str, str]:
    """Return why evidence is weaker than one might think, by the reasons of `analytics.evidence.bands`."""
    _ = translator(language)
    return {
        Reason.PROBABILITY: _("The probability lies in the middle."),
        Reason.NONRESPONSE: _("Those who did not answer could change it."),
        Reason.TOO_LITTLE_INFORMATION: _("Too few answers to place the community low."),
        Reason.ZERO_BY_LUCK: _("An average community of this size would often have no complaint."),
        Reason.ROUTES_DISAGREE: _("The two routes point to different words."),
        Reason.VARIANCE_UNKNOWN: _("The score does not say how sure it is."),
        Reason.NOT_ASSESSED: _("A route has no result that could settle it."),
        Reason.NOT_APPLICABLE: _("No position qualifies."),
    }


def population_words(language: str) -> Mapping[Population, str]:
    """Return whose answers count."""
    _ = translator(language)
    return {"owners": _("owners' answers count"), "residents": _("all residents' answers count")}


def tenure_words(language: str) -> Mapping[int, str]:
    """Return who lives in a flat as what, by the codes of the tenure question."""
    _ = translator(language)
    return {1: _("Owners"), 2: _("Tenants")}


def rounding_words(language: str) -> Mapping[Rounding, str]:
    """Return how a share of the communities becomes a whole number."""
    _ = translator(language)
    return {
        "floor": _("rounded down to whole communities"),
        "ceil": _("rounded up to whole communities"),
        "at_least_one": _("rounded down to whole communities, but at least one"),
    }


def ties_words(language: str) -> Mapping[Ties, str]:
    """Return what happens to communities tied across the cut-off."""
    _ = translator(language)
    return {"include": _("all tied at the cut-off meet it"), "exclude": _("all tied at the cut-off miss it")}


def zero_ties_words(language: str) -> Mapping[ZeroTies, str]:
    """Return what happens to communities without complaints tied across the cut-off."""
    _ = translator(language)
    return {
        "include": _("communities without complaints tied at the cut-off all meet it"),
        "exclude": _("communities without complaints tied at the cut-off all miss it"),
        "by_exposure": _("of communities without complaints the one with more households and time comes first"),
        "undecidable": _("communities without complaints tied at the cut-off are not assessed"),
    }


def funnel_positions(language: str) -> Mapping[str, str]:
    """Return where a community lies in a funnel, by the positions of `analytics.statistics.funnel`."""
    _ = translator(language)
    return {
        "below_99_8": _("far fewer than chance explains"),
        "below_95": _("fewer than chance explains"),
        "inside": _("within chance"),
        "above_95": _("more than chance explains"),
        "above_99_8": _("far more than chance explains"),
    }


def family_words(language: str) -> Mapping[str, str]:
    """Return what each family of signs of `analytics.statistics.integrity_signals` is."""
    _ = translator(language)
    return {
        "duplicate": _("One device or household, several answers"),
        "burst": _("Like answers all at once"),
        "identical": _("Too many answers exactly alike"),
        "variance": _("Answers differ too little"),
        "haste": _("Answered too fast"),
        "terminal": _("Many answers from one place"),
    }


def channel_words(language: str) -> Mapping[str, str]:
    """Return by which way complaints came, by the channels of `analytics.statistics.complaint_rates`."""
    _ = translator(language)
    return {
        "code": _("Form behind a code"),
        "web": _("Web without a code"),
        "telephone": _("Telephone"),
        "visit": _("Visit"),
        "hotline": _("12345 hotline"),
        "letter": _("Letter"),
        "other": _("Other ways"),
    }


def mode_words(language: str) -> Mapping[str, str]:
    """Return how answers came."""
    _ = translator(language)
    return {"web": _("Residents' own phones"), "paper": _("Paper, typed in"), "telephone": _("Telephone, typed in")}
