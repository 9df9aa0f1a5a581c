"""``sentence-shuffle``: the sentences of a context come in another order."""

from collections.abc import Sequence
from typing import Annotated

import numpy as np
from pydantic import Field

from autoqa.api import Augmentation, AugmentationSpec, Example, Options, TrainingRows
from autoqa_augmentations.sentence_parts import SentenceParts


class SentenceShuffleOptions(Options):
    """Options of ``sentence-shuffle``.

    Attributes:
        share: Probability that a row's context is shuffled.
    """

    share: Annotated[float, Field(ge=0, le=1)] = 0.1


def sentence_shuffle(example: Example, rng: np.random.Generator) -> Example:
    """Puts the sentences of a context in random order.

    Args:
        example: A question about a context.
        rng: Source of randomness.

    Returns:
        The example with the other context and moved answers; itself where the order is the same.
    """
    parts = SentenceParts.of(example)
    return parts.together(rng.permutation(len(parts.spans)).tolist())


class SentenceShuffle(Augmentation):
    """The sentences of a context come in another order.

    **What.** Each time a row is drawn its context's sentences are shuffled with some probability,
    each with the white space behind it. Sentences that an answer reaches across stay together.

    **When.** Data whose answers mostly stand at the beginning, as in data sets of one paragraph:
    a shuffled context teaches nothing of where answers stand. Sentences that lean on the one before
    ("This city ...") lose what they refer to, so a small share is the safer one.

    **Source.** Sentence permutation as in Lewis et al. (2020), "BART: Denoising
    sequence-to-sequence pre-training", where the order had to be told; here it is noise. That
    readers learn where answers stand: Ko et al. (2020), "Look at the first sentence".
    """

    def __init__(self, options: SentenceShuffleOptions) -> None:
        self.options = options

    def rows(self, rows: TrainingRows, rng: np.random.Generator) -> Sequence[Example]:
        """See :meth:`autoqa.api.Augmentation.rows`."""
        chosen = rng.random(len(rows.examples)) < self.options.share
        return [
            sentence_shuffle(each, rng) if drawn else each
            for each, drawn in zip(rows.examples, chosen.tolist(), strict=True)
        ]


SPEC = AugmentationSpec(
    name="sentence-shuffle",
    summary="the sentences of a context come in random order; answers stay whole",
    options=SentenceShuffleOptions,
    build=SentenceShuffle,
)
