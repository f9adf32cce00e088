"""One community as a document: its standing, percentiles in words, aspects, rounds and complaints as on its page."""

import pandas as pd
import pytest

from analytics.languages import LANGUAGES
from analytics.reports.percentile_words import percentile_lines
from dashboards.frames.aspects import aspects_of_community
from dashboards.languages import pick
from dashboards.pages.community import rated_of, route_figures, standing_facts
from dashboards.panels.aspect_percentiles import aspects_numbers
from dashboards.panels.community_profile import drivers_numbers, known_drivers
from dashboards.panels.integrity_notes import integrity_facts
from dashboards.panels.owners_and_tenants import tenures_table
from dashboards.routes import ROUTES
from dashboards.widgets.components import records
from survey_app.documents.community import community
from tests.dashboards.made_up import MadeUpCity
from tests.survey_app.documents.reading import blocks_of, pages_of, pdf_of, table_of, view_of, words_of

BEST = "150117"


def row_of(shown, number):
    [row] = records(shown.source.standings_of(shown.header.id, [number]))
    return row


@pytest.mark.parametrize("language", LANGUAGES)
def test_standing_percentiles_and_intervals_are_those_of_the_page(city, language):
    shown = view_of(city, language=language)
    row = row_of(shown, BEST)
    words = words_of("community", city, language=language, community=BEST)

    assert words["above_title"].endswith(pick(language, row["name"], row["english_name"]))
    assert blocks_of(words, "facts")[0]["pairs"] == [list(pair) for pair in standing_facts(shown, row)]
    lines = list(percentile_lines(row, shown.header.summary["regions"], language))
    assert lines in [block["said"] for block in blocks_of(words, "sentences")]
    caption = {"en": "Score, rank and percentile on each route", "zh-Hans": "各途径的得分、名次与百分位"}[language]
    figures = [list(figure) for route in ROUTES.values() for figure in route_figures(shown, row, route)]
    assert [cells[1:] for cells in table_of(words, caption)] == figures


def test_shares_that_the_page_withholds_are_withheld_on_paper_too(city):
    shown = view_of(city)
    few = next(
        row["number"]
        for row in records(shown.everywhere)
        if any(
            each.satisfied is None
            for each in rated_of(shown, row, city.profile(shown.header.id, row["number"])).values()
        )
    )
    profile = city.profile(shown.header.id, few)
    withheld = [each.satisfied is None for each in rated_of(shown, row_of(shown, few), profile).values()]

    rows = table_of(words_of("community", city, community=few), "Aspects of service")

    assert [cells[2] == "—" for cells in rows] == withheld


def test_all_cases_are_listed_by_category_and_by_month(city):
    cases = city.profile(2, BEST).complaints
    words = words_of("community", city, community=BEST)

    for caption in ("Cases by category", "Cases by month"):
        rows = table_of(words, caption)
        assert sum(int(counted) + int(other) for _label, counted, other in rows) == cases["cases"].sum()


def test_both_rounds_are_listed_with_their_ranks(city):
    rows = table_of(words_of("community", city, community=BEST), "Round by round")

    ranks = [str(city.standings(number).set_index("number").loc[BEST, "satisfaction_rank"]) for number in (1, 2)]
    assert [cells[0] for cells in rows] == ["Round 2, 2025", "Round 3, 2026"]
    assert [cells[-1] for cells in rows] == ranks


@pytest.mark.parametrize("language", LANGUAGES)
def test_tenures_drivers_percentiles_and_signs_are_those_of_the_page(city, language):
    shown = view_of(city, language=language)
    row, profile = row_of(shown, BEST), city.profile(2, BEST)
    words = words_of("community", city, language=language, community=BEST)
    ranked = rated_of(shown, row, profile)[shown.header.rules.satisfaction.question]
    aspects = aspects_of_community(city, 2, region=row["region"], number=BEST)

    caption = {"en": "Owners and tenants", "zh-Hans": "业主与租户"}[language]
    assert table_of(words, caption) == tenures_table(shown, profile, ranked)[1]
    for numbers in (drivers_numbers(shown, known_drivers(profile)), aspects_numbers(shown, aspects)):
        assert numbers.rows
        assert table_of(words, numbers.caption) == [list(line) for line in numbers.written]
    assert [list(pair) for pair in integrity_facts(shown, row)] in [each["pairs"] for each in blocks_of(words, "facts")]


def test_rounds_are_drawn_before_the_deciles_that_are_listed(city):
    words = words_of("community", city, community=BEST)

    drawn = [block["description"] for block in blocks_of(words, "drawing")]
    assert any("Shaded: the deciles of all communities ranked with it" in description for description in drawn)
    rows = table_of(words, "Deciles of all ranked with it")
    assert [(cells[0], len(cells)) for cells in rows] == [("Round 2, 2025", 10), ("Round 3, 2026", 10)]


def test_a_community_that_is_not_ranked_on_either_route_says_so():
    city = MadeUpCity()
    nowhere = {f"{route.column}_{part}": pd.NA for route in ROUTES.values() for part in ("rank", "last_rank")}
    city._standings[2] = city._standings[2].assign(**nowhere)
    words = words_of("community", city, community=BEST)

    assert "It is not ranked on either route." in [block["text"] for block in blocks_of(words, "paragraph")]
    assert {cells[2] for cells in table_of(words, "Score, rank and percentile on each route")} == {"—"}
    assert pages_of(pdf_of("community", city, community=BEST))


def test_a_preview_has_no_answers_by_question_and_no_cases(preview_city):
    words = words_of("community", preview_city, community=BEST)
    said = " ".join(block["text"] for block in blocks_of(words, "paragraph"))

    assert "Answers by question are kept with official results only" in said
    assert "Cases are kept with official results." in said
    assert blocks_of(words, "drawing") == []


@pytest.mark.parametrize("number", ["999999", "", "150117 or 1=1"])
def test_a_community_that_does_not_exist_is_not_found(city, number):
    with pytest.raises(LookupError):
        community(view_of(city, community=number))
