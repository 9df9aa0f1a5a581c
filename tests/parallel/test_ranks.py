"""Runs on two devices, with two real processes: the same as in one, and what becomes of faults."""

import os
import signal
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import load_file

from autoqa import errors
from autoqa.features.windows import Windows
from autoqa.modeling.load import load_for_inference
from autoqa.parallel.rank_orders import Learn, Order
from autoqa.parallel.ranks import RankProcesses
from autoqa.recipes import AugmentationUse, Method, Portion, Recipe, Stage, TrainingRun
from autoqa.registry import open_study
from autoqa.store.run_folder import RunFolder
from autoqa.training import trainer as trainer_module
from autoqa.training.engine import Engine, StepLoss
from autoqa.training.jobs import TimingJob, TrialJob
from autoqa.training.messages import (
    BackboneTimed,
    Message,
    Progress,
    SnapshotTaken,
    TrialFailed,
)
from autoqa.training.rank_process import others
from autoqa.training.run import run_trial
from autoqa.training.stop_request import StopRequest
from autoqa.training.timing import time_run
from autoqa.training.workbench import Workbench
from autoqa.workers.base import WorkerSettings
from autoqa.workers.job_runner import JobRunner, training_factory
from autoqa.workers.local_process import LocalProcess
from autoqa.workers.resources import WorkerPlan, plan_workers
from tests.toy_study import search_study, write_study

STAGE = Stage((Portion("train"),), 24, 4, (AugmentationUse("cutout", (("share", 0.2),)),))
RATE = 2e-4
PLAIN = Method()
NO_MATTER = (
    ".key.bias",
    "1.output.LayerNorm.bias",
    "head.norm.bias",
    "score.bias",
    "qa_outputs.bias",
)
"""Weights that add the same to all scores that compete, so that no loss depends on them: their
gradients are rounding and nothing else, and Adam makes steps of full size of them."""


@pytest.fixture(scope="module")
def pair() -> Iterator[RankProcesses]:
    """A second process, for all tests that leave it alive."""
    ranks = others(2)
    assert ranks is not None
    yield ranks
    ranks.end()


@dataclass
class Toy:
    """Makes workbenches for the toy study, without dropout unless a protocol has it."""

    folder: Path
    losses: list[float] = field(default_factory=list)

    def bench(self, name: str, ranks: RankProcesses | None = None, **protocol: object) -> Workbench:
        bound = open_study(self.folder / "study.toml")
        toy = bound.backbones["toy"]
        changed = toy.protocol.model_copy(update={"dropout": 0.0, **protocol})
        bound = replace(bound, backbones={"toy": replace(toy, protocol=changed)})
        return Workbench(bound, self.folder / "runs" / name, ranks=ranks)

    def run(self, bench: Workbench, method: Method = PLAIN, rate: float = RATE) -> list[Message]:
        """Trains; the losses of its steps are in ``losses`` afterwards."""
        self.losses.clear()
        messages: list[Message] = []
        run_trial(job(bench, method, rate), bench, messages.append)
        return messages


def job(bench: Workbench, method: Method = PLAIN, rate: float = RATE) -> TrialJob:
    return TrialJob(3, "toy", TrainingRun(Recipe((STAGE,), method), rate, 11), bench.run_folder)


@pytest.fixture
def toy(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Toy:
    monkeypatch.setenv("AUTOQA_CACHE", str(tmp_path / "cache"))
    study = write_study(tmp_path)
    study.write_text(study.read_text().replace("[recipe]\n", '[recipe]\ntarget = "train"\n'))
    made = Toy(tmp_path)

    def train(engine: Engine, windows: Windows) -> StepLoss:
        lost = plain(engine, windows)
        made.losses.append(lost.loss)
        return lost

    plain = Engine.train
    monkeypatch.setattr(Engine, "train", train)
    return made


def weights(bench: Workbench) -> dict[str, np.ndarray]:
    folder = RunFolder(bench.run_folder).model("t0003-100")
    (path,) = folder.glob("*.safetensors")
    return load_file(path)


def same_weights(one: Workbench, two: Workbench) -> None:
    ours, theirs = weights(one), weights(two)
    assert ours.keys() == theirs.keys()
    for name, tensor in ours.items():  # half precision, so a digit of it may be rounded elsewhere
        if name.endswith(NO_MATTER):
            continue
        np.testing.assert_allclose(theirs[name], tensor, rtol=2e-3, atol=2e-4, err_msg=name)


def scores(messages: list[Message]) -> list[dict[str, float]]:
    return [dict(m.candidate.scores) for m in messages if isinstance(m, SnapshotTaken)]


def gone(pid: int) -> bool:
    """Whether a process is gone within seconds; one that only waits to be reaped is."""
    limit = time.monotonic() + 10
    while time.monotonic() < limit:
        try:
            state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
        except (FileNotFoundError, ProcessLookupError):
            return True
        if state == "Z":
            return True
        time.sleep(0.02)
    return False


FROZEN = {"freeze_embeddings": True, "frozen_layers": 1, "cache_frozen": True}


@pytest.mark.parametrize(
    "method, protocol",
    [
        (Method(), {}),
        (Method(), {"batch_size": 3, "micro_tokens": 30}),
        (Method(averaging="ema", loss="jaccard", head="conditional"), {"layer_decay": 0.8}),
        (Method(adversary="awp", averaging="swa"), {}),
        (Method(adversary="fgm"), {"batch_size": 3}),
        (Method(mlm_epochs=0.5), {"batch_size": 8}),
        (Method(), FROZEN),
        (Method(averaging="ema"), {"adapter_rank": 4, "adapter_multiplier": 3.0}),
    ],
    ids=["plain", "micro batches", "head", "awp", "fgm", "masked language", "frozen", "adapters"],
)
def test_two_devices_train_what_one_trains(
    toy: Toy, pair: RankProcesses, method: Method, protocol: dict[str, object]
) -> None:
    one = toy.bench("one", **protocol)
    alone, wanted = toy.run(one, method), list(toy.losses)
    two = toy.bench("two", pair, **protocol)
    together = toy.run(two, method)
    assert len(wanted) >= 20
    if method.mlm_epochs:  # which words are hidden is drawn by each device
        assert len(toy.losses) == len(wanted)
        assert np.isfinite(toy.losses).all()
        return
    np.testing.assert_allclose(toy.losses[:20], wanted[:20], atol=1e-5)
    np.testing.assert_allclose(toy.losses, wanted, atol=1e-3)
    same_weights(one, two)
    assert scores(together) == scores(alone) != []


def test_a_device_without_windows_takes_part(toy: Toy, pair: RankProcesses) -> None:
    """With one window per step the second device never has any."""
    for method in (Method(), Method(adversary="fgm")):
        ends = []
        for name, ranks in (("one", None), ("two", pair)):
            bench = toy.bench(f"{name}-{method.adversary}", ranks, batch_size=1)
            short = Recipe((replace(STAGE, portions=(Portion("train", share=0.3),)),), method)
            run = TrainingRun(short, RATE, 11)
            run_trial(TrialJob(3, "toy", run, bench.run_folder), bench, lambda _: None)
            ends.append(bench)
        same_weights(*ends)


def test_with_dropout_a_run_is_repeated_on_the_same_number_of_devices(
    toy: Toy, pair: RankProcesses
) -> None:
    method, seen = Method(rdrop=0.5), []
    for name, ranks in (("one", None), ("two", pair), ("again", pair)):
        toy.run(toy.bench(name, ranks, dropout=0.1), method)
        seen.append(list(toy.losses))
    assert seen[1] == seen[2]
    assert seen[0] != seen[1]
    np.testing.assert_allclose(np.mean(seen[0]), np.mean(seen[1]), rtol=0.3)


@pytest.mark.parametrize("first, then", [(1, 2), (2, 1)])
def test_a_run_goes_on_with_another_number_of_devices(
    toy: Toy, pair: RankProcesses, monkeypatch: pytest.MonkeyPatch, first: int, then: int
) -> None:
    monkeypatch.setattr(trainer_module.Pace, "due", lambda _: True)
    undisturbed = toy.bench("undisturbed")
    toy.run(undisturbed, Method(averaging="ema"))
    wanted = list(toy.losses)
    bench = toy.bench("asked", pair if first == 2 else None)
    bench.stop = StopRequest()
    toy.losses.clear()

    def ask(message: Message) -> None:
        if isinstance(message, Progress) and message.phase == "training" and message.step == 12:
            bench.stop.ask()

    with pytest.raises(errors.StoppedError):
        run_trial(job(bench, Method(averaging="ema")), bench, ask)
    before = list(toy.losses)
    assert len(before) == 12
    bench = toy.bench("asked", pair if then == 2 else None)
    toy.run(bench, Method(averaging="ema"))
    np.testing.assert_allclose((before + toy.losses)[:20], wanted[:20], atol=1e-5)
    assert len(before + toy.losses) == len(wanted)
    same_weights(undisturbed, bench)


def test_wider_runs_are_timed_as_they_are_trained(toy: Toy, pair: RankProcesses) -> None:
    bench = toy.bench("timed", pair)
    messages: list[Message] = []
    run = TrainingRun(Recipe((STAGE,)), RATE, 11)
    time_run(TimingJob("toy", run, bench.run_folder), bench, messages.append)
    (timed,) = (m for m in messages if isinstance(m, BackboneTimed))
    assert timed.timing.tokens_per_second > 0
    assert pair.holder is not None, "the other device took part"


def fails(toy: Toy, ranks: RankProcesses, emit: Callable[[Message], None]) -> TrialFailed:
    """What a worker says of a run, which must fail within seconds."""
    bench = toy.bench("failing", ranks)
    said: list[Message] = []

    def hear(message: Message) -> None:
        said.append(message)
        emit(message)

    runner = JobRunner(
        lambda *_: lambda job, emit: run_trial(job, bench, emit),
        bench.bound.study,
        toy.folder,
        hear,
    )
    runner.run(job(bench))
    (failed,) = (m for m in said if isinstance(m, TrialFailed))
    return failed


def test_a_killed_process_ends_the_run_with_a_sentence(
    toy: Toy, pair: RankProcesses, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(trainer_module.Pace, "due", lambda _: True)
    killed: list[float] = []

    def kill(message: Message) -> None:
        if isinstance(message, Progress) and message.step == 5 and not killed:
            pids.extend(pair.pids)
            os.kill(pids[0], signal.SIGKILL)
            killed.append(time.monotonic())

    pids: list[int] = []
    failed = fails(toy, pair, kill)
    assert time.monotonic() - killed[0] < 10
    assert failed.reason == (
        "the process of device 2 of 2 was killed (SIGKILL, often the kernel's way of saying out of "
        "memory)"
    )
    assert failed.error == "OutOfMemoryError", "tried again in smaller forward passes"
    assert not pair.pids
    assert gone(pids[0])


def test_an_exception_on_one_device_ends_the_run_with_its_sentence(
    toy: Toy,
    pair: RankProcesses,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
) -> None:
    """Its windows have a token that the model does not know; those of the first are in order."""

    def tell(ranks: RankProcesses, rank: int, order: Order) -> None:
        if isinstance(order, Learn) and len(toy.losses) == 4:
            ids = np.full_like(order.windows.input_ids, 9999)
            order = replace(order, windows=replace(order.windows, input_ids=ids))
        pids.append(ranks.pids[0])
        plain(ranks, rank, order)

    pids: list[int] = []
    plain = RankProcesses.tell
    monkeypatch.setattr(RankProcesses, "tell", tell)
    failed = fails(toy, pair, lambda _: None)
    assert failed.reason == "device 2 of 2: IndexError: index out of range in self"
    assert failed.error == "IndexError"
    assert gone(pids[-1])
    log = capfd.readouterr().out
    assert "device 2 of 2 failed\nTraceback" in log


def test_an_error_of_the_first_ends_the_other(
    toy: Toy, pair: RankProcesses, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Engine, "_backward", lambda *_: 1 / 0)
    pids: list[int] = []
    plain = RankProcesses.tell
    monkeypatch.setattr(
        RankProcesses, "tell", lambda r, *a: (pids.append(r.pids[0]), plain(r, *a))[1]
    )
    failed = fails(toy, pair, lambda _: None)
    assert failed.reason == "ZeroDivisionError: division by zero"
    assert not pair.pids
    assert gone(pids[-1])


def rank_of(worker: int) -> int:
    """The other process of a worker."""
    found = [
        int(path.parent.name)
        for path in Path("/proc").glob("[0-9]*/cmdline")
        if f"\0{worker}\0" in path.read_text() and "rank_process" in path.read_text()
    ]
    return found[0]


@pytest.mark.parametrize("how", [signal.SIGTERM, signal.SIGKILL])
def test_a_worker_s_processes_end_with_it(toy: Toy, how: signal.Signals) -> None:
    """SIGTERM to all of them, as clusters send it, saves first; SIGKILL hits the worker alone."""
    study = toy.folder / "study.toml"
    long = study.read_text().replace("[recipe]\n", "epochs = 400\n[recipe]\n")
    study.write_text(long)
    bench = toy.bench("worker", dropout=0.1)
    plan = WorkerPlan((None,), 1, "for the test", width=2)
    settings = WorkerSettings(
        training_factory, bench.bound.study, bench.run_folder, plan, bench.run_folder / "logs"
    )
    worker = LocalProcess(0, settings)
    try:
        worker.assign(job(bench))
        heard: list[Message] = []
        while not any(isinstance(m, Progress) and m.phase == "training" for m in heard):
            heard += worker.events().messages
            assert not any(isinstance(m, TrialFailed) for m in heard), heard
            time.sleep(0.05)
        assert worker._process is not None
        pid = worker._process.pid
        assert pid is not None
        other = rank_of(pid)
        if how == signal.SIGTERM:
            os.killpg(pid, how)
        else:
            os.kill(pid, how)
        assert gone(pid)
        assert gone(other)
        assert bool(list(bench.checkpoints.glob("run-*"))) == (how == signal.SIGTERM)
    finally:
        worker.end()


def test_a_whole_search_on_two_devices_per_run(tmp_path: Path) -> None:
    folder = search_study(write_study(tmp_path, "trials = 2\nworkers = 1\ndevices_per_run = 2\n"))
    run = RunFolder(folder / "runs" / "toy")
    assert run.candidate_ids() == ["t0000-050", "t0000-100", "t0001-050", "t0001-100"]
    assert load_for_inference(run.model("t0001-100")).packs
    log = (run.logs / "worker-0.log").read_text()
    assert log.count("device 2 of 2: process") == 1, "the same process for both runs"
    assert not (run.path / "checkpoints").is_dir() or not list(
        (run.path / "checkpoints").glob("run-*")
    )


def test_workers_with_several_devices_get_them() -> None:
    gib = 1024**3
    plan = plan_workers("auto", 2, list("abcde"), 16, 64 * gib)
    assert (plan.devices, plan.threads, plan.width) == (("a,b", "c,d"), 4, 2)
    assert (
        plan.spelled() == "2 workers with 2 devices and 4 threads per device each (one per 2 GPUs)"
    )
    plan = plan_workers(3, 2, list("abcd"), 16, 64 * gib)
    assert plan.devices == ("a,b", "c,d", "a,b")
    plan = plan_workers("auto", 2, [], 4, 64 * gib)
    assert (plan.devices, plan.threads, plan.reason) == ((None, None), 1, "one per 2 cores")
    assert plan_workers("auto", "auto", ["a"], 4, 64 * gib).width == 1
    with pytest.raises(errors.ConfigError, match="devices_per_run = 3: there are 2 GPUs"):
        plan_workers("auto", 3, ["a", "b"], 16, 64 * gib)
