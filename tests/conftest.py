"""Fixtures that more than one test package uses."""

import os
from pathlib import Path

import pytest


@pytest.fixture(scope="session")
def data_folder() -> Path:
    """The folder of real question-answering data; tests that need it are skipped without it."""
    default = Path(__file__).parents[2] / "shared" / "data"
    folder = Path(os.environ.get("AUTOQA_DATA", default))
    if not folder.is_dir():
        pytest.skip(f"no real data: AUTOQA_DATA is unset and {folder} does not exist")
    return folder
