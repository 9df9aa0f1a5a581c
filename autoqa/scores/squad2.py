"""F1 as the evaluation script of SQuAD 2.0 computes it.

Texts are compared in lower case, without ASCII punctuation and without English articles, cut at
white space; words count as often as they occur (Rajpurkar et al., Know What You Don't Know:
Unanswerable Questions for SQuAD, 2018, and the script ``evaluate-v2.0.py`` beside the data). Where
either text is without words, 1 if both are, else 0: a question without an answer is answered
rightly by the empty text only.
"""

import re

from autoqa.scores.overlap import ItemOverlap, f1_share
from autoqa.scores.punctuation import without_ascii_punctuation
from autoqa.scores.registry import register_overlap

_ARTICLE = re.compile(r"\b(?:an?|the)\b")


def items(word: str, _: str = "") -> list[str]:
    """What counts of a word in lower case: nothing of an article, mostly the word."""
    return _ARTICLE.sub(" ", without_ascii_punctuation(word)).split()


register_overlap("squad2", "SQuAD 2", "F1 of SQuAD 2.0", ItemOverlap(items, f1_share), "words")
