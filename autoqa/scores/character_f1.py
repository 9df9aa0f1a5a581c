"""F1 on characters, as the evaluation script of KorQuAD computes it.

Characters (code points) count as often as they occur, in lower case, without white space, ASCII
punctuation and brackets and quotes (Lim et al., KorQuAD1.0: Korean QA Dataset for Machine Reading
Comprehension, 2019, and the script beside the data): Korean words end in particles, which a
comparison of whole words would count as errors. Two texts without characters are equal, as in
SQuAD 2.0; the script, whose questions all have answers, has 0 for them.
"""

import string

from autoqa.scores.overlap import ItemOverlap, f1_share
from autoqa.scores.registry import register_overlap

_LEFT_OUT = frozenset(string.punctuation + "《》〈〉‘’")


def items(word: str, _: str = "") -> list[str]:
    """The characters of a word in lower case that count."""
    return [character for character in word if character not in _LEFT_OUT]


register_overlap(
    "character-f1", "Character F1", "F1 of characters", ItemOverlap(items, f1_share), "mixed"
)
