"""What a plugin breaks in a worker is told with its name, or with the log that says more."""

import sys
from pathlib import Path

import pytest

from autoqa import env
from autoqa.config import load_study
from autoqa.recipes import AugmentationUse, Portion, Recipe, Stage, TrainingRun
from autoqa.training.jobs import TrialJob
from autoqa.training.messages import Message, TrialFailed
from autoqa.workers.job_runner import JobRunner, training_factory
from tests.toy_study import write_study

PLUGIN = """
import os, sys
import numpy as np
from autoqa.api import Augmentation, AugmentationSpec, Options
{imports}

class Faulty(Augmentation):
    def mask(self, batch, rng):
        {does}

spec = AugmentationSpec(
    name="faulty", summary="Breaks", options=Options, build=lambda _: Faulty(), api_version=1
)
"""


@pytest.mark.parametrize(
    "does, sentence",
    [
        ("raise ValueError('no such tokens')", "ValueError: no such tokens"),
        ("np.zeros(2) + np.zeros(3)", "ValueError: operands could not be broadcast together"),
        ("helping.fail()", "KeyError: 'token'"),
    ],
)
def test_an_error_names_the_plugin(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, does: str, sentence: str
) -> None:
    said = failure(tmp_path, monkeypatch, does)
    assert said.startswith(f"augmentation 'faulty' of autoqa-faulty: {sentence}")


def test_an_exit_is_in_the_log(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """The process ends; what is printed goes to its log, which the search then names."""
    with pytest.raises(SystemExit, match="7"):
        failure(tmp_path, monkeypatch, "sys.exit(7)")
    assert "sys.exit(7)" in capsys.readouterr().out


def failure(folder: Path, patch: pytest.MonkeyPatch, does: str) -> str:
    """What a worker says of a job that uses a plugin that breaks."""
    packages = folder / "packages"
    package, info = packages / "faulty", packages / "autoqa_faulty-1.0.dist-info"
    package.mkdir(parents=True)
    info.mkdir()
    (package / "__init__.py").write_text("")
    (package / "helping.py").write_text("def fail():\n    return {}['token']\n")
    text = PLUGIN.format(does=does, imports="from faulty import helping")
    (package / "augmenting.py").write_text(text)
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: autoqa-faulty\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text(
        "[autoqa.augmentations]\nfaulty = faulty.augmenting:spec\n"
    )
    patch.syspath_prepend(packages)
    for name in ("faulty", "faulty.augmenting", "faulty.helping"):  # another test's
        patch.delitem(sys.modules, name, raising=False)
    study, messages = load_study(write_study(folder)), list[Message]()
    stage = Stage((Portion("train"),), 32, 8, (AugmentationUse("faulty", ()),))
    job = TrialJob(0, "toy", TrainingRun(Recipe((stage,)), 1e-3, 0), env.run_folder("toy"))
    JobRunner(training_factory, study, env.run_folder("toy"), messages.append).run(job)
    failed = messages[-1]
    assert isinstance(failed, TrialFailed)
    return failed.reason
