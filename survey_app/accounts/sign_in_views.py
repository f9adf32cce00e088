"""Views for signing in with password and second factor, and out; choosing a password by invitation."""

from base64 import b64encode
from collections.abc import Mapping
from http import HTTPStatus

from flask import current_app, redirect, render_template, request, url_for
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response

from survey_app.accounts import guard
from survey_app.accounts.accounts import InvalidUsername, NewPassword, names_beside, normalise_username
from survey_app.accounts.credentials import CredentialsChanged
from survey_app.accounts.demo_accounts import DEMO_ACCOUNTS, DemoAccount, offers_of
from survey_app.accounts.device_cookies import device_proof
from survey_app.accounts.guard import PendingSignIn, signed_in
from survey_app.accounts.installation import is_demo
from survey_app.accounts.invitations import accept_invitation, add_first_account, check_first_run, find_invited
from survey_app.accounts.notices import unread_notices
from survey_app.accounts.passwords import Weakness, WeakPassword, check_strength
from survey_app.accounts.policies import ALL_STAFF, PUBLIC, policy
from survey_app.accounts.request_sources import source_of_request
from survey_app.accounts.second_factor import address_of, code_at, new_secret, seal_secret, unseal_secret
from survey_app.accounts.sign_in import SignInRefused, end_session, link_authenticator
from survey_app.accounts.sign_in import check_code as check_typed_code
from survey_app.accounts.sign_in import check_password as check_typed_password
from survey_app.accounts.staff_pages import USERNAME_RULE, blueprint
from survey_app.clock import current_time
from survey_app.models import Account
from survey_app.printing.qr import qr_svg
from survey_app.web.context import site
from survey_app.web.request_heads import FROM_THIS_MACHINE
from survey_app.web.security_headers import CLEAR_AT_SIGN_OUT

Page = str | Response | tuple[str, int]


@blueprint.get("/sign-in")
@policy(PUBLIC)
def sign_in() -> str:
    """Show the first step: name and password."""
    return _sign_in_page(guard.safe_target(request.args.get("next")))


@blueprint.post("/sign-in")
@policy(PUBLIC)
def check_sign_in() -> Page:
    """Go on to the second step, or show the form again."""
    target = guard.safe_target(request.form.get("next"))
    username, password = request.form.get("username", ""), request.form.get("password", "")
    try:
        account = check_typed_password(
            site().database,
            username=username,
            password=password,
            source=source_of_request(),
            proof=device_proof(normalise_username(username)),
            secret_key=_secret_key(),
            now=current_time(),
        )
    except SignInRefused:
        return _sign_in_page(target, username=username, refused=True), HTTPStatus.UNAUTHORIZED
    return _to_second_step(account, target)


@blueprint.get("/sign-in/code")
@policy(PUBLIC)
def show_code_form() -> Page:
    """Show the second step: a code."""
    pending_sign_in = guard.pending_sign_in(current_time())
    return _code_page(pending_sign_in) if pending_sign_in else _to_start()


@blueprint.post("/sign-in/code")
@policy(PUBLIC)
def check_code() -> Page:
    """Sign in and go on to the page that was asked for, or show the form again."""
    pending_sign_in = guard.pending_sign_in(current_time())
    if pending_sign_in is None:
        return _to_start()
    try:
        token = check_typed_code(
            site().database,
            account_id=pending_sign_in.account_id,
            credentials=pending_sign_in.credentials,
            typed=request.form.get("code", ""),
            source=source_of_request(),
            proof=device_proof(pending_sign_in.username),
            secret_key=_secret_key(),
            now=current_time(),
        )
    except CredentialsChanged:
        return _to_start()
    except SignInRefused:
        return _code_page(pending_sign_in, refused=True), HTTPStatus.UNAUTHORIZED
    guard.complete_sign_in(token)
    with site().database.reading() as session:
        has_notices = bool(unread_notices(session, account_id=pending_sign_in.account_id))
    target = pending_sign_in.target
    return redirect(url_for("staff.notices", next=target) if has_notices else target, HTTPStatus.SEE_OTHER)


@blueprint.get("/sign-in/authenticator")
@policy(PUBLIC)
def show_authenticator() -> Page:
    """Show the QR code by which an account that has no authenticator links one."""
    pending_sign_in = guard.pending_sign_in(current_time())
    if pending_sign_in is None or pending_sign_in.has_authenticator:
        return _to_start()
    secret = new_secret()
    guard.offer_authenticator(pending_sign_in, seal_secret(secret, secret_key=_secret_key()))
    return _authenticator_page(pending_sign_in, secret)


@blueprint.post("/sign-in/authenticator")
@policy(PUBLIC)
def link() -> Page:
    """Sign in with the first code of the authenticator, and show the recovery codes, this once."""
    pending_sign_in = guard.pending_sign_in(current_time())
    if pending_sign_in is None or pending_sign_in.has_authenticator or pending_sign_in.new_authenticator is None:
        return _to_start()
    secret = unseal_secret(pending_sign_in.new_authenticator, secret_key=_secret_key())
    try:
        with site().database.writing() as session:
            token, codes = link_authenticator(
                session,
                account_id=pending_sign_in.account_id,
                credentials=pending_sign_in.credentials,
                secret=secret,
                typed=request.form.get("code", ""),
                secret_key=_secret_key(),
                now=current_time(),
            )
    except CredentialsChanged:
        return _to_start()
    except SignInRefused:
        return _authenticator_page(pending_sign_in, secret, refused=True), HTTPStatus.UNAUTHORIZED
    guard.complete_sign_in(token)
    return render_template("staff/recovery_codes.html", codes=codes, target=pending_sign_in.target)


@blueprint.post("/sign-out")
@policy(ALL_STAFF)
def sign_out() -> Response:
    """End the session: copies of its cookie are void too."""
    account = signed_in()
    with site().database.writing() as session:
        end_session(session, token=account.session_token, account_id=account.account_id, now=current_time())
    guard.leave()
    answer = _to_start()
    answer.headers.add(*CLEAR_AT_SIGN_OUT)
    return answer


@blueprint.get("/invitation/<token>")
@policy(PUBLIC)
def show_invitation(token: str) -> str:
    """Let the owner of a new account choose a password."""
    return _invitation_page(token)


@blueprint.post("/invitation/<token>")
@policy(PUBLIC)
def accept(token: str) -> Page:
    """Set the password and go on to the second step."""
    chosen, now = request.form.get("password", ""), current_time()
    try:
        with site().database.reading() as session:
            # Before the work of hashing, which is for nobody without a link.
            invited = find_invited(session, token=token, secret_key=_secret_key(), now=now)
            check_strength(chosen, names=names_beside(invited))
        password = NewPassword.of(chosen)
        with site().database.writing() as session:
            account = accept_invitation(session, token=token, password=password, secret_key=_secret_key(), now=now)
    except WeakPassword as refused:
        return _invitation_page(token, weakness=refused.weakness), HTTPStatus.BAD_REQUEST
    return _to_second_step(account, url_for("staff.home"))


@blueprint.get("/first-run/<token>")
@policy(PUBLIC)
def show_first_run(token: str) -> str:
    """Let whoever started the server make the first account."""
    with site().database.reading() as session:
        check_first_run(session, token=token, secret_key=_secret_key(), now=current_time())
    return render_template("staff/choose_password.html", username=None)


@blueprint.post("/first-run/<token>")
@policy(PUBLIC)
def make_first_account(token: str) -> Page:
    """Make the first account, an administrator, and go on to the second step."""
    username, chosen, now = request.form.get("username", ""), request.form.get("password", ""), current_time()
    try:
        with site().database.reading() as session:
            check_first_run(session, token=token, secret_key=_secret_key(), now=now)
        check_strength(chosen)
        password = NewPassword.of(chosen)
        with site().database.writing() as session:
            account = add_first_account(
                session, token=token, username=username, password=password, secret_key=_secret_key(), now=now
            )
    except WeakPassword as refused:
        page = render_template("staff/choose_password.html", username=None, weakness=refused.weakness)
        return page, HTTPStatus.BAD_REQUEST
    except InvalidUsername:
        page = render_template("staff/choose_password.html", username=None, refusal=USERNAME_RULE)
        return page, HTTPStatus.BAD_REQUEST
    return _to_second_step(account, url_for("staff.home"))


def _secret_key() -> str:
    return site().config.secret_key


def _to_start() -> Response:
    return redirect(url_for("staff.sign_in"), HTTPStatus.SEE_OTHER)


def _to_second_step(account: Account, target: str) -> Response:
    guard.begin_sign_in(account, target=target, now=current_time())
    step = "staff.show_code_form" if account.totp_secret else "staff.show_authenticator"
    return redirect(url_for(step), HTTPStatus.SEE_OTHER)


def _sign_in_page(target: str, *, username: str = "", refused: bool = False) -> str:
    with site().database.reading() as session:
        offers = offers_of(session, _demo_accounts(session))
    return render_template("staff/sign_in.html", target=target, username=username, refused=refused, offers=offers)


def _code_page(pending_sign_in: PendingSignIn, *, refused: bool = False) -> str:
    with site().database.reading() as session:
        account = _demo_accounts(session).get(pending_sign_in.username)
    code = code_at(account.authenticator, current_time()) if account is not None else None
    return render_template("staff/code.html", code=code, refused=refused)


def _demo_accounts(session: Session) -> Mapping[str, DemoAccount]:
    """Return the accounts that may be shown to this request: none unless it comes from the demonstration's machine."""
    accounts: Mapping[str, DemoAccount] = current_app.extensions.get(DEMO_ACCOUNTS, {})
    return accounts if accounts and request.environ.get(FROM_THIS_MACHINE) and is_demo(session) else {}


def _invitation_page(token: str, *, weakness: Weakness | None = None) -> str:
    with site().database.reading() as session:
        account = find_invited(session, token=token, secret_key=_secret_key(), now=current_time())
        return render_template("staff/choose_password.html", username=account.username, weakness=weakness)


def _authenticator_page(pending_sign_in: PendingSignIn, secret: str, *, refused: bool = False) -> str:
    address = address_of(secret, pending_sign_in.username)
    picture = f"data:image/svg+xml;base64,{b64encode(qr_svg(address)).decode('ascii')}"
    return render_template("staff/authenticator.html", picture=picture, secret=secret, address=address, refused=refused)
