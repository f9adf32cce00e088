"""Scenarios where the assumptions of the evidence do not hold, and the record that reports quote."""

from datetime import date

import numpy as np
import pytest

from analytics.calibration.evidence import calibrate, draw_households
from analytics.calibration.scenarios import REGION_SIZES, SCENARIOS, list_cells, run_cells
from analytics.calibration.study import SEED
from analytics.evidence.calibration_record import RECORD_FILE, Cell, read_calibration_record, record_text
from analytics.evidence.method import EVIDENCE_METHOD
from analytics.languages import LANGUAGES
from analytics.reports.calibration_sentences import calibration_sentences, calibration_table, scenario_words

RECORD = read_calibration_record()


def cell(**changes):
    """Return a cell in which nothing falls short."""
    right = {
        "scenario": "as_assumed",
        "communities": 200,
        "regions": 500,
        "coverage": 0.95,
        "coverage_best": 0.96,
        "certain": 400,
        "certain_right": 0.98,
        "no": 90_000,
        "no_right": 0.998,
        "bands": {"certain": [400, 0.975, 0.98]},
    }
    return Cell(**right | changes)


def test_the_record_is_of_this_method_and_holds_every_cell_of_the_study():
    assert (RECORD.evidence_method, RECORD.seed) == (EVIDENCE_METHOD, SEED)
    assert [(each.scenario, each.communities, each.regions) for each in RECORD.cells] == list_cells(quick=False)
    assert {each.communities for each in RECORD.cells} == set(REGION_SIZES)


@pytest.mark.parametrize("name", ["heavy_tail", "repeat_complaints"])
def test_a_cell_that_is_run_again_has_the_numbers_of_the_record(name):
    recorded = next(each for each in RECORD.cells if (each.scenario, each.communities) == (name, REGION_SIZES[-1]))
    [again] = run_cells([(name, recorded.communities, recorded.regions)])

    assert again == recorded


def test_a_record_is_read_as_it_was_written(tmp_path):
    cells = (cell(), cell(certain=0, certain_right=None, bands={}))
    path = tmp_path / RECORD_FILE.name
    path.write_text(record_text(cells, made_on=date(2026, 1, 2), seed=3, evidence_method=4), "utf-8")
    found = read_calibration_record(path)

    assert (found.cells, found.made_on, found.seed, found.evidence_method) == (cells, date(2026, 1, 2), 3, 4)


@pytest.mark.parametrize("name", SCENARIOS)
def test_the_words_of_a_cell_are_counted_once_for_every_community(name):
    [found] = run_cells([(name, 20, 20)])

    assert sum(number for number, *_shares in found.bands.values()) == 400
    # As many places are foreseen as there are.
    if name != "repeat_complaints":
        for column in (1, 2):
            assert sum(band[0] * band[column] for band in found.bands.values()) == pytest.approx(20, abs=0.5)
    assert found.bands.get("certain", [0])[0] == found.certain


def test_the_scenario_as_assumed_is_that_of_the_study():
    # Another seed gives other numbers of the same kind.
    [found] = run_cells([("as_assumed", 200, 100)])
    study = calibrate("beta", prior="nonparametric", communities=200, regions=100, seed=SEED).coverage
    shares = study[study["interval"] == "credible"].set_index("group")["coverage"]

    assert found.coverage == pytest.approx(shares["all"], abs=0.01)
    assert found.coverage_best == pytest.approx(shares["observed_top"], abs=0.02)


def test_reluctant_communities_have_the_fewer_answers_the_better_they_are():
    random, rates = np.random.default_rng(1), np.random.default_rng(2).beta(16, 4, 5_000)
    reluctant, plain = draw_households(random, rates, reluctance=0.5), draw_households(random, rates)

    assert np.corrcoef(rates, reluctant.answers)[0, 1] < -0.5
    assert np.corrcoef(rates, reluctant.fraction)[0, 1] < -0.5
    assert abs(np.corrcoef(rates, plain.answers)[0, 1]) < 0.05
    assert reluctant.answers.min() >= 30
    assert reluctant.answers.max() <= 300


def test_an_unknown_scenario_is_refused():
    with pytest.raises(ValueError, match="there is no scenario 'sunny'"):
        list(run_cells([("sunny", 20, 1)]))


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({}, ()),
        ({"certain_right": 0.90}, ("certain",)),
        # Within two standard errors, .022.
        ({"certain_right": 0.93}, ()),
        ({"certain": 20, "certain_right": 0.5}, ()),
        ({"certain": 0, "certain_right": None}, ()),
        ({"no_right": 0.94}, ("no",)),
        ({"coverage": 0.92}, ("coverage",)),
        ({"bands": {"likely": [500, 0.87, 0.7]}}, ("likely",)),
        ({"bands": {"likely": [500, 0.87, 0.79]}}, ()),
        ({"coverage_best": 0.90}, ("coverage_best",)),
        ({"coverage_best": 0.90, "regions": 2}, ()),
        ({"certain_right": 0.5, "no_right": 0.5, "coverage_best": 0.5}, ("certain", "no", "coverage_best")),
    ],
)
def test_what_falls_short_by_more_than_chance_is_named(changes, expected):
    assert cell(**changes).shortcomings == expected


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_shortcoming_of_the_record_is_said_with_its_sizes_and_numbers(language):
    short = {}
    for each in RECORD.cells:
        for name in each.shortcomings:
            short.setdefault((each.scenario, name), []).append(each)
    sentences = set(calibration_sentences(RECORD, language))

    assert len(sentences) == len(short) > 0
    for (scenario, name), cells in short.items():
        shares = [each.share(name) for each in cells]
        wanted = [f"{share * 100:.1f}" for share in (min(shares), max(shares))]
        wanted += [scenario_words(language)[scenario], *(f"{each.communities:,}" for each in cells)]
        assert any(all(part in sentence for part in wanted) for sentence in sentences), (scenario, name)


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_table_has_every_cell_and_a_dash_where_nobody_was_called_so(language):
    table = calibration_table(RECORD, language)

    assert len(table.rows) == len(RECORD.cells)
    assert all(len(row) == len(table.headings) for row in table.rows)
    for row, each in zip(table.rows, RECORD.cells, strict=True):
        assert (row[5] == "—") == (each.certain == 0)


def test_a_city_where_nothing_falls_short_is_said_to_be_one():
    record = read_calibration_record()
    [said] = calibration_sentences(type(record)(record.made_on, 1, 4, (cell(),)), "en")

    assert said == "Nothing falls short by more than chance in these cities."
