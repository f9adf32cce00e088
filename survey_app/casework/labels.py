"""Words of the case desk, for offices and companies: queues, steps, faults, offices, channels."""

from collections.abc import Mapping
from functools import cache
from types import MappingProxyType

from survey_app.casework.bulk_steps import Obstacle
from survey_app.casework.case_steps import LONGEST_WORDS, StepFault
from survey_app.casework.inbox import Order, Queue
from survey_app.casework.rate_exclusions import Exclusion
from survey_app.catalogue import translator
from survey_app.models.vocabulary import CaseAction, CaseActor, CaseOffice, CaseStatus, Channel


@cache
def queue_words(language: str) -> Mapping[Queue, str]:
    """Return what has to be done next."""
    _ = translator(language)
    return MappingProxyType(
        {
            Queue.TO_ACCEPT: _("To accept"),
            Queue.TO_DISPATCH: _("To dispatch"),
            Queue.PROPOSED: _("Proposals to decide"),
            Queue.REOPENED: _("Opened again"),
            Queue.STAGE2: _("In review"),
            Queue.DISPATCHED: _("Dispatched"),
            Queue.IN_WORK: _("In work"),
            Queue.WAITING: _("Waiting for the resident"),
            Queue.ANSWERED: _("Answer given"),
            Queue.ENDED: _("Ended"),
        }
    )


@cache
def obstacle_words(language: str) -> Mapping[Obstacle, str]:
    """Return why a case does not take the step that others take."""
    _ = translator(language)
    return MappingProxyType(
        {
            Obstacle.NOT_POSSIBLE: _("this step is not possible where it stands"),
            Obstacle.NO_COMPANY: _("no company may have it: the office deals with it itself"),
            Obstacle.BARRED: _("it is in review, and you took part in it before"),
        }
    )


@cache
def exclusion_words(language: str) -> Mapping[Exclusion, str]:
    """Return by what a case is left out of the complaint rate."""
    _ = translator(language)
    return MappingProxyType(
        {
            Exclusion.KIND: _("no complaint by its type at the hotline"),
            Exclusion.CATEGORY: _("of a category that no property company answers for"),
            Exclusion.ENDED: _("closed without counting"),
            Exclusion.SAME_CASE: _("our case, counted with the one of the hotline"),
            Exclusion.APPEAL: _("left out on the appeal of the company"),
        }
    )


@cache
def status_names(language: str) -> Mapping[CaseStatus, str]:
    """Return where a case stands, as an office or a company reads it."""
    _ = translator(language)
    return MappingProxyType(
        {
            CaseStatus.SUBMITTED: _("To accept"),
            CaseStatus.ACCEPTED: _("Accepted"),
            CaseStatus.DISPATCHED: _("Dispatched"),
            CaseStatus.IN_PROGRESS: _("In work"),
            CaseStatus.AWAITING_RESIDENT: _("Waiting for the resident"),
            CaseStatus.RESPONDED: _("Answer given"),
            CaseStatus.REOPENED: _("Opened again"),
            CaseStatus.STAGE2: _("In review"),
            CaseStatus.CLOSED: _("Ended"),
            CaseStatus.WITHDRAWN: _("The resident withdrew it"),
            CaseStatus.DUPLICATE: _("Merged with another case"),
            CaseStatus.INVALID: _("Closed as no case"),
            CaseStatus.OUT_OF_SCOPE: _("Closed as not ours"),
        }
    )


@cache
def order_words(language: str) -> Mapping[Order, str]:
    """Return by what cases are sorted."""
    _ = translator(language)
    return MappingProxyType(
        {
            Order.DEADLINE: _("Next deadline first"),
            Order.NEWEST: _("Newest first"),
            Order.OLDEST: _("Oldest first"),
        }
    )


@cache
def channel_words(language: str) -> Mapping[Channel, str]:
    """Return by which way a case came."""
    _ = translator(language)
    return MappingProxyType(
        {
            Channel.CODE: _("QR code"),
            Channel.WEB: _("Web page"),
            Channel.TELEPHONE: _("Telephone"),
            Channel.VISIT: _("Visit"),
            Channel.HOTLINE: _("12345 hotline"),
            Channel.LETTER: _("Letter"),
            Channel.OTHER: _("Other"),
        }
    )


@cache
def office_words(language: str) -> Mapping[CaseOffice, str]:
    """Return which office has a case."""
    _ = translator(language)
    return MappingProxyType(
        {
            CaseOffice.CITY: _("City bureau"),
            CaseOffice.DISTRICT: _("District bureau"),
            CaseOffice.SUBDISTRICT: _("Subdistrict office"),
            CaseOffice.NEIGHBOURHOOD: _("Residents’ committee"),
        }
    )


@cache
def step_names(language: str) -> Mapping[CaseAction, str]:
    """Return what an office or a company does in a step, as its button says it."""
    _ = translator(language)
    return MappingProxyType(
        {
            CaseAction.ACCEPT: _("Accept"),
            CaseAction.DISPATCH: _("Dispatch"),
            CaseAction.START: _("Begin work"),
            CaseAction.ASK_RESIDENT: _("Ask the resident"),
            CaseAction.RESPOND: _("Answer"),
            CaseAction.PROPOSE: _("Propose to end it without work"),
            CaseAction.EXTEND: _("Extend the deadline"),
            CaseAction.REDO: _("Have it dealt with again"),
            CaseAction.MERGE: _("Merge with another case"),
            CaseAction.SPLIT: _("Take apart again"),
            CaseAction.INVALIDATE: _("Close as no case"),
            CaseAction.REFUSE: _("Close as not ours"),
            CaseAction.ASSIGN: _("Assign to a person"),
            CaseAction.TRANSFER: _("Transfer to another office"),
            CaseAction.RETURN: _("Return to the office it came from"),
            CaseAction.SUPERVISE: _("Put under supervision"),
            CaseAction.NOTE: _("Internal note"),
        }
    )


@cache
def history_words(language: str) -> Mapping[tuple[CaseAction, CaseActor], str]:
    """Return what happened in a step, by what was done and by whom, as an office or a company reads it."""
    _ = translator(language)
    words = {
        CaseAction.SUBMIT: _("Filed"),
        CaseAction.ACCEPT: _("Accepted"),
        CaseAction.DISPATCH: _("Dispatched"),
        CaseAction.START: _("Work began"),
        CaseAction.ASK_RESIDENT: _("The resident was asked"),
        CaseAction.RESUME: _("The wait for the resident ended"),
        CaseAction.RESPOND: _("Answer given"),
        CaseAction.ADD: _("The resident added"),
        CaseAction.CONFIRM: _("The resident says: fixed"),
        CaseAction.PARTLY: _("The resident says: partly fixed"),
        CaseAction.REJECT: _("The resident says: not fixed"),
        CaseAction.AUTO_CLOSE: _("Closed after a week without a word"),
        CaseAction.REOPEN: _("The resident opened it again"),
        CaseAction.ESCALATE: _("The resident asked for a review"),
        CaseAction.WITHDRAW: _("The resident withdrew it"),
        CaseAction.PROPOSE: _("The company proposes to end it without work"),
        CaseAction.MERGE: _("Merged with another case"),
        CaseAction.INVALIDATE: _("Closed as no case"),
        CaseAction.REFUSE: _("Closed as not ours"),
        CaseAction.SPLIT: _("Taken apart again"),
        CaseAction.ASSIGN: _("Assigned"),
        CaseAction.TRANSFER: _("Transferred"),
        CaseAction.RETURN: _("Returned"),
        CaseAction.EXTEND: _("Deadline extended"),
        CaseAction.SUPERVISE: _("Put under supervision"),
        CaseAction.REDO: _("To be dealt with again"),
        CaseAction.NOTE: _("Internal note"),
        CaseAction.FILE: _("A file of the hotline followed"),
        CaseAction.LIMIT: _("The hotline set its time limit"),
        CaseAction.CLOSE: _("Closed by the hotline"),
        CaseAction.RETRACT: _("The file of the hotline was taken back"),
    }
    every_actor = {(action, actor): said for action, said in words.items() for actor in CaseActor}
    missed = _("Deadline missed: in review")
    brought = _("Brought in from the hotline")
    return MappingProxyType(
        {
            **every_actor,
            (CaseAction.ESCALATE, CaseActor.SYSTEM): missed,
            (CaseAction.SUBMIT, CaseActor.BUREAU): brought,
        }
    )


@cache
def fault_words(language: str) -> Mapping[StepFault, str]:
    """Return what is wrong with a form, and what to do."""
    _ = translator(language)
    return MappingProxyType(
        {
            StepFault.STEP_UNKNOWN: _("Please choose what to do."),
            StepFault.WORDS_MISSING: _("Please write down what there is to say."),
            StepFault.WORDS_TOO_LONG: _("Please write less: at most %(most)s characters.") % {"most": LONGEST_WORDS},
            StepFault.REASON_MISSING: _("Please choose a reason."),
            StepFault.ORIGINAL_UNREADABLE: _("Please type the reference number of the case that this one repeats."),
            StepFault.HANDLER_MISSING: _("Please choose a person."),
            StepFault.OFFICE_MISSING: _("Please choose an office."),
            StepFault.UNTIL_UNREADABLE: _("Please give the new day, such as 2026-12-24."),
            StepFault.UNTIL_TOO_EARLY: _("The new day lies before the present deadline: please choose a later one."),
            StepFault.UNTIL_TOO_LATE: _("The new day is too late: please choose an earlier one."),
            StepFault.RELEASE_MISSING: _("Please write down what the company may read of the case."),
        }
    )
