import html
import re
from html.parser import HTMLParser
from xml.etree import ElementTree as ET

import numpy as np
import pandas as pd
import pytest

from analytics.decision.evaluate import evaluate
from analytics.decision.reasons import reason_sentence
from analytics.evidence.calibration_record import read_calibration_record
from analytics.evidence.method import EVIDENCE_METHOD
from analytics.evidence.sensitivity import analyse_sensitivity
from analytics.evidence.weigh_evidence import weigh_evidence
from analytics.reports import evaluation_report
from analytics.reports.calibration_sentences import calibration_sentences, calibration_table
from analytics.reports.evaluation_report import MOST_EXPLAINED, NEAREST, REPORT_FILES, report_html
from analytics.reports.labels import evidence_words, method_words
from analytics.reports.nonresponse_sentences import raised_sentence
from tests.analytics.rule_files import rules_with

LANGUAGES = list(REPORT_FILES)


def city(size=45, **columns):
    random = np.random.default_rng(5)
    responses = random.integers(40, 200, size)
    responses[-1] = 3
    base = {
        "community_id": [f"{number:05}" for number in range(size)],
        "name": [f"阳光{number}号院" for number in range(size)],
        "region": "乌达区",
        "responses": responses,
        "satisfied": random.binomial(responses, random.beta(16, 4, size)),
        "complaints": random.poisson(3, size),
        "exposure_household_years": random.integers(150, 900, size).astype("float64"),
    }
    return pd.DataFrame(base | columns)


def report_of(table, language="zh-Hans", rules=None):
    result = evaluate(table, rules or rules_with({}))
    return result, report_html(result, weigh_evidence(result), analyse_sensitivity(result), language)


def text_of(page):
    """Return the visible text of a page, without tags, styles and drawings."""
    bare = re.sub(r"<(style|svg)\b.*?</\1>", "", page, flags=re.DOTALL)
    return html.unescape(re.sub(r"<[^>]*>", "\n", bare))


def section_of(page, region):
    """Return what a page says of a region before its annex."""
    return page.split(f">{region}</h2>")[1].partition("</section>")[0]


class Tags(HTMLParser):
    def __init__(self):
        super().__init__()
        self.found = []

    def handle_starttag(self, tag, attributes):
        self.found.append((tag, dict(attributes)))


def tags_of(page):
    parser = Tags()
    parser.feed(page)
    return parser.found


@pytest.mark.parametrize("language", LANGUAGES)
def test_equal_evaluations_give_equal_bytes_whatever_the_order_of_rows(language):
    table = city()

    assert report_of(table, language)[1] == report_of(table.sample(frac=1, random_state=2), language)[1]


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_listed_community_is_named_with_its_sentence_and_its_evidence(language):
    result, page = report_of(city(), language)
    text = text_of(page)

    region = result.summary["regions"]["乌达区"]
    listed = result.standings[result.standings["criterion_status"] == "met"]
    names = result.communities.set_index("community_id")["name"]
    assert len(listed) >= 3
    for standing in listed.to_dict("records"):
        assert names[standing["community_id"]] in text
        for part in ("satisfaction", "complaints", "criterion"):
            assert reason_sentence(standing, region, part, population="owners", language=language) in text
    assert any(word in text for word in evidence_words(language).values())


def test_every_undecided_community_shows_how_many_answers_would_settle_it():
    satisfied = [180, 176, *np.linspace(172, 130, 38).astype(int)]
    result, page = report_of(city(40, responses=200, satisfied=satisfied, households=900), "en")
    evidence = weigh_evidence(result)
    text = text_of(page)

    needed = evidence["satisfaction_needed_responses"]
    within_reach = needed[needed.gt(0).fillna(value=False)]
    assert len(within_reach)
    for count in within_reach:
        assert f"further answers: {count} (chance " in text
    assert "none (satisfaction: ruled out)" in text
    assert f"communities that are settled: {needed.eq(0).sum()};" in text
    assert "nothing tells them apart: 0." in text


def test_the_rules_and_the_hashes_stand_in_the_report():
    result, page = report_of(city())
    text = text_of(page)

    source = result.rules.source
    for fact in (source.issuer, source.date.isoformat(), source.basis, source.reading, "3%"):
        assert fact in text
    for digest in (result.rules.sha256, result.inputs_sha256, result.standings_sha256):
        assert digest in text


def test_a_community_with_too_few_answers_is_named_with_its_count():
    _, page = report_of(city())

    assert "业主有效问卷3份，少于10份，样本不足，不参与排名。" in text_of(page)


def test_the_english_report_holds_no_chinese_of_its_own_and_the_other_way_round():
    names = {"name": [f"Court {number}" for number in range(45)], "region": "Wuda"}
    result, english = report_of(city(**names), "en")
    _, chinese = report_of(city(), "zh-Hans")

    read = text_of(english)
    for quoted in (*vars(result.rules.source).values(), "中文"):
        read = read.replace(str(quoted), "")
    assert not re.search(r"[\u4e00-\u9fff]", read)
    words = set(re.findall(r"[A-Za-z]{3,}", re.sub(r"[0-9a-f]{64}", "", text_of(chinese))))
    assert words <= {"English", "SHA", "wuhai", "standings", "csv", "analytics", "numpy", "pandas", "python", "scipy"}


@pytest.mark.parametrize("language", LANGUAGES)
def test_no_name_becomes_markup(language):
    payload = "<script>alert(1)</script><img src=x onerror=alert(1)>"
    _, page = report_of(city(name=payload, region=payload), language)
    _, harmless = report_of(city(name="name", region="region"), language)

    assert "<script" not in page
    assert "<img" not in page
    assert html.escape(payload) in page
    assert [tag for tag, _ in tags_of(page)] == [tag for tag, _ in tags_of(harmless)]


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_page_asks_for_nothing_from_elsewhere(language):
    _, page = report_of(city(), language)
    other = next(file for tag, file in REPORT_FILES.items() if tag != language)

    tags = tags_of(page)
    asked = [value for _, pairs in tags for key, value in pairs.items() if key in {"src", "href", "xlink:href"}]
    assert {value for value in asked if not value.startswith("#")} == {other}
    assert not {"script", "link", "img", "iframe"} & {tag for tag, _ in tags}
    assert "@import" not in page
    assert set(re.findall(r"https?://[^\"]*", page)) == {"http://www.w3.org/2000/svg"}
    assert all(target.startswith("#") for target in re.findall(r"url\(([^)]*)", page))


def test_many_regions_each_name_their_own_communities_and_draw_where_one_can_be_listed():
    sizes = [1, 2, 25, 40]
    regions = np.repeat([f"第{number}区" for number in range(len(sizes))], sizes)
    result, page = report_of(city(sum(sizes), region=regions))

    sections = re.split(r"<h[23][^>]*>(第.区)</h[23]>", page)[1:]
    names = result.communities.set_index("community_id")["name"]
    for region, section in zip(sections[::2], sections[1::2], strict=True):
        own = result.standings[result.standings["region"] == region]
        text = text_of(section)
        named = set(re.findall("阳光[0-9]+号院", text))
        assert named >= set(names[own["community_id"][own["criterion_status"] == "met"]])
        assert named <= set(names[own["community_id"]])
    # Each has a section, and where somebody is ranked a part of the annex.
    ranked = result.standings[["satisfaction_rank", "complaint_rank"]].notna().any(axis=1)
    assert len(sections) == 2 * (len(sizes) + result.standings["region"][ranked].nunique())
    assert page.count("<svg") == 8


def test_every_drawing_is_well_formed_and_no_id_stands_twice():
    two = pd.concat([city(), city().assign(region="海南区", community_id=[f"x{number}" for number in range(45)])])
    _, page = report_of(two)

    drawings = re.findall(r"<svg.*?</svg>", page, flags=re.DOTALL)
    assert len(drawings) == 8
    ids = [element.get("id") for drawing in drawings for element in ET.fromstring(drawing).iter() if element.get("id")]
    assert len(ids) == len(set(ids))


def test_without_complaints_nothing_is_said_about_their_rate():
    _, page = report_of(city().drop(columns=["complaints", "exposure_household_years"]))

    assert page.count("<svg") == 3
    assert "数据中没有投诉" in text_of(page)
    assert "真实投诉率可能范围" not in page


def test_a_given_score_is_shown_as_it_was_given():
    table = pd.DataFrame(
        {
            "community_id": [f"{number:03}" for number in range(20)],
            "region": "乌达区",
            "score": [97.5, *[80.0] * 19],
            "score_precision": 0.1,
        }
    )
    _, page = report_of(table)

    assert "97.5%" in text_of(page)
    assert "未提供单份答卷之间的差异大小。" in text_of(page)


def test_a_region_too_small_for_a_position_says_so():
    _, page = report_of(city(12))

    assert "本地没有小区符合要求。" in text_of(page)
    assert "<svg" not in page, "nothing is drawn where nobody can be listed"


def test_a_large_region_names_the_listed_and_the_nearest():
    size = MOST_EXPLAINED + 100
    responses = np.where(np.arange(size) < 60, 3, 100)
    result, page = report_of(city(size, responses=responses, satisfied=np.minimum(responses, np.arange(size) % 100)))
    text = text_of(page)

    status = result.standings["criterion_status"]
    assert all(name in text for name in result.communities.loc[status == "met", "name"])
    assert section_of(page, "乌达区").count("<li>") == NEAREST
    assert f"此处列出前{NEAREST}个，全部见 standings.csv。" in text


def test_of_a_very_long_list_the_first_are_named_and_fewer_explained(monkeypatch):
    monkeypatch.setattr(evaluation_report, "MOST_LISTED", 5)
    monkeypatch.setattr(evaluation_report, "MOST_EXPLAINED", 2)
    result, page = report_of(city(200))
    listed, annex = section_of(page, "乌达区").partition("<table>")[2], page.partition('<section class="annex">')[2]

    met = result.standings[result.standings["criterion_status"] == "met"]
    best = met.sort_values(["satisfaction_rank", "complaint_rank"])["community_id"].tolist()
    assert len(best) > 5
    assert re.findall(r'<span class="small">(\d{5})</span>', listed.partition("</table>")[0]) == best[:5]
    assert "此处列出前5个，全部见 standings.csv。" in text_of(page)
    assert re.findall(r'<span class="small">(\d{5})</span>', annex)[:2] == best[:2]
    assert len(re.findall("<article", annex)) <= 2 + 2 * NEAREST


def test_each_row_leads_to_its_reasons_and_the_contents_to_each_part():
    two = pd.concat([city(), city().assign(region="海南区", community_id=[f"x{number}" for number in range(45)])])
    _, page = report_of(two)

    tags = tags_of(page)
    places = [pairs["id"] for tag, pairs in tags if "id" in pairs and tag in {"h2", "article"}]
    targets = [pairs["href"].removeprefix("#") for tag, pairs in tags if tag == "a" and pairs["href"].startswith("#")]
    assert len(places) == len(set(places))
    assert set(targets) == set(places)


@pytest.mark.browser
@pytest.mark.parametrize("language", LANGUAGES)
def test_a_printed_report_of_440_communities_has_at_most_twelve_pages_before_its_annex(browser, language):
    pdfium = pytest.importorskip("pypdfium2")
    table = city(440)
    few = table["responses"] < 55  # forty or so
    table[["responses", "satisfied"]] = table[["responses", "satisfied"]].mask(few, 6)
    _, content = report_of(table, language)
    page = browser.new_page()
    page.set_content(content)

    with pdfium.PdfDocument(page.pdf(prefer_css_page_size=True)) as document:
        openings = [sheet.get_textpage().get_text_bounded()[:30] for sheet in document]
    page.close()

    annex = {"zh-Hans": "附件：", "en": "Annex: "}[language]
    assert 5 < next(number for number, opening in enumerate(openings) if opening.startswith(annex)) <= 12


@pytest.mark.parametrize(
    ("columns", "drawings"),
    [
        ({"complaints": 0}, 4),
        ({"responses": 50, "satisfied": 50}, 4),
        ({"exposure_household_years": 300.0}, 4),
        ({"exposure_household_years": 10.0, "complaints": 0}, 3),
        ({"responses": 0, "satisfied": 0}, 1),
    ],
)
def test_what_cannot_be_ranked_is_not_drawn_and_what_is_all_alike_is(columns, drawings):
    _, page = report_of(city(25, **columns))

    assert page.count("<svg") == drawings


def test_the_cut_off_of_communities_without_complaints_is_the_exposure_that_orders_them():
    rules = rules_with({"complaints.zero_ties": "by_exposure"})
    table = city(40, complaints=[0, 0, 0, *[5] * 37], exposure_household_years=[900.0, 700, 500, *[600] * 37])
    _, page = report_of(table, "en", rules)

    said = "Position 2 has no complaint in 700 household-years; communities before it: 1, with exactly that: 1."
    assert said in text_of(page)


@pytest.mark.parametrize("regions", [1, 2])
def test_numbers_of_regions_and_communities_read_well_in_any_number(regions):
    table = city(40, region=[f"r{number % regions}" for number in range(40)])
    _, page = report_of(table, "en")

    assert f"Communities: 40; regions: {regions}. Valid answers of owners: " in text_of(page)
    assert not re.search(r"\b1 (regions|communities)\b", text_of(page))


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_report_names_the_method_of_its_evidence(language):
    _, page = report_of(city(), language)

    assert method_words(EVIDENCE_METHOD, language) in text_of(page)


def test_tied_communities_are_shown_without_a_chance_and_without_a_forecast():
    table = city(40, responses=100, satisfied=80, households=400).drop(columns="complaints")
    _, page = report_of(table.drop(columns="exposure_household_years"), "en")
    text = text_of(page)

    assert "Too little data to tell the communities apart." in text
    assert "chance 5.0%" not in text
    assert "further answers:" not in text


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_report_says_where_late_answers_raise_the_assumption_about_nonresponse(language):
    _, raised = report_of(city(late_answers_spread=0.045), language)
    _, same = report_of(city(late_answers_spread=0.01), language)

    assert raised_sentence("乌达区", 0.045, language) in text_of(raised)
    assert raised_sentence("乌达区", 0.01, language) not in text_of(same)


def test_the_report_says_between_which_limits_the_share_of_satisfied_households_lies():
    table = pd.DataFrame(
        {
            "community_id": [f"{number:02}" for number in range(20)],
            "region": "r",
            "responses": [*[50] * 19, 3],
            "satisfied": 40,
            "households": 200,
        }
    ).assign(satisfied=[*[40] * 19, 3])
    _, page = report_of(table, "en")

    # The last community is not ranked, so it is not counted.
    assert "Households: 3,800, with an answer: 950." in text_of(page)
    assert "20.0% would be satisfied; if all were satisfied, 95.0%" in text_of(page).replace("\xa0", " ")


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_report_quotes_how_often_the_evidence_was_right_in_simulated_cities(language):
    record = read_calibration_record()
    text = text_of(report_of(city(), language)[1])

    assert record.made_on.isoformat() in text
    for sentence in calibration_sentences(record, language):
        assert sentence in text
    for row in calibration_table(record, language).rows:
        assert all(share in text for share in row)
