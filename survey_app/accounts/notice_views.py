"""Views that tell the owner of an account after signing in what happened to it."""

from collections.abc import Mapping
from http import HTTPStatus
from types import MappingProxyType

from flask import redirect, render_template, request
from flask_babel import LazyString
from flask_babel import lazy_gettext as _
from werkzeug.wrappers import Response

from survey_app.accounts.guard import safe_target, signed_in
from survey_app.accounts.notices import mark_notices_read, unread_notices
from survey_app.accounts.policies import ALL_STAFF, policy
from survey_app.accounts.staff_pages import blueprint
from survey_app.city_time import city_zone
from survey_app.models.vocabulary import AuditAction
from survey_app.web.context import site

NOTICE_WORDS: Mapping[AuditAction, LazyString] = MappingProxyType(
    {
        AuditAction.SIGNED_IN: _("A recovery code was used to sign in."),
        AuditAction.PASSWORD_SET: _("The password was set."),
        AuditAction.AUTHENTICATOR_LINKED: _("An authenticator was linked."),
        AuditAction.RECOVERY_CODES_RENEWED: _("The recovery codes were renewed."),
        AuditAction.ACCOUNT_RESET: _("The account was reset; the old password and authenticator work no longer."),
        AuditAction.RESET_REQUESTED: _("A reset of the account was requested."),
        AuditAction.RESET_DECLINED: _("The requested reset was declined."),
        AuditAction.ACCOUNT_DISABLED: _("The account was disabled."),
        AuditAction.ACCOUNT_ENABLED: _("The account was enabled again."),
        AuditAction.ACCOUNT_PLACED: _("The account looks after other communities now."),
    }
)


@blueprint.get("/staff/notices")
@policy(ALL_STAFF)
def notices() -> str:
    """Show what happened to the account since its owner last confirmed that they read it."""
    with site().database.reading() as session:
        return render_template(
            "staff/notices.html",
            notices=unread_notices(session, account_id=signed_in().account_id),
            words=NOTICE_WORDS,
            target=safe_target(request.args.get("next")),
            zone=city_zone(session),
        )


@blueprint.post("/staff/notices")
@policy(ALL_STAFF)
def confirm_notices() -> Response:
    """Note that the notices were read, and go on to the page that was asked for."""
    with site().database.writing() as session:
        mark_notices_read(
            session,
            account_id=signed_in().account_id,
            read_to=request.form.get("read_to", 0, type=int),
            failed_sign_ins=request.form.get("failed_sign_ins", 0, type=int),
        )
    return redirect(safe_target(request.form.get("next")), HTTPStatus.SEE_OTHER)
