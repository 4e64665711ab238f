"""A slider page, and Chromium to open it."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import BrowserContext, Page, sync_playwright

from idr_assets.imaging.figures.plane_browser import plane_browser
from idr_assets_tests.support.labelled_planes import planes_of

FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-component-update"]


@pytest.fixture(scope="module")
def browser(chromium: str) -> Iterator[BrowserContext]:
    """Start a Chromium."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=FLAGS)
        yield browser.new_context()
        browser.close()


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory) -> str:
    """Write a page of 3 T x 2 C x 4 Z planes."""
    file = tmp_path_factory.mktemp("page") / "planes.html"
    file.write_text(plane_browser(planes_of(3, 2, 4), title="demo", pixel_size=0.4), "utf-8")
    return file.as_uri()


@pytest.fixture
def page(browser: BrowserContext) -> Iterator[Page]:
    """Open a tab that must neither complain nor load anything but files."""
    page = browser.new_page()
    complaints: list[str] = []
    page.on("console", lambda message: complaints.append(message.text))
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.on("request", lambda request: complaints.append(request.url) if request.url.startswith("http") else None)
    yield page
    page.close()
    assert not complaints
