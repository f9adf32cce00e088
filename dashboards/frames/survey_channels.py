"""Survey channels of the communities of an evaluation, by their numbers."""

from collections.abc import Mapping

from analytics.decision.survey_channels import survey_channels
from dashboards.source import EvaluationSource


def channels_by_number(source: EvaluationSource, evaluation_id: int) -> Mapping[str, str]:
    """Return through what the answers of each community came; empty where the evaluation does not say."""
    return source.compute_once(evaluation_id, _read_channels)


def _read_channels(source: EvaluationSource, evaluation_id: int) -> Mapping[str, str]:
    inputs = source.inputs(evaluation_id)
    channels = survey_channels(inputs)
    if channels is None:
        return {}
    known = channels.notna()
    return dict(zip(inputs.loc[known, "community_id"], channels[known], strict=True))
