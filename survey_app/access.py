"""Who is signed in, what that account may see, and the guard in front of every page."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from http import HTTPStatus
from types import MappingProxyType
from typing import Any, Self, TypeVar, cast
from urllib.parse import urlsplit

from flask import Flask, abort, current_app, redirect, request, url_for
from flask import session as browser_session
from flask_login import LoginManager, UserMixin, current_user, login_user, logout_user
from flask_wtf import CSRFProtect
from sqlalchemy import ColumnElement, Select, false
from sqlalchemy.orm import InstrumentedAttribute, Session
from werkzeug.wrappers import Response

from survey_app.accounts import area_of, find_account, new_identity, password_is_right, plain_username
from survey_app.context import site
from survey_app.languages import current_language, remember_language
from survey_app.models import Account, Community
from survey_app.policies import Policy, policy_of
from survey_app.roles import Area, Role

IDLE_SESSION = timedelta(hours=8)

_DASHBOARDS = "/dashboards/"

_Statement = TypeVar("_Statement", bound=Select[*tuple[Any, ...]])

_COLUMN_OF_AREA: Mapping[Area, InstrumentedAttribute[Any]] = MappingProxyType(
    {Area.DISTRICT: Community.district_id, Area.COMPANY: Community.company_id, Area.COMMUNITY: Community.id}
)


@dataclass(frozen=True)
class Scope:
    """The communities an account may see: those of one district or company, a single one, all, or none."""

    area: Area
    id: int | None = None

    @property
    def is_city(self) -> bool:
        """Whether every community is in it."""
        return self.area is Area.CITY

    def communities(self, statement: _Statement) -> _Statement:
        """Narrow a select over communities, or over what is joined to them, to this scope.

        Every query of staff pages, exports and dashboards comes through here.
        """
        return statement if self.is_city else statement.where(self._condition())

    def _condition(self) -> ColumnElement[bool]:
        column = _COLUMN_OF_AREA.get(self.area)
        return false() if column is None else column == self.id


EVERYWHERE = Scope(Area.CITY)


@dataclass(frozen=True)
class SignedIn(UserMixin):  # type: ignore[misc]  # Flask-Login has no types
    """The account behind this request, as it stood when the request came."""

    session_identity: str
    account_id: int
    username: str
    role: Role
    scope: Scope
    area_name: str | None
    area_english_name: str | None

    @classmethod
    def of(cls, account: Account) -> Self:
        """Return what a request needs to know of an account."""
        place = account.district or account.company or account.community
        return cls(
            session_identity=account.session_identity,
            account_id=account.id,
            username=account.username,
            role=Role(account.role),
            scope=Scope(area_of(account), place.id if place else None),
            area_name=place.name if place else None,
            area_english_name=place.english_name if place else None,
        )

    def get_id(self) -> str:
        """Return what the cookie holds: never the account's id, which could not be withdrawn."""
        return self.session_identity

    @property
    def actor(self) -> str:
        """How the audit chain names this account."""
        return f"account:{self.account_id}"

    def may(self, policy: Policy) -> bool:
        """Whether a page with this policy is for this account."""
        return self.role in policy.roles


def signed_in() -> SignedIn:
    """Return the account that is signed in; the guard lets no request without one come here."""
    if not current_user.is_authenticated:
        abort(HTTPStatus.UNAUTHORIZED)
    return cast(SignedIn, current_user)


def may_visit(endpoint: str) -> bool:
    """Return whether the account may call a view: pages offer only what the guard will let through."""
    declared = policy_of(current_app, next(current_app.url_map.iter_rules(endpoint)))
    return declared is not None and (not declared.roles or signed_in().may(declared))


def sign_in(session: Session, *, username: str, password: str) -> bool:
    """Start a fresh browser session for the account; return whether name and password are right."""
    account = find_account(session, username=plain_username(username))
    if not password_is_right(account, password) or account is None:
        return False
    # A session that someone prepared for this browser before must not become a signed-in one.
    language = current_language()
    browser_session.clear()
    browser_session["language"] = language
    browser_session.permanent = True
    login_user(SignedIn.of(account))
    return True


def sign_out(session: Session) -> None:
    """End every session of the account, so that a copied cookie is dead too."""
    account = session.get_one(Account, signed_in().account_id)
    account.session_identity = new_identity()
    logout_user()
    browser_session.clear()


def safe_target(target: str | None) -> str:
    """Return where to go after signing in: the page that was asked for, if it is one of ours, or the staff home."""
    home = url_for("staff.home")
    if not target or "\\" in target or not target.isprintable():
        return home
    parts = urlsplit(target)
    is_ours = parts.path.startswith((home, _DASHBOARDS))
    return target if is_ours and not parts.scheme and not parts.netloc else home


def init_app(app: Flask) -> None:
    """Let each request go where its route's policy lets it, and check every form that relies on a cookie."""
    app.config.update(
        PERMANENT_SESSION_LIFETIME=IDLE_SESSION,
        WTF_CSRF_TIME_LIMIT=None,  # as long as the session: an official may leave a page open over lunch
        WTF_CSRF_CHECK_DEFAULT=False,  # the guard below checks
    )
    protection = CSRFProtect(app)
    manager = LoginManager(app)
    # The default keeps a hash of the network address in the cookie, and ends sessions of who changes networks.
    manager.session_protection = None
    manager.user_loader(_load_account)
    app.jinja_env.globals.update(signed_in=signed_in, may_visit=may_visit)

    def guard() -> Response | None:
        if request.url_rule is None:  # there is no such page
            return None
        policy = policy_of(current_app, request.url_rule)
        if policy is None:
            current_app.logger.error("%s declares no policy", request.endpoint)
            abort(HTTPStatus.NOT_FOUND)
        refusal = _require_account(policy) if policy.roles else None
        if refusal is None and policy.relies_on_cookie:
            protection.protect()
        return refusal

    app.before_request(guard)


def _require_account(policy: Policy) -> Response | None:
    if current_user.is_authenticated:
        remember_language()
        if not signed_in().may(policy):
            abort(HTTPStatus.FORBIDDEN)
        return None
    is_page = request.method == "GET" and "/_dash-" not in request.path
    if not is_page:
        # A script or a form would follow a redirect and take the sign-in page for its answer.
        abort(HTTPStatus.UNAUTHORIZED)
    target = request.full_path if request.query_string else request.path
    return redirect(url_for("staff.sign_in", next=target))


def _load_account(session_identity: str) -> SignedIn | None:
    with site().database.reading() as session:
        account = find_account(session, session_identity=session_identity)
        return SignedIn.of(account) if account else None
