"""The vocabularies stand in the database as they stand in the code."""

import pytest
from sqlalchemy import create_engine, inspect, text

from analytics.decision import survey_modes
from analytics.decision.summary import STATUSES
from analytics.statistics.complaint_rates import CHANNELS
from survey_app.models.vocabulary import AREAS_OF_ROLE, STAFF_ENTERED_MODES, Channel, Mode, Role, StandingStatus
from survey_app.storage.database import Base

DECLARED = "declared"


@pytest.fixture
def declared(database, tmp_path):
    """The tables as the models declare them, made without a migration on the same engine."""
    if database.engine.dialect.name == "sqlite":
        engine, schema = create_engine(f"sqlite:///{tmp_path / 'declared.sqlite3'}"), None
    else:
        engine, schema = create_engine(database.url), DECLARED
    with engine.begin() as connection:
        if schema:
            connection.execute(text(f"CREATE SCHEMA {schema}"))
        Base.metadata.create_all(connection.execution_options(schema_translate_map={None: schema}))
    yield engine, schema
    engine.dispose()


def conditions(engine, schema=None):
    found = inspect(engine)
    return {
        # The migrations put the prefix of the naming convention before names that have it already.
        (table, constraint["name"].replace(f"ck_{table}_", "")): " ".join(constraint["sqltext"].split())
        for table in Base.metadata.tables
        for constraint in found.get_check_constraints(table, schema=schema)
    }


def test_the_migrated_database_checks_what_the_models_declare(database, declared):
    migrated = conditions(database.engine)

    assert migrated == conditions(*declared)
    assert ("complaint", "status") in migrated


def test_standings_channels_and_modes_are_called_as_the_evaluators_call_them():
    assert tuple(StandingStatus) == STATUSES
    assert tuple(Channel) == CHANNELS
    assert tuple(Mode) == survey_modes.MODES
    assert survey_modes.STAFF_ENTERED_MODES == STAFF_ENTERED_MODES


def test_every_role_is_bound_to_some_area():
    assert set(AREAS_OF_ROLE) == set(Role)
    assert all(AREAS_OF_ROLE.values())
