import pandas as pd
import pytest
from click.testing import CliRunner

from analytics.__main__ import main
from analytics.calibration.integrity import CROWDS, CitySetting, integrity_calibration_sentences, run_cities


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


def test_the_study_is_written_beside_the_coverage(tmp_path):
    result = CliRunner().invoke(main, ["calibrate", "--quick", "--out", str(tmp_path)])

    assert result.exit_code == 0, result.output
    assert len((tmp_path / "integrity.csv").read_text("utf-8-sig").splitlines()) == 15
    said = (tmp_path / "integrity.txt").read_text("utf-8").splitlines()
    assert len(said) == 14
    assert all("待核实" in line for line in said)
