"""Views of accounts, for administrators: adding, disabling and resetting them."""

from http import HTTPStatus
from typing import TypedDict

from flask import abort, flash, redirect, render_template, request, url_for
from flask_babel import gettext as _
from sqlalchemy import or_, select
from sqlalchemy.orm import Session, joinedload
from werkzeug.wrappers import Response

from survey_app.accounts.accounts import (
    InvalidUsername,
    UsernameTaken,
    WrongArea,
    add_account,
    disable_account,
    enable_account,
    reset_account,
)
from survey_app.accounts.guard import signed_in
from survey_app.accounts.invitations import invite
from survey_app.accounts.policies import ADMINISTRATING, policy
from survey_app.accounts.reset_requests import request_reset
from survey_app.accounts.second_persons import check_disabling, needs_second_person
from survey_app.accounts.staff_pages import USERNAME_RULE, blueprint
from survey_app.clock import current_time
from survey_app.models import Account, Community, District, PropertyCompany
from survey_app.models.vocabulary import Role
from survey_app.web.context import site
from survey_app.web.template_filters import public_address


class _Places(TypedDict):
    district: District | None
    company: PropertyCompany | None
    community: Community | None


class UnknownPlace(LookupError):
    """The form names a company or a community that does not exist."""


@blueprint.get("/staff/accounts")
@policy(ADMINISTRATING)
def accounts() -> str:
    """List all accounts, with the form for another one."""
    return _accounts_page()


@blueprint.post("/staff/accounts")
@policy(ADMINISTRATING)
def add() -> str | tuple[str, int]:
    """Add an account and show, this once, the link by which its owner chooses a password."""
    try:
        with site().database.writing() as session:
            account = add_account(
                session,
                username=request.form.get("username", ""),
                password=None,
                role=_role(),
                by=signed_in().actor,
                now=current_time(),
                **_places(session),
            )
    except UsernameTaken:
        return _accounts_page(_("There is already an account of this name.")), HTTPStatus.CONFLICT
    except InvalidUsername:
        return _accounts_page(str(USERNAME_RULE)), HTTPStatus.BAD_REQUEST
    except UnknownPlace:
        return _accounts_page(_("There is no such property company or community.")), HTTPStatus.BAD_REQUEST
    except WrongArea:
        wrong = _("A district bureau needs its district, a company its company, a clerk a district or one community.")
        return _accounts_page(wrong), HTTPStatus.BAD_REQUEST
    return invitation_page(account)


@blueprint.post("/staff/accounts/<int:account_id>/reset")
@policy(ADMINISTRATING)
def reset(account_id: int) -> str | Response:
    """Remove password and authenticator, and show the link for new ones; or ask a second person first."""
    with site().database.writing() as session:
        account = _account(session, account_id)
        is_shared = needs_second_person(account)
        if is_shared:
            request_reset(
                session,
                account=account,
                by_id=signed_in().account_id,
                credentials=signed_in().credentials,
                now=current_time(),
            )
        else:
            reset_account(session, account=account, by=signed_in().actor, now=current_time())
    if not is_shared:
        return invitation_page(account)
    flash(_("The reset waits for a second person: another city or administrator account confirms it."))
    return redirect(url_for("staff.reset_requests"), HTTPStatus.SEE_OTHER)


@blueprint.post("/staff/accounts/<int:account_id>/disable")
@policy(ADMINISTRATING)
def disable(account_id: int) -> Response:
    """Disable sign-in with an account."""
    now, asked_by = current_time(), signed_in()
    with site().database.writing() as session:
        account = _account(session, account_id)
        if asked_by.account_id != account_id:
            check_disabling(
                session, account=account, by_id=asked_by.account_id, credentials=asked_by.credentials, now=now
            )
        disable_account(session, account=account, by=asked_by.actor, now=now)
    return redirect(url_for("staff.accounts"), HTTPStatus.SEE_OTHER)


@blueprint.post("/staff/accounts/<int:account_id>/enable")
@policy(ADMINISTRATING)
def enable(account_id: int) -> Response:
    """Enable sign-in with an account again."""
    with site().database.writing() as session:
        enable_account(session, account=_account(session, account_id), by=signed_in().actor, now=current_time())
    return redirect(url_for("staff.accounts"), HTTPStatus.SEE_OTHER)


def invitation_page(account: Account) -> str:
    """Return the page with the link by which the owner of an account chooses a password; it is shown this once."""
    token = invite(account, secret_key=site().config.secret_key, now=current_time())
    link = public_address("staff.show_invitation", token=token)
    return render_template("staff/invitation.html", username=account.username, link=link)


def _accounts_page(refusal: str | None = None) -> str:
    places = (joinedload(Account.district), joinedload(Account.company), joinedload(Account.community))
    with site().database.reading() as session:
        return render_template(
            "staff/accounts.html",
            accounts=session.scalars(select(Account).options(*places).order_by(Account.username)).all(),
            districts=session.scalars(select(District).order_by(District.sort_key)).all(),
            roles=list(Role),
            needs_second_person=needs_second_person,
            form=request.form,
            refusal=refusal,
        )


def _account(session: Session, account_id: int) -> Account:
    account = session.get(Account, account_id)
    if account is None:
        abort(HTTPStatus.NOT_FOUND)
    return account


def _role() -> Role:
    try:
        return Role(request.form.get("role", ""))
    except ValueError:
        abort(HTTPStatus.BAD_REQUEST)


def _places(session: Session) -> _Places:
    """Return the places that the form binds the account to; a field that is left empty binds it to nothing."""
    district, company, community = (
        request.form.get(field, "").strip() for field in ("district", "company", "community")
    )
    company_names = or_(PropertyCompany.name == company, PropertyCompany.english_name == company)
    places = _Places(
        district=session.scalar(select(District).filter_by(name=district)) if district else None,
        company=session.scalar(select(PropertyCompany).where(company_names)) if company else None,
        community=session.scalar(select(Community).filter_by(number=community)) if community else None,
    )
    typed = sum(map(bool, (district, company, community)))
    if typed != sum(place is not None for place in places.values()):
        raise UnknownPlace
    return places
