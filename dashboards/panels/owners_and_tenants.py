"""Owners and tenants of one community side by side: the rules rank one population, and neither is hidden."""

from collections.abc import Collection, Mapping
from typing import Any

import numpy as np
import pandas as pd
from dash import html
from dash.development.base_component import Component

from analytics.decision.recount import OWNER
from analytics.disclosure.answer_tables import Rated
from analytics.disclosure.tenure_counts import Counted, shown_tenures
from analytics.evidence.share_intervals import share_interval
from analytics.rules import Rules
from dashboards.frames.page_data import PageData
from dashboards.labels import population_words, tenure_words
from dashboards.languages import translator
from dashboards.source import Profile
from dashboards.widgets.components import Column, data_table, empty, panel, records


def tenures_panel(shown: PageData, profile: Profile, ranked: Rated) -> Component:
    """Return how satisfied owners and tenants are, small numbers suppressed, or that they were not counted apart.

    `ranked` is what is shown of the answers to the ranked question.
    """
    _ = translator(shown.language)
    name = _("Owners and tenants")
    if profile.tenures.empty:
        none = _("Owners and tenants were not counted apart in this evaluation.")
        return panel(name, empty(none, _("Choose a later evaluation above, if there is one.")), anchor="tenures")
    headings, rows = tenures_table(shown, profile, ranked)
    columns = [Column(heading, heading, numeric=place > 0) for place, heading in enumerate(headings)]
    return panel(
        name,
        html.P(tenures_sentence(shown)),
        data_table(columns, rows, caption=name, title=name),
        anchor="tenures",
        note=tenures_note(shown),
    )


def tenures_table(shown: PageData, profile: Profile, ranked: Rated) -> tuple[list[str], list[list[str]]]:
    """Return the headings and the rows of owners and tenants, in words where a number is not shown."""
    _ = translator(shown.language)
    counted = {row["tenure"]: (row["responses"], row["satisfied"]) for row in records(profile.tenures)}
    rates = rates_by_tenure(profile.tenures, shown.header.rules, told=_told(shown, counted, ranked))
    headings = [
        _("Who"),
        _("Valid answers"),
        _("Satisfied"),
        _("Satisfaction rate"),
        _("Lower bound"),
        _("Upper bound"),
    ]
    words = tenure_words(shown.language)
    return headings, [[words[tenure["tenure"]], *_cells(tenure, _("not shown"))] for tenure in records(rates)]


def tenures_sentence(shown: PageData) -> str:
    """Return which population the rules rank."""
    _ = translator(shown.language)
    population = population_words(shown.language)[shown.header.rules.satisfaction.population]
    return _("Under the rules, {population}. Here owners and tenants are shown separately.").format(
        population=population
    )


def tenures_note(shown: PageData) -> str:
    """Return which numbers of owners and tenants are not shown."""
    _, disclosure = translator(shown.language), shown.disclosure
    note = _(
        "Results are not shown where fewer than {fewest} answered, a number is below {smallest}, or it would tell "
        "another such number. Official results are always shown."
    )
    return note.format(fewest=disclosure.minimum_base, smallest=disclosure.minimum_cell)


def _told(shown: PageData, counted: Mapping[int, Counted], ranked: Rated) -> frozenset[int]:
    """Return the tenures whose numbers are shown beside those of the ranked question."""
    rule = shown.header.rules.satisfaction
    if ranked.valid is None or ranked.satisfied is None:
        # With the numbers of one part the others of all would follow.
        counted = {} if rule.population == "residents" else {key: counted[key] for key in counted if key != OWNER}
        return shown_tenures(counted, whole=None, ranked={}, rules=shown.disclosure)
    known = (ranked.valid, ranked.satisfied)
    is_all = rule.population == "residents"
    return shown_tenures(
        counted, whole=known if is_all else None, ranked={} if is_all else {OWNER: known}, rules=shown.disclosure
    )


def rates_by_tenure(tenures: pd.DataFrame, rules: Rules, *, told: Collection[int]) -> pd.DataFrame:
    """Return tenure, responses, satisfied, rate, lower, upper; all but the tenure missing where it is not `told`."""
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
    return tenures[["tenure"]].join(rates[tenures["tenure"].isin(sorted(told))])


def _cells(row: dict[str, Any], hidden: str) -> list[str]:
    if pd.isna(row["rate"]):
        return [hidden] * 5
    counts = [f"{row[name]:,.0f}" for name in ("responses", "satisfied")]
    return counts + [f"{row[name]:.1%}" for name in ("rate", "lower", "upper")]
