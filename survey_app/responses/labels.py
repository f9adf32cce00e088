"""Stored codes of responses in words, in each language: statuses, modes of entry, reasons of a withdrawal."""

from collections.abc import Mapping
from functools import cache
from types import MappingProxyType

from survey_app.catalogue import translator
from survey_app.models.vocabulary import Mode, ResponseChangeReason, ResponseStatus


@cache
def response_status_words(language: str) -> Mapping[ResponseStatus, str]:
    """Return what became of a response, as staff and evaluators read it."""
    _ = translator(language)
    return MappingProxyType(
        {
            ResponseStatus.COUNTED: _("counted"),
            ResponseStatus.SUPERSEDED: _("superseded by newer answers"),
            ResponseStatus.WITHDRAWN: _("withdrawn"),
            ResponseStatus.EXCLUDED: _("excluded after review"),
            ResponseStatus.ERASED: _("erased after the close"),
        }
    )


@cache
def entry_mode_words(language: str) -> Mapping[str, str]:
    """Return how answers were given and who typed them in."""
    _ = translator(language)
    return MappingProxyType(
        {
            Mode.WEB: _("on the resident's phone"),
            Mode.PAPER: _("on paper, typed in by staff"),
            Mode.TELEPHONE: _("by telephone, typed in by staff"),
        }
    )


@cache
def withdrawal_reason_words(language: str) -> Mapping[ResponseChangeReason, str]:
    """Return the reasons that a resident can give for a withdrawal, in the words of the resident."""
    _ = translator(language)
    return MappingProxyType(
        {
            ResponseChangeReason.WRONG_COMMUNITY: _("I scanned the code of another community"),
            ResponseChangeReason.NOT_MINE: _("Somebody else answered in my place"),
            ResponseChangeReason.CHANGED_MIND: _("I do not want to take part any more"),
            ResponseChangeReason.OTHER: _("For another reason, or without one"),
        }
    )
