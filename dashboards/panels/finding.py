"""The finding of an evaluation in sentences to be read out: who took part, how content with what, who qualifies."""

from collections.abc import Iterator, Mapping
from typing import Any

from dash import html
from dash.development.base_component import Component

from analytics.languages import Translate
from dashboards.frames.page_data import PageData
from dashboards.frames.standings import counted_words, is_left_open, met, satisfied_rate
from dashboards.languages import translator
from dashboards.panels.least_satisfied import least_satisfied_sentence, shares_shown
from dashboards.routes import ROUTES
from dashboards.source import KeyCounts
from dashboards.widgets.components import panel


def finding_panel(shown: PageData) -> Component:
    """Return the finding of an evaluation, with its round, its status and its date."""
    _ = translator(shown.language)
    header = shown.header
    status = _("preview") if header.provisional else _("published") if header.published else _("not yet published")
    title = _("{city}: {round} ({status})").format(
        city=header.rules.city.in_language(shown.language), round=header.round_label(shown.language), status=status
    )
    return panel(title, html.Ul([html.Li(said) for said in finding_sentences(shown)]), anchor="finding")


def finding_sentences(shown: PageData) -> Iterator[str]:
    """Yield the sentences that the data of the day can fill."""
    _ = translator(shown.language)
    counts = shown.counts
    yield _taking_part(shown, counts, _)
    if counts.rated and shown.header.rules.satisfaction.measure == "satisfaction_rate":
        yield _satisfaction(shown, counts, _)
    if least_satisfied := least_satisfied_sentence(shares_shown(shown), shown.language):
        yield least_satisfied
    yield _qualified(shown, counts, _)
    stability = [facts for facts in shown.list_facts(ROUTES["satisfaction"]).values() if _is_repeated(facts)]
    if stability:
        yield _(
            "Of the {listed} communities listed by satisfaction about {again} would be listed again by the same survey."
        ).format(
            listed=f"{sum(facts['listed'] for facts in stability):,}",
            again=f"{sum(facts['stability']['repeated']['expected'] for facts in stability):.0f}",
        )


def _is_repeated(facts: Mapping[str, Any]) -> bool:
    """Return whether the evaluation says how many of a list would come again; older ones do not."""
    return bool(facts.get("stability") and facts["stability"]["repeated"])


def _taking_part(shown: PageData, counts: KeyCounts, _: Translate) -> str:
    ranks = shown.standings[[route.rank for route in ROUTES.values()]].notna()
    return _(
        "Communities: {communities}. Ranked by satisfaction: {satisfaction}; by complaints: {complaints}; by "
        "neither, for lack of answers or of households: {neither}."
    ).format(
        communities=f"{counts.communities:,}",
        neither=f"{int((~ranks.any(axis=1)).sum()):,}",
        **{name: f"{number:,}" for name, number in counts.ranked.items()},
    )


def _satisfaction(shown: PageData, counts: KeyCounts, _: Translate) -> str:
    before = shown.earlier_counts
    rate = satisfied_rate(counts)
    said = _("{answers}: {responses}, where communities are ranked; satisfied: {rate}%").format(
        answers=counted_words(shown.header, shown.language), responses=f"{counts.rated:,}", rate=f"{rate * 100:.1f}"
    )
    comparable = shown.earlier is not None and (
        shown.earlier.rules.satisfaction.measure == shown.header.rules.satisfaction.measure
    )
    if before is None or not before.rated or not comparable:
        return said + _(".") + _coverage(counts, _)
    change = f"{(rate - satisfied_rate(before)) * 100:+.1f}".replace("-", "−")
    return said + _(", {change} points since the previous round.").format(change=change) + _coverage(counts, _)


def _coverage(counts: KeyCounts, _: Translate) -> str:
    """Return how many of the households there the answers are; empty where no number of households is known."""
    if not counts.households:
        return ""
    return _(" These are as many as {coverage} of the {households} households there.").format(
        coverage=f"{(counts.covered or 0) / counts.households:.1%}", households=f"{counts.households:,}"
    )


def _qualified(shown: PageData, counts: KeyCounts, _: Translate) -> str:
    """Return who meets the criterion, and of how many of them no route that they meet is at least likely."""
    frame = shown.standings
    meets = {route.key: met(frame, route.status) for route in ROUTES.values()}
    return _(
        "The criterion is met by {count}: by satisfaction {satisfaction}, by complaints {complaints}, by both {both}. "
        "For {open} of them the data leave open whether they truly are among the best."
    ).format(
        count=f"{counts.met:,}",
        satisfaction=f"{int(meets['satisfaction'].sum()):,}",
        complaints=f"{int(meets['complaints'].sum()):,}",
        both=f"{int((meets['satisfaction'] & meets['complaints']).sum()):,}",
        open=f"{int(is_left_open(frame).sum()):,}",
    )
