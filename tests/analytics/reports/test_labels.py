from typing import get_args

import pytest

from analytics.decision.summary import STATUSES, RouteName
from analytics.decision.survey_modes import MIXED, MODES
from analytics.evidence.bands import Evidence, Reason
from analytics.languages import LANGUAGES
from analytics.reports.labels import (
    channel_words,
    evidence_reasons,
    evidence_words,
    measure_axis,
    measure_words,
    mode_words,
    rounding_words,
    route_words,
    signal_words,
    status_words,
)
from analytics.rules import Measure, Rounding
from analytics.statistics.complaint_rates import CHANNELS
from analytics.statistics.integrity_signals import FAMILIES

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
