import gzip
import re
from datetime import UTC, datetime

import pytest

from dashboards.app import PAGES
from survey_app.web import compression
from survey_app.web.static_files import StaticFile
from tests.accounts import make_account, signed_in_client
from tests.bundles import LATER, SUITES
from tests.dashboards.test_app import Browser


@pytest.fixture
def address(client):
    """The address of the style sheet as pages give it."""
    return re.search(r'href="(/static/site\.css[^"]*)"', client.get("/").text)[1]


def test_a_file_whose_address_tells_its_content_is_kept_for_good(client, address):
    response = client.get(address, headers={"Accept-Encoding": "gzip"})

    assert response.headers["Cache-Control"] == "public, max-age=31536000, immutable"
    assert response.headers["Vary"] == "Accept-Encoding"
    assert response.mimetype == "text/css"
    assert gzip.decompress(response.data) == client.get(address).data


@pytest.mark.parametrize("query", ["", "?v=0123456789abcdef"])
def test_under_another_address_it_is_asked_for_again(client, address, query):
    response = client.get(address.partition("?")[0] + query)

    assert response.status_code == 200
    assert response.headers["Cache-Control"] == "no-cache"


def test_a_file_that_is_still_the_same_is_not_sent_again(client, address):
    for encoding in ({}, {"Accept-Encoding": "gzip"}):
        first = client.get(address, headers=encoding)

        again = client.get(address, headers={"If-None-Match": first.headers["ETag"], **encoding})

        assert (again.status_code, again.data) == (304, b"")


@pytest.mark.parametrize(
    ("name", "content", "expected"),
    [
        ("site.css", "/* why */\na {\n  color: red;\n}\n", "a{color:red}"),
        ("form.js", "// why\nvar a = '// 尾';\n", "var a='// 尾';"),
        ("notice.txt", "// as it is\n", "// as it is\n"),
    ],
)
def test_what_is_only_for_readers_of_the_source_is_not_sent_to_phones(tmp_path, name, content, expected):
    path = tmp_path / name
    path.write_text(content, "utf-8")

    assert StaticFile.read(path).content.decode() == expected


def test_another_content_has_another_address(tmp_path):
    path = tmp_path / "site.css"
    digests = set()
    for content in (b"a {}", b"b {}"):
        path.write_bytes(content)
        digests.add(StaticFile.read(path).digest)

    assert len(digests) == 2


@pytest.mark.parametrize("name", ["none.css", "../config.py", "%2e%2e/config.py"])
def test_nothing_else_is_served(client, name):
    assert client.get(f"/static/{name}").status_code == 404


def test_pages_for_residents_are_compressed_and_those_for_who_brings_a_cookie_are_not(client):
    accepting = {"Accept-Encoding": "gzip"}

    page = client.get("/", headers=accepting)

    assert gzip.decompress(page.data).decode() == client.get("/").text
    assert int(page.headers["Content-Length"]) == len(page.data)
    client.set_cookie("session", "x")
    assert "Content-Encoding" not in client.get("/", headers=accepting).headers


def test_what_dashboards_draw_is_compressed_and_the_page_around_it_with_its_token_is_not(app, sqlite_database):
    with sqlite_database.writing() as session:
        make_account(session, "city", now=datetime.now(UTC))
    browser = Browser(app, client=signed_in_client(app, "city"))
    plain = browser.ask("?lang=en")

    browser.client.environ_base["HTTP_ACCEPT_ENCODING"] = "gzip"
    packed = browser.ask("?lang=en")

    assert gzip.decompress(packed.data) == plain.data
    assert int(packed.headers["Content-Length"]) == len(packed.data) < len(plain.data)
    assert "Content-Encoding" not in browser.client.get("/dashboards/").headers


@pytest.fixture
def clerk(app, sqlite_database):
    with sqlite_database.writing() as session:
        make_account(session, "city", now=datetime.now(UTC))
    client = signed_in_client(app, "city")
    client.environ_base["HTTP_ACCEPT_ENCODING"] = "gzip"
    return client


def scripts_of(page):
    return re.findall(r'src="([^"]+)"', page.text)


def test_scripts_of_libraries_are_compressed_once_for_everybody(clerk, monkeypatch):
    script = next(address for address in scripts_of(clerk.get("/dashboards/")) if "dash_mantine" in address)
    packed = clerk.get(script)
    monkeypatch.setattr(compression.gzip, "compress", None)
    again = clerk.get(script)
    clerk.environ_base["HTTP_ACCEPT_ENCODING"] = ""
    plain = clerk.get(script)

    assert gzip.decompress(packed.data) == plain.data
    assert again.data == packed.data
    assert all("Accept-Encoding" in each.vary for each in (packed, plain))


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.path or "overview")
def test_no_page_of_the_dashboards_loads_more_than_two_megabytes(clerk, page):
    later = [bundle for bundle in LATER if page.has_grid == bundle.startswith("dash_ag_grid")]
    addresses = [*scripts_of(clerk.get(f"/dashboards/{page.path}")), *(SUITES + bundle for bundle in later)]
    sizes = []
    for address in addresses:
        with clerk.get(address) as script:
            sizes.append(len(script.data))

    assert all(sizes)
    assert sum(sizes) < 2_000_000
    assert any("dash_ag_grid" in address for address in addresses) is page.has_grid
