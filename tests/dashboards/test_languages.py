"""Days and moments are written as people of each language say them."""

from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from analytics.languages import LANGUAGES
from dashboards.languages import day, end, last_day, minute

SHANGHAI = "Asia/Shanghai"


@pytest.mark.parametrize(
    ("language", "said"), [("zh-Hans", "2026年12月16日24时"), ("en", "the end of 16 December 2026")]
)
def test_what_ends_at_midnight_ends_with_the_day_before(language, said):
    assert end(datetime(2026, 12, 16, 16, tzinfo=UTC), language, SHANGHAI) == said


@pytest.mark.parametrize(("language", "said"), [("zh-Hans", "2026年12月17日 08:05"), ("en", "17 December 2026 08:05")])
def test_another_end_is_told_to_the_minute_in_local_time(language, said):
    assert end(datetime(2026, 12, 17, 0, 5, tzinfo=UTC), language, SHANGHAI) == said


@given(st.datetimes(datetime(2024, 1, 1), datetime(2030, 1, 1), timezones=st.just(UTC)))  # noqa: DTZ001
def test_an_end_never_names_a_day_that_nobody_could_answer_on(moment):
    local = moment + timedelta(hours=8)
    for language in LANGUAGES:
        last = last_day(moment, SHANGHAI)
        assert last == (local - timedelta(seconds=1)).date()
        is_midnight = (local.hour, local.minute, local.second, local.microsecond) == (0, 0, 0, 0)
        named = end(moment, language, SHANGHAI)
        assert (day(last, language) in named) if is_midnight else named == minute(moment, language, SHANGHAI)
    assert isinstance(last, date)
