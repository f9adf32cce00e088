"""Staff pages and dashboards on a phone: nothing wider than the screen, fingers hit what they aim at."""

from itertools import product

import pytest
from playwright.sync_api import expect

from analytics.languages import LANGUAGES
from survey_app.models.vocabulary import Role
from tests.journeys.test_reach import OVERFLOW
from tests.journeys.whole_site import addresses, dashboard_addresses, fill_city, sign_in_browser, visit

pytestmark = pytest.mark.browser

WIDTHS = (320, 390)
# What happened to an account is read and confirmed before anything else; a preview is the page of residents.
WITHOUT_MENU = ("/staff/notices", "/preview")
# A link within a sentence is as high as its line; a box is as large as the label that it stands in.
TOO_SMALL = """() => [...document.querySelectorAll("a[href], button, input, select, textarea, summary, [role=button]")]
    .filter(target => target.type !== "hidden" && target.getClientRects().length)
    .filter(target => !(target.matches("a") && getComputedStyle(target).display === "inline"))
    .map(target => [target, (target.matches("[type=checkbox], [type=radio]") && target.closest("label")) || target])
    .map(([target, hit]) => [target, hit.getBoundingClientRect()])
    .filter(([target, box]) => box.right > 0 && box.width > 1 && (box.width < 43.5 || box.height < 43.5))
    .map(([target, box]) => `${target.tagName} ${target.id || target.innerText || target.name} ` +
        `${Math.round(box.width)} x ${Math.round(box.height)}`)"""


def is_dashboard(path):
    return path.startswith("/dashboards/")


def test_every_page_fits_a_phone_and_its_navigation_is_within_reach(open_page, app, site_address, sqlite_database):
    facts = fill_city(sqlite_database)
    page = open_page(viewport={"width": WIDTHS[0], "height": 800})
    faults = {}
    for role in (Role.CITY, Role.ADMINISTRATOR):
        sign_in_browser(page, app, site_address, role)
        dashboards = dashboard_addresses(facts) if role is Role.CITY else []
        for path, language in product([*addresses(app, facts, role), *dashboards], LANGUAGES):
            # Widened after that: a chart takes a moment to become narrower.
            page.set_viewport_size({"width": WIDTHS[0], "height": 800})
            visit(page, f"{site_address}{path}{'&' if '?' in path else '?'}lang={language}")
            if not path.endswith(WITHOUT_MENU):
                menu = page.locator("#burger" if is_dashboard(path) else ".staff-menu summary")
                expect(menu).to_be_visible()
            for width in WIDTHS:
                page.set_viewport_size({"width": width, "height": 800})
                found = page.evaluate(TOO_SMALL)
                if (overflow := page.evaluate(OVERFLOW)) > 0:
                    found.append(f"{overflow} px too wide")
                if found:
                    faults[path, language, width] = found

    assert faults == {}


def test_the_menu_opens_and_closes_by_keyboard_and_by_touch_without_scripts(
    open_page, app, site_address, sqlite_database
):
    fill_city(sqlite_database)
    page = open_page(has_touch=True, java_script_enabled=False)
    sign_in_browser(page, app, site_address, Role.CITY)
    page.goto(f"{site_address}/staff/printing?lang=en")
    menu = page.locator(".staff-menu")
    current = menu.get_by_role("link", name="Printing", exact=True)

    expect(current).not_to_be_visible()
    menu.locator("summary").tap()
    expect(current).to_be_visible()
    expect(current).to_have_attribute("aria-current", "page")
    menu.locator("summary").press("Enter")
    expect(current).not_to_be_visible()
    menu.locator("summary").press("Enter")
    for label in ("Rules and questionnaires", "Dashboards"):
        expect(menu.get_by_role("link", name=label)).to_be_in_viewport()
    assert page.get_by_role("link", name="中文").is_visible()
    menu.get_by_role("button", name="Sign out").tap()

    page.wait_for_url("**/sign-in*")
