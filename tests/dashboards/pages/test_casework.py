"""The casework page says of the cases what they amount to, in each language, for a region or for all."""

import re
from dataclasses import replace

import pandas as pd
import plotly.graph_objects as go
import pytest

from analytics.casework.flow import monthly_flow
from analytics.casework.rates import Formulas, ResolutionFormula, ResponseFormula, SatisfactionFormula
from analytics.casework.shares import FEWEST_JUDGED, share_of
from analytics.languages import LANGUAGES
from dashboards.address import View
from dashboards.frames.casework import GROUPS, CaseworkData
from dashboards.labels import exclusion_words, verdict_words
from dashboards.panels.case_companies import compared_companies
from dashboards.panels.case_outcomes import told_share, told_verdicts
from tests.dashboards.conftest import serve_dashboards
from tests.dashboards.made_up import CASEWORK_CUT_OFF, CASEWORK_START, DISCLOSURE, MadeUpCity, places
from tests.dashboards.test_app import Browser, components, said
from tests.published import Page, read_into

PAGE = "casework/"


class CityWithCasework(MadeUpCity):
    """A made-up city with other casework."""

    def __init__(self, casework):
        super().__init__()
        self._casework = casework

    def casework(self):
        return self._casework


@pytest.fixture(scope="module")
def casework(city):
    return city.casework()


def shown_of(casework, *, region=None, language="en"):
    return CaseworkData.of(casework, View(language, region=region))


def page_of(source, search="?lang=en"):
    content = Browser(serve_dashboards(source)).content(search, page=PAGE)["children"]
    page = Page(words=said(content))
    read_into(page, content)
    return page


def figures_of(source, search="?lang=en"):
    content = Browser(serve_dashboards(source)).content(search, page=PAGE)
    return [props["figure"] for props in components(content) if "figure" in props]


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_chart_of_the_page_is_one_that_plotly_draws(city, language):
    figures = figures_of(city, f"?lang={language}")

    assert len(figures) == 7
    for figure in figures:
        go.Figure(figure)


def test_the_key_figures_are_those_of_the_cases(city, casework):
    cases = casework.cases
    judged = cases[cases["answer_judged_at"] >= CASEWORK_START]
    answered = share_of(judged["answered_in_time"])

    words = page_of(city).words

    assert f"{len(cases):,}" in words
    assert f"{answered.share:.1%}\n" in words
    assert f"{answered.some:,} of {answered.of:,}" in words
    assert "Cases of 2026-01 to 2026-12, as they stood on 2 December 2026 at 10:20." in words


def test_the_months_add_up_to_the_whole(city, casework):
    [table] = [rows for caption, rows in page_of(city).tables.items() if caption == "In time by month"]
    shown = shown_of(casework)

    months = shown.by_month()

    assert months["answered_of"].sum() == share_of(shown.answered).of
    assert months["acknowledged_some"].sum() == share_of(shown.acknowledged).some
    assert len(table) == len(months) == 12


def test_the_flow_is_that_of_the_spells_and_ends_with_what_is_open(city, casework):
    [table] = [rows for caption, rows in page_of(city).tables.items() if caption == "Cases in and out by month"]
    flow = monthly_flow(casework.spells, start=CASEWORK_START, cut_off=CASEWORK_CUT_OFF)

    assert [row["Filed"] for row in table] == [f"{count:,}" for count in flow["filed"]]
    open_now = int(casework.cases["waits_for"].notna().sum())
    assert table[-1]["Open at the end"] == f"{open_now:,}"
    assert f"Open cases: {open_now:,}." in page_of(city).words


@pytest.mark.parametrize("caption", ["In time by month", "Cases in and out by month"])
def test_the_month_in_which_the_count_is_made_is_said_not_to_be_over(city, caption):
    months = [row["Month"] for row in page_of(city).tables[caption]]

    assert months[-2:] == ["2026-11", "2026-12, not over yet"]


def test_a_month_that_is_over_is_called_by_its_name_alone(casework):
    ended = replace(casework, cut_off=pd.Timestamp("2026-12-01", tz=CASEWORK_CUT_OFF.tz))

    assert shown_of(ended).month_name("2026-11") == "2026-11"


@pytest.mark.parametrize("group", list(GROUPS))
def test_groups_add_up_to_all_cases_and_small_ones_stand_together(casework, group):
    shown = shown_of(casework)

    table = shown.by_group(group)

    assert table["filed"].sum() == len(shown.filed)
    named = table[table["label"].notna()]
    assert (named["filed"] >= FEWEST_JUDGED).all()
    assert named["label"].is_monotonic_increasing
    assert table["label"].isna().sum() <= 1


def test_groups_of_few_cases_are_not_named(casework):
    shown = shown_of(casework)

    table = shown.by_group("community")

    assert table["label"].isna().all(), "each community has six cases"
    waits = shown.with_waits(table, "community")
    assert waits["median"].iloc[0] == shown.waits.quantiles[0.5].days


def test_a_region_shows_its_own_cases_alone(city, casework):
    all_of, own = shown_of(casework), shown_of(casework, region="乌达区")

    assert set(own.cases["district"]) == {"乌达区"}
    assert own.spells["case"].isin(own.cases["case"]).all()
    assert 0 < len(own.spells) < len(all_of.spells)
    assert shown_of(casework, region="无此区").cases.equals(all_of.cases)
    rows = page_of(city, "?lang=zh-Hans&region=乌达区").tables["区"]
    assert [row["区"] for row in rows] == ["乌达区"]


def test_companies_are_compared_by_what_was_theirs_to_answer(casework):
    cases = casework.cases
    own = cases[cases["is_companys"] & cases["answered_in_time"].notna()]

    compared = compared_companies(shown_of(casework))
    chinese = compared_companies(shown_of(casework, language="zh-Hans"))

    assert set(chinese["company"]) == set(compared["company"])
    assert chinese["company"].is_monotonic_increasing
    names = compared["company_english"].fillna(compared["company"]).str.casefold()
    assert names.is_monotonic_increasing
    for row in compared.itertuples():
        judged = own[own["company"] == row.company]
        assert (row.of, row.some) == (len(judged), judged["answered_in_time"].sum())
    assert (compared["of"] >= FEWEST_JUDGED).all()


def test_a_company_that_answers_late_lies_below_the_lines_and_none_is_ranked(casework):
    cases = casework.cases
    late = cases["company"] == cases["company"].dropna().iloc[0]
    slow = cases.assign(
        answered_in_time=cases["answered_in_time"].mask(late & cases["answered_in_time"].notna(), False)
    )

    page = page_of(CityWithCasework(replace(casework, cases=slow)))

    rows = page.tables["Companies by name, with the 95 percent lines"]
    places_of = {row["Property company"]: row["Place"] for row in rows}
    [company] = cases.loc[late, "company_english"].unique()
    assert places_of[company] == "far below what chance allows"
    assert list(places_of) == sorted(places_of, key=str.casefold)


def test_rates_stand_beside_the_sentences_of_the_casework_file(city):
    shown = CaseworkData.of(city.casework(), View(language="en"))

    words = page_of(city).words

    assert all(rate.of for rate in shown.rates.values())
    for name, statement in shown.statements.items():
        assert statement.in_language("en") in words
        assert told_share(shown.rates[name], DISCLOSURE, "en") in words


def test_another_formula_of_the_casework_file_changes_the_rate_and_call_backs_nobody_made_have_none(casework):
    other = replace(
        casework,
        formulas=Formulas(ResponseFormula.CONTACTED, ResolutionFormula.RESOLVED, SatisfactionFormula.SATISFIED),
    )

    found = CaseworkData.of(other, View(language="en")).rates
    nobody = page_of(CityWithCasework(replace(other, call_backs=other.call_backs.iloc[:0]))).words

    calls = casework.call_backs
    reached = int((calls["outcome"] == "reached").sum())
    assert (found["response"].some, found["response"].of) == (int((calls["contacted"] == "yes").sum()), reached)
    assert (found["resolution"].some, found["resolution"].of) == (int((calls["resolved"] == "yes").sum()), reached)
    assert nobody.count("nothing is recorded yet") == 3


@pytest.mark.parametrize(
    ("counts", "told"),
    [
        ((40, 9, 12, 30), {"Confirmed as fixed": 40, "Partly fixed": 9, "Not fixed": 12, "Without a word": 30}),
        ((40, 2, 4, 30), {"Confirmed as fixed": 40, "Partly or not fixed": 6, "Without a word": 30}),
        ((40, 1, 2, 30), {"Confirmed as fixed": 40}),
        ((3, 1, 2, 1), {}),
    ],
)
def test_verdicts_of_few_residents_are_told_together_or_not_at_all(counts, told):
    words = verdict_words("en")
    verdicts = pd.Series(counts, index=list(words))

    assert told_verdicts(verdicts, words, DISCLOSURE, "en").to_dict() == told


@pytest.mark.parametrize(
    ("some", "of", "told"),
    [
        (5, 8, "fewer than 10 residents"),
        (30, 40, "75.0% (30 of 40)"),
        (38, 40, "all but fewer than 5 of 40"),
        (2, 40, "fewer than 5 of 40"),
        (0, 40, "0.0% (0 of 40)"),
    ],
)
def test_a_share_of_few_residents_is_told_by_its_bound(some, of, told):
    share = share_of(pd.Series([True] * some + [False] * (of - some), dtype="boolean"))

    assert told_share(share, DISCLOSURE, "en") == told


def test_no_verdict_of_few_residents_is_in_the_numbers_of_the_companies(city):
    rows = page_of(city).tables["Verdicts by company"]

    numbers = [row[heading] for row in rows for heading in row if heading != "Property company"]
    assert numbers
    assert not [number for number in numbers if number not in ("—", "0") and int(number.replace(",", "")) < 5]


def test_reasons_for_leaving_cases_out_are_told_in_words(city, casework):
    rows = page_of(city).tables["Cases by reason"]
    counts = casework.cases["exclusion"].value_counts()

    assert {row["Reason"]: int(row["Cases"]) for row in rows} == {
        exclusion_words("en")[reason]: count for reason, count in counts.items()
    }


def test_a_reason_and_a_channel_of_a_later_version_are_told_by_their_codes(casework):
    cases = casework.cases
    later = cases.assign(exclusion=cases["exclusion"].where(cases["exclusion"].isna(), "another_reason"))

    assert "another_reason" in page_of(CityWithCasework(replace(casework, cases=later))).words


def test_a_city_without_cases_says_so_in_every_panel(casework):
    nothing = replace(casework, cases=casework.cases.head(0), spells=casework.spells.head(0))

    page = page_of(CityWithCasework(nothing))

    assert page.charts == []
    assert page.tables == {}
    assert "No case is open." in page.words
    assert re.search(r"\bnan\b", page.words) is None


def test_a_single_case_that_waits_breaks_nothing(casework):
    cases = casework.cases
    waiting = cases[(cases["waits_for"] == "office") & cases["exclusion"].isna()].head(1)
    lonely = replace(casework, cases=waiting, spells=casework.spells[casework.spells["case"].isin(waiting["case"])])

    words = page_of(CityWithCasework(lonely)).words

    assert "Half have one by a day that is not known yet" in words
    assert "Fewer than two companies here can be compared" in words


def test_an_account_of_a_district_sees_none_of_another():
    words = page_of(MadeUpCity(district="乌达区", register=places()), "?lang=zh-Hans&region=海勃湾区").words

    assert "海勃湾区" not in words
