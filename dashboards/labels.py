"""Stored values in the words that every page uses for them."""

from collections.abc import Mapping

from analytics.rules import Population, Ties, ZeroTies
from dashboards.languages import translator
from dashboards.routes import Route
from dashboards.source import EvaluationHeader


def state_words(header: EvaluationHeader, language: str) -> str:
    """Return how far an evaluation has come: a preview, decided, or declared the result of its round."""
    _ = translator(language)
    if header.provisional:
        return _("preview")
    return _("published") if header.published else _("official, not yet published")


def ranked_words(route: Route, language: str) -> str:
    """Return what the number of communities ranked on one route is called."""
    _ = translator(language)
    return _("Ranked by satisfaction") if route.key == "satisfaction" else _("Ranked by complaints")


def population_words(language: str) -> Mapping[Population, str]:
    """Return whose answers count."""
    _ = translator(language)
    return {"owners": _("owners' answers count"), "residents": _("all residents' answers count")}


def tenure_words(language: str) -> Mapping[int, str]:
    """Return who lives in a flat as what, by the codes of the tenure question."""
    _ = translator(language)
    return {1: _("Owners"), 2: _("Tenants")}


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
        "by_exposure": _("among communities without complaints, the one with more households and time comes first"),
        "undecidable": _("communities without complaints tied at the cut-off are not assessed"),
    }


def verdict_words(language: str) -> Mapping[str, str]:
    """Return what residents say of the answer to a case, by `analytics.casework.case_frame.VERDICTS`."""
    _ = translator(language)
    return {
        "confirmed": _("Confirmed as fixed"),
        "partly": _("Partly fixed"),
        "rejected": _("Not fixed"),
        "silent": _("Without a word"),
    }


def exclusion_words(language: str) -> Mapping[str, str]:
    """Return why a case is none to be answered, by the codes of the reasons."""
    _ = translator(language)
    return {
        "same_case": _("The same as an earlier case"),
        "not_a_case": _("Names nothing that could be dealt with"),
        "other_place": _("Not in this community"),
        "other_authority": _("Another authority is responsible"),
        "private_dispute": _("A dispute between private persons"),
    }


def satisfaction_positions(language: str) -> Mapping[str, str]:
    """Return where a company's share lies in a funnel, by the same positions: the larger, the better."""
    _ = translator(language)
    return {
        "above_99_8": _("far above what chance allows"),
        "above_95": _("above what chance allows"),
        "inside": _("within what chance allows"),
        "below_95": _("below what chance allows"),
        "below_99_8": _("far below what chance allows"),
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
