"""View of the audit chain, in words."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import islice
from types import MappingProxyType

from flask import render_template, request
from flask_babel import LazyString
from flask_babel import lazy_gettext as _
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from survey_app.accounts.attempt_limits import pressures
from survey_app.accounts.paging import Page, requested_page
from survey_app.accounts.policies import AUDITING, policy
from survey_app.accounts.staff_pages import blueprint
from survey_app.app.audit_labels import ATTEMPT_NAMES, LabelledFact, particulars, subject_words
from survey_app.audit import OPERATOR, RESIDENT, SITE, VISITOR, ChainFault, account_actor, head, verify_chain
from survey_app.city_time import city_zone
from survey_app.clock import current_time
from survey_app.jobs.history import last_runs
from survey_app.models import Account, AuditEvent
from survey_app.models.vocabulary import AuditAction
from survey_app.web.context import site

EVENTS_PER_PAGE = 50
MOST_FAULTS = 20

ACTION_NAMES: Mapping[AuditAction, LazyString] = MappingProxyType(
    {
        AuditAction.SIGNED_IN: _("Signed in"),
        AuditAction.SIGN_IN_FAILED: _("Sign-in refused"),
        AuditAction.SIGNED_OUT: _("Signed out"),
        AuditAction.COMPLAINT_MOVED: _("Complaint moved on"),
        AuditAction.SECRET_REISSUED: _("Complaint secret issued anew"),
        AuditAction.CONTACT_ERASED: _("Contact details erased"),
        AuditAction.CONTACT_SHOWN: _("Contact details shown"),
        AuditAction.CALL_BACKS_DRAWN: _("Cases drawn for call-backs"),
        AuditAction.CALL_BACK_RECORDED: _("Call-back recorded"),
        AuditAction.CALL_BACK_CORRECTED: _("Call-back corrected"),
        AuditAction.AUTHENTICATOR_LINKED: _("Authenticator linked"),
        AuditAction.PASSWORD_SET: _("Password set"),
        AuditAction.RECOVERY_CODES_RENEWED: _("Recovery codes renewed"),
        AuditAction.SESSIONS_ENDED: _("Other sessions ended"),
        AuditAction.KEY_REPLACED: _("Lost secret key replaced"),
        AuditAction.ACCOUNT_ADDED: _("Account added"),
        AuditAction.ACCOUNT_PLACED: _("Account bound to other communities"),
        AuditAction.ACCOUNT_RESET: _("Account reset"),
        AuditAction.RESET_REQUESTED: _("Reset of an account requested"),
        AuditAction.RESET_DECLINED: _("Reset of an account declined"),
        AuditAction.ACCOUNT_DISABLED: _("Account disabled"),
        AuditAction.ACCOUNT_ENABLED: _("Account enabled"),
        AuditAction.QUESTIONNAIRE_PUBLISHED: _("Questionnaire published"),
        AuditAction.RULES_ADDED: _("Rule file frozen"),
        AuditAction.CASEWORK_FILE_PUBLISHED: _("Casework file published"),
        AuditAction.CALENDAR_PUBLISHED: _("Calendar published"),
        AuditAction.ROUND_CREATED: _("Round created"),
        AuditAction.ROUND_CLOSED_EARLY: _("Round closed early"),
        AuditAction.ROUND_MOVED: _("Dates of a round changed"),
        AuditAction.ROUND_DROPPED: _("Round dropped"),
        AuditAction.COMMUNITIES_IMPORTED: _("Communities imported"),
        AuditAction.CONTRACT_RECORDED: _("Change of the property company recorded"),
        AuditAction.CONTRACT_WITHDRAWN: _("Change of the property company withdrawn"),
        AuditAction.COMPANY_CHANGED: _("Another property company in charge"),
        AuditAction.COMMUNITY_ALIAS_SET: _("Name of a community at the hotline decided"),
        AuditAction.HOTLINE_IMPORTED: _("File of the hotline imported"),
        AuditAction.HOTLINE_TAKEN_BACK: _("Import of a file of the hotline taken back"),
        AuditAction.HOTLINE_MATCH_DECIDED: _("Pair of cases decided"),
        AuditAction.APPEAL_FILED: _("Appeal against counting a case filed"),
        AuditAction.APPEAL_DECIDED: _("Appeal against counting a case decided"),
        AuditAction.CODE_ISSUED: _("Code issued"),
        AuditAction.CODE_REVOKED: _("Code revoked"),
        AuditAction.POSTERS_PRINTED: _("Posters printed"),
        AuditAction.SLIPS_ISSUED: _("Slips issued"),
        AuditAction.EVALUATED: _("Round evaluated"),
        AuditAction.EVALUATION_PUBLISHED: _("Evaluation published"),
        AuditAction.EXPORTED: _("File downloaded"),
        AuditAction.REVIEW_DECIDED: _("Held answers decided"),
        AuditAction.HELP_DECLARED: _("Help with answering declared"),
        AuditAction.RESPONSE_ENTERED: _("Answers entered by staff"),
        AuditAction.RESPONSE_CORRECTED: _("Answers corrected"),
        AuditAction.RESPONSE_WITHDRAWN: _("Answers withdrawn"),
        AuditAction.RESPONSE_SHOWN: _("Answers shown to the resident"),
        AuditAction.RESPONSE_ERASED: _("Answers erased after the close"),
        AuditAction.TERMINALS_ERASED: _("Encrypted network addresses erased"),
        AuditAction.HOUSEHOLD_LINKS_REMOVED: _("Links to households removed"),
        AuditAction.COMMENTS_ERASED: _("Comments and photos erased after the official result"),
        AuditAction.RESPONSES_ERASED: _("Answers erased, their time being over"),
        AuditAction.EXAMINATIONS_ERASED: _("Earlier examinations of answers erased"),
        AuditAction.COMPLAINT_WORDS_ERASED: _("Words of a complaint erased"),
    }
)
FAULT_NAMES: Mapping[ChainFault, LazyString] = MappingProxyType(
    {
        ChainFault.MISSING: _("events before this one are missing"),
        ChainFault.CHANGED: _("this event was changed"),
        ChainFault.UNLINKED: _("this event does not follow from the one before it"),
        ChainFault.CUT_OFF: _("the chain ends before this event"),
        ChainFault.REWRITTEN: _("this event is not the one whose hash was kept"),
    }
)
RECURRING_JOB_NAMES: Mapping[str, LazyString] = MappingProxyType(
    {
        "complaints": _("Move complaints on whose time is up"),
        "retention": _("Erase what was kept long enough"),
        "examination": _("Look for signs of stuffing"),
        "tallies": _("Add up what came in"),
        "recount": _("Count in full what came in, and compare"),
    }
)
_ACTOR_NAMES: Mapping[str, LazyString] = MappingProxyType(
    {
        OPERATOR: _("Command on the server"),
        RESIDENT: _("Resident"),
        VISITOR: _("Not signed in"),
        SITE: _("The site itself"),
    }
)


@dataclass(frozen=True)
class EventLine:
    """Event as the page lists it."""

    position: int
    happened_at: datetime
    actor: str | LazyString
    action: str | LazyString
    subject: str
    subject_name: str
    before: Sequence[LabelledFact]
    after: Sequence[LabelledFact]


@dataclass(frozen=True)
class RecurringJobLine:
    """One kind of recurring work, when it was last done, and when it last failed if it has not been done since."""

    name: LazyString
    done_at: datetime | None
    failed_at: datetime | None


@blueprint.get("/staff/audit")
@policy(AUDITING)
def audit() -> str:
    """List what was done, the newest first; on request check that the chain is whole."""
    asked = request.args.get("action", "")
    with site().database.reading() as session:
        statement = select(AuditEvent)
        if asked:
            statement = statement.where(AuditEvent.action == asked)
        total = session.scalar(select(func.count()).select_from(statement.subquery())) or 0
        page = Page(requested_page(), EVENTS_PER_PAGE, total)
        events = session.scalars(
            statement.order_by(AuditEvent.position.desc()).limit(EVENTS_PER_PAGE).offset(page.offset)
        ).all()
        return render_template(
            "staff/audit.html",
            events=_lines(session, events),
            actions=ACTION_NAMES,
            asked=asked,
            page=page,
            head=head(session),
            faults=_faults(session) if "check" in request.args else None,
            recurring_jobs=_recurring_jobs(session),
            pressures=pressures(session, now=current_time()),
            attempt_names=ATTEMPT_NAMES,
        )


def _recurring_jobs(session: Session) -> list[RecurringJobLine]:
    runs = last_runs(session, kinds=RECURRING_JOB_NAMES)
    zone = city_zone(session)
    return [
        RecurringJobLine(
            name=name,
            done_at=run.done_at.astimezone(zone) if run and run.done_at else None,
            failed_at=run.failed_at.astimezone(zone) if run and run.failed_at else None,
        )
        for kind, name in RECURRING_JOB_NAMES.items()
        for run in [runs.get(kind)]
    ]


def _faults(session: Session) -> list[tuple[int, LazyString]]:
    return [(position, FAULT_NAMES[fault]) for position, fault in islice(verify_chain(session), MOST_FAULTS)]


def _lines(session: Session, events: Sequence[AuditEvent]) -> list[EventLine]:
    usernames = {account_actor(row.id): row.username for row in session.execute(select(Account.id, Account.username))}
    zone = city_zone(session)
    return [
        EventLine(
            position=event.position,
            happened_at=event.happened_at.astimezone(zone),
            actor=usernames.get(event.actor) or _ACTOR_NAMES.get(event.actor, event.actor),
            action=ACTION_NAMES[AuditAction(event.action)] if event.action in set(AuditAction) else event.action,
            subject=event.subject,
            subject_name=usernames.get(event.subject) or subject_words(event.subject),
            before=particulars(json.loads(event.before or "{}"), zone),
            after=particulars(json.loads(event.after or "{}"), zone),
        )
        for event in events
    ]
