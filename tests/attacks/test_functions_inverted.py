"""Functions of many answers inverted: a reader tries every way to answer, and keeps those that lead to what is shown.

Drivers of satisfaction, intervals and estimates are no sums, so no linear programme takes them in. In a small region
there are few ways to answer, and `analytics`, which everybody has, computes what each would show.
"""

import itertools
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import numpy as np
import pandas as pd
import pytest

from analytics.canonical import sha256_hex
from analytics.decision.evaluate import evaluate
from analytics.disclosure.rules import rules_in_force
from analytics.evidence.weigh_evidence import weigh_evidence
from analytics.rules import parse_rules
from analytics.statistics.drivers import find_drivers
from survey_app.config import DATA
from survey_app.evaluations.evaluate_round import evaluate_round
from survey_app.models import RuleFile
from survey_app.web.context import SITE_EXTENSION
from tests.accounts import make_account
from tests.conftest import site_on
from tests.factories import make_community, make_district, make_poster_code, make_response, make_round
from tests.published import Published

NOW = datetime.now(UTC).replace(microsecond=0)
RULES = rules_in_force(NOW.date())
SHIPPED = (DATA / "rules" / "wuhai" / "2021-08-23.yaml").read_bytes().replace(b"rounding: floor", b"rounding: ceil")
BY_INDEX = SHIPPED.replace(b"measure: satisfaction_rate", b"measure: satisfaction_index")
BY_COMPOSITE = SHIPPED.replace(b"measure: satisfaction_rate", b"measure: composite\n  domains: {q02: 1/2, q03: 1/2}")
VALID = (5, 4, 3, 2, 1)
POINTS = np.array([100, 75, 50, 25, 0])
# So few that twelve of them are ranked, and enough for all others.
HOUSEHOLDS = {"T": 20, "L": 200, "M": 600, "N": 600, "S": 200, "U": 200}

# How often owners gave each combination of answers: twelve, of whom one is not satisfied; all but one of thirty-one.
TWELVE = {(5, 5): 5, (5, 4): 1, (4, 5): 2, (4, 4): 3, (3, 4): 1}
CONTENT = {(5,): 30, (2,): 1}
MANY = {(5, 5, 5): 90, (5, 4, 5): 40, (4, 4, 4): 50, (4, 5, 3): 20, (3, 4, 3): 20, (2, 2, 3): 20, (1, 2, 1): 12}
TEN = {(4, 5, 4): 10}
ALONE = {(1, 5, 1): 1}
QUESTIONS = ("q01", "q02", "q03")


@dataclass(frozen=True)
class Sites:
    """What accounts get of a round of few answers, of one that ranks the index, and of one that ranks composites."""

    few: Published
    index: Published
    composite: Published
    rows: pd.DataFrame


@pytest.fixture(scope="module")
def sites(empty_site):
    config = empty_site("inverted")
    with site_on(config) as app:
        database = app.extensions[SITE_EXTENSION].database
        with database.writing() as session:
            for role in ("city", "evaluator"):
                make_account(session, role, now=NOW)
            rounds = [
                answer(session, 120, SHIPPED, {"T": TWELVE}),
                answer(session, 90, BY_INDEX, {"L": CONTENT}),
                answer(session, 60, BY_COMPOSITE, {"M": MANY, "N": MANY, "S": ALONE, "U": TEN}),
            ]
        few, index, composite = (evaluate_round(database, round_id=each, now=NOW).id for each in rounds)
        released = Published(app, "evaluator", evaluation=composite).files["responses.csv"]
        return Sites(
            Published(app, "city", evaluation=few, communities=["T"]),
            Published(app, "city", evaluation=index, communities=["L"]),
            Published(app, "city", evaluation=composite, communities=["M"]),
            pd.DataFrame(released),
        )


def answer(session, days, rules, places):
    """Store the answers of a round in a district of its own; return its id."""
    rule_file = RuleFile(name=f"rules {days}", content=rules, sha256=sha256_hex(rules), added_at=NOW)
    session.add(rule_file)
    opened = NOW - timedelta(days=days)
    survey_round = make_round(session, rule_file=rule_file, opens_at=opened, closes_at=opened + timedelta(days=20))
    district = make_district(session)
    for number, given in places.items():
        community = make_community(session, district=district, number=number, households_owners=HOUSEHOLDS[number])
        code_id = make_poster_code(session, community).id
        answers = [codes for codes, people in given.items() for _ in range(people)]
        for place, codes in enumerate(answers):
            make_response(
                session,
                survey_round,
                community,
                code_id=code_id,
                answers=dict(zip(QUESTIONS, codes, strict=False)),
                submitted_at=opened + timedelta(minutes=31 * place),
            )
    return survey_round.id


def ways_to_answer(people):
    """Return every way in which so many people can give the ratings, by how many give each."""
    ratings = len(VALID)
    borders = itertools.combinations(range(people + ratings - 1), ratings - 1)
    places = np.array(list(borders)).reshape(-1, ratings - 1)
    ends = np.column_stack([np.full(len(places), -1), places, np.full(len(places), people + ratings - 1)])
    return np.diff(ends, axis=1) - 1


def assert_unknown(possible, public):
    """Assert that how many gave each rating is known no more closely than the rules say, or than what is public."""
    widths, beside = (np.ptp(ways, axis=0) for ways in (possible, public))
    assert (widths >= np.minimum(beside, RULES.minimum_range)).all(), widths


def test_no_hidden_rating_follows_from_what_goes_together_with_satisfaction(sites):
    page = sites.few.pages["T"]
    clean, less = [ways_to_answer(people) for people in (7, 5)]
    joint = np.stack([np.repeat(clean, len(less), axis=0), np.tile(less, (len(clean), 1))], axis=2)
    told = {row["Question"]: row["Satisfied"] for row in page.files["aspects.csv"]}
    hidden = [row["Answer"] for row in page.tables["Overall satisfaction"] if row["This community"] == "not shown"]
    # It is ranked, so that eleven of twelve are satisfied is public.
    joint = joint[joint[:, :2].sum(axis=(1, 2)) == 11]

    agree = np.ones(len(joint), dtype=bool)
    for row in page.files.get("drivers.csv", []):
        agree &= np.isclose(squared_correlation(joint), float(row["Associated differences"]), rtol=1e-5)

    assert float(told["Overall satisfaction"]) == pytest.approx(11 / 12, abs=1e-5)
    assert {"Very satisfied", "Satisfied"} <= set(hidden)
    assert_unknown(joint[agree].sum(axis=2), joint.sum(axis=2))


def squared_correlation(joint):
    """Return r² of overall answers (by row) and answers 5 and 4 to another question (by column)."""
    x, y = np.array(VALID, "float64"), np.array([5.0, 4.0])
    n = joint.sum(axis=(1, 2))
    of_x, of_y = joint.sum(axis=2), joint.sum(axis=1)
    mean_x, mean_y = of_x @ x / n, of_y @ y / n
    covariance = np.einsum("wij,i,j->w", joint, x, y) / n - mean_x * mean_y
    spread = (of_x @ x**2 / n - mean_x**2) * (of_y @ y**2 / n - mean_y**2)
    return np.where(spread > 0, covariance**2 / np.where(spread > 0, spread, 1), np.nan)


def test_no_hidden_rating_follows_from_the_interval_of_an_index(sites):
    [listed] = [
        rows[0] for name, rows in sites.index.whole["criterion/"].files.items() if name.startswith("near-satisfaction")
    ]
    people, score = sum(CONTENT.values()), float(listed["Satisfaction index"])
    ways = ways_to_answer(people)
    public = ways[np.isclose(ways @ POINTS / people, score, atol=1e-3)]
    names = {
        "Estimate for all households": "satisfaction_shrunk",
        "Lower bound": "satisfaction_lower",
        "Upper bound": "satisfaction_upper",
    }
    shown = {column: float(listed[name]) for name, column in names.items() if listed.get(name)}

    possible = [way for way in public if agrees(way, shown)]

    assert "not shown" in {row["This community"] for row in sites.index.pages["L"].tables["Overall satisfaction"]}
    assert_unknown(np.array(possible), public)


def agrees(way, shown):
    """Return whether a lone community that answers so gets the evidence that is shown."""
    points = np.repeat(POINTS, way)
    table = pd.DataFrame(
        {
            "community_id": ["L"],
            "region": ["d"],
            "responses": [len(points)],
            "mean_index": [points.mean()],
            "sd_index": [points.std(ddof=1)],
            "households": [HOUSEHOLDS["L"]],
        }
    )
    [evidence] = weigh_evidence(evaluate(table, parse_rules(BY_INDEX, "rules"))).to_dict("records")
    return all(np.isclose(evidence[column], value, rtol=1e-5) for column, value in shown.items())


def test_what_goes_together_with_satisfaction_is_computed_from_the_rows_that_are_released(sites):
    published = pd.DataFrame(sites.composite.pages["M"].files["drivers.csv"]).set_index("Question")
    # With the lone one of S the ten of U are not broken down.
    rows = sites.rows[sites.rows["community_id"] != "U"]
    ratings = rows[["q02", "q03"]].astype("float64").set_axis(["Cleanliness", "Waste sorting"], axis=1)
    found = find_drivers(ratings, rows["q01"].astype("int64"), community=rows["community_id"].tolist(), level=0.95)

    computed = found.domains.set_index("domain").loc[published.index]

    assert "S" not in set(sites.rows["community_id"])
    assert published["Answers"].astype(int).tolist() == computed["n"].tolist()
    for name, column in (
        ("Associated differences", "weight"),
        ("Share of the association", "share"),
        ("Lower bound", "lower"),
        ("Upper bound", "upper"),
    ):
        assert published[name].astype(float).tolist() == computed[column].round(2).tolist()
