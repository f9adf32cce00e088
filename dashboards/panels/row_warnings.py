"""Warnings beside single communities of a list: what must be looked into before one of them is chosen."""

from collections.abc import Collection, Iterator, Mapping
from typing import Any

import pandas as pd

from analytics.reports.html_page import percent
from analytics.rules import Rules
from dashboards.frames.page_data import PageData
from dashboards.languages import translator
from dashboards.routes import ROUTES
from dashboards.widgets.components import records


def row_warnings(shown: PageData, listed: pd.DataFrame) -> dict[str, list[str]]:
    """Return the warnings about each of some standings, by number."""
    waiting, falling = shown.source.waiting(shown.header.id), _falling_at(shown)
    return {row["number"]: list(_warnings_about(shown, row, waiting, falling)) for row in records(listed)}


def _warnings_about(
    shown: PageData, row: Mapping[str, Any], waiting: Collection[str], falling: Mapping[str, float]
) -> Iterator[str]:
    _ = translator(shown.language)
    number = row["number"]
    if number in waiting:
        yield _("Some of its answers are held for review.")
    if _has_few_answers(row, shown.header.rules):
        yield _("Few answers: {count}.").format(count=f"{int(row['responses']):,}")
    if number in falling:
        yield _(
            "Depends on those who did not answer: if they differ by {share} of the scale, the data no longer "
            "support its place."
        ).format(share=percent(falling[number]))
    yield from shown.warnings_about(number)


def _has_few_answers(row: Mapping[str, Any], rules: Rules) -> bool:
    """Return whether a community is ranked with so few answers only because it has few households."""
    minimum = rules.satisfaction.minimum_responses
    is_ranked = not pd.isna(row[ROUTES["satisfaction"].rank]) and not pd.isna(row["responses"])
    return minimum is not None and is_ranked and row["responses"] < minimum.enough


def _falling_at(shown: PageData) -> dict[str, float]:
    """Return from which difference of those who did not answer on a listed community is no longer likely the best.

    Whom the data leave open under the assumption that the evidence is computed with is said to be so by the evidence.
    """
    found: dict[str, float] = {}
    assumed = float(shown.header.rules.evidence.nonresponse_spread)
    for facts in shown.list_facts(ROUTES["satisfaction"]).values():
        nonresponse = (facts.get("stability") or {}).get("nonresponse") or {}
        used = max(assumed, *((facts.get(name) or {}).get("spread", 0.0) for name in ("waves", "channels")))
        found |= {number: share for number, share in nonresponse.get("falling", []) if share > used}
    return found
