"""PDF typesetting with Typst: a template filled with data."""

import json
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path

import typst

from survey_app.printing.typefaces import Typefaces

# Typst keeps what it laid out until it was of no use for ten more documents: 30 MB for a batch of slips.
_DOCUMENTS_UNTIL_FORGOTTEN = 11


def typeset(
    template: Path,
    data: Mapping[str, object],
    *,
    typefaces: Typefaces,
    now: datetime,
    is_tagged: bool = True,
    standard: "typst.PDFStandard | None" = None,
) -> bytes:
    """Return the PDF of a template; the same data at the same time give the same bytes. Other threads go on working.

    Tags tell a screen reader what is what; on thousands of slips they would take more room than the slips. A `standard`
    is held to, or nothing is typeset.
    """
    compiler = typst.Compiler(
        template,
        root=template.parent,
        font_paths=typefaces.fonts,
        sys_inputs={"data": json.dumps({"typeface": typefaces.chinese, **data}, ensure_ascii=False)},
    )
    pdf = compiler.compile(format="pdf", timestamp=int(now.timestamp()), pdf_tags=is_tagged, pdf_standards=standard)
    assert isinstance(pdf, bytes)
    _forget(typefaces)
    return pdf


def _forget(typefaces: Typefaces) -> None:
    blank = typst.Compiler(font_paths=typefaces.fonts)
    for _ in range(_DOCUMENTS_UNTIL_FORGOTTEN):
        blank.compile(b"", format="svg")
