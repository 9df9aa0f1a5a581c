"""Average normalized Levenshtein similarity: how much of a text would have to be written anew.

``1 - d / n`` with the edit distance d and the length n of the longer text, and 0 where half of it
or more is wrong: an error of the reader, not of the spelling (Biten et al., Scene Text Visual
Question Answering, ICCV 2019, section 5). Texts are compared in lower case, white space as one
space each.
"""

from autoqa.scores.registry import Metric, register

THRESHOLD = 0.5
"""Share of the longer text that may be wrong, exclusive."""


def anls(prediction: str, reference: str) -> float:
    """The similarity of two texts, 0 or 0.5 to 1; 1 where both are without words."""
    one, two = (" ".join(text.lower().split()) for text in (prediction, reference))
    if one == two:
        return 1.0
    longest = max(len(one), len(two))
    if longest - min(len(one), len(two)) >= THRESHOLD * longest:
        return 0.0
    wrong = edit_distance(one, two) / longest
    return 1 - wrong if wrong < THRESHOLD else 0.0


def edit_distance(one: str, two: str) -> int:
    """Fewest characters to put in, take out or exchange to make one text of the other.

    The columns of the usual table are held as differences, one bit for a row, and follow from each
    other by a few operations on whole numbers (Myers, A Fast Bit-Vector Algorithm for Approximate
    String Matching Based on Dynamic Programming, 1999, as Hyyrö put it in 2001).
    """
    if not one or not two:
        return len(one) + len(two)
    everywhere, last = (1 << len(one)) - 1, 1 << (len(one) - 1)
    where: dict[str, int] = {}
    for place, character in enumerate(one):
        where[character] = where.get(character, 0) | 1 << place
    up, down, distance = everywhere, 0, len(one)
    for character in two:
        equal = where.get(character, 0)
        level = (((equal & up) + up) ^ up) | equal | down
        right_up = down | ~(level | up) & everywhere
        right_down = up & level
        distance += bool(right_up & last) - bool(right_down & last)
        right_up = right_up << 1 | 1
        right_down <<= 1
        up = (right_down | ~(level | right_up)) & everywhere
        down = right_up & level & everywhere
    return distance


register(
    Metric(
        name="anls",
        title="ANLS",
        function=lambda prediction, reference, _: anls(prediction, reference),
        summary="normalized Levenshtein similarity",
        segmentation="mixed",
        everywhere=False,
    )
)
