"""The overview as a document: all that qualify with what the pages say of them, and the finding in the same words."""

import pandas as pd
import pytest

from analytics.languages import LANGUAGES
from analytics.reports.percentile_words import percentile_cell
from dashboards.frames.standings import met, scale_of
from dashboards.panels.finding import finding_sentences
from dashboards.panels.qualified import MOST_QUALIFIED, qualified_in_order
from dashboards.panels.row_warnings import row_warnings
from dashboards.routes import ROUTES
from dashboards.widgets.community_table import rank_words
from survey_app.documents import blocks
from survey_app.documents.blocks import DocumentTooLong
from survey_app.documents.overview import overview
from tests.attacks.processor_time import within
from tests.dashboards.made_up import MadeUpCity
from tests.survey_app.documents.reading import blocks_of, compact, pages_of, pdf_of, table_of, view_of, words_of

LISTED = "Communities that meet the criterion"
# Of processor time: about three seconds on the machines of 2026.
UNITS = 50


@pytest.fixture(scope="module")
def large_city():
    """So many communities that more than one page of a screen qualify."""
    return MadeUpCity(scale=4)


def listed_routes(city, **asked):
    """Yield name and route of each row of the list, in its order, with its other cells."""
    name = None
    for row in table_of(words_of("overview", city, **asked), LISTED):
        if len(row) == 8:
            name = row[1].partition("\n")[0]
        yield name, row[-6:]


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_finding_is_told_in_the_words_of_the_page(city, language):
    [said] = blocks_of(words_of("overview", city, language=language), "sentences")[:1]

    assert said["said"] == list(finding_sentences(view_of(city, language=language)))


def test_what_must_be_checked_stands_beside_each_that_qualifies(city):
    shown = view_of(city)
    listed = shown.with_all_columns(qualified_in_order(shown))
    number, told = None, {}
    for row in table_of(words_of("overview", city), LISTED):
        if len(row) == 8:
            number = row[1].rpartition("\n")[2]
        told[number] = told.get(number, "") + row[-1]

    expected = row_warnings(shown, listed)
    assert any(expected.values())
    assert [number for number, said in expected.items() if not all(each in told[number] for each in said)] == []


def test_all_that_qualify_are_listed_with_the_numbers_of_the_source(large_city):
    shown = view_of(large_city)
    standings = shown.with_all_columns(shown.standings[met(shown.standings, "criterion_status")])
    regions = shown.header.summary["regions"]
    expected = {
        (
            row["english_name"],
            rank_words(row, key, "en"),
            percentile_cell(row, regions, route.key),
            scale_of(shown.header, route, "en").write(row[route.score]),
            shown.reason(row, route),
        )
        for row in standings.to_dict("records")
        for key, route in ROUTES.items()
        if row[route.status] == "met"
    }

    found = [(name, row[1], row[2], row[3], row[5].partition("\n")[0]) for name, row in listed_routes(large_city)]

    assert len(standings) > MOST_QUALIFIED
    assert len(found) == len(expected)
    assert set(found) == expected


def test_the_headings_of_a_long_table_come_again_on_each_page(large_city):
    words = words_of("overview", large_city)
    [table] = [block for block in blocks_of(words, "table") if block["caption"] == LISTED]
    head = compact("".join(column["label"] for column in table["columns"]))
    pages = [compact(page) for page in pages_of(pdf_of("overview", large_city))]

    rows = {compact(row[1]["text"]) for row in table["rows"] if len(row) == 8}
    with_rows = [page for page in pages if any(row in page for row in rows)]

    assert len(with_rows) > 2
    assert all(head in page for page in with_rows)


def test_the_numbers_of_the_drawing_add_up_to_the_communities_that_are_ranked(city):
    words = words_of("overview", city)
    bars = next(block for block in blocks_of(words, "table") if block["caption"].startswith("The numbers of the chart"))

    drawn = sum(int(row[2]["text"]) for row in bars["rows"])

    assert drawn == view_of(city).counts.ranked["satisfaction"]


def test_of_one_district_nothing_but_that_is_told(city):
    words = words_of("overview", city, language="zh-Hans", region="海勃湾区")
    paper = "".join(pages_of(pdf_of("overview", city, language="zh-Hans", region="海勃湾区")))

    assert "乌达区" not in paper
    assert "海南区" not in paper
    assert words["document_title"].startswith("乌海市 · 海勃湾区")


def test_where_nobody_is_ranked_or_qualifies_it_says_so(city):
    standings = view_of(city).everywhere
    nobody = MadeUpCity()
    columns = {route.status: "not_assessed" for route in ROUTES.values()} | {"criterion_status": "not_assessed"}
    empty = {f"{route.column}_{part}": pd.NA for route in ROUTES.values() for part in ("rank", "last_rank")}
    nobody._standings[2] = standings.astype(dict.fromkeys(columns, "object")).assign(**columns, **empty)

    words = words_of("overview", nobody)
    said = [block["text"] for block in blocks_of(words, "paragraph")]

    assert "No community here is ranked on this route." in said
    assert "No community meets the criterion here." in said
    assert blocks_of(words, "drawing") == []
    assert pages_of(pdf_of("overview", nobody))


def test_a_list_that_nobody_would_read_on_paper_is_refused_before_it_is_read(city, monkeypatch):
    monkeypatch.setattr(blocks, "MOST_ROWS", 10)

    with pytest.raises(DocumentTooLong) as refused:
        overview(view_of(city))

    assert refused.value.most == 10 < refused.value.rows


def test_a_document_of_a_city_is_made_within_a_moment(city):
    pdf_of("overview", city)

    assert within(UNITS, lambda: pdf_of("overview", city))
