"""How many households each community has."""

import pandas as pd
from sqlalchemy import select
from sqlalchemy.orm import Session

from analytics.rules import Rules
from survey_app.models import Community, District


def read_places(session: Session) -> pd.DataFrame:
    """Return every community with its district and its households, missing where unknown, indexed by its id."""
    statement = select(
        Community.id,
        Community.number,
        Community.name,
        District.name.label("district"),
        Community.households_delivered,
        Community.households_occupied,
        Community.households_owners,
    ).join(District)
    result = session.execute(statement)
    households = ["households_delivered", "households_occupied", "households_owners"]
    return (
        pd.DataFrame(result.all(), columns=list(result.keys()))
        .set_index("id")
        .astype(dict.fromkeys(households, "Int64"))
    )


def surveyed_households(places: pd.DataFrame, rules: Rules) -> pd.Series:
    """Return the households that the ranked population lives in, or the nearest number that is known."""
    occupied = places["households_occupied"].fillna(places["households_delivered"])
    if rules.satisfaction.population == "owners":
        return places["households_owners"].fillna(occupied)
    return occupied
