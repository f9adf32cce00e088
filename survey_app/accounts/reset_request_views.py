"""Views in which a second person confirms or declines the reset of an account of the city or an administrator."""

from http import HTTPStatus

from flask import flash, redirect, render_template, url_for
from flask_babel import gettext as _
from werkzeug.wrappers import Response

from survey_app.accounts.account_views import invitation_page
from survey_app.accounts.guard import signed_in
from survey_app.accounts.own_account_views import check_signed_in_owner
from survey_app.accounts.policies import CONFIRMING_RESETS, policy
from survey_app.accounts.reset_requests import (
    confirm_reset,
    decline_reset,
    may_confirm,
    open_reset_requests,
    reset_to_confirm,
)
from survey_app.accounts.second_persons import TIME_IN_FORCE
from survey_app.accounts.sign_in import SignInRefused
from survey_app.accounts.staff_pages import blueprint
from survey_app.city_time import city_zone
from survey_app.clock import current_time
from survey_app.models import Account
from survey_app.web.context import site


@blueprint.get("/staff/reset-requests")
@policy(CONFIRMING_RESETS)
def reset_requests() -> str:
    """List the requests that wait for a second person."""
    with site().database.reading() as session:
        requests = open_reset_requests(session, now=current_time())
        reader = session.get_one(Account, signed_in().account_id)
        return render_template(
            "staff/reset_requests.html",
            requests=requests,
            confirmable={each.account_id for each in requests if may_confirm(reader, each)},
            days=TIME_IN_FORCE.days,
            zone=city_zone(session),
        )


@blueprint.get("/staff/reset-requests/<int:account_id>/confirm")
@policy(CONFIRMING_RESETS)
def show_confirmation(account_id: int) -> str:
    """Ask the second person for password and code: a browser left open confirms nothing."""
    return _confirmation_page(account_id)


@blueprint.post("/staff/reset-requests/<int:account_id>/confirm")
@policy(CONFIRMING_RESETS)
def confirm_request(account_id: int) -> str | tuple[str, int]:
    """Reset the account, and show the link for a new password to the one who confirmed."""
    # Before a code is used up for a request that is over, or is another person's to confirm.
    page = _confirmation_page(account_id, is_refused=True)
    try:
        check_signed_in_owner()
    except SignInRefused:
        return page, HTTPStatus.BAD_REQUEST
    with site().database.writing() as session:
        account = confirm_reset(
            session,
            account_id=account_id,
            by_id=signed_in().account_id,
            credentials=signed_in().credentials,
            now=current_time(),
        )
    return invitation_page(account)


@blueprint.post("/staff/reset-requests/<int:account_id>/decline")
@policy(CONFIRMING_RESETS)
def decline_request(account_id: int) -> Response:
    """Decline a request, or take one's own back."""
    with site().database.writing() as session:
        decline_reset(session, account_id=account_id, by_id=signed_in().account_id, now=current_time())
    flash(_("The request was declined. Nothing was changed."))
    return redirect(url_for("staff.reset_requests"), HTTPStatus.SEE_OTHER)


def _confirmation_page(account_id: int, *, is_refused: bool = False) -> str:
    with site().database.reading() as session:
        by = session.get_one(Account, signed_in().account_id)
        found = reset_to_confirm(session, account_id=account_id, by=by, now=current_time())
        return render_template("staff/confirm_reset.html", request=found, is_refused=is_refused)
