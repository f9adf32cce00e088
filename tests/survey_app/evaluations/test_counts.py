from collections import Counter
from datetime import UTC, datetime, timedelta

import numpy as np
import pandas as pd
import pytest

from analytics.rules import parse_rules
from analytics.statistics.complaint_rates import CHANNEL_COLUMNS
from survey_app.complaints.categories import categories
from survey_app.config import DATA
from survey_app.evaluations.counts import count_complaints, window_start
from survey_app.models.vocabulary import Tenure
from survey_app.responses import answer_batches
from tests import counting
from tests.counting import read_community_table
from tests.factories import NOW, make_account, make_community, make_complaint, make_response, make_round

RULES_TEXT = (DATA / "rules" / "wuhai" / "2021-08-23.yaml").read_text("utf-8")
RULES = parse_rules(RULES_TEXT.encode(), "rules")
LATER = NOW + timedelta(days=1)
OWNER, TENANT, OTHER = Tenure


def rules_with(old, new):
    assert old in RULES_TEXT
    return parse_rules(RULES_TEXT.replace(old, new).encode(), "rules")


def recount(session, survey_round, *, rules=RULES, before=LATER):
    return counting.recount(session, survey_round, rules=rules, before=before)


def test_the_recount_is_exact(database):
    random = np.random.default_rng(7)
    with database.writing() as session:
        survey_round = make_round(session)
        communities = [make_community(session) for _ in range(4)]
        expected = Counter()
        for community in communities[:3]:
            for _ in range(40):
                tenure, code = int(random.integers(1, 4)), int(random.choice([1, 2, 3, 4, 5, 9]))
                text = {"q24": '停电\n"三天"，\u2028没人管'} if code == 1 else {}
                make_response(session, survey_round, community, tenure=tenure, answers={"q01": code, "q02": 5, **text})
                expected[community.id, "received"] += 1
                expected[community.id, "owners"] += tenure == OWNER
                expected[community.id, "tenants"] += tenure == TENANT
                expected[community.id, "responses"] += tenure == OWNER and code != 9
                expected[community.id, "satisfied"] += tenure == OWNER and code in (4, 5)

    with database.reading() as session:
        counts = recount(session, survey_round)

    for community in communities:
        for column in ("received", "owners", "tenants", "responses", "satisfied"):
            assert counts.loc[community.id, column] == expected[community.id, column]


def test_answers_that_staff_typed_in_are_counted_by_mode_and_only_where_they_are_ranked(database):
    with database.writing() as session:
        survey_round, community, clerk = make_round(session), make_community(session), make_account(session)
        for mode, tenure, code in (
            ("paper", OWNER, 5),
            ("paper", OWNER, 9),
            ("paper", TENANT, 5),
            ("telephone", OWNER, 1),
            ("telephone", OWNER, 4),
        ):
            entry = {"mode": mode, "entered_by_id": clerk.id, "tenure": tenure}
            make_response(session, survey_round, community, answers={"q01": code}, **entry)
        make_response(session, survey_round, community, answers={"q01": 3})
        row = recount(session, survey_round).loc[community.id]
        table = read_table(session, survey_round)

    assert row[["responses", "paper_responses", "telephone_responses"]].tolist() == [4, 1, 2]
    assert table.loc[community.number, ["responses", "paper_responses", "telephone_responses"]].tolist() == [4, 1, 2]
    assert not {"paper_satisfied", "telephone_satisfied"} & set(table)


def test_counting_in_small_batches_changes_nothing(database, monkeypatch):
    with database.writing() as session:
        survey_round = make_round(session)
        communities = [make_community(session) for _ in range(3)]
        for position in range(25):
            make_response(session, survey_round, communities[position % 3], answers={"q01": position % 5 + 1})

    with database.reading() as session:
        whole = recount(session, survey_round)
        monkeypatch.setattr(answer_batches, "BATCH_ROWS", 4)
        pd.testing.assert_frame_equal(recount(session, survey_round), whole)


def test_mean_and_spread_of_the_index_follow_from_the_points(sqlite_database):
    with sqlite_database.writing() as session:
        survey_round, community = make_round(session), make_community(session)
        for code in (5, 5, 4, 1):
            make_response(session, survey_round, community, answers={"q01": code})
        row = recount(session, survey_round).loc[community.id]

    points = [100, 100, 75, 0]
    assert row["mean_index"] == np.mean(points)
    assert row["sd_index"] == pytest.approx(np.std(points, ddof=1), rel=1e-14)


def test_points_in_thirds_keep_equal_scores_equal(sqlite_database):
    rules = rules_with("{5: 100, 4: 75, 3: 50, 2: 25, 1: 0}", "{5: 100, 4: 200/3, 3: 100/3, 2: 0, 1: 0}")
    with sqlite_database.writing() as session:
        survey_round, one, three = make_round(session), make_community(session), make_community(session)
        for community, codes in ((one, [4]), (three, [5, 5, 2, 4, 4, 4])):
            for code in codes:
                make_response(session, survey_round, community, answers={"q01": code})
        means = recount(session, survey_round, rules=rules)["mean_index"]

    assert means[one.id] == means[three.id]


COMPOSITE_RULES = rules_with("measure: satisfaction_rate", "measure: composite\n  domains: {q02: 3/4, q03: 1/4}")


def test_composites_are_counted_of_owners_who_answered_half_of_the_weight(database):
    answered = [{"q02": 5, "q03": 1}, {"q02": 4}, {"q02": 9, "q03": 5}, {"q02": 4, "q03": 9}]
    with database.writing() as session:
        survey_round, community, empty = make_round(session), make_community(session), make_community(session)
        for answers in answered:
            make_response(session, survey_round, community, answers=answers)
        make_response(session, survey_round, community, tenure=TENANT, answers={"q02": 1, "q03": 1})
        counts = recount(session, survey_round, rules=COMPOSITE_RULES)

    row = counts.loc[community.id]
    assert (row["received"], row["composite_responses"], row["mean_composite"]) == (5, 3, 75.0)
    assert row["sd_composite"] == 0
    assert counts.loc[empty.id, "composite_responses"] == 0
    assert np.isnan(counts.loc[empty.id, "mean_composite"])


def test_only_owners_are_ranked_and_tenants_stand_beside_them(database):
    with database.writing() as session:
        survey_round, community = make_round(session), make_community(session)
        make_response(session, survey_round, community, tenure=OWNER, answers={"q01": 5})
        make_response(session, survey_round, community, tenure=TENANT, answers={"q01": 1})
        make_response(session, survey_round, community, tenure=OTHER, answers={"q01": 1})
        row = recount(session, survey_round).loc[community.id]
        of_residents = recount(session, survey_round, rules=rules_with("population: owners", "population: residents"))

    assert (row["responses"], row["satisfied"], row["received"]) == (1, 1, 3)
    assert (row["owners"], row["tenants"]) == (1, 1)
    assert of_residents.loc[community.id, "responses"] == 3


@pytest.mark.parametrize("answers", [{"q01": 9}, {"q02": 5}])
def test_an_answer_that_says_nothing_is_received_and_not_valid(database, answers):
    with database.writing() as session:
        survey_round, community = make_round(session), make_community(session)
        make_response(session, survey_round, community, answers=answers)
        row = recount(session, survey_round).loc[community.id]

    assert (row["received"], row["responses"], row["satisfied"]) == (1, 0, 0)
    assert np.isnan(row["mean_index"])


def test_a_single_answer_has_a_mean_and_no_spread(sqlite_database):
    with sqlite_database.writing() as session:
        survey_round, community = make_round(session), make_community(session)
        make_response(session, survey_round, community, answers={"q01": 4})
        row = recount(session, survey_round).loc[community.id]

    assert row["mean_index"] == 75
    assert np.isnan(row["sd_index"])


def test_an_answer_at_the_cut_off_is_too_late(database):
    with database.writing() as session:
        survey_round, community = make_round(session), make_community(session)
        make_response(session, survey_round, community, submitted_at=NOW - timedelta(microseconds=1))
        make_response(session, survey_round, community, submitted_at=NOW)

    with database.reading() as session:
        assert recount(session, survey_round, before=NOW).loc[community.id, "received"] == 1


def test_another_round_is_not_counted(sqlite_database):
    with sqlite_database.writing() as session:
        survey_round, other, community = make_round(session), make_round(session), make_community(session)
        make_response(session, other, community)

        assert recount(session, survey_round).loc[community.id, "received"] == 0


def test_complaints_count_from_the_first_to_before_the_last_moment_of_twelve_months(database):
    cut_off = datetime(2026, 9, 30, 16, tzinfo=UTC)  # 1 October, midnight in Wuhai
    start = datetime(2025, 9, 30, 16, tzinfo=UTC)
    with database.writing() as session:
        community = make_community(session)
        for moment in (start, cut_off - timedelta(microseconds=1), start - timedelta(microseconds=1), cut_off):
            make_complaint(session, community, submitted_at=moment)

    with database.reading() as session:
        counts = count_complaints(session, rules=RULES, categories=categories(), cut_off=cut_off)

    assert counts.loc[community.id, ["complaints", "complaints_excluded"]].tolist() == [2, 0]


def test_repairs_enquiries_and_what_the_company_does_not_answer_for_are_no_complaints(database):
    with database.writing() as session:
        community, quiet = make_community(session), make_community(session)
        for values in (
            {"kind": "complaint", "category": "EQ01"},
            {"kind": "repair", "category": "EQ01"},
            {"kind": "enquiry", "category": "EQ01"},
            {"kind": "complaint", "category": "GV02"},
            {"kind": "complaint", "category": "GV01"},
        ):
            make_complaint(session, community, **values)
        counts = count_complaints(session, rules=RULES, categories=categories(), cut_off=LATER)

    columns = ["complaints", "complaints_excluded"]
    assert counts.loc[community.id, columns].to_dict() == {"complaints": 2, "complaints_excluded": 0}
    assert not counts.loc[quiet.id].any()


def test_valid_complaints_are_counted_by_the_channel_they_came_by(database):
    with database.writing() as session:
        community = make_community(session)
        for values in (
            {"channel": "hotline"},
            {"channel": "hotline", "status": "withdrawn"},
            {"channel": "hotline", "status": "invalid"},
            {"channel": "letter", "kind": "repair"},
            {},
        ):
            make_complaint(session, community, **values)
        row = count_complaints(session, rules=RULES, categories=categories(), cut_off=LATER).loc[community.id]

    assert row[list(CHANNEL_COLUMNS)].to_dict() == dict.fromkeys(CHANNEL_COLUMNS, 0) | {
        "complaints_code": 1,
        "complaints_hotline": 2,
    }
    assert row["complaints"] == 3


@pytest.mark.parametrize(
    ("status", "counts"),
    [
        ("closed", True),
        ("withdrawn", True),
        ("stage2", True),
        ("duplicate_of", False),
        ("invalid", False),
        ("out_of_scope", False),
    ],
)
def test_withdrawn_and_fixed_cases_count_and_what_the_bureau_excluded_does_not(database, status, counts):
    with database.writing() as session:
        community = make_community(session)
        make_complaint(session, community, status=status)
        make_complaint(session, community, status=status, kind="repair")
        row = count_complaints(session, rules=RULES, categories=categories(), cut_off=LATER).loc[community.id]

    assert (row["complaints"], row["complaints_excluded"]) == (int(counts), int(not counts))


@pytest.mark.parametrize(
    ("cut_off", "start"),
    [
        ("2026-10-01T00:00+08:00", "2025-10-01T00:00+08:00"),
        ("2024-02-29T00:00+08:00", "2023-02-28T00:00+08:00"),
        ("2026-01-01T07:30+08:00", "2025-01-01T07:30+08:00"),
    ],
)
def test_twelve_months_are_counted_on_the_local_calendar(cut_off, start):
    assert window_start(RULES, datetime.fromisoformat(cut_off)) == datetime.fromisoformat(start)


def read_table(session, survey_round, rules=RULES):
    return read_community_table(session, survey_round, rules=rules, cut_off=LATER)


def test_every_community_has_a_row_whatever_is_known_of_it(database):
    with database.writing() as session:
        survey_round = make_round(session)
        known = make_community(session, households_delivered=500, households_occupied=400, households_owners=300)
        delivered = make_community(session, households_delivered=500, households_occupied=None, households_owners=None)
        unknown = make_community(session, households_delivered=None, households_occupied=None, households_owners=None)
        table = read_table(session, survey_round)

    assert table.loc[known.number, ["households", "exposure_household_years"]].tolist() == [300, 400]
    assert table.loc[known.number, "denominator_source"] == "occupied_households"
    assert table.loc[delivered.number, ["households", "exposure_household_years"]].tolist() == [500, 500]
    assert table.loc[delivered.number, "denominator_source"] == "delivered_households"
    assert table.loc[unknown.number, ["households", "exposure_household_years"]].isna().all()
    assert table.loc[unknown.number, "denominator_source"] == ""
    assert table["responses"].tolist() == [0, 0, 0]


def test_the_table_says_what_the_bureau_set_aside_and_nothing_that_nobody_knows(database):
    with database.writing() as session:
        survey_round, community = make_round(session), make_community(session)
        for status in ("closed", "withdrawn", "duplicate_of", "invalid"):
            make_complaint(session, community, status=status)
        table = read_table(session, survey_round)

    assert table.loc[community.number, ["complaints", "complaints_excluded"]].tolist() == [2, 2]
    assert table.loc[community.number, "complaints_code"] == 2
    assert "complaining_households" not in table


def test_the_table_says_how_many_residents_say_that_they_complained(database):
    with database.writing() as session:
        survey_round, community, silent = make_round(session), make_community(session), make_community(session)
        for answers, tenure in (
            ({"q17": 1, "q18": 1}, 1),
            ({"q17": 1, "q18": 1}, 2),
            ({"q17": 1, "q18": 2}, 1),
            ({"q17": 1}, 1),
            ({"q17": 2}, 1),
            ({"q17": 9}, 1),
            ({}, 1),
        ):
            make_response(session, survey_round, community, answers={"q01": 5, **answers}, tenure=tenure)
        table = read_table(session, survey_round)

    columns = ["said_complained", "asked_about_complaints"]
    assert table.loc[community.number, columns].tolist() == [1, 4]
    assert table.loc[silent.number, columns].tolist() == [0, 0]


def test_without_a_fallback_unknown_occupation_stays_unknown(sqlite_database):
    rules = rules_with("denominator_fallback: delivered_households", "denominator_fallback: none")
    with sqlite_database.writing() as session:
        survey_round = make_round(session)
        community = make_community(session, households_occupied=None)
        table = read_table(session, survey_round, rules)

    assert pd.isna(table.loc[community.number, "exposure_household_years"])


def test_half_a_year_of_complaints_is_half_the_exposure(sqlite_database):
    with sqlite_database.writing() as session:
        survey_round, community = make_round(session), make_community(session, households_occupied=400)
        table = read_table(session, survey_round, rules_with("period_months: 12", "period_months: 6"))

    assert table.loc[community.number, "exposure_household_years"] == 200


@pytest.mark.parametrize(("region", "regions"), [("district", 2), ("city", 1)])
def test_the_rules_say_what_is_ranked_together(sqlite_database, region, regions):
    with sqlite_database.writing() as session:
        survey_round = make_round(session)
        make_community(session)
        make_community(session)
        table = read_table(session, survey_round, rules_with("region: district", f"region: {region}"))

    assert table["region"].nunique() == regions
