"""What every official document is: whole, tagged, the same for the same day, and open about a preview."""

from datetime import timedelta

import pytest

from analytics.languages import LANGUAGES
from survey_app.documents.kinds import KINDS
from survey_app.printing.typefaces import translated
from tests.dashboards.made_up import MadeUpCity, places
from tests.survey_app.documents.reading import NOW, about, body_of, compact, pages_of, pdf_of, texts_on_paper, words_of

# Typst's markup and code, TeX, formulas of spreadsheets, HTML, and marks that turn the direction of a text.
HOSTILE = (
    "#panic(1)",
    "*bold* _thin_ `raw`",
    '$x^2$ <label> @ref "] \\',
    "= heading // ends",
    "=HYPERLINK(1)",
    "</text><script>",
    "\u202edesrever\u2066 {page}",
)
ASKED = {"community": "150117"}


@pytest.fixture(scope="module", params=list(KINDS))
def kind(request):
    return request.param


@pytest.fixture(scope="module", params=LANGUAGES)
def language(request):
    return request.param


@pytest.fixture(scope="module")
def pdf(kind, language, city):
    return pdf_of(kind, city, language=language, **ASKED)


@pytest.fixture(scope="module")
def words(kind, language, city):
    return words_of(kind, city, language=language, **ASKED)


def test_every_word_is_on_the_paper(pdf, words):
    paper = body_of(pdf, words)

    missing = {text for text in texts_on_paper(words) if text not in paper}

    assert missing == set()


def test_each_page_has_its_number_the_day_and_how_far_the_result_has_come(pdf, words):
    pages = pages_of(pdf)
    for number, page in enumerate(pages, start=1):
        place = words["page"].format(page=number, pages=len(pages))
        assert compact(words["running"] + words["state"]) in compact(page)
        assert compact(words["made"] + place) in compact(page)


def test_it_tells_a_screen_reader_title_language_and_what_is_what(pdf, words, language):
    title, spoken, is_tagged, tags = about(pdf)

    assert title == words["document_title"]
    assert spoken == {"zh-Hans": "zh-CN", "en": "en"}[language]
    assert is_tagged
    assert {"H1", "Table", "TR", "TH", "TD", "Figure", "P"} <= tags
    assert b"<pdfuaid:part>1</pdfuaid:part>" in pdf


def test_every_drawing_says_what_it_shows_and_its_numbers_are_listed(words):
    kinds = [block["kind"] for block in words["blocks"]]

    assert "drawing" in kinds
    for place, block in enumerate(words["blocks"]):
        if block["kind"] == "drawing":
            assert len(block["description"]) > 10
            assert kinds[place + 1] == "table"


def test_the_same_result_on_the_same_day_is_the_same_file(kind, city, pdf, language):
    again = pdf_of(kind, city, language=language, now=NOW + timedelta(hours=9), **ASKED)
    on_the_next_day = pdf_of(kind, city, language=language, now=NOW + timedelta(days=1), **ASKED)

    assert again == pdf
    assert on_the_next_day != pdf


def test_it_carries_the_check_codes_in_full_and_says_what_they_are_not(pdf, city, language):
    header = city.evaluations()[0]
    paper = compact("".join(pages_of(pdf)))

    for digest in (header.rules.sha256, header.inputs_sha256, header.standings_sha256):
        assert digest in paper
    assert compact({"zh-Hans": "不是印章", "en": "no seal"}[language]) in paper


def test_there_are_lines_to_sign_and_for_the_number_of_the_document(pdf, language):
    paper = compact("".join(pages_of(pdf)))
    lines = {
        "zh-Hans": ("制表", "审核", "签发", "日期", "本文件文号"),
        "en": ("Prepared by", "Checked by", "Approved by", "Date", "Number of this document"),
    }

    assert [line for line in lines[language] if compact(line) not in paper] == []


def test_a_preview_says_so_on_every_page(kind, preview_city, language):
    said = {"zh-Hans": "预览，非正式结果", "en": "preview"}[language]
    pages = pages_of(pdf_of(kind, preview_city, language=language, **ASKED))

    assert all(said in compact(page) for page in pages)
    assert {"zh-Hans": "尚未", "en": "isnotdecided"}[language] in compact(pages[0])


@pytest.mark.parametrize(("published", "said"), [((), "official, not yet published"), ((2,), "published")])
def test_it_says_whether_the_result_was_published(kind, published, said):
    words = words_of(kind, MadeUpCity(published=published), **ASKED)

    assert words["state"] == said
    assert words["notices"] == []


@pytest.fixture(scope="module")
def hostile_city():
    register = places()
    names = [HOSTILE[number % len(HOSTILE)] + f" {number}" for number in range(len(register))]
    return MadeUpCity(register=register.assign(name=names, english_name=None, company=names))


def test_a_hostile_name_is_set_as_the_text_that_it_is(kind, hostile_city):
    words = translated(words_of(kind, hostile_city, **ASKED), str.maketrans("", "", "\u202e\u2066"))
    texts = texts_on_paper(words)

    # It says so where "{page}" of a name became the number of the page.
    paper = body_of(pdf_of(kind, hostile_city, **ASKED), words)

    assert {text for text in texts if text not in paper} == set()
    assert "\u202e" not in paper
    assert any(compact(name) in text for text in texts for name in HOSTILE)


def test_a_name_without_a_typeface_has_the_mark_of_a_missing_type(kind):
    city = MadeUpCity(register=places().assign(name="\U00013080宅", english_name=None))

    assert "〓宅" in compact("".join(pages_of(pdf_of(kind, city, language="zh-Hans", **ASKED))))
