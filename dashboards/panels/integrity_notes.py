"""Findings of the newest integrity examination about one community, with its standing without held answers."""

from collections.abc import Mapping
from typing import Any, Final

import pandas as pd
from dash.development.base_component import Component

from analytics.disclosure.answer_tables import Official
from analytics.reports.labels import signal_words
from analytics.reports.standing_words import criterion_status_words
from dashboards.frames.page_data import PageData
from dashboards.frames.standings import scale_of
from dashboards.languages import minute, translator
from dashboards.panels.held_answers import beside_held_by_few, held_by_few, standings_without_held
from dashboards.routes import ROUTES
from dashboards.source import Examination
from dashboards.widgets.components import empty, facts, panel, records
from dashboards.widgets.links import INTEGRITY_PATH, page_link
from dashboards.widgets.next_steps import examine_answers

_ROUTE: Final = ROUTES["satisfaction"]


def integrity_panel(shown: PageData, row: Mapping[str, Any]) -> Component:
    """Return which signals flag a community, what became of held responses, and its standing without them."""
    _ = translator(shown.language)
    name, said = _("Signs of false answers"), integrity_facts(shown, row)
    if not said:
        return panel(name, empty(not_examined(shown.language), examine_answers(shown.language)), anchor="integrity")
    link = page_link(shown.view, INTEGRITY_PATH, _("All signs and communities: Integrity"))
    return panel(
        name,
        facts(said),
        link,
        anchor="integrity",
        note=integrity_note(shown.language),
    )


def integrity_facts(shown: PageData, row: Mapping[str, Any]) -> list[tuple[str, str]]:
    """Return what the newest examination found about a community: names and values, none where it saw nothing of it."""
    _ = translator(shown.language)
    examination = shown.source.examination(shown.header.id, number=row["number"])
    if examination is None or examination.counts.empty:
        return []
    [counts] = records(examination.counts)
    return [
        (_("Signs"), _signals(shown, examination)),
        (_("Held answers"), _held(shown, counts)),
        *_without(shown, row, examination),
        (_("Examined at"), minute(examination.examined_at, shown.language, shown.header.rules.time_zone)),
    ]


def not_examined(language: str) -> str:
    """Return what is said of a community of which no examination has seen an answer."""
    _ = translator(language)
    return _("The answers of this community have not been examined yet.")


def integrity_note(language: str) -> str:
    """Return what a sign is, and what becomes of held answers."""
    _ = translator(language)
    return _("A sign is a reason to look, not a finding. Held answers count until a decision is made.")


def _signals(shown: PageData, examination: Examination) -> str:
    _ = translator(shown.language)
    families, words = examination.families, signal_words(shown.language)
    flagged = [words[family] for family in families.loc[families["flagged"].astype(bool), "family"]]
    if flagged:
        return _("{signs} (of {count} kinds that were looked for)").format(
            signs=_("; ").join(flagged), count=len(families)
        )
    return _("None of the {count} kinds of signs points to this community.").format(count=len(families))


def _held(shown: PageData, counts: Mapping[str, Any]) -> str:
    _ = translator(shown.language)
    waiting, released, excluded = (int(counts[state]) for state in ("waiting", "released", "excluded"))
    if not waiting + released + excluded:
        return _("None.")
    return _("Waiting for a decision: {waiting}; released: {released}; excluded: {excluded}.").format(
        waiting=f"{waiting:,}", released=f"{released:,}", excluded=f"{excluded:,}"
    )


def _without(shown: PageData, row: Mapping[str, Any], examination: Examination) -> list[tuple[str, str]]:
    """Return rank and result with and without held responses, where some are and the whole region is seen."""
    if examination.held.empty:
        return []
    if not shown.sees_whole_regions:
        return []
    _ = translator(shown.language)
    after = standings_without_held(shown, examination)
    [then] = records(after[after["community_id"] == row["community_id"]])
    is_held = row["number"] in set(examination.held["number"])
    is_rank_told = row["community_id"] not in beside_held_by_few(shown, examination)
    if row["community_id"] in held_by_few(shown, examination) or not (is_held or is_rank_told):
        before, without = (_verdict(shown, each) for each in (row, then))
    else:
        before, without = (_standing(shown, each, is_rank_told=is_rank_told) for each in (row, then))
    if not is_held and before == without:
        # Only other communities of its region lose answers, and what is told of it stays what it is.
        return []
    return [(_("Standing as decided"), _standing(shown, row)), (_("Without held answers (not official)"), without)]


def _verdict(shown: PageData, standing: Mapping[str, Any]) -> str:
    return criterion_status_words(standing, shown.language)


def _standing(shown: PageData, standing: Mapping[str, Any], *, is_rank_told: bool = True) -> str:
    _ = translator(shown.language)
    status = _verdict(shown, standing)
    if pd.isna(standing[_ROUTE.rank]):
        return status
    # With another measure than the rate nothing but the score is public.
    if pd.isna(standing["satisfied"]) or Official(shown.header.rules.satisfaction.measure) is not Official.RATE:
        score = scale_of(shown.header, _ROUTE, shown.language).write(standing[_ROUTE.score])
        said = _("rank {rank}, {score}: {status}") if is_rank_told else _("{score}: {status}")
        return said.format(rank=f"{int(standing[_ROUTE.rank]):,}", score=score, status=status)
    said = (
        _("rank {rank}, {satisfied} of {responses} satisfied: {status}")
        if is_rank_told
        else _("{satisfied} of {responses} satisfied: {status}")
    )
    return said.format(
        rank=f"{int(standing[_ROUTE.rank]):,}",
        satisfied=f"{int(standing['satisfied']):,}",
        responses=f"{int(standing['responses']):,}",
        status=status,
    )
