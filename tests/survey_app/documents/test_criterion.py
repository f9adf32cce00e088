"""The criterion as a document: both routes, all within the cut-off with the words of the page, those next to it."""

from dataclasses import replace

import pytest

from analytics.languages import LANGUAGES
from dashboards.frames.standings import met, scale_of
from dashboards.panels.around_cut_off import MOST_SHOWN, cut_off_sentence, decision_words, ranked_regions
from dashboards.panels.list_evidence import list_evidence_sentence
from dashboards.panels.list_stability import sentences_on_stability
from dashboards.panels.sensitivity import sensitivity_by_region
from dashboards.panels.settling import settling_by_region
from dashboards.routes import ROUTES
from survey_app.documents import blocks
from survey_app.documents.blocks import DocumentTooLong
from survey_app.documents.criterion import criterion
from tests.dashboards.made_up import MadeUpCity
from tests.survey_app.documents.reading import blocks_of, view_of, words_of

DECISIONS = "All within the cut-off, and those next to it"


def decided(words):
    """Return the rows of the decisions by the name and number of the community, table by table."""
    tables = [block for block in blocks_of(words, "table") if block["caption"] == DECISIONS]
    return [{row[0]["text"]: [cell["text"] for cell in row[1:]] for row in table["rows"]} for table in tables]


def by_route(city, language="en"):
    shown = view_of(city, language=language)
    return [replace(shown, view=shown.view.with_changes(route=route)) for route in ROUTES.values()]


@pytest.mark.parametrize("language", LANGUAGES)
def test_both_routes_are_told_in_the_words_of_the_page(city, language):
    words = words_of("criterion", city, language=language)
    said = [block["text"] for block in blocks_of(words, "paragraph")]
    listed = [block["said"] for block in blocks_of(words, "sentences")]

    for shown in by_route(city, language):
        route = shown.view.route
        assert list_evidence_sentence(shown, route) in said
        for here in ranked_regions(shown):
            assert cut_off_sentence(shown, here) in said
        for facts in shown.list_facts(route).values():
            assert not facts.get("stability") or list(sentences_on_stability(shown, facts)) in listed
    settling, sensitivity = settling_by_region(view_of(city, language=language)), sensitivity_by_region(view_of(city))
    assert settling
    assert sensitivity
    assert all(said in listed for said in settling.values())
    assert len(listed) == len(view_of(city).regions) + len(settling) + len(sensitivity)


def test_everybody_within_a_long_cut_off_is_listed_with_the_decision_of_the_page():
    city = MadeUpCity(scale=4)
    found = decided(words_of("criterion", city))

    sizes = []
    for shown in by_route(city):
        listed = shown.with_all_columns(shown.standings[met(shown.standings, shown.view.route.status)])
        for region in shown.regions:
            rows = found[len(sizes)]
            within = listed[listed["region"] == region].to_dict("records")
            for row in within:
                assert rows[f"{row['english_name']}\n{row['number']}"] == decision_words(row, shown)[1:]
            assert len(rows) > len(within)
            sizes.append(len(within))
    assert max(sizes) > MOST_SHOWN // 2


def test_the_numbers_beside_each_drawing_are_the_scores_of_the_source(city):
    words = words_of("criterion", city)
    after = [words["blocks"][place + 1] for place, block in enumerate(words["blocks"]) if block["kind"] == "drawing"]
    scores = {
        (row["english_name"], scale_of(shown.header, shown.view.route, "en").write(row[shown.view.route.score]))
        for shown in by_route(city)
        for row in shown.standings.to_dict("records")
    }

    drawn = {(row[1]["text"], row[2]["text"]) for table in after for row in table["rows"]}

    assert len(after) == len(ROUTES) * len(view_of(city).regions)
    assert drawn <= scores


def test_a_district_without_a_position_has_no_drawing_and_says_why():
    small = MadeUpCity(register=MadeUpCity()._register.groupby("region", sort=False).head(15).reset_index(drop=True))
    words = words_of("criterion", small)

    assert blocks_of(words, "drawing") == []
    assert any("There is no cut-off here" in block["text"] for block in blocks_of(words, "paragraph"))


def test_a_list_that_nobody_would_read_on_paper_is_refused(city, monkeypatch):
    monkeypatch.setattr(blocks, "MOST_ROWS", 12)

    with pytest.raises(DocumentTooLong):
        criterion(view_of(city))
