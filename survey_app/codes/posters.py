"""Posters: one A4 page for each community or building."""

import unicodedata
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from urllib.parse import urlsplit

from babel.dates import format_date

from analytics.languages import Wording
from survey_app.catalogue import translator
from survey_app.printing.qr import Level, encode, svg
from survey_app.printing.typefaces import Typefaces
from survey_app.printing.typst import typeset
from survey_app.register.names import bureau_name
from survey_app.security.check_digits import grouped

_TEMPLATE = Path(__file__).parent / "poster.typ"


@dataclass(frozen=True)
class Poster:
    """Contents of one poster. Without a round it only invites to scan: a code outlives a round."""

    community: Wording
    building: str | None
    district: Wording
    telephone: str | None
    round: Wording | None
    first_day: date | None
    last_day: date | None
    address: str
    typed_code: str
    second_language_line: str | None


def poster_pdf(poster: Poster, *, language: str, typefaces: Typefaces, now: datetime) -> bytes:
    """Return the PDF of a poster in one of the site's languages, with its community's line in another language."""
    words = typefaces.printable(poster_words(poster, language))
    data = {
        **words,
        "language": language.partition("-")[0],
        "is_vertical": is_vertical(words["second_line"]),
        "address": poster.address,
        "code": svg(encode([poster.address], Level.H)[0]),
    }
    return typeset(_TEMPLATE, data, typefaces=typefaces, now=now)


def poster_words(poster: Poster, language: str) -> dict[str, str]:
    """Return all text on a poster; what it does not have is empty."""
    _ = translator(language)
    return {
        "purpose": poster.round.in_language(language) if poster.round else _("How good is property management here?"),
        "until": _period(poster, language),
        "district": poster.district.in_language(language),
        "community": poster.community.in_language(language),
        "building": poster.building or "",
        "second_line": poster.second_language_line or "",
        "bureau": contact(poster.district, None, language),
        "scan": _("Scan with your phone: about 3 minutes"),
        "complain": _("Complaints, repairs and questions: the same code, at any time"),
        "type_instead": _("No camera? Open this page and type the number"),
        "site": address_to_type(poster.address),
        "typed_code": grouped(poster.typed_code),
        "assurance": _("The property company cannot see your answers"),
        "contact": contact(poster.district, poster.telephone, language),
    }


def is_vertical(line: str) -> bool:
    """Return whether a line is written in the traditional Mongolian script, which runs downwards."""
    return any(unicodedata.name(character, "").startswith("MONGOLIAN") for character in line)


def address_to_type(address: str) -> str:
    """Return the address to type to reach the site: a browser adds https:// and the path is not needed."""
    parts = urlsplit(address)
    return parts.netloc if parts.scheme == "https" else f"{parts.scheme}://{parts.netloc}"


def contact(district: Wording, telephone: str | None, language: str) -> str:
    """Return the contact for questions."""
    _ = translator(language)
    bureau = bureau_name(district, language)
    return _("%(bureau)s, tel. %(telephone)s") % {"bureau": bureau, "telephone": telephone} if telephone else bureau


def _period(poster: Poster, language: str) -> str:
    if poster.first_day is None or poster.last_day is None:
        return ""
    _ = translator(language)
    first, last = (
        format_date(day, "long", locale=language.replace("-", "_")) for day in (poster.first_day, poster.last_day)
    )
    return _("%(first)s to %(last)s") % {"first": first, "last": last}
