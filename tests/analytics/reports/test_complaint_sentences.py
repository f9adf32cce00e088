import json
from html import unescape

import pandas as pd
import pytest

from analytics.decision.community_table import check_communities
from analytics.decision.evaluate import evaluate
from analytics.evidence.list_reliability import summarise_evidence
from analytics.evidence.sensitivity import analyse_sensitivity
from analytics.evidence.underreported_complaints import (
    communities_with_discouraged_complaints,
    underreported_complaints,
)
from analytics.evidence.weigh_evidence import weigh_evidence
from analytics.files.table_cells import TableError
from analytics.reports.complaint_sentences import community_sentences, region_sentences, underreported_sentence
from analytics.reports.evaluation_files import evaluation_json, standings_csv
from analytics.reports.evaluation_report import report_html
from tests.analytics.rule_files import rules_with


def table(**columns):
    base = {"community_id": ["a", "b"], "region": "r", "responses": 40, "satisfied": [38, 30], "households": 1000}
    base |= {"complaints": [10, 2], "exposure_household_years": 1000.0}
    return pd.DataFrame(base | columns)


DETAILS = {
    "complaints_code": [4, 1],
    "complaints_web": [1, 0],
    "complaints_telephone": [1, 0],
    "complaints_visit": 0,
    "complaints_hotline": [4, 1],
    "complaints_letter": 0,
    "complaints_other": 0,
    "complaints_excluded": [2, 6],
    "complaining_households": [8, 2],
    "asked_about_complaints": 100,
    "said_complained": [1, 30],
}
QUIET = DETAILS | {"complaints": [20, 2], "complaints_code": [14, 1], "complaining_households": [18, 2]}


def test_every_detail_is_said_with_its_interval():
    said = list(region_sentences(check_communities(table(**DETAILS), rules_with({})), level=0.95, language="en"))

    # 5 of 2,000 household-years are 2.5 per 1,000: exact Poisson .81 to 5.83; 8 of 20 excluded: Clopper–Pearson.
    assert said[0].startswith("By channel, per 1,000 households a year: form behind a code 2.50 (0.81 – 5.83);")
    assert said[1].startswith("Of 20 filed cases 8 were left out as duplicate, out of scope or invalid: 40.0% (19.1 –")
    assert said[2].startswith("Households that complained at least once: 10, 5.00 per 1,000 households a year (2.40 –")
    assert said[3].startswith("Of 200 respondents 31 say that they complained (15.5%).")
    assert len(said) == 4


def test_a_community_is_named_if_its_recorded_complaints_are_significantly_low():
    """Two cases may well be one of six per 1,000 by chance, and not one of eleven."""
    quiet, usual = (
        list(region_sentences(check_communities(table(**columns), rules_with({})), level=0.95, language="en"))
        for columns in (QUIET, DETAILS)
    )

    assert "clearly fewer cases are on record than elsewhere: b (at least " in quiet[-1]
    assert not any("clearly fewer" in sentence for sentence in usual)


def test_who_is_asked_and_not_known_to_have_said_takes_no_part_in_the_share():
    columns = DETAILS | {"said_complained": [30, None], "asked_about_complaints": [100, None]}
    said = list(region_sentences(check_communities(table(**columns), rules_with({})), level=0.95, language="en"))

    assert any(sentence.startswith("Of 100 respondents 30 say") for sentence in said)


def test_the_warning_stands_in_every_file_and_report_that_ranks_the_community():
    rules = rules_with({"complaints.minimum_exposure": 1})
    result = evaluate(table(name=["Jade", "Spring"], **QUIET), rules)
    evidence, sensitivity = weigh_evidence(result), analyse_sensitivity(result)
    sentence = underreported_sentence(*underreported_complaints(result.communities, rules).iloc[0, 1:], "en")

    lines = "".join(standings_csv(result, evidence, sensitivity, "en")).splitlines()
    stated = json.loads(evaluation_json(result, summarise_evidence(result, evidence), sensitivity, "en"))[
        "underreported_complaints"
    ]

    assert "2 on record" in sentence
    assert [sentence in line for line in lines] == [False, False, True]
    assert stated == [{"community_id": "b", "sentence": sentence}]
    assert sentence in unescape(report_html(result, evidence, sensitivity, "en"))


def test_without_these_columns_nothing_is_said():
    plain = check_communities(table(), rules_with({}))

    assert list(region_sentences(plain, level=0.95, language="en")) == []
    assert communities_with_discouraged_complaints(plain, level=0.95).empty
    assert list(community_sentences({"complaints": 3}, "en")) == []


def test_a_community_without_its_detail_takes_no_part_in_that_sentence_alone():
    columns = DETAILS | {"complaints_excluded": [2, None]}
    said = list(region_sentences(check_communities(table(**columns), rules_with({})), level=0.95, language="en"))

    assert said[1].startswith("Of 12 filed cases 2 were left out")


def test_where_nobody_knows_the_households_each_case_is_taken_for_another_household():
    columns = {name: DETAILS[name] for name in ("asked_about_complaints", "said_complained")}
    alone = check_communities(table(**columns), rules_with({}))
    many = check_communities(table(complaints=[10, 400], **columns), rules_with({}))

    assert communities_with_discouraged_complaints(alone, level=0.95)[
        ["community_id", "recorded_households"]
    ].to_numpy().tolist() == [["b", 2]]
    assert communities_with_discouraged_complaints(many, level=0.95).empty


def test_the_report_shows_the_details_where_they_are_given():
    rules = rules_with({"complaints.minimum_exposure": 1})
    pages = []
    for columns in ({}, DETAILS):
        result = evaluate(table(**columns), rules)
        pages.append(report_html(result, weigh_evidence(result), analyse_sensitivity(result), "zh-Hans"))

    assert "投诉详情" not in pages[0]
    assert "投诉详情" in pages[1]
    assert "共受理12件，因重复、不属受理范围或无效剔除2件" in pages[1]


def test_details_never_move_a_decision():
    plain, detailed = (evaluate(table(**columns), rules_with({})) for columns in ({}, DETAILS))

    pd.testing.assert_frame_equal(plain.standings, detailed.standings)


def test_details_that_cannot_be_are_named_with_their_rows():
    columns = DETAILS | {"complaining_households": [11, 2], "complaints_other": [1, 0], "said_complained": [None, 101]}
    with pytest.raises(TableError) as caught:
        check_communities(table(**columns), rules_with({}))

    assert [(fault.line, fault.key, fault.text()) for fault in caught.value.faults] == [
        (1, "complaining_households", "11 households for 10 complaints"),
        (1, "complaints_code", "the channels add up to another number than 10"),
        (1, "said_complained", "this cell is empty"),
        (2, "said_complained", "101 of 100 say that they complained"),
    ]


def test_some_channels_may_be_missing_but_never_exceed_the_complaints():
    columns = {"complaints_hotline": [11, 1]}
    with pytest.raises(TableError, match="the channels add up to another number than 10"):
        check_communities(table(**columns), rules_with({}))
    check_communities(table(complaints_hotline=[9, 1]), rules_with({}))
