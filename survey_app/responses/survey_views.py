"""Views of the survey: the form, its privacy notice, its submission."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from functools import lru_cache, partial
from http import HTTPStatus
from itertools import chain
from operator import attrgetter
from typing import Any, Final

from flask import Blueprint, Response, redirect, render_template, request, url_for
from flask_babel import gettext as _
from markupsafe import Markup
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response as AnyResponse

from survey_app.accounts.policies import RESIDENT, SENDING_PHOTOS, declare_policy, policy
from survey_app.attachments.kinds import PHOTO
from survey_app.attachments.scanning import Upload
from survey_app.attachments.uploads import uploads_in
from survey_app.clock import current_time
from survey_app.codes.codes import find_code, is_reference
from survey_app.errors import InvalidSubmissionKey, OtherAnswersSubmitted
from survey_app.models.vocabulary import CodeKind, SupersededWithin
from survey_app.register.names import bureau_name
from survey_app.responses.addresses import address_of_own_receipt, network_digests_of_answers
from survey_app.responses.form_cache import CachedForm, form_cache_key
from survey_app.responses.photo_uploads import AnswerPhotos, photos_to_show, store_uploaded_photos
from survey_app.responses.receipts import find_current_response, find_receipt, sign_change
from survey_app.responses.submission import (
    NEW_RESPONSES,
    Visit,
    new_response,
    open_visit,
    record_sent_form,
    resume_visit,
)
from survey_app.rounds.privacy_notice import fill_notice
from survey_app.rounds.privacy_promises import Concerned, statements_to
from survey_app.rounds.questionnaires import AnswerFault, CheckedAnswers, questionnaire_from_canonical
from survey_app.security.submission_keys import Form, SubmissionKey, read_key, sign_key
from survey_app.storage.sized_cache import SizedCache
from survey_app.web.context import site
from survey_app.web.languages import current_language
from survey_app.web.security_headers import POLICY_HEADER, policy_with_style
from survey_app.web.spliced_pages import SplicedPage
from survey_app.web.static_files import stylesheet
from survey_app.web.template_filters import local_date

blueprint = Blueprint("survey", __name__)
declare_policy(blueprint, RESIDENT)

NO_PHOTOS = AnswerPhotos()
_KEY_MARK = "\0key\0"

# Of each poster, language and size of letters that somebody has asked for.
BLANK_PAGES: Final = SizedCache(most=32 * 2**20, size_of=attrgetter("size_in_bytes"), entries=512)


@blueprint.get("/s/")
def ask_for_code() -> AnyResponse:
    """Redirect an address without a code to where one can be typed."""
    return redirect(url_for("home.show"), HTTPStatus.SEE_OTHER)


@blueprint.get("/s/<token>")
def show_form(token: str) -> AnyResponse:
    """Show the form of the open round."""
    now = current_time()
    read = partial(_open_form, token=token, now=now)
    # The form of a slip is one household's, and its address expires: there is nothing to cache.
    cache_key = None if is_reference(token) else form_cache_key(request.environ)
    form = None if cache_key is None else site().read_cache.get_or_read(cache_key, read)
    if form is None or not form.visit.is_open(now):
        with site().database.reading() as session:
            form = read(session)
    body, headers = form.copy_for(request.environ, secret_key=site().config.secret_key, now=now)
    if form.visit.kind is not CodeKind.POSTER:
        headers.append((POLICY_HEADER, policy_with_style(stylesheet().policy_source)))
    return Response(body, headers=headers)


@blueprint.get("/s/<token>/")
def lead_to_form(token: str) -> AnyResponse:
    """Redirect an address with a slash too many, as chats and people write it, to the form."""
    return redirect(url_for("survey.show_form", token=token), HTTPStatus.SEE_OTHER)


@blueprint.get("/s/<token>/privacy")
def show_privacy(token: str) -> str:
    """Show the full privacy notice of the open round."""
    with site().database.reading() as session:
        visit = open_visit(session, token=token, secret_key=site().config.secret_key, now=current_time())
    facts = _notice_facts(visit)
    statements = statements_to(
        Concerned.SURVEY,
        language=current_language(),
        kept_until=local_date(visit.responses_kept_until),
        left_out=() if visit.takes_slips else ("household",),
    )
    return render_template("survey/privacy.html", visit=visit, statements=statements, **facts)


@blueprint.post("/s/<token>")
@policy(SENDING_PHOTOS)
def submit(token: str) -> AnyResponse | str | tuple[str, int]:
    """Store the answers and redirect to the receipt, or say what is missing with every answer kept."""
    now = current_time()
    if request.mimetype == "multipart/form-data":
        # Before the form is looked at: whoever has no code is not worth the work.
        with site().database.reading() as session:
            find_code(session, token=token, secret_key=site().config.secret_key)
    uploads = uploads_in(request, kind=PHOTO)
    given = request.form.to_dict(flat=False)
    try:
        key = read_key(request.form.get("key", ""), form=Form.RESPONSE, secret_key=site().config.secret_key)
        visit = _resume(token, key)
    except InvalidSubmissionKey:
        return _ask_to_send_again(token, given, uploads, now=now)
    photo_faults = store_uploaded_photos(visit, key, uploads, now=now) if visit.is_open(now) else {}
    if shown := given.get("show"):  # the buttons that change language and print send what was typed
        photos = photos_to_show(visit, key, photo_faults)
        if "conflict" not in shown:  # which is found anew, and said in the other language
            return _form(visit, _signed(key), given, photos=photos, is_unsent="unsent" in shown)
    answers = visit.questionnaire.check_answers(given)
    if answers.faults:
        if not visit.is_open(now):
            raise visit.over()
        photos = photos_to_show(visit, key, photo_faults)
        return _form(visit, _signed(key), given, answers.faults, photos=photos), HTTPStatus.UNPROCESSABLE_ENTITY
    try:
        receipt = _store(visit, key, answers, now=now)
    except OtherAnswersSubmitted as error:
        return _other_answers_page(visit, key, answers, given, first=error.number, now=now), error.status
    # A photo that failed holds up nothing: the receipt says that the answers are stored, and that it is not.
    return redirect(address_of_own_receipt(receipt, chain(*photo_faults.values())), HTTPStatus.SEE_OTHER)


def _resume(token: str, key: SubmissionKey) -> Visit:
    """Return the visit in which a form was opened; what stores anything checks it again."""
    read = partial(resume_visit, token=token, secret_key=site().config.secret_key, key=key)
    # What is read of a slip depends on the answers of its household; photos are stored before the answers are checked.
    if is_reference(token) or request.mimetype == "multipart/form-data":
        with site().database.reading() as session:
            return read(session)
    return site().read_cache.get_or_read(("resumed visit", token, key.code_id, key.round_id), read)


def _store(visit: Visit, key: SubmissionKey, answers: CheckedAnswers, *, now: datetime) -> str:
    """Store the answers once, and return their receipt number when that is committed."""
    facts: dict[str, Any] = {
        "key": key,
        "answers": answers,
        "language": current_language(),
        "network": network_digests_of_answers(visit.round_id),
        "secret_key": site().config.secret_key,
        "now": now,
    }
    if visit.is_open(now) and not visit.questionnaire.photo_questions:
        row = new_response(visit=visit, **facts)
        if site().writer.insert_once(NEW_RESPONSES, row):
            return str(row["receipt"])
    # With photos, after the close, sent before, or through a code that was revoked a moment ago.
    return site().writer.run(partial(record_sent_form, token=visit.token, **facts))


def _other_answers_page(
    visit: Visit,
    key: SubmissionKey,
    answers: CheckedAnswers,
    given: Mapping[str, Sequence[str]],
    *,
    first: str,
    now: datetime,
) -> str:
    """Ask what to do with other answers in a form that was sent before; only what is possible now is offered."""
    secret_key, tenure = site().config.secret_key, answers.answers[visit.questionnaire.tenure]
    with site().database.reading() as session:
        receipt = find_receipt(session, number=first, secret_key=secret_key, now=now)
        is_same_tenure = find_current_response(session, number=first, now=now).tenure == tenure
    return render_template(
        "survey/other_answers.html",
        visit=visit,
        is_open=visit.is_open(now),
        may_be_corrected=receipt.may_be_corrected(now),
        replaces_first=is_same_tenure or visit.replaced_within is SupersededWithin.HOUSEHOLD,
        receipt=first,
        reference=sign_change(first, secret_key=secret_key, now=now),
        first_key=_signed(key),
        correction_key=_signed(_new_key(visit, Form.CORRECTION)),
        key=_signed(_new_key(visit)),
        given=[(question, value) for question in answers.answers for value in given[question]],
    )


def _ask_to_send_again(
    token: str, given: Mapping[str, Sequence[str]], uploads: Sequence[Upload], *, now: datetime
) -> tuple[str, int]:
    """Give the answers a new form: its key was altered on the way, or is another poster's or another round's."""
    with site().database.reading() as session:
        visit = open_visit(session, token=token, secret_key=site().config.secret_key, now=now)
    key = _new_key(visit)
    photos = photos_to_show(visit, key, store_uploaded_photos(visit, key, uploads, now=now))
    return _form(visit, _signed(key), given, photos=photos, is_renewed=True), HTTPStatus.BAD_REQUEST


def _open_form(session: Session, *, token: str, now: datetime) -> CachedForm:
    visit = open_visit(session, token=token, secret_key=site().config.secret_key, now=now)
    if visit.kind is not CodeKind.POSTER:
        return CachedForm(visit, _blank_page(visit))
    # All that the form shows, though it finds some of it by itself.
    shown = (visit, site().config, current_language(), request.query_string)
    return CachedForm(visit, BLANK_PAGES.get_or_make(shown, lambda: _blank_page(visit)))


def _blank_page(visit: Visit) -> SplicedPage:
    """Return the form around its key. Rendering it for every scan took half of the time of a visit.

    That of a slip carries its style inside: the redirect to it has cost a request already.
    """
    style = None if visit.kind is CodeKind.POSTER else Markup(stylesheet().content.decode("utf-8"))  # noqa: S704
    return SplicedPage.around(_KEY_MARK, _form(visit, _KEY_MARK, style=style))


def _form(
    visit: Visit,
    key: str,
    given: Mapping[str, Sequence[str]] | None = None,
    faults: Sequence[AnswerFault] = (),
    *,
    photos: AnswerPhotos = NO_PHOTOS,
    is_renewed: bool = False,
    is_unsent: bool = False,
    style: Markup | None = None,
) -> str:
    definition = visit.questionnaire.canonical_text
    facts = _notice_facts(visit)
    notice = visit.questionnaire.notice
    notice_of_kind = notice.household if visit.takes_slips else notice.poster
    language = current_language()
    questions = questions_of(definition, given, faults, photos) if given else _blank_questions(definition, language)
    return render_template(
        "survey/form.html",
        visit=visit,
        key=key,
        notice=fill_notice(notice_of_kind.in_language(language), facts),
        bureau=facts["bureau"],
        telephone=facts["telephone"],
        questions=questions,
        faults=faults,
        is_renewed=is_renewed,
        is_unsent=is_unsent,
        style=style,
        is_answered=given is not None,
    )


@lru_cache(maxsize=16)
def _blank_questions(definition: str, language: str) -> Markup:  # noqa: ARG001 (the language is that of the request)
    # A hundred options: the same for every community.
    return questions_of(definition, {}, ())


def questions_of(
    definition: str,
    given: Mapping[str, Sequence[str]] | None,
    faults: Sequence[AnswerFault],
    photos: AnswerPhotos | None = NO_PHOTOS,
) -> Markup:
    """Return the questions of a form, with what was answered and what is wrong with it; None where no photos go in."""
    questionnaire = questionnaire_from_canonical(definition)
    return Markup(  # noqa: S704 (a template's output, escaped there)
        render_template(
            "survey/questions.html",
            questionnaire=questionnaire,
            number_by_key=questionnaire.number_by_key,
            given=given or {},
            faults=faults,
            photos=photos,
        )
    )


def _notice_facts(visit: Visit) -> dict[str, str | None]:
    link = Markup('<a href="{}">{}</a>').format(
        url_for("survey.show_privacy", token=visit.token), _("Full privacy notice")
    )
    return {
        "bureau": bureau_name(visit.district, current_language()),
        "telephone": visit.telephone,
        "evaluator": visit.evaluator.in_language(current_language()) if visit.evaluator else None,
        "date": local_date(visit.responses_kept_until),
        "link": link,
    }


def _new_key(visit: Visit, form: Form = Form.RESPONSE) -> SubmissionKey:
    return SubmissionKey.new(form=form, code_id=visit.code_id, round_id=visit.round_id, now=current_time())


def _signed(key: SubmissionKey) -> str:
    return sign_key(key, secret_key=site().config.secret_key)
