import hashlib
import subprocess
import sys
from contextlib import suppress
from dataclasses import replace
from fractions import Fraction
from itertools import pairwise

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from analytics.decision.what_if import with_choices
from analytics.files.yaml_documents import DocumentError
from analytics.rules import load_rules, parse_rules, parse_stored_rules
from tests.analytics.rule_files import ADDED_BY_FORMAT_2, SHIPPED, rule_text, rule_text_2, rules_2_with, rules_with

TEXT = SHIPPED.read_text("utf-8")
KEYS = [
    *yaml.safe_load(TEXT),
    *(
        f"{part}.{key}"
        for part in ("source", "satisfaction", "complaints", "evidence")
        for key in yaml.safe_load(TEXT)[part]
    ),
    *(f"satisfaction.minimum_responses.{key}" for key in yaml.safe_load(TEXT)["satisfaction"]["minimum_responses"]),
]


def edited(*replacements):
    text = TEXT
    for old, new in replacements:
        assert text.count(old) >= 1
        text = text.replace(old, new, 1)
    return text


def faults_of(text):
    with pytest.raises(DocumentError) as caught:
        parse_rules(text.encode("utf-8"), "rules.yaml")
    return [(fault.key, fault.text()) for fault in caught.value.faults]


def without(key):
    content = yaml.safe_load(TEXT)
    *path, last = key.split(".")
    place = content
    for part in path:
        place = place[part]
    del place[last]
    return yaml.safe_dump(content, allow_unicode=True)


def test_the_shipped_rules_are_read_exactly():
    rules = load_rules(SHIPPED)

    assert rules.sha256 == hashlib.sha256(SHIPPED.read_bytes()).hexdigest()
    assert rules.content == SHIPPED.read_bytes()
    assert (rules.satisfaction.share, rules.complaints.share) == (Fraction(1, 20), Fraction(1, 20))
    assert rules.satisfaction.minimum_responses.or_share_of_households == Fraction(1, 2)
    assert rules.satisfaction.index_points == {5: 100, 4: 75, 3: 50, 2: 25, 1: 0}
    assert rules.complaints.large_boundary_block is None


def test_the_assumptions_of_the_evidence_are_read_exactly():
    evidence = load_rules(SHIPPED).evidence

    assert (evidence.level, evidence.nonresponse_spread) == (Fraction(19, 20), Fraction(3, 100))
    assert (evidence.prior, evidence.one_answer_per_household) == ("nonparametric", False)
    assert rules_with({"evidence.nonresponse_spread": "0 %"}).evidence.nonresponse_spread == 0


def test_three_faults_are_named_at_once_with_line_column_and_key():
    text = edited(
        ("share: 5 %", "share: 0.05"), ("rounding: floor  ", "rounding: down "), ("period_months: 12", "months: 12")
    )
    with pytest.raises(DocumentError) as caught:
        parse_rules(text.encode("utf-8"), "rules.yaml")

    def place(part):
        before = text[: text.index(part)]
        return before.count("\n") + 1, len(part.split(":")[0]) + 2 + len(before) - before.rfind("\n")

    found = {fault.key: fault for fault in caught.value.faults}
    assert set(found) == {
        "satisfaction.share",
        "satisfaction.rounding",
        "complaints.period_months",
        "complaints.months",
    }
    for key, part in (("satisfaction.share", "share: 0.05"), ("satisfaction.rounding", "rounding: down")):
        assert (found[key].line, found[key].column) == place(part)
    assert "“5 %” or “1/20”" in found["satisfaction.share"].text()
    assert "floor, ceil, at_least_one" in found["satisfaction.rounding"].text()
    assert str(caught.value).startswith(f"rules.yaml:{place('share: 0.05')[0]}:")


@pytest.mark.parametrize("key", KEYS)
def test_no_key_has_a_default(key):
    assert [fault for fault in faults_of(without(key)) if fault == (key, "this key is missing")]


@pytest.mark.parametrize(
    "key", ["title", "source", "satisfaction", "complaints", "evidence", "satisfaction.minimum_responses"]
)
def test_a_key_that_nobody_knows_is_a_fault(key):
    content = yaml.safe_load(TEXT)
    place = content
    for part in key.split("."):
        place = place[part]
    place["surprise"] = 1
    assert faults_of(yaml.safe_dump(content, allow_unicode=True)) == [(f"{key}.surprise", "this key is not known here")]


@pytest.mark.parametrize(
    ("written", "share"),
    [
        ("5 %", Fraction(1, 20)),
        ("5%", Fraction(1, 20)),
        ("2.5 %", Fraction(1, 40)),
        ("1/30", Fraction(1, 30)),
        ("５％", Fraction(1, 20)),
        ("100 %", 1),
    ],
)
def test_shares_are_exact(written, share):
    assert rules_with({"satisfaction.share": written}).satisfaction.share == share


@pytest.mark.parametrize("written", [0.05, 5, "0.05", "5", "0 %", "101 %", "1/0", "-5 %", True, None, "1/10000001"])
def test_a_share_that_is_not_exact_or_not_a_share_is_refused(written):
    assert [key for key, _ in faults_of(rule_text({"satisfaction.share": written}))] == ["satisfaction.share"]


@pytest.mark.parametrize(
    ("key", "choice", "said"),
    [
        ("satisfaction.measure", "mean", "satisfaction_rate, satisfaction_index, composite"),
        ("satisfaction.population", "tenants", "owners, residents"),
        ("satisfaction.ties", "random", "include, exclude"),
        ("complaints.zero_ties", "best", "include, exclude, by_exposure, undecidable"),
        ("complaints.denominator", "flats", "occupied_households, delivered_households"),
        ("region", "street", "district, city"),
        ("when_k_is_zero", "one", "not_applicable, wider_region"),
        ("satisfaction.satisfied_codes", [5, 9], "9 is not among the valid codes"),
        ("satisfaction.valid_codes", [5, 4, 3, 2, 1, 1], "code 1 stands here twice"),
        ("satisfaction.index_points", {5: 100, 4: 75, 3: 50, 2: 25}, "code 1 has no points"),
        ("satisfaction.index_points", {5: 101, 4: 75, 3: 50, 2: 25, 1: 0}, "101"),
        ("satisfaction.index_points", {5: 0, 4: 0, 3: 0, 2: 0, 1: 0}, "the same points"),
        ("satisfaction.minimum_responses.enough", 5, "5 answers cannot be enough where 10 are the least"),
        ("satisfaction.minimum_responses", None, "none"),
        ("complaints.minimum_exposure", -1, "negative"),
        ("complaints.minimum_exposure", 99.5, "whole number or a fraction"),
        ("complaints.denominator_fallback", "occupied_households", "none"),
        ("evidence.prior", "flat", "normal, nonparametric"),
        ("evidence.level", 0.95, "so that it is exact"),
        ("evidence.level", "49 %", "at least 50 %"),
        ("evidence.level", "100 %", "below 100 %"),
        ("evidence.nonresponse_spread", 0.03, "so that it is exact"),
        ("evidence.nonresponse_spread", "101 %", "at most 100 %"),
        ("evidence.one_answer_per_household", "mostly", "true or false"),
        ("time_zone", "Asia/Wuhai", "no time zone Asia/Wuhai"),
        ("source.date", "yesterday", "a date"),
        ("format", "jiayuan-rules-9", "jiayuan-rules-1"),
    ],
)
def test_a_choice_that_there_is_not_names_those_that_there_are(key, choice, said):
    assert any(fault_key.startswith(key) and said in text for fault_key, text in faults_of(rule_text({key: choice})))


def test_the_city_has_no_wider_region():
    assert [key for key, _ in faults_of(rule_text({"region": "city", "when_k_is_zero": "wider_region"}))] == [
        "when_k_is_zero"
    ]


def test_exact_numbers_may_be_fractions():
    rules = rules_with({"complaints.minimum_exposure": "200/3", "satisfaction.minimum_responses": "none"})

    assert rules.complaints.minimum_exposure == Fraction(200, 3)
    assert rules.satisfaction.minimum_responses is None


@settings(deadline=None)
@given(
    st.sampled_from(KEYS),
    st.one_of(
        st.none(),
        st.booleans(),
        st.integers(),
        st.floats(),
        st.text(),
        st.lists(st.integers()),
        st.dictionaries(st.text(), st.text()),
    ),
)
def test_any_value_of_the_wrong_kind_raises_nothing_but_document_errors(key, value):
    with suppress(DocumentError):
        rules_with({key: value})


COMPOSITE = {"satisfaction.measure": "composite", "satisfaction.domains": {"q02": "60 %", "q03": "2/5"}}


def test_the_weights_of_a_composite_are_read_exactly():
    rule = rules_with(COMPOSITE).satisfaction

    assert (rule.measure, dict(rule.domains)) == ("composite", {"q02": Fraction(3, 5), "q03": Fraction(2, 5)})
    assert rules_with({}).satisfaction.domains == {}


def test_a_composite_needs_its_domains_and_nothing_else_has_them():
    assert faults_of(rule_text({"satisfaction.measure": "composite"})) == [
        ("satisfaction.domains", "this key is missing")
    ]
    assert faults_of(rule_text({"satisfaction.domains": {"q02": "50 %", "q03": "50 %"}})) == [
        ("satisfaction.domains", "only the measure composite has domains")
    ]


def test_every_fault_of_the_domains_is_named_at_once():
    domains = {"q02": "50 %", "cleaning": "30 %", "q03": 0.2, "q04": "0 %"}

    assert faults_of(rule_text(COMPOSITE | {"satisfaction.domains": domains})) == [
        ("satisfaction.domains.cleaning", "'cleaning' does not have the form q[0-9]{2,3}"),
        ("satisfaction.domains.q03", "a share is written as “5 %” or “1/20”, so that it is exact; this is 0.2"),
        ("satisfaction.domains.q04", "a domain that weighs nothing is none"),
    ]


@pytest.mark.parametrize(
    ("domains", "said"),
    [
        ({"q02": "60 %", "q03": "30 %"}, "the weights add up to 90 %, not to 100 %"),
        ({"q02": "100 %"}, "a composite has at least two domains"),
        ({"q02": "1/99991", "q03": "99990/99991"}, "too large denominators"),
        (["q02", "q03"], "this must hold keys with values"),
    ],
)
def test_domains_that_make_no_composite_are_refused(domains, said):
    [(key, text)] = faults_of(rule_text(COMPOSITE | {"satisfaction.domains": domains}))

    assert key == "satisfaction.domains"
    assert said in text


@pytest.mark.parametrize(
    ("added", "said"),
    [
        ("a: &a [*a]", ":8: a reference (*) is not read: write the value out"),
        ("a: " + "[" * 3000, "this is nested deeper than any value is"),
        (
            "a: &a [x, x]\n" + "\n".join(f"{b}: &{b} [*{a}, *{a}]" for a, b in pairwise("abcdefghijklmnopqrstuvwxyz")),
            ":8: a reference (*) is not read: write the value out",
        ),
    ],
)
def test_a_file_that_would_grow_without_end_is_refused_at_once(added, said):
    text = f"{SHIPPED.read_text('utf-8')}{added}\n"
    with pytest.raises(DocumentError) as error:
        parse_rules(text.encode(), "rules.yaml")

    assert said in str(error.value)


def test_reading_rules_loads_no_numerical_library():
    script = "import sys, analytics.rules; print(*{name.partition('.')[0] for name in sys.modules})"

    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)

    loaded = set(done.stdout.split())
    assert "analytics" in loaded
    assert not loaded & {"numba", "numpy", "pandas", "pyarrow", "scipy"}


def test_format_2_states_how_alike_answers_and_complaints_of_one_household_are():
    rules = rules_2_with({"evidence.design_effect": "5/4", "evidence.repeat_complaints": "12.5 %"})

    assert rules.format == "jiayuan-rules-2"
    assert (rules.evidence.design_effect, rules.evidence.repeat_complaints) == (Fraction(5, 4), Fraction(1, 8))


def test_format_1_assumes_nothing_of_households():
    rules = load_rules(SHIPPED)

    assert rules.format == "jiayuan-rules-1"
    assert (rules.evidence.design_effect, rules.evidence.repeat_complaints) == (1, 0)


@pytest.mark.parametrize("key", ADDED_BY_FORMAT_2)
def test_no_key_of_format_2_has_a_default_and_none_is_known_to_format_1(key):
    content = yaml.safe_load(rule_text_2({}))
    del content["evidence"][key]
    assert faults_of(yaml.safe_dump(content, allow_unicode=True)) == [(f"evidence.{key}", "this key is missing")]

    content = yaml.safe_load(TEXT)
    content["evidence"][key] = ADDED_BY_FORMAT_2[key]
    assert faults_of(yaml.safe_dump(content, allow_unicode=True)) == [(f"evidence.{key}", "this key is not known here")]


@pytest.mark.parametrize(
    ("key", "value", "message"),
    [
        ("design_effect", "1/2", "a design effect lies between 1 and 10"),
        ("design_effect", 11, "a design effect lies between 1 and 10"),
        ("design_effect", 1.5, "a whole number or a fraction"),
        ("repeat_complaints", "100 %", "a share of repeat complaints is below 100 %"),
        ("repeat_complaints", 0.2, "“5 %” or “1/20”"),
        ("modes", "weighted", "this must be pooled"),
    ],
)
def test_what_format_2_adds_is_read_exactly_or_refused(key, value, message):
    [(place, said)] = faults_of(rule_text_2({f"evidence.{key}": value}))

    assert place == f"evidence.{key}"
    assert message in said


ISSUED_BEFORE = TEXT.replace("enough: 30", "enough: 030").replace("  zh-Hans: 乌海市\n", "  zh-Hans: 乌海市\u202e\n")


def test_an_issued_file_of_format_1_says_for_ever_what_it_said():
    # 030 was 24 when it decided, and a mark that turns text was taken: both are refused of a file that is handed in.
    rules = parse_stored_rules(ISSUED_BEFORE.encode())

    assert rules.satisfaction.minimum_responses.enough == 24
    assert rules.sha256 == hashlib.sha256(ISSUED_BEFORE.encode()).hexdigest()
    assert with_choices(rules, {"ties": "exclude"}).satisfaction.minimum_responses.enough == 24
    assert {key for key, _ in faults_of(ISSUED_BEFORE)} == {"satisfaction.minimum_responses.enough"}
    assert parse_stored_rules(TEXT.encode()) == load_rules(SHIPPED)


def test_a_stored_file_of_format_2_is_read_as_strictly_as_one_that_is_handed_in():
    text = rule_text_2({}).replace("enough: 30", "enough: 030")

    with pytest.raises(DocumentError, match="can be read as more than one number"):
        parse_stored_rules(text.encode())


def test_the_newest_rules_name_the_notice_and_decide_as_those_that_they_correct():
    files = sorted(SHIPPED.parent.glob("*.yaml"))
    first, *_between, newest = (load_rules(path) for path in files)

    assert newest.source.document_number == "乌建局函字〔2021〕196号"
    assert newest.source.date == first.source.date
    assert len({load_rules(path).name for path in files}) == len(files)
    for part in ("city", "time_zone", "region", "when_k_is_zero", "satisfaction", "complaints"):
        assert getattr(newest, part) == getattr(first, part)
    assert replace(newest.evidence, design_effect=Fraction(1), repeat_complaints=Fraction(0)) == first.evidence
    assert (newest.evidence.design_effect, newest.evidence.repeat_complaints) == (Fraction(3, 2), Fraction(1, 5))


def test_rules_that_evaluations_were_made_by_stay_as_they_were():
    assert load_rules(SHIPPED).sha256 == ("1a395467495ac02d716f7db9ad4c991c074313b61f2b7d0eb177c5285fb71b1d")


@pytest.mark.parametrize("effect", [2, "3/2"])
def test_other_choices_keep_what_format_2_assumes(effect):
    rules = rules_2_with({"evidence.design_effect": effect})
    other = with_choices(rules, {"rounding": "ceil"})

    assert other.satisfaction.rounding == "ceil"
    assert other.evidence == rules.evidence
