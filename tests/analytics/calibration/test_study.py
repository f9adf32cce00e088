import json
from xml.etree import ElementTree as ET

import pandas as pd
from click.testing import CliRunner

from analytics.__main__ import main
from analytics.calibration.complaint_rates import COMPLAINT_RATE_DISTRIBUTIONS
from analytics.calibration.evidence import SATISFACTION_DISTRIBUTIONS, calibrate
from analytics.calibration.study import SEED, finding_sentences


def test_a_quick_study_writes_what_calibration_finds(tmp_path):
    result = CliRunner().invoke(main, ["calibrate", "--quick", "--out", str(tmp_path / "out")])

    assert result.exit_code == 0, result.output
    coverage = pd.read_csv(tmp_path / "out" / "coverage.csv")
    bands = pd.read_csv(tmp_path / "out" / "bands.csv")
    alone = calibrate("normal", prior="nonparametric", communities=200, regions=2, seed=SEED)
    written = coverage[coverage["setting_truth"] == "normal"].reset_index(drop=True)
    pd.testing.assert_frame_equal(written[alone.coverage.columns.tolist()], alone.coverage.round(6), check_dtype=False)
    assert set(coverage["setting_truth"]) == {*SATISFACTION_DISTRIBUTIONS, *COMPLAINT_RATE_DISTRIBUTIONS}
    assert set(bands["evidence"]) <= {"certain", "likely", "undecided", "unlikely", "no"}
    content = json.loads((tmp_path / "out" / "calibration.json").read_text("utf-8"))
    assert (content["seed"], len(content["coverage"]), len(content["bands"])) == (SEED, len(coverage), len(bands))


def test_a_study_is_drawn_in_the_language_that_was_asked_for(tmp_path):
    result = CliRunner().invoke(main, ["calibrate", "--quick", "--out", str(tmp_path), "--language", "en"])

    assert result.exit_code == 0, result.output
    coverage, reliability = (
        ["".join(text.itertext()) for text in ET.parse(tmp_path / file).iter("{http://www.w3.org/2000/svg}text")]
        for file in ("coverage.svg", "reliability.svg")
    )
    settings = {f"{truth}, learned prior, 200" for truth in ("normal", "skewed", "two kinds", "Beta(16, 4)")}
    assert settings <= set(coverage)
    assert "complaints, two kinds, learned prior, 200" in coverage
    assert "Predicted probability" in reliability


def test_a_study_that_cannot_be_written_is_named(tmp_path):
    (tmp_path / "file").write_text("in the way")
    result = CliRunner().invoke(main, ["calibrate", "--quick", "--out", str(tmp_path / "file" / "out")])

    assert result.exit_code == 2
    assert str(tmp_path / "file") in result.stderr


def test_what_falls_short_is_said_with_its_number_and_a_reason():
    columns = ["setting_truth", "setting_prior", "setting_communities", "group", "interval", "communities", "coverage"]
    coverage = pd.DataFrame(
        [
            ["two_point", "nonparametric", 20, "observed_top", "credible", 400, 0.91],
            ["two_point", "nonparametric", 2000, "all", "credible", 400, 0.99],
            ["skewed", "normal", 40, "observed_top", "credible", 400, 0.88],
            ["normal", "normal", 40, "observed_top", "credible", 400, 0.95],
            ["normal", "normal", 40, "observed_top", "wilson", 400, 0.5],
            ["normal", "normal", 40, "from_150", "credible", 400, 0.5],
        ],
        columns=columns,
    )

    few, many, normal, within = finding_sentences(coverage, "en")

    assert few.startswith("two kinds, learned prior, regions of 20: intervals hold 91.0% (± 1.4%) of the observed")
    assert "do not show that there are two kinds" in few
    assert "lie on two points" in many
    assert "The normal prior does not describe such communities" in normal
    assert within == "1 of 4 shares lie between 93% and 97%."
    assert all("{" not in sentence for sentence in finding_sentences(coverage, "zh-Hans"))
