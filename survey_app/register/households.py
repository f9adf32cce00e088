"""How many households each community has."""

import pandas as pd
from sqlalchemy import select
from sqlalchemy.orm import Session

from analytics.rules import Rules
from survey_app.models import Community, District
from survey_app.storage.frames import read_frame

HOUSEHOLD_COLUMNS = (
    Community.households_delivered,
    Community.households_occupied,
    Community.households_owners,
)
"""What `surveyed_households` reads of a community."""

HOUSEHOLD_TYPES = {column.key: "Int64" for column in HOUSEHOLD_COLUMNS}


def read_places(session: Session) -> pd.DataFrame:
    """Return every community with its district and its households, missing where unknown, indexed by its id."""
    columns = (Community.id, Community.number, Community.name, District.name.label("district"))
    statement = select(*columns, *HOUSEHOLD_COLUMNS).join(District)
    return read_frame(session, statement, HOUSEHOLD_TYPES).set_index("id")


def surveyed_households(places: pd.DataFrame, rules: Rules) -> pd.Series:
    """Return the households that the ranked population lives in, or the nearest number that is known."""
    occupied = places["households_occupied"].fillna(places["households_delivered"])
    if rules.satisfaction.population == "owners":
        return places["households_owners"].fillna(occupied)
    return occupied
