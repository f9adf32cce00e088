"""Progress of the open round in counts only, since a live score would reveal single answers."""

from collections.abc import Collection
from datetime import datetime, timedelta
from math import ceil
from typing import Final

import pandas as pd
from dash import html
from dash.development.base_component import Component

from analytics.reports.labels import mode_words, sentence_case
from dashboards.address import View
from dashboards.figures.collection import daily_figure, hourly_figure, modes_figure, progress_figure
from dashboards.frames.standings import in_region
from dashboards.languages import day, end, pick, translator
from dashboards.source import EvaluationSource, Progress, select_evaluation
from dashboards.widgets.components import (
    Column,
    Content,
    Numbers,
    NumbersColumn,
    chart,
    data_table,
    empty,
    key_figure,
    panel,
    records,
    scrolled,
)
from dashboards.widgets.links import COLLECTION_PATH, Linked, linked, named_link, page_address, page_link

MOST_LISTED: Final = 50


def collection_summary(progress: Progress | None, view: View, *, now: datetime) -> Component:
    """Return a few key figures of the open round's progress, for the overview."""
    _ = translator(view.language)
    title = _("Collection of the open round")
    if progress is None:
        return panel(title, _no_round(view.language), anchor="collection")
    communities = _asked(progress, view.region)
    lacking = _lacking(communities)
    more = page_link(view, COLLECTION_PATH, _("More about the collection"))
    rows = page_address(view, COLLECTION_PATH)
    figures = _key_figures(progress, communities, lacking, view.language, now=now, rows=rows)
    return panel(title, figures, more, anchor="collection")


def collection_panel(source: EvaluationSource, view: View, *, now: datetime) -> Component:
    """Return the progress of the open round by region, and the communities that still need responses."""
    progress, region, language = source.progress(), view.region, view.language
    _ = translator(language)
    title = _("Collection of the open round")
    if progress is None:
        return panel(title, _no_round(language), anchor="collection")
    communities = _asked(progress, region)
    if communities.empty:
        none = _("No community here takes part in the open round.")
        return panel(
            title, empty(none, _("Choose another district above, or let communities take part.")), anchor="collection"
        )
    lacking = _lacking(communities)
    regions = _by_region(communities, lacking, language)
    name = pick(language, progress.round_name, progress.round_english_name)
    return panel(
        title,
        _key_figures(progress, communities, lacking, language, now=now),
        html.Div(
            [_regions_chart(regions, language), *(_charts_in_time(progress, language) if region is None else [])],
            className="side-by-side",
        ),
        *_buildings(progress, communities, language),
        html.H3(_("Communities that still need answers")),
        _short_list(source, view, communities.assign(lacking=lacking)),
        anchor="collection",
        note=_(
            "{round}: until the close only numbers of answers are shown, whatever they say. How many of them are valid "
            "and of owners is known when the round has closed, so please collect a few more than needed."
        ).format(round=name),
    )


def _no_round(language: str) -> Component:
    _ = translator(language)
    return empty(_("No round is open at the moment."), _("A round is opened on the staff pages."))


def _asked(progress: Progress, region: str | None) -> pd.DataFrame:
    return in_region(progress.communities, region)


def _lacking(communities: pd.DataFrame) -> "pd.Series[int]":
    return (communities["required"] - communities["responses"]).clip(lower=0)


def days_left(closes_at: datetime, now: datetime) -> int:
    """Return the number of days on which the round still takes responses, today included."""
    return max(0, ceil((closes_at - now) / timedelta(days=1)))


def _by_region(communities: pd.DataFrame, lacking: "pd.Series[int]", language: str) -> pd.DataFrame:
    english = communities.drop_duplicates("region").set_index("region")["region_english"]
    frame = pd.DataFrame(
        {
            "region": communities["region"].to_numpy(),
            "enough": (lacking == 0).to_numpy(),
            "short": (lacking > 0).to_numpy(),
            "responses": communities["responses"].to_numpy(),
        }
    )
    counted = frame.groupby("region", sort=False).sum()
    return counted.assign(label=[pick(language, region, english[region]) for region in counted.index])


def _key_figures(
    progress: Progress,
    communities: pd.DataFrame,
    lacking: "pd.Series[int]",
    language: str,
    *,
    now: datetime,
    rows: str | None = None,
) -> Component:
    """Return the key figures; with an address of `rows`, each count leads there."""
    _ = translator(language)

    def number(counted: int) -> Content:
        return f"{counted:,}" if rows is None else linked(Linked(f"{counted:,}", rows))

    closes = end(progress.closes_at, language, progress.time_zone)
    # The charts beside this draw all responses received, a number that is not known for a part of the city.
    is_whole = len(communities) == len(progress.communities)
    count = f"{int(progress.modes['responses'].sum()):,}"
    received = _("of {count} received").format(count=count) if is_whole else None
    return html.Dl(
        [
            key_figure(
                _("Days left"),
                str(days_left(progress.closes_at, now)),
                note=_("open until {moment}").format(moment=closes),
            ),
            key_figure(_("Answers so far"), number(int(communities["responses"].sum())), note=received),
            key_figure(
                _("Communities with enough answers"),
                number(int((lacking == 0).sum())),
                note=_("of {count}").format(count=f"{len(communities):,}"),
            ),
            key_figure(_("Communities still short"), number(int((lacking > 0).sum()))),
        ],
        className="key-figures four",
    )


def _regions_chart(regions: pd.DataFrame, language: str) -> Component:
    _ = translator(language)
    headings = (_("District"), _("Enough answers"), _("Still short"), _("Answers"))
    columns = [NumbersColumn(heading, numeric=place > 0) for place, heading in enumerate(headings)]
    rows = [[row["label"], int(row["enough"]), int(row["short"]), int(row["responses"])] for row in records(regions)]
    enough, everyone = int(regions["enough"].sum()), int(regions["enough"].sum() + regions["short"].sum())
    return chart(
        progress_figure(regions, language),
        name="collection-by-district",
        summary=_("Communities with as many answers as it takes to be ranked: {enough} of {count}.").format(
            enough=enough, count=everyone
        ),
        language=language,
        numbers=Numbers(_("Collection by district"), columns, rows),
    )


def _daily_chart(progress: Progress, language: str) -> Component:
    _ = translator(language)
    daily = progress.daily
    columns = [NumbersColumn(_("Day")), NumbersColumn(_("Answers"), numeric=True)]
    rows = [[row["date"].isoformat(), int(row["responses"])] for row in records(daily)]
    if not len(daily) or not daily["responses"].sum():
        return empty(_("There are no answers yet."), _("They are counted here as they come in."))
    busiest = records(daily.nlargest(1, "responses"))[0]
    return chart(
        daily_figure(daily, language),
        name="answers-by-day",
        summary=_("Answers by day; the busiest day was {day} with {count}.").format(
            day=day(busiest["date"], language), count=f"{int(busiest['responses']):,}"
        ),
        language=language,
        numbers=Numbers(_("Answers by day"), columns, rows),
    )


def _charts_in_time(progress: Progress, language: str) -> list[Component]:
    """Return the charts of when and how responses came; of all districts together, since the counts are."""
    if not progress.daily["responses"].sum():
        return [_daily_chart(progress, language)]
    return [_daily_chart(progress, language), _hourly_chart(progress, language), _modes_chart(progress, language)]


def _hourly_chart(progress: Progress, language: str) -> Component:
    _ = translator(language)
    hourly = progress.hourly
    busiest = int(hourly["responses"].to_numpy().argmax())
    columns = [NumbersColumn(_("Hour")), NumbersColumn(_("Answers"), numeric=True)]
    return chart(
        hourly_figure(hourly, language),
        name="answers-by-hour",
        summary=_("Answers by hour of the day; the busiest hour is from {first} to {last} o'clock.").format(
            first=busiest, last=busiest + 1
        ),
        language=language,
        numbers=Numbers(_("Answers by hour of the day"), columns, hourly.to_numpy().tolist()),
    )


def _modes_chart(progress: Progress, language: str) -> Component:
    _ = translator(language)
    words = mode_words(language)
    modes = progress.modes.assign(label=[sentence_case(words[mode]) for mode in progress.modes["mode"]])
    columns = [NumbersColumn(_("How")), NumbersColumn(_("Answers"), numeric=True)]
    on_phones = int(modes.loc[modes["mode"] == "web", "responses"].sum())
    return chart(
        modes_figure(modes, language),
        name="answers-by-mode",
        summary=_("{count} of {all} answers were given on the web.").format(
            count=f"{on_phones:,}", all=f"{int(modes['responses'].sum()):,}"
        ),
        language=language,
        numbers=Numbers(_("Answers by mode"), columns, modes[["label", "responses"]].to_numpy().tolist()),
    )


def _buildings(progress: Progress, communities: pd.DataFrame, language: str) -> list[Component]:
    """Return the counts of responses through posters in single buildings, where there are any."""
    _ = translator(language)
    here = progress.buildings[progress.buildings["number"].isin(communities["community_id"])]
    if here.empty:
        return []
    columns = [Column(_("Community"), _("Community")), Column(_("Building"), _("Building"))]
    columns.append(Column(_("Answers"), _("Answers"), numeric=True))
    rows = [
        [pick(language, row["name"], row["english_name"]), row["building"], f"{int(row['responses']):,}"]
        for row in records(here.head(MOST_LISTED))
    ]
    title = _("Answers by building")
    return [html.H3(title), scrolled(data_table(columns, rows, caption=title, title=title), title)]


def _short_list(source: EvaluationSource, view: View, communities: pd.DataFrame) -> Component:
    _ = translator(view.language)
    short = communities[communities["lacking"] > 0].sort_values("lacking", ascending=False, kind="stable")
    if short.empty:
        return empty(_("Every community has enough answers."), None)
    listed = short.head(MOST_LISTED)
    evaluated = _evaluated(source, view, listed["community_id"])
    headings = (_("Community"), _("District"), _("Answers"), _("Needed"), _("Still missing"))
    columns = [Column(heading, heading, numeric=place > 1) for place, heading in enumerate(headings)]
    rows: list[list[str | Component]] = [
        [
            named_link(view, row["community_id"], row["name"], row["english_name"])
            if row["community_id"] in evaluated
            else pick(view.language, row["name"], row["english_name"]),
            pick(view.language, row["region"], row["region_english"]),
            f"{int(row['responses']):,}",
            f"{int(row['required']):,}",
            f"{int(row['lacking']):,}",
        ]
        for row in records(listed)
    ]
    caption = _("{shown} of {count} communities, those with the most answers missing first").format(
        shown=len(rows), count=f"{len(short):,}"
    )
    return scrolled(data_table(columns, rows, caption=caption), _("Communities that still need answers"))


def _evaluated(source: EvaluationSource, view: View, numbers: "pd.Series[str]") -> Collection[str]:
    """Return which of these communities have a page: a first round has no results yet, nor has a new community."""
    header = select_evaluation(source.evaluations(), view.evaluation)
    return () if header is None else set(source.standings_of(header.id, list(numbers))["number"])
