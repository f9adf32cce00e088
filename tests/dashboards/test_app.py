"""Every page through the real site: languages, accounts, addresses, headers, sizes."""

import gzip
import re
from html.parser import HTMLParser
from urllib.parse import parse_qsl, unquote

import pytest

from dashboards.app import PAGES
from dashboards.pages.communities import MOST_ROWS
from dashboards.panels import entering_and_leaving
from dashboards.routes import ROUTES
from dashboards.source import DRAWN_COLUMNS
from tests.dashboards.conftest import serve_dashboards
from tests.dashboards.made_up import MadeUpCity, counts, places

PAGE = ("evaluation.data", "evaluation.value", "region.data", "region.value", "route.value", "content.children")
RESULT_PAGES = ("", "criterion/", "complaints/")


class Browser:
    """A test client that sends Dash's callbacks as its renderer does."""

    def __init__(self, server, search="", client=None):
        self.client = client or server.test_client()
        self.page = self.client.get(f"/dashboards/{search}")
        cookie = self.client.get_cookie("_csrf_token", path="/dashboards/")
        self.headers = {"X-CSRFToken": cookie.value} if cookie else {}

    def call(self, outputs, *, headers=None, changed=(), state=None, **inputs):
        """Return the answer to one callback; the values of `inputs` and `state` go by id, in its order."""
        split = [dict(zip(("id", "property"), output.split("."), strict=True)) for output in outputs]
        described = {
            "output": outputs[0] if len(outputs) == 1 else "..{}..".format("...".join(outputs)),
            "outputs": split[0] if len(split) == 1 else split,
            "inputs": described_values(inputs),
            "state": described_values(state or {}),
            "changedPropIds": list(changed),
        }
        return self.client.post(
            "/dashboards/_dash-update-component", json=described, headers=self.headers if headers is None else headers
        )

    def ask(self, search, *, page="", drawn=None, headers=None):
        state = {"address.pathname": f"/dashboards/{page}", "drawn.data": drawn}
        return self.call(PAGE, headers=headers, state=state, **{"address.search": search})

    def show(self, search, *, page=""):
        return self.ask(search, page=page).get_json()["response"]

    def content(self, search, *, page=""):
        return self.show(search, page=page)["content"]

    def rows(self, search, *, start=0, end=20, sort=()):
        request = {"startRow": start, "endRow": end, "sortModel": list(sort), "filterModel": {}}
        return self.call(
            ["table-of-communities.getRowsResponse"],
            state={"address.search": search},
            **{"table-of-communities.getRowsRequest": request},
        )

    def table(self, search, **asked):
        return self.rows(search, **asked).get_json()["response"]["table-of-communities"]["getRowsResponse"]


def described_values(values):
    return [
        {"id": name.split(".")[0], "property": name.split(".")[1], "value": value} for name, value in values.items()
    ]


def texts(component):
    """Return every sentence in a component as it goes to the browser."""
    if isinstance(component, str):
        return [component]
    if isinstance(component, list):
        return [text for part in component for text in texts(part)]
    if isinstance(component, dict):
        return [text for part in component.values() for text in texts(part)]
    return []


def said(component):
    return "\n".join(texts(component))


def components(part):
    """Yield the properties of every component of a page."""
    if isinstance(part, dict):
        if "props" in part:
            yield part["props"]
        for value in part.values():
            yield from components(value)
    elif isinstance(part, list):
        for value in part:
            yield from components(value)


@pytest.fixture(scope="module")
def browser_of(city):
    return Browser(serve_dashboards(city))


def test_the_published_evaluation_is_shown_first_and_said_to_be_so():
    browser = Browser(serve_dashboards(MadeUpCity(published=(1,))))

    shown = browser.show("?lang=en")
    asked_for = browser.show("?lang=en&evaluation=2")

    assert [option["label"].split(" · ")[1] for option in shown["evaluation"]["data"]] == [
        "official, not yet published",
        "published",
    ]
    assert shown["evaluation"]["value"] == "1"
    assert "State of this result\nDt\ndash_html_components\npublished" in said(shown["content"])
    assert asked_for["evaluation"]["value"] == "2"
    assert "State of this result\nDt\ndash_html_components\nofficial, not yet published" in said(asked_for["content"])


def test_while_none_is_published_the_newest_evaluation_is_shown(browser_of):
    assert browser_of.show("")["evaluation"]["value"] == "2"


class Scripts(HTMLParser):
    def __init__(self, page):
        super().__init__()
        self.sources = []
        self.feed(page)

    def handle_starttag(self, tag, attrs):
        self.sources += [value for name, value in attrs if name in ("src", "href") and tag in ("script", "link")]


def test_everything_comes_from_the_site_itself(browser_of):
    sources = Scripts(browser_of.page.get_data(as_text=True)).sources

    assert len(sources) > 5
    assert all(source.startswith("/dashboards/") for source in sources)


class OnlyDrawnColumns:
    """A city whose standings of all communities have the columns alone that `EvaluationSource.standings` names."""

    PLACE_COLUMNS = ("community_id", "number", "name", "english_name", "region", "region_english")

    def __init__(self, city):
        self._city = city

    def __getattr__(self, name):
        return getattr(self._city, name)

    def standings(self, evaluation_id):
        return self._city.standings(evaluation_id)[[*self.PLACE_COLUMNS, *DRAWN_COLUMNS]]

    def compute_once(self, evaluation_id, derive, *arguments):
        return derive(self, evaluation_id, *arguments)


@pytest.mark.parametrize("search", ["?lang=en", "?lang=en&route=complaints", "?lang=en&region=乌达区"])
@pytest.mark.parametrize("page", [page.path for page in PAGES if page.path != "collection/"])
def test_every_page_needs_of_all_communities_only_what_is_drawn_of_all(browser_of, only_drawn, page, search):
    search += "&community=150003" if page == "community/" else ""
    search += "&what_if=ties:exclude" if page == "criterion/" else ""

    assert without_clock(only_drawn.content(search, page=page)) == without_clock(browser_of.content(search, page=page))


def without_clock(content):
    """Return what a page shows, without the progress of the open round, whose made-up times follow the clock."""
    return [part for part in content["children"] if part["props"].get("id") != "collection"]


@pytest.fixture(scope="module")
def only_drawn(city):
    return Browser(serve_dashboards(OnlyDrawnColumns(city)))


def test_the_page_allows_no_foreign_and_no_inline_script(browser_of):
    policy = browser_of.page.headers["Content-Security-Policy"]
    rules = dict(part.strip().split(" ", 1) for part in policy.split(";"))

    assert rules["default-src"] == "'none'"
    assert rules["connect-src"] == "'self'"
    scripts = rules["script-src"].split()
    assert scripts[0] == "'self'"
    assert all(rule.startswith("'sha256-") for rule in scripts[1:])


def test_answers_of_callbacks_carry_the_policy_too(browser_of):
    answer = browser_of.ask("")

    assert answer.headers["Content-Security-Policy"] == browser_of.page.headers["Content-Security-Policy"]


def test_a_callback_without_the_token_is_refused(browser_of):
    assert browser_of.ask("", headers={}).status_code == 400
    assert browser_of.ask("").status_code == 200


def test_the_token_is_sent_to_the_dashboards_alone(browser_of):
    cookies = [value for name, value in browser_of.page.headers if name == "Set-Cookie"]
    token = next(cookie for cookie in cookies if cookie.startswith("_csrf_token="))

    assert "Path=/dashboards/" in token
    assert "SameSite=Strict" in token


def test_the_server_for_machines_is_off(city):
    server = serve_dashboards(city)

    assert not [rule for rule in server.url_map.iter_rules() if "mcp" in rule.rule]


@pytest.mark.parametrize(
    ("language", "heading", "loading"),
    [("zh-Hans", "入围小区、评价途径与理由", "正在加载"), ("en", "Who qualifies, by", "Loading")],
)
def test_the_page_speaks_the_language_of_its_address(city, language, heading, loading):
    browser = Browser(serve_dashboards(city), f"?lang={language}")

    assert f'<html lang="{language}">' in browser.page.get_data(as_text=True)
    assert loading in browser.page.get_data(as_text=True)
    assert heading in said(browser.content(f"?lang={language}"))


def test_a_second_site_shows_its_own_city():
    small = places().head(40)
    first = Browser(serve_dashboards(MadeUpCity()))
    second = Browser(serve_dashboards(MadeUpCity(register=small)))

    assert first.table("?lang=en")["rowCount"] == 440
    assert second.table("?lang=en")["rowCount"] == 40


def test_a_district_account_sees_its_own_district_alone():
    browser = Browser(serve_dashboards(MadeUpCity(district="乌达区")))

    for search in ("", "?region=海勃湾区", "?lang=en&region=海勃湾区"):
        shown = said(browser.table(search)) + "".join(said(browser.show(search, page=page.path)) for page in PAGES)
        assert "海勃湾区" not in shown
        assert "Haibowan" not in shown
    assert browser.table("?lang=en")["rowCount"] == 140
    assert browser.table("?lang=en&region=海勃湾区") == {"rowData": [], "rowCount": 0}


def test_the_region_of_the_address_narrows_everything(browser_of):
    for page in PAGES:
        answer = browser_of.show("?lang=en&region=海南区", page=page.path)
        assert answer["region"]["value"] == "海南区"
        assert "Wuda" not in said(answer["content"])
        assert "Wuda" in said(answer["region"]["data"])


def test_the_route_of_the_address_chooses_what_is_drawn(browser_of):
    satisfaction = said(browser_of.content("?lang=en"))
    complaints = said(browser_of.content("?lang=en&route=complaints"))

    assert "Satisfaction rate (%)" in satisfaction
    assert "Satisfaction rate (%)" not in complaints
    assert "from the fewest complaints up" in complaints


def test_an_earlier_evaluation_can_be_chosen(city):
    browser = Browser(serve_dashboards(city))

    newest = browser.show("?lang=en")
    earlier = browser.show("?lang=en&evaluation=1")

    assert newest["evaluation"]["value"] == "2"
    assert earlier["evaluation"]["value"] == "1"
    assert "since the previous round" in said(newest["content"])
    assert "since the previous round" not in said(earlier["content"])


def test_an_evaluation_that_does_not_exist_is_never_asked_for_and_no_other_one_shown():
    city = MadeUpCity()
    browser = Browser(serve_dashboards(city))

    shown = browser.show("?lang=en&evaluation=99")

    assert shown["evaluation"]["value"] is None
    assert "There is no such evaluation" in said(shown["content"])
    assert 99 not in city.asked


def test_a_preview_says_so_before_anything_else(preview_city, city):
    for language, words in (("zh-Hans", "预览，非正式结果"), ("en", "Preview, not an official result")):
        preview, official = Browser(serve_dashboards(preview_city)), Browser(serve_dashboards(city))
        for page in RESULT_PAGES:
            assert words in said(preview.content(f"?lang={language}", page=page)["children"][0])
            assert words not in said(official.content(f"?lang={language}", page=page))


def test_a_site_without_evaluations_says_what_is_missing():
    browser = Browser(serve_dashboards(MadeUpCity(rounds=(), open_round=False)))

    shown = said(browser.content("?lang=en"))

    assert "No evaluation yet" in shown
    assert "No round is open" in shown
    assert "No evaluation yet" in said(browser.content("?lang=en", page="communities/"))
    assert browser.table("?lang=en") == {"rowData": [], "rowCount": 0}


def test_a_district_where_nobody_is_ranked_says_so():
    register = places()
    crowd = counts(register, seed=1)
    assert (crowd.groupby("region").size() > 1).all()
    lonely = register.assign(region=register["region"].where(register.index > 0, "新区"), region_english="X")
    browser = Browser(serve_dashboards(MadeUpCity(register=lonely)))

    shown = said(browser.content("?lang=en&region=新区"))

    assert "No community meets the criterion here." in shown
    assert "too few for a single position" in shown or "No community here is ranked" in shown


def test_the_open_round_shows_counts_and_no_score():
    browser = Browser(serve_dashboards(MadeUpCity(rounds=())))

    collection = unquote(said(browser.content("?lang=en", page="collection/")))

    assert "Answers so far" in collection
    assert "%" not in collection.replace("%{", "").replace("%Y-%m-%d", "").replace("%-m-%-d", "")


@pytest.mark.parametrize(("start", "end", "rows"), [(-3, 20, 20), (430, 450, 10), (10_000, 10_020, 0), (20, 0, 0)])
def test_rows_that_do_not_exist_are_not_there(browser_of, start, end, rows):
    answer = browser_of.table("?lang=en", start=start, end=end)

    assert len(answer["rowData"]) == rows
    assert answer["rowCount"] == 440


def test_no_request_makes_the_table_hand_out_everything(browser_of):
    assert len(browser_of.table("?lang=en", end=100_000)["rowData"]) == MOST_ROWS


def test_the_table_is_not_drawn_anew_for_what_it_follows_itself(browser_of):
    first = browser_of.ask("?lang=en", page="communities/").get_json()
    drawn = first["sideUpdate"]["drawn"]["data"]
    filtered = browser_of.ask("?lang=en&name=Jade", page="communities/", drawn=drawn).get_json()
    elsewhere = browser_of.ask("?lang=en&region=海南区", page="communities/", drawn=drawn).get_json()

    assert "content" in first["response"]
    assert "content" not in filtered["response"]
    assert "content" in elsewhere["response"]


def test_every_who_and_why_is_said_in_words(browser_of, city):
    standings = city.standings(city.evaluations()[0].id)

    shown = said(browser_of.content("?lang=en"))

    for name in standings.loc[standings["criterion_status"] == "met", "english_name"]:
        assert name in shown
    assert "the first 10 qualify: met." in shown
    assert "within_k" not in shown


def counted_rows(browser, address):
    """Return how many communities an address lists, and how many answers they have."""
    path, search = address.split("?")
    assert path == "/dashboards/communities/"
    count = browser.table(f"?{search}")["rowCount"]
    rows = [
        row
        for start in range(0, count, MOST_ROWS)
        for row in browser.table(f"?{search}", start=start, end=start + MOST_ROWS)["rowData"]
    ]
    answers = [int(row["responses"].replace(",", "")) for row in rows if row["responses"] != "—"]
    return count, sum(answers)


@pytest.mark.parametrize("region", ["", "&region=乌达区"])
@pytest.mark.parametrize("route", ["satisfaction", "complaints"])
@pytest.mark.parametrize("language", ["zh-Hans", "en"])
def test_each_number_that_is_a_link_leads_to_exactly_so_many_rows(browser_of, language, route, region):
    content = browser_of.content(f"?lang={language}&route={route}{region}")

    links = [props for props in components(content) if props.get("className") == "rows-link"]
    of_evaluation = [props for props in links if "/collection/" not in props["href"]]
    groups = {dict(parse_qsl(props["href"].split("?")[1])).get("group") for props in of_evaluation}
    assert groups >= {*(f"{way}_by_{name}" for way in ("ranked", "met") for name in ROUTES), "met_by_both", "left_open"}
    for props in of_evaluation:
        counted = int(props["children"].replace(",", ""))
        communities, answers = counted_rows(browser_of, props["href"])
        # Numbers of answers lead to the communities that have them, those with most first.
        assert counted == (answers if "sort=-responses" in props["href"] else communities)
        assert f"lang={language}" in props["href"]
    assert len(links) - len(of_evaluation) == 3


def test_the_communities_with_held_answers_are_as_many_as_the_link_says(browser_of):
    content = browser_of.content("?lang=en", page="integrity/")
    [link] = [props for props in components(content) if props.get("className") == "rows-link"]

    communities, _answers = counted_rows(browser_of, link["href"])

    assert communities == int(link["children"]) > 0


@pytest.mark.parametrize("region", ["", "&region=乌达区"])
def test_the_figures_of_complaints_lead_to_the_communities_that_they_count(browser_of, region):
    content = browser_of.content(f"?lang=en{region}", page="complaints/")

    links = {
        dict(parse_qsl(props["href"].split("?")[1]))["group"]: props
        for props in components(content)
        if props.get("className") == "rows-link"
    }

    assert links.keys() >= {"with_complaints", "without_complaints"}
    for group in links.keys() - {"with_complaints"}:
        communities, _answers = counted_rows(browser_of, links[group]["href"])
        assert communities == int(links[group]["children"]) > 0
    search = links["with_complaints"]["href"].split("?")[1]
    shown = [row["complaints_per_1000_household_years"] for row in browser_of.table(f"?{search}")["rowData"]]
    assert min(float(rate) for rate in shown if rate != "—") > 0
    assert dict(parse_qsl(search))["sort"] == "-complaints_per_1000_household_years"


def test_the_parts_of_the_overview_come_in_the_order_in_which_they_are_read(browser_of):
    anchors = [part["props"].get("id") for part in browser_of.content("?lang=en")["children"]]

    parts = ["finding", "key-figures", "support", "districts", "map", "qualified", "basis"]
    assert [anchor for anchor in anchors if anchor in parts] == parts


def test_an_unknown_page_says_that_there_is_none(browser_of):
    def frame(path):
        answer = browser_of.call(["frame.children"], **{"address.pathname": path, "address.search": "?lang=en"})
        return said(answer.get_json())

    assert "There is no such page." in frame("/dashboards/nowhere")
    assert "There is no such page." not in frame("/dashboards/")


@pytest.fixture(scope="module")
def large_city():
    return MadeUpCity(scale=12)


@pytest.mark.parametrize("page", [page.path for page in PAGES])
@pytest.mark.parametrize("search", ["", "&route=complaints", "&what_if=minimum_responses:50"])
def test_the_page_of_a_large_city_is_as_light_as_any(large_city, page, search):
    answer = Browser(serve_dashboards(large_city)).ask(f"?lang=zh-Hans&community=150007{search}", page=page)

    assert len(gzip.compress(answer.get_data())) < 50_000
    assert answer.get_json()["response"]["content"]["children"]


def test_of_many_who_would_enter_and_leave_the_first_are_named(large_city, monkeypatch):
    monkeypatch.setattr(entering_and_leaving, "MOST_NAMED", 10)
    content = said(Browser(serve_dashboards(large_city)).content("?lang=en&what_if=region:city", page="criterion/"))

    counted = re.search(r"under this assumption: \d+\. Entering: (\d+); leaving: (\d+)", content)
    moved = int(counted[1]) + int(counted[2])
    assert moved > 10
    assert f"Who would enter and leave: the first 10 of {moved}" in content


def test_what_never_changes_is_worked_out_once():
    city = MadeUpCity()
    browser = Browser(serve_dashboards(city))
    pages = [("complaints/", ""), ("criterion/", "&what_if=region:city"), ("integrity/", ""), ("community/", "")]

    def draw_all():
        return [browser.content(f"?lang=en&community=150007{search}", page=page) for page, search in pages]

    first, compute_once = draw_all(), list(city.worked_out_for)

    assert draw_all() == first
    assert city.worked_out_for == compute_once
    assert len(compute_once) > 3


def test_regions_share_nothing_that_was_worked_out_for_one_of_them():
    remembering, forgetful = MadeUpCity(), MadeUpCity()
    browser, fresh = Browser(serve_dashboards(remembering)), Browser(serve_dashboards(forgetful))
    winner = remembering.standings(1).query("region == '海勃湾区' and satisfaction_rank == 1")["number"].iloc[0]

    for page in ("complaints/", "integrity/", "community/"):
        for region in ("乌达区", "海勃湾区", ""):
            search = f"?lang=en&community={winner}&region={region}"
            forgetful.forget()
            assert browser.content(search, page=page) == fresh.content(search, page=page)


def test_pages_ask_for_the_round_before_only_if_they_compare_with_it():
    city = MadeUpCity()
    browser = Browser(serve_dashboards(city))
    asked = {}
    for page in PAGES:
        city.asked.clear()
        browser.content("?lang=en", page=page.path)
        asked[page.path] = set(city.asked)

    assert asked[""] == {1, 2}
    assert all(evaluations <= {2} for page, evaluations in asked.items() if page)
