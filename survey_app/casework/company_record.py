"""A property company's own record of twelve months: answers in time, and what residents said of them.

It counts the cases that the company has or had last and that were its own to answer: none of stage 2, and none that
the office kept.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, tzinfo
from typing import Final

import pandas as pd
from sqlalchemy.orm import Session

from analytics.casework.case_frame import within
from analytics.casework.shares import Share, share_of
from survey_app.accounts.scope import EVERYWHERE
from survey_app.city_time import Month, city_zone
from survey_app.complaints.case_records import read_case_records

MONTHS: Final = 12
# What a resident says of an answer that did not fix it.
_CONTRADICTED: Final = ("partly", "rejected")


@dataclass(frozen=True)
class RecordMonth:
    """One month of a record: answers that were given or came due in it, and words of residents that were said in it."""

    first_day: date
    in_time: Share
    confirmed: int
    contradicted: int


def read_company_record(session: Session, company_id: int, *, now: datetime) -> Sequence[RecordMonth]:
    """Return the record of a company, the current month first."""
    zone = city_zone(session)
    this_month = Month.of(now.astimezone(zone).date())
    months = [this_month.plus(-before) for before in range(MONTHS)]
    records = read_case_records(
        session, scope=EVERYWHERE, since=months[-1].start(zone), cut_off=now, given_to=company_id
    )
    own = records.cases[records.cases["is_companys"]]
    return [_month(own, month, zone) for month in months]


def _month(own: pd.DataFrame, month: Month, zone: tzinfo) -> RecordMonth:
    start, end = pd.Timestamp(month.start(zone)), pd.Timestamp(month.plus(1).start(zone))
    said = own.loc[within(own["verdict_at"], start, end), "verdict"]
    return RecordMonth(
        first_day=month.first,
        in_time=share_of(own.loc[within(own["answer_judged_at"], start, end), "answered_in_time"]),
        confirmed=int((said == "confirmed").sum()),
        contradicted=int(said.isin(_CONTRADICTED).sum()),
    )
