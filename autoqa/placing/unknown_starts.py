"""Answers without an offset that occur several times: the text around each place decides."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from autoqa.placing.conditional_logit import probabilities
from autoqa.placing.evidence import TEXT_COEFFICIENTS, Places
from autoqa.placing.repair import Placed, Undecided
from autoqa.types import Example

UNSURE = 0.5
"""Confidence below which a place is told apart in the notes."""


@dataclass(frozen=True, slots=True)
class Decided:
    """An answer that the text around it placed.

    Attributes:
        placed: The likeliest of its places.
        confidence: Probability that it is the one that was meant.
    """

    placed: Placed
    confidence: float


def decide(
    examples: Sequence[Example], undecided: Mapping[int, Sequence[Undecided]]
) -> dict[int, list[Decided]]:
    """Places answers without an offset as ``autoqa data relocate`` does from texts alone.

    Args:
        examples: All rows of one source, without the answers that are to be placed. What is
            learned, is learned from those of the same language.
        undecided: For rows, by their numbers, those answers.

    Returns:
        For the same rows the answers in their places.
    """
    decided: dict[int, list[Decided]] = {}
    for language in sorted({examples[row].language for row in undecided}):
        places = Places([example for example in examples if example.language == language])
        for row, answers in undecided.items():
            if examples[row].language == language:
                decided[row] = [_decide(places, examples[row], answer) for answer in answers]
    return decided


def _decide(places: Places, example: Example, undecided: Undecided) -> Decided:
    candidates = undecided.candidates
    starts = [candidate.answer.start for candidate in candidates]
    evidence = places.evidence(example, starts, len(candidates[0].answer.text))
    shares = probabilities(evidence, TEXT_COEFFICIENTS[: evidence.shape[1]])
    best = int(np.argmax(shares))
    return Decided(candidates[best], float(shares[best]))
