import re
import shutil
from dataclasses import replace
from datetime import UTC, date, datetime
from pathlib import Path

import pytest

from analytics.languages import Wording
from survey_app.codes.posters import Poster, address_to_type, poster_pdf, poster_words
from survey_app.codes.slip_sheets import SLIPS_PER_SHEET, SLIPS_PER_VOLUME, Slip, SlipSheetText, slip_volumes
from survey_app.printing.typefaces import ChineseTypefaceMissing, find_typefaces, installed_typefaces
from survey_app.security.check_digits import CODE_DIGITS, grouped, new_number

pdfium = pytest.importorskip("pypdfium2")
pytest.importorskip("zxingcpp")
from tests.survey_app.printing.scanning import scan, scan_all, worn  # noqa: E402 (needs zxingcpp)

NOW = datetime(2026, 9, 1, tzinfo=UTC)
MONGOLIAN = "ᠰᠡᠳᠬᠢᠯ ᠬᠠᠩᠭᠠᠯᠤᠨ"
POSTER = Poster(
    community=Wording("学府花园", "Xuefu Garden"),
    building=None,
    district=Wording("海勃湾区", "Haibowan"),
    telephone="0473-2012345",
    round=Wording("2026年居民满意度调查", "Residents' survey 2026"),
    first_day=date(2026, 9, 1),
    last_day=date(2026, 9, 30),
    address=f"https://wj.example.gov.cn/s/{new_number(CODE_DIGITS)}",
    typed_code=new_number(CODE_DIGITS),
    second_language_line=None,
)
SLIPS_OF = SlipSheetText(
    community=POSTER.community,
    building="3号楼",
    district=POSTER.district,
    telephone=POSTER.telephone,
    last_day=date(2026, 9, 30),
)


@pytest.fixture(scope="module")
def typefaces():
    try:
        return installed_typefaces()
    except ChineseTypefaceMissing as error:
        pytest.skip(str(error))


@pytest.fixture(scope="module")
def chinese_font():
    path = Path("/usr/share/fonts/opentype/noto/NotoSansCJK-Regular.ttc")
    if not path.exists():
        pytest.skip("fonts-noto-cjk is not installed")
    return path


def make_pdf(typefaces, language="zh-Hans", **values):
    return poster_pdf(replace(POSTER, **values), language=language, typefaces=typefaces, now=NOW)


def pages(pdf):
    with pdfium.PdfDocument(pdf) as document:
        return [document[number].render(scale=2).to_pil() for number in range(len(document))]


def texts(pdf):
    with pdfium.PdfDocument(pdf) as document:
        return [document[number].get_textpage().get_text_bounded() for number in range(len(document))]


def make_slips(count):
    return [Slip(f"https://wj.example.gov.cn/h/{new_number(39)}", new_number(16)) for _ in range(count)]


def test_a_poster_is_one_page_of_a4_that_says_what_a_resident_needs(typefaces):
    pdf = make_pdf(typefaces)

    (text,) = texts(pdf)
    for said in (
        *("2026年居民满意度调查", "2026年9月1日至2026年9月30日", "海勃湾区", "学府花园", "wj.example.gov.cn"),
        *("海勃湾区住建局", "电话 0473-2012345", "物业公司看不到您的答卷", grouped(POSTER.typed_code)),
    ):
        assert said.replace(" ", "") in text.replace(" ", ""), said
    (page,) = pages(pdf)
    assert [round(side / 2 / 72 * 25.4) for side in page.size] == [210, 297]


def test_the_code_on_a_printed_poster_is_read_when_it_is_worn(typefaces):
    (page,) = pages(make_pdf(typefaces))
    width, height = page.size
    code = page.crop((int(width * 0.2), int(height * 0.3), int(width * 0.8), int(height * 0.71)))

    assert scan(page) == POSTER.address
    assert scan(worn(code, blot=0.1, degrees=11)) == POSTER.address


def test_an_english_poster_has_the_english_names(typefaces):
    (text,) = texts(make_pdf(typefaces, language="en"))

    assert {"Xuefu Garden", "Haibowan Housing Bureau, tel. 0473-2012345"} <= set(text.splitlines())


def test_the_simplified_chinese_face_is_the_one_that_is_embedded(typefaces):
    faces = embedded_faces(make_pdf(typefaces))

    assert faces
    assert all(re.search(r"(CJKsc|SC|CN|MicroHei|ZenHei|YaHei)-?", face) for face in faces), faces


def embedded_faces(pdf):
    raw = pdfium.raw
    with pdfium.PdfDocument(pdf) as document:
        faces = set()
        for found in document[0].get_objects(filter=[raw.FPDF_PAGEOBJ_TEXT], max_depth=8):
            font = raw.FPDFTextObj_GetFont(found)
            name = bytearray(200)
            buffer = (raw.c_char * 200).from_buffer(name)
            length = raw.FPDFFont_GetBaseFontName(font, buffer, 200)
            faces.add(bytes(name[: length - 1]).decode())
        return faces


@pytest.mark.parametrize("name", ["府", "内蒙古自治区乌海市海勃湾区滨河新区金裕华府三期棚户区改造安置小区东院"])
def test_a_poster_stays_one_page_with_a_readable_code_whatever_its_name(typefaces, name):
    pdf = make_pdf(
        typefaces,
        community=Wording(name, name),
        building="12号楼3单元",
        second_language_line="Оршин суугчдын сэтгэл ханамжийн судалгаа",
    )

    (page,) = pages(pdf)
    assert scan(page) == POSTER.address
    assert "Оршин" in texts(pdf)[0]


def test_the_same_poster_made_at_the_same_time_is_the_same_file(typefaces):
    assert make_pdf(typefaces) == make_pdf(typefaces)


def test_what_is_typed_in_a_name_is_printed_and_never_run(typefaces):
    odd = "#pagebreak() *府* $x$ “园”"

    (text,) = texts(make_pdf(typefaces, community=Wording(odd, odd)))

    assert odd in text


def test_a_character_that_no_typeface_holds_is_substituted_visibly_and_named(chinese_font, tmp_path):
    shutil.copy(chinese_font, tmp_path)
    only_chinese = find_typefaces(folder=tmp_path)

    (text,) = texts(make_pdf(only_chinese, community=Wording("学\U000f0000园", None)))

    assert only_chinese.missing(["学\U000f0000园", MONGOLIAN])[-1] == "\U000f0000"
    assert "ᠰ" in only_chinese.missing([MONGOLIAN])
    assert "学〓园" in text


def test_a_machine_without_chinese_typefaces_says_what_to_install(tmp_path):
    with pytest.raises(ChineseTypefaceMissing, match="apt install fonts-noto-cjk"):
        find_typefaces(folder=tmp_path)


def test_traditional_mongolian_runs_downwards_beside_the_code(typefaces):
    if missing := typefaces.missing([MONGOLIAN]):
        pytest.skip(f"no typeface here holds {missing}")
    pdf = make_pdf(typefaces, second_language_line=MONGOLIAN)

    with pdfium.PdfDocument(pdf) as document:
        textpage = document[0].get_textpage()
        boxes = [
            textpage.get_charbox(index)
            for index in range(textpage.count_chars())
            if "\u1800" <= textpage.get_text_range(index, 1) <= "\u18af"
        ]
    left, right = min(box[0] for box in boxes), max(box[2] for box in boxes)
    bottom, top = min(box[1] for box in boxes), max(box[3] for box in boxes)
    assert top - bottom > 4 * (right - left)
    assert boxes[0][3] > boxes[-1][3]


@pytest.mark.parametrize(
    ("address", "typed"),
    [
        ("https://wj.example.gov.cn/s/123", "wj.example.gov.cn"),
        ("http://192.168.1.20:8000/s/123", "http://192.168.1.20:8000"),
        ("https://wj.example.gov.cn:8443/s/123", "wj.example.gov.cn:8443"),
    ],
)
def test_only_what_must_be_typed_to_reach_the_site_is_printed(address, typed):
    assert address_to_type(address) == typed


def test_every_slip_of_a_sheet_is_read_and_can_be_typed(typefaces):
    slips = make_slips(SLIPS_PER_SHEET + 3)

    (pdf,) = slip_volumes(slips, SLIPS_OF, language="zh-Hans", typefaces=typefaces, now=NOW)

    found = [address for page in pages(pdf) for address in scan_all(page)]
    assert sorted(found) == sorted(slip.address for slip in slips)
    text = "".join(texts(pdf))
    assert all(text.count(grouped(slip.typed_code)) == 1 for slip in slips)
    for said in ("学府花园3号楼", "有效期至2026年9月30日", "物业公司看不到您的答卷", "海勃湾区住建局"):
        assert text.replace(" ", "").count(said.replace(" ", "")) >= len(slips), said


def test_a_printed_slip_is_read_when_it_is_worn(typefaces):
    (slip,) = make_slips(1)
    (pdf,) = slip_volumes([slip], SLIPS_OF, language="zh-Hans", typefaces=typefaces, now=NOW)

    (page,) = pages(pdf)
    width, height = page.size
    code = page.crop((int(width * 0.045), int(height * 0.05), int(width * 0.215), int(height * 0.19)))

    assert scan(worn(code, blot=0.1, degrees=11, blur_radius=1)) == slip.address


def test_a_long_list_becomes_volumes_and_is_asked_for_as_it_is_printed(typefaces):
    asked = []

    def issue():
        for slip in make_slips(SLIPS_PER_VOLUME + 1):
            asked.append(slip)
            yield slip

    volumes = slip_volumes(issue(), SLIPS_OF, language="zh-Hans", typefaces=typefaces, now=NOW)

    first = next(volumes)
    assert len(asked) == SLIPS_PER_VOLUME
    assert len(texts(first)) == SLIPS_PER_VOLUME // SLIPS_PER_SHEET
    assert [len(texts(volume)) for volume in volumes] == [1]
    assert "第 1 册 · 42 / 42" in texts(first)[-1]


def test_no_slips_are_no_volumes(typefaces):
    assert list(slip_volumes([], SLIPS_OF, language="zh-Hans", typefaces=typefaces, now=NOW)) == []


@pytest.mark.parametrize(
    ("language", "said"), [("zh-Hans", "投诉、报修、咨询：随时扫这个二维码"), ("en", "at any time")]
)
def test_a_poster_says_that_its_code_takes_complaints_too(language, said):
    assert said in poster_words(POSTER, language)["complain"]
