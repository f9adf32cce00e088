"""Suppression undone: a reader collects every number that the site shows of a region, and calculates what is hidden.

Pages, their numbers as files, the tables for download, the communities beside and earlier rounds are taken together.
What is public by the rules counts as known: numbers of answers, and of satisfied ones where
the community is ranked.
"""

import csv
import io
import json
import re
from collections import defaultdict
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import permutations
from random import Random
from urllib.parse import unquote

import numpy as np
import pandas as pd
import pytest
from flask_login import login_user
from plotly.utils import PlotlyJSONEncoder

from analytics.disclosure.rules import rules_in_force
from analytics.evidence.aspect_percentiles import LEAST_TOGETHER, aspect_percentiles
from analytics.reports.labels import valid_answers_words
from analytics.rules import load_rules
from dashboards.address import View
from dashboards.pages import aspects, community, criterion
from dashboards.pages.drawing import draw_parts
from survey_app.accounts.guard import SignedIn
from survey_app.accounts.scope import EVERYWHERE
from survey_app.config import DATA
from survey_app.evaluations.dashboard_source import StoredEvaluations
from survey_app.evaluations.evaluate_round import evaluate_round
from survey_app.exports.answer_tables import export_answer_tables
from survey_app.exports.standings import export_standings
from survey_app.web.context import SITE_EXTENSION
from tests.accounts import make_account
from tests.conftest import raise_again, site_on
from tests.disclosure_solver import Reader
from tests.factories import make_community, make_district, make_poster_code, make_response, make_round
from tests.published import Page, read_into

NOW = datetime.now(UTC).replace(microsecond=0)
RULES = rules_in_force(NOW.date())
SHIPPED = load_rules(DATA / "rules" / "wuhai" / "2021-08-23.yaml")
VALID_ANSWERS = valid_answers_words("en")["owners"]
VALID, SATISFIED = (5, 4, 3, 2, 1), (5, 4)
POINTS = {5: 100, 4: 75, 3: 50, 2: 25, 1: 0}
RATED = tuple(f"q{key:02}" for key in range(1, 9))
OPINIONS = ("q17", "q18", "q20", "q21", "q22", "q23")
# Owners, tenants, and how satisfied they are: of few answers, of few who are not satisfied, and of many.
SIZES = {
    "A": (330, 30, 0.75),
    "B": (190, 12, 0.8),
    "C": (48, 14, None),
    "D": (24, 11, 0.93),
    "E": (9, 3, 0.7),
    "F": (66, 9, 0.97),
    "G": (27, 0, 0.93),
    # Enough whose shares are shown for percentiles among them.
    "H": (52, 0, 0.8),
    "I": (61, 3, 0.75),
    "J": (45, 0, 0.7),
    "K": (70, 4, 0.82),
    "L": (58, 2, 0.78),
    "M": (80, 0, 0.72),
    "N": (40, 0, 0.65),
    "O": (64, 0, 0.74),
}


HOUSEHOLDS = 200


def answers_of(random, satisfied, place, number):
    """Return answers; of the 48 in C just one is not satisfied, and 26 are very satisfied."""
    share = 0.95 if satisfied is None else satisfied
    weights = (share, share / 2, 1 - share, 0.5 - share / 2, 0.03, 0.1)
    answers = {key: random.choices((5, 4, 3, 2, 1, 9), weights)[0] for key in RATED}
    if place == "C":
        answers["q01"] = 5 if number < 26 else 4 if number < 47 else 3
    answers |= {
        "q17": random.choices((1, 2, 9), (6, 4, 0.4))[0],
        "q22": random.randint(1, 7),
        "q23": random.choice((1, 2, 8)),
    }
    if answers["q17"] == 1:
        answers["q18"] = random.choices((1, 2), (3, 1))[0]
        answers |= {"q20": random.randint(1, 3)} if answers["q18"] == 1 else {"q21": random.randint(1, 5)}
    return answers


@dataclass(frozen=True)
class Published:
    """What is known of a region: the counts behind it, and the tables of the pages and the rows of the files."""

    counts: dict
    pages: dict
    files: dict
    heat_map: list
    limits: list


@pytest.fixture(scope="module")
def published(empty_site):
    """Two closed rounds of a district, evaluated, and everything that a city's account is shown of the newer."""
    config = empty_site("suppression")
    with site_on(config) as app:
        database = app.extensions[SITE_EXTENSION].database
        with database.writing() as session:
            account = SignedIn.of(make_account(session, "city", now=NOW))
            rounds, counts = answer_twice(session)
        earlier, newer = (evaluate_round(database, round_id=each, now=NOW).id for each in rounds)
        assert earlier < newer
        source, pages = StoredEvaluations(database), {}
        with app.test_request_context("/dashboards/"):
            login_user(account)
            for name in SIZES:
                view = View("en").with_changes(evaluation=newer).with_own(community=name)
                pages[name] = tables_in(components_of(community.PAGE, source, view))
            whole = View("en").with_changes(evaluation=newer)
            table = "Percentile of each community by aspect of service"
            heat_map = tables_of(components_of(aspects.PAGE, source, whole))[table]
            drawn = tables_of(components_of(criterion.PAGE, source, whole))
            [limits] = [rows for caption, rows in drawn.items() if caption.startswith("Whatever the others think")]
        files = {
            name: rows_of("".join(export(database, evaluation_id=newer, scope=EVERYWHERE, language="en")))
            for name, export in (("tables", export_answer_tables), ("standings", export_standings))
        }
    LABELS.update({row["Question number"]: row["Survey question"] for row in files["tables"]})
    return Published(counts, pages, files, heat_map, limits)


def answer_twice(session):
    """Store the answers of two rounds; return the ids of these, and how often owners gave each answer in the second."""
    random, counts = Random(3), defaultdict(int)
    district = make_district(session)
    earlier, newer = (
        make_round(session, opens_at=NOW - timedelta(days=back), closes_at=NOW - timedelta(days=back - 20))
        for back in (120, 60)
    )
    for name, (owners, tenants, satisfied) in SIZES.items():
        names = {"name": f"{name}小区", "english_name": f"Community {name}"}
        place = make_community(session, district=district, number=name, **names, households_owners=HOUSEHOLDS)
        code_id = make_poster_code(session, place).id
        for survey_round in (earlier, newer) if name in {"C", "D", "G"} else (newer,):
            for number in range(owners + tenants):
                tenure = 1 if number < owners else 2
                answers = answers_of(random, satisfied, name, number)
                moment = survey_round.opens_at + timedelta(minutes=17 * number)
                values = {"code_id": code_id, "tenure": tenure, "answers": answers, "submitted_at": moment}
                make_response(session, survey_round, place, **values)
                if survey_round is newer and tenure == 1:
                    for question, code in answers.items():
                        counts[name, question, code] += 1
    return (earlier.id, newer.id), counts


def components_of(page, source, view):
    return draw_parts(page, page.draw(source, view, NOW), view.language, failed=raise_again)


def tables_of(components):
    """Return the tables of a page of the whole by caption."""
    page = Page()
    read_into(page, json.loads(json.dumps(components, cls=PlotlyJSONEncoder)))
    return page.tables


def tables_in(components):
    """Return the tables of a page by caption, as rows; a chart's file has more digits than its table."""
    plain = json.loads(json.dumps(components, cls=PlotlyJSONEncoder))
    found, files = {}, {}

    def walk(part, caption=None):
        if isinstance(part, list):
            for each in part:
                walk(each, caption)
        if not isinstance(part, dict):
            return
        if {"head", "body", "caption"} <= part.keys():
            found[part["caption"]] = [dict(zip(part["head"], row, strict=True)) for row in part["body"]]
        if str(part.get("href", "")).startswith("data:text/csv"):
            files[part["download"]] = rows_of(unquote(part["href"].partition(",")[2]))
        for each in part.values():
            walk(each, caption)

    walk(plain)
    return found | files


def rows_of(text):
    return list(csv.DictReader(io.StringIO(text.removeprefix("\ufeff"), newline="")))


def number(text):
    """Return a printed number, None where nothing is printed."""
    found = re.fullmatch(r"[-\d.,]+(%?)", text or "")
    if not found or text == "—":
        return None
    return float(text.strip("%").replace(",", "")) / (100 if found[1] else 1)


def cells(place, question, codes=VALID):
    return [f"{place} {question} {code}" for code in codes]


def learn_rated(reader, place, question, rows, *, names=("valid", "satisfied")):
    """Take in what the table of answers says of a question."""
    every = cells(place, question, (*VALID, 9))
    for row in rows:
        count, code = number(row["Number (empty: withheld)"]), row["Answer code"]
        if count is None:
            continue
        parts = {names[0]: cells(place, question), names[1]: cells(place, question, SATISFIED)}
        reader.learn(parts.get(code, [f"{place} {question} {code}"]), count)
        share = number(row["Share"])
        if share is not None and code not in names:
            reader.learn_share([f"{place} {question} {code}"], every, share, decimals=4)


def reader_of_question(published, question):
    """Return who knows everything that is published of a question on the scale of satisfaction, in all communities."""
    pages, files = published.pages, published.files
    reader = Reader()
    for place in SIZES:
        learn_rated(reader, place, question, of_question(files["tables"], place, question))
        row = next(row for row in pages[place]["aspects.csv"] if row["Question"] == LABELS[question])
        valid, rate, beside = (
            number(row[name]) for name in (VALID_ANSWERS, "Satisfied", "All communities ranked with it")
        )
        if valid is not None:
            reader.learn(cells(place, question), valid)
        if rate is not None:
            reader.learn_share(cells(place, question, SATISFIED), cells(place, question), rate, decimals=5)
        else:
            assert (row["Lower bound"], row["Upper bound"]) == ("", "")
        if beside is not None:
            learn_region(reader, question, SATISFIED, beside)
    learn_percentiles(reader, published, question)
    return reader


def percentiles_of(published, question):
    """Return the row of each community's percentiles in an aspect, where its page has any."""
    return {
        place: row
        for place in SIZES
        for row in published.pages[place].get("aspect-percentiles.csv", [])
        if row["Question"] == LABELS[question]
    }


def learn_percentiles(reader, published, question):
    """Take in whose share is higher than whose, as their percentiles tell."""
    told = {
        place: (number(row["Percentile"]), number(row[VALID_ANSWERS]))
        for place, row in percentiles_of(published, question).items()
        if row["Percentile"]
    }
    for (lower, (least, of_lower)), (higher, (most, of_higher)) in permutations(told.items(), 2):
        if least < most:
            weighed = [(name, of_lower) for name in cells(higher, question, SATISFIED)]
            weighed += [(name, -of_higher) for name in cells(lower, question, SATISFIED)]
            # Of whole numbers these are a whole number.
            reader.learn(weighed, 1, float("inf"))


def learn_region(reader, question, codes, share):
    parts = [cell for place in SIZES for cell in cells(place, question, codes)]
    reader.learn_share(parts, [cell for place in SIZES for cell in cells(place, question)], share, decimals=2)


def of_question(rows, place, question):
    return [row for row in rows if (row["Community number"], row["Question number"]) == (place, question)]


def learn_public(reader, published):
    """Take in what is public: how many answered, and of ranked communities how many are satisfied."""
    for row in published.files["standings"]:
        place = row["Community number"]
        reader.learn(cells(place, "q01"), number(row[VALID_ANSWERS]))
        if row["Satisfaction rank"]:
            reader.learn(cells(place, "q01", SATISFIED), number(row["Satisfied"]))


def learn_standings(reader, published):
    """Take in whatever else stands in the file of the standings."""
    for row in published.files["standings"]:
        place, valid = row["Community number"], number(row[VALID_ANSWERS])
        satisfied, rate, index = (
            number(row[name]) for name in ("Satisfied", "Satisfaction rate", "Satisfaction index")
        )
        if satisfied is not None:
            reader.learn(cells(place, "q01", SATISFIED), satisfied)
        if rate is not None:
            reader.learn_share(cells(place, "q01", SATISFIED), cells(place, "q01"), rate, decimals=6)
        if index is not None:
            weighed = [(f"{place} q01 {code}", points) for code, points in POINTS.items()]
            reader.learn(weighed, index * valid - 1e-6, index * valid + 1e-6)


def learn_pages(reader, published):
    """Take in the tables on the pages about the answers that rank: how many gave each, here and around, and owners."""
    everyone = [cell for place in SIZES for cell in cells(place, "q01", (*VALID, 9))]
    for place in SIZES:
        tables = published.pages[place]
        # Where every rating is hidden the page says so, and has no table of them.
        for row in tables.get("Overall satisfaction", []):
            code = CODES.get(row["Answer"], 9)
            here, around = (number(row[name]) for name in ("This community", "All communities ranked with it"))
            if here is not None:
                reader.learn([f"{place} q01 {code}"], here)
            if around is not None:
                reader.learn_share([f"{each} q01 {code}" for each in SIZES], everyone, around, decimals=2)
        owners = number(tables["Owners and tenants"][0]["Satisfied"]) if "Owners and tenants" in tables else None
        if owners is not None:
            reader.learn(cells(place, "q01", SATISFIED), owners)


def learn_limits(reader, published):
    """Take in what is said of those who did not answer: sums over the ranked communities whose households are known."""
    [row] = published.limits
    ranked = [
        row["Community number"]
        for row in published.files["standings"]
        if row["Satisfaction rank"] and number(row[VALID_ANSWERS]) <= HOUSEHOLDS
    ]
    satisfied = [cell for place in ranked for cell in cells(place, "q01", SATISFIED)]
    every = [cell for place in ranked for cell in cells(place, "q01")]
    households = number(row["Households"])
    assert households == HOUSEHOLDS * len(ranked)
    for parts, name in ((every, "With an answer"), (satisfied, "Satisfied households if all others are dissatisfied")):
        share = number(row[name])
        reader.learn(parts, (share - 0.0005) * households, (share + 0.0005) * households)
    reader.learn_share(satisfied, every, number(row["Satisfied of the answers"]), decimals=3)


LED = {"q18": "q17 1", "q20": "q18 1", "q21": "q18 2"}
LABELS = {}
CODES = {"Very satisfied": 5, "Satisfied": 4, "Neither": 3, "Dissatisfied": 2, "Very dissatisfied": 1}


def hidden_codes(published, place, question, codes):
    shown = {
        row["Answer code"]: row["Number (empty: withheld)"]
        for row in of_question(published.files["tables"], place, question)
    }
    return [code for code in codes if shown[str(code)] == ""]


def assert_hidden(reader, public, name, value):
    """Assert that a number is known no more closely than the rules say, or than public numbers tell."""
    least, greatest = reader.range_of(name)
    assert least - 1e-6 <= value <= greatest + 1e-6, f"{name} is {value}, published was {least} to {greatest}"
    bound = public.width_of(name)
    assert greatest - least >= min(RULES.minimum_range, bound) - 0.02, (name, value, least, greatest, bound)
    assert greatest - least > 0.9, (name, value)


def test_no_rating_that_is_hidden_follows_from_all_that_is_published(published):
    counts = published.counts
    sought = 0

    for question in RATED:
        reader, public = reader_of_question(published, question), Reader()
        if question == "q01":
            for learn in (learn_public, learn_standings, learn_pages, learn_limits):
                learn(reader, published)
            learn_public(public, published)
        for place in SIZES:
            for code in hidden_codes(published, place, question, VALID):
                assert_hidden(reader, public, f"{place} {question} {code}", counts[place, question, code])
                sought += 1

    assert sought > 60
    around = [row["All communities ranked with it"] for row in published.pages["A"]["aspects.csv"]]
    assert len([share for share in around if share]) > 3


def test_percentiles_by_aspect_are_computed_from_the_shares_that_are_shown_and_nothing_else(published):
    told = 0

    for question in RATED[1:]:
        rows = {
            place: row
            for place in SIZES
            for row in published.pages[place]["aspects.csv"]
            if row["Question"] == LABELS[question]
        }
        valid, rates = (
            {place: number(row[name]) for place, row in rows.items()} for name in (VALID_ANSWERS, "Satisfied")
        )
        shown = [place for place in SIZES if rates[place] is not None]
        shares = pd.DataFrame(
            [(question, round(rates[place] * valid[place]), valid[place], np.nan, 1.0) for place in shown],
            columns=["question", "satisfied", "answered", "households", "design_effect"],
            index=shown,
        )
        computed = aspect_percentiles(shares, SHIPPED)[["percentile", "percentile_lower", "percentile_upper"]] * 100
        for place, row in percentiles_of(published, question).items():
            found = [number(row[name]) for name in ("Percentile", "Lower bound", "Upper bound")]
            if place in shown and len(shown) >= LEAST_TOGETHER:
                assert found == pytest.approx(computed.loc[place].tolist(), abs=0.0501)
                told += 1
            else:
                assert (found, row["Compared with the middle"]) == ([None] * 3, "")

    assert told > 40
    for row in published.heat_map:
        place = row["Community"].removeprefix("Community ")
        cells = {heading: cell for heading, cell in row.items() if heading != "Community"}
        for question in RATED[1:]:
            [cell] = [cell for heading, cell in cells.items() if heading.startswith(LABELS[question])]
            assert (percentiles_of(published, question).get(place, {}).get("Percentile") or "—") == cell
    # Of E fewer than ten answered.
    assert all(row["Percentile"] == "" for row in published.pages["E"].get("aspect-percentiles.csv", []))


def learn_opinions(reader, published, place, question, codes):
    """Take in what the table of answers says of a question, and that only those were asked whom another led to it."""
    every = cells(place, question, codes)
    for row in of_question(published.files["tables"], place, question):
        count, share = number(row["Number (empty: withheld)"]), number(row["Share"])
        if count is not None:
            reader.learn([f"{place} {question} {row['Answer code']}"], count)
        if share:
            reader.learn_share([f"{place} {question} {row['Answer code']}"], every, share, decimals=4)
    if question in LED:
        reader.learn([*every, (f"{place} {LED[question]}", -1)], -float("inf"), 0)


def learn_reported(reader, published, place):
    """Take in how many say that they complained, here and around."""
    asked = [f"{place} q17 2", f"{place} q17 9", f"{place} q18 1", f"{place} q18 2"]
    for row in published.pages[place].get(f"said-and-recorded-{place}.csv", [])[:1]:
        said, of, around = (
            number(row[name])
            for name in ("Number", "Of respondents or household-years", "All communities ranked with it")
        )
        if said is not None:
            reader.learn([f"{place} q18 1"], said)
            reader.learn(asked, of)
        if around is not None:
            everyone = [name.replace(place, each, 1) for each in SIZES for name in asked]
            reader.learn_share([f"{each} q18 1" for each in SIZES], everyone, around / 100, decimals=2)


def test_no_opinion_that_is_hidden_follows_from_all_that_is_published(published):
    reader, sought = Reader(), []
    for place in SIZES:
        for question in OPINIONS:
            codes = [row["Answer code"] for row in of_question(published.files["tables"], place, question)]
            learn_opinions(reader, published, place, question, codes)
            hidden = hidden_codes(published, place, question, codes)
            sought += [(f"{place} {question} {code}", published.counts[place, question, int(code)]) for code in hidden]
        learn_reported(reader, published, place)

    assert len(sought) > 60
    for name, value in sought:
        assert_hidden(reader, Reader(), name, value)


def test_official_numbers_and_decisions_stay(published):
    counts = published.counts
    pages, files = published.pages, published.files
    rows = {row["Community number"]: row for row in files["standings"]}

    for place in ("A", "B", "C", "F"):
        valid, satisfied = (sum(counts[place, "q01", code] for code in codes) for codes in (VALID, SATISFIED))
        assert (rows[place][VALID_ANSWERS], rows[place]["Satisfied"]) == (str(valid), str(satisfied))
        assert rows[place]["Satisfaction rank"] != ""
        [owners] = [row for row in pages[place]["Owners and tenants"] if row["Who"] == "Owners"]
        assert (owners["Valid answers"], owners["Satisfied"]) == (str(valid), str(satisfied))
    assert all(rows[place]["Criterion"] for place in SIZES)
    assert rows["C"]["Satisfied"] == "47"


@pytest.mark.parametrize("place", ["D", "G"])
def test_of_a_community_without_a_rank_few_are_hidden_in_standings_and_rounds(published, place):
    [row] = [row for row in published.files["standings"] if row["Community number"] == place]
    valid, satisfied = (sum(published.counts[place, "q01", code] for code in codes) for codes in (VALID, SATISFIED))

    assert 0 < valid - satisfied < RULES.minimum_cell
    assert row["Satisfaction rank"] == ""
    assert (row["Satisfied"], row["Satisfaction rate"], row["Satisfaction index"]) == ("", "", "")
    assert f"trend-{place}.csv" not in published.pages[place]
