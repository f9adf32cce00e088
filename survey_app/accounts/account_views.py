"""Views of accounts, for administrators: adding, disabling and resetting them."""

from collections.abc import Sequence
from http import HTTPStatus

from flask import abort, flash, redirect, render_template, request, url_for
from flask_babel import gettext as _
from sqlalchemy import or_, select
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response

from survey_app.accounts.accounts import (
    MOST_COMMUNITIES,
    PLACED_ROLES,
    WITH_PLACES,
    BoundTo,
    InvalidUsername,
    SeveralAreas,
    TooManyCommunities,
    UsernameTaken,
    WrongArea,
    add_account,
    area_names,
    disable_account,
    enable_account,
    place_account,
    reset_account,
)
from survey_app.accounts.guard import signed_in
from survey_app.accounts.invitations import invite
from survey_app.accounts.place_choice import UnknownPlace, find_place, offered_places, option_value
from survey_app.accounts.policies import ADMINISTRATING, policy
from survey_app.accounts.reset_requests import request_reset
from survey_app.accounts.second_persons import check_disabling, needs_second_person
from survey_app.accounts.staff_pages import USERNAME_RULE, blueprint
from survey_app.clock import current_time
from survey_app.models import Account, Community, PropertyCompany
from survey_app.models.vocabulary import Role
from survey_app.web.context import site
from survey_app.web.template_filters import public_address

# Of the numbers of communities that are not known, so many are named.
_MOST_NAMED = 10


class UnknownCommunities(LookupError):
    """The form names communities by numbers that are not in the register."""

    def __init__(self, numbers: Sequence[str]) -> None:
        super().__init__(f"there is no community {', '.join(numbers)}")
        self.numbers = numbers


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
                bound_to=_bound_to(session),
            )
    except UsernameTaken:
        return _accounts_page(_("There is already an account of this name.")), HTTPStatus.CONFLICT
    except InvalidUsername:
        return _accounts_page(str(USERNAME_RULE)), HTTPStatus.BAD_REQUEST
    except _PLACE_ERRORS as error:
        return _accounts_page(_place_refusal(error)), HTTPStatus.BAD_REQUEST
    return invitation_page(account)


@blueprint.get("/staff/accounts/<int:account_id>/place")
@policy(ADMINISTRATING)
def show_place(account_id: int) -> str:
    """Show what an account looks after, to be changed."""
    return _place_page(account_id)


@blueprint.post("/staff/accounts/<int:account_id>/place")
@policy(ADMINISTRATING)
def place(account_id: int) -> Response | tuple[str, int]:
    """Bind an account to another place or other communities; its sessions end."""
    try:
        with site().database.writing() as session:
            place_account(
                session,
                account=_account(session, account_id),
                bound_to=_bound_to(session),
                by=signed_in().actor,
                now=current_time(),
            )
    except _PLACE_ERRORS as error:
        return _place_page(account_id, _place_refusal(error)), HTTPStatus.BAD_REQUEST
    flash(_("Changed. Whoever is signed in with this account has to sign in again."))
    return redirect(url_for("staff.accounts"), HTTPStatus.SEE_OTHER)


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
    with site().database.reading() as session:
        return render_template(
            "staff/accounts.html",
            accounts=session.scalars(select(Account).options(*WITH_PLACES).order_by(Account.username)).all(),
            area_names=area_names,
            places=offered_places(session),
            roles=list(Role),
            placed_roles=PLACED_ROLES,
            needs_second_person=needs_second_person,
            chosen=request.form,
            refusal=refusal,
        )


def _place_page(account_id: int, refusal: str | None = None) -> str:
    with site().database.reading() as session:
        account = _account(session, account_id)
        if Role(account.role) not in PLACED_ROLES:
            abort(HTTPStatus.NOT_FOUND)
        bound = account.place
        stored = {
            "place": "" if bound is None or isinstance(bound, PropertyCompany) else option_value(bound),
            "company": bound.name if isinstance(bound, PropertyCompany) else "",
            "communities": " ".join(each.number for each in account.communities),
        }
        return render_template(
            "staff/account_place.html",
            account=account,
            places=offered_places(session),
            chosen=request.form if refusal else stored,
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


def _bound_to(session: Session) -> BoundTo:
    """Return what the form binds an account to; a field that is left empty binds it to nothing."""
    company = request.form.get("company", "").strip()
    numbers = dict.fromkeys(request.form.get("communities", "").split())
    chosen = [find_place(session, request.form.get("place", "")), _company(session, company)]
    if None not in chosen:
        raise SeveralAreas
    # Before the database is asked for as many as a form can hold.
    if len(numbers) > MOST_COMMUNITIES:
        raise TooManyCommunities(len(numbers))
    communities = session.scalars(
        select(Community).where(Community.number.in_(numbers)).order_by(Community.number)
    ).all()
    known = {each.number for each in communities}
    if unknown := [number for number in numbers if number not in known]:
        raise UnknownCommunities(unknown)
    return BoundTo(next((place for place in chosen if place is not None), None), communities)


def _company(session: Session, name: str) -> PropertyCompany | None:
    if not name:
        return None
    named = or_(PropertyCompany.name == name, PropertyCompany.english_name == name)
    company = session.scalar(select(PropertyCompany).where(named))
    if company is None:
        raise UnknownPlace
    return company


_PLACE_ERRORS = (UnknownPlace, UnknownCommunities, SeveralAreas, TooManyCommunities, WrongArea)


def _place_refusal(error: Exception) -> str:
    """Return what is wrong with the place that the form names, with the next step."""
    match error:
        case UnknownCommunities():
            refusal = _(
                "There is no community with the number %(numbers)s: see the list of communities.",
                numbers="、".join(error.numbers[:_MOST_NAMED]),
            )
        case SeveralAreas():
            refusal = _("Choose one of these only: a place, a property company, or the numbers of communities.")
        case TooManyCommunities():
            refusal = _(
                "These are %(count)s communities, and an account looks after at most %(most)s: choose the place that "
                "holds them.",
                count=error.count,
                most=MOST_COMMUNITIES,
            )
        case WrongArea():
            refusal = _(
                "A district bureau needs its district, a company its company, and a clerk a district, a subdistrict, a "
                "neighbourhood, or the numbers of communities."
            )
        case _other:
            refusal = _("There is no such place or property company.")
    return str(refusal)
