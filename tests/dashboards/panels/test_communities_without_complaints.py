"""No complaint is not a rate of zero: the bounds say how high it may be, and residents whether they complained."""

import plotly.graph_objects as go
import pytest

from dashboards.address import View
from dashboards.figures.complaints import bounds_figure
from dashboards.frames.page_data import PageData
from dashboards.panels.communities_without_complaints import MOST_BOUNDS
from dashboards.panels.complaint_funnel import MULTIPLIER, exposed_communities
from dashboards.routes import ROUTES
from tests.dashboards.conftest import serve_dashboards
from tests.dashboards.test_app import Browser, said

ROUTE = ROUTES["complaints"]


@pytest.fixture(scope="module")
def shown(city):
    return PageData.of(city, View("en", region="海勃湾区"))


def test_an_upper_bound_is_drawn_for_each_community_without_complaints(shown):
    zero = exposed_communities(shown.everywhere).query("complaints == 0").sort_values(ROUTE.upper).head(MOST_BOUNDS)

    figure = bounds_figure(zero, shown.drawing(ROUTE))

    go.Figure(figure)
    assert figure["data"][0]["x"] == pytest.approx(zero[ROUTE.upper].tolist(), rel=1e-4)
    # −ln(.025) over the exposure, the exact bound of a count of zero.
    assert zero[ROUTE.upper].tolist() == pytest.approx(
        (3.688879454 / zero["exposure_household_years"] * MULTIPLIER).tolist(), rel=1e-6
    )


def test_communities_without_a_case_whose_residents_say_they_complained_are_named(city):
    zero = exposed_communities(city.standings(2)).query("complaints == 0")

    content = said(Browser(serve_dashboards(city)).content("?lang=en", page="complaints/"))

    assert "In these communities residents say that they complained, but no case is on record." in content
    assert any(name in content for name in zero["english_name"])
    assert "Respondents" in content


def test_a_preview_does_not_say_who_complained(preview_city):
    content = said(Browser(serve_dashboards(preview_city)).content("?lang=en", page="complaints/"))

    assert "residents say that they complained, but no case" not in content
