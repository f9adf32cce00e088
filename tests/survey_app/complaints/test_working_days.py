from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from analytics.files.yaml_documents import DocumentError
from survey_app.complaints.working_days import Calendar, load_calendar
from survey_app.config import DATA
from tests.casework import CALENDAR

days = st.dates(date(2023, 1, 1), date(2028, 12, 31))


@pytest.mark.parametrize(
    ("day", "works"),
    [
        (date(2026, 9, 30), True),
        (date(2026, 10, 1), False),
        (date(2026, 10, 10), True),  # a Saturday, worked for the National Day
        (date(2026, 10, 11), False),
        (date(2026, 2, 14), True),
        (date(2026, 2, 16), False),
        (date(2025, 10, 8), False),
        (date(2024, 9, 29), True),
        (date(2023, 6, 23), False),
    ],
)
def test_holidays_and_make_up_days_are_those_that_were_announced(day, works):
    assert CALENDAR.is_working_day(day) is works


def test_a_year_that_was_not_announced_yet_is_taken_as_monday_to_friday():
    empty = Calendar(frozenset(), frozenset())

    assert [empty.is_working_day(date(2031, 3, 3) + timedelta(days=days)) for days in range(7)] == [True] * 5 + [
        False
    ] * 2


def test_the_tenth_working_day_before_a_long_holiday_lies_after_it():
    assert CALENDAR.after(date(2026, 9, 24), 10) == date(2026, 10, 15)


@given(days, st.integers(1, 30))
def test_counting_back_what_was_counted_on_gives_the_same_number(day, count):
    later = CALENDAR.after(day, count)

    assert CALENDAR.is_working_day(later)
    assert CALENDAR.count_between(day, later) == count


def test_each_file_speaks_of_its_own_year_and_makes_up_at_weekends():
    for path in (DATA / "calendars").glob("*.yaml"):
        one_year = load_calendar([path])
        year = int(path.stem)
        assert {day.year for day in one_year.holidays | one_year.make_up_days} == {year}
        assert not one_year.holidays & one_year.make_up_days
        assert all(day.weekday() >= 5 for day in one_year.make_up_days)


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("to: 2026-01-03", "to: soon", "this must be a day of 2026"),
        ("to: 2026-01-03", "to: 2025-12-31", "this must be a day of 2026"),
        ("from: 2026-10-01", "from: 2026-10-09", "this day lies before the first one"),
        ("format: jiayuan-calendar-1", "format: other", "this must be jiayuan-calendar-1"),
        ("make_up: [2026-01-04]", "make_up: [2026-02-16]", "2026-02-16 is a day off, and cannot make up for one"),
        ("to: 2026-06-21", "to: 2026-09-21", "no year has more than 60 days off, these are 125"),
    ],
)
def test_each_fault_of_a_calendar_is_named(tmp_path, old, new, message):
    text = (DATA / "calendars" / "2026.yaml").read_text("utf-8")
    assert old in text
    path = tmp_path / "2026.yaml"
    path.write_text(text.replace(old, new, 1), "utf-8")

    with pytest.raises(DocumentError) as caught:
        load_calendar([path])
    assert message in [fault.text() for fault in caught.value.faults]
