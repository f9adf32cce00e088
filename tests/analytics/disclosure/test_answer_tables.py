"""Answer tables: no hidden rating follows from what is shown of a question with its official result."""

from datetime import date

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from analytics.disclosure.answer_tables import AnswerTable, Official, are_all_shown, are_shares_told
from analytics.disclosure.rules import rules_in_force
from analytics.rules import load_rules
from survey_app.config import DATA
from tests.disclosure_solver import Reader

RULES = rules_in_force(date(2026, 9, 30))
WUHAI = load_rules(DATA / "rules" / "wuhai" / "2021-08-23.yaml")
VALID, SATISFIED = (5, 4, 3, 2, 1), (5, 4)
ratings = st.fixed_dictionaries(
    dict.fromkeys((*VALID, 9), st.one_of(st.just(0), st.integers(0, 6), st.integers(0, 40)))
)


def rated(counts, official=None):
    return AnswerTable(RULES).rated("q01", counts, SATISFIED, VALID, official=official)


def reader_of(shown, *, valid=None, satisfied=None):
    """Return who knows what is shown, and how many valid and satisfied answers there were from elsewhere."""
    reader = Reader()
    reader.learn(["valid", *((f"{code}", -1) for code in VALID)], 0)
    reader.learn(["satisfied", *((f"{code}", -1) for code in SATISFIED)], 0)
    known = {"valid": (valid, shown and shown.valid), "satisfied": (satisfied, shown and shown.satisfied)}
    for name, numbers in known.items():
        for number in numbers:
            if number is not None:
                reader.learn([name], number)
    for code in VALID if shown else ():
        if shown.counts[code] is not None:
            reader.learn([f"{code}"], shown.counts[code])
    return reader


@settings(max_examples=15, deadline=None)
@given(ratings, st.sampled_from([None, Official.RATE]))
def test_nobody_who_knows_the_official_result_finds_a_hidden_rating(counts, official):
    given_, good = (sum(counts[code] for code in codes) for codes in (VALID, SATISFIED))
    public = {"valid": given_, "satisfied": good} if official else {"valid": given_}
    shown = rated(counts, official)

    reader, before = reader_of(shown, **public), reader_of(None, **public)
    for code in VALID:
        least, greatest = reader.range_of(f"{code}")
        assert least - 1e-6 <= counts[code] <= greatest + 1e-6
        if shown.counts[code] is None:
            if given_ >= RULES.minimum_base:
                assert greatest - least > 1 - 1e-6
            assert greatest - least >= min(RULES.minimum_range, before.width_of(f"{code}")) - 1e-6
        elif 0 < counts[code] < RULES.minimum_cell:
            assert before.width_of(f"{code}") < 1e-6


@given(ratings)
def test_an_official_rate_keeps_its_numbers_whatever_they_are(counts):
    shown = rated(counts, Official.RATE)
    given_, good = (sum(counts[code] for code in codes) for codes in (VALID, SATISFIED))

    if given_ >= RULES.minimum_base:
        assert (shown.valid, shown.satisfied) == (given_, good)
    else:
        assert (shown.valid, shown.satisfied, set(shown.counts.values())) == (None, None, {None})


@given(ratings)
def test_beside_an_official_index_nothing_bounds_a_hidden_rating_further(counts):
    shown = rated(counts, Official.INDEX)

    if not shown.is_whole:
        assert shown.satisfied is None
        assert {shown.counts[code] for code in VALID} == {None}


@given(ratings)
def test_all_ratings_are_shown_where_none_is_few_and_only_there(counts):
    shown = rated(counts)

    assert shown.is_whole == are_all_shown([counts[code] for code in VALID], rules=RULES)
    if shown.is_whole:
        assert shown.counts == counts


def test_26_very_satisfied_of_47_satisfied_of_48_are_hidden_with_the_others():
    shown = rated({5: 26, 4: 21, 3: 1, 2: 0, 1: 0, 9: 2}, Official.RATE)

    assert shown.counts == {5: None, 4: None, 3: None, 2: None, 1: None, 9: 2}
    assert (shown.valid, shown.satisfied) == (48, 47)


def test_where_everybody_is_satisfied_nobody_is_said_to_be_withheld_who_is_not():
    shown = rated({5: 44, 4: 3, 3: 0, 2: 0, 1: 0, 9: 0}, Official.RATE)

    assert shown.counts == {5: None, 4: None, 3: 0, 2: 0, 1: 0, 9: 0}


@pytest.mark.parametrize(("is_ranked", "official"), [(True, Official.RATE), (False, None)])
def test_a_result_is_official_where_the_community_is_ranked(is_ranked, official):
    assert Official.of(WUHAI, is_ranked=is_ranked) is official


@settings(max_examples=60)
@given(st.lists(ratings, min_size=1, max_size=5))
def test_of_many_communities_at_once_the_same_shares_are_shown(communities):
    totals = [[sum(counts[code] for code in codes) for counts in communities] for codes in (SATISFIED, VALID)]

    told = are_shares_told(*map(np.array, totals), rules=RULES)

    assert told.tolist() == [rated(counts).satisfied is not None for counts in communities]
    both = [rated(counts) for counts, each in zip(communities, told, strict=True) if each]
    assert all(shown.valid is not None for shown in both)
