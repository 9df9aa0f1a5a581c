"""``sentence-drop``: sentences without an answer are left out of contexts."""

from collections.abc import Sequence
from typing import Annotated

import numpy as np
from pydantic import Field

from autoqa.api import Augmentation, AugmentationSpec, Example, Options, TrainingRows
from autoqa_augmentations.sentence_parts import SentenceParts


class SentenceDropOptions(Options):
    """Options of ``sentence-drop``.

    Attributes:
        share: Probability that a sentence without an answer is left out.
    """

    share: Annotated[float, Field(ge=0, le=0.9)] = 0.1


def sentence_drop(example: Example, rng: np.random.Generator, *, share: float) -> Example:
    """Leaves each sentence that holds no answer out with the same probability.

    Args:
        example: A question about a context.
        rng: Source of randomness; one number is drawn per part, see :class:`SentenceParts`.
        share: The probability.

    Returns:
        The example with the shorter context and moved answers; itself where nothing is left out,
        or nothing would be left.
    """
    parts = SentenceParts.of(example)
    drawn = rng.random(len(parts.spans)) < share
    kept = [n for n, held in enumerate(parts.answered) if held or not drawn[n]]
    return parts.together(kept) if kept else example


class SentenceDrop(Augmentation):
    """Sentences without an answer are left out of contexts.

    **What.** Each time a row is drawn, every sentence of its context that holds none of its answers
    is left out with a small probability. Sentences that an answer reaches across stay together.
    Questions without an answer lose sentences, too, and stay without one.

    **When.** Few contexts that are seen often, or long ones of which one sentence answers: the text
    around the answer is another each time, and where in a context answers stand is learned less.
    5 to 20 % is usual. An answer that only another sentence makes certain ("He was born there")
    can lose its reason, the more of them the higher the share.

    **Source.** Deletion at random as in Wei and Zou (2019), "EDA: Easy data augmentation techniques
    for boosting performance on text classification tasks", of sentences in place of words.
    """

    def __init__(self, options: SentenceDropOptions) -> None:
        self.options = options

    def rows(self, rows: TrainingRows, rng: np.random.Generator) -> Sequence[Example]:
        """See :meth:`autoqa.api.Augmentation.rows`."""
        share = self.options.share
        return [sentence_drop(each, rng, share=share) for each in rows.examples]


SPEC = AugmentationSpec(
    name="sentence-drop",
    summary="sentences that hold no answer are left out of contexts at random",
    options=SentenceDropOptions,
    build=SentenceDrop,
)
