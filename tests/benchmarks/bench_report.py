"""What a report of a large study takes: 200 trials of two points each, 400 public questions."""

import os
import subprocess
import sys
import time
from pathlib import Path

from tests import report_kit

from .harness import Comparison, record

TRIALS = int(os.environ.get("AUTOQA_BENCH_REPORT_TRIALS", "200"))
QUESTIONS = 400
SECONDS, MEGABYTES = 10.0, 12.0


def test_report_of_many_trials(tmp_path: Path) -> None:
    home = tmp_path / "runs"
    made = report_kit.write_study(home, trials=TRIALS, questions=QUESTIONS)
    target = tmp_path / "page.html"
    environment = {**os.environ, "AUTOQA_HOME": str(home)}
    command = [sys.executable, "-c", "from autoqa.cli.main import main; main()"]
    times = []
    for _ in range(3):
        begin, spent = time.perf_counter(), os.times()
        done = subprocess.run(
            [*command, "report", made.name, "--to", str(target)],
            env=environment,
            capture_output=True,
            text=True,
        )
        assert done.returncode == 0, done.stderr
        used = os.times()
        cpu = (used.children_user + used.children_system) - (
            spent.children_user + spent.children_system
        )
        times.append((time.perf_counter() - begin, cpu))
    wall, cpu = min(times)
    size = target.stat().st_size / 1e6
    print(f"\n{TRIALS} trials, {QUESTIONS} questions: {wall:.1f} s, {cpu:.1f} s CPU, {size:.2f} MB")
    for name, asked, got, unit in (
        ("report_time", SECONDS, wall, "s"),
        ("report_size", MEGABYTES, size, "MB"),
    ):
        record(
            Comparison(
                name=name, ratio=asked / got, a=asked, b=got, unit=unit, equal=True, rounds=3
            )
        )
    assert size < MEGABYTES
