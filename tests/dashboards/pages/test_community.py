"""The page of one community: what is found, drawn and suppressed."""

from dataclasses import replace
from datetime import UTC, date, datetime

import numpy as np
import pandas as pd
import plotly.graph_objects as go
import pytest

from analytics.disclosure import rules as disclosure_rules
from analytics.reports.labels import needed_words
from dashboards.address import View
from dashboards.figures.community import (
    categories_figure,
    domains_figure,
    drivers_figure,
    months_figure,
    trend_figure,
)
from dashboards.frames.page_data import PageData
from dashboards.frames.profile import (
    cases_by_category,
    cases_by_month,
    rated_questions,
    satisfied_shares,
)
from dashboards.frames.standings import in_region
from dashboards.pages.community import matches
from dashboards.panels.round_trend import deciles_of_region, trend_panel, with_limits
from dashboards.routes import ROUTES
from dashboards.widgets.components import records
from tests.dashboards.conftest import serve_dashboards
from tests.dashboards.made_up import DISCLOSURE, RULES, MadeUpCity
from tests.dashboards.test_app import Browser, said

NUMBER = "150003"
REGION = "海勃湾区"


@pytest.fixture(scope="module")
def shown(city):
    return PageData.of(city, View("en"))


@pytest.fixture(scope="module")
def profile(city):
    return city.profile(2, NUMBER)


@pytest.fixture(scope="module")
def browser_of(city):
    return Browser(serve_dashboards(city))


def page(browser, number=NUMBER, more=""):
    return said(browser.content(f"?lang=en&community={number}{more}", page="community/"))


def shares_of(profile, *, is_ranked=True):
    rated = rated_questions(profile, RULES, is_ranked=is_ranked, disclosure=DISCLOSURE)
    return satisfied_shares(profile, rated, RULES, disclosure=DISCLOSURE)


def answers_with(profile, **counts):
    """Return a profile in which so many gave the codes 5, 4, 3, 2, 1 and 9 to some questions."""
    answers = profile.answers.copy()
    for question, numbers in counts.items():
        answers.loc[answers["question"] == question, "here"] = numbers
    return replace(profile, answers=answers)


def test_shares_are_satisfied_answers_among_valid_ones(profile):
    shares = shares_of(profile).set_index("question")
    answers = profile.answers[(profile.answers["question"] == "q02") & ~profile.answers["missing"]]
    satisfied = answers[answers["code"].isin([4, 5])]

    assert shares.loc["q02", "rate"] == satisfied["here"].sum() / answers["here"].sum()
    assert shares.loc["q02", "region_rate"] == round(satisfied["region"].sum() / answers["region"].sum(), 2)
    assert (shares["lower"] <= shares["rate"]).all()
    assert (shares["rate"] <= shares["upper"]).all()


def test_a_question_that_few_answered_has_no_share(profile):
    few = profile.answers.assign(here=np.where(profile.answers["code"] == 5, DISCLOSURE.minimum_base - 1, 0))
    shares = shares_of(replace(profile, answers=few))

    assert shares[["here", "rate", "lower", "upper"]].isna().all(axis=None)
    assert shares["region_rate"].notna().all()


def test_the_share_that_ranks_is_shown_however_few_are_not_satisfied(profile):
    few = answers_with(profile, q01=[26, 21, 1, 0, 0, 2], q02=[26, 21, 1, 0, 0, 2])

    shown, unranked = (shares_of(few, is_ranked=each).set_index("question") for each in (True, False))

    assert shown.loc["q01", ["here", "rate"]].tolist() == [48, 47 / 48]
    assert np.isnan(shown.loc["q02", "rate"])
    assert unranked.loc[["q01", "q02"], "rate"].isna().all()


def test_a_share_of_a_small_region_is_not_told(profile):
    # Its other communities could be taken away from it one by one.
    small = profile.answers.assign(region=profile.answers["region"] // 40)
    shares = shares_of(replace(profile, answers=small))

    assert shares["region_rate"].isna().all()


def test_small_numbers_go_by_the_day_in_the_city_on_which_the_evaluation_was_made(shown, monkeypatch):
    stricter = replace(DISCLOSURE, effective_from=date(2026, 10, 2), minimum_cell=9)
    monkeypatch.setattr(disclosure_rules, "_issued_rules", lambda: (DISCLOSURE, stricter))

    by_hour = {
        hour: replace(shown, header=replace(shown.header, evaluated_at=datetime(2026, 10, 1, hour, tzinfo=UTC)))
        for hour in (15, 16)
    }

    assert by_hour[15].disclosure == DISCLOSURE
    assert by_hour[16].disclosure == stricter


def test_months_without_cases_stand_between_those_with_some():
    complaints = pd.DataFrame(
        [("2026-01", "EQ01", "电梯", "Lifts", True, 2), ("2026-04", "EQ01", "电梯", "Lifts", False, 1)],
        columns=["month", "category", "label", "english_label", "valid", "cases"],
    )

    assert cases_by_month(complaints).to_numpy().tolist() == [
        ["2026-01", 2, 0],
        ["2026-02", 0, 0],
        ["2026-03", 0, 0],
        ["2026-04", 0, 1],
    ]
    assert cases_by_category(complaints)[["counted", "other"]].to_numpy().tolist() == [[2, 1]]


def test_every_figure_draws_the_numbers_of_its_table(shown, profile, city):
    shares = shares_of(profile)
    domains = domains_figure(shares, "en")
    history = with_limits(city.history(NUMBER)).assign(round=["one", "two"], estimate=[0.8, 0.81])
    fan = np.array([deciles_of_region(city, each, REGION) for each in history["evaluation_id"]])
    trend = trend_figure(history, fan, shown.drawing(ROUTES["satisfaction"]))
    drivers = drivers_figure(profile.drivers, "en")
    categories, months = cases_by_category(profile.complaints), cases_by_month(profile.complaints)

    for figure in (domains, trend, drivers, categories_figure(categories, "en"), months_figure(months, "en")):
        go.Figure(figure)
    assert domains["data"][1]["x"] == pytest.approx((shares["rate"] * 100).tolist(), rel=1e-4)
    assert trend["data"][-1]["y"] == pytest.approx((history["satisfaction_score"] * 100).tolist(), rel=1e-4)
    assert trend["data"][-2]["y"] == [80, 81]
    drawn = sorted(value for bars in drivers["data"] for value in bars["x"])
    assert drawn == pytest.approx(sorted(profile.drivers["weight"] * 100), rel=1e-4)
    assert sum(categories_figure(categories, "en")["data"][0]["x"]) == categories["counted"].sum()
    assert sum(months_figure(months, "en")["data"][1]["y"]) == months["other"].sum()


def test_the_fan_draws_the_deciles_of_all_that_were_ranked_with_it_in_each_round(shown, city):
    history = with_limits(city.history(NUMBER)).assign(round=["one", "two"], estimate=[0.8, 0.81])
    fan = np.array([deciles_of_region(city, each, REGION) for each in history["evaluation_id"]])
    bands = trend_figure(history, fan, shown.drawing(ROUTES["satisfaction"]))["data"][:9]

    for place, evaluation in enumerate(history["evaluation_id"]):
        ranked = in_region(city.standings(evaluation), REGION)
        scores = ranked["satisfaction_score"][ranked["satisfaction_rank"].notna()]
        deciles = [np.quantile(scores, number / 10) * 100 for number in range(1, 10)]
        assert sorted(band["y"][place] for band in bands) == pytest.approx(deciles, rel=1e-4)


def test_no_fan_is_drawn_of_a_part_of_those_ranked_together(shown, city):
    class Clerk(MadeUpCity):
        def ranked_scores(self, evaluation_id, region):
            return super().ranked_scores(evaluation_id, region)[:1]

    part = Clerk()
    row = records(part.standings_of(2, [NUMBER]))[0]
    drawn = str(trend_panel(PageData.of(part, View("en")), row, part.history(NUMBER)))

    assert np.isnan(deciles_of_region(part, 2, REGION)).all()
    assert "eciles of all" not in drawn
    assert "eciles of all" in str(trend_panel(shown, row, city.history(NUMBER)))


def test_limits_stand_where_scores_are_rates_of_counts(city):
    history = city.history(NUMBER)

    limited = with_limits(history)
    given = with_limits(history.assign(satisfaction_score=history["satisfaction_score"] / 2))

    assert (limited["lower_limit"] <= limited["centre"]).all()
    assert (limited["centre"] <= limited["upper_limit"]).all()
    assert given["centre"].isna().all()


def test_the_page_says_standing_and_reasons(browser_of, city):
    content = page(browser_of)

    [row] = city.standings(2).query("number == @NUMBER").to_dict("records")
    assert row["english_name"] in content
    assert f"{row['satisfied']} of {row['responses']} valid responses of owners" in content


def test_names_in_lists_lead_to_the_page_of_their_community(browser_of, city):
    standings = city.standings(2)
    listed = standings.loc[standings["criterion_status"] == "met", "number"]

    content = said(browser_of.content("?lang=en&region=乌达区", page=""))

    for number, region in zip(listed, standings.loc[listed.index, "region"], strict=True):
        assert (f"/dashboards/community/?evaluation=2&lang=en&community={number}" in content) == (region == "乌达区")


def test_a_former_winner_is_told_what_regression_alone_would_do(browser_of, city):
    before = city.standings(1).set_index("number")
    winner = before[(before["region"] == "海勃湾区") & (before["satisfaction_rank"] == 1)].index[0]
    loser = before[(before["region"] == "海勃湾区") & (before["satisfaction_rank"] == 150)].index[0]

    assert "Regression to the mean alone" in page(browser_of, winner)
    assert "Regression to the mean alone" not in page(browser_of, loser)


def test_a_view_of_another_region_leaves_nothing_behind_about_a_former_winner():
    city = MadeUpCity()
    winner = city.standings(1).query("region == '海勃湾区' and satisfaction_rank == 1")["number"].iloc[0]
    [row] = city.standings(2).query("number == @winner").to_dict("records")

    drawn = [
        str(trend_panel(PageData.of(city, View("en", region=region)), row, city.history(winner)))
        for region in ("乌达区", "海勃湾区", None)
    ]

    assert all("Regression to the mean alone" in panel for panel in drawn)


@pytest.mark.parametrize("rounds", [(0,), (1,), (0, 1)])
def test_nothing_is_said_of_regression_where_a_round_ranked_by_another_measure_than_the_rate(rounds):
    city = MadeUpCity()
    winner = city.standings(1).query("region == '海勃湾区' and satisfaction_rank == 1")["number"].iloc[0]
    [row] = city.standings(2).query("number == @winner").to_dict("records")
    for place in rounds:
        rules = city.evaluations()[place].rules
        by_index = replace(rules, satisfaction=replace(rules.satisfaction, measure="satisfaction_index"))
        city.evaluations()[place] = replace(city.evaluations()[place], rules=by_index)

    drawn = str(trend_panel(PageData.of(city, View("en")), row, city.history(winner)))

    assert "points since" in drawn
    assert "Regression to the mean alone" not in drawn


def test_an_open_round_shows_no_breakdown(preview_city):
    content = page(Browser(serve_dashboards(preview_city)))

    assert "kept with official results only" in content
    assert "Very satisfied" not in content


@pytest.mark.parametrize("number", ["", "999999", "<script>"])
def test_a_community_that_is_not_there_is_asked_for_again(browser_of, number):
    assert "Choose a community by its name or number." in page(browser_of, number)


def test_a_community_of_another_district_is_as_if_it_were_not_there(city):
    district = Browser(serve_dashboards(MadeUpCity(district="乌达区")))

    content = page(district, NUMBER)

    assert city.standings(2).query("number == @NUMBER")["english_name"].iloc[0] not in content
    assert "Choose a community" in content


def test_communities_are_found_by_name_in_either_language_and_by_number(shown):
    assert matches(shown, "滨河")[0]["label"].startswith("Riverside")
    assert {match["value"] for match in matches(shown, "riverside")} == {
        match["value"] for match in matches(shown, "滨河")
    }
    assert [match["value"] for match in matches(shown, NUMBER)] == [NUMBER]
    assert matches(shown, ".*") == []


def test_the_page_says_how_many_answers_would_settle_the_evidence(browser_of, shown):
    [row] = records(shown.standings[shown.standings["number"] == NUMBER])

    content = page(browser_of)
    assert "Answers still needed, by satisfaction" in content
    assert needed_words(row, "en") in content.split("\n")
