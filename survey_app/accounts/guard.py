"""Guard of every page, the signed-in account, and the scope of what it may see."""

import re
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from datetime import datetime, timedelta
from http import HTTPStatus
from typing import Self, cast
from urllib.parse import quote, unquote, urlsplit

from flask import Flask, abort, current_app, redirect, request, url_for
from flask import session as browser_session
from flask_login import LoginManager, UserMixin, current_user, login_user, logout_user
from flask_wtf import CSRFProtect
from sqlalchemy import select
from sqlalchemy.orm import Session
from werkzeug.exceptions import HTTPException
from werkzeug.wrappers import Response

from analytics.languages import Wording
from survey_app.accounts.accounts import area_names, area_of, names_beside, places_of
from survey_app.accounts.credentials import CredentialsChanged, credentials_of, has_credentials
from survey_app.accounts.device_cookies import remember_device
from survey_app.accounts.place_choice import UnknownPlace, chosen_scope
from survey_app.accounts.policies import Policy, policy_of
from survey_app.accounts.scope import Scope
from survey_app.accounts.sign_in import find_session
from survey_app.audit import account_actor
from survey_app.clock import current_time
from survey_app.log_events import LogEvent, log_event
from survey_app.models import Account, Community
from survey_app.models.vocabulary import Role
from survey_app.web.context import site
from survey_app.web.languages import current_language, remember_language
from survey_app.web.query_names import known_query

IDLE_SESSION = timedelta(hours=8)
TIME_FOR_CODE = timedelta(minutes=10)

_PENDING_SIGN_IN = "pending_sign_in"

_LEADS_ELSEWHERE = frozenset({".", ".."})
# Printable ASCII without the signs that browsers turn into slashes or leave out.
_OWN_ADDRESS = re.compile(r"/(?:staff|dashboards)/[A-Za-z0-9_.~%/+-]*(?:\?[A-Za-z0-9_.~%/+=&:,-]*)?")


@dataclass(frozen=True)
class SignedIn(UserMixin):  # type: ignore[misc]  # Flask-Login has no types
    """Account behind this request, as it stood when the request came."""

    session_token: str
    account_id: int
    credentials: str
    username: str
    role: Role
    scope: Scope
    # What the scope is called: the place, or the communities that were named one by one.
    area_names: Sequence[Wording]
    # Those of which a password must not be made.
    names: Sequence[str]

    @classmethod
    def of(cls, account: Account, *, session_token: str = "") -> Self:
        """Return the signed-in state of an account, and of the session that it came with."""
        return cls(
            session_token=session_token,
            account_id=account.id,
            credentials=credentials_of(account),
            username=account.username,
            role=Role(account.role),
            scope=Scope(area_of(account), tuple(place.id for place in places_of(account))),
            area_names=area_names(account),
            names=names_beside(account),
        )

    def get_id(self) -> str:
        """Return the session token that the cookie holds: never the account's id, which could not be withdrawn."""
        return self.session_token

    @property
    def actor(self) -> str:
        """The name of this account in the audit chain."""
        return account_actor(self.account_id)

    def may(self, policy: Policy) -> bool:
        """Whether this account may open a page with this policy."""
        return self.role in policy.roles


@dataclass(frozen=True)
class PendingSignIn:
    """Sign-in between password and code; the account is not signed in."""

    account_id: int
    # Those of the account when its password was given or chosen: this state dies with them.
    credentials: str
    username: str
    has_authenticator: bool
    target: str
    since: int
    # The authenticator that the page shows, sealed, until its first code is typed.
    new_authenticator: str | None = None


def signed_in() -> SignedIn:
    """Return the signed-in account; the guard lets no request without one come here."""
    if not current_user.is_authenticated:
        abort(HTTPStatus.UNAUTHORIZED)
    return cast(SignedIn, current_user)


def wanted_scope(session: Session) -> Scope:
    """Return the place that was chosen on the page, or all that the account sees; 404 for any other place."""
    try:
        return chosen_scope(session, request.values.get("place", ""), signed_in().scope)
    except UnknownPlace:
        abort(HTTPStatus.NOT_FOUND)


def own_community(session: Session, community_id: int) -> Community:
    """Return a community that the account sees; 404 for any other."""
    seen = signed_in().scope.communities(select(Community).where(Community.id == community_id))
    found = session.scalar(seen)
    return found if found is not None else abort(HTTPStatus.NOT_FOUND)


def may_visit(endpoint: str) -> bool:
    """Return whether the account may call a view: pages offer only what the guard will let through."""
    declared = policy_of(current_app, next(current_app.url_map.iter_rules(endpoint)))
    return declared is not None and (not declared.roles or signed_in().may(declared))


def begin_sign_in(account: Account, *, target: str, now: datetime) -> None:
    """Note in a fresh browser session which account gave the right password: the second step follows."""
    _renew_browser_session()
    noted = PendingSignIn(
        account_id=account.id,
        credentials=credentials_of(account),
        username=account.username,
        has_authenticator=account.totp_secret is not None,
        target=target,
        since=int(now.timestamp()),
    )
    browser_session[_PENDING_SIGN_IN] = asdict(noted)


def pending_sign_in(now: datetime) -> PendingSignIn | None:
    """Return the sign-in that gave the right password a moment ago and no code yet, if the account is still the same.

    What ends it is checked once more in the transaction of the code.
    """
    noted = browser_session.get(_PENDING_SIGN_IN)
    # One of an earlier version of the site says less: the password is given once more.
    if noted is None or "credentials" not in noted:
        return None
    found = PendingSignIn(**noted)
    if found.since + TIME_FOR_CODE.total_seconds() <= now.timestamp():
        return None
    with site().database.reading() as session:
        account = session.get(Account, found.account_id)
        is_same = account is not None and account.disabled_at is None and has_credentials(account, found.credentials)
    return found if is_same else None


def offer_authenticator(pending: PendingSignIn, sealed: str) -> None:
    """Note which authenticator the page of this sign-in shows."""
    browser_session[_PENDING_SIGN_IN] = asdict(replace(pending, new_authenticator=sealed))


def complete_sign_in(session_token: str) -> None:
    """Sign this browser in, in a session that holds nothing of what was there before."""
    _renew_browser_session()
    browser_session.permanent = True
    with site().database.reading() as session:
        account = find_session(session, token=session_token, now=current_time())
        if account is None:
            # Reset or disabled since the session began, a moment ago.
            raise CredentialsChanged
        login_user(SignedIn.of(account, session_token=session_token))
    remember_device(signed_in().username)
    # Flask-Login's hash of the network address, which is of no use here and nobody's business.
    browser_session.pop("_id")


def leave() -> None:
    """Sign this browser out."""
    logout_user()
    browser_session.clear()


def safe_target(target: str | None) -> str:
    """Return the page to open after signing in: the one that was asked for, if it is one of ours, or the staff home.

    Only what begins with one slash and the name of our pages is looked at, then the routes decide, and what is returned
    is written anew: browsers read some spellings of an address as another host.
    """
    parts = urlsplit(target) if target and _OWN_ADDRESS.fullmatch(target) else None
    if parts is None or not _is_staff_page(unquote(parts.path)):
        return url_for("staff.home")
    query = known_query(parts.path, parts.query)
    return f"{parts.path}?{query}" if query else parts.path


def init_app(app: Flask) -> None:
    """Enforce the policy of each route, and check the CSRF token of every form that relies on a cookie."""
    app.config.update(
        PERMANENT_SESSION_LIFETIME=IDLE_SESSION,
        WTF_CSRF_TIME_LIMIT=None,  # as long as the session: an official may leave a page open over lunch
        WTF_CSRF_CHECK_DEFAULT=False,  # the guard below checks
        WTF_CSRF_SSL_STRICT=False,  # it compares the host that a browser names, which decides nothing here
    )
    if app.config["SESSION_COOKIE_SECURE"]:
        # With this prefix a browser takes the cookie from this host alone, not from a page on a sister domain.
        app.config["SESSION_COOKIE_NAME"] = "__Host-session"
    protection = CSRFProtect(app)
    # Pages ask for the account where they show it: one that says that the database is away must not look for it there.
    manager = LoginManager(app, add_context_processor=False)
    # The default ends the session of anyone who changes networks.
    manager.session_protection = None
    manager.user_loader(_load_account)
    app.jinja_env.globals.update(signed_in=signed_in, may_visit=may_visit)

    def guard() -> Response | None:
        if request.url_rule is None:  # there is no such page
            return None
        policy = policy_of(current_app, request.url_rule)
        if policy is None:
            log_event(LogEvent.POLICY_MISSING, endpoint=request.endpoint)
            abort(HTTPStatus.NOT_FOUND)
        refusal = _require_account(policy) if policy.roles else None
        if policy.largest_body is not None and refusal is None and request.mimetype == "multipart/form-data":
            request.max_content_length = policy.largest_body
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
    query = request.query_string.decode("ascii")
    target = f"{quote(request.path)}?{query}" if query else quote(request.path)
    return redirect(url_for("staff.sign_in", next=target))


def _is_staff_page(path: str) -> bool:
    """Return whether an account opens a page at this path."""
    if not _LEADS_ELSEWHERE.isdisjoint(path.split("/")):
        return False
    try:
        rule, _arguments = current_app.url_map.bind("").match(path, method="GET", return_rule=True)
    except HTTPException:  # there is none, or it only leads on
        return False
    declared = policy_of(current_app, rule)
    return declared is not None and bool(declared.roles)


def _load_account(session_token: str) -> SignedIn | None:
    with site().database.reading() as session:
        account = find_session(session, token=session_token, now=current_time())
        return SignedIn.of(account, session_token=session_token) if account else None


def _renew_browser_session() -> None:
    # A session that someone prepared for this browser before must not become a signed-in one.
    language = current_language()
    browser_session.clear()
    browser_session["language"] = language
