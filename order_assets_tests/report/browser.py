"""The system's Chromium, without a network of its own."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager

from playwright.sync_api import Browser, Playwright

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
# Root, as in a container of a continuous integration, gets no sandbox of the browser's own.
_ARGUMENTS = ["--no-sandbox", "--disable-dev-shm-usage", "--disable-gpu"]


@contextmanager
def chromium(playwright: Playwright) -> Iterator[Browser]:
    """A browser for the time of the block."""
    assert CHROMIUM is not None, "the report's test has to have chromium: apt-get install chromium"
    browser = playwright.chromium.launch(executable_path=CHROMIUM, args=_ARGUMENTS, timeout=30_000)
    try:
        yield browser
    finally:
        browser.close()
