"""Application factory: the whole site with its views and the dashboards."""

from types import ModuleType

from flask import Flask
from werkzeug.middleware.proxy_fix import ProxyFix

from survey_app.accounts import (
    account_views,
    guard,
    notice_views,
    own_account_views,
    request_limits,
    request_sources,
    reset_request_views,
    sign_in_views,
)
from survey_app.accounts.installation import check_secret_key, is_demo
from survey_app.accounts.installation_key import recognise_key
from survey_app.app import audit_views, home_views
from survey_app.attachments.uploads import BoundedRequest
from survey_app.call_backs import call_back_views, register_views
from survey_app.casework import bulk_views, case_file_views, company_views, inbox_views, intake_views, rate_views
from survey_app.codes import community_views, poster_views, printing_views, slip_views
from survey_app.complaints import calendar_views, case_views, filing_views, secret_reissue_views
from survey_app.complaints.categories import categories
from survey_app.config import Config
from survey_app.documents import bulletin_views, pdf_views
from survey_app.evaluations import evaluation_views, round_views
from survey_app.evaluations.dashboard_source import SOURCE_EXTENSION, StoredEvaluations
from survey_app.exports import download_views
from survey_app.hotline import hotline_views
from survey_app.register import contract_views, import_views, list_views
from survey_app.responses import (
    declared_help_views,
    form_cache,
    integrity_review_views,
    photo_views,
    questionnaire_views,
    receipt_views,
    slip_link_views,
    staff_entry_views,
    staff_receipt_views,
    survey_views,
)
from survey_app.responses.paper import printing_views as paper_printing_views
from survey_app.rounds import document_views, planning_views
from survey_app.secret_keys import fault_of_key
from survey_app.storage.database import Database
from survey_app.web import (
    compression,
    converters,
    error_pages,
    languages,
    request_heads,
    request_sizes,
    security_headers,
    sessions,
    static_files,
    template_filters,
    text_size,
)
from survey_app.web.context import SITE_EXTENSION, Site

# Whatever prepares requests and answers, in the order in which each hooks into the app.
_PARTS = (
    converters,
    sessions,
    languages,
    text_size,
    static_files,
    compression,
    form_cache,
    error_pages,
    security_headers,
    request_heads,
    request_sizes,
    template_filters,
    guard,
    request_limits,
    request_sources,
)

# A module of views adds them to its `blueprint`, which it may share with others.
_VIEWS: tuple[ModuleType, ...] = (
    home_views,
    survey_views,
    slip_link_views,
    receipt_views,
    filing_views,
    case_views,
    calendar_views,
    account_views,
    audit_views,
    bulletin_views,
    call_back_views,
    register_views,
    community_views,
    declared_help_views,
    download_views,
    bulk_views,
    case_file_views,
    company_views,
    inbox_views,
    intake_views,
    rate_views,
    contract_views,
    hotline_views,
    import_views,
    list_views,
    integrity_review_views,
    notice_views,
    own_account_views,
    paper_printing_views,
    pdf_views,
    photo_views,
    planning_views,
    poster_views,
    printing_views,
    questionnaire_views,
    reset_request_views,
    round_views,
    evaluation_views,
    document_views,
    secret_reissue_views,
    sign_in_views,
    slip_views,
    staff_entry_views,
    staff_receipt_views,
)

# A full form is about 4 kB; whatever is larger is not one. A form that takes attachments allows itself more.
MAXIMUM_BODY_BYTES = 256 * 1024


def create_app(config: Config | None = None) -> Flask:
    """Return the site for one installation, with the dashboards mounted; its database must be migrated."""
    is_of_environment = config is None
    config = config or Config.from_env()
    database = Database(config.database_url)
    database.require_current()
    if is_of_environment:
        # By a server of the operator's own; the commands have looked before.
        with database.reading() as session:
            check_secret_key(session, secret_key=config.secret_key)
        recognise_key(database, config=config)
    app = Flask("survey_app")
    app.request_class = BoundedRequest
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
    for part in _PARTS:
        part.init_app(app)
    app.jinja_env.globals["key_is_weak"] = fault_of_key(config.secret_key) is not None
    with database.reading() as session:
        # Read once, since it never changes.
        app.jinja_env.globals["is_demo"] = is_demo(session)
    # Parsed before anybody waits for the first page that names one.
    categories()
    for blueprint in dict.fromkeys(module.blueprint for module in _VIEWS):
        app.register_blueprint(blueprint)
    # Imported here, since Dash takes a second to import and the commands that never serve need not wait for it.
    from dashboards.app import mount  # noqa: PLC0415

    app.extensions[SOURCE_EXTENSION] = StoredEvaluations(database)
    mount(
        app,
        app.extensions[SOURCE_EXTENSION],
        language=languages.current_language,
        failed=error_pages.part_failed,
    )
    return app
