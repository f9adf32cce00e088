from datetime import date, timedelta

import pytest
import yaml

from analytics.disclosure import rules as module
from analytics.disclosure.rules import (
    ISSUED,
    NoDisclosureRules,
    load_disclosure_rules,
    parse_disclosure_rules,
    rules_in_force,
)
from analytics.files.yaml_documents import DocumentError

SHIPPED = ISSUED / "2021-08-23.yaml"
CONTENT = yaml.safe_load(SHIPPED.read_text("utf-8"))


def text_with(**changes):
    return yaml.safe_dump(CONTENT | changes, allow_unicode=True, sort_keys=False)


def faults_of(text):
    with pytest.raises(DocumentError) as caught:
        parse_disclosure_rules(text.encode("utf-8"), "rules.yaml")
    return [(fault.key, fault.text()) for fault in caught.value.faults]


@pytest.fixture
def issued(tmp_path, monkeypatch):
    """Two files that are issued: one with other minimums takes over on the first day of 2027."""
    for day, base in ((date(2021, 8, 23), 30), (date(2027, 1, 1), 50)):
        (tmp_path / f"{day}.yaml").write_text(text_with(effective_from=day, minimum_opinion_base=base), "utf-8")
    rules = load_disclosure_rules(sorted(tmp_path.glob("*.yaml")))
    monkeypatch.setattr(module, "_issued_rules", lambda: rules)


def test_the_shipped_minimums_are_read_exactly():
    [rules] = load_disclosure_rules([SHIPPED])

    assert (rules.minimum_base, rules.minimum_cell, rules.minimum_opinion_base) == (10, 5, 30)
    assert rules.effective_from == date(2021, 8, 23)
    assert rules.issuer == CONTENT["issuer"]
    assert rules.basis == CONTENT["basis"]


def test_every_shipped_file_is_named_after_the_day_from_which_it_holds():
    paths = sorted(ISSUED.glob("*.yaml"))

    assert [rules.effective_from.isoformat() for rules in load_disclosure_rules(paths)] == [path.stem for path in paths]


def test_the_data_directory_shows_the_shipped_files():
    data = module.ISSUED.parents[2] / "data" / "disclosure"

    assert data.resolve() == ISSUED.resolve()


@pytest.mark.usefixtures("issued")
@pytest.mark.parametrize(("day", "base"), [(date(2026, 12, 31), 30), (date(2027, 1, 1), 50), (date(2031, 5, 1), 50)])
def test_rules_hold_from_their_day_until_the_next_ones(day, base):
    assert rules_in_force(day).minimum_opinion_base == base


@pytest.mark.usefixtures("issued")
def test_before_the_first_rules_none_are_in_force():
    day = date(2021, 8, 23) - timedelta(days=1)

    with pytest.raises(NoDisclosureRules, match="2021-08-22") as caught:
        rules_in_force(day)
    assert caught.value.day == day


@pytest.mark.parametrize("key", list(CONTENT))
def test_every_key_is_required(key):
    text = yaml.safe_dump({name: value for name, value in CONTENT.items() if name != key}, allow_unicode=True)

    assert (key, "this key is missing") in faults_of(text)


def test_all_faults_of_a_file_are_named_at_once():
    text = text_with(issuer="", effective_from="soon", minimum_cell=2, minimum_opinion_base="ten", hidden=3)

    assert faults_of(text) == [
        ("issuer", "this text is empty"),
        ("effective_from", "this must be a date, such as 2021-08-23"),
        ("minimum_cell", "this must lie between 3 and 1000, it is 2"),
        ("minimum_opinion_base", "this must be a whole number, it is 'ten'"),
        ("hidden", "this key is not known here"),
    ]


def test_a_minimum_base_below_the_minimum_cell_is_a_fault():
    assert faults_of(text_with(minimum_base=4)) == [("minimum_base", "this must lie between 5 and 1000, it is 4")]


def test_opinions_are_told_of_no_fewer_than_are_broken_down():
    assert faults_of(text_with(minimum_opinion_base=9)) == [
        ("minimum_opinion_base", "this must lie between 10 and 1000, it is 9")
    ]


@pytest.mark.parametrize("day", ["2021-08-23 10:00:00", "'2021-08-23'", "20210823"])
def test_only_a_day_is_taken_as_a_day(day):
    text = SHIPPED.read_text("utf-8").replace("effective_from: 2021-08-23", f"effective_from: {day}")

    assert faults_of(text) == [("effective_from", "this must be a date, such as 2021-08-23")]
