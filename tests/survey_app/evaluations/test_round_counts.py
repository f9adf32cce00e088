import numpy as np
import pyarrow as pa
import pytest
from sqlalchemy import Engine, event

from analytics.rules import parse_rules
from survey_app.config import DATA
from survey_app.evaluations.evaluate_round import evaluate_round
from survey_app.evaluations.respondent_sample import UNANSWERED, RespondentSample
from survey_app.models.vocabulary import Tenure
from survey_app.responses import answer_batches
from tests.counting import count_whole_round
from tests.factories import CLOSED, SETTLED, make_community, make_response, make_round

RULES = parse_rules((DATA / "rules" / "wuhai" / "2021-08-23.yaml").read_bytes(), "rules")


@pytest.fixture
def read_texts(monkeypatch):
    """What was decoded so far."""
    texts, decode = [], answer_batches._decode

    def note(text, questions):
        texts.extend(text.split("\n"))
        return decode(text, questions)

    monkeypatch.setattr(answer_batches, "_decode", note)
    return texts


def test_an_evaluation_decodes_each_answer_once(database, read_texts):
    with database.writing() as session:
        survey_round = make_round(session)
        for community in (make_community(session), make_community(session)):
            for number in range(15):
                make_response(
                    session, survey_round, community, tenure=1 + number % 2, answers={"q01": 5, "q19": [1, 3]}
                )

    evaluate_round(database, round_id=survey_round.id, now=SETTLED)  # examines them for signs of stuffing before
    read_texts.clear()
    evaluate_round(database, round_id=survey_round.id, now=SETTLED)

    assert len(read_texts) == 30


def test_newer_answers_of_households_are_looked_up_once_for_all_and_in_their_index_alone(sqlite_database, monkeypatch):
    counting = []

    def note(_connection, _cursor, statement, parameters, *_rest):
        if "household_key" in statement:
            counting.append((statement, parameters))

    with sqlite_database.writing() as session:
        survey_round = make_round(session)
        for _ in range(3):
            make_response(session, survey_round, make_community(session))
    event.listen(Engine, "before_cursor_execute", note)
    try:
        with sqlite_database.reading() as session:
            monkeypatch.setattr(answer_batches.all_responses, "__kwdefaults__", {"rows": 1})
            count_whole_round(session, survey_round, rules=RULES, before=CLOSED)
            [(statement, parameters)] = counting
            steps = session.connection().exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}", parameters).all()
    finally:
        event.remove(Engine, "before_cursor_execute", note)

    looked_up = [step.detail for step in steps if "response" in step.detail]
    assert looked_up
    assert all("COVERING INDEX ix_response_household_key" in each for each in looked_up)


def test_breakdowns_are_those_of_the_same_answers_counted_one_by_one(database):
    random = np.random.default_rng(3)
    with database.writing() as session:
        survey_round, community = make_round(session), make_community(session)
        sent = [
            (int(random.integers(1, 4)), int(random.choice([5, 3, 9])), sorted({int(random.integers(1, 6)), 2}))
            for _ in range(60)
        ]
        for tenure, code, chosen in sent:
            make_response(session, survey_round, community, tenure=tenure, answers={"q01": code, "q19": chosen})
        make_response(session, survey_round, community, answers={"q01": 5})

    with database.reading() as session:
        counts = count_whole_round(session, survey_round, rules=RULES, before=CLOSED, region_of={community.id: "here"})

    owners = [(code, chosen) for tenure, code, chosen in sent if tenure == Tenure.OWNER]
    chosen = counts.breakdowns.choices["q19"].loc[community.id]
    assert chosen["answered"] == len(owners)
    assert chosen[2] == len(owners)
    assert chosen[4] == sum(4 in codes for _, codes in owners)
    tenants = counts.breakdowns.by_tenure[Tenure.TENANT].loc[community.id]
    assert tenants[5] == sum(tenure == Tenure.TENANT and code == 5 for tenure, code, _ in sent)
    everybody = counts.breakdowns.other.answers.table("q01").loc[community.id]
    assert everybody[9] == sum(code == 9 for _, code, _ in sent)
    respondents = counts.breakdowns.respondents.respondents("here")
    assert sorted(respondents["q01"]) == sorted([5, *(code for code, _ in owners)])


def batch(ids, community=7):
    return pa.RecordBatch.from_pydict(
        {"response_id": ids, "community": [community] * len(ids), "q01": pa.array([i % 5 for i in ids], pa.int16())}
    )


def test_the_same_respondents_are_drawn_in_whatever_order_they_come():
    whole, parts = (RespondentSample(["q01"], {7: "here"}, most=50) for _ in range(2))
    whole.add(batch(list(range(1, 1001))))
    for start in range(999, -1, -40):
        parts.add(batch(list(range(max(1, start - 39), start + 1))))
    parts.add(batch([1000]))

    drawn = whole.respondents("here")

    assert len(drawn) == 50
    assert drawn.equals(parts.respondents("here"))


def test_a_sample_is_spread_over_all_respondents_and_keeps_every_one_of_a_small_region():
    sample = RespondentSample(["q01"], {7: "large", 8: "small"}, most=2_000)
    for start in range(1, 100_001, 10_000):
        sample.add(batch(list(range(start, start + 10_000))))
    sample.add(batch([5, 6], community=8))
    sample.add(batch([7], community=9))

    codes = sample.respondents("large")["q01"].value_counts()
    assert codes.sum() == 2_000
    assert codes.between(320, 480).all()
    assert sample.respondents("small")["q01"].tolist() == [0, 1]
    assert sample.respondents("nowhere").empty


def test_what_was_not_answered_is_no_code():
    sample = RespondentSample(["q01"], {7: "here"})
    sample.add(pa.RecordBatch.from_pydict({"response_id": [1], "community": [7], "q01": pa.array([None], pa.int16())}))

    assert sample.respondents("here")["q01"].tolist() == [UNANSWERED]
