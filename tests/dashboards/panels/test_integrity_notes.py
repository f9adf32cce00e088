"""A community's page says what was found about it, and nothing where nobody has looked."""

from dataclasses import replace

import pandas as pd
import pytest

from analytics.decision.evaluate import evaluate
from analytics.decision.left_out_responses import leave_out_responses
from tests.dashboards.conftest import serve_dashboards
from tests.dashboards.made_up import RULES, MadeUpCity
from tests.dashboards.test_app import Browser, said


class PartlySeen(MadeUpCity):
    """As an account sees it that is shown some of the communities that are ranked together."""

    def inputs(self, evaluation_id):
        return super().inputs(evaluation_id).head(20)


def page(source, number, evaluation=2):
    search = f"?lang=en&evaluation={evaluation}&community={number}"
    return said(Browser(serve_dashboards(source)).content(search, page="community/"))


@pytest.fixture(scope="module")
def examination(city):
    return city.examination(2)


@pytest.fixture(scope="module")
def flagged(examination):
    return examination.families.loc[examination.families["flagged"], "number"].iloc[0]


def test_signs_and_what_became_of_held_answers_stand_on_the_page(city, examination, flagged):
    waiting = examination.counts.set_index("number").loc[flagged, "waiting"]

    content = page(city, flagged)

    assert "Similar answers within minutes; Answered too fast (of 11 kinds that were looked for)" in content
    assert f"Waiting for a decision: {waiting}; released: 0; excluded: 0." in content
    assert "/dashboards/integrity/?evaluation=2&lang=en" in content


def test_the_standing_without_held_answers_stands_beside_the_official_one(city, examination, flagged):
    held = examination.held.rename(columns={"number": "community_id"})
    after = evaluate(leave_out_responses(city.inputs(2), held, RULES), RULES).standings.set_index("community_id")
    before = city.standings(2).set_index("community_id")

    content = page(city, flagged)

    for standings in (before, after):
        row = standings.loc[flagged]
        assert f"rank {row['satisfaction_rank']:,}, {row['satisfied']} of {row['responses']} satisfied" in content
    assert "Without held answers (not official)" in content


class FewHeld(MadeUpCity):
    """Of one more community in each region three answers are held."""

    def examination(self, evaluation_id, *, number=None):
        found = super().examination(evaluation_id, number=number)
        standings = self.standings(evaluation_id)
        others = standings[~standings["number"].isin(found.held["number"]) & (standings["satisfied"] > 3)]
        numbers = others.groupby("region", observed=True)["number"].first()
        few = pd.DataFrame({"number": numbers.tolist(), "responses": 3, "satisfied": 3, "mean_index": 100.0})
        return replace(found, held=pd.concat([found.held, few], ignore_index=True))


def test_beside_a_community_of_which_few_answers_are_held_the_score_without_is_told_and_no_rank(flagged):
    city = FewHeld()
    held = city.examination(2).held.rename(columns={"number": "community_id"})
    after = evaluate(leave_out_responses(city.inputs(2), held, RULES), RULES).standings.set_index("community_id")

    content = page(city, flagged)

    row = after.loc[flagged]
    assert f"\n{row['satisfied']} of {row['responses']} satisfied" in content
    assert f"rank {row['satisfaction_rank']:,}, {row['satisfied']} of {row['responses']} satisfied" not in content


def test_who_sees_only_some_of_those_ranked_together_reads_no_standing_without(flagged):
    source = PartlySeen()

    assert "Without held answers (not official)" not in page(source, flagged)
    integrity = said(Browser(serve_dashboards(source)).content("?lang=en", page="integrity/"))
    assert "sees only some of the communities that are ranked together" in integrity


def test_a_community_without_signs_says_so(city, examination):
    quiet = examination.counts.loc[examination.counts["waiting"] == 0, "number"].iloc[0]

    assert "None of the 11 kinds of signs points to this community." in page(city, quiet)


def test_a_round_that_nobody_examined_says_so(city, flagged):
    content = page(city, flagged, evaluation=1)

    assert "have not been examined yet" in content
    assert "All signs and communities" not in content
