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
        self._size = np.array([len(text) for text in texts], np.int64)
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

    def inward(self, text: Indices, low: Indices, high: Indices) -> tuple[Indices, Indices]:
        """The nearest begin of a span at or after a place, and the nearest end at or before one.

        Unlike :meth:`strip`, begins and ends are no pairs: a place in the middle of white space
        moves to the word beyond it, however far that is.

        Args:
            text: Positions of the texts, int64 ``[S]``.
            low: Where spans may begin, int64 ``[S]``.
            high: One past where they may end, int64 ``[S]``.

        Returns:
            The first character at or after ``low`` that is no white space, the text's length where
            there is none; and one past the last such character before ``high``, 0 where there is
            none.
        """
        begin = self._begin[text]
        solid = np.flatnonzero(~is_blank(self._codes))
        ahead = np.append(solid, len(self._codes))[np.searchsorted(solid, begin + low)]
        behind = np.append(solid + 1, 0)[np.searchsorted(solid, begin + high) - 1]
        return np.minimum(ahead - begin, self._size[text]), np.maximum(behind - begin, 0)
