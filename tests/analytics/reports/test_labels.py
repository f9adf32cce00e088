from itertools import product
from typing import get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from analytics.decision.summary import STATUSES, RouteName
from analytics.decision.survey_modes import MIXED, MODES
from analytics.evidence.bands import Evidence, Reason, evidence_bands
from analytics.evidence.method import EVIDENCE_METHOD
from analytics.languages import LANGUAGES
from analytics.reports.labels import (
    chance_text,
    chance_words,
    channel_words,
    evidence_reasons,
    evidence_words,
    measure_axis,
    measure_words,
    method_words,
    mode_words,
    needed_words,
    rounding_words,
    route_words,
    signal_words,
    status_words,
)
from analytics.reports.standing_words import criterion_status_words, route_status_words
from analytics.rules import Measure, Rounding
from analytics.statistics.complaint_rates import CHANNELS
from analytics.statistics.integrity_signals import FAMILIES
from tests.analytics.reports.outcomes import all_standings

# Stored reviews name it.
EARLIER_FAMILY = "terminal"

CODES = {
    channel_words: CHANNELS,
    evidence_reasons: tuple(Reason),
    evidence_words: tuple(Evidence),
    measure_words: get_args(Measure),
    mode_words: (*MODES, MIXED),
    rounding_words: get_args(Rounding),
    route_words: get_args(RouteName),
    signal_words: (*FAMILIES, EARLIER_FAMILY),
    status_words: STATUSES,
}


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("words", CODES, ids=lambda words: words.__name__)
def test_every_code_has_a_label_of_its_own_in_every_language(words, language):
    labels = words(language)

    assert tuple(labels) == tuple(CODES[words])
    assert len(set(labels.values())) == len(labels)


@pytest.mark.parametrize("language", LANGUAGES)
def test_only_a_rate_is_drawn_in_percent(language):
    assert [measure for measure in get_args(Measure) if "%" in measure_axis(measure, language).replace("％", "%")] == [
        "satisfaction_rate"
    ]


@given(st.floats(0, 1), st.integers(0, 2))
def test_a_shown_chance_lies_in_the_band_of_the_word_beside_it(chance, decimals):
    shown = float(chance_text(chance, decimals=decimals)) / 100

    assert evidence_bands(shown) == evidence_bands(chance)
    assert abs(shown - chance) <= 0.01 / 10**decimals + 1e-12
    assert (shown in {0, 1}) == (chance in {0, 1})


@pytest.mark.parametrize("language", LANGUAGES)
def test_no_sentence_contradicts_the_word_or_the_number_beside_it(language):
    words, reasons = evidence_words(language), evidence_reasons(language)
    chances = [0.0, 0.03, 0.0501, 0.12, 0.2004, 0.5, 0.7999, 0.82, 0.9496, 0.951, 1.0]
    for chance, prefix, withheld in product(chances, ("satisfaction", "complaint"), (None, *WITHHELD)):
        evidence = Evidence.UNDECIDED if withheld else evidence_bands(chance)
        reason = withheld or (Reason.PROBABILITY if evidence == Evidence.UNDECIDED else None)
        standing = {f"{prefix}_top_probability": chance, f"{prefix}_evidence_reason": reason}
        number = chance_words(standing, prefix, language)
        if withheld == Reason.TOO_LITTLE_INFORMATION:
            assert number == ""
        elif withheld == Reason.ZERO_BY_LUCK:
            assert number not in {"", f"{chance:.0%}"}
        else:
            assert evidence_bands(float(number.rstrip("%")) / 100) == evidence
        assert (reason is not None) == (evidence == Evidence.UNDECIDED)
        assert reason is None or reasons[reason]
    for evidence, (needed, assurance) in product((*Evidence, None), ((0, 1.0), (40, 0.7), (None, 0.3), (None, None))):
        said = needed_words(
            {
                "satisfaction_evidence": evidence,
                "satisfaction_needed_responses": needed,
                "satisfaction_needed_assurance": assurance,
            },
            language,
        )
        # What needs nothing more is named, whatever the criterion's own word beside it is.
        assert (words.get(evidence, "-") in said) == (needed == 0 and evidence is not None)
        assert (said == "") == (assurance is None or evidence is None)


WITHHELD = (Reason.TOO_LITTLE_INFORMATION, Reason.ZERO_BY_LUCK)


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_method_that_was_ever_used_has_its_words(language):
    said = [method_words(method, language) for method in range(1, EVIDENCE_METHOD + 1)]

    assert len(set(said)) == EVIDENCE_METHOD
    assert all(str(method) in words for method, words in enumerate(said, start=1))


@pytest.mark.parametrize("language", LANGUAGES)
def test_no_status_in_words_contradicts_a_rank_beside_it(language):
    unassessed = status_words(language)["not_assessed"]
    for standing in all_standings():
        for prefix in ("satisfaction", "complaint"):
            word = route_status_words(standing, prefix, language)
            assert (word == unassessed) == (standing[f"{prefix}_rank"] is None)
        ranks = standing["satisfaction_rank"], standing["complaint_rank"]
        word = criterion_status_words(standing, language)
        assert (word == unassessed) == (ranks == (None, None)), standing
        if unassessed in word:
            assert None in ranks
        if standing["criterion_status"] != "not_assessed":
            assert word == status_words(language)[standing["criterion_status"]]
