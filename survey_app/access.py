"""Who may sign in, and what an account may see and do."""

import secrets
import unicodedata
from dataclasses import dataclass
from datetime import datetime, timedelta
from http import HTTPStatus
from typing import Any, Self, TypeVar, cast
from urllib.parse import urlsplit

from argon2 import PasswordHasher
from argon2.exceptions import VerificationError
from flask import Flask, abort, redirect, request, url_for
from flask import session as browser_session
from flask_login import LoginManager, UserMixin, current_user, login_user, logout_user
from flask_wtf import CSRFProtect
from sqlalchemy import Select, select
from sqlalchemy.orm import Session, joinedload
from werkzeug.wrappers import Response

from survey_app.context import site
from survey_app.errors import JiayuanError
from survey_app.languages import current_language, remember_language
from survey_app.models import Account, Community, District

SHORTEST_PASSWORD = 12
IDLE_SESSION = timedelta(hours=8)

# Their forms carry a signed submission key and need no cookie.
_COOKIELESS_BLUEPRINTS = frozenset({"survey", "complaints"})
_OPEN_STAFF_ENDPOINTS = frozenset({"staff.sign_in", "staff.check_sign_in"})
_DASHBOARDS = "/dashboards/"

_Statement = TypeVar("_Statement", bound=Select[*tuple[Any, ...]])

_hasher = PasswordHasher()  # argon2id with the parameters of RFC 9106
# Verified when there is no such account, so that an unknown name takes as long as a wrong password.
_HASH_OF_NOBODY = _hasher.hash(secrets.token_hex(16))


class WeakPassword(JiayuanError):
    """The password is too short to protect what the account may see."""

    def __init__(self) -> None:
        super().__init__(f"a password needs at least {SHORTEST_PASSWORD} characters")


@dataclass(frozen=True)
class Scope:
    """The communities an account may see: those of one district, or all."""

    district_id: int | None

    def communities(self, statement: _Statement) -> _Statement:
        """Narrow a select over communities, or over what is joined to them, to this scope."""
        return statement if self.district_id is None else statement.where(Community.district_id == self.district_id)


@dataclass(frozen=True)
class SignedIn(UserMixin):  # type: ignore[misc]  # Flask-Login has no types
    """The account behind this request, as it stood when the request came."""

    session_identity: str
    account_id: int
    username: str
    role: str
    district_id: int | None
    district_name: str | None
    district_english_name: str | None

    @classmethod
    def of(cls, account: Account) -> Self:
        """Return what a request needs to know of an account."""
        return cls(
            session_identity=account.session_identity,
            account_id=account.id,
            username=account.username,
            role=account.role,
            district_id=account.district_id,
            district_name=account.district.name if account.district else None,
            district_english_name=account.district.english_name if account.district else None,
        )

    def get_id(self) -> str:
        """Return what the cookie holds: never the account's id, which could not be withdrawn."""
        return self.session_identity

    @property
    def scope(self) -> Scope:
        """The communities this account may see."""
        return Scope(self.district_id)

    @property
    def may_evaluate(self) -> bool:
        """Whether this account may make evaluations: each covers all districts, so the city makes them."""
        return self.role == "city"


def signed_in() -> SignedIn:
    """Return the account that is signed in; the guard lets no request without one come here."""
    if not current_user.is_authenticated:
        abort(HTTPStatus.UNAUTHORIZED)
    return cast(SignedIn, current_user)


def add_account(
    session: Session, *, username: str, password: str, role: str, district: District | None, now: datetime
) -> Account:
    """Add an account: role city, evaluator, or district with its district."""
    if len(password) < SHORTEST_PASSWORD:
        raise WeakPassword
    account = Account(
        username=_plain(username).strip().casefold(),
        password_hash=_hasher.hash(_plain(password)),
        role=role,
        district=district,
        session_identity=_new_identity(),
        created_at=now,
    )
    session.add(account)
    session.flush()
    return account


def sign_in(session: Session, *, username: str, password: str) -> bool:
    """Start a fresh browser session for the account; return whether name and password are right."""
    account = session.scalar(
        select(Account).options(joinedload(Account.district)).filter_by(username=_plain(username).strip().casefold())
    )
    if not _password_is_right(account, password) or account is None:
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
    account.session_identity = _new_identity()
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
    """Guard staff pages and dashboards, and every form that relies on a cookie."""
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

    def guard() -> Response | None:
        refusal = _require_account() if _needs_account() else None
        if refusal is None and request.blueprint not in _COOKIELESS_BLUEPRINTS:
            protection.protect()
        return refusal

    app.before_request(guard)


def _needs_account() -> bool:
    if request.path.startswith(_DASHBOARDS):
        return True
    return request.blueprint == "staff" and request.endpoint not in _OPEN_STAFF_ENDPOINTS


def _require_account() -> Response | None:
    if current_user.is_authenticated:
        remember_language()
        return None
    is_page = request.method == "GET" and "/_dash-" not in request.path
    if not is_page:
        # A script or a form would follow a redirect and take the sign-in page for its answer.
        abort(HTTPStatus.UNAUTHORIZED)
    target = request.full_path if request.query_string else request.path
    return redirect(url_for("staff.sign_in", next=target))


def _load_account(session_identity: str) -> SignedIn | None:
    with site().database.reading() as session:
        account = session.scalar(
            select(Account).options(joinedload(Account.district)).filter_by(session_identity=session_identity)
        )
        return SignedIn.of(account) if account else None


def _password_is_right(account: Account | None, password: str) -> bool:
    try:
        return _hasher.verify(account.password_hash if account else _HASH_OF_NOBODY, _plain(password))
    except VerificationError:
        return False


def _plain(typed: str) -> str:
    # A Chinese keyboard may type full-width letters and digits: they are meant as the plain ones.
    return unicodedata.normalize("NFKC", typed)


def _new_identity() -> str:
    return secrets.token_urlsafe(24)
