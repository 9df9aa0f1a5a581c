"""docs/start.md from its first command to its last, and the notebook that follows it."""

from pathlib import Path

import pytest

import autoqa
from tests.docs_kit import walk
from tests.test_notebook import executed

PAGE = "docs/start.md"


@pytest.fixture(scope="module")
def walked(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the page's commands have run."""
    folder = tmp_path_factory.mktemp("start")
    taken = walk(PAGE, folder)
    print(*(f"\n{seconds:6.1f} s  {command}" for command, seconds in taken))
    return folder


@pytest.mark.slow
def test_the_page_ends_with_an_ensemble_that_votes(walked: Path) -> None:
    assert len(autoqa.load(walked / "bundle").manifest.groups) == 3
    assert (walked / "first-report.html").is_file()


@pytest.mark.slow
def test_the_notebook_looks_into_its_search(walked: Path) -> None:
    texts = executed(walked, walked, "first")
    together = "\n".join(texts)
    assert "3 voters; they disagree on" in together
    assert (walked / "first-explored" / "manifest.json").is_file()
