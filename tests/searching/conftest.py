from pathlib import Path

import pytest


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "runs"
    monkeypatch.setenv("AUTOQA_HOME", str(folder))
    monkeypatch.setenv("AUTOQA_CACHE", str(tmp_path / "cache"))
    return folder
