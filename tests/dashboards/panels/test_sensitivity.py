"""The panel on few answers and ways of answering says what the analysis of the same counts says."""

from dataclasses import replace

import numpy as np
import pytest

from analytics.decision.evaluate import evaluate
from analytics.evidence.sensitivity import analyse_sensitivity
from analytics.languages import LANGUAGES
from analytics.reports.sensitivity_sentences import region_sentences
from dashboards.address import View
from dashboards.frames.list_analysis import analyse_list
from dashboards.frames.page_data import PageData
from dashboards.panels.sensitivity import MOST_LISTED, sensitivity_panel
from dashboards.routes import ROUTES
from dashboards.widgets.next_steps import sees_a_part
from tests.dashboards.made_up import RULES, MadeUpCity


class ByMode(MadeUpCity):
    """A third of the communities answered on paper for the most part."""

    def inputs(self, evaluation_id):
        table = super().inputs(evaluation_id)
        on_paper = table["responses"].where(np.arange(len(table)) % 3 == 0, 0) * 3 // 4
        return table.assign(paper_responses=on_paper, telephone_responses=0)


@pytest.fixture(scope="module")
def city():
    return ByMode()


@pytest.fixture(scope="module", params=LANGUAGES)
def shown(request, city):
    return PageData.of(city, View(request.param))


@pytest.fixture(scope="module")
def found(city):
    return analyse_sensitivity(evaluate(city.inputs(2), RULES))


def test_the_sentences_are_those_of_the_report(shown, found):
    drawn = str(sensitivity_panel(shown))

    sentences = [
        said
        for region in shown.regions
        for said in region_sentences(found.regions[region], scale=100, language=shown.language)
    ]
    assert sentences
    assert [said for said in sentences if repr(said)[1:-1] not in drawn] == []


def test_listed_communities_are_told_their_ranks_among_others(shown, found, city):
    [panel] = sensitivity_panel(shown)
    [body] = [part for part in panel._traverse() if type(part).__name__ == "TableTbody"]
    told = {row.children[0].children.children: [cell.children for cell in row.children[1:]] for row in body.children}
    inputs = city.inputs(2)["community_id"].tolist()
    standings = city.standings(2)
    listed = standings[standings["satisfaction_status"] == "met"]
    name = "english_name" if shown.language == "en" else "name"

    assert len(told) == len(listed) <= MOST_LISTED
    for row in listed.to_dict("records"):
        own = found.communities.iloc[inputs.index(row["number"])]
        rank, without_few, within = told[row[name]]
        assert rank == str(row["satisfaction_rank"])
        assert without_few in {"—", str(own["satisfaction_rank_without_few"])}
        for number in (own["satisfaction_rank_within_mode"], own["satisfaction_ranked_within_mode"]):
            assert str(number) in within
    assert {within.rpartition(", ")[2] for _rank, _without, within in told.values()} > {"on paper"} or name == "name"


def test_it_is_worked_out_once(city, found):
    analysed = analyse_list(city, 2)

    assert analysed.regions == found.regions
    assert len(analysed) == len(found.communities)


def test_where_ways_of_answering_are_not_counted_nothing_is_said_of_them():
    drawn = str(sensitivity_panel(PageData.of(MadeUpCity(), View("en"))))

    assert "Among those with at least 100 answers" in drawn
    assert "answered the same way" not in drawn


def test_what_is_the_same_in_every_row_is_said_once():
    class OnPaper(MadeUpCity):
        def inputs(self, evaluation_id):
            table = super().inputs(evaluation_id)
            return table.assign(paper_responses=table["responses"] * 3 // 4, telephone_responses=0)

    shown = PageData.of(OnPaper(), View("en"))

    drawn = str(sensitivity_panel(shown))

    assert "In all ranked communities more than half of the answers came in on paper" in drawn
    assert "answered the same way" not in drawn
    assert "by telephone: 0" not in drawn


def test_nothing_is_said_on_the_other_route_and_who_sees_a_part_is_told_why(city, shown):
    summary = shown.header.summary
    more = {region: {**facts, "communities": facts["communities"] + 1} for region, facts in summary["regions"].items()}
    part = replace(shown, header=replace(shown.header, summary={**summary, "regions": more, "total": None}))

    assert sensitivity_panel(PageData.of(city, View("en", route=ROUTES["complaints"]))) == []
    assert str(sees_a_part(shown.language)) in str(sensitivity_panel(part))
