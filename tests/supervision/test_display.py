"""What people see while jobs run."""

import io
from dataclasses import replace
from pathlib import Path

import pytest
from rich.console import Console

from autoqa.store.candidate_record import CandidateRecord
from autoqa.store.run_folder import RunFolder
from autoqa.supervision.display import (
    LiveDisplay,
    PlainDisplay,
    QuietDisplay,
    Status,
    backbone_statuses,
    duration,
)
from autoqa.supervision.display_choice import choose_display
from autoqa.training.messages import Progress

GOLDEN = Path(__file__).parents[1] / "golden" / "searched" / "golden"


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


def record(name: str, backbone: str, score: float) -> CandidateRecord:
    record = RunFolder(GOLDEN).read_record("t0000-100")
    scores = {**record.scores, "jaccard": score}
    return replace(record, id=name, trial=int(name[1:5]), backbone=backbone, scores=scores)


def test_eighty_columns_hold_all_of_the_picture_below_long_cards() -> None:
    stream = io.StringIO()
    console = Console(file=stream, force_terminal=True, width=80, height=24, color_system=None)
    records = [record("t0003-100", "multilingual", 0.41), record("t0011-050", "english", 0.39)]
    backbones = backbone_statuses(["multilingual", "english", "third"], records)
    with LiveDisplay(console) as live:
        for worker in range(8):
            live.working(worker, "multilingual", Progress(1234, "evaluating", 2, 3, 12345, 67890))
        live.status(Status(3, 2000, records[0], 360_000, True, "a free disk", backbones))
        for _ in range(60):
            live.event("stage 1: [hindi 25% + english + squad + natural-questions] 384/128 " * 3)
    stream.seek(stream.truncate(0))
    console.print(live.picture())
    lines = stream.getvalue().splitlines()
    assert max(map(len, lines)) <= 80
    assert "…" not in stream.getvalue()
    text = " ".join(stream.getvalue().split())
    assert text.count("12345/67890") == 8
    assert "multilingual 1 trial jaccard 0.410 ± 0.208 t0003-100" in text
    assert "third 0 trials" in text
    assert "3 of 2000 trials, about 100 h 00 min left, waiting for a free disk" in text
    assert "highest jaccard 0.410 ± 0.208, t0003-100 (multilingual)" in text


def test_one_backbone_needs_no_line_of_its_own() -> None:
    assert backbone_statuses(["e5"], [record("t0003-100", "e5", 0.4)]) == ()


def test_a_log_says_now_and_then_where_the_search_stands() -> None:
    stream = io.StringIO()
    seldom = PlainDisplay(stream)
    seldom.status(Status(3, 20))
    assert stream.getvalue() == ""
    PlainDisplay(stream, every=0).status(Status(3, 20, record("t0003-100", "e5", 0.4), 60))
    assert "3 of 20 trials, 60 s left, highest jaccard 0.400 ± 0.208" in stream.getvalue()


@pytest.mark.parametrize(
    "seconds, text", [(3.2, "3 s"), (-1, "0 s"), (600, "10 min"), (9000, "2 h 30 min")]
)
def test_durations(seconds: float, text: str) -> None:
    assert duration(seconds) == text
