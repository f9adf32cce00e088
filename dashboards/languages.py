"""Translations of the dashboards' own sentences, and numbers and dates as each language writes them."""

from datetime import date, datetime, time, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

from babel.dates import format_date

from analytics import languages
from analytics.languages import Translate

TRANSLATIONS = Path(__file__).parent / "translations"
NAMES = {"zh-Hans": "中文", "en": "English"}
_LOCALES = {"zh-Hans": "zh_Hans_CN", "en": "en_GB"}


def translator(language: str) -> Translate:
    """Return the function that translates an English sentence of this package into `language`."""
    return languages.translator(language, TRANSLATIONS)


def pick(language: str, chinese: str | None, english: str | None) -> str:
    """Return a name in `language`, or the Chinese one where no English one is known; "" where there is none.

    What is missing in a frame is NaN and not always None.
    """
    if language == "en" and isinstance(english, str) and english:
        return english
    return chinese if isinstance(chinese, str) else ""


def day(moment: date, language: str) -> str:
    """Return a day in full."""
    return str(format_date(moment, "long", locale=_LOCALES[language]))


def minute(moment: datetime, language: str, time_zone: str) -> str:
    """Return an instant in the city's local time, to the minute."""
    local = moment.astimezone(ZoneInfo(time_zone))
    return f"{day(local, language)} {local:%H:%M}"


def end(moment: datetime, language: str, time_zone: str) -> str:
    """Return an exclusive end in the city's local time; what ends at midnight ends with the day before."""
    _ = translator(language)
    if moment.astimezone(ZoneInfo(time_zone)).time() != time():
        return minute(moment, language, time_zone)
    return _("the end of {day}").format(day=day(last_day(moment, time_zone), language))


def last_day(moment: datetime, time_zone: str) -> date:
    """Return the last local day before an exclusive end."""
    return (moment - timedelta(seconds=1)).astimezone(ZoneInfo(time_zone)).date()
