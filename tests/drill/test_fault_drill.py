"""A search that loses nothing, whatever breaks: real processes, faults at random moments.

``AUTOQA_DRILL_FAULTS`` says how many (120), ``AUTOQA_DRILL_SEED`` which and when.
"""

import os
import random
import threading
from collections import Counter
from pathlib import Path

import pytest

from tests.conftest import Run
from tests.drill import faults
from tests.drill.checks import check
from tests.drill.round import Round
from tests.postgres import Postgres

pytestmark = pytest.mark.slow

COUNT = int(os.environ.get("AUTOQA_DRILL_FAULTS", "120"))
SEED = os.environ.get("AUTOQA_DRILL_SEED", "autoqa")

SERVED = ("database restart",)
"""Faults that only a database server has."""

ALONE = ("damaged checkpoint",)
"""Faults of a study that one process searches."""

FILES = ("damaged WAL",)
"""Faults that only a database in a file has."""


def dealt(count: int, draw: random.Random) -> tuple[list[str], list[str], list[str]]:
    """Faults for three rounds: alone with SQLite, with a second process, with PostgreSQL."""
    total = sum(share for share, _ in faults.SHARES.values())
    alone: list[str] = []
    joined: list[str] = []
    served: list[str] = []
    for name, (share, _) in faults.SHARES.items():
        for _ in range(max(1, round(share * count / total))):
            if name in SERVED:
                served.append(name)
            elif name in ALONE:
                alone.append(name)
            elif name in FILES:
                min((alone, joined), key=len).append(name)
            elif name == "node lost":
                draw.choice((joined, served)).append(name)
            else:
                min((alone, joined, served), key=len).append(name)
    for hand in (alone, joined, served):
        draw.shuffle(hand)
    return alone, joined, served


def fight(round_: Round) -> None:
    """Lets all faults of a round happen, and the search end."""
    try:
        with round_.watch.watching():
            for name in round_.faults:
                round_.tend()
                round_.pause(0.05, 0.6)
                print(f"{round_.name}: {name}", flush=True)
                faults.SHARES[name][1](round_)
                round_.inflicted.append(name)
            round_.finish()
            round_.watch.look()
    except Exception as error:
        round_.problems.append(f"{type(error).__name__}: {error}")


def test_a_search_survives_all_faults(
    tmp_path: Path,
    postgres: Postgres,
    run: Run,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
) -> None:
    draw = random.Random(SEED)
    alone, joined, served = dealt(COUNT, draw)
    rounds = [
        Round("alone", tmp_path / "alone", alone, f"{SEED} 1", checkpoints=True),
        Round("joined", tmp_path / "joined", joined, f"{SEED} 2", joined=True),
        Round("served", tmp_path / "served", served, f"{SEED} 3", postgres, joined=True),
    ]
    with rounds[0].prepared(), rounds[1].prepared(), rounds[2].prepared():
        threads = [threading.Thread(target=fight, args=(each,)) for each in rounds]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        problems = {}
        for each in rounds:
            monkeypatch.setenv("AUTOQA_HOME", str(each.home))
            problems[each.name] = check(each, run)
    with capfd.disabled():
        survived = report(rounds, problems)
    assert not any(problems.values()), "\n".join(
        f"{name}: {sentence}" for name, found in problems.items() for sentence in found
    )
    assert survived == 1.0


def report(rounds: list[Round], problems: dict[str, list[str]]) -> float:
    """Prints what happened, and gives the share of faults that cost nothing."""
    counts: Counter[str] = Counter()
    lived: Counter[str] = Counter()
    for each in rounds:
        counts.update(each.faults)
        lived.update([] if problems[each.name] else each.inflicted)
    print(f"\n{'fault':<20} {'count':>5} {'survived':>8}")
    for name in faults.SHARES:
        print(f"{name:<20} {counts[name]:>5} {lived[name]:>8}")
    share = lived.total() / counts.total()
    print(f"fault_drill: {counts.total()} faults, share survived {share:.2f} (seed {SEED})")
    return share
