"""The table of communities: what an address lists, the cells of a row, the CSV file."""

import csv
import io

import pandas as pd
import pytest

from analytics.decision.evaluate import evaluate
from analytics.languages import LANGUAGES
from analytics.reports.labels import sentence_case, status_words
from dashboards.address import View
from dashboards.pages.communities import query_of, rows_for, subdistricts_of
from dashboards.source import GridOrder, GridQuery
from dashboards.widgets.community_table import community_table_csv, community_table_row
from dashboards.widgets.components import records
from tests.analytics.reports.outcomes import all_standings
from tests.dashboards.made_up import MadeUpCity, places


def view_of(search):
    return View.of(search, lambda: "en")


def asked(header, search):
    return query_of(header, view_of(search))


@pytest.fixture
def header(city):
    return city.evaluations()[0]


def rows_of_file(city, header, query, language="en"):
    text = "".join(community_table_csv(city.export_rows(header.id, query), header, language, channels={}, checks={}))
    return list(csv.reader(io.StringIO(text.removeprefix("\ufeff"))))


def test_an_address_says_what_the_table_lists(header):
    query = asked(
        header,
        "?region=乌达区&subdistrict=第1街道&company=物业&name=jade&status=met&evidence=certain&least=30"
        "&sort=-responses,name",
    )

    assert query == GridQuery(
        text="jade",
        region="乌达区",
        subdistrict="第1街道",
        company="物业",
        status="met",
        evidence="certain",
        minimum_responses=30,
        order=(GridOrder("responses", descending=True), GridOrder("name")),
    )


def test_few_answers_are_fewer_than_the_rules_call_enough(header):
    assert asked(header, "?group=few_answers") == GridQuery(
        group="few_answers", enough_responses=30, order=(GridOrder("satisfaction_rank"),)
    )
    assert asked(header, "?group=held_answers").enough_responses is None


@pytest.mark.parametrize(
    "search",
    [
        "?region=nowhere",
        "?status=perfect",
        "?evidence=magic",
        "?least=-1",
        "?least=²",
        "?least=1e9",
        "?sort=criterion_status",
        "?sort=name;drop table standing",
        "?name=%20",
    ],
)
def test_what_an_address_says_wrongly_is_as_if_it_were_not_there(header, search):
    assert asked(header, search) == asked(header, "")


def test_the_order_of_a_request_stands_above_the_one_in_the_address(city):
    request = {"startRow": 0, "endRow": 20, "sortModel": [{"colId": "responses", "sort": "desc"}]}
    rows = rows_for(city, view_of("?sort=name"), request)["rowData"]

    answers = [int(row["responses"]) for row in rows]
    assert answers == sorted(answers, reverse=True)


def test_no_score_is_shown_of_a_community_that_is_not_ranked(city, header):
    standings = city.standings(header.id)
    unranked = standings[standings["satisfaction_rank"].isna() & (standings["responses"] > 0)]

    shown = [community_table_row(row, header, view_of("")) for row in records(unranked)]

    assert shown
    columns = ("satisfaction_rank", "satisfaction_percentile", "satisfaction_score")
    assert {tuple(row[name] for name in columns) for row in shown} == {("—", "—", "—")}
    score = rows_of_file(city, header, GridQuery(status="not_assessed"))
    assert {(row[8], row[9]) for row in score[1:] if not row[7]} == {("", "")}


def test_every_row_leads_to_the_page_of_its_community(city, header):
    [row] = records(city.standings(header.id).head(1))

    shown = community_table_row(row, header, view_of("?evaluation=2&region=乌达区&name=jade"))

    assert shown["address"] == f"/dashboards/community/?evaluation=2&lang=en&community={row['number']}"


def test_a_row_and_the_file_say_in_which_subdistrict_a_community_lies(city, header):
    query = GridQuery(region="乌达区", subdistrict="第1街道")
    [headings, *filed] = rows_of_file(city, header, query)
    at = headings.index("Subdistrict")
    standings = city.standings(header.id)
    unknown = community_table_row(records(standings[standings["subdistrict"].isna()])[0], header, view_of(""))

    shown = [community_table_row(row, header, view_of("")) for row in records(city.grid(header.id, query).rows)]

    assert filed
    assert {row[at] for row in filed} == {"Subdistrict 1"}
    assert {row["place"] for row in shown} == {"Wuda · Subdistrict 1"}
    assert " · " not in unknown["place"]


def test_the_subdistricts_of_the_chosen_district_can_be_chosen(city, header):
    places = city.places(header.id)

    assert subdistricts_of(places, view_of("?region=乌达区")) == {
        f"第{number}街道": f"Subdistrict {number}" for number in (1, 2, 3)
    }
    every = subdistricts_of(places, view_of(""))
    assert set(every) == {f"第{number}街道" for number in (1, 2, 3)}
    assert "Wuda · Subdistrict 1" in every["第1街道"]


def test_a_file_has_the_stored_numbers_of_every_community(city, header):
    standings = city.standings(header.id).sort_values("number")
    headings, *rows = rows_of_file(city, header, GridQuery())

    numbers = {row[1]: row for row in rows}
    assert len(rows) == len(standings) == len(numbers)
    for row in records(standings):
        rank, percentile, score, answers = numbers[row["number"]][7:11]
        assert int(answers) == row["responses"]
        assert (float(score) if score else None) == (row["satisfaction_score"] if rank else None)
        assert bool(percentile) == bool(rank)
    assert len({len(row) for row in [headings, *rows]}) == 1


def test_a_row_and_the_file_tell_the_percentile_that_was_evaluated(city, header):
    stored = evaluate(city.inputs(header.id), header.rules).standings.set_index("community_id")
    rows = {row["number"]: row for row in records(city.standings(header.id))}
    headings, *filed = rows_of_file(city, header, GridQuery())
    for route, column in (("Satisfaction", "satisfaction_percentile"), ("Complaints", "complaint_percentile")):
        at = headings.index(f"{route}: percentile")
        for cells in filed:
            shown = community_table_row(rows[cells[1]], header, view_of(""))[column]
            share = stored.loc[cells[1], column]
            assert shown == (cells[at] or "—")
            assert (shown == "—") == pd.isna(share)
            assert shown == "—" or abs(float(shown) - 100 * share) <= 0.05 + 1e-9 or shown in {"0.1", "99.9"}


@pytest.mark.parametrize("name", ["=1+1", "＝1+1", "@sum", "\t=1"])
def test_no_name_in_a_file_runs_as_a_formula(name):
    names = {"name": name, "english_name": None, "company": name, "company_english": None}
    city = MadeUpCity(register=places().head(60).assign(**names))
    [_, *rows] = rows_of_file(city, city.evaluations()[0], GridQuery())

    assert {(row[2], row[6]) for row in rows} == {(f"'{name}", f"'{name}")}


def test_a_file_says_in_each_row_whether_it_is_official(city, preview_city):
    for source, words in ((city, "official"), (preview_city, "Preview, not an official result")):
        [_, *rows] = rows_of_file(source, source.evaluations()[0], GridQuery())
        assert {row[0] for row in rows} == {words}


@pytest.mark.parametrize("language", LANGUAGES)
def test_no_result_contradicts_a_rank_in_its_row(city, header, language):
    """Walk all pairs of outcomes of the two routes through the table and its file."""
    [row] = records(city.standings(header.id).head(1))
    last = {"satisfaction_last_rank": 18, "complaint_last_rank": 18}
    rows = [row | standing | last for standing in all_standings()]
    unassessed = sentence_case(status_words(language)["not_assessed"])

    shown = [community_table_row(each, header, View.of("", lambda: language)) for each in rows]
    _headings, *filed = csv.reader(
        io.StringIO("".join(community_table_csv([pd.DataFrame(rows)], header, language, channels={}, checks={})))
    )

    for cells, values in zip(shown, filed, strict=True):
        is_ranked = {cells["satisfaction_rank"], cells["complaint_rank"]} != {"—"}
        assert cells["status"].endswith(values[14])
        assert (values[14] == unassessed) <= (not is_ranked), (cells, values)
        assert bool(values[7]) == (cells["satisfaction_rank"] != "—")
