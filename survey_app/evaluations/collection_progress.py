"""Progress of the open round by its tallies, since an open round may hold millions of responses."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from math import ceil
from typing import Any

import numpy as np
import pandas as pd
from sqlalchemy import select
from sqlalchemy.orm import Session

from analytics.languages import DEFAULT_LANGUAGE
from analytics.rules import Rules
from survey_app.accounts.scope import Scope
from survey_app.city_time import zone_of
from survey_app.collection.tallies import count_collected
from survey_app.models import Code, Community, District, Round
from survey_app.models.vocabulary import Mode, Tally
from survey_app.register.households import HOUSEHOLD_COLUMNS, HOUSEHOLD_TYPES, surveyed_households
from survey_app.register.names import PLACE_COLUMNS
from survey_app.storage.frames import read_frame

_REGION_TYPES = dict.fromkeys(("region", "region_english"), "category")


@dataclass(frozen=True)
class Counted:
    """Parts of a progress that change from one moment to the next; see `dashboards.source.Progress`.

    `responses` are those that stand, by the id of the community: the newest of each household, none withdrawn.
    """

    responses: "pd.Series[int]"
    daily: pd.DataFrame
    hourly: pd.DataFrame
    modes: pd.DataFrame
    buildings: pd.DataFrame

    def __len__(self) -> int:
        return len(self.responses) + len(self.daily) + len(self.hourly) + len(self.modes) + len(self.buildings)


def read_required_responses(session: Session, *, rules: Rules, scope: Scope) -> pd.DataFrame:
    """Return the communities in scope in the order of their sort keys, with the responses that each needs to be ranked.

    Indexed by id; columns as `dashboards.source.Progress` says, except the responses.
    """
    columns = select(*PLACE_COLUMNS, *HOUSEHOLD_COLUMNS).join(District)
    statement = scope.communities(columns.order_by(Community.sort_key, Community.number))
    places = read_frame(session, statement, HOUSEHOLD_TYPES | _REGION_TYPES).set_index("id")
    households = surveyed_households(places, rules)
    frame = places.drop(columns=list(HOUSEHOLD_TYPES)).rename(columns={"number": "community_id"})
    # A long list has few different numbers of households.
    numbers, rows = np.unique(households.to_numpy("float64", na_value=np.nan), return_inverse=True)
    required = [_required_responses(rules, None if np.isnan(number) else int(number)) for number in numbers]
    frame = frame.assign(households=households, required=np.array(required, dtype="int64")[rows])
    if rules.region == "district":
        return frame
    return frame.assign(region=rules.city.in_language(DEFAULT_LANGUAGE), region_english=rules.city.in_language("en"))


def count_progress(
    session: Session, *, survey_round: Round, scope: Scope, asked: pd.DataFrame, now: datetime
) -> Counted:
    """Count the responses so far of the communities in scope, those of `read_required_responses`.

    No count depends on what was answered, not even on whether an answer is valid or an owner's.
    """
    collected = count_collected(session, round_id=survey_round.id, scope=scope)
    return Counted(
        responses=pd.Series(collected.standing, dtype="int64").reindex(asked.index, fill_value=0),
        **_numbers_in_time(collected.in_time, survey_round, now=now),
        buildings=_count_by_building(session, collected.through_codes, scope=scope),
    )


def _required_responses(rules: Rules, households: int | None) -> int:
    minimum = rules.satisfaction.minimum_responses
    if minimum is None:
        return 1
    if households is None:
        return minimum.enough
    return max(minimum.least, min(minimum.enough, ceil(minimum.or_share_of_households * int(households))))


def _numbers_in_time(
    came: Mapping[Tally, Mapping[str, int]], survey_round: Round, *, now: datetime
) -> dict[str, pd.DataFrame]:
    """Return the `daily`, `hourly` and `modes` counts of what came in, in the city's own time."""
    zone = zone_of(survey_round.rule_file.content)
    first, last = survey_round.opens_at.astimezone(zone).date(), now.astimezone(zone).date()
    days = [first + timedelta(days=number) for number in range((last - first).days + 1)]
    return {
        "daily": _of_each(came[Tally.DAY], "date", {day: day.isoformat() for day in days}),
        "hourly": _of_each(came[Tally.HOUR], "hour", {hour: str(hour) for hour in range(24)}),
        "modes": _of_each(came[Tally.MODE], "mode", {mode: str(mode) for mode in Mode}),
    }


def _of_each(numbers: Mapping[str, int], name: str, keys: Mapping[Any, str]) -> pd.DataFrame:
    """Return the number under each key, in order, zero where there is none."""
    return pd.DataFrame({name: list(keys), "responses": [numbers.get(key, 0) for key in keys.values()]})


def _count_by_building(session: Session, came: Mapping[int, int], *, scope: Scope) -> pd.DataFrame:
    statement = (
        select(Code.id, Community.number, Community.name, Community.english_name, Code.building)
        .join(Community, Code.community_id == Community.id)
        .where(Code.building.is_not(None), Code.revoked_at.is_(None))
        .order_by(Community.sort_key, Community.number, Code.building)
    )
    result = session.execute(scope.communities(statement))
    columns = list(result.keys())
    frame = pd.DataFrame(result.all(), columns=columns)
    frame = frame.assign(responses=[came.get(code_id, 0) for code_id in frame.pop("id")])
    return frame.groupby(columns[1:], sort=False, dropna=False, as_index=False)[["responses"]].sum()
