"""One label has one value: pages of both routes, the table's file and the report agree about the same evaluation."""

import csv
import io
import re

import pytest

from analytics.decision.evaluate import evaluate
from analytics.evidence.sensitivity import analyse_sensitivity
from analytics.evidence.weigh_evidence import weigh_evidence
from analytics.languages import LANGUAGES
from analytics.reports.evaluation_report import report_html
from analytics.reports.labels import route_words, valid_answers_words
from tests.dashboards.conftest import serve_dashboards
from tests.dashboards.made_up import RULES
from tests.dashboards.test_app import Browser, components

PAGES = ("", "criterion/", "complaints/", "integrity/")
THOUSANDS = re.compile(r"(?<=\d),(?=\d)")


def key_figures(content):
    """Yield the label of each key figure, and its value as it is written."""
    for props in components(content):
        if props.get("className") == "key-figure":
            label, value, *_note = props["children"]
            yield label["props"]["children"], written(value)


def written(part):
    """Return the words of a component, without the addresses of its links."""
    if isinstance(part, dict):
        return written(part["props"].get("children"))
    return "\n".join(map(written, part)) if isinstance(part, list) else str(part)


def captioned_numbers(content):
    """Yield caption, row and column of each cell of the tables behind charts, and its value."""
    for props in components(content):
        data = props.get("data")
        if isinstance(data, dict) and {"head", "body", "caption"} <= set(data):
            for label, *cells in data["body"]:
                yield from (
                    ((data["caption"], label, head), cell) for head, cell in zip(data["head"][1:], cells, strict=True)
                )


@pytest.fixture(scope="module", params=LANGUAGES)
def pages(request, city):
    browser = Browser(serve_dashboards(city))
    contents = [
        browser.content(f"?lang={request.param}&evaluation=2&route={route}", page=page)
        for page in PAGES
        for route in ("satisfaction", "complaints")
    ]
    return request.param, contents, browser


WORDS_OF_PERCENTILE = {"en": "Satisfaction route: percentile ", "zh-Hans": "满意度：百分位"}


def test_no_key_figure_has_two_values(pages):
    _language, contents, _browser = pages
    values = {}
    for label, value in (figure for content in contents for figure in key_figures(content)):
        values.setdefault(label, set()).add(value)

    assert len(values) > 8
    assert {label for label, found in values.items() if len(found) > 1} == set()


def test_evidence_is_counted_by_route_under_a_caption_that_names_it(pages):
    language, contents, _browser = pages
    routes = [f"{opening}{word}" for word in route_words(language).values() for opening in (": ", "（")]
    values = {}
    for place, value in (number for content in contents[:4] for number in captioned_numbers(content)):
        if any(route in place[0] for route in routes):
            values.setdefault(place, set()).add(value)

    assert len({caption for caption, _row, _column in values}) == 2
    assert {place for place, found in values.items() if len(found) > 1} == set()


def test_pages_file_and_report_state_the_same_answers_and_complaints(pages, city):
    language, contents, browser = pages
    figures = {label: THOUSANDS.sub("", value) for content in contents for label, value in key_figures(content)}
    counted = valid_answers_words(language)["owners"]
    text = browser.client.get(f"/dashboards/communities.csv?lang={language}&evaluation=2").get_data(as_text=True)
    rows = list(csv.DictReader(io.StringIO(text.removeprefix("\ufeff"))))
    result = evaluate(city.inputs(2), RULES)
    report = report_html(result, weigh_evidence(result), analyse_sensitivity(result), language)
    told = THOUSANDS.sub("", re.sub(r"<[^>]+>", " ", report))

    assert figures[counted] == str(sum(int(row[counted]) for row in rows))
    assert re.search(rf"{counted}\D{{0,3}}{figures[counted]}(?!\d)", told)
    excluded = {"en": "Left out as duplicate, out of scope or invalid", "zh-Hans": "因重复、不属受理范围或无效剔除"}
    assert figures[excluded[language]] == str(result.communities["complaints_excluded"].sum())
    by_region = {"en": r"filed cases (\d+) were left out", "zh-Hans": r"因重复、不属受理范围或无效剔除 ?(\d+) ?件，占"}
    assert sum(map(int, re.findall(by_region[language], told))) == int(figures[excluded[language]])


def test_file_and_report_state_the_same_percentiles_of_those_listed(pages, city):
    language, _contents, browser = pages
    text = browser.client.get(f"/dashboards/communities.csv?lang={language}&evaluation=2").get_data(as_text=True)
    rows = list(csv.DictReader(io.StringIO(text.removeprefix("\ufeff"))))
    result = evaluate(city.inputs(2), RULES)
    report = report_html(result, weigh_evidence(result), analyse_sensitivity(result), language)
    annex = report.partition('<section class="annex">')[2]
    heading = {"en": "Satisfaction: percentile", "zh-Hans": "满意度：百分位"}[language]
    listed = set(result.standings["community_id"][result.standings["satisfaction_status"] == "met"])
    numbers = {row[{"en": "Number", "zh-Hans": "编号"}[language]]: row[heading] for row in rows}

    told = {
        number: found[1]
        for number in listed
        if (found := re.search(rf">{number}</span></h4>.*?{WORDS_OF_PERCENTILE[language]}([0-9.]+)", annex, re.DOTALL))
    }
    assert told == {number: numbers[number] for number in listed}
