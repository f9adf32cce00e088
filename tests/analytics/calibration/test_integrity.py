import pandas as pd
import pytest
from click.testing import CliRunner

from analytics.__main__ import main
from analytics.calibration.integrity import CitySetting, integrity_calibration_sentences, run_cities


@pytest.mark.parametrize(("manner", "least_held"), [("hurried", 0.9), ("one_terminal", 0.9), ("own_terminals", 0.4)])
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


def test_the_study_is_written_beside_the_coverage(tmp_path):
    result = CliRunner().invoke(main, ["calibrate", "--quick", "--out", str(tmp_path)])

    assert result.exit_code == 0, result.output
    assert len((tmp_path / "integrity.csv").read_text("utf-8-sig").splitlines()) == 5
    said = (tmp_path / "integrity.txt").read_text("utf-8").splitlines()
    assert len(said) == 4
    assert all("待核实" in line for line in said)
