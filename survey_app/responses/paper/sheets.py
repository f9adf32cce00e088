"""Paper questionnaires as PDF: a blank one to be copied, or one for each household with the code of its slip."""

from collections.abc import Sequence
from datetime import datetime
from pathlib import Path

from survey_app.codes.slip_sheets import Slip, SlipSheetText
from survey_app.printing.qr import Level, encode, svg
from survey_app.printing.typefaces import Typefaces
from survey_app.printing.typst import typeset
from survey_app.responses.paper.words import PaperSurvey, paper_words
from survey_app.security.check_digits import grouped

FORMS_PER_VOLUME = 25
"""Forms in one file: a printer takes them one by one, and memory does not grow with the list."""

_TEMPLATE = Path(__file__).parent / "paper.typ"


def paper_pdf(
    survey: PaperSurvey,
    whose: SlipSheetText,
    *,
    slips: Sequence[Slip] = (),
    is_large: bool,
    language: str,
    typefaces: Typefaces,
    now: datetime,
) -> bytes:
    """Return the PDF of one questionnaire for each slip, or without slips of a blank one."""
    words = typefaces.printable(paper_words(survey, whose, language=language, is_large=is_large))
    codes = encode([slip.address for slip in slips], Level.Q) if slips else ()
    data = {
        **words,
        "language": language.partition("-")[0],
        "is_large": is_large,
        "forms": [
            {"code": svg(code), "typed_code": grouped(slip.typed_code), "address": slip.address}
            for slip, code in zip(slips, codes, strict=True)
        ],
    }
    # As of sheets of slips: on hundreds of forms tags would take more room than the forms.
    return typeset(_TEMPLATE, data, typefaces=typefaces, now=now, is_tagged=not slips)
