"""Simulated complaints: what residents complain about, and when."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

import numpy as np

from survey_app.complaints.categories import Category
from survey_app.demo.simulation.calendar import RoundDates, draw_times
from survey_app.demo.simulation.city import SimulatedCommunity
from survey_app.demo.simulation.complaint_texts import (
    COMPLAINT_ENDINGS,
    COMPLAINT_OPENINGS,
    ENQUIRY_ENDINGS,
    REPAIR_ENDINGS,
)
from survey_app.models.vocabulary import Channel

# A year and a little more before the first cut-off, so that its twelve months are complete.
DAYS_BEFORE_FIRST_CUT_OFF = 400
CASES_PER_HOUSEHOLD_YEAR = 0.016
# How much less an office hears of a community that is one standard deviation better.
QUALITY_EFFECT = 0.55

# A neighbour files the same trouble, not knowing of it.
FILED_AGAIN = 0.04
# Of the cases whose contact is not erased yet.
WITH_TELEPHONE = 0.4
CONTACTS_KEPT = timedelta(days=100)

# How the cases of a city reach its office: most by the form, many by people who would rather speak to somebody.
_CHANNEL_SHARES = {
    Channel.CODE: 0.44,
    Channel.WEB: 0.1,
    Channel.TELEPHONE: 0.19,
    Channel.VISIT: 0.06,
    Channel.HOTLINE: 0.17,
    Channel.LETTER: 0.03,
    Channel.OTHER: 0.01,
}
_KINDS = ("complaint", "repair", "enquiry")
_KIND_SHARES = (0.6, 0.3, 0.1)
# Residents of every city complain most of these.
_FREQUENT_GROUPS = {"EQ": 2.2, "BR": 1.6, "CL": 1.6, "PK": 2.4, "FS": 1.3, "FE": 1.4}
_REPAIR_GROUPS = {"EQ": 8.0, "BR": 8.0, "SE": 0.4, "PK": 0.3}


@dataclass(frozen=True)
class PlannedComplaint:
    """One case that will be filed; with the telephone number that the resident left, if there is any."""

    submitted_at: datetime
    kind: str
    category: str
    place: str
    text: str
    channel: Channel
    telephone: str = ""


def draw_complaints(
    random: np.random.Generator,
    community: SimulatedCommunity,
    *,
    rounds: Sequence[RoundDates],
    categories: Sequence[Category],
    now: datetime,
) -> list[PlannedComplaint]:
    """Return the cases of a community from more than a year before the first cut-off until `now`."""
    start = rounds[0].closes_at - timedelta(days=DAYS_BEFORE_FIRST_CUT_OFF)
    frequent = _weights(categories, _FREQUENT_GROUPS)
    repairs = _weights(categories, _REPAIR_GROUPS, otherwise=0.05)
    # Drawn apart, so that what is complained about is the same whichever way it comes.
    ways, repeats, telephones = random.spawn(3)
    cases = []
    for dates in rounds:
        # The quality that a round measures is that of the months before it.
        end = min(dates.closes_at, now)
        years = (end - start).total_seconds() / (365.25 * 86400)
        level = float(community.quality[dates.index].mean())
        rate = (
            CASES_PER_HOUSEHOLD_YEAR
            * community.complaint_tendency
            * np.exp(-QUALITY_EFFECT * level + random.normal(0, 0.3))
        )
        count = int(random.poisson(rate * community.households * years))
        for time in draw_times(random, count, start=start, end=end, eager=False):
            kind = _KINDS[random.choice(len(_KINDS), p=_KIND_SHARES)]
            category = categories[random.choice(len(categories), p=repairs if kind == "repair" else frequent)]
            place, text = _words(random, kind, category)
            channel = list(_CHANNEL_SHARES)[ways.choice(len(_CHANNEL_SHARES), p=list(_CHANNEL_SHARES.values()))]
            is_kept = telephones.random() < WITH_TELEPHONE and time > now - CONTACTS_KEPT
            telephone = f"1390000{telephones.integers(10_000):04}" if is_kept else ""
            case = PlannedComplaint(time, kind, category.code, place, text, channel, telephone)
            cases += [case, *_repeats(repeats, case, end=end)]
        start = end
    return cases


def _repeats(random: np.random.Generator, case: PlannedComplaint, *, end: datetime) -> list[PlannedComplaint]:
    """Return what a neighbour files of the same trouble, unless the resident was the only one."""
    at = case.submitted_at + timedelta(hours=float(random.uniform(1, 60)))
    is_filed_again = random.random() < FILED_AGAIN and at < end
    return [replace(case, submitted_at=at, channel=Channel.CODE, telephone="")] if is_filed_again else []


def _weights(categories: Sequence[Category], groups: dict[str, float], otherwise: float = 1.0) -> Sequence[float]:
    weights = np.array([groups.get(category.code[:2], otherwise) for category in categories])
    normalised: list[float] = (weights / weights.sum()).tolist()
    return normalised


def _words(random: np.random.Generator, kind: str, category: Category) -> tuple[str, str]:
    """Return the place of a complaint, and its text."""
    endings = {"complaint": COMPLAINT_ENDINGS, "repair": REPAIR_ENDINGS, "enquiry": ENQUIRY_ENDINGS}[kind]
    place = COMPLAINT_OPENINGS[random.integers(len(COMPLAINT_OPENINGS))]
    return place, f"{place}{category.name.zh_hans}{endings[random.integers(len(endings))]}"
