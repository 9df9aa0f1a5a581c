"""White space at the ends of many spans at once."""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from autoqa.arrays import Indices

_BLANK = np.array([chr(code).isspace() for code in range(0x3002)])
"""Which code points are white space; the last entry stands for all further ones: none is."""


def is_blank(codes: npt.NDArray[np.uint32]) -> npt.NDArray[np.bool_]:
    """Which code points are white space, that is, what ``str.strip`` removes."""
    blank: npt.NDArray[np.bool_] = _BLANK[np.minimum(codes, len(_BLANK) - 1)]
    return blank


class Texts:
    """Texts in which the ends of spans can be moved past white space.

    Args:
        texts: Equal ones are kept once, at eight bytes a character.
    """

    def __init__(self, texts: Sequence[str]) -> None:
        begin: dict[str, int] = {}
        size = 1
        for text in texts:
            if text not in begin:
                begin[text] = size
                size += len(text) + 1
        self._begin = np.array([begin[text] for text in texts], np.int64)
        # A character that is no white space stands between texts: no search leaves its own text.
        # Half a surrogate pair is no valid character, but JSON files hold some.
        codes = "\0".join(["", *begin, ""]).encode("utf-32-le", "surrogatepass")
        solid = ~is_blank(np.frombuffer(codes, np.uint32))
        place = np.flatnonzero(solid).astype(np.int32)
        before: Indices = np.cumsum(solid) - solid
        self._ahead, self._behind = place[before], place[before - 1] + 1

    def inward(self, text: Indices, low: Indices, high: Indices) -> tuple[Indices, Indices]:
        """The nearest begin of a span at or after a place, and the nearest end at or before one.

        A place in the middle of white space moves to the word beyond it, however far that is. So
        where a span holds a word, this is ``str.strip``; where it holds none, it ends before it
        begins or there.

        Args:
            text: Positions of the texts, int64 ``[S]``.
            low: Where spans may begin, ``[S]``.
            high: One past where they may end, ``[S]``.

        Returns:
            The first character at or after ``low`` that is no white space, the text's length where
            there is none; and one past the last such character before ``high``, 0 where there is
            none.
        """
        begin = self._begin[text]
        return self._ahead[begin + low] - begin, self._behind[begin + high] - begin
