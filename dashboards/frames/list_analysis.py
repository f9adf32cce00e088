"""What the list by satisfaction depends on and what its scores are worth, from one evaluation of the frozen counts."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

import pandas as pd

from analytics.decision.evaluate import evaluate
from analytics.evidence.picking_correction import correct_for_picking
from analytics.evidence.sensitivity import analyse_sensitivity
from dashboards.source import EvaluationSource, header_of

WITHOUT_FEW: Final = "satisfaction_rank_without_few"
WITHIN: Final = ("satisfaction_main_mode", "satisfaction_rank_within_mode", "satisfaction_ranked_within_mode")


@dataclass(frozen=True)
class ListAnalysis:
    """Analyses of a list; frames are indexed by the numbers of communities.

    `ranks` are those among others alone, columns `WITHOUT_FEW` and `WITHIN` where they can be told; `regions` as
    `analytics.evidence.sensitivity.Sensitivity` has them; `corrected` are the columns lower and upper of
    `analytics.evidence.picking_correction.correct_for_picking` for those listed.
    """

    ranks: pd.DataFrame
    regions: Mapping[str, Any]
    corrected: pd.DataFrame

    def __len__(self) -> int:
        return len(self.ranks)


def analyse_list(source: EvaluationSource, evaluation_id: int) -> ListAnalysis:
    """Return the analyses of the list of an evaluation; see `EvaluationSource.compute_once`."""
    result = evaluate(source.inputs(evaluation_id), header_of(source, evaluation_id).rules, look_alikes=False)
    sensitivity = analyse_sensitivity(result)
    kept = [name for name in (WITHOUT_FEW, *WITHIN) if name in sensitivity.communities]
    ranks = sensitivity.communities[kept].set_axis(result.communities["community_id"], axis="index")
    return ListAnalysis(ranks, sensitivity.regions, correct_for_picking(result).set_index("community_id"))
