"""An address keeps the view of a page."""

import pytest

from dashboards.address import View
from dashboards.routes import ROUTES


def read(search):
    return View.of(search, lambda: "zh-Hans")


def test_a_view_can_be_sent_on_by_its_address():
    view = View("en", evaluation=7, region="海勃湾区", route=ROUTES["complaints"])

    assert read(view.search) == view


@pytest.mark.parametrize(
    "search", ["", None, "?evaluation=x&route=y&lang=fr", "?evaluation=-1", "?evaluation=" + "9" * 40, "?evaluation=²"]
)
def test_what_an_address_says_wrongly_is_as_if_it_were_not_there(search):
    assert read(search) == View("zh-Hans")
