"""View of the code on a household's slip: a redirect to an address that does not carry it."""

from http import HTTPStatus

from flask import Blueprint, redirect
from werkzeug.wrappers import Response as AnyResponse

from survey_app.accounts.policies import RESIDENT, declare_policy
from survey_app.responses.addresses import address_of_slip

blueprint = Blueprint("slips", __name__)
declare_policy(blueprint, RESIDENT)


@blueprint.get("/h/<token>")
def scan(token: str) -> AnyResponse:
    """Redirect to the form, so that what a resident passes on or leaves in a history opens it for a day only."""
    leading = redirect(address_of_slip(token), HTTPStatus.SEE_OTHER)
    leading.set_data(b"")  # every phone follows by itself, and its first visit shall be small
    return leading
