"""The report of a made study, and a browser to open it in."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from autoqa.report.study_page import study_page
from tests.report.browser import chromium, overview_of


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    with chromium() as started:
        yield started


@pytest.fixture(scope="module")
def page_file(made_runs: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("page") / "page.html"
    path.write_text(study_page(overview_of(made_runs)), encoding="utf-8")
    return path
