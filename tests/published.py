"""Everything that the site sends an account about the answers of a round: tables and sentences of pages, and files.

What is collected here is what a browser gets: nothing is taken from the database or from a function of the site.
"""

import csv
import io
import re
from dataclasses import dataclass, field
from urllib.parse import unquote

from dashboards.panels.what_if import CHOICE
from dashboards.widgets.links import COMMUNITY_PATH
from tests.accounts import signed_in_client
from tests.dashboards.test_app import Browser, texts

_DATA_ADDRESS = "data:text/csv"
_STAFF_FILE = re.compile(r'href="(/staff/[^"?]+\.csv)[?"]')
CRITERION = "criterion/"
WHOLE = ("", CRITERION, "aspects/", "complaints/", "integrity/", "collection/")


@dataclass
class Page:
    """A page as it was sent: its tables by caption, the files behind its charts by name, what these draw, its texts."""

    tables: dict = field(default_factory=dict)
    files: dict = field(default_factory=dict)
    charts: list = field(default_factory=list)
    words: list = field(default_factory=list)
    choices: list = field(default_factory=list)


class Published:
    """What one account can get of an evaluation: pages of the `whole`, of communities and of other rules, and files.

    Pages of the whole stand by their path and files by their name. Pages of communities are those asked for; of other
    rules those whose name in the address begins with one of `choices`.
    """

    def __init__(self, app, username, *, evaluation, communities=(), choices=()):
        client = signed_in_client(app, username)
        asked = f"?lang=en&evaluation={evaluation}"
        self._browser = Browser(app, "?lang=en", client=client)
        self.files = {}
        self.whole = {path: self._open(path, asked) for path in WHOLE}
        self.pages = {number: self._open(COMMUNITY_PATH, f"{asked}&community={number}") for number in communities}
        self.what_ifs = {
            choice: self._open(CRITERION, f"{asked}&what_if={choice}")
            for choice in self.whole[CRITERION].choices
            if choice.startswith(tuple(choices))
        }
        for name in ("communities.csv", "aspects.csv"):
            self._read(client, f"/dashboards/{name}{asked}", f"{name} of the page")
        for address in sorted(set(_STAFF_FILE.findall(client.get("/staff/?lang=en").text))):
            if address.split("/")[2] == "rounds" or address.startswith(f"/staff/evaluations/{evaluation}/"):
                self._read(client, f"{address}?lang=en", address.rpartition("/")[2])

    def _read(self, client, address, name):
        answer = client.get(address)
        assert answer.status_code == 200, address
        self.files[name] = rows_of(answer.get_data().decode("utf-8-sig"))

    def _open(self, path, search):
        content = self._browser.content(search, page=path)["children"]
        page = Page(words=texts(content))
        read_into(page, content)
        return page


def rows_of(text):
    """Return the rows of a CSV file by their headings."""
    return list(csv.DictReader(io.StringIO(text.removeprefix("\ufeff"), newline="")))


def read_into(page, part):
    """Add to a page what a component of it says, and what those within it say."""
    if isinstance(part, list):
        for each in part:
            read_into(page, each)
    if not isinstance(part, dict):
        return
    if {"head", "body", "caption"} <= part.keys():
        # Two tables of a page may have one caption.
        page.tables.setdefault(part["caption"], []).extend(
            dict(zip(part["head"], row, strict=True)) for row in part["body"]
        )
    if part.get("type") == "Table":
        _read_built(page, part)
    if part.get("type") == "Graph":
        page.charts.append(part["props"]["figure"]["data"])
    if str(part.get("href", "")).startswith(_DATA_ADDRESS):
        page.files[part["download"]] = rows_of(unquote(part["href"].partition(",")[2]))
    if part.get("id") == CHOICE and "data" in part:
        page.choices += [option["value"] for option in part["data"]]
    for each in part.values():
        read_into(page, each)


def _read_built(page, table):
    """Read a table that stands in components of its own, because there are links in it."""
    lines = [
        [words_of(cell) for cell in _parts(line, "TableTh", "TableTd", "Th", "Td")]
        for line in _parts(table, "TableTr", "Tr")
    ]
    if len(lines) > 1:
        caption = "".join(words_of(part) for part in _parts(table, "TableCaption", "Caption"))
        page.tables.setdefault(caption, []).extend(dict(zip(lines[0], line, strict=True)) for line in lines[1:])


def _parts(part, *types):
    """Return the components of some types within a component, in order."""
    if isinstance(part, list):
        return [found for each in part for found in _parts(each, *types)]
    if not isinstance(part, dict):
        return []
    return [part] if part.get("type") in types else [found for each in part.values() for found in _parts(each, *types)]


def words_of(part):
    """Return what a component says, without the names of its parts."""
    if isinstance(part, list):
        return "".join(map(words_of, part))
    if isinstance(part, dict):
        return words_of(part["props"].get("children"))
    return part or ""
