import json
import time
from pathlib import Path

from .harness import compare


def test_one_line_a_comparison(tmp_path: Path) -> None:
    order: list[str] = []

    def work(name: str, seconds: float) -> int:
        order.append(name)
        time.sleep(seconds)
        return 8

    file = tmp_path / "build" / "bench.jsonl"
    for equal in (True, False):
        compare(
            "sleep",
            lambda: work("a", 0.02),
            lambda: work("b", 0.002),
            rounds=3,
            unit="naps/s",
            equal=lambda one, other: (one == other) is equal,  # noqa: B023
            amount=float,
            results=file,
        )
    assert order == ["a", "b"] * 8
    same, different = map(json.loads, file.read_text("utf-8").splitlines())
    assert set(same) == {"name", "ratio", "a", "b", "unit", "equal", "rounds"}
    assert same["ratio"] > 1
    assert same["b"] > same["a"]
    assert (different["ratio"], different["equal"], different["rounds"]) == (None, False, 3)


def test_without_a_warm_up_the_first_round_counts(tmp_path: Path) -> None:
    order: list[str] = []
    outcome = compare(
        "nap",
        lambda: order.append("a") or time.sleep(0.02),
        lambda: order.append("b") or time.sleep(0.002),
        rounds=2,
        unit="naps/s",
        equal=lambda one, other: one is other,
        warmup=False,
        results=tmp_path / "bench.jsonl",
    )
    assert order == ["a", "b"] * 2
    assert outcome.rounds == 2
    assert outcome.ratio is not None
    assert outcome.ratio > 1
