"""Report of an evaluation as one self-contained HTML page to read and print, charts included."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from fractions import Fraction
from typing import Any, Final

import numpy as np
import pandas as pd

from analytics.decision.community_table import COMPLAINT_DETAIL_COLUMNS
from analytics.decision.evaluate import Evaluation, versions
from analytics.decision.reasons import Part, format_distinct, reason_sentences
from analytics.decision.summary import COLUMN_PREFIXES, RouteName
from analytics.decision.survey_channels import SurveyChannel, survey_channels
from analytics.decision.table_columns import float_column, plain_values
from analytics.evidence.bands import CERTAIN_FROM, LIKELY_FROM, NO_TO, UNLIKELY_TO, Reason
from analytics.evidence.calibration_record import read_calibration_record
from analytics.evidence.household_clustering import describe_clustering, repeat_complaint_share
from analytics.evidence.list_reliability import LIST_FALSE_DISCOVERY_RATE, summarise_evidence
from analytics.evidence.method import EVIDENCE_METHOD
from analytics.evidence.needed_responses import REACHABLE_SHARE
from analytics.evidence.nonresponse import raised_spreads, worst_cases
from analytics.evidence.picking_correction import correct_for_picking
from analytics.evidence.sensitivity import Sensitivity
from analytics.evidence.underreported_complaints import underreported_complaints
from analytics.files.csv_files import in_parts
from analytics.languages import translator
from analytics.progress import ProgressCallback, ignore_progress, track_progress
from analytics.reports import complaint_sentences, sensitivity_sentences
from analytics.reports.calibration_sentences import calibration_sentences, calibration_table
from analytics.reports.channel_sentences import channel_sentences
from analytics.reports.chart_words import RegionDrawings
from analytics.reports.clustering_sentences import clustering_sentences
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
from analytics.reports.nonresponse_sentences import raised_sentence, worst_case_sentence
from analytics.reports.percentile_words import percentile_cell, percentile_lines
from analytics.reports.stability_sentences import stability_sentences
from analytics.reports.standing_words import criterion_status_words
from analytics.reports.warnings import list_warnings, warning_sentence
from analytics.rules import share_words
from analytics.statistics.repeat_complaints import repeat_dispersion
from analytics.statistics.validation import IntegerArray

REPORT_FILES: Final[Mapping[str, str]] = page_files("report")
"""Report file of each language; a printed report has one language, and each file links to the other."""

MOST_LISTED: Final = 2_000
"""Communities on the list of a region that the report names at most."""

MOST_EXPLAINED: Final = 500
"""Communities on the list of a region whose reasons the annex gives at most; also the largest region, in communities,
of which all that are not assessed are named."""

NEAREST: Final = 20
# Each region has four charts: with very many regions the page would be too large to open.
_MOST_CHARTED_REGIONS: Final = 30
_DECIMALS: Final = 6
_DRAWN_STANDINGS: Final = (
    "region",
    "satisfaction_score",
    "satisfaction_rank",
    "satisfaction_status",
    "complaints",
    "exposure_household_years",
    "complaints_per_1000_household_years",
    "complaint_rank",
    "complaint_status",
)
_DRAWN_EVIDENCE: Final = ("satisfaction_shrunk", "satisfaction_lower", "satisfaction_upper")
# Jinja yields a page in very small pieces.
_PIECES_AT_ONCE: Final = 2_000
# Columns of the evidence band, and of the lowest and highest probability.
_EVIDENCE: Final = ("criterion_evidence", "criterion_lower", "criterion_upper")
_SATISFACTION_EVIDENCE: Final = (
    "satisfaction_evidence",
    "satisfaction_top_probability",
    "satisfaction_top_probability",
)


@dataclass(frozen=True)
class _Row:
    """One community as a row of a report table; numbers are texts, missing ones empty, as is a missing `anchor`."""

    id: str
    name: str
    anchor: str
    status: str
    status_word: str
    routes: str
    evidence_word: str
    probability: str
    score: str
    place: str
    interval: str
    ranks: str
    complaint_rate: str
    complaint_place: str


@dataclass(frozen=True)
class _Explanation:
    """What the annex says of one community beside its row: why it was decided so, and what supports it."""

    id: str
    name: str
    anchor: str
    status: str
    status_word: str
    sentences: tuple[str, ...]
    evidence: str
    facts: tuple[tuple[str, str], ...]


@dataclass(frozen=True)
class _Region:
    """Content of the report about one region; the rows of its annex are made when they are written."""

    name: str
    anchor: str
    facts: Mapping[str, Any]
    sentences: tuple[str, ...]
    support: tuple[str, ...]
    complaints: tuple[str, ...]
    warnings: tuple[str, ...]
    charts: tuple[Chart, ...]
    listed: tuple[_Row, ...]
    listed_count: int
    nearest: tuple[_Row, ...]
    nearest_by_complaints: tuple[_Row, ...]
    not_assessed: tuple[tuple[str, str, str], ...]
    not_assessed_count: int


@dataclass(frozen=True)
class _Named:
    """Communities of a region that the report names or explains, by their rows of the table."""

    listed: IntegerArray
    listed_count: int
    nearest: IntegerArray
    nearest_by_complaints: IntegerArray
    explained: IntegerArray
    not_assessed: IntegerArray
    not_assessed_count: int


@dataclass(frozen=True)
class ReportFacts:
    """What the reports of an evaluation have in common in all languages; made by `gather_report`.

    Attributes
    ----------
    evaluation, sensitivity
        As in `report_html`.
    support : mapping
        Of `analytics.evidence.list_reliability.summarise_evidence`.
    rows : mapping of str to ndarray of int
        Rows of the table by region, sorted by id.
    anchors : mapping of str to str
        Name of each region's place on a page: a number, since the names of regions may hold anything.
    named : mapping of str to _Named
    drawings : mapping of str to RegionDrawings
        Of the regions that have charts.
    cells : mapping of str to list
        Columns of the rows that the report names, None where missing.
    places : mapping of int to int
        Place of each of these rows in the columns.
    """

    evaluation: Evaluation
    sensitivity: Sensitivity
    support: Mapping[str, Any]
    rows: Mapping[str, IntegerArray]
    anchors: Mapping[str, str]
    named: Mapping[str, _Named]
    drawings: Mapping[str, RegionDrawings]
    cells: Mapping[str, list[Any]]
    places: Mapping[int, int]


def report_html(evaluation: Evaluation, evidence: pd.DataFrame, sensitivity: Sensitivity, language: str) -> str:
    """Render the report of an evaluation as an HTML page.

    Parameters
    ----------
    evaluation, evidence, sensitivity
        As in `analytics.reports.evaluation_files.standings_csv`.
    language : str
        One of `analytics.languages.LANGUAGES`.

    Returns
    -------
    str
        One page without external scripts, style sheets or pictures. Equal evaluations give equal bytes, whatever the
        order of the rows of the table.

    Notes
    -----
    Of each region the first `MOST_LISTED` communities of the list are named, a row each, and the nearest `NEAREST`
    below it. An annex gives the reasons of the first `MOST_EXPLAINED` of the list and of those below it.
    Communities that are not assessed are all named in regions of up to `MOST_EXPLAINED` communities, `NEAREST` of them
    in larger ones; `standings.csv` has everybody. Charts draw at most `analytics.reports.svg_charts.MOST_DRAWN`
    points, and only the first 30 regions have charts. Nothing is drawn of a route by which nobody in a region can be
    listed.
    """
    support = summarise_evidence(evaluation, evidence)
    return "".join(report_parts(gather_report(evaluation, evidence, sensitivity, support), language))


def gather_report(
    evaluation: Evaluation,
    evidence: pd.DataFrame,
    sensitivity: Sensitivity,
    support: Mapping[str, Any],
    *,
    tell: ProgressCallback = ignore_progress,
) -> ReportFacts:
    """Gather what the reports of an evaluation have in common in all languages, its drawings above all.

    Parameters
    ----------
    evaluation, evidence, sensitivity
        As in `report_html`.
    support : mapping
        Of `analytics.evidence.list_reliability.summarise_evidence`.
    tell : callable
        Called with the share of the regions that are drawn.

    Returns
    -------
    ReportFacts
    """
    standings = evaluation.standings
    by_id = np.argsort(standings["community_id"].to_numpy(dtype=np.str_), kind="stable")
    codes, labels = pd.factorize(standings["region"], sort=True)
    by_region = by_id[np.argsort(codes[by_id], kind="stable")]
    ends = np.searchsorted(codes[by_region], np.arange(1, len(labels)))
    rows = dict(zip(map(str, labels), np.split(by_region, ends), strict=True))
    named = _choose_named(standings, rows)
    chosen = np.unique(
        np.concatenate(
            [each for region in named.values() for each in (region.listed, region.explained, region.not_assessed)]
        )
    )
    return ReportFacts(
        evaluation,
        sensitivity,
        support=support,
        rows=rows,
        anchors={name: f"r{number}" for number, name in enumerate(rows, start=1)},
        named=named,
        drawings=_draw(evaluation, evidence, rows, tell),
        cells=_cells(evaluation, evidence, sensitivity, chosen),
        places={row: place for place, row in enumerate(chosen.tolist())},
    )


def report_parts(facts: ReportFacts, language: str, *, tell: ProgressCallback = ignore_progress) -> Iterator[str]:
    """Yield the report of an evaluation as an HTML page, piece by piece, so that a large one is never held whole.

    Parameters
    ----------
    facts : ReportFacts
    language : str
        One of `analytics.languages.LANGUAGES`.
    tell : callable
        Called with the share of the regions that is done.

    Yields
    ------
    str
        What `report_html` returns as a whole.
    """
    evaluation, _ = facts.evaluation, translator(language)
    other = next(tag for tag in REPORT_FILES if tag != language)
    record = read_calibration_record()
    page = (
        environment()
        .get_template("report.html")
        .stream(
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
            region_count=len(facts.rows),
            contents=facts.anchors,
            regions=track_progress(_regions(facts, language), tell, total=len(facts.rows)),
            annex=_explanations(facts, language),
            warnings=[
                warning_sentence(warning, language) for region, warning in list_warnings(evaluation) if not region
            ],
            has_complaints=_has_complaints(evaluation),
            level=share_words(evaluation.rules.evidence.level),
            spread=share_words(evaluation.rules.evidence.nonresponse_spread),
            raised=[
                raised_sentence(region, spread, language)
                for region, spread in raised_spreads(evaluation.communities, evaluation.rules).items()
            ],
            one_answer=evaluation.rules.evidence.one_answer_per_household,
            channels=list(channel_sentences(evaluation.communities, language)),
            clustering=list(
                clustering_sentences(
                    describe_clustering(evaluation.communities, evaluation.rules),
                    has_complaints=_has_complaints(evaluation),
                    language=language,
                )
            ),
            record=record,
            shortcomings=list(calibration_sentences(record, language)),
            calibrated=calibration_table(record, language),
            nearest=NEAREST,
            reachable=percent(float(REACHABLE_SHARE)),
            most_charted=_MOST_CHARTED_REGIONS,
            evaluation=evaluation,
            method=method_words(EVIDENCE_METHOD, language),
            versions=versions(),
        )
    )
    page.enable_buffering(_PIECES_AT_ONCE)
    return iter(page)


def _draw(
    evaluation: Evaluation, evidence: pd.DataFrame, rows: Mapping[str, IntegerArray], tell: ProgressCallback
) -> dict[str, RegionDrawings]:
    """Draw the charts of the first regions, of those by a route of which somebody can be listed."""
    regions = evaluation.summary["regions"]
    charted = {
        name: number
        for number, name in enumerate(list(rows)[:_MOST_CHARTED_REGIONS], start=1)
        if regions[name]["satisfaction"]["k"] or regions[name]["complaints"]["k"]
    }
    if not charted:
        return {}
    # A drawing library takes longer to load than small tables to evaluate.
    from analytics.reports.evaluation_charts import draw_region  # noqa: PLC0415

    return {
        name: draw_region(
            evaluation, _chart_columns(evaluation, evidence, rows[name]), scale=_scale(evaluation), number=number
        )
        for name, number in track_progress(charted.items(), tell, total=len(charted))
    }


def _choose_named(standings: pd.DataFrame, rows_by_region: Mapping[str, IntegerArray]) -> dict[str, _Named]:
    ranks, complaint_ranks = (float_column(standings, f"{prefix}_rank") for prefix in ("satisfaction", "complaint"))
    is_listed = (standings["criterion_status"] == "met").to_numpy(dtype=bool)
    is_unassessed = (standings["satisfaction_status"] == "not_assessed").to_numpy(dtype=bool)
    named = {}
    for name, by_id in rows_by_region.items():
        best_first = by_id[np.lexsort((complaint_ranks[by_id], ranks[by_id]))]
        below, below_by_id = best_first[~is_listed[best_first]], by_id[~is_listed[by_id]]
        by_complaints = below_by_id[np.argsort(complaint_ranks[below_by_id], kind="stable")]
        unassessed = by_id[is_unassessed[by_id]]
        listed = best_first[is_listed[best_first]]
        nearest = below[~np.isnan(ranks[below])][:NEAREST]
        nearest_by_complaints = by_complaints[~np.isnan(complaint_ranks[by_complaints])][:NEAREST]
        named[name] = _Named(
            listed=listed[:MOST_LISTED],
            listed_count=listed.size,
            nearest=nearest,
            nearest_by_complaints=nearest_by_complaints,
            # Somebody may be near by both routes, and is explained once.
            explained=pd.unique(np.concatenate([listed[:MOST_EXPLAINED], nearest, nearest_by_complaints])),
            not_assessed=unassessed if by_id.size <= MOST_EXPLAINED else unassessed[:NEAREST],
            not_assessed_count=unassessed.size,
        )
    return named


def _chart_columns(evaluation: Evaluation, evidence: pd.DataFrame, by_id: IntegerArray) -> pd.DataFrame:
    """Return what charts draw of a region's communities, the best first: standings, names and evidence."""
    every = evaluation.standings[list(_DRAWN_STANDINGS)]
    standings = every.iloc[by_id]
    order = np.lexsort((float_column(standings, "complaint_rank"), float_column(standings, "satisfaction_rank")))
    rows = by_id[order]
    # Rounded as in the other files, because further digits differ between machines.
    beside = evidence[list(_DRAWN_EVIDENCE)].iloc[rows].round(_DECIMALS).reset_index(drop=True)
    columns = every.iloc[rows].reset_index(drop=True).join(beside)
    return columns.assign(name=_names(evaluation).iloc[rows].to_numpy())


def _names(evaluation: Evaluation) -> "pd.Series[str]":
    table = evaluation.communities
    return table["name"] if "name" in table else table["community_id"]


def _cells(
    evaluation: Evaluation, evidence: pd.DataFrame, sensitivity: Sensitivity, rows: IntegerArray
) -> dict[str, list[Any]]:
    """Return the columns of the communities that the report names."""
    table, standings = evaluation.communities.iloc[rows], evaluation.standings.iloc[rows]
    beside = evidence.drop(columns="community_id").iloc[rows]
    rounded = [beside.round(_DECIMALS), sensitivity.communities.iloc[rows].round(_DECIMALS)]
    details = table[[column for column in COMPLAINT_DETAIL_COLUMNS if column in table]]
    columns = {
        str(name): plain_values(values) for frame in (standings, *rounded, details) for name, values in frame.items()
    }
    channels = survey_channels(evaluation.communities)
    columns["name"] = plain_values(_names(evaluation).iloc[rows])
    columns["channel"] = [None] * rows.size if channels is None else plain_values(channels.iloc[rows])
    found = underreported_complaints(evaluation.communities, evaluation.rules).set_index("community_id")
    corrected = correct_for_picking(evaluation).set_index("community_id")[["lower", "upper"]].add_prefix("picked_")
    for beside_it in (found, corrected):
        for name, values in beside_it.reindex(standings["community_id"]).items():
            columns[str(name)] = plain_values(values)
    return columns


def _regions(facts: ReportFacts, language: str) -> Iterator[_Region]:
    evaluation = facts.evaluation
    dispersion = repeat_dispersion(repeat_complaint_share(evaluation.communities, evaluation.rules))
    for name, by_id in facts.rows.items():
        yield _region(facts, name, by_id, dispersion=dispersion, language=language)


def _explanations(facts: ReportFacts, language: str) -> Iterator[tuple[str, Iterator[_Explanation]]]:
    """Yield each region with what the annex says of its communities, made when it is written."""
    for name, named in facts.named.items():
        if named.explained.size:
            yield name, _explain(facts, name, language)


def _reasons(facts: ReportFacts, chosen: IntegerArray, part: Part, language: str) -> list[str]:
    """Return the sentences that explain some of the communities that the report names."""
    evaluation = facts.evaluation
    places = [facts.places[row] for row in chosen.tolist()]
    return reason_sentences(
        {name: [values[place] for place in places] for name, values in facts.cells.items()},
        evaluation.summary["regions"],
        part,
        population=evaluation.rules.satisfaction.population,
        language=language,
    )


def _has_complaints(evaluation: Evaluation) -> bool:
    return "complaints" in evaluation.communities


def _totals(evaluation: Evaluation) -> dict[str, int | None]:
    """Return the sums of responses and complaints, None where none is known."""
    known = {name: evaluation.standings[name].dropna() for name in ("responses", "complaints")}
    return {name: int(values.sum()) if len(values) else None for name, values in known.items()}


def _region(facts: ReportFacts, name: str, by_id: IntegerArray, *, dispersion: float, language: str) -> _Region:
    evaluation, named, otherwise = facts.evaluation, facts.named[name], facts.sensitivity.regions[name]
    summary = evaluation.summary["regions"][name]
    anchors = _anchors(facts, name)

    def table(chosen: IntegerArray) -> tuple[_Row, ...]:
        return tuple(_rows(facts, chosen, anchors, language))

    return _Region(
        name=name,
        anchor=facts.anchors[name],
        facts=summary,
        sentences=tuple(_decision_sentences(evaluation, summary, language)),
        support=(
            *_support_sentences(summary, facts.support[name], language),
            *_stability_sentences(facts, name, language),
            *_worst_case_sentences(evaluation, by_id, language),
            *sensitivity_sentences.region_sentences(otherwise, scale=_scale(evaluation), language=language),
        ),
        complaints=tuple(
            complaint_sentences.region_sentences(
                evaluation.communities.iloc[by_id],
                level=float(evaluation.rules.evidence.level),
                language=language,
                dispersion=dispersion,
            )
        ),
        warnings=tuple(warning_sentence(warning, language) for warning in summary["warnings"]),
        charts=tuple(facts.drawings[name].in_language(language)) if name in facts.drawings else (),
        listed=table(named.listed),
        listed_count=named.listed_count,
        nearest=table(named.nearest),
        nearest_by_complaints=table(named.nearest_by_complaints),
        not_assessed=tuple(_not_assessed(facts, named.not_assessed, language)),
        not_assessed_count=named.not_assessed_count,
    )


def _anchors(facts: ReportFacts, region: str) -> dict[int, str]:
    """Return the name of the place in the annex of each community that it explains, by the rows of the table."""
    return {
        row: f"{facts.anchors[region]}-{number}"
        for number, row in enumerate(facts.named[region].explained.tolist(), start=1)
    }


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
    return "%" if evaluation.rules.satisfaction.measure == "satisfaction_rate" else ""


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


def _stability_sentences(facts: ReportFacts, region: str, language: str) -> Iterator[str]:
    support = facts.support[region]["satisfaction"]
    if support["stability"]:
        named = zip(facts.cells["community_id"], facts.cells["name"], strict=True)
        scale = _scale(facts.evaluation)
        yield from stability_sentences(
            support["stability"], listed=support["listed"], names=dict(named), scale=scale, language=language
        )


def _worst_case_sentences(evaluation: Evaluation, by_id: IntegerArray, language: str) -> Iterator[str]:
    """Yield what those who did not answer could have changed, where the measure is the share of satisfied answers."""
    ranked = by_id[evaluation.standings["satisfaction_rank"].iloc[by_id].notna().to_numpy(dtype=bool)]
    if evaluation.rules.satisfaction.measure == "satisfaction_rate":
        cases = worst_cases(evaluation.communities.iloc[ranked])
        if cases is not None:
            yield worst_case_sentence(cases, language)


def _rows(facts: ReportFacts, chosen: IntegerArray, anchors: Mapping[int, str], language: str) -> Iterator[_Row]:
    evaluation, words = facts.evaluation, evidence_words(language)
    scale, unit, regions = _scale(evaluation), _unit(evaluation), evaluation.summary["regions"]
    evidence, lower, upper = _weighed(evaluation)
    for row, cells in _cells_of(facts, chosen):
        yield _Row(
            id=cells["community_id"],
            name=cells["name"],
            anchor=anchors.get(row, ""),
            status=cells["criterion_status"],
            status_word=criterion_status_words(cells, language),
            routes=_routes_met(cells, language),
            evidence_word=words.get(cells[evidence] or "", ""),
            probability=_probability(cells[lower], cells[upper], cells[f"{evidence}_reason"], language),
            score=_counted(_score_text(cells["satisfaction_score"], scale, unit), cells["responses"]),
            place=_place(cells, regions, "satisfaction"),
            interval=between(
                cells["satisfaction_lower"], cells["satisfaction_upper"], scale=scale, decimals=1, unit=unit
            ),
            ranks=between(cells["satisfaction_rank_lower"], cells["satisfaction_rank_upper"], scale=1, decimals=0),
            complaint_rate=_counted(_rate_text(cells["complaints_per_1000_household_years"]), cells["complaints"]),
            complaint_place=_place(cells, regions, "complaints"),
        )


def _not_assessed(facts: ReportFacts, chosen: IntegerArray, language: str) -> Iterator[tuple[str, str, str]]:
    """Yield number, name and reason of communities that satisfaction does not rank."""
    reasons = _reasons(facts, chosen, "satisfaction", language)
    for (_, cells), sentence in zip(_cells_of(facts, chosen), reasons, strict=True):
        yield cells["community_id"], cells["name"], sentence


def _explain(facts: ReportFacts, region: str, language: str) -> Iterator[_Explanation]:
    evaluation, words, why = facts.evaluation, evidence_words(language), evidence_reasons(language)
    routes: tuple[Part, ...] = ("satisfaction", "complaints") if _has_complaints(evaluation) else ("satisfaction",)
    weighed, anchors, chosen = _weighed(evaluation)[0], _anchors(facts, region), facts.named[region].explained
    reasons = {part: _reasons(facts, chosen, part, language) for part in ("criterion", *routes)}
    for place, (row, cells) in enumerate(_cells_of(facts, chosen)):
        # Whoever meets the criterion is told by which route first.
        parts = ("criterion", *routes) if cells["criterion_status"] == "met" else routes
        evidence = (words.get(cells[weighed] or "", ""), why.get(cells[f"{weighed}_reason"] or "", ""))
        yield _Explanation(
            id=cells["community_id"],
            name=cells["name"],
            anchor=anchors[row],
            status=cells["criterion_status"],
            status_word=criterion_status_words(cells, language),
            sentences=(
                *(reasons[part][place] for part in parts),
                *_complaint_sentences(evaluation, cells, language),
            ),
            evidence=translator(language)("; ").join(filter(None, evidence)),
            facts=tuple(_facts_of(facts, region, cells, language)),
        )


def _complaint_sentences(evaluation: Evaluation, cells: Mapping[str, Any], language: str) -> Iterator[str]:
    if _has_complaints(evaluation):
        yield from complaint_sentences.community_sentences(cells, language)
    if cells["reported_lower"] is not None:
        yield complaint_sentences.underreported_sentence(
            cells["reported_lower"], cells["recorded_households"], language
        )


def _facts_of(facts: ReportFacts, region: str, cells: Mapping[str, Any], language: str) -> Iterator[tuple[str, str]]:
    """Yield what is known of a community beside its row, with the name of each fact; what is unknown is left out."""
    evaluation, _ = facts.evaluation, translator(language)
    few = facts.sensitivity.regions[region]["without_few"]
    rates = between(cells["complaint_rate_lower"], cells["complaint_rate_upper"], scale=1, decimals=2)
    separator = _("; ")
    scale, unit = _scale(evaluation), _unit(evaluation)
    known = (
        (
            _("Score corrected for having been picked because it was high"),
            between(cells["picked_lower"], cells["picked_upper"], scale=scale, decimals=1, unit=unit),
        ),
        (_("Percentile"), separator.join(percentile_lines(cells, evaluation.summary["regions"], language))),
        (_("Ranked otherwise"), separator.join(sensitivity_sentences.community_lines(cells, few, language))),
        (_("Answers still needed, by satisfaction"), needed_words(cells, language)),
        (_("Where the true complaint rate may lie"), rates),
        (
            _("How the answers came"),
            _("Answers came through posters alone.") if cells["channel"] == SurveyChannel.POSTERS else "",
        ),
    )
    yield from ((name, text) for name, text in known if text)


def _weighed(evaluation: Evaluation) -> tuple[str, str, str]:
    """Return the columns of the evidence and its bounds: without data on complaints only satisfaction has any."""
    return _EVIDENCE if _has_complaints(evaluation) else _SATISFACTION_EVIDENCE


def _routes_met(cells: Mapping[str, Any], language: str) -> str:
    """Return the routes by which a community meets the criterion, empty where it does not."""
    met = [word for name, word in route_words(language).items() if cells["criterion_route"] in {name, "both"}]
    return translator(language)(", ").join(met)


def _score_text(score: float | None, scale: int, unit: str) -> str:
    """Return a score with one decimal; the least and the best that one can have are only shown where they are meant."""
    if score is None:
        return ""
    return format_distinct(Fraction(score) * scale, [Fraction(0), Fraction(100)], decimals=1) + unit


def _rate_text(rate: float | None) -> str:
    return "" if rate is None else format_distinct(Fraction(rate), [Fraction(0)], decimals=2)


def _counted(text: str, count: int | None) -> str:
    """Return a number beside how many it is counted from."""
    return text if count is None or not text else f"{text} ({count:,})"


def _place(cells: Mapping[str, Any], regions: Mapping[str, Any], route: RouteName) -> str:
    """Return the places that a community shares on a route beside its percentile, empty where it is not ranked."""
    prefix = COLUMN_PREFIXES[route]
    first, last = cells[f"{prefix}_rank"], cells[f"{prefix}_last_rank"]
    if first is None:
        return ""
    places = str(first) if first == last else f"{first} – {last}"
    return f"{places} ({percentile_cell(cells, regions, route)})"


def _cells_of(facts: ReportFacts, chosen: IntegerArray) -> Iterator[tuple[int, dict[str, Any]]]:
    """Yield rows of the table with what the report knows of each."""
    rows = chosen.tolist()
    yield from zip(rows, _records(facts.cells, [facts.places[row] for row in rows]), strict=True)


def _records(columns: Mapping[str, list[Any]], places: list[int]) -> Iterator[dict[str, Any]]:
    """Yield what stands at some places of columns, some places at a time, which is faster than one by one."""
    for part in in_parts(places):
        for record in zip(*([values[place] for place in part] for values in columns.values()), strict=True):
            yield dict(zip(columns, record, strict=True))


def _probability(lower: float | None, upper: float, reason: str | None, language: str) -> str:
    """Return the probability beside the word for the evidence, or its bounds; empty where there is none."""
    _ = translator(language)
    if lower is None or (lower == upper and reason == Reason.TOO_LITTLE_INFORMATION):
        return ""
    shown = [chance_text(value, decimals=1) for value in (lower, upper)]
    return _("chance {range}%", range=shown[0] if shown[0] == shown[1] else " – ".join(shown))
