"""What people see while jobs run."""

import io

import pytest
from rich.console import Console

from autoqa.supervision.display import (
    LiveDisplay,
    PlainDisplay,
    QuietDisplay,
    Status,
    choose_display,
    duration,
)
from autoqa.training.messages import Progress


def test_displays() -> None:
    stream = io.StringIO()
    assert isinstance(choose_display(True, stream), QuietDisplay)
    plain = choose_display(False, stream)
    assert isinstance(plain, PlainDisplay)
    plain.event("trial 3 starts")
    assert stream.getvalue().endswith(" trial 3 starts\n")
    terminal = io.StringIO()
    console = Console(file=terminal, force_terminal=True, width=100)
    with LiveDisplay(console) as live:
        live.working(0, "e5", Progress(3, "train", 1, 2, 40, 80, 1.25, 31.0))
        live.idle(1)
        live.status(Status(3, 20, None, 3725, True))
        live.event("trial 3: [squad] done")
        console.print(live.picture())
    shown = terminal.getvalue()
    for part in ("train", "1/2", "40/80", "1.250", "31", "idle", "3 of 20", "about 62 min left"):
        assert part in shown, part
    assert "trial 3: [squad] done" in shown


@pytest.mark.parametrize(
    "seconds, text", [(3.2, "3 s"), (-1, "0 s"), (600, "10 min"), (9000, "2 h 30 min")]
)
def test_durations(seconds: float, text: str) -> None:
    assert duration(seconds) == text
