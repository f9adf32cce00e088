"""Integrity page: signs of false responses, what is held for review, and standings without held responses."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

import pandas as pd
from dash import html
from dash.development.base_component import Component

from analytics.reports.labels import signal_words
from dashboards.address import View
from dashboards.figures.integrity import families_figure
from dashboards.frames.page_data import PageData
from dashboards.frames.standings import among, in_region, sees_whole_regions
from dashboards.languages import minute, pick, translator
from dashboards.pages.page import Page, Section
from dashboards.panels.entering_and_leaving import changes
from dashboards.panels.held_answers import INTEGRITY_PATH, standings_without_held
from dashboards.source import EvaluationSource, Examination, examination_of
from dashboards.widgets.components import (
    Column,
    Numbers,
    NumbersColumn,
    chart,
    data_table,
    empty,
    key_figure,
    notice,
    panel,
    partial_caption,
    records,
    scrolled,
)
from dashboards.widgets.evaluation_notices import no_evaluation
from dashboards.widgets.links import named_link


def draw(source: EvaluationSource, view: View, _now: datetime) -> Sequence[Component]:
    """Return the page for one view."""
    shown = PageData.of(source, view)
    if shown is None:
        return no_evaluation(view.language)
    _ = translator(view.language)
    examination = source.examination(shown.header.id)
    if examination is None:
        said = _("The answers of this round have not been examined, or there were none.")
        return [panel(_("Signs of false answers"), empty(said))]
    return [
        _key_figures(shown, examination),
        _families_panel(shown, examination),
        _flagged_panel(shown, examination),
        _without_panel(shown, examination, source.inputs(shown.header.id)),
    ]


def sections(language: str) -> list[Section]:
    """Return the sections of this page for the navigation."""
    _ = translator(language)
    return [
        Section("families", _("Kinds of signs")),
        Section("flagged", _("Where they point")),
        Section("without", _("Without held answers")),
    ]


def title(language: str) -> str:
    """Return the title of this page in the navigation."""
    _ = translator(language)
    return _("Integrity")


MOST_LISTED: Final = 100
"""Most signals listed: nobody reads more here, and the review page has all held responses."""
PAGE: Final = Page(path=INTEGRITY_PATH, title=title, sections=sections, draw=draw, filters=("evaluation", "region"))


@dataclass(frozen=True)
class _Signals:
    """Integrity signals of the communities shown: a summary of each family, and the signals that flag a community."""

    by_family: pd.DataFrame
    flagged: pd.DataFrame

    def __len__(self) -> int:
        return len(self.flagged)


def _signals(shown: PageData, examination: Examination) -> _Signals:
    return shown.source.compute_once(
        shown.header.id, find_signs, examination.examined_at, shown.view.region, shown.language
    )


def find_signs(
    source: EvaluationSource, evaluation_id: int, _examined_at: datetime, region: str | None, language: str
) -> _Signals:
    """Return the signs in the communities of a region; the instant tells a newer examination from an older one."""
    standings = in_region(source.standings(evaluation_id), region)
    here = _here(examination_of(source, evaluation_id).families, standings)
    return _Signals(flagged_by_family(here, language), here[here["flagged"].astype(bool)])


def _here(frame: pd.DataFrame, standings: pd.DataFrame) -> pd.DataFrame:
    return frame[among(frame["number"], standings["number"])]


def _key_figures(shown: PageData, examination: Examination) -> Component:
    _ = translator(shown.language)
    counts = _here(examination.counts, shown.standings)
    examined = minute(examination.examined_at, shown.language, shown.header.rules.time_zone)
    figures = [
        key_figure(_("Waiting for a decision"), f"{int(counts['waiting'].sum()):,}", note=_("held responses")),
        key_figure(_("Released"), f"{int(counts['released'].sum()):,}", note=_("count")),
        key_figure(_("Excluded"), f"{int(counts['excluded'].sum()):,}", note=_("count no more")),
        key_figure(_("Communities with held responses"), f"{int((counts['waiting'] > 0).sum()):,}", note=examined),
    ]
    return html.Dl(figures, className="key-figures four")


def flagged_by_family(families: pd.DataFrame, language: str) -> pd.DataFrame:
    """Return label, judged, flagged: how many communities each family could judge and how many it flags."""
    words = signal_words(language)
    grouped = families.groupby("family", sort=False)
    table = pd.DataFrame(
        {"judged": grouped["adjusted_p"].apply(lambda p: int(p.notna().sum())), "flagged": grouped["flagged"].sum()}
    )
    return table.astype("int64").assign(label=[words[str(name)] for name in table.index]).reset_index(drop=True)


def _families_panel(shown: PageData, examination: Examination) -> Component:
    _ = translator(shown.language)
    table = _signals(shown, examination).by_family
    columns = [
        NumbersColumn(_("Kind of sign")),
        NumbersColumn(_("Communities judged"), numeric=True),
        NumbersColumn(_("Communities flagged"), numeric=True),
    ]
    rows = [[row["label"], row["judged"], row["flagged"]] for row in records(table)]
    name = _("Kinds of signs")
    return panel(
        name,
        chart(
            families_figure(table, shown.language),
            name="signs",
            summary=_(
                "A response is held only where two kinds of signs point at it. By chance at most one in a hundred "
                "flags of a kind is false."
            ),
            language=shown.language,
            numbers=Numbers(name, columns, rows),
        ),
        anchor="families",
        note=_("Paper and telephone answers are not examined. Nothing is deleted."),
    )


def _flagged_panel(shown: PageData, examination: Examination) -> Component:
    _ = translator(shown.language)
    name = _("Where they point")
    flagged = _signals(shown, examination).flagged
    if flagged.empty:
        return panel(name, empty(_("No kind of sign points at a community here.")), anchor="flagged")
    listed = flagged.sort_values("adjusted_p", kind="stable").head(MOST_LISTED)
    counts = examination.counts[examination.counts["number"].isin(listed["number"])]
    held = counts.set_index("number")["waiting"]
    words = signal_words(shown.language)
    headings = (_("Community"), _("District"), _("Kind of sign"), _("Found"), _("Usual"), _("Held"))
    columns = [Column(heading, heading, numeric=place > 2) for place, heading in enumerate(headings)]
    rows: list[list[str | Component]] = [
        [
            named_link(shown.view, row["number"], row["name"], row["english_name"]),
            pick(shown.language, row["region"], row["region_english"]),
            words[row["family"]],
            f"{row['statistic']:,.1f}",
            f"{row['expected']:,.1f}",
            f"{int(held.get(row['number'], 0)):,}",
        ]
        for row in records(listed)
    ]
    caption = partial_caption(name, listed, flagged, shown.language)
    desk = html.A(
        _("Decide about held responses"),
        href=f"/staff/rounds/{examination.round_id}/reviews?lang={shown.language}",
        className="quiet-link",
    )
    return panel(name, scrolled(data_table(columns, rows, caption=caption), name), desk, anchor="flagged")


def _without_panel(shown: PageData, examination: Examination, inputs: pd.DataFrame) -> Component:
    _ = translator(shown.language)
    name = _("Standings without held answers")
    if shown.header.rules.satisfaction.measure != "satisfaction_rate":
        said = _("The measure of these rules does not follow from counts of satisfied answers alone.")
        return panel(name, empty(said), anchor="without")
    if not sees_whole_regions(shown.header, inputs):
        said = _("Your account sees only some of the communities that are ranked together, so nothing can be supposed.")
        return panel(name, empty(said), anchor="without")
    after = standings_without_held(shown, examination)
    return panel(
        name,
        notice(_("Not an official result"), _("Supposed: no held response counts.")),
        *changes(shown, after, name="without-held"),
        anchor="without",
    )
