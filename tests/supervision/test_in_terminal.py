"""A real search in a real terminal, and in a log."""

import fcntl
import os
import pty
import re
import struct
import subprocess
import sys
import termios
from collections.abc import Mapping
from pathlib import Path

import pyte
import pytest

from tests.toy_study import write_study

CODE = "from autoqa.cli.main import main; main()"
COLOUR = re.compile(rb"\x1b\[[0-9;]*\b(3[0-7]|4[0-7]|9[0-7]|38|48)\b[0-9;]*m")


class Seen:
    """What stood on a terminal while a command ran in it.

    Attributes:
        frames: Its lines, each time that something came.
        raw: All that came.
        results: What went to stdout.
    """

    def __init__(
        self, command: list[str], width: int, height: int, more: Mapping[str, str]
    ) -> None:
        screen = pyte.Screen(width, height)
        stream = pyte.ByteStream(screen)
        self.frames: list[list[str]] = []
        ours, theirs = pty.openpty()
        fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", height, width, 0, 0))
        environment = {k: v for k, v in os.environ.items() if k not in ("COLUMNS", "NO_COLOR")}
        process = subprocess.Popen(
            [sys.executable, "-c", CODE, *command],
            stdin=theirs,
            stdout=subprocess.PIPE,
            stderr=theirs,
            env={**environment, "TERM": "xterm-256color", **more},
        )
        os.close(theirs)
        self.raw = b""
        while chunk := _read(ours):
            self.raw += chunk
            stream.feed(chunk)
            self.frames.append([line.rstrip() for line in screen.display])
        os.close(ours)
        assert process.stdout is not None
        self.results = process.stdout.read().decode()
        assert process.wait() == 0, self.frames[-1]

    def ever(self, *parts: str) -> bool:
        """Whether all stood on the terminal at the same time."""
        return any(all(part in " ".join(frame) for part in parts) for frame in self.frames)


def _read(descriptor: int) -> bytes:
    try:
        return os.read(descriptor, 65536)
    except OSError:  # nobody has it open any more
        return b""


@pytest.fixture
def study(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("AUTOQA_HOME", str(tmp_path / "runs"))
    monkeypatch.setenv("PYTHONPATH", ":".join(sys.path))
    path = write_study(tmp_path, "trials = 3\nworkers = 1\n")
    path.write_text(path.read_text().replace("batch_size = 4", "batch_size = 4\nepochs = 12"))
    return path


@pytest.mark.slow
def test_eighty_columns_show_work_device_time_and_what_ended_last(study: Path) -> None:
    seen = Seen(["search", "-v", str(study)], 80, 24, {})
    assert seen.ever("worker trial backbone", "training 1/1", "CPU×", "GB")
    assert seen.ever("worker trial backbone", "trial 0: stage 1 of 1", "of 3 trials")
    assert seen.ever("ended last:", "best", "about", " left")
    log = "\n".join(seen.frames[-1])
    assert "worker trial backbone" not in log, "the picture goes when the search ends"
    assert "3 trials finished" in seen.results
    assert not re.search(r"worker trial|\x1b", seen.results)
    assert COLOUR.search(seen.raw)


@pytest.mark.slow
def test_forty_columns_hold_the_picture_without_colours(study: Path) -> None:
    seen = Seen(["search", "--trials", "2", str(study)], 40, 24, {"NO_COLOR": "1"})
    rows = [frame for frame in seen.frames if any("trial backbone" in line for line in frame)]
    assert rows
    assert seen.ever("ended last:", "best")
    pictures = [sum("trial backbone" in line for line in frame) for frame in rows]
    assert max(pictures) == 1, "each picture is drawn over the one before"
    assert not COLOUR.search(seen.raw)
    assert not seen.ever("stage 1 of 1"), "the card is a detail"


@pytest.mark.slow
def test_a_log_has_lines_and_no_control_codes(study: Path) -> None:
    command = [sys.executable, "-c", CODE, "search", "--trials", "2", str(study)]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert "\x1b" not in done.stderr
    assert "\r" not in done.stderr
    lines = done.stderr.splitlines()
    assert all(re.match(r"\d\d:\d\d:\d\d \S", line) for line in lines)
    assert not any("stage 1 of 1" in line for line in lines)
    log = (study.parent / "runs" / "toy" / "logs" / "search.log").read_text()
    assert "trial 0: stage 1 of 1" in log
    assert re.search(r"trial 0: worker 0 logs \S+worker-0\.log", log)
    assert re.search(r"trial 0: \d+ steps trained; a run like it takes \d+ s", log)


def test_quiet_and_verbose_are_opposites(study: Path) -> None:
    command = [sys.executable, "-c", CODE, "search", "--quiet", "-v", str(study)]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 2
    assert "--quiet and --verbose" in done.stderr
