"""Panel of a community's percentiles: in each aspect of service, where it is among all that were ranked with it."""

from collections.abc import Mapping
from typing import Any

import pandas as pd
from dash.development.base_component import Component

from analytics.evidence.aspect_percentiles import LEAST_TOGETHER
from analytics.rules import share_words
from dashboards.figures.aspects import beside_words, spine_figure
from dashboards.frames.aspects import Beside, aspects_of_community
from dashboards.frames.page_data import PageData
from dashboards.frames.standings import counted_words
from dashboards.languages import pick, translator
from dashboards.widgets.components import Numbers, NumbersColumn, chart, empty, panel, records
from dashboards.widgets.next_steps import answers_not_kept, with_next_round


def aspect_percentiles_panel(shown: PageData, row: Mapping[str, Any]) -> Component:
    """Return the percentile of one community in each aspect of service, with its interval beside the middle of all.

    `row` is its standing.
    """
    _ = translator(shown.language)
    name = _("Percentile by aspect of service")
    aspects = aspects_of_community(shown.source, shown.header.id, region=row["region"], number=row["number"])
    if aspects.empty:
        return panel(name, answers_not_kept(shown.language), anchor="percentiles")
    if aspects["percentile"].isna().all():
        return panel(name, empty(no_percentile(shown.language), with_next_round(shown.language)), anchor="percentiles")
    return panel(
        name,
        chart(
            spine_figure(aspects, shown.language),
            name="aspect-percentiles",
            summary=aspects_sentence(aspects, shown.language),
            language=shown.language,
            numbers=aspects_numbers(shown, aspects),
        ),
        anchor="percentiles",
        note=percentiles_note(shown),
    )


def no_percentile(language: str) -> str:
    """Return what a percentile of an aspect takes."""
    _ = translator(language)
    said = _("No percentile: it takes a share that is shown, here and in {count} communities or more.")
    return said.format(count=LEAST_TOGETHER)


def percentiles_note(shown: PageData) -> str:
    """Return what the percentile of an aspect and its interval are."""
    _ = translator(shown.language)
    note = _(
        "Percentile: how many in 100 communities ranked with it have a lower share, counting half of those level with "
        "it. The line shows where it truly lies, for each aspect by itself with {level} confidence."
    )
    return note.format(level=share_words(shown.header.rules.evidence.level))


def aspects_sentence(aspects: pd.DataFrame, language: str) -> str:
    """Return in how many aspects a community is beside the middle of those ranked with it."""
    _ = translator(language)
    counts = aspects["beside"].value_counts()
    return _(
        "Clearly above the middle of the communities ranked with it: {above}; clearly below: {below}; cannot be told "
        "apart from the middle: {open}; without a percentile: {none}."
    ).format(
        above=counts.get(Beside.ABOVE, 0),
        below=counts.get(Beside.BELOW, 0),
        open=counts.get(Beside.OPEN, 0),
        none=int(aspects["percentile"].isna().sum()),
    )


def aspects_numbers(shown: PageData, aspects: pd.DataFrame) -> Numbers:
    """Return the percentiles of a community by aspect as a table."""
    _ = translator(shown.language)
    words = beside_words(shown.language)
    columns = [
        NumbersColumn(_("Question")),
        NumbersColumn(counted_words(shown.header, shown.language), numeric=True, write="{:,.0f}".format),
        NumbersColumn(_("Satisfied"), numeric=True, write="{:.1%}".format),
        *(
            NumbersColumn(heading, numeric=True, write="{:.1f}".format)
            for heading in (_("Percentile"), _("Lower bound"), _("Upper bound"))
        ),
        NumbersColumn(_("Compared with the middle")),
    ]
    rows = [
        [
            pick(shown.language, row["label"], row["english_label"]),
            None if pd.isna(row["answered"]) else int(row["answered"]),
            row["satisfied"] / row["answered"],
            *(row[name] for name in ("percentile", "lower", "upper")),
            words.get(row["beside"]),
        ]
        for row in records(aspects)
    ]
    return Numbers(_("Percentile by aspect of service"), columns, rows)
