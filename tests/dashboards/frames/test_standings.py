"""Ranked communities come in order, with their intervals and the cut-offs of the evaluation."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dashboards.address import View
from dashboards.frames.page_data import PageData
from dashboards.frames.standings import among, cut_offs, in_rank_order, with_intervals
from dashboards.languages import pick
from dashboards.routes import ROUTES


def ranked(ranks, last_ranks):
    return pd.DataFrame(
        {
            "satisfaction_rank": pd.array(ranks, dtype="Int64"),
            "satisfaction_last_rank": pd.array(last_ranks, dtype="Int64"),
        }
    )


def test_tied_communities_stand_side_by_side_and_are_marked():
    ordered = in_rank_order(ranked([4, 2, 1, 2, None], [4, 3, 1, 3, None]), ROUTES["satisfaction"])

    assert ordered["position"].tolist() == [1, 2, 3, 4]
    assert ordered["tied"].tolist() == [False, True, True, False]


def test_positions_follow_the_ranks_where_only_some_communities_may_be_seen():
    ordered = in_rank_order(ranked([40, 7], [40, 7]), ROUTES["satisfaction"])

    assert ordered["position"].tolist() == [7, 40]


def test_every_interval_holds_the_estimate_that_it_is_drawn_around(city):
    header = city.evaluations()[0]
    for route in ROUTES.values():
        measured = with_intervals(city.standings(header.id), route, evidence_method=header.evidence_method)
        known = measured[measured["lower"].notna()]
        assert len(known) > 400
        assert np.all(known["lower"] <= known["estimate"])
        assert np.all(known["estimate"] <= known["upper"])


def test_intervals_of_the_first_method_are_drawn_around_the_score(city):
    standings = city.standings(city.evaluations()[0].id)
    satisfaction, complaints = ROUTES["satisfaction"], ROUTES["complaints"]

    def estimates(route, method):
        return with_intervals(standings, route, evidence_method=method)["estimate"]

    assert estimates(satisfaction, 1).equals(standings["satisfaction_score"].rename("estimate"))
    assert estimates(satisfaction, 2).equals(standings["satisfaction_shrunk"].rename("estimate"))
    for method in (1, 2):
        assert estimates(complaints, method).equals(standings[complaints.score].rename("estimate"))


def test_cut_offs_are_those_of_the_evaluation(city):
    header = city.evaluations()[0]
    standings = city.standings(header.id)

    for cut_off in cut_offs(header, ROUTES["satisfaction"]):
        here = standings[standings["region"] == cut_off.region]
        scores = here.loc[here["satisfaction_rank"].notna(), "satisfaction_score"].sort_values(ascending=False)
        assert cut_off.ranked == len(scores)
        assert cut_off.k == len(scores) // 20
        assert cut_off.score == scores.iloc[cut_off.k - 1]


NUMBERS = st.sampled_from(["1", "2", "3", "4", "5"])


@given(
    keys=st.lists(NUMBERS | st.none()), others=st.lists(NUMBERS, unique=True), kind=st.sampled_from(["str", "category"])
)
def test_keys_are_among_others_whether_they_are_texts_or_categories(keys, others, kind):
    series = pd.Series(keys, index=range(10, 10 + len(keys)), dtype=kind)

    found = among(series, pd.Series(others, dtype="str"))

    assert found.tolist() == [key in others for key in keys]
    assert found.index.equals(series.index)


@pytest.mark.parametrize("language", ["zh-Hans", "en"])
def test_each_community_has_its_name_in_the_language_or_the_chinese_one(city, language):
    shown = PageData.of(city, View(language))
    english = shown.everywhere["english_name"].astype("object")
    english.iloc[:3] = [None, float("nan"), ""]
    shown.__dict__["everywhere"] = shown.everywhere.assign(english_name=english)

    columns = (shown.everywhere[name] for name in ("number", "name", "english_name"))
    named = {number: pick(language, *names) for number, *names in zip(*columns, strict=True)}
    assert shown.names == named
    assert len(named) == len(shown.everywhere)
