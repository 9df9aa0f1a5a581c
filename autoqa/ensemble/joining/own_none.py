"""One model that says "none" by its own best threshold on the public part.

As SQuAD 2.0's script does in its "best" figures. That is one number to fit, so that candidates of a
search are compared by what they could say; what an ensemble is exported with is fitted anew.
"""

from collections.abc import Sequence

import numpy as np

from autoqa.arrays import LogitPair
from autoqa.decoding.decoder import EMPTY, SpanDecoder
from autoqa.ensemble.joining.evidence import window_evidence
from autoqa.scores.answerability import best_threshold
from autoqa.scores.metrics import score_by
from autoqa.types import Example, Span


def has_both_kinds(examples: Sequence[Example]) -> bool:
    """Whether some questions have an answer and some have none."""
    return len({bool(example.answers) for example in examples}) == 2


def own_cut(
    decoder: SpanDecoder,
    logits: LogitPair,
    examples: Sequence[Example],
    metric: str,
    *,
    spans: Sequence[Span] | None = None,
) -> float | None:
    """The evidence below which a model should give no answer; ``None`` where it always should.

    Args:
        decoder: Of the public part's windows.
        logits: The model's start and end logits there.
        examples: The public part.
        metric: Whose mean is to be highest.
        spans: What ``decoder.best`` makes of the logits, where that is known.

    Raises:
        DataError: Logits are not numbers, or were made for other windows.
    """
    if not has_both_kinds(examples):
        return None
    texts = [span.text for span in spans or decoder.best(*logits)]
    none = np.array([float(not example.answers) for example in examples])
    evidence = window_evidence(decoder.grid, *logits, len(examples))
    return -best_threshold(-evidence, score_by(metric, texts, examples), none)


def own_answers(
    decoder: SpanDecoder,
    logits: LogitPair,
    cut: float | None,
    *,
    spans: Sequence[Span] | None = None,
) -> list[Span]:
    """A model's answers, empty where its evidence is below the cut.

    Args:
        decoder: Of any part's windows.
        logits: The model's start and end logits there.
        cut: What :func:`own_cut` gave.
        spans: As there.

    Raises:
        DataError: Logits are not numbers, or were made for other windows.
    """
    best = list(spans or decoder.best(*logits))
    if cut is None:
        return best
    evidence = window_evidence(decoder.grid, *logits, len(decoder.contexts))
    return [EMPTY if speaks < cut else span for span, speaks in zip(best, evidence, strict=True)]
