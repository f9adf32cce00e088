"""Communities around the cut-off: who is just inside or outside, by how much, and how certain that is."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import pandas as pd
from dash import html
from dash.development.base_component import Component

from analytics.reports.labels import (
    chance_words,
    evidence_reasons,
    evidence_words,
    needed_words,
    route_words,
    sentence_case,
)
from analytics.reports.standing_words import route_status_words
from dashboards.figures.evidence import around_cut_off_figure
from dashboards.frames.page_data import PageData
from dashboards.frames.standings import (
    CutOff,
    has_estimates,
    in_rank_order,
    in_region,
    met,
    scale_of,
    share_to_meet,
    with_intervals,
)
from dashboards.languages import pick, translator
from dashboards.widgets.community_table import rank_words
from dashboards.widgets.components import (
    Column,
    Numbers,
    NumbersColumn,
    chart,
    data_table,
    empty,
    panel,
    records,
    scrolled,
)
from dashboards.widgets.links import named_link
from dashboards.widgets.next_steps import choose_another, none_ranked

FEWEST_BEYOND: Final = 10
"""Fewest communities shown beyond the cut-off; at least as many are shown as stand within it."""
MOST_SHOWN: Final = 40

_ROBUST_GAP: Final = 0.05

# Among the cells of `decision_words`: why the evidence is what it is. What is needed to settle it follows.
_WHY: Final = 5
# What so few rows have in common stands on each.
_FEWEST_ALIKE: Final = 3


def communities_around_cut_off(
    ordered: pd.DataFrame, cut_off: CutOff | None, *, most_within: int = MOST_SHOWN // 2
) -> pd.DataFrame:
    """Return those within the cut-off and about as many beyond it, at most `MOST_SHOWN`; ties are never split.

    Of a long list the communities nearest to the cut-off on both sides are kept, within it `most_within`.
    """
    if cut_off is None or cut_off.k == 0 or ordered.empty:
        return ordered.iloc[:0]
    inside = int((ordered["position"] <= cut_off.k).sum())
    beyond = max(FEWEST_BEYOND, inside)
    first = max(0, inside - most_within)
    last = min(len(ordered), inside + min(beyond, MOST_SHOWN // 2))
    return ordered.iloc[first:last]


@dataclass(frozen=True)
class RankedRegion:
    """Region with its ranked communities in order, as `in_rank_order` returns them, and its cut-off if it has one."""

    region: str
    ordered: pd.DataFrame
    cut_off: CutOff | None


def ranked_regions(shown: PageData) -> list[RankedRegion]:
    """Return the regions that are shown, ranked by the route of the view."""
    route = shown.view.route
    cut_offs = {cut_off.region: cut_off for cut_off in shown.cut_offs(route)}
    # Sorting a frame of fifty columns takes longer than all the drawing.
    ranked = shown.standings[["region", route.rank, route.last_rank, route.score]]
    return [
        RankedRegion(region, in_rank_order(in_region(ranked, region), route), cut_offs.get(region))
        for region in shown.regions
    ]


@dataclass(frozen=True)
class NearCutOff:
    """Region with those of its communities that are around its cut-off, as `measured` returns them."""

    here: RankedRegion
    listed: pd.DataFrame


def near_cut_offs(shown: PageData) -> list[NearCutOff]:
    """Return the regions that are shown, each with its communities around the cut-off."""
    return [
        NearCutOff(here, measured(communities_around_cut_off(here.ordered, here.cut_off), shown))
        for here in ranked_regions(shown)
    ]


def around_cut_off_panel(shown: PageData, near: Sequence[NearCutOff]) -> Component:
    """Return for each region the communities around the cut-off with their intervals and evidence bands."""
    _ = translator(shown.language)
    route, name = shown.view.route, _("Around the cut-off")
    if all(each.listed.empty for each in near):
        return panel(name, empty(no_cut_off(shown.language), choose_another(shown.language)), anchor="near")
    cards = [_around_cut_off_card(shown, each.here, each.listed) for each in near]
    note = (
        _(
            "The mark is the score of those who answered, its colour how certain the position is. The line is where "
            "the true level of all households may well lie, its stroke the best estimate."
        )
        if has_estimates(route, shown.header.evidence_method)
        else _("The mark is the score, the line its confidence interval, the colour how certain the position is.")
    )
    return panel(name, html.Div(cards, className="charts"), anchor="near", note=note)


def measured(near: pd.DataFrame, shown: PageData) -> pd.DataFrame:
    """Return communities from `in_rank_order` with all columns of the standings and their intervals."""
    listed = shown.with_all_columns(shown.standings.loc[near.index])
    whole = with_intervals(listed, shown.view.route, evidence_method=shown.header.evidence_method)
    return whole.assign(position=near["position"], tied=near["tied"])


def _around_cut_off_card(shown: PageData, here: RankedRegion, near: pd.DataFrame) -> Component:
    head, sentence = html.H3(shown.region_label(here.region)), cut_off_sentence(shown, here)
    if near.empty or here.cut_off is None:
        return html.Div([head, empty(sentence, choose_another(shown.language))])
    return html.Div(
        [
            head,
            chart(
                around_cut_off_figure(near, here.cut_off, shown.drawing()),
                name=f"near-{shown.view.route.key}-{here.region}",
                summary=sentence,
                language=shown.language,
                numbers=around_cut_off_numbers(shown, near),
            ),
        ]
    )


def cut_off_sentence(shown: PageData, here: RankedRegion) -> str:
    """Return the cut-off of a region, how many are tied across it, and how far the next community lies from it."""
    _ = translator(shown.language)
    route, ordered, cut_off = shown.view.route, here.ordered, here.cut_off
    if cut_off is None or cut_off.k == 0 or ordered.empty:
        return no_cut_off(shown.language)
    scale = scale_of(shown.header, route, shown.language)
    beyond = ordered[ordered["position"] > cut_off.k]
    beyond = beyond[beyond[route.rank] > cut_off.k]
    said = _("The cut-off is {score}.").format(score=scale.write(cut_off.score))
    tied = int(((ordered[route.rank] <= cut_off.k) & (ordered[route.last_rank] > cut_off.k)).sum())
    if tied:
        said += _(" {count} communities are tied across it.").format(count=tied)
    if len(beyond) and cut_off.score is not None:
        gap = abs(cut_off.score - float(beyond[route.score].iloc[0])) * scale.factor
        said += _(" The next community differs by {gap}.").format(gap=f"{gap:.{scale.decimals + 1}f}")
    return said


def no_cut_off(language: str) -> str:
    """Return why a region has no cut-off."""
    _ = translator(language)
    return _("There is no cut-off here: nobody is ranked, or too few for one position.")


def around_cut_off_numbers(shown: PageData, near: pd.DataFrame, *, with_checks: bool = True) -> Numbers:
    """Return rank, score and interval of communities as `measured` returns them, and what is to be checked."""
    _ = translator(shown.language)
    route = shown.view.route
    scale = scale_of(shown.header, route, shown.language)
    words = evidence_words(shown.language)
    beside = has_estimates(route, shown.header.evidence_method)
    measured = {
        scale.title: route.score,
        **({_("Estimate for all households"): "estimate"} if beside else {}),
        _("Lower bound"): "lower",
        _("Upper bound"): "upper",
    }
    columns = [
        NumbersColumn(_("Rank"), numeric=True),
        NumbersColumn(_("Community")),
        *(NumbersColumn(name, numeric=True, write=scale.write) for name in measured),
        NumbersColumn(_("Evidence")),
        *([NumbersColumn(_("Please check"))] if with_checks else []),
    ]
    rows = [
        [
            row[route.rank],
            pick(shown.language, row["name"], row["english_name"]),
            *(row[column] for column in measured.values()),
            words.get(row[route.evidence]),
            *([shown.underreported.get(row["number"])] if with_checks else []),
        ]
        for row in records(near)
    ]
    return Numbers(scale.title, columns, rows)


def decisions_panel(shown: PageData, near: Sequence[NearCutOff]) -> Component:
    """Return the decision about each community around the cut-offs, beside what the data support."""
    _ = translator(shown.language)
    route, listed = shown.view.route, pd.concat([each.listed for each in near])
    title = _("Decision and evidence for each community: {route}").format(route=route_words(shown.language)[route.key])
    if listed.empty:
        return panel(title, none_ranked(shown.language), anchor="one-by-one")
    headings = [_("Community"), *decision_headings(shown)]
    columns = [Column(heading, heading, numeric=place == 5, wide=place == 6) for place, heading in enumerate(headings)]
    standings = records(listed)
    decided = [decision_words(row, shown) for row in standings]
    shared = _shared_words(decided)
    rows: list[list[str | Component]] = [
        [
            named_link(shown.view, row["number"], row["name"], row["english_name"]),
            *_without(words, shared, _("as above")),
        ]
        for row, words in zip(standings, decided, strict=True)
    ]
    return panel(
        title,
        html.P(robust_sentence(listed, shown), className="chart-summary"),
        *(
            html.P(said, className="chart-summary")
            for said in _said_once(shared, headings[1:], len(rows), shown.language)
        ),
        scrolled(data_table(columns, rows, caption=title, title=title), title),
        anchor="one-by-one",
        note=probability_note(shown),
    )


@dataclass(frozen=True)
class _SharedWords:
    """Words of a cell that many rows share, where they stand, and in how many rows."""

    place: int
    words: str
    count: int


def _shared_words(decided: Sequence[Sequence[str]]) -> list[_SharedWords]:
    """Return what many rows say alike of why, and of the answers needed, which tells nothing about any of them."""
    found = []
    for place in range(_WHY, len(decided[0])):
        cells = Counter(words[place] for words in decided if words[place] not in ("", "—"))
        found += [
            _SharedWords(place, words, count)
            for words, count in cells.most_common(1)
            if count > max(_FEWEST_ALIKE, len(decided) // 3)
        ]
    return found


def _without(words: Sequence[str], shared: Sequence[_SharedWords], above: str) -> list[str]:
    cells = list(words)
    for each in shared:
        cells[each.place] = above if cells[each.place] == each.words else cells[each.place]
    return cells


def _said_once(shared: Sequence[_SharedWords], headings: Sequence[str], listed: int, language: str) -> Iterator[str]:
    """Yield the sentences above the table on what its rows do not repeat."""
    _ = translator(language)
    template = _("{heading}: {words} ({count} of the {listed} communities listed, “as above” in the table)")
    for each in shared:
        yield template.format(heading=headings[each.place], words=each.words, count=each.count, listed=listed)


def probability_note(shown: PageData) -> str:
    """Return what the probabilities of `decision_words` are of."""
    _ = translator(shown.language)
    share = share_to_meet(shown.header, shown.view.route)
    return _("Probability that the true level is within the first {share}, given all answers.").format(share=share)


def decision_headings(shown: PageData) -> list[str]:
    """Return what the cells of `decision_words` are."""
    _ = translator(shown.language)
    headings = [_("District"), _("Rank"), _("Decision"), _("Evidence"), _("Probability"), _("Why")]
    return [*headings, *([_("Answers needed to settle it")] if shown.view.route.key == "satisfaction" else [])]


def decision_words(row: Mapping[str, Any], shown: PageData) -> list[str]:
    """Return the decision about a community on the route of the view, and what the data support."""
    route = shown.view.route
    evidence = row[route.evidence]
    reason = row[f"{route.evidence}_reason"]
    reasons = evidence_reasons(shown.language)
    why = [reasons[reason]] if reason in reasons else []
    return [
        pick(shown.language, row["region"], row["region_english"]),
        rank_words(row, route.key, shown.language),
        sentence_case(route_status_words(row, route.column, shown.language)),
        evidence_words(shown.language).get(evidence, "—"),
        chance_words(row, route.column, shown.language) or "—",
        "\n".join([*why, *shown.warnings_about(row["number"])]),
        *([needed_words(row, shown.language) or "—"] if route.key == "satisfaction" else []),
    ]


def robust_sentence(near: pd.DataFrame, shown: PageData) -> str:
    """Return how many of those listed among some communities nonresponse could change."""
    _, route = translator(shown.language), shown.view.route
    listed = near[met(near, route.status)]
    if route.key != "satisfaction" or listed.empty:
        return _("Low numbers of complaints can also mean that people do not complain; see the page on complaints.")
    gaps = listed["satisfaction_tipping_point"].to_numpy("float64")
    fragile = int(np.sum(gaps < _ROBUST_GAP))
    return _(
        "Communities listed here: {listed}; depending on those who did not answer: {fragile}. There the evidence "
        "would change if those who answered and those who did not differed by less than 5 points."
    ).format(listed=len(listed), fragile=fragile)
