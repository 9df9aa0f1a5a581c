"""Runs of the drill, in a worker: a chain of digests in place of weights, and orders to go wrong.

What a run ends with depends on its recipe and on nothing else, so that a run that went on from a
damaged checkpoint, or was resumed at the wrong step, shows. Candidates are real ones: predictions
of windows that exist, a file of weights, a record, all written through the run folder.
"""

import hashlib
import json
import os
import random
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from autoqa.store.predictions import write_logits
from autoqa.store.run_folder import PARTS, RunFolder
from autoqa.training.jobs import TrialJob
from autoqa.training.messages import Note, Progress, SnapshotTaken, TrialFinished
from autoqa.types import Answer, Example
from tests.searching import fakes

ORDERS = "AUTOQA_DRILL_ORDERS"
"""Variable with the folder in which a file by an order's name makes one run obey it."""

TOKENS = "AUTOQA_DRILL_TOKENS"
"""Variable with the group, and with the tokens of all windows of both parts."""

CHECKPOINTS = "AUTOQA_DRILL_CHECKPOINTS"
"""Variable that makes runs keep checkpoints, set or not: that takes torch, and a second."""

STEPS, HALF = 8, 4
STEP_SECONDS = 0.03


class FaultyPluginError(Exception):
    """What a plugin of the drill raises."""


def example(number: int, language: str = "en") -> Example:
    """A question of the drill's study."""
    context = f"It was Ada in {number} , or was it Bose ?"
    answers = (Answer("Ada", 7),)
    question, document = f"Who was it in {number} ?", f"d{number}"
    return Example(f"q{number}", question, context, answers, language, document, "any")


PUBLIC = tuple(example(number, "hi") for number in range(10, 14))
PRIVATE = tuple(example(number, "hi") for number in range(20, 26))


def prepare(bound: Any) -> Any:
    """The study's data."""
    data = fakes.prepare(bound)
    data.public, data.private = PUBLIC, PRIVATE
    return data


def factory(_study: Any, _folder: Path) -> Any:
    """The function that runs one trial."""
    return _run


def weights(key: str, done: int) -> bytes:
    """What an undisturbed run has after so many steps."""
    state = _begin(key)
    for _ in range(done):
        state = _next(state)
    return random.Random(state).randbytes(20_000)


def _begin(key: str) -> bytes:
    return hashlib.sha256(key.encode()).digest()


def _next(state: bytes) -> bytes:
    return hashlib.sha256(state).digest()


def _run(job: TrialJob, emit: Any) -> None:
    end = STEPS if job.only in (None, 1.0) else HALF
    saved = _Saved(job, emit)
    state, begin = saved.load() if job.only is None else (_begin(job.run.key), 0)
    for step in range(begin, end):
        _obey(job)
        time.sleep(STEP_SECONDS)
        state = _next(state)
        emit(Progress(job.trial, "training", 1, 1, step + 1, STEPS))
        if step + 1 == HALF:
            _write(job, emit, 0.5, state)
        if job.only is None:
            saved.save(state, step + 1)
    if end == STEPS:
        _write(job, emit, 1.0, state)
    if job.only is None:
        _note_end(job)
        saved.remove()
    emit(TrialFinished(job.trial, 0.1))


def _write(job: TrialJob, emit: Any, fraction: float, state: bytes) -> None:
    if job.only not in (None, fraction):
        return
    group, *tokens = os.environ[TOKENS].split()
    made = replace(
        fakes.record(job, fraction), id=job.candidate_id(fraction), group=group, seconds=0.3
    )
    draw = np.random.default_rng(list(state))
    with RunFolder(job.run_folder).writing_candidate(made.id, job.row) as folder:
        (folder / "model").mkdir()
        (folder / "model" / "model.safetensors").write_bytes(random.Random(state).randbytes(20_000))
        for part, count in zip(PARTS, map(int, tokens), strict=True):
            start, stop = draw.normal(size=(2, count))
            write_logits(folder, part, start, stop)
        (folder / "candidate.json").write_text(made.as_text())
    emit(SnapshotTaken(job.trial, made))


def _note_end(job: TrialJob) -> None:
    """Writes down that a run has come to its end, where a full disk does not matter."""
    line = json.dumps({"trial": job.trial, "run": f"{job.backbone} {job.run.key}"})
    with (Path(os.environ[ORDERS]) / "ended.jsonl").open("a") as file:
        file.write(line + "\n")


def _obey(job: TrialJob) -> None:
    """Does what an order says, if this is the run that takes it."""
    if _takes("raise"):
        raise FaultyPluginError("the plugin of the drill has a mistake")
    if _takes("exit"):
        os._exit(3)
    if _takes("memory"):
        bytearray(1 << 62)
    if _takes("disk"):
        with Path("/dev/full").open("wb", buffering=0) as full:
            full.write(b"a candidate")


def _takes(order: str) -> bool:
    folder = Path(os.environ[ORDERS])
    try:
        (folder / order).rename(folder / f"{order}.taken")
    except FileNotFoundError:
        return False
    return True


class _Saved:
    """The checkpoint of a run, where the drill damages some."""

    def __init__(self, job: TrialJob, emit: Any) -> None:
        self.begin, self.name = (
            _begin(job.run.key),
            f"run-{job.backbone}-{job.run.key.replace('/', '-')}",
        )
        self.checkpoints: Any = None
        self.note = lambda text: emit(Note(job.trial, text))
        if CHECKPOINTS in os.environ:
            from autoqa.training.checkpoint import Checkpoints

            folder = job.run_folder / "checkpoints"
            self.checkpoints = Checkpoints(folder, 10**9, self.note)

    def load(self) -> tuple[bytes, int]:
        found = None if self.checkpoints is None else self.checkpoints.load(self.name)
        if found is None:
            return self.begin, 0
        tensors, facts = found
        return tensors["state"].numpy().tobytes(), facts["step"]

    def save(self, state: bytes, step: int) -> None:
        if self.checkpoints is not None:
            import torch

            tensor = torch.frombuffer(bytearray(state), dtype=torch.uint8)
            problem = self.checkpoints.save(self.name, {"state": tensor}, {"step": step})
            if problem is not None:
                self.note(problem)

    def remove(self) -> None:
        if self.checkpoints is not None:
            self.checkpoints.remove(self.name)
