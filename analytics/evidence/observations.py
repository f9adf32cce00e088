"""What an evaluation observed of each community, and which communities are ranked together."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final, NamedTuple

import numpy as np
import numpy.typing as npt
import pandas as pd

from analytics.decision.evaluate import Evaluation
from analytics.decision.summary import COLUMN_PREFIXES, RouteName
from analytics.decision.table_columns import MEASURE_COLUMNS, float_column
from analytics.evidence.household_clustering import answer_design_effects, repeat_complaint_share
from analytics.statistics.validation import BooleanArray, IntegerArray

# The others need not be sorted into another order: there may be very many rows.
_COLUMNS: Final = (
    "region",
    "responses",
    "satisfaction_score",
    "satisfaction_rank",
    "satisfaction_status",
    "complaint_rank",
    "complaint_status",
)


class Observations(NamedTuple):
    """Observations of an evaluation in the order of ids, in which sums are equal to the last digit.

    Attributes
    ----------
    order : ndarray of int
        The rows of the evaluation.
    standings : DataFrame
        Regions, answers, scores, ranks and statuses of the evaluation.
    table : DataFrame
        Its communities, with the columns responses and satisfaction_score of the standings, and: deviation, the
        standard deviation of a mean; design_effect, of several answers of one household; repeat_share, of the
        complaints.
    """

    order: IntegerArray
    standings: pd.DataFrame
    table: pd.DataFrame


@dataclass(frozen=True)
class Ranking:
    """Communities that are ranked together: eligible `rows`, their `region` and its number of positions `size`.

    `shown` marks those that this ranking decides; the others are only ranked with them.
    """

    rows: IntegerArray
    region: npt.NDArray[np.int64]
    size: IntegerArray
    shown: BooleanArray

    def only(self, chosen: BooleanArray) -> "Ranking":
        """Return the ranking with some of its communities alone."""
        return Ranking(self.rows[chosen], self.region[chosen], self.size[chosen], self.shown[chosen])


def observations_of(evaluation: Evaluation) -> Observations:
    """Return the observations of an evaluation."""
    order = np.argsort(evaluation.communities["community_id"].to_numpy(dtype=np.str_), kind="stable")
    standings = evaluation.standings[list(_COLUMNS)].iloc[order].reset_index(drop=True)
    table = evaluation.communities.iloc[order].reset_index(drop=True)
    deviation = MEASURE_COLUMNS[evaluation.rules.satisfaction.measure].deviation
    table = table.assign(
        responses=standings["responses"],
        satisfaction_score=standings["satisfaction_score"],
        deviation=float_column(table, deviation or ""),
        design_effect=answer_design_effects(table, evaluation.rules),
        repeat_share=repeat_complaint_share(table, evaluation.rules),
    )
    return Observations(order, standings, table)


def rankings(route: RouteName, standings: pd.DataFrame, regions: Mapping[str, Any]) -> Iterator[Ranking]:
    """Yield the communities that are ranked together: those of the regions by themselves, and those of all regions.

    Parameters
    ----------
    route : {"satisfaction", "complaints"}
    standings : DataFrame
        Of an evaluation.
    regions : mapping
        ``summary["regions"]`` of the evaluation.

    Yields
    ------
    Ranking
    """
    eligible = standings[f"{COLUMN_PREFIXES[route]}_rank"].notna().to_numpy()
    codes, labels = pd.factorize(standings["region"], sort=True)
    facts = [regions[label][route] for label in labels]
    sizes = np.array([fact["k"] for fact in facts], dtype=np.int64)[codes]
    own = np.array([fact["ranked_with"] == "district" for fact in facts], dtype=bool)[codes]
    rows = np.flatnonzero(eligible & own)
    if rows.size:
        yield Ranking(rows, codes[rows], sizes[rows], np.ones(rows.size, dtype=bool))
    rows = np.flatnonzero(eligible)
    if (eligible & ~own).any():
        size = np.full(rows.size, sizes[~own][0])
        yield Ranking(rows, np.zeros(rows.size, dtype=np.int64), size, ~own[rows])
