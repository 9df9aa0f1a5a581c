"""A further metric, as a module of its own would bring it; lower is better."""

from collections.abc import Iterator
from contextlib import contextmanager

from autoqa.scores.registry import Metric, register, unregister


def length_gap(prediction: str, reference: str, language: str) -> float:
    """Difference of the lengths, 0 to 1; Hindi counts half, so that the language shows."""
    longest = max(len(prediction), len(reference), 1)
    gap = abs(len(prediction) - len(reference)) / longest
    return gap / 2 if language == "hi" else gap


LENGTH_GAP = Metric(
    name="length_gap",
    title="Length gap",
    function=length_gap,
    low=0.0,
    high=1.0,
    higher_is_better=False,
    summary="difference of lengths",
)


@contextmanager
def registered() -> Iterator[Metric]:
    """The metric, registered while the block runs."""
    register(LENGTH_GAP)
    try:
        yield LENGTH_GAP
    finally:
        unregister(LENGTH_GAP.name)
