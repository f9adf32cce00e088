"""Forecast for a planned round: whether each region can fill its quota of nominations."""

from collections.abc import Mapping

import pandas as pd
from sqlalchemy import select
from sqlalchemy.orm import Session

from analytics.evidence.quota_feasibility import Expectations, forecast_round
from analytics.rules import Rules
from survey_app.models import District
from survey_app.register.households import read_places, surveyed_households


def forecast_quota(
    session: Session, *, rules: Rules, quota: Mapping[int, int], expectations: Expectations
) -> pd.DataFrame:
    """Return the forecast of each region, as `analytics.evidence.quota_feasibility` says; no rows without communities.

    `quota` is by the id of the district; where the whole city is one region, it is the sum.
    """
    places = read_places(session)
    if places.empty:
        return pd.DataFrame()
    names = {row.id: row.name for row in session.execute(select(District.id, District.name))}
    by_region = {names[district]: number for district, number in quota.items()}
    if rules.region == "city":
        by_region = {rules.city.zh_hans: sum(quota.values())}
    communities = pd.DataFrame(
        {"region": places["district"], "households": surveyed_households(places, rules).astype("float64")}
    )
    return forecast_round(communities, rules, quota=by_region, expectations=expectations)
