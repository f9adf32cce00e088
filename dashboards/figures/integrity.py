"""Chart of integrity signals: how many communities each family flags."""

import pandas as pd

from dashboards import theme
from dashboards.figures.chart_parts import Figure, count_bars
from dashboards.languages import translator


def families_figure(families: pd.DataFrame, language: str) -> Figure:
    """Return a chart of how many communities each family of integrity signals flags.

    Parameters
    ----------
    families : DataFrame
        Columns label, judged, flagged: one row per family.
    """
    _ = translator(language)
    counts = families["flagged"].tolist()
    return count_bars(families["label"].tolist(), counts, title=_("Communities flagged"), color=theme.CUT_OFF)
