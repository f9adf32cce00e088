"""Number formats of a spreadsheet: what a cell shows of the number that it holds."""

import re
from decimal import Decimal
from functools import lru_cache
from itertools import takewhile
from typing import Final, NamedTuple

_PARTS: Final = re.compile(r'"[^"]*"|\\.|_.|\*.|\[[^\]]*\]|[eE][+-]|AM/PM|.', re.DOTALL | re.IGNORECASE)
_PLACES: Final = frozenset("0#?")
# Words of dates, letters of a text, and fractions: what is shown is not the number's own digits.
_OTHER_KINDS: Final = frozenset("ymdhsbgeaYMDHSBGEA@/")
_SHOWN_AS_NOTHING: Final = frozenset({",", "_", "*"})
_LONGEST_FORMAT: Final = 255


class _Format(NamedTuple):
    """A format that shows the digits of a number: its parts before and after the point, and how often it is ×100."""

    whole: tuple[str, ...]
    decimals: int
    after: str
    percents: int


def shown_number(number: Decimal, number_format: str) -> str | None:
    r"""Return what a spreadsheet shows of a number where that is more than its plain digits, or None.

    Leading zeros, the words beside a number and percentages count; marks of thousands do not. What a format rounds away
    is not shown but held: such a number has its plain digits.

    Parameters
    ----------
    number : Decimal
    number_format : str
        Such as ``General``, ``0000000000``, ``0.0%`` or ``"No. "000``.

    Returns
    -------
    str or None

    Examples
    --------
    >>> shown_number(Decimal(15030001), "0000000000"), shown_number(Decimal("0.05"), "0%")
    ('0015030001', '5%')
    >>> shown_number(Decimal(1234567), "000-0000"), shown_number(Decimal(12), "yyyy")
    ('123-4567', None)
    >>> shown_number(Decimal(7), '"WH"0000;(0)'), shown_number(Decimal(1234), "#,##0.00")
    ('WH0007', None)
    """
    form = _parse(number_format)
    if form is None or number < 0:
        return None
    scaled = number.scaleb(2 * form.percents)
    if round(scaled, form.decimals) != scaled:
        return None
    digits, _, fraction = f"{scaled:.{form.decimals}f}".partition(".")
    fraction = fraction.rstrip("0")
    text = _whole_part(form.whole, digits) + (f".{fraction}" if fraction else "") + form.after
    return None if text in {"", f"{number:f}"} or text.startswith(".") else text


@lru_cache(maxsize=512)
def _parse(number_format: str) -> _Format | None:
    """Return the parts of the section for positive numbers, or None for what is general or no plain number."""
    if number_format.lower() == "general" or len(number_format) > _LONGEST_FORMAT:
        return None
    section = list(takewhile(lambda part: part != ";", _PARTS.findall(number_format)))
    if _PLACES.isdisjoint(section) or any(map(_is_of_other_kind, section)):
        return None
    point = section.index(".") if "." in section else len(section)
    whole = [part if part in _PLACES else f"={_literal(part)}" for part in section[:point]]
    beyond = section[point + 1 :]
    after = "".join(_literal(part) for part in beyond if part not in _PLACES)
    return _Format(tuple(whole), sum(part in _PLACES for part in beyond), after, section.count("%"))


def _is_of_other_kind(part: str) -> bool:
    """Return whether a part of a format belongs to a date, a text, a fraction, or a power of ten."""
    return part in _OTHER_KINDS or (len(part) > 1 and part[0] in "eEaA")


def _literal(part: str) -> str:
    """Return the words that a part shows: nothing for colours, conditions, and blanks as wide as a sign."""
    if len(part) > 1:
        return {'"': part[1:-1], "\\": part[1:]}.get(part[0], "")
    return "" if part in _SHOWN_AS_NOTHING else part


def _whole_part(places: tuple[str, ...], digits: str) -> str:
    """Return digits laid into their places from the right; the first place takes all that are left."""
    rest = digits.lstrip("0")
    first = next(index for index, place in enumerate(places) if place in _PLACES) if _PLACES & set(places) else 0
    shown: list[str] = []
    for index in range(len(places) - 1, -1, -1):
        place = places[index]
        if place not in _PLACES:
            shown.append(place[1:])
            continue
        digit, rest = (rest, "") if index == first else (rest[-1:], rest[:-1])
        shown.append(digit or ("0" if place == "0" else ""))
    return "".join(reversed(shown))
