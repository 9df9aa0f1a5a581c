"""Windows of tokens as flat arrays: no padding anywhere, one row of offsets per token."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from autoqa.decoding.span_search import MAX_ANSWER_TOKENS


@dataclass(frozen=True, slots=True)
class SoftTargets:
    """What a teacher says of windows, to be learned beside their labels.

    Attributes:
        log_probability: Natural logarithm of the probability that the answer starts, and that it
            ends, at each token, float16 ``[T, 2]``; a window's first token stands for "no answer
            here", and minus infinity for tokens that are impossible.
        weight: How much each window's label counts in its loss, and how much its teacher does,
            float32 ``[W, 2]``.
    """

    log_probability: npt.NDArray[np.float16]
    weight: npt.NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Windows:
    """W windows with T tokens in all, back to back.

    Attributes:
        input_ids: Token ids with special tokens, int32 ``[T]``.
        type_ids: Segment ids as the tokenizer gives them for a pair, int32 ``[T]``.
        offsets: First and one-past-last character in the context for context tokens, zeros for
            all others, int32 ``[T, 2]``.
        starts_word: Which tokens are the first of a word of the context, or of the part of one
            that the window begins with; false outside the context; bool ``[T]``.
        bounds: Window w is tokens ``bounds[w]:bounds[w + 1]``, int64 ``[W + 1]``.
        example: Row of the example in the list that was cut, int32 ``[W]``.
        context: First and one-past-last context token, counted inside the window, int32 ``[W, 2]``.
        label: First and last answer token (inclusive), counted inside the window, int32
            ``[W, 2]``; (0, 0), the first token, where the window does not hold the whole answer.
        soft: What a teacher says of them, where there is one; not kept in files.
        unhidden: Token ids before an augmentation hid or replaced some, int32 ``[T]``; ``None``
            where none did. Not kept in files.
        max_answer_tokens: Most tokens in an answer that is looked for in them.
    """

    input_ids: npt.NDArray[np.int32]
    type_ids: npt.NDArray[np.int32]
    offsets: npt.NDArray[np.int32]
    starts_word: npt.NDArray[np.bool_]
    bounds: npt.NDArray[np.int64]
    example: npt.NDArray[np.int32]
    context: npt.NDArray[np.int32]
    label: npt.NDArray[np.int32]
    soft: SoftTargets | None = None
    unhidden: npt.NDArray[np.int32] | None = None
    max_answer_tokens: int = MAX_ANSWER_TOKENS

    def __len__(self) -> int:
        return len(self.example)

    @property
    def lengths(self) -> npt.NDArray[np.int64]:
        """Tokens in each window, int64 ``[W]``."""
        return np.diff(self.bounds)

    @property
    def answerable(self) -> npt.NDArray[np.bool_]:
        """Which windows hold their example's whole answer, bool ``[W]``."""
        return self.label[:, 1] > 0


def ragged_index(
    starts: npt.NDArray[np.int64], ends: npt.NDArray[np.int64]
) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    """The members of ranges back to back.

    Args:
        starts: First member of each range, int64 ``[R]``.
        ends: One past the last member, int64 ``[R]``.

    Returns:
        Members, int64 ``[T]``, and where each range begins among them, int64 ``[R + 1]``.
    """
    lengths = ends - starts
    edges = np.zeros(len(lengths) + 1, np.int64)
    np.cumsum(lengths, out=edges[1:])
    return np.arange(edges[-1]) + np.repeat(starts - edges[:-1], lengths), edges
