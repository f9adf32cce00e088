"""What cases are about, and how many of them the rate does not count."""

from dashboards.routes import ROUTES
from tests.dashboards.conftest import serve_dashboards
from tests.dashboards.test_app import Browser, said

ROUTE = ROUTES["complaints"]


def test_the_share_of_cases_that_do_not_count_is_said(city):
    cases = city.cases(2)
    cases = cases[cases["region"] == "海勃湾区"]
    other = cases.loc[~cases["valid"], "cases"].sum()

    content = said(Browser(serve_dashboards(city)).content("?lang=en&region=海勃湾区", page="complaints/"))

    assert (
        f"Of {cases['cases'].sum()} cases of all kinds, {other} (50%) are not complaints that count in the rate."
        in content
    )
