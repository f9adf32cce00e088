"""Scans of PDF documents: a whole one is kept as it was sent, since it is only ever handed out to be saved."""

from typing import Final

from survey_app.attachments.scanning import PDF, AttachmentFault, AttachmentRefused, ScannedFile

_END: Final = b"%%EOF"
# Readers look for the end of a document so far from the end of its file.
_LONGEST_TAIL: Final = 1024


def scan_document(content: bytes) -> ScannedFile:
    """Return a document as it came, or raise `AttachmentRefused` where its end is missing.

    >>> scan_document(b"%PDF-1.7 ... %%EOF").media_type
    'application/pdf'
    """
    if _END not in content[-_LONGEST_TAIL:]:
        raise AttachmentRefused(AttachmentFault.DOCUMENT_CUT_OFF)
    return ScannedFile(PDF.name, content)
