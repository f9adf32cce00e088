"""Report of an evaluation as one self-contained HTML page to read and print, charts included."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from fractions import Fraction
from functools import partial
from typing import Any, Final

import numpy as np
import pandas as pd

from analytics.decision.community_table import COMPLAINT_DETAIL_COLUMNS
from analytics.decision.evaluate import Evaluation, versions
from analytics.decision.reasons import Part, format_distinct, reason_sentence
from analytics.decision.summary import RouteName
from analytics.decision.survey_channels import SurveyChannel, survey_channels
from analytics.evidence.bands import CERTAIN_FROM, LIKELY_FROM, NO_TO, UNLIKELY_TO, Reason
from analytics.evidence.household_clustering import describe_clustering, repeat_complaint_share
from analytics.evidence.list_reliability import LIST_FALSE_DISCOVERY_RATE, summarise_evidence
from analytics.evidence.method import EVIDENCE_METHOD
from analytics.evidence.needed_responses import REACHABLE_SHARE
from analytics.evidence.sensitivity import Sensitivity
from analytics.evidence.underreported_complaints import underreported_complaints
from analytics.languages import translator
from analytics.progress import ProgressCallback, ignore_progress, track_progress
from analytics.reports import complaint_sentences, sensitivity_sentences
from analytics.reports.channel_sentences import channel_sentences
from analytics.reports.clustering_sentences import clustering_sentences
from analytics.reports.evaluation_charts import region_charts
from analytics.reports.html_page import Chart, between, environment, page_files, percent
from analytics.reports.labels import (
    chance_text,
    evidence_reasons,
    evidence_words,
    method_words,
    needed_words,
    rounding_words,
    route_words,
    valid_answers_words,
)
from analytics.reports.standing_words import criterion_status_words
from analytics.reports.warnings import list_warnings, warning_sentence
from analytics.rules import share_words
from analytics.statistics.repeat_complaints import repeat_dispersion

REPORT_FILES: Final[Mapping[str, str]] = page_files("report")
"""Report file of each language; a printed report has one language, and each file links to the other."""

MOST_ROWS: Final = 500
"""Largest region, in communities, for which a table names all communities that are not assessed."""

NEAREST: Final = 20
# Each region has four charts: with very many regions the page would be too large to open.
_MOST_CHARTED_REGIONS: Final = 30
_DECIMALS: Final = 6
# Columns of the evidence band, and of the lowest and highest probability.
_EVIDENCE: Final = ("criterion_evidence", "criterion_lower", "criterion_upper")
_SATISFACTION_EVIDENCE: Final = (
    "satisfaction_evidence",
    "satisfaction_top_probability",
    "satisfaction_top_probability",
)


@dataclass(frozen=True)
class _Row:
    """One community as a row of a report table; numbers are texts, missing ones empty."""

    id: str
    name: str
    status: str
    status_word: str
    sentences: tuple[str, ...]
    interval: str
    ranks: str
    complaint_rates: str
    evidence_word: str
    probability: str
    why: str
    needed: str
    places: tuple[str, ...]
    channel: str


@dataclass(frozen=True)
class _Region:
    """Content of the report about one region."""

    name: str
    facts: Mapping[str, Any]
    sentences: tuple[str, ...]
    support: tuple[str, ...]
    complaints: tuple[str, ...]
    warnings: tuple[str, ...]
    charts: tuple[Chart, ...]
    listed: tuple[_Row, ...]
    nearest: tuple[_Row, ...]
    nearest_by_complaints: tuple[_Row, ...]
    not_assessed: tuple[_Row, ...]
    not_assessed_count: int


def report_html(
    evaluation: Evaluation,
    evidence: pd.DataFrame,
    sensitivity: Sensitivity,
    language: str,
    *,
    tell: ProgressCallback = ignore_progress,
) -> str:
    """Render the report of an evaluation as an HTML page.

    Parameters
    ----------
    evaluation, evidence, sensitivity
        As in `analytics.reports.evaluation_files.standings_csv`.
    language : str
        One of `analytics.languages.LANGUAGES`.
    tell : callable
        Called with the share of the regions that is done.

    Returns
    -------
    str
        One page without external scripts, style sheets or pictures. Equal evaluations give equal bytes, whatever the
        order of the rows of the table.

    Notes
    -----
    Every listed community is named, and the nearest `NEAREST` below the list. Communities that are not assessed are
    all named in regions of up to `MOST_ROWS` communities, `NEAREST` of them in larger ones. Charts draw at most
    `analytics.reports.svg_charts.MOST_DRAWN` points, and only the first 30 regions have charts. Nothing is drawn of a
    route by which nobody in a region can be listed.
    """
    _ = translator(language)
    other = next(tag for tag in REPORT_FILES if tag != language)
    return (
        environment()
        .get_template("report.html")
        .render(
            _=_,
            certain=percent(CERTAIN_FROM),
            likely=percent(LIKELY_FROM),
            unlikely=percent(UNLIKELY_TO),
            ruled_out=percent(NO_TO),
            language=language,
            other_language=other,
            other_file=REPORT_FILES[other],
            rules=evaluation.rules,
            title=evaluation.rules.title.in_language(language),
            totals=_totals(evaluation),
            counted=valid_answers_words(language)[evaluation.rules.satisfaction.population],
            total=evaluation.summary["total"],
            regions=list(_regions(evaluation, evidence, sensitivity, language, tell)),
            warnings=[
                warning_sentence(warning, language) for region, warning in list_warnings(evaluation) if not region
            ],
            has_complaints=_has_complaints(evaluation),
            level=share_words(evaluation.rules.evidence.level),
            spread=share_words(evaluation.rules.evidence.nonresponse_spread),
            one_answer=evaluation.rules.evidence.one_answer_per_household,
            channels=list(channel_sentences(evaluation.communities, language)),
            clustering=list(
                clustering_sentences(
                    describe_clustering(evaluation.communities, evaluation.rules),
                    has_complaints=_has_complaints(evaluation),
                    language=language,
                )
            ),
            nearest=NEAREST,
            reachable=percent(float(REACHABLE_SHARE)),
            most_charted=_MOST_CHARTED_REGIONS,
            evaluation=evaluation,
            method=method_words(EVIDENCE_METHOD, language),
            versions=versions(),
        )
    )


def _regions(
    evaluation: Evaluation,
    evidence: pd.DataFrame,
    sensitivity: Sensitivity,
    language: str,
    tell: ProgressCallback,
) -> Iterator[_Region]:
    # Rounded as in the other files, because further digits differ between machines.
    frame = _joined(evaluation, evidence.join(sensitivity.communities).round(_DECIMALS))
    support = summarise_evidence(evaluation, evidence)
    parts = frame.groupby("region", sort=True)
    named = {name: _choose_named(part) for name, part in parts}
    cells = _cells_of(frame, named.values())
    for number, (name, part) in enumerate(track_progress(parts, tell, total=parts.ngroups), start=1):
        yield _region(
            evaluation,
            part,
            named[name],
            cells,
            support=support[str(name)],
            otherwise=sensitivity.regions[str(name)],
            language=language,
            number=number,
        )


@dataclass(frozen=True)
class _Named:
    """Communities of a region that the report names, by the labels of their rows."""

    listed: pd.Index
    nearest: pd.Index
    nearest_by_complaints: pd.Index
    not_assessed: pd.Index
    not_assessed_count: int


def _choose_named(part: pd.DataFrame) -> _Named:
    listed = part["criterion_status"] == "met"
    below = part[~listed]
    unassessed = part[part["satisfaction_status"] == "not_assessed"].sort_values("community_id", kind="stable")
    ranked_by_complaints = below[below["complaint_rank"].notna()].sort_values(["complaint_rank", "community_id"])
    return _Named(
        listed=part.index[listed],
        nearest=below.index[below["satisfaction_rank"].notna()][:NEAREST],
        nearest_by_complaints=ranked_by_complaints.index[:NEAREST],
        not_assessed=unassessed.index if len(part) <= MOST_ROWS else unassessed.index[:NEAREST],
        not_assessed_count=len(unassessed),
    )


_Cells = Mapping[Any, Mapping[str, Any]]
"""Values of the rows that the report names, None where missing, by the labels of the rows."""


def _cells_of(frame: pd.DataFrame, named: Iterable[_Named]) -> _Cells:
    """Return the cells of all rows that the report names, converted together: one by one it takes ten times as long."""
    labels = [
        each
        for region in named
        for each in (region.listed, region.nearest, region.nearest_by_complaints, region.not_assessed)
    ]
    chosen = frame.loc[pd.Index(np.concatenate(labels)).unique()]
    values = chosen.astype(object).where(chosen.notna(), None)
    rows = values.itertuples(index=False, name=None)
    return {label: dict(zip(chosen.columns, row, strict=True)) for label, row in zip(chosen.index, rows, strict=True)}


def _has_complaints(evaluation: Evaluation) -> bool:
    return "complaints" in evaluation.communities


def _totals(evaluation: Evaluation) -> dict[str, int | None]:
    """Return the sums of responses and complaints, None where none is known."""
    known = {name: evaluation.standings[name].dropna() for name in ("responses", "complaints")}
    return {name: int(values.sum()) if len(values) else None for name, values in known.items()}


def _joined(evaluation: Evaluation, evidence: pd.DataFrame) -> pd.DataFrame:
    """Join standings and evidence, in one order for all tables of the report."""
    beside = evidence.drop(columns="community_id").set_axis(evaluation.standings.index)
    names = evaluation.communities.get("name", evaluation.communities["community_id"])
    details = [column for column in COMPLAINT_DETAIL_COLUMNS if column in evaluation.communities]
    channels = survey_channels(evaluation.communities)
    frame = evaluation.standings.join([beside, evaluation.communities[details]]).assign(
        name=names.to_numpy(), channel=None if channels is None else channels.to_numpy()
    )
    found = underreported_complaints(evaluation.communities, evaluation.rules).set_index("community_id")
    frame = frame.join(found, on="community_id")
    return frame.sort_values(["satisfaction_rank", "complaint_rank", "community_id"], kind="stable")


def _region(
    evaluation: Evaluation,
    part: pd.DataFrame,
    named: _Named,
    cells: _Cells,
    *,
    support: Mapping[str, Any],
    otherwise: Mapping[str, Any],
    language: str,
    number: int,
) -> _Region:
    name = str(part["region"].iloc[0])
    facts = evaluation.summary["regions"][name]
    routes: tuple[Part, ...] = ("satisfaction", "complaints") if _has_complaints(evaluation) else ("satisfaction",)

    def rows(chosen: pd.Index, parts: tuple[Part, ...] = routes) -> tuple[_Row, ...]:
        return tuple(_rows(evaluation, [cells[label] for label in chosen], facts, otherwise, parts, language=language))

    return _Region(
        name=name,
        facts=facts,
        sentences=tuple(_decision_sentences(evaluation, facts, language)),
        support=(
            *_support_sentences(facts, support, language),
            *sensitivity_sentences.region_sentences(otherwise, scale=_scale(evaluation), language=language),
        ),
        complaints=tuple(_complaint_sentences(evaluation, name, language)),
        warnings=tuple(warning_sentence(warning, language) for warning in facts["warnings"]),
        charts=tuple(region_charts(evaluation, part, scale=_scale(evaluation), language=language, number=number))
        if number <= _MOST_CHARTED_REGIONS
        else (),
        listed=rows(named.listed),
        nearest=rows(named.nearest),
        nearest_by_complaints=rows(named.nearest_by_complaints),
        not_assessed=rows(named.not_assessed, ("satisfaction",)),
        not_assessed_count=named.not_assessed_count,
    )


def _complaint_sentences(evaluation: Evaluation, name: str, language: str) -> Iterator[str]:
    own = evaluation.communities[evaluation.communities["region"] == name]
    level = float(evaluation.rules.evidence.level)
    ordered = own.sort_values("community_id", kind="stable")
    dispersion = repeat_dispersion(repeat_complaint_share(evaluation.communities, evaluation.rules))
    return complaint_sentences.region_sentences(ordered, level=level, language=language, dispersion=dispersion)


def _decision_sentences(evaluation: Evaluation, facts: Mapping[str, Any], language: str) -> Iterator[str]:
    _ = translator(language)
    if facts["satisfaction"]["N"] or not _has_complaints(evaluation):
        yield _cut_sentence("satisfaction", facts, _satisfaction_text(evaluation, facts), language)
    if _has_complaints(evaluation):
        cut_off = facts["complaints"]["cut_off_score"]
        shown = None
        if cut_off is not None:
            rate = format_distinct(Fraction(cut_off), [Fraction(0)], decimals=2)
            shown = _("{rate} complaints per 1,000 households a year", rate=rate)
            if cut_off == 0 and facts["complaints"]["zero_ties"] == "by_exposure":
                # Of those without complaints the larger come first, so that few have exactly that.
                exposure = f"{facts['complaints']['cut_off_exposure_household_years']:,.0f}"
                shown = _("no complaint in {exposure} household-years", exposure=exposure)
        yield _cut_sentence("complaints", facts, shown, language)


def _satisfaction_text(evaluation: Evaluation, facts: Mapping[str, Any]) -> str | None:
    cut_off = facts["satisfaction"]["cut_off_score"]
    if cut_off is None:
        return None
    value = Fraction(cut_off) * _scale(evaluation)
    return format_distinct(value, [Fraction(0), Fraction(100)], decimals=1) + _unit(evaluation)


def _unit(evaluation: Evaluation) -> str:
    return " %" if evaluation.rules.satisfaction.measure == "satisfaction_rate" else ""


def _scale(evaluation: Evaluation) -> int:
    """Return the factor that makes a score a percentage: 100 for a rate from counts, 1 for given percentages."""
    counted = "score" not in evaluation.communities
    return 100 if counted and evaluation.rules.satisfaction.measure == "satisfaction_rate" else 1


def _cut_sentence(route: RouteName, region: Mapping[str, Any], cut_off: str | None, language: str) -> str:
    _, facts = translator(language), region[route]
    counted = _(
        "{route}: communities that are ranked together: {N}; {share} of them, {rounding}, is k = {k}.",
        route=route_words(language)[route],
        N=facts["N"],
        share=facts["share"],
        rounding=rounding_words(language)[facts["rounding"]],
        k=facts["k"],
    )
    if cut_off is None:
        return counted
    cut = _(
        "Position {k} has {cut_off}; communities before it: {above}, with exactly that: {tied}. Meeting the criterion"
        " here: {met}. One more position would qualify once the ranked communities grow by {more}.",
        k=facts["k"],
        more=facts["until_next_position"],
        cut_off=cut_off,
        above=facts["above_cut_off"],
        tied=facts["tied_at_cut_off"],
        met=facts["met"],
    )
    return _("{first} {second}", first=counted, second=cut)


def _support_sentences(facts: Mapping[str, Any], support: Mapping[str, Any], language: str) -> Iterator[str]:
    _ = translator(language)
    for name, route in route_words(language).items():
        expected = support[name]["expected_rightful"]
        if expected is None or not support[name]["listed"]:
            continue
        yield _(
            "{route}: communities on the official list: {listed}; expected to be truly among the best {k}: about"
            " {expected} (± {deviation}). A list on which at most {false} are expected to be wrong would name {few}.",
            route=route,
            listed=support[name]["listed"],
            expected=f"{expected:.1f}",
            deviation=f"{support[name]['standard_deviation']:.1f}",
            k=facts[name]["k"],
            false=percent(LIST_FALSE_DISCOVERY_RATE),
            few=support[name]["few_false"],
        )
    needed = support["satisfaction"]["needed"]
    if any(needed.values()):
        yield _(
            "Evidence on satisfaction: communities that are settled: {settled}; that further answers are predicted to"
            " settle: {reachable}; that all the answers one can expect would not: {not_reachable}; of which it cannot"
            " be foretold, because their households are not known or nothing tells them apart: {unknown}.",
            **needed,
        )


def _rows(
    evaluation: Evaluation,
    chosen: Iterable[Mapping[str, Any]],
    facts: Mapping[str, Any],
    otherwise: Mapping[str, Any],
    parts: tuple[Part, ...],
    *,
    language: str,
) -> Iterator[_Row]:
    _, words = translator(language), evidence_words(language)
    why, scale, unit = evidence_reasons(language), _scale(evaluation), _unit(evaluation)
    explain = partial(reason_sentence, population=evaluation.rules.satisfaction.population, language=language)
    # Without data on complaints only the satisfaction route has evidence.
    weighed = _EVIDENCE if _has_complaints(evaluation) else _SATISFACTION_EVIDENCE
    for cells in chosen:
        sentences = tuple(explain(cells, facts, part) for part in parts)
        if cells["criterion_status"] == "met":
            sentences = (explain(cells, facts, "criterion"), *sentences)
        if "complaints" in parts:
            sentences = (*sentences, *complaint_sentences.community_sentences(cells, language))
        if cells["reported_lower"] is not None:
            warning = complaint_sentences.underreported_sentence(
                cells["reported_lower"], cells["recorded_households"], language
            )
            sentences = (*sentences, warning)
        evidence, lower, upper = (cells[name] for name in weighed)
        yield _Row(
            id=cells["community_id"],
            name=cells["name"],
            status=cells["criterion_status"],
            status_word=criterion_status_words(cells, language),
            sentences=sentences,
            interval=between(
                cells["satisfaction_lower"], cells["satisfaction_upper"], scale=scale, decimals=1, unit=unit
            ),
            ranks=between(cells["satisfaction_rank_lower"], cells["satisfaction_rank_upper"], scale=1, decimals=0),
            complaint_rates=between(cells["complaint_rate_lower"], cells["complaint_rate_upper"], scale=1, decimals=2),
            evidence_word=words.get(evidence or "", ""),
            probability=_probability(lower, upper, cells[f"{weighed[0]}_reason"], language),
            why=why.get(cells[f"{weighed[0]}_reason"] or "", ""),
            needed=needed_words(cells, language),
            channel=_("Answers came through posters alone.") if cells["channel"] == SurveyChannel.POSTERS else "",
            places=tuple(sensitivity_sentences.community_lines(cells, otherwise["without_few"], language)),
        )


def _probability(lower: float | None, upper: float, reason: str | None, language: str) -> str:
    """Return the probability beside the word for the evidence, or its bounds; empty where there is none."""
    _ = translator(language)
    if lower is None or (lower == upper and reason == Reason.TOO_LITTLE_INFORMATION):
        return ""
    shown = [chance_text(value, decimals=1) for value in (lower, upper)]
    return _("chance {range} %", range=shown[0] if shown[0] == shown[1] else " – ".join(shown))
