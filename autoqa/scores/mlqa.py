"""F1 as the evaluation script of MLQA computes it, for languages with and without spaces.

Texts are compared in lower case, without the punctuation of any script, and without the articles of
their language (Lewis et al., MLQA: Evaluating Cross-lingual Extractive Question Answering, 2020,
section 4.2 and the script ``mlqa_evaluation_v1.py`` beside the data). The script cuts Chinese into
single characters and the other six languages at white space; here the script of the characters
decides (:mod:`autoqa.text.segmentation`), so that Japanese, Thai, Lao, Khmer and Burmese have
words, too. In texts of those seven languages that hold no characters of another one's script both
are the same. Two texts without words are equal, as in SQuAD 2.0.
"""

import re
from functools import cache

from autoqa.scores.overlap import ItemOverlap, f1_share
from autoqa.scores.punctuation import without_punctuation
from autoqa.scores.registry import register_overlap

_ARTICLES = {
    "en": "a an the",
    "es": "un una unos unas el la los las",
    "de": "ein eine einen einem eines einer der die das den dem des",
    "vi": "của là cái chiếc những",
}
"""Whole words; of Arabic, ``ال`` goes wherever it stands, as in the script."""


def items(word: str, language: str) -> list[str]:
    """What counts of a word in lower case: itself without punctuation, nothing of an article."""
    bare, article = without_punctuation(word), _article(language)
    return (bare if article is None else article.sub(" ", bare)).split()


@cache
def _article(language: str) -> re.Pattern[str] | None:
    code = language.replace("_", "-").partition("-")[0].lower()
    if code == "ar":
        return re.compile("ال")
    words = _ARTICLES.get(code, "").split()
    return re.compile(rf"\b(?:{'|'.join(words)})\b") if words else None


register_overlap(
    "mlqa",
    "MLQA",
    "F1 of MLQA (characters where no spaces are written)",
    ItemOverlap(items, f1_share),
    "mixed",
)
