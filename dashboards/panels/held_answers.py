"""Standings without the answers held for review, and who would enter or leave the list then."""

from datetime import datetime

import numpy as np
import pandas as pd
from dash.development.base_component import Component

from analytics.decision.evaluate import evaluate
from analytics.disclosure.suppression import can_be_shown
from dashboards.frames.page_data import PageData
from dashboards.frames.standings import sees_whole_regions
from dashboards.languages import translator
from dashboards.panels.entering_and_leaving import WHAT_IF_COLUMNS, changes
from dashboards.source import EvaluationSource, Examination, examination_of, header_of
from dashboards.widgets.components import empty, notice, panel


def without_held_panel(shown: PageData, examination: Examination, inputs: pd.DataFrame) -> Component:
    """Return the communities that would enter or leave the list if no held answer counted, where that is known."""
    _ = translator(shown.language)
    name = _("Standings without held answers")
    if shown.header.rules.satisfaction.measure != "satisfaction_rate":
        said = _("The measure in these rules cannot be computed from counts of satisfied answers alone.")
        return panel(name, empty(said), anchor="without")
    if not sees_whole_regions(shown.header, inputs):
        said = _("Your account sees only some of the communities that are ranked together, so this cannot be computed.")
        return panel(name, empty(said), anchor="without")
    after = standings_without_held(shown, examination)
    return panel(
        name,
        notice(_("Not an official result"), _("Assumption: no held response counts.")),
        *changes(shown, after, name="without-held", only_verdicts=held_by_few(shown, examination)),
        anchor="without",
    )


def held_by_few(shown: PageData, examination: Examination) -> frozenset[str]:
    """Return the communities where a score without held answers would tell what few people said: the difference.

    That is a breakdown of the held answers, and shown like any other: of enough people, neither the satisfied nor the
    others among whom are few.
    """
    inputs = shown.source.inputs(shown.header.id)
    left = without_held(inputs, examination.counts)
    held, satisfied = (
        (inputs[name].astype("Int64") - left[name].astype("Int64")).fillna(0).to_numpy("int64")
        for name in ("responses", "satisfied")
    )
    # As many answers, and others among them: an examination of an earlier version, which counted tenants too.
    told = [
        whole == some == 0 or (whole >= some >= 0 and can_be_shown(some, whole, rules=shown.disclosure))
        for some, whole in zip(satisfied.tolist(), held.tolist(), strict=True)
    ]
    return frozenset(inputs.loc[~np.array(told, dtype=bool), "community_id"].tolist())


def standings_without_held(shown: PageData, examination: Examination) -> pd.DataFrame:
    """Return `WHAT_IF_COLUMNS` of the standings that would be if no held answer counted."""
    return shown.source.compute_once(shown.header.id, evaluate_without_held, examination.examined_at)


def evaluate_without_held(source: EvaluationSource, evaluation_id: int, _examined_at: datetime) -> pd.DataFrame:
    """Return the same of an evaluation; the instant tells a newer examination from an older one."""
    left = without_held(source.inputs(evaluation_id), examination_of(source, evaluation_id).counts)
    return evaluate(left, header_of(source, evaluation_id).rules).standings[list(WHAT_IF_COLUMNS)]


def without_held(inputs: pd.DataFrame, counts: pd.DataFrame) -> pd.DataFrame:
    """Return a community table with the answers that are left when none that was held counts.

    Means of points are left out: nobody knows them without the held answers, and a rate does not need them.
    """
    own = counts.set_index("number")
    left = inputs.drop(columns=[name for name in ("mean_index", "sd_index") if name in inputs])
    for column, without in (("responses", "n_without"), ("satisfied", "satisfied_without")):
        known = left["community_id"].map(own[without])
        left = left.assign(**{column: known.fillna(left[column]).astype("int64")})
    return left
