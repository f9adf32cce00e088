"""Plan of the simulation: every response and complaint in the order of its arrival."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Self

import numpy as np

from survey_app.complaints.categories import Category
from survey_app.demo.simulation.answers import Form, count_respondents, draw_forms, stuffed_form
from survey_app.demo.simulation.calendar import RoundDates, draw_times
from survey_app.demo.simulation.city import SimulatedCommunity
from survey_app.demo.simulation.complaints import PlannedComplaint, draw_complaints

# The last round that is closed: its result is the one that matters.
STUFFED_ROUND = 1
ENGLISH_SHARE = 0.02

# One community in five hands out slips to its households; in all of them some answer on paper.
SLIPS_IN_ONE_OF = 5
SLIP_SHARE = 0.6
PAPER_SHARE = 0.03
# Of those with a slip, how many had answered before; of all, how many others answered and withdrew.
CHANGED_SHARE = 0.08
WITHDRAWN_SHARE = 0.01


class Way(StrEnum):
    """Way in which a form reaches the site."""

    POSTER = "poster"
    SLIP = "slip"
    PAPER = "paper"


@dataclass(frozen=True)
class PlannedResponse:
    """One form that will be sent; `community` is a position in the city, `household` a number within it."""

    submitted_at: datetime
    opened_at: datetime
    community: int
    form: Form
    language: str
    way: Way = Way.POSTER
    household: int | None = None
    is_withdrawn: bool = False


@dataclass(frozen=True)
class PlannedCase:
    """One complaint that will be filed; `community` is a position in the city."""

    community: int
    complaint: PlannedComplaint

    def after(self, delay: timedelta) -> Self:
        """Return the same case, told once more so much later."""
        later = replace(self.complaint, submitted_at=self.complaint.submitted_at + delay)
        return replace(self, complaint=later)


def plan_responses(city: Sequence[SimulatedCommunity], dates: RoundDates, *, now: datetime) -> list[PlannedResponse]:
    """Return every form of a round that has been sent by `now`, in the order of arrival."""
    planned = []
    for position, community in enumerate(city):
        random = np.random.default_rng([community.seed, 2, dates.index])
        ordinary = _ordinary_responses(random, position, community, dates, now)
        # Drawn apart, so that what counts is the same whichever way it comes.
        ways = np.random.default_rng([community.seed, 4, dates.index])
        planned += _by_all_ways(ways, ordinary, dates, has_slips=position % SLIPS_IN_ONE_OF == 0)
        if community.stuffed and dates.index == STUFFED_ROUND:
            planned += _stuffed_responses(random, position, dates)
    return sorted(planned, key=lambda response: (response.submitted_at, response.community))


def plan_cases(
    city: Sequence[SimulatedCommunity], rounds: Sequence[RoundDates], categories: Sequence[Category], *, now: datetime
) -> list[PlannedCase]:
    """Return every complaint that has been filed by `now`, in the order of arrival."""
    planned = []
    for position, community in enumerate(city):
        random = np.random.default_rng([community.seed, 3])
        cases = draw_complaints(random, community, rounds=rounds, categories=categories, now=now)
        planned += [PlannedCase(position, case) for case in cases]
    return sorted(planned, key=lambda case: (case.complaint.submitted_at, case.community))


def _ordinary_responses(
    random: np.random.Generator, position: int, community: SimulatedCommunity, dates: RoundDates, now: datetime
) -> list[PlannedResponse]:
    end = min(dates.closes_at, now)
    progress = (end - dates.opens_at) / (dates.closes_at - dates.opens_at)
    owners, others = count_respondents(random, community, round_index=dates.index, progress=progress)
    forms = draw_forms(random, community, round_index=dates.index, owners=owners, others=others)
    times = draw_times(random, len(forms), start=dates.opens_at, end=end, eager=True)
    seconds = np.clip(random.lognormal(4.6, 0.45, len(forms)), 35, 900)
    english = random.random(len(forms)) < ENGLISH_SHARE
    return [
        PlannedResponse(
            submitted_at=time,
            # The form was not opened before the round was.
            opened_at=max(dates.opens_at, time - timedelta(seconds=float(taken))),
            community=position,
            form=form,
            language="en" if is_english else "zh-Hans",
        )
        for time, taken, form, is_english in zip(times, seconds, forms, english, strict=True)
    ]


def _by_all_ways(
    random: np.random.Generator, responses: Sequence[PlannedResponse], dates: RoundDates, *, has_slips: bool
) -> list[PlannedResponse]:
    """Return the responses with the ways they come, and further ones that will not count: replaced or withdrawn."""
    planned = []
    for number, response in enumerate(responses):
        way, drawn = Way.POSTER, random.random(4)
        if drawn[0] < PAPER_SHARE:
            way = Way.PAPER
        elif has_slips and drawn[1] < SLIP_SHARE:
            way = Way.SLIP
        own = replace(response, way=way, household=number if way is Way.SLIP else None)
        planned.append(own)
        if way is Way.SLIP and drawn[2] < CHANGED_SHARE:
            planned.append(_earlier(own, dates, form={**own.form, "q01": ["3"]}))
        if drawn[3] < WITHDRAWN_SHARE:
            planned.append(_earlier(replace(response, is_withdrawn=True), dates, form=response.form))
    return planned


def _earlier(response: PlannedResponse, dates: RoundDates, *, form: Form) -> PlannedResponse:
    """Return another form that was sent when half of the time until a response had passed."""
    opened_at = dates.opens_at + (response.opened_at - dates.opens_at) / 2
    taken = (response.submitted_at - response.opened_at) / 2
    return replace(response, opened_at=opened_at, submitted_at=opened_at + taken, form=form)


def _stuffed_responses(random: np.random.Generator, position: int, dates: RoundDates) -> list[PlannedResponse]:
    """Return some seventy identical forms, sent within minutes of each other on one evening."""
    evening = dates.opens_at + timedelta(days=int(random.integers(12, 24)), hours=21, minutes=int(random.integers(50)))
    gaps = random.exponential(9, size=int(random.integers(60, 90))) + 2
    times = [evening + timedelta(seconds=float(passed)) for passed in np.cumsum(gaps)]
    taken = random.uniform(9, 22, size=len(times))
    return [
        PlannedResponse(time, time - timedelta(seconds=float(seconds)), position, stuffed_form(), "zh-Hans")
        for time, seconds in zip(times, taken, strict=True)
    ]
