"""Pages in a real browser: nothing overflows a phone, nothing is asked of the network."""

from __future__ import annotations

import shutil

import pytest

from pimsim.report.html import write_page
from pimsim.report.pages import document_of, page_of

pytestmark = pytest.mark.slow

KINDS = ("run", "compare", "sweep", "train", "validate")


@pytest.fixture(scope="module")
def browser():
    found = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))),
                 None)  # fmt: skip
    if found is None:
        pytest.skip("no Chromium on this machine")
    reason = "needs the 'browser' extra"
    playwright = pytest.importorskip("playwright.sync_api", reason=reason)
    with playwright.sync_playwright() as session:
        opened = session.chromium.launch(
            executable_path=found, args=["--no-sandbox", "--disable-gpu"]
        )
        yield opened
        opened.close()


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("width", [400, 1400])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_a_page_fits_and_asks_for_nothing(browser, documents, tmp_path, kind, width, scheme):
    path = write_page(page_of(document_of(documents[kind])), tmp_path / "report.html")
    page = browser.new_page(viewport={"width": width, "height": 900}, color_scheme=scheme)
    said, asked = [], []
    page.on("console", lambda message: said.append(message.text))
    page.on("pageerror", lambda error: said.append(str(error)))
    page.on("request", lambda request: asked.append(request.url))
    page.goto(path.as_uri())
    assert said == []
    assert asked == [path.as_uri()]
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    headlines = page.locator(".headline .value")
    assert headlines.count() >= 2
    for place in range(headlines.count()):
        box = headlines.nth(place).bounding_box()
        assert headlines.nth(place).is_visible()
        assert box["x"] >= 0
        assert box["x"] + box["width"] <= width
    light = page.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(255, 255, 255)"
    assert light == (scheme == "light")
    letters = page.evaluate(
        "[...document.querySelectorAll('svg')].map(svg => 9 * svg.getBoundingClientRect().width"
        " / svg.viewBox.baseVal.width)"
    )
    assert all(size > 8 for size in letters), "letters of pictures are as large as the text's"
    page.close()


def test_a_click_sorts_a_table(browser, documents, tmp_path):
    path = write_page(page_of(document_of(documents["sweep"])), tmp_path / "report.html")
    page = browser.new_page()
    page.goto(path.as_uri())
    heading = page.locator("thead button", has_text="accuracy").first
    column = "[...document.querySelectorAll('tbody tr')].map(row => Number(row.cells[2].querySelector('data').value))"  # noqa: E501
    heading.click()
    assert page.evaluate(column) == sorted(page.evaluate(column), reverse=True)
    heading.click()
    assert page.evaluate(column) == sorted(page.evaluate(column))
    page.close()


def test_all_tables_are_on_paper(browser, documents, tmp_path):
    path = write_page(page_of(document_of(documents["run"])), tmp_path / "report.html")
    page = browser.new_page()
    page.goto(path.as_uri())
    page.evaluate("dispatchEvent(new Event('beforeprint'))")
    assert page.locator("details.paper:not([open])").count() == 0
    page.evaluate("dispatchEvent(new Event('afterprint'))")
    assert page.locator("details.paper[open]").count() == 0
    page.close()
