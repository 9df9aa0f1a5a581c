"""What people see while jobs run."""

import io
from dataclasses import replace
from pathlib import Path

import pytest
from rich.console import Console

from autoqa.store.candidate_record import CandidateRecord
from autoqa.store.run_folder import RunFolder
from autoqa.supervision.display import (
    PlainDisplay,
    QuietDisplay,
    Status,
    TrialOutcome,
    backbone_statuses,
    duration,
)
from autoqa.supervision.display_choice import choose_display
from autoqa.supervision.live import LiveDisplay
from autoqa.training.messages import DeviceUse, Progress

GOLDEN = Path(__file__).parents[1] / "golden" / "searched" / "golden"


GPU = DeviceUse("GPU 3", 0, 12_300_000_000, 141_000_000_000)
CPU = DeviceUse("CPU", 4, 1_230_000_000)


def test_displays() -> None:
    stream = io.StringIO()
    assert isinstance(choose_display(True, stream), QuietDisplay)
    plain = choose_display(False, stream)
    assert isinstance(plain, PlainDisplay)
    plain.event("trial 3 starts")
    plain.detail("trial 3: stage 1 of 1")
    assert stream.getvalue().endswith(" trial 3 starts\n")
    choose_display(False, stream, verbose=True).detail("trial 3: stage 1 of 1")
    assert stream.getvalue().endswith(" trial 3: stage 1 of 1\n")
    terminal = io.StringIO()
    console = Console(file=terminal, force_terminal=True, width=100)
    with LiveDisplay(console) as live:
        live.working(0, "e5", Progress(3, "train", 1, 2, 40, 80, 1.25, 31.0, 130.0, GPU))
        live.idle(1)
        live.status(Status(3, 20, None, 3725, True))
        live.event("trial 3: [squad] done")
        live.detail("what nobody asked for")
        console.print(live.picture())
    shown = terminal.getvalue()
    parts = ("train 1/2", "40/80", "1.250", "31", "2 min", "GPU 3", "12/141 GB", "idle", "3 of 20")
    for part in (*parts, "about 62 min left", "trial 3: [squad] done"):
        assert part in shown, part
    assert "what nobody asked for" not in shown


def test_a_terminal_that_cannot_move_its_cursor_gets_lines(monkeypatch: pytest.MonkeyPatch) -> None:
    class Terminal(io.StringIO):
        def isatty(self) -> bool:
            return True

    assert isinstance(choose_display(False, Terminal()), LiveDisplay)
    monkeypatch.setenv("TERM", "dumb")
    assert isinstance(choose_display(False, Terminal()), PlainDisplay)


def record(name: str, backbone: str, score: float) -> CandidateRecord:
    record = RunFolder(GOLDEN).read_record("t0000-100")
    scores = {**record.scores, "jaccard": score}
    return replace(record, id=name, trial=int(name[1:5]), backbone=backbone, scores=scores)


def drawn(live: LiveDisplay, console: Console, stream: io.StringIO) -> list[str]:
    """Lines of the picture."""
    stream.seek(stream.truncate(0))
    console.print(live.picture())
    return [line.rstrip() for line in stream.getvalue().splitlines()]


RECORDS = [record("t0003-100", "multilingual", 0.41), record("t0011-050", "english", 0.39)]
BACKBONES = backbone_statuses(["multilingual", "english", "third"], RECORDS)
RECENT = (
    TrialOutcome(12, "english", None, "failed: the loss became nan at step 17 of 2000 " * 3),
    TrialOutcome(11, "english", RECORDS[1], "ended early: 3 of 4 were better by then"),
    TrialOutcome(3, "multilingual", RECORDS[0]),
)
STATUS = Status(3, 2000, RECORDS[0], 360_000, True, "a free disk", BACKBONES, RECENT)
WORK = Progress(1234, "evaluating", 2, 3, 12345, 67890, 0.123, 1234.0, 7300.0, CPU)


def live_on(stream: io.StringIO, width: int, height: int) -> tuple[LiveDisplay, Console]:
    console = Console(
        file=stream, force_terminal=True, width=width, height=height, color_system=None
    )
    return LiveDisplay(console), console


def test_eighty_columns_hold_all_of_the_picture_below_long_cards() -> None:
    stream = io.StringIO()
    live, console = live_on(stream, 80, 24)
    with live:
        for worker in range(8):
            live.working(worker, "multilingual", WORK)
        live.status(STATUS)
        for _ in range(60):
            live.event("stage 1: [hindi 25% + english + squad + natural-questions] 384/128 " * 3)
    lines = drawn(live, console, stream)
    assert len(lines) < 24
    assert max(map(len, lines)) <= 80
    text = " ".join(" ".join(lines).split())
    assert text.count("12345/67890") == 8
    assert text.count("2 h 02") == 8, "what is left of each run"
    assert text.count("1.2 GB") == 8
    assert "multilingual 1 trial jaccard 0.410 ± 0.208 t0003-100" in text
    assert "third 0 trials" in text
    assert "3 of 2000 trials, about 100 h 00 min left, waiting for a free disk" in text
    assert "highest jaccard 0.410 ± 0.208, t0003-100 (multilingual)" in text
    assert "11 english 0.390 ± 0.208 -0.020, ended early: 3 of 4 were better by then" in text
    assert "3 multilingual 0.410 ± 0.208 best" in text
    (failed,) = [line for line in lines if line.lstrip().startswith("12 english")]
    assert failed.endswith("…"), "the whole of it is among the lines above"


def test_forty_columns_hold_what_matters() -> None:
    stream = io.StringIO()
    live, console = live_on(stream, 40, 24)
    live.working(0, "multilingual", WORK)
    live.idle(1)
    live.status(STATUS)
    lines = drawn(live, console, stream)
    assert max(map(len, lines)) <= 40
    assert len(lines) < 24
    text = " ".join(" ".join(lines).split())
    for part in (
        "1234 ",
        "12345/67890",
        "2 h 02",
        " idle",
        "0.390 ± 0.208 -0.020",
        "3 of 2000 trials",
    ):
        assert part in text, part
    assert "highest jaccard 0.410 ± 0.208" in text


def test_what_matters_least_goes_where_lines_are_few() -> None:
    stream = io.StringIO()
    live, console = live_on(stream, 80, 12)
    for worker in range(8):
        live.working(worker, "e5", WORK)
    live.status(STATUS)
    lines = drawn(live, console, stream)
    assert len(lines) < 12
    assert sum("12345/67890" in line for line in lines) == 8
    assert not any("ended last" in line for line in lines)
    for worker in range(8, 64):
        live.working(worker, "e5", WORK)
    lines = drawn(live, console, stream)
    assert len(lines) < 12
    assert "and 57 more workers" in lines
    assert "highest jaccard" in lines[-1]


def test_jobs_without_a_search_have_no_counts() -> None:
    stream = io.StringIO()
    live, console = live_on(stream, 80, 24)
    live.working(0, "e5", Progress(3, "averaging"))
    assert len(drawn(live, console, stream)) == 2


def test_one_backbone_needs_no_line_of_its_own() -> None:
    assert backbone_statuses(["e5"], [record("t0003-100", "e5", 0.4)]) == ()


def test_a_log_says_now_and_then_where_the_search_stands() -> None:
    stream = io.StringIO()
    seldom = PlainDisplay(stream)
    seldom.status(Status(3, 20))
    assert stream.getvalue() == ""
    often = PlainDisplay(stream, every=0)
    often.working(0, "e5", WORK)
    often.working(1, "e5", Progress(5, "loading"))
    often.idle(1)
    often.status(Status(3, 20, record("t0003-100", "e5", 0.4), 60))
    counts, worker = stream.getvalue().splitlines()
    assert "3 of 20 trials, 60 s left, highest jaccard 0.400 ± 0.208" in counts
    assert worker.partition(" ")[2] == (
        "worker 0: trial 1234 (e5) evaluating stage 2 of 3, step 12345 of 67890, 1,234 "
        "windows/s, about 2 h 02 min left, CPU×4 1.2 GB"
    )


@pytest.mark.parametrize(
    "seconds, text", [(3.2, "3 s"), (-1, "0 s"), (600, "10 min"), (9000, "2 h 30 min")]
)
def test_durations(seconds: float, text: str) -> None:
    assert duration(seconds) == text
