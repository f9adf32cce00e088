"""Language, route, scale and state that all charts of one view share."""

from dataclasses import dataclass

from dashboards.frames.standings import Scale
from dashboards.routes import Route


@dataclass(frozen=True)
class ChartContext:
    """What every figure of one view shares."""

    language: str
    route: Route
    scale: Scale
    provisional: bool
    # From the lowest to the highest that is drawn, so that charts side by side can be compared.
    score_range: tuple[float, float] | None = None
