from dataclasses import fields, replace
from datetime import date, timedelta
from fractions import Fraction

import pytest

from analytics.files.yaml_documents import DocumentError
from survey_app.complaints.casework_rules import (
    CaseworkRules,
    SampleShare,
    casework_rules_of,
    parse_casework_rules,
)
from survey_app.complaints.contacts import CONTACT_RETENTION
from survey_app.rounds.privacy_promises import promises
from tests.casework import CASEWORK_FILE, RULES

TEXT = CASEWORK_FILE.read_text("utf-8")
LATE = "an acknowledgement cannot be owed later than the answer"
INEXACT = "a share is written as “5 %” or “1/20”, so that it is exact; this is 0.2"
UNKNOWN = "this must be one of confirmed_of_verdicts, confirmed_of_answered, resolved_of_reached, it is 'best'"


def changed(old, new):
    assert TEXT.count(old) == 1
    return TEXT.replace(old, new).encode()


def faults(content):
    with pytest.raises(DocumentError) as caught:
        parse_casework_rules(content, "casework.yaml")
    return [(fault.line, fault.key, fault.text()) for fault in caught.value.faults]


def line_of(part):
    return TEXT[: TEXT.index(part)].count("\n") + 1


def test_the_delivered_file_states_the_times_that_the_program_had():
    assert (RULES.acknowledgement.working_days, RULES.acknowledgement.safety) == (1, timedelta(hours=2))
    assert (RULES.answer.working_days, RULES.answer.safety) == (10, timedelta(hours=24))
    assert RULES.stage_2 == RULES.answer
    assert (RULES.longest_pause, RULES.stage_2_after) == (5, 2)
    assert (RULES.silence, RULES.reopening) == (timedelta(days=7), timedelta(days=90))
    assert RULES.in_force_from == date(2021, 8, 23)
    assert (RULES.bulletin.least_cases, RULES.watch_list.contradicted_share) == (20, Fraction(1, 5))


def test_a_file_is_read_back_from_the_text_that_is_stored():
    assert casework_rules_of(RULES.canonical_text) == RULES
    assert casework_rules_of(RULES.canonical_text).sha256 == RULES.sha256


def test_comments_and_layout_change_no_check_code_and_a_number_does():
    assert parse_casework_rules(TEXT.replace("#", "# so").encode(), "a").sha256 == RULES.sha256
    other = parse_casework_rules(changed("silence_days: 7", "silence_days: 8"), "a")
    assert other.sha256 != RULES.sha256
    assert replace(other, silence=RULES.silence, canonical_text=RULES.canonical_text) == RULES


@pytest.mark.parametrize(
    ("old", "new", "key", "message"),
    [
        ("silence_days: 7", "silence_days: 0", "silence_days", "this must lie between 1 and 90, it is 0"),
        ("reopening_days: 90", "reopening_days: 91", "reopening_days", "this must lie between 0 and 90, it is 91"),
        (
            "after_rejections: 2",
            "after_rejections: two",
            "stage_2.after_rejections",
            "this must be a whole number, it is 'two'",
        ),
        ("safety_hours: 2}", "safety_hours: 25}", "acknowledgement.safety_hours", LATE),
        ("{working_days: 1,", "{working_days: 11,", "acknowledgement.working_days", LATE),
        (
            "in_force_from: 2021-08-23",
            "in_force_from: soon",
            "in_force_from",
            "this must be a date, such as 2021-08-23",
        ),
        (
            "confidence: 95 %",
            "confidence: 100 %",
            "call_backs.confidence",
            "this share must be below 100 %, it is 100 %",
        ),
        ("contradicted_share: 20 %", "contradicted_share: 0.2", "watch_list.contradicted_share", INEXACT),
        ("formula: confirmed_of_verdicts", "formula: best", "rates.resolution.formula", UNKNOWN),
        ("document: none\n", "", "document", "this key is missing"),
        ("bulletin:", "bulletins:", "bulletins", "this key is not known here"),
    ],
)
def test_each_fault_of_a_casework_file_is_named_with_its_key(old, new, key, message):
    assert (key, message) in [found[1:] for found in faults(changed(old, new))]


def test_every_fault_of_a_file_is_told_at_once_with_its_line():
    content = changed("silence_days: 7", "silence_days: 0").replace(b"least_cases: 20", b"least_cases: 0")

    found = faults(content)

    assert [line for line, _key, _text in found] == [line_of("silence_days"), line_of("bulletin:")]


def test_call_backs_are_a_precision_or_a_share():
    shared = parse_casework_rules(changed("{margin: 5 %, confidence: 95 %}", "{share: 5 %}"), "a")
    assert shared.call_backs == SampleShare(Fraction(1, 20))
    both = changed("{margin: 5 %, confidence: 95 %}", "{share: 5 %, margin: 5 %}")
    assert [key for _line, key, _text in faults(both)] == ["call_backs.margin"]


def test_no_file_lets_a_case_come_back_after_its_contact_is_erased_and_the_notice_says_so():
    assert RULES.reopening <= CONTACT_RETENTION
    (promise,) = (each for each in promises().promises if each.key == "contact")
    assert f"{CONTACT_RETENTION.days} days" in promise.kept.en
    assert f"{CONTACT_RETENTION.days}天" in promise.kept.zh_hans


def test_every_rule_has_a_value_of_its_own_key():
    assert all(getattr(RULES, field.name) for field in fields(CaseworkRules))
