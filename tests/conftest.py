"""What holds for every test."""

from __future__ import annotations

import shutil
import signal
import threading
from pathlib import Path

import pytest

CHROMIUM, DRIVER = Path("/usr/bin/chromium"), Path("/usr/bin/chromedriver")


def pytest_configure() -> None:
    """Let interrupts through.

    A shell starts background jobs with SIGINT ignored, and children inherit that: tests of Ctrl-C would
    wait for ever.
    """
    if threading.current_thread() is threading.main_thread():
        signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture(scope="session")
def browser():
    """Headless Chromium that logs every request; tests that need it are skipped where it is missing."""
    if not (CHROMIUM.exists() and DRIVER.exists() and shutil.which("chromedriver")):
        pytest.skip("no Chromium: install the packages chromium and chromium-driver to run browser tests")
    from selenium import webdriver
    from selenium.webdriver.chrome.service import Service

    options = webdriver.ChromeOptions()
    options.binary_location = str(CHROMIUM)
    for flag in ("--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage"):
        options.add_argument(flag)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL", "performance": "ALL"})
    driver = webdriver.Chrome(options=options, service=Service(str(DRIVER)))
    yield driver
    driver.quit()
