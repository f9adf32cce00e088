"""Cases of an earlier build keep their times: they follow the delivered file and replay to the same states."""

import importlib.util
import sys
from datetime import timedelta
from zoneinfo import ZoneInfo

import pytest
from alembic import command
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import select, text

from analytics.canonical import sha256_hex
from survey_app.complaints.calendars import calendar, published_years
from survey_app.complaints.cases import _fold, _stored_events, clock_of, inconsistent_references
from survey_app.complaints.casework_files import published_casework_files
from survey_app.complaints.casework_rules import casework_rules_of
from survey_app.complaints.deadlines import Clock, due_events, is_kept, judged_deadline
from survey_app.complaints.state_machine import advance, submitted
from survey_app.complaints.working_days import parse_calendar_year
from survey_app.config import DATA, MIGRATIONS
from survey_app.models import CaseworkFile, Complaint, ComplaintEvent
from survey_app.storage.database import Database
from tests.casework import CALENDAR, RULES, possible_event
from tests.factories import NOW
from tests.survey_app.storage.test_upgrades import stored_database, unpack  # noqa: F401 (a fixture)


def _migration():
    path = MIGRATIONS / "versions" / "0060_publish_the_times_of_casework.py"
    spec = importlib.util.spec_from_file_location(path.stem, path)
    module = sys.modules[path.stem] = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


MIGRATION = _migration()
COURSE = "SELECT status, count(*) FROM complaint GROUP BY status ORDER BY status"


@pytest.fixture(scope="module")
def revision():
    return "0030"


def test_cases_of_an_earlier_build_follow_the_delivered_file_and_replay_to_the_same_states(stored_database):  # noqa: F811
    with stored_database.reading() as session:
        before = session.execute(text(COURSE)).all()

    command.upgrade(stored_database.alembic_config(), "head")

    with stored_database.reading() as session:
        assert session.execute(text(COURSE)).all() == before
        assert list(inconsistent_references(session)) == []
        (delivered,) = session.scalars(select(CaseworkFile))
        assert set(session.scalars(select(Complaint.casework_file_id))) == {delivered.id}


def test_deadlines_that_the_migration_stores_are_those_that_the_program_computes(tmp_path):
    with Database(f"sqlite:///{unpack(tmp_path, '0030')}") as database:
        command.upgrade(database.alembic_config(), "head")
        judged = {True: 0, False: 0}
        with database.reading() as session:
            for complaint in session.scalars(select(Complaint)):
                clock = clock_of(session, complaint)
                rows = session.scalars(select(ComplaintEvent).filter_by(complaint_id=complaint.id))
                stored = [row.due_at for row in sorted(rows, key=lambda row: row.number)]
                events = _stored_events(session, complaint)
                state, computed = _fold(complaint, events[:1]), [None]
                for event in events[1:]:
                    computed.append(judged_deadline(state, event, clock))
                    state = advance(state, event)
                    if computed[-1] is not None:
                        judged[is_kept(event.at, computed[-1])] += 1
                assert stored == computed

    assert all(judged.values()), "periods that were kept and periods that were breached"


@given(st.lists(st.tuples(st.integers(0, 10**6), st.integers(0, 400)), max_size=30), st.booleans())
def test_the_migration_judges_every_life_of_a_case_as_the_program_does(choices, is_safety):
    zone = ZoneInfo("Asia/Shanghai")
    clock = Clock(is_safety, RULES, CALENDAR, zone)
    state, at = submitted(NOW, bypasses_company=False, rules=RULES), NOW
    migrated = MIGRATION.Case(1, MIGRATION.Clock(is_safety=is_safety, zone=zone), NOW)
    for choice, hours in choices:
        at += timedelta(hours=hours)
        steps = list(due_events(state, clock, now=at))
        if not steps:
            event = possible_event(state, clock, choice=choice, at=at)
            if event is None:
                break
            steps = [event]
        for event in steps:
            assert migrated.take(event) == judged_deadline(state, event, clock)
            state = advance(state, event)
            assert (migrated.status, migrated.started) == (state.status, state.clock_started_at)


def test_a_new_database_holds_the_delivered_files_word_by_word(sqlite_database):
    with sqlite_database.reading() as session:
        (stored,) = published_casework_files(session)
        assert (stored.text, stored.sha256) == (RULES.canonical_text, sha256_hex(RULES.canonical_text))
        assert stored.in_force_from == RULES.in_force_from
        assert casework_rules_of(stored.text) == RULES
        years = {each.year: each for each in published_years(session)}
        for path in sorted((DATA / "calendars").glob("*.yaml")):
            announced = parse_calendar_year(path.read_bytes(), path.name)
            assert years[announced.year].text == announced.canonical_text
            assert years[announced.year].sha256 == announced.sha256
        assert calendar(session) == CALENDAR
