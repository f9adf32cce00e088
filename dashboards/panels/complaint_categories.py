"""Cases by category, and the share of them that the rate does not count."""

from collections.abc import Sequence
from typing import Final

import pandas as pd
from dash.development.base_component import Component

from dashboards.figures.community import categories_figure
from dashboards.frames.page_data import PageData
from dashboards.frames.profile import cases_by_category
from dashboards.languages import pick, translator
from dashboards.widgets.components import Numbers, NumbersColumn, chart, empty, panel, records
from dashboards.widgets.next_steps import compare_reports, once_decided

MOST_CATEGORIES: Final = 12
"""Most categories drawn; the numbers behind the chart have all."""


def categories_panel(shown: PageData, cases: pd.DataFrame) -> Component:
    """Return the cases of the period by category, and the share of them that the rate does not count."""
    _ = translator(shown.language)
    name = _("What the cases are about")
    if cases.empty:
        then = (once_decided if shown.header.provisional else compare_reports)(shown.language)
        return panel(name, empty(categories_sentence(shown, cases), then), anchor="categories")
    categories = cases_by_category(cases)
    return panel(
        name,
        chart(
            categories_figure(categories.head(MOST_CATEGORIES), shown.language),
            name="categories",
            summary=categories_sentence(shown, cases),
            language=shown.language,
            numbers=categories_numbers(categories, shown.language),
        ),
        anchor="categories",
        note=uncounted_note(shown.language),
    )


def categories_sentence(shown: PageData, cases: pd.DataFrame) -> str:
    """Return how many cases of the period the rate does not count, or why nothing is known of any."""
    _ = translator(shown.language)
    if cases.empty and shown.header.provisional:
        return _("Cases are kept with official results.")
    if cases.empty:
        # Nobody has complained, or the result is older than what is kept of cases.
        return _("No case of the period is kept with this result.")
    categories = cases_by_category(cases)
    counted, other = int(categories["counted"].sum()), int(categories["other"].sum())
    return _("Of {filed} cases of all kinds, {other} ({share}) are not complaints that count in the rate.").format(
        filed=f"{counted + other:,}", other=f"{other:,}", share=f"{other / (counted + other):.0%}"
    )


def uncounted_note(language: str) -> str:
    """Return which cases the rate does not count."""
    _ = translator(language)
    return _("Not counted: repairs, enquiries, duplicates, unfounded cases, matters for which others are responsible.")


def categories_numbers(categories: pd.DataFrame, language: str) -> Numbers:
    """Return the cases of each category, as `dashboards.frames.profile.cases_by_category` adds them up."""
    _ = translator(language)
    labels = [pick(language, row["label"], row["english_label"]) for row in records(categories)]
    return counted_numbers(_("Cases by category"), _("Category"), labels, categories, language)


def counted_numbers(caption: str, heading: str, labels: Sequence[str], cases: pd.DataFrame, language: str) -> Numbers:
    """Return the cases of each label, those that the rate counts and the others."""
    _ = translator(language)
    columns = [
        NumbersColumn(heading),
        NumbersColumn(_("Counted in the rate"), numeric=True),
        NumbersColumn(_("Not counted"), numeric=True),
    ]
    rows = [[label, row["counted"], row["other"]] for label, row in zip(labels, records(cases), strict=True)]
    return Numbers(caption, columns, rows)
