"""Standings without the answers held for review, and who would enter or leave the list then."""

from dataclasses import dataclass, field
from typing import Self

import numpy as np
import pandas as pd
from dash.development.base_component import Component

from analytics.canonical import sha256_hex
from analytics.decision.evaluate import canonical_frame_json, evaluate
from analytics.decision.left_out_responses import leave_out_responses
from analytics.decision.table_columns import MEASURE_COLUMNS
from analytics.disclosure.suppression import can_be_shown
from dashboards.frames.page_data import PageData
from dashboards.frames.standings import sees_whole_regions
from dashboards.labels import population_words
from dashboards.languages import translator
from dashboards.panels.entering_and_leaving import WHAT_IF_COLUMNS, changes
from dashboards.source import EvaluationSource, Examination, header_of
from dashboards.widgets.components import notice, panel
from dashboards.widgets.next_steps import sees_a_part


def without_held_panel(shown: PageData, examination: Examination, inputs: pd.DataFrame) -> Component:
    """Return the communities that would enter or leave the list if no held answer counted, where that is known."""
    _ = translator(shown.language)
    name = _("Standings without held answers")
    if not sees_whole_regions(shown.header, inputs):
        return panel(name, sees_a_part(shown.language), anchor="without")
    # Where nothing is held any more, as after every decision, the official result stands.
    after = shown.everywhere if examination.held.empty else standings_without_held(shown, examination)
    return panel(
        name,
        notice(
            _("Not an official result"),
            _("Assumption: no held response counts. As in the official result, {population}.").format(
                population=population_words(shown.language)[shown.header.rules.satisfaction.population]
            ),
        ),
        *changes(
            shown,
            after,
            name="without-held",
            only_verdicts=held_by_few(shown, examination),
            without_ranks=beside_held_by_few(shown, examination),
        ),
        anchor="without",
    )


def held_by_few(shown: PageData, examination: Examination) -> frozenset[str]:
    """Return the communities where a score without held answers would tell what few people said: the difference.

    That is a breakdown of the held answers, and shown like any other: of enough people, neither the satisfied nor the
    others among whom are few.
    """
    held, disclosure = examination.held, shown.disclosure
    counted = held[MEASURE_COLUMNS[shown.header.rules.satisfaction.measure].responses]
    few = counted.between(1, disclosure.minimum_base - 1).to_numpy(dtype=bool)
    told = [
        whole == 0 or can_be_shown(some, whole, rules=disclosure)
        for some, whole in zip(held["satisfied"].tolist(), held["responses"].tolist(), strict=True)
    ]
    return frozenset(held.loc[few | ~np.array(told, dtype=bool), "number"].tolist())


def beside_held_by_few(shown: PageData, examination: Examination) -> frozenset[str]:
    """Return the communities whose ranks without held answers are not told: those that are ranked with a `held_by_few`.

    By the ranks of its neighbours everybody knows between which two scores such a community stands.
    """
    places, regions = shown.everywhere, shown.header.summary["regions"]
    few = places.loc[places["community_id"].isin(held_by_few(shown, examination)), "region"].unique().tolist()
    is_wider = any(regions[region]["satisfaction"]["ranked_with"] == "city" for region in few)
    beside = places if is_wider else places[places["region"].isin(few)]
    return frozenset(beside["community_id"])


@dataclass(frozen=True)
class LeftOut:
    """Answers to leave out, counted alone; as a key it is short, however many communities they are of."""

    sha256: str
    counts: pd.DataFrame = field(compare=False, repr=False)

    @classmethod
    def of(cls, counts: pd.DataFrame) -> Self:
        """Return the answers of `counts`, of which `analytics.decision.left_out_responses` says what it has."""
        return cls(sha256_hex(canonical_frame_json(counts)), counts)


def standings_without_held(shown: PageData, examination: Examination) -> pd.DataFrame:
    """Return `WHAT_IF_COLUMNS` of the standings that would be if no held answer counted."""
    held = LeftOut.of(examination.held.rename(columns={"number": "community_id"}))
    return shown.source.compute_once(shown.header.id, evaluate_without, held)


def evaluate_without(source: EvaluationSource, evaluation_id: int, left_out: LeftOut) -> pd.DataFrame:
    """Return `WHAT_IF_COLUMNS` of the standings of an evaluation that would be without some answers."""
    rules = header_of(source, evaluation_id).rules
    rest = leave_out_responses(source.inputs(evaluation_id), left_out.counts, rules)
    return evaluate(rest, rules, look_alikes=False).standings[list(WHAT_IF_COLUMNS)]
