"""Owners and tenants of one community side by side: the rules rank one population, and neither is hidden."""

from typing import Any

import numpy as np
import pandas as pd
from dash import html
from dash.development.base_component import Component

from analytics.disclosure.rules import DisclosureRules
from analytics.disclosure.suppression import can_be_shown
from analytics.evidence.share_intervals import share_interval
from analytics.rules import Rules
from dashboards.frames.page_data import PageData
from dashboards.labels import population_words, tenure_words
from dashboards.languages import translator
from dashboards.source import Profile
from dashboards.widgets.components import Column, data_table, panel, records


def tenures_panel(shown: PageData, profile: Profile) -> list[Component]:
    """Return how satisfied owners and tenants are, small numbers suppressed; empty if they were not counted apart."""
    if profile.tenures.empty:
        return []
    _ = translator(shown.language)
    words, disclosure = tenure_words(shown.language), shown.disclosure
    rates = rates_by_tenure(profile.tenures, shown.header.rules, disclosure=disclosure)
    headings = (
        _("Who"),
        _("Valid answers"),
        _("Satisfied"),
        _("Satisfaction rate"),
        _("Lower bound"),
        _("Upper bound"),
    )
    columns = [Column(heading, heading, numeric=place > 0) for place, heading in enumerate(headings)]
    rows = [[words[row["tenure"]], *_cells(row, _("not shown"))] for row in records(rates)]
    name, population = _("Owners and tenants"), shown.header.rules.satisfaction.population
    note = _("Results are not shown where fewer than {fewest} answered or a number is below {smallest}.")
    return [
        panel(
            name,
            html.P(
                _("Under the rules, {population}. Here owners and tenants are shown separately.").format(
                    population=population_words(shown.language)[population]
                )
            ),
            data_table(columns, rows, caption=name),
            anchor="tenures",
            note=note.format(fewest=disclosure.minimum_base, smallest=disclosure.minimum_cell),
        )
    ]


def rates_by_tenure(tenures: pd.DataFrame, rules: Rules, *, disclosure: DisclosureRules) -> pd.DataFrame:
    """Return tenure, responses, satisfied, rate, lower, upper; all but the tenure missing where it may not be shown."""
    responses, satisfied = (tenures[name].to_numpy("float64") for name in ("responses", "satisfied"))
    some = np.maximum(responses, 1)
    limits = share_interval(satisfied, responses, rules)
    rates = pd.DataFrame(
        {
            "responses": responses,
            "satisfied": satisfied,
            "rate": satisfied / some,
            "lower": limits.lower,
            "upper": limits.upper,
        }
    )
    is_shown = [can_be_shown(row["satisfied"], row["responses"], rules=disclosure) for row in records(tenures)]
    return tenures[["tenure"]].join(rates[is_shown])


def _cells(row: dict[str, Any], hidden: str) -> list[str]:
    if pd.isna(row["rate"]):
        return [hidden] * 5
    counts = [f"{row[name]:,.0f}" for name in ("responses", "satisfied")]
    return counts + [f"{row[name]:.1%}" for name in ("rate", "lower", "upper")]
