"""Views in which a second person confirms or declines the reset of an account of the city or an administrator."""

from http import HTTPStatus

from flask import flash, redirect, render_template, url_for
from flask_babel import gettext as _
from werkzeug.wrappers import Response

from survey_app.accounts.account_views import invitation_page
from survey_app.accounts.guard import signed_in
from survey_app.accounts.policies import CONFIRMING_RESETS, policy
from survey_app.accounts.reset_requests import confirm_reset, decline_reset, open_reset_requests
from survey_app.accounts.staff_pages import blueprint
from survey_app.city_time import city_zone
from survey_app.clock import current_time
from survey_app.web.context import site


@blueprint.get("/staff/reset-requests")
@policy(CONFIRMING_RESETS)
def reset_requests() -> str:
    """List the requests that wait for a second person."""
    with site().database.reading() as session:
        return render_template(
            "staff/reset_requests.html",
            requests=open_reset_requests(session, now=current_time()),
            zone=city_zone(session),
        )


@blueprint.post("/staff/reset-requests/<int:account_id>/confirm")
@policy(CONFIRMING_RESETS)
def confirm_request(account_id: int) -> str:
    """Reset the account, and show the link for a new password to the one who confirmed."""
    with site().database.writing() as session:
        account = confirm_reset(session, account_id=account_id, by_id=signed_in().account_id, now=current_time())
    return invitation_page(account)


@blueprint.post("/staff/reset-requests/<int:account_id>/decline")
@policy(CONFIRMING_RESETS)
def decline_request(account_id: int) -> Response:
    """Decline a request, or take one's own back."""
    with site().database.writing() as session:
        decline_reset(session, account_id=account_id, by_id=signed_in().account_id, now=current_time())
    flash(_("The request was declined. Nothing was changed."))
    return redirect(url_for("staff.reset_requests"), HTTPStatus.SEE_OTHER)
