"""Pictures of the tops of reports: `python docs/images/take.py REPORTS`, the folder that `crmlab run` writes to."""

import sys
from pathlib import Path

from playwright.sync_api import sync_playwright

REPORTS = ("clv", "service_quality", "product_life_cycle")
HERE = Path(__file__).parent

with sync_playwright() as playwright:
    browser = playwright.chromium.launch(executable_path="/usr/bin/chromium", args=["--no-sandbox"])
    page = browser.new_page(viewport={"width": 1200, "height": 900}, color_scheme="light")
    for report in REPORTS:
        page.goto((Path(sys.argv[1]) / report / "latest" / "report.html").resolve().as_uri())
        page.screenshot(path=HERE / f"{report}.png")
    browser.close()
