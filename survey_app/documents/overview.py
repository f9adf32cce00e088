"""Overview of a result as a document: the finding, key figures, distribution of scores, all that qualify and why."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from analytics.reports.chart_words import Labels
from analytics.reports.labels import evidence_words, route_words
from analytics.reports.percentile_words import percentile_cell
from analytics.reports.svg_charts import histogram_bins
from dashboards.figures.chart_parts import count_text
from dashboards.frames.page_data import PageData
from dashboards.frames.standings import counted_words, scale_of
from dashboards.labels import ranked_words
from dashboards.languages import pick
from dashboards.panels.finding import finding_sentences
from dashboards.panels.qualified import none_qualifies, qualified_in_order, qualified_sentence
from dashboards.panels.row_warnings import row_warnings
from dashboards.panels.rules import rule_facts
from dashboards.routes import ROUTES
from dashboards.widgets.community_table import rank_words
from dashboards.widgets.components import records
from survey_app.catalogue import translator
from survey_app.documents.blocks import (
    Block,
    Cell,
    Spanning,
    TableColumn,
    check_length,
    facts,
    heading,
    paragraph,
    sentences,
    table,
)
from survey_app.documents.charts import histogram
from survey_app.documents.cover import Contents
from survey_app.documents.tables import cut_offs_table

_SATISFACTION: Final = ROUTES["satisfaction"]
_NO_VALUE: Final = "—"


def overview(shown: PageData) -> Contents:
    """Return the contents of the document for one view."""
    _ = translator(shown.language)
    region, warnings = shown.view.region, shown.warnings()
    return Contents(
        title=_("Overview of the result"),
        place=None if region is None else shown.region_label(region),
        blocks=[
            heading(_("The finding")),
            sentences(finding_sentences(shown)),
            heading(_("Key figures")),
            facts(_key_figures(shown)),
            cut_offs_table(shown),
            heading(_("Distribution of the scores")),
            *_distribution(shown),
            heading(_("Who qualifies, by which route and why")),
            *_qualified(shown),
            *([heading(_("Please note")), sentences(warnings)] if warnings else []),
            heading(_("Rules in force")),
            facts(rule_facts(shown.header, shown.language)),
        ],
    )


def _key_figures(shown: PageData) -> Iterator[tuple[str, str]]:
    _ = translator(shown.language)
    counts = shown.counts
    yield _("Communities"), count_text(counts.communities)
    for route in ROUTES.values():
        yield ranked_words(route, shown.language), count_text(counts.ranked[route.key])
    yield _("Meet the criterion"), count_text(counts.met)
    yield counted_words(shown.header, shown.language), count_text(counts.responses)


def _distribution(shown: PageData) -> Iterator[Block]:
    """Yield the histogram of the scores by satisfaction, and its numbers."""
    _ = translator(shown.language)
    scale = scale_of(shown.header, _SATISFACTION, shown.language)
    known = shown.standings.loc[shown.standings[_SATISFACTION.rank].notna(), _SATISFACTION.score].dropna()
    scores = known.to_numpy("float64") * scale.factor
    if not scores.size:
        yield paragraph(_("No community here is ranked on this route."))
        return
    counts, edges = histogram_bins(scores)
    cut_offs = [here.score for here in shown.cut_offs(_SATISFACTION)]
    # Each region has its own: one line among several would be taken for that of all.
    cut_off = cut_offs[0] * scale.factor if len(cut_offs) == 1 and cut_offs[0] is not None else None
    description = _(
        "{measure} of the ranked communities ({count}): from {lowest} to {highest}, half of them below {median}."
    ).format(
        measure=scale.title,
        count=f"{scores.size:,}",
        lowest=scale.write(float(known.min())),
        highest=scale.write(float(known.max())),
        median=scale.write(float(known.median())),
    )
    if cut_off is not None:
        description += _(" Dashed: the cut-off, {score}.").format(score=scale.write(cut_offs[0]))
    labels = Labels(description, scale.axis, _("Communities"), _("- - cut-off") if cut_off is not None else "")
    yield histogram(scores, cut_off=cut_off, labels=labels)
    bounds = [scale.write(edge / scale.factor) for edge in edges.tolist()]
    yield table(
        [
            TableColumn(_("At least"), numeric=True),
            TableColumn(_("Below"), numeric=True),
            TableColumn(_("Communities"), numeric=True),
        ],
        [
            [lower, upper, count_text(count)]
            for lower, upper, count in zip(bounds, bounds[1:], counts.tolist(), strict=False)
        ],
        caption=_("The numbers of the chart; the last row holds the highest score too"),
    )


def _qualified(shown: PageData) -> Iterator[Block]:
    """Yield all communities that meet the criterion, with a row for each route by which they do."""
    _ = translator(shown.language)
    qualified = qualified_in_order(shown)
    if qualified.empty:
        yield paragraph(none_qualifies(shown.language))
        return
    check_length(len(qualified))
    yield paragraph(qualified_sentence(qualified, shown.language))
    listed = shown.with_all_columns(qualified)
    reasons, warnings = (
        {key: shown.reasons(listed, route) for key, route in ROUTES.items()},
        row_warnings(shown, listed),
    )
    columns = [
        TableColumn(_("No."), width=0.9, numeric=True),
        TableColumn(_("Community"), width=2),
        TableColumn(_("Route"), width=1.6),
        TableColumn(_("Rank"), width=1, numeric=True),
        TableColumn(_("Percentile"), width=1.6, numeric=True),
        TableColumn(_("Score"), width=1.2, numeric=True),
        TableColumn(_("Evidence"), width=1.6),
        TableColumn(_("Reason of the decision"), width=4.4),
    ]
    rows = [
        row
        for place, standing in enumerate(records(listed), start=1)
        for row in _qualified_rows(shown, place, standing, reasons, warnings[standing["number"]])
    ]
    yield table(columns, rows, caption=_("Communities that meet the criterion"))


def _qualified_rows(
    shown: PageData,
    place: int,
    standing: Mapping[str, Any],
    reasons: Mapping[str, Mapping[str, str]],
    warnings: Sequence[str],
) -> Iterator[list[Cell]]:
    language, number = shown.language, standing["number"]
    ways = [(key, route) for key, route in ROUTES.items() if standing[route.status] == "met"]
    name = pick(language, standing["name"], standing["english_name"])
    named = f"{name}\n{pick(language, standing['region'], standing['region_english'])}\n{number}"
    for way, (key, route) in enumerate(ways):
        checks = warnings if way == len(ways) - 1 else []
        yield [
            *([Spanning(str(place), len(ways)), Spanning(named, len(ways))] if way == 0 else []),
            route_words(language)[key],
            rank_words(standing, key, language),
            percentile_cell(standing, shown.header.summary["regions"], route.key) or _NO_VALUE,
            scale_of(shown.header, route, language).write(standing[route.score]),
            evidence_words(language).get(standing[route.evidence], _NO_VALUE),
            "\n".join([reasons[key][number], *checks]),
        ]
