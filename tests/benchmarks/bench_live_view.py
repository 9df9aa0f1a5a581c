"""What the live view of a search takes of a trial's time.

Some trials of ``studies/quickstart.toml`` are really trained by one worker, and shown on a
pseudo-terminal of 80 columns. Counted is the processor time that drawing takes here, that of
finding out where the search stands, and that of workers to say what they compute on; beside it
stands the processor time of the worker.
"""

import fcntl
import os
import pty
import struct
import subprocess
import termios
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import torch
from rich.console import Console

from autoqa.data import prepare_data
from autoqa.registry import open_study
from autoqa.searching.runner import run_search
from autoqa.searching.setup import SearchOptions
from autoqa.searching.standing import Standing
from autoqa.supervision.display import Status
from autoqa.supervision.live import LiveDisplay
from autoqa.training.messages import Progress
from autoqa.workers.device_use import device_use

from .harness import Comparison, record

TRIALS = int(os.environ.get("AUTOQA_BENCH_VIEW_TRIALS", "3"))
STUDY = Path(__file__).parents[2] / "studies" / "quickstart.toml"
SHARE = 0.01
"""What the view may take of a trial's time."""


class Watched(LiveDisplay):
    """Counts calls and the processor time of this thread that they take."""

    def __init__(self, console: Console) -> None:
        super().__init__(console)
        self.seconds, self.heard = 0.0, 0

    def count(self, work: Callable[[], Any]) -> None:
        begin = time.thread_time()
        work()
        self.seconds += time.thread_time() - begin

    def event(self, text: str) -> None:
        self.count(lambda: super(Watched, self).event(text))

    def working(self, worker: int, backbone: str, progress: Progress) -> None:
        self.heard += 1
        self.count(lambda: super(Watched, self).working(worker, backbone, progress))

    def idle(self, worker: int) -> None:
        self.count(lambda: super(Watched, self).idle(worker))

    def status(self, status: Status) -> None:
        """Counted with what finds it out, in :func:`test_live_view`."""
        super().status(status)


@contextmanager
def terminal() -> Iterator[Console]:
    """A terminal of 80 columns, emptied by another process."""
    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 80, 0, 0))
    reader = subprocess.Popen(
        ["cat"], stdin=ours, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    os.close(ours)
    try:
        with os.fdopen(theirs, "w") as stream:
            console = Console(file=stream)
            assert console.is_terminal
            yield console
    finally:
        reader.wait()


def _each(work: Callable[[], Any], rounds: int = 1000) -> float:
    begin = time.thread_time()
    for _ in range(rounds):
        work()
    return (time.thread_time() - begin) / rounds


def test_live_view(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AUTOQA_HOME", str(tmp_path / "runs"))
    text = STUDY.read_text(encoding="utf-8").replace("minutes = 3.5\n", "")
    path = tmp_path / "study.toml"
    path.write_text(text)
    with terminal() as console:
        shown = Watched(console)
        show = Standing.show
        monkeypatch.setattr(Standing, "show", lambda *given: shown.count(lambda: show(*given)))
        before = os.times()
        run_search(
            open_study(path),
            text,
            prepare_data,
            SearchOptions(trials=TRIALS, workers=1),
            display=shown,
        )
        after = os.times()
    trained = (
        after.children_user + after.children_system - before.children_user - before.children_system
    )
    assert torch.get_num_threads()  # a worker has it loaded, and is asked for it
    told = shown.heard * _each(device_use)
    view = shown.seconds + told
    print(
        f"\n{TRIALS} trials: {trained:.1f} s CPU of the worker; the view {view:.3f} s, of which "
        f"{told:.4f} s in the worker, for {shown.heard} messages: {view / trained:.3%}"
    )
    record(
        Comparison(
            name="live_view",
            ratio=round(trained / view, 1),
            a=round(trained, 3),
            b=round(view, 3),
            unit="s",
            equal=True,
            rounds=TRIALS,
        )
    )
    assert view < SHARE * trained
