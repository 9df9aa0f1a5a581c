"""What a trial costs before it trains, and what it leaves in memory.

The practice starts a process per run: it imports its libraries, tokenises, loads the model and
sets Trainer up. autoqa's second trial finds a process with data, tokenizer and features. Both end
where the first training step begins, and both load a tiny model, so that the time weights take to
load is in neither.
"""

import itertools
import os
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from statistics import median

import pytest

from autoqa import env
from autoqa.modeling.training_setup import load_for_training
from autoqa.registry import open_study
from autoqa.training.workbench import Workbench

from .first_step import MARK
from .harness import compare
from .studies import Data, make_data, minilm, tiny_model
from .trials import run, until_first_step

ROUNDS, TRIALS = 5, 20
ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Data:
    return make_data(tmp_path_factory.mktemp("data"), train=200, exam=60)


def table(model: Path) -> str:
    """Lines of a backbone's table for a folder."""
    return f'type = "huggingface"\nmodel = "{model}"'


def process(module: str, *arguments: str | Path) -> str:
    """What a module of this package prints, run with the environment that a worker has."""
    done = subprocess.run(
        [sys.executable, "-m", f"tests.benchmarks.{module}", *map(str, arguments)],
        cwd=ROOT,
        env=os.environ | env.worker_environment(1) | {"HF_HUB_OFFLINE": "1"},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def seconds(work: Callable[[], object]) -> float:
    begin = time.perf_counter()
    work()
    return time.perf_counter() - begin


def test_trial_overhead(data: Data, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("accelerate", reason="Trainer needs the package accelerate")
    monkeypatch.setenv("AUTOQA_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("HF_HOME", str(tmp_path / "hf"))
    tiny = tiny_model(tmp_path / "tiny", tmp_path)
    bench = Workbench(open_study(data.study("overhead", table(tiny))), tmp_path / "runs")
    run(bench, 0)
    jobs = data.jobs("overhead", [data.job(tiny, "overhead", 2e-4, 1.0) | {"stop": True}])
    numbers = itertools.count(1)
    compare(
        "trial_overhead",
        lambda: process("practice", jobs).strip() == MARK,
        lambda: until_first_step(bench, next(numbers)),
        rounds=ROUNDS,
        unit="trials/s",
        equal=lambda one, other: one and other,
    )


def test_seconds(data: Data, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Prints what a real backbone takes, weights and all."""
    monkeypatch.setenv("AUTOQA_CACHE", str(tmp_path / "cache"))
    study = data.study("seconds", table(minilm(tmp_path)))
    bench = Workbench(open_study(study), tmp_path / "runs")
    until_first_step(bench, 0)
    ready = bench.backbone("it")
    warm, loading, cold = [], [], []
    for number in range(1, ROUNDS + 1):
        warm.append(seconds(lambda: until_first_step(bench, number)))  # noqa: B023
        loading.append(seconds(lambda: load_for_training(ready.folder, ready.bound.protocol, 0)))
        cold.append(seconds(lambda: process("trials", study, tmp_path / "runs", "first")))
    print(
        f"\nMiniLM, start of a trial to its first step: warm {median(warm):.2f} s, cold "
        f"{median(cold):.2f} s; of each, loading weights {median(loading):.2f} s"
    )


def test_memory(data: Data, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Prints the resident memory of one process after each of its trials."""
    monkeypatch.setenv("AUTOQA_CACHE", str(tmp_path / "cache"))
    study = data.study("memory", table(tiny_model(tmp_path / "tiny", tmp_path)))
    sizes = [float(line) for line in process("trials", study, tmp_path / "runs", TRIALS).split()]
    assert len(sizes) == TRIALS
    print(f"\nresident memory after each of {TRIALS} tiny trials, MiB:", *map(round, sizes))
    print(f"grown from trial {TRIALS // 2} to trial {TRIALS}: {sizes[-1] - sizes[9]:+.1f} MiB")
