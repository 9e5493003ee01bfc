"""Take README's pictures from a report: ``python scripts/pictures.py report.html docs/images``."""

from __future__ import annotations

import sys
from pathlib import Path

from chromium import FLAGS, MISSING, find

PICTURES = {"verdict": "section.verdict", "boundary": "section:has(#slider-title)"}

MARGIN = 40


def take(report: Path, folder: Path) -> None:
    """Write one PNG for each entry of PICTURES, 1,200 pixels wide."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=find(), args=[*FLAGS])
        page = browser.new_page(viewport={"width": 1200, "height": 900}, color_scheme="light")
        page.goto(report.resolve().as_uri())
        page.wait_for_timeout(2_000)  # until the figures are drawn
        for name, selector in PICTURES.items():
            box = page.locator(selector).first.bounding_box()
            assert box is not None, f"the report has no {selector}"
            page.screenshot(
                path=folder / f"{name}.png",
                full_page=True,
                clip={
                    "x": box["x"] - MARGIN,
                    "y": box["y"],
                    "width": box["width"] + 2 * MARGIN,
                    "height": box["height"],
                },
            )
        browser.close()


def main() -> int:
    """Read the two paths of the command line."""
    if len(sys.argv) != 3:
        print(__doc__, file=sys.stderr)
        return 2
    if find() is None:
        print(MISSING, file=sys.stderr)
        return 1
    take(Path(sys.argv[1]), Path(sys.argv[2]))
    return 0


if __name__ == "__main__":
    sys.exit(main())
