"""Dates of simulated rounds, and the times at which simulated residents answer."""

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

import numpy as np

from survey_app.demo.simulation.city import ROUNDS
from survey_app.rounds.rounds import local_midnight

# Relative activity in each local hour of the day: little at night, most after supper.
_HOURS = np.array([2, 1, 0, 0, 0, 1, 5, 12, 16, 18, 17, 18, 24, 18, 13, 13, 14, 18, 30, 42, 44, 34, 18, 7], dtype=float)
_HOURS /= _HOURS.sum()

OPENED_DAYS_AGO = 12
DAYS_LEFT = 18


@dataclass(frozen=True)
class RoundDates:
    """Dates of one simulated round; it closes when `closes_on` begins."""

    index: int
    opens_on: date
    closes_on: date
    opens_at: datetime
    closes_at: datetime

    @property
    def name(self) -> str:
        return f"{self.opens_on.year}年居民满意度调查"

    @property
    def english_name(self) -> str:
        return f"Resident satisfaction survey {self.opens_on.year}"


def plan_rounds(now: datetime, time_zone: str) -> tuple[RoundDates, ...]:
    """Return one round a year, at the same season; the last of them is open at `now`."""
    today = now.astimezone(ZoneInfo(time_zone)).date()
    rounds = []
    for index in range(ROUNDS):
        years = ROUNDS - 1 - index
        opens_on = _years_before(today - timedelta(days=OPENED_DAYS_AGO), years)
        closes_on = opens_on + timedelta(days=OPENED_DAYS_AGO + DAYS_LEFT)
        opens_at, closes_at = (local_midnight(day, time_zone) for day in (opens_on, closes_on))
        rounds.append(RoundDates(index, opens_on, closes_on, opens_at, closes_at))
    return tuple(rounds)


def draw_times(
    random: np.random.Generator, count: int, *, start: datetime, end: datetime, eager: bool
) -> list[datetime]:
    """Return `count` times from `start`, a local midnight, until just before `end`; `eager` ones come early."""
    days = max(1, (end - start).days)
    day = np.floor(random.beta(1, 1.6 if eager else 1, count) * days)
    second = random.choice(24, size=count, p=_HOURS) * 3600 + random.integers(3600, size=count)
    times = [start + timedelta(days=int(d), seconds=int(s)) for d, s in zip(day, second, strict=True)]
    # On the last day, of which only a part has passed, later times move back to a random moment.
    whole = (end - start).total_seconds()
    return [time if time < end else start + timedelta(seconds=float(random.random() * whole)) for time in times]


def _years_before(day: date, years: int) -> date:
    try:
        return day.replace(year=day.year - years)
    except ValueError:  # 29 February
        return day.replace(year=day.year - years, day=28)
