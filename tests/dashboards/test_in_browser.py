"""Every page in a real browser: nothing blocked, nothing fetched elsewhere, filters in the address."""

import pytest
from playwright.sync_api import expect

from dashboards.app import PAGES
from tests.bundles import SUITES, bundle_at, bundles
from tests.dashboards.made_up import RULES

pytestmark = pytest.mark.browser
expect.set_options(timeout=90_000)

DRAWN = {"communities/": "#table-of-communities .name-link", "aspects/": ".heat-map"}
# A page about one community needs one; breakdowns there are of official results only.
ASKED = {"community/": "&community=150003&evaluation=1", "aspects/": "&evaluation=1"}
CHARTS = ".js-plotly-plot .main-svg"

# A browser that says of itself what Chrome 109 says, so that the page mends the table's styles.
AS_CHROME_109 = """const supports = CSS.supports.bind(CSS);
    CSS.supports = (...asked) => asked[0] !== "mask-image" && supports(...asked);"""
# How the table and all that is in it look.
LOOKS = """() => {
    const read = ["color", "backgroundColor", "borderTop", "borderRight", "borderBottom", "borderLeft", "margin",
        "padding", "display", "position", "flexDirection", "justifyContent", "alignItems", "textAlign", "opacity",
        "cursor", "overflow", "webkitMaskImage"];
    const look = (part, pseudo) => {
        const style = getComputedStyle(part, pseudo);
        return read.map(name => style[name]).join(" | ");
    };
    const parts = [...document.querySelectorAll("#table-of-communities, #table-of-communities *")];
    return parts.map(part => `${part.tagName} ${look(part)} ${look(part, "::before")} ${look(part, "::after")}`);
}"""
# What Chrome 109 could not read of the styles that AG Grid puts into the page.
UNREAD = """() => [...document.querySelectorAll("style[data-ag-css]")].flatMap(style => {
    const nested = [...style.sheet.cssRules].filter(rule => rule instanceof CSSStyleRule && rule.cssRules?.length);
    const masks = style.textContent.split(/[{}]/).filter(text => /(^|;)mask-image:/.test(text));
    return [...nested.map(rule => rule.cssText), ...masks.filter(text => !text.includes("-webkit-mask-image"))];
})"""


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
    scripts = []
    page.on("request", lambda request: scripts.append(request.url) if SUITES in request.url else None)

    asked = f"{path}?lang={language}{ASKED.get(path, '')}"
    complaints, foreign = visit(page, f"{dashboards_address}{asked}", DRAWN.get(path, CHARTS))

    assert complaints == []
    assert foreign == []
    assert {bundle_at(script) for script in scripts} <= bundles()
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    assert page.locator("html").get_attribute("lang") == language
    smallest = page.evaluate(
        "Math.min(...[...document.querySelectorAll('#frame *')].filter(e => e.innerText && e.children.length === 0)"
        ".map(e => parseFloat(getComputedStyle(e).fontSize)))"
    )
    assert smallest >= 12
    # Nothing that is out of sight makes the page longer than what it shows.
    below = page.evaluate(
        "document.documentElement.scrollHeight - window.scrollY - Math.max(window.innerHeight,"
        " ...[...document.querySelectorAll('#frame .panel')].map(e => e.getBoundingClientRect().bottom))"
    )
    assert below <= 100


def test_filters_stand_in_the_address_and_the_address_in_the_filters(open_page, dashboards_address):
    page = open_page(viewport={"width": 1440, "height": 900})
    visit(page, f"{dashboards_address}?lang=en")

    page.locator("#route").get_by_text("Complaint route").click()
    page.wait_for_url("**route=complaints**")
    expect(page.get_by_text("from the fewest complaints up")).to_have_count(1)
    page.locator("#region").click()
    page.get_by_role("option", name="Wuda").click()
    page.wait_for_url("**region=**")
    expect(page.locator("#order h3")).to_have_count(1)

    again = open_page(viewport={"width": 1440, "height": 900})
    visit(again, page.url)
    assert again.locator("#region").input_value() == "Wuda"
    assert again.locator("#order h3").all_text_contents() == ["Wuda"]
    page.go_back()
    expect(page.locator("#order h3")).to_have_count(3)
    expect(page.locator("#region")).to_have_value("All districts")


def test_the_language_is_switched_and_the_view_kept(open_page, dashboards_address):
    page = open_page(viewport={"width": 1440, "height": 900})
    visit(page, f"{dashboards_address}?lang=zh-Hans&route=complaints")

    page.get_by_role("link", name="English").click()

    page.wait_for_url("**lang=en**")
    page.get_by_text("How reliable the list is: Complaint route").wait_for()
    assert "route=complaints" in page.url


def test_the_table_looks_the_same_in_chrome_109(open_page, dashboards_address):
    address = f"{dashboards_address}communities/?lang=en"
    page, mended = (open_page(viewport={"width": 1440, "height": 900}) for _ in range(2))
    mended.add_init_script(AS_CHROME_109)
    visit(page, address, DRAWN["communities/"])
    visit(mended, address, DRAWN["communities/"])
    mended.wait_for_function("window.stylis")

    looks = mended.evaluate(LOOKS)

    assert mended.evaluate(UNREAD) == []
    assert looks == page.evaluate(LOOKS)
    # So a browser writes a colour that it has mixed.
    assert [look for look in looks if "color(" in look] == []


def names_in(page):
    return page.locator("#table-of-communities .ag-pinned-left-cols-container .name-link").all_inner_texts()


def answers_in(page):
    return [
        int(text) for text in page.locator("#table-of-communities [role=gridcell][col-id=responses]").all_inner_texts()
    ]


def test_the_table_is_ordered_filtered_and_paged_and_its_address_says_so(open_page, dashboards_address):
    page = open_page(viewport={"width": 1440, "height": 900})
    complaints, foreign = visit(page, f"{dashboards_address}communities/?lang=en", DRAWN["communities/"])

    page.get_by_role("columnheader", name="Valid answers").click()
    page.wait_for_url("**sort=responses**")
    expect(page.locator("#table-of-communities [col-id=responses][aria-sort=ascending]")).to_be_visible()
    page.locator("#table-of-communities-name").fill("jade")
    page.wait_for_url("**name=jade**")
    expect(page.locator("#table-of-communities")).to_contain_text("1 to 20 of 22")
    ordered = answers_in(page)
    page.get_by_role("button", name="Next page").click()
    expect(page.locator("#table-of-communities")).to_contain_text("21 to 22 of 22")
    expect(page.locator("#table-of-communities .name-link")).to_have_count(2)

    again = open_page(viewport={"width": 390, "height": 900})
    visit(again, page.url, DRAWN["communities/"])
    expect(again.locator("#table-of-communities-name")).to_have_value("jade")
    expect(again.locator("#table-of-communities")).to_contain_text("1 to 20 of 22")
    page.go_back()
    expect(page.locator("#table-of-communities-name")).to_have_value("")
    expect(page.locator("#table-of-communities")).to_contain_text("1 to 20 of 440")
    assert ordered == sorted(ordered)
    assert all("Jade" in name for name in names_in(again))
    assert (complaints, foreign) == ([], [])


def cells_in(page, column):
    """Return the numbers in a column of the heat map."""
    texts = page.locator(f".heat-map tbody td:nth-child({column})").all_inner_texts()
    return [float(text) for text in texts if text != "—"]


def test_the_heat_map_is_ordered_by_a_link_whose_address_is_the_view(open_page, dashboards_address):
    page = open_page(viewport={"width": 1440, "height": 900})
    complaints, foreign = visit(page, f"{dashboards_address}aspects/?lang=en&evaluation=1&sort=name", ".heat-map")

    page.get_by_role("link", name="Security").click()
    page.wait_for_url("**sort=q07**")
    expect(page.get_by_role("columnheader", name="Security")).to_have_attribute("aria-sort", "ascending")
    page.get_by_role("link", name="Next page").click()
    page.wait_for_url("**page=2**")
    expect(page.get_by_text("Communities 51 to 100 of 440")).to_be_visible()
    ordered = cells_in(page, 4)

    again = open_page(viewport={"width": 390, "height": 900})
    visit(again, page.url, ".heat-map")
    expect(again.get_by_text("Communities 51 to 100 of 440")).to_be_visible()
    assert cells_in(again, 4) == ordered == sorted(ordered)
    assert (complaints, foreign) == ([], [])


@pytest.mark.parametrize("width", [320, 390])
def test_names_and_headings_of_the_heat_map_stay_in_sight_on_a_phone(open_page, dashboards_address, width):
    page = open_page(viewport={"width": width, "height": 900})
    visit(page, f"{dashboards_address}aspects/?lang=en&evaluation=1", ".heat-map")

    window = page.locator(".heat-map-window")
    window.focus()
    window.evaluate("window => window.scrollTo(1000, 800)")

    shown = window.bounding_box()
    corner = page.locator(".heat-map thead th").first.bounding_box()
    assert abs(corner["x"] - shown["x"]) <= 2
    assert abs(corner["y"] - shown["y"]) <= 2
    name = page.locator(".heat-map tbody th").nth(30).bounding_box()
    assert abs(name["x"] - shown["x"]) <= 2
    # A number at the least has room beside the names.
    assert shown["width"] - name["width"] > 70
    assert page.evaluate("document.documentElement.scrollWidth") <= width


@pytest.mark.parametrize(
    ("language", "preview"), [("zh-Hans", "预览，非正式结果"), ("en", "Preview, not an official result")]
)
def test_the_file_holds_what_the_table_lists_and_says_that_it_is_a_preview(
    open_page, dashboards_address, language, preview
):
    page = open_page(viewport={"width": 1440, "height": 900})
    visit(page, f"{dashboards_address}communities/?lang={language}&name=翡翠", DRAWN["communities/"])

    with page.expect_download() as download:
        page.locator("#table-of-communities-file").click()

    lines = download.value.path().read_text("utf-8-sig").splitlines()
    assert "preview" in download.value.suggested_filename
    assert len(lines) == 1 + 22
    assert all(line.startswith((preview, f'"{preview}"')) for line in lines[1:])


def test_the_keyboard_reaches_a_community_from_the_table(open_page, dashboards_address):
    page = open_page(viewport={"width": 1440, "height": 900})
    visit(page, f"{dashboards_address}communities/?lang=zh-Hans", DRAWN["communities/"])
    first = names_in(page)[0]

    page.get_by_role("columnheader", name="小区").focus()
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")

    page.wait_for_url("**/community/**")
    expect(page.locator("#standing h2")).to_have_text(first)


def test_the_navigation_opens_on_a_phone_and_leads_to_a_part_of_the_page(open_page, dashboards_address):
    page = open_page()
    visit(page, f"{dashboards_address}?lang=en")

    page.get_by_role("button", name="Navigation").click()
    page.get_by_role("link", name="Who qualifies").click()

    page.wait_for_url("**#qualified")
    # Playwright's own polling in the page would need `eval`, which the page forbids.
    expect(page.locator("#qualified")).to_be_in_viewport()
    expect(page.get_by_role("link", name="Who qualifies")).not_to_be_in_viewport()


@pytest.mark.parametrize("width", [390, 1440])
def test_the_evidence_is_folded_up_until_it_is_asked_for_and_its_charts_fit_then(open_page, dashboards_address, width):
    page = open_page(viewport={"width": width, "height": 900})
    complaints, foreign = visit(page, f"{dashboards_address}?lang=en")
    expect(page.locator("#rules")).to_be_hidden()
    expect(page.locator("#qualified")).to_be_visible()
    if width == 390:
        page.get_by_role("button", name="Navigation").click()

    page.get_by_role("link", name="Evidence and method").click()

    expect(page.locator("#rules")).to_be_visible()
    expect(page.locator("#basis > summary")).to_be_in_viewport()
    for chart in page.locator("#basis .js-plotly-plot").all():
        room = chart.bounding_box()
        drawn = chart.locator(".main-svg").first.bounding_box()
        assert abs(room["width"] - drawn["width"]) <= 1
        assert room["width"] > 200
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    assert (complaints, foreign) == ([], [])


@pytest.mark.parametrize("language", ["zh-Hans", "en"])
def test_a_number_of_the_finding_opens_as_many_communities(open_page, dashboards_address, language):
    page = open_page(viewport={"width": 1440, "height": 900})
    visit(page, f"{dashboards_address}?lang={language}&evaluation=1")
    number = page.locator("#finding a[href*=left_open]")
    count = number.inner_text()

    number.click()

    page.locator(DRAWN["communities/"]).first.wait_for()
    # “1 to 20 of 33”, or all of them where they fit on a page.
    expect(page.locator("#table-of-communities .ag-paging-row-summary-panel")).to_contain_text(count)
    expect(page.locator("#table-of-communities-group")).not_to_have_value("")


def test_another_rule_that_is_asked_about_stands_in_the_address(open_page, dashboards_address):
    page = open_page(viewport={"width": 1440, "height": 900})
    visit(page, f"{dashboards_address}criterion/?lang=en")

    page.locator("#what-if input").or_(page.locator("input#what-if")).first.click()
    page.get_by_role("option", name="rounded up to whole communities").click()

    page.wait_for_url("**what_if=rounding%3Aceil**")
    page.get_by_text("Assumption: rounded up to whole communities.").wait_for()


def test_a_printed_overview_says_of_what_it_is_and_holds_what_was_folded_up(open_page, dashboards_address):
    pdfium = pytest.importorskip("pypdfium2")
    page = open_page(viewport={"width": 1440, "height": 900})
    visit(page, f"{dashboards_address}?lang=en&region=海南区")
    folded = page.locator("details:not([open])").count()
    expect(page.locator("#on-paper")).to_be_hidden()

    with pdfium.PdfDocument(page.pdf(format="A4")) as document:
        first, *others = [" ".join(sheet.get_textpage().get_text_bounded().split()) for sheet in document]

    for said in (
        "Overview",
        "Wuhai",
        "Hainan",
        "Round 3, 2026",
        "preview",
        "the end of 30 September 2026",
        "Printed on",
    ):
        assert said in first
    whole = " ".join([first, *others])
    # A number that stands in a table behind a chart alone, and a whole check code.
    assert "Not listed" in whole
    assert RULES.sha256 in whole.replace(" ", "")
    assert "Show the numbers" not in whole
    expect(page.locator("details:not([open])")).to_have_count(folded)
