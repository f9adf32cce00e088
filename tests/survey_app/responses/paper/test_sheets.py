import html
import re
from dataclasses import replace
from datetime import UTC, date, datetime

import pytest

from analytics.languages import Wording
from survey_app.codes.slip_sheets import Slip, SlipSheetText
from survey_app.models import Questionnaire
from survey_app.models.vocabulary import SupersededWithin
from survey_app.printing.typefaces import SUBSTITUTE, ChineseTypefaceMissing, installed_typefaces
from survey_app.responses.paper.print_runs import missing_on_forms
from survey_app.responses.paper.sheets import paper_pdf
from survey_app.responses.paper.words import MOST_COLUMNS, PaperSurvey
from survey_app.rounds.questionnaires import questionnaire_from_canonical
from survey_app.security.check_digits import SLIP_DIGITS, grouped, new_number
from tests.accounts import make_account, signed_in_client
from tests.factories import make_community, make_round_around
from tests.survey_app.responses.paper.questionnaires import EVERY, SHIPPED

pdfium = pytest.importorskip("pypdfium2")
pytest.importorskip("zxingcpp")
from tests.survey_app.printing.scanning import scan_all  # noqa: E402 (needs zxingcpp)

NOW = datetime(2026, 9, 1, tzinfo=UTC)
SURVEY = PaperSurvey(
    round=Wording("2026年居民满意度调查", "Residents' survey 2026"),
    questionnaire=SHIPPED[-1],
    takes_slips=True,
    needs_slip=False,
    replaced_within=SupersededWithin.TENURE,
    evaluator=Wording("评估中心", "Evaluation Centre"),
    kept_until=date(2027, 9, 30),
    public_url="https://wj.example.gov.cn",
)
WHOSE = SlipSheetText(
    community=Wording("学府花园", "Xuefu Garden"),
    building=None,
    district=Wording("海勃湾区", "Haibowan"),
    telephone="0473-2012345",
    last_day=date(2026, 9, 30),
)
POINTS_NO_PRINTER_REACHES = 5 / 25.4 * 72  # 5 mm from the edge
# “17.” of a question, and not a number with a point in it.
NUMBERED = re.compile(r"(?<!\d)\d+\.(?!\d)")
NAMES = [f"{each.key}-{each.version}" for each in EVERY]


@pytest.fixture(scope="module")
def typefaces():
    try:
        return installed_typefaces()
    except ChineseTypefaceMissing as error:
        pytest.skip(str(error))


def make_pdf(typefaces, *, slips=(), is_large=False, language="zh-Hans", whose=WHOSE, **values):
    survey = replace(SURVEY, **values)
    return paper_pdf(survey, whose, slips=slips, is_large=is_large, language=language, typefaces=typefaces, now=NOW)


def make_slips(count):
    return [Slip(f"https://wj.example.gov.cn/h/{new_number(39)}", new_number(SLIP_DIGITS)) for _ in range(count)]


def pages(pdf):
    with pdfium.PdfDocument(pdf) as document:
        return [re.sub(r"\s", "", page.get_textpage().get_text_bounded()) for page in document]


def squeezed(text):
    return re.sub(r"\s", "", text)


LEGEND_OR_LINE = re.compile(
    r'<p class="codes">(?P<legend>.*?)</p>'
    r'|<div class="line" id="(?P<key>q\d+)">\s*<label[^>]*>(?P<number>\d+)\.(?P<line>.*?)</div>',
    re.DOTALL,
)


def fields_of(page):
    """Yield key, number and choices of each field on the page for typing in: its own codes, or those of the legend."""
    legend = []
    for found in LEGEND_OR_LINE.finditer(html.unescape(page)):
        codes = re.findall(r"<span><b>(\d+)</b> (.*?)</span>", found["legend"] or found["line"])
        if found["legend"]:
            legend = codes
        else:
            is_typed_as_text = "<textarea" in found["line"]
            yield found["key"], found["number"], [] if is_typed_as_text else codes or legend


def entry_fields(app, database, questionnaire):
    now = datetime.now(UTC)
    with database.writing() as session:
        stored = Questionnaire(
            key=questionnaire.key,
            version=questionnaire.version,
            text=questionnaire.canonical_text,
            sha256=questionnaire.sha256,
            published_at=now,
        )
        session.add(stored)
        make_round_around(session, now, questionnaire=stored, accepts_households=True)
        community = make_community(session)
        make_account(session, "clerk", district=community.district, now=now)
        address = f"/staff/entry/{community.id}/paper"
    return list(fields_of(signed_in_client(app, "clerk").get(address).text))


@pytest.mark.parametrize("questionnaire", EVERY, ids=NAMES)
def test_paper_asks_what_the_entry_page_asks_in_its_order_with_its_numbers_and_codes(
    app, sqlite_database, typefaces, questionnaire
):
    fields = entry_fields(app, sqlite_database, questionnaire)

    assert len(fields) == len(questionnaire.questions) - len(questionnaire.photo_questions)
    for is_large in (False, True):
        pdf = make_pdf(typefaces, questionnaire=questionnaire, is_large=is_large)
        compare_with_paper(fields, questionnaire, "".join(pages(pdf)), has_tables=not is_large)


def compare_with_paper(fields, questionnaire, printed, *, has_tables):
    printed = re.sub(r"海勃湾区·学府花园第\d+页，共\d+页(沿虚线剪下.{0,200}?修改码)?", "", printed)
    place = printed.index(squeezed(questionnaire.sections[0].heading.zh_hans))
    for key, number, codes in fields:
        question = questionnaire.question(key)
        assert int(number) == 1 + questionnaire.questions.index(question)  # as on phones
        if has_tables and question.scale and len(codes) <= MOST_COLUMNS:
            assert "".join(label for _code, label in codes) in printed  # the heads of the columns
            choices = "".join(code for code, _label in codes)
        else:
            choices = "".join(code if code == label else code + label for code, label in codes)
        marks = "必答" * question.required + "(选几项都可以)" * (question.type == "multi")
        ends = "0绝不10一定" if question.ends else ""
        wanted = squeezed(f"{number}.{question.label.zh_hans}{marks}{ends}{choices}")
        found = printed.find(wanted, place)
        assert found >= 0, (wanted, printed[place : place + 300])
        # Between two questions stand headings, conditions, skips and the heads of columns, and no other question.
        assert not NUMBERED.search(printed[place:found]), printed[place:found]
        place = found + len(wanted)
    assert not NUMBERED.search(printed[place:])


@pytest.mark.parametrize("language", ["zh-Hans", "en"])
@pytest.mark.parametrize("count", [0, 3])
def test_the_official_questionnaire_is_one_sheet_printed_on_both_sides(typefaces, language, count):
    pdf = make_pdf(typefaces, slips=make_slips(count), language=language)

    assert len(pages(pdf)) == 2 * max(count, 1)


def test_every_household_begins_on_the_front_of_a_sheet(typefaces):
    slips = make_slips(2)

    printed = pages(make_pdf(typefaces, slips=slips, is_large=True))

    first, second = (squeezed(grouped(slip.typed_code)) for slip in slips)
    fronts = [place for place, page in enumerate(printed) if "第1页" in page]
    assert (fronts[0], fronts[1] % 2) == (0, 0)
    assert all(first in page for page in printed[: fronts[1]] if page)
    assert all(second in page for page in printed[fronts[1] :])


def test_large_print_has_letters_of_16_points_wherever_a_resident_reads(typefaces):
    with pdfium.PdfDocument(make_pdf(typefaces, is_large=True)) as document:
        sizes = {
            (round(found.get_font_size()), page)
            for page, sheet in enumerate(document)
            for found in sheet.get_objects(filter=[pdfium.raw.FPDF_PAGEOBJ_TEXT], max_depth=8)
        }

    # The foot of a page names the community and the page in 12 points.
    assert min(size for size, _page in sizes if size != 12) >= 16


def test_the_code_on_a_questionnaire_is_that_of_the_slip_and_stands_on_the_part_that_is_kept(typefaces):
    slips = make_slips(2)

    pdf = make_pdf(typefaces, slips=slips)

    with pdfium.PdfDocument(pdf) as document:
        found = [address for page in document for address in scan_all(page.render(scale=2).to_pil())]
    assert found == [slip.address for slip in slips]
    for front, back, slip in zip(pages(pdf)[::2], pages(pdf)[1::2], slips, strict=True):
        digits = slip.typed_code
        kept = front.partition("沿虚线剪下")[2]
        assert (front.count(digits), kept.count(digits), back.count(digits)) == (3, 1, 1)


@pytest.mark.parametrize("name", ["学府花园", "很长的小区名称" * 30])
def test_behind_what_is_cut_off_nothing_is_printed_whatever_the_name(typefaces, name):
    whose = replace(WHOSE, community=Wording(name, name))
    # In large print the second page is full.
    with pdfium.PdfDocument(make_pdf(typefaces, slips=make_slips(1), is_large=True, whose=whose)) as document:
        front, back, *_others = document
        words = front.get_textpage()
        place, _length = words.search("沿虚线剪下").get_next()
        _left, cut, _right, _top = words.get_charbox(place)
        lowest_in_front, lowest_behind = lowest_text(front), lowest_text(back)

    assert lowest_behind > cut > lowest_in_front
    assert lowest_in_front > POINTS_NO_PRINTER_REACHES


def lowest_text(page):
    words = page.get_textpage()
    return min(words.get_rect(place)[1] for place in range(words.count_rects()))


@pytest.mark.parametrize(
    ("takes_slips", "needs_slip", "said"),
    [(True, True, "请抄写您家入户通知单上的16位数字。"), (True, False, "没有通知单的可不填。"), (False, False, "")],
)
def test_a_blank_questionnaire_asks_for_the_digits_of_a_slip_where_the_round_takes_slips(
    typefaces, takes_slips, needs_slip, said
):
    front, _back = pages(make_pdf(typefaces, takes_slips=takes_slips, needs_slip=needs_slip))

    assert said in front
    assert ("户码数字" in front) is takes_slips
    assert ("户码密文" in front) is takes_slips
    assert ("没有通知单的可不填" in front) is (takes_slips and not needs_slip)


def test_the_notice_on_paper_says_who_keeps_what_until_when_and_how_to_have_it_back(typefaces):
    front, _back = pages(make_pdf(typefaces))

    notice = front[front.index("本调查由") : front.index("总体评价")]
    for said in (
        *(
            "海勃湾区住建局",
            "0473-2012345",
            "评估中心受托统计",
            "物业公司看不到个人答卷",
            "2027年9月30日",
            "销毁纸质问卷",
        ),
        *("自愿填写", "回执号和修改码", "撤回", "删除", "wj.example.gov.cn", "录入人员"),
    ):
        assert said in notice, said
    # Nothing is sent over a network.
    assert "网络地址" not in notice
    assert "请勿交给物业公司" in front


def test_an_unknown_telephone_or_evaluator_is_not_made_up(typefaces):
    front, _back = pages(make_pdf(typefaces, whose=replace(WHOSE, telephone=None), evaluator=None))

    assert "负责，用于评价" in front
    assert "受托统计" not in front
    assert "None" not in front


def test_a_question_for_photos_is_told_to_be_answered_by_phone(typefaces):
    printed = "".join(pages(make_pdf(typefaces, questionnaire=EVERY[-1])))

    assert "第2,6题是上传照片，只能用手机填写。" in printed


def test_a_character_that_no_typeface_holds_is_substituted_visibly_and_named(typefaces):
    odd = replace(WHOSE, community=Wording("学\U000f0000园", "Xuefu"))
    asked = questionnaire_from_canonical(EVERY[-1].canonical_text.replace("楼道", "楼\U000f0001道"))

    [missing] = missing_on_forms([WHOSE, odd], SURVEY, language="zh-Hans", typefaces=typefaces)
    [asked_missing] = missing_on_forms(
        [WHOSE], replace(SURVEY, questionnaire=asked), language="zh-Hans", typefaces=typefaces
    )

    assert (missing.characters, asked_missing.characters) == (("\U000f0000",), ("\U000f0001",))
    printed = "".join(pages(make_pdf(typefaces, whose=odd, questionnaire=asked)))
    assert f"学{SUBSTITUTE}园" in printed
    assert f"楼{SUBSTITUTE}道" in printed


def test_what_is_typed_in_a_name_is_printed_and_never_run(typefaces):
    odd = "#pagebreak() *府* $x$ “园”"

    assert squeezed(odd) in pages(make_pdf(typefaces, whose=replace(WHOSE, community=Wording(odd, odd))))[0]
