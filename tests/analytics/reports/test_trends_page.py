from datetime import date

import numpy as np
import pandas as pd
import pytest
from click.testing import CliRunner

from analytics.__main__ import main
from analytics.decision.evaluate import evaluate
from analytics.reports.html_page import render_page
from analytics.reports.trends_page import EvaluatedRound, compute_trends, trends_page
from tests.analytics.rule_files import SHIPPED, rules_with

DAYS = [date(2021, 9, 30), date(2022, 9, 30), date(2023, 9, 30)]


def table(satisfied, **columns):
    ids = [f"{number:02}" for number in range(len(satisfied))]
    return pd.DataFrame({"community_id": ids, "region": "乌达区", "responses": 100, "satisfied": satisfied} | columns)


def rounds(*tables, choices=()):
    rules = rules_with(dict(choices))
    return [EvaluatedRound(day, evaluate(frame, rules)) for day, frame in zip(DAYS, tables, strict=False)]


def test_a_change_has_its_interval_and_many_are_adjusted_for_each_other():
    # p(1 − p)n/(n − 1) = .1616 and .2525; pooled over the region, of 20 communities of which 19 have .80: .1616.
    found = compute_trends(rounds(table([80] * 20), table([60, *[80] * 19]))).communities

    first = found.iloc[0]
    v_before = 0.16 * 100 / 99 / 100
    own, others = 0.24 * 100 / 99, 0.16 * 100 / 99
    v_after = (5 * (own + 19 * others) / 20 + 99 * own) / 104 / 100
    reach = 1.959964 * np.sqrt(v_before + v_after)
    assert first[["change", "change_lower", "change_upper"]].tolist() == pytest.approx(
        [-0.2, -0.2 - reach, -0.2 + reach], abs=1e-6
    )
    assert first["change_p_adjusted"] == pytest.approx(20 * first["change_p"])
    assert found["change_p_adjusted"].iloc[1:].tolist() == [1.0] * 19


def test_former_winners_show_the_change_expected_from_regression_alone():
    before = table([99, *np.tile([70, 75, 80, 85, 90], 4)[:19]])
    found = compute_trends(rounds(before, before.assign(satisfied=[90, *before["satisfied"][1:]])))
    winner = found.communities.iloc[0]

    assert found.communities["former_winner"].tolist() == [True, *[False] * 19]
    assert winner["by_regression"] < 0
    assert winner["change"] == pytest.approx(-0.09)
    assert winner[["by_regression", "region_change", "own_change"]].sum() == pytest.approx(-0.09)
    page = render_page(trends_page(found, "en"), language="en", files={"zh-Hans": "a", "en": "b"})
    assert "Their mean change is -9.0 points; regression to the mean alone would give -" in page


def test_a_community_that_was_not_ranked_before_is_no_former_winner():
    found = compute_trends(rounds(table([5, *[80] * 20], responses=[5, *[100] * 20]), table([80] * 21)))

    assert not found.communities["former_winner"].iloc[0]
    assert np.isnan(found.communities["by_regression"].iloc[0])


def test_a_community_of_one_round_keeps_its_row():
    found = compute_trends(rounds(table([80] * 21), table([80] * 20))).communities

    assert len(found) == 21
    assert found["responses_2022-09-30"].isna().tolist() == [*[False] * 20, True]
    assert np.isnan(found["change"].iloc[20])


def test_three_rounds_have_a_slope_and_two_have_none():
    two = compute_trends(rounds(table([70] * 20), table([74] * 20)))
    three = compute_trends(rounds(table([70] * 20), table([74] * 20), table([78] * 20)))

    assert two.communities["slope_per_year"].isna().all()
    assert three.communities["slope_per_year"].tolist() == pytest.approx([0.04] * 20, abs=1e-4)
    assert "Over all rounds" in [section.heading for section in trends_page(three, "en").sections]
    assert "Over all rounds" not in [section.heading for section in trends_page(two, "en").sections]


def test_the_order_of_rounds_changes_nothing():
    given = rounds(table([70] * 20), table([74] * 20), table([78] * 20))

    pd.testing.assert_frame_equal(compute_trends(given).communities, compute_trends(given[::-1]).communities)


def test_given_scores_are_shown_and_not_tested():
    scores = table([0] * 20).drop(columns=["responses", "satisfied"]).assign(score_precision=1)
    found = compute_trends(rounds(scores.assign(score=80), scores.assign(score=83))).communities

    assert found["change"].tolist() == [3.0] * 20
    assert found["change_p"].isna().all()


def test_rounds_of_one_day_or_of_two_measures_are_refused():
    given = rounds(table([70] * 20), table([74] * 20))
    by_index = {"satisfaction.measure": "satisfaction_index"}
    other = rounds(table([70] * 20, mean_index=70.0), choices=by_index)[0]

    with pytest.raises(ValueError, match="at least two rounds of different days"):
        compute_trends([given[0], given[0]])
    with pytest.raises(ValueError, match="rounds of different measures cannot be compared"):
        compute_trends([EvaluatedRound(DAYS[1], other.evaluation), given[0]])


def run(*arguments):
    return CliRunner().invoke(main, ["trends", *arguments, "--rules", str(SHIPPED), "--language", "en"])


def test_the_command_writes_a_table_and_a_page_in_each_language(tmp_path):
    table([70] * 20).to_csv(tmp_path / "first.csv", index=False)
    table([74] * 20).to_csv(tmp_path / "second.csv", index=False)
    given = [f"2021-09-30={tmp_path}/first.csv", f"2022-09-30={tmp_path}/second.csv"]
    result = run(*given, "--out", str(tmp_path / "out"))

    assert result.exit_code == 0, result.output
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == ["trends.csv", "trends.en.html", "trends.html"]
    assert "向均值回归" in (tmp_path / "out" / "trends.html").read_text("utf-8")


def test_faults_of_every_round_are_named_at_once(tmp_path):
    for name in ("first", "second"):
        (tmp_path / f"{name}.csv").write_text("community_id,region,responses,satisfied\n1,r,2,3\n", "utf-8")
    result = run(
        *(f"{day}={tmp_path}/{name}.csv" for day, name in zip(DAYS, ("first", "second"), strict=False)), "--out", "o"
    )

    assert result.exit_code == 2
    assert result.stderr.splitlines() == [
        f"{tmp_path}/{name}.csv:2:4: satisfied: 3 satisfied of 2 responses" for name in ("first", "second")
    ]


@pytest.mark.parametrize("given", [[], ["2021-09-30=a.csv"], ["2021-09-30=a.csv"] * 2, ["a.csv", "b.csv"]])
def test_what_is_no_two_rounds_is_refused(given):
    assert run(*given, "--out", "o").exit_code == 2
