"""Slip sheets: household codes to be cut apart and handed out by the neighbourhood office."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from itertools import count, islice
from pathlib import Path

from babel.dates import format_date

from analytics.languages import Wording
from survey_app.catalogue import translator
from survey_app.codes.posters import address_to_type, contact
from survey_app.printing.qr import Level, encode, svg
from survey_app.printing.typefaces import Typefaces
from survey_app.printing.typst import typeset
from survey_app.security.check_digits import grouped

SLIPS_PER_SHEET = 12
SLIPS_PER_VOLUME = 42 * SLIPS_PER_SHEET
"""A long list becomes several files: a printer takes them one by one, and memory does not grow with the list."""

_TEMPLATE = Path(__file__).parent / "slips.typ"


@dataclass(frozen=True)
class Slip:
    """Slip of one household: the code to scan, and the digits to type instead."""

    address: str
    typed_code: str


@dataclass(frozen=True)
class SlipSheetText:
    """Text that all slips of one community or building share."""

    community: Wording
    building: str | None
    district: Wording
    telephone: str | None
    last_day: date


def slip_volumes(
    slips: Iterable[Slip], whose: SlipSheetText, *, language: str, typefaces: Typefaces, now: datetime
) -> Iterator[bytes]:
    """Yield PDFs of up to `SLIPS_PER_VOLUME` slips; slips are asked for as they are needed."""
    remaining = iter(slips)
    for number in count(1):
        volume = list(islice(remaining, SLIPS_PER_VOLUME))
        if not volume:
            return
        yield _volume_pdf(volume, whose, number, language=language, typefaces=typefaces, now=now)


def _volume_pdf(
    slips: Sequence[Slip], whose: SlipSheetText, number: int, *, language: str, typefaces: Typefaces, now: datetime
) -> bytes:
    words = typefaces.printable(slip_words(whose, slips[0].address, number, language))
    codes = encode([slip.address for slip in slips], Level.Q)
    data = {
        **words,
        "language": language.partition("-")[0],
        "slips": [
            {"code": svg(code), "typed_code": grouped(slip.typed_code)} for slip, code in zip(slips, codes, strict=True)
        ],
    }
    return typeset(_TEMPLATE, data, typefaces=typefaces, now=now, is_tagged=False)


def slip_words(whose: SlipSheetText, address: str, volume: int, language: str) -> dict[str, str]:
    """Return all text in a volume of slips except their codes."""
    _ = translator(language)
    place = " ".join(filter(None, (whose.community.in_language(language), whose.building)))
    last_day = format_date(whose.last_day, "long", locale=language.replace("-", "_"))
    district = whose.district.in_language(language)
    return {
        "bureau": contact(whose.district, None, language),
        "sheet": _("%(district)s · %(place)s · household codes, cut along the dotted lines")
        % {"district": district, "place": place},
        "volume": _("Volume %(number)s") % {"number": volume},
        "community": place,
        "how": _("Scan to answer the residents' survey: about 3 minutes, once for each household."),
        "until": _("Valid until %(day)s.") % {"day": last_day},
        "type_instead": _("No camera? Open this page and type the number"),
        "site": address_to_type(address),
        "assurance": _("The property company cannot see your answers"),
        "contact": contact(whose.district, whose.telephone, language),
    }
