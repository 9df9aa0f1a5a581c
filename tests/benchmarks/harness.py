"""Two ways of doing one thing, timed in turns in one run.

Times of a shared machine drift, so only ratios of neighbouring measurements mean anything:
A and B alternate, and medians are compared. Nothing here asserts a speed.
"""

import gc
import json
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from statistics import median
from typing import TypeVar

A = TypeVar("A")
B = TypeVar("B")
R = TypeVar("R")

RESULTS = Path(__file__).parents[2] / "build" / "bench.jsonl"


@dataclass(frozen=True, kw_only=True)
class Comparison:
    """One line of the results file.

    Attributes:
        name: What was compared.
        ratio: How many times faster B is than A; ``None`` where their results differ, because
            the speed of a wrong answer is of no interest.
        a: The practice, in ``unit``, median of the rounds.
        b: autoqa, in ``unit``, median of the rounds.
        unit: What one second is worth, such as ``windows/s``.
        equal: Whether both gave the same.
        rounds: How often each was timed.
    """

    name: str
    ratio: float | None
    a: float
    b: float
    unit: str
    equal: bool
    rounds: int


def compare(
    name: str,
    a: Callable[[], A],
    b: Callable[[], B],
    *,
    rounds: int,
    unit: str,
    equal: Callable[[A, B], bool],
    amount: Callable[[B], float] = lambda _: 1.0,
    warmup: bool = True,
    clock: Callable[[], float] = time.perf_counter,
    results: Path = RESULTS,
) -> Comparison:
    """Times A and B in turns and appends the outcome to the results file.

    Args:
        name: What is compared.
        a: The practice.
        b: autoqa.
        rounds: How often each is timed.
        unit: What ``amount`` counts, per second.
        equal: Whether the two results are the same.
        amount: How much one run did, from B's result.
        warmup: Whether a first run of each goes untimed; without it the first round counts, for
            work that takes minutes and starts processes of its own anyway.
        clock: Seconds; those of the process, where one thread computes and never waits.
        results: JSON Lines file.
    """
    times: tuple[list[float], list[float]] = ([], [])

    def timed(work: Callable[[], R], spent: list[float]) -> R:
        gc.collect()
        begin = clock()
        result = work()
        spent.append(clock() - begin)
        return result

    one, other = timed(a, times[0]), timed(b, times[1])
    same, done = bool(equal(one, other)), amount(other)
    del one, other
    for _ in range(rounds if warmup else rounds - 1):
        timed(a, times[0])
        timed(b, times[1])
    seconds = [median(spent[1:] if warmup else spent) for spent in times]
    outcome = Comparison(
        name=name,
        ratio=round(seconds[0] / seconds[1], 3) if same else None,
        a=round(done / seconds[0], 3),
        b=round(done / seconds[1], 3),
        unit=unit,
        equal=same,
        rounds=rounds,
    )
    record(outcome, results)
    shown = f"{outcome.ratio:.2f} times faster" if same else "RESULTS DIFFER, no ratio"
    print(f"\n{name}: practice {outcome.a:,.1f}, autoqa {outcome.b:,.1f} {unit}: {shown}")
    return outcome


def record(outcome: Comparison, results: Path = RESULTS) -> None:
    """Appends a line to the results file."""
    results.parent.mkdir(parents=True, exist_ok=True)
    with results.open("a", encoding="utf-8") as file:
        file.write(json.dumps(asdict(outcome)) + "\n")
