r"""Words as the metric sees them: lower-cased, cut at white space, nothing else.

No regular expression is used on purpose: ``\w`` does not match the vowel signs of Devanagari or
Tamil and would cut words in two.
"""

from autoqa.text.segmentation import pieces
from autoqa.types import Segmentation


def words(text: str) -> list[str]:
    """Lower-cases and cuts at Unicode white space; punctuation stays on its word."""
    return text.lower().split()


def jaccard(a: str, b: str, segmentation: Segmentation = "words") -> float:
    """Word-level Jaccard of two texts, 0 to 1; two texts without words are equal (1).

    The competition's formula: ``|A ∩ B| / |A ∪ B|`` over sets of :func:`words`.

    Args:
        a: A text.
        b: Another one.
        segmentation: Where they are cut into words.
    """
    first, second = set(pieces(a, segmentation)), set(pieces(b, segmentation))
    if not first and not second:
        return 1.0
    common = len(first & second)
    return common / (len(first) + len(second) - common)
