"""``random-crop``: a context is cut elsewhere each time it is seen."""

from typing import Annotated

import numpy as np
from pydantic import Field

from autoqa.api import Augmentation, AugmentationSpec, Options


class RandomCropOptions(Options):
    """Options of ``random-crop``.

    Attributes:
        length_jitter: Windows of a context are shorter than the longest possible by a random
            share up to this one.
        stride_jitter: What neighbouring windows share is more or less than the stage's stride by
            a random share up to this one.
    """

    length_jitter: Annotated[float, Field(ge=0, le=0.75)] = 0.25
    stride_jitter: Annotated[float, Field(ge=0, le=1)] = 0.5


def random_crop(
    tokens: int,
    room: int,
    stride: int,
    rng: np.random.Generator,
    *,
    length_jitter: float,
    stride_jitter: float,
) -> tuple[np.ndarray, np.ndarray]:
    """Cuts a context at random places.

    Args:
        tokens: Tokens of the context, more than ``room``.
        room: Most tokens in a window.
        stride: Tokens that neighbouring windows share, fewer than ``room``.
        rng: Source of randomness.
        length_jitter: See :class:`RandomCropOptions`.
        stride_jitter: See :class:`RandomCropOptions`.

    Returns:
        First and one-past-last token of each window, int64 ``[windows]`` each. All have one
        length except the first, which has half of it or more, and the last, which ends where
        the context does.
    """
    size = int(rng.integers(max(1, round(room * (1 - length_jitter))), room + 1))
    usual_overlap = size * stride / room
    # Short steps make many windows, so sharing more than half a window is left to the study.
    most_overlap = int(max(size // 2, usual_overlap)) if size > 1 else 0
    overlap = min(
        round(usual_overlap * rng.uniform(1 - stride_jitter, 1 + stride_jitter)),
        most_overlap,
        size - 1,
    )
    first_end = int(rng.integers(max(overlap + 1, (size + 1) // 2), size + 1))
    second_start = first_end - overlap
    step = size - overlap
    later_windows = 1 + max(0, -((size + second_start - tokens) // step))
    first = np.concatenate([[0], second_start + step * np.arange(later_windows)]).astype(np.int64)
    last = np.minimum(first + size, tokens)
    last[0] = first_end
    return first, last


class RandomCrop(Augmentation):
    """Random crop of long contexts.

    **What.** A context that does not fit into one window is cut into windows of a random length,
    with a random overlap and a random end of the first one, so that an answer stands at another
    place and among other neighbours each time the context is drawn. Windows still cover the whole
    context, none is longer than the stage's length, and labels stay exact: they come from the
    answer's characters after the cut. A context that fits stays whole.

    **When.** Contexts of several windows (articles) that a recipe shows more than once. It
    makes somewhat more windows, hence steps, than the regular cut: about 1.2 times with the
    defaults. It does nothing for paragraphs.

    **Source.** First place of Kaggle's chaii competition (2021), who varied window length and
    stride between passes; the name is that of the crop of images in Krizhevsky et al. (2012).
    """

    def __init__(self, options: RandomCropOptions) -> None:
        self.options = options

    def plan(
        self, tokens: int, room: int, stride: int, rng: np.random.Generator
    ) -> tuple[np.ndarray, np.ndarray] | None:
        """See :meth:`autoqa.api.Augmentation.plan`."""
        if tokens <= room:
            return None
        return random_crop(
            tokens,
            room,
            stride,
            rng,
            length_jitter=self.options.length_jitter,
            stride_jitter=self.options.stride_jitter,
        )


SPEC = AugmentationSpec(
    name="random-crop",
    summary="long contexts are cut at other places each time",
    options=RandomCropOptions,
    build=RandomCrop,
)
