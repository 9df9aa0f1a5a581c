"""The small parts: resources, dry run."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from autoqa.errors import MissingAssetError
from autoqa.searching.dry_run import plan_search
from autoqa.searching.setup import SearchOptions
from autoqa.workers import resources
from autoqa.workers.resources import find_gpus, free_memory, plan_workers
from tests.searching import fakes

GIB = 1024**3


def test_workers_follow_gpus_then_cores_then_memory() -> None:
    on_gpus = plan_workers("auto", 1, ["0", "3"], 16, 64 * GIB)
    assert (on_gpus.devices, on_gpus.threads) == (("0", "3"), 8)
    on_cores = plan_workers("auto", 1, [], 4, 64 * GIB)
    assert (on_cores.devices, on_cores.threads) == ((None,) * 4, 1)
    tight = plan_workers("auto", 1, [], 16, 5 * GIB)
    assert (tight.count, tight.threads, tight.reason) == (
        2,
        8,
        "as many as 5 GiB of free memory hold",
    )
    assert plan_workers("auto", 1, [], 16, 0).count == 1
    shared = plan_workers(3, 1, ["a", "b"], 2, GIB)
    assert (shared.devices, shared.threads) == (("a", "b", "a"), 1)


@pytest.mark.parametrize(
    "value, gpus",
    [("", []), ("0,2", ["0", "2"]), ("-1", []), ("1,-1,2", ["1"]), ("MIG-abc", ["MIG-abc"])],
)
def test_visible_devices_are_believed(
    value: str, gpus: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", value)
    assert find_gpus() == gpus


def test_the_driver_is_asked_where_there_are_no_devices(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    tool = tmp_path / "nvidia-smi"
    tool.write_text("#!/bin/sh\necho 'GPU 0: A'\necho 'GPU 1: B'\n")
    tool.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    assert resources._listed_by_driver() == 2
    tool.write_text("#!/bin/sh\nexit 9\n")
    assert resources._listed_by_driver() == 0


def test_memory_is_a_plausible_number() -> None:
    assert 2**20 < free_memory() < 2**60


def test_a_dry_run_shows_everything_and_what_is_missing(tmp_path: Path) -> None:
    path = tmp_path / "study.toml"
    path.write_text(fakes.STUDY)
    bound = fakes.bind(path)
    bound.missing = lambda: ["backbones.e5: run `hf download`"]
    plan = plan_search(bound, fakes.prepare, SearchOptions(minutes=5, workers=1))
    text = "\n".join(plan.lines())
    for part in (
        "study small: 4 trials, at most 5 minutes, 1 worker with ",
        "source tydi (any): 3 training examples: bn 2, te 1",
        "source chaii (any): not trained on",
        "validation: 4 public and 6 private questions",
        "note: squad: 2 examples removed",
        "answers: answers are counted in tokens, and e5 and minilm must be prepared first",
        "minilm.tydi.lang_bn: on or off",
        "e5.tydi.share: 0.5 | 1.0",
        "e5.learning_rate: 1e-05 to 9e-05, log",
        "e5.stages: 1 to 2, step 1",
        "stage 1: [squad + tydi] 384/128",
    ):
        assert part in text, part
    with pytest.raises(MissingAssetError, match=r"^backbones.e5: run `hf download`$"):
        plan.check()
    assert not (tmp_path / "runs").exists()


def test_a_dry_run_without_data_still_says_what_is_missing(tmp_path: Path) -> None:
    path = tmp_path / "study.toml"
    path.write_text(fakes.STUDY)

    def absent(_bound):
        raise MissingAssetError("sources.squad: train.json is not here")

    plan = plan_search(fakes.bind(path), absent, SearchOptions())
    assert plan.missing == ["sources.squad: train.json is not here"]
    assert "source squad (any): not loaded" in plan.lines()


def test_the_parent_imports_neither_torch_nor_transformers() -> None:
    code = (
        "import sys; import autoqa.cli.search, autoqa.cli.leaderboard, autoqa.searching.runner, "
        "autoqa.searching.dry_run, autoqa.registry, autoqa.data; "
        "sys.exit(bool({'torch', 'transformers'} & set(sys.modules)))"
    )
    assert subprocess.run([sys.executable, "-c", code]).returncode == 0
