"""Browser sessions of staff; residents have none, and do not pay for one."""

from flask import Flask, Request, Response
from flask.sessions import SecureCookieSession, SecureCookieSessionInterface, SessionMixin


class Sessions(SecureCookieSessionInterface):
    """Session in Flask's signed cookie, at no cost for a request that brings none and asks for none."""

    def open_session(self, app: Flask, request: Request) -> SecureCookieSession | None:
        """Return the session that the cookie holds."""
        return super().open_session(app, request) if "HTTP_COOKIE" in request.environ else self.session_class()

    def save_session(self, app: Flask, session: SessionMixin, response: Response) -> None:
        """Send the cookie if there is anything to keep or to forget; `security_headers` names what pages vary by."""
        if session or session.modified:
            super().save_session(app, session, response)


def init_app(app: Flask) -> None:
    """Install these sessions in an application."""
    app.session_interface = Sessions()
