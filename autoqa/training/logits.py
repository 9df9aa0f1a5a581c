"""How precisely a candidate's logits are stored."""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from autoqa.decoding.decoder import SpanDecoder
from autoqa.types import Span

LogitType = type[np.float16] | type[np.float32]

_LARGEST = float(np.finfo(np.float16).max) / 2
"""The private part is stored as the public one decides, and may hold somewhat larger logits."""


def smallest_type(
    decoder: SpanDecoder,
    start: npt.NDArray[np.float32],
    end: npt.NDArray[np.float32],
    answers: Sequence[Span],
) -> LogitType:
    """Half precision where it changes no answer, else single precision.

    Half precision takes half the room, but two spans that score nearly the same may change places,
    and logits beyond 65,504 find no place in it.

    Args:
        decoder: Decodes the windows that the logits belong to.
        start: Start logits ``[T]``.
        end: End logits ``[T]``.
        answers: What ``decoder.best`` makes of them.
    """
    if max(np.abs(side).max(initial=0.0) for side in (start, end)) > _LARGEST:
        return np.float32
    again = decoder.best(start.astype(np.float16), end.astype(np.float16))
    same = all((a.start, a.end) == (b.start, b.end) for a, b in zip(answers, again, strict=True))
    return np.float16 if same else np.float32
