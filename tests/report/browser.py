"""Chromium, where the machine has one."""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from autoqa.upkeep.overview import Overview, study_overview
from autoqa.upkeep.study_place import find_study

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")


@contextmanager
def chromium() -> Iterator[Any]:
    """A headless browser without network; the test is skipped where there is none."""
    library = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
    found = next((path for name in NAMES if (path := shutil.which(name))), None)
    if found is None:
        pytest.skip(f"no browser: none of {', '.join(NAMES)} is on the PATH")
    with library.sync_playwright() as playwright:
        # As root, which containers often are, Chromium refuses to run in its own sandbox.
        browser = playwright.chromium.launch(executable_path=found, args=["--no-sandbox"])
        try:
            yield browser
        finally:
            browser.close()


def overview_of(home: Path) -> Overview:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("AUTOQA_HOME", str(home))
        return study_overview(find_study("made"))


def opened(browser: Any, path: Path, scheme: str = "light") -> tuple[Any, list[str]]:
    """The page, and what the console and the network said meanwhile."""
    page = browser.new_page(viewport={"width": 1200, "height": 900}, color_scheme=scheme)
    said: list[str] = []
    page.on("console", lambda message: said.append(message.text))
    page.on("pageerror", lambda error: said.append(str(error)))
    page.on(
        "request",
        lambda request: (
            None if request.url.startswith(("file:", "data:")) else said.append(request.url)
        ),
    )
    page.goto(path.as_uri())
    page.wait_for_selector("#browser:not([hidden])")
    return page, said
