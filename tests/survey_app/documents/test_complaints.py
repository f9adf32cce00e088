"""Complaints as a document: every community with its rate, the channels and categories as on the page."""

import pytest

from analytics.languages import LANGUAGES
from dashboards.frames.standings import scale_of
from dashboards.labels import funnel_positions
from dashboards.pages.complaints import complaint_figures
from dashboards.panels.complaint_channels import told_by_channel
from dashboards.panels.complaint_funnel import exposed_communities, funnel_in
from dashboards.routes import ROUTES
from survey_app.documents import blocks
from survey_app.documents.blocks import DocumentTooLong
from survey_app.documents.complaints import complaints
from tests.attacks.processor_time import within
from tests.dashboards.made_up import MadeUpCity
from tests.survey_app.documents.reading import blocks_of, compact, pages_of, pdf_of, table_of, view_of, words_of

RATES = "All communities whose households are known, the highest rate first"
# Of processor time: about three seconds on the machines of 2026.
UNITS = 50


def rates_of(words):
    """Return the cells of each community by its name and number, region by region."""
    return [
        {row[0]["text"]: [cell["text"] for cell in row[1:]] for row in block["rows"]}
        for block in blocks_of(words, "table")
        if block["caption"] == RATES
    ]


def test_every_community_is_listed_with_the_numbers_of_the_source(city):
    shown = view_of(city)
    route, words = ROUTES["complaints"], funnel_positions("en")
    found = rates_of(words_of("complaints", city))

    listed = 0
    for place, region in enumerate(shown.regions):
        exposed = exposed_communities(shown.standings).query("region == @region")
        positions = funnel_in(shown, region, exposed).table["adjusted_position"]
        scores = shown.standings.loc[exposed.index, route.score]
        for row, position, score in zip(exposed.to_dict("records"), positions, scores, strict=True):
            count, years, rate, lower, upper, beside = found[place][f"{row['english_name']}\n{row['number']}"]
            assert count == f"{row['complaints']:,}"
            assert years == f"{row['exposure_household_years']:,.0f}"
            scale = scale_of(shown.header, route, "en")
            assert rate == scale.write(score)
            assert [lower, upper] == [scale.write(row[bound]) for bound in (route.lower, route.upper)]
            assert beside.partition("\n")[0] == words[position]
            listed += 1
    assert listed == sum(map(len, found)) == 440


def test_all_440_are_on_the_paper_under_headings_on_each_page(city):
    words = words_of("complaints", city)
    pages = [compact(page) for page in pages_of(pdf_of("complaints", city))]
    names = {compact(name) for region in rates_of(words) for name in region}
    [head] = {
        compact("".join(column["label"] for column in block["columns"]))
        for block in blocks_of(words, "table")
        if block["caption"] == RATES
    }

    assert {name for name in names if not any(name in page for page in pages)} == set()
    assert len(names) == 440
    with_rows = [page for page in pages if any(name in page for name in names)]
    assert len(with_rows) > 10
    assert all(head in page for page in with_rows)


@pytest.mark.parametrize("language", LANGUAGES)
def test_figures_and_channels_are_those_of_the_page(city, language):
    shown = view_of(city, language=language)
    words = words_of("complaints", city, language=language)
    told = told_by_channel(shown, city.channels(2))
    caption = {"en": "Complaints of the period in figures", "zh-Hans": "本期投诉数据"}[language]

    assert table_of(words, told.numbers.caption) == told.numbers.written
    assert told.sentence in [block["text"] for block in blocks_of(words, "paragraph")]
    assert [row[:2] for row in table_of(words, caption)] == [
        [name, value] for name, value, *_about in complaint_figures(shown, exposed_communities(shown.standings))
    ]


def test_channels_of_which_few_would_be_told_are_withheld_on_paper_too():
    city = MadeUpCity()
    few = city.channels(2).assign(complaints=[1 + place % 3 for place in range(len(city.channels(2)))])
    city.channels = lambda _evaluation: few

    rows = table_of(words_of("complaints", city), "How complaints arrived")

    assert {row[2] for row in rows} == {"—"}


def test_a_preview_has_the_rates_and_says_that_cases_are_kept_later(preview_city):
    words = words_of("complaints", preview_city)
    said = " ".join(block["text"] for block in blocks_of(words, "paragraph"))

    assert "Channels are kept with official results" in said
    assert "Cases are kept with official results." in said
    assert sum(map(len, rates_of(words))) == 440


def test_a_region_of_one_community_has_a_table_and_says_why_there_is_no_drawing():
    alone = MadeUpCity(register=MadeUpCity()._register.head(1))
    words = words_of("complaints", alone)

    assert blocks_of(words, "drawing") == []
    assert any("only one community here" in block["text"] for block in blocks_of(words, "paragraph"))
    assert [len(region) for region in rates_of(words)] == [1]


def test_a_list_that_nobody_would_read_on_paper_is_refused(city, monkeypatch):
    monkeypatch.setattr(blocks, "MOST_ROWS", 439)

    with pytest.raises(DocumentTooLong) as refused:
        complaints(view_of(city))
    assert refused.value.rows == 440
    assert complaints(view_of(city, region="乌达区"))


def test_a_document_of_a_city_is_made_within_a_moment(city):
    pdf_of("complaints", city)

    assert within(UNITS, lambda: pdf_of("complaints", city))
