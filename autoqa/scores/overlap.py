"""Metrics that compare what two texts consist of, whatever its order."""

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from autoqa.arrays import Doubles
from autoqa.text.segmentation import pieces
from autoqa.types import Segmentation

OverlapFormula = Callable[[Doubles, Doubles, Doubles], Doubles]
"""From the numbers of items of two texts, none of which is 0, and of those in common to a score."""


@dataclass(frozen=True, slots=True)
class ItemOverlap:
    """How a metric takes texts to pieces, and what it makes of the pieces.

    The pieces of a text are those of its words, so that what an ensemble's answer scores is known
    from the words that its vote leaves. Two texts without items are equal (1), as in SQuAD 2.0,
    where a question without an answer has the empty text for its reference; a text without items
    has nothing in common with one that has some (0).

    Attributes:
        items: From a word in lower case and the question's language to what counts of it.
        share: What the score is.
        distinct: Whether an item counts once, however often the text has it. Such a metric's items
            are the words themselves.
    """

    items: Callable[[str, str], Sequence[str]]
    share: OverlapFormula
    distinct: bool = False

    def score(self, text: str, other: str, language: str, segmentation: Segmentation) -> float:
        """The score of two texts, 0 to 1.

        Args:
            text: A text.
            other: What it is compared with.
            language: ISO 639-1 code of both.
            segmentation: Where they are cut into words.
        """
        one, two = (self.counted(pieces(each, segmentation), language) for each in (text, other))
        if not one or not two:
            return float(not one and not two)
        sizes = one.total(), two.total()
        return float(self.share(*sizes, (one & two).total()))  # type: ignore[arg-type]

    def counted(self, words: Iterable[str], language: str) -> Counter[str]:
        """The items of words in lower case, and how often each counts."""
        found = Counter(item for word in words for item in self.items(word, language))
        return Counter(dict.fromkeys(found, 1)) if self.distinct else found


def jaccard_share(first: Doubles, second: Doubles, common: Doubles) -> Doubles:
    """Items in common by items of both together."""
    return common / (first + second - common)


def f1_share(first: Doubles, second: Doubles, common: Doubles) -> Doubles:
    """Harmonic mean of precision and recall, ``2 |A ∩ B| / (|A| + |B|)``."""
    return 2 * common / (first + second)
