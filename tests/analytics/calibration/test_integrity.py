import re

import pandas as pd
import pytest
from click.testing import CliRunner

from analytics.__main__ import main
from analytics.calibration.integrity import (
    CROWDS,
    LEVELS,
    CitySetting,
    integrity_calibration_sentences,
    list_cities,
    run_cities,
)
from analytics.statistics import integrity_signals


@pytest.mark.parametrize(("manner", "least_held"), [("hurried", 0.9), ("one_line", 0.9), ("own_lines", 0.4)])
def test_stuffed_forms_are_held_and_honest_communities_are_not(manner, least_held):
    [found] = run_cities([CitySetting("ordinary", 300, 61, manner, 25)])

    assert found["stuffed_flagged"] >= 11
    assert found["held_share"] >= least_held
    assert found["honest_with_held"] <= 0.01 * found["honest_communities"]


def test_nothing_is_held_where_nobody_cheats():
    honest = pd.DataFrame(run_cities([CitySetting(city, 200, 7, None, None) for city in ("ordinary", "content")]))

    assert honest["honest_with_held"].sum() <= 0.01 * honest["honest_communities"].sum()
    assert honest["held_share"].isna().all()
    assert next(integrity_calibration_sentences(honest, "en")).startswith("ordinary city: of 200 honest communities ")


@pytest.mark.parametrize("manner", ["hasty", "hoarded", "hoarded_own_lines"])
@pytest.mark.parametrize("forms", [30, 200])
def test_forms_opened_and_sent_as_nobody_does_are_held_whatever_they_answer(manner, forms):
    [found] = run_cities([CitySetting("ordinary", 300, 62, manner, forms)])

    assert found["held_share"] >= 0.95
    assert found["honest_with_held"] <= 0.01 * found["honest_communities"]


def test_who_waits_as_people_do_over_a_line_for_each_form_is_not_found_and_the_study_says_so():
    found = pd.DataFrame(run_cities([CitySetting("ordinary", 150, 62, "patient", 30)]))

    assert found["held_share"].max() <= 0.05
    [said] = integrity_calibration_sentences(found, "en")
    assert said.startswith("ordinary city, 30 stuffed forms, each over its own line, when residents answer: 0")


def test_two_hundred_answers_of_the_night_are_mostly_held_and_thirty_are_not():
    few, many = run_cities([CitySetting("ordinary", 500, 62, "nightly", forms) for forms in (30, 200)])

    assert few["held_share"] <= 0.05
    assert many["held_share"] >= 0.4
    assert many["honest_with_held"] <= 0.01 * many["honest_communities"]


@pytest.mark.parametrize("crowd", CROWDS)
def test_honest_crowds_are_not_held(crowd):
    [found] = run_cities([CitySetting("ordinary", 200, 8, None, None, crowd)])

    assert found["honest_with_held"] <= 0.01 * found["honest_communities"]


@pytest.mark.long
@pytest.mark.parametrize("crowd", CROWDS)
def test_of_thousands_of_communities_in_honest_crowds_hardly_any_is_held(crowd):
    cities = [CitySetting("ordinary", 500, seed, None, None, crowd) for seed in range(401, 409)]
    found = pd.DataFrame(run_cities(cities))

    assert found["honest_with_held"].sum() <= 0.001 * found["honest_communities"].sum()


def stated_false_alarms():
    """Honest communities, and those with a held response, of each city as the docstring of the signals states them."""
    rows = re.findall(r"^  (\w+)(?::.*?)? {2,}([0-9,]+) +([0-9]+)$", integrity_signals.__doc__, re.MULTILINE)
    return {name: (int(communities.replace(",", "")), int(held)) for name, communities, held in rows}


def measured_false_alarms(cities):
    found = pd.DataFrame(run_cities(cities))
    names = found["crowd"].where(found["crowd"].notna(), found["city"])
    sums = found.groupby(names)[["honest_communities", "honest_with_held"]].sum()
    return {name: tuple(row) for name, row in sums.astype(int).T.to_dict("list").items()}


def test_false_alarms_are_stated_of_every_honest_city_and_in_all():
    stated = stated_false_alarms()
    communities, held = (sum(column) for column in zip(*stated.values(), strict=True))
    said = " ".join(integrity_signals.__doc__.split())
    few = [held - stated["content"][1], communities - stated["content"][0]]

    assert set(stated) == {*LEVELS, *CROWDS}
    assert f"{held} in {communities:,} or 1 in {round(communities / held, -1):,.0f}" in said
    assert f"{few[0]} in {few[1]:,} or 1 in {round(few[1] / few[0], -1):,.0f} but for" in said


@pytest.mark.long
def test_the_stated_false_alarms_are_what_the_study_measures():
    honest = [setting for setting in list_cities(quick=False) if setting.manner is None]

    assert measured_false_alarms(honest) == stated_false_alarms()


def test_the_study_is_written_beside_the_coverage(tmp_path):
    result = CliRunner().invoke(main, ["calibrate", "--quick", "--out", str(tmp_path)])

    assert result.exit_code == 0, result.output
    assert len((tmp_path / "integrity.csv").read_text("utf-8-sig").splitlines()) == 15
    said = (tmp_path / "integrity.txt").read_text("utf-8").splitlines()
    assert len(said) == 14
    assert all("待核实" in line for line in said)
