"""Integrity signals: how many communities each family flags, and which ones."""

from dataclasses import dataclass
from datetime import datetime
from typing import Final

import pandas as pd
from dash import html
from dash.development.base_component import Component

from analytics.reports.labels import signal_words
from analytics.statistics.integrity_signals import OF_ANSWERS
from dashboards.figures.integrity import families_figure
from dashboards.frames.page_data import PageData
from dashboards.frames.standings import among, in_region
from dashboards.languages import pick, translator
from dashboards.source import EvaluationSource, Examination, examination_of
from dashboards.widgets.components import (
    Column,
    Numbers,
    NumbersColumn,
    chart,
    data_table,
    empty,
    panel,
    partial_caption,
    records,
    scrolled,
)
from dashboards.widgets.links import named_link
from dashboards.widgets.next_steps import examine_answers

MOST_LISTED: Final = 100
"""Most signals listed: nobody reads more here, and the review page has all held responses."""


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
    here = in_scope(examination_of(source, evaluation_id).families, standings)
    return _Signals(flagged_by_family(here, language), here[here["flagged"].astype(bool)])


def in_scope(frame: pd.DataFrame, standings: pd.DataFrame) -> pd.DataFrame:
    """Return the rows of an examination about the communities of some standings."""
    is_here = among(frame["number"], standings["number"])
    # To choose a million rows takes long even where all are chosen.
    return frame if is_here.all() else frame[is_here]


def flagged_by_family(families: pd.DataFrame, language: str) -> pd.DataFrame:
    """Return label, judged, flagged: how many communities each family could judge and how many it flags."""
    words = signal_words(language)
    grouped = families.groupby("family", sort=False)
    table = pd.DataFrame({"judged": grouped["adjusted_p"].count(), "flagged": grouped["flagged"].sum()})
    return table.astype("int64").assign(label=[words[str(name)] for name in table.index]).reset_index(drop=True)


def _named(listed: pd.DataFrame, shown: PageData) -> pd.DataFrame:
    """Return signals with the names of their communities: beside each of a million they would take much room."""
    places = pd.Index(shown.standings["number"]).get_indexer(pd.Index(listed["number"]))
    return listed.join(shown.standings[["name", "english_name"]].iloc[places].set_axis(listed.index))


def families_panel(shown: PageData, examination: Examination) -> Component:
    """Return how many communities each family of signals could judge and how many it flags."""
    _ = translator(shown.language)
    table, name = _signals(shown, examination).by_family, _("Kinds of signs")
    if not table[["judged", "flagged"]].to_numpy().sum():
        said = _("No answers here could be judged: there are too few, or they came in after the examination.")
        return panel(name, empty(said, examine_answers(shown.language)), anchor="families")
    columns = [
        NumbersColumn(_("Kind of sign")),
        NumbersColumn(_("Communities judged"), numeric=True),
        NumbersColumn(_("Communities flagged"), numeric=True),
    ]
    numbers = Numbers(name, columns, [[row["label"], row["judged"], row["flagged"]] for row in records(table)])
    return panel(
        name,
        *_families(table, numbers, shown.language),
        anchor="families",
        note=_(
            "Paper and telephone answers are examined for one thing alone: whether they came faster than anybody types."
            " Nothing is deleted."
        ),
    )


def _families(table: pd.DataFrame, numbers: Numbers, language: str) -> list[Component]:
    """Return the chart of flagged communities; where there is none, the numbers alone."""
    _ = translator(language)
    if not table["flagged"].sum():
        return [empty(_("No kind of sign points to a community here."), None), numbers.table]
    summary = _(
        "A response is held where two kinds of signs point to it, or where it is one of ten or more that were "
        "opened and sent in a way that honest people leave at most once in a million cities. At most about one "
        "in a hundred flags of each kind is false by chance."
    )
    figure = families_figure(table, language)
    return [chart(figure, name="signs", summary=summary, language=language, numbers=numbers)]


def flagged_panel(shown: PageData, examination: Examination) -> Component:
    """Return the signals that flag a community, the strongest first, with the responses held there."""
    _ = translator(shown.language)
    name = _("Flagged communities")
    flagged = _signals(shown, examination).flagged
    if flagged.empty:
        return panel(name, empty(_("No community here is flagged."), None), anchor="flagged")
    listed = _named(flagged.sort_values("adjusted_p", kind="stable").head(MOST_LISTED), shown)
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
            *("—" if row["family"] in OF_ANSWERS else f"{row[name]:,.1f}" for name in ("statistic", "expected")),
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
    return panel(
        name,
        scrolled(data_table(columns, rows, caption=caption, title=name), name),
        desk,
        anchor="flagged",
        note=_("No numbers are shown for signs in what was answered: they would tell how few gave an answer."),
    )
