"""White space at the ends of many spans at once."""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from autoqa.text.slots import Indices

_BLANK = np.array([chr(code).isspace() for code in range(0x3002)])
"""Which code points are white space; the last entry stands for all further ones: none is."""


def is_blank(codes: npt.NDArray[np.uint32]) -> npt.NDArray[np.bool_]:
    """Which code points are white space, that is, what ``str.strip`` removes."""
    found: npt.NDArray[np.bool_] = _BLANK[np.minimum(codes, len(_BLANK) - 1)]
    return found


class Texts:
    """Texts in which the ends of spans can be moved past white space.

    Args:
        texts: Equal ones are kept once, at four bytes a character.
    """

    def __init__(self, texts: Sequence[str]) -> None:
        begin: dict[str, int] = {}
        size = 0
        for text in texts:
            if text not in begin:
                begin[text] = size
                size += len(text)
        self._begin = np.array([begin[text] for text in texts], np.int64)
        # Half a surrogate pair is no valid character, but JSON files hold some.
        codes = "".join(begin).encode("utf-32-le", "surrogatepass")
        self._codes = np.frombuffer(codes, np.uint32)

    def strip(self, text: Indices, low: Indices, high: Indices) -> tuple[Indices, Indices]:
        """Where spans begin and end without the white space at their ends, like ``str.strip``.

        Args:
            text: Positions of the texts, int64 ``[S]``.
            low: First character of each span, int64 ``[S]``.
            high: One past its last character, int64 ``[S]``.

        Returns:
            The same for what remains; low and high are equal where nothing does.
        """
        begin = self._begin[text]
        low, high = low + begin, high + begin
        for edge, inside, step in ((low, 0, 1), (high, -1, -1)):
            left = np.flatnonzero(low < high)
            while len(left):
                left = left[is_blank(self._codes[edge[left] + inside])]
                edge[left] += step
                left = left[low[left] < high[left]]
        return low - begin, high - begin
