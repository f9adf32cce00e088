"""The finding of an evaluation in sentences to be read out: who took part, how content with what, who qualifies."""

from collections.abc import Iterator, Mapping
from typing import Any

from dash import html
from dash.development.base_component import Component

from analytics.languages import Translate
from dashboards.frames.page_data import PageData
from dashboards.frames.standings import counted_words, is_left_open, met, satisfied_rate
from dashboards.languages import end, translator
from dashboards.panels.least_satisfied import least_satisfied_sentence, shares_shown
from dashboards.routes import ROUTES
from dashboards.source import KeyCounts
from dashboards.widgets.components import panel
from dashboards.widgets.links import Linked, Sentence, communities_address, linked_sentence, with_links, words_of


def finding_panel(shown: PageData) -> Component:
    """Return the finding of an evaluation, with its round, its status and its date."""
    _ = translator(shown.language)
    header = shown.header
    status = _("preview") if header.provisional else _("published") if header.published else _("not yet published")
    title = _("{city}: {round} ({status})").format(
        city=header.rules.city.in_language(shown.language), round=header.round_label(shown.language), status=status
    )
    return panel(
        title,
        html.Ul([html.Li(list(with_links(said))) for said in linked_finding(shown)]),
        anchor="finding",
        note=_("Answers counted until {moment}").format(
            moment=end(header.cut_off, shown.language, header.rules.time_zone)
        ),
    )


def finding_sentences(shown: PageData) -> Iterator[str]:
    """Yield the sentences that the data of the day can fill."""
    yield from map(words_of, linked_finding(shown))


def linked_finding(shown: PageData) -> Iterator[Sentence]:
    """Yield the same sentences; in them each number of communities or answers leads to the communities behind it."""
    _ = translator(shown.language)
    counts = shown.counts
    yield _taking_part(shown, counts, _)
    if counts.rated and shown.header.rules.satisfaction.measure == "satisfaction_rate":
        yield _satisfaction(shown, counts, _)
    if least_satisfied := least_satisfied_sentence(shares_shown(shown), shown.language):
        yield [least_satisfied]
    yield _qualified(shown, counts, _)
    stability = [facts for facts in shown.list_facts(ROUTES["satisfaction"]).values() if _is_repeated(facts)]
    if stability:
        yield linked_sentence(
            _("Communities listed by satisfaction: {listed}; the same survey would list about {again} of them again."),
            listed=_communities(shown, sum(facts["listed"] for facts in stability), group="met_by_satisfaction"),
            again=f"{sum(facts['stability']['repeated']['expected'] for facts in stability):.0f}",
        )


def _is_repeated(facts: Mapping[str, Any]) -> bool:
    """Return whether the evaluation says how many of a list would come again; older ones do not."""
    return bool(facts.get("stability") and facts["stability"]["repeated"])


def _communities(shown: PageData, count: int, **own: str) -> Linked:
    """Return a number of communities, which leads to them."""
    return Linked(f"{count:,}", communities_address(shown.view, **own))


def _taking_part(shown: PageData, counts: KeyCounts, _: Translate) -> Sentence:
    ranks = shown.standings[[route.rank for route in ROUTES.values()]].notna()
    return linked_sentence(
        _(
            "Communities: {communities}. Ranked by satisfaction: {satisfaction}; by complaints: {complaints}; by "
            "neither, for lack of answers or of households: {neither}."
        ),
        communities=_communities(shown, counts.communities),
        neither=_communities(shown, int((~ranks.any(axis=1)).sum()), group="ranked_by_neither"),
        **{name: _communities(shown, number, group=f"ranked_by_{name}") for name, number in counts.ranked.items()},
    )


def _satisfaction(shown: PageData, counts: KeyCounts, _: Translate) -> Sentence:
    before = shown.earlier_counts
    rate = satisfied_rate(counts)
    said = linked_sentence(
        _("{answers}: {responses}, where communities are ranked; satisfied: {rate}%"),
        answers=counted_words(shown.header, shown.language),
        responses=_communities(shown, counts.rated or 0, group="ranked_by_satisfaction", sort="-responses"),
        rate=f"{rate * 100:.1f}",
    )
    comparable = shown.earlier is not None and (
        shown.earlier.rules.satisfaction.measure == shown.header.rules.satisfaction.measure
    )
    if before is None or not before.rated or not comparable:
        return [*said, _("."), _coverage(counts, _)]
    change = f"{(rate - satisfied_rate(before)) * 100:+.1f}".replace("-", "−")
    return [*said, _(", {change} points since the previous round.").format(change=change), _coverage(counts, _)]


def _coverage(counts: KeyCounts, _: Translate) -> str:
    """Return how many of the households there the answers are; empty where no number of households is known."""
    if not counts.households:
        return ""
    return _(" These are as many as {coverage} of the {households} households there.").format(
        coverage=f"{(counts.covered or 0) / counts.households:.1%}", households=f"{counts.households:,}"
    )


def _qualified(shown: PageData, counts: KeyCounts, _: Translate) -> Sentence:
    """Return who meets the criterion, and of how many of them no route that they meet is at least likely."""
    frame = shown.standings
    meets = {route.key: met(frame, route.status) for route in ROUTES.values()}
    both = int((meets["satisfaction"] & meets["complaints"]).sum())
    return linked_sentence(
        _(
            "The criterion is met by {count}: by satisfaction {satisfaction}, by complaints {complaints}, by both "
            "{both}. For {open} of them the data leave open whether they truly are among the best."
        ),
        count=_communities(shown, counts.met, status="met"),
        both=_communities(shown, both, group="met_by_both"),
        open=_communities(shown, int(is_left_open(frame).sum()), group="left_open"),
        **{name: _communities(shown, int(is_met.sum()), group=f"met_by_{name}") for name, is_met in meets.items()},
    )
