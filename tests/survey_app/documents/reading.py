"""Documents as a reader and a screen reader get them: the text of each page, the title, the language, the tags."""

import re
from datetime import UTC, datetime

import pypdfium2
import pypdfium2.raw as pdfium_c

from dashboards.address import View
from dashboards.frames.page_data import PageData
from survey_app.documents.cover import document_words, made_at
from survey_app.documents.kinds import KINDS
from survey_app.documents.sheets import document_pdf
from survey_app.printing.typefaces import installed_typefaces, texts_in

NOW = datetime(2026, 10, 5, 3, 20, tzinfo=UTC)


def view_of(city, *, language="en", region=None, **own):
    """Return the page data of the newest evaluation of a city."""
    shown = PageData.of(city, View(language=language, region=region, own=own))
    assert shown is not None
    return shown


def words_of(kind, city, *, now=NOW, **asked):
    """Return all words of a document of the newest evaluation of a city."""
    shown = view_of(city, **asked)
    return document_words(KINDS[kind](shown), shown, now=now)


def pdf_of(kind, city, *, now=NOW, **asked):
    """Return a document of the newest evaluation of a city as PDF."""
    shown = view_of(city, **asked)
    words = document_words(KINDS[kind](shown), shown, now=now)
    return document_pdf(words, typefaces=installed_typefaces(), made_at=made_at(shown, now=now))


def pages_of(pdf):
    """Return the text of each page."""
    with pypdfium2.PdfDocument(pdf) as document:
        return [page.get_textpage().get_text_bounded() for page in document]


def compact(text):
    """Return a text without what a line break may change: blanks, and the hyphens at which words are divided."""
    return re.sub(r"[\s\x02\ufffe\xad-]", "", text)


def body_of(pdf, words):
    """Return the text of all pages without what stands above and below each of them, so that a sentence is whole."""
    pages = pages_of(pdf)
    bodies = []
    for number, page in enumerate(pages, start=1):
        text = compact(page)
        place = words["page"].replace("{page}", str(number)).replace("{pages}", str(len(pages)))
        for around in (words["running"] + words["state"], words["made"] + place):
            assert compact(around) in text
            text = text.replace(compact(around), "", 1)
        bodies.append(text)
    return "".join(bodies)


def blocks_of(words, kind):
    return [block for block in words["blocks"] if block["kind"] == kind]


def table_of(words, caption):
    """Return the texts of the cells of one table, row by row."""
    [found] = [block for block in blocks_of(words, "table") if block["caption"] == caption]
    return [[cell["text"] for cell in row] for row in found["rows"]]


def texts_on_paper(words):
    """Return every text of a document that is set as text."""
    unset = {"kind", "svg", "language", "page", "document_title", "author"}
    kept = [{name: value for name, value in block.items() if name not in unset} for block in words["blocks"]]
    frame = {name: value for name, value in words.items() if name not in unset | {"blocks", "running", "made"}}
    return {compact(line) for text in texts_in([frame, kept]) for line in text.split("\n")}


def about(pdf):
    """Return title, language, whether it is tagged and the kinds of the tags of a PDF."""
    with pypdfium2.PdfDocument(pdf) as document:
        length = pdfium_c.FPDFCatalog_GetLanguage(document, None, 0)
        buffer = (pdfium_c.FPDF_WCHAR * length)()
        pdfium_c.FPDFCatalog_GetLanguage(document, buffer, length)
        language = bytes(buffer).decode("utf-16-le").rstrip("\0")
        tags = {tag for page in document for tag in _tags_on(page)}
        is_tagged = bool(pdfium_c.FPDFCatalog_IsTagged(document))
        return document.get_metadata_dict()["Title"], language, is_tagged, tags


def _tags_on(page):
    tree = pdfium_c.FPDF_StructTree_GetForPage(page)
    for place in range(pdfium_c.FPDF_StructTree_CountChildren(tree)):
        yield from _tags_in(pdfium_c.FPDF_StructTree_GetChildAtIndex(tree, place))
    pdfium_c.FPDF_StructTree_Close(tree)


def _tags_in(element):
    if not element:
        return
    length = pdfium_c.FPDF_StructElement_GetType(element, None, 0)
    buffer = (pdfium_c.FPDF_WCHAR * ((length + 1) // 2))()
    pdfium_c.FPDF_StructElement_GetType(element, buffer, length)
    yield bytes(buffer).decode("utf-16-le").rstrip("\0")
    for place in range(pdfium_c.FPDF_StructElement_CountChildren(element)):
        yield from _tags_in(pdfium_c.FPDF_StructElement_GetChildAtIndex(element, place))
