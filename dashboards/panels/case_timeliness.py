"""Cases acknowledged and answered in time: key figures, month by month, and by district, company, category and more."""

from collections.abc import Mapping
from typing import Any, Final

import pandas as pd
from dash import html
from dash.development.base_component import Component

from analytics.casework.outcomes import is_in_stage2, is_reopened
from analytics.casework.shares import FEWEST_JUDGED, Share, share_of
from analytics.reports.labels import channel_words, sentence_case
from dashboards.figures.casework import in_time_figure
from dashboards.frames.casework import CaseworkData
from dashboards.languages import day, translator
from dashboards.widgets.components import (
    MOST_ROWS_BEHIND_CHART,
    Numbers,
    NumbersColumn,
    chart,
    empty,
    key_figure,
    panel,
    partial_caption,
    records,
    scrolled,
)
from dashboards.widgets.next_steps import as_cases_come

_NO_VALUE: Final = "—"


def key_figures_panel(shown: CaseworkData) -> Component:
    """Return the key figures of the period, and of which cases they are."""
    _ = translator(shown.language)
    note = _("Cases of {first} to {last}, as they stood on {day} at {time}.").format(
        first=f"{shown.start:%Y-%m}",
        last=f"{shown.cut_off:%Y-%m}",
        day=day(shown.cut_off, shown.language),
        time=f"{shown.cut_off:%H:%M}",
    )
    if shown.cases.empty:
        none = _("No case was filed, open or ended in this time.")
        said = empty(none, as_cases_come(shown.language))
        return panel(_("Casework in figures"), said, anchor="case-figures", note=note)
    figures = [
        (
            _("Cases filed"),
            f"{len(shown.filed):,}",
            _("of them to be answered: {count}").format(count=f"{len(shown.valid):,}"),
        ),
        (_("Acknowledged in time"), *_of(share_of(shown.acknowledged), shown.language)),
        (_("Answered in time"), *_of(share_of(shown.answered), shown.language)),
        (_("Work begun anew"), *_of(share_of(is_reopened(shown.valid)), shown.language)),
        (_("Put under review"), *_of(share_of(is_in_stage2(shown.valid)), shown.language)),
    ]
    boxes = [key_figure(name, value, note=said) for name, value, said in figures]
    return panel(
        _("Casework in figures"), html.Dl(boxes, className="key-figures five"), anchor="case-figures", note=note
    )


def in_time_panel(shown: CaseworkData) -> Component:
    """Return the shares acknowledged and answered in time, month by month."""
    _ = translator(shown.language)
    name, months = _("Acknowledged and answered in time"), shown.by_month().rename(index=shown.month_name)
    if months.empty:
        none = _("No acknowledgement and no answer came due in this time.")
        return panel(name, empty(none, as_cases_come(shown.language)), anchor="in-time")
    answered = share_of(shown.answered)
    summary = _(
        "Answered in time: {some} of {of} ({share}); by chance alone it might be from {lower} to {upper}."
    ).format(
        some=f"{answered.some:,}",
        of=f"{answered.of:,}",
        share=_percent(answered.share),
        lower=_percent(answered.lower),
        upper=_percent(answered.upper),
    )
    drawn = chart(
        in_time_figure(months, shown.language),
        name="in-time",
        summary=summary if answered.of else _("No answer came due in this time."),
        language=shown.language,
        numbers=_month_numbers(months, shown.language),
    )
    note = _(
        "Each case stands in the month in which it was decided whether its deadline was kept, by working days and, in"
        " matters of safety, by hours. The first acknowledgement and the first answer of a case are judged."
    )
    return panel(name, drawn, anchor="in-time", note=note)


def groups_panel(shown: CaseworkData) -> Component:
    """Return the figures by district, category, channel, company and community, each to unfold."""
    _ = translator(shown.language)
    name = _("By district, category, channel, company and community")
    if shown.filed.empty:
        none = _("No case was filed in this time.")
        return panel(name, empty(none, as_cases_come(shown.language)), anchor="case-groups")
    headings = {
        "district": _("District"),
        "category": _("Category"),
        "channel": _("Channel"),
        "company": _("Property company"),
        "community": _("Community"),
    }
    parts = [_group(shown, group, heading) for group, heading in headings.items()]
    note = _(
        "In the order of the names: it is no ranking. Groups of fewer than {fewest} cases stand together in the last"
        " row. By chance alone the share answered in time may lie anywhere between its bounds."
    ).format(fewest=FEWEST_JUDGED)
    return panel(name, *parts, anchor="case-groups", note=note)


def _of(share: Share, language: str) -> tuple[str, str]:
    _ = translator(language)
    if not share.of:
        return _NO_VALUE, _("none came due")
    return _percent(share.share), _("{some} of {of}").format(some=f"{share.some:,}", of=f"{share.of:,}")


def _percent(share: float) -> str:
    return f"{share:.1%}"


def _count(number: float) -> str:
    return f"{number:,.0f}"


def _month_numbers(months: pd.DataFrame, language: str) -> Numbers:
    _ = translator(language)
    columns = [NumbersColumn(_("Month"))]
    for words in ((_("Acknowledgements due"), _("In time"), _("Share")), (_("Answers due"), _("In time"), _("Share"))):
        columns += [NumbersColumn(word, numeric=True, write=_count) for word in words[:2]]
        columns.append(NumbersColumn(words[2], numeric=True, write=_percent))
    columns += [NumbersColumn(words, numeric=True, write=_percent) for words in (_("Lower bound"), _("Upper bound"))]
    names = [f"{key}_{part}" for key in ("acknowledged", "answered") for part in ("of", "some", "share")]
    names += ["answered_lower", "answered_upper"]
    rows = [[month, *(row[name] for name in names)] for month, row in zip(months.index, records(months), strict=True)]
    return Numbers(_("In time by month"), columns, rows)


def _group(shown: CaseworkData, group: str, heading: str) -> Component:
    table = shown.by_group(group)
    listed = shown.with_waits(table.head(MOST_ROWS_BEHIND_CHART), group)
    caption = partial_caption(heading, listed, table, shown.language)
    numbers = Numbers(caption, _columns(heading, shown.language), _rows(listed, group, shown.language))
    return html.Details(
        [html.Summary(heading), scrolled(numbers.table_under(heading), heading)], open=group == "district"
    )


def _columns(heading: str, language: str) -> list[NumbersColumn]:
    _ = translator(language)
    return [
        NumbersColumn(heading),
        NumbersColumn(_("Cases filed"), numeric=True, write=_count),
        NumbersColumn(_("Acknowledged in time"), numeric=True, write=_percent),
        NumbersColumn(_("Answered in time, and its bounds"), numeric=True),
        NumbersColumn(_("Half answered after (working days)"), numeric=True, write=_count),
        NumbersColumn(_("Nine tenths after"), numeric=True, write=_count),
        *(NumbersColumn(words, numeric=True, write=_percent) for words in (_("Begun anew"), _("Under review"))),
    ]


def _rows(table: pd.DataFrame, group: str, language: str) -> list[list[Any]]:
    _ = translator(language)
    channels: Mapping[str, str] = channel_words(language) if group == "channel" else {}
    return [
        [
            _label(row["label"], channels) or _("All others"),
            row["filed"],
            row["acknowledged"],
            _bounded(row),
            *(row[name] for name in ("median", "ninety", "reopened", "stage2")),
        ]
        for row in records(table)
    ]


def _bounded(row: Mapping[str, Any]) -> str | None:
    if pd.isna(row["answered"]):
        return None
    return f"{row['answered']:.1%} ({row['lower']:.1%}–{row['upper']:.1%})"


def _label(label: Any, channels: Mapping[str, str]) -> str:
    if pd.isna(label):
        return ""
    return sentence_case(channels[label]) if label in channels else str(label)
