"""The communities that each family of signals flags are counted."""

import plotly.graph_objects as go
import pytest

from analytics.statistics.integrity_signals import FAMILIES
from dashboards.figures.integrity import families_figure
from dashboards.panels.integrity_signals import flagged_by_family


@pytest.fixture(scope="module")
def examination(city):
    return city.examination(2)


def test_the_figure_draws_how_many_communities_each_kind_flags(examination):
    table = flagged_by_family(examination.families, "en")

    figure = families_figure(table, "en")

    go.Figure(figure)
    flagged = examination.families.groupby("family", sort=False)["flagged"].sum()
    assert figure["data"][0]["x"] == flagged.tolist()
    assert table["judged"].tolist() == [440] * len(FAMILIES)
