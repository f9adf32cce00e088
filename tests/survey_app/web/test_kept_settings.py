"""Language and large print go along with a resident: every link, form, button and redirect of every page keeps them."""

import re
from html import unescape
from urllib.parse import parse_qs, urlsplit

import pytest

from survey_app.codes.codes import issue_poster_code, issue_slips, new_slips
from survey_app.complaints.case_addresses import sign_case
from survey_app.responses.receipts import sign_receipt
from tests.factories import SECRET, make_community, make_complaint, make_poster_code, make_round_around
from tests.survey_app.complaints.test_views import CONTACT, WORDS, answer, statuses
from tests.survey_app.responses.test_survey_views import ANSWERS, Page

ASKED = {"lang": ["en"], "text": ["large"]}
QUERY = "?lang=en&text=large"
ADDRESSES = re.compile(r'(?:href|action|formaction)="(/[^"]*|\?[^"]*)"')


class Crawler:
    """A resident who asked once for English in large print, and checks what each page leads to."""

    def __init__(self, client):
        self.client, self.waiting, self.seen = client, [], set()

    def check(self, answer, came_from):
        """Check an answer and note where it leads; return it after its redirects."""
        while answer.status_code in {302, 303}:
            self.check_address(answer.location, came_from)
            answer = self.client.get(answer.location)
        assert answer.status_code < 500, came_from
        assert '<html lang="en" class="large">' in answer.text, came_from
        for address in ADDRESSES.findall(answer.text):
            if not address.startswith("/static/"):
                self.check_address(address.replace("&amp;", "&"), came_from)
        for link in Page(answer).links:
            if link.startswith("/") and not link.startswith("/sign-in"):
                self.waiting.append(link)
        return answer

    def check_address(self, address, came_from):
        query = parse_qs(urlsplit(address).query)
        # The switches themselves change one of the two.
        kept = [query.get(name) == value for name, value in ASKED.items()]
        switched = [query.get("lang") == ["zh-Hans"], query.get("text") == ["standard"]]
        assert kept[0] or switched[0], (came_from, address)
        assert kept[1] or switched[1], (came_from, address)
        assert any(kept), (came_from, address)

    def crawl(self, start):
        self.waiting.append(start)
        while self.waiting:
            address = self.waiting.pop().partition("#")[0]
            query, path = parse_qs(urlsplit(address).query), urlsplit(address).path
            if path in self.seen or {name: query.get(name) for name in ASKED} != ASKED:
                continue
            self.seen.add(path)
            self.check(self.client.get(address), address)

    def post(self, address, data):
        return self.check(self.client.post(address, data=data), f"POST {address}")


@pytest.fixture
def city(sqlite_database, now):
    with sqlite_database.writing() as session:
        survey_round = make_round_around(session, now, accepts_households=True)
        community = make_community(session, name="滨河家园", english_name="Riverside Homes")
        token = issue_poster_code(session, community=community, now=now).token
        revoked = make_poster_code(session, community, revoked_at=now).token
        slip = issue_slips(
            session, survey_round=survey_round, community=community, new=new_slips(1, secret_key=SECRET), now=now
        ).slips[0]
        make_complaint(session, community, place="3号楼", submitted_at=now)
        return token, revoked, slip


def test_language_and_print_are_kept_wherever_a_resident_goes(client, city):
    token, revoked, slip = city
    crawler = Crawler(client)
    for start in ("/", f"/s/{token}", f"/s/{revoked}", "/s/unknown", "/nowhere", f"/h/{slip.token}", f"/s/{token}/"):
        crawler.crawl(f"{start}{QUERY}")
    for number in (token, slip.digits, "12"):
        for to in ("", "complaint"):
            crawler.post(f"/{QUERY}", {"number": number, "to": to})

    form = f"/s/{token}{QUERY}"
    key = Page(client.get(form)).given["key"][0]
    crawler.post(form, {"key": key})
    crawler.post(form, ANSWERS)
    receipt = crawler.post(form, ANSWERS | {"key": key})
    crawler.post(form, ANSWERS | {"key": key, "q01": "1"})
    address = re.search(r'href="(/r/[^"/?]+)/withdrawal', receipt.text)[1]
    crawler.crawl(f"{address}{QUERY}")
    for path in ("change", "answers"):
        crawler.post(f"{address}/{path}{QUERY}", {"code": "1"})
    crawler.post(f"{address}/correction{QUERY}", {"key": "forged"} | ANSWERS)
    crawler.post(f"{address}/withdrawal{QUERY}", {"reason": "other"})
    number = receipt.text.split('class="number">')[1].split("<")[0].replace(" ", "")
    crawler.crawl(f"/r/{sign_receipt(number, secret_key=SECRET)}{QUERY}")

    assert len(crawler.seen) > 20


def test_language_and_print_are_kept_through_a_complaint_and_its_case(client, city, sqlite_database):
    token, crawler = city[0], Crawler(client)
    complaint = f"/c/{token}"
    key = Page(client.get(f"{complaint}{QUERY}")).given["key"][0]
    words = WORDS | CONTACT | {"key": key}
    crawler.post(f"{complaint}/edit{QUERY}", {"key": key, "find": "no heat"})
    crawler.post(f"{complaint}/check{QUERY}", {"key": key})
    checked = crawler.post(f"{complaint}/check{QUERY}", words)
    offered = re.search(r'name="reference" value="([^"]+)"', checked.text)[1]
    crawler.post(f"{complaint}/support{QUERY}", words | {"reference": offered})
    filed = crawler.post(f"{complaint}{QUERY}", words)
    crawler.post(f"{complaint}{QUERY}", words | {"text": "Another"})
    reference, secret = (part.split("</p>")[0].replace(" ", "") for part in filed.text.split('<p class="number">')[1:3])
    signed = sign_case(reference, secret_key=SECRET)
    crawler.crawl(f"/complaint/{reference}{QUERY}")
    crawler.crawl(f"/complaint/{signed}{QUERY}")
    crawler.post(f"/complaint/{reference}/open{QUERY}", {"secret": "1"})
    own = crawler.post(f"/complaint/{reference}/open{QUERY}", {"secret": secret})
    granted = {"pass": Page(own).given["pass"][0]}
    crawler.post(f"/complaint/{reference}/step{QUERY}", granted | {"step": "add", "step_key": "a"})
    crawler.post(f"/complaint/{reference}/contact-erasure{QUERY}", granted)
    answer(sqlite_database, reference)
    for step in ("rejected", "withdraw"):
        crawler.post(f"/complaint/{reference}/step{QUERY}", granted | {"step": step, "because": "untrue"})


def switch(client, page):
    """Press the language button of a page that answered a POST, as a browser does without JavaScript."""
    address, value = re.search(
        r'formaction="([^"]+)" name="show" value="([^"]+)" class="switch-language"', page.text
    ).groups()
    inside = re.search(r'<form[^>]* id="form".*?</form>', page.text, re.DOTALL)[0]
    hidden = {name: unescape(value) for name, value in re.findall(r'name="([^"]+)" value="([^"]*)"', inside)}
    text = re.search(r'name="text"[^>]*>\n?([^<]*)</textarea>', inside)
    data = hidden | ({"text": text[1]} if text else {}) | {"show": value}
    return client.post(address.replace("&amp;", "&"), data=data)


def test_the_language_button_shows_the_same_page_with_every_word(client, city, sqlite_database):
    token = city[0]
    key = Page(client.get(f"/c/{token}")).given["key"][0]
    words = WORDS | {"key": key}
    filed = client.post(f"/c/{token}", data=words)
    numbers = re.findall(r'<p class="number">([\d ]+)<', filed.text)
    reference, secret = (number.replace(" ", "") for number in numbers)

    again = switch(client, filed)
    assert "Your complaint is stored" in again.text
    assert re.findall(r'<p class="number">([\d ]+)<', again.text) == numbers
    conflict = switch(client, client.post(f"/c/{token}", data=words | {"text": "水也停了"}))
    assert (conflict.status_code, "This form was sent already" in conflict.text) == (409, True)
    wrong = switch(client, client.post(f"/complaint/{reference}/open", data={"secret": "1"}))
    assert (wrong.status_code, "How a case stands" in wrong.text) == (200, True)

    own = client.post(f"/complaint/{reference}/open", data={"secret": secret})
    assert "My case" in switch(client, own).text
    granted = Page(own).given["pass"][0]
    refused = client.post(f"/complaint/{reference}/step", data={"pass": granted, "step": "fly", "text": "还没修"})
    kept = switch(client, refused)
    assert (kept.status_code, "My case" in kept.text, "还没修" in kept.text) == (200, True, True)
    assert statuses(sqlite_database) == ["submitted", "submitted"]
