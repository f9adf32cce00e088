"""Unknown is not zero: what a community table lacks is empty in every file, and a dash on every page."""

import csv
import io

import numpy as np
import pandas as pd
from hypothesis import given, settings
from hypothesis import strategies as st

from analytics.decision.evaluate import evaluate
from analytics.evidence.sensitivity import analyse_sensitivity
from analytics.evidence.weigh_evidence import weigh_evidence
from analytics.reports.evaluation_files import standings_csv
from analytics.reports.evaluation_report import report_html
from dashboards.address import View
from dashboards.frames.page_data import PageData
from dashboards.frames.standings import key_counts_of
from dashboards.panels.district_map import district_facts
from dashboards.routes import ROUTES
from dashboards.source import GridQuery
from dashboards.widgets.community_table import community_table_csv, community_table_row
from dashboards.widgets.components import records
from tests.dashboards.conftest import serve_dashboards
from tests.dashboards.made_up import ROUNDS, RULES, MadeUpCity, places
from tests.dashboards.made_up import counts as made_up_counts
from tests.dashboards.test_app import Browser
from tests.dashboards.test_same_numbers import key_figures

UNKNOWN = (
    "complaints",
    "households",
    "exposure_household_years",
    "complaints_excluded",
    "said_complained",
    "asked_about_complaints",
)


def rows_of(pieces):
    return list(csv.DictReader(io.StringIO("".join(pieces).removeprefix("\ufeff"))))


class PartlyUnknown(MadeUpCity):
    """A city in whose table some numbers are missing, in the same rows of every column."""

    def __init__(self, unknown, **options):
        self.unknown = unknown
        super().__init__(register=places().head(60), **options)

    def table(self, number):
        table = made_up_counts(self._register, seed=number)
        return table.assign(
            **{name: table[name].astype("Float64").mask(hidden) for name, hidden in self.unknown.items()}
        )

    def channels(self, evaluation_id):
        return super().channels(evaluation_id).query("household_years > 0")


@given(seed=st.integers(0, 10_000), share=st.sampled_from([0.1, 0.5, 1.0]))
@settings(max_examples=8, deadline=None)
def test_what_is_unknown_is_empty_in_files_and_a_dash_on_pages(seed, share):
    random = np.random.default_rng(seed)
    hidden = random.random(60) < share
    city = PartlyUnknown(dict.fromkeys(UNKNOWN, hidden), rounds=ROUNDS[:1])
    newest = city.evaluations()[0].id
    result = evaluate(city.inputs(newest), RULES)
    evidence, sensitivity = weigh_evidence(result), analyse_sensitivity(result)

    filed = rows_of(standings_csv(result, evidence, sensitivity, "en"))
    for row, is_hidden in zip(filed, hidden, strict=True):
        for name in ("complaints", "households", "exposure_household_years", "complaints_per_1000_household_years"):
            assert (row[name] == "") == is_hidden, name
        assert is_hidden <= (row["complaint_rank"] == "" == row["complaint_rate_lower"])
    header = city.evaluations()[0]
    grid = rows_of(community_table_csv(city.export_rows(newest, GridQuery()), header, "en", channels={}, checks={}))
    by_number = dict(zip(result.standings["community_id"], hidden, strict=True))
    for row in grid:
        assert by_number[row["Number"]] <= (row["Complaints per 1,000 households a year"] == "")
    for row in records(city.standings(newest)):
        shown = community_table_row(row, header, View("en"))
        assert by_number[row["number"]] <= (shown["complaints_per_1000_household_years"] == "—")


def test_a_sum_of_nothing_known_is_unknown():
    city = PartlyUnknown(dict.fromkeys(UNKNOWN, np.ones(60, dtype=bool)), rounds=ROUNDS[:1])
    shown = PageData.of(city, View("en", route=ROUTES["complaints"]))
    result = evaluate(city.inputs(shown.header.id), RULES)

    figures = dict(key_figures(Browser(serve_dashboards(city)).content("?lang=en", page="complaints/")))
    report = report_html(result, weigh_evidence(result), analyse_sensitivity(result), "en")

    assert [value for value in figures.values() if value != "60"] == ["—"] * 4
    assert key_counts_of(shown.standings.assign(responses=pd.NA)).responses is None
    assert district_facts(shown)["middle"].isna().all()
    assert "Valid complaints: 0" not in report
