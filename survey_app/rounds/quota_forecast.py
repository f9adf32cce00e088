"""Forecast for a planned round: whether each region can fill its quota, and on how few answers its list may hang."""

from collections.abc import Mapping

import pandas as pd
from sqlalchemy import select
from sqlalchemy.orm import Session

from analytics.decision.list_margins import list_margins
from analytics.evidence.quota_feasibility import Expectations, forecast_round
from analytics.rules import Rules
from survey_app.models import District, Evaluation, Standing
from survey_app.register.households import read_places, surveyed_households
from survey_app.stored_rules import rules_of


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


def read_list_margins(session: Session) -> pd.DataFrame:
    """Return by region the fewest added answers that would have changed the list of the last official evaluation.

    As `analytics.decision.list_margins` says; no rows where there is none, or where it did not rank by the rate.
    """
    last = session.scalar(select(Evaluation).filter_by(provisional=False).order_by(Evaluation.id.desc()).limit(1))
    columns = ["region", "responses", "satisfied", "satisfaction_rank", "satisfaction_status"]
    if last is None or rules_of(last.rule_file.content).satisfaction.measure != "satisfaction_rate":
        return list_margins(pd.DataFrame(columns=columns))
    statement = select(*(getattr(Standing, name) for name in columns)).where(Standing.evaluation_id == last.id)
    return list_margins(pd.DataFrame(session.execute(statement).all(), columns=columns))
