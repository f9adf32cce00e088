"""Answers typed in by staff: counted by who typed them, and what an evaluation says of that."""

import json
from collections import Counter
from random import Random

from analytics.rules import parse_rules
from survey_app.config import DATA
from survey_app.evaluations.evaluate_round import evaluate_round
from tests.counting import count_whole_round
from tests.factories import CLOSED, SETTLED, make_account, make_community, make_district, make_response, make_round

RULES = parse_rules((DATA / "rules" / "wuhai" / "2021-08-23.yaml").read_bytes(), "rules")


def type_in(session, survey_round, community, clerk, *, codes, **values):
    for code in codes:
        make_response(
            session,
            survey_round,
            community,
            answers={"q01": code},
            **{"mode": "paper", "entered_by_id": clerk.id, "code_id": None} | values,
        )


def summary_of(evaluation, district):
    return json.loads(evaluation.summary)["evidence"]["regions"][district.name]["satisfaction"]["clerks"]


def test_valid_answers_of_owners_are_counted_by_who_typed_them_in(database):
    random = Random(8)
    expected = Counter()
    with database.writing() as session:
        survey_round = make_round(session)
        communities, clerks = ([make(session) for _ in range(3)] for make in (make_community, make_account))
        for _ in range(120):
            community, clerk = random.choice(communities), random.choice(clerks)
            code, tenure = random.choice((5, 4, 2, 9)), random.choice((1, 1, 2))
            mode = random.choice(("paper", "telephone"))
            type_in(session, survey_round, community, clerk, codes=[code], tenure=tenure, mode=mode)
            if tenure == 1 and code != 9:
                expected[community.id, clerk.id, "n"] += 1
                expected[community.id, clerk.id, "satisfied"] += code >= 4
        # What residents sent in themselves was typed by nobody.
        make_response(session, survey_round, communities[0])
    with database.reading() as session:
        typed = count_whole_round(session, survey_round, rules=RULES, before=CLOSED).typed

    found = Counter()
    for row in typed.to_dict("records"):
        for name in ("n", "satisfied"):
            found[row["community"], row["clerk"], name] = row[name]
    assert found == expected


def test_an_evaluation_says_how_many_and_how_much_and_names_nobody(database):
    with database.writing() as session:
        survey_round, district = make_round(session), make_district(session)
        kind, strict = make_account(session), make_account(session)
        for _ in range(3):
            community = make_community(session, district=district)
            type_in(session, survey_round, community, kind, codes=[5] * 19 + [2])
            type_in(session, survey_round, community, strict, codes=[5] * 10 + [2] * 10)

    evaluation = evaluate_round(database, round_id=survey_round.id, now=SETTLED)
    said = summary_of(evaluation, district)

    assert said == {"clerks": 2, "communities": 3, "answers": 120, "p_value": 0.0, "deviation": 0.3}
    for clerk in (kind, strict):
        assert clerk.username not in evaluation.summary


def test_one_clerk_alone_and_communities_whose_answers_are_withheld_are_not_compared(database):
    with database.writing() as session:
        survey_round, alone, small = make_round(session), make_district(session), make_district(session)
        clerks = [make_account(session) for _ in range(2)]
        type_in(session, survey_round, make_community(session, district=alone), clerks[0], codes=[5] * 40)
        for _ in range(12):
            community = make_community(session, district=small)
            for clerk in clerks:
                type_in(session, survey_round, community, clerk, codes=[5, 5, 2, 2])

    evaluation = evaluate_round(database, round_id=survey_round.id, now=SETTLED)

    assert summary_of(evaluation, alone) is None
    assert summary_of(evaluation, small) is None
