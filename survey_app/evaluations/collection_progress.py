"""Progress of the open round, counted by the database, since an open round may hold millions of responses."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from math import ceil
from typing import Any, Final

import pandas as pd
from sqlalchemy import Select, and_, extract, func, select
from sqlalchemy.orm import Session

from analytics.languages import DEFAULT_LANGUAGE
from analytics.rules import Rules
from survey_app.accounts.scope import Scope
from survey_app.city_time import zone_of
from survey_app.models import Code, Community, District, Response, Round
from survey_app.models.vocabulary import Mode, ResponseStatus
from survey_app.register.households import read_places, surveyed_households
from survey_app.register.names import PLACE_COLUMNS
from survey_app.responses.counting_status import status_of_response

# In seconds: the offset of every time zone is a multiple of a quarter of an hour.
_QUARTER: Final = 15 * 60


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
    statement = scope.communities(select(*PLACE_COLUMNS).join(District).order_by(Community.sort_key, Community.number))
    result = session.execute(statement)
    frame = pd.DataFrame(result.all(), columns=list(result.keys())).set_index("id")
    frame = frame.rename(columns={"number": "community_id"})
    households = surveyed_households(read_places(session), rules).reindex(frame.index)
    required = {number: _required_responses(rules, number) for number in households.dropna().unique()}
    unknown = _required_responses(rules, None)
    frame = frame.assign(
        households=households, required=[required.get(number, unknown) for number in households.astype(object)]
    )
    if rules.region == "district":
        return frame
    return frame.assign(region=rules.city.in_language(DEFAULT_LANGUAGE), region_english=rules.city.in_language("en"))


def count_progress(
    session: Session, *, survey_round: Round, scope: Scope, asked: pd.DataFrame, now: datetime
) -> Counted:
    """Count the responses so far of the communities in scope, those of `read_required_responses`.

    No count depends on what was answered, not even on whether an answer is valid or an owner's.
    """
    return Counted(
        responses=_count_by_community(session, survey_round, now=now).reindex(asked.index, fill_value=0),
        **_count_in_time(session, survey_round, scope=scope, now=now),
        buildings=_count_by_building(session, survey_round, scope=scope, now=now),
    )


def _count_by_community(session: Session, survey_round: Round, *, now: datetime) -> "pd.Series[int]":
    # Of a household's answers the newest, whoever gave it: to tell its owners from its tenants would tell the tenure.
    stands = status_of_response("residents", before=now) == ResponseStatus.COUNTED
    statement = select(Response.community_id, func.count()).where(
        Response.round_id == survey_round.id, Response.submitted_at < now, stands
    )
    found = session.execute(statement.group_by(Response.community_id)).all()
    table = pd.DataFrame(found, columns=["community_id", "responses"], dtype="int64")
    return table.set_index("community_id")["responses"]


def _required_responses(rules: Rules, households: int | None) -> int:
    minimum = rules.satisfaction.minimum_responses
    if minimum is None:
        return 1
    if households is None:
        return minimum.enough
    return max(minimum.least, min(minimum.enough, ceil(minimum.or_share_of_households * int(households))))


def _count_in_time(session: Session, survey_round: Round, *, scope: Scope, now: datetime) -> dict[str, pd.DataFrame]:
    """Return the `daily`, `hourly` and `modes` counts of what came in, in the city's own time."""
    zone = zone_of(survey_round.rule_file.content)
    came = pd.DataFrame(
        session.execute(scope.communities(_select_quarters(survey_round, now))).all(),
        columns=["second", "mode", "responses"],
    ).astype({"second": "int64", "responses": "int64"})
    local = pd.to_datetime(came["second"], unit="s", utc=True).dt.tz_convert(zone).dt
    first, last = survey_round.opens_at.astimezone(zone).date(), now.astimezone(zone).date()
    days = [first + timedelta(days=number) for number in range((last - first).days + 1)]
    return {
        "daily": _summed(came, local.date, days, "date"),
        "hourly": _summed(came, local.hour, list(range(24)), "hour"),
        "modes": _summed(came, came["mode"], list(Mode), "mode"),
    }


def _select_quarters(survey_round: Round, now: datetime) -> Select[Any, str, int]:
    second = extract("epoch", Response.submitted_at)
    quarter = (second - second % _QUARTER).label("quarter")
    return (
        select(quarter, Response.mode, func.count())
        .join(Community, Response.community_id == Community.id)
        .where(Response.round_id == survey_round.id, Response.submitted_at < now)
        .group_by("quarter", Response.mode)
    )


def _summed(came: pd.DataFrame, by: "pd.Series[Any]", every: list[Any], name: str) -> pd.DataFrame:
    """Return how many came of every value, in order, zero where none did."""
    counts = came["responses"].groupby(by.to_numpy()).sum().to_dict()
    return pd.DataFrame({name: every, "responses": [counts.get(value, 0) for value in every]})


def _count_by_building(session: Session, survey_round: Round, *, scope: Scope, now: datetime) -> pd.DataFrame:
    statement = (
        select(
            Community.number,
            Community.name,
            Community.english_name,
            Code.building,
            func.count(Response.id).label("responses"),
        )
        .select_from(Code)
        .join(Community, Code.community_id == Community.id)
        .outerjoin(
            Response,
            and_(Response.code_id == Code.id, Response.round_id == survey_round.id, Response.submitted_at < now),
        )
        .where(Code.building.is_not(None), Code.revoked_at.is_(None))
        .group_by(Community.id, Code.building)
        .order_by(Community.sort_key, Community.number, Code.building)
    )
    result = session.execute(scope.communities(statement))
    return pd.DataFrame(result.all(), columns=list(result.keys()))
