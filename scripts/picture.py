"""Draws docs/demo.png, the README's picture: the report that the demo has written, in the system's Chromium."""

import sys
from pathlib import Path

from playwright.sync_api import sync_playwright

from shopfloor.sandbox.probe import find_chromium

TOP = Path(__file__).resolve().parent.parent
REPORT = TOP / ".demo" / "evidence" / "report.html"
WIDTH, HEIGHT = 1200, 900


def main() -> int:
    if not REPORT.exists():
        print("picture: there is no report of the demo; run `make demo` first", file=sys.stderr)
        return 1
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=find_chromium(), args=["--no-sandbox"])
        page = browser.new_page(viewport={"width": WIDTH, "height": HEIGHT})
        page.goto(REPORT.as_uri())
        page.screenshot(path=TOP / "docs" / "demo.png")
        browser.close()
    return 0


if __name__ == "__main__":
    sys.exit(main())
