"""``cutout``: some tokens of the context are hidden."""

from typing import Annotated

import numpy as np
from pydantic import Field

from autoqa.api import Augmentation, AugmentationSpec, Options


class CutoutOptions(Options):
    """Options of ``cutout``.

    Attributes:
        share: Probability that a context token is hidden.
        spare_answer: Leave the labelled answer's tokens alone.
    """

    share: Annotated[float, Field(ge=0, le=0.5)] = 0.05
    spare_answer: bool = False


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


class Cutout(Augmentation):
    """Cutout of context tokens.

    **What.** In every batch each context token becomes the mask token with a small probability.
    Questions and special tokens are spared, labels and offsets stay where they are; nothing is
    predicted for the hidden tokens.

    **When.** More than one pass over the data, or a source that several stages repeat: the same
    window never looks the same twice. 3 to 10 % is usual; much more hides what the answer is
    recognised by. With ``spare_answer`` the answer itself is never hidden, at the price of a
    hint: a hidden token is then surely not part of the answer.

    **Source.** First place of Kaggle's chaii competition (2021), at 3 to 10 %; for images DeVries
    and Taylor (2017), "Improved regularization of convolutional neural networks with cutout"; for
    language models the masking of Devlin et al. (2019), without its loss.
    """

    def __init__(self, options: CutoutOptions) -> None:
        self.options = options

    def mask(
        self,
        input_ids: np.ndarray,
        is_context: np.ndarray,
        is_answer: np.ndarray,
        mask_id: int,
        rng: np.random.Generator,
    ) -> np.ndarray:
        """See :meth:`autoqa.api.Augmentation.mask`."""
        eligible = is_context & ~is_answer if self.options.spare_answer else is_context
        return cutout(input_ids, eligible, mask_id, rng, share=self.options.share)


SPEC = AugmentationSpec(
    name="cutout",
    summary="context tokens are hidden at random; question and special tokens stay",
    options=CutoutOptions,
    build=Cutout,
)
