"""How a resident goes through a form."""

from playwright.sync_api import expect


def choose(page, question, label):
    """Tap an answer; the question must be in sight."""
    page.locator(f"#{question}").get_by_label(label, exact=True).check()


def go_on(page):
    """Tap “next step” and wait until the step has changed."""
    heading = page.locator("[data-step]:not([hidden]) h2").inner_text()
    page.locator("[data-next]").click()
    expect(page.locator("[data-step]:not([hidden]) h2")).not_to_have_text(heading)


def go_on_to(page, element):
    """Go on until `element`, by its id, is in sight."""
    while not page.locator(f"#{element}").is_visible():
        go_on(page)


def go_back(page):
    page.locator("[data-back]").click()


def send(page):
    page.locator("[data-when=ready] button").click()


def answer_the_least(page, *, overall="满意", tenure="租户"):
    """Answer what is required and go on to the overview."""
    choose(page, "q01", overall)
    go_on_to(page, "q16")
    choose(page, "q16", tenure)
    go_on_to(page, "review")


def receipt_number(page):
    """Wait for the receipt and return its number without spaces."""
    page.wait_for_url("**/r/*")
    return page.locator(".number").inner_text().replace(" ", "")
