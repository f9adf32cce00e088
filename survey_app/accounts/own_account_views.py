"""Views of one's own account: its password, its recovery codes, its sessions."""

from http import HTTPStatus

from flask import flash, redirect, render_template, request, url_for
from flask_babel import gettext as _
from flask_babel import ngettext
from werkzeug.wrappers import Response

from survey_app.accounts import guard
from survey_app.accounts.accounts import NewPassword
from survey_app.accounts.guard import signed_in
from survey_app.accounts.own_account import change_password, end_other_sessions, own_sessions, replace_recovery_codes
from survey_app.accounts.passwords import Weakness, WeakPassword, check_strength
from survey_app.accounts.policies import ALL_STAFF, policy
from survey_app.accounts.request_sources import source_of_request
from survey_app.accounts.sign_in import SignInRefused, check_owner
from survey_app.accounts.staff_pages import blueprint
from survey_app.city_time import city_zone
from survey_app.clock import current_time
from survey_app.web.context import site

Page = str | Response | tuple[str, int]


@blueprint.get("/staff/account")
@policy(ALL_STAFF)
def own_account() -> str:
    """Show what the owner of an account can change."""
    return _page()


@blueprint.post("/staff/account/password")
@policy(ALL_STAFF)
def change_own_password() -> Page:
    """Set another password, and go on in a new session of this browser alone."""
    chosen = request.form.get("new_password", "")
    try:
        # Before the code is used up: it works once.
        check_strength(chosen, names=signed_in().names)
        check_signed_in_owner()
        password = NewPassword.of(chosen)
        with site().database.writing() as session:
            token = change_password(
                session,
                account_id=signed_in().account_id,
                credentials=signed_in().credentials,
                password=password,
                now=current_time(),
            )
    except WeakPassword as refused:
        return _page(refused_at="password", weakness=refused.weakness), HTTPStatus.BAD_REQUEST
    except SignInRefused:
        return _page(refused_at="password"), HTTPStatus.BAD_REQUEST
    guard.complete_sign_in(token)
    flash(_("The password is changed. Everywhere else the account is signed out."))
    return _back()


@blueprint.post("/staff/account/recovery-codes")
@policy(ALL_STAFF)
def renew_own_codes() -> Page:
    """Show new recovery codes, this once."""
    try:
        check_signed_in_owner()
    except SignInRefused:
        return _page(refused_at="codes"), HTTPStatus.BAD_REQUEST
    with site().database.writing() as session:
        token, codes = replace_recovery_codes(
            session,
            account_id=signed_in().account_id,
            credentials=signed_in().credentials,
            secret_key=site().config.secret_key,
            now=current_time(),
        )
    guard.complete_sign_in(token)
    return render_template("staff/recovery_codes.html", codes=codes, target=url_for("staff.own_account"), renewed=True)


@blueprint.post("/staff/account/sessions")
@policy(ALL_STAFF)
def end_own_sessions() -> Response:
    """Sign the account out in another browser, or in all others."""
    account = signed_in()
    with site().database.writing() as session:
        ended = end_other_sessions(
            session,
            account_id=account.account_id,
            token=account.session_token,
            digest=request.form.get("session"),
            now=current_time(),
        )
    flash(ngettext("%(num)s other session was ended.", "%(num)s other sessions were ended.", ended))
    return _back()


def check_signed_in_owner() -> None:
    """Raise `SignInRefused` or `TooManyAttempts` unless the form has the password and a code of who is signed in."""
    check_owner(
        site().database,
        username=signed_in().username,
        credentials=signed_in().credentials,
        password=request.form.get("password", ""),
        code=request.form.get("code", ""),
        source=source_of_request(),
        proof=f"session {signed_in().session_token}",
        secret_key=site().config.secret_key,
        now=current_time(),
    )


def _back() -> Response:
    return redirect(url_for("staff.own_account"), HTTPStatus.SEE_OTHER)


def _page(*, refused_at: str | None = None, weakness: Weakness | None = None) -> str:
    account = signed_in()
    with site().database.reading() as session:
        return render_template(
            "staff/account.html",
            sessions=own_sessions(
                session, account_id=account.account_id, token=account.session_token, now=current_time()
            ),
            zone=city_zone(session),
            refused_at=refused_at,
            weakness=weakness,
        )
