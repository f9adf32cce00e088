"""Everything that is published of a round, taken together: no small number of people follows from it.

A reader has the pages, files and other rules that accounts of the city, of a district and of the evaluator can ask for,
as a browser gets them, and writes each number as a sum of unknown ones: how many owners and tenants of a community gave
each answer, and how. A linear programme then seeks what is hidden. What each may know by right:

* the bureau (city and district): how many answered, and of a ranked community the official score; with the rate also
  how many are satisfied;
* the evaluator: beside that the answers to the ranked question of owners, and of tenants, of whom ten or more rated it,
  and of a mode where ten or more answered in it.

Whoever knows how many owners and tenants answered is no stranger to a community, so those numbers count as known.
"""

import json
import re
from collections import defaultdict
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from fractions import Fraction
from itertools import product
from random import Random

import numpy as np
import pytest
from sqlalchemy import select, update

from analytics.canonical import sha256_hex
from analytics.disclosure.rules import rules_in_force
from analytics.evidence.share_intervals import share_interval
from analytics.reports.labels import valid_answers_words
from analytics.rules import parse_rules
from survey_app.config import DATA
from survey_app.evaluations.evaluate_round import evaluate_round
from survey_app.models import Response, ResponseReview, RuleFile
from survey_app.models.vocabulary import ReviewState
from survey_app.responses.counting_status import ERASED_VALUES
from survey_app.web.context import SITE_EXTENSION
from tests.accounts import make_account
from tests.conftest import site_on
from tests.disclosure_solver import Reader
from tests.factories import make_community, make_district, make_poster_code, make_response, make_round
from tests.published import Published

NOW = datetime.now(UTC).replace(microsecond=0)
RULES = rules_in_force(NOW.date())
SHIPPED = (DATA / "rules" / "wuhai" / "2021-08-23.yaml").read_bytes()
SHIPPED_RULES = parse_rules(SHIPPED, "rules")
VALID, SATISFIED, OTHERS = (5, 4, 3, 2, 1), (5, 4), (3, 2, 1)
POINTS = {5: 100, 4: 75, 3: 50, 2: 25, 1: 0}
# Other rules that count other answers or compare other communities; the rest compares the official scores otherwise.
CHOICES = ("population", "minimum_responses", "region")
TENURES = {"owners": (1,), "residents": (1, 2)}
WEIGHTS = {"q02": Fraction(3, 4), "q03": Fraction(1, 4)}
MODES = ("web", "paper", "telephone")
RATED = ("q01", "q02", "q03")

# Owners, tenants, and of each those who are not satisfied: single ones, none, and as many as are shown.
SMALL_CITY = {
    "A": (120, 40, 22, 9),
    "B": (60, 9, 6, 2),
    "C": (48, 14, 1, 5),
    "D": (24, 11, 1, 1),
    "E": (9, 3, 2, 1),
    "F": (66, 1, 3, 1),
    "G": (10, 0, 1, 0),
    "H": (11, 10, 0, 2),
    "I": (31, 2, 5, 1),
    "J": (40, 12, 2, 2),
}
SECOND_DISTRICT = "IJ"
# Owners who say that they don't know: the ten owners of G rate the service nine times.
UNDECIDED = {"A": 3, "G": 1, "H": 1}
# Share of residents who don't know how a domain is, under rules that rank composites.
LEFT_OUT = 0.06
# Answers of owners that wait for a decision, the first of each: of few, and of enough of whom few are not satisfied.
HELD = {"A": 14, "C": 3, "J": 12}


@dataclass
class City:
    """A round: which population is ranked by which measure, the counts behind it, and what was published of it."""

    population: str
    measure: str
    sizes: dict
    counts: dict = field(default_factory=lambda: defaultdict(int))
    published: dict = field(default_factory=dict)

    @property
    def tenures(self):
        return TENURES[self.population]

    def cells(self, place, question, codes=VALID, tenures=None):
        """Return the names of how many gave codes to a question; to the ranked one owners and tenants apart."""
        whole = self.tenures if tenures is None else tenures
        return [cell(place, question, tenure, code) for tenure in whole for code in codes]

    def count(self, names):
        return sum(self.counts[name] for name in names)

    def composites(self, place):
        """Return the names of how many rated the domains so, each with the points of their composite."""
        return [
            (both(place, tenure, *codes), composite_of(*codes))
            for tenure in self.tenures
            for codes in product((*VALID, 9), repeat=2)
            if composite_of(*codes) is not None
        ]


def cell(place, question, tenure, code, mode=None):
    return " ".join(map(str, (place, question, tenure, code, *((mode,) if mode else ()))))


def both(place, tenure, first, second):
    """Return the name of how many gave these answers to the two domains."""
    return cell(place, "q02&q03", tenure, f"{first}{second}")


def composite_of(*codes):
    """Return the points of a resident: of the domains that are rated, if they have half the weight together."""
    rated = [(POINTS[code], weight) for code, weight in zip(codes, WEIGHTS.values(), strict=True) if code in POINTS]
    weight = sum(weight for _points, weight in rated)
    return None if weight < Fraction(1, 2) else float(sum(points * part for points, part in rated) / weight)


@pytest.fixture(scope="module")
def new_site(empty_site):
    """Return a function that makes the site of a city in which nobody has answered."""

    return lambda: site_on(empty_site("published"))


@pytest.fixture(scope="module")
def city_where(new_site):
    """Return a function that makes the site of a city, evaluates its round and collects what is published of it."""

    def make(population, measure, *, seed=0, sizes=SMALL_CITY):
        city = City(population, measure, sizes)
        with new_site() as app:
            database = app.extensions[SITE_EXTENSION].database
            with database.writing() as session:
                survey_round = _answer(session, city, _found(session, sizes), Random(seed))
            evaluation = evaluate_round(database, round_id=survey_round.id, now=NOW)
            _collect(app, city, evaluation.id, choices=CHOICES)
        return city

    return make


def _collect(app, city, evaluation_id, *, choices=()):
    """Collect what accounts of the city, of a district and of the evaluator get of an evaluation."""
    within = [place for place in city.sizes if place not in SECOND_DISTRICT]
    for role, asked in (
        ("city", {"communities": city.sizes, "choices": choices}),
        ("district", {"communities": within}),
        ("evaluator", {}),
    ):
        city.published[role] = Published(app, role, evaluation=evaluation_id, **asked)


@dataclass(frozen=True)
class Places:
    """Communities of two districts by name, the posters there, and who types in what is on paper."""

    communities: dict
    posters: dict
    clerk_id: int


def _found(session, sizes):
    """Store two districts with their communities and accounts."""
    districts = [make_district(session) for _ in range(2)]
    for role in ("city", "evaluator"):
        make_account(session, role, now=NOW)
    make_account(session, "district", now=NOW, district=districts[0])
    clerk = make_account(session, "typist", role="clerk", district=districts[0], now=NOW)
    communities = {
        place: make_community(
            session,
            district=districts[place in SECOND_DISTRICT],
            number=place,
            name=f"{place}小区",
            english_name=f"Community {place}",
            households_owners=200,
            # Without two that are tied on the other route.
            households_occupied=400 - 10 * order,
        )
        for order, place in enumerate(sizes)
    }
    posters = {place: make_poster_code(session, community).id for place, community in communities.items()}
    return Places(communities, posters, clerk.id)


def _rules_of(city):
    content = SHIPPED.replace(b"population: owners", f"population: {city.population}".encode())
    domains = "\n  domains: {q02: 3/4, q03: 1/4}" if city.measure == "composite" else ""
    content = content.replace(b"measure: satisfaction_rate", f"measure: {city.measure}{domains}".encode())
    # A city of ten communities has a list only where a share of less than one position names one.
    content = content.replace(b"rounding: floor", b"rounding: at_least_one")
    return RuleFile(
        name=f"{city.population} by {city.measure}", content=content, sha256=sha256_hex(content), added_at=NOW
    )


def _answer(session, city, places, random, *, days_ago=60):
    """Store a round that has closed, with the answers of all communities."""
    rule_file = _rules_of(city)
    session.add(rule_file)
    opened = NOW - timedelta(days=days_ago)
    survey_round = make_round(session, rule_file=rule_file, opens_at=opened, closes_at=opened + timedelta(days=20))
    for place, (owners, tenants, *discontent) in city.sizes.items():
        for tenure, people, others in ((1, owners, discontent[0]), (2, tenants, discontent[1])):
            for number in range(people):
                mode = "web" if number % 5 else random.choice(MODES)
                is_undecided = (
                    tenure == 1 and people - UNDECIDED.get(place, 0) <= number and city.measure != "composite"
                )
                answers = _answers(random, is_satisfied=number >= others, is_undecided=is_undecided)
                if city.measure == "composite":
                    answers |= {question: 9 for question in WEIGHTS if random.random() < LEFT_OUT}
                response = make_response(
                    session,
                    survey_round,
                    places.communities[place],
                    code_id=places.posters[place] if mode == "web" else None,
                    mode=mode,
                    entered_by_id=None if mode == "web" else places.clerk_id,
                    tenure=tenure,
                    answers=answers,
                    submitted_at=survey_round.opens_at + timedelta(minutes=random.randrange(15 * 24 * 60)),
                )
                for question, code in answers.items():
                    city.counts[cell(place, question, tenure, code)] += 1
                city.counts[cell(place, "q01", tenure, answers["q01"], mode)] += 1
                city.counts[both(place, tenure, answers["q02"], answers["q03"])] += 1
                if tenure == 1 and number < HELD.get(place, 0):
                    city.counts[cell(place, "q01", 1, answers["q01"], "held")] += 1
                    held = {"response_id": response.id, "families": "burst, haste", "at": survey_round.closes_at}
                    session.add(ResponseReview(state=ReviewState.HELD, **held))
    return survey_round


def _answers(random, *, is_satisfied, is_undecided):
    overall = 9 if is_undecided else random.choice(SATISFIED if is_satisfied else OTHERS)
    share = 0.93 if is_satisfied else 0.5
    weights = (share, share / 2, 1 - share, 0.02, 0.02)
    return {"q01": overall} | {f"q{key:02}": random.choices(VALID, weights)[0] for key in range(2, 9)}


def number(text):
    """Return a printed number, None where nothing is printed."""
    found = re.fullmatch(r"([-\d.,]+)(%?)", (text or "").strip())
    if not found or not re.search(r"\d", text):
        return None
    return float(found[1].replace(",", "")) / (100 if found[2] else 1)


# What is public, and what the reader learns.


def learn_sizes(reader, city):
    """Take in how many owners and tenants gave a valid answer: whoever knows a community may know that."""
    for place in city.sizes:
        for tenure in (1, 2):
            for question in RATED:
                names = city.cells(place, question, tenures=(tenure,))
                reader.learn(names, city.count(names))
            if city.measure == "composite":
                learn_pairs(reader, place, tenure)
    for place in HELD:
        names = [cell(place, "q01", 1, code, "held") for code in VALID]
        reader.learn(names, city.count(names))
        for code in (*VALID, 9):
            weighed = [(cell(place, "q01", 1, code), 1), (cell(place, "q01", 1, code, "held"), -1)]
            reader.learn(weighed, 0, float("inf"))


def learn_pairs(reader, place, tenure):
    """Take in that whoever gives an answer to one domain gives one to the other, or leaves it out."""
    for code in (*VALID, 9):
        for question, pairs in (
            ("q02", [(code, other) for other in (*VALID, 9)]),
            ("q03", [(other, code) for other in (*VALID, 9)]),
        ):
            parts = [(both(place, tenure, *pair), 1) for pair in pairs]
            reader.learn([*parts, (cell(place, question, tenure, code), -1)], 0)


def learn_official(reader, city):
    """Take in the official scores of ranked communities, and with the rate how many are satisfied."""
    for row in city.published["city"].files["standings.csv"]:
        place = row["Community number"]
        if row["Satisfaction rank"]:
            learn_score(reader, city, place, score_of(city, place))


def score_of(city, place):
    """Return the official score of a ranked community as the table of all communities has it."""
    [row] = [row for row in city.published["city"].files["communities.csv of the page"] if row["Number"] == place]
    return number(next(value for name, value in row.items() if name in SCORES))


SCORES = ("Satisfaction rate", "Satisfaction index", "Composite score")


def learn_score(reader, city, place, score, *, step=1e-6):
    """Take in the measure of a community."""
    if city.measure == "composite":
        parts = city.composites(place)
        people = city.count(name for name, _points in parts)
    elif city.measure == "satisfaction_index":
        parts = [(name, POINTS[code]) for code in VALID for name in city.cells(place, "q01", (code,))]
        people = city.count(city.cells(place, "q01"))
    else:
        parts = city.cells(place, "q01", SATISFIED)
        people = city.count(city.cells(place, "q01"))
    reader.learn(parts, (score - step) * people - 1e-6, (score + step) * people + 1e-6)


def learn_standings(reader, city, rows):
    for row in rows:
        place = row["Community number"]
        satisfied, rate, index = (
            number(row[name]) for name in ("Satisfied", "Satisfaction rate", "Satisfaction index")
        )
        if satisfied is not None:
            reader.learn(city.cells(place, "q01", SATISFIED), satisfied)
        if rate is not None:
            reader.learn_share(city.cells(place, "q01", SATISFIED), city.cells(place, "q01"), rate, decimals=6)
        if index is not None:
            weighed = [(name, POINTS[code]) for code in VALID for name in city.cells(place, "q01", (code,))]
            people = city.count(city.cells(place, "q01"))
            reader.learn(weighed, index * people - 1e-4, index * people + 1e-4)


def learn_tables(reader, city, rows):
    for row in rows:
        place, question, code = (row[name] for name in ("Community number", "Question number", "Answer code"))
        told = number(row["Number (empty: withheld)"])
        if question not in RATED or told is None:
            continue
        codes = {"valid": VALID, "satisfied": SATISFIED}.get(code) or (int(code),)
        reader.learn(city.cells(place, question, codes), told)


CODES = {"Very satisfied": 5, "Satisfied": 4, "Neither": 3, "Dissatisfied": 2, "Very dissatisfied": 1}
LABELS = {"Overall satisfaction": "q01", "Cleanliness": "q02", "Waste sorting": "q03"}


EVERYONE = "All communities ranked with it"


def learn_evidence(reader, city, page):
    """Take in what intervals tell beside the scores: of a mean, the sum of squares of all that are ranked together."""
    ranked = {
        row["Community number"] for row in city.published["city"].files["standings.csv"] if row["Satisfaction rank"]
    }
    for name, rows in page.files.items():
        if not name.startswith("near-satisfaction") or not any(row["Lower bound"] for row in rows):
            continue
        first = rows[0]["Community"].removeprefix("Community ")
        together = [place for place in ranked if (place in SECOND_DISTRICT) == (first in SECOND_DISTRICT)]
        weighed = [(name, points**2) for place in together for name, points in pointed(city, place)]
        squares = sum(city.counts[name] * weight for name, weight in weighed)
        reader.learn(weighed, squares - 1, squares + 1)


def pointed(city, place):
    """Return the names of how many got so many points by the measure."""
    if city.measure == "composite":
        return city.composites(place)
    points = POINTS if city.measure == "satisfaction_index" else {code: code in SATISFIED for code in VALID}
    return [(name, points[code]) for code in VALID for name in city.cells(place, "q01", (code,))]


def learn_limits(reader, city, names, whole, row, *, decimals):
    """Take in the numbers of people that an interval can be of, where its limits are told: each is tried."""
    limits = [number(row[name]) for name in ("Lower bound", "Upper bound")]
    if None in limits:
        return
    people = city.count(whole)
    possible = share_interval(np.arange(people + 1), people, SHIPPED_RULES)
    fits = np.all(
        [
            np.isclose(computed, told, rtol=0, atol=0.51 * 10**-decimals)
            for computed, told in zip((possible.lower, possible.upper), limits, strict=True)
        ],
        axis=0,
    )
    found = np.flatnonzero(fits)
    reader.learn(names, int(found.min()), int(found.max()))


def learn_community_page(reader, city, place, page, within):
    """Take in the page of a community, and from it the shares of those that are ranked together."""
    # Where every share is withheld the page says so, and has no file of them.
    for row in page.files.get("aspects.csv", []):
        if question := LABELS.get(row["Question"]):
            asked = {"question": question, "codes": (SATISFIED, VALID)}
            learn_share(reader, city, number(row["Satisfied"]), places=[place], decimals=5, **asked)
            learn_share(reader, city, number(row[EVERYONE]), places=within, decimals=2, **asked)
            names = [city.cells(place, question, codes) for codes in asked["codes"]]
            learn_limits(reader, city, *names, row, decimals=5)
    for row in page.tables.get("Overall satisfaction", []):
        code = CODES.get(row["Answer"], 9)
        learn_sum(reader, city.cells(place, "q01", (code,)), number(row["This community"]))
        asked = {"question": "q01", "codes": ((code,), (*VALID, 9))}
        learn_share(reader, city, number(row[EVERYONE]), places=within, decimals=2, **asked)
    for row in page.tables.get("Owners and tenants", []):
        tenure = {"Owners": 1, "Tenants": 2}[row["Who"]]
        names = [city.cells(place, "q01", codes, (tenure,)) for codes in (SATISFIED, VALID)]
        learn_sum(reader, names[0], number(row["Satisfied"]))
        learn_limits(reader, city, *names, row, decimals=3)
    for words in page.words:
        # The standing as decided, beside the one without held answers.
        if said := re.match(r"(?:rank \d+, )?(\d+) of (\d+) satisfied: ", words):
            satisfied, people = city.cells(place, "q01", SATISFIED), city.count(city.cells(place, "q01"))
            held = [] if int(said[2]) == people else [(cell(place, "q01", 1, code, "held"), -1) for code in SATISFIED]
            learn_sum(reader, [*satisfied, *held], int(said[1]))

    learn_without_held(reader, city, place, page.words)


def learn_without_held(reader, city, place, words):
    """Take in the mean of those who are not held, where the page tells it."""
    if WITHOUT_HELD not in words:
        return
    standings = (re.match(r"(?:rank \d+, )?([\d.]+): ", each) for each in words[words.index(WITHOUT_HELD) :])
    said = next(filter(None, standings), None)
    if said and city.measure == "satisfaction_index":
        held = [(cell(place, "q01", 1, code, "held"), -POINTS[code]) for code in VALID]
        people = city.count(city.cells(place, "q01")) - city.count(name for name, _points in held)
        total = float(said[1]) * people
        reader.learn([*pointed(city, place), *held], total - 0.051 * people, total + 0.051 * people)


WITHOUT_HELD = "Without held answers (not official)"


def learn_sum(reader, names, told):
    if told is not None:
        reader.learn(names, told)


def learn_share(reader, city, told, *, question, places, codes, decimals):
    """Take in a share of the answers of some communities, if it is told: those with some codes of those with others."""
    if told is not None:
        parts, whole = ([name for place in places for name in city.cells(place, question, some)] for some in codes)
        reader.learn_share(parts, whole, told, decimals=decimals)


def learn_what_if(reader, city, choice, page):
    """Take in what another rule tells: scores, and who is listed before whom; its population may be another."""
    tenures = (1, 2) if choice == "population:residents" else (1,) if choice == "population:owners" else city.tenures
    changed = {}
    for row in page.tables.get("Who would enter and leave", []):
        if "Community" not in row:
            continue
        place = row["Community"].removeprefix("Community ")
        changed[place] = row["Change"]
        if said := re.match(r"rank \d+, ([\d.]+)%", row["Satisfaction"]):
            names = city.cells(place, "q01", SATISFIED, tenures), city.cells(place, "q01", tenures=tenures)
            reader.learn_share(*names, float(said[1]) / 100, decimals=3)
    least = int(choice.partition(":")[2]) if choice.startswith("minimum_responses") else 30
    if city.measure == "satisfaction_rate" and choice.startswith(("minimum_responses", "population")):
        is_careful = any("Communities whose scores are withheld are left out" in words for words in page.words)
        learn_order(reader, city, changed, tenures, least, is_careful=is_careful)


def learn_order(reader, city, changed, tenures, least, *, is_careful):
    """Take in that whoever is listed by satisfaction alone has no lower rate than who is ranked and not listed.

    The page says that withheld scores are left out, and official ones kept where they differ by few. Which those are
    counts as known.
    """
    rows = {row["Community number"]: row for row in city.published["city"].files["standings.csv"]}
    counted = {
        place: city.tenures if is_careful and is_stated(city, place, tenures) else tenures
        for place in rows
        if rows[place]["Satisfied"] or not is_careful
    }
    people = {place: city.count(city.cells(place, "q01", tenures=whose)) for place, whose in counted.items()}
    ranked = [place for place in counted if people[place] >= least and rows[place]["Complaint route"] != "met"]
    listed = {
        place
        for place in ranked
        if changed.get(place) == "would enter"
        or (rows[place]["Satisfaction route"] == "met" and changed.get(place) != "would leave")
    }
    for first in listed:
        for second in set(ranked) - listed:
            if (first in SECOND_DISTRICT) == (second in SECOND_DISTRICT):
                weighed = [
                    (name, sign / people[place])
                    for place, sign in ((first, 1), (second, -1))
                    for name in city.cells(place, "q01", SATISFIED, counted[place])
                ]
                reader.learn(weighed, -1e-9, float("inf"))


def is_stated(city, place, tenures):
    """Return whether another population is told of by the official numbers: it, or what it differs by, is of few."""
    return any(
        city.count(city.cells(place, "q01", VALID, whose)) < RULES.minimum_base
        or any(
            0 < city.count(city.cells(place, "q01", codes, whose)) < RULES.minimum_cell for codes in (SATISFIED, OTHERS)
        )
        for whose in ((2,), tenures)
    )


def bureau_of(city):
    """Return what the city and a district know together, each of its own pages and files."""
    reader = Reader()
    learn_sizes(reader, city)
    learn_official(reader, city)
    for role in ("city", "district"):
        learn_bureau(reader, city, city.published[role])
    return reader


def learn_bureau(reader, city, published):
    learn_standings(reader, city, published.files["standings.csv"])
    learn_tables(reader, city, published.files["tables.csv"])
    for place, page in published.pages.items():
        within = [each for each in city.sizes if (each in SECOND_DISTRICT) == (place in SECOND_DISTRICT)]
        learn_community_page(reader, city, place, page, within)
    learn_aspects(reader, city, published.files["aspects.csv of the page"])
    learn_evidence(reader, city, published.whole["criterion/"])
    for choice, page in published.what_ifs.items():
        learn_what_if(reader, city, choice, page)


def learn_aspects(reader, city, rows):
    """Take in how many gave a valid answer to each aspect, and a satisfied one, where the file tells it."""
    parts = {"Satisfied": SATISFIED, **dict.fromkeys(valid_answers_words("en").values(), VALID)}
    for row in rows:
        for heading, told in row.items():
            label, _colon, part = heading.rpartition(": ")
            if label in LABELS and part in parts:
                learn_sum(reader, city.cells(row["Number"], LABELS[label], parts[part]), number(told))


def learn_evaluator(reader, city):
    """Take in the community table and the rows."""
    learn_rows(reader, city)
    for row in city.published["evaluator"].files["communities.csv"]:
        learn_counts(reader, city, row)


def learn_rows(reader, city):
    """Take in the rows: those of a mode are a part of those of a tenure, which is empty where it is withheld."""
    for place in city.sizes:
        for tenure in (1, 2):
            for code in (*VALID, 9):
                parts = [(cell(place, "q01", tenure, code, mode), 1) for mode in MODES]
                reader.learn([*parts, (cell(place, "q01", tenure, code), -1)], 0)
    given, modes = defaultdict(int), defaultdict(int)
    for row in city.published["evaluator"].files["responses.csv"]:
        group = row["community_id"], (1, 2) if row["tenure"] == "" else (int(row["tenure"]),)
        for question in measured(city):
            given[*group, question, "".join(row[part] for part in question.split("&"))] += 1
        modes[*group, row["mode"], int(row["q01"])] += 1
    for place, tenures in {key[:2] for key in given}:
        for question, codes in measured(city).items():
            for code in codes:
                reader.learn(city.cells(place, question, (code,), tenures), given[place, tenures, question, code])
        told = {key[2:]: number for key, number in modes.items() if key[:2] == (place, tenures)}
        learn_modes(reader, place, tenures, told)


def learn_modes(reader, place, tenures, told):
    """Take in how those of a mode answered; behind the code of what is withheld stand all modes that no row names."""
    named = {mode for mode, _code in told} - {"-4"}
    for mode in {mode for mode, _code in told}:
        modes = [each for each in MODES if each not in named] if mode == "-4" else [mode]
        for code in (*VALID, 9):
            parts = [cell(place, "q01", tenure, code, each) for tenure in tenures for each in modes]
            reader.learn(parts, told.get((mode, code), 0))


def measured(city):
    """Return the questions of the rows with their codes, and what a row says of two of them together."""
    codes = [str(code) for code in (*VALID, 9)]
    domains = {"q02": codes, "q03": codes, "q02&q03": ["".join(pair) for pair in product(codes, repeat=2)]}
    return {"q01": codes, **(domains if city.measure == "composite" else {})}


def learn_counts(reader, city, row):
    """Take in a row of the community table: numbers, and of a mean the sums of its points and of their squares."""
    place = row["community_id"]
    responses, satisfied = int(row["responses"]), number(row["satisfied"])
    if satisfied is not None:
        reader.learn(city.cells(place, "q01", SATISFIED), satisfied)
    for name, people, weighed in (
        ("index", responses, [(name, POINTS[code]) for code in VALID for name in city.cells(place, "q01", (code,))]),
        ("composite", number(row.get("composite_responses")), city.composites(place)),
    ):
        mean, deviation = number(row.get(f"mean_{name}")), number(row.get(f"sd_{name}"))
        if mean is not None:
            reader.learn(weighed, (mean - 1e-6) * people - 1e-4, (mean + 1e-6) * people + 1e-4)
        if deviation is not None:
            squares = (people - 1) * deviation**2 + people * mean**2
            reader.learn([(name, points**2) for name, points in weighed], squares - 0.1, squares + 0.1)


# What is sought.


def findings(reader, public, city, groups):
    """Return every number of a group that the reader knows more closely than the rules allow, with what bounds it.

    A group is a name, the number of people in it, and the names of how many gave each valid answer.
    """
    found = []
    for name, codes in groups:
        people = sum(city.count(names) for names in codes.values())
        sought = {str(code): names for code, names in codes.items()}
        sought |= {
            "satisfied": [each for code in SATISFIED for each in codes[code]],
            "others": [each for code in OTHERS for each in codes[code]],
        }
        for part, names in sought.items():
            value = city.count(names)
            # What is not small may follow, and lie as close as the few whom it is added to.
            may_follow = people >= RULES.minimum_base and not 0 < value < RULES.minimum_cell
            if people == 0 or (may_follow and (value == 0 or "tenure" in name)):
                continue
            least, greatest = reader.range_of_sum(names)
            assert least - 1e-4 <= value <= greatest + 1e-4, (name, part, value, least, greatest)
            width = greatest - least
            if width >= RULES.minimum_range - 0.02 or (may_follow and width < 0.02):
                continue
            low, high = public.range_of_sum(names)
            if width < high - low - 0.02:
                found.append((name, part, value, round(least, 2), round(greatest, 2), round(low, 2), round(high, 2)))
    return found


def groups_of_tenures(city, *, fewest=1, most=10**6):
    """Return owners and tenants of each community, apart, where so many rated the ranked question."""
    for place in city.sizes:
        for tenure in (1, 2):
            if fewest <= city.count(city.cells(place, "q01", tenures=(tenure,))) <= most:
                yield f"{place} tenure {tenure}", {code: city.cells(place, "q01", (code,), (tenure,)) for code in VALID}


def groups_of_held():
    """Return the held answers of each community."""
    for place in HELD:
        yield f"{place} held", {code: [cell(place, "q01", 1, code, "held")] for code in VALID}


def groups_of_modes(city):
    """Return those of each community and tenure who answered in a mode, where they are few."""
    for place in city.sizes:
        for tenure in (1, 2):
            for mode in MODES:
                codes = {code: [cell(place, "q01", tenure, code, mode)] for code in VALID}
                if sum(map(city.count, codes.values())) < RULES.minimum_base:
                    yield f"{place} tenure {tenure} {mode}", codes


def groups_of_questions(city):
    """Return the ranked population of each community by question."""
    for place in city.sizes:
        for question in RATED:
            yield f"{place} {question}", {code: city.cells(place, question, (code,)) for code in VALID}


def public_of(city):
    reader = Reader()
    learn_sizes(reader, city)
    learn_official(reader, city)
    return reader


CITIES = [
    pytest.param(
        (population, measure, seed), marks=[] if is_quick else pytest.mark.long, id=f"{population} by {measure} {seed}"
    )
    for seed in range(4)
    for population in TENURES
    for measure in ("satisfaction_rate", "satisfaction_index", "composite")
    for is_quick in [
        (population, measure, seed) in {("owners", "satisfaction_rate", 0), ("residents", "satisfaction_index", 0)}
    ]
]


@pytest.fixture(scope="module", params=CITIES)
def city(request, city_where):
    population, measure, seed = request.param
    return city_where(population, measure, seed=seed)


def test_the_bureau_finds_no_small_number_from_all_its_pages_and_files(city):
    groups = [*groups_of_questions(city), *groups_of_tenures(city), *groups_of_held()]

    assert findings(bureau_of(city), public_of(city), city, groups) == []


def learn_ranked(reader, city):
    """Take in how ten or more of the ranked population answered the ranked question: the evaluator counts it again."""
    for place in city.sizes:
        if city.count(city.cells(place, "q01")) >= RULES.minimum_base:
            for code in VALID:
                names = city.cells(place, "q01", (code,))
                reader.learn(names, city.count(names))


@pytest.fixture(scope="module")
def evaluator(city):
    """What the evaluator knows who reads the pages of the bureau too."""
    reader = bureau_of(city)
    learn_evaluator(reader, city)
    return reader


def test_the_evaluator_finds_nothing_of_fewer_than_ten_owners_or_tenants(city, evaluator):
    public = public_of(city)
    learn_ranked(public, city)

    few = list(groups_of_tenures(city, most=RULES.minimum_base - 1))

    assert len(few) > 4
    assert findings(evaluator, public, city, few) == []


@pytest.mark.long
def test_the_evaluator_knows_no_more_of_few_who_answered_in_a_mode_than_that_they_are_among_the_rows(city, evaluator):
    rows = public_of(city)
    learn_ranked(rows, city)
    learn_rows(rows, city)

    few = list(groups_of_modes(city))

    assert len(few) > 20
    assert findings(evaluator, rows, city, few) == []


def test_what_the_readers_take_in_is_so(city, evaluator):
    assert evaluator.contradicting(city.counts) == []
    assert len(city.published["city"].what_ifs) >= 5
    told = [row["Cleanliness: Satisfied"] for row in city.published["city"].files["aspects.csv of the page"]]
    assert "" in told
    assert len(set(told)) > 2
    # Numbers by day, hour and building end with the round.
    assert city.published["city"].whole["collection/"].tables == {}
    # Of a community whose every rating is hidden the page has no table of them.
    assert sum("Overall satisfaction" in page.tables for page in city.published["city"].pages.values()) >= 8
    assert {"communities.csv", "responses.csv"} <= city.published["evaluator"].files.keys()


def test_of_a_community_without_a_rank_no_score_interval_or_rank_is_told(city):
    published = city.published["city"]
    unranked = {row["Community number"] for row in published.files["standings.csv"] if not row["Satisfaction rank"]}
    names = {f"Community {place}" for place in unranked}
    pages = [*published.whole.values(), *published.what_ifs.values()]
    scored = [row for page in pages for name, rows in page.files.items() if "-satisfaction-" in name for row in rows]

    assert len(unranked) >= 3
    assert len(scored) > 20
    assert names.isdisjoint(row.get("Community") for row in scored)
    for row in published.files["communities.csv of the page"]:
        assert row["Number"] not in unranked or {row["Satisfaction: rank"], *map(row.get, SCORES)} <= {"", None}
    for place in unranked:
        assert "not ranked" in "\n".join(published.pages[place].words)
        assert f"trend-{place}.csv" not in published.pages[place].files


def numbers_in(values):
    """Return the numbers of a chart's trace or of a row of a file, however deep they lie."""
    if isinstance(values, dict):
        values = list(values.values())
    if isinstance(values, list):
        return [found for each in values for found in numbers_in(each)]
    if isinstance(values, str):
        values = number(values)
    return [float(values)] if isinstance(values, int | float) and not isinstance(values, bool) else []


def test_charts_of_a_community_draw_no_number_that_their_file_does_not_hold(city):
    unknown, drawn = [], 0
    for place, page in city.published["city"].pages.items():
        told = {0.0}
        for row in (row for rows in page.files.values() for row in rows):
            values = numbers_in(row)
            # Error bars are as long as a limit is away.
            told |= {*values, *(abs(one - other) for one in values for other in values)}
        for trace in (trace for traces in page.charts for trace in traces):
            # On the other axis stand the places of rows.
            across = "x" if trace.get("orientation", "h") == "h" else "y"
            bars = trace.get(f"error_{across}", {})
            values = numbers_in([trace.get(across), bars.get("array"), bars.get("arrayminus"), trace.get("customdata")])
            drawn += len(values)
            unknown += [(place, each) for each in values if not any(is_near(each, some) for some in told)]

    assert drawn > 50
    assert unknown == []


def is_near(drawn, told):
    return any(abs(drawn - told * scale) <= 2e-4 * max(1, abs(drawn)) for scale in (1, 100))


class Renaming:
    """A reader who calls the answers of some communities otherwise, since they are of another round or result."""

    def __init__(self, reader, marks):
        self._reader, self._marks = reader, marks

    def name(self, name):
        place, _space, rest = name.partition(" ")
        return f"{place}{self._marks.get(place, '')} {rest}"

    def names(self, names):
        return [self.name(name) for name in names]

    def learn(self, parts, least, greatest=None):
        named = ((part, 1) if isinstance(part, str) else part for part in parts)
        self._reader.learn([(self.name(name), weight) for name, weight in named], least, greatest)

    def learn_share(self, parts, whole, share, *, decimals):
        self._reader.learn_share(self.names(parts), self.names(whole), share, decimals=decimals)


# Owners who have their answers erased after the first result: enough for another, and so few that it is stated again.
ERASED = {"A": 12, "B": 3, "C": 1, "J": 11}
RESTATED = " restated"
OTHER_ROUND = " other round"


@dataclass
class Results:
    """Two results of a round that ranks owners, between which answers were erased, and one of a round of residents."""

    first: City
    second: City
    other: City


@pytest.fixture(scope="module")
def results(new_site):
    first, other = City("owners", "satisfaction_rate", SMALL_CITY), City("residents", "satisfaction_rate", SMALL_CITY)
    with new_site() as app:
        database = app.extensions[SITE_EXTENSION].database
        with database.writing() as session:
            places = _found(session, SMALL_CITY)
            of_owners = _answer(session, first, places, Random(5)).id
            of_residents = _answer(session, other, places, Random(6), days_ago=30).id
        _collect(app, first, evaluate_round(database, round_id=of_owners, now=NOW).id)
        second = City("owners", "satisfaction_rate", SMALL_CITY)
        second.counts |= first.counts
        with database.writing() as session:
            _erase(session, second, of_owners, places)
        later = NOW + timedelta(hours=1)
        _collect(app, second, evaluate_round(database, round_id=of_owners, now=later).id)
        _collect(app, other, evaluate_round(database, round_id=of_residents, now=later).id)
    return Results(first, second, other)


def _erase(session, city, round_id, places):
    """Erase answers of owners who sent them themselves and are not held; where they are few, the result states them."""
    for place, number in ERASED.items():
        chosen = (
            select(Response)
            .outerjoin(ResponseReview)
            .where(
                Response.round_id == round_id,
                Response.community_id == places.communities[place].id,
                Response.tenure == 1,
                Response.mode == "web",
                ResponseReview.response_id.is_(None),
            )
            .order_by(Response.id)
            .limit(number)
        )
        for response in session.scalars(chosen).all():
            answers = json.loads(response.answers)
            if number >= RULES.minimum_base:
                city.counts[cell(place, "q01", 1, answers["q01"], response.mode)] -= 1
                for question in RATED:
                    city.counts[cell(place, question, 1, answers[question])] -= 1
            session.execute(update(Response).where(Response.id == response.id).values(**ERASED_VALUES, erased_at=NOW))


def learn_trend(reader, city, of_rounds):
    """Take in the earlier scores on the pages of a later round; the last row is of the round itself."""
    told = 0
    for place, page in of_rounds.published["city"].pages.items():
        for row in page.files.get(f"trend-{place}.csv", [])[:-1]:
            learn_score(reader, city, place, number(row["Satisfaction rate"]), step=1e-5)
            told += 1
    assert told > 4


@pytest.mark.long
@pytest.mark.parametrize("is_evaluator", [False, True], ids=["the bureau", "the evaluator"])
def test_results_of_one_round_and_of_two_tell_nothing_together_that_one_does_not(results, is_evaluator):
    reader, public, counts = Reader(), Reader(), {}
    restated = {place: RESTATED for place, people in ERASED.items() if people >= RULES.minimum_base}
    cities = ((results.first, {}), (results.second, restated), (results.other, dict.fromkeys(SMALL_CITY, OTHER_ROUND)))
    for city, marks in cities:
        for each in (reader, public):
            learn_sizes(Renaming(each, marks), city)
            learn_official(Renaming(each, marks), city)
        for role in ("city", "district"):
            learn_bureau(Renaming(reader, marks), city, city.published[role])
        if is_evaluator:
            learn_evaluator(Renaming(reader, marks), city)
            learn_ranked(Renaming(public, marks), city)
        counts |= {Renaming(None, marks).name(name): people for name, people in city.counts.items()}
    learn_trend(Renaming(reader, restated), results.second, results.other)
    for each in (reader, public):
        learn_erased(each, results, restated)

    assert reader.contradicting(defaultdict(int, counts)) == []
    for city, marks in cities:
        groups = (
            groups_of_tenures(city, most=RULES.minimum_base - 1)
            if is_evaluator
            else [*groups_of_questions(city), *groups_of_tenures(city), *groups_of_held()]
        )
        name = Renaming(None, marks).names
        renamed = [(group, {code: name(names) for code, names in codes.items()}) for group, codes in groups]
        whole = City(city.population, city.measure, city.sizes, defaultdict(int, counts))
        assert len(renamed) > 4
        assert findings(reader, public, whole, renamed) == []


def learn_erased(reader, results, enough):
    """Take in that nobody is left who was not there before, and how many had their answers erased."""
    for place, mark in enough.items():
        for name in results.first.cells(place, "q01", (*VALID, 9)):
            left = Renaming(None, {place: mark}).name(name)
            reader.learn([(name, 1), (left, -1)], 0, float("inf"))
