"""Words of call-backs: what was asked and answered, where a call stands, why a result was corrected."""

from collections.abc import Mapping
from functools import cache
from types import MappingProxyType

from survey_app.call_backs.call_sheets import CallState
from survey_app.catalogue import translator
from survey_app.models.vocabulary import CallCorrection, Contacted, RecordedEnd, Resolved, Satisfied


@cache
def question_words(language: str) -> Mapping[str, tuple[str, Mapping[str, str]]]:
    """Return the three questions, each with its answers in the order of their codes."""
    _ = translator(language)
    unsaid = _("would not say")
    return MappingProxyType(
        {
            "contacted": (
                _("Did somebody contact you about it?"),
                {Contacted.YES: _("yes"), Contacted.NO: _("no"), Contacted.UNSAID: unsaid},
            ),
            "resolved": (
                _("Is the matter resolved?"),
                {
                    Resolved.YES: _("yes"),
                    Resolved.PARTLY: _("in part"),
                    Resolved.NO: _("no"),
                    Resolved.UNSAID: unsaid,
                },
            ),
            "satisfied": (
                _("Are you satisfied with how it was handled?"),
                {Satisfied.YES: _("yes"), Satisfied.NO: _("no"), Satisfied.UNSAID: unsaid},
            ),
        }
    )


@cache
def state_words(language: str) -> Mapping[CallState, str]:
    """Return where a drawn case stands."""
    _ = translator(language)
    return MappingProxyType(
        {
            CallState.TO_CALL: _("To call"),
            CallState.REACHED: _("Reached"),
            CallState.DECLINED: _("Did not want to answer"),
            CallState.NOT_REACHED: _("Not reached"),
            CallState.UNCALLABLE: _("Could not be called: the contact details are erased"),
        }
    )


@cache
def recorded_words(language: str) -> Mapping[RecordedEnd, str]:
    """Return how a case is recorded to have ended."""
    _ = translator(language)
    return MappingProxyType(
        {
            RecordedEnd.CONFIRMED: _("confirmed by the resident"),
            RecordedEnd.SILENT: _("closed without a word"),
        }
    )


@cache
def correction_words(language: str) -> Mapping[CallCorrection, str]:
    """Return why a result was corrected."""
    _ = translator(language)
    return MappingProxyType(
        {
            CallCorrection.MISTYPED: _("I typed something in wrongly"),
            CallCorrection.OTHER_PERSON: _("Somebody else had answered the call"),
            CallCorrection.CALLED_AGAIN: _("The resident said more later"),
        }
    )
