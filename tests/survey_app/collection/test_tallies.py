"""What comes in is counted as it goes on, and always is what a full count finds."""

from contextlib import suppress
from datetime import datetime, timedelta
from threading import Thread
from zoneinfo import ZoneInfo

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import delete, event, func, select, update

from survey_app.accounts.scope import EVERYWHERE, Scope
from survey_app.collection import tallies
from survey_app.collection.changes import QUARTER, Amounts, Kind
from survey_app.collection.tallies import (
    count_collected,
    count_households,
    count_received,
    count_through_codes,
    fold_changes,
    numbers_of,
    read_numbers,
)
from survey_app.evaluations.collection_recount import recount_open_round
from survey_app.models import Code, CollectionChange, CollectionTally, Community
from survey_app.models.vocabulary import Area, Tally
from survey_app.responses.receipts import ResponseGone
from tests.factories import NOW
from tests.survey_app.collection.conftest import BEGAN
from tests.together import all_at_once

DEEDS = st.lists(
    st.tuples(
        st.sampled_from(["answer", "answer", "answer", "correct", "withdraw", "fold"]),
        st.sampled_from([None, "household 1", "household 2"]),
        st.integers(0, 1),
        st.sampled_from([1, 2]),
        st.integers(0, 9),
    ),
    max_size=15,
)


def changes(database):
    with database.reading() as session:
        return session.scalar(select(func.count()).select_from(CollectionChange))


def standing(residents):
    with residents.database.reading() as session:
        return count_collected(session, round_id=residents.round_id, scope=EVERYWHERE).standing


def do(residents, deed, *, after):
    what, household, place, tenure, which = deed
    if what == "fold":
        fold_changes(residents.database)
    elif what == "answer":
        # A household lives in one community.
        where = place if household is None else int(household[-1]) - 1
        residents.answer(household, place=where, after=after, tenure=tenure)
    elif receipts := residents.receipts():
        with suppress(ResponseGone):
            getattr(residents, what)(receipts[which % len(receipts)], after=after)


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(deeds=DEEDS)
def test_whatever_residents_do_the_tallies_are_what_a_full_count_finds(residents, deeds):
    residents.forget()
    for minute, deed in enumerate(deeds):
        do(residents, deed, after=minute)
        assert residents.differences() == {}


def test_a_household_stands_once_and_a_correction_in_the_place_of_what_it_corrects(residents):
    by_poster = residents.answer()
    for minute in range(3):
        residents.answer("household", after=minute)
    residents.correct(by_poster, after=5)

    assert standing(residents) == {residents.communities[0]: 2}
    with residents.database.reading() as session:
        assert count_households(session, round_id=residents.round_id) == {residents.communities[0]: 1}
        assert count_received(session, scope=EVERYWHERE) == {residents.round_id: 5}


def test_what_is_withdrawn_stands_no_more_and_was_received(residents):
    residents.withdraw(residents.answer())
    residents.withdraw(residents.answer("household"))
    other_tenure = residents.answer("other household", tenure=2)
    residents.answer("other household", after=1)
    residents.withdraw(other_tenure, after=2)

    assert standing(residents) == {residents.communities[0]: 1}
    with residents.database.reading() as session:
        assert count_received(session, scope=EVERYWHERE) == {residents.round_id: 4}
        assert sum(count_through_codes(session, round_id=residents.round_id, scope=EVERYWHERE).values()) == 0


def test_a_page_reads_the_same_before_and_after_changes_are_added_up(residents):
    for minute in range(6):
        residents.answer(place=minute % 2, after=minute * 20)
    before = everything(residents)
    assert changes(residents.database) == 6

    assert fold_changes(residents.database) == 6

    assert changes(residents.database) == 0
    assert everything(residents) == before
    residents.answer()
    assert standing(residents)[residents.communities[0]] == 4


def everything(residents):
    with residents.database.reading() as session:
        return [
            +read_numbers(session, round_id=residents.round_id),
            *(
                (
                    count_received(session, scope=scope),
                    count_collected(session, round_id=residents.round_id, scope=scope),
                    count_through_codes(session, round_id=residents.round_id, scope=scope),
                )
                for scope in scopes(session)
            ),
        ]


def scopes(session):
    district = session.scalars(select(Community.district_id).order_by(Community.id)).first()
    return EVERYWHERE, Scope(Area.DISTRICT, (district,)), Scope(Area.NOWHERE)


def test_a_smaller_scope_counts_its_own_communities(residents):
    for minute in range(3):
        residents.answer(place=0, after=minute * 60)
    residents.answer(place=1)
    for _ in range(2):  # with what was not added yet, then without
        with residents.database.reading() as session:
            city, district, nowhere = scopes(session)
            codes = {row.id: row.community_id for row in session.execute(select(Code.id, Code.community_id))}
            for scope, received, communities in ((city, 4, 2), (district, 3, 1), (nowhere, 0, 0)):
                collected = count_collected(session, round_id=residents.round_id, scope=scope)
                assert [sum(numbers.values()) for numbers in collected.in_time.values()] == [received] * 3
                assert sum(count_received(session, scope=scope).values()) == received
                through = count_through_codes(session, round_id=residents.round_id, scope=scope)
                assert {codes[code] for code in through} == set(residents.communities[:communities])
                assert collected.through_codes == through
        fold_changes(residents.database)


def test_changes_that_are_added_up_when_another_process_adds_them_too_are_added_once(residents):
    for minute in range(12):
        residents.answer(after=minute)

    all_at_once(lambda _worker: fold_changes(residents.database), range(3))

    assert residents.differences() == {}
    assert changes(residents.database) == 0


def test_what_fails_while_it_is_added_up_is_added_up_the_next_time(residents, monkeypatch):
    residents.answer()
    with monkeypatch.context() as context:
        context.setattr(tallies, "add_numbers", lambda *_arguments: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            fold_changes(residents.database)
    assert standing(residents) == {residents.communities[0]: 1}

    fold_changes(residents.database)

    assert standing(residents) == {residents.communities[0]: 1}
    assert residents.differences() == {}


@pytest.mark.parametrize("database", [pytest.param("postgresql", marks=pytest.mark.postgresql)], indirect=True)
def test_what_is_committed_after_later_rows_were_added_up_is_counted_all_the_same(residents):
    with residents.database.writing() as late:
        residents.answer_in(late)
        assert late.scalar(select(func.max(CollectionChange.id))) is not None
        residents.answer(after=1)
        fold_changes(residents.database)
        assert standing(residents) == {residents.communities[0]: 1}

    assert standing(residents) == {residents.communities[0]: 2}
    fold_changes(residents.database)
    assert residents.differences() == {}


@pytest.mark.parametrize("database", [pytest.param("postgresql", marks=pytest.mark.postgresql)], indirect=True)
def test_of_a_household_whose_answers_come_at_one_moment_the_second_waits_for_the_first(residents):
    with residents.database.writing() as first:
        residents.answer_in(first, "household")
        second = Thread(target=residents.answer, args=["household"], kwargs={"after": 1})
        second.start()
        while not is_waiting(residents.database):
            pass
    second.join()

    assert standing(residents) == {residents.communities[0]: 1}
    assert residents.differences() == {}


def is_waiting(database):
    with database.reading() as session:
        statement = "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND NOT granted"
        return session.connection().exec_driver_sql(statement).scalar()


def test_households_that_answer_and_withdraw_at_one_moment_are_counted_right(residents):
    receipts = [residents.answer(f"household {number}") for number in range(4)]

    def act(number):
        if number % 2:
            residents.answer(f"household {number // 2}", after=5)
        else:
            residents.withdraw(receipts[number // 2], after=5)

    all_at_once(act, range(8))

    assert residents.differences() == {}


@pytest.mark.parametrize("zone", ["Asia/Shanghai", "Asia/Kolkata", "Asia/Kathmandu", "America/St_Johns", "UTC"])
@given(minutes=st.integers(0, 10**6))
def test_days_and_hours_are_local_whatever_the_zone(zone, minutes):
    moment = BEGAN + timedelta(minutes=minutes)
    quarter = moment - (moment - BEGAN.replace(hour=0, minute=0, second=0, microsecond=0)) % QUARTER

    numbers = numbers_of([(Kind(1, 2, None, quarter, "web"), Amounts(received=1))], {1: ZoneInfo(zone)})

    local = moment.astimezone(ZoneInfo(zone))
    assert {place.key for place in numbers if place.tally is Tally.DAY} == {local.date().isoformat()}
    assert {place.key for place in numbers if place.tally is Tally.HOUR} == {str(local.hour)}


def test_tallies_that_are_wrong_are_mended_and_what_comes_meanwhile_is_counted_once(residents, caplog):
    for minute in range(4):
        residents.answer(place=minute % 2, after=minute)
    fold_changes(residents.database)
    with residents.database.writing() as session:
        session.execute(update(CollectionTally).where(CollectionTally.tally == Tally.STANDING).values(number=7))
        session.execute(delete(CollectionTally).where(CollectionTally.tally == Tally.DAY))

    mended = recount_open_round(residents.database, now=NOW, report=lambda _counted: residents.answer())

    assert mended == 3 + 3  # of two communities and the city
    assert [record.message for record in caplog.records] == ["tallies differed from a full count and were mended"]
    assert residents.differences() == {}
    assert sum(standing(residents).values()) == 5
    assert recount_open_round(residents.database, now=NOW) == 0


def test_where_no_round_is_open_nothing_is_recounted(residents):
    residents.answer()

    assert recount_open_round(residents.database, now=datetime.max.replace(tzinfo=NOW.tzinfo)) == 0


def test_a_change_names_no_response_and_no_household(residents):
    residents.answer("household")

    with residents.database.reading() as session:
        [row] = session.execute(select(CollectionChange.__table__)).mappings()
    assert {name for name, value in row.items() if value is not None} == {
        "id",
        "round_id",
        "community_id",
        "quarter",
        "mode",
        "received",
        "standing",
        "households",
        "through_code",
    }
    assert row["quarter"] == BEGAN


def test_a_page_reads_what_was_not_added_yet_once(residents):
    residents.answer()
    statements = []
    event.listen(residents.database._readers, "before_cursor_execute", lambda *call: statements.append(call[2]))

    with residents.database.reading() as session:
        count_collected(session, round_id=residents.round_id, scope=EVERYWHERE)

    assert len([statement for statement in statements if "collection_change" in statement]) == 1
