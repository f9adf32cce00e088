"""Views that file a complaint: what it is about, what others will see of it, its reference with the secret."""

from dataclasses import dataclass, replace
from functools import partial
from http import HTTPStatus

from flask import Request, render_template, request
from sqlalchemy import select
from sqlalchemy.orm import Session

from survey_app.accounts.policies import SENDING_PHOTOS, policy
from survey_app.accounts.request_sources import network_digests_of_request, source_of_request
from survey_app.attachments.attachments import (
    KeptAttachment,
    attachments_of_form,
    change_attachments,
    scan_uploads,
)
from survey_app.attachments.kinds import PHOTO
from survey_app.attachments.scanning import AttachmentFault
from survey_app.attachments.uploads import uploads_in
from survey_app.city_time import city_zone, local_today
from survey_app.clock import current_time
from survey_app.codes.codes import ScannedCode, find_code
from survey_app.complaints.blueprint import blueprint
from survey_app.complaints.case_addresses import read_case, sign_case
from survey_app.complaints.case_secrets import link_proof
from survey_app.complaints.categories import categories, category_of
from survey_app.complaints.category_search import find_categories, words_of
from survey_app.complaints.contacts import LONGEST_CONTACT
from survey_app.complaints.filing import (
    LONGEST_PLACE,
    LONGEST_TEXT,
    CheckedComplaint,
    Filed,
    check_complaint,
    file_complaint,
)
from survey_app.complaints.redaction import split
from survey_app.complaints.similar_cases import similar_cases, support_case
from survey_app.errors import InvalidSubmissionKey, OtherAnswersSubmitted, UnknownNumber
from survey_app.models import Community, District
from survey_app.models.vocabulary import CaseKind, Channel
from survey_app.register.names import bureau_name
from survey_app.rounds.privacy_promises import Concerned, statements_to
from survey_app.security.submission_keys import Form, SubmissionKey, read_key, sign_key
from survey_app.security.text import clean_text
from survey_app.web.context import site
from survey_app.web.languages import current_language

Page = str | tuple[str, int]

LONGEST_FIND = 60


@dataclass(frozen=True)
class SentForm:
    """Submitted form of a complaint: whose it is, what it says, and the photos that wait for it.

    `is_renewed` says that its key was not valid: it has a new one, and the resident is asked to send it again.
    """

    code: ScannedCode
    key: SubmissionKey
    complaint: CheckedComplaint
    photos: list[KeptAttachment]
    photo_faults: list[AttachmentFault]
    is_renewed: bool


@blueprint.get("/c/<token>")
def show_form(token: str) -> str:
    """Show the form for complaints about one community."""
    with site().database.reading() as session:
        code = _find_code(session, token)
        today = local_today(session, now=current_time())
    blank = CheckedComplaint(category="", kind="", text="", occurred=today.isoformat())
    return _form_page(SentForm(code, _new_key(code), blank, [], [], is_renewed=False))


@blueprint.get("/c/<token>/privacy")
def show_privacy(token: str) -> str:
    """Show the full privacy notice for complaints."""
    with site().database.reading() as session:
        code = _find_code(session, token)
        telephone = session.scalar(select(District.telephone).join(Community).where(Community.id == code.community_id))
    return render_template(
        "complaints/privacy.html",
        token=token,
        bureau=bureau_name(code.district, current_language()),
        telephone=telephone,
        statements=statements_to(Concerned.COMPLAINT, language=current_language()),
    )


@blueprint.post("/c/<token>/check")
@policy(SENDING_PHOTOS)
def check(token: str) -> Page:
    """Show what others will see and similar cases, or say what is missing with every word kept."""
    sent = _receive(request, token)
    if sent.is_renewed:
        return _form_page(sent), HTTPStatus.BAD_REQUEST
    if sent.complaint.faults:
        return _form_page(sent), HTTPStatus.UNPROCESSABLE_ENTITY
    return _check_page(sent)


@blueprint.post("/c/<token>/edit")
@policy(SENDING_PHOTOS)
def edit(token: str) -> str:
    """Show the form again with all that was typed."""
    sent = _receive(request, token)
    return _form_page(replace(sent, complaint=replace(sent.complaint, faults=())))


@blueprint.post("/c/<token>")
@policy(SENDING_PHOTOS)
def file(token: str) -> Page:
    """Store a complaint and show its reference with the secret; the response is the page itself.

    A redirect could not carry the secret without writing it into an address, and addresses are logged and shared.
    """
    sent = _receive(request, token)
    # The buttons that change language and print send what was typed, so that it comes back; what was filed is shown.
    if request.form.get("show", "filed") != "filed":
        return _form_page(replace(sent, complaint=replace(sent.complaint, faults=())))
    if sent.is_renewed:
        return _form_page(sent), HTTPStatus.BAD_REQUEST
    if sent.complaint.faults:
        return _form_page(sent), HTTPStatus.UNPROCESSABLE_ENTITY
    try:
        filed = site().writer.run(
            partial(
                file_complaint,
                code=sent.code,
                key=sent.key,
                complaint=sent.complaint,
                channel=Channel.CODE,
                language=current_language(),
                secret_key=site().config.secret_key,
                now=current_time(),
            )
        )
    except OtherAnswersSubmitted as error:
        return _other_complaint_page(sent, error), error.status
    return _filed_page(sent, filed)


@blueprint.post("/c/<token>/support")
@policy(SENDING_PHOTOS)
def support(token: str) -> Page:
    """Count a neighbour who has the same trouble, once, and still offer to file a case of one's own."""
    sent = _receive(request, token)
    case = request.form.get("reference", "")
    # Only what the page offered: a number that somebody made up does not tell whether there is such a case.
    reference = _offered_reference(case)
    if sent.is_renewed or reference is None:
        return _form_page(sent), HTTPStatus.BAD_REQUEST
    supported = site().writer.run(
        partial(
            support_case,
            reference=reference,
            community_id=sent.code.community_id,
            key=sent.key,
            device=request.form.get("device", ""),
            source=source_of_request(),
            secret_key=site().config.secret_key,
            now=current_time(),
        )
    )
    return render_template(
        "complaints/supported.html", **_facts(sent), reference=reference, case=case, support=supported
    )


def _receive(request: Request, token: str) -> SentForm:
    """Read a submitted form: its photos are stored at once, so that no later fault loses them."""
    with site().database.reading() as session:
        # Before the form is looked at: whoever has no code is not worth the work.
        code = _find_code(session, token)
    uploads = uploads_in(request, kind=PHOTO)
    key, is_renewed = _read_key(request, code)
    # Decoding takes long: no transaction is open meanwhile.
    photos, faults = scan_uploads(uploads, kind=PHOTO)
    with site().database.reading() as session:
        complaint = _read_complaint(session, request)
    dropped = request.form.getlist("drop")
    if photos or dropped:
        change = partial(
            change_attachments,
            kind=PHOTO,
            key=key,
            community_id=code.community_id,
            network=network_digests_of_request("attachment"),
            dropped=dropped,
            files=photos,
            secret_key=site().config.secret_key,
            now=current_time(),
        )
        faults += site().writer.run(change)
    with site().database.reading() as session:
        return SentForm(code, key, complaint, attachments_of_form(session, kind=PHOTO, key=key), faults, is_renewed)


def _read_complaint(session: Session, request: Request) -> CheckedComplaint:
    given = request.form.to_dict()
    if not given.get("kind"):
        given["kind"] = categories().suggest_kind(given.get("category", ""), given.get("text", ""))
    return check_complaint(given, today=local_today(session, now=current_time()))


def _read_key(request: Request, code: ScannedCode) -> tuple[SubmissionKey, bool]:
    """Return the key that came with the form, or a new one where it is altered or of another poster."""
    try:
        key = read_key(request.form.get("key", ""), form=Form.COMPLAINT, secret_key=site().config.secret_key)
    except InvalidSubmissionKey:
        return _new_key(code), True
    return (key, False) if key.code_id == code.id else (_new_key(code), True)


def _form_page(sent: SentForm) -> str:
    typed = clean_text(request.form.get("find", ""))[:LONGEST_FIND]
    return render_template(
        "complaints/form.html",
        **_facts(sent),
        categories=categories(),
        words_of=words_of,
        typed=typed,
        found=find_categories(categories(), typed),
        longest_find=LONGEST_FIND,
        longest_text=LONGEST_TEXT,
        longest_place=LONGEST_PLACE,
        longest_contact=LONGEST_CONTACT,
        most_photos=PHOTO.most_per_question,
        faults=() if sent.is_renewed else sent.complaint.faults,
        is_renewed=sent.is_renewed,
        is_answered=request.method == "POST",
    )


def _offered_reference(text: str) -> str | None:
    try:
        case = read_case(text, secret_key=site().config.secret_key)
    except UnknownNumber:
        return None
    return case.reference if case.is_signed else None


def _check_page(sent: SentForm) -> str:
    complaint = sent.complaint
    with site().database.reading() as session:
        similar = similar_cases(
            session,
            community_id=sent.code.community_id,
            category=complaint.category,
            zone=city_zone(session),
            now=current_time(),
        )
    return render_template(
        "complaints/check.html",
        **_facts(sent),
        category=category_of(complaint.category),
        kinds=(CaseKind.COMPLAINT, CaseKind.REPAIR, CaseKind.ENQUIRY),
        place=split(complaint.place),
        text=split(complaint.text),
        similar=[(case, _signed_case(case.reference)) for case in similar],
    )


def _filed_page(sent: SentForm, filed: Filed) -> str:
    proof = None
    if filed.secret is not None:
        proof = link_proof(filed.secret, reference=filed.reference, secret_key=site().config.secret_key)
    return render_template(
        "complaints/filed.html", **_facts(sent), filed=filed, case=_signed_case(filed.reference), proof=proof
    )


def _other_complaint_page(sent: SentForm, error: OtherAnswersSubmitted) -> str:
    # The photos stay with the case that was filed first: those of the new one are chosen anew.
    renewed = replace(sent, key=_new_key(sent.code), photos=[])
    return render_template(
        "complaints/other_complaint.html",
        **_facts(renewed),
        first_key=sign_key(sent.key, secret_key=site().config.secret_key),
        reference=error.number,
        case=_signed_case(error.number),
    )


def _signed_case(reference: str) -> str:
    return sign_case(reference, secret_key=site().config.secret_key)


def _facts(sent: SentForm) -> dict[str, object]:
    """Return the template variables of every page of a form."""
    complaint = sent.complaint
    return {
        "token": sent.code.token,
        "code": sent.code,
        "bureau": bureau_name(sent.code.district, current_language()),
        "key": sign_key(sent.key, secret_key=site().config.secret_key),
        "complaint": complaint,
        "photos": sent.photos,
        "photo_faults": sent.photo_faults,
        "given": [
            ("category", complaint.category),
            ("text", complaint.text),
            ("place", complaint.place),
            ("occurred", complaint.occurred),
            ("contact", complaint.contact),
            *([("consent", "yes")] if complaint.consents else []),
        ],
    }


def _find_code(session: Session, token: str) -> ScannedCode:
    return find_code(session, token=token, secret_key=site().config.secret_key)


def _new_key(code: ScannedCode) -> SubmissionKey:
    return SubmissionKey.new(form=Form.COMPLAINT, code_id=code.id, round_id=None, now=current_time())
