"""Signing in and out."""

from http import HTTPStatus

from flask import redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from survey_app import access
from survey_app.context import site
from survey_app.policies import ALL_STAFF, PUBLIC, policy
from survey_app.views.staff.blueprint import blueprint


@blueprint.get("/sign-in")
@policy(PUBLIC)
def sign_in() -> str:
    """Show the sign-in form."""
    return render_template("staff/sign_in.html", target=access.safe_target(request.args.get("next")))


@blueprint.post("/sign-in")
@policy(PUBLIC)
def check_sign_in() -> Response | tuple[str, int]:
    """Sign in and go on to the page that was asked for, or show the form again."""
    target = access.safe_target(request.form.get("next"))
    username, password = request.form.get("username", ""), request.form.get("password", "")
    with site().database.reading() as session:
        if access.sign_in(session, username=username, password=password):
            return redirect(target, HTTPStatus.SEE_OTHER)
    page = render_template("staff/sign_in.html", target=target, username=username, refused=True)
    return page, HTTPStatus.UNAUTHORIZED


@blueprint.post("/sign-out")
@policy(ALL_STAFF)
def sign_out() -> Response:
    """End every session of the account."""
    with site().database.writing() as session:
        access.sign_out(session)
    return redirect(url_for("staff.sign_in"), HTTPStatus.SEE_OTHER)
