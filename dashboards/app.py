"""Dash app around the pages: frame, navigation, language, security headers."""

from collections.abc import Callable
from datetime import UTC, datetime
from http import HTTPStatus
from pathlib import Path
from typing import Any, Final

import dash_mantine_components as dmc
from dash import ClientsideFunction, Dash, Input, Output, State, dcc, html, no_update, set_props
from dash.development.base_component import Component
from flask import Flask, Response, abort, request
from flask_wtf.csrf import generate_csrf

from analytics.languages import LANGUAGES
from dashboards import theme
from dashboards.address import View, evaluation_id
from dashboards.callback_requests import check_requests
from dashboards.languages import NAMES, translator
from dashboards.pages import (
    aspects,
    casework,
    collection,
    communities,
    community,
    companies,
    complaints,
    criterion,
    integrity,
    overview,
)
from dashboards.pages.drawing import Failed, draw_parts
from dashboards.pages.page import Page
from dashboards.source import EvaluationSource
from dashboards.widgets import filter_bar, waiting
from dashboards.widgets.components import attributes

PREFIX: Final = "/dashboards/"
PAGES: Final[tuple[Page, ...]] = (
    overview.PAGE,
    criterion.PAGE,
    communities.PAGE,
    community.PAGE,
    aspects.PAGE,
    companies.PAGE,
    complaints.PAGE,
    casework.PAGE,
    integrity.PAGE,
    collection.PAGE,
)

_ASSETS = Path(__file__).parent / "assets"
# Dash's own arrangement: its renderer reads the token from this cookie and sends it as X-CSRFToken.
_CSRF_COOKIE = "_csrf_token"
_INDEX = """<!DOCTYPE html>
<html lang="{language}">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{title}</title>
{favicon}
{css}
</head>
<body>
<div id="waiting"><div class="page">{waiting}</div></div>
<div id="react-entry-point"></div>
{failure}
<noscript>{no_script}</noscript>
{config}
{scripts}
{renderer}
</body>
</html>"""


def mount(server: Flask, source: EvaluationSource, *, language: Callable[[], str], failed: Failed) -> Dash:
    """Serve the dashboards under `/dashboards/` and return their Dash app.

    Who may come there is for the server to guard, and what they may see for the source. `language` says which of
    `analytics.languages.LANGUAGES` the current request speaks, for addresses that do not say it themselves. `failed`
    writes down what a part of a page raised, and raises it again where it concerns the whole page.
    """

    class LocalisedDash(Dash):
        """Dash with a page frame that states its language."""

        def interpolate_index(  # type: ignore[override]  # Dash passes these by name, and all of them
            self, **parts: Any
        ) -> str:
            asked = evaluation_id(request.args.get("evaluation"))
            if asked is not None and asked not in {header.id for header in source.evaluations()}:
                abort(HTTPStatus.NOT_FOUND)
            spoken = language()
            _ = translator(spoken)
            words = {
                "language": spoken,
                "title": _("Resident satisfaction: dashboards"),
                "waiting": waiting.skeleton_html(spoken),
                "failure": waiting.failure_html(spoken),
                "no_script": _("The dashboards need JavaScript."),
            }
            scripts = _scripts_for(_page_at(request.path), parts["scripts"])
            return _INDEX.format(**{**parts, **words, "scripts": scripts})

    options: dict[str, Any] = {"server": server, "update_title": None}  # what Dash takes, and its annotations do not
    app = LocalisedDash(
        __name__,
        **options,
        url_base_pathname=PREFIX,
        assets_folder=str(_ASSETS),
        # Served, but put into the page by `chrome_109.js` alone, where a browser needs it.
        assets_ignore=r"^stylis",
        serve_locally=True,
        # What a page shows is built by callbacks, so its ids are unknown at the start.
        suppress_callback_exceptions=True,
        csrf_token_name=_CSRF_COOKIE,
        enable_mcp=False,
        add_log_handler=False,  # it would write to the standard output, past the log of the site
    )
    app.layout = _frame
    _register_frame(app, source, language, failed)
    filter_bar.register(app, source, language)
    for page in PAGES:
        page.register(app, source, language)
    check_requests(server, app, prefix=PREFIX)
    _secure(server, app)
    return app


def _frame() -> Component:
    frame: Component = dmc.MantineProvider(
        [
            dcc.Location(id="address", refresh=False),
            dcc.Store(id="drawn"),
            html.Div(id="frame", className="frame"),
        ],
        theme=theme.MANTINE,
        forceColorScheme="light",
    )
    return frame


def _register_frame(app: Dash, source: EvaluationSource, language: Callable[[], str], failed: Failed) -> None:
    @app.callback(Output("frame", "children"), Input("address", "pathname"), State("address", "search"))
    def show_page(path: str | None, search: str | None) -> Component:
        view = View.of(search, language)
        return _shell(_page_at(path), view)

    @app.callback(
        *filter_bar.OUTPUTS,
        Output("content", "children"),
        Input("address", "search"),
        State("address", "pathname"),
        State("drawn", "data"),
    )
    def follow_address(search: str | None, path: str | None, drawn: str | None) -> tuple[Any, ...]:
        page, view = _page_at(path), View.of(search, language)
        content: Any = [] if page is None else no_update
        asked = f"{path or PREFIX}{view.shared.search}"
        if page is not None and not (page.updates_itself and drawn == asked):
            parts = page.draw(source, view, datetime.now(UTC))
            content = draw_parts(page, parts, view.language, failed=failed)
        set_props("drawn", {"data": asked})
        return *filter_bar.filter_values(source, view), content

    _register_scripts(app)


def _register_scripts(app: Any) -> None:  # Dash leaves this method without annotations
    app.clientside_callback(
        ClientsideFunction("jiayuan", "openNavigation"),
        Output("shell", "navbar"),
        Input("burger", "opened"),
        State("shell", "navbar"),
        prevent_initial_call=True,
    )
    app.clientside_callback(
        ClientsideFunction("jiayuan", "printPage"), Input("print", "n_clicks"), prevent_initial_call=True
    )
    # A tap on a section leads there; on a phone the open navigation would cover it.
    app.clientside_callback(
        ClientsideFunction("jiayuan", "closeNavigation"),
        Output("burger", "opened"),
        Input("address", "hash"),
        prevent_initial_call=True,
    )
    app.clientside_callback(
        ClientsideFunction("jiayuan", "otherLanguage"),
        Output("other-language", "href"),
        Input("address", "search"),
        State("other-language", "lang"),
    )


def _scripts_for(page: Page | None, scripts: str) -> str:
    """Return the script elements without the libraries that a page does not use; a link to another loads it anew."""
    unused = ("dash/dash_table/",) if page is not None and page.has_grid else ("dash/dash_table/", "dash_ag_grid/")
    return "\n".join(line for line in scripts.splitlines() if not any(f"/{library}" in line for library in unused))


def _page_at(path: str | None) -> Page | None:
    return next((page for page in PAGES if (path or "").rstrip("/") == (PREFIX + page.path).rstrip("/")), None)


def _shell(page: Page | None, view: View) -> Component:
    _ = translator(view.language)
    body: list[Component]
    if page is None:
        body = [html.H1(_("There is no such page."))]
    else:
        body = [
            html.H1(page.title(view.language), className="unseen"),
            filter_bar.filter_bar(page.filters, view.language),
            html.Div(
                waiting.skeleton(view.language),
                id="content",
                # A page that updates itself keeps its fields while somebody types into them.
                className="" if page.updates_itself else "redrawn",
                **attributes(data_long_wait=waiting.long_wait_words(view.language)),
            ),
        ]
    shell: Component = dmc.AppShell(
        [
            dmc.AppShellHeader(_header(view)),
            dmc.AppShellNavbar(_navigation(page, view), p="sm"),
            dmc.AppShellMain(html.Div(body, className="page")),
        ],
        id="shell",
        header={"height": 56},
        navbar={"width": 216, "breakpoint": "md", "collapsed": {"mobile": True}},
        padding="md",
    )
    return shell


def _header(view: View) -> Component:
    _ = translator(view.language)
    other = LANGUAGES[1 - LANGUAGES.index(view.language)]
    header: Component = dmc.Group(
        [
            dmc.Group(
                [
                    dmc.Burger(
                        id="burger", opened=False, hiddenFrom="md", size="sm", **attributes(aria_label=_("Navigation"))
                    ),
                    html.A(_("Resident satisfaction"), href=f"{PREFIX}{view.search}", className="brand"),
                ],
                gap="xs",
                wrap="nowrap",
            ),
            # A plain link: the whole page is fetched anew, so that nothing of the other language stays behind.
            html.A(
                NAMES[other],
                id="other-language",
                href=view.with_changes(language=other).search,
                lang=other,
                className="quiet-link",
            ),
        ],
        justify="space-between",
        h="100%",
        px="md",
        wrap="nowrap",
    )
    return header


def _navigation(current: Page | None, view: View) -> Component:
    _ = translator(view.language)
    links: list[Component] = []
    for page in PAGES:
        here = attributes(aria_current="page") if page is current else {}
        links.append(
            html.A(
                page.title(view.language), href=f"{PREFIX}{page.path}{view.shared.search}", className="nav-page", **here
            )
        )
        if page is current:
            links += [
                html.A(section.title, href=f"#{section.anchor}", className="nav-section")
                for section in page.sections(view.language)
            ]
    links.append(html.A(_("Staff pages"), href=f"/staff/?lang={view.language}", className="nav-page nav-apart"))
    return html.Nav(links, **attributes(aria_label=_("Pages and sections")))


def _secure(server: Flask, app: Dash) -> None:
    # Dash writes a few scripts into its page; their hashes are known once every callback is registered.
    script = " ".join(["'self'", *(f"'{digest.strip(chr(39))}'" for digest in app.csp_hashes())])
    policy = (
        f"default-src 'none'; script-src {script}; style-src 'self' 'unsafe-inline'; img-src 'self' data:; "
        "connect-src 'self'; font-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'self'; "
        "object-src 'none'"
    )

    def secure(response: Response) -> Response:
        if request.path.startswith(PREFIX):
            response.headers["Content-Security-Policy"] = policy
            if response.status_code == HTTPStatus.OK and response.mimetype == "text/html":
                _hand_out_token(response, secure=bool(server.config["SESSION_COOKIE_SECURE"]))
        return response

    server.after_request(secure)


def _hand_out_token(response: Response, *, secure: bool) -> None:
    # Readable by scripts, as it must be; worth nothing without the session it was signed for.
    response.set_cookie(_CSRF_COOKIE, generate_csrf(), path=PREFIX, samesite="Strict", secure=secure)
