"""A case of the hotline and one of ours that may be the same: suggested, decided by a person, and counted once."""

from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import select

from survey_app.accounts.scope import EVERYWHERE
from survey_app.casework.rate_exclusions import Exclusion, count_counted, list_excluded
from survey_app.complaints.categories import categories
from survey_app.complaints.contacts import store_contact
from survey_app.evaluations.counts import count_complaints
from survey_app.hotline.matches import NoSuchMatch, decide_match, list_matches
from survey_app.models import Community, Complaint, HotlineCase, HotlineMatch
from survey_app.stored_rules import rules_of
from tests.accounts import make_account
from tests.factories import SECRET, make_community, make_complaint, make_round
from tests.survey_app.hotline.ledgers import NOW, bring_in, row

AT = datetime(2026, 11, 10, 1, 0, tzinfo=UTC)
TELEPHONE = "13800138000"
DAY = timedelta(days=1)
YEAR_AGO = NOW - 365 * DAY


@pytest.fixture
def city(database):
    with database.writing() as session:
        make_round(session)
        make_community(session, name="阳光花园", number="HB-1", households_occupied=100)
        return make_account(session, "city", now=NOW).id


def file_ours(database, *, contact=TELEPHONE, **values):
    with database.writing() as session:
        community = session.scalars(select(Community)).first()
        complaint = make_complaint(session, community, **{"submitted_at": AT, "category": "EQ01"} | values)
        store_contact(session, complaint=complaint, contact=contact, secret_key=SECRET, now=AT)
        return complaint.id


def of_hotline(**values):
    return row(**{"text": f"电梯坏了，电话{TELEPHONE}"} | values)


def pairs(database):
    with database.reading() as session:
        return list_matches(session, limit=9)


def decide(database, city, *, is_same):
    (pair,) = pairs(database)
    given = {"account_id": city, "by": "city", "now": NOW}
    with database.writing() as session:
        return decide_match(session, match_id=pair.id, is_same=is_same, **given).is_merged


def counted(database):
    with database.reading() as session:
        rules = rules_of(session.scalars(select_rule_file()).one())
        counts = count_complaints(session, rules=rules, categories=categories(), cut_off=NOW)
        return counts["complaints"].sum()


def select_rule_file():
    from survey_app.models import RuleFile

    return select(RuleFile.content)


def test_one_telephone_one_community_one_category_and_three_days_make_a_pair(database, city):
    file_ours(database)

    bring_in(database, city, [of_hotline(number="WH1")])

    (pair,) = pairs(database)
    assert (pair.of_hotline.external_number, pair.other.external_number) == ("WH1", None)


@pytest.mark.parametrize(
    "values",
    [
        {"contact": "13900139000"},
        {"category": "EQ03"},
        {"submitted_at": AT - 3 * DAY - timedelta(seconds=1)},
        {"submitted_at": AT + 3 * DAY + timedelta(seconds=1)},
    ],
)
def test_whatever_of_the_four_differs_there_is_no_pair(database, city, values):
    file_ours(database, **values)

    bring_in(database, city, [of_hotline()])

    assert pairs(database) == []


def test_a_telephone_stands_nowhere_beside_the_words(database, city):
    bring_in(database, city, [of_hotline(number="WH1")])

    with database.reading() as session:
        digest = session.scalars(select(HotlineCase.telephone_digest)).one()
    assert TELEPHONE not in digest
    assert len(digest) == 64


def test_a_pair_of_open_cases_is_merged_into_the_one_of_the_hotline(database, city):
    ours = file_ours(database)
    bring_in(database, city, [of_hotline(number="WH1")])
    assert counted(database) == 2

    assert decide(database, city, is_same=True)

    with database.reading() as session:
        assert session.get(Complaint, ours).status == "duplicate_of"
    assert counted(database) == 1
    assert pairs(database) == []


def test_a_pair_of_which_one_has_ended_is_counted_once(database, city):
    file_ours(database)
    bring_in(database, city, [of_hotline(ended="2026-11-12")])

    assert not decide(database, city, is_same=True)

    assert counted(database) == 1
    with database.reading() as session:
        (excluded,) = list_excluded(session, EVERYWHERE, since=YEAR_AGO)
    assert (excluded.exclusion, excluded.account, excluded.at) == (Exclusion.SAME_CASE, "city", NOW)


def test_a_pair_that_was_rejected_counts_twice_and_is_never_asked_about_again(database, city):
    file_ours(database)
    first = of_hotline(number="WH1")
    bring_in(database, city, [first])

    decide(database, city, is_same=False)
    bring_in(database, city, [first | {"signed": "2026-11-11"}])

    assert counted(database) == 2
    assert pairs(database) == []


def test_nobody_decides_a_pair_twice(database, city):
    file_ours(database)
    bring_in(database, city, [of_hotline()])
    decide(database, city, is_same=False)
    with database.reading() as session:
        decided = session.scalars(select(HotlineMatch.id)).one()

    with pytest.raises(NoSuchMatch), database.writing() as session:
        decide_match(session, match_id=decided, is_same=True, account_id=city, by="city", now=NOW)


def test_what_the_rate_leaves_out_is_told_with_who_when_and_why(database, city):
    bring_in(
        database,
        city,
        [
            row(number="WH1"),
            row(number="WH2", category="咨询-物业费"),
            row(number="WH3", category="投诉-业委会"),
            row(number="WH4", returned="2026-11-12 09:00"),
        ],
    )

    with database.reading() as session:
        assert count_counted(session, EVERYWHERE, since=YEAR_AGO) == 1
        told = {
            each.external_number: (each.exclusion, each.account, each.at, each.reason)
            for each in list_excluded(session, EVERYWHERE, since=YEAR_AGO)
        }
    assert told["WH2"] == (Exclusion.KIND, "city", NOW, None)
    assert told["WH3"] == (Exclusion.CATEGORY, "city", NOW, None)
    assert told["WH4"] == (Exclusion.ENDED, "city", datetime(2026, 11, 12, 1, 0, tzinfo=UTC), "other_authority")
    assert counted(database) == 1
