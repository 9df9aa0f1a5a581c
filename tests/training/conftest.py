"""A workbench for a whole study around a toy model."""

from collections.abc import Callable
from pathlib import Path

import pytest

from autoqa.registry import open_study
from autoqa.training.workbench import Workbench
from tests.toy_study import write_study


@pytest.fixture
def make_bench(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], Workbench]:
    """Makes a workbench whose run folder has the given name."""
    monkeypatch.setenv("AUTOQA_CACHE", str(tmp_path / "cache"))
    study = write_study(tmp_path)
    # A target, so that there are texts for a masked-language stage.
    text = study.read_text()
    study.write_text(text.replace("[recipe]\n", '[recipe]\ntarget = "train"\n'))

    def make(name: str) -> Workbench:
        return Workbench(open_study(study), tmp_path / "runs" / name)

    return make
