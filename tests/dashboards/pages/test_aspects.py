"""The page of the aspects of service: percentiles of all communities, in the order and part that its address says."""

import csv
import io
import re

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from analytics.languages import LANGUAGES
from dashboards import theme
from dashboards.address import View
from dashboards.frames.aspects import shares_together, told_percentile
from dashboards.frames.page_data import PageData
from dashboards.pages.aspects import MOST_ROWS, PAGE_ROWS, shade_of
from dashboards.panels.finding import finding_sentences
from dashboards.panels.least_satisfied import least_satisfied_sentence, shares_shown
from tests.dashboards.conftest import serve_dashboards
from tests.dashboards.made_up import ASPECTS, MadeUpCity
from tests.dashboards.test_app import Browser, said
from tests.published import Page, read_into, words_of

CAPTION = "Percentile of each community by aspect of service"
REGION = "海南区"


@pytest.fixture(scope="module")
def browser_of(city):
    return Browser(serve_dashboards(city))


def rows_of(browser, search):
    """Return the rows of the table by aspect, under "Community" the name."""
    page = Page()
    read_into(page, browser.content(f"?lang=en{search}", page="aspects/")["children"])
    return [{key_of(heading): cell for heading, cell in row.items()} for row in page.tables[CAPTION]]


def key_of(heading):
    keys = {english: key for key, (_label, english) in ASPECTS.items()}
    return next((key for name, key in keys.items() if heading.startswith(name)), "name")


def percentiles_of(city, question, region=REGION):
    standings = city.aspect_standings(2, region)
    return standings[standings["question"] == question].set_index("number")["percentile"]


def worst(city):
    aspects = city.aspects(2)
    return aspects[aspects["region"] == REGION].sort_values("share", kind="stable")["question"].iloc[0]


def test_every_community_is_listed_with_the_percentiles_that_it_has_and_no_other(browser_of, city):
    told = {
        (row["number"], row["question"]): told_percentile(row)
        for row in city.aspect_standings(2, REGION).to_dict("records")
    }
    standings = city.standings(2)
    names = standings[standings["region"] == REGION].set_index("english_name")["number"]

    rows = rows_of(browser_of, f"&region={REGION}&rows=all")

    assert sorted(row["name"] for row in rows) == sorted(names.index)
    for row in rows:
        number = names[row["name"]]
        assert {key: row[key] for key in list(ASPECTS)[1:]} == {
            key: told.get((number, key), "—") for key in list(ASPECTS)[1:]
        }
    assert any("—" in row.values() for row in rows)


@pytest.mark.parametrize("descending", [False, True])
@pytest.mark.parametrize("question", [None, "q07"])
def test_the_table_is_in_the_order_of_its_address_and_else_that_of_the_worst_aspect(
    browser_of, city, question, descending
):
    sorted_by = question or worst(city)
    search = f"&sort={'-' * descending}{sorted_by}" if question or descending else ""
    cells = [row[sorted_by] for row in rows_of(browser_of, f"&region={REGION}&rows=all{search}")]
    known = [float(cell) for cell in cells if cell != "—"]

    assert known == sorted(known, reverse=descending)
    # Those without a percentile come last in either order.
    assert cells[len(known) :] == ["—"] * (len(cells) - len(known))
    assert len(known) == len(percentiles_of(city, sorted_by)) > 60


def test_names_order_the_table_too(browser_of, city):
    standings = city.standings(2)
    names = standings["english_name"][standings["region"] == REGION].tolist()

    for search, expected in (("&sort=name", names), ("&sort=-name", names[::-1])):
        listed = [row["name"] for row in rows_of(browser_of, f"&region={REGION}&rows=all{search}")]
        assert listed == expected


@pytest.mark.parametrize("search", ["&sort=q01", "&sort=nothing", "&sort=--q07", "&page=0", "&page=-3", "&page=x"])
def test_what_no_page_understands_counts_as_missing(browser_of, search):
    assert rows_of(browser_of, search) == rows_of(browser_of, "")


def test_parts_of_the_table_together_are_the_whole(browser_of):
    pages = [rows_of(browser_of, f"&region={REGION}&page={page}") for page in (1, 2)]

    assert [len(page) for page in pages] == [PAGE_ROWS, 80 - PAGE_ROWS]
    assert [*pages[0], *pages[1]] == rows_of(browser_of, f"&region={REGION}&rows=all")
    assert rows_of(browser_of, f"&region={REGION}&page=99") == pages[1]


def test_no_address_makes_a_page_build_more_rows_than_a_browser_can(browser_of, city):
    assert len(city.standings(2)) > MOST_ROWS
    assert len(rows_of(browser_of, "&rows=all")) == PAGE_ROWS
    content = said(browser_of.content("?lang=en", page="aspects/"))
    assert "Communities 1 to 50 of 440" in content
    assert "All on one page" not in content


@pytest.mark.parametrize("language", LANGUAGES)
def test_page_and_finding_say_the_same_of_what_residents_are_least_satisfied_with(city, browser_of, language):
    shown = PageData.of(city, View(language, region=REGION))
    sentence = least_satisfied_sentence(shares_shown(shown), language)
    first, second = (
        city.aspects(2).query("region == @REGION").sort_values("share", kind="stable").to_dict("records")[:2]
    )

    label = "english_label" if language == "en" else "label"
    assert sentence.index(first[label]) < sentence.index(second[label])
    assert f"{first['share']:.0%}" in sentence
    assert sentence in list(finding_sentences(shown))
    assert sentence in said(browser_of.content(f"?lang={language}&region={REGION}", page="aspects/"))


def aspects_where(*shares, region="A"):
    rows = [(region, f"q{place}", f"方面{place}", f"Aspect {place}", share) for place, share in enumerate(shares)]
    return pd.DataFrame(rows, columns=["region", "question", "label", "english_label", "share"])


def test_two_that_are_level_are_named_together_and_of_one_nothing_is_said():
    def sentence(*shares):
        return least_satisfied_sentence(shares_together(aspects_where(*shares), {"A": 900}), "en")

    assert (
        sentence(0.8, 0.7, 0.7) == "Residents are least satisfied with “Aspect 1” and “Aspect 2” (70% satisfied each)."
    )
    assert "“Aspect 2” (60% satisfied), then with “Aspect 1” (70%)" in sentence(0.8, 0.7, 0.6)
    assert sentence(0.8, np.nan, np.nan) is None
    assert sentence() is None


@given(
    st.lists(st.tuples(st.integers(0, 100), st.integers(0, 100)), min_size=1, max_size=6),
    st.integers(1, 10_000),
    st.integers(1, 10_000),
)
def test_of_several_regions_the_share_lies_between_theirs_as_many_answers_weigh(percents, here, there):
    aspects = pd.concat(
        [
            aspects_where(*(pair[place] / 100 for pair in percents), region=region)
            for place, region in enumerate(("A", "B"))
        ]
    )

    found = shares_together(aspects, {"A": here, "B": there})

    for share, (one, other) in zip(found["share"], percents, strict=True):
        assert min(one, other) / 100 <= share <= max(one, other) / 100
        assert share == pytest.approx((one * here + other * there) / (here + there) / 100, abs=0.00501)


def test_a_region_that_withholds_a_share_has_no_part_in_that_of_all():
    aspects = pd.concat([aspects_where(0.8, 0.5), aspects_where(np.nan, 0.7, region="B")])

    assert shares_together(aspects, {"A": 100, "B": 300})["share"].tolist() == [0.8, 0.65]


def luminance(colour):
    parts = [int(colour[place : place + 2], 16) / 255 for place in (1, 3, 5)]
    linear = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
    return sum(weight * part for weight, part in zip((0.2126, 0.7152, 0.0722), linear, strict=True))


def test_numbers_can_be_read_on_every_colour_of_the_scale():
    for _most, background, ink in theme.PERCENTILES:
        lighter, darker = sorted((luminance(background), luminance(ink)), reverse=True)
        assert (lighter + 0.05) / (darker + 0.05) >= 4.5


@given(st.floats(0, 1, exclude_min=True, exclude_max=True))
def test_a_higher_percentile_has_no_earlier_colour(percentile):
    shades = [(background, ink) for _most, background, ink in theme.PERCENTILES]

    place = shades.index(shade_of(percentile))
    assert all(shades.index(shade_of(percentile * part)) <= place for part in (0.3, 0.6, 0.9))
    assert shade_of(0.5) == shades[2]


def test_a_preview_has_no_percentiles(preview_city):
    content = said(Browser(serve_dashboards(preview_city)).content("?lang=en", page="aspects/"))

    assert "kept with official results only" in content
    assert CAPTION not in content


def test_each_name_leads_to_its_community(browser_of, city):
    content = said(browser_of.content(f"?lang=en&region={REGION}", page="aspects/"))
    linked = set(re.findall(r"/dashboards/community/\?evaluation=2&lang=en&community=(\d+)", content))
    standings = city.standings(2)

    assert len(linked) == PAGE_ROWS
    assert linked <= set(standings["number"][standings["region"] == REGION])


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_file_holds_what_the_table_lists(language):
    city = MadeUpCity(rounds=(("第一轮", "Round 1", 2026),))
    browser = Browser(serve_dashboards(city))
    answer = browser.client.get(f"/dashboards/aspects.csv?lang={language}&region={REGION}")
    rows = list(csv.DictReader(io.StringIO(answer.get_data().decode("utf-8-sig"))))
    standings = {(row["number"], row["question"]): row for row in city.aspect_standings(1, REGION).to_dict("records")}

    assert "aspects-evaluation-1.csv" in answer.headers["Content-Disposition"]
    assert city.exported == ["aspects"]
    assert [len(row) for row in rows] == [4 + 5 * (len(ASPECTS) - 1)] * 80
    for row in rows:
        _kind, number, _name, _region, *cells = row.values()
        for place, question in enumerate(list(ASPECTS)[1:]):
            answered, satisfied, percentile, *_limits = cells[5 * place : 5 * place + 5]
            standing = standings.get((number, question))
            if standing is None:
                assert (answered, satisfied, percentile, *_limits) == ("",) * 5
            else:
                assert (answered, satisfied) == (str(standing["answered"]), str(standing["satisfied"]))
                assert percentile == told_percentile(standing)


def test_the_headings_say_the_share_of_all_and_which_one_orders_the_table(browser_of, city):
    page = browser_of.content(f"?lang=en&region={REGION}&sort=-q07", page="aspects/")["children"]
    heads = [part for part in parts_of(page) if part.get("type") == "Th" and part["props"].get("scope") == "col"]
    shares = city.aspects(2).query("region == @REGION").set_index("english_label")["share"]

    orders = {words_of(head): head["props"]["aria-sort"] for head in heads}
    assert {words: order for words, order in orders.items() if order != "none"} == {
        f"Security▼{shares['Security']:.0%}": "descending"
    }
    assert {f"{label}{share:.0%}" for label, share in shares.items() if label != "Security"} <= set(orders)


def parts_of(part):
    """Yield every component within a part of a page."""
    if isinstance(part, list):
        for each in part:
            yield from parts_of(each)
    if isinstance(part, dict):
        yield part
        for each in part.values():
            yield from parts_of(each)
