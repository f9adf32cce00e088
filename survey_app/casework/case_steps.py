"""Steps that an office can ask for: what each needs beside its name, and whether a form says all of it."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, time, timedelta
from enum import StrEnum
from types import MappingProxyType
from typing import Any

from survey_app.complaints.deadlines import Clock, answer_by, extension_end
from survey_app.complaints.state_machine import ENDING_ACTIONS, CaseState
from survey_app.models.vocabulary import CaseAction, CaseEndReason, CaseOffice
from survey_app.security.check_digits import RECEIPT_DIGITS, read_number
from survey_app.security.text import clean_text
from survey_app.web.typed_dates import read_date
from survey_app.web.typed_numbers import read_whole_number

# Of an office or a company, such as an answer.
LONGEST_WORDS = 2000


class StepField(StrEnum):
    """What a step says beside its name; the names are those of the form."""

    WORDS = "words"
    REASON = "reason"
    ORIGINAL = "original"
    COMPANY = "company"
    HANDLER = "handler"
    OFFICE = "office"
    UNTIL = "until"


class StepFault(StrEnum):
    """What is wrong with a form that asks for a step."""

    STEP_UNKNOWN = "step_unknown"
    WORDS_MISSING = "words_missing"
    WORDS_TOO_LONG = "words_too_long"
    REASON_MISSING = "reason_missing"
    ORIGINAL_UNREADABLE = "original_unreadable"
    HANDLER_MISSING = "handler_missing"
    OFFICE_MISSING = "office_missing"
    UNTIL_UNREADABLE = "until_unreadable"
    UNTIL_TOO_EARLY = "until_too_early"
    UNTIL_TOO_LATE = "until_too_late"
    RELEASE_MISSING = "release_missing"


# In the order in which pages offer them. Whether the words reach the resident, a step says by being internal or not.
FIELDS_OF_STEP: Mapping[CaseAction, frozenset[StepField]] = MappingProxyType(
    {
        CaseAction.ACCEPT: frozenset({StepField.WORDS}),
        CaseAction.DISPATCH: frozenset({StepField.COMPANY}),
        CaseAction.START: frozenset(),
        CaseAction.RESPOND: frozenset({StepField.WORDS}),
        CaseAction.ASK_RESIDENT: frozenset({StepField.WORDS}),
        CaseAction.EXTEND: frozenset({StepField.WORDS, StepField.UNTIL}),
        CaseAction.REDO: frozenset({StepField.WORDS}),
        CaseAction.SPLIT: frozenset({StepField.WORDS}),
        CaseAction.ASSIGN: frozenset({StepField.HANDLER}),
        CaseAction.TRANSFER: frozenset({StepField.WORDS, StepField.OFFICE}),
        CaseAction.RETURN: frozenset({StepField.WORDS}),
        CaseAction.SUPERVISE: frozenset({StepField.WORDS}),
        CaseAction.MERGE: frozenset({StepField.WORDS, StepField.ORIGINAL}),
        CaseAction.INVALIDATE: frozenset({StepField.WORDS, StepField.REASON}),
        CaseAction.REFUSE: frozenset({StepField.WORDS, StepField.REASON}),
        CaseAction.NOTE: frozenset({StepField.WORDS}),
    }
)
# Steps whose words may be left out: what they do says enough.
WORDS_OPTIONAL = frozenset({CaseAction.ACCEPT, CaseAction.SPLIT, CaseAction.MERGE})


@dataclass(frozen=True)
class AskedStep:
    """A step as a form asks for it, with every fault; `details` are the arguments of `take_step` beside the words."""

    action: CaseAction | None
    words: str
    details: Mapping[str, Any] = field(default_factory=dict)
    faults: Sequence[StepFault] = ()


def read_step(given: Mapping[str, str], *, state: CaseState, clock: Clock) -> AskedStep:
    """Read the form of a step; nothing of it is compared with the database yet."""
    asked = given.get("step", "")
    action = next((action for action in FIELDS_OF_STEP if action == asked), None)
    words = clean_text(given.get("words", ""))
    if action is None:
        return AskedStep(None, words, faults=[StepFault.STEP_UNKNOWN])
    details: dict[str, Any] = {}
    faults = list(_faults_of_words(action, words))
    for name in FIELDS_OF_STEP[action] - {StepField.WORDS}:
        read, fault = _READERS[name](given.get(name, ""), action, state, clock)
        details |= read
        faults += [fault] if fault else []
    if action is CaseAction.MERGE:
        details["reason"] = CaseEndReason.SAME_CASE
    if details.get("company_id") is not None and not clean_text(given.get("released", "")):
        faults.append(StepFault.RELEASE_MISSING)
    return AskedStep(action, words, details, sorted(faults))


def _faults_of_words(action: CaseAction, words: str) -> Sequence[StepFault]:
    if StepField.WORDS not in FIELDS_OF_STEP[action]:
        return []
    if len(words) > LONGEST_WORDS:
        return [StepFault.WORDS_TOO_LONG]
    return [] if words or action in WORDS_OPTIONAL else [StepFault.WORDS_MISSING]


_Read = tuple[dict[str, Any], StepFault | None]


def _read_reason(typed: str, action: CaseAction, _state: CaseState, _clock: Clock) -> _Read:
    _status, reasons = ENDING_ACTIONS[action]
    if typed not in reasons:
        return {}, StepFault.REASON_MISSING
    return {"reason": CaseEndReason(typed)}, None


def _read_original(typed: str, _action: CaseAction, _state: CaseState, _clock: Clock) -> _Read:
    reference = read_number(typed, RECEIPT_DIGITS)
    return ({"original": reference}, None) if reference else ({}, StepFault.ORIGINAL_UNREADABLE)


def _read_company(typed: str, _action: CaseAction, _state: CaseState, _clock: Clock) -> _Read:
    # Nothing chosen leaves the case with the office; what is no number is no company that was offered.
    return {"company_id": (read_whole_number(typed) or 0) if typed else None}, None


def _read_handler(typed: str, _action: CaseAction, _state: CaseState, _clock: Clock) -> _Read:
    handler_id = read_whole_number(typed)
    return ({}, StepFault.HANDLER_MISSING) if handler_id is None else ({"handler_id": handler_id}, None)


def _read_office(typed: str, _action: CaseAction, _state: CaseState, _clock: Clock) -> _Read:
    return ({"office": CaseOffice(typed)}, None) if typed in set(CaseOffice) else ({}, StepFault.OFFICE_MISSING)


def _read_until(typed: str, _action: CaseAction, state: CaseState, clock: Clock) -> _Read:
    day = read_date(typed)
    if day is None:
        return {}, StepFault.UNTIL_UNREADABLE
    until = datetime.combine(day + timedelta(days=1), time(), clock.zone)
    if until <= answer_by(state, clock):
        return {}, StepFault.UNTIL_TOO_EARLY
    return ({}, StepFault.UNTIL_TOO_LATE) if until > extension_end(state, clock) else ({"until": until}, None)


_READERS: Mapping[StepField, Callable[[str, CaseAction, CaseState, Clock], _Read]] = MappingProxyType(
    {
        StepField.REASON: _read_reason,
        StepField.ORIGINAL: _read_original,
        StepField.COMPANY: _read_company,
        StepField.HANDLER: _read_handler,
        StepField.OFFICE: _read_office,
        StepField.UNTIL: _read_until,
    }
)
