"""Views by which an office takes in what comes by telephone, at the desk or by letter."""

from collections.abc import Mapping, Sequence
from http import HTTPStatus

from flask import render_template, request
from sqlalchemy import select
from sqlalchemy.orm import Session, joinedload

from analytics.languages import DEFAULT_LANGUAGE
from survey_app import audit
from survey_app.accounts.guard import signed_in
from survey_app.accounts.policies import WORKING_CASES, policy
from survey_app.accounts.staff_pages import blueprint
from survey_app.casework.labels import channel_words
from survey_app.city_time import local_today
from survey_app.clock import current_time
from survey_app.complaints.cases import find_complaint
from survey_app.complaints.categories import categories
from survey_app.complaints.contacts import LONGEST_CONTACT
from survey_app.complaints.filing import (
    LONGEST_PLACE,
    LONGEST_TEXT,
    CheckedComplaint,
    check_complaint,
    record_complaint,
)
from survey_app.complaints.labels import case_kind_words
from survey_app.errors import OtherAnswersSubmitted
from survey_app.models import Community
from survey_app.models.vocabulary import AuditAction, CaseAction, CaseStatus, Channel
from survey_app.register.names import is_called
from survey_app.security.submission_keys import Form, SubmissionKey, read_key, sign_key
from survey_app.web.context import site
from survey_app.web.languages import current_language
from survey_app.web.typed_numbers import read_whole_number

Page = str | tuple[str, int]

# By which ways people come to an office; a code or a web page needs nobody to type.
OFFICE_CHANNELS = (Channel.TELEPHONE, Channel.VISIT, Channel.LETTER, Channel.OTHER)
_MOST_OFFERED = 20


@blueprint.get("/staff/cases/new")
@policy(WORKING_CASES)
def take_complaint() -> str:
    """Ask for a complaint on one page, in the order in which somebody tells it."""
    return _form_page(CheckedComplaint(category="", kind="", text=""), _new_key())


@blueprint.post("/staff/cases/new")
@policy(WORKING_CASES)
def record_taken_complaint() -> Page:
    """Store a complaint that was told, and show its reference with the secret, to be printed; nothing is lost."""
    now, account = current_time(), signed_in()
    secret_key = site().config.secret_key
    key = read_key(request.form.get("key", ""), form=Form.COMPLAINT, secret_key=secret_key)
    with site().database.reading() as session:
        complaint = check_complaint(request.form, today=local_today(session, now=now))
        offered = _communities(session, request.form)
    channel = next((channel for channel in OFFICE_CHANNELS if channel == request.form.get("channel")), None)
    if complaint.faults or channel is None or len(offered) != 1:
        page = _form_page(complaint, key, offered=offered, is_asked=True, channel=channel)
        return page, HTTPStatus.UNPROCESSABLE_ENTITY
    (community,) = offered
    try:
        with site().database.writing() as session:
            filed = record_complaint(
                session,
                community_id=community.id,
                code_id=None,
                key=key,
                complaint=complaint,
                channel=channel,
                language=DEFAULT_LANGUAGE,
                secret_key=secret_key,
                now=now,
            )
            if filed.is_new:
                audit.record(
                    session,
                    by=account.actor,
                    action=AuditAction.COMPLAINT_MOVED,
                    subject=f"complaint:{find_complaint(session, reference=filed.reference).id}",
                    after={"status": CaseStatus.SUBMITTED, "step": CaseAction.SUBMIT},
                    now=now,
                )
    except OtherAnswersSubmitted as error:
        page = _form_page(complaint, _new_key(), offered=offered, channel=channel, stored=error.number)
        return page, error.status
    return render_template(
        "casework/taken.html", filed=filed, community=community, category=categories().by_code[complaint.category]
    )


def _new_key() -> SubmissionKey:
    return SubmissionKey.new(form=Form.COMPLAINT, code_id=None, round_id=None, now=current_time())


def _communities(session: Session, form: Mapping[str, str]) -> Sequence[Community]:
    """Return the communities of the account that a form means: the one that was chosen, or those called as typed."""
    chosen, typed = read_whole_number(form.get("community_id")), form.get("community", "").strip()
    if chosen is None and not typed:
        return []
    meant = is_called(typed) if chosen is None else Community.id == chosen
    statement = signed_in().scope.communities(select(Community)).where(meant).options(joinedload(Community.district))
    found = session.scalars(statement.order_by(Community.sort_key).limit(_MOST_OFFERED)).all()
    # Whoever types a whole name or number means no other that holds it.
    exact = [community for community in found if typed in {community.name, community.english_name, community.number}]
    return exact if len(exact) == 1 else found


def _form_page(
    complaint: CheckedComplaint,
    key: SubmissionKey,
    *,
    offered: Sequence[Community] = (),
    is_asked: bool = False,
    channel: Channel | None = None,
    stored: str = "",
) -> str:
    language = current_language()
    words = channel_words(language)
    return render_template(
        "casework/intake.html",
        complaint=complaint,
        key=sign_key(key, secret_key=site().config.secret_key),
        typed=request.form.get("community", ""),
        offered=offered,
        is_asked=is_asked,
        channel=channel,
        stored=stored,
        groups=categories().groups,
        channels={each: words[each] for each in OFFICE_CHANNELS},
        kind_words=case_kind_words(language),
        longest_text=LONGEST_TEXT,
        longest_place=LONGEST_PLACE,
        longest_contact=LONGEST_CONTACT,
        language=language,
    )
