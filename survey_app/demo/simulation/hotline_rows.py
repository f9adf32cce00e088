"""Simulated rows of the 12345 hotline: its own cases, and some that residents filed at their office as well."""

import csv
import io
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta, tzinfo
from typing import Final

import numpy as np

from survey_app.demo.simulation.city import SimulatedCommunity
from survey_app.demo.simulation.plan import PlannedCase
from survey_app.hotline.ledger_rows import COLUMNS
from survey_app.hotline.ledger_words import ledger_words

# Of the cases that residents filed at their office with a telephone number, so many were told to the hotline as well.
DOUBLED: Final = 0.2
# So rarely the hotline writes a name that no community has.
_MISNAMED: Final = 0.02
_LIMIT: Final = timedelta(days=14)
_ANSWERS: Final = ("已派人到场处理，问题已解决。", "已协调物业整改，并向来电人说明。", "经现场核查，已完成维修。")


def ledger_of(
    random: np.random.Generator,
    city: Sequence[SimulatedCommunity],
    cases: Sequence[PlannedCase],
    *,
    zone: tzinfo,
    now: datetime,
) -> bytes:
    """Return a file of the hotline as CSV: a row for each case that came to it until now."""
    stream = io.StringIO()
    writer = csv.DictWriter(stream, [column.header for column in COLUMNS])
    writer.writeheader()
    for number, case in enumerate(cases, start=1):
        written = _row(random, city[case.community], case, number=number, zone=zone, now=now)
        writer.writerow({column.header: written.get(column.field, "") for column in COLUMNS})
    return stream.getvalue().encode()


def doubles_of(random: np.random.Generator, cases: Sequence[PlannedCase], *, now: datetime) -> list[PlannedCase]:
    """Return what was told to the hotline as well, some hours after it was filed at the office."""
    reachable = [case for case in cases if case.complaint.telephone]
    told = [
        case.after(timedelta(hours=float(random.uniform(2, 48)))) for case in reachable if random.random() < DOUBLED
    ]
    return [case for case in told if case.complaint.submitted_at < now]


def _row(
    random: np.random.Generator,
    community: SimulatedCommunity,
    case: PlannedCase,
    *,
    number: int,
    zone: tzinfo,
    now: datetime,
) -> Mapping[str, str]:
    complaint = case.complaint
    dispatched = complaint.submitted_at + timedelta(minutes=float(random.uniform(2, 60)))
    signed = dispatched + timedelta(hours=float(random.lognormal(1, 0.8)))
    ended = signed + timedelta(days=float(random.lognormal(1.7, 0.5)))
    name = community.row.name
    answer = _ANSWERS[random.integers(len(_ANSWERS))]
    written = {
        "number": f"{complaint.submitted_at:%Y%m%d}{number:06}",
        "submitted": _written(complaint.submitted_at, zone),
        "source": "电话",
        "category": f"{_kind_word(complaint.kind)}-物业管理-{_category_word(complaint.category)}",
        "community": f"{name}老区" if random.random() < _MISNAMED else name,
        "text": complaint.text,
        "confidential": "是" if random.random() < 0.05 else "否",
        "undertaker": "市住房和城乡建设局",
        "limit": _written(complaint.submitted_at + _LIMIT, zone),
        "telephone": complaint.telephone,
    }
    times = {"dispatched": dispatched, "signed": signed, "ended": ended}
    happened = {field: _written(at, zone) for field, at in times.items() if at < now}
    return written | happened | ({"answer": answer} if "ended" in happened else {})


def _kind_word(kind: str) -> str:
    return next(word for word, meant in ledger_words().kinds.items() if meant == kind)


def _category_word(code: str) -> str:
    return next(word for word, meant in ledger_words().categories.items() if meant == code)


def _written(at: datetime, zone: tzinfo) -> str:
    return f"{at.astimezone(zone):%Y-%m-%d %H:%M}"
