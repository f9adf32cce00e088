"""The times of casework that come with the program, for tests of cases that need no database."""

from datetime import timedelta

from survey_app.complaints.casework_rules import load_casework_rules
from survey_app.complaints.deadlines import pause_end
from survey_app.complaints.state_machine import ENDING_ACTIONS, Event, possible_actions
from survey_app.complaints.working_days import load_calendar
from survey_app.config import DATA
from survey_app.models.vocabulary import CaseAction, CaseActor, CaseEndReason, CaseOffice

CASEWORK_FILE = DATA / "casework" / "wuhai" / "2021-08-23.yaml"
RULES = load_casework_rules(CASEWORK_FILE)
CALENDAR = load_calendar(sorted((DATA / "calendars").glob("*.yaml")))


def possible_event(state, clock, *, choice, at):
    """Return one of the steps that somebody may take now, with all that it needs; None where nobody may do anything."""
    options = [(action, who) for who in CaseActor for action in possible_actions(state, actor=who, now=at)]
    if not options:
        return None
    action, actor = options[choice % len(options)]
    reasons = ENDING_ACTIONS[action][1] if action in ENDING_ACTIONS else {CaseEndReason.OTHER_PLACE}
    later = {CaseAction.ASK_RESIDENT: pause_end(at, clock), CaseAction.EXTEND: at + timedelta(days=30)}
    return Event(
        action,
        actor,
        at,
        min(reasons),
        original_id=1 if action is CaseAction.MERGE else None,
        until=later.get(action),
        handler_id=2 if action is CaseAction.ASSIGN else None,
        office=min(set(CaseOffice) - {state.office}) if action is CaseAction.TRANSFER else None,
    )
