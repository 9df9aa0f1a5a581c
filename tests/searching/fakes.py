"""A study without plugins, and trial functions that take milliseconds where training takes minutes.

The functions run in real spawned workers; what they should do wrong stands in their name.
"""

import json
import math
import os
import signal
import subprocess
import threading
import time
from dataclasses import asdict, dataclass, field
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from autoqa import env
from autoqa.api import BackboneFacts, TrainingProtocol
from autoqa.config import load_study
from autoqa.errors import ConfigError, TrainingError
from autoqa.options import Options
from autoqa.planning.run_timing import RunTiming, TimedPortion
from autoqa.searching.dry_run import plan_search
from autoqa.searching.join import JoinResult, join_search
from autoqa.searching.result import SearchResult
from autoqa.searching.runner import run_search
from autoqa.searching.setup import SearchOptions
from autoqa.store.candidate_record import CandidateRecord
from autoqa.store.run_folder import RunFolder
from autoqa.supervision.display import QuietDisplay
from autoqa.training.jobs import TimingJob, TrialJob
from autoqa.training.messages import (
    BackboneTimed,
    Note,
    Progress,
    RecipeCard,
    SnapshotTaken,
    TrialFinished,
)
from autoqa.training.stop_request import PROCESS
from autoqa.types import Answer, Example
from autoqa.workers.registry import LOCAL_PROCESS

STUDY = """
name = "small"
seed = 3

[sources.squad]
type = "any"

[sources.tydi]
type = "any"

[sources.chaii]
type = "any"

[backbones.e5]
type = "any"

[backbones.minilm]
type = "any"

[recipe]
stages = {low = 1, high = 2}

[[recipe.portions]]
source = "squad"
include = "search"

[[recipe.portions]]
source = "tydi"
languages = "search"
share = [0.5, 1.0]

[validation]
source = "chaii"

[search]
trials = 4
workers = 1
"""


def stored(url: str, trials: int = 6) -> str:
    """The study with its database elsewhere."""
    return STUDY.replace("trials = 4", f'trials = {trials}\nstorage = "{url}"')


def example(number: int, language: str = "en") -> Example:
    answers = (Answer("Ada", 7),)
    question, document = f"Who is {number}?", f"d{number}"
    return Example(f"q{number}", question, "It was Ada.", answers, language, document, "any")


def prepare(_bound: Any) -> Any:
    return SimpleNamespace(
        train={
            "squad": tuple(example(n) for n in range(3)),
            "tydi": tuple(example(n, lang) for n, lang in enumerate(("bn", "te", "bn"))),
        },
        public=tuple(example(n, "hi") for n in range(10, 14)),
        private=tuple(example(n, "hi") for n in range(20, 26)),
        notes=("squad: 2 examples removed",),
    )


def bind(path: Path, **protocol: Any) -> Any:
    study = load_study(path)
    return SimpleNamespace(
        study=study,
        backbones={
            name: SimpleNamespace(
                protocol=TrainingProtocol(**protocol),
                spec=SimpleNamespace(name="any", kind="span"),
                options=Options(),
                facts=BackboneFacts,
            )
            for name in study.backbones
        },
        missing=list,
        change_keys=dict,
        unusable_changes=lambda missing=(): [],
        to_make=dict,
        way_to_fetch=lambda missing: [],
    )


@dataclass
class Events(QuietDisplay):
    lines: list[str] = field(default_factory=list)

    def event(self, text: str) -> None:
        self.lines.append(text)

    detail = event

    def said(self, part: str) -> bool:
        return any(part in line for line in self.lines)


def search(
    folder: Path,
    factory: Any,
    text: str = STUDY,
    options: SearchOptions | None = None,
    display: Any = None,
    prepare_with: Any = prepare,
    workers: str = LOCAL_PROCESS,
) -> SearchResult:
    path = folder / "study.toml"
    path.write_text(text)
    return run_search(
        bind(path),
        text,
        prepare_with,
        options,
        display=display,
        factory=factory,
        workers=workers,
    )


def join(
    folder: Path,
    factory: Any,
    display: Any = None,
    prepare_with: Any = prepare,
    workers: int | None = None,
) -> JoinResult:
    """Joins the search that :func:`search` begins with the same folder."""
    bound = bind(folder / "study.toml")
    return join_search(bound, prepare_with, workers=workers, display=display, factory=factory)


def time_beforehand(folder: Path, factory: Any, text: str, options: SearchOptions) -> None:
    """Has runs timed, so that a search of few seconds need not."""
    path = folder / "study.toml"
    path.write_text(text)
    plan_search(bind(path), prepare, options, timed=True, factory=factory)


def run_folder() -> RunFolder:
    return RunFolder(env.run_folder("small"))


def record(job: TrialJob, fraction: float = 1.0, jaccard: float | None = None) -> CandidateRecord:
    distance = abs(math.log(job.run.learning_rate / 4e-5))
    measured = 1 / (1 + distance) if jaccard is None else jaccard
    return CandidateRecord(
        id=f"t{job.trial:04d}-{round(100 * fraction)}",
        trial=job.trial,
        fraction=fraction,
        backbone=job.backbone,
        group="0" * 12,
        recipe_hash=job.run.recipe.hash,
        recipe=job.run.recipe.to_dict(),
        learning_rate=job.run.learning_rate,
        seed=job.run.seed,
        scores={"jaccard": measured, "em": 0.5, "f1": 0.6},
        by_language={"hi": 0.5},
        windows_per_second=30.0,
        seconds=0.1,
        inference_seconds=0.1,
        licence="mit",
        half_width=0.04,
    )


def write(job: TrialJob, emit: Any, fraction: float = 1.0, jaccard: float | None = None) -> None:
    made = record(job, fraction, jaccard)
    with RunFolder(job.run_folder).writing_candidate(made.id, job.row) as folder:
        (folder / "candidate.json").write_text(json.dumps(asdict(made)))
    emit(SnapshotTaken(job.trial, made))


def first_time(job: TrialJob, what: str = "marker") -> bool:
    marker = job.run_folder / what
    if marker.exists():
        return False
    marker.touch()
    return True


def log_call(job: TrialJob) -> None:
    with (job.run_folder / "calls.jsonl").open("a") as calls:
        row = {
            "trial": job.trial,
            "pid": os.getpid(),
            "threads": os.environ["OMP_NUM_THREADS"],
            "rate": job.run.learning_rate,
            "backbone": job.backbone,
            "micro_scale": job.micro_scale,
            "windows_per_second": job.windows_per_second,
        }
        calls.write(json.dumps(row) + "\n")


def calls() -> list[dict[str, Any]]:
    path = run_folder().path / "calls.jsonl"
    return [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []


def tell_time(job: TimingJob, emit: Any, seconds: float = 0.2) -> None:
    """What a worker says of a run of 1,000 windows that takes as long as stated."""
    portions = tuple(
        TimedPortion(portion.source, portion.share, windows, windows)
        for portion, windows in zip(job.run.recipe.stages[0].portions, (700, 300), strict=False)
    )
    total = sum(each.tokens for each in portions)
    timing = RunTiming(
        portions=portions,
        batch_size=1,
        setup=0.0,
        tokens_per_second=total / seconds,
        evaluation=0.0,
    )
    emit(BackboneTimed(job.trial, timing))
    emit(TrialFinished(job.trial, 0.1))


def _good(job: TrialJob | TimingJob, emit: Any) -> None:
    if isinstance(job, TimingJob):
        return tell_time(job, emit)
    log_call(job)
    emit(Progress(job.trial, "train", 1, 1, 5, 10, 1.5, 30.0))
    write(job, emit, 0.5)
    write(job, emit)
    emit(TrialFinished(job.trial, 0.1))
    return None


def good(_study: Any, _folder: Path) -> Any:
    return _good


def _after(seconds: float) -> Any:
    def run(job: TrialJob, emit: Any) -> None:
        time.sleep(seconds)
        _good(job, emit)

    return run


def paced(_study: Any, _folder: Path) -> Any:
    """Trials that last long enough for something to happen meanwhile."""
    return _after(0.3)


def brief(_study: Any, _folder: Path) -> Any:
    """Trials of a fifth of a second."""
    return _after(0.2)


def killed_once(_study: Any, _folder: Path) -> Any:
    def run(job: TrialJob, emit: Any) -> None:
        if first_time(job):
            partial = job.run_folder / "candidates" / f".t{job.trial:04d}-50.partial"
            (partial / "model").mkdir(parents=True)
            os.kill(os.getpid(), signal.SIGKILL)
        _good(job, emit)

    return run


def killed_always(_study: Any, _folder: Path) -> Any:
    def run(_job: TrialJob, _emit: Any) -> None:
        os.kill(os.getpid(), signal.SIGKILL)

    return run


def killed_thrice(_study: Any, _folder: Path) -> Any:
    def run(job: TrialJob, emit: Any) -> None:
        if any(first_time(job, f"marker-{number}") for number in range(3)):
            log_call(job)
            os.kill(os.getpid(), signal.SIGKILL)
        _good(job, emit)

    return run


def exits(_study: Any, _folder: Path) -> Any:
    """Ends its process as a plugin may, and no fault of the machine's."""

    def run(_job: TrialJob, _emit: Any) -> None:
        os._exit(3)

    return run


def no_space_once(_study: Any, _folder: Path) -> Any:
    def run(job: TrialJob, emit: Any) -> None:
        if first_time(job):
            with Path("/dev/full").open("wb", buffering=0) as full:
                full.write(b"a candidate")
        _good(job, emit)

    return run


def bulky(_study: Any, _folder: Path) -> Any:
    """Candidates of three megabytes."""

    def run(job: TrialJob, emit: Any) -> None:
        made = record(job)
        with RunFolder(job.run_folder).writing_candidate(made.id) as folder:
            (folder / "weights").write_bytes(b"1" * 3_000_000)
            (folder / "candidate.json").write_text(json.dumps(asdict(made)))
        emit(SnapshotTaken(job.trial, made))
        emit(TrialFinished(job.trial, 0.1))

    return run


def killed_after_the_last_file(_study: Any, _folder: Path) -> Any:
    def run(job: TrialJob, emit: Any) -> None:
        if first_time(job):
            write(job, lambda _: None)  # on disk, and the message lost
            os.kill(os.getpid(), signal.SIGKILL)
        _good(job, emit)

    return run


def _fails_once(error: Exception) -> Any:
    def run(job: TrialJob, emit: Any) -> None:
        if first_time(job):
            log_call(job)
            raise error
        _good(job, emit)

    return run


def diverges_once(_study: Any, _folder: Path) -> Any:
    return _fails_once(TrainingError("the loss is not finite at step 7"))


def starves_once(_study: Any, _folder: Path) -> Any:
    """Memory runs out, in the words of PyTorch's allocator for the CPU."""
    said = "DefaultCPUAllocator: not enough memory: you tried to allocate 9 TB"
    return _fails_once(RuntimeError(said))


def talks(_study: Any, _folder: Path) -> Any:
    """Sends all that a run says beside its candidates."""

    def run(job: TrialJob, emit: Any) -> None:
        emit(RecipeCard(job.trial, ("stage 1 of 1: 12 windows", "about 1.0 minutes")))
        emit(Note(job.trial, "goes on from a stage trained before: 3 of 5 steps are done"))
        write(job, emit)
        emit(TrialFinished(job.trial, 0.1, trained_steps=2, reused_steps=3))

    return run


def raises(_study: Any, _folder: Path) -> Any:
    def run(job: TrialJob, _emit: Any) -> None:
        raise ConfigError(f"recipe of {job.backbone}: length 12 leaves no room for the context")

    return run


def cannot_start(_study: Any, _folder: Path) -> Any:
    raise RuntimeError("no such backend")


def without_snapshot(_study: Any, _folder: Path) -> Any:
    return lambda job, emit: emit(TrialFinished(job.trial, 0.1))


def not_a_number(_study: Any, _folder: Path) -> Any:
    def run(job: TrialJob, emit: Any) -> None:
        write(job, emit, jaccard=math.nan)
        emit(TrialFinished(job.trial, 0.1))

    return run


def slow_second(_study: Any, _folder: Path) -> Any:
    """The first trial is quick; every later one stops at half and stays there."""

    def run(job: TrialJob, emit: Any) -> None:
        if first_time(job):
            _good(job, emit)
            return
        write(job, emit, 0.5)
        partial = job.run_folder / "candidates" / f".t{job.trial:04d}-100.partial"
        partial.mkdir()
        (job.run_folder / f"hangs-{os.getpid()}").touch()
        time.sleep(60)

    return run


def after_others(_study: Any, _folder: Path) -> Any:
    """Trials are over once another process has one that hangs."""

    def run(job: TrialJob, emit: Any) -> None:
        while not list(job.run_folder.glob("hangs-*")):
            time.sleep(0.05)
        _good(job, emit)

    return run


def half_a_second(_study: Any, _folder: Path) -> Any:
    """A trial lasts long enough for others to join."""
    return _after(0.5)


def answers_the_end(_study: Any, _folder: Path) -> Any:
    """When it is told to end it stays, and sends the search another Ctrl-C."""

    def run(job: TrialJob, _emit: Any) -> None:
        signal.signal(signal.SIGTERM, lambda *_: os.kill(os.getppid(), signal.SIGINT))
        (job.run_folder / f"hangs-{os.getpid()}").touch()
        while True:
            signal.pause()

    return run


def saves_when_stopped(_study: Any, _folder: Path) -> Any:
    """Notes at once that it runs, and, when it is asked to stop, that it has saved."""

    def run(job: TrialJob, emit: Any) -> None:
        if (job.run_folder / "go").exists():
            _good(job, emit)
            return
        with PROCESS.heeded():
            (job.run_folder / f"hangs-{os.getpid()}").touch()
            while not PROCESS.asked:
                time.sleep(0.01)
                emit(Progress(job.trial, "training", step=1, steps=10))  # nobody may listen
            time.sleep(0.3)
            (job.run_folder / f"saved-{os.getpid()}").touch()
            PROCESS.check()

    return run


def stays_once(_study: Any, _folder: Path) -> Any:
    def run(job: TrialJob, emit: Any) -> None:
        if first_time(job):
            (job.run_folder / f"hangs-{os.getpid()}").touch()
            time.sleep(600)
        _good(job, emit)

    return run


def helped(_study: Any, _folder: Path) -> Any:
    """Starts a helper, which holds all that is open here, and dies, or stays with it."""

    def run(job: TrialJob, emit: Any) -> None:
        if (job.run_folder / "go").exists():
            _good(job, emit)
            return
        helper = subprocess.Popen(["sleep", "600"], close_fds=False)
        (job.run_folder / f"helper-{helper.pid}").touch()
        if first_time(job):
            os.kill(os.getpid(), signal.SIGKILL)
        (job.run_folder / f"hangs-{os.getpid()}").touch()
        time.sleep(600)

    return run


def _steps(job: TrialJob, emit: Any) -> None:
    for step in range(1, 5):
        emit(Progress(job.trial, "training", 1, 1, step, 10))
        time.sleep(0.1)


def _hangs_once(hang: Any) -> Any:
    def run(job: TrialJob, emit: Any) -> None:
        if first_time(job):
            _steps(job, emit)
            hang()
        _good(job, emit)

    return run


def stopped_once(_study: Any, _folder: Path) -> Any:
    return _hangs_once(lambda: os.kill(os.getpid(), signal.SIGSTOP))


def minilm_hangs(_study: Any, _folder: Path) -> Any:
    def run(job: TrialJob, emit: Any) -> None:
        if job.backbone == "minilm":
            _steps(job, emit)
            os.kill(os.getpid(), signal.SIGSTOP)
        _good(job, emit)

    return run


def minilm_hangs_at_the_end(_study: Any, _folder: Path) -> Any:
    """Its candidates are there, but nobody hears that the run is over."""

    def run(job: TrialJob, emit: Any) -> None:
        _good(job, emit if job.backbone != "minilm" else lambda message: None)
        if job.backbone == "minilm":
            _steps(job, emit)
            os.kill(os.getpid(), signal.SIGSTOP)

    return run


def hangs_always(_study: Any, _folder: Path) -> Any:
    def run(job: TrialJob, emit: Any) -> None:
        _steps(job, emit)
        os.kill(os.getpid(), signal.SIGSTOP)

    return run


def deadlocked_once(_study: Any, _folder: Path) -> Any:
    """Two locks that wait for each other would do the same; a thread lives on beside them."""

    def hang() -> None:
        threading.Thread(target=time.sleep, args=(600,), daemon=True).start()
        lock = threading.Lock()
        lock.acquire()
        lock.acquire()

    return _hangs_once(hang)


def until_deadline(_study: Any, _folder: Path) -> Any:
    def run(job: TrialJob | TimingJob, emit: Any) -> None:
        if isinstance(job, TimingJob):
            tell_time(job, emit)
            return
        log_call(job)
        started = time.time()
        assert job.deadline is not None
        time.sleep(max(0.0, job.deadline - time.time()))
        write(job, emit, 0.4)
        emit(TrialFinished(job.trial, time.time() - started))

    return run
