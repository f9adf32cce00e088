"""The files of an evaluation: reports to read, `standings.csv` to work with and `evaluation.json` to check it."""

import json
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, Final

import pandas as pd
import pyarrow as pa

from analytics.decision.evaluate import STANDINGS_FORMAT, Evaluation, versions
from analytics.decision.reasons import Part, reason_texts
from analytics.decision.survey_channels import HELPED_RESPONSES, survey_channels
from analytics.evidence.household_clustering import describe_clustering
from analytics.evidence.list_reliability import LIST_FALSE_DISCOVERY_RATE, summarise_evidence
from analytics.evidence.method import EVIDENCE_METHOD
from analytics.evidence.nonresponse import raised_spreads
from analytics.evidence.sensitivity import Sensitivity
from analytics.evidence.underreported_complaints import underreported_complaints
from analytics.files.atomic_files import write_files
from analytics.files.csv_files import column_lines, csv_heading
from analytics.progress import ProgressCallback, ignore_progress, progress_part, track_progress
from analytics.reports.complaint_sentences import underreported_sentences
from analytics.reports.labels import evidence_words
from analytics.reports.warnings import list_warnings, warning_sentence
from analytics.rules import share_text

STANDINGS_FILE: Final = "standings.csv"
EVALUATION_FILE: Final = "evaluation.json"

EVIDENCE_DECIMALS: Final = 6
"""Of the evidence in files: estimates beyond that would differ between machines."""

_SENTENCES: Final[Mapping[str, Part]] = {
    "satisfaction_sentence": "satisfaction",
    "complaint_sentence": "complaints",
    "criterion_sentence": "criterion",
}
_EVIDENCE_WORD = "criterion_evidence_word"
_WARNING = "complaint_warning"
_ROWS_AT_ONCE: Final = 10_000
# The last column of each decision: its evidence stands behind it.
_DECISIONS: Final[Mapping[str, str]] = {
    "satisfaction_reason": "satisfaction_",
    "complaint_reason": "complaint_",
    "criterion_route": "criterion_",
}


def standings_csv(
    evaluation: Evaluation, evidence: pd.DataFrame, sensitivity: Sensitivity, language: str
) -> Iterator[str]:
    """Yield the standings as CSV text, with the evidence beside each decision and the sentences that explain it.

    Parameters
    ----------
    evaluation : Evaluation
    evidence : DataFrame
        Of `analytics.evidence.weigh_evidence.weigh_evidence`.
    sensitivity : Sensitivity
        Of `analytics.evidence.sensitivity.analyse_sensitivity`.
    language : str
        Of the sentences, one of `analytics.languages.LANGUAGES`.

    Yields
    ------
    str
        Some lines at a time, the byte order mark and the names of the columns first. One row per community in the
        order of the table: id, name where the table has one, the columns of standings, each decision followed by its
        columns of evidence (that of satisfaction also by those of `sensitivity`), `survey_channel` where the table
        counts answers through slips, `helped_responses` where it has them, then `satisfaction_sentence`,
        `complaint_sentence`, `criterion_sentence` and `criterion_evidence_word`, and where the table says who
        complained `complaint_warning`, of communities whose complaints may be underreported. Missing values are empty;
        evidence has six decimals, and a tipping point that no gap reaches is `inf`.
    """
    warned, channels = _underreported(evaluation, language), _channels(evaluation)
    words = evidence_words(language)
    # An empty table has its names too.
    for start in range(0, max(len(evidence), 1), _ROWS_AT_ONCE):
        rows = slice(start, start + _ROWS_AT_ONCE)
        beside = evidence.iloc[rows].join(sensitivity.communities).round(EVIDENCE_DECIMALS)
        standings = evaluation.standings.iloc[rows]
        columns: dict[str, pd.Series[Any] | pa.Array] = {"community_id": standings["community_id"]}
        if "name" in evaluation.communities:
            columns["name"] = evaluation.communities["name"].iloc[rows]
        columns |= _beside_decisions(standings, beside)
        columns |= {name: values.iloc[rows] for name, values in channels.items()}
        columns |= _sentences(evaluation, standings, language)
        columns[_EVIDENCE_WORD] = beside["criterion_evidence"].map(words)
        if "said_complained" in evaluation.communities:
            columns[_WARNING] = standings["community_id"].map(warned)
        lines = column_lines(list(columns.values()))
        yield lines if start else csv_heading(columns) + lines


def _channels(evaluation: Evaluation) -> "dict[str, pd.Series[Any]]":
    channels = survey_channels(evaluation.communities)
    beside = {} if channels is None else {"survey_channel": channels}
    if HELPED_RESPONSES in evaluation.communities:
        beside[HELPED_RESPONSES] = evaluation.communities[HELPED_RESPONSES]
    return beside


def _underreported(evaluation: Evaluation, language: str) -> dict[str, str]:
    found = underreported_complaints(evaluation.communities, evaluation.rules)
    return underreported_sentences(found, language)


def evaluation_json(evaluation: Evaluation, support: Mapping[str, Any], sensitivity: Sensitivity, language: str) -> str:
    """Return what decided the standings as JSON text: equal inputs give equal bytes.

    Parameters
    ----------
    evaluation, sensitivity
        As in `standings_csv`.
    support : mapping
        Of `analytics.evidence.list_reliability.summarise_evidence`.
    language : str
        Of the sentences of the warnings.

    Returns
    -------
    str
        `rules`, `inputs_sha256`, `standings_format`, `standings_sha256`, `evidence_method` (see
        `analytics.evidence.method`), `communities`, `versions`, `warnings` (each with its region, or null for the whole
        table), `underreported_complaints` (the communities where residents report more complaints than are on record),
        the `summary` without warnings, and `evidence`: how it was weighed and, by region, `support`,
        and under `sensitivity` what
        `analytics.evidence.sensitivity.analyse_sensitivity` does. The hashes are of the decision alone.
    """
    rules, summary = evaluation.rules, evaluation.summary
    regions = {region: _without_warnings(facts) for region, facts in summary["regions"].items()}
    content = {
        "format": "jiayuan-evaluation-2",
        "rules": {"name": rules.name, "title": rules.title.data, "sha256": rules.sha256},
        "inputs_sha256": evaluation.inputs_sha256,
        "standings_format": STANDINGS_FORMAT,
        "standings_sha256": evaluation.standings_sha256,
        "evidence_method": EVIDENCE_METHOD,
        "communities": len(evaluation.communities),
        "versions": versions(),
        "warnings": [
            {"region": region, **warning, "sentence": warning_sentence(warning, language)}
            for region, warning in list_warnings(evaluation)
        ],
        "underreported_complaints": [
            {"community_id": number, "sentence": sentence}
            for number, sentence in sorted(_underreported(evaluation, language).items())
        ],
        "summary": {"total": summary["total"], "regions": regions},
        "evidence": {
            "method": "empirical_bayes",
            "prior": rules.evidence.prior,
            "level": share_text(rules.evidence.level),
            "rank_sets": "marginal",
            "nonresponse_spread": share_text(rules.evidence.nonresponse_spread),
            "raised_nonresponse_spread": raised_spreads(evaluation.communities, rules),
            "one_answer_per_household": rules.evidence.one_answer_per_household,
            "household_clustering": describe_clustering(evaluation.communities, rules),
            "few_false_share": LIST_FALSE_DISCOVERY_RATE,
            "regions": support,
            "sensitivity": sensitivity.regions,
        },
    }
    return json.dumps(content, ensure_ascii=False, allow_nan=False, sort_keys=True, indent=1) + "\n"


def write_outputs(
    evaluation: Evaluation,
    evidence: pd.DataFrame,
    sensitivity: Sensitivity,
    directory: Path,
    language: str,
    *,
    tell: ProgressCallback = ignore_progress,
) -> None:
    """Write the files and the report in every language into a directory, replacing those of an earlier evaluation.

    Parameters
    ----------
    evaluation, evidence, sensitivity
        As in `standings_csv`.
    directory : Path
        Made if it is missing.
    language : str
        Of the sentences in `standings.csv` and `evaluation.json`, one of `analytics.languages.LANGUAGES`.
    tell : callable
        Called with the share of the files that is made.

    Raises
    ------
    OSError
        If a file cannot be written. None of them is replaced before all are written.
    """
    # The site exports tables with this module and draws no report: it need not load a drawing library.
    from analytics.reports.evaluation_report import REPORT_FILES  # noqa: PLC0415

    steps = len(REPORT_FILES) + 2
    contents: dict[str, bytes | Iterable[bytes]] = {}
    support = summarise_evidence(evaluation, evidence)
    contents |= _reports(evaluation, evidence, sensitivity, support, tell=tell, steps=steps)
    contents[EVALUATION_FILE] = evaluation_json(evaluation, support, sensitivity, language).encode("utf-8")
    lines = track_progress(
        standings_csv(evaluation, evidence, sensitivity, language),
        progress_part(tell, part=steps - 1, parts=steps),
        total=-(-len(evidence) // _ROWS_AT_ONCE),
    )
    contents[STANDINGS_FILE] = map(str.encode, lines)
    write_files(contents, directory)


def _reports(
    evaluation: Evaluation,
    evidence: pd.DataFrame,
    sensitivity: Sensitivity,
    support: Mapping[str, Any],
    *,
    tell: ProgressCallback,
    steps: int,
) -> dict[str, Iterator[bytes]]:
    """Return the reports, which alone hold what they have in common: it is given up with the last that is written."""
    from analytics.reports.evaluation_report import REPORT_FILES, gather_report, report_parts  # noqa: PLC0415

    facts = gather_report(evaluation, evidence, sensitivity, support, tell=progress_part(tell, part=0, parts=steps))
    return {
        file: map(str.encode, report_parts(facts, spoken, tell=progress_part(tell, part=part, parts=steps)))
        for part, (spoken, file) in enumerate(REPORT_FILES.items(), start=1)
    }


def _beside_decisions(standings: pd.DataFrame, evidence: pd.DataFrame) -> "dict[str, pd.Series[Any]]":
    """Return the columns of standings, those of the evidence behind the decision that they belong to."""
    columns: dict[str, pd.Series[Any]] = {}
    for name in standings:
        columns[str(name)] = standings[name]
        if name in _DECISIONS:
            columns |= {str(own): evidence[own] for own in evidence if str(own).startswith(_DECISIONS[str(name)])}
    return columns


def _sentences(evaluation: Evaluation, standings: pd.DataFrame, language: str) -> dict[str, pa.Array]:
    """Return the columns of sentences that explain the rows."""
    regions, population = evaluation.summary["regions"], evaluation.rules.satisfaction.population
    return {
        name: reason_texts(standings, regions, part, population=population, language=language)
        for name, part in _SENTENCES.items()
    }


def _without_warnings(facts: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in facts.items() if name != "warnings"}
