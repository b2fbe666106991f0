"""A browser to read pages in: where there is none, these tests skip, or fail if $CRMLAB_REQUIRE lists `browser`."""

import shutil

import pytest

from ..shell import missing

INSTALL = "apt-get install chromium, and pip install playwright axe-playwright-python"
ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
]


@pytest.fixture(scope="session")
def browser():
    """Debian's Chromium."""
    chromium = shutil.which("chromium")
    try:
        from playwright.sync_api import sync_playwright
    except ImportError:
        sync_playwright = None
    if not chromium or not sync_playwright:
        missing("browser", f"no Chromium to drive; {INSTALL}")
    with sync_playwright() as playwright:
        opened = playwright.chromium.launch(executable_path=chromium, args=ARGUMENTS)
        yield opened
        opened.close()


@pytest.fixture
def read(browser):
    """Opens a file as a reader would: the page, with `asked` and `said`, its requests and what its console said."""
    opened = []

    def read(path, width=1280, scheme="light"):
        page = browser.new_page(viewport={"width": width, "height": 900}, color_scheme=scheme)
        opened.append(page)
        page.asked, page.said = [], []
        page.on("request", lambda request: page.asked.append(request.url))
        page.on("console", lambda message: page.said.append(message.text))
        page.on("pageerror", lambda error: page.said.append(str(error)))
        page.route(lambda address: not address.startswith(("file:", "data:")), lambda route: route.abort())
        page.goto(path.as_uri())
        return page

    yield read
    for page in opened:
        page.close()
