"""Pictures of a report for README and docs, taken in headless Chromium.

    python scripts/screenshots.py [RUN] [--out docs/pictures]

Without a run it takes that of `make demo`, and measures it first where it is missing. It writes the report
again and takes five pictures of it: the top in light and dark and in a window of 400 pixels, the rest of
the figures, and the problems. Needs the test extra (selenium) and Chromium with its driver.
"""

from __future__ import annotations

import argparse
import base64
import io
import shutil
import sys
from dataclasses import dataclass
from pathlib import Path

import PIL.Image
from selenium import webdriver
from selenium.webdriver.chrome.service import Service

import modgap
from modgap.report import write_report


@dataclass(frozen=True)
class Shot:
    """One picture.

    Args:
        name: of the file, without its extension.
        width: of the window, in CSS pixels.
        height: of the window, in CSS pixels.
        dark: the colour scheme that the system asks for.
        script: run before the picture is taken.
    """

    name: str
    width: int
    height: int
    dark: bool = False
    script: str = ""


FIRST_CARD = """
    document.getElementById('next').click();
    for (const d of document.querySelectorAll('.card.current details')) d.open = true;
    window.scrollBy(0, -8);
"""
SHOTS = (
    Shot("report-light", 1280, 1010),
    Shot("report-dark", 1280, 1010, dark=True),
    Shot("report-narrow", 400, 860),
    Shot(
        "report-pairs",
        1280,
        900,
        script="document.querySelector('.pairs').previousElementSibling.scrollIntoView()",
    ),
    Shot("report-problem", 1280, 900, script=FIRST_CARD),
)


def browser() -> webdriver.Chrome:
    """Headless Chromium.

    Raises:
        SystemExit: if it is not installed.
    """
    chromium, driver = shutil.which("chromium"), shutil.which("chromedriver")
    if chromium is None or driver is None:
        sys.exit(
            "screenshots: needs chromium and chromedriver; on Debian: apt install chromium chromium-driver"
        )
    options = webdriver.ChromeOptions()
    options.binary_location = chromium
    for flag in (
        "--headless=new",
        "--no-sandbox",
        "--disable-gpu",
        "--disable-dev-shm-usage",
        "--hide-scrollbars",
    ):
        options.add_argument(flag)
    return webdriver.Chrome(options=options, service=Service(driver))


def take(page: webdriver.Chrome, address: str, shot: Shot, folder: Path) -> Path:
    """Take one picture, at two device pixels to a CSS pixel, and return its path."""
    size = {"width": shot.width, "height": shot.height, "deviceScaleFactor": 2, "mobile": False}
    scheme = [{"name": "prefers-color-scheme", "value": "dark" if shot.dark else "light"}]
    page.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", size)
    page.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": scheme})
    page.get(address)
    if shot.script:
        page.execute_script(shot.script)
        # Pictures below the window load when they come into view.
        page.execute_async_script("requestAnimationFrame(() => setTimeout(arguments[0], 300))")
    picture = page.execute_cdp_cmd("Page.captureScreenshot", {"format": "png"})
    path = folder / f"{shot.name}.png"
    # 256 colours are enough for these pages (none is off by more than 7 of 255) and keep the files small.
    with PIL.Image.open(io.BytesIO(base64.b64decode(picture["data"]))) as full:
        colors = full.convert("RGB").quantize(
            256, PIL.Image.Quantize.MAXCOVERAGE, dither=PIL.Image.Dither.NONE
        )
        colors.save(path, optimize=True)
    return path


def main() -> None:
    parser = argparse.ArgumentParser(description="Pictures of a report for README and docs.")
    parser.add_argument("run", type=Path, nargs="?", help="run folder; default: that of `make demo`")
    parser.add_argument("--out", type=Path, default=Path("docs/pictures"), help="folder of the pictures")
    given = parser.parse_args()
    try:
        run = given.run
        if run is None:
            run = modgap.measure("bundled", "scenes", n=100, seed=1, set={"level": "plain"}).folder
        report = write_report(run)
    except modgap.ModgapError as error:
        sys.exit(f"screenshots: {error}")
    given.out.mkdir(parents=True, exist_ok=True)
    page = browser()
    try:
        for shot in SHOTS:
            print(take(page, report.resolve().as_uri(), shot, given.out))
    finally:
        page.quit()


if __name__ == "__main__":
    main()
