"""Stored values in the words that every page uses for them."""

from collections.abc import Mapping
from typing import Final

from dashboards.languages import translator
from dashboards.results import ROUTES

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


def route_words(language: str) -> Mapping[str, str]:
    """Return what each route to the requirement is called."""
    return {key: route.name(language) for key, route in ROUTES.items()}
