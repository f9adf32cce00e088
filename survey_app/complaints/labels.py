"""Stored codes of cases in words for residents, in each language: kinds, statuses, steps, reasons of an end."""

from collections.abc import Mapping
from functools import cache
from types import MappingProxyType

from survey_app.catalogue import translator
from survey_app.models.vocabulary import CaseAction, CaseActor, CaseEndReason, CaseKind, CaseStatus


@cache
def case_kind_words(language: str) -> Mapping[CaseKind, str]:
    """Return what a case is."""
    _ = translator(language)
    return MappingProxyType(
        {
            CaseKind.COMPLAINT: _("Complaint"),
            CaseKind.REPAIR: _("Repair request"),
            CaseKind.ENQUIRY: _("Question"),
        }
    )


@cache
def case_status_words(language: str) -> Mapping[CaseStatus, str]:
    """Return where a case stands."""
    _ = translator(language)
    return MappingProxyType(
        {
            CaseStatus.SUBMITTED: _("Submitted, not yet accepted"),
            CaseStatus.ACCEPTED: _("Accepted by the housing bureau"),
            CaseStatus.DISPATCHED: _("Handed to who is to deal with it"),
            CaseStatus.IN_PROGRESS: _("Being dealt with"),
            CaseStatus.AWAITING_RESIDENT: _("Waiting for your answer to a question"),
            CaseStatus.RESPONDED: _("Answered, waiting for your word"),
            CaseStatus.REOPENED: _("Opened again"),
            CaseStatus.STAGE2: _("Under review by somebody else"),
            CaseStatus.CLOSED: _("Case closed"),
            CaseStatus.WITHDRAWN: _("Withdrawn by the resident"),
            CaseStatus.DUPLICATE: _("Joined with an earlier case"),
            CaseStatus.INVALID: _("Not a case, as the housing bureau found"),
            CaseStatus.OUT_OF_SCOPE: _("Not for the housing bureau to decide"),
        }
    )


@cache
def case_step_words(language: str) -> Mapping[tuple[CaseAction, CaseActor], str]:
    """Return what happened in a step, by what was done and by whom."""
    _ = translator(language)
    words = {
        CaseAction.SUBMIT: _("You sent it"),
        CaseAction.ACCEPT: _("Accepted"),
        CaseAction.DISPATCH: _("Handed on"),
        CaseAction.START: _("Work began"),
        CaseAction.ASK_RESIDENT: _("You were asked"),
        CaseAction.RESUME: _("The wait for your answer ended"),
        CaseAction.RESPOND: _("Answer"),
        CaseAction.ADD: _("You added"),
        CaseAction.CONFIRM: _("You said it is fixed"),
        CaseAction.PARTLY: _("You said it is partly fixed"),
        CaseAction.REJECT: _("You said it is not fixed"),
        CaseAction.AUTO_CLOSE: _("Closed, since nobody said that it is not fixed"),
        CaseAction.REOPEN: _("You opened it again"),
        CaseAction.ESCALATE: _("You asked for a review"),
        CaseAction.WITHDRAW: _("You withdrew it"),
        CaseAction.PROPOSE: _("The company proposes to close it without work; the housing bureau decides"),
        CaseAction.MERGE: _("Joined with an earlier case"),
        CaseAction.INVALIDATE: _("Found to be no case"),
        CaseAction.REFUSE: _("Found to be not for the housing bureau to decide"),
        CaseAction.SPLIT: _("Dealt with on its own again"),
        CaseAction.EXTEND: _("The answer takes longer"),
        CaseAction.REDO: _("The housing bureau has it dealt with again"),
        CaseAction.CLOSE: _("Closed by the 12345 hotline"),
    }
    every_actor = {(action, actor): said for action, said in words.items() for actor in CaseActor}
    missed = _("A deadline was missed: somebody else deals with it now")
    return MappingProxyType({**every_actor, (CaseAction.ESCALATE, CaseActor.SYSTEM): missed})


@cache
def unfixed_words(language: str) -> Mapping[str, str]:
    """Return why a resident may say that a case is not fixed; what is chosen becomes part of their words."""
    _ = translator(language)
    return MappingProxyType(
        {
            "nobody_came": _("Nobody came"),
            "not_repaired": _("Work was done, and it is as before"),
            "came_back": _("It was fixed, and it has come back"),
            "in_part": _("Only part of it was done"),
            "untrue": _("The answer does not say what happened"),
        }
    )


@cache
def end_reason_words(language: str) -> Mapping[CaseEndReason, str]:
    """Return why the bureau ended a case, or the company proposed to."""
    _ = translator(language)
    return MappingProxyType(
        {
            CaseEndReason.SAME_CASE: _("It is the same as an earlier case."),
            CaseEndReason.NOT_A_CASE: _("It names nothing that could be dealt with."),
            CaseEndReason.OTHER_PLACE: _("It is not in this community."),
            CaseEndReason.OTHER_AUTHORITY: _("Another authority is responsible."),
            CaseEndReason.PRIVATE_DISPUTE: _("It is a dispute between private persons."),
        }
    )
