"""``cutout``: some tokens or words of the context are hidden."""

from typing import Annotated

import numpy as np
from pydantic import Field

from autoqa.api import Augmentation, AugmentationSpec, Options, TokenBatch


class CutoutOptions(Options):
    """Options of ``cutout``.

    Attributes:
        share: Probability that a context token, or with ``whole_words`` a word, is hidden.
        spare_answer: Leave the labelled answer's tokens, or words with any of them, alone.
        whole_words: Hide all tokens of a word or none.
    """

    share: Annotated[float, Field(ge=0, le=0.5)] = 0.05
    spare_answer: bool = False
    whole_words: bool = False


def cutout(
    input_ids: np.ndarray,
    eligible: np.ndarray,
    mask_id: int,
    rng: np.random.Generator,
    *,
    share: float,
) -> np.ndarray:
    """Hides each eligible token with the same probability.

    Args:
        input_ids: Tokens, int32 ``[tokens]``.
        eligible: Which may be hidden, bool ``[tokens]``.
        mask_id: What a hidden token becomes.
        rng: Source of randomness; one number is drawn per token, eligible or not.
        share: The probability.

    Returns:
        int32 ``[tokens]``, a new array.
    """
    hidden = eligible & (rng.random(len(input_ids)) < share)
    return np.where(hidden, np.asarray(mask_id, input_ids.dtype), input_ids)


def word_cutout(
    batch: TokenBatch, eligible: np.ndarray, rng: np.random.Generator, *, share: float
) -> np.ndarray:
    """Hides each context word with the same probability, if all of its tokens are eligible.

    Args:
        batch: Tokens.
        eligible: Which may be hidden, bool ``[tokens]``.
        rng: Source of randomness; one number is drawn per word, eligible or not.
        share: The probability.

    Returns:
        int32 ``[tokens]``, a new array.
    """
    # A word reaches from its first token to the next word's, or to the end of the context.
    word_of_token = np.cumsum(batch.starts_word)
    hidden = rng.random(int(batch.starts_word.sum()) + 1) < share
    hidden[word_of_token[batch.is_context & ~eligible]] = False
    masked = batch.is_context & hidden[word_of_token]
    return np.where(masked, np.asarray(batch.mask_id, batch.input_ids.dtype), batch.input_ids)


class Cutout(Augmentation):
    """Cutout of context tokens.

    **What.** In every batch each context token becomes the mask token with a small probability;
    with ``whole_words`` all tokens of a word do, or none. Questions and special tokens are spared,
    labels and offsets stay where they are; nothing is predicted for the hidden tokens.

    **When.** More than one pass over the data, or a source that several stages repeat: the same
    window never looks the same twice. 3 to 10 % is usual; much more hides what the answer is
    recognised by. With ``spare_answer`` the answer itself is never hidden, at the price of a
    hint: a hidden token is then surely not part of the answer. A token in the middle of a word is
    easily guessed from the rest of it; ``whole_words`` leaves only the sentence to guess from, and
    suits scripts whose words take many tokens. It hides the same share of tokens on average.

    **Source.** First place of Kaggle's chaii competition (2021), at 3 to 10 %; for images DeVries
    and Taylor (2017), "Improved regularization of convolutional neural networks with cutout"; for
    language models the masking of Devlin et al. (2019), without its loss, and the whole-word
    masking that its authors published later.
    """

    def __init__(self, options: CutoutOptions) -> None:
        self.options = options

    def mask(self, batch: TokenBatch, rng: np.random.Generator) -> np.ndarray:
        """See :meth:`autoqa.api.Augmentation.mask`."""
        spared = batch.is_answer if self.options.spare_answer else np.zeros_like(batch.is_answer)
        eligible = batch.is_context & ~spared
        share = self.options.share
        if self.options.whole_words:
            return word_cutout(batch, eligible, rng, share=share)
        return cutout(batch.input_ids, eligible, batch.mask_id, rng, share=share)


SPEC = AugmentationSpec(
    name="cutout",
    summary="context tokens or words are hidden at random; question and special tokens stay",
    options=CutoutOptions,
    build=Cutout,
)
