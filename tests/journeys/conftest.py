"""A poster that hangs, and the site behind it in the test's own process, where a test can make it fail."""

import threading
from datetime import UTC, datetime, timedelta

import pytest
from playwright.sync_api import expect
from werkzeug.serving import WSGIRequestHandler, make_server

from survey_app.codes.codes import issue_poster_code
from tests.conftest import BROWSER_TIMEOUT_MS
from tests.factories import make_community, make_district, make_round
from tests.journeys.whole_site import sign_in_browser

expect.set_options(timeout=BROWSER_TIMEOUT_MS)


class _QuietHandler(WSGIRequestHandler):
    def log(self, *_arguments):
        pass


@pytest.fixture
def token(sqlite_database):
    """The code on a poster of 阳光家园, while a round is open."""
    now = datetime.now(UTC)
    with sqlite_database.writing() as session:
        make_round(session, opens_at=now - timedelta(days=10), closes_at=now + timedelta(days=10))
        district = make_district(session, name="海勃湾区", english_name="Haibowan District", telephone="0473-2058000")
        community = make_community(session, district=district, name="阳光家园", english_name="Sunshine Homes")
        return issue_poster_code(session, community=community, now=now).token


@pytest.fixture
def site_address(app):
    """Serve the site from a thread of this process; yields its address."""
    server = make_server("127.0.0.1", 0, app, threaded=True, request_handler=_QuietHandler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.port}"
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture
def poster(site_address, token):
    """The address in the poster's QR code."""
    return f"{site_address}/s/{token}"


@pytest.fixture
def phone(open_page):
    """A page in WeChat on an old Android phone; with `javascript=False` without scripts."""

    def phone(*, javascript=True, **options):
        page = open_page(
            **(
                {"java_script_enabled": javascript, "has_touch": True, "is_mobile": True, "user_agent": WECHAT}
                | options
            )
        )
        page.faults = []
        page.on("pageerror", lambda fault: page.faults.append(fault))  # noqa: PLW0108 (playwright marks what it is given)
        return page

    return phone


WECHAT = (
    "Mozilla/5.0 (Linux; Android 8.1; OPPO A5 Build/OPM1) AppleWebKit/537.36 (KHTML, like Gecko) Version/4.0 "
    "Chrome/66.0.3359.126 MQQBrowser/6.2 TBS/045111 Mobile Safari/537.36 MicroMessenger/7.0.9 Language/zh_CN"
)


@pytest.fixture
def desk_of(open_page, app, site_address):
    """Open the desk of an account, signed in, in a browser of its own."""

    def open_desk(username, path):
        page = open_page(viewport={"width": 1440, "height": 900})
        sign_in_browser(page, app, site_address, username)
        page.goto(f"{site_address}{path}")
        return page

    return open_desk
