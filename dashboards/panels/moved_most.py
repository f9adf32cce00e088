"""Communities that moved most since the round before: by percentile, with what chance explains of the change."""

from collections.abc import Iterator
from typing import Any, Final

import numpy as np
import pandas as pd
from dash.development.base_component import Component

from analytics.decision.ranks import percentile_of_ranks
from analytics.statistics.multiple_testing import adjusted_p_values
from analytics.statistics.trends import compare_rounds
from dashboards.figures.movements import movements_figure
from dashboards.frames.page_data import PageData
from dashboards.frames.standings import in_region, scale_of
from dashboards.languages import pick, translator
from dashboards.panels.round_trend import rate_variance
from dashboards.routes import ROUTES
from dashboards.source import EvaluationSource, header_of
from dashboards.widgets.components import Numbers, NumbersColumn, chart, empty, panel, records
from dashboards.widgets.next_steps import choose_another

MOST_MOVED: Final = 12
"""Number of communities that are drawn."""

_ROUTE: Final = ROUTES["satisfaction"]
_COUNTED: Final = ("number", "responses", "satisfied", _ROUTE.score, _ROUTE.rank, _ROUTE.last_rank)


def moved_most_panel(shown: PageData) -> Component:
    """Return who moved most by satisfaction, or why nobody can be compared."""
    _ = translator(shown.language)
    name = _("What moved most")
    measures = {each.rules.satisfaction.measure for each in (shown.header, shown.earlier) if each is not None}
    if shown.earlier is None or measures != {"satisfaction_rate"}:
        none = _("No earlier round has shares of satisfied answers to compare with.")
        return panel(name, empty(none, _("It is drawn once the result of a second round is official.")), anchor="moved")
    before, now = shown.earlier.round_label(shown.language), shown.header.round_label(shown.language)
    moved = pd.concat(
        shown.source.compute_once(shown.header.id, measure_movements, shown.earlier.id, region)
        for region in shown.regions
    )
    if moved.empty:
        none = _("No community was ranked in both rounds.")
        return panel(name, empty(none, choose_another(shown.language)), anchor="moved")
    distance = (moved["percentile"] - moved["percentile_before"]).abs()
    first = moved.iloc[np.argsort(-distance.to_numpy(), kind="stable")[:MOST_MOVED]].reset_index(drop=True)
    names = shown.source.standings_of(shown.header.id, first["number"].tolist())[["name", "english_name"]]
    drawn = first.join(names)
    return panel(
        name,
        chart(
            movements_figure(drawn, before, now, shown.language),
            name="moved",
            summary=_sentence(shown, moved),
            language=shown.language,
            numbers=_numbers(shown, drawn),
        ),
        anchor="moved",
        note=_("Communities at either end move towards the middle by chance alone."),
    )


def measure_movements(source: EvaluationSource, evaluation_id: int, earlier_id: int, region: str) -> pd.DataFrame:
    """Return the communities of a region that were ranked by counts in both rounds.

    Columns: number; percentile and score, each also with `_before`, the scores as rates; lower and upper limit of the
    change of the score; is_clear, whether it is more than chance explains when all are compared at once.
    """
    # Those of the evaluation that is shown have been read for other panels; of the earlier one nothing else is.
    standings = in_region(source.standings(evaluation_id), region)
    counted = standings.loc[standings[_ROUTE.rank].notna() & standings["satisfied"].notna(), list(_COUNTED)]
    now = _measured(source, evaluation_id, region, counted).set_index("number")
    before = _measured(source, earlier_id, region, source.ranked_counts(earlier_id, region)).set_index("number")
    # In one order, so that of equal distances the same are drawn whatever order the database has them in.
    both = now.join(before.add_suffix("_before"), how="inner").sort_index()
    level = float(header_of(source, evaluation_id).rules.evidence.level)
    change = compare_rounds(
        both["satisfaction_score_before"],
        both["satisfaction_score"],
        earlier_variance=both["variance_before"],
        later_variance=both["variance"],
        level=level,
    ).set_axis(both.index)
    kept = both[["percentile", "percentile_before", "satisfaction_score", "satisfaction_score_before"]]
    return kept.assign(
        lower=change["lower"],
        upper=change["upper"],
        is_clear=adjusted_p_values(change["p"].to_numpy()) <= 1 - level,
    ).reset_index()


def _measured(source: EvaluationSource, evaluation_id: int, region: str, ranked: pd.DataFrame) -> pd.DataFrame:
    """Return percentile, score and its variance of those ranked in a region, from their counts."""
    facts = header_of(source, evaluation_id).summary["regions"].get(region)
    rank, last = (ranked[name].to_numpy("float64") for name in (_ROUTE.rank, _ROUTE.last_rank))
    return pd.DataFrame(
        {
            "number": ranked["number"].to_numpy(),
            "percentile": percentile_of_ranks(rank, last, ranked=facts["satisfaction"]["N"] if facts else 0),
            "satisfaction_score": ranked["satisfaction_score"].to_numpy("float64"),
            "variance": rate_variance(ranked),
        }
    )


def _sentence(shown: PageData, moved: pd.DataFrame) -> str:
    _ = translator(shown.language)
    change = moved["satisfaction_score"] - moved["satisfaction_score_before"]
    return _(
        "Communities ranked in both rounds: {count}. More residents are satisfied than chance explains: {better}; "
        "fewer: {worse}. The chart shows those that moved most by percentile: {drawn}."
    ).format(
        count=f"{len(moved):,}",
        better=f"{int((moved['is_clear'] & (change > 0)).sum()):,}",
        worse=f"{int((moved['is_clear'] & (change < 0)).sum()):,}",
        drawn=min(len(moved), MOST_MOVED),
    )


def _numbers(shown: PageData, drawn: pd.DataFrame) -> Numbers:
    _ = translator(shown.language)
    scale = scale_of(shown.header, _ROUTE, shown.language)
    percentile = "{:.1f}".format
    columns = [
        NumbersColumn(_("Community")),
        NumbersColumn(_("Percentile before"), numeric=True, write=percentile),
        NumbersColumn(_("Percentile now"), numeric=True, write=percentile),
        NumbersColumn(_("Score before"), numeric=True, write=scale.write),
        NumbersColumn(_("Score now"), numeric=True, write=scale.write),
        NumbersColumn(_("Change at least"), numeric=True, write=scale.write),
        NumbersColumn(_("Change at most"), numeric=True, write=scale.write),
        NumbersColumn(_("More than chance")),
    ]
    return Numbers(_("What moved most"), columns, [list(row) for row in _rows(shown, drawn)])


def _rows(shown: PageData, drawn: pd.DataFrame) -> Iterator[list[Any]]:
    _ = translator(shown.language)
    for row in records(drawn):
        yield [
            pick(shown.language, row["name"], row["english_name"]),
            row["percentile_before"] * 100,
            row["percentile"] * 100,
            *(row[name] for name in ("satisfaction_score_before", "satisfaction_score", "lower", "upper")),
            _("yes") if row["is_clear"] else _("no"),
        ]
