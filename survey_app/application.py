"""The whole site, wired: every part, every view, the dashboards."""

from flask import Flask
from werkzeug.middleware.proxy_fix import ProxyFix

from survey_app import (
    access,
    compression,
    door,
    errors,
    headers,
    installation,
    languages,
    pace,
    print_size,
    sessions,
    static_files,
)
from survey_app.config import Config
from survey_app.context import SITE_EXTENSION, Site
from survey_app.database import Database
from survey_app.evaluation_source import StoredEvaluations
from survey_app.photos import PhotoRequest
from survey_app.views import complaints, entry, home, receipts, slips, staff, survey

# A full form is about 4 kB; whatever is larger is not one. The form that takes photos allows itself more.
MAXIMUM_BODY_BYTES = 256 * 1024


def create_app(config: Config | None = None) -> Flask:
    """Return the site for one installation, with the dashboards mounted; its database must be migrated."""
    config = config or Config.from_env()
    database = Database(config.database_url)
    database.require_current()
    app = Flask(__name__)
    app.request_class = PhotoRequest
    app.config.update(
        SECRET_KEY=config.secret_key,
        MAX_CONTENT_LENGTH=MAXIMUM_BODY_BYTES,
        SESSION_COOKIE_HTTPONLY=True,
        SESSION_COOKIE_SAMESITE="Lax",
        SESSION_COOKIE_SECURE=config.public_url.startswith("https://"),
    )
    if config.trusted_proxies:
        # Without proxies of ours anybody could write another address into this header.
        app.wsgi_app = ProxyFix(app.wsgi_app, x_for=config.trusted_proxies, x_proto=0, x_host=0)  # type: ignore[method-assign]
    app.extensions[SITE_EXTENSION] = Site.of(config, database)
    for part in (
        sessions, languages, print_size, installation, static_files, compression, door, headers, errors, access, pace
    ):  # fmt: skip
        part.init_app(app)
    for view in (home, survey, slips, receipts, complaints, staff, entry):
        app.register_blueprint(view.blueprint)
    # Imported here, since Dash takes a second to import and the commands that never serve need not wait for it.
    from dashboards import mount  # noqa: PLC0415

    mount(app, StoredEvaluations(database), language=languages.current_language)
    return app
