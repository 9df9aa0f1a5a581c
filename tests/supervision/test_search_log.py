import errno
import io
import os
import re
from pathlib import Path

from autoqa.errors import TrainingError
from autoqa.supervision.display import PlainDisplay, QuietDisplay, Status
from autoqa.supervision.search_log import LoggedDisplay


class Shown(QuietDisplay):
    def __init__(self) -> None:
        self.lines: list[str] = []

    def event(self, text: str) -> None:
        self.lines.append(text)


def test_events_are_appended_with_date_and_time(tmp_path: Path) -> None:
    shown, path = Shown(), tmp_path / "logs" / "search.log"
    with LoggedDisplay(shown, path) as display:
        display.event("trial 0 starts \x1b[2J")
    error = TrainingError("the loss is nan")
    display = LoggedDisplay(shown, path)
    display.event("trial 1 starts\non worker 0")
    display.__exit__(type(error), error, None)
    assert shown.lines == ["trial 0 starts \\x1b[2J", "trial 1 starts\non worker 0"]
    lines = path.read_text().splitlines()
    assert all(re.match(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d ", line) for line in lines)
    assert [line.split(" ", 2)[2] for line in lines] == [
        "trial 0 starts \\x1b[2J",
        "trial 1 starts",
        "on worker 0",
        "ended by TrainingError: the loss is nan",
    ]


def test_a_reader_that_leaves_ends_no_search(tmp_path: Path) -> None:
    ours, theirs = os.pipe()
    os.close(ours)
    path = tmp_path / "search.log"
    stream = io.TextIOWrapper(io.FileIO(theirs, "w"), write_through=True)
    with stream, LoggedDisplay(PlainDisplay(stream, every=0), path) as display:
        display.event("trial 0 starts")
        display.status(Status(0, 1))
        display.event("trial 0 finished")
    assert [line.split(" ", 2)[2] for line in path.read_text().splitlines()] == [
        "nothing is shown from here on: [Errno 32] Broken pipe",
        "trial 0 starts",
        "trial 0 finished",
    ]


def test_a_full_disk_costs_lines_and_nothing_else(tmp_path: Path) -> None:
    path = tmp_path / "search.log"
    path.symlink_to("/dev/full")
    shown = Shown()
    with LoggedDisplay(shown, path) as display:
        display.event("trial 0 starts")
        display.event("trial 1 starts")
    assert shown.lines == [
        "trial 0 starts",
        f"{path} lacks lines from here on: [Errno {errno.ENOSPC}] No space left on device",
        "trial 1 starts",
    ]
