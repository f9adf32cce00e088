import pytest

from analytics.reports.clustering_sentences import clustering_sentences
from analytics.reports.evaluation_report import REPORT_FILES
from tests.analytics.reports.test_evaluation_report import city, report_of, text_of
from tests.analytics.rule_files import rules_2_with, rules_with

ONCE = {"evidence.one_answer_per_household": True}


@pytest.mark.parametrize(
    ("rules", "columns", "said"),
    [
        (rules_2_with({}), {}, ["so that 1.50 such answers count as one", "20% of the complaints come"]),
        (rules_2_with(ONCE), {}, ["20% of the complaints come"]),
        (rules_with({}), {}, ["does not say how alike the answers", "how often a household complains again"]),
    ],
)
def test_the_report_says_what_is_taken_for_granted_of_households(rules, columns, said):
    page = " ".join(text_of(report_of(city(**columns), "en", rules)[1]).split())

    for part in said:
        assert part in page
    assert ("design effect" in page) == (said[0].startswith("so that"))


@pytest.mark.parametrize("language", REPORT_FILES)
def test_every_source_has_its_own_words(language):
    sources = ("rules", "table", "not_stated")
    said = [
        sentence
        for source in sources
        for sentence in clustering_sentences(
            {
                "answers": {"source": source, "design_effect": 1.4},
                "complaints": {"source": source, "repeat_share": 0.25},
            },
            has_complaints=True,
            language=language,
        )
    ]

    assert len(set(said)) == 2 * len(sources)
    nothing = {"answers": {"source": "one_answer", "design_effect": 1.0}, "complaints": {"source": "rules"}}
    nothing["complaints"]["repeat_share"] = 0.0
    assert not list(clustering_sentences(nothing, has_complaints=False, language=language))
