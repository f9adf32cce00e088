"""Every page in a real browser: nothing blocked, nothing fetched elsewhere, filters in the address."""

import pytest
from playwright.sync_api import expect

from dashboards.mounting import PAGES

pytestmark = pytest.mark.browser
expect.set_options(timeout=90_000)

DRAWN = {"communities/": "#ledger table"}
# A page about one community needs one, and has breakdowns of closed rounds only.
ASKED = {"community/": "&community=150003&evaluation=1"}
CHARTS = ".js-plotly-plot .main-svg"


def visit(page, address, drawn=CHARTS):
    """Open an address; return what the browser complained about and what it asked other hosts for."""
    complaints, foreign = [], []
    page.on("console", lambda said: complaints.append(said.text) if said.type in ("error", "warning") else None)
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.on(
        "request",
        lambda request: (
            None if request.url.startswith(("http://127.0.0.1", "data:", "blob:")) else foreign.append(request.url)
        ),
    )
    page.goto(address)
    page.locator(drawn).first.wait_for()
    return complaints, foreign


@pytest.mark.parametrize("width", [390, 1440])
@pytest.mark.parametrize("language", ["zh-Hans", "en"])
@pytest.mark.parametrize("path", [page.path for page in PAGES])
def test_every_page_draws_without_complaint_and_without_other_hosts(
    open_page, dashboards_address, path, width, language
):
    page = open_page(viewport={"width": width, "height": 900})

    asked = f"{path}?lang={language}{ASKED.get(path, '')}"
    complaints, foreign = visit(page, f"{dashboards_address}{asked}", DRAWN.get(path, CHARTS))

    assert complaints == []
    assert foreign == []
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    assert page.locator("html").get_attribute("lang") == language
    smallest = page.evaluate(
        "Math.min(...[...document.querySelectorAll('#frame *')].filter(e => e.innerText && e.children.length === 0)"
        ".map(e => parseFloat(getComputedStyle(e).fontSize)))"
    )
    assert smallest >= 12


def test_filters_stand_in_the_address_and_the_address_in_the_filters(open_page, dashboards_address):
    page = open_page(viewport={"width": 1440, "height": 900})
    visit(page, f"{dashboards_address}?lang=en")

    page.locator("#route").get_by_text("Complaint route").click()
    page.wait_for_url("**route=complaints**")
    page.get_by_text("from the fewest complaints up").wait_for()
    page.locator("#region").click()
    page.get_by_role("option", name="Wuda").click()
    page.wait_for_url("**region=**")
    expect(page.locator("#order h3")).to_have_count(1)

    again = open_page(viewport={"width": 1440, "height": 900})
    visit(again, page.url)
    assert again.locator("#region").input_value() == "Wuda"
    assert again.locator("#order h3").all_inner_texts() == ["Wuda"]
    page.go_back()
    expect(page.locator("#order h3")).to_have_count(3)
    expect(page.locator("#region")).to_have_value("All districts")


def test_the_language_is_switched_and_the_view_kept(open_page, dashboards_address):
    page = open_page(viewport={"width": 1440, "height": 900})
    visit(page, f"{dashboards_address}?lang=zh-Hans&route=complaints")

    page.get_by_role("link", name="English").click()

    page.wait_for_url("**lang=en**")
    page.get_by_text("from the fewest complaints up").wait_for()
    assert "route=complaints" in page.url


def test_a_tap_on_a_heading_orders_the_table(open_page, dashboards_address):
    page = open_page(viewport={"width": 1440, "height": 900})
    visit(page, f"{dashboards_address}communities/?lang=en", DRAWN["communities/"])

    page.get_by_role("button", name="Order by Valid answers").click()
    page.get_by_role("button", name="Valid answers, ascending").wait_for()
    answers = [int(text) for text in page.locator("#ledger tbody td:nth-child(5)").all_inner_texts()]

    assert answers == sorted(answers)


def test_the_navigation_opens_on_a_phone_and_leads_to_a_part_of_the_page(open_page, dashboards_address):
    page = open_page()
    visit(page, f"{dashboards_address}?lang=en")

    page.get_by_role("button", name="Navigation").click()
    page.get_by_role("link", name="Rules in force").click()

    page.wait_for_url("**#rules")
    # Playwright's own polling in the page would need `eval`, which the page forbids.
    expect(page.locator("#rules")).to_be_in_viewport()
    expect(page.get_by_role("link", name="Rules in force")).not_to_be_in_viewport()


def test_another_rule_that_is_asked_about_stands_in_the_address(open_page, dashboards_address):
    page = open_page(viewport={"width": 1440, "height": 900})
    visit(page, f"{dashboards_address}criterion/?lang=en")

    page.locator("#what-if input").or_(page.locator("input#what-if")).first.click()
    page.get_by_role("option", name="rounded up to whole communities").click()

    page.wait_for_url("**what_if=rounding%3Aceil**")
    page.get_by_text("Supposed: rounded up to whole communities.").wait_for()
